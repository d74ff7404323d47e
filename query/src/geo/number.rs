//! How coordinates print: the shortest digits that read back, cut to a number of decimals.

use std::fmt::Write;

/// From here on numbers print with an exponent.
const FIXED_MAX: f64 = 1e15;
/// Up to here, too.
const FIXED_MIN: f64 = 1e-8;

/// Writes a coordinate with at most `decimals` digits after the point, as PostGIS does: the
/// shortest digits that identify the number, rounded half to even when they are too many.
pub fn write_number(out: &mut String, value: f64, decimals: usize) {
    if value.is_nan() {
        out.push_str("NaN");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
    } else if value == 0.0 {
        out.push('0');
    } else {
        write_finite(out, value, decimals);
    }
}

fn write_finite(out: &mut String, value: f64, decimals: usize) {
    let (mut digits, mut exponent) = shortest(value.abs());
    let length = digits.checked_ilog10().unwrap_or(0) as i32 + 1;
    let is_fixed = value.abs() > FIXED_MIN && value.abs() < FIXED_MAX;
    let kept = i32::try_from(decimals).unwrap_or(i32::MAX);
    // The decimals that the digits occupy in the notation chosen.
    let decimals_used = if is_fixed { -exponent } else { length - 1 };
    if decimals_used > kept {
        (digits, exponent) = round_off(digits, exponent, decimals_used - kept);
    }
    if digits == 0 {
        out.push('0');
        return;
    }
    while digits.is_multiple_of(10) {
        digits /= 10;
        exponent += 1;
    }
    if value < 0.0 {
        out.push('-');
    }
    let text = digits.to_string();
    if is_fixed {
        write_fixed(out, &text, exponent)
    } else {
        write_exponential(out, &text, exponent)
    }
}

/// The shortest decimal digits that identify the number, and the power of ten of the last one.
fn shortest(value: f64) -> (u64, i32) {
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let fraction_len = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let digits = mantissa.bytes().filter(u8::is_ascii_digit);
    let digits = digits.fold(0u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    (digits, exponent - fraction_len as i32)
}

fn round_off(digits: u64, exponent: i32, count: i32) -> (u64, i32) {
    let Some(divisor) = u32::try_from(count).ok().and_then(|count| 10u64.checked_pow(count)) else {
        return (0, 0);
    };
    let (quotient, rest) = (digits / divisor, digits % divisor);
    let is_up = rest > divisor / 2 || (rest == divisor / 2 && quotient % 2 == 1);
    (quotient + u64::from(is_up), exponent + count)
}

fn write_fixed(out: &mut String, digits: &str, exponent: i32) {
    if exponent >= 0 {
        out.push_str(digits);
        out.extend(std::iter::repeat_n('0', exponent.unsigned_abs() as usize));
        return;
    }
    let decimals = exponent.unsigned_abs() as usize;
    let whole = digits.len().saturating_sub(decimals);
    let (whole, fraction) = digits.split_at(whole);
    out.push_str(if whole.is_empty() { "0" } else { whole });
    out.push('.');
    out.extend(std::iter::repeat_n('0', decimals - fraction.len()));
    out.push_str(fraction);
}

fn write_exponential(out: &mut String, digits: &str, exponent: i32) {
    let (first, rest) = digits.split_at(1);
    out.push_str(first);
    if !rest.is_empty() {
        out.push('.');
        out.push_str(rest);
    }
    let exponent = exponent + rest.len() as i32;
    // Writing to a String cannot fail.
    let _ = write!(out, "e{}{}", if exponent < 0 { '-' } else { '+' }, exponent.abs());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(value: f64, decimals: usize) -> String {
        let mut out = String::new();
        write_number(&mut out, value, decimals);
        out
    }

    #[test]
    fn prints_as_postgis() {
        for (value, text) in [
            (1e300, "1e+300"),
            (-1e-9, "-1e-9"),
            (0.300_000_000_000_000_04, "0.3"),
            (-0.0, "0"),
            (1e15, "1e+15"),
            (123_456_789_012_345.67, "123456789012345.67"),
            (1.5e-9, "1.5e-9"),
            (1.23e20, "1.23e+20"),
            (0.123_456_789_012_345_65, "0.123456789012346"),
            (12.000_000_000_000_005, "12.000000000000005"),
            (100.0, "100"),
            (0.05, "0.05"),
        ] {
            assert_eq!(print(value, 15), text);
        }
        assert_eq!(print(0.125, 2), "0.12");
        assert_eq!(print(0.135, 2), "0.14");
        assert_eq!(print(0.004, 2), "0");
        assert_eq!(print(99.999, 2), "100");
    }
}
