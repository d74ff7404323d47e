//! Recent writes, sorted in memory: one active memtable, then sealed until its flush.
//!
//! A lock-free skip list keyed by (user key ascending, timestamp descending). Keys and values are
//! slices of one allocation per batch. When a newer version of a key arrives and an older one is
//! needed by no snapshot, the older one is removed at once, so that a counter that was updated a
//! million times stays two entries.
//!
//! # Invariants
//! M-1: a sealed memtable never changes.
//!
//! # Locking
//! Any number of readers; one writer at a time, which the caller sees to.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use crossbeam_skiplist::SkipMap;
use crossbeam_skiplist::map::Entry;

use super::batch::Operation;
use super::internal_key::compare;
use super::iterator::{Cursor, Start};
use super::key_filter::KeyFilter;
use super::sstable::filter::key_hash;
use crate::env::FileId;
use crate::error::Result;
use crate::keyspace::{Direction, KeyRange};
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering as Memory};
use crate::timestamp::Timestamp;

/// The most entries that a [`MemtableCursor`] reads ahead. 64: enough to spread the cost of a seek.
const CHUNK_COUNT_MAX: usize = 64;
/// What a skip-list node takes besides its key and value bytes: two handles, a tower, the counters.
const ENTRY_OVERHEAD_LEN: usize = 112;

struct MemKey {
    key: Bytes,
    ts: Timestamp,
}

/// A key to look for without owning it; the skip list compares through this.
trait KeyParts {
    fn parts(&self) -> (&[u8], Timestamp);
}

impl KeyParts for MemKey {
    fn parts(&self) -> (&[u8], Timestamp) {
        (&self.key, self.ts)
    }
}

impl KeyParts for (&[u8], Timestamp) {
    fn parts(&self) -> (&[u8], Timestamp) {
        *self
    }
}

impl<'a> Borrow<dyn KeyParts + 'a> for MemKey {
    fn borrow(&self) -> &(dyn KeyParts + 'a) {
        self
    }
}

impl Ord for dyn KeyParts + '_ {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(self.parts(), other.parts())
    }
}

impl PartialOrd for dyn KeyParts + '_ {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for dyn KeyParts + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for dyn KeyParts + '_ {}

impl Ord for MemKey {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(self.parts(), other.parts())
    }
}

impl PartialOrd for MemKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for MemKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for MemKey {}

type Node<'a> = Entry<'a, MemKey, Option<Bytes>>;

/// Recent writes in memory.
pub(crate) struct Memtable {
    map: SkipMap<MemKey, Option<Bytes>>,
    keys: KeyFilter,
    /// The WAL segment that its first commit is in.
    first_segment: FileId,
    len_bytes: AtomicU64,
    first_ts: AtomicU64,
    last_ts: AtomicU64,
    is_sealed: AtomicBool,
}

impl Memtable {
    pub(crate) fn new(first_segment: FileId) -> Self {
        Self {
            map: SkipMap::new(),
            keys: KeyFilter::default(),
            first_segment,
            len_bytes: AtomicU64::new(0),
            first_ts: AtomicU64::new(u64::MAX),
            last_ts: AtomicU64::new(0),
            is_sealed: AtomicBool::new(false),
        }
    }

    /// Applies a batch. `operations` point into `bytes`. No snapshot before `oldest` is read.
    ///
    /// Requires: one writer at a time, timestamps strictly increasing, not sealed.
    pub(crate) fn apply(
        &self,
        ts: Timestamp,
        bytes: &Bytes,
        operations: impl Iterator<Item = Operation>,
        oldest: Timestamp,
    ) {
        assert!(!self.is_sealed.load(Memory::Relaxed), "M-1: a sealed memtable never changes");
        let mut count = 0;
        for Operation { key, value } in operations {
            let key = bytes.slice(key);
            self.keys.insert(key_hash(&key));
            let value = value.map(|value| bytes.slice(value));
            let node = self.map.insert(MemKey { key, ts }, value);
            self.remove_invisible(&node, oldest);
            count += 1;
        }
        // What was removed is not subtracted: the WAL, which the memtable stands for, did not
        // shrink either, and this count is what bounds both.
        let len = bytes.len() + count * ENTRY_OVERHEAD_LEN;
        self.len_bytes.fetch_add(len as u64, Memory::Relaxed);
        self.first_ts.fetch_min(ts.0, Memory::Relaxed);
        self.last_ts.store(ts.0, Memory::Release);
    }

    /// Removes the versions behind `node` that are older than the newest one at or below `oldest`.
    fn remove_invisible(&self, node: &Node<'_>, oldest: Timestamp) {
        let key = &node.key().key;
        let is_same = |other: &Node<'_>| other.key().key == *key;
        let Some(mut previous) = node.next().filter(is_same) else { return };
        if previous.key().ts > oldest {
            // A long-lived snapshot may have left many versions between; skip them.
            let wanted: &dyn KeyParts = &(key.as_ref(), oldest);
            let Some(found) = self.map.lower_bound(Bound::Included(wanted)).filter(is_same) else {
                return;
            };
            previous = found;
        }
        while let Some(older) = previous.next().filter(is_same) {
            older.remove();
        }
    }

