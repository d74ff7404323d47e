//! What can still be read of a damaged sstable: block by block, whatever else is wrong with it.
//!
//! The block index says where blocks are. Where it is lost, blocks are found by their checksums:
//! from the start of the file on, a block ends where the checksum of all since the last one agrees
//! with the bytes behind. That walk ends at the first damaged block.

use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::block::{Block, BlockCursor, unseal};
use super::block_index::BlockIndex;
use super::footer::{BadFooter, BlockHandle, FOOTER_LEN, Footer};
use super::properties::Properties;
use super::reader::{bad_block, load, load_filter};
use crate::encoding::Decoder;
use crate::encoding::checksum::{CHECKSUM_LEN, agreements};
use crate::env::Env;
use crate::error::{Error, Result};
use crate::keyspace::{KeyRange, next_key};
use crate::lsm::internal_key::compare;
use crate::timestamp::Timestamp;

/// A place of a file that cannot be read, and which keys may have been there.
#[derive(Clone, Debug)]
pub(crate) struct Hole {
    pub(crate) error: Error,
    /// `None`: nothing but what helps to find entries.
    pub(crate) keys: Option<KeyRange>,
}

/// A damaged or sound sstable, read forward.
pub(crate) struct Remains {
    path: PathBuf,
    map: Bytes,
    blocks: Vec<BlockHandle>,
    index: Option<BlockIndex>,
    /// What the file says about itself, if that can be read.
    pub(crate) properties: Option<Properties>,
    pub(crate) holes: Vec<Hole>,
    position: usize,
    cursor: Option<BlockCursor>,
    last: Option<(Vec<u8>, Timestamp)>,
    /// Entries handed out.
    pub(crate) entry_count: u64,
}

