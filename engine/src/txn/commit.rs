//! The commit: one at a time, in order, into the log, the memtable and the derived indexes.
//!
//! Under the commit mutex a transaction is validated, given the next timestamp, appended to the
//! log, applied and published. So commit order, timestamp order and log order are one. The sync
//! comes after the mutex, and after the transaction's locks are free
//! ([early lock release](crate::txn::durability)).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use super::oracle::Oracle;
use super::read_set::ReadSet;
use super::write_set::WriteSet;
use crate::error::{Error, Result};
use crate::lsm::{Batch, Lsm};
use crate::timestamp::Timestamp;

/// Puts commits in order.
pub(crate) struct Committer {
    lsm: Arc<Lsm>,
    oracle: Arc<Oracle>,
    turn: Mutex<Turn>,
}

/// What the commit mutex guards.
#[derive(Default)]
struct Turn {
    is_closed: bool,
    /// Live serializable transactions, by what was published when they began.
    serializable: BTreeMap<Timestamp, usize>,
    /// What was written by commits that a live serializable transaction may not have seen.
    recent: VecDeque<(Timestamp, Vec<Bytes>)>,
}

/// Says that a serializable transaction lives: from `from` on, commits are remembered for it.
pub(crate) struct SerializableGuard {
    committer: Arc<Committer>,
    from: Timestamp,
}

impl Committer {
    pub(crate) fn new(lsm: Arc<Lsm>, oracle: Arc<Oracle>) -> Self {
        Self { lsm, oracle, turn: Mutex::default() }
    }

    /// Commits `writes`. With `reads` (what was read, and at which snapshot) only if no later
    /// commit contradicts them. On return the commit is applied but not yet durable.
    ///
    /// # Errors
    /// `Conflict`; `Closed`, `Io`, `DiskFull` from the log: then nothing is committed.
    pub(crate) fn commit(
        &self,
        writes: &WriteSet,
        reads: Option<(&ReadSet, Timestamp)>,
    ) -> Result<Timestamp> {
        let mut batch = Batch::default();
        for (key, value) in writes.iter() {
            match value {
                Some(value) => batch.put(key, value),
                None => batch.delete(key),
            }
        }
        let mut turn = self.turn.lock();
        if turn.is_closed {
            return Err(Error::closed("the database is closed"));
        }
        if let Some((reads, snapshot)) = reads {
            turn.validate(reads, snapshot)?;
        }
        let ts = Timestamp(self.oracle.published().0 + 1);
        self.lsm.append(ts, &batch)?;
        if !turn.serializable.is_empty() {
            let keys = writes.iter().map(|(key, _)| key.clone()).collect();
            turn.recent.push_back((ts, keys));
        }
        self.oracle.publish(ts);
        Ok(ts)
    }

    /// From now on commits are refused. Whether they were accepted until now.
    pub(crate) fn close(&self) -> bool {
        !std::mem::replace(&mut self.turn.lock().is_closed, true)
    }

    /// Begins to remember what is committed, for one serializable transaction. Its snapshot must
    /// not be older than [`SerializableGuard::from`].
    pub(crate) fn enter_serializable(self: &Arc<Self>) -> SerializableGuard {
        let mut turn = self.turn.lock();
        let from = self.oracle.published();
        *turn.serializable.entry(from).or_default() += 1;
        SerializableGuard { committer: Arc::clone(self), from }
    }
}

impl Turn {
    fn validate(&self, reads: &ReadSet, snapshot: Timestamp) -> Result<()> {
        let unseen = self.recent.iter().rev().take_while(|(ts, _)| *ts > snapshot);
        for (_, keys) in unseen {
            if reads.is_contradicted_by(keys) {
                return Err(Error::conflict(
                    "could not serialize access due to read/write dependencies among transactions",
                ));
            }
        }
        Ok(())
    }

    fn forget_seen(&mut self) {
        let oldest = self.serializable.first_key_value().map(|(&from, _)| from);
        while self.recent.front().is_some_and(|(ts, _)| oldest.is_none_or(|oldest| *ts <= oldest)) {
            self.recent.pop_front();
        }
    }
}

impl SerializableGuard {
    /// Commits after this are remembered.
    pub(crate) fn from(&self) -> Timestamp {
        self.from
    }
}

impl Drop for SerializableGuard {
    fn drop(&mut self) {
        let mut turn = self.committer.turn.lock();
        if let Some(count) = turn.serializable.get_mut(&self.from) {
            *count -= 1;
            if *count == 0 {
                turn.serializable.remove(&self.from);
            }
        }
        turn.forget_seen();
    }
}
