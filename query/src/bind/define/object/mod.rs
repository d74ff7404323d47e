//! Everything but tables and their parts: sequences, types, what a query defines, schemas,
//! databases, roles, rights, comments, extensions. Their grammar is in
//! [`crate::parse::command::define`].

use crate::bind::BindContext;
use crate::bind::binder::Binder;
use crate::bind::ddl::Ddl;
use crate::error::{Error, Result, SqlState};
use crate::parse::Statement;
use crate::parse::command::define::Command;

mod alter;
mod comment;
mod database;
mod grant;
mod role;
mod sequence;
mod types;
mod view;

pub(in crate::bind::define) use sequence::identity_options;
pub(in crate::bind) use view::select_into;

pub(super) fn bind_command(
    statement: &Statement,
    command: &Command,
    ctx: BindContext<'_>,
) -> Result<Ddl> {
    let mut binder = Binder::new(ctx, statement);
    match command {
        Command::Alter(command) => alter::bind(&binder, command),
        Command::Sequence(command) => sequence::bind(&binder, command),
        Command::Type(command) => types::bind(&mut binder, command),
        Command::View(command) => view::bind(binder, command),
        Command::Database(command) => database::bind(&binder, command),
        Command::Role(command) => role::bind(&binder, command),
        Command::Grant(command) => grant::bind(&binder, command),
        Command::Comment(command) => comment::bind(&binder, command),
        Command::Unsupported(what) => Err(Error::unsupported(what)),
    }
}

/// Notes an option, which may be said once.
fn once<T>(slot: &mut Option<T>, value: T) -> Result<()> {
    if slot.replace(value).is_some() {
        return Err(conflicting());
    }
    Ok(())
}

fn conflicting() -> Error {
    Error::new(SqlState::SYNTAX_ERROR, "conflicting or redundant options")
}
