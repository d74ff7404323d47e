//! Stored rows: their keys, and from bytes to what a scan gives.

use cairn_engine::Bytes;

use super::super::context::Context;
use crate::catalog::{RowKeyDef, TableDef};
use crate::error::Result;
use crate::plan::{Row, ScanColumn};
use crate::value::row::RowReader;
use crate::value::{Value, key};

/// The row key of a new row: its primary key's columns, or a fresh number.
///
/// # Errors
/// As the key codec and [`super::row_numbers::RowNumbers::take`].
pub(crate) fn new_key(table: &TableDef, cx: &Context<'_>, row: &[Value]) -> Result<Vec<u8>> {
    match &table.row_key {
        RowKeyDef::PrimaryKey { columns, .. } => primary_key(columns, row),
        RowKeyDef::Hidden => {
            let numbers = &cx.run.cx.shared.row_numbers;
            Ok(numbers.take(cx.txn(), table.storage())?.to_be_bytes().to_vec())
        }
    }
}

/// The row key that a changed row moves to; `None` when rows are numbered and so never move.
///
/// # Errors
/// As the key codec.
pub(crate) fn moved_key(table: &TableDef, row: &[Value]) -> Result<Option<Vec<u8>>> {
    match &table.row_key {
        RowKeyDef::PrimaryKey { columns, .. } => primary_key(columns, row).map(Some),
        RowKeyDef::Hidden => Ok(None),
    }
}

fn primary_key(columns: &[usize], row: &[Value]) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(columns.len() * 12);
    for &column in columns {
        key::encode(&mut bytes, row.get(column).unwrap_or(&Value::Null), key::Order::default())?;
    }
    Ok(bytes)
}

/// The columns of a stored row that a scan gives.
///
/// # Errors
/// `Corruption` when the bytes are no row of the table.
pub(crate) fn output(
    table: &TableDef,
    output: &[ScanColumn],
    row_key: &Bytes,
    stored: &[u8],
) -> Result<Row> {
    let reader = RowReader::new(stored)?;
    let value = |wanted: &ScanColumn| match wanted {
        ScanColumn::Column(position) => column(table, &reader, *position),
        ScanColumn::RowKey => Ok(Value::RowKey(row_key.clone())),
        ScanColumn::TableOid => Ok(Value::Oid(table.oid)),
        ScanColumn::Unread(_) => Ok(Value::Null),
    };
    output.iter().map(value).collect()
}

/// All table columns of a stored row.
///
/// # Errors
/// As [`output`].
pub(crate) fn decode(table: &TableDef, stored: &[u8]) -> Result<Row> {
    let reader = RowReader::new(stored)?;
    (0..table.columns.len()).map(|position| column(table, &reader, position)).collect()
}

/// One column; one that came after the row was stored shows what it was declared to show.
fn column(table: &TableDef, reader: &RowReader<'_>, position: usize) -> Result<Value> {
    if let Some(value) = reader.column(position)? {
        return Ok(value);
    }
    let missing = table.columns.get(position).and_then(|column| column.missing.as_deref());
    missing.map_or(Ok(Value::Null), crate::value::row::decode_value)
}
