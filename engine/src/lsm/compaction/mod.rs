//! Compaction: merging sstables downward.
//!
//! [`picker`] says what to merge and [`retention`] what to keep, both without I/O; [`job`] does it.

pub(crate) mod job;
pub(crate) mod picker;
pub(crate) mod retention;

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
