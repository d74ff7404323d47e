//! Unique keys: claiming one, and the error when another row has it.
//!
//! A key that is checked at the end of the statement or the transaction may be taken twice until
//! then, so the row key is part of its entries' keys.

use std::sync::Arc;

use cairn_engine::{Bytes, Direction, KeyRange, LockStrength, Space, keyspace};

use super::super::context::Context;
use super::constraint::shown;
use super::entry::Entry;
use super::event::{self, Event};
use super::expiry;
use super::lock::{row_address, wait};
use crate::catalog::{Catalog, IndexDef, IndexKey, RowKeyDef, TableDef};
use crate::error::{Error, Result, SqlState};
use crate::plan::TableWriter;
use crate::value::{OutputStyle, Value, output};

/// Claims a unique key for this transaction: waits for whoever is writing it, then answers what is
/// stored there (the row key in an index, the row itself at a row's address).
///
/// A key that is taken is only locked against removal, so that a row that another transaction is
/// updating without touching its key is found to be a duplicate at once, as in Postgres.
fn claim(cx: &Context<'_>, key: &[u8]) -> Result<Option<Bytes>> {
    if cx.txn().get_newest(key)?.is_some() {
        wait(cx, key, LockStrength::KeyShare)?;
        if let Some(holder) = cx.txn().get_newest(key)? {
            return Ok(Some(holder));
        }
    }
    wait(cx, key, LockStrength::Update)?;
    Ok(cx.txn().get_newest(key)?)
}

/// Claims the place of a row, as [`claim`] does; one that has expired gives it up.
pub(crate) fn claim_row(
    writer: &TableWriter,
    cx: &Context<'_>,
    row_key: &[u8],
) -> Result<Option<Bytes>> {
    let address = row_address(&writer.table, row_key);
    loop {
        let holder = claim(cx, &address)?;
        if holder.is_none() || !expiry::make_way(writer, cx, row_key)? {
            return Ok(holder);
        }
    }
}

/// Claims the key of a unique index, as [`claim`] does; a row that has expired gives it up.
pub(crate) fn claim_entry(
    writer: &TableWriter,
    cx: &Context<'_>,
    key: &[u8],
) -> Result<Option<Bytes>> {
    loop {
        let Some(row_key) = claim(cx, key)? else { return Ok(None) };
        if !expiry::make_way(writer, cx, &row_key)? {
            return Ok(Some(row_key));
        }
    }
}

/// A key of a deferrable index that several rows had at one time.
#[derive(Clone, Debug)]
pub struct UniqueCheck {
    /// The table.
    pub table: Arc<TableDef>,
    /// The index.
    pub index: Arc<IndexDef>,
    /// What the entries of these rows begin with.
    shared: Vec<u8>,
    /// The key for people.
    values: Vec<String>,
}

impl UniqueCheck {
    /// The same check on the table as a catalog has it; `None` when the constraint is gone.
    pub(super) fn in_catalog(&self, catalog: &Catalog) -> Option<Self> {
        let table = Arc::clone(catalog.table(self.table.oid)?);
        let index = table.indexes.iter().find(|index| index.oid == self.index.oid)?;
        let (index, values) = (Arc::clone(index), self.values.clone());
        // Entries made anew are stored elsewhere.
        let mut shared = keyspace::prefix(Space::Ordered, index.storage()).to_vec();
        shared.extend_from_slice(self.shared.get(keyspace::PREFIX_LEN..)?);
        Some(Self { table, index, shared, values })
    }

    /// Roughly how many bytes of memory it holds.
    pub(super) fn memory_len(&self) -> usize {
        let values = self.values.iter().map(|value| size_of::<String>() + value.len());
        self.shared.len() + values.sum::<usize>()
    }
}

/// What the entries of all rows with an entry's key begin with.
pub(crate) fn shared_key<'a>(entry: &'a Entry, row_key: &[u8]) -> &'a [u8] {
    entry.key.get(..entry.key.len().saturating_sub(row_key.len())).unwrap_or(&entry.key)
}

/// Locks a key that a row takes, and notes it when another row has it.
pub(crate) fn note_taken(
    writer: &TableWriter,
    cx: &Context<'_>,
    entry: &Entry,
    (row_key, row): (&[u8], &[Value]),
) -> Result<()> {
    let Some(index) = writer.indexes.get(entry.index) else {
        return Err(Error::internal("no such index"));
    };
    let shared = shared_key(entry, row_key);
    wait(cx, shared, LockStrength::Update)?;
    let taken = cx.txn().scan_newest(KeyRange::prefix(shared), Direction::Forward)?;
    for other in taken {
        let (key, holder) = other?;
        if key[..] != entry.key[..] && !expiry::make_way(writer, cx, &holder)? {
            let (table, index) = (Arc::clone(&writer.table), Arc::clone(&index.index));
            let (shared, values) = (shared.to_vec(), entry_values(writer, entry, cx, row));
            let check = UniqueCheck { table, index, shared, values };
            return event::note(Event::Taken(check), cx);
        }
    }
    Ok(())
}

