//! `numeric` roots, powers and logarithms.
//!
//! They are computed on fixed-point big integers with guard digits and rounded to the scale that
//! Postgres chooses: at least 16 significant digits, at least those of the input.

use num_bigint::BigInt;
use num_traits::{One, Signed, ToPrimitive, Zero};

use super::arithmetic::{MIN_SIG_DIGITS, division_by_zero, signed_infinity};
use super::digits::power_of_ten;
use super::{DISPLAY_SCALE_MAX, Decimal, Digits, Numeric, overflow};
use crate::error::{Error, Result, SqlState};

/// Digits computed beyond those that are kept.
const GUARD_DIGITS: u32 = 12;
const LOG10_E: f64 = std::f64::consts::LOG10_E;
/// The largest power of ten that a result may reach.
const EXPONENT_MAX: f64 = 131_072.0;

fn invalid_power(message: &str) -> Error {
    Error::new(SqlState("2201F"), message)
}

fn invalid_logarithm(message: &str) -> Error {
    Error::new(SqlState("2201E"), message)
}

/// The scale of a result whose first digit is at `exponent`.
fn result_scale(exponent: i64, shown: u32) -> u32 {
    let scale = (MIN_SIG_DIGITS - exponent).max(i64::from(shown));
    scale.clamp(0, i64::from(DISPLAY_SCALE_MAX)) as u32
}

impl Numeric {
    /// The square root.
    ///
    /// # Errors
    /// 2201F of a negative number.
    pub fn sqrt(&self) -> Result<Self> {
        if self.signum() < 0 {
            return Err(invalid_power("cannot take square root of a negative number"));
        }
        let Self::Finite(value) = self else { return Ok(self.clone()) };
        let weight = value.exponent().map_or(0, |exponent| exponent.div_euclid(4));
        let scale = result_scale((weight + 1) * 2 - 1, value.scale);
        // sqrt(d / 10^s) = sqrt(d * 10^(2p - s)) / 10^p, with one digit more for rounding.
        let precision = (scale + 1).max(value.scale);
        let radicand = value.digits.to_big() * power_of_ten(2 * precision - value.scale);
        let root = Decimal::new(Digits::from(radicand.sqrt()), precision);
        Ok(Self::Finite(root.with_scale(scale)))
    }

    /// `e` to the power of the number.
    ///
    /// # Errors
    /// 22003
    pub fn exp(&self) -> Result<Self> {
        let Self::Finite(value) = self else {
            return Ok(if self.signum() < 0 { Self::ZERO } else { self.clone() });
        };
        let exponent = self.to_f64() * LOG10_E;
        if exponent > EXPONENT_MAX {
            return Err(overflow());
        }
        let scale = result_scale(exponent.clamp(-2000.0, 2000.0) as i64, value.scale);
        exp_to_scale(value, exponent, scale)
    }

    /// The natural logarithm.
    ///
    /// # Errors
    /// 2201E
    pub fn ln(&self) -> Result<Self> {
        self.check_logarithm()?;
        let Self::Finite(value) = self else { return Ok(self.clone()) };
        let scale = result_scale(value.ln_exponent(), value.scale);
        let ln = fixed_ln(value, scale + GUARD_DIGITS);
        Ok(Self::Finite(Decimal::new(Digits::from(ln), scale + GUARD_DIGITS).with_scale(scale)))
    }

    /// The logarithm to the base `base`.
    ///
    /// # Errors
    /// 2201E, 22012
    pub fn log(&self, base: &Self) -> Result<Self> {
        self.check_logarithm()?;
        base.check_logarithm()?;
        let (Self::Finite(value), Self::Finite(base)) = (self, base) else {
            return Ok(log_of_special(self, base));
        };
        let exponent = value.ln_exponent() - base.ln_exponent();
        let scale = result_scale(exponent, value.scale.max(base.scale));
        let precision = scale + 2 * GUARD_DIGITS + exponent.unsigned_abs() as u32;
        let divisor = fixed_ln(base, precision);
        if divisor.is_zero() {
            return Err(division_by_zero());
        }
        let dividend = Decimal::new(Digits::from(fixed_ln(value, precision)), precision);
        let divisor = Decimal::new(Digits::from(divisor), precision);
        Ok(Self::Finite(dividend.div_to_scale(&divisor, scale)))
    }

    fn check_logarithm(&self) -> Result<()> {
        match self {
            Self::NaN => Ok(()),
            _ if self.is_zero() => Err(invalid_logarithm("cannot take logarithm of zero")),
            _ if self.signum() < 0 => {
                Err(invalid_logarithm("cannot take logarithm of a negative number"))
            }
            _ => Ok(()),
        }
    }

