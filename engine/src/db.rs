//! The database: open, begin, wait for durability, close.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;

use crate::env::Env;
use crate::error::Result;
use crate::keyspace::{Direction, KeyRange};
use crate::lsm::Lsm;
use crate::options::Options;
use crate::recovery;
use crate::timestamp::Timestamp;
use crate::txn::blocking::{BlockingHook, RunBlocking};
use crate::txn::commit::Committer;
use crate::txn::durability::{Durability, DurableCallback};
use crate::txn::lock::{Acquired, LockTable, LockTarget, Request};
use crate::txn::oracle::Oracle;
use crate::txn::write_set::WriteSet;
use crate::txn::{
    Isolation, LockInfo, LockMode, LockOutcome, LockOwner, LockScope, LockStrength, Snapshot,
    Transaction, WaitPolicy,
};

/// One open database. Cheap to clone; all clones are the same database, and the last one to be
/// dropped closes it.
#[derive(Clone)]
pub struct Db {
    pub(crate) shared: Arc<Shared>,
}

/// What all clones share.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) lsm: Arc<Lsm>,
    pub(crate) oracle: Arc<Oracle>,
    pub(crate) locks: LockTable,
    pub(crate) committer: Arc<Committer>,
    pub(crate) durability: Arc<Durability>,
    pub(crate) blocking: Arc<BlockingHook>,
    pub(crate) next_id: AtomicU64,
}

impl Db {
    /// Opens the database in `dir`, creating it when absent and recovering it when it was not
    /// closed.
    ///
    /// # Errors
    /// `Unusable` when another process holds it, it is not ours or it is from a newer format;
    /// `Corruption` when stored bytes are wrong; `Io`.
    pub fn open(dir: &Path, options: Options) -> Result<Self> {
        Self::open_in(Env::os(), dir, options)
    }

    /// Opens a database on another machine than this one, such as a simulated one.
    ///
    /// # Errors
    /// As [`Db::open`].
    pub fn open_in(env: Env, dir: &Path, options: Options) -> Result<Self> {
        recovery::open(&env, dir, options)
    }

    /// A database without files, for tests and for examples. Nothing outlives it.
    ///
    /// # Errors
    /// `Io` when the system gives no thread.
    pub fn in_memory(options: Options) -> Result<Self> {
        Self::open_in(Env::memory(), Path::new("/cairn"), options)
    }

    /// Begins a transaction.
    pub fn begin(&self, isolation: Isolation) -> Transaction {
        self.begin_after(isolation, Timestamp::default())
    }

    /// Begins a transaction whose snapshots contain the commit at `after`, even while that is not
    /// durable: for a session that did not wait for its own last commit.
    pub fn begin_after(&self, isolation: Isolation, after: Timestamp) -> Transaction {
        Transaction::new(self.clone(), self.next_id(), isolation, after)
    }

