//! Values as bytes whose order is the values' order: what index entries and row keys are made of.
//!
//! # Layout
//! A value is a marker, then a payload whose kind the marker names, so that a key can be cut into
//! its values without knowing their types. Within one column all markers but NULL's are equal, so
//! they do not disturb the order.
//!
//! ```text
//! marker       payload
//! 0x02         none: NULL that comes first
//! 0xfe         none: NULL that comes last
//! 0x10 … 0x15  1, 2, 4, 8, 12, 16 bytes; numbers big-endian with the sign bit flipped
//! 0x20         bytes: 0x00 is written 0x00 0xff, and 0x00 0x00 ends them
//! 0x21         numeric: class; for finite ones exponent, digits in pairs, an ending 0x00
//! 0x22         a sequence of values, ended by 0x01
//! ```
//! In descending order every payload byte is inverted; markers of NULL follow `NULLS FIRST`.

use super::Value;
use super::numeric::Numeric;
use crate::error::{Error, Result, SqlState};

/// How a column is ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// Largest first.
    pub is_descending: bool,
    /// NULLs before everything else.
    pub nulls_first: bool,
}

const NULL_FIRST: u8 = 0x02;
const NULL_LAST: u8 = 0xfe;
const FIXED: [(u8, usize); 6] =
    [(0x10, 1), (0x11, 2), (0x12, 4), (0x13, 8), (0x14, 12), (0x15, 16)];
const BYTES: u8 = 0x20;
const NUMERIC: u8 = 0x21;
const SEQUENCE: u8 = 0x22;
/// Smaller than every marker, so that a sequence comes before its continuations.
const SEQUENCE_END: u8 = 0x01;

/// Sequences may nest so deeply.
const DEPTH_MAX: usize = 32;

/// Appends a value.
///
/// # Errors
/// 0A000 for types without an order of bytes.
pub fn encode(out: &mut Vec<u8>, value: &Value, order: Order) -> Result<()> {
    if value.is_null() {
        out.push(if order.nulls_first { NULL_FIRST } else { NULL_LAST });
        return Ok(());
    }
    let marker_at = out.len();
    out.push(0);
    let marker = payload(out, value)?;
    let mut written = out.iter_mut().skip(marker_at);
    if let Some(first) = written.next() {
        *first = marker;
    }
    if order.is_descending {
        written.for_each(|byte| *byte = !*byte);
    }
    Ok(())
}

fn payload(out: &mut Vec<u8>, value: &Value) -> Result<u8> {
    Ok(match value {
        Value::Bool(value) => fixed(out, [u8::from(*value)]),
        Value::Int2(value) => fixed(out, (value.cast_unsigned() ^ (1 << 15)).to_be_bytes()),
        Value::Int4(value) | Value::Date(value) => {
            fixed(out, (value.cast_unsigned() ^ (1 << 31)).to_be_bytes())
        }
        Value::Int8(value)
        | Value::Time(value)
        | Value::Timestamp(value)
        | Value::TimestampTz(value) => fixed(out, flip(*value).to_be_bytes()),
        Value::Oid(value) => fixed(out, value.to_be_bytes()),
        Value::Enum(label) => fixed(out, label.position.to_be_bytes()),
        Value::Float4(value) => fixed(out, float_bits(f64::from(*value)).to_be_bytes()),
        Value::Float8(value) => fixed(out, float_bits(*value).to_be_bytes()),
        Value::TimeTz(micros, seconds_west) => {
            // By the moment in UTC, then by zone, as Postgres orders them.
            let utc = micros + i64::from(*seconds_west) * 1_000_000;
            let mut bytes = [0; 12];
            let (moment, zone) = bytes.split_at_mut(8);
            moment.copy_from_slice(&flip(utc).to_be_bytes());
            zone.copy_from_slice(&(seconds_west.cast_unsigned() ^ (1 << 31)).to_be_bytes());
            fixed(out, bytes)
        }
        Value::Interval(interval) => {
            fixed(out, (interval.span().cast_unsigned() ^ (1 << 127)).to_be_bytes())
        }
        Value::Uuid(bytes) => fixed(out, **bytes),
        Value::Text(text) => escaped(out, text.as_bytes()),
        Value::Padded(text) => escaped(out, text.trim_end_matches(' ').as_bytes()),
        Value::Bytea(bytes) => escaped(out, bytes),
        Value::RowKey(bytes) => escaped(out, bytes),
        Value::Numeric(number) => numeric(out, number),
        Value::Array(array) => sequence(out, &array.elements)?,
        Value::Record(fields) => sequence(out, fields)?,
        _ => {
            let message =
                format!("an index over type {} is not supported", value.natural_type().name());
            return Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message));
        }
    })
}

