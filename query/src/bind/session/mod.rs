//! Statements about the session and the upkeep of the database: transactions, settings, cursors,
//! COPY, EXPLAIN, …

use sqlparser::ast;

use super::{BindContext, BoundStatement};
use crate::error::Result;
use crate::parse::Statement;
use crate::parse::command::session::Command;

/// Binds the statement if it is one of these.
///
/// # Errors
/// Whatever is wrong with it.
pub(super) fn bind(
    _statement: &Statement,
    _ast: &ast::Statement,
    _ctx: BindContext<'_>,
) -> Result<Option<BoundStatement>> {
    Ok(None)
}

/// Binds one of those that have a grammar of their own.
///
/// # Errors
/// Whatever is wrong with it.
pub(super) fn bind_command(command: &Command, _ctx: BindContext<'_>) -> Result<BoundStatement> {
    match *command {}
}
