//! Which row versions and tombstones may go. Pure: entries in, verdicts out.
//!
//! # Invariants
//! - C-1: for every snapshot at or above the oldest, the newest row version it can see is kept.
//! - C-2: a tombstone is dropped only when nothing older can exist beneath it.

use crate::lsm::version::DropMark;
use crate::timestamp::Timestamp;

/// What becomes of an entry, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A snapshot may see it.
    KeepVisible,
    /// It is a tombstone that may hide something deeper.
    KeepTombstone,
    /// Every snapshot sees a newer version.
    DropShadowed,
    /// It is a tombstone with nothing left to hide.
    DropTombstone,
    /// Its key range was dropped.
    DropForgotten,
}

impl Verdict {
    pub(crate) fn is_keep(self) -> bool {
        matches!(self, Self::KeepVisible | Self::KeepTombstone)
    }
}

/// Judges the entries of a merge, in order.
pub(crate) struct Retention<'a> {
    /// No snapshot is older.
    oldest: Timestamp,
    drops: &'a [DropMark],
    key: Vec<u8>,
    is_begun: bool,
    /// The newest version at or below `oldest` of `key` was met.
    is_covered: bool,
}

impl<'a> Retention<'a> {
    pub(crate) fn new(oldest: Timestamp, drops: &'a [DropMark]) -> Self {
        Self { oldest, drops, key: Vec::new(), is_begun: false, is_covered: false }
    }

    /// Judges the next entry. Requires: entries come in internal-key order. `is_bottom` answers
    /// whether nothing older of a key can exist outside this merge.
    pub(crate) fn judge(
        &mut self,
        key: &[u8],
        ts: Timestamp,
        is_tombstone: bool,
        is_bottom: impl FnOnce() -> bool,
    ) -> Verdict {
        if !self.is_begun || self.key != key {
            self.key.clear();
            self.key.extend_from_slice(key);
            (self.is_begun, self.is_covered) = (true, false);
        }
        if self.drops.iter().any(|mark| mark.covers(key, ts)) {
            return Verdict::DropForgotten;
        }
        if self.is_covered {
            return Verdict::DropShadowed;
        }
        self.is_covered = ts <= self.oldest;
        match (is_tombstone, self.is_covered) {
            (false, _) => Verdict::KeepVisible,
            (true, true) if is_bottom() => Verdict::DropTombstone,
            (true, _) => Verdict::KeepTombstone,
        }
    }
}
