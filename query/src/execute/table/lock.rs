//! Locking keys: waiting as the statement allows, and seeing what another has done meanwhile.

use cairn_engine::{Bytes, Isolation, LockOutcome, LockStrength, Space, WaitPolicy, keyspace};

use super::super::context::Context;
use crate::catalog::TableDef;
use crate::error::{Error, Result, SqlState};

/// The engine's key of a row.
pub(crate) fn row_address(table: &TableDef, row_key: &[u8]) -> Vec<u8> {
    keyspace::key(Space::Row, table.storage(), row_key)
}

/// What locking a row that the snapshot has found shows.
pub(crate) enum Locked {
    /// It is as the snapshot showed it.
    Unchanged,
    /// Another transaction has changed it: the stored row now.
    Changed(Bytes),
    /// Another transaction has removed it.
    Gone,
}

/// Waits for a lock on a key.
pub(crate) fn wait(cx: &Context<'_>, key: &[u8], strength: LockStrength) -> Result<()> {
    let policy = WaitPolicy::Wait(cx.run.cx.lock_timeout);
    match cx.txn().lock(key, strength, policy)? {
        LockOutcome::Granted => Ok(()),
        LockOutcome::WouldBlock => {
            Err(Error::new(SqlState::LOCK_NOT_AVAILABLE, "canceling statement due to lock timeout"))
        }
    }
}

/// Waits for a lock on a row and looks at what it was waiting for.
///
/// # Errors
/// 40001 under REPEATABLE READ and above when the row changed after the snapshot.
pub(crate) fn wait_for_row(
    cx: &Context<'_>,
    address: &[u8],
    strength: LockStrength,
) -> Result<Locked> {
    wait(cx, address, strength)?;
    look(cx, address)
}

/// What has become of a locked row since the snapshot.
///
/// # Errors
/// As [`wait_for_row`].
pub(crate) fn look(cx: &Context<'_>, address: &[u8]) -> Result<Locked> {
    if !cx.txn().is_changed_since_snapshot(address)? {
        return Ok(Locked::Unchanged);
    }
    let newest = cx.txn().get_newest(address)?;
    if cx.txn().isolation() != Isolation::ReadCommitted {
        let what = if newest.is_some() { "update" } else { "delete" };
        return Err(could_not_serialize(what));
    }
    Ok(newest.map_or(Locked::Gone, Locked::Changed))
}

/// The row was changed by a transaction that the snapshot does not contain.
pub(crate) fn could_not_serialize(what: &str) -> Error {
    let message = format!("could not serialize access due to concurrent {what}");
    Error::new(SqlState::SERIALIZATION_FAILURE, message)
}
