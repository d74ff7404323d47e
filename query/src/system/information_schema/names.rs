//! `schemata` and the catalogs that hold one name each.

use crate::catalog::{RoleDef, SchemaDef};
use crate::error::Result;
use crate::plan::Row;
use crate::system::cell::{NULL, row};
use crate::system::reader::Reader;

pub(super) fn schemata(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let row = |schema: &SchemaDef| {
        row![reader.database(), &schema.name, &schema.owner, NULL, NULL, NULL, NULL]
    };
    Ok(reader.catalog().schemas.values().map(row).collect())
}

pub(super) fn catalog_name(reader: &Reader<'_>) -> Result<Vec<Row>> {
    Ok(vec![row![reader.database()]])
}

/// A superuser acts for every role, anybody else for themselves.
pub(super) fn enabled_roles(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let user = &*reader.cx.statement.user;
    let is_superuser = reader.globals.roles.get(user).is_some_and(|role| role.is_superuser);
    let roles = reader.globals.roles.values();
    let is_enabled = |role: &&RoleDef| is_superuser || role.name == user;
    Ok(roles.filter(is_enabled).map(|role| row![&role.name]).collect())
}
