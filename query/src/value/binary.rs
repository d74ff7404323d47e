//! Values in the binary format of the Postgres protocol: what send and receive functions do.

use std::sync::Arc;

use bytes::{BufMut, BytesMut};

use super::datetime::{Interval, MICROS_PER_DAY};
use super::input::{InputContext, parse};
use super::numeric::{Digits, Numeric};
use super::output::to_text;
use super::{Array, OutputStyle, Range, SqlType, Type, Value, json};
use crate::error::{Error, Result, SqlState};
use crate::expression::context::StatementFacts;
use crate::geo::{ByteOrder, Geometry};

fn too_large() -> Error {
    Error::new(SqlState::PROGRAM_LIMIT_EXCEEDED, "value is too large for the protocol")
}

fn invalid(what: &str) -> Error {
    let message = format!("incorrect binary data format in bind parameter: {what}");
    Error::new(SqlState::INVALID_BINARY_REPRESENTATION, message)
}

/// Appends a value without its length. NULL writes nothing.
///
/// # Errors
/// 54000 when it is too large.
pub fn encode(value: &Value, ty: &SqlType, style: &OutputStyle, out: &mut BytesMut) -> Result<()> {
    encode_as(value, &ty.base, style, out)
}

fn encode_as(value: &Value, ty: &Type, style: &OutputStyle, out: &mut BytesMut) -> Result<()> {
    match value {
        Value::Null => {}
        Value::Bool(value) => out.put_u8(u8::from(*value)),
        Value::Int2(value) => out.put_i16(*value),
        Value::Int4(value) => out.put_i32(*value),
        Value::Int8(value)
        | Value::Time(value)
        | Value::Timestamp(value)
        | Value::TimestampTz(value) => out.put_i64(*value),
        Value::Oid(value) => out.put_u32(*value),
        Value::Float4(value) => out.put_f32(*value),
        Value::Float8(value) => out.put_f64(*value),
        Value::Numeric(number) => encode_numeric(number, out),
        Value::Bytea(bytes) => out.put_slice(bytes),
        Value::Date(days) => out.put_i32(*days),
        Value::TimeTz(micros, west) => {
            out.put_i64(*micros);
            out.put_i32(*west);
        }
        Value::Interval(interval) => {
            out.put_i64(interval.micros);
            out.put_i32(interval.days);
            out.put_i32(interval.months);
        }
        Value::Uuid(bytes) => out.put_slice(&bytes[..]),
        Value::Jsonb(document) => {
            out.put_u8(1);
            out.put_slice(document.to_string().as_bytes());
        }
        Value::Array(array) => encode_array(array, ty, style, out)?,
        Value::Range(range) => encode_range(range, style, out)?,
        Value::Record(fields) => {
            out.put_i32(i32::try_from(fields.len()).map_err(|_| too_large())?);
            for field in fields.iter() {
                let ty = field.natural_type();
                out.put_u32(ty.oid());
                encode_field(field, &ty, style, out)?;
            }
        }
        Value::Geometry(geometry) => out.put_slice(&geometry.to_ewkb(ByteOrder::Little)),
        _ => out.put_slice(to_text(value, ty, style).as_bytes()),
    }
    Ok(())
}

/// A value with its length in front; -1 is NULL.
fn encode_field(value: &Value, ty: &Type, style: &OutputStyle, out: &mut BytesMut) -> Result<()> {
    if value.is_null() {
        out.put_i32(-1);
        return Ok(());
    }
    let at = out.len();
    out.put_i32(0);
    encode_as(value, ty, style, out)?;
    let len = i32::try_from(out.len() - at - 4).map_err(|_| too_large())?;
    out[at..at + 4].copy_from_slice(&len.to_be_bytes());
    Ok(())
}

fn encode_array(array: &Array, ty: &Type, style: &OutputStyle, out: &mut BytesMut) -> Result<()> {
    let element = ty.element().unwrap_or(&array.element);
    out.put_i32(i32::try_from(array.dimensions.len()).map_err(|_| too_large())?);
    out.put_i32(i32::from(array.elements.iter().any(Value::is_null)));
    out.put_u32(element.oid());
    for (len, lower) in &array.dimensions {
        out.put_i32(i32::try_from(*len).map_err(|_| too_large())?);
        out.put_i32(*lower);
    }
    array.elements.iter().try_for_each(|value| encode_field(value, element, style, out))
}

