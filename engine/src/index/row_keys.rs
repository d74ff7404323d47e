//! Sets of rows that one index has found, for another index to look among.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use ahash::RandomState;

/// One hash of row keys for all sets: who keeps rows can keep their hashes as well.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// The hash of a row key, the same as long as the process runs.
#[inline]
pub(super) fn row_hash(row_key: &[u8]) -> u32 {
    HASHER.hash_one(row_key) as u32
}

/// A set of row keys that keeps their hashes only, so it takes a few bytes per row; very rarely it
/// says of a row that it is in the set though it is not.
#[derive(Clone, Debug, Default)]
pub struct RowKeySet {
    hashes: HashSet<u32, BuildHasherDefault<Spread>>,
}

impl RowKeySet {
    /// Adds a row.
    pub fn insert(&mut self, row_key: &[u8]) {
        self.hashes.insert(row_hash(row_key));
    }

    /// Whether the row was added; it may be said of others as well.
    pub fn may_contain(&self, row_key: &[u8]) -> bool {
        self.may_contain_hash(row_hash(row_key))
    }

    /// The same, by the row's [`row_hash`].
    #[inline]
    pub(super) fn may_contain_hash(&self, hash: u32) -> bool {
        self.hashes.contains(&hash)
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }
}

/// Spreads what is a hash already over the 64 bits that a table wants.
#[derive(Clone, Copy, Debug, Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0 << 8 | u64::from(*byte));
    }

    #[inline]
    fn write_u32(&mut self, hash: u32) {
        // The table takes its place from the low bits and a tag from the highest.
        self.0 = u64::from(hash) << 32 | u64::from(hash);
    }
}
