//! The texts of functions: SQL in which `$1` is the first parameter.

use std::collections::BTreeSet;
use std::sync::Arc;

use sqlparser::tokenizer::{Token, Word};

use super::{Source, Statement, parse_tokens, split_tokens, tokenize};
use crate::error::Result;

/// What a parameter is called by its number: a name that no client can write.
pub(crate) fn parameter_name(number: usize) -> String {
    format!("\0parameter{number}")
}

/// Parses the text of a function; its parameters by number become names.
///
/// # Errors
/// 42601.
pub(crate) fn parse_function(sql: &str) -> Result<Vec<Statement>> {
    let source = Arc::new(Source::new(sql));
    let mut tokens = tokenize(&source)?;
    for token in &mut tokens {
        if let Token::Placeholder(text) = &token.token
            && let Some(number) = text.strip_prefix('$').and_then(|digits| digits.parse().ok())
        {
            token.token = Token::Word(Word {
                value: parameter_name(number),
                quote_style: Some('"'),
                keyword: sqlparser::keywords::Keyword::NoKeyword,
            });
        }
    }
    split_tokens(tokens).map(|tokens| parse_tokens(&source, tokens)).collect()
}

/// The names that something is called by in an expression: words before a parenthesis.
pub(crate) fn called_names(sql: &str) -> BTreeSet<String> {
    let source = Source::new(sql);
    let Ok(tokens) = tokenize(&source) else { return BTreeSet::new() };
    let is_call = |pair: &&[sqlparser::tokenizer::TokenWithSpan]| pair[1].token == Token::LParen;
    let names = tokens.windows(2).filter(is_call).filter_map(|pair| match &pair[0].token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_lowercase()),
        Token::Word(word) => Some(word.value.clone()),
        _ => None,
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_by_number_become_names() {
        let statement = parse_function("SELECT $1 + $2;").unwrap().remove(0);
        let crate::parse::Syntax::Sql(ast) = statement.syntax.as_ref() else { panic!("a query") };
        assert_eq!(ast.to_string(), "SELECT \"\0parameter1\" + \"\0parameter2\"");
        let names = called_names("f(a) + Sum (b) + \"G\"(c)");
        assert!(names.contains("f") && names.contains("G"));
    }
}
