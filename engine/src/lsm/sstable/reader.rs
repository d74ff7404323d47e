//! File to entries: opening an sstable, point reads, cursors.
//!
//! The file is mapped. The block index is searched in the mapping; the filter is copied into
//! memory; data blocks are checked and decoded once and then live in the block cache. Blocks
//! that were stored uncompressed are slices of the mapping all the way up to the caller.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::block::{BadBlock, Block, BlockCursor, Found, get_once, unseal};
use super::block_index::{BlockIndex, byte_range};
use super::builder::FileMeta;
use super::filter::{Filter, key_hash};
use super::footer::{BadFooter, BlockHandle, FOOTER_LEN, FORMAT_VERSION, Footer};
use super::properties::Properties;
use crate::encoding::Decoder;
use crate::env::{Env, FileName};
use crate::error::{Error, Result};
use crate::keyspace::{Direction, KeyRange};
use crate::lsm::block_cache::BlockCache;
use crate::lsm::internal_key::compare;
use crate::lsm::iterator::{Cursor, Start};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::timestamp::Timestamp;

/// Whether decoded blocks go to the cache.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Caching {
    Fill,
    Pass,
}

/// An open sstable. When it was marked obsolete, the last reference to go removes the file.
pub(crate) struct Sstable {
    env: Env,
    path: PathBuf,
    meta: FileMeta,
    map: Bytes,
    index: BlockIndex,
    filter: Option<Filter>,
    cache: Arc<BlockCache>,
    is_obsolete: AtomicBool,
}

impl Sstable {
    /// Opens the file that `meta` describes and checks that it is that file.
    ///
    /// # Errors
    /// `Corruption`, `Unusable` when it is of a newer format, `Io`.
    pub(crate) fn open(
        env: &Env,
        dir: &Path,
        meta: FileMeta,
        cache: Arc<BlockCache>,
    ) -> Result<Self> {
        let path = FileName::Sstable(meta.id).path(dir);
        let map = env.vfs.map(&path).map_err(|error| Error::unreadable(&path, error))?;
        if map.len() as u64 != meta.len {
            let expected = format!("{} bytes", meta.len);
            let found = format!("{} bytes", map.len());
            return Err(Error::corruption(&path, map.len() as u64, expected, found));
        }
        let footer_at = map.len().saturating_sub(FOOTER_LEN);
        let footer = Footer::decode(&map[footer_at..]).map_err(|bad| match bad {
            BadFooter::Malformed => {
                Error::corruption(&path, footer_at as u64, "an sstable footer", "other bytes")
            }
            BadFooter::Newer(version) => Error::unusable(format!(
                "the sstable is of a newer format file={} version={version} supported={FORMAT_VERSION}",
                path.display()
            )),
        })?;
        let properties_at = footer.properties.offset;
        let properties = load(&path, &map, footer.properties)?;
        if Properties::decode(&mut Decoder::new(&properties)).as_ref() != Some(&meta.properties) {
            let expected = "the properties that the manifest names";
            return Err(Error::corruption(&path, properties_at, expected, "others"));
        }
        let index = load(&path, &map, footer.index)?;
        let index = Block::new(index)
            .and_then(BlockIndex::new)
            .map_err(|bad| bad_block(&path, footer.index, bad))?;
        let filter = match footer.filter {
            Some(handle) => Some(load_filter(&path, &map, handle)?),
            None => None,
        };
        let env = env.clone();
        let is_obsolete = AtomicBool::new(false);
        Ok(Self { env, path, meta, map, index, filter, cache, is_obsolete })
    }

