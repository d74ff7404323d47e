//! Rows that have expired: nobody sees them, and they make way for others.
//!
//! # Invariants
//! - E-1: a row has expired when the time in its table's expiration column is at or before the
//!   transaction's `now()`. Scans ask with the condition of [`TableDef::live_condition`], writes
//!   with [`is_expired`]: both answer alike.
//! - E-2: no two rows hold one exclusive key, expired or not: whoever takes the key of an expired
//!   row removes that row first, with all its index entries, as a DELETE would.

use cairn_engine::{Bytes, Isolation, LockStrength};

use super::super::context::Context;
use super::super::insert::note_changes;
use super::lock::{could_not_serialize, row_address, wait};
use super::{row, write};
use crate::catalog::TableDef;
use crate::error::Result;
use crate::plan::TableWriter;
use crate::value::Value;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// Whether a row of a table has expired at a time, in microseconds since 2000-01-01 UTC. A
/// `timestamp` or `date` is taken to be in UTC; NULL is never.
pub(crate) fn is_expired(table: &TableDef, row: &[Value], now: i64) -> bool {
    let Some(column) = table.expiration else { return false };
    match row.get(column) {
        Some(Value::TimestampTz(at) | Value::Timestamp(at)) => *at <= now,
        Some(Value::Date(day)) => i64::from(*day).saturating_mul(DAY) <= now,
        _ => false,
    }
}

/// Whether a stored row has expired for this transaction.
pub(super) fn has_expired(table: &TableDef, stored: &[u8], cx: &Context<'_>) -> Result<bool> {
    if table.expiration.is_none() {
        return Ok(false);
    }
    Ok(is_expired(table, &row::decode(table, stored)?, cx.eval.statement.transaction_time))
}

/// Removes the row that holds a key when it has expired; whether the key may be asked for again.
///
/// # Errors
/// 40001 when the row changed after a fixed snapshot.
pub(super) fn make_way(writer: &TableWriter, cx: &Context<'_>, row_key: &[u8]) -> Result<bool> {
    let table = &writer.table;
    let address = row_address(table, row_key);
    let expired = || -> Result<Option<Bytes>> {
        let Some(stored) = cx.txn().get_newest(&address)? else { return Ok(None) };
        Ok(has_expired(table, &stored, cx)?.then_some(stored))
    };
    if table.expiration.is_none() || expired()?.is_none() {
        return Ok(false);
    }
    wait(cx, &address, LockStrength::Update)?;
    // It may have been given more time while this waited.
    let Some(stored) = expired()? else { return Ok(true) };
    if cx.txn().isolation() != Isolation::ReadCommitted
        && cx.txn().is_changed_since_snapshot(&address)?
    {
        return Err(could_not_serialize("update"));
    }
    write::delete(writer, cx, row_key, &row::decode(table, &stored)?)?;
    note_changes(writer, cx, 1, -1);
    Ok(true)
}
