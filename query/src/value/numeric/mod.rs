//! `numeric`: exact decimal numbers with Postgres' scales, limits and rounding.
//!
//! A finite number is an integer and a scale: 12.50 is 1250 with scale 2. The scale is what is
//! shown; it says nothing about equality.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

mod arithmetic;
mod digits;
mod text;
mod transcendental;

pub use digits::Digits;

use crate::error::{Error, Result, SqlState};

/// The most digits after the point that a computed result shows.
pub const DISPLAY_SCALE_MAX: i32 = 1000;
/// The most digits before the point.
const WEIGHT_MAX: u32 = 131_072;
/// The most digits after the point that a value can have at all.
pub const SCALE_MAX: u32 = 16_383;

/// An exact decimal number, or NaN or an infinity.
#[derive(Clone, Debug)]
pub enum Numeric {
    /// A finite number; the scale is the number of digits shown after the point.
    Finite(Decimal),
    /// Not a number: equal to itself and larger than everything.
    NaN,
    /// `Infinity`
    Infinity,
    /// `-Infinity`
    NegativeInfinity,
}

/// `digits / 10^scale`
#[derive(Clone, Debug)]
pub struct Decimal {
    /// The number without its point.
    pub digits: Digits,
    /// Digits after the point.
    pub scale: u32,
}

/// The error of a number that no `numeric` can hold.
pub(crate) fn overflow() -> Error {
    Error::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "value overflows numeric format")
}

impl Decimal {
    /// `digits / 10^scale`
    pub fn new(digits: impl Into<Digits>, scale: u32) -> Self {
        Self { digits: digits.into(), scale }
    }

    /// Refuses what has too many digits before the point; cuts what has too many after.
    fn checked(self) -> Result<Numeric> {
        if self.scale > SCALE_MAX {
            return Ok(Numeric::Finite(self.with_scale(SCALE_MAX)));
        }
        let is_large = matches!(self.digits, Digits::Large(_));
        if is_large && self.digits.count() > WEIGHT_MAX + self.scale {
            return Err(overflow());
        }
        Ok(Numeric::Finite(self))
    }

    /// The same number with `scale` digits after the point, rounded half away from zero.
    #[must_use]
    pub fn with_scale(&self, scale: u32) -> Self {
        let digits = match scale.checked_sub(self.scale) {
            Some(more) => self.digits.shift_left(more),
            None => self.digits.shift_right_rounded(self.scale - scale),
        };
        Self { digits, scale }
    }

    /// Both numbers with the larger scale.
    fn aligned(&self, other: &Self) -> (Digits, Digits, u32) {
        let scale = self.scale.max(other.scale);
        let left = self.digits.shift_left(scale - self.scale);
        (left, other.digits.shift_left(scale - other.scale), scale)
    }

    /// The exponent of its first digit: 0 for 1 to 9, -1 for 0.1; `None` for zero.
    pub fn exponent(&self) -> Option<i64> {
        let count = i64::from(self.digits.count());
        (!self.digits.is_zero()).then(|| count - 1 - i64::from(self.scale))
    }

    /// The same number without zeros at the end.
    #[must_use]
    pub fn trimmed(&self) -> Self {
        if self.digits.is_zero() {
            return Self { digits: Digits::ZERO, scale: 0 };
        }
        let mut result = self.clone();
        let ten = Digits::Small(10);
        while result.scale > 0 {
            let (quotient, remainder) = result.digits.div_rem(&ten);
            if !remainder.is_zero() {
                break;
            }
            result = Self { digits: quotient, scale: result.scale - 1 };
        }
        result
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.scale == other.scale {
            return self.digits.cmp(&other.digits);
        }
        let (left, right, _) = self.aligned(other);
        left.cmp(&right)
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl Numeric {
    /// Zero without digits after the point.
    pub const ZERO: Self = Self::Finite(Decimal { digits: Digits::ZERO, scale: 0 });

    /// `digits / 10^scale`
    pub fn finite(digits: impl Into<Digits>, scale: u32) -> Self {
        Self::Finite(Decimal::new(digits, scale))
    }

    /// How many digits it shows after the point.
    pub fn scale(&self) -> u32 {
        match self {
            Self::Finite(decimal) => decimal.scale,
            _ => 0,
        }
    }

    /// Whether it is zero.
    pub fn is_zero(&self) -> bool {
        matches!(self, Self::Finite(decimal) if decimal.digits.is_zero())
    }

    /// -1, 0, 1; NaN counts as positive.
    pub fn signum(&self) -> i32 {
        match self {
            Self::Finite(decimal) => decimal.digits.signum(),
            Self::NegativeInfinity => -1,
            Self::NaN | Self::Infinity => 1,
        }
    }

    /// Bytes held.
    pub fn memory_len(&self) -> usize {
        match self {
            Self::Finite(decimal) => 48 + decimal.digits.memory_len(),
            _ => 48,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::NegativeInfinity => 0,
            Self::Finite(_) => 1,
            Self::Infinity => 2,
            Self::NaN => 3,
        }
    }

    /// As a whole number, rounded half away from zero; `None` when it does not fit.
    pub fn to_i64(&self) -> Option<i64> {
        match self {
            Self::Finite(decimal) => {
                let whole = decimal.digits.shift_right_rounded(decimal.scale);
                whole.to_i128().and_then(|value| i64::try_from(value).ok())
            }
            _ => None,
        }
    }

    /// The nearest `double precision`.
    pub fn to_f64(&self) -> f64 {
        match self {
            Self::NaN => f64::NAN,
            Self::Infinity => f64::INFINITY,
            Self::NegativeInfinity => f64::NEG_INFINITY,
            // The standard library parses every decimal text.
            Self::Finite(_) => self.to_string().parse().unwrap_or(f64::NAN),
        }
    }

    /// A `double precision` as Postgres casts it: 15 significant digits.
    pub fn from_f64(value: f64) -> Self {
        Self::from_float(value, 15)
    }

    /// A `real` as Postgres casts it: 6 significant digits.
    pub fn from_f32(value: f32) -> Self {
        Self::from_float(f64::from(value), 6)
    }

    fn from_float(value: f64, significant: usize) -> Self {
        if value.is_nan() {
            return Self::NaN;
        }
        if value.is_infinite() {
            return if value > 0.0 { Self::Infinity } else { Self::NegativeInfinity };
        }
        let text = format!("{value:.*e}", significant - 1);
        let parsed: Self = text.parse().unwrap_or(Self::NaN);
        match parsed {
            Self::Finite(decimal) => Self::Finite(decimal.trimmed()),
            other => other,
        }
    }
}

impl From<i64> for Numeric {
    fn from(value: i64) -> Self {
        Self::finite(Digits::Small(i128::from(value)), 0)
    }
}

impl From<i128> for Numeric {
    fn from(value: i128) -> Self {
        Self::finite(Digits::Small(value), 0)
    }
}

impl Ord for Numeric {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Finite(left), Self::Finite(right)) => left.cmp(right),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Numeric {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Numeric {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Numeric {}

impl Hash for Numeric {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rank().hash(state);
        if let Self::Finite(decimal) = self {
            let trimmed = decimal.trimmed();
            (trimmed.digits, trimmed.scale).hash(state);
        }
    }
}

impl fmt::Display for Numeric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finite(decimal) => fmt::Display::fmt(decimal, f),
            Self::NaN => f.write_str("NaN"),
            Self::Infinity => f.write_str("Infinity"),
            Self::NegativeInfinity => f.write_str("-Infinity"),
        }
    }
}
