//! Compaction: merging sstables downward.
//!
//! [`picker`] says what to merge, in one of two styles, and [`retention`] what to keep, all without
//! I/O; [`job`] does it.

pub(crate) mod job;
mod levelled;
pub(crate) mod picker;
pub(crate) mod retention;
mod tiered;

use std::fmt;

/// How a database trades what it writes for what it reads and holds. Files are the same in both
/// styles: a database may change from one to the other whenever it is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Style {
    /// Each level is a multiple of the one above it: few places to look in, little space, and each
    /// byte is rewritten several times for each level.
    #[default]
    Levelled,
    /// Few sorted runs, merged with others of their size: each byte is rewritten seldom, for more
    /// places to look in and up to twice the space, and thrice while all is merged.
    Tiered,
}

impl fmt::Display for Style {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Levelled => "levelled",
            Self::Tiered => "tiered",
        })
    }
}

/// Why something is compacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Level 0 has many files.
    Level0,
    /// A level is over its target.
    LevelLen,
    /// A file is full of tombstones or shadowed versions.
    Garbage,
    /// A dropped range left entries behind.
    DroppedRange,
    /// Somebody asked.
    Manual,
    /// There are too many sorted runs.
    Runs,
    /// The newer runs hold too much beside the last one.
    Space,
}

/// What a manual compaction did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompactionReport {
    /// Files merged.
    pub file_count_before: usize,
    /// Files they became.
    pub file_count_after: usize,
    /// Bytes of the files merged.
    pub len_before: u64,
    /// Bytes of the files they became.
    pub len_after: u64,
    /// Row versions and tombstones in the files merged.
    pub entry_count_before: u64,
    /// Row versions and tombstones that were kept.
    pub entry_count_after: u64,
}

impl CompactionReport {
    /// Files, bytes and entries before and after.
    fn new(before: (usize, u64, u64), after: (usize, u64, u64)) -> Self {
        Self {
            file_count_before: before.0,
            file_count_after: after.0,
            len_before: before.1,
            len_after: after.1,
            entry_count_before: before.2,
            entry_count_after: after.2,
        }
    }
}
