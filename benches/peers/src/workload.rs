//! The data and the draws that every engine gets: all from a seed, none kept in memory.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, Zipf};

/// How skewed the zipfian draws are: YCSB's constant.
const ZIPF_EXPONENT: f64 = 0.99;
const KEY_LEN_MIN: usize = 16;
const KEY_LEN_MAX: usize = 24;
const VALUE_LEN_MIN: usize = 100;
const VALUE_LEN_MAX: usize = 400;

/// The records 0..count, in an order that has nothing to do with that of their keys.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    pub count: u64,
    pub seed: u64,
}

impl Workload {
    /// The key of a record: 16 hexadecimal digits that are unique to it, and up to 8 more bytes.
    pub fn key(&self, record: u64) -> Vec<u8> {
        let mut key = format!("{:016x}", scramble(record ^ self.seed)).into_bytes();
        let len = KEY_LEN_MIN + (record % (KEY_LEN_MAX - KEY_LEN_MIN + 1) as u64) as usize;
        key.resize(len, b'k');
        key
    }

    /// A key like the others that is nobody's.
    pub fn missing_key(&self, number: u64) -> Vec<u8> {
        self.key(self.count + number)
    }

    /// The value of a record after so many updates: half of it random, so that it compresses to
    /// about a half (as the values of RocksDB's `db_bench` do).
    pub fn value(&self, record: u64, update: u64) -> Vec<u8> {
        let mut draw = SmallRng::seed_from_u64(scramble(record ^ self.seed) ^ scramble(!update));
        let len = draw.random_range(VALUE_LEN_MIN..=VALUE_LEN_MAX);
        let mut value = vec![b'v'; len];
        draw.fill(&mut value[..len / 2]);
        value
    }

    /// All records in the order of their keys.
    pub fn sorted(&self) -> Vec<u64> {
        let mut records: Vec<u64> = (0..self.count).collect();
        records.sort_by_cached_key(|&record| scramble(record ^ self.seed));
        records
    }

    /// Bytes of all keys and values, without updates.
    pub fn len_bytes(&self) -> u64 {
        let lens = (0..self.count).map(|n| self.key(n).len() + self.value(n, 0).len());
        lens.sum::<usize>() as u64
    }

    /// Draws of records.
    pub fn draws(&self, stream: u64) -> Draws {
        let draw = SmallRng::seed_from_u64(self.seed ^ scramble(stream));
        let zipf = Zipf::new(self.count as f64, ZIPF_EXPONENT).expect("a valid distribution");
        Draws { draw, zipf, count: self.count }
    }
}

/// A stream of random records.
pub struct Draws {
    draw: SmallRng,
    zipf: Zipf<f64>,
    count: u64,
}

impl Draws {
    /// Every record as likely as any other.
    pub fn uniform(&mut self) -> u64 {
        self.draw.random_range(0..self.count)
    }

    /// A few records most of the time, and these lie anywhere among the keys.
    pub fn zipfian(&mut self) -> u64 {
        let rank = self.zipf.sample(&mut self.draw) as u64;
        rank.clamp(1, self.count) - 1
    }

    /// True so many times in a hundred.
    pub fn percent(&mut self, percent: u32) -> bool {
        self.draw.random_range(0..100) < percent
    }
}

/// A permutation of 64-bit numbers (the finalizer of SplitMix64, Steele et al., 2014).
fn scramble(mut n: u64) -> u64 {
    n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}
