//! PREPARE, EXECUTE, DEALLOCATE.

use sqlparser::parser::Parser;

use super::words::{eat, expect, is_end, is_open, is_word, name, parenthesized};
use super::{Command, Parsed, explain, refuse, transaction};
use crate::bind::BoundStatement;

/// `PREPARE name [(types)] AS statement`
pub(super) fn prepare(parser: &mut Parser<'_>) -> Parsed {
    expect(parser, &["PREPARE"])?;
    if is_word(parser, 0, "TRANSACTION") && !is_word(parser, 1, "AS") {
        return Ok(refuse(parser, transaction::PREPARED));
    }
    let name = name(parser)?;
    let types = match is_open(parser) {
        true => parenthesized(parser, |parser| parser.parse_data_type())?,
        false => Vec::new(),
    };
    expect(parser, &["AS"])?;
    let start = parser.peek_token_ref().span.start;
    let inner = explain::rows(parser)?;
    Ok(Command::Prepare { name, types, inner, start })
}

/// `EXECUTE name [(arguments)]`
pub(super) fn execute(parser: &mut Parser<'_>) -> Parsed {
    expect(parser, &["EXECUTE"])?;
    let name = name(parser)?;
    let args = match is_open(parser) {
        true => parenthesized(parser, |parser| parser.parse_expr())?,
        false => Vec::new(),
    };
    Ok(Command::Execute { name, args })
}

/// `DEALLOCATE [PREPARE] name`
pub(super) fn deallocate(parser: &mut Parser<'_>) -> Parsed {
    expect(parser, &["DEALLOCATE"])?;
    let is_filler = is_word(parser, 0, "PREPARE");
    let is_all = eat(parser, &["ALL"]) || eat(parser, &["PREPARE", "ALL"]);
    if is_all {
        return Ok(Command::Plain(BoundStatement::Deallocate(None)));
    }
    let mut found = name(parser)?;
    if is_filler && !is_end(parser) {
        found = name(parser)?;
    }
    Ok(Command::Plain(BoundStatement::Deallocate(Some(found))))
}
