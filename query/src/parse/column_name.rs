//! Columns named in stored expressions: who mentions one, and how a renamed one is followed.
//!
//! Stored expressions see one table, so a bare word with a column's name is that column, unless it
//! is called like a function or cast to like a type.

use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::{Source, tokenize};
use crate::error::Result;
use crate::identifier::quote_identifier;

/// Whether an expression mentions a column. What cannot be read mentions none.
pub(crate) fn mentions_column(sql: &str, column: &str) -> bool {
    let source = Source::new(sql);
    let Ok(tokens) = tokenize(&source) else { return false };
    (0..tokens.len()).any(|at| is_column(&tokens, at, column))
}

/// The expression with one column under its new name.
///
/// # Errors
/// 42601 when the expression cannot be read.
pub(crate) fn rename_column(sql: &str, from: &str, to: &str) -> Result<String> {
    let source = Source::new(sql);
    let tokens = tokenize(&source)?;
    let mut renamed = String::with_capacity(sql.len());
    let mut done = 0;
    for (at, token) in tokens.iter().enumerate() {
        let range = source.offset(token.span.start).zip(source.offset(token.span.end));
        if let Some((start, end)) = range
            && is_column(&tokens, at, from)
        {
            renamed.push_str(sql.get(done..start).unwrap_or_default());
            renamed.push_str(&quote_identifier(to));
            done = end;
        }
    }
    renamed.push_str(sql.get(done..).unwrap_or_default());
    Ok(renamed)
}

fn is_column(tokens: &[TokenWithSpan], at: usize, column: &str) -> bool {
    let is_word = match tokens.get(at).map(|token| &token.token) {
        Some(Token::Word(word)) if word.quote_style.is_some() => word.value == column,
        Some(Token::Word(word)) => word.value.to_lowercase() == column,
        _ => false,
    };
    let mut after = tokens.iter().skip(at + 1).map(|token| &token.token);
    let next = after.find(|token| !matches!(token, Token::Whitespace(_)));
    let mut before = tokens.iter().take(at).rev().map(|token| &token.token);
    let previous = before.find(|token| !matches!(token, Token::Whitespace(_)));
    is_word && !matches!(next, Some(Token::LParen)) && !matches!(previous, Some(Token::DoubleColon))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_told_from_functions_types_and_texts() {
        assert!(mentions_column("price > 0", "price"));
        assert!(mentions_column("\"Odd one\" > 0", "Odd one"));
        assert!(!mentions_column("price(x) > 0", "price"));
        assert!(!mentions_column("x::date > 'date'", "date"));
        assert!(!mentions_column("'price' = x", "price"));
    }

    #[test]
    fn renaming_leaves_everything_else() {
        let renamed = rename_column("lower(name) = name AND x = 'name'", "name", "Title").unwrap();
        assert_eq!(renamed, "lower(\"Title\") = \"Title\" AND x = 'name'");
    }
}
