//! The bytes of a segment file.
//!
//! ```text
//! header          one chunk, see below
//! leaves          one chunk each: up to 28 entries of 72 bytes
//! inner nodes     one chunk each: up to 85 boxes of 24 bytes; level by level up to the root
//! directory       24 bytes per change, ordered by hash
//! keys            varint length and bytes each
//! (padding)       zero, to the end of a chunk
//! checksums       u32 (CRC-32) per chunk after the header
//!
//! header      0 "CAIRNGEO"   8 u32 format version   12 u32 zero   16 u64 entries
//!            24 u64 changes in the directory   32 u64 bytes of keys   40 u64 zero
//!            48 u32 CRC-32 of the checksums   52 zero …   2044 u32 CRC-32 of all before
//! entry       0 f64 x 3 smallest corner   24 f64 x 3 largest corner
//!            48 u64 begin   56 u64 end   64 u64 place of the key among the keys
//! box         0 f32 x 3 smallest corner, rounded down   12 f32 x 3 largest corner, rounded up
//! change      0 u64 hash of the key (FNV-1a)   8 u64 first change   16 u64 place of the key
//! ```
//! All numbers are little-endian. Node `i` of a level has the nodes (or entries) from `i` times
//! its capacity on as children, so the tree needs no pointers: the number of entries says it all.

/// The unit of checksums, and the size of a node.
pub(super) const CHUNK_LEN: usize = 2048;
/// What the file begins with.
pub(super) const MAGIC: &[u8; 8] = b"CAIRNGEO";
/// The only version so far.
pub(super) const FORMAT_VERSION: u32 = 1;
/// Bytes of a leaf's entry.
pub(super) const ENTRY_LEN: usize = 72;
/// Entries in a full leaf.
pub(super) const LEAF_CAPACITY: usize = CHUNK_LEN / ENTRY_LEN;
/// Bytes of an inner node's box.
pub(super) const BOX_LEN: usize = 24;
/// Children of a full inner node.
pub(super) const INNER_CAPACITY: usize = CHUNK_LEN / BOX_LEN;
/// Bytes of a change.
pub(super) const CHANGE_LEN: usize = 24;

pub(super) const ENTRY_COUNT_AT: usize = 16;
pub(super) const CHANGE_COUNT_AT: usize = 24;
pub(super) const KEYS_LEN_AT: usize = 32;
pub(super) const CHECKSUMS_CRC_AT: usize = 48;
pub(super) const HEADER_CRC_AT: usize = CHUNK_LEN - 4;

const _: () = assert!(LEAF_CAPACITY == 28 && INNER_CAPACITY == 85);

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

/// The hash that orders the directory: FNV-1a (Fowler, Noll, Vo), for it must never change.
pub(super) fn hash(key: &[u8]) -> u64 {
    key.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_shrink_to_one_root() {
        assert!(level_counts(0).is_empty());
        assert_eq!(level_counts(28), [1]);
        assert_eq!(level_counts(29), [2, 1]);
        assert_eq!(level_counts(28 * 85 + 1), [86, 2, 1]);
        assert_eq!(hash(b"a"), 0xaf63_dc4c_8601_ec8c);
    }
}
