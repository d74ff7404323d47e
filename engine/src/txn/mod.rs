//! Transactions with Postgres' semantics: snapshots, row locks, savepoints.
//!
//! A transaction reads its own writes and a snapshot; its writes stay in its write set until
//! commit, so abort costs nothing. Writes carry the number of the statement that made them
//! ([`Transaction::begin_statement`]): reads see the writes of earlier statements only, so an
//! `UPDATE` never meets a row that it has just written.
//!
//! # Locking
//! A writer locks a key before it writes it and holds the lock until the commit is in the log.
//! After a lock was granted, [`Transaction::get_newest`] shows what the previous holder left.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;

use crate::db::Db;
use crate::error::{Error, Result};
pub use crate::keyspace::Direction;
use crate::keyspace::KeyRange;
pub use crate::timestamp::Timestamp;

/// What a transaction sees of others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// Each statement sees what was committed when it began.
    #[default]
    ReadCommitted,
    /// All statements see what was committed when the first one began; writing a row that changed
    /// since is a conflict.
    RepeatableRead,
    /// As if transactions ran one after the other.
    Serializable,
}

/// Postgres' four row-lock strengths, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockStrength {
    /// `FOR KEY SHARE`: the key must not change or go.
    KeyShare,
    /// `FOR SHARE`: nothing must change.
    Share,
    /// `FOR NO KEY UPDATE`: I change it, not its key.
    NoKeyUpdate,
    /// `FOR UPDATE`: I change or delete it.
    Update,
}

impl LockStrength {
    /// Whether two different transactions may hold these on one row.
    /// (Postgres manual, table 13.3.)
    pub fn is_compatible(self, other: Self) -> bool {
        use LockStrength::{KeyShare, NoKeyUpdate, Share, Update};
        match (self, other) {
            (Update, _) | (_, Update) => false,
            (KeyShare, _) | (_, KeyShare) => true,
            (Share, Share) => true,
            (Share | NoKeyUpdate, Share | NoKeyUpdate) => false,
        }
    }
}

/// What to do when a lock is held by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitPolicy {
    /// Wait in the queue, for at most this long.
    Wait(Option<Duration>),
    /// Do not wait.
    NoWait,
}

/// Whether a lock was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum LockOutcome {
    /// The lock is held now.
    Granted,
    /// Another holds it and the policy was [`WaitPolicy::NoWait`].
    WouldBlock,
}

/// A point in a transaction to go back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Savepoint(usize);

pub(crate) struct LockHolder {
    txn: u64,
    strength: LockStrength,
}

/// One transaction. Dropping it rolls it back.
pub struct Transaction {
    db: Db,
    id: u64,
    isolation: Isolation,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    snapshot: Timestamp,
    has_snapshot: bool,
    statement: u32,
    log: Vec<(u32, Vec<u8>, Option<Bytes>)>,
    locks: Vec<Vec<u8>>,
}

impl Transaction {
    pub(crate) fn new(db: Db, isolation: Isolation) -> Self {
        let id = db.shared.next_txn.fetch_add(1, Ordering::Relaxed);
        let txn = Self { db, id, isolation, state: Mutex::default() };
        txn.begin_statement();
        txn
    }

    /// A number that no other transaction of this process has.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The isolation level it began with.
    pub fn isolation(&self) -> Isolation {
        self.isolation
    }

    /// The timestamp up to which commits of others are seen.
    pub fn snapshot(&self) -> Timestamp {
        self.state.lock().snapshot
    }

    /// Begins the next statement: writes so far become readable, and under
    /// [`Isolation::ReadCommitted`] a new snapshot is taken.
    pub fn begin_statement(&self) {
        let last = *self.db.shared.last.lock();
        let mut state = self.state.lock();
        state.statement += 1;
        if self.isolation == Isolation::ReadCommitted || !state.has_snapshot {
            state.snapshot = last;
            state.has_snapshot = true;
        }
    }

