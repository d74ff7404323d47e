//! Sets of rows that one index has found, for another index to look among.

use ahash::{AHashSet, RandomState};

/// A set of row keys that keeps their hashes only, so it takes a few bytes per row; very rarely it
/// says of a row that it is in the set though it is not.
#[derive(Clone, Debug, Default)]
pub struct RowKeySet {
    hashes: AHashSet<u64>,
    hasher: RandomState,
}

impl RowKeySet {
    /// Adds a row.
    pub fn insert(&mut self, row_key: &[u8]) {
        self.hashes.insert(self.hasher.hash_one(row_key));
    }

    /// Whether the row was added; it may be said of others as well.
    pub fn may_contain(&self, row_key: &[u8]) -> bool {
        self.hashes.contains(&self.hasher.hash_one(row_key))
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
