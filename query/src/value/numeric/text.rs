//! `numeric` from and to text.

use std::fmt;
use std::str::FromStr;

use num_bigint::BigInt;

use super::{Decimal, Digits, Numeric, SCALE_MAX, overflow};
use crate::error::{Error, Result, SqlState};

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits.magnitude_text();
        if self.digits.signum() < 0 {
            f.write_str("-")?;
        }
        let scale = self.scale as usize;
        if scale == 0 {
            return f.write_str(&digits);
        }
        match digits.len().checked_sub(scale) {
            Some(whole) if whole > 0 => {
                let (whole, fraction) = digits.split_at(whole);
                write!(f, "{whole}.{fraction}")
            }
            _ => write!(f, "0.{digits:0>scale$}"),
        }
    }
}

impl FromStr for Numeric {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let trimmed = text.trim_matches(|c: char| c.is_ascii_whitespace());
        let (is_negative, body) = match trimmed.as_bytes().first() {
            Some(b'-') => (true, &trimmed[1..]),
            Some(b'+') => (false, &trimmed[1..]),
            _ => (false, trimmed),
        };
        if body.as_bytes().first().is_some_and(u8::is_ascii_alphabetic) {
            return special(body, is_negative, trimmed.len() != body.len())
                .ok_or_else(|| invalid(text));
        }
        let parts = split(body).ok_or_else(|| invalid(text))?;
        parts.into_numeric(is_negative)
    }
}

fn special(body: &str, is_negative: bool, is_signed: bool) -> Option<Numeric> {
    match body.to_ascii_lowercase().as_str() {
        "nan" if !is_signed => Some(Numeric::NaN),
        "inf" | "infinity" if is_negative => Some(Numeric::NegativeInfinity),
        "inf" | "infinity" => Some(Numeric::Infinity),
        _ => None,
    }
}

fn invalid(text: &str) -> Error {
    let message = format!("invalid input syntax for type numeric: \"{text}\"");
    Error::new(SqlState::INVALID_TEXT_REPRESENTATION, message)
}

/// The parts of an unsigned decimal literal.
struct Parts<'a> {
    whole: &'a str,
    fraction: &'a str,
    exponent: i64,
}

fn split(body: &str) -> Option<Parts<'_>> {
    let (mantissa, exponent) = match body.find(['e', 'E']) {
        Some(at) => (&body[..at], parse_exponent(&body[at + 1..])?),
        None => (body, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let is_valid = is_digits(whole) && is_digits(fraction) && whole.len() + fraction.len() > 0;
    is_valid.then_some(Parts { whole, fraction, exponent })
}

fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Anything beyond this overflows whatever the digits are.
    let value = digits.parse::<i64>().unwrap_or(i64::from(i32::MAX)).min(i64::from(i32::MAX));
    Some(if text.starts_with('-') { -value } else { value })
}

impl Parts<'_> {
    fn into_numeric(self, is_negative: bool) -> Result<Numeric> {
        let digits = self.digits()?;
        let digits = if is_negative { digits.neg() } else { digits };
        let scale = self.fraction.len() as i64 - self.exponent;
        if scale > i64::from(SCALE_MAX) {
            if digits.is_zero() || scale - i64::from(SCALE_MAX) > i64::from(digits.count()) {
                return Ok(Numeric::finite(Digits::ZERO, SCALE_MAX));
            }
            let excess = u32::try_from(scale).map_err(|_| overflow())? - SCALE_MAX;
            return Ok(Numeric::finite(digits.shift_right_rounded(excess), SCALE_MAX));
        }
        match u32::try_from(scale) {
            Ok(scale) => Decimal { digits, scale }.checked(),
            Err(_) if digits.is_zero() => Ok(Numeric::ZERO),
            Err(_) if -scale > 200_000 => Err(overflow()),
            Err(_) => Decimal { digits: digits.shift_left(-scale as u32), scale: 0 }.checked(),
        }
    }

    fn digits(&self) -> Result<Digits> {
        if self.whole.len() + self.fraction.len() <= 38 {
            let bytes = self.whole.bytes().chain(self.fraction.bytes());
            return Ok(Digits::Small(bytes.fold(0, |sum, b| sum * 10 + i128::from(b - b'0'))));
        }
        let text = format!("{}{}", self.whole, self.fraction);
        text.parse::<BigInt>().map(Digits::from).map_err(|_| overflow())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_with_its_scale() {
        for text in ["0", "0.00", "12.50", "-0.001", "123456789012345678901234567890.5", "NaN"] {
            assert_eq!(text.parse::<Numeric>().unwrap().to_string(), text);
        }
        let long = "9".repeat(60);
        assert_eq!(long.parse::<Numeric>().unwrap().to_string(), long);
    }

    #[test]
    fn exponents_move_the_point() {
        let parse = |text: &str| text.parse::<Numeric>().unwrap().to_string();
        assert_eq!(parse("1e3"), "1000");
        assert_eq!(parse("1.5e-3"), "0.0015");
        assert_eq!(parse(" .5 "), "0.5");
        assert_eq!(parse("-inf"), "-Infinity");
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", ".", "1e", "1..2", "x", "1 2", "0x10", "--1"] {
            let error = text.parse::<Numeric>().unwrap_err();
            assert_eq!(error.state(), SqlState::INVALID_TEXT_REPRESENTATION, "{text}");
        }
        let error = "1e200000".parse::<Numeric>().unwrap_err();
        assert_eq!(error.state(), SqlState::NUMERIC_VALUE_OUT_OF_RANGE);
    }
}
