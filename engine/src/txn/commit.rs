//! The commit: one at a time, in order, into the log, the memtable and the derived indexes.
//!
//! Under the commit mutex a transaction is validated, given the next timestamp, appended to the
//! log, applied and published. So commit order, timestamp order and log order are one. The sync
//! comes after the mutex, and after the transaction's locks are free
//! ([early lock release](crate::txn::durability)).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

use super::oracle::Oracle;
use super::read_set::ReadSet;
use super::write_set::WriteSet;
use crate::error::{Error, Result};
use crate::history::History;
use crate::index::registry::{self, Registry};
use crate::keyspace::{KeyRange, split_derived};
use crate::lsm::{Batch, Lsm};
use crate::sync::Mutex;
use crate::timestamp::Timestamp;

/// Puts commits in order.
pub(crate) struct Committer {
    lsm: Arc<Lsm>,
    oracle: Arc<Oracle>,
    indexes: Arc<Registry>,
    history: Arc<History>,
    turn: Mutex<Turn>,
}

/// What the commit mutex guards.
#[derive(Default)]
struct Turn {
    is_closed: bool,
    /// Live serializable transactions, by what was published when they began.
    serializable: BTreeMap<Timestamp, usize>,
    /// What was written by commits that a live serializable transaction may not have seen.
    recent: VecDeque<(Timestamp, Written)>,
}

/// What a commit wrote.
enum Written {
    Keys(Vec<Bytes>),
    /// Too much to remember: a bulk load.
    Anything,
}

/// A commit that is applied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Committed {
    pub(crate) ts: Timestamp,
    /// Whether derived indexes changed.
    pub(crate) has_derived: bool,
}

/// Says that a serializable transaction lives: from `from` on, commits are remembered for it.
pub(crate) struct SerializableGuard {
    committer: Arc<Committer>,
    from: Timestamp,
}

impl Committer {
    pub(crate) fn new(
        lsm: Arc<Lsm>,
        oracle: Arc<Oracle>,
        indexes: Arc<Registry>,
        history: Arc<History>,
    ) -> Self {
        Self { lsm, oracle, indexes, history, turn: Mutex::default() }
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
    ) -> Result<Committed> {
        let mut batch = Batch::default();
        for (key, value) in writes.iter() {
            match value {
                Some(value) => batch.put(key, value),
                None => batch.delete(key),
            }
        }
        let entries = self.indexes.route(writes.iter())?;
        let mut turn = self.turn.lock();
        turn.check_open()?;
        if let Some((reads, snapshot)) = reads {
            turn.validate(reads, snapshot)?;
        }
        let ts = self.append(&mut batch, false)?;
        registry::apply(ts, &entries);
        turn.remember(ts, || Written::Keys(writes.iter().map(|(key, _)| key.clone()).collect()));
        self.oracle.publish(ts);
        Ok(Committed { ts, has_derived: !entries.is_empty() })
    }

    /// Commits sorted entries by writing them to sstables directly. Other commits wait until it
    /// is done; on return it is durable.
    ///
    /// # Errors
    /// As [`Lsm::ingest`] and [`Registry::route`]; nothing is committed then.
    pub(crate) fn ingest<K, V>(
        &self,
        entries: impl Iterator<Item = Result<(K, V)>>,
    ) -> Result<Committed>
    where
        K: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        let mut turn = self.turn.lock();
        turn.check_open()?;
        self.mark_time()?;
        let mut derived: Vec<(Bytes, Bytes)> = Vec::new();
        let ts = self.next_timestamp();
        let noted = entries.map(|entry| {
            let (key, value) = entry?;
            if let Some((space, id, _)) = split_derived(key.as_ref()) {
                // An index that cannot be opened must stop the load, not surprise it afterwards.
                self.indexes.get_or_open(space, id)?;
                let (key, value) = (key.as_ref(), value.as_ref());
                derived.push((Bytes::copy_from_slice(key), Bytes::copy_from_slice(value)));
            }
            Ok((key, value))
        });
        self.lsm.ingest(ts, noted)?;
        let entries = self.indexes.route(derived.iter().map(|(key, value)| (key, Some(value))))?;
        registry::apply(ts, &entries);
        turn.remember(ts, || Written::Anything);
        self.oracle.publish(ts);
        self.oracle.advance_durable(ts);
        Ok(Committed { ts, has_derived: !entries.is_empty() })
    }

    /// A load writes its files directly and carries no mark: it gets a commit with one before it.
    /// Requires: the commit mutex is held.
    fn mark_time(&self) -> Result<()> {
        if self.history.due_mark(true).is_some() {
            let ts = self.append(&mut Batch::default(), true)?;
            self.oracle.publish(ts);
        }
        Ok(())
    }

    /// Appends a batch to the log as the next commit, with the time when that is due.
    /// Requires: the commit mutex is held.
    fn append(&self, batch: &mut Batch, is_load: bool) -> Result<Timestamp> {
        let mark = self.history.due_mark(is_load);
        mark.iter().for_each(|mark| mark.put(batch));
        let ts = self.next_timestamp();
        self.lsm.append(ts, batch)?;
        mark.iter().for_each(|mark| self.history.set_marked(mark));
        Ok(ts)
    }

    /// Has a range dropped between two commits, of which the first says so when there is an
    /// archive.
    ///
    /// # Errors
    /// As [`Lsm::drop_range`].
    pub(crate) fn drop_range(&self, range: &KeyRange) -> Result<()> {
        let turn = self.turn.lock();
        turn.check_open()?;
        if let Some(mut note) = self.history.drop_note(range) {
            let ts = self.append(&mut note, false)?;
            self.oracle.publish(ts);
        }
        self.lsm.drop_range(range)
    }

    /// Runs something between two commits.
    pub(crate) fn between_commits<T>(&self, work: impl FnOnce() -> T) -> T {
        let _turn = self.turn.lock();
        work()
    }

    /// From now on commits are refused. Whether they were accepted until now.
    pub(crate) fn close(&self) -> bool {
        !std::mem::replace(&mut self.turn.lock().is_closed, true)
    }

    fn next_timestamp(&self) -> Timestamp {
        // The log is ahead of what is published only after a commit that failed half way.
        Timestamp(self.oracle.published().max(self.lsm.last_timestamp()).0 + 1)
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
    fn check_open(&self) -> Result<()> {
        if self.is_closed {
            return Err(Error::closed("the database is closed"));
        }
        Ok(())
    }

    /// Keeps what a commit wrote for the serializable transactions that live now.
    fn remember(&mut self, ts: Timestamp, written: impl FnOnce() -> Written) {
        if !self.serializable.is_empty() {
            self.recent.push_back((ts, written()));
        }
    }

    fn validate(&self, reads: &ReadSet, snapshot: Timestamp) -> Result<()> {
        let unseen = self.recent.iter().rev().take_while(|(ts, _)| *ts > snapshot);
        for (_, written) in unseen {
            let is_contradicted = match written {
                Written::Keys(keys) => reads.is_contradicted_by(keys),
                Written::Anything => true,
            };
            if is_contradicted {
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
