//! What the store has done and what it holds, in numbers; [`text`] makes them readable.

mod counters;
mod text;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub(super) use counters::Counters;
pub use text::{Held, Size};

use super::compaction::picker::{Limits, backlog};
use super::compaction::{CompactionJob, Reason, Style};
use super::store::Store;
use super::version::LEVEL_COUNT;
use crate::error::Result;
use crate::keyspace::KeyRange;

/// How many times larger a level is than the one above it when levels are full: what is above
/// waits until there is so much of it.
const FAN_OUT_MAX: f64 = 10.0;

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

/// About how much is in a key range.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RangeStats {
    /// Bytes in sstables.
    pub len_bytes: u64,
    /// Row versions, those in memtables among them.
    pub entry_count: u64,
}

/// What compactions for one reason have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReasonStats {
    /// The reason.
    pub reason: Reason,
    /// Merges.
    pub merge_count: u64,
    /// Moves of files from one level to another.
    pub move_count: u64,
    /// Bytes read by merges.
    pub len_read: u64,
    /// Bytes written by merges.
    pub len_written: u64,
    /// Bytes of files that were moved, and not written.
    pub len_moved: u64,
    /// How long merges took, on all threads together.
    pub time: Duration,
}

/// Waits of commits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WaitStats {
    /// How many.
    pub count: u64,
    /// How long in all.
    pub total: Duration,
    /// The longest.
    pub longest: Duration,
}

/// What a store has done since it was opened, and what it holds. Printed, it is a page to look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LsmStats {
    /// How sstables are merged.
    pub style: Style,
    /// Level 0 first.
    pub levels: Vec<LevelStats>,
    /// Bytes written to all memtables in memory.
    pub memtable_len_bytes: u64,
    /// Row versions in all memtables.
    pub memtable_entry_count: usize,
    /// Memtables that wait for their flush.
    pub sealed_memtable_count: usize,
    /// Bytes of batches that the caller appended, and of bulk loads.
    pub user_len_written: u64,
    /// Bytes written to the WAL.
    pub wal_len_written: u64,
    /// Syncs of the WAL; fewer than commits when commits come in groups.
    pub wal_sync_count: u64,
    /// Bytes written by flushes.
    pub flush_len_written: u64,
    /// Memtables flushed.
    pub flush_count: u64,
    /// Bytes written by bulk loads.
    pub ingest_len_written: u64,
    /// Compactions, one entry for each reason there is.
    pub compactions: Vec<ReasonStats>,
    /// Compactions under way.
    pub running: Vec<CompactionJob>,
    /// Bytes that levels hold beyond what they should, those under way among them.
    pub backlog_len_bytes: u64,
    /// Whether compaction is paused.
    pub is_paused: bool,
    /// Commits that were delayed a little so that compaction can keep up.
    pub slowdowns: WaitStats,
    /// Commits that had to wait for a flush or a compaction.
    pub stalls: WaitStats,
    /// Bytes of decoded blocks in memory.
    pub cache_len_bytes: u64,
    /// Block lookups answered from memory.
    pub cache_hit_count: u64,
    /// Block lookups that had to decode a block.
    pub cache_miss_count: u64,
    /// Lookups in an sstable that its filter ended without reading a block.
    pub filter_denied_count: u64,
    /// Lookups in an sstable that its filter let pass, and that found nothing.
    pub filter_misled_count: u64,
}

impl LsmStats {
    /// Places that a lookup of a key may have to look in: memtables, level-0 files, and one file in
    /// each level below.
    pub fn read_amplification(&self) -> usize {
        let files = |level: &LevelStats| level.file_count;
        let below = self.levels.iter().skip(1).filter(|level| level.file_count > 0).count();
        1 + self.sealed_memtable_count + self.levels.first().map_or(0, files) + below
    }

    /// Bytes in sstables for each byte in the bottom level, which holds what a full compaction
    /// would roughly leave; `None` without sstables.
    #[expect(clippy::cast_precision_loss, reason = "a ratio for people to read")]
    pub fn space_amplification(&self) -> Option<f64> {
        let all: u64 = self.levels.iter().map(|level| level.len_bytes).sum();
        let bottom = self.levels.iter().rev().find(|level| level.len_bytes > 0)?;
        Some(all as f64 / bottom.len_bytes as f64)
    }

