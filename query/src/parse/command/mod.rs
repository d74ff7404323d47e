//! Statements that `sqlparser` cannot parse, or parses into less than they say.
//!
//! Each family has a grammar of its own over `sqlparser`'s tokens; a statement that none of them
//! knows by its first words is left to `sqlparser`.

use sqlparser::parser::{Parser, ParserError};

pub(crate) mod define;
pub(crate) mod session;

/// A statement of our own grammar.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// Acts on the session or looks after the database.
    Session(session::Command),
    /// Changes definitions.
    Define(define::Command),
}

/// Parses the statement if it is one of ours; otherwise nothing was consumed.
pub(super) fn parse(parser: &mut Parser<'_>) -> Result<Option<Command>, ParserError> {
    if let Some(command) = session::parse(parser)? {
        return Ok(Some(Command::Session(command)));
    }
    Ok(define::parse(parser)?.map(Command::Define))
}