/// Flags of a range: empty, lower inside, upper inside, lower unbounded, upper unbounded.
mod flag {
    pub(super) const EMPTY: u8 = 1;
    pub(super) const LOWER_INSIDE: u8 = 2;
    pub(super) const UPPER_INSIDE: u8 = 4;
    pub(super) const LOWER_INFINITE: u8 = 8;
    pub(super) const UPPER_INFINITE: u8 = 16;
}

fn encode_range(range: &Range, style: &OutputStyle, out: &mut BytesMut) -> Result<()> {
    if range.is_empty {
        out.put_u8(flag::EMPTY);
        return Ok(());
    }
    let mut flags = 0;
    let sides = [
        (&range.lower, flag::LOWER_INSIDE, flag::LOWER_INFINITE),
        (&range.upper, flag::UPPER_INSIDE, flag::UPPER_INFINITE),
    ];
    for ((value, is_inside), inside, infinite) in sides {
        flags |= match (value.is_null(), is_inside) {
            (true, _) => infinite,
            (false, true) => inside,
            (false, false) => 0,
        };
    }
    out.put_u8(flags);
    for ((value, _), ..) in sides {
        if !value.is_null() {
            encode_field(value, &range.element, style, out)?;
        }
    }
    Ok(())
}

/// The signs of a binary `numeric`.
mod sign {
    pub(super) const POSITIVE: u16 = 0;
    pub(super) const NEGATIVE: u16 = 0x4000;
    pub(super) const NAN: u16 = 0xC000;
    pub(super) const INFINITY: u16 = 0xD000;
    pub(super) const NEGATIVE_INFINITY: u16 = 0xF000;
}

/// Digit count, weight, sign, scale, then digits in base 10,000.
fn encode_numeric(number: &Numeric, out: &mut BytesMut) {
    let decimal = match number {
        Numeric::Finite(decimal) => decimal,
        special => {
            let sign = match special {
                Numeric::Infinity => sign::INFINITY,
                Numeric::NegativeInfinity => sign::NEGATIVE_INFINITY,
                _ => sign::NAN,
            };
            out.put_u32(0);
            out.put_u16(sign);
            return out.put_u16(0);
        }
    };
    let scale = decimal.scale as usize;
    let text = decimal.digits.magnitude_text();
    let text = format!("{text:0>width$}", width = scale + 1);
    let (whole, fraction) = text.split_at(text.len() - scale);
    // Whole groups of four on both sides of the point.
    let whole = format!("{whole:0>width$}", width = whole.len().div_ceil(4) * 4);
    let fraction = format!("{fraction:0<width$}", width = fraction.len().div_ceil(4) * 4);
    let digits = [whole.as_bytes(), fraction.as_bytes()].concat();
    let group = |group: &[u8]| group.iter().fold(0_i16, |sum, b| sum * 10 + i16::from(b - b'0'));
    let mut groups: Vec<i16> = digits.chunks(4).map(group).collect();
    let mut weight = (whole.len() / 4) as i16 - 1;
    while groups.last() == Some(&0) {
        groups.pop();
    }
    let leading = groups.iter().take_while(|group| **group == 0).count();
    groups.drain(..leading);
    weight = if groups.is_empty() { 0 } else { weight - leading as i16 };
    out.put_u16(groups.len() as u16);
    out.put_i16(weight);
    out.put_u16(if decimal.digits.signum() < 0 { sign::NEGATIVE } else { sign::POSITIVE });
    out.put_u16(decimal.scale as u16);
    groups.into_iter().for_each(|group| out.put_i16(group));
}

struct Reader<'a> {
    rest: &'a [u8],
    facts: &'a StatementFacts,
}

