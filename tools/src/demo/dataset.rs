//! How much of everything there is, at which scale.

use super::{Error, Result};

/// The event that the data set comes with.
pub const FIRST_EVENT: i64 = 456;

/// Counts at scale 1.
const URLS: f64 = 1_000_000.0;
const SEATS: f64 = 50_000.0;
const BUSINESSES: f64 = 200_000.0;
const REVIEWS: f64 = 1_000_000.0;

/// A data set: everything else follows from these numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dataset {
    /// 1 is a million URLs.
    pub scale: f64,
    /// Other seeds give other rows.
    pub seed: u64,
}

impl Dataset {
    /// A data set.
    ///
    /// # Errors
    /// When the scale is not above 0 and at most 100.
    pub fn new(scale: f64, seed: u64) -> Result<Self> {
        if scale > 0.0 && scale <= 100.0 {
            return Ok(Self { scale, seed });
        }
        Err(Error::new(format!("the scale must be above 0 and at most 100, not {scale}")))
    }

    /// How many short URLs.
    pub fn urls(&self) -> u64 {
        self.scaled(URLS)
    }

    /// How many seats an event has.
    pub fn seats(&self) -> u64 {
        self.scaled(SEATS)
    }

    /// How many businesses.
    pub fn businesses(&self) -> u64 {
        self.scaled(BUSINESSES)
    }

    /// How many reviews.
    pub fn reviews(&self) -> u64 {
        self.scaled(REVIEWS)
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive and far below 2^53"
    )]
    fn scaled(&self, count: f64) -> u64 {
        (count * self.scale).round().max(1.0) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_follow_the_scale() {
        let full = Dataset::new(1.0, 1).unwrap();
        let counts = (full.urls(), full.seats(), full.businesses(), full.reviews());
        assert_eq!(counts, (1_000_000, 50_000, 200_000, 1_000_000));
        assert_eq!(Dataset::new(0.01, 1).unwrap().seats(), 500);
        assert_eq!(Dataset::new(1e-9, 1).unwrap().urls(), 1);
    }

    #[test]
    fn a_scale_is_a_positive_number() {
        for scale in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Dataset::new(scale, 1).is_err(), "{scale}");
        }
    }
}