impl Remains {
    /// Finds the blocks of a file. Damage is a hole, not an error.
    ///
    /// # Errors
    /// `Corruption` when there is no such file, `Io`, `Unusable` when it is of a newer format.
    pub(crate) fn open(env: &Env, path: &Path) -> Result<Self> {
        let map = env.vfs.map(path).map_err(|error| Error::unreadable(path, error))?;
        let mut remains = Self {
            path: path.to_owned(),
            map,
            blocks: Vec::new(),
            index: None,
            properties: None,
            holes: Vec::new(),
            position: 0,
            cursor: None,
            last: None,
            entry_count: 0,
        };
        let footer_at = remains.map.len().saturating_sub(FOOTER_LEN);
        match Footer::decode(remains.map.get(footer_at..).unwrap_or_default()) {
            Ok(footer) => remains.read_parts(&footer),
            Err(BadFooter::Malformed) => {
                let at = footer_at as u64;
                let error = Error::corruption(path, at, "an sstable footer", "other bytes");
                remains.holes.push(Hole { error, keys: None });
            }
            Err(BadFooter::Newer(version)) => {
                let path = path.display();
                let message =
                    format!("the sstable is of a newer format file={path} version={version}");
                return Err(Error::unusable(message));
            }
        }
        if remains.index.is_none() {
            remains.find_blocks();
        }
        Ok(remains)
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn read_parts(&mut self, footer: &Footer) {
        let (path, map) = (&self.path, &self.map);
        let mut errors = Vec::new();
        let properties = load(path, map, footer.properties);
        self.properties = match properties {
            Ok(payload) => Properties::decode(&mut Decoder::new(&payload)),
            Err(error) => {
                errors.push(error);
                None
            }
        };
        let filter = footer.filter.map(|handle| load_filter(path, map, handle));
        errors.extend(filter.and_then(Result::err));
        let index = load(path, map, footer.index).and_then(|payload| {
            let index = Block::new(payload).and_then(BlockIndex::new);
            index.map_err(|bad| bad_block(path, footer.index, bad))
        });
        match index {
            Ok(index) => {
                self.blocks = (0..index.len()).filter_map(|at| index.handle(at).ok()).collect();
                self.index = Some(index);
            }
            Err(error) => errors.push(error),
        }
        self.holes.extend(errors.into_iter().map(|error| Hole { error, keys: None }));
    }

    /// Finds blocks without the index: those that are whole and in order.
    fn find_blocks(&mut self) {
        let (mut start, mut last) = (0, None);
        while let Some((end, block)) = next_block(&self.map, start) {
            let Some(behind) = behind_all(block, last.as_ref()) else { break };
            last = Some(behind);
            let len = u32::try_from(end - start).unwrap_or(u32::MAX);
            self.blocks.push(BlockHandle { offset: start as u64, len });
            start = end;
        }
        let is_whole = self.properties.as_ref().is_some_and(|properties| {
            last.as_ref().is_some_and(|(key, _)| *key == properties.largest)
        });
        if !is_whole {
            let found = "what is none, and no index of blocks to go on by";
            let error = Error::corruption(&self.path, start as u64, "a data block", found);
            let start = last.map_or_else(Vec::new, |(key, _)| key);
            self.holes.push(Hole { error, keys: Some(KeyRange { start, end: None }) });
        }
    }

    /// The next entry that can be read, in order.
    pub(crate) fn next(&mut self) -> Option<(Vec<u8>, Timestamp, Option<Bytes>)> {
        loop {
            if let Some(entry) = self.in_block() {
                self.entry_count += 1;
                return Some(entry);
            }
            let handle = *self.blocks.get(self.position)?;
            let block = load(&self.path, &self.map, handle).and_then(|payload| {
                Block::new(payload).map_err(|bad| bad_block(&self.path, handle, bad))
            });
            let begun = block.and_then(|block| {
                let mut cursor = BlockCursor::new(block);
                let sought = cursor.seek_first();
                sought.map_err(|bad| bad_block(&self.path, handle, bad)).map(|()| cursor)
            });
            self.position += 1;
            match begun {
                Ok(cursor) => self.cursor = Some(cursor),
                Err(error) => self.lost_block(error),
            }
        }
    }

    fn in_block(&mut self) -> Option<(Vec<u8>, Timestamp, Option<Bytes>)> {
        let cursor = self.cursor.as_mut()?;
        let (key, ts, value) = (cursor.key()?.to_vec(), cursor.ts(), cursor.value());
        if let Err(bad) = cursor.next() {
            let handle = self.blocks.get(self.position - 1).copied().unwrap_or_default();
            self.cursor = None;
            self.lost_block(bad_block(&self.path, handle, bad));
        }
        self.last = Some((key.clone(), ts));
        Some((key, ts, value))
    }

    /// The block before [`Remains::position`] is lost, or the rest of it.
    fn lost_block(&mut self, error: Error) {
        let at = self.position - 1;
        let key = |at: usize| self.index.as_ref()?.last_key(at).ok().map(<[u8]>::to_vec);
        let before = at.checked_sub(1).and_then(key);
        let start = before.max(self.last.as_ref().map(|(key, _)| key.clone()));
        let end = key(at).map(|key| next_key(&key));
        let keys = KeyRange { start: start.unwrap_or_default(), end };
        self.holes.push(Hole { error, keys: Some(keys) });
    }
}

/// The sealed block that begins at `start`, and where it ends.
fn next_block(map: &Bytes, start: usize) -> Option<(usize, Block)> {
    let rest = map.get(start..)?;
    agreements(rest).find_map(|covered| {
        let end = start + covered + CHECKSUM_LEN;
        let payload = unseal(&map.slice(start..end)).ok()?;
        Some((end, Block::new(payload).ok()?))
    })
}

/// The last entry of a block, when all of them can be read and come after `last`: the blocks
/// behind the data are told by their order.
fn behind_all(block: Block, last: Option<&(Vec<u8>, Timestamp)>) -> Option<(Vec<u8>, Timestamp)> {
    let mut cursor = BlockCursor::new(block);
    cursor.seek_first().ok()?;
    let mut last = last.cloned();
    cursor.key()?;
    while let Some(key) = cursor.key() {
        let ts = cursor.ts();
        if last.as_ref().is_some_and(|(before, at)| compare((before, *at), (key, ts)).is_ge()) {
            return None;
        }
        last = Some((key.to_vec(), ts));
        cursor.next().ok()?;
    }
    last
}
