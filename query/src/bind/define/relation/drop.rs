//! DROP of relations, types and schemas.

use sqlparser::ast::{self, ObjectType};

use crate::bind::binder::Binder;
use crate::bind::ddl::{Drop, ObjectKind, QualifiedName};
use crate::error::Result;

/// Binds DROP; `None` for kinds of objects that are dropped in other ways.
///
/// # Errors
/// Whatever is wrong with a name.
pub(super) fn bind(binder: &Binder<'_>, ast: &ast::Statement) -> Result<Option<Drop>> {
    let ast::Statement::Drop { object_type, if_exists, names, cascade, .. } = ast else {
        return Ok(None);
    };
    let kind = match object_type {
        ObjectType::Table => ObjectKind::Table,
        ObjectType::View => ObjectKind::View,
        ObjectType::MaterializedView => ObjectKind::MaterializedView,
        ObjectType::Index => ObjectKind::Index,
        ObjectType::Sequence => ObjectKind::Sequence,
        ObjectType::Schema => ObjectKind::Schema,
        ObjectType::Type => ObjectKind::Type,
        _ => return Ok(None),
    };
    let names = names.iter().map(|name| binder.qualified(name));
    Ok(Some(Drop {
        kind,
        names: names.collect::<Result<Vec<QualifiedName>>>()?,
        if_exists: *if_exists,
        cascade: *cascade,
        is_concurrent: false,
    }))
}

/// Binds DROP DOMAIN.
///
/// # Errors
/// Whatever is wrong with the name.
pub(super) fn bind_domain(binder: &Binder<'_>, ast: &ast::DropDomain) -> Result<Drop> {
    Ok(Drop {
        kind: ObjectKind::Domain,
        names: vec![binder.qualified(&ast.name)?],
        if_exists: ast.if_exists,
        cascade: ast.drop_behavior == Some(ast::DropBehavior::Cascade),
        is_concurrent: false,
    })
}
