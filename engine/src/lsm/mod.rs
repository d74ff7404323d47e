//! The log-structured merge tree: versioned keys, ordered, durable.
//!
//! A write goes to the [write-ahead log](wal) and to the [memtable]; a full memtable is
//! [flushed](flush) to an [sstable] in level 0; [compaction] merges sstables downward and drops
//! row versions that no snapshot sees. A read asks the memtables, then level 0, then one sstable
//! per level, newest to oldest, and stops at the first answer. Which sstables are live is a
//! [version], and the manifest is the log of its changes.
//!
//! What this layer does not know: transactions, locks, which snapshots exist. The caller appends
//! commits in timestamp order and says which snapshot is the oldest.
//!
//! # Durability
//! After [`Lsm::sync`] returned a timestamp, every commit up to it survives a power cut; of later
//! commits a prefix may survive. A commit survives as a whole or not at all.

mod background;
pub mod batch;
pub(crate) mod block_cache;
mod checkpoint;
pub mod compaction;
#[cfg(test)]
mod concurrency;
pub mod events;
#[cfg(test)]
mod faults;
pub(crate) mod flush;
#[cfg(test)]
mod golden;
mod ingest;
mod internal_key;
mod iterator;
mod key_filter;
pub(crate) mod memtable;
pub(crate) mod merge;
pub(crate) mod recovery;
pub mod salvage;
pub mod scan;
#[cfg(test)]
mod simulation;
pub mod sstable;
pub mod stats;
mod store;
pub(crate) mod tally;
pub mod verify;
pub(crate) mod version;
pub(crate) mod wal;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;

pub use batch::Batch;
pub use compaction::{CompactionControl, CompactionPause, CompactionReport};
pub(crate) use recovery::check_existing;
pub use salvage::{BehindDamage, Loss, LostPlace, PastDamage, Salvage};
pub use scan::{ChangeScan, LsmScan};
pub use stats::{LevelStats, LsmStats, RangeStats};
pub(crate) use wal::{ArchivedCommit, read_archive};

pub use verify::{Finding, Verification, verify};
pub(crate) use verify::{check, hold};
pub use version::FORMAT_VERSION;

use crate::env::{Env, FileId};
use crate::error::Result;
use crate::keyspace::{Direction, KeyRange};
use crate::options::Options;
use crate::timestamp::Timestamp;
use store::Store;
use version::Presence;

/// An open store. Dropping it stops its threads and releases the directory.
pub struct Lsm {
    store: Arc<Store>,
}

impl Lsm {
    /// Opens the store in `dir`, creating it when absent, and replays what was not flushed.
    ///
    /// # Errors
    /// `Unusable` when another process holds the directory, it is not ours or it is from a newer
    /// format; `Corruption` when stored bytes are wrong; `Io`, `DiskFull`.
    pub fn open(env: Env, dir: &Path, options: &Options) -> Result<Arc<Self>> {
        let store = recovery::open(env, dir, options)?;
        Ok(Arc::new(Self { store }))
    }

    /// The newest commit recovered or appended.
    pub fn last_timestamp(&self) -> Timestamp {
        self.store.last_ts()
    }

    /// Appends one commit to the WAL's buffer and applies it to the memtable. Readers at or after
    /// `ts` see it at once; nobody else does. May wait when flushes lag behind.
    ///
    /// Requires: one caller at a time, timestamps strictly increasing.
    ///
    /// # Errors
    /// `DiskFull`, `Io` when space cannot be set aside, `Limit` (nothing happened then);
    /// `Closed` after a failed write or sync.
    pub fn append(&self, ts: Timestamp, batch: &Batch) -> Result<()> {
        self.store.append(ts, batch)
    }

    /// Makes everything appended so far durable; returns the newest durable timestamp. Callers
    /// that come while a sync is under way share the next one.
    ///
    /// # Errors
    /// `Io` when the disk failed: nobody knows what it has, so every later write answers `Closed`.
    pub fn sync(&self) -> Result<Timestamp> {
        self.store.wal.sync()
    }

    /// The newest timestamp known to be durable.
    pub fn durable_timestamp(&self) -> Timestamp {
        self.store.wal.durable()
    }