    /// Takes a snapshot to read from.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(self.clone())
    }

    /// Commits one write by itself, at once and without locks: for what must survive the rollback
    /// of the transaction around it, such as a sequence's state. `None` removes the key. It is
    /// durable no later than any later commit; [`Db::wait_durable`] waits for it alone.
    ///
    /// # Errors
    /// `Limit`, `Io`, `DiskFull`, `Closed`.
    pub fn write_now(&self, key: &[u8], value: Option<&[u8]>) -> Result<Timestamp> {
        let mut writes = WriteSet::default();
        let len_max = self.shared.options.transaction_len_max;
        writes.record(1, key, value.map(Bytes::copy_from_slice), len_max)?;
        self.shared.committer.commit(&writes, None)
    }

    /// Every commit at or before this is on disk.
    pub fn durable_timestamp(&self) -> Timestamp {
        self.shared.oracle.durable()
    }

    /// No snapshot older than this is in use or will be taken: whatever ended at or before it,
    /// nobody sees any more.
    pub fn oldest_snapshot(&self) -> Timestamp {
        self.shared.oracle.oldest()
    }

    /// Forgets every key in `range`, at once and for all snapshots, and gives the space back.
    /// A derived index whose whole prefix lies in the range goes with its segments.
    ///
    /// Requires: no transaction, present or future, reads or writes there.
    ///
    /// # Errors
    /// `Io`, `DiskFull`, `Closed`.
    pub fn drop_range(&self, range: &KeyRange) -> Result<()> {
        loop {
            let mut writes = WriteSet::default();
            for row in self.shared.lsm.scan(range, Timestamp::MAX, Direction::Forward)?.take(1000) {
                writes.record(1, &row?.0, None, usize::MAX)?;
            }
            if writes.is_empty() {
                return Ok(());
            }
            self.shared.committer.commit(&writes, None)?;
        }
    }

    /// Blocks until every commit at or before `ts` is on disk.
    ///
    /// # Errors
    /// `Io` or `DiskFull` from a sync that failed; `Closed` ever after.
    pub fn wait_durable(&self, ts: Timestamp) -> Result<()> {
        self.shared.durability.wait(ts)
    }

    /// Calls `callback` once every commit at or before `ts` is on disk, or can no longer get
    /// there: at once on this thread, or later on the sync thread. It must not block.
    pub fn on_durable(&self, ts: Timestamp, callback: DurableCallback) {
        self.shared.durability.on_durable(ts, callback);
    }

    /// Sets what runs the waits for locks and for the disk, so that a runtime with few threads can
    /// make room. The first hook stays.
    pub fn set_blocking_hook(&self, hook: RunBlocking) {
        self.shared.blocking.set(hook);
    }

    /// A number in whose name a session locks.
    pub fn new_lock_owner(&self) -> LockOwner {
        LockOwner(self.next_id())
    }

    /// Takes a session-level advisory lock, once more if the session has it already.
    ///
    /// # Errors
    /// As [`Transaction::lock`].
    pub fn lock_session(
        &self,
        owner: LockOwner,
        key: &[u8],
        strength: LockStrength,
        policy: WaitPolicy,
        cancel: Option<&AtomicBool>,
    ) -> Result<LockOutcome> {
        let acquired = self.shared.locks.acquire(Request {
            owner,
            target: LockTarget::Advisory(key),
            mode: LockMode::Row(strength),
            scope: LockScope::Session,
            policy,
            cancel,
        })?;
        Ok(match acquired {
            Acquired::New(_) | Acquired::Again => LockOutcome::Granted,
            Acquired::WouldBlock => LockOutcome::WouldBlock,
        })
    }

    /// Gives a session-level advisory lock back once; whether the session had it.
    pub fn unlock_session(&self, owner: LockOwner, key: &[u8], strength: LockStrength) -> bool {
        self.shared.locks.unlock_session(owner, key, strength)
    }

    /// Gives all session-level advisory locks back.
    pub fn unlock_session_all(&self, owner: LockOwner) {
        self.shared.locks.release_session(owner);
    }

    /// Makes `owner`, if it waits for a lock, look at its cancel flag.
    pub fn wake(&self, owner: LockOwner) {
        self.shared.locks.wake(owner);
    }

    /// Every lock that is held or waited for.
    pub fn locks(&self) -> Vec<LockInfo> {
        self.shared.locks.list()
    }

    /// For whom `owner` waits; nobody when it does not wait.
    pub fn blocking(&self, owner: LockOwner) -> Vec<LockOwner> {
        self.shared.locks.blocking(owner)
    }

    /// Writes everything committed so far to sstables.
    ///
    /// # Errors
    /// `Io`, `DiskFull`, `Closed`.
    pub fn flush(&self) -> Result<()> {
        self.shared.lsm.set_oldest_snapshot(self.oldest_snapshot());
        self.shared.lsm.flush()
    }

    /// Refuses further commits, serves who waits for a sync, syncs, stops the background threads
    /// and releases the directory. Reads may go on. Closing twice is closing once.
    ///
    /// # Errors
    /// `Io`, `DiskFull` when the last sync failed; `Closed` when an earlier one had.
    pub fn close(&self) -> Result<()> {
        self.shared.close()
    }

    fn next_id(&self) -> u64 {
        self.shared.next_id.fetch_add(1, Ordering::Relaxed)
    }
}

impl Shared {
    fn close(&self) -> Result<()> {
        if !self.committer.close() {
            return Ok(());
        }
        self.durability.stop();
        self.lsm.close()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "could not close the database cleanly");
        }
    }
}
