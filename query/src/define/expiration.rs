//! Rows that expire: the storage parameter that names their column, and removing those that have.
//!
//! Expired rows are gone for every statement, but stay stored until somebody removes them
//! ([`remove_expired`]). A definition that reads all rows, or that ends the rule under which they
//! are gone, removes them first: it would find what nobody else sees.

use std::sync::Arc;

use super::{DefineContext, Runner, missing_column};
use crate::catalog::{Catalog, Definition, EXPIRATION_PARAMETER, TableDef};
use crate::error::{Error, Result, SqlState};
use crate::value::Type;

/// Takes the storage parameters of a table that it knows; a value of `None` is reset. The others
/// are about files that do not exist here.
///
/// # Errors
/// 22023 for a parameter of this kind that does not exist, 42703, 42804; 0A000 for a table that
/// others refer to.
pub(super) fn set_options<'a>(
    cx: &DefineContext<'_>,
    table: &mut TableDef,
    options: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
) -> Result<()> {
    for (name, value) in options {
        match (name, value) {
            (EXPIRATION_PARAMETER, None) => table.expiration = None,
            (EXPIRATION_PARAMETER, Some(column)) => {
                let position =
                    table.column(column).ok_or_else(|| missing_column(column, &table.name))?;
                table.expiration = Some(position);
                check(cx, table)?;
            }
            (name, _) if name.starts_with("ttl") => {
                let message = format!("unrecognized parameter \"{name}\"");
                return Err(Error::new(SqlState::INVALID_PARAMETER_VALUE, message));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether the column of a table can say when rows expire.
///
/// # Errors
/// 42804 for one that is no time; 0A000 for a table that others refer to.
pub(super) fn check(cx: &DefineContext<'_>, table: &TableDef) -> Result<()> {
    let Some(column) = table.expiration.and_then(|position| table.columns.get(position)) else {
        return Ok(());
    };
    if !matches!(column.ty.base, Type::TimestampTz | Type::Timestamp | Type::Date) {
        let message = format!(
            "expiration column \"{}\" must be of type timestamptz, timestamp or date",
            column.name
        );
        return Err(Error::new(SqlState::DATATYPE_MISMATCH, message));
    }
    let own = table.foreign_keys.iter().find(|key| key.referenced_table == table.oid);
    let other = cx.change.catalog.references_to(table.oid).next();
    match own.or(other) {
        Some(key) => Err(referenced(&table.name, &key.name)),
        None => Ok(()),
    }
}

/// 0A000: rows that others refer to cannot just be gone.
pub(super) fn referenced(table: &str, constraint: &str) -> Error {
    let message = format!("rows of table \"{table}\" cannot both expire and be referred to");
    Error::new(SqlState::FEATURE_NOT_SUPPORTED, message)
        .with_detail(format!("Foreign key \"{constraint}\" references the table."))
}

/// 2BP01: the column of a table that says when rows expire cannot be dropped.
pub(super) fn in_use(table: &TableDef, column: &str) -> Error {
    let message =
        format!("cannot drop column {column} of table {} that rows expire by", table.name);
    let hint = format!("ALTER TABLE {} RESET ({EXPIRATION_PARAMETER}) before.", table.name);
    Error::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message).with_hint(hint)
}

/// Removes the rows of a table that have expired, as a DELETE does.
///
/// # Errors
/// As a DELETE.
pub(crate) fn remove_expired(
    runner: &dyn Runner,
    catalog: &Catalog,
    table: &TableDef,
) -> Result<()> {
    match removal(catalog, table, None) {
        Some((catalog, sql)) => runner.query(&catalog, &sql, &mut |_| Ok(())),
        None => Ok(()),
    }
}

/// A statement that removes expired rows, at most `limit` that nobody has locked, and the catalog
/// to bind it in, where they are still seen. `None` when the table's rows do not expire.
pub(crate) fn removal(
    catalog: &Catalog,
    table: &TableDef,
    limit: Option<usize>,
) -> Option<(Arc<Catalog>, String)> {
    let expired = format!("NOT ({})", table.live_condition()?);
    let name = crate::identifier::quote_qualified(&table.schema, &table.name);
    let which = match limit {
        None => expired,
        Some(limit) => format!(
            "ctid IN (SELECT ctid FROM {name} WHERE {expired} LIMIT {limit} \
             FOR UPDATE SKIP LOCKED)"
        ),
    };
    let mut catalog = catalog.clone();
    let all_seen = TableDef { expiration: None, ..table.clone() };
    catalog.insert(Definition::Table(Arc::new(all_seen)));
    Some((Arc::new(catalog), format!("DELETE FROM {name} WHERE {which}")))
}
