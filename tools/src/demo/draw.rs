//! Random draws that are the same everywhere and for ever: one seed, one data set.
//!
//! A draw is begun for one row of one table, so rows can be made in any order and by any number
//! of threads. The generator is splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom
//! number generators", 2014); a crate's generator may change with its version.

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A sequence of draws.
#[derive(Clone, Debug)]
pub struct Draw(u64);

impl Draw {
    /// The draws of row `row` of the table that has the tag `tag`.
    pub fn new(seed: u64, tag: u64, row: u64) -> Self {
        Self(scramble(seed.wrapping_add(scramble(tag.wrapping_add(scramble(row))))))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        scramble(self.0)
    }

    /// A number below `end`; 0 when `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        let product = u128::from(self.bits()) * u128::from(end);
        u64::try_from(product >> 64).unwrap_or(0)
    }

    /// A number in 0..1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number in -1..1, near 0 more often than not: the mean of four even draws.
    pub fn around_zero(&mut self) -> f64 {
        (self.unit() + self.unit() + self.unit() + self.unit()) / 2.0 - 1.0
    }

    /// A number below `end`, the low ones far more often: half of all draws are in the first
    /// eighth.
    pub fn skewed_below(&mut self, end: u64) -> u64 {
        let (a, b, c) = (self.below(end), self.below(end), self.below(end));
        let end = u128::from(end.max(1));
        let product = u128::from(a) * u128::from(b) * u128::from(c) / (end * end);
        u64::try_from(product).unwrap_or(0)
    }

    /// One of `items`.
    ///
    /// Requires: there is one.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let position = usize::try_from(self.below(items.len() as u64)).unwrap_or(0);
        &items[position]
    }
}

fn scramble(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same() {
        let draws = |seed| {
            let mut draw = Draw::new(seed, 1, 2);
            [draw.bits(), draw.bits(), draw.below(10)]
        };
        assert_eq!(draws(7), draws(7));
        assert_ne!(draws(7), draws(8));
    }

    #[test]
    fn draws_stay_in_their_range() {
        let mut draw = Draw::new(1, 1, 1);
        assert_eq!(draw.below(0), 0);
        for _ in 0..10_000 {
            assert!(draw.below(3) < 3);
            assert!(draw.skewed_below(5) < 5);
            assert!((0.0..1.0).contains(&draw.unit()));
            assert!((-1.0..1.0).contains(&draw.around_zero()));
        }
    }

    #[test]
    fn skewed_draws_are_mostly_low() {
        let mut draw = Draw::new(1, 1, 1);
        let low = (0..10_000).filter(|_| draw.skewed_below(800) < 100).count();
        assert!((4_500..7_500).contains(&low), "{low}");
    }
}
