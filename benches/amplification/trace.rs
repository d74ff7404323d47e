//! The trace: all keys once in random order, then updates of some keys more than of others, some
//! deletions, and now and then a read.

use rand::rngs::StdRng;
use rand::{Rng, RngCore, SeedableRng};

/// One operation.
pub(crate) enum Operation {
    Put(u64),
    Delete(u64),
    Get(u64),
    Scan(u64),
}

/// The operations of a seed.
pub(crate) struct Trace {
    rng: StdRng,
    key_count: u64,
    loaded: u64,
    left: u64,
}

impl Trace {
    pub(crate) fn new(seed: u64, key_count: u64, updates: u64) -> Self {
        let left = key_count * updates;
        Self { rng: StdRng::seed_from_u64(seed), key_count, loaded: 0, left }
    }

    /// A key; one of the first fifth in half of the cases.
    fn key(&mut self) -> u64 {
        let hot = (self.key_count / 5).max(1);
        let range = if self.rng.random_bool(0.5) { hot } else { self.key_count };
        spread(self.rng.random_range(0..range), self.key_count)
    }

    /// Bytes that do not compress.
    pub(crate) fn fill(&mut self, value: &mut [u8]) {
        self.rng.fill_bytes(value);
    }
}

impl Iterator for Trace {
    type Item = Operation;

    fn next(&mut self) -> Option<Operation> {
        if self.loaded < self.key_count {
            self.loaded += 1;
            return Some(Operation::Put(spread(self.loaded - 1, self.key_count)));
        }
        self.left = self.left.checked_sub(1)?;
        let key = self.key();
        Some(match self.rng.random_range(0..1000) {
            0..850 => Operation::Put(key),
            850..880 => Operation::Delete(key),
            880..995 => Operation::Get(key),
            _ => Operation::Scan(key),
        })
    }
}

/// Neighbours go far apart: a permutation of the numbers below `count`.
fn spread(n: u64, count: u64) -> u64 {
    // Prime, and so without a common divisor with any smaller count.
    const STEP: u128 = 2_147_483_647;
    u64::try_from(u128::from(n) * STEP % u128::from(count)).unwrap_or_default()
}