    /// The newest version of `key` at or below `ts`; an inner `None` is a tombstone. `hash` is the
    /// key's [`key_hash`].
    pub(crate) fn get(
        &self,
        key: &[u8],
        hash: u64,
        ts: Timestamp,
    ) -> Option<(Timestamp, Option<Bytes>)> {
        if !self.keys.may_contain(hash) {
            return None;
        }
        let wanted: &dyn KeyParts = &(key, ts);
        let node = self.map.lower_bound(Bound::Included(wanted))?;
        (node.key().key == key).then(|| (node.key().ts, node.value().clone()))
    }

    /// From now on it never changes (M-1).
    pub(crate) fn seal(&self) {
        self.is_sealed.store(true, Memory::Relaxed);
    }

    /// Whether nothing was written.
    pub(crate) fn is_empty(&self) -> bool {
        self.last_ts.load(Memory::Acquire) == 0
    }

    /// Bytes that were written, including those of versions removed since.
    pub(crate) fn len_bytes(&self) -> u64 {
        self.len_bytes.load(Memory::Relaxed)
    }

    /// Entries in it.
    pub(crate) fn entry_count(&self) -> usize {
        self.map.len()
    }

    /// The timestamp of its last commit.
    pub(crate) fn last_ts(&self) -> Timestamp {
        Timestamp(self.last_ts.load(Memory::Acquire))
    }

    /// The WAL segment that its first commit is in.
    pub(crate) fn first_segment(&self) -> FileId {
        self.first_segment
    }

    /// How many versions lie in a key range: they are counted one by one.
    pub(crate) fn count(self: &Arc<Self>, range: &KeyRange) -> Result<u64> {
        let mut cursor = self.cursor(Timestamp::MAX, Direction::Forward);
        cursor.seek(Start::Bound(&range.start))?;
        let mut count = 0;
        while cursor.key().is_some_and(|key| range.contains(key)) {
            count += 1;
            cursor.advance()?;
        }
        Ok(count)
    }

    /// A cursor over the versions at or below `ts`.
    pub(crate) fn cursor(self: &Arc<Self>, ts: Timestamp, direction: Direction) -> MemtableCursor {
        MemtableCursor {
            memtable: self.clone(),
            ts,
            direction,
            chunk: Vec::new(),
            at: 0,
            chunk_len: 1,
        }
    }
}

struct Version {
    key: Bytes,
    ts: Timestamp,
    value: Option<Bytes>,
}

/// A position in a memtable, with its own reference to it.
///
/// Reads ahead in chunks that grow, so that a scan of one row stays cheap and a long one does not
/// search the skip list for each entry.
pub(crate) struct MemtableCursor {
    memtable: Arc<Memtable>,
    ts: Timestamp,
    direction: Direction,
    chunk: Vec<Version>,
    at: usize,
    chunk_len: usize,
}

impl MemtableCursor {
    /// Reads a chunk that begins with `node`.
    fn fill(&mut self, node: Option<Node<'_>>) {
        self.chunk.clear();
        self.at = 0;
        let mut next = node;
        while let Some(node) = next {
            if node.key().ts <= self.ts {
                let (key, ts) = (node.key().key.clone(), node.key().ts);
                self.chunk.push(Version { key, ts, value: node.value().clone() });
                if self.chunk.len() == self.chunk_len {
                    break;
                }
            }
            next = match self.direction {
                Direction::Forward => node.next(),
                Direction::Reverse => node.prev(),
            };
        }
        self.chunk_len = (self.chunk_len * 4).min(CHUNK_COUNT_MAX);
    }

    /// Reads the chunk that follows the last entry read.
    fn refill(&mut self) {
        let Some(last) = self.chunk.pop() else { return };
        let memtable = self.memtable.clone();
        let wanted: &dyn KeyParts = &(last.key.as_ref(), last.ts);
        self.fill(match self.direction {
            Direction::Forward => memtable.map.lower_bound(Bound::Excluded(wanted)),
            Direction::Reverse => memtable.map.upper_bound(Bound::Excluded(wanted)),
        });
    }

    fn here(&self) -> Option<&Version> {
        self.chunk.get(self.at)
    }
}

impl Cursor for MemtableCursor {
    fn seek(&mut self, start: Start<'_>) -> Result<()> {
        self.chunk_len = 1;
        let memtable = self.memtable.clone();
        let map = &memtable.map;
        // The newest possible version sorts before all real ones of its key: forward it is where
        // the key begins, in reverse where the keys before it end.
        self.fill(match (start, self.direction) {
            (Start::Beginning, Direction::Forward) => map.front(),
            (Start::Beginning, Direction::Reverse) => map.back(),
            (Start::Bound(key), direction) => {
                let newest: &dyn KeyParts = &(key, Timestamp::MAX);
                match direction {
                    Direction::Forward => map.lower_bound(Bound::Included(newest)),
                    Direction::Reverse => map.upper_bound(Bound::Excluded(newest)),
                }
            }
        });
        Ok(())
    }

