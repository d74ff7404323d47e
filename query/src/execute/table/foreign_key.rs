//! Foreign keys, checked when the statement has ended, as Postgres' constraint triggers are.
//!
//! A referring row locks the row that it refers to in `KEY SHARE`, so that it cannot go, and looks
//! at its newest state. A row that was referred to and is gone makes its referring rows follow
//! ([`super::referential_action`]) or fails. Following writes rows, which may refer and be
//! referred to in turn: rounds go on ([`super::event`]) until nothing is left to do.

use cairn_engine::{Bytes, LockStrength, Space, keyspace};

use super::super::context::Context;
use super::constraint::shown;
use super::entry::key_order;
use super::event::{self, Event};
use super::lock::{row_address, wait};
use super::write::same;
use crate::catalog::{IndexDef, IndexMethod, RowKeyDef, TableDef};
use crate::error::{Error, Result, SqlState};
use crate::expression::EvalContext;
use crate::expression::cast::cast;
use crate::plan::{ForeignKeyCheck, TableWriter};
use crate::value::{Category, SqlType, Type, Value, are_equal, key};

/// Notes what the new row refers to.
///
/// # Errors
/// 53200, as for the others.
pub(crate) fn after_insert(writer: &TableWriter, cx: &Context<'_>, row: &[Value]) -> Result<()> {
    let mut checks = writer.references.iter();
    checks.try_for_each(|check| note_reference(check, cx, pick(&check.key.columns, row)))
}

/// Notes what the changed row refers to, and what can no longer refer to it.
pub(crate) fn after_update(
    writer: &TableWriter,
    cx: &Context<'_>,
    old: &[Value],
    new: &[Value],
) -> Result<()> {
    for check in writer.references.iter().filter(|c| changes(&c.key.columns, old, new)) {
        note_reference(check, cx, pick(&check.key.columns, new))?;
    }
    for check in &writer.referenced_by {
        if changes(&check.key.referenced_columns, old, new) {
            let key = pick(&check.key.referenced_columns, old);
            note_removal(check, cx, key, Some(pick(&check.key.referenced_columns, new)))?;
        }
    }
    Ok(())
}

/// Notes what can no longer refer to the row.
pub(crate) fn after_delete(writer: &TableWriter, cx: &Context<'_>, row: &[Value]) -> Result<()> {
    let mut checks = writer.referenced_by.iter();
    checks.try_for_each(|check| {
        note_removal(check, cx, pick(&check.key.referenced_columns, row), None)
    })
}

fn note_reference(check: &ForeignKeyCheck, cx: &Context<'_>, key: Vec<Value>) -> Result<()> {
    // MATCH SIMPLE: a key with a NULL refers to nothing.
    if key.iter().any(Value::is_null) {
        return Ok(());
    }
    event::note(Event::Refers { check: check.clone(), key }, cx)
}

fn note_removal(
    check: &ForeignKeyCheck,
    cx: &Context<'_>,
    key: Vec<Value>,
    new: Option<Vec<Value>>,
) -> Result<()> {
    if key.iter().any(Value::is_null) {
        return Ok(());
    }
    event::note(Event::Removed { check: check.clone(), key, new }, cx)
}

fn pick(columns: &[usize], row: &[Value]) -> Vec<Value> {
    columns.iter().map(|&column| row.get(column).cloned().unwrap_or(Value::Null)).collect()
}

fn changes(columns: &[usize], old: &[Value], new: &[Value]) -> bool {
    columns.iter().any(|&column| !same(old.get(column), new.get(column)))
}

/// Locks the row that a key refers to.
pub(super) fn check_reference(
    check: &ForeignKeyCheck,
    key: &[Value],
    cx: &Context<'_>,
) -> Result<()> {
    if let Some(wanted) = as_referenced(check, key, &cx.eval)
        && lock_referenced(check, &wanted, cx)?
    {
        return Ok(());
    }
    let (table, referenced) = (&check.referencing, &check.referenced);
    let message = format!(
        "insert or update on table \"{}\" violates foreign key constraint \"{}\"",
        table.name, check.key.name
    );
    let detail = format!(
        "Key ({})=({}) is not present in table \"{}\".",
        names(table, &check.key.columns),
        values(table, &check.key.columns, key, cx),
        referenced.name
    );
    Err(violation(message, detail, check))
}