    /// Bytes that a committed byte is written as on its way down to the bottom level, at the sizes
    /// that the levels have: to the WAL, to level 0, and into each level together with what that
    /// level holds for each byte of the one above, up to the usual ten. `None` without sstables.
    #[expect(clippy::cast_precision_loss, reason = "a ratio for people to read")]
    pub fn expected_write_amplification(&self) -> Option<f64> {
        let filled: Vec<u64> =
            self.levels.iter().map(|level| level.len_bytes).filter(|len| *len > 0).collect();
        let fan_out = |pair: &[u64]| match pair {
            [above, below] => 1.0 + (*below as f64 / *above as f64).min(FAN_OUT_MAX),
            _ => 0.0,
        };
        let merges: f64 = filled.windows(2).map(fan_out).sum();
        (!filled.is_empty()).then_some(2.0 + merges)
    }

    /// Bytes written to disk for each byte that the caller wrote; `None` before the first.
    #[expect(clippy::cast_precision_loss, reason = "a ratio for people to read")]
    pub fn write_amplification(&self) -> Option<f64> {
        let written = self.wal_len_written
            + self.flush_len_written
            + self.compaction_len_written()
            + self.ingest_len_written;
        (self.user_len_written > 0).then(|| written as f64 / self.user_len_written as f64)
    }

    /// Bytes written by compactions.
    pub fn compaction_len_written(&self) -> u64 {
        self.compactions.iter().map(|counts| counts.len_written).sum()
    }

    /// Bytes read by compactions.
    pub fn compaction_len_read(&self) -> u64 {
        self.compactions.iter().map(|counts| counts.len_read).sum()
    }

    /// Compactions that merged files.
    pub fn compaction_count(&self) -> u64 {
        self.compactions.iter().map(|counts| counts.merge_count).sum()
    }

    /// Of the lookups that found nothing in an sstable, the share that its filter ended; `None`
    /// before the first.
    #[expect(clippy::cast_precision_loss, reason = "a ratio for people to read")]
    pub fn filter_usefulness(&self) -> Option<f64> {
        let all = self.filter_denied_count + self.filter_misled_count;
        (all > 0).then(|| self.filter_denied_count as f64 / all as f64)
    }

    /// Lookups of blocks that were answered from memory, of all; `None` before the first.
    #[expect(clippy::cast_precision_loss, reason = "a ratio for people to read")]
    pub fn cache_hit_ratio(&self) -> Option<f64> {
        let all = self.cache_hit_count + self.cache_miss_count;
        (all > 0).then(|| self.cache_hit_count as f64 / all as f64)
    }
}

impl Store {
    pub(super) fn stats(&self) -> LsmStats {
        let state = self.state.load();
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.counters;
        let memtables = || std::iter::once(&state.active).chain(&state.sealed);
        let waits = |waits: &counters::Waits| WaitStats {
            count: waits.count(),
            total: waits.total(),
            longest: waits.longest(),
        };
        LsmStats {
            style: self.options.compaction_style,
            levels: (0..LEVEL_COUNT).map(|level| self.level_stats(level)).collect(),
            memtable_len_bytes: memtables().map(|memtable| memtable.len_bytes()).sum(),
            memtable_entry_count: memtables().map(|memtable| memtable.entry_count()).sum(),
            sealed_memtable_count: state.sealed.len(),
            user_len_written: read(&counters.user_len),
            wal_len_written: self.wal.written_len(),
            wal_sync_count: self.wal.sync_count(),
            flush_len_written: read(&counters.flush_len),
            flush_count: read(&counters.flush_count),
            ingest_len_written: read(&counters.ingest_len),
            compactions: counters.compactions.stats(),
            running: self.compactions.lock().jobs(),
            backlog_len_bytes: backlog(state.version.shape(), &Limits::from(&self.options)),
            is_paused: self.is_paused(),
            slowdowns: waits(&counters.slowdowns),
            stalls: waits(&counters.stalls),
            cache_len_bytes: self.cache.len_bytes(),
            cache_hit_count: self.cache.hit_count(),
            cache_miss_count: self.cache.miss_count(),
            filter_denied_count: self.cache.filters.denied.sum(),
            filter_misled_count: self.cache.filters.misled.sum(),
        }
    }

    /// About how much is in a key range.
    pub(super) fn measure(&self, range: &KeyRange) -> Result<RangeStats> {
        let state = self.state.load();
        let mut stats = RangeStats::default();
        for sstable in state.version.sstables() {
            let file = sstable.meta();
            let share = sstable.share(range)?;
            stats.len_bytes += portion(file.len, share);
            stats.entry_count += portion(file.properties.entry_count, share);
        }
        for memtable in std::iter::once(&state.active).chain(&state.sealed) {
            stats.entry_count += memtable.count(range)?;
        }
        Ok(stats)
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

/// A share of a number.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate; the share lies between 0 and 1"
)]
fn portion(whole: u64, share: f64) -> u64 {
    (whole as f64 * share).round() as u64
}
