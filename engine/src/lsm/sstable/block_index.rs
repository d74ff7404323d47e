//! Key to block: which data block may hold a row version.
//!
//! # Layout
//! A block (see [`super::block`]) in which every entry is a restart point. Each entry's key and
//! timestamp are at or after the last entry of its data block and before the first entry of the
//! next one; its value is the data block's offset (varint) and length with trailer (varint).

use std::ops::Range;

use super::block::{BadBlock, Block, BlockBuilder};
use super::footer::BlockHandle;
use crate::encoding::{Decoder, put_varint};
use crate::lsm::internal_key::separator;
use crate::timestamp::Timestamp;

/// Collects data blocks into an index.
pub(super) struct BlockIndexBuilder {
    block: BlockBuilder,
    /// The last entry of a block whose successor's first key is not known yet.
    pending: Option<(Vec<u8>, Timestamp, BlockHandle)>,
}

impl BlockIndexBuilder {
    pub(super) fn new() -> Self {
        Self { block: BlockBuilder::new(1), pending: None }
    }

    /// A data block ends with this entry.
    pub(super) fn end_block(&mut self, key: &[u8], ts: Timestamp, handle: BlockHandle) {
        debug_assert!(self.pending.is_none());
        self.pending = Some((key.to_vec(), ts, handle));
    }

    /// The next data block begins with this key.
    pub(super) fn begin_block(&mut self, key: &[u8]) {
        let Some((last, ts, handle)) = self.pending.take() else { return };
        // Timestamp 0 is behind all versions of the shortened key.
        if last.as_slice() < key {
            self.put(&separator(&last, key), Timestamp(0), handle);
        } else {
            self.put(&last, ts, handle);
        }
    }

    fn put(&mut self, key: &[u8], ts: Timestamp, handle: BlockHandle) {
        let mut value = Vec::new();
        put_varint(&mut value, handle.offset);
        put_varint(&mut value, u64::from(handle.len));
        self.block.add(key, ts, Some(&value));
    }

    /// Hands the payload to `write`.
    pub(super) fn finish<T>(&mut self, write: impl FnOnce(&[u8]) -> T) -> T {
        if let Some((last, ts, handle)) = self.pending.take() {
            self.put(&last, ts, handle);
        }
        self.block.finish(write)
    }
}

/// A readable block index. Its bytes stay in the file's mapping.
pub(super) struct BlockIndex(Block);

impl BlockIndex {
    pub(super) fn new(block: Block) -> Self {
        Self(block)
    }

    /// How many data blocks there are.
    pub(super) fn len(&self) -> usize {
        self.0.restart_count()
    }

    /// The position of the only data block that may hold the newest version of `key` at or below
    /// `ts`; [`BlockIndex::len`] when that is behind the last block.
    #[inline]
    pub(super) fn position(&self, key: &[u8], ts: Timestamp) -> Result<usize, BadBlock> {
        self.0.restart_at_or_after(key, ts)
    }

    /// Where the data block at a position is.
    #[inline]
    pub(super) fn handle(&self, position: usize) -> Result<BlockHandle, BadBlock> {
        let value = self.0.restart_value(position)?;
        Self::read(value).ok_or(BadBlock::Malformed(position))
    }

    fn read(value: &[u8]) -> Option<BlockHandle> {
        let mut decoder = Decoder::new(value);
        Some(BlockHandle { offset: decoder.varint()?, len: u32::try_from(decoder.varint()?).ok()? })
    }
}

/// The bytes of `handle` in a file of `file_len` bytes; `None` when it points outside.
pub(super) fn byte_range(handle: BlockHandle, file_len: usize) -> Option<Range<usize>> {
    let start = usize::try_from(handle.offset).ok()?;
    let end = start.checked_add(usize::try_from(handle.len).ok()?)?;
    (end <= file_len).then_some(start..end)
}
