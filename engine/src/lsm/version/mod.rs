//! Version: the immutable set of live files, level by level.
//!
//! A [`Version`] is a [`Shape`] (plain data, which policy decides on) and the open sstables it
//! names. Readers hold the version they began with; files that later versions do not name stay
//! until the last reader is gone.

mod edit;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
pub(crate) mod manifest;
mod shape;

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

pub(crate) use edit::Edit;
pub use manifest::FORMAT_VERSION;
pub(crate) use manifest::{Manifest, read_current, read_manifest, written_behind};
pub(crate) use shape::{DropMark, LEVEL_COUNT, Shape, range_touches};

use super::block_cache::BlockCache;
use super::internal_key::key_head;
use super::sstable::Sstable;
use crate::env::{Env, FileId};
use crate::error::Result;
use crate::keyspace::KeyRange;
use crate::timestamp::Timestamp;

/// The live files, open.
pub(crate) struct Version {
    shape: Shape,
    /// In the order of the shape's levels.
    levels: [Vec<Arc<Sstable>>; LEVEL_COUNT],
    /// The heads of the files' largest keys, for finding a file without going to each.
    heads: [Vec<u128>; LEVEL_COUNT],
}

/// What a reader knows of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Nothing.
    Unknown,
    /// It is there, with few exceptions: the last level's filter would only say so.
    Likely,
}

impl Version {
    /// Opens the files of `shape`, taking those that `known` has open already.
    ///
    /// # Errors
    /// `Corruption`, `Unusable`, `Io`.
    pub(crate) fn open(
        env: &Env,
        dir: &Path,
        cache: &Arc<BlockCache>,
        shape: Shape,
        known: &[Arc<Sstable>],
    ) -> Result<Self> {
        let mut levels: [Vec<Arc<Sstable>>; LEVEL_COUNT] = Default::default();
        let known: std::collections::HashMap<FileId, &Arc<Sstable>> =
            known.iter().map(|sstable| (sstable.meta().id, sstable)).collect();
        for (level, file) in shape.files() {
            let sstable = match known.get(&file.id) {
                Some(sstable) => Arc::clone(sstable),
                None => {
                    let meta = file.as_ref().clone();
                    Arc::new(Sstable::open(env, dir, meta, cache.clone())?)
                }
            };
            levels[level].push(sstable);
        }
        let largest = |file: &Arc<Sstable>| key_head(&file.meta().properties.largest);
        let heads = levels.each_ref().map(|files| files.iter().map(largest).collect());
        Ok(Self { shape, levels, heads })
    }

    /// Which files are live.
    pub(crate) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The open files of a level.
    pub(crate) fn level(&self, level: usize) -> &[Arc<Sstable>] {
        self.levels.get(level).map_or(&[], Vec::as_slice)
    }

    /// The position of the first file of a level that ends at or after `key`: the only one that may
    /// hold it. Requires: `level` is 1 or deeper.
    #[inline]
    pub(crate) fn position(&self, level: usize, key: &[u8]) -> usize {
        let (files, heads) = (&self.levels[level], &self.heads[level]);
        let wanted = key_head(key);
        let first = heads.partition_point(|head| *head < wanted);
        let ends_before = |at: &usize| {
            heads[*at] == wanted && files[*at].meta().properties.largest.as_slice() < key
        };
        first + (first..files.len()).take_while(ends_before).count()
    }

    /// The files of a level that may hold keys of a range. Requires: `level` is 1 or deeper.
    pub(crate) fn touching(&self, level: usize, range: &KeyRange) -> &[Arc<Sstable>] {
        let files = &self.levels[level][self.position(level, &range.start)..];
        let Some(end) = &range.end else { return files };
        &files[..files.partition_point(|file| file.meta().properties.smallest < *end)]
    }

    /// All open files.
    pub(crate) fn sstables(&self) -> impl Iterator<Item = &Arc<Sstable>> {
        self.levels.iter().flatten()
    }

    /// The open file of this number.
    pub(crate) fn sstable(&self, id: FileId) -> Option<&Arc<Sstable>> {
        self.sstables().find(|sstable| sstable.meta().id == id)
    }

    /// Whether this row version was given up by a dropped range.
    #[inline]
    pub(crate) fn is_dropped(&self, key: &[u8], ts: Timestamp) -> bool {
        !self.shape.drops.is_empty() && self.shape.drops.iter().any(|mark| mark.covers(key, ts))
    }

    /// The newest version of `key` at or below `ts`; an inner `None` is a tombstone.
    ///
    /// Newest files first; by V-2 the first answer is the newest version.
    ///
    /// # Errors
    /// `Corruption`.
    pub(crate) fn get(
        &self,
        key: &[u8],
        hash: u64,
        ts: Timestamp,
        presence: Presence,
    ) -> Result<Option<(Timestamp, Option<Bytes>)>> {
        let last = self.levels.iter().rposition(|level| !level.is_empty());
        for sstable in self.level(0) {
            if sstable.meta().properties.spans(key)
                && let Some(found) = sstable.get(key, Some(hash), ts)?
            {
                return Ok(Some(found));
            }
        }
        for (number, level) in self.levels.iter().enumerate().skip(1) {
            let Some(sstable) = level.get(self.position(number, key)) else { continue };
            let is_certain = presence == Presence::Likely && last == Some(number);
            let hash = (!is_certain).then_some(hash);
            if sstable.meta().properties.smallest.as_slice() <= key
                && let Some(found) = sstable.get(key, hash, ts)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}
