//! Reading a key range as of a timestamp.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::compaction::retention::Horizon;
use super::iterator::{Cursor, Start};
use super::merge::Merge;
use super::version::Version;
use crate::error::Result;
use crate::keyspace::{Direction, KeyRange};
use crate::timestamp::Timestamp;

/// Keys that are handed out share allocations of this length. 4 KiB.
const KEY_CHUNK_LEN: usize = 4 << 10;

/// The visible row versions of a key range, in order: for each key the newest version at or below
/// a timestamp, tombstones left out. Holds its own references: later writes, flushes and
/// compactions do not change what it yields.
pub struct LsmScan {
    merge: Merge,
    version: Arc<Version>,
    range: KeyRange,
    ts: Timestamp,
    direction: Direction,
    /// The key yielded last, whose other versions are to be skipped.
    key: Vec<u8>,
    keys: BytesMut,
    is_done: bool,
}

impl LsmScan {
    pub(super) fn new(
        merge: Merge,
        version: Arc<Version>,
        range: KeyRange,
        ts: Timestamp,
        direction: Direction,
    ) -> Result<Self> {
        let (key, keys) = (Vec::new(), BytesMut::new());
        let mut scan = Self { merge, version, range, ts, direction, key, keys, is_done: false };
        scan.begin()?;
        Ok(scan)
    }

    fn begin(&mut self) -> Result<()> {
        let start = match (self.direction, &self.range.end) {
            (Direction::Forward, _) => Start::Bound(&self.range.start),
            (Direction::Reverse, Some(end)) => Start::Bound(end),
            (Direction::Reverse, None) => Start::Beginning,
        };
        self.merge.seek(start)
    }

    /// Moves on so that the next item is the first one, in scan order, at or after `key` (in
    /// reverse: at or before it). Cheap compared with a new scan; may move back, too.
    ///
    /// # Errors
    /// `Corruption`.
    pub fn seek(&mut self, key: &[u8]) -> Result<()> {
        self.is_done = false;
        match self.direction {
            Direction::Forward if key <= self.range.start.as_slice() => self.begin(),
            Direction::Forward => self.merge.seek(Start::Bound(key)),
            Direction::Reverse if self.range.end.as_deref().is_some_and(|end| key >= end) => {
                self.begin()
            }
            Direction::Reverse => {
                let mut behind = key.to_vec();
                behind.push(0); // the first key after `key`
                self.merge.seek(Start::Bound(&behind))
            }
        }
    }

    /// Whether a key that the scan came to is still in the range: it began inside.
    fn is_inside(&self, key: &[u8]) -> bool {
        match self.direction {
            Direction::Forward => self.range.end.as_deref().is_none_or(|end| key < end),
            Direction::Reverse => key >= self.range.start.as_slice(),
        }
    }

    /// Whether the entry under the cursor may be seen.
    fn is_visible(&self, key: &[u8]) -> bool {
        let ts = self.merge.ts();
        ts <= self.ts && !self.version.is_dropped(key, ts)
    }

    fn hand_out(&mut self) -> Bytes {
        if self.keys.capacity() < self.key.len() {
            self.keys.reserve(self.key.len().max(KEY_CHUNK_LEN));
        }
        self.keys.extend_from_slice(&self.key);
        self.keys.split().freeze()
    }

    /// Newest version first: the first visible one counts.
    fn next_forward(&mut self) -> Result<Option<(Bytes, Timestamp, Bytes)>> {
        while let Some(key) = self.merge.key().filter(|key| self.is_inside(key)) {
            if !self.is_visible(key) {
                self.merge.advance()?;
                continue;
            }
            self.key.clear();
            self.key.extend_from_slice(key);
            let (ts, value) = (self.merge.ts(), self.merge.value());
            self.merge.advance()?;
            while self.merge.key() == Some(&self.key) {
                self.merge.advance()?;
            }
            if let Some(value) = value {
                return Ok(Some((self.hand_out(), ts, value)));
            }
        }
        Ok(None)
    }

    /// Oldest version first: the last visible one counts.
    fn next_reverse(&mut self) -> Result<Option<(Bytes, Timestamp, Bytes)>> {
        while let Some(key) = self.merge.key().filter(|key| self.is_inside(key)) {
            self.key.clear();
            self.key.extend_from_slice(key);
            let mut seen = None;
            while let Some(key) = self.merge.key().filter(|key| *key == self.key) {
                if self.is_visible(key) {
                    seen = Some((self.merge.ts(), self.merge.value()));
                }
                self.merge.advance()?;
            }
            if let Some((ts, Some(value))) = seen {
                return Ok(Some((self.hand_out(), ts, value)));
            }
        }
        Ok(None)
    }
}

impl Iterator for LsmScan {
    type Item = Result<(Bytes, Timestamp, Bytes)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done {
            return None;
        }
        let next = match self.direction {
            Direction::Forward => self.next_forward(),
            Direction::Reverse => self.next_reverse(),
        };
        self.is_done = !matches!(next, Ok(Some(_)));
        next.transpose()
    }
}

/// The row versions of a range after a timestamp that some snapshot may see, tombstones included,
/// in key order, the newest of each key first.
pub struct ChangeScan {
    merge: Merge,
    version: Arc<Version>,
    range: KeyRange,
    since: Timestamp,
    horizon: Horizon,
    /// The key of the version met last, and that version's first reader.
    key: Vec<u8>,
    served: Option<usize>,
    is_done: bool,
}

impl ChangeScan {
    pub(super) fn new(
        mut merge: Merge,
        version: Arc<Version>,
        range: KeyRange,
        since: Timestamp,
        horizon: Horizon,
    ) -> Result<Self> {
        merge.seek(Start::Bound(&range.start))?;
        let (key, served) = (Vec::new(), None);
        Ok(Self { merge, version, range, since, horizon, key, served, is_done: false })
    }

    fn step(&mut self) -> Result<Option<(Bytes, Timestamp, Option<Bytes>)>> {
        while let Some(key) = self.merge.key().filter(|key| self.range.contains(key)) {
            if self.key != key {
                self.key.clear();
                self.key.extend_from_slice(key);
                self.served = None;
            }
            let ts = self.merge.ts();
            let reader = self.horizon.first_reader(ts);
            let is_hidden = reader.is_some() && reader == self.served;
            let is_wanted = ts > self.since && !is_hidden && !self.version.is_dropped(key, ts);
            let change = is_wanted.then(|| (Bytes::copy_from_slice(key), ts, self.merge.value()));
            self.served = reader;
            self.merge.advance()?;
            if change.is_some() {
                return Ok(change);
            }
        }
        Ok(None)
    }
}

impl Iterator for ChangeScan {
    type Item = Result<(Bytes, Timestamp, Option<Bytes>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done {
            return None;
        }
        let next = self.step();
        self.is_done = !matches!(next, Ok(Some(_)));
        next.transpose()
    }
}