/// Reads a value that is not NULL from all of `bytes`.
///
/// # Errors
/// 22P03, 22021; whatever the text forms of some types give rise to.
pub fn decode(bytes: &[u8], ty: &SqlType, facts: &StatementFacts) -> Result<Value> {
    let mut reader = Reader { rest: bytes, facts };
    let value = reader.value(&ty.base)?;
    if !reader.rest.is_empty() {
        return Err(invalid("bytes are left over"));
    }
    if ty.modifier < 0 {
        return Ok(value);
    }
    crate::expression::cast::apply_modifier(value, ty, false)
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let taken = self.rest.split_at_checked(len);
        let (taken, rest) = taken.ok_or_else(|| {
            let message = "insufficient data left in message";
            Error::new(SqlState::PROTOCOL_VIOLATION, message)
        })?;
        self.rest = rest;
        Ok(taken)
    }

    fn fixed<const LEN: usize>(&mut self) -> Result<[u8; LEN]> {
        self.take(LEN)?.try_into().map_err(|_| invalid("too short"))
    }

    fn i16(&mut self) -> Result<i16> {
        self.fixed().map(i16::from_be_bytes)
    }

    fn i32(&mut self) -> Result<i32> {
        self.fixed().map(i32::from_be_bytes)
    }

    fn i64(&mut self) -> Result<i64> {
        self.fixed().map(i64::from_be_bytes)
    }

    fn text(&mut self) -> Result<&'a str> {
        let bytes = std::mem::take(&mut self.rest);
        let text = std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
        text.ok_or_else(|| {
            let message = "invalid byte sequence for encoding \"UTF8\"";
            Error::new(SqlState::CHARACTER_NOT_IN_REPERTOIRE, message)
        })
    }

    fn value(&mut self, ty: &Type) -> Result<Value> {
        Ok(match ty {
            Type::Bool => Value::Bool(self.fixed::<1>()?[0] != 0),
            Type::Int2 => Value::Int2(self.i16()?),
            Type::Int4 => Value::Int4(self.i32()?),
            Type::Int8 => Value::Int8(self.i64()?),
            Type::Oid | Type::RegClass | Type::RegType | Type::RegProc | Type::RegNamespace => {
                Value::Oid(u32::from_be_bytes(self.fixed()?))
            }
            Type::Float4 => Value::Float4(f32::from_be_bytes(self.fixed()?)),
            Type::Float8 => Value::Float8(f64::from_be_bytes(self.fixed()?)),
            Type::Numeric => Value::numeric(self.numeric()?),
            Type::Bytea => Value::bytea(std::mem::take(&mut self.rest)),
            Type::Date => Value::Date(self.i32()?),
            Type::Time => Value::Time(self.time()?),
            Type::TimeTz => Value::TimeTz(self.time()?, self.i32()?),
            Type::Timestamp => Value::Timestamp(self.i64()?),
            Type::TimestampTz => Value::TimestampTz(self.i64()?),
            Type::Interval => {
                let (micros, days, months) = (self.i64()?, self.i32()?, self.i32()?);
                Value::interval(Interval { months, days, micros })
            }
            Type::Uuid => Value::Uuid(Arc::new(self.fixed()?)),
            Type::Jsonb => {
                if self.fixed::<1>()?[0] != 1 {
                    return Err(invalid("unsupported jsonb version"));
                }
                Value::jsonb(json::parse(self.text()?)?)
            }
            Type::Array(element) => self.array(element)?,
            Type::Int2Vector => self.array(&Type::Int2)?,
            Type::OidVector => self.array(&Type::Oid)?,
            Type::Range(element) => self.range(element)?,
            Type::Geometry | Type::Geography => {
                let geometry = Geometry::from_ewkb(std::mem::take(&mut self.rest))?;
                Value::Geometry(Arc::new(geometry))
            }
            ty => {
                let text = self.text()?;
                parse(text, ty, InputContext::of(self.facts))?
            }
        })
    }

    fn time(&mut self) -> Result<i64> {
        let micros = self.i64()?;
        if (0..=MICROS_PER_DAY).contains(&micros) {
            return Ok(micros);
        }
        Err(Error::new(SqlState::DATETIME_FIELD_OVERFLOW, "time out of range"))
    }

    /// A value with its length in front; -1 is NULL.
    fn field(&mut self, ty: &Type) -> Result<Value> {
        let len = self.i32()?;
        if len < 0 {
            return Ok(Value::Null);
        }
        let mut reader = Reader { rest: self.take(len as usize)?, facts: self.facts };
        let value = reader.value(ty)?;
        if reader.rest.is_empty() { Ok(value) } else { Err(invalid("bytes are left over")) }
    }

    fn array(&mut self, element: &Type) -> Result<Value> {
        let count = self.i32()?;
        if !(0..=6).contains(&count) {
            return Err(invalid("invalid number of array dimensions"));
        }
        self.i32()?;
        let oid = u32::from_be_bytes(self.fixed()?);
        if oid != element.oid()
            && !matches!(element, Type::Enum(_) | Type::Geometry | Type::Geography)
        {
            return Err(Error::new(SqlState::DATATYPE_MISMATCH, "wrong element type"));
        }
        let mut dimensions = Vec::new();
        let mut total = 1_usize;
        for _ in 0..count {
            let len = usize::try_from(self.i32()?).map_err(|_| invalid("array length"))?;
            dimensions.push((len, self.i32()?));
            total = total.saturating_mul(len);
        }
        // Every element takes four bytes at least.
        if count == 0 || total == 0 {
            return Ok(Value::Array(Arc::new(Array::empty(element.clone()))));
        }
        if total > self.rest.len() / 4 {
            return Err(invalid("array length"));
        }
        let elements = (0..total).map(|_| self.field(element)).collect::<Result<_>>()?;
        Ok(Value::Array(Arc::new(Array { element: element.clone(), dimensions, elements })))
    }

    fn range(&mut self, element: &Type) -> Result<Value> {
        let flags = self.fixed::<1>()?[0];
        if flags & flag::EMPTY != 0 {
            return Ok(Value::Range(Arc::new(Range::empty(element.clone()))));
        }
        let mut bound = |infinite: u8, inside: u8| {
            let value = if flags & infinite != 0 { Value::Null } else { self.field(element)? };
            Ok::<_, Error>((value, flags & inside != 0))
        };
        let lower = bound(flag::LOWER_INFINITE, flag::LOWER_INSIDE)?;
        let upper = bound(flag::UPPER_INFINITE, flag::UPPER_INSIDE)?;
        Ok(Value::Range(Arc::new(Range::new(element.clone(), lower, upper)?)))
    }

    fn numeric(&mut self) -> Result<Numeric> {
        let count = self.i16()?;
        let weight = self.i16()?;
        let sign = self.i16()?.cast_unsigned();
        let scale = self.i16()?.cast_unsigned();
        match sign {
            sign::NAN => return Ok(Numeric::NaN),
            sign::INFINITY => return Ok(Numeric::Infinity),
            sign::NEGATIVE_INFINITY => return Ok(Numeric::NegativeInfinity),
            sign::POSITIVE | sign::NEGATIVE if count >= 0 => {}
            _ => return Err(invalid("invalid sign in external \"numeric\" value")),
        }
        let mut text = String::with_capacity(count as usize * 4);
        for _ in 0..count {
            let group = self.i16()?;
            if !(0..10_000).contains(&group) {
                return Err(invalid("invalid digit in external \"numeric\" value"));
            }
            text.push_str(&format!("{group:04}"));
        }
        let exponent = (i32::from(weight) + 1) * 4 - text.len() as i32;
        let sign = if sign == sign::NEGATIVE { "-" } else { "" };
        let digits = if text.is_empty() { "0" } else { &text };
        let number: Numeric = format!("{sign}{digits}e{exponent}").parse()?;
        Ok(match number {
            Numeric::Finite(_) if u32::from(scale) > super::numeric::SCALE_MAX => {
                return Err(invalid("invalid scale in external \"numeric\" value"));
            }
            Numeric::Finite(decimal) if decimal.digits == Digits::ZERO => {
                Numeric::finite(Digits::ZERO, u32::from(scale))
            }
            // More digits than the scale shows are cut off.
            number => number.trunc(i32::from(scale)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::testing::{facts, sample_values};
    use crate::value::are_equal;

    fn send(value: &Value, ty: &Type) -> BytesMut {
        let mut out = BytesMut::new();
        encode(value, &ty.clone().into(), &OutputStyle::default(), &mut out).unwrap();
        out
    }

    #[test]
    fn values_round_trip() {
        let facts = facts();
        for value in sample_values() {
            let ty = value.natural_type();
            if matches!(ty, Type::Record) || matches!(value, Value::Enum(_)) {
                continue;
            }
            let bytes = send(&value, &ty);
            let read = decode(&bytes, &ty.clone().into(), &facts).unwrap();
            assert!(are_equal(&read, &value), "{value:?} became {read:?}");
        }
    }

    #[test]
    fn numerics_are_groups_of_four_digits() {
        let number = Value::numeric("-12345.678".parse().unwrap());
        let expected = [0, 3, 0, 1, 0x40, 0, 0, 3, 0, 1, 0x09, 0x29, 0x1A, 0x7C];
        assert_eq!(&send(&number, &Type::Numeric)[..], expected);
    }

    #[test]
    fn no_bytes_make_the_reader_panic() {
        let facts = facts();
        for value in sample_values() {
            let ty = value.natural_type();
            let bytes = send(&value, &ty);
            for position in 0..bytes.len() {
                let mut bad = bytes.clone();
                bad[position] ^= 0xFF;
                let _ = decode(&bad, &ty.clone().into(), &facts);
                let _ = decode(&bytes[..position], &ty.clone().into(), &facts);
            }
        }
    }
}
