//! Bloom filter over the user keys of an sstable: "surely absent" for the price of two hashes.
//!
//! A key is hashed once per lookup, to 64 bits; each file's filter then works on that number.
//! This module is the only one that names the filter crate, so that a faster one can replace it.
//!
//! # Layout
//! The filter block is a sealed block whose payload is the crate's own form: version u8, bit bytes
//! u64, hash count u32, 32 bytes of seed, bits.

use std::hash::Hasher;

use bloomfilter::Bloom;
use bloomfilter::reexports::siphasher::sip::SipHasher13;

use crate::lsm::tally::Tally;

/// Stored filters depend on it; never change.
const SEED: [u8; 32] = *b"cairn sstable filter, format 1..";

/// The most hashes of a key that a filter is believed to want: enough for 90 bits per key.
const HASH_COUNT_MAX: u32 = 64;

/// The hash of a user key that filters work on. Stored filters depend on it; never change.
#[inline]
pub(crate) fn key_hash(key: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(0x6361_6972_6e5f_6b65, 0x795f_6861_7368_0001);
    hasher.write(key);
    hasher.finish()
}

/// Collects keys into a filter.
pub(crate) struct FilterBuilder {
    bits_per_key: usize,
    hashes: Vec<u64>,
}

impl FilterBuilder {
    pub(crate) fn new(bits_per_key: usize) -> Self {
        Self { bits_per_key, hashes: Vec::new() }
    }

    /// Adds a user key. Requires: each once.
    pub(crate) fn add(&mut self, key: &[u8]) {
        if self.bits_per_key > 0 {
            self.hashes.push(key_hash(key));
        }
    }

    /// The payload of the filter block; `None` when there is no filter.
    pub(crate) fn finish(&self) -> Option<Vec<u8>> {
        if self.hashes.is_empty() {
            return None;
        }
        let len = (self.hashes.len() * self.bits_per_key).div_ceil(8);
        let mut bloom = Bloom::new_with_seed(len, self.hashes.len(), &SEED).ok()?;
        for hash in &self.hashes {
            bloom.set(hash);
        }
        Some(bloom.into_bytes())
    }
}

/// What filters were good for.
#[derive(Debug, Default)]
pub(crate) struct FilterCounters {
    /// Lookups that a filter ended: no block was read.
    pub(crate) denied: Tally,
    /// Lookups that a filter let pass, for nothing.
    pub(crate) misled: Tally,
}

/// Answers whether a key may be in an sstable.
pub(crate) struct Filter(Bloom<u64>);

impl Filter {
    /// Reads a payload; `None` when it is malformed.
    pub(crate) fn new(payload: &[u8]) -> Option<Self> {
        let bloom = Bloom::from_slice(payload).ok()?;
        let is_quick = bloom.number_of_hash_functions() <= HASH_COUNT_MAX;
        (is_quick && !bloom.is_empty()).then_some(Self(bloom))
    }

    /// False: no key with this [`key_hash`] is in the sstable.
    #[inline]
    pub(crate) fn may_contain(&self, key_hash: u64) -> bool {
        self.0.check(&key_hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_always_and_misses_mostly() {
        let mut builder = FilterBuilder::new(10);
        let key = |n: u32| n.to_be_bytes();
        (0..10_000).for_each(|n| builder.add(&key(n)));
        let filter = Filter::new(&builder.finish().unwrap()).unwrap();
        assert!((0..10_000).all(|n| filter.may_contain(key_hash(&key(n)))));
        let false_hits =
            (10_000..20_000).filter(|&n| filter.may_contain(key_hash(&key(n)))).count();
        assert!(false_hits < 200, "{false_hits} of 10000");
    }

    #[test]
    fn hash_is_stable() {
        assert_eq!(key_hash(b"cairn"), 18_430_205_745_212_417_609);
    }

    #[test]
    fn malformed_filters_are_refused() {
        const HASH_COUNT_AT: usize = 9;
        let mut builder = FilterBuilder::new(10);
        builder.add(b"k");
        let payload = builder.finish().unwrap();
        for end in 0..payload.len() {
            assert!(Filter::new(&payload[..end]).is_none());
        }
        let mut endless = payload;
        endless[HASH_COUNT_AT..][..4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(Filter::new(&endless).is_none());
    }
}
