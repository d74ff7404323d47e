//! Key to block: which data block may hold a row version.
//!
//! # Layout
//! A block (see [`super::block`]) in which every entry is a restart point. Each entry's key and
//! timestamp are at or after the last entry of its data block and before the first entry of the
//! next one; its value is the data block's offset (varint) and length with trailer (varint). Data blocks follow
//! one another without gaps.

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

/// Bytes of every key that are kept in memory.
const HEAD_LEN: usize = 16;

/// A readable block index. Its bytes stay in the file's mapping; to find a block without going
/// there, the heads of the keys ([`HEAD_LEN`] bytes each) and where the blocks are is kept in
/// memory.
pub(super) struct BlockIndex {
    block: Block,
    /// What all keys begin with.
    common: Vec<u8>,
    /// The bytes of each key after `common`, filled up with zeros: never descending.
    heads: Vec<u128>,
    /// Where each data block begins, and where the last one ends: they follow one another.
    offsets: Vec<u64>,
}

impl BlockIndex {
    /// Reads the index through.
    ///
    /// # Errors
    /// When an entry makes no sense.
    pub(super) fn new(block: Block) -> Result<Self, BadBlock> {
        let count = block.restart_count();
        let mut common = Vec::new();
        if let Some(last) = count.checked_sub(1) {
            let (first, last) = (block.restart_key(0)?, block.restart_key(last)?);
            let shared = first.iter().zip(last).take_while(|(a, b)| a == b).count();
            common.extend_from_slice(&first[..shared]);
        }
        let heads = (0..count)
            .map(|index| {
                Ok(head(block.restart_key(index)?.get(common.len()..).unwrap_or_default()))
            })
            .collect::<Result<Vec<_>, BadBlock>>()?;
        let offsets = offsets(&block)?;
        Ok(Self { block, common, heads, offsets })
    }

    /// How many data blocks there are.
    pub(super) fn len(&self) -> usize {
        self.heads.len()
    }

    /// The last key of the data block at a position.
    pub(super) fn last_key(&self, position: usize) -> Result<&[u8], BadBlock> {
        self.block.restart_key(position)
    }

    /// The position of the only data block that may hold the newest version of `key` at or below
    /// `ts`; [`BlockIndex::len`] when that is behind the last block.
    #[inline]
    pub(super) fn position(&self, key: &[u8], ts: Timestamp) -> Result<usize, BadBlock> {
        let Some(rest) = key.strip_prefix(self.common.as_slice()) else {
            return Ok(if key < self.common.as_slice() { 0 } else { self.len() });
        };
        let wanted = head(rest);
        let first = self.heads.partition_point(|head| *head < wanted);
        if self.heads.get(first).is_none_or(|head| *head != wanted) {
            return Ok(first);
        }
        let alike = self.heads[first..].partition_point(|head| *head == wanted);
        self.block.restart_at_or_after(key, ts, first..first + alike)
    }

    /// Where the data block at a position is. Requires: the position is below
    /// [`BlockIndex::len`].
    #[inline]
    pub(super) fn handle(&self, position: usize) -> Result<BlockHandle, BadBlock> {
        let bad = BadBlock::Malformed(position);
        let (Some(&offset), Some(end)) =
            (self.offsets.get(position), self.offsets.get(position + 1))
        else {
            return Err(bad);
        };
        let len = end.checked_sub(offset).and_then(|len| u32::try_from(len).ok());
        Ok(BlockHandle { offset, len: len.ok_or(bad)? })
    }
}

/// Where data blocks begin and the last one ends.
fn offsets(block: &Block) -> Result<Vec<u64>, BadBlock> {
    let mut offsets = Vec::with_capacity(block.restart_count() + 1);
    for index in 0..block.restart_count() {
        let bad = BadBlock::Malformed(index);
        let BlockHandle { offset, len } = read(block.restart_value(index)?).ok_or(bad)?;
        if *offsets.last().unwrap_or(&offset) != offset {
            return Err(bad);
        }
        offsets.pop();
        offsets.push(offset);
        offsets.push(offset.checked_add(u64::from(len)).ok_or(bad)?);
    }
    Ok(offsets)
}

fn read(value: &[u8]) -> Option<BlockHandle> {
    let mut decoder = Decoder::new(value);
    Some(BlockHandle { offset: decoder.varint()?, len: u32::try_from(decoder.varint()?).ok()? })
}

/// The first bytes as a number that compares as they do; a shorter text may equal a longer one.
#[inline]
fn head(key: &[u8]) -> u128 {
    let mut bytes = [0; HEAD_LEN];
    let len = key.len().min(HEAD_LEN);
    bytes[..len].copy_from_slice(&key[..len]);
    u128::from_be_bytes(bytes)
}

/// The bytes of `handle` in a file of `file_len` bytes; `None` when it points outside.
pub(super) fn byte_range(handle: BlockHandle, file_len: usize) -> Option<Range<usize>> {
    let start = usize::try_from(handle.offset).ok()?;
    let end = start.checked_add(usize::try_from(handle.len).ok()?)?;
    (end <= file_len).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lsm::internal_key::compare;

    fn index(keys: &[(&[u8], u64)]) -> BlockIndex {
        let mut block = BlockBuilder::new(1);
        for (offset, (key, ts)) in (0u8..).zip(keys) {
            block.add(key, Timestamp(*ts), Some(&[offset, 1]));
        }
        BlockIndex::new(Block::new(block.finish(|payload| payload.to_vec().into())).unwrap())
            .unwrap()
    }

    #[test]
    fn positions_are_those_of_a_search_through_all_keys() {
        let long = [b'm'; 40];
        let keys: [(&[u8], u64); 8] = [
            (b"m", 0),
            (b"m\0", 0),
            (b"m\0\0", 7),
            (b"m\0\0", 3),
            (&long[..16], 0),
            (&long[..17], 0),
            (&long[..18], 0),
            (&long, 0),
        ];
        for count in 0..=keys.len() {
            let keys = &keys[..count];
            let index = index(keys);
            let probes: Vec<Vec<u8>> = keys
                .iter()
                .flat_map(|(key, _)| [[*key, b"\0"].concat(), key.to_vec(), [*key, b"x"].concat()])
                .chain([Vec::new(), b"a".to_vec(), b"z".to_vec(), vec![b'm'; 90]])
                .collect();
            for key in &probes {
                for ts in [0, 3, 5, 9] {
                    let is_before = |(other, at): &(&[u8], u64)| {
                        compare((other, Timestamp(*at)), (key, Timestamp(ts))).is_lt()
                    };
                    let expected = keys.partition_point(is_before);
                    let found = index.position(key, Timestamp(ts)).unwrap();
                    assert_eq!(found, expected, "{key:?} at {ts} among {count}");
                }
            }
        }
    }
}
