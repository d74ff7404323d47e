//! Statements about the session and the upkeep of the database: transactions, settings, cursors,
//! COPY, EXPLAIN, …

use super::binder::Binder;
use super::{BindContext, BoundStatement};
use crate::error::{Error, Result};
use crate::parse::Statement;
use crate::parse::command::session::Command;

mod constraint;
mod copy;
mod copy_option;
mod cursor;
mod explain;
mod maintenance;
mod option;
mod prepared;
mod reindex;
mod setting;

/// Binds a statement of this family.
///
/// # Errors
/// Whatever is wrong with it.
pub(super) fn bind_command(
    statement: &Statement,
    command: &Command,
    ctx: BindContext<'_>,
) -> Result<BoundStatement> {
    let binder = || Binder::new(ctx, statement);
    match command {
        Command::Plain(bound) => Ok(bound.clone()),
        Command::Set { name, values, is_local } => {
            setting::bind_set(name, values.as_deref(), *is_local)
        }
        Command::Explain { options, inner } => explain::bind(statement, options, inner, ctx),
        Command::Copy(copy) => copy::bind(statement, copy, ctx),
        Command::Prepare { name, types, inner, start } => {
            prepared::bind_prepare(name, types, statement.within_from(inner, *start), ctx)
        }
        Command::Execute { name, args } => binder().bind_execute(name, args),
        Command::Declare(declare) => cursor::bind(statement, declare, ctx),
        Command::Lock { tables, mode, is_nowait } => binder().bind_lock(tables, *mode, *is_nowait),
        Command::Analyze { options, targets } => binder().bind_analyze(options, targets),
        Command::Vacuum { options, targets } => binder().bind_vacuum(options, targets),
        Command::Reindex { options, kind, name } => binder().bind_reindex(options, *kind, name),
        Command::SetConstraints { names, is_deferred } => {
            binder().bind_constraints(names, *is_deferred)
        }
        Command::Refused(what) => Err(Error::unsupported(what)),
    }
}

#[cfg(test)]
mod tests;
