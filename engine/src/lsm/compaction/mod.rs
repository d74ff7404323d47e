//! Compaction: merging sstables downward.

pub(super) mod retention;
