//! A segment, and what ended in it.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::manifest::{Ended, Kind};
use crate::env::Vfs;
use crate::error::Result;
use crate::timestamp::Timestamp;

/// The bytes of a new segment, and which of its items have ended already.
pub(in crate::index) struct Built {
    pub bytes: Vec<u8>,
    pub ended: Ended,
}

/// An open segment file: items by number, each a version of a row.
pub(in crate::index) trait Segment: Sized + Send + Sync {
    /// What its files are.
    const KIND: Kind;

    /// Opens a file.
    ///
    /// # Errors
    /// `Io`, `Corruption`, `Unusable` when it is of a newer format.
    fn open(vfs: &dyn Vfs, path: &Path) -> Result<Self>;

    /// Bytes of the file.
    fn len(&self) -> usize;

    /// How many items it has, ended ones included.
    fn item_count(&self) -> u32;

    /// A checksum of the whole file, as the file states it: tells it from others of its kind.
    fn fingerprint(&self) -> u32;

    /// The `index`th item in the order of row keys, then of their begins, and its row key.
    ///
    /// # Errors
    /// `Corruption`.
    fn ordered(&self, index: u32) -> Result<(u32, &[u8])>;

    /// Checks the whole file, whatever was checked before.
    ///
    /// # Errors
    /// `Corruption`.
    fn check(&self) -> Result<()>;

    /// A segment that holds what `parts` (oldest first) hold, except what ended at or before
    /// `oldest`; `None` when that is nothing.
    ///
    /// # Errors
    /// `Corruption`, `Internal`.
    fn merge(parts: &[Part<Self>], oldest: Timestamp) -> Result<Option<Built>>;
}

/// A segment, and when its items ended. Segments never change; what ended does.
pub(in crate::index) struct Part<S> {
    /// The number in the file's name.
    pub id: u64,
    pub segment: Arc<S>,
    pub ended: Arc<Ended>,
}

impl<S> Clone for Part<S> {
    fn clone(&self) -> Self {
        let (segment, ended) = (Arc::clone(&self.segment), Arc::clone(&self.ended));
        Self { id: self.id, segment, ended }
    }
}

impl<S: Segment> Part<S> {
    /// When an item ended; [`Timestamp::MAX`] when no segment knows of an end.
    #[inline]
    pub fn end(&self, item: u32) -> Timestamp {
        if self.ended.is_empty() {
            return Timestamp::MAX;
        }
        self.ended.get(&item).copied().unwrap_or(Timestamp::MAX)
    }

    /// Whether a snapshot sees an item that began at `begin`, as far as segments know.
    #[inline]
    pub fn is_visible(&self, item: u32, begin: Timestamp, snapshot: Timestamp) -> bool {
        begin <= snapshot && {
            let end = self.end(item);
            // `MAX` as a snapshot sees what has not ended.
            snapshot < end || end == Timestamp::MAX
        }
    }

    /// The part with the ends that these changes bring about: rows in key order, and when each
    /// changed first.
    ///
    /// # Errors
    /// `Corruption`.
    pub fn ended_by(&self, changes: &[(Bytes, Timestamp)]) -> Result<Self> {
        let mut ends = Vec::new();
        let mut index = 0;
        for (row_key, end) in changes {
            index = first_not_below(&*self.segment, row_key, index)?;
            while index < self.segment.item_count() {
                let (item, found) = self.segment.ordered(index)?;
                if found != row_key {
                    break;
                }
                if self.end(item) == Timestamp::MAX {
                    ends.push((item, *end));
                }
                index += 1;
            }
        }
        if ends.is_empty() {
            return Ok(self.clone());
        }
        let mut ended = Ended::clone(&self.ended);
        ended.extend(ends);
        Ok(Self { ended: Arc::new(ended), ..self.clone() })
    }
}

/// The first index from `start` on whose row key is not below `row_key`. Looks ahead in growing
/// steps, so a walk over many rows in order costs little for each.
fn first_not_below<S: Segment>(segment: &S, row_key: &[u8], start: u32) -> Result<u32> {
    let count = segment.item_count();
    let (mut low, mut step) = (start, 1);
    while low < count && segment.ordered((low + step - 1).min(count - 1))?.1 < row_key {
        low = low.saturating_add(step).min(count);
        step = step.saturating_mul(2).min(count);
    }
    let mut high = low.saturating_add(step).min(count);
    while low < high {
        let middle = low.midpoint(high);
        if segment.ordered(middle)?.1 < row_key { low = middle + 1 } else { high = middle }
    }
    Ok(low)
}
