//! The integer inside a `numeric`: an `i128` while it fits, a big integer beyond.
//!
//! Nearly every number that a database sees has fewer than 38 digits, so the common operations
//! never allocate.

use std::cmp::Ordering;

use num_bigint::{BigInt, Sign};
use num_traits::{Signed, ToPrimitive, Zero};

/// An integer of any size. `Large` never holds what `Small` could.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Digits {
    /// Up to 38 digits.
    Small(i128),
    /// Anything larger.
    Large(Box<BigInt>),
}

/// `10^power` as an `i128`, when it fits.
fn small_power(power: u32) -> Option<i128> {
    10_i128.checked_pow(power)
}

/// `10^power`
pub fn power_of_ten(power: u32) -> BigInt {
    BigInt::from(10).pow(power)
}

impl Digits {
    /// Zero.
    pub const ZERO: Self = Self::Small(0);

    /// As a big integer.
    pub fn to_big(&self) -> BigInt {
        match self {
            Self::Small(value) => BigInt::from(*value),
            Self::Large(value) => (**value).clone(),
        }
    }

    /// -1, 0 or 1.
    pub fn signum(&self) -> i32 {
        match self {
            Self::Small(value) => value.signum() as i32,
            Self::Large(value) if value.is_negative() => -1,
            Self::Large(_) => 1,
        }
    }

    /// Whether it is zero.
    pub fn is_zero(&self) -> bool {
        matches!(self, Self::Small(0))
    }

    /// Without its sign.
    pub fn abs(&self) -> Self {
        if self.signum() < 0 { self.neg() } else { self.clone() }
    }

    /// With the other sign.
    pub fn neg(&self) -> Self {
        match self {
            Self::Small(value) => match value.checked_neg() {
                Some(value) => Self::Small(value),
                None => (-BigInt::from(*value)).into(),
            },
            Self::Large(value) => (-&**value).into(),
        }
    }

    /// The sum.
    pub fn add(&self, other: &Self) -> Self {
        if let (Self::Small(left), Self::Small(right)) = (self, other)
            && let Some(sum) = left.checked_add(*right)
        {
            return Self::Small(sum);
        }
        (self.to_big() + other.to_big()).into()
    }

    /// The difference.
    pub fn sub(&self, other: &Self) -> Self {
        if let (Self::Small(left), Self::Small(right)) = (self, other)
            && let Some(difference) = left.checked_sub(*right)
        {
            return Self::Small(difference);
        }
        (self.to_big() - other.to_big()).into()
    }

    /// The product.
    pub fn mul(&self, other: &Self) -> Self {
        if let (Self::Small(left), Self::Small(right)) = (self, other)
            && let Some(product) = left.checked_mul(*right)
        {
            return Self::Small(product);
        }
        (self.to_big() * other.to_big()).into()
    }

    /// Times `10^power`.
    pub fn shift_left(&self, power: u32) -> Self {
        if power == 0 || self.is_zero() {
            return self.clone();
        }
        if let Self::Small(value) = self
            && let Some(factor) = small_power(power)
            && let Some(product) = value.checked_mul(factor)
        {
            return Self::Small(product);
        }
        (self.to_big() * power_of_ten(power)).into()
    }

    /// The quotient and remainder, cut towards zero. The divisor is not zero.
    pub fn div_rem(&self, divisor: &Self) -> (Self, Self) {
        if let (Self::Small(left), Self::Small(right)) = (self, divisor)
            && let (Some(quotient), Some(remainder)) =
                (left.checked_div(*right), left.checked_rem(*right))
        {
            return (Self::Small(quotient), Self::Small(remainder));
        }
        let (left, right) = (self.to_big(), divisor.to_big());
        let quotient = &left / &right;
        let remainder = left - &quotient * right;
        (quotient.into(), remainder.into())
    }

    /// The quotient, rounded half away from zero. The divisor is not zero.
    pub fn div_rounded(&self, divisor: &Self) -> Self {
        let (quotient, remainder) = self.div_rem(divisor);
        let double = remainder.abs().add(&remainder.abs());
        if double.cmp(&divisor.abs()) == Ordering::Less {
            return quotient;
        }
        let step = if self.signum() == divisor.signum() { 1 } else { -1 };
        quotient.add(&Self::Small(step))
    }

    /// `10^power` itself.
    pub fn power_of_ten(power: u32) -> Self {
        small_power(power).map_or_else(|| power_of_ten(power).into(), Self::Small)
    }

    /// Divided by `10^power`, rounded half away from zero.
    pub fn shift_right_rounded(&self, power: u32) -> Self {
        if power == 0 { self.clone() } else { self.div_rounded(&Self::power_of_ten(power)) }
    }

    /// Divided by `10^power`, cut towards zero.
    pub fn shift_right(&self, power: u32) -> Self {
        if power == 0 { self.clone() } else { self.div_rem(&Self::power_of_ten(power)).0 }
    }

    /// How many decimal digits it has; zero has one.
    pub fn count(&self) -> u32 {
        match self {
            Self::Small(0) => 1,
            Self::Small(value) => value.unsigned_abs().ilog10() + 1,
            Self::Large(value) => value.magnitude().to_string().len() as u32,
        }
    }

    /// As an `i128`, when it fits.
    pub fn to_i128(&self) -> Option<i128> {
        match self {
            Self::Small(value) => Some(*value),
            Self::Large(_) => None,
        }
    }

    /// Bytes held beyond the value itself.
    pub fn memory_len(&self) -> usize {
        match self {
            Self::Small(_) => 0,
            Self::Large(value) => 32 + value.bits() as usize / 8,
        }
    }

    /// The decimal digits without sign.
    pub fn magnitude_text(&self) -> String {
        match self {
            Self::Small(value) => value.unsigned_abs().to_string(),
            Self::Large(value) => value.magnitude().to_string(),
        }
    }
}

impl From<BigInt> for Digits {
    fn from(value: BigInt) -> Self {
        if value.is_zero() || value.sign() == Sign::NoSign {
            return Self::ZERO;
        }
        value.to_i128().map_or_else(|| Self::Large(Box::new(value)), Self::Small)
    }
}

impl PartialOrd for Digits {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Digits {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Small(left), Self::Small(right)) => left.cmp(right),
            (Self::Large(left), Self::Large(right)) => left.cmp(right),
            (Self::Small(_), Self::Large(right)) if right.is_negative() => Ordering::Greater,
            (Self::Small(_), Self::Large(_)) => Ordering::Less,
            (Self::Large(_), Self::Small(_)) => other.cmp(self).reverse(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_results_leave_the_small_form_and_come_back() {
        let most = Digits::Small(i128::MAX);
        let sum = most.add(&Digits::Small(1));
        assert!(matches!(sum, Digits::Large(_)));
        assert_eq!(sum.sub(&Digits::Small(1)), most);
        assert!(sum > most);
        assert_eq!(Digits::Small(i128::MIN).neg(), sum);
    }

    #[test]
    fn rounding_is_half_away_from_zero() {
        let round = |value: i128, power| Digits::Small(value).shift_right_rounded(power);
        assert_eq!(round(25, 1), Digits::Small(3));
        assert_eq!(round(-25, 1), Digits::Small(-3));
        assert_eq!(round(24, 1), Digits::Small(2));
        assert_eq!(round(-7, 1), Digits::Small(-1));
        assert_eq!(Digits::Small(7).div_rounded(&Digits::Small(-2)), Digits::Small(-4));
    }
}