fn fixed<const N: usize>(out: &mut Vec<u8>, bytes: [u8; N]) -> u8 {
    out.extend_from_slice(&bytes);
    FIXED.iter().find(|(_, len)| *len == N).map_or(0, |(marker, _)| *marker)
}

fn flip(value: i64) -> u64 {
    value.cast_unsigned() ^ (1 << 63)
}

/// Bits that order as Postgres orders floats: -0 equals 0, NaN is largest.
fn float_bits(value: f64) -> u64 {
    let value = if value == 0.0 { 0.0 } else { value };
    if value.is_nan() {
        return u64::MAX;
    }
    let bits = value.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | (1 << 63) }
}

fn escaped(out: &mut Vec<u8>, bytes: &[u8]) -> u8 {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == 0) {
        let (before, after) = rest.split_at(at + 1);
        out.extend_from_slice(before);
        out.push(0xff);
        rest = after;
    }
    out.extend_from_slice(rest);
    out.extend_from_slice(&[0, 0]);
    BYTES
}

const NEGATIVE_INFINITY: u8 = 1;
const NEGATIVE: u8 = 2;
const ZERO: u8 = 3;
const POSITIVE: u8 = 4;
const INFINITY: u8 = 5;
const NAN: u8 = 6;

/// Finite numbers are ordered by sign, then exponent, then digits; digits come in pairs, each
/// raised by one so that none is the ending zero. Negative ones are inverted.
fn numeric(out: &mut Vec<u8>, number: &Numeric) -> u8 {
    let decimal = match number {
        Numeric::NegativeInfinity => return class(out, NEGATIVE_INFINITY),
        Numeric::Infinity => return class(out, INFINITY),
        Numeric::NaN => return class(out, NAN),
        Numeric::Finite(decimal) => decimal,
    };
    let Some(exponent) = decimal.exponent() else { return class(out, ZERO) };
    let is_negative = decimal.digits.signum() < 0;
    class(out, if is_negative { NEGATIVE } else { POSITIVE });
    let from = out.len();
    out.extend_from_slice(&flip(exponent).to_be_bytes());
    let text = decimal.digits.magnitude_text();
    let digits = text.trim_end_matches('0').as_bytes();
    for pair in digits.chunks(2) {
        let digit = |at: usize| pair.get(at).map_or(0, |digit| digit.saturating_sub(b'0'));
        out.push(digit(0) * 10 + digit(1) + 1);
    }
    out.push(0);
    if is_negative {
        out.iter_mut().skip(from).for_each(|byte| *byte = !*byte);
    }
    NUMERIC
}

fn class(out: &mut Vec<u8>, class: u8) -> u8 {
    out.push(class);
    NUMERIC
}

fn sequence(out: &mut Vec<u8>, values: &[Value]) -> Result<u8> {
    for value in values {
        encode(out, value, Order::default())?;
    }
    out.push(SEQUENCE_END);
    Ok(SEQUENCE)
}

/// What follows the first value of a key.
///
/// # Errors
/// XX001 when the bytes are no key.
pub fn skip(key: &[u8], order: Order) -> Result<&[u8]> {
    let len = value_len(key, order.is_descending, 0);
    len.and_then(|len| key.get(len..))
        .ok_or_else(|| Error::new(SqlState::DATA_CORRUPTED, "an index entry cannot be read"))
}

