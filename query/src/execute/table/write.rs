//! Writing one row: its constraints, its keys, its index entries, its foreign keys.

use cairn_engine::LockStrength;

use super::super::context::Context;
use super::entry::Entry;
use super::lock::{row_address, wait};
use super::unique::{
    claim_entry, claim_row, duplicate_entry, duplicate_row, note_taken, shared_key,
};
use super::{constraint, foreign_key, row};
use crate::catalog::{IndexConstraint, RowKeyDef};
use crate::error::Result;
use crate::plan::{Row, TableWriter};
use crate::value::{Value, are_equal};

/// A row that is about to be inserted: complete, checked, its keys computed.
pub(crate) struct NewRow {
    pub row: Row,
    pub row_key: Vec<u8>,
    pub entries: Vec<Entry>,
}

impl NewRow {
    /// Computes generated columns and keys and checks NOT NULL and CHECK.
    pub fn prepare(writer: &TableWriter, cx: &Context<'_>, mut row: Row) -> Result<Self> {
        constraint::complete(writer, cx, &mut row)?;
        let row_key = row::new_key(&writer.table, cx, &row)?;
        let entries = writer.entries(&cx.eval, &row_key, &row)?;
        Ok(Self { row, row_key, entries })
    }

    /// Claims every unique key and writes the row.
    ///
    /// # Errors
    /// 23505.
    pub fn insert(&self, writer: &TableWriter, cx: &Context<'_>) -> Result<()> {
        let table = &writer.table;
        let address = row_address(table, &self.row_key);
        // A fresh row number is ours alone: there is nobody to wait for.
        if table.row_key != RowKeyDef::Hidden && claim_row(writer, cx, &self.row_key)?.is_some() {
            return Err(duplicate_row(table, cx, &self.row));
        }
        for entry in &self.entries {
            take(writer, cx, entry, (&self.row_key, &self.row))?;
        }
        cx.txn().put(&address, &crate::value::row::encode(&self.row)?)?;
        for entry in &self.entries {
            cx.txn().put(&entry.key, &entry.value)?;
        }
        foreign_key::after_insert(writer, cx, &self.row)
    }
}

/// Makes sure that a row may have the key of an entry, now or in the end.
///
/// # Errors
/// 23505.
fn take(
    writer: &TableWriter,
    cx: &Context<'_>,
    entry: &Entry,
    (row_key, row): (&[u8], &[Value]),
) -> Result<()> {
    if entry.is_unique && claim_entry(writer, cx, &entry.key)?.is_some() {
        return Err(duplicate_entry(writer, entry, cx, row));
    }
    if entry.is_unique_later {
        return note_taken(writer, cx, entry, (row_key, row));
    }
    Ok(())
}

/// The strength in which a row must be locked to become `new`: the strongest when a column changes
/// that a foreign key may refer to.
pub(crate) fn update_strength(writer: &TableWriter, old: &[Value], new: &[Value]) -> LockStrength {
    let changes = |column: &usize| !same(old.get(*column), new.get(*column));
    let moves = match &writer.table.row_key {
        RowKeyDef::PrimaryKey { columns, .. } => columns.iter().any(changes),
        RowKeyDef::Hidden => false,
    };
    let changes_key = writer.indexes.iter().map(|writer| &writer.index).any(|index| {
        let is_key = index.is_exclusive()
            && index.predicate.is_none()
            && index.constraint != Some(IndexConstraint::Exclusion);
        is_key && index.keys.iter().filter_map(|key| key.column.as_ref()).any(changes)
    });
    if moves || changes_key { LockStrength::Update } else { LockStrength::NoKeyUpdate }
}

/// Whether two column values are one for keys: equal, or both NULL.
pub(crate) fn same(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left, right) {
        (Some(Value::Null), Some(Value::Null)) | (None, None) => true,
        (Some(Value::Null) | None, _) | (_, Some(Value::Null) | None) => false,
        (Some(left), Some(right)) => are_equal(left, right),
    }
}

/// Turns a locked row into another. `new` is complete and checked.
///
/// # Errors
/// 23505.
pub(crate) fn update(
    writer: &TableWriter,
    cx: &Context<'_>,
    old_key: &[u8],
    old: &[Value],
    new: &[Value],
) -> Result<Vec<u8>> {
    let table = &writer.table;
    let new_key = row::moved_key(table, new)?.unwrap_or_else(|| old_key.to_vec());
    let address = row_address(table, &new_key);
    if new_key != old_key {
        if claim_row(writer, cx, &new_key)?.is_some() {
            return Err(duplicate_row(table, cx, new));
        }
        cx.txn().delete(&row_address(table, old_key))?;
    }
    let old_entries = writer.entries(&cx.eval, old_key, old)?;
    let new_entries = writer.entries(&cx.eval, &new_key, new)?;
    for entry in old_entries.iter().filter(|old| !new_entries.iter().any(|new| new.key == old.key))
    {
        remove(cx, entry, old_key)?;
    }
    for entry in new_entries.iter().filter(|new| !old_entries.contains(new)) {
        let is_new_key = !old_entries.iter().any(|old| old.key == entry.key);
        if is_new_key {
            take(writer, cx, entry, (&new_key, new))?;
        }
        cx.txn().put(&entry.key, &entry.value)?;
    }
    cx.txn().put(&address, &crate::value::row::encode(new)?)?;
    foreign_key::after_update(writer, cx, old, new)?;
    Ok(new_key)
}

/// Removes a locked row.
pub(crate) fn delete(
    writer: &TableWriter,
    cx: &Context<'_>,
    row_key: &[u8],
    row: &[Value],
) -> Result<()> {
    for entry in writer.entries(&cx.eval, row_key, row)? {
        remove(cx, &entry, row_key)?;
    }
    cx.txn().delete(&row_address(&writer.table, row_key))?;
    foreign_key::after_delete(writer, cx, row)
}

/// Removes an index entry. A unique one is locked, so that whoever wants its key waits to learn
/// whether the removal stands.
fn remove(cx: &Context<'_>, entry: &Entry, row_key: &[u8]) -> Result<()> {
    if entry.is_unique {
        wait(cx, &entry.key, LockStrength::Update)?;
    }
    if entry.is_unique_later {
        wait(cx, shared_key(entry, row_key), LockStrength::Update)?;
    }
    Ok(cx.txn().delete(&entry.key)?)
}
