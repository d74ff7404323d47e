//! The schema of a session's temporary relations: made with the first of them, gone when the
//! session ends, and what becomes of its tables when a transaction commits.

use std::sync::Arc;

use cairn_engine::{Direction, KeyRange, Space, keyspace};

use super::{DefineContext, drop, truncate};
use crate::bind::ddl::{OnCommit, QualifiedName};
use crate::catalog::{Definition, SchemaDef, TableDef, temporary};
use crate::error::{Error, Result, SqlState};

/// The schema in which a new relation is made, and whether it is temporary: said, or by its name.
pub(super) fn schema_of_new(
    cx: &mut DefineContext<'_>,
    name: &QualifiedName,
    is_temporary: bool,
) -> Result<(String, bool)> {
    let is_own = |schema: &str| schema == temporary::ALIAS || schema == cx.temporary_schema;
    match &name.schema {
        Some(schema) if is_own(schema) => {}
        Some(_) if is_temporary => {
            let message = "cannot create temporary relation in non-temporary schema";
            return Err(Error::new(SqlState::INVALID_TABLE_DEFINITION, message));
        }
        None if is_temporary => {}
        _ => return Ok((cx.creation_schema(name)?, false)),
    }
    make(cx)?;
    Ok((cx.temporary_schema.to_owned(), true))
}

/// Makes the schema unless it is there.
fn make(cx: &mut DefineContext<'_>) -> Result<()> {
    let name = cx.temporary_schema.to_owned();
    if cx.change.catalog.schemas.contains_key(&name) {
        return Ok(());
    }
    let oid = cx.store.next_object_id()?;
    cx.put(Definition::Schema(SchemaDef { oid, name, owner: cx.user.to_owned() }))
}

/// Drops the schema with all that is in it. Whose it is does not matter: the session goes.
///
/// # Errors
/// The engine's.
pub(crate) fn drop_all(cx: &mut DefineContext<'_>) -> Result<()> {
    let catalog = cx.catalog();
    let name = cx.temporary_schema.to_owned();
    let Some(schema) = catalog.schemas.get(&name) else { return Ok(()) };
    for view in catalog.views.values().filter(|view| view.schema == name) {
        drop::view(cx, view, true)?;
    }
    for sequence in catalog.sequences.values().filter(|sequence| sequence.schema == name) {
        cx.change.remove(cx.txn, &Definition::Sequence(Arc::clone(sequence)))?;
    }
    for table in catalog.tables.values().filter(|table| table.schema == name) {
        drop_table(cx, table.oid)?;
    }
    for own in catalog.types.values().filter(|own| own.schema == name) {
        cx.change.remove(cx.txn, &Definition::Type(Arc::clone(own)))?;
    }
    cx.change.remove(cx.txn, &Definition::Schema(schema.clone()))
}

fn drop_table(cx: &mut DefineContext<'_>, oid: u32) -> Result<()> {
    match cx.change.catalog.table(oid).cloned() {
        Some(table) => drop::drop_table(cx, &table, true, &[]),
        None => Ok(()),
    }
}

/// Does to tables what was to be done to them at the end of the transaction.
///
/// # Errors
/// 0A000 for a table that another one refers to, and the engine's.
pub(crate) fn end_transaction(cx: &mut DefineContext<'_>, due: &[(u32, OnCommit)]) -> Result<()> {
    for (oid, action) in due {
        let Some(table) = cx.change.catalog.table(*oid).cloned() else { continue };
        match action {
            OnCommit::PreserveRows => {}
            OnCommit::DeleteRows if !has_rows(cx, &table)? => {}
            OnCommit::DeleteRows => {
                cx.lock_table(table.oid)?;
                truncate::empty(cx, &table)?;
            }
            OnCommit::Drop => drop_table(cx, *oid)?,
        }
    }
    Ok(())
}

fn has_rows(cx: &DefineContext<'_>, table: &TableDef) -> Result<bool> {
    let rows = KeyRange::prefix(&keyspace::prefix(Space::Row, table.storage()));
    let first = cx.txn.scan_newest(rows, Direction::Forward)?.next().transpose()?;
    Ok(first.is_some())
}

/// 42P16: permanent and temporary tables may not refer to each other.
pub(super) fn check_reference(table: &TableDef, referenced: &TableDef) -> Result<()> {
    let what = match (table.is_temporary, referenced.is_temporary) {
        (true, false) => "constraints on temporary tables may reference only temporary tables",
        (false, true) => "constraints on permanent tables may reference only permanent tables",
        _ => return Ok(()),
    };
    Err(Error::new(SqlState::INVALID_TABLE_DEFINITION, what))
}
