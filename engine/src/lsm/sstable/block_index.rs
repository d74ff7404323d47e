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
use crate::lsm::internal_key::{key_head, separator};
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

/// Entries of which one has its head in memory. 4: the others are searched in the file's mapping.
const GROUP_COUNT: usize = 4;

/// A readable block index. Its bytes stay in the file's mapping; kept in memory is a level above
/// it: the [head](key_head) of the last key of each group of entries, so that a search
/// goes to one place of the file.
pub(super) struct BlockIndex {
    block: Block,
    /// What all keys begin with.
    common: Vec<u8>,
    /// For each group, the bytes of its last key after `common`, filled up with zeros: never
    /// descending.
    heads: Vec<u128>,
}

impl BlockIndex {
    /// Reads the index through.
    ///
    /// # Errors
    /// When an entry makes no sense.
    pub(super) fn new(block: Block) -> Result<Self, BadBlock> {
        check(&block)?;
        let count = block.restart_count();
        let mut common = Vec::new();
        if let Some(last) = count.checked_sub(1) {
            let (first, last) = (block.restart_key(0)?, block.restart_key(last)?);
            let shared = first.iter().zip(last).take_while(|(a, b)| a == b).count();
            common.extend_from_slice(&first[..shared]);
        }
        let mut heads = Vec::with_capacity(count.div_ceil(GROUP_COUNT));
        for begin in (0..count).step_by(GROUP_COUNT) {
            let last = (begin + GROUP_COUNT).min(count) - 1;
            heads.push(key_head(block.restart_key(last)?.get(common.len()..).unwrap_or_default()));
        }
        Ok(Self { block, common, heads })
    }

    /// How many data blocks there are.
    pub(super) fn len(&self) -> usize {
        self.block.restart_count()
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
        let wanted = key_head(rest);
        // The groups before end before the key. Those that end with the same head may end before
        // it or not; the first one after them does not.
        let first = self.heads.partition_point(|head| *head < wanted);
        let alike = self.heads[first..].iter().take_while(|head| **head == wanted).count();
        let entry = |group: usize| (group * GROUP_COUNT).min(self.len());
        self.block.restart_at_or_after(key, ts, entry(first)..entry(first + alike + 1))
    }

    /// Where the data block at a position is. Requires: the position is below
    /// [`BlockIndex::len`].
    #[inline]
    pub(super) fn handle(&self, position: usize) -> Result<BlockHandle, BadBlock> {
        read(self.block.restart_value(position)?).ok_or(BadBlock::Malformed(position))
    }
}

/// Reads an index through: every entry makes sense, and data blocks follow one another.
fn check(block: &Block) -> Result<(), BadBlock> {
    let mut end = None;
    for index in 0..block.restart_count() {
        let bad = BadBlock::Malformed(index);
        block.restart_key(index)?;
        let BlockHandle { offset, len } = read(block.restart_value(index)?).ok_or(bad)?;
        if end.is_some_and(|end| end != offset) {
            return Err(bad);
        }
        end = Some(offset.checked_add(u64::from(len)).ok_or(bad)?);
    }
    Ok(())
}

fn read(value: &[u8]) -> Option<BlockHandle> {
    let mut decoder = Decoder::new(value);
    Some(BlockHandle { offset: decoder.varint()?, len: u32::try_from(decoder.varint()?).ok()? })
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