    /// What the manifest knows about it.
    pub(crate) fn meta(&self) -> &FileMeta {
        &self.meta
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// No version names the file any more: the last reference to go removes it.
    pub(crate) fn mark_obsolete(&self) {
        self.is_obsolete.store(true, Ordering::Release);
    }

    /// The newest version of `key` at or below `ts`; an inner `None` is a tombstone. `key_hash`
    /// is the key's [`super::filter::key_hash`]; without it the filter is not asked.
    ///
    /// # Errors
    /// `Corruption`.
    pub(crate) fn get(
        &self,
        key: &[u8],
        key_hash: Option<u64>,
        ts: Timestamp,
    ) -> Result<Option<Found>> {
        if ts < self.meta.properties.first_ts {
            return Ok(None);
        }
        if let (Some(filter), Some(key_hash)) = (&self.filter, key_hash)
            && !filter.may_contain(key_hash)
        {
            self.cache.filters.denied.add_one();
            return Ok(None);
        }
        let position = self.index.position(key, ts).map_err(|bad| self.bad_index(bad))?;
        if position == self.index.len() {
            return Ok(None);
        }
        let handle = self.index.handle(position).map_err(|bad| self.bad_index(bad))?;
        let found = match self.cache.get(self.meta.id, handle.offset) {
            Some(payload) => Block::new(payload).and_then(|block| block.get(key, ts)),
            None if self.cache.wants_another() => {
                let payload = self.load_into_cache(handle)?;
                Block::new(payload).and_then(|block| block.get(key, ts))
            }
            None => get_once(&sealed(&self.path, &self.map, handle)?, key, ts),
        };
        let found = found.map_err(|bad| bad_block(&self.path, handle, bad))?;
        if found.is_none() && key_hash.is_some() {
            self.cache.filters.misled.add_one();
        }
        Ok(found)
    }

    fn load_into_cache(&self, handle: BlockHandle) -> Result<Bytes> {
        let payload = load(&self.path, &self.map, handle)?;
        self.cache.insert(self.meta.id, handle.offset, payload.clone());
        Ok(payload)
    }

    /// About which share of it lies in a key range, between 0 and 1: counted in data blocks.
    ///
    /// # Errors
    /// `Corruption`.
    pub(crate) fn share(&self, range: &KeyRange) -> Result<f64> {
        let properties = &self.meta.properties;
        let is_whole = range.contains(&properties.smallest) && range.contains(&properties.largest);
        if is_whole || self.index.len() == 0 {
            return Ok(1.0);
        }
        let position = |key: &[u8]| {
            self.index.position(key, Timestamp::MAX).map_err(|bad| self.bad_index(bad))
        };
        let first = position(&range.start)?;
        let last = match &range.end {
            Some(end) => position(end)?,
            None => self.index.len(),
        };
        let is_touched = range.start <= properties.largest
            && range.end.as_ref().is_none_or(|end| *end > properties.smallest);
        // What begins and ends inside one block is about half of it.
        let blocks = if is_touched { ((last - first.min(last)) as f64).max(0.5) } else { 0.0 };
        Ok(blocks / self.index.len() as f64)
    }

    /// The data block at a position of the block index.
    fn block(&self, position: usize, caching: Caching) -> Result<(BlockHandle, Block)> {
        let handle = self.index.handle(position).map_err(|bad| self.bad_index(bad))?;
        let payload = match self.cache.get(self.meta.id, handle.offset) {
            Some(payload) => payload,
            None if caching == Caching::Fill && self.cache.wants_another() => {
                self.load_into_cache(handle)?
            }
            None => load(&self.path, &self.map, handle)?,
        };
        let block = Block::new(payload).map_err(|bad| bad_block(&self.path, handle, bad))?;
        Ok((handle, block))
    }

    fn bad_index(&self, bad: BadBlock) -> Error {
        bad_block(&self.path, BlockHandle { offset: self.meta.len, len: 0 }, bad)
    }

    /// Reads the file from end to end and names the violations of S-1 and S-2, and of the promises
    /// that block index and filter make.
    ///
    /// # Errors
    /// `Corruption` at the first block that cannot be read.
    pub(crate) fn check(self: &Arc<Self>) -> Result<Vec<String>> {
        let mut found = Vec::new();
        let mut counted = Properties::default();
        let mut last: Option<(Vec<u8>, Timestamp)> = None;
        for position in 0..self.index.len() {
            let (handle, block) = self.block(position, Caching::Pass)?;
            let bad = |bad| bad_block(&self.path, handle, bad);
            let mut cursor = BlockCursor::new(block);
            cursor.seek_first().map_err(bad)?;
            while let Some(key) = cursor.key() {
                let ts = cursor.ts();
                if last.as_ref().is_some_and(|(k, t)| compare((k, *t), (key, ts)).is_ge()) {
                    found.push(format!("S-1: key {key:02x?} at {} is out of order", ts.0));
                }
                if self.index.position(key, ts).map_err(|bad| self.bad_index(bad))? != position {
                    found.push(format!("the block index does not lead to key {key:02x?}"));
                }
                let hash = key_hash(key);
                if self.filter.as_ref().is_some_and(|filter| !filter.may_contain(hash)) {
                    found.push(format!("the filter denies key {key:02x?}"));
                }
                counted.add(key, ts, cursor.value().as_deref());
                last = Some((key.to_vec(), ts));
                cursor.next().map_err(bad)?;
            }
        }
        if counted != self.meta.properties {
            found.push(format!(
                "S-2: the properties are not those of the content stated={:?} counted={counted:?}",
                self.meta.properties
            ));
        }
        Ok(found)
    }

    /// A cursor over all entries.
    pub(crate) fn cursor(self: &Arc<Self>, direction: Direction) -> SstableCursor {
        self.cursor_with(direction, Caching::Fill)
    }

    /// As [`Sstable::cursor`], for a reader that will not come back: what it decodes is not
    /// cached, so that it does not push out what others need.
    pub(crate) fn cursor_uncached(self: &Arc<Self>, direction: Direction) -> SstableCursor {
        self.cursor_with(direction, Caching::Pass)
    }

    fn cursor_with(self: &Arc<Self>, direction: Direction, caching: Caching) -> SstableCursor {
        let sstable = self.clone();
        SstableCursor { sstable, direction, caching, position: 0, handle: None, block: None }
    }
}

impl Drop for Sstable {
    fn drop(&mut self) {
        if self.is_obsolete.load(Ordering::Acquire)
            && let Err(error) = self.env.vfs.remove(&self.path)
        {
            tracing::warn!(file = %self.path.display(), %error, "could not remove an old sstable");
        }
    }
}

fn sealed(path: &Path, map: &Bytes, handle: BlockHandle) -> Result<Bytes> {
    byte_range(handle, map.len()).map(|range| map.slice(range)).ok_or_else(|| {
        let found = format!("{} bytes beyond the file", handle.len);
        Error::corruption(path, handle.offset, "a block", found)
    })
}

pub(super) fn load(path: &Path, map: &Bytes, handle: BlockHandle) -> Result<Bytes> {
    unseal(&sealed(path, map, handle)?).map_err(|bad| bad_block(path, handle, bad))
}

pub(super) fn load_filter(path: &Path, map: &Bytes, handle: BlockHandle) -> Result<Filter> {
    Filter::new(&load(path, map, handle)?)
        .ok_or_else(|| Error::corruption(path, handle.offset, "a filter", "other bytes"))
}

pub(super) fn bad_block(path: &Path, handle: BlockHandle, bad: BadBlock) -> Error {
    match bad {
        BadBlock::Checksum(stated, computed) => Error::corruption(
            path,
            handle.offset,
            format!("checksum {stated:08x}"),
            format!("{computed:08x}"),
        ),
        BadBlock::Malformed(at) => {
            let found = format!("nonsense at byte {at} of the block");
            Error::corruption(path, handle.offset, "a well-formed block", found)
        }
    }
}

/// A position in an sstable, with its own reference to it.
pub(crate) struct SstableCursor {
    sstable: Arc<Sstable>,
    direction: Direction,
    caching: Caching,
    /// The data block under the cursor.
    position: usize,
    handle: Option<BlockHandle>,
    block: Option<BlockCursor>,
}

impl SstableCursor {
    /// Looks at the data block at `position`.
    fn load(&mut self, position: usize) -> Result<()> {
        self.position = position;
        let (handle, block) = self.sstable.block(position, self.caching)?;
        self.handle = Some(handle);
        match &mut self.block {
            Some(cursor) => cursor.reset(block),
            None => self.block = Some(BlockCursor::new(block)),
        }
        Ok(())
    }