    /// The newest version of `key` at or below `ts`, with its timestamp; an inner `None` is a
    /// tombstone.
    ///
    /// # Errors
    /// `Corruption`.
    pub fn get(&self, key: &[u8], ts: Timestamp) -> Result<Option<(Timestamp, Option<Bytes>)>> {
        self.store.get(key, ts, Presence::Unknown)
    }

    /// As [`Lsm::get`], for a key that is there with few exceptions, which makes it cheaper.
    ///
    /// # Errors
    /// `Corruption`.
    pub fn get_likely(
        &self,
        key: &[u8],
        ts: Timestamp,
    ) -> Result<Option<(Timestamp, Option<Bytes>)>> {
        self.store.get(key, ts, Presence::Likely)
    }

    /// The visible versions of a key range. See [`LsmScan`].
    ///
    /// # Errors
    /// `Corruption`.
    pub fn scan(&self, range: &KeyRange, ts: Timestamp, direction: Direction) -> Result<LsmScan> {
        let state = self.store.state.load();
        let merge = self.store.merge(&state, range, Timestamp(0), ts, direction);
        LsmScan::new(merge, state.version.clone(), range.clone(), ts, direction)
    }

    /// Every row version of a range that is newer than `since` and that some snapshot may see,
    /// tombstones included, the newest of each key first; for rebuilding what was derived from the
    /// keys up to `since`. Sstables without anything newer are not read.
    ///
    /// Compaction drops tombstones that no snapshot needs, but those of derived indexes' entries
    /// only once they are [sealed](Lsm::set_sealed).
    ///
    /// # Errors
    /// `Corruption`.
    pub fn scan_since(&self, range: &KeyRange, since: Timestamp) -> Result<ChangeScan> {
        let state = self.store.state.load();
        let merge = self.store.merge(&state, range, since, Timestamp::MAX, Direction::Forward);
        let (version, horizon) = (state.version.clone(), self.store.horizon());
        ChangeScan::new(merge, version, range.clone(), since, horizon)
    }

    /// Says that no read before `oldest` will come any more but at the [named
    /// snapshots](Lsm::set_named_snapshots): for each key only the newest version at or below it is
    /// kept, and the newest at or below each of those. Never goes back. Starts at 0: nothing is
    /// dropped before the first call.
    pub fn set_oldest_snapshot(&self, oldest: Timestamp) {
        self.store.oldest.fetch_max(oldest.0, Ordering::AcqRel);
    }

    /// Says at which timestamps, ascending, reads may come for longer than others.
    ///
    /// Requires: one that is new is not before the oldest snapshot, or was named when the store
    /// was open before; and the oldest snapshot moves on after it was named here.
    pub fn set_named_snapshots(&self, named: &[Timestamp]) {
        if **self.store.named.load() != named {
            self.store.named.store(Arc::new(named.to_vec()));
        }
    }

    /// From here on every row version is there; of older ones, those that snapshots in use see.
    pub fn history_start(&self) -> Timestamp {
        self.store.state.load().version.shape().history
    }

    /// What [`Lsm::set_oldest_snapshot`] said last: of what comes before, only what named snapshots
    /// see is sure to be there.
    pub(crate) fn oldest_snapshot(&self) -> Timestamp {
        Timestamp(self.store.oldest.load(Ordering::Acquire))
    }

    /// Says that every derived index has what was committed up to `sealed` in its own files: the
    /// removal of an entry at or below it need not be kept for [`Lsm::scan_since`]. Never goes
    /// back. Starts at 0: no such removal is dropped before the first call.
    pub fn set_sealed(&self, sealed: Timestamp) {
        self.store.sealed.fetch_max(sealed.0, Ordering::AcqRel);
    }

    /// Writes everything appended so far to sstables.
    ///
    /// # Errors
    /// `Io`, `DiskFull`, `Closed`.
    pub fn flush(&self) -> Result<()> {
        self.store.flush_all()
    }

    /// Does, or waits for, all compactions that the files there are ask for; none while compaction
    /// is paused.
    ///
    /// # Errors
    /// `Io`, `DiskFull`, `Corruption`.
    pub fn settle(&self) -> Result<()> {
        self.store.settle()
    }