    /// The number to the power of `exponent`.
    ///
    /// # Errors
    /// 2201F, 22003
    pub fn power(&self, exponent: &Self) -> Result<Self> {
        let (Self::Finite(base), Self::Finite(power)) = (self, exponent) else {
            return self.power_of_special(exponent);
        };
        if base.digits.is_zero() && power.digits.signum() < 0 {
            return Err(invalid_power("zero raised to a negative power is undefined"));
        }
        let whole = power.trimmed();
        if whole.scale == 0
            && let Some(whole) = whole.digits.to_i128().and_then(|value| i32::try_from(value).ok())
        {
            return base.power_whole(whole, power.scale);
        }
        if base.digits.signum() < 0 {
            if whole.scale == 0 {
                return Err(overflow());
            }
            let message = "a negative number raised to a non-integer power yields a complex result";
            return Err(invalid_power(message));
        }
        if base.digits.is_zero() {
            return Ok(Self::finite(Digits::ZERO, MIN_SIG_DIGITS as u32));
        }
        base.power_fraction(power)
    }

    fn power_of_special(&self, exponent: &Self) -> Result<Self> {
        let one = Self::from(1_i64);
        if *self == one || exponent.is_zero() {
            return Ok(one);
        }
        if matches!(self, Self::NaN) || matches!(exponent, Self::NaN) {
            return Ok(Self::NaN);
        }
        if self.is_zero() && exponent.signum() < 0 {
            return Err(invalid_power("zero raised to a negative power is undefined"));
        }
        if let Self::Finite(power) = exponent {
            // An infinity to a finite power.
            let whole = power.trimmed();
            if exponent.signum() < 0 {
                return Ok(Self::ZERO);
            }
            let is_odd = whole.scale == 0 && !whole.digits.div_rem(&Digits::Small(2)).1.is_zero();
            let sign = if self.signum() < 0 && is_odd { -1 } else { 1 };
            return Ok(signed_infinity(sign));
        }
        // A number to an infinite power grows or vanishes.
        let magnitude = self.abs();
        if magnitude == one {
            return Ok(one);
        }
        let grows = (magnitude > one) == (exponent.signum() > 0);
        Ok(if grows { Self::Infinity } else { Self::ZERO })
    }
}

fn log_of_special(value: &Numeric, base: &Numeric) -> Numeric {
    match (value, base) {
        (Numeric::NaN, _) | (_, Numeric::NaN) => Numeric::NaN,
        (Numeric::Infinity, Numeric::Infinity) => Numeric::NaN,
        (Numeric::Infinity, _) => Numeric::Infinity,
        _ => Numeric::ZERO,
    }
}

impl Decimal {
    /// The power of ten of the natural logarithm's first digit, roughly as Postgres estimates it.
    fn ln_exponent(&self) -> i64 {
        let one = Self::new(Digits::Small(1), 0);
        let (left, right, scale) = self.aligned(&one);
        let distance = Self { digits: left.sub(&right), scale };
        let approximate = Numeric::Finite(self.clone()).to_f64();
        if (0.9..=1.1).contains(&approximate) {
            return distance.exponent().unwrap_or(0);
        }
        self.approximate_ln().abs().log10() as i64
    }

    /// The natural logarithm as a float, of numbers of any size.
    fn approximate_ln(&self) -> f64 {
        let exponent = self.exponent().unwrap_or(0);
        let lead: String = self.digits.magnitude_text().chars().take(17).collect();
        let mantissa = lead.parse::<f64>().unwrap_or(1.0);
        let shift = exponent as f64 - (lead.len() as f64 - 1.0);
        mantissa.ln() + shift * std::f64::consts::LN_10
    }

    fn power_whole(&self, exponent: i32, exponent_scale: u32) -> Result<Numeric> {
        let shown = self.scale.max(exponent_scale);
        if self.digits.is_zero() {
            let digits = Digits::Small(i128::from(exponent == 0));
            return Ok(Numeric::finite(digits, MIN_SIG_DIGITS as u32));
        }
        let log10 = f64::from(exponent) * self.approximate_ln() * LOG10_E;
        if log10 > EXPONENT_MAX {
            return Err(overflow());
        }
        if log10 + 1.0 < -f64::from(DISPLAY_SCALE_MAX) {
            return Ok(Numeric::finite(Digits::ZERO, DISPLAY_SCALE_MAX as u32));
        }
        let scale = result_scale(log10 as i64, shown);
        let power = self.digits.to_big().pow(exponent.unsigned_abs());
        let power_scale = self.scale.checked_mul(exponent.unsigned_abs()).ok_or_else(overflow)?;
        let power = Self { digits: power.into(), scale: power_scale };
        let result = if exponent < 0 {
            Self::new(Digits::Small(1), 0).div_to_scale(&power, scale)
        } else {
            power.with_scale(scale)
        };
        result.checked()
    }

    fn power_fraction(&self, exponent: &Self) -> Result<Numeric> {
        let shown = self.scale.max(exponent.scale);
        let factor = Numeric::Finite(exponent.clone()).to_f64();
        let log10 = factor * self.approximate_ln() * LOG10_E;
        if log10 > EXPONENT_MAX {
            return Err(overflow());
        }
        let scale = result_scale(log10.clamp(-2000.0, 2000.0) as i64, shown);
        let magnitude = (log10.abs() as u32).checked_ilog10().unwrap_or(0) + 1;
        let precision = scale + GUARD_DIGITS + magnitude + (log10.max(0.0) as u32);
        let ln = Self::new(Digits::from(fixed_ln(self, precision)), precision);
        let product = ln.digits.mul(&exponent.digits);
        let argument = Self { digits: product, scale: precision + exponent.scale };
        exp_to_scale(&argument, log10, scale)
    }
}