    fn on_block(
        &mut self,
        act: impl FnOnce(&mut BlockCursor) -> std::result::Result<(), BadBlock>,
    ) -> Result<()> {
        let Some(block) = &mut self.block else { return Ok(()) };
        let handle = self.handle.unwrap_or_default();
        act(block).map_err(|bad| bad_block(&self.sstable.path, handle, bad))
    }

    fn is_at_entry(&self) -> bool {
        self.key().is_some()
    }

    /// Goes on to the neighbouring blocks until there is an entry.
    fn skip_exhausted(&mut self) -> Result<()> {
        while !self.is_at_entry() {
            match self.direction {
                Direction::Forward if self.position + 1 < self.sstable.index.len() => {
                    self.load(self.position + 1)?;
                    self.on_block(BlockCursor::seek_first)?;
                }
                Direction::Reverse if self.position > 0 => {
                    self.load(self.position - 1)?;
                    self.on_block(BlockCursor::seek_last)?;
                }
                _ => break,
            }
        }
        Ok(())
    }
}

impl Cursor for SstableCursor {
    fn seek(&mut self, start: Start<'_>) -> Result<()> {
        let count = self.sstable.index.len();
        let Some(last) = count.checked_sub(1) else { return Ok(()) };
        let position = match (start, self.direction) {
            (Start::Beginning, Direction::Forward) => 0,
            (Start::Beginning, Direction::Reverse) => last,
            (Start::Bound(key), _) => {
                let index = &self.sstable.index;
                index.position(key, Timestamp::MAX).map_err(|bad| self.sstable.bad_index(bad))?
            }
        };
        if position == count && self.direction == Direction::Forward {
            self.block = None; // all entries are before the bound
            return Ok(());
        }
        self.load(position.min(last))?;
        let direction = self.direction;
        self.on_block(|block| match (start, direction) {
            (Start::Beginning, Direction::Forward) => block.seek_first(),
            (Start::Beginning, Direction::Reverse) => block.seek_last(),
            (Start::Bound(key), Direction::Forward) => block.seek(key),
            (Start::Bound(key), Direction::Reverse) => block.seek_before(key),
        })?;
        self.skip_exhausted()
    }

    fn advance(&mut self) -> Result<()> {
        let direction = self.direction;
        self.on_block(|block| match direction {
            Direction::Forward => block.next(),
            Direction::Reverse => block.previous(),
        })?;
        self.skip_exhausted()
    }

    fn key(&self) -> Option<&[u8]> {
        self.block.as_ref()?.key()
    }

    fn ts(&self) -> Timestamp {
        self.block.as_ref().map_or(Timestamp(0), BlockCursor::ts)
    }

    fn value(&self) -> Option<Bytes> {
        self.block.as_ref()?.value()
    }

    fn is_tombstone(&self) -> bool {
        self.block.as_ref().is_none_or(BlockCursor::is_tombstone)
    }
}
