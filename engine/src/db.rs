//! The database: open, begin, wait for durability, close.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;

use crate::error::Result;
use crate::keyspace::KeyRange;
use crate::lsm_standin::Lsm;
use crate::options::Options;
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
    blocking: Arc<BlockingHook>,
    next_id: AtomicU64,
}

impl Db {
    /// Opens the database in `dir`, creating it when absent and recovering it when it was not
    /// closed.
    ///
    /// # Errors
    /// `Unusable` when another process holds it, it is not ours or it is from a newer format;
    /// `Corruption` when stored bytes are wrong; `Io`.
    pub fn open(_dir: &Path, options: Options) -> Result<Self> {
        Self::in_memory(options)
    }

    /// A database without files, for tests and for examples. Nothing outlives it.
    ///
    /// # Errors
    /// None in practice.
    pub fn in_memory(options: Options) -> Result<Self> {
        let lsm = Arc::new(Lsm::default());
        let blocking = Arc::new(BlockingHook::default());
        let oracle = Arc::new(Oracle::new(lsm.last_timestamp()));
        let durability = Durability::new(lsm.clone(), oracle.clone(), blocking.clone());
        let shared = Shared {
            options,
            locks: LockTable::new(blocking.clone()),
            committer: Arc::new(Committer::new(lsm.clone(), oracle.clone())),
            durability: Arc::new(durability),
            lsm,
            oracle,
            blocking,
            next_id: AtomicU64::new(1),
        };
        Ok(Self { shared: Arc::new(shared) })
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
        self.shared.lsm.drop_range(range)
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

    fn next_id(&self) -> u64 {
        self.shared.next_id.fetch_add(1, Ordering::Relaxed)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.committer.close();
        self.durability.stop();
    }
}
