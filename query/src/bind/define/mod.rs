//! Definitions: CREATE, ALTER, DROP and their kind, from syntax to [`Ddl`].
//!
//! [`relation`] has tables, indexes and what belongs to them, [`object`] everything else.

use sqlparser::ast;

use super::ddl::Ddl;
use super::{BindContext, BoundStatement};
use crate::error::Result;
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
    let bound = match relation::bind(statement, ast, ctx)? {
        Some(ddl) => Some(ddl),
        None => object::bind(statement, ast, ctx)?,
    };
    Ok(bound.map(define))
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

fn define(ddl: Ddl) -> BoundStatement {
    BoundStatement::Define(Box::new(ddl))
}
