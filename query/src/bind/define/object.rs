//! Everything but tables and their parts: sequences, types, views, schemas, databases, roles,
//! rights, comments, extensions.

use sqlparser::ast;

use crate::bind::BindContext;
use crate::bind::ddl::Ddl;
use crate::error::Result;
use crate::parse::Statement;
use crate::parse::command::define::Command;

pub(super) fn bind(
    _statement: &Statement,
    _ast: &ast::Statement,
    _ctx: BindContext<'_>,
) -> Result<Option<Ddl>> {
    Ok(None)
}

pub(super) fn bind_command(
    _statement: &Statement,
    command: &Command,
    _ctx: BindContext<'_>,
) -> Result<Ddl> {
    match *command {}
}

pub(super) fn sequence_options(
    _binder: &crate::bind::binder::Binder<'_>,
    _options: &[ast::SequenceOptions],
) -> Result<crate::bind::ddl::SequenceOptions> {
    Ok(Default::default())
}