    fn advance(&mut self) -> Result<()> {
        self.at += 1;
        if self.at >= self.chunk.len() {
            self.refill();
        }
        Ok(())
    }

    fn key(&self) -> Option<&[u8]> {
        self.here().map(|version| version.key.as_ref())
    }

    fn ts(&self) -> Timestamp {
        self.here().map_or(Timestamp(0), |version| version.ts)
    }

    fn value(&self) -> Option<Bytes> {
        self.here()?.value.clone()
    }

    fn is_tombstone(&self) -> bool {
        self.here().is_none_or(|version| version.value.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(memtable: &Memtable, key: &[u8], ts: Timestamp) -> Option<(Timestamp, Option<Bytes>)> {
        memtable.get(key, key_hash(key), ts)
    }
    use crate::lsm::batch::{Batch, operations};

    fn apply(memtable: &Memtable, ts: u64, oldest: u64, batch: &Batch) {
        let bytes = Bytes::copy_from_slice(batch.as_bytes());
        let operations = operations(batch.as_bytes()).unwrap().map(Option::unwrap);
        memtable.apply(Timestamp(ts), &bytes, operations, Timestamp(oldest));
    }

    fn put(memtable: &Memtable, ts: u64, oldest: u64, key: &str, value: &str) {
        let mut batch = Batch::new();
        batch.put(key.as_bytes(), value.as_bytes());
        apply(memtable, ts, oldest, &batch);
    }

    fn walk(memtable: &Arc<Memtable>, ts: u64, direction: Direction, start: Start<'_>) -> String {
        let mut cursor = memtable.cursor(Timestamp(ts), direction);
        cursor.seek(start).unwrap();
        let mut out = Vec::new();
        while let Some(key) = cursor.key() {
            out.push(format!("{}@{}", String::from_utf8_lossy(key), cursor.ts().0));
            cursor.advance().unwrap();
        }
        out.join(" ")
    }

    #[test]
    fn snapshots_see_their_versions() {
        let memtable = Memtable::new(FileId(1));
        put(&memtable, 5, 0, "k", "five");
        put(&memtable, 9, 0, "k", "nine");
        let seen = |ts| get(&memtable, b"k", Timestamp(ts)).map(|(ts, _)| ts.0);
        assert_eq!(
            [seen(4), seen(5), seen(8), seen(9), seen(100)].map(|t| t.unwrap_or(0)),
            [0, 5, 5, 9, 9]
        );
        assert_eq!(get(&memtable, b"", Timestamp(100)), None);
        assert_eq!(get(&memtable, b"kk", Timestamp(100)), None);
    }

    #[test]
    fn a_counter_stays_small() {
        let memtable = Memtable::new(FileId(1));
        for ts in 1..=1000 {
            put(&memtable, ts, ts - 1, "counter", &ts.to_string());
        }
        assert_eq!(memtable.entry_count(), 2);
        assert_eq!(get(&memtable, b"counter", Timestamp(999)).unwrap().0, Timestamp(999));
        // A snapshot at 1000 keeps its version, whatever comes after.
        for ts in 1001..=2000 {
            put(&memtable, ts, 1000, "counter", &ts.to_string());
        }
        assert_eq!(get(&memtable, b"counter", Timestamp(1000)).unwrap().0, Timestamp(1000));
        put(&memtable, 2001, 2000, "counter", "x");
        assert_eq!(memtable.entry_count(), 2);
    }

    #[test]
    fn cursors_walk_both_ways() {
        let memtable = Arc::new(Memtable::new(FileId(1)));
        for (ts, key) in ["b", "a", "c", "b", "ab"].iter().enumerate() {
            put(&memtable, ts as u64 + 1, 0, key, "v");
        }
        let forward = "a@2 ab@5 b@4 b@1 c@3";
        assert_eq!(walk(&memtable, 9, Direction::Forward, Start::Beginning), forward);
        assert_eq!(
            walk(&memtable, 9, Direction::Reverse, Start::Beginning),
            "c@3 b@1 b@4 ab@5 a@2"
        );
        assert_eq!(walk(&memtable, 3, Direction::Forward, Start::Bound(b"aa")), "b@1 c@3");
        assert_eq!(walk(&memtable, 9, Direction::Reverse, Start::Bound(b"b")), "ab@5 a@2");
        assert_eq!(walk(&memtable, 9, Direction::Forward, Start::Bound(b"d")), "");
    }

    #[test]
    fn the_last_operation_of_a_batch_wins() {
        let memtable = Memtable::new(FileId(1));
        let mut batch = Batch::new();
        batch.put(b"k", b"first");
        batch.delete(b"k");
        apply(&memtable, 3, 0, &batch);
        assert_eq!(get(&memtable, b"k", Timestamp(3)), Some((Timestamp(3), None)));
    }
}
