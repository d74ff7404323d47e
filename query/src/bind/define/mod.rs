//! Definitions: CREATE, ALTER, DROP and their kind, from syntax to [`Ddl`].
//!
//! [`relation`] has tables, indexes and what belongs to them, [`object`] everything else.

use sqlparser::ast;

use super::ddl::Ddl;
use super::{BindContext, BoundStatement};
use crate::error::{Error, Result, SqlState};
use crate::parse::Statement;
use crate::parse::command::define::Command;

mod object;
mod relation;

/// Binds the statement if it is one of these.
///
/// # Errors
/// Whatever is wrong with it.
pub(super) fn bind(
    statement: &Statement,
    ast: &ast::Statement,
    ctx: BindContext<'_>,
) -> Result<Option<BoundStatement>> {
    Ok(relation::bind(statement, ast, ctx)?.map(define))
}

/// Binds one of those that have a grammar of their own.
///
/// # Errors
/// Whatever is wrong with it.
pub(super) fn bind_command(
    statement: &Statement,
    command: &Command,
    ctx: BindContext<'_>,
) -> Result<BoundStatement> {
    object::bind_command(statement, command, ctx).map(define)
}

/// Binds `SELECT … INTO`; `None` when the query is another.
///
/// # Errors
/// Whatever is wrong with it.
pub(super) fn bind_into(
    statement: &Statement,
    query: &ast::Query,
    ctx: BindContext<'_>,
) -> Result<Option<BoundStatement>> {
    Ok(object::select_into(statement, query, ctx)?.map(define))
}

/// 42601: INITIALLY DEFERRED of a constraint that is NOT DEFERRABLE.
pub(super) fn never_deferred() -> Error {
    let message = "constraint declared INITIALLY DEFERRED must be DEFERRABLE";
    Error::new(SqlState::SYNTAX_ERROR, message)
}

fn define(ddl: Ddl) -> BoundStatement {
    BoundStatement::Define(Box::new(ddl))
}
