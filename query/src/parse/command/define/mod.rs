//! Definitions of everything but tables, indexes and their parts.
//!
//! `sqlparser` wants their options in a fixed order or does not know them, and keeps no place for
//! the text of a query; so each family is parsed here, one per file.

use sqlparser::parser::{Parser, ParserError};

pub(crate) mod alter;
pub(crate) mod comment;
pub(crate) mod database;
mod foreign;
pub(crate) mod grant;
pub(crate) mod role;
pub(crate) mod sequence;
pub(crate) mod types;
pub(crate) mod view;
mod words;

pub(crate) use words::{Setting, TextSpan};

/// Such a statement.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// `ALTER TABLE` on identities and the like
    Alter(alter::Command),
    /// `CREATE SEQUENCE`, `ALTER SEQUENCE`
    Sequence(sequence::Command),
    /// Of types and domains.
    Type(types::Command),
    /// What a query defines.
    View(view::Command),
    /// Of databases, schemas and extensions.
    Database(database::Command),
    /// Of roles.
    Role(role::Command),
    /// `GRANT`, `REVOKE`
    Grant(grant::Command),
    /// `COMMENT ON`
    Comment(comment::Command),
    /// What there is in Postgres but not here.
    Unsupported(String),
}

/// Parses the statement if it is one of these; otherwise nothing was consumed.
pub(super) fn parse(parser: &mut Parser<'_>) -> Result<Option<Command>, ParserError> {
    if let Some(command) = alter::parse(parser)? {
        return Ok(Some(Command::Alter(command)));
    }
    if let Some(command) = sequence::parse(parser)? {
        return Ok(Some(Command::Sequence(command)));
    }
    if let Some(command) = types::parse(parser)? {
        return Ok(Some(Command::Type(command)));
    }
    if let Some(command) = view::parse(parser)? {
        return Ok(Some(Command::View(command)));
    }
    if let Some(command) = database::parse(parser)? {
        return Ok(Some(Command::Database(command)));
    }
    if let Some(command) = role::parse(parser)? {
        return Ok(Some(Command::Role(command)));
    }
    if let Some(command) = grant::parse(parser)? {
        return Ok(Some(Command::Grant(command)));
    }
    if let Some(command) = comment::parse(parser)? {
        return Ok(Some(Command::Comment(command)));
    }
    Ok(foreign::parse(parser).map(Command::Unsupported))
}
