//! The bytes of a segment file.
//!
//! ```text
//! header          one chunk, see below
//! leaves          one chunk each: up to 32 entries of 64 bytes
//! inner nodes     one chunk each: up to 85 boxes of 24 bytes; level by level up to the root
//! order           u32 numbers of the entries, ordered by key, then begin
//! keys            varint length and bytes each
//! (padding)       zero, to the end of a chunk
//! checksums       u32 (CRC-32) per chunk after the header
//!
//! header      0 "CAIRNGEO"   8 u32 format version   12 u32 zero   16 u64 entries
//!            24 u64 bytes of keys   32 u32 CRC-32 of the checksums   36 zero …
//!            2044 u32 CRC-32 of all before
//! entry       0 f64 x 3 smallest corner   24 f64 x 3 largest corner
//!            48 u64 begin   56 u64 place of the key among the keys
//! box         0 f32 x 3 smallest corner, rounded down   12 f32 x 3 largest corner, rounded up
//! ```
//! All numbers are little-endian. Node `i` of a level has the nodes (or entries) from `i` times
//! its capacity on as children, so the tree needs no pointers: the number of entries says it all.

/// The unit of checksums, and the size of a node.
pub(super) const CHUNK_LEN: usize = 2048;
/// What the file begins with.
pub(super) const MAGIC: &[u8; 8] = b"CAIRNGEO";
/// The version that is read and written.
pub(super) const FORMAT_VERSION: u32 = 3;
/// Bytes of a leaf's entry.
pub(super) const ENTRY_LEN: usize = 64;
/// Entries in a full leaf.
pub(super) const LEAF_CAPACITY: usize = CHUNK_LEN / ENTRY_LEN;
/// Bytes of an inner node's box.
pub(super) const BOX_LEN: usize = 24;
/// Children of a full inner node.
pub(super) const INNER_CAPACITY: usize = CHUNK_LEN / BOX_LEN;
/// Bytes of an entry's number.
pub(super) const NUMBER_LEN: usize = 4;

pub(super) const ENTRY_COUNT_AT: usize = 16;
pub(super) const KEYS_LEN_AT: usize = 24;
pub(super) const CHECKSUMS_CRC_AT: usize = 32;
pub(super) const HEADER_CRC_AT: usize = CHUNK_LEN - 4;

const _: () = assert!(LEAF_CAPACITY == 32 && INNER_CAPACITY == 85);

/// How many nodes each level has, leaves first. Empty without entries.
pub(super) fn level_counts(entry_count: usize) -> Vec<usize> {
    let mut levels = Vec::new();
    let mut nodes = entry_count.div_ceil(LEAF_CAPACITY);
    while nodes > 0 {
        levels.push(nodes);
        nodes = if nodes == 1 { 0 } else { nodes.div_ceil(INNER_CAPACITY) };
    }
    levels
}

/// Any bytes as a segment file: the first says how many entries there are, the rest is cut or
/// filled up to their length and framed with right checksums.
#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn framed(data: &[u8]) -> Vec<u8> {
    use crate::encoding::checksum::checksum;

    let ([entry_count, keys_len], rest) = crate::fuzzing::head::<2>(data);
    let (entry_count, keys_len) = (usize::from(entry_count), usize::from(keys_len));
    let node_count: usize = level_counts(entry_count).iter().sum();
    let len = (1 + node_count) * CHUNK_LEN + entry_count * NUMBER_LEN + keys_len;
    let mut out = vec![0; CHUNK_LEN];
    out[..8].copy_from_slice(MAGIC);
    out[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
    out[ENTRY_COUNT_AT..KEYS_LEN_AT].copy_from_slice(&(entry_count as u64).to_le_bytes());
    out[KEYS_LEN_AT..CHECKSUMS_CRC_AT].copy_from_slice(&(keys_len as u64).to_le_bytes());
    out.extend(rest.iter().copied().cycle().take(if rest.is_empty() {
        0
    } else {
        len - CHUNK_LEN
    }));
    out.resize(len.next_multiple_of(CHUNK_LEN), 0);
    let table: Vec<u8> =
        out[CHUNK_LEN..].chunks(CHUNK_LEN).flat_map(|it| checksum(&[it]).to_le_bytes()).collect();
    out[CHECKSUMS_CRC_AT..][..4].copy_from_slice(&checksum(&[&table]).to_le_bytes());
    let sum = checksum(&[&out[..HEADER_CRC_AT]]);
    out[HEADER_CRC_AT..CHUNK_LEN].copy_from_slice(&sum.to_le_bytes());
    out.extend(table);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_shrink_to_one_root() {
        assert!(level_counts(0).is_empty());
        assert_eq!(level_counts(32), [1]);
        assert_eq!(level_counts(33), [2, 1]);
        assert_eq!(level_counts(32 * 85 + 1), [86, 2, 1]);
    }
}