/// Fails when two rows still have the key.
///
/// # Errors
/// 23505.
pub(crate) fn check_taken(check: &UniqueCheck, cx: &Context<'_>) -> Result<()> {
    let rows = cx.txn().scan_newest(KeyRange::prefix(&check.shared), Direction::Forward)?;
    let mut count = 0;
    for row in rows {
        let (_, row_key) = row?;
        count += usize::from(is_live(&check.table, &row_key, cx)?);
    }
    if count < 2 {
        return Ok(());
    }
    let keys = check.index.keys.iter().map(|key| key_name(&check.table, key));
    Err(duplicate(&check.table, &check.index.name, &keys.collect::<Vec<_>>(), &check.values))
}

fn is_live(table: &TableDef, row_key: &[u8], cx: &Context<'_>) -> Result<bool> {
    if table.expiration.is_none() {
        return Ok(true);
    }
    let stored = cx.txn().get_newest(&row_address(table, row_key))?;
    stored.map_or(Ok(false), |stored| Ok(!expiry::has_expired(table, &stored, cx)?))
}

/// The row's own key is taken.
pub(crate) fn duplicate_row(table: &TableDef, cx: &Context<'_>, row: &[Value]) -> Error {
    let RowKeyDef::PrimaryKey { columns, name, .. } = &table.row_key else {
        return Error::internal("a row number was given twice");
    };
    let names = columns.iter().filter_map(|&column| table.columns.get(column));
    let names = names.map(|column| column.name.clone()).collect::<Vec<_>>();
    let values = columns.iter().filter_map(|&column| {
        let ty = &table.columns.get(column)?.ty;
        Some(shown(row.get(column)?, ty, cx))
    });
    duplicate(table, name, &names, &values.collect::<Vec<_>>())
}

/// An index entry's key is taken.
pub(crate) fn duplicate_entry(
    writer: &TableWriter,
    entry: &Entry,
    cx: &Context<'_>,
    row: &[Value],
) -> Error {
    let Some(index) = writer.indexes.get(entry.index) else {
        return Error::internal("no such index");
    };
    let table = &writer.table;
    let names = index.index.keys.iter().map(|key| key_name(table, key)).collect::<Vec<_>>();
    duplicate(table, &index.index.name, &names, &entry_values(writer, entry, cx, row))
}

/// What a row has as the key of an entry, for people.
fn entry_values(
    writer: &TableWriter,
    entry: &Entry,
    cx: &Context<'_>,
    row: &[Value],
) -> Vec<String> {
    let Some(index) = writer.indexes.get(entry.index) else { return Vec::new() };
    let values = index.keys.iter().zip(&index.index.keys).map(|(expr, key)| {
        let value = expr.eval(&cx.eval, row).unwrap_or(Value::Null);
        shown(&value, &key.ty, cx)
    });
    values.collect()
}

/// A key of an index with its values, as error reports show it: `(a, b)=(1, x)`.
pub fn key_detail(table: &TableDef, index: &IndexDef, values: &[Value]) -> String {
    let names = index.keys.iter().map(|key| key_name(table, key)).collect::<Vec<_>>();
    let values = values.iter().zip(&index.keys).map(|(value, key)| match value {
        Value::Null => "null".to_owned(),
        value => output::to_text(value, &key.ty.base, &OutputStyle::default()),
    });
    format!("({})=({})", names.join(", "), values.collect::<Vec<_>>().join(", "))
}

/// A key of an index as error reports name it.
pub(crate) fn key_name(table: &TableDef, key: &IndexKey) -> String {
    let column = key.column.and_then(|column| table.columns.get(column));
    match (column, &key.expression) {
        (Some(column), _) => column.name.clone(),
        (None, Some(expression)) => key_expression(expression),
        (None, None) => String::new(),
    }
}

/// An expression as a key: in parentheses unless it is a call.
fn key_expression(text: &str) -> String {
    let is_call = text.split_once('(').is_some_and(|(name, rest)| {
        let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let mut depth = 1_usize;
        let close = rest.find(|c: char| {
            depth = match c {
                '(' => depth + 1,
                ')' => depth - 1,
                _ => depth,
            };
            depth == 0
        });
        !name.is_empty() && name.chars().all(is_name) && close == Some(rest.len() - 1)
    });
    if is_call { text.to_owned() } else { format!("({text})") }
}

fn duplicate(table: &TableDef, constraint: &str, names: &[String], values: &[String]) -> Error {
    let message = format!("duplicate key value violates unique constraint \"{constraint}\"");
    let detail = format!("Key ({})=({}) already exists.", names.join(", "), values.join(", "));
    Error::new(SqlState::UNIQUE_VIOLATION, message)
        .with_detail(detail)
        .on_table(&table.schema, &table.name)
        .on_constraint(constraint)
}
