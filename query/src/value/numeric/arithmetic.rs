//! `numeric` sums, products, quotients and roundings, with Postgres' result scales.

use super::{DISPLAY_SCALE_MAX, Decimal, Digits, Numeric, SCALE_MAX};
use crate::error::{Error, Result, SqlState};

/// Digits per digit in Postgres' own representation, which its division scale is derived from.
const DEC_DIGITS: i64 = 4;
/// The least significant digits that a quotient has.
pub(super) const MIN_SIG_DIGITS: i64 = 16;

pub(super) fn division_by_zero() -> Error {
    Error::new(SqlState::DIVISION_BY_ZERO, "division by zero")
}

impl Numeric {
    /// The sum.
    ///
    /// # Errors
    /// 22003 when it has too many digits.
    pub fn add(&self, other: &Self) -> Result<Self> {
        match (self, other) {
            (Self::Finite(left), Self::Finite(right)) => {
                let (left, right, scale) = left.aligned(right);
                Decimal { digits: left.add(&right), scale }.checked()
            }
            (Self::NaN, _) | (_, Self::NaN) => Ok(Self::NaN),
            (Self::Infinity, Self::NegativeInfinity) | (Self::NegativeInfinity, Self::Infinity) => {
                Ok(Self::NaN)
            }
            (Self::Finite(_), infinity) | (infinity, _) => Ok(infinity.clone()),
        }
    }

    /// The difference.
    ///
    /// # Errors
    /// 22003 when it has too many digits.
    pub fn sub(&self, other: &Self) -> Result<Self> {
        self.add(&other.neg())
    }

    /// The product.
    ///
    /// # Errors
    /// 22003 when it has too many digits.
    pub fn mul(&self, other: &Self) -> Result<Self> {
        match (self, other) {
            (Self::Finite(left), Self::Finite(right)) => {
                let digits = left.digits.mul(&right.digits);
                let product = Decimal { digits, scale: left.scale + right.scale };
                if product.scale > SCALE_MAX {
                    return product.with_scale(SCALE_MAX).checked();
                }
                product.checked()
            }
            (Self::NaN, _) | (_, Self::NaN) => Ok(Self::NaN),
            _ => Ok(signed_infinity(self.signum() * other.signum())),
        }
    }

    /// The quotient, with the scale that Postgres gives it.
    ///
    /// # Errors
    /// 22012; 22003 when it has too many digits.
    pub fn div(&self, other: &Self) -> Result<Self> {
        match (self, other) {
            (Self::NaN, _) | (_, Self::NaN) => Ok(Self::NaN),
            (_, other) if other.is_zero() => Err(division_by_zero()),
            (Self::Finite(left), Self::Finite(right)) => {
                left.div_to_scale(right, left.division_scale(right)).checked()
            }
            (Self::Finite(_), _) => Ok(Self::ZERO),
            (_, Self::Finite(_)) => Ok(signed_infinity(self.signum() * other.signum())),
            _ => Ok(Self::NaN),
        }
    }

    /// The quotient, cut to a whole number.
    ///
    /// # Errors
    /// 22012
    pub fn div_trunc(&self, other: &Self) -> Result<Self> {
        match (self, other) {
            (Self::Finite(left), Self::Finite(right)) if !right.digits.is_zero() => {
                let (left, right, _) = left.aligned(right);
                Ok(Self::finite(left.div_rem(&right).0, 0))
            }
            _ => self.div(other),
        }
    }

    /// The remainder, with the sign of the dividend.
    ///
    /// # Errors
    /// 22012
    pub fn rem(&self, other: &Self) -> Result<Self> {
        match (self, other) {
            (Self::NaN, _) | (_, Self::NaN) => Ok(Self::NaN),
            (_, other) if other.is_zero() => Err(division_by_zero()),
            (Self::Finite(left), Self::Finite(right)) => {
                let (left, right, scale) = left.aligned(right);
                Ok(Self::finite(left.div_rem(&right).1, scale))
            }
            (Self::Finite(_), _) => Ok(self.clone()),
            _ => Ok(Self::NaN),
        }
    }

    /// With the other sign.
    #[must_use]
    pub fn neg(&self) -> Self {
        match self {
            Self::Finite(decimal) => Self::finite(decimal.digits.neg(), decimal.scale),
            Self::NaN => Self::NaN,
            Self::Infinity => Self::NegativeInfinity,
            Self::NegativeInfinity => Self::Infinity,
        }
    }

    /// Without its sign.
    #[must_use]
    pub fn abs(&self) -> Self {
        if self.signum() < 0 { self.neg() } else { self.clone() }
    }

    /// Rounded half away from zero to `scale` digits after the point; negative scales round
    /// before it.
    #[must_use]
    pub fn round(&self, scale: i32) -> Self {
        self.to_scale(scale, Digits::shift_right_rounded)
    }

    /// Cut towards zero to `scale` digits after the point.
    #[must_use]
    pub fn trunc(&self, scale: i32) -> Self {
        self.to_scale(scale, Digits::shift_right)
    }

