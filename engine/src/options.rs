//! Every knob and every hard limit of the engine: unit, default, reason.
//!
//! # Limits
//! | what | limit | beyond it |
//! | --- | --- | --- |
//! | a key | [`KEY_LEN_MAX`] | `Limit` from the write or the load |
//! | a value | [`VALUE_LEN_MAX`] | `Limit` from the write or the load |
//! | the writes of a transaction, in memory | [`Options::transaction_len_max`] | `Limit` from the write; the transaction goes on without it |
//! | a commit, in the log | [`BATCH_LEN_MAX`] | `Limit` from the commit |
//! | named snapshots, their names | [`SNAPSHOT_COUNT_MAX`], [`SNAPSHOT_NAME_LEN_MAX`] | `Limit` from their creation |
//! | snapshots in use | none: one costs tens of bytes, and each belongs to a caller | |
//! | open files | five: lock, manifest, log, and a file being written by each background thread; mapped ones are closed | |
//! | sstables, each mapped | [`SSTABLE_COUNT_MAX`] | `Limit` from the load, flush or checkpoint that would pass it |
//! | memtables | [`Options::sealed_memtable_count_max`] and the active one | writers wait for a flush |
//! | sstables of level 0 | [`Options::level0_stop_count`] | writers wait for a compaction |
//! | decoded blocks | [`Options::block_cache_len_max`] | the coldest go |
//! | deltas of derived indexes | four times [`Options::delta_len_max`] each | writers seal them |

use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::lsm::compaction::Style;

/// The longest key, in bytes. 65,535: its length fits two bytes, and long keys make poor indexes.
pub const KEY_LEN_MAX: usize = 65_535;

/// The longest value, in bytes. 1 GiB, as a Postgres field.
pub const VALUE_LEN_MAX: usize = 1 << 30;

/// The longest batch, in bytes. 2 GiB: it is one WAL record, whose length is 32 bits.
pub const BATCH_LEN_MAX: usize = 2 << 30;

/// The most named snapshots. 1,000: each keeps row versions that nobody else needs.
pub const SNAPSHOT_COUNT_MAX: usize = 1_000;

/// The longest name of a snapshot, in bytes. 255: as a file's.
pub const SNAPSHOT_NAME_LEN_MAX: usize = 255;

/// The most live sstables. 50,000: each is a mapping, and Linux gives a process 65,530 of them. At
/// [`Options::sstable_len_max`] that is 1.5 TiB; make that larger for more.
pub const SSTABLE_COUNT_MAX: usize = 50_000;

/// # Errors
/// `Limit` when more is asked for than a limit allows.
pub(crate) fn check_limit(name: &str, limit: usize, asked: usize) -> Result<()> {
    if asked > limit {
        return Err(Error::limit(name, limit as u64, asked as u64));
    }
    Ok(())
}

/// # Errors
/// `Limit` when a key or a value is too long.
pub(crate) fn check_entry(key_len: usize, value_len: usize) -> Result<()> {
    check_limit("key length", KEY_LEN_MAX, key_len)?;
    check_limit("value length", VALUE_LEN_MAX, value_len)
}

/// How a database is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes of recent writes kept in memory before they are flushed to an sstable. 64 MiB.
    pub memtable_len_max: usize,
    /// Memtables that may wait for their flush before writers wait too. 4: with the active one
    /// that bounds memory at five times [`Options::memtable_len_max`].
    pub sealed_memtable_count_max: usize,
    /// Bytes of decoded blocks kept in memory. 256 MiB.
    pub block_cache_len_max: usize,
    /// Bytes of recent entries that a full-text or geo index keeps in memory before they are
    /// sealed into a segment. 8 MiB.
    pub delta_len_max: usize,
    /// Bytes of uncommitted writes that one transaction may hold in memory. 1 GiB.
    pub transaction_len_max: usize,
    /// Bytes of an sstable block before compression. 2 KiB: a point read decodes one; 4 KiB takes a
    /// hundredth less disk and half as much time again.
    pub block_len: usize,
    /// Bytes after which compaction begins the next sstable. 32 MiB.
    pub sstable_len_max: u64,
    /// Bits per key in an sstable's Bloom filter; 0 = none. 10: one false hit in a hundred.
    pub filter_bits_per_key: usize,
    /// How sstables are merged. Levelled. May differ from one opening to the next.
    pub compaction_style: Style,
    /// Tiered: sorted runs below level 0 that a read may have to look in; 1 to 5. 5.
    pub tiered_run_count_max: usize,
    /// Tiered: bytes of the newer runs, in hundredths of those of the last one, from which on all
    /// are merged. 100: at most twice the space of the newest row versions.
    pub tiered_space_percent_max: u64,
    /// Level-0 sstables that ask for a compaction. 4: each is one more place to look on a read.
    pub level0_compaction_count: usize,
    /// Level-0 sstables from which on writers are slowed down, a little more with each. 12.
    pub level0_slowdown_count: usize,
    /// Level-0 sstables at which writers wait for compaction. 36.
    pub level0_stop_count: usize,
    /// Levelled: the least target of a level, in bytes. 64 MiB.
    pub level_base_len_max: u64,
    /// How many times larger each level is than the one above it. 10.
    pub level_len_multiplier: u64,
    /// Threads that flush and compact; 0 = none, writers do it themselves, for simulation. 2.
    pub background_thread_count: usize,
    /// Bytes by which a WAL segment grows at a time; a commit never runs out of disk inside what
    /// was set aside. 4 MiB.
    pub wal_allocation_len: u64,
    /// Bytes per second that compaction may write; 0 = no limit. 0.
    pub compaction_bytes_per_second: u64,
    /// A directory into which sealed WAL segments are copied before they go, for
    /// [`recover`](crate::backup::recover()). It may lie on another file system. None.
    pub wal_archive: Option<PathBuf>,
    /// WAL segments that may wait because they cannot be archived; then writes are refused. 64.
    pub unarchived_segment_count_max: usize,
    /// For how long row versions are kept for reads as of the past. 0: not at all; with more, and
    /// with an archive, commits note the time.
    pub history_retention: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            memtable_len_max: 64 << 20,
            sealed_memtable_count_max: 4,
            block_cache_len_max: 256 << 20,
            delta_len_max: 8 << 20,
            transaction_len_max: 1 << 30,
            block_len: 2 << 10,
            sstable_len_max: 32 << 20,
            filter_bits_per_key: 10,
            compaction_style: Style::Levelled,
            tiered_run_count_max: 5,
            tiered_space_percent_max: 100,
            level0_compaction_count: 4,
            level0_slowdown_count: 12,
            level0_stop_count: 36,
            level_base_len_max: 64 << 20,
            level_len_multiplier: 10,
            background_thread_count: 2,
            wal_allocation_len: 4 << 20,
            compaction_bytes_per_second: 0,
            wal_archive: None,
            unarchived_segment_count_max: 64,
            history_retention: Duration::ZERO,
        }
    }
}
