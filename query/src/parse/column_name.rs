//! Columns named in stored expressions: who mentions one.
//!
//! Stored expressions see one table, so a bare word with a column's name is that column, unless it
//! is called like a function or cast to like a type.

use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::{Source, tokenize};

/// Whether an expression mentions a column. What cannot be read mentions none.
pub(crate) fn mentions_column(sql: &str, column: &str) -> bool {
    let source = Source::new(sql);
    let Ok(tokens) = tokenize(&source) else { return false };
    (0..tokens.len()).any(|at| is_column(&tokens, at, column))
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
}
