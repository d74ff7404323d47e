//! Words that Postgres keeps for itself: unquoted, they are no names of tables and columns.

use sqlparser::ast::Ident;

/// Postgres' reserved words (manual, appendix C), sorted, but those that are values.
const RESERVED: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "constraint",
    "create",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "from",
    "grant",
    "group",
    "having",
    "in",
    "initially",
    "intersect",
    "into",
    "lateral",
    "leading",
    "limit",
    "not",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "placing",
    "primary",
    "references",
    "returning",
    "select",
    "some",
    "symmetric",
    "table",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "variadic",
    "when",
    "where",
    "window",
    "with",
];

/// Whether a name as written can be none.
pub(crate) fn is_reserved(name: &Ident) -> bool {
    let word = name.value.to_ascii_lowercase();
    name.quote_style.is_none() && RESERVED.binary_search(&word.as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_words_are_sorted_and_found() {
        assert!(RESERVED.is_sorted());
        assert!(is_reserved(&Ident::new("User")) && is_reserved(&Ident::new("where")));
        assert!(!is_reserved(&Ident::with_quote('"', "user")) && !is_reserved(&Ident::new("name")));
    }
}
