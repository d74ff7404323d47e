//! Compaction: merging sstables downward.
//!
//! [`picker`] says what to merge, in one of two styles, [`manual`] what to merge because somebody
//! asked, and [`retention`] what to keep, all without I/O; [`job`] does it. [`control`] follows,
//! stops and pauses it.

mod control;
pub(crate) mod in_flight;
pub(crate) mod job;
mod levelled;
mod manual;
pub(crate) mod picker;
pub(crate) mod retention;
#[cfg(test)]
mod tests;
mod tiered;

use std::fmt;

pub use control::{CompactionControl, CompactionPause, CompactionProgress};
pub use in_flight::CompactionJob;

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

impl Reason {
    /// Every reason, in the order of its code.
    pub const ALL: [Self; 7] = [
        Self::Level0,
        Self::LevelLen,
        Self::Garbage,
        Self::DroppedRange,
        Self::Manual,
        Self::Runs,
        Self::Space,
    ];
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Level0 => "level 0",
            Self::LevelLen => "level size",
            Self::Garbage => "garbage",
            Self::DroppedRange => "dropped range",
            Self::Manual => "manual",
            Self::Runs => "sorted runs",
            Self::Space => "space",
        })
    }
}

/// What a manual compaction did to the files that hold keys of its range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompactionReport {
    /// Files when it began.
    pub file_count_before: usize,
    /// Files when it ended.
    pub file_count_after: usize,
    /// Bytes of the files when it began.
    pub len_before: u64,
    /// Bytes of the files when it ended.
    pub len_after: u64,
    /// Row versions and tombstones in the files when it began.
    pub entry_count_before: u64,
    /// Row versions and tombstones in the files when it ended.
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
