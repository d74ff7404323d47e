//! Statements about the session and the upkeep of the database that `sqlparser` cannot parse.

use sqlparser::parser::{Parser, ParserError};

/// Such a statement.
#[derive(Clone, Debug)]
pub(crate) enum Command {}

/// Parses the statement if it is one of these; otherwise nothing was consumed.
pub(super) fn parse(_parser: &mut Parser<'_>) -> Result<Option<Command>, ParserError> {
    Ok(None)
}
