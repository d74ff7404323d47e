//! Tables and their parts: columns, constraints, indexes.

use sqlparser::ast;

use crate::bind::BindContext;
use crate::bind::binder::Binder;
use crate::bind::ddl::{Ddl, QualifiedName};
use crate::error::{Error, Result};
use crate::parse::Statement;

mod alter_table;
mod column;
mod constraint;
mod create_table;
mod drop;
mod function;
mod index;
mod like;
mod parts;

/// Binds the statement if it is one of these.
///
/// # Errors
/// Whatever is wrong with it.
pub(super) fn bind(
    statement: &Statement,
    ast: &ast::Statement,
    ctx: BindContext<'_>,
) -> Result<Option<Ddl>> {
    let binder = &mut Binder::new(ctx, statement);
    Ok(Some(match ast {
        ast::Statement::CreateTable(create) if create.query.is_none() => {
            Ddl::CreateTable(create_table::bind(binder, create)?)
        }
        ast::Statement::CreateIndex(create) => index::bind(binder, create)?,
        ast::Statement::AlterTable(alter) => Ddl::AlterTable(alter_table::bind(binder, alter)?),
        ast::Statement::AlterIndex { name, operation } => {
            let ast::AlterIndexOperation::RenameIndex { index_name } = operation;
            let (name, new) = (binder.qualified(name)?, binder.qualified(index_name)?);
            Ddl::AlterIndex { name, if_exists: false, rename: Some(new.name) }
        }
        ast::Statement::Drop { .. } => match drop::bind(binder, ast)? {
            Some(drop) => Ddl::Drop(drop),
            None => return Ok(None),
        },
        ast::Statement::CreateFunction(create) => function::create(binder, create)?,
        ast::Statement::DropFunction(drop) => function::drop(binder, drop)?,
        ast::Statement::DropDomain(domain) => Ddl::Drop(drop::bind_domain(binder, domain)?),
        ast::Statement::Truncate(truncate) => bind_truncate(binder, truncate)?,
        _ => return Ok(None),
    }))
}

fn bind_truncate(binder: &Binder<'_>, truncate: &ast::Truncate) -> Result<Ddl> {
    let names = truncate.table_names.iter().map(|target| binder.qualified(&target.name));
    Ok(Ddl::Truncate {
        names: names.collect::<Result<Vec<QualifiedName>>>()?,
        restart_identity: truncate.identity == Some(ast::TruncateIdentityOption::Restart),
        cascade: truncate.cascade == Some(ast::CascadeOption::Cascade),
    })
}

/// Refuses a clause that changes what a statement means and that is not there yet.
fn refuse(is_given: bool, what: &str) -> Result<()> {
    if is_given { Err(Error::unsupported(what)) } else { Ok(()) }
}
