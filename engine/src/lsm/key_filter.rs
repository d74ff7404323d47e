//! Which keys a memtable may hold: a point read of a key that is not among the recent writes,
//! which is most of them, need not search the skip list.

use crate::sync::atomic::{AtomicU64, Ordering};

/// How many bits there are. 2²⁰, 128 KiB: with the 300,000 entries of a full memtable one bit in
/// four is set, so three searches in four are spared, and nearly all in an emptier one.
/// (Models, to which every word is an object of its own, have fewer.)
const BIT_COUNT: u64 = if cfg!(feature = "shuttle") { 1 << 9 } else { 1 << 20 };

/// A set of key hashes, one bit for each: it may say of a key that it is there though it is not.
///
/// # Locking
/// None. A bit is set before the entry is published, by whoever publishes it, so a reader whose
/// snapshot has the entry sees the bit.
pub(super) struct KeyFilter(Box<[AtomicU64]>);

impl Default for KeyFilter {
    fn default() -> Self {
        Self((0..BIT_COUNT / 64).map(|_| AtomicU64::new(0)).collect())
    }
}

impl KeyFilter {
    /// Adds a key by its hash.
    pub(super) fn insert(&self, key_hash: u64) {
        if let Some(word) = self.word(key_hash) {
            word.fetch_or(1 << (key_hash % 64), Ordering::Relaxed);
        }
    }

    /// False: no key with this hash was added.
    #[inline]
    pub(super) fn may_contain(&self, key_hash: u64) -> bool {
        let word = self.word(key_hash).map_or(u64::MAX, |word| word.load(Ordering::Relaxed));
        word & 1 << (key_hash % 64) != 0
    }

    #[inline]
    fn word(&self, key_hash: u64) -> Option<&AtomicU64> {
        self.0.get((key_hash / 64 % (BIT_COUNT / 64)) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lsm::sstable::filter::key_hash;

    #[test]
    fn hits_always_and_misses_mostly() {
        let filter = KeyFilter::default();
        let hash = |n: u32| key_hash(&n.to_be_bytes());
        (0..10_000).for_each(|n| filter.insert(hash(n)));
        assert!((0..10_000).all(|n| filter.may_contain(hash(n))));
        let false_hits = (10_000..20_000).filter(|n| filter.may_contain(hash(*n))).count();
        assert!(false_hits < 200, "{false_hits} of 10000");
    }
}
