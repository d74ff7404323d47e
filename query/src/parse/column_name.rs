//! Columns named in stored expressions: who mentions one.
//!
//! Stored expressions see one table, so a bare word with a column's name is that column, unless it
//! is called like a function or cast to like a type.

use std::collections::BTreeSet;

use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::{Source, tokenize};

/// Whether an expression mentions a column. What cannot be read mentions none.
pub(crate) fn mentions_column(sql: &str, column: &str) -> bool {
    mentioned_names(sql).contains(column)
}

/// The names in a text that can be of columns, or of tables.
pub(crate) fn mentioned_names(sql: &str) -> BTreeSet<String> {
    let source = Source::new(sql);
    let tokens = tokenize(&source).unwrap_or_default();
    (0..tokens.len()).filter_map(|at| column_name(&tokens, at)).collect()
}

fn column_name(tokens: &[TokenWithSpan], at: usize) -> Option<String> {
    let name = match &tokens.get(at)?.token {
        Token::Word(word) if word.quote_style.is_some() => word.value.clone(),
        Token::Word(word) => word.value.to_lowercase(),
        _ => return None,
    };
    let mut after = tokens.iter().skip(at + 1).map(|token| &token.token);
    let next = after.find(|token| !matches!(token, Token::Whitespace(_)));
    let mut before = tokens.iter().take(at).rev().map(|token| &token.token);
    let previous = before.find(|token| !matches!(token, Token::Whitespace(_)));
    let is_other = matches!(next, Some(Token::LParen)) || previous == Some(&Token::DoubleColon);
    (!is_other).then_some(name)
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
