//! What the store has done and what it holds, in numbers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::store::Store;
use super::version::LEVEL_COUNT;

/// Counts since opening.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) user_len: AtomicU64,
    pub(super) flush_len: AtomicU64,
    pub(super) flush_count: AtomicU64,
    pub(super) compaction_read_len: AtomicU64,
    pub(super) compaction_len: AtomicU64,
    pub(super) compaction_count: AtomicU64,
    pub(super) move_count: AtomicU64,
    pub(super) ingest_len: AtomicU64,
    pub(super) slowdown_count: AtomicU64,
    pub(super) stall_count: AtomicU64,
    pub(super) stall_micros: AtomicU64,
}

/// One level of sstables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LevelStats {
    /// Files.
    pub file_count: usize,
    /// Their bytes.
    pub len_bytes: u64,
    /// Row versions in them, tombstones included.
    pub entry_count: u64,
    /// Tombstones in them.
    pub tombstone_count: u64,
}

/// What a store has done since it was opened, and what it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LsmStats {
    /// Level 0 first.
    pub levels: Vec<LevelStats>,
    /// Bytes written to all memtables in memory.
    pub memtable_len_bytes: u64,
    /// Row versions in all memtables.
    pub memtable_entry_count: usize,
    /// Memtables that wait for their flush.
    pub sealed_memtable_count: usize,
    /// Bytes of batches that the caller appended.
    pub user_len_written: u64,
    /// Bytes written to the WAL.
    pub wal_len_written: u64,
    /// Syncs of the WAL; fewer than commits when commits come in groups.
    pub wal_sync_count: u64,
    /// Bytes written by flushes.
    pub flush_len_written: u64,
    /// Memtables flushed.
    pub flush_count: u64,
    /// Bytes read by compactions.
    pub compaction_len_read: u64,
    /// Bytes written by compactions.
    pub compaction_len_written: u64,
    /// Compactions that merged files.
    pub compaction_count: u64,
    /// Compactions that only moved a file down.
    pub move_count: u64,
    /// Bytes written by bulk loads.
    pub ingest_len_written: u64,
    /// Commits that were delayed a little so that compaction can keep up.
    pub slowdown_count: u64,
    /// Commits that had to wait for a flush or a compaction.
    pub stall_count: u64,
    /// How long they waited.
    pub stall_time: Duration,
    /// Bytes of decoded blocks in memory.
    pub cache_len_bytes: u64,
    /// Block lookups answered from memory.
    pub cache_hit_count: u64,
    /// Block lookups that had to decode a block.
    pub cache_miss_count: u64,
}

impl LsmStats {
    /// Bytes written to disk for each byte that the caller wrote; `None` before the first.
    pub fn write_amplification(&self) -> Option<f64> {
        let written = self.wal_len_written
            + self.flush_len_written
            + self.compaction_len_written
            + self.ingest_len_written;
        #[expect(clippy::cast_precision_loss, reason = "a ratio for people to read")]
        let ratio =
            (self.user_len_written > 0).then(|| written as f64 / self.user_len_written as f64);
        ratio
    }
}

impl Store {
    pub(super) fn stats(&self) -> LsmStats {
        let state = self.state.load();
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.counters;
        let memtables = || std::iter::once(&state.active).chain(&state.sealed);
        LsmStats {
            levels: (0..LEVEL_COUNT).map(|level| self.level_stats(level)).collect(),
            memtable_len_bytes: memtables().map(|memtable| memtable.len_bytes()).sum(),
            memtable_entry_count: memtables().map(|memtable| memtable.entry_count()).sum(),
            sealed_memtable_count: state.sealed.len(),
            user_len_written: read(&counters.user_len),
            wal_len_written: self.wal.written_len(),
            wal_sync_count: self.wal.sync_count(),
            flush_len_written: read(&counters.flush_len),
            flush_count: read(&counters.flush_count),
            compaction_len_read: read(&counters.compaction_read_len),
            compaction_len_written: read(&counters.compaction_len),
            compaction_count: read(&counters.compaction_count),
            move_count: read(&counters.move_count),
            ingest_len_written: read(&counters.ingest_len),
            slowdown_count: read(&counters.slowdown_count),
            stall_count: read(&counters.stall_count),
            stall_time: Duration::from_micros(read(&counters.stall_micros)),
            cache_len_bytes: self.cache.len_bytes(),
            cache_hit_count: self.cache.hit_count(),
            cache_miss_count: self.cache.miss_count(),
        }
    }

    fn level_stats(&self, level: usize) -> LevelStats {
        let state = self.state.load();
        let mut stats = LevelStats::default();
        for sstable in state.version.level(level) {
            let file = sstable.meta();
            stats.file_count += 1;
            stats.len_bytes += file.len;
            stats.entry_count += file.properties.entry_count;
            stats.tombstone_count += file.properties.tombstone_count;
        }
        stats
    }
}