/// How many bytes the first value of a key takes, its marker included. The marker itself is never
/// inverted at the top, but it is inside a descending sequence.
fn value_len(key: &[u8], is_inverted: bool, depth: usize) -> Option<usize> {
    let plain = |byte: u8, is_inverted: bool| if is_inverted { !byte } else { byte };
    let marker = plain(*key.first()?, is_inverted && depth > 0);
    let payload = key.get(1..)?;
    let at = |at: usize| payload.get(at).map(|byte| plain(*byte, is_inverted));
    let len = match marker {
        NULL_FIRST | NULL_LAST => 0,
        BYTES => {
            let mut end = 0;
            while (at(end)?, at(end + 1)) != (0, Some(0)) {
                end += if at(end)? == 0 { 2 } else { 1 };
            }
            end + 2
        }
        NUMERIC => match at(0)? {
            class @ (NEGATIVE | POSITIVE) => {
                let ending = if class == NEGATIVE { u8::MAX } else { 0 };
                let mut end = 1 + size_of::<u64>();
                while at(end)? != ending {
                    end += 1;
                }
                end + 1
            }
            _ => 1,
        },
        SEQUENCE if depth < DEPTH_MAX => {
            let mut end = 0;
            while at(end)? != SEQUENCE_END {
                end += value_len(payload.get(end..)?, is_inverted, depth + 1)?;
            }
            end + 1
        }
        _ => FIXED.iter().find(|(own, _)| *own == marker)?.1,
    };
    (len <= payload.len()).then_some(1 + len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Type;
    use crate::value::datetime::Interval;

    fn key(value: &Value, order: Order) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(&mut bytes, value, order).unwrap();
        bytes
    }

    /// Values of one type each, in ascending order.
    fn ladders() -> Vec<Vec<Value>> {
        let number = |digits: i128, scale| {
            Value::numeric(Numeric::finite(crate::value::numeric::Digits::Small(digits), scale))
        };
        let ints = |values: &[i32]| {
            Value::array(Type::Int4, values.iter().map(|value| Value::Int4(*value)).collect())
        };
        vec![
            [i64::MIN, -1, 0, 1, i64::MAX].map(Value::Int8).to_vec(),
            [f64::NEG_INFINITY, -1.5, 0.0, 1e-300, 2.0, f64::INFINITY, f64::NAN]
                .map(Value::Float8)
                .to_vec(),
            ["", "\0", "\0a", "a", "a\0", "a\0b", "aa", "b"].map(Value::text).to_vec(),
            vec![
                Value::numeric(Numeric::NegativeInfinity),
                number(-1000, 0),
                number(-1001, 1),
                number(-100, 0),
                number(-1, 5),
                number(0, 0),
                number(1, 5),
                number(99, 2),
                number(1, 0),
                number(10, 0),
                number(101, 1),
                Value::numeric(Numeric::Infinity),
                Value::numeric(Numeric::NaN),
            ],
            vec![ints(&[]), ints(&[1]), ints(&[1, 0]), ints(&[1, 2]), ints(&[2])],
            vec![
                Value::interval(Interval { months: -1, days: 0, micros: 0 }),
                Value::interval(Interval { months: 0, days: 29, micros: 0 }),
                Value::interval(Interval { months: 1, days: 0, micros: 1 }),
            ],
        ]
    }

    #[test]
    fn order_of_bytes_is_order_of_values() {
        for ladder in ladders() {
            for pair in ladder.windows(2) {
                let ascending = Order::default();
                let descending = Order { is_descending: true, nulls_first: true };
                assert!(key(&pair[0], ascending) < key(&pair[1], ascending), "{pair:?}");
                assert!(key(&pair[0], descending) > key(&pair[1], descending), "{pair:?}");
                assert!(key(&pair[1], ascending) < key(&Value::Null, ascending));
                assert!(key(&Value::Null, descending) < key(&pair[0], descending));
            }
        }
    }

    #[test]
    fn equal_numbers_have_equal_keys() {
        let order = Order::default();
        let one = Value::numeric(Numeric::from(1_i64));
        assert_eq!(
            key(&one, order),
            key(
                &Value::numeric(Numeric::finite(crate::value::numeric::Digits::Small(100), 2)),
                order
            )
        );
        assert_eq!(key(&Value::Float8(0.0), order), key(&Value::Float8(-0.0), order));
    }

    #[test]
    fn values_are_skipped() {
        for order in [Order::default(), Order { is_descending: true, nulls_first: false }] {
            for value in ladders().concat().iter().chain([&Value::Null]) {
                let mut bytes = key(value, order);
                bytes.extend_from_slice(b"rest");
                assert_eq!(skip(&bytes, order).unwrap(), b"rest", "{value:?}");
                for len in 0..bytes.len() - 4 {
                    drop(skip(&bytes[..len], order));
                }
            }
        }
    }
}