/// `e^value` with `scale` digits after the point; `exponent` is its power of ten.
fn exp_to_scale(value: &Decimal, exponent: f64, scale: u32) -> Result<Numeric> {
    let precision = scale + GUARD_DIGITS + exponent.max(0.0) as u32;
    let argument = value.with_scale(precision).digits.to_big();
    let result = fixed_exp(&argument, precision);
    Decimal::new(Digits::from(result), precision).with_scale(scale).checked()
}

/// `e^x` in fixed point: the argument is halved until the Taylor series is short, and the result
/// squared as often.
fn fixed_exp(argument: &BigInt, precision: u32) -> BigInt {
    let whole = (argument / power_of_ten(precision)).abs().to_u64().unwrap_or(u64::MAX);
    let halvings = 8 + whole.checked_ilog2().map_or(0, |log| log + 1);
    // Each squaring doubles the error.
    let extra = halvings / 3 + 8;
    let unit = power_of_ten(precision + extra);
    let reduced = (argument * power_of_ten(extra)) >> halvings;
    let mut sum = &unit + &reduced;
    let mut term = reduced.clone();
    let mut count = 2_u32;
    while !term.is_zero() && term != -BigInt::one() {
        term = &term * &reduced / &unit / count;
        sum += &term;
        count += 1;
    }
    for _ in 0..halvings {
        sum = &sum * &sum / &unit;
    }
    sum / power_of_ten(extra)
}

/// `ln(value)` in fixed point with `precision` digits. The value is positive.
fn fixed_ln(value: &Decimal, precision: u32) -> BigInt {
    let working = precision + 10;
    let exponent = value.exponent().unwrap_or(0);
    // value = mantissa * 10^exponent, 1 <= mantissa < 10
    let shift = i64::from(working) - i64::from(value.scale) - exponent;
    let digits = value.digits.to_big();
    let mantissa = if shift >= 0 {
        digits * power_of_ten(shift as u32)
    } else {
        digits / power_of_ten((-shift) as u32)
    };
    let mut result = ln_of_mantissa(mantissa, working);
    if exponent != 0 {
        let ten = BigInt::from(10) * power_of_ten(working);
        result += ln_of_mantissa(ten, working) * exponent;
    }
    result / power_of_ten(working - precision)
}

/// Square roots bring the argument close to one; there `ln x = 2 artanh((x-1)/(x+1))`.
fn ln_of_mantissa(mut mantissa: BigInt, precision: u32) -> BigInt {
    let unit = power_of_ten(precision);
    let near = &unit / 50;
    let mut doublings = 1_u32;
    while (&mantissa - &unit).abs() > near {
        mantissa = (&mantissa * &unit).sqrt();
        doublings += 1;
    }
    let ratio = (&mantissa - &unit) * &unit / (&mantissa + &unit);
    let square = &ratio * &ratio / &unit;
    let mut power = ratio.clone();
    let mut sum = ratio;
    let mut divisor = 3_u32;
    loop {
        power = &power * &square / &unit;
        let term = &power / divisor;
        if term.is_zero() {
            break;
        }
        sum += term;
        divisor += 2;
    }
    sum << doublings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Numeric {
        text.parse().unwrap()
    }

    #[test]
    fn results_are_postgres() {
        assert_eq!(number("2").sqrt().unwrap().to_string(), "1.414213562373095");
        assert_eq!(number("0").sqrt().unwrap().to_string(), "0.000000000000000");
        assert_eq!(number("1").exp().unwrap().to_string(), "2.7182818284590452");
        assert_eq!(number("2").ln().unwrap().to_string(), "0.6931471805599453");
        assert_eq!(number("1000").log(&number("10")).unwrap().to_string(), "3.0000000000000000");
        assert_eq!(number("2").power(&number("10")).unwrap().to_string(), "1024.0000000000000");
        assert_eq!(number("2").power(&number("0.5")).unwrap().to_string(), "1.4142135623730950");
        assert_eq!(number("2").power(&number("-1")).unwrap().to_string(), "0.5000000000000000");
        assert_eq!(number("100").exp().unwrap().to_string().len(), 44);
    }

    #[test]
    fn impossible_arguments_are_refused() {
        assert_eq!(number("-1").sqrt().unwrap_err().state().0, "2201F");
        assert_eq!(number("0").ln().unwrap_err().state().0, "2201E");
        assert_eq!(number("0").power(&number("-1")).unwrap_err().state().0, "2201F");
        assert_eq!(number("-8").power(&number("0.5")).unwrap_err().state().0, "2201F");
    }
}
