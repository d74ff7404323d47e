//! EXPLAIN.

use std::sync::Arc;

use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::option::{options, words_in_order};
use super::words::{expect, is_one_of, is_open, is_word, unexpected};
use super::{Command, Parsed};
use crate::parse::{Syntax, parse_syntax};

/// The first words of statements that read or write rows.
const ROWS: &[&str] = &["SELECT", "VALUES", "WITH", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE"];
/// What else can be explained.
const OTHERS: &[&str] = &["EXECUTE", "DECLARE", "CREATE", "REFRESH"];

/// `EXPLAIN`
pub(super) fn explain(parser: &mut Parser<'_>) -> Parsed {
    expect(parser, &["EXPLAIN"])?;
    let options = if begins_options(parser) {
        options(parser)?
    } else {
        words_in_order(parser, &["ANALYZE", "ANALYSE", "VERBOSE"])?
    };
    if is_one_of(parser, OTHERS) {
        let inner = Arc::new(parse_syntax(parser)?);
        return Ok(Command::Explain { options, inner });
    }
    Ok(Command::Explain { options, inner: rows(parser)? })
}

/// Whether a parenthesis begins options rather than a query.
fn begins_options(parser: &Parser<'_>) -> bool {
    let is_query = parser.peek_nth_token_ref(1).token == Token::LParen
        || ROWS.iter().any(|word| is_word(parser, 1, word));
    is_open(parser) && !is_query
}

/// A statement inside another one that reads or writes rows.
pub(super) fn rows(parser: &mut Parser<'_>) -> Parsed<Arc<Syntax>> {
    if is_one_of(parser, ROWS) || is_open(parser) {
        parser.parse_statement().map(|ast| Arc::new(Syntax::Sql(ast)))
    } else {
        unexpected(parser, "query")
    }
}

/// A query inside another statement.
pub(super) fn query(parser: &mut Parser<'_>) -> Parsed<Arc<Syntax>> {
    if is_one_of(parser, &["SELECT", "VALUES", "WITH", "TABLE"]) || is_open(parser) {
        rows(parser)
    } else {
        unexpected(parser, "query")
    }
}
