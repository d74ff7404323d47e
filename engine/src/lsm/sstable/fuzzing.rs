//! Checks of the decoders of an sstable's parts; see [`crate::fuzzing`].

use bytes::Bytes;

use super::block::{
    BadBlock, Block, BlockBuilder, BlockCursor, Compression, RESTART_INTERVAL, seal, unseal,
};
use super::block_index::BlockIndex;
use super::filter::{Filter, key_hash};
use super::footer::{self, Footer};
use super::properties::Properties;
use crate::encoding::Decoder;
use crate::encoding::checksum::checksum;
use crate::fuzzing::{flip, head};
use crate::lsm::internal_key::compare;
use crate::timestamp::Timestamp;

/// Steps after which a walk is taken for endless: every entry takes at least four bytes.
fn step_count_max(data: &[u8]) -> usize {
    data.len() / 4 + 1
}

/// The payload of a data block: as it is, and as the content of a good one.
pub(crate) fn block(data: &[u8]) {
    let probe = &data[..data.len().min(3)];
    if let Ok(block) = Block::new(Bytes::copy_from_slice(data)) {
        let _ = block.get(probe, Timestamp(9));
        let mut cursor = BlockCursor::new(block);
        let _ = cursor.seek(probe);
        let _ = cursor.seek_before(probe);
        walk(&mut cursor, data, BlockCursor::seek_first, BlockCursor::next);
        walk(&mut cursor, data, BlockCursor::seek_last, BlockCursor::previous);
    }
    good_block(data);
}

fn walk(
    cursor: &mut BlockCursor,
    data: &[u8],
    first: fn(&mut BlockCursor) -> Result<(), BadBlock>,
    next: fn(&mut BlockCursor) -> Result<(), BadBlock>,
) {
    let mut steps = first(cursor);
    // Restart points may overlap, so a walk in reverse may meet entries more than once.
    let mut left = step_count_max(data) * step_count_max(data);
    while steps.is_ok() && cursor.key().is_some() {
        let _ = cursor.value();
        left = left.checked_sub(1).expect("a walk ends");
        steps = next(cursor);
    }
}

/// Builds a block whose entries the bytes describe, and finds every entry again.
fn good_block(data: &[u8]) {
    let mut entries: Vec<(&[u8], Timestamp, Option<&[u8]>)> = Vec::new();
    let mut rest = data;
    while let Some((&[key_len, value_len, ts], after)) = rest.split_first_chunk() {
        let (key, after) = after.split_at(after.len().min(usize::from(key_len)));
        let (value, after) = after.split_at(after.len().min(usize::from(value_len)));
        entries.push((key, Timestamp(ts.into()), (value_len % 5 != 0).then_some(value)));
        rest = after;
    }
    entries.sort_by(|a, b| compare((a.0, a.1), (b.0, b.1)));
    entries.dedup_by(|a, b| (a.0, a.1) == (b.0, b.1));
    let mut builder = BlockBuilder::new(RESTART_INTERVAL);
    entries.iter().for_each(|(key, ts, value)| builder.add(key, *ts, *value));
    let block = Block::new(builder.finish(Bytes::copy_from_slice)).expect("it was built");
    for (key, ts, value) in &entries {
        let (found_ts, found) = block.get(key, *ts).expect("it was built").expect("it was added");
        assert_eq!((found_ts, found.as_deref()), (*ts, *value));
    }
    let mut cursor = BlockCursor::new(block);
    cursor.seek_first().expect("it was built");
    for (key, ts, _) in &entries {
        assert_eq!((cursor.key(), cursor.ts()), (Some(*key), *ts));
        cursor.next().expect("it was built");
    }
    cursor.seek_last().expect("it was built");
    for (key, ts, _) in entries.iter().rev() {
        assert_eq!((cursor.key(), cursor.ts()), (Some(*key), *ts));
        cursor.previous().expect("it was built");
    }
    assert_eq!(cursor.key(), None);
}

/// A block with its trailer: what was sealed is unsealed, unless it was damaged.
pub(crate) fn sealed_block(data: &[u8]) {
    let _ = unseal(&Bytes::copy_from_slice(data));
    let mut right = data.to_vec();
    right.extend_from_slice(&checksum(&[data]).to_le_bytes());
    let _ = unseal(&right.into());
    let (choice, payload) = head::<8>(data);
    for compression in [Compression::None, Compression::Lz4] {
        let mut sealed = Vec::new();
        seal(payload, compression, &mut sealed);
        assert_eq!(unseal(&Bytes::copy_from_slice(&sealed)).as_deref(), Ok(payload));
        flip(&mut sealed, 0, u64::from_le_bytes(choice));
        assert!(unseal(&sealed.into()).is_err());
    }
}

/// The payload of a block index.
pub(crate) fn block_index(data: &[u8]) {
    let Ok(index) = Block::new(Bytes::copy_from_slice(data)).and_then(BlockIndex::new) else {
        return;
    };
    for probe in [&data[..data.len().min(2)], data, b"", b"\xff\xff"] {
        for ts in [Timestamp(0), Timestamp(3), Timestamp::MAX] {
            assert!(index.position(probe, ts).is_ok_and(|at| at <= index.len()));
        }
    }
    let mut end = None;
    for handle in (0..index.len()).map(|position| index.handle(position)) {
        let handle = handle.expect("an index is checked when it is read");
        assert!(end.is_none_or(|end| end == handle.offset), "blocks follow one another");
        end = Some(handle.offset + u64::from(handle.len));
    }
}

/// The payload of a filter.
pub(crate) fn filter(data: &[u8]) {
    if let Some(filter) = Filter::new(data) {
        let _ = filter.may_contain(key_hash(data));
    }
}

/// Properties, in a file or in an edit.
pub(crate) fn properties(data: &[u8]) {
    let Some(properties) = Properties::decode(&mut Decoder::new(data)) else { return };
    let mut again = Vec::new();
    properties.encode(&mut again);
    assert_eq!(Properties::decode(&mut Decoder::new(&again)), Some(properties));
}

/// A footer: as it is, and with a right checksum and magic around it.
pub(crate) fn footer(data: &[u8]) {
    let _ = Footer::decode(data);
    let Some(right) = footer::with_checksum(data) else { return };
    let Ok(footer) = Footer::decode(&right) else { return };
    let mut again = footer.encode();
    assert_eq!(Footer::decode(&again), Ok(footer));
    flip(&mut again, 0, data.iter().fold(0, |all, byte| all << 5 ^ u64::from(*byte)));
    assert!(Footer::decode(&again).is_err());
}