    /// Reads a key: own writes of earlier statements, else the snapshot.
    ///
    /// # Errors
    /// `Corruption`, `Io`.
    pub fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        let state = self.state.lock();
        let own = state.log.iter().rev().find(|(s, k, _)| *s < state.statement && k == key);
        if let Some((_, _, value)) = own {
            return Ok(value.clone());
        }
        Ok(self.committed(key, state.snapshot).and_then(|(_, value)| value))
    }

    /// Reads a key's newest state: all own writes, else the newest commit, even one after the
    /// snapshot. Meaningful when the key is locked.
    ///
    /// # Errors
    /// `Corruption`, `Io`.
    pub fn get_newest(&self, key: &[u8]) -> Result<Option<Bytes>> {
        let state = self.state.lock();
        if let Some((_, _, value)) = state.log.iter().rev().find(|(_, k, _)| k == key) {
            return Ok(value.clone());
        }
        Ok(self.committed(key, Timestamp(u64::MAX)).and_then(|(_, value)| value))
    }

    /// Whether another transaction committed a change of `key` after this one's snapshot.
    ///
    /// # Errors
    /// `Corruption`, `Io`.
    pub fn is_changed_since_snapshot(&self, key: &[u8]) -> Result<bool> {
        let snapshot = self.snapshot();
        Ok(self.committed(key, Timestamp(u64::MAX)).is_some_and(|(ts, _)| ts > snapshot))
    }

    /// Iterates a key range as of the snapshot, own writes of earlier statements included.
    /// The iterator stays as it is when the transaction writes on.
    ///
    /// # Errors
    /// `Corruption`, `Io`.
    pub fn scan(&self, range: KeyRange, direction: Direction) -> Result<Scan> {
        let state = self.state.lock();
        let mut rows: BTreeMap<Vec<u8>, Option<Bytes>> = BTreeMap::new();
        for (key, versions) in self.db.shared.data.read().range(range.start.clone()..) {
            if !range.contains(key) {
                break;
            }
            let seen = versions.range(..=state.snapshot).next_back();
            rows.insert(key.clone(), seen.and_then(|(_, value)| value.clone()));
        }
        for (statement, key, value) in &state.log {
            if *statement < state.statement && range.contains(key) {
                rows.insert(key.clone(), value.clone());
            }
        }
        let mut rows: Vec<(Bytes, Bytes)> =
            rows.into_iter().filter_map(|(key, value)| Some((key.into(), value?))).collect();
        if direction == Direction::Reverse {
            rows.reverse();
        }
        Ok(Scan { rows: rows.into_iter() })
    }

    /// Locks a key until the transaction ends.
    ///
    /// # Errors
    /// `Deadlock`, `LockNotAvailable` after the time limit, `Cancelled`.
    pub fn lock(
        &self,
        key: &[u8],
        strength: LockStrength,
        policy: WaitPolicy,
    ) -> Result<LockOutcome> {
        let began = Instant::now();
        let mut locks = self.db.shared.locks.lock();
        loop {
            let holders = locks.entry(key.to_vec()).or_default();
            if holders.iter().all(|h| h.txn == self.id || h.strength.is_compatible(strength)) {
                holders.push(LockHolder { txn: self.id, strength });
                self.state.lock().locks.push(key.to_vec());
                return Ok(LockOutcome::Granted);
            }
            let WaitPolicy::Wait(limit) = policy else { return Ok(LockOutcome::WouldBlock) };
            self.db.shared.released.wait_for(&mut locks, Duration::from_millis(50));
            if limit.is_some_and(|limit| began.elapsed() > limit) {
                return Err(Error::lock_not_available("lock timeout"));
            }
        }
    }

    /// Writes a key. The caller has locked whatever guards it; see [`Transaction::update`] for a
    /// write that locks and checks for itself.
    ///
    /// # Errors
    /// `Limit` when the key, the value or the transaction is too large.
    pub fn put(&self, key: &[u8], value: &[u8]) -> Result<()> {
        self.record(key, Some(Bytes::copy_from_slice(value)));
        Ok(())
    }

    /// Removes a key. As [`Transaction::put`].
    ///
    /// # Errors
    /// `Limit`.
    pub fn delete(&self, key: &[u8]) -> Result<()> {
        self.record(key, None);
        Ok(())
    }

    /// Locks `key`, checks that nobody changed it since the snapshot, and writes it
    /// (`None` removes it).
    ///
    /// # Errors
    /// `Conflict` when it changed, and as [`Transaction::lock`] and [`Transaction::put`].
    pub fn update(&self, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        let _ = self.lock(key, LockStrength::Update, WaitPolicy::Wait(None))?;
        if self.is_changed_since_snapshot(key)? {
            return Err(Error::conflict("the key changed since the snapshot"));
        }
        self.record(key, value.map(Bytes::copy_from_slice));
        Ok(())
    }

    /// Marks a point to go back to.
    pub fn savepoint(&self) -> Savepoint {
        Savepoint(self.state.lock().log.len())
    }

    /// Takes back every write since `savepoint`. Locks stay.
    pub fn rollback_to(&self, savepoint: Savepoint) {
        self.state.lock().log.truncate(savepoint.0);
    }

    /// Whether there is anything to commit.
    pub fn has_writes(&self) -> bool {
        !self.state.lock().log.is_empty()
    }

    /// Commits and waits until the commit is on disk.
    ///
    /// # Errors
    /// `Conflict` under [`Isolation::Serializable`], `Io`, `DiskFull`, `Closed`.
    pub fn commit(self) -> Result<Timestamp> {
        let db = self.db.clone();
        let ts = self.commit_logged()?;
        db.wait_durable(ts)?;
        Ok(ts)
    }

    /// Commits without waiting for the disk: on return the commit is in the log's order and its
    /// locks are free. Nothing that depends on it may leave the process before
    /// [`Db::wait_durable`] returned for the timestamp.
    ///
    /// # Errors
    /// As [`Transaction::commit`].
    pub fn commit_logged(self) -> Result<Timestamp> {
        let state = std::mem::take(&mut *self.state.lock());
        let mut last = self.db.shared.last.lock();
        let ts = Timestamp(last.0 + 1);
        let mut data = self.db.shared.data.write();
        for (_, key, value) in state.log {
            data.entry(key).or_default().insert(ts, value);
        }
        *last = ts;
        drop((last, data));
        self.release(state.locks);
        Ok(ts)
    }

    /// Gives everything up.
    pub fn rollback(self) {}

    fn record(&self, key: &[u8], value: Option<Bytes>) {
        let mut state = self.state.lock();
        let statement = state.statement;
        state.log.push((statement, key.to_vec(), value));
    }

    fn committed(&self, key: &[u8], ts: Timestamp) -> Option<(Timestamp, Option<Bytes>)> {
        let data = self.db.shared.data.read();
        data.get(key)?.range(..=ts).next_back().map(|(ts, value)| (*ts, value.clone()))
    }

    fn release(&self, keys: Vec<Vec<u8>>) {
        let mut locks = self.db.shared.locks.lock();
        for key in keys {
            if let Some(holders) = locks.get_mut(&key) {
                holders.retain(|holder| holder.txn != self.id);
            }
        }
        self.db.shared.released.notify_all();
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let locks = std::mem::take(&mut self.state.get_mut().locks);
        self.release(locks);
    }
}

/// Keys and values of a range, in order.
pub struct Scan {
    rows: std::vec::IntoIter<(Bytes, Bytes)>,
}

impl Iterator for Scan {
    type Item = Result<(Bytes, Bytes)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next().map(Ok)
    }
}
