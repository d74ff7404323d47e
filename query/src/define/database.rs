//! Databases, schemas and extensions.

use std::sync::Arc;

use super::{DefineContext, Defined, drop as dropping, garbage, role};
use crate::bind::ddl::{AlterDatabase, QualifiedName};
use crate::catalog::{DatabaseDef, Definition, SchemaDef};
use crate::error::{Error, Result, SqlState};

/// What Postgres keeps in these extensions is part of Cairn.
const EXTENSIONS: [&str; 9] = [
    "postgis",
    "pg_trgm",
    "pgcrypto",
    "uuid-ossp",
    "btree_gin",
    "btree_gist",
    "plpgsql",
    "unaccent",
    "fuzzystrmatch",
];

pub(super) fn create(
    cx: &mut DefineContext<'_>,
    name: &str,
    owner: Option<&str>,
    template: Option<&str>,
) -> Result<Defined> {
    require_role(cx, |role| role.can_create_databases, "create database")?;
    if cx.change.globals.databases.contains_key(name) {
        let message = format!("database \"{name}\" already exists");
        return Err(Error::new(SqlState::DUPLICATE_DATABASE, message));
    }
    if template.is_some_and(|template| !["template0", "template1"].contains(&template)) {
        return Err(Error::unsupported("a template database"));
    }
    let owner = match owner {
        Some(owner) => role::existing(cx, owner)?,
        None => cx.user.to_owned(),
    };
    let oid = cx.store.next_object_id()?;
    cx.change.put_database(cx.txn, DatabaseDef { oid, name: name.to_owned(), owner })?;
    Defined::new("CREATE DATABASE")
}

pub(super) fn alter(
    cx: &mut DefineContext<'_>,
    name: &str,
    action: &AlterDatabase,
) -> Result<Defined> {
    let database = cx.change.globals.databases.get(name).cloned();
    let database = database.ok_or_else(|| missing(name))?;
    cx.check_owner(&database.owner, "database", name)?;
    match action {
        AlterDatabase::Owner(owner) => {
            let owner = role::existing(cx, owner)?;
            cx.change.put_database(cx.txn, DatabaseDef { owner, ..database })?;
        }
        AlterDatabase::Rename(_) => return Err(Error::unsupported("renaming a database")),
        AlterDatabase::Set(_) => return Err(Error::unsupported("ALTER DATABASE SET")),
    }
    Defined::new("ALTER DATABASE")
}

pub(super) fn drop(cx: &mut DefineContext<'_>, name: &str, if_exists: bool) -> Result<Defined> {
    let Some(database) = cx.change.globals.databases.get(name).cloned() else {
        if !if_exists {
            return Err(missing(name));
        }
        let message = format!("database \"{name}\" does not exist, skipping");
        cx.notice(SqlState::SUCCESSFUL_COMPLETION, message);
        return Defined::new("DROP DATABASE");
    };
    cx.check_owner(&database.owner, "database", name)?;
    if name == cx.change.catalog.database {
        let message = "cannot drop the currently open database";
        return Err(Error::new(SqlState::OBJECT_IN_USE, message));
    }
    if let Some(catalog) = cx.store.current(name) {
        for table in catalog.tables.values() {
            garbage::discard_table(cx.txn, table)?;
        }
    }
    cx.change.remove_definitions(cx.txn, database.oid)?;
    cx.change.remove_database(cx.txn, name)?;
    Defined::new("DROP DATABASE")
}

fn require_role(
    cx: &DefineContext<'_>,
    has: impl Fn(&crate::catalog::RoleDef) -> bool,
    what: &str,
) -> Result<()> {
    let role = cx.change.globals.roles.get(cx.user);
    if role.is_some_and(|role| role.is_superuser || has(role)) {
        return Ok(());
    }
    Err(Error::new(SqlState::INSUFFICIENT_PRIVILEGE, format!("permission denied to {what}")))
}

pub(super) fn create_schema(
    cx: &mut DefineContext<'_>,
    name: &str,
    if_not_exists: bool,
    owner: Option<&str>,
) -> Result<Defined> {
    if name.starts_with("pg_") {
        let message = format!("unacceptable schema name \"{name}\"");
        return Err(Error::new(SqlState::RESERVED_NAME, message)
            .with_detail("The prefix \"pg_\" is reserved for system schemas."));
    }
    if cx.change.catalog.schemas.contains_key(name) {
        let message = format!("schema \"{name}\" already exists");
        if !if_not_exists {
            return Err(Error::new(SqlState::DUPLICATE_SCHEMA, message));
        }
        cx.notice(SqlState::DUPLICATE_SCHEMA, format!("{message}, skipping"));
        return Defined::new("CREATE SCHEMA");
    }
    let owner = match owner {
        Some(owner) => role::existing(cx, owner)?,
        None => cx.user.to_owned(),
    };
    let oid = cx.store.next_object_id()?;
    cx.put(Definition::Schema(SchemaDef { oid, name: name.to_owned(), owner }))?;
    Defined::new("CREATE SCHEMA")
}

pub(super) fn alter_schema(
    cx: &mut DefineContext<'_>,
    name: &str,
    rename: Option<&str>,
    owner: Option<&str>,
) -> Result<Defined> {
    let schema = cx.change.catalog.schemas.get(name).cloned();
    let mut schema = schema.ok_or_else(|| missing_schema(name))?;
    cx.check_owner(&schema.owner, "schema", name)?;
    if rename.is_some() {
        return Err(Error::unsupported("renaming a schema"));
    }
    if let Some(owner) = owner {
        schema.owner = role::existing(cx, owner)?;
    }
    cx.put(Definition::Schema(schema))?;
    Defined::new("ALTER SCHEMA")
}

