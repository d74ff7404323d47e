//! What a serializable transaction has read, and whether a commit contradicts it.
//!
//! Backward validation (Kung and Robinson, "On Optimistic Methods for Concurrency Control", 1981):
//! a transaction that writes may commit when nothing that it read was written by a commit after
//! its snapshot. Then it could as well have run at the moment of its commit, so commit order is a
//! serial order. A transaction that writes nothing fits in at its snapshot and never fails.
//! Compared with Cahill's SSI this aborts a little more and needs neither a graph nor read locks
//! that outlive their transaction. Pure.

use std::collections::BTreeMap;

use ahash::{HashMap, HashSet};
use bytes::Bytes;

use crate::keyspace::{Direction, KeyRange};

/// Keys and ranges remembered one by one; beyond that a transaction counts as having read
/// everything. 100,000 entries are about 10 MB.
const ENTRIES_MAX: usize = 100_000;

/// Keys and ranges that were read.
#[derive(Debug, Default)]
pub(crate) struct ReadSet {
    keys: HashSet<Box<[u8]>>,
    /// Disjoint ranges: start to end.
    ranges: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// Scans under way, by number. They count as whole until they say how far they went.
    open: HashMap<u64, (KeyRange, Direction)>,
    scan_count: u64,
    has_all: bool,
}

/// How far a scan got.
#[derive(Debug)]
pub(crate) enum Reached {
    /// It was never asked for a row.
    Nothing,
    /// This key was the last it showed.
    Key(Bytes),
    /// It came to its end.
    End,
}

impl ReadSet {
    /// Remembers that a key was read, present or not.
    pub(crate) fn add_key(&mut self, key: &[u8]) {
        if !self.has_all && !self.keys.contains(key) {
            self.keys.insert(key.into());
            self.check_count();
        }
    }

    /// Remembers that a range was read: rows that appear in it later were missed.
    pub(crate) fn add_range(&mut self, range: KeyRange) {
        if self.has_all || range.end.as_ref().is_some_and(|end| *end <= range.start) {
            return;
        }
        let KeyRange { mut start, mut end } = range;
        // Swallow the ranges that touch it, so that the rest stays disjoint.
        while let Some((other, other_end)) = self.last_at_or_before(end.as_deref()) {
            let is_before = other_end.as_ref().is_some_and(|other_end| *other_end < start);
            if is_before {
                break;
            }
            self.ranges.remove(&other);
            start = start.min(other);
            end = match (end, other_end) {
                (Some(a), Some(b)) => Some(a.max(b)),
                _ => None,
            };
        }
        self.ranges.insert(start, end);
        self.check_count();
    }

    /// A scan begins; it will call [`ReadSet::end_scan`] with the number returned here.
    pub(crate) fn begin_scan(&mut self, range: KeyRange, direction: Direction) -> u64 {
        self.scan_count += 1;
        self.open.insert(self.scan_count, (range, direction));
        self.scan_count
    }

    /// A scan has ended: what it did not reach it has not read.
    pub(crate) fn end_scan(&mut self, number: u64, reached: Reached) {
        let Some((range, direction)) = self.open.remove(&number) else { return };
        match reached {
            Reached::Nothing => {}
            Reached::Key(last) => self.add_range(range.up_to(&last, direction)),
            Reached::End => self.add_range(range),
        }
    }

    /// Counts the scans that are still open as read to their ends.
    pub(crate) fn close_scans(&mut self) {
        for (_, (range, _)) in std::mem::take(&mut self.open) {
            self.add_range(range);
        }
    }

    /// Whether any of these keys was read.
    pub(crate) fn is_contradicted_by(&self, written: &[Bytes]) -> bool {
        self.has_all && !written.is_empty() || written.iter().any(|key| self.contains(key))
    }

    fn contains(&self, key: &[u8]) -> bool {
        if self.keys.contains(key) {
            return true;
        }
        let up_to_key = (std::ops::Bound::Unbounded, std::ops::Bound::Included(key));
        let range = self.ranges.range::<[u8], _>(up_to_key).next_back();
        range.is_some_and(|(_, end)| end.as_deref().is_none_or(|end| key < end))
    }

    /// The last range that starts at or before `end`.
    fn last_at_or_before(&self, end: Option<&[u8]>) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
        let end = end.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Included);
        let (start, end) =
            self.ranges.range::<[u8], _>((std::ops::Bound::Unbounded, end)).next_back()?;
        Some((start.clone(), end.clone()))
    }

    fn check_count(&mut self) {
        if self.keys.len() + self.ranges.len() > ENTRIES_MAX {
            let open = std::mem::take(&mut self.open);
            let scan_count = self.scan_count;
            *self = Self { has_all: true, open, scan_count, ..Self::default() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: &str, end: Option<&str>) -> KeyRange {
        KeyRange { start: start.into(), end: end.map(Into::into) }
    }

    fn hits(set: &ReadSet, key: &'static str) -> bool {
        set.is_contradicted_by(&[Bytes::from_static(b"zz"), Bytes::from_static(key.as_bytes())])
    }

    #[test]
    fn keys_and_ranges_contradict() {
        let mut set = ReadSet::default();
        set.add_key(b"k");
        set.add_range(range("c", Some("e")));
        assert!(hits(&set, "k") && hits(&set, "c") && hits(&set, "dx"));
        assert!(!hits(&set, "e") && !hits(&set, "b") && !hits(&set, "ka"));
    }

    #[test]
    fn ranges_merge() {
        let mut set = ReadSet::default();
        for (start, end) in [("c", "e"), ("g", "i"), ("d", "h"), ("a", "b"), ("x", "a")] {
            set.add_range(range(start, Some(end)));
        }
        assert_eq!(set.ranges.len(), 2);
        assert!(hits(&set, "f") && hits(&set, "a") && !hits(&set, "b") && !hits(&set, "i"));
        set.add_range(range("h", None));
        assert!(hits(&set, "y") && set.ranges.len() == 2);
    }

    #[test]
    fn scans_count_as_far_as_they_went() {
        let mut set = ReadSet::default();
        let whole = || range("c", Some("m"));
        let forward = set.begin_scan(whole(), Direction::Forward);
        set.end_scan(forward, Reached::Key(Bytes::from_static(b"e")));
        let unused = set.begin_scan(whole(), Direction::Forward);
        set.end_scan(unused, Reached::Nothing);
        assert!(hits(&set, "e") && !hits(&set, "ea"));
        let reverse = set.begin_scan(whole(), Direction::Reverse);
        set.end_scan(reverse, Reached::Key(Bytes::from_static(b"k")));
        assert!(hits(&set, "k") && hits(&set, "l") && !hits(&set, "j") && !hits(&set, "m"));
        set.begin_scan(whole(), Direction::Forward);
        set.close_scans();
        assert!(hits(&set, "j"));
    }

    #[test]
    fn too_many_entries_become_everything() {
        let mut set = ReadSet::default();
        for n in 0..=ENTRIES_MAX {
            set.add_key(&n.to_be_bytes());
        }
        assert!(set.has_all && hits(&set, "anything"));
        assert!(!set.is_contradicted_by(&[]));
    }
}
