//! Decoded blocks, bounded in bytes and shared by all sstables.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::sstable::filter::FilterCounters;
use crate::env::FileId;

/// What a cached block costs besides its bytes.
const ENTRY_OVERHEAD_LEN: u64 = 64;
/// Of so many misses one is inserted into a full cache. 4.
const MISSES_PER_INSERT: u64 = 4;
/// Of so many misses one looks whether the cache is full, which takes a while. 256.
const MISSES_PER_LOOK: u64 = 256;
/// Expected length of a block, to size the cache's tables.
const BLOCK_LEN_EXPECTED: usize = 2 << 10;

/// A block: its file and its offset there. File numbers are never reused.
type Place = (FileId, u64);

#[derive(Clone)]
struct BlockWeighter;

impl Weighter<Place, Bytes> for BlockWeighter {
    fn weight(&self, _: &Place, block: &Bytes) -> u64 {
        block.len() as u64 + ENTRY_OVERHEAD_LEN
    }
}

/// Payloads of recently used blocks.
pub(crate) struct BlockCache {
    blocks: Cache<Place, Bytes, BlockWeighter, ahash::RandomState>,
    hit_count: AtomicU64,
    miss_count: AtomicU64,
    is_full: AtomicBool,
    /// What filters did for the sstables that share the cache.
    pub(crate) filters: FilterCounters,
}

impl BlockCache {
    pub(crate) fn new(len_max: usize) -> Self {
        let count = (len_max / BLOCK_LEN_EXPECTED).max(16);
        let lifecycle = quick_cache::sync::DefaultLifecycle::default();
        let hasher = ahash::RandomState::new();
        let blocks = Cache::with(count, len_max as u64, BlockWeighter, hasher, lifecycle);
        let (hit_count, miss_count) = (AtomicU64::new(0), AtomicU64::new(0));
        let (is_full, filters) = (AtomicBool::new(false), FilterCounters::default());
        Self { blocks, hit_count, miss_count, is_full, filters }
    }

    #[inline]
    pub(crate) fn get(&self, file: FileId, offset: u64) -> Option<Bytes> {
        let block = self.blocks.get(&(file, offset));
        let count = if block.is_some() { &self.hit_count } else { &self.miss_count };
        count.fetch_add(1, Ordering::Relaxed);
        block
    }

    /// Whether a block that was just missed should be inserted. Once the cache is full only one in
    /// [`MISSES_PER_INSERT`] is, by chance: what is read often is met again soon, and what is read
    /// once does not pay for allocating, inserting and evicting.
    pub(crate) fn wants_another(&self) -> bool {
        let count = self.miss_count();
        if count.is_multiple_of(MISSES_PER_LOOK) {
            let is_full = self.blocks.weight() >= self.blocks.capacity() / 8 * 7;
            self.is_full.store(is_full, Ordering::Relaxed);
        }
        !self.is_full.load(Ordering::Relaxed) || count.is_multiple_of(MISSES_PER_INSERT)
    }

    pub(crate) fn insert(&self, file: FileId, offset: u64, block: Bytes) {
        self.blocks.insert((file, offset), block);
    }

    /// Bytes in it.
    pub(crate) fn len_bytes(&self) -> u64 {
        self.blocks.weight()
    }

    /// Lookups that found their block.
    pub(crate) fn hit_count(&self) -> u64 {
        self.hit_count.load(Ordering::Relaxed)
    }

    /// Lookups that did not.
    pub(crate) fn miss_count(&self) -> u64 {
        self.miss_count.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounded_in_bytes() {
        let cache = BlockCache::new(1 << 20);
        for n in 0..1000 {
            cache.insert(FileId(1), n, Bytes::from(vec![0; 4096]));
        }
        assert!(cache.len_bytes() <= 1 << 20);
        assert!((0..1000).any(|n| cache.get(FileId(1), n).is_some()));
        assert!(cache.get(FileId(2), 999).is_none());
    }
}