    fn to_scale(&self, scale: i32, shift: fn(&Digits, u32) -> Digits) -> Self {
        let Self::Finite(decimal) = self else { return self.clone() };
        let scale = scale.clamp(-(SCALE_MAX as i32) * 8, SCALE_MAX as i32);
        let shown = scale.max(0) as u32;
        let drop = i64::from(decimal.scale) - i64::from(scale);
        if drop <= 0 {
            return Self::Finite(decimal.with_scale(shown));
        }
        let kept = shift(&decimal.digits, drop as u32);
        let digits = kept.shift_left((-scale).max(0) as u32);
        Self::finite(digits, shown)
    }

    /// The largest whole number that is not above.
    #[must_use]
    pub fn floor(&self) -> Self {
        self.whole_towards(-1)
    }

    /// The smallest whole number that is not below.
    #[must_use]
    pub fn ceil(&self) -> Self {
        self.whole_towards(1)
    }

    fn whole_towards(&self, sign: i32) -> Self {
        let Self::Finite(decimal) = self else { return self.clone() };
        let divisor = Digits::power_of_ten(decimal.scale);
        let (quotient, remainder) = decimal.digits.div_rem(&divisor);
        let step = if remainder.signum() == sign { i128::from(sign) } else { 0 };
        Self::finite(quotient.add(&Digits::Small(step)), 0)
    }

    /// Without zeros at the end.
    #[must_use]
    pub fn trim_scale(&self) -> Self {
        match self {
            Self::Finite(decimal) => Self::Finite(decimal.trimmed()),
            other => other.clone(),
        }
    }
}

pub(super) fn signed_infinity(sign: i32) -> Numeric {
    match sign {
        0 => Numeric::NaN,
        1.. => Numeric::Infinity,
        _ => Numeric::NegativeInfinity,
    }
}

impl Decimal {
    /// `self / other` with `scale` digits after the point, rounded. `other` is not zero.
    pub(super) fn div_to_scale(&self, other: &Self, scale: u32) -> Self {
        // digits1/10^s1 / (digits2/10^s2) * 10^scale
        let shift = i64::from(scale) + i64::from(other.scale) - i64::from(self.scale);
        let digits = if shift >= 0 {
            self.digits.shift_left(shift as u32).div_rounded(&other.digits)
        } else {
            self.digits.div_rounded(&other.digits.shift_left((-shift) as u32))
        };
        Self { digits, scale }
    }

    /// The position and value of the first digit in base 10,000, Postgres' own representation.
    fn leading_group(&self) -> (i64, i64) {
        let Some(exponent) = self.exponent() else { return (0, 0) };
        let weight = exponent.div_euclid(DEC_DIGITS);
        let below = exponent - weight * DEC_DIGITS;
        let drop = i64::from(self.digits.count()) - 1 - below;
        let magnitude = self.digits.abs();
        let group = if drop >= 0 {
            magnitude.shift_right(drop as u32)
        } else {
            magnitude.shift_left((-drop) as u32)
        };
        (weight, group.to_i128().map_or(0, |group| group as i64))
    }

    /// How many digits a quotient shows after the point: enough for at least 16 significant ones,
    /// at least as many as either input (Postgres, `select_div_scale`).
    pub(super) fn division_scale(&self, divisor: &Self) -> u32 {
        let (left_weight, left_first) = self.leading_group();
        let (right_weight, right_first) = divisor.leading_group();
        let mut weight = left_weight - right_weight;
        if left_first <= right_first {
            weight -= 1;
        }
        let scale = MIN_SIG_DIGITS - weight * DEC_DIGITS;
        let shown = i64::from(self.scale.max(divisor.scale));
        scale.max(shown).clamp(0, i64::from(DISPLAY_SCALE_MAX)) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Numeric {
        text.parse().unwrap()
    }

    #[test]
    fn quotients_have_postgres_scale() {
        let div = |left, right| number(left).div(&number(right)).unwrap().to_string();
        assert_eq!(div("1", "3"), "0.33333333333333333333");
        assert_eq!(div("10", "2"), "5.0000000000000000");
        assert_eq!(div("10000", "3"), "3333.3333333333333333");
        assert_eq!(div("1.0", "30000"), "0.000033333333333333333333");
        assert_eq!(div("-7", "2"), "-3.5000000000000000");
    }

    #[test]
    fn sums_and_products_keep_scales() {
        assert_eq!(number("1.50").add(&number("2")).unwrap().to_string(), "3.50");
        assert_eq!(number("1.50").mul(&number("2.0")).unwrap().to_string(), "3.000");
        assert_eq!(number("0.1").sub(&number("0.10")).unwrap().to_string(), "0.00");
        assert_eq!(number("Infinity").sub(&number("Infinity")).unwrap().to_string(), "NaN");
    }

    #[test]
    fn rounding_reaches_both_sides_of_the_point() {
        assert_eq!(number("2.345").round(2).to_string(), "2.35");
        assert_eq!(number("1255").round(-1).to_string(), "1260");
        assert_eq!(number("-2.5").round(0).to_string(), "-3");
        assert_eq!(number("2.5").round(3).to_string(), "2.500");
        assert_eq!(number("-2.5").floor().to_string(), "-3");
        assert_eq!(number("-2.5").ceil().to_string(), "-2");
        assert_eq!(number("2.59").trunc(1).to_string(), "2.5");
    }

    #[test]
    fn remainders_follow_the_dividend() {
        assert_eq!(number("-7.5").rem(&number("2")).unwrap().to_string(), "-1.5");
        assert_eq!(number("1").rem(&number("0")).unwrap_err().state().0, "22012");
    }
}
