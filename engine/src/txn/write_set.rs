//! The uncommitted writes of one transaction, and reading through them.
//!
//! Every write is tagged with the number of its statement, and all writes of a key are kept: a
//! reader of statement `n` sees the newest write of a statement before `n`. So a scan that is
//! under way is not disturbed by later writes, and going back to a savepoint is taking writes off
//! the end.
//!
//! Kept in memory and bounded ([`Options::transaction_len_max`](crate::Options)).

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;

use crate::error::{Error, Result};
use crate::keyspace::{Direction, KeyRange};

/// What a write costs in memory beside its key and value: map node, version and undo entry.
const OVERHEAD_LEN: usize = 160;

/// Numbers the statements of a transaction.
pub(crate) type Statement = u32;

#[derive(Debug)]
struct Version {
    statement: Statement,
    value: Option<Bytes>,
}

/// One key's writes. Nearly every key has one, which needs no second allocation.
#[derive(Debug)]
struct Versions {
    newest: Version,
    older: Vec<Version>,
}

impl Versions {
    fn before(&self, statement: Statement) -> Option<&Version> {
        if self.newest.statement < statement {
            return Some(&self.newest);
        }
        self.older.iter().rev().find(|version| version.statement < statement)
    }
}

/// Uncommitted writes, by key.
#[derive(Debug, Default)]
pub(crate) struct WriteSet {
    keys: BTreeMap<Bytes, Versions>,
    /// The keys in the order they were written.
    undo: Vec<Bytes>,
    len: usize,
}

impl WriteSet {
    /// Records a write; `None` removes the key.
    ///
    /// # Errors
    /// `Limit` when the set would hold more than `len_max` bytes; then it is unchanged.
    pub(crate) fn record(
        &mut self,
        statement: Statement,
        key: &[u8],
        value: Option<Bytes>,
        len_max: usize,
    ) -> Result<()> {
        let len = self.len.saturating_add(entry_len(key, value.as_ref()));
        if len > len_max {
            return Err(Error::limit("transaction_len_max", len_max as u64, len as u64));
        }
        self.len = len;
        let version = Version { statement, value };
        let key = match self.keys.get_key_value(key) {
            Some((key, _)) => key.clone(),
            None => Bytes::copy_from_slice(key),
        };
        self.undo.push(key.clone());
        match self.keys.entry(key) {
            std::collections::btree_map::Entry::Vacant(slot) => {
                slot.insert(Versions { newest: version, older: Vec::new() });
            }
            std::collections::btree_map::Entry::Occupied(mut slot) => {
                let versions = slot.get_mut();
                versions.older.push(std::mem::replace(&mut versions.newest, version));
            }
        }
        Ok(())
    }

    /// What statements before `statement` wrote to `key`; the inner `None` is a removal.
    pub(crate) fn get(&self, key: &[u8], statement: Statement) -> Option<Option<Bytes>> {
        Some(self.keys.get(key)?.before(statement)?.value.clone())
    }

    /// What was last written to `key`, by whatever statement.
    pub(crate) fn get_newest(&self, key: &[u8]) -> Option<Option<Bytes>> {
        Some(self.keys.get(key)?.newest.value.clone())
    }

    /// Up to `count` writes in `range` that statements before `statement` made, in the given
    /// order.
    pub(crate) fn range(
        &self,
        range: &KeyRange,
        statement: Statement,
        direction: Direction,
        count: usize,
    ) -> Vec<(Bytes, Option<Bytes>)> {
        if range.end.as_ref().is_some_and(|end| *end <= range.start) {
            return Vec::new();
        }
        let end = match &range.end {
            Some(end) => Bound::Excluded(end.as_slice()),
            None => Bound::Unbounded,
        };
        let keys = self.keys.range::<[u8], _>((Bound::Included(range.start.as_slice()), end));
        let visible = |(key, versions): (&Bytes, &Versions)| {
            Some((key.clone(), versions.before(statement)?.value.clone()))
        };
        match direction {
            Direction::Forward => keys.filter_map(visible).take(count).collect(),
            Direction::Reverse => keys.rev().filter_map(visible).take(count).collect(),
        }
    }

    /// The final value of every written key, in key order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Bytes, Option<&Bytes>)> {
        self.keys.iter().map(|(key, versions)| (key, versions.newest.value.as_ref()))
    }

    /// Whether nothing is written.
    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many writes were made and not taken back. A savepoint is this number.
    pub(crate) fn count(&self) -> usize {
        self.undo.len()
    }

    /// Takes back the newest writes until `count` are left.
    pub(crate) fn truncate(&mut self, count: usize) {
        while self.undo.len() > count {
            let Some(key) = self.undo.pop() else { break };
            let Some(versions) = self.keys.get_mut(&key) else { continue };
            self.len -= entry_len(&key, versions.newest.value.as_ref());
            match versions.older.pop() {
                Some(version) => versions.newest = version,
                None => drop(self.keys.remove(&key)),
            }
        }
    }
}

fn entry_len(key: &[u8], value: Option<&Bytes>) -> usize {
    key.len() + value.map_or(0, Bytes::len) + OVERHEAD_LEN
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Option<Bytes> {
        Some(Bytes::copy_from_slice(text.as_bytes()))
    }

    fn set(writes: &[(Statement, &str, Option<&str>)]) -> WriteSet {
        let mut set = WriteSet::default();
        for (statement, key, text) in writes {
            set.record(*statement, key.as_bytes(), text.and_then(value), usize::MAX).unwrap();
        }
        set
    }

    #[test]
    fn a_statement_sees_earlier_ones_only() {
        let set = set(&[(1, "a", Some("1")), (2, "a", Some("2")), (3, "a", None)]);
        assert_eq!(set.get(b"a", 1), None);
        assert_eq!(set.get(b"a", 2), Some(value("1")));
        assert_eq!(set.get(b"a", 3), Some(value("2")));
        assert_eq!(set.get(b"a", 4), Some(None));
        assert_eq!(set.get_newest(b"a"), Some(None));
    }

    #[test]
    fn ranges_go_both_ways_and_stop_at_the_count() {
        let set = set(&[(1, "a", Some("1")), (1, "b", None), (2, "c", Some("3")), (1, "d", None)]);
        let keys = |direction, count| -> Vec<Bytes> {
            let range = KeyRange { start: b"a".to_vec(), end: Some(b"d".to_vec()) };
            set.range(&range, 2, direction, count).into_iter().map(|(key, _)| key).collect()
        };
        assert_eq!(keys(Direction::Forward, 9), ["a", "b"]);
        assert_eq!(keys(Direction::Reverse, 9), ["b", "a"]);
        assert_eq!(keys(Direction::Reverse, 1), ["b"]);
        let empty = KeyRange { start: b"c".to_vec(), end: Some(b"a".to_vec()) };
        assert!(set.range(&empty, 9, Direction::Forward, 9).is_empty());
    }

    #[test]
    fn truncate_takes_back_in_order() {
        let mut set = set(&[(1, "a", Some("1")), (2, "a", Some("2")), (2, "b", Some("3"))]);
        set.truncate(1);
        assert_eq!(set.get_newest(b"a"), Some(value("1")));
        assert_eq!(set.get_newest(b"b"), None);
        set.truncate(0);
        assert!(set.is_empty());
        assert_eq!(set.len, 0);
    }

    #[test]
    fn the_limit_is_named() {
        let mut set = WriteSet::default();
        let error = set.record(1, b"key", None, 10).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Limit);
        assert!(error.message().contains("transaction_len_max"));
        assert!(set.is_empty());
    }
}