    /// Brings everything in a key range that is there now to the bottom level, forgetting what no
    /// snapshot needs. Goes in steps, among which other compactions find their place, so that
    /// nobody has to wait; `control` follows it.
    ///
    /// # Errors
    /// `Io`, `DiskFull`, `Corruption`, `Closed`, `Cancelled`; the steps done until then stay done.
    pub fn compact_range(
        &self,
        range: &KeyRange,
        control: &CompactionControl,
    ) -> Result<CompactionReport> {
        self.store.compact_range(range, control)
    }

    /// Holds all compaction still until the pause is dropped. Writers go on; see
    /// [`compaction`].
    pub fn pause_compaction(&self) -> CompactionPause {
        CompactionPause::new(self.store.clone())
    }

    /// Forgets everything in a key range that was appended so far, for all snapshots, durably.
    /// Files inside the range are removed soon; the rest goes with later compactions.
    ///
    /// Requires: nobody appends meanwhile.
    ///
    /// # Errors
    /// `Io`, `DiskFull`, `Closed`.
    pub fn drop_range(&self, range: &KeyRange) -> Result<()> {
        self.store.drop_range(range)
    }

    /// Loads sorted, distinct keys as one commit at `ts`, durably and at once: they are written to
    /// sstables directly and never pass the WAL or the memtable. Flushes the memtable first.
    ///
    /// Requires: nobody appends meanwhile, `ts` is after every commit so far.
    ///
    /// # Errors
    /// `Invalid` when keys are not sorted, errors of `entries`, `Io`, `DiskFull`, `Closed`;
    /// nothing was loaded then.
    pub fn ingest<K, V>(
        &self,
        ts: Timestamp,
        entries: impl Iterator<Item = Result<(K, V)>>,
    ) -> Result<()>
    where
        K: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        self.store.ingest(ts, entries)
    }

    /// Makes a new data directory `target`, on the same file system, with everything appended
    /// before the call. Files are shared by hard links, so it takes about a second at any size.
    /// `link_more` adds what belongs to it and is not the store's, before it becomes a data
    /// directory. Returns up to which commit it is complete; it has nothing after that.
    ///
    /// # Errors
    /// `Invalid` when `target` exists, those of `link_more`, `Io`, `DiskFull`, `Closed`.
    pub fn checkpoint(
        &self,
        target: &Path,
        link_more: &dyn Fn() -> Result<()>,
    ) -> Result<Timestamp> {
        self.store.checkpoint(target, link_more)
    }

    /// About how much of the store is in a key range: estimated from the block indexes of sstables,
    /// counted in memtables.
    ///
    /// # Errors
    /// `Corruption`.
    pub fn measure(&self, range: &KeyRange) -> Result<RangeStats> {
        self.store.measure(range)
    }

    /// What the store has done and what it holds.
    pub fn stats(&self) -> LsmStats {
        self.store.stats()
    }

    /// Syncs the WAL, stops the background threads and releases the directory. Later writes
    /// answer `Closed`; open scans stay readable.
    ///
    /// # Errors
    /// `Io` when the last sync failed.
    pub fn close(&self) -> Result<()> {
        self.store.background.stop();
        let _write = self.store.write.lock();
        let ended = match self.store.wal.check() {
            Ok(()) => self.store.wal.end(),
            Err(error) => Err(error),
        };
        if let Ok(end) = ended
            && let Err(error) = self.store.mark_closed(end)
        {
            // All is durable; the next opening only has to look harder where the log ends.
            tracing::warn!(%error, "the end of the log was not marked");
        }
        if let (Ok((last, _)), Some(archive)) = (&ended, &self.store.archive)
            && let Err(error) = archive.take(&self.store.dir, FileId(last.0 + 1))
        {
            // The segment stays; the next opening tries again.
            tracing::error!(%error, "could not archive the last WAL segment");
        }
        self.store.wal.poison();
        *self.store.lock.lock() = None;
        ended.map(drop)
    }
}

impl Drop for Lsm {
    fn drop(&mut self) {
        let was_open = self.store.wal.check().is_ok();
        if let Err(error) = self.close()
            && was_open
        {
            tracing::error!(%error, "the last sync failed");
        }
    }
}
