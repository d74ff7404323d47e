//! The database: open, begin, wait for durability, close.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;

use crate::backup::Backups;
use crate::env::Env;
use crate::error::{Error, Result};
use crate::history::History;
use crate::index::fulltext::FullTextIndex;
use crate::index::geo::GeoIndex;
use crate::index::maintenance::Maintenance;
use crate::index::registry::{Index, Registry};
use crate::keyspace::{self, Direction, KeyRange, ObjectId, Space};
use crate::lsm::{CompactionControl, CompactionPause, CompactionReport, Lsm, RangeStats};
use crate::options::Options;
use crate::recovery;
use crate::snapshots::Names;
use crate::stats::DbStats;
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
    pub(crate) indexes: Arc<Registry>,
    pub(crate) maintenance: Arc<Maintenance>,
    pub(crate) blocking: Arc<BlockingHook>,
    pub(crate) history: Arc<History>,
    pub(crate) names: Names,
    pub(crate) backups: Backups,
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

    /// Opens the database in `dir`, which must be there. On [`Env::read_only`], and without
    /// background threads, it stays as it is.
    ///
    /// # Errors
    /// As [`Db::open`]; `Unusable` when there is none.
    pub fn open_existing(env: Env, dir: &Path, options: Options) -> Result<Self> {
        crate::lsm::check_existing(&env, dir)?;
        Self::open_in(env, dir, options)
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
        let pin = self.shared.oracle.pin(Timestamp::default());
        Snapshot::new(self.clone(), Arc::new(pin))
    }

    /// Reads the newest durable value of one key, as a snapshot taken now would: cheaper than to
    /// take one.
    ///
    /// # Errors
    /// `Corruption`, `Io`.
    pub fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        let Shared { oracle, lsm, .. } = &*self.shared;
        loop {
            let ts = oracle.durable();
            let found = lsm.get(key, ts)?;
            // Nothing was pinned, so what `ts` sees may have been dropped meanwhile; not while no
            // snapshot after it was the oldest one.
            if lsm.oldest_snapshot() <= ts {
                return Ok(found.and_then(|(_, value)| value));
            }
        }
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
        Ok(self.shared.committer.commit(&writes, None)?.ts)
    }

    /// Every commit at or before this is on disk.
    pub fn durable_timestamp(&self) -> Timestamp {
        self.shared.oracle.durable()
    }

    /// No snapshot older than this is in use or will be taken, by name or as of the past: whatever
    /// ended at or before it, nobody sees any more.
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
        self.shared.committer.drop_range(range)?;
        for index in self.shared.indexes.within(range) {
            self.shared.indexes.remove(index)?;
        }
        Ok(())
    }

    /// Loads sorted, distinct keys as one commit, durably. They are written to sstables directly,
    /// so nothing is written twice and nothing has to fit in memory. Other commits wait meanwhile.
    ///
    /// Requires: no transaction writes these keys.
    ///
    /// # Errors
    /// `Invalid` when keys are not sorted, those of `entries`, `Io`, `DiskFull`, `Closed`; nothing
    /// was loaded then.
    pub fn ingest<K, V>(&self, entries: impl Iterator<Item = Result<(K, V)>>) -> Result<Timestamp>
    where
        K: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        let committed = self.shared.committer.ingest(entries)?;
        if committed.has_derived {
            self.shared.maintenance.after_commit();
        }
        Ok(committed.ts)
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

    /// A full-text index, for estimates; [`Transaction::search_text`] searches it.
    ///
    /// # Errors
    /// `Corruption`, `Io`; `Invalid` when the number belongs to an index of another kind.
    pub fn text_index(&self, index: ObjectId) -> Result<Arc<FullTextIndex>> {
        match self.shared.indexes.get_or_open(Space::Text, index)? {
            Index::Text(index) => Ok(index),
            Index::Geo(_) => Err(Error::invalid("not a full-text index")),
        }
    }

    /// A geo index, for estimates; [`Transaction::search_geo`] searches it.
    ///
    /// # Errors
    /// `Corruption`, `Io`; `Invalid` when the number belongs to an index of another kind.
    pub fn geo_index(&self, index: ObjectId) -> Result<Arc<GeoIndex>> {
        match self.shared.indexes.get_or_open(Space::Geo, index)? {
            Index::Geo(index) => Ok(index),
            Index::Text(_) => Err(Error::invalid("not a geo index")),
        }
    }

    /// Writes everything committed so far to sstables and index segments.
    ///
    /// # Errors
    /// `Io`, `DiskFull`, `Corruption`, `Closed`.
    pub fn flush(&self) -> Result<()> {
        self.shared.maintenance.forget();
        self.shared.lsm.flush()?;
        self.shared.maintenance.seal(1)
    }

    /// Compacts everything in a key range fully: drops what no snapshot needs.
    ///
    /// # Errors
    /// As [`Db::compact_with`].
    pub fn compact(&self, range: &KeyRange) -> Result<CompactionReport> {
        self.compact_with(range, &CompactionControl::default())
    }

    /// Compacts everything in a key range that is there now, in steps, among which commits, reads
    /// and other compactions find their place. `control` shows how far it is, and cancels it.
    ///
    /// # Errors
    /// `Io`, `DiskFull`, `Corruption`, `Closed`, `Cancelled`; the steps done until then stay done.
    pub fn compact_with(
        &self,
        range: &KeyRange,
        control: &CompactionControl,
    ) -> Result<CompactionReport> {
        self.shared.maintenance.forget();
        let report = self.shared.lsm.compact_range(range, control)?;
        self.shared.maintenance.seal(1)?;
        Ok(report)
    }

    /// Holds all compaction still, [`Db::compact`] too, until the pause is dropped; pauses may be
    /// nested. Commits go on, and are not held up however many files gather; reads get dearer with
    /// every flush.
    pub fn pause_compaction(&self) -> CompactionPause {
        self.shared.lsm.pause_compaction()
    }

    /// Flushes, and waits until compaction has nothing left to do.
    ///
    /// # Errors
    /// As [`Db::flush`].
    pub fn settle(&self) -> Result<()> {
        self.flush()?;
        self.shared.lsm.settle()
    }

    /// Makes a complete copy in the new directory `dir`, on the same file system, while everything
    /// goes on. Files are shared by hard links, so it takes about a second at any size, after what
    /// is in memory was written. It holds at least what was durable when it was called, index
    /// segments included. A crash in the middle leaves a directory without CURRENT, which cannot
    /// be opened.
    ///
    /// # Errors
    /// `Invalid` when `dir` exists, `Io`, `DiskFull`, `Closed`; nothing is left of it then.
    pub fn checkpoint(&self, dir: &Path) -> Result<()> {
        self.checkpoint_at(dir).map(drop)
    }

    /// As [`Db::checkpoint`]; returns up to which commit the copy is complete.
    pub(crate) fn checkpoint_at(&self, dir: &Path) -> Result<Timestamp> {
        // What indexes have in memory need not be read again when the copy is opened.
        self.shared.maintenance.seal(1)?;
        let lsm = &self.shared.lsm;
        self.shared.indexes.checkpoint(dir, |link| lsm.checkpoint(dir, link))
    }

    /// Compares every derived index with its entries, at a snapshot taken now, and checks its
    /// files. One line per disagreement; none when all is well.
    ///
    /// # Errors
    /// `Io`, `Corruption` of the entries themselves.
    pub fn verify_indexes(&self) -> Result<Vec<String>> {
        let snapshot = self.snapshot();
        let mut findings = Vec::new();
        for (id, index) in self.shared.indexes.all() {
            let prefix = keyspace::prefix(index.space(), id);
            let entries = snapshot.scan(&KeyRange::prefix(&prefix), Direction::Forward)?;
            let mut entries = entries
                .map(|entry| entry.map(|(key, value)| (key.slice(keyspace::PREFIX_LEN..), value)));
            let found = index.derived().verify(snapshot.timestamp(), &mut entries)?;
            findings.extend(found.into_iter().map(|line| format!("index={} {line}", id.0)));
        }
        Ok(findings)
    }

    /// About how much of the store is in a key range.
    ///
    /// # Errors
    /// `Corruption`.
    pub fn measure(&self, range: &KeyRange) -> Result<RangeStats> {
        self.shared.lsm.measure(range)
    }

    /// What the database holds and has done.
    pub fn stats(&self) -> DbStats {
        let oracle = &self.shared.oracle;
        DbStats {
            lsm: self.shared.lsm.stats(),
            snapshot_count: oracle.live_count(),
            oldest_snapshot: oracle.oldest(),
            durable: oracle.durable(),
        }
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
        self.maintenance.stop();
        // So that the next opening has nothing to replay into the indexes. When it fails, the
        // entries are still in the log.
        let sealed = self.maintenance.seal(1);
        self.lsm.close().and(sealed)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "could not close the database cleanly");
        }
    }
}
