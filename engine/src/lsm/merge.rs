//! K-way merge of sorted sources.
//!
//! Sources are kept in the order of their current keys. After the first one moved it sinks to its
//! new place; usually it stays first, so that a step costs one comparison. Between sources with
//! equal entries the one given earlier (the newer) comes first.

use std::sync::Arc;

use bytes::Bytes;

use super::internal_key::compare;
use super::iterator::{Cursor, Start};
use super::memtable::MemtableCursor;
use super::sstable::SstableCursor;
use super::version::Version;
use crate::error::Result;
use crate::keyspace::Direction;
use crate::timestamp::Timestamp;

/// One sorted source.
pub(crate) enum Source {
    Memtable(MemtableCursor),
    Sstable(SstableCursor),
    Level(LevelCursor),
}

/// Passes a call on to whichever source it is.
macro_rules! delegate {
    ($self:expr, $cursor:ident => $call:expr) => {
        match $self {
            Source::Memtable($cursor) => $call,
            Source::Sstable($cursor) => $call,
            Source::Level($cursor) => $call,
        }
    };
}

impl Cursor for Source {
    fn seek(&mut self, start: Start<'_>) -> Result<()> {
        delegate!(self, cursor => cursor.seek(start))
    }

    fn advance(&mut self) -> Result<()> {
        delegate!(self, cursor => cursor.advance())
    }

    fn key(&self) -> Option<&[u8]> {
        delegate!(self, cursor => cursor.key())
    }

    fn ts(&self) -> Timestamp {
        delegate!(self, cursor => cursor.ts())
    }

    fn value(&self) -> Option<Bytes> {
        delegate!(self, cursor => cursor.value())
    }

    fn is_tombstone(&self) -> bool {
        delegate!(self, cursor => cursor.is_tombstone())
    }
}

/// A position in a level whose files are disjoint: at most one of them is open at a time.
pub(crate) struct LevelCursor {
    version: Arc<Version>,
    level: usize,
    /// Files without anything newer are skipped.
    since: Timestamp,
    direction: Direction,
    at: usize,
    cursor: Option<SstableCursor>,
}

impl LevelCursor {
    /// Requires: `level` is 1 or deeper.
    pub(crate) fn new(
        version: Arc<Version>,
        level: usize,
        since: Timestamp,
        direction: Direction,
    ) -> Self {
        Self { version, level, since, direction, at: 0, cursor: None }
    }

    fn next_after(&self, at: usize) -> Option<usize> {
        match self.direction {
            Direction::Forward => at.checked_add(1),
            Direction::Reverse => at.checked_sub(1),
        }
    }

    /// Opens the file at `at`, or the next one in walking order that has something new enough.
    fn open(&mut self, mut at: Option<usize>, start: Start<'_>) -> Result<()> {
        self.cursor = None;
        let files = self.version.level(self.level);
        while let Some(sstable) = at.and_then(|at| files.get(at)) {
            if sstable.meta().properties.last_ts > self.since {
                let mut cursor = sstable.cursor(self.direction);
                cursor.seek(start)?;
                self.at = at.unwrap_or_default();
                self.cursor = Some(cursor);
                break;
            }
            at = at.and_then(|at| self.next_after(at));
        }
        Ok(())
    }

    fn skip_exhausted(&mut self) -> Result<()> {
        while self.cursor.as_ref().is_some_and(|cursor| cursor.key().is_none()) {
            self.open(self.next_after(self.at), Start::Beginning)?;
        }
        Ok(())
    }
}

impl Cursor for LevelCursor {
    fn seek(&mut self, start: Start<'_>) -> Result<()> {
        let files = self.version.level(self.level);
        let at = match (start, self.direction) {
            (Start::Beginning, Direction::Forward) => Some(0),
            (Start::Beginning, Direction::Reverse) => files.len().checked_sub(1),
            (Start::Bound(key), Direction::Forward) => Some(self.version.position(self.level, key)),
            (Start::Bound(key), Direction::Reverse) => files
                .partition_point(|file| file.meta().properties.smallest.as_slice() < key)
                .checked_sub(1),
        };
        self.open(at, start)?;
        self.skip_exhausted()
    }

    fn advance(&mut self) -> Result<()> {
        if let Some(cursor) = &mut self.cursor {
            cursor.advance()?;
        }
        self.skip_exhausted()
    }

    fn key(&self) -> Option<&[u8]> {
        self.cursor.as_ref()?.key()
    }

    fn ts(&self) -> Timestamp {
        self.cursor.as_ref().map_or(Timestamp(0), Cursor::ts)
    }

    fn value(&self) -> Option<Bytes> {
        self.cursor.as_ref()?.value()
    }

    fn is_tombstone(&self) -> bool {
        self.cursor.as_ref().is_none_or(Cursor::is_tombstone)
    }
}

/// A position in the merged order of several sources.
pub(crate) struct Merge {
    sources: Vec<Source>,
    /// Indexes of the sources that are not exhausted, first entry first.
    order: Vec<usize>,
    direction: Direction,
}

impl Merge {
    /// Merges `sources`, newest first, that all walk in `direction`. Unpositioned.
    pub(crate) fn new(sources: Vec<Source>, direction: Direction) -> Self {
        Self { sources, order: Vec::new(), direction }
    }

    fn is_before(&self, a: usize, b: usize) -> bool {
        let (first, second) = (&self.sources[a], &self.sources[b]);
        let (Some(key), Some(other)) = (first.key(), second.key()) else {
            return first.key().is_some();
        };
        let ordering = compare((key, first.ts()), (other, second.ts()));
        let ordering = match self.direction {
            Direction::Forward => ordering,
            Direction::Reverse => ordering.reverse(),
        };
        ordering.then(a.cmp(&b)).is_lt()
    }

    /// Which of the sources given to [`Merge::new`] the current entry comes from.
    pub(crate) fn source(&self) -> Option<usize> {
        self.order.first().copied()
    }

    fn first(&self) -> Option<&Source> {
        self.order.first().map(|&index| &self.sources[index])
    }
}

impl Cursor for Merge {
    fn seek(&mut self, start: Start<'_>) -> Result<()> {
        self.order.clear();
        for source in &mut self.sources {
            source.seek(start)?;
        }
        for index in 0..self.sources.len() {
            if self.sources[index].key().is_some() {
                let at = self.order.partition_point(|&other| self.is_before(other, index));
                self.order.insert(at, index);
            }
        }
        Ok(())
    }

    fn advance(&mut self) -> Result<()> {
        let Some(&moved) = self.order.first() else { return Ok(()) };
        self.sources[moved].advance()?;
        if self.sources[moved].key().is_none() {
            self.order.remove(0);
            return Ok(());
        }
        let mut at = 0;
        while let Some(&next) = self.order.get(at + 1) {
            if self.is_before(moved, next) {
                break;
            }
            self.order.swap(at, at + 1);
            at += 1;
        }
        Ok(())
    }

    fn key(&self) -> Option<&[u8]> {
        self.first()?.key()
    }

    fn ts(&self) -> Timestamp {
        self.first().map_or(Timestamp(0), Cursor::ts)
    }

    fn value(&self) -> Option<Bytes> {
        self.first()?.value()
    }

    fn is_tombstone(&self) -> bool {
        self.first().is_none_or(Cursor::is_tombstone)
    }
}