pub(super) fn drop_schema(
    cx: &mut DefineContext<'_>,
    name: &QualifiedName,
    if_exists: bool,
    cascade: bool,
) -> Result<()> {
    let Some(schema) = cx.change.catalog.schemas.get(&name.name).cloned() else {
        let error = missing_schema(&name.name);
        if !if_exists {
            return Err(error);
        }
        cx.notice(SqlState::SUCCESSFUL_COMPLETION, format!("{}, skipping", error.message()));
        return Ok(());
    };
    cx.check_owner(&schema.owner, "schema", &schema.name)?;
    let catalog = cx.catalog();
    let inside = |schema: &str| schema == name.name;
    let what = format!("schema {}", name.name);
    let members = members(cx, &name.name);
    if !members.is_empty() && !cascade {
        return Err(dropping::all_in_the_way(&what, &members));
    }
    for view in catalog.views.values().filter(|view| inside(&view.schema)) {
        dropping::view(cx, view, true)?;
    }
    for table in catalog.tables.values().filter(|table| inside(&table.schema)) {
        if let Some(table) = cx.change.catalog.table(table.oid).cloned() {
            cx.notice(
                SqlState::SUCCESSFUL_COMPLETION,
                format!("drop cascades to table {}.{}", table.schema, table.name),
            );
            dropping::drop_table(cx, &table, true, &[])?;
        }
    }
    for sequence in catalog.sequences.values().filter(|sequence| inside(&sequence.schema)) {
        dropping::sequence(cx, sequence.oid)?;
    }
    for own in catalog.types.values().filter(|own| inside(&own.schema)) {
        cx.change.remove(cx.txn, &Definition::Type(Arc::clone(own)))?;
    }
    for own in catalog.functions.values().filter(|own| inside(&own.schema)) {
        cx.change.remove(cx.txn, &Definition::Function(Arc::clone(own)))?;
    }
    cx.change.remove(cx.txn, &Definition::Schema(schema))
}

/// What a schema holds that does not go with something else in it, in order of creation.
fn members(cx: &DefineContext<'_>, schema: &str) -> Vec<String> {
    let catalog = &cx.change.catalog;
    let mut found: Vec<(u32, &str, &str)> = Vec::new();
    let tables = catalog.tables.values().filter(|table| table.schema == schema);
    let is_behind_view =
        |oid: u32| catalog.views.values().any(|view| view.materialized == Some(oid));
    let tables = tables.filter(|table| !is_behind_view(table.oid));
    found.extend(tables.map(|table| (table.oid, "table", table.name.as_str())));
    let views = catalog.views.values().filter(|view| view.schema == schema);
    found.extend(views.map(|view| {
        let kind = if view.materialized.is_some() { "materialized view" } else { "view" };
        (view.oid, kind, view.name.as_str())
    }));
    let sequences = catalog.sequences.values();
    let sequences = sequences.filter(|own| own.schema == schema && own.owned_by.is_none());
    found.extend(sequences.map(|own| (own.oid, "sequence", own.name.as_str())));
    let functions = catalog.functions.values().filter(|own| own.schema == schema);
    found.extend(functions.map(|own| (own.oid, "function", own.name.as_str())));
    let types = catalog.types.values().filter(|own| own.schema == schema);
    found.extend(types.map(|own| (own.oid, "type", own.name.as_str())));
    found.sort_unstable();
    let is_visible = cx.search_path.iter().any(|own| own == schema);
    let shown = |name: &str| match is_visible {
        true => crate::identifier::quote_identifier(name),
        false => crate::identifier::quote_qualified(schema, name),
    };
    found.into_iter().map(|(_, kind, name)| format!("{kind} {}", shown(name))).collect()
}

pub(super) fn create_extension(
    cx: &mut DefineContext<'_>,
    name: &str,
    if_not_exists: bool,
) -> Result<Defined> {
    if !EXTENSIONS.contains(&name) {
        let message = format!("extension \"{name}\" is not available");
        return Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message));
    }
    if if_not_exists {
        let message = format!("extension \"{name}\" already exists, skipping");
        cx.notice(SqlState::DUPLICATE_OBJECT, message);
    }
    Defined::new("CREATE EXTENSION")
}

pub(super) fn drop_extension(
    cx: &mut DefineContext<'_>,
    names: &[String],
    if_exists: bool,
) -> Result<Defined> {
    for name in names {
        if EXTENSIONS.contains(&name.as_str()) {
            let message = format!("cannot drop extension {name} because it is built in");
            return Err(Error::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message));
        }
        let message = format!("extension \"{name}\" does not exist");
        if !if_exists {
            return Err(Error::new(SqlState::UNDEFINED_OBJECT, message));
        }
        cx.notice(SqlState::UNDEFINED_OBJECT, format!("{message}, skipping"));
    }
    Defined::new("DROP EXTENSION")
}

/// 3D000
pub(super) fn missing(name: &str) -> Error {
    Error::new(SqlState::INVALID_CATALOG_NAME, format!("database \"{name}\" does not exist"))
}

/// 3F000
pub(super) fn missing_schema(name: &str) -> Error {
    Error::new(SqlState::INVALID_SCHEMA_NAME, format!("schema \"{name}\" does not exist"))
}