/// Locks the row that has the referenced key; false when there is none.
fn lock_referenced(check: &ForeignKeyCheck, key: &[Value], cx: &Context<'_>) -> Result<bool> {
    // Found, locked, and still there: whoever removed it meanwhile has been waited for.
    while let Some(row_key) = find_referenced(check, key, cx)? {
        let address = row_address(&check.referenced, &row_key);
        wait(cx, &address, LockStrength::KeyShare)?;
        if cx.txn().get_newest(&address)?.is_some()
            && find_referenced(check, key, cx)?.as_ref() == Some(&row_key)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A referring key in the types of the columns that it refers to; `None` when no row there can
/// have it.
pub(crate) fn as_referenced(
    check: &ForeignKeyCheck,
    key: &[Value],
    cx: &EvalContext<'_>,
) -> Option<Vec<Value>> {
    let from = (&*check.referencing, &*check.key.columns);
    translate(key, from, (&check.referenced, &check.key.referenced_columns), cx)
}

/// A referenced key in the types of the columns that refer to it; `None` when no row there can
/// have it.
pub(super) fn as_referring(
    check: &ForeignKeyCheck,
    key: &[Value],
    cx: &EvalContext<'_>,
) -> Option<Vec<Value>> {
    let from = (&*check.referenced, &*check.key.referenced_columns);
    translate(key, from, (&check.referencing, &check.key.columns), cx)
}

fn translate(
    key: &[Value],
    (from, from_columns): (&TableDef, &[usize]),
    (to, to_columns): (&TableDef, &[usize]),
    cx: &EvalContext<'_>,
) -> Option<Vec<Value>> {
    let columns = from_columns.iter().zip(to_columns);
    let value = |(value, (&from_column, &to_column)): (&Value, (&usize, &usize))| {
        let from = &from.columns.get(from_column)?.ty.base;
        equal_in(value, from, &to.columns.get(to_column)?.ty.base, cx)
    };
    key.iter().zip(columns).map(value).collect()
}

/// The value of another type that equals a value, if there is one.
fn equal_in(value: &Value, from: &Type, to: &Type, cx: &EvalContext<'_>) -> Option<Value> {
    if from == to {
        return Some(value.clone());
    }
    let plain = |base: &Type| SqlType { base: base.clone(), modifier: -1 };
    let (from, to) = (plain(from), plain(to));
    let found = cast(cx, value.clone(), &from, &to, true).ok()?;
    // Texts differ in their padding only; numbers and times may have been rounded.
    let is_text = matches!(to.base.category(), Category::String);
    let back = || cast(cx, found.clone(), &to, &from, true).ok();
    (is_text || back().is_some_and(|back| are_equal(&back, value))).then_some(found)
}

/// A removed key is still referred to.
pub(crate) fn still_referenced(check: &ForeignKeyCheck, key: &[Value], cx: &Context<'_>) -> Error {
    let (table, referenced) = (&check.referencing, &check.referenced);
    let message = format!(
        "update or delete on table \"{}\" violates foreign key constraint \"{}\" on table \"{}\"",
        referenced.name, check.key.name, table.name
    );
    let detail = format!(
        "Key ({})=({}) is still referenced from table \"{}\".",
        names(referenced, &check.key.referenced_columns),
        values(referenced, &check.key.referenced_columns, key, cx),
        table.name
    );
    violation(message, detail, check)
}

fn violation(message: String, detail: String, check: &ForeignKeyCheck) -> Error {
    Error::new(SqlState::FOREIGN_KEY_VIOLATION, message)
        .with_detail(detail)
        .on_table(&check.referencing.schema, &check.referencing.name)
        .on_constraint(&check.key.name)
}

fn names(table: &TableDef, columns: &[usize]) -> String {
    let name = |&column: &usize| table.columns.get(column).map(|column| column.name.as_str());
    columns.iter().filter_map(name).collect::<Vec<_>>().join(", ")
}

fn values(table: &TableDef, columns: &[usize], key: &[Value], cx: &Context<'_>) -> String {
    let shown = columns.iter().zip(key).filter_map(|(&column, value)| {
        table.columns.get(column).map(|column| shown(value, &column.ty, cx))
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// The row key of the newest row that has the key, in the types of the referenced columns.
pub(super) fn find_referenced(
    check: &ForeignKeyCheck,
    key: &[Value],
    cx: &Context<'_>,
) -> Result<Option<Bytes>> {
    match stored_key(check, key)? {
        StoredKey::Row(address) => {
            let is_there = cx.txn().get_newest(&address)?.is_some();
            Ok(is_there.then(|| Bytes::from(address).slice(keyspace::PREFIX_LEN..)))
        }
        StoredKey::Entry(entry) => Ok(cx.txn().get_newest(&entry)?),
    }
}

/// Where the row with a referenced key is found.
pub(crate) enum StoredKey {
    /// At the row's own address.
    Row(Vec<u8>),
    /// By an entry of a unique index, whose value is the row key.
    Entry(Vec<u8>),
}

/// The place of the row that has a key, in the types of the referenced columns.
///
/// # Errors
/// As the key codec.
pub(crate) fn stored_key(check: &ForeignKeyCheck, key: &[Value]) -> Result<StoredKey> {
    let table = &check.referenced;
    let value_of = |column: usize| {
        let position = check.key.referenced_columns.iter().position(|&c| c == column);
        position.and_then(|position| key.get(position))
    };
    if let RowKeyDef::PrimaryKey { columns, .. } = &table.row_key
        && is_same_set(columns, &check.key.referenced_columns)
    {
        let mut row_key = Vec::new();
        for value in columns.iter().filter_map(|&column| value_of(column)) {
            key::encode(&mut row_key, value, key::Order::default())?;
        }
        return Ok(StoredKey::Row(row_address(table, &row_key)));
    }
    let index = table.indexes.iter().find(|index| serves(index, &check.key.referenced_columns));
    let index = index.ok_or_else(|| Error::internal("a foreign key refers to no unique key"))?;
    let mut entry = keyspace::prefix(Space::Ordered, index.storage()).to_vec();
    for definition in &index.keys {
        let value = definition.column.and_then(value_of).unwrap_or(&Value::Null);
        key::encode(&mut entry, value, key_order(definition))?;
    }
    Ok(StoredKey::Entry(entry))
}

/// Whether a unique index is over exactly these columns.
fn serves(index: &IndexDef, columns: &[usize]) -> bool {
    let keys = index.keys.iter().filter_map(|key| key.column).collect::<Vec<_>>();
    index.method == IndexMethod::Ordered
        && index.is_exclusive()
        && index.predicate.is_none()
        && keys.len() == index.keys.len()
        && is_same_set(&keys, columns)
}

fn is_same_set(left: &[usize], right: &[usize]) -> bool {
    left.len() == right.len() && left.iter().all(|column| right.contains(column))
}
