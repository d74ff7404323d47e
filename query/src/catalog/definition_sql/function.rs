//! `CREATE FUNCTION`, as `pg_dump` prints it.

use super::DefinitionSql;
use crate::catalog::FunctionDef;
use crate::identifier::{quote_identifier, quote_qualified};

impl DefinitionSql<'_> {
    /// The statement that makes a function.
    pub fn create_function(&self, def: &FunctionDef) -> String {
        let params = def.params.iter().map(|param| {
            let name = param.name.as_deref().map(quote_identifier);
            let name = name.map(|name| format!("{name} ")).unwrap_or_default();
            let default = param.default.as_deref();
            let default = default.map(|sql| format!(" DEFAULT {sql}")).unwrap_or_default();
            format!("{name}{}{default}", self.type_name(&param.ty))
        });
        let params: Vec<String> = params.collect();
        let volatility = match def.volatility {
            'i' => " IMMUTABLE",
            's' => " STABLE",
            _ => "",
        };
        let strict = if def.is_strict { " STRICT" } else { "" };
        let quote = dollar_quote(&def.body);
        format!(
            "CREATE FUNCTION {}({}) RETURNS {}\n    LANGUAGE sql{volatility}{strict}\n    AS {quote}{}{quote}",
            quote_qualified(&def.schema, &def.name),
            params.join(", "),
            self.type_name(&def.result),
            def.body
        )
    }
}

/// A quote that does not occur in the text.
fn dollar_quote(text: &str) -> String {
    let mut quote = "$$".to_owned();
    while text.contains(&quote) || text.ends_with('$') && quote == "$$" {
        quote.insert(quote.len() - 1, '_');
    }
    quote
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_not_in_the_text() {
        assert_eq!(dollar_quote("SELECT 1"), "$$");
        assert_eq!(dollar_quote("SELECT $$x$$"), "$_$");
        assert_eq!(dollar_quote("SELECT $_$x$_$, $$"), "$__$");
    }
}
