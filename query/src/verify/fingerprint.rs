//! A sum over index entries that does not depend on their order: two sets of entries with one
//! fingerprint are one set, but for a chance of 1 in 2^128.

use ahash::RandomState;

/// See the module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fingerprint {
    pub count: u64,
    sum: u128,
}

impl Fingerprint {
    /// Takes an entry in.
    pub fn add(&mut self, key: &[u8], value: &[u8]) {
        let half = |seed| u128::from(RandomState::with_seeds(seed, 1, 2, 3).hash_one((key, value)));
        self.count += 1;
        self.sum = self.sum.wrapping_add(half(0) << 64 | half(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(entries: &[(&str, &str)]) -> Fingerprint {
        let mut sum = Fingerprint::default();
        entries.iter().for_each(|(key, value)| sum.add(key.as_bytes(), value.as_bytes()));
        sum
    }

    #[test]
    fn order_does_not_matter_and_content_does() {
        assert_eq!(of(&[("a", "1"), ("b", "2")]), of(&[("b", "2"), ("a", "1")]));
        assert_ne!(of(&[("a", "1"), ("b", "2")]), of(&[("a", "2"), ("b", "1")]));
        assert_ne!(of(&[("ab", "")]), of(&[("a", "b")]));
        assert_ne!(of(&[("a", "")]), of(&[("a", ""), ("a", "")]));
    }
}
