//! A row as bytes, and single values as bytes. Any column is found without reading the others.
//!
//! # Layout
//! ```text
//! offset        len  field
//!      0          1  form: 0 = ends are u16, 1 = ends are u32
//!      1          2  count of columns n, u16
//!      3          n  tags, one per column: see [`Tag`]
//!    3+n    2n or 4n  ends: where each column's payload ends, from the start of the payloads
//!     ..         ..  payloads
//! ```
//! Integers are little-endian. Whole numbers drop the high bytes that their sign repeats, so small
//! ones take one byte. A single value is its tag and its payload. Checksums are the engine's
//! business: every block and log record has one.

use std::sync::Arc;

use cairn_engine::Bytes;
use num_bigint::BigInt;

use super::datetime::Interval;
use super::numeric::{Decimal, Digits, Numeric, SCALE_MAX};
use super::{Array, EnumLabel, Range, Type, Value, opaque};
use crate::error::{Error, Result, SqlState};

const FORM_AT: usize = 0;
const COUNT_AT: usize = FORM_AT + 1;
const TAGS_AT: usize = COUNT_AT + size_of::<u16>();

/// Values inside values may nest so deeply: arrays of records of ranges.
const DEPTH_MAX: usize = 64;

/// What a payload is. Stored; never renumber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Tag {
    Null = 0,
    False = 1,
    True = 2,
    Int2 = 3,
    Int4 = 4,
    Int8 = 5,
    Oid = 6,
    Float4 = 7,
    Float8 = 8,
    Numeric = 9,
    Text = 10,
    Bytea = 11,
    Date = 12,
    Time = 13,
    TimeTz = 14,
    Timestamp = 15,
    TimestampTz = 16,
    Interval = 17,
    Uuid = 18,
    Jsonb = 19,
    Array = 20,
    Range = 21,
    Record = 22,
    TsVector = 23,
    TsQuery = 24,
    Geometry = 25,
    Box = 26,
    Enum = 27,
    Padded = 28,
}

impl Tag {
    fn from_byte(byte: u8) -> Option<Self> {
        const ALL: [Tag; 29] = [
            Tag::Null,
            Tag::False,
            Tag::True,
            Tag::Int2,
            Tag::Int4,
            Tag::Int8,
            Tag::Oid,
            Tag::Float4,
            Tag::Float8,
            Tag::Numeric,
            Tag::Text,
            Tag::Bytea,
            Tag::Date,
            Tag::Time,
            Tag::TimeTz,
            Tag::Timestamp,
            Tag::TimestampTz,
            Tag::Interval,
            Tag::Uuid,
            Tag::Jsonb,
            Tag::Array,
            Tag::Range,
            Tag::Record,
            Tag::TsVector,
            Tag::TsQuery,
            Tag::Geometry,
            Tag::Box,
            Tag::Enum,
            Tag::Padded,
        ];
        ALL.get(usize::from(byte)).copied()
    }
}

/// A row as bytes.
///
/// # Errors
/// 54000 when it is larger than 4 GiB or has more than 65,535 columns.
pub fn encode(row: &[Value]) -> Result<Vec<u8>> {
    let count = u16::try_from(row.len()).map_err(|_| too_large())?;
    let mut payloads = Vec::with_capacity(row.len() * 12);
    let mut tags = Vec::with_capacity(row.len());
    let mut ends = Vec::with_capacity(row.len());
    for value in row {
        tags.push(put(value, &mut payloads) as u8);
        ends.push(u32::try_from(payloads.len()).map_err(|_| too_large())?);
    }
    let is_wide = payloads.len() > usize::from(u16::MAX);
    let end_len = if is_wide { size_of::<u32>() } else { size_of::<u16>() };
    let head_len = TAGS_AT + row.len() * (1 + end_len);
    let mut bytes = Vec::with_capacity(head_len + payloads.len());
    bytes.push(u8::from(is_wide));
    bytes.extend_from_slice(&count.to_le_bytes());
    bytes.extend_from_slice(&tags);
    for end in ends {
        bytes.extend(end.to_le_bytes().into_iter().take(end_len));
    }
    bytes.extend_from_slice(&payloads);
    Ok(bytes)
}

fn too_large() -> Error {
    Error::new(SqlState::PROGRAM_LIMIT_EXCEEDED, "row is too big")
}

/// A single value as bytes.
pub fn encode_value(value: &Value) -> Vec<u8> {
    let mut bytes = vec![0];
    let tag = put(value, &mut bytes);
    if let Some(first) = bytes.first_mut() {
        *first = tag as u8;
    }
    bytes
}

/// The value of [`encode_value`].
///
/// # Errors
/// XX001 when the bytes are no value.
pub fn decode_value(bytes: &[u8]) -> Result<Value> {
    Source { bytes, depth: 0 }.whole_value().ok_or_else(corrupt)
}

fn corrupt() -> Error {
    Error::new(SqlState::DATA_CORRUPTED, "a stored row cannot be read")
}

/// Reads columns out of a stored row.
pub struct RowReader<'a> {
    tags: &'a [u8],
    ends: &'a [u8],
    is_wide: bool,
    payloads: &'a [u8],
}

impl<'a> RowReader<'a> {
    /// # Errors
    /// XX001 when the bytes are no row.
    pub fn new(bytes: &'a [u8]) -> Result<Self> {
        Self::split(bytes).ok_or_else(corrupt)
    }

    fn split(bytes: &'a [u8]) -> Option<Self> {
        let is_wide = match bytes.get(FORM_AT)? {
            0 => false,
            1 => true,
            _ => return None,
        };
        let count = bytes.get(COUNT_AT..TAGS_AT)?.try_into().ok()?;
        let count = usize::from(u16::from_le_bytes(count));
        let end_len = if is_wide { size_of::<u32>() } else { size_of::<u16>() };
        let (tags, rest) = bytes.get(TAGS_AT..)?.split_at_checked(count)?;
        let (ends, payloads) = rest.split_at_checked(count * end_len)?;
        Some(Self { tags, ends, is_wide, payloads })
    }

    /// How many columns were stored.
    pub fn len(&self) -> usize {
        self.tags.len()
    }

    /// Whether no columns were stored.
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    /// A column's value; `None` when the row was stored before the column came.
    ///
    /// # Errors
    /// XX001 when the bytes are no value.
    pub fn column(&self, position: usize) -> Result<Option<Value>> {
        let Some(tag) = self.tags.get(position) else { return Ok(None) };
        self.read(position, *tag).map(Some).ok_or_else(corrupt)
    }

    fn read(&self, position: usize, tag: u8) -> Option<Value> {
        let start = match position.checked_sub(1) {
            Some(before) => self.end(before)?,
            None => 0,
        };
        let payload = self.payloads.get(start..self.end(position)?)?;
        Source { bytes: payload, depth: 0 }.payload(Tag::from_byte(tag)?)
    }

    fn end(&self, position: usize) -> Option<usize> {
        if self.is_wide {
            let bytes = self.ends.chunks_exact(size_of::<u32>()).nth(position)?;
            return usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok();
        }
        let bytes = self.ends.chunks_exact(size_of::<u16>()).nth(position)?;
        Some(usize::from(u16::from_le_bytes(bytes.try_into().ok()?)))
    }
}

/// Appends a value's payload and answers its tag.
fn put(value: &Value, out: &mut Vec<u8>) -> Tag {
    match value {
        // A row key never reaches a stored row: it is the key.
        Value::Null | Value::RowKey(_) => return Tag::Null,
        Value::Bool(value) => return if *value { Tag::True } else { Tag::False },
        Value::Int2(value) => put_int((*value).into(), out),
        Value::Int4(value) | Value::Date(value) => put_int((*value).into(), out),
        Value::Int8(value)
        | Value::Time(value)
        | Value::Timestamp(value)
        | Value::TimestampTz(value) => put_int(*value, out),
        Value::Oid(value) => put_int((*value).into(), out),
        Value::Float4(value) => out.extend_from_slice(&value.to_le_bytes()),
        Value::Float8(value) => out.extend_from_slice(&value.to_le_bytes()),
        Value::TimeTz(micros, seconds_west) => {
            out.extend_from_slice(&micros.to_le_bytes());
            out.extend_from_slice(&seconds_west.to_le_bytes());
        }
        Value::Text(text) | Value::Padded(text) => out.extend_from_slice(text.as_bytes()),
        Value::Enum(label) => {
            out.extend_from_slice(&label.position.to_le_bytes());
            out.extend_from_slice(label.label.as_bytes());
        }
        Value::Bytea(bytes) => out.extend_from_slice(bytes),
        Value::Uuid(bytes) => out.extend_from_slice(bytes.as_slice()),
        Value::Box(corners) => {
            out.extend(corners.iter().flat_map(|coordinate| coordinate.to_le_bytes()));
        }
        Value::Interval(interval) => {
            out.extend_from_slice(&interval.months.to_le_bytes());
            out.extend_from_slice(&interval.days.to_le_bytes());
            put_int(interval.micros, out);
        }
        Value::Numeric(number) => put_numeric(number, out),
        Value::Jsonb(document) => out.extend_from_slice(document.to_string().as_bytes()),
        Value::Array(array) => put_array(array, out),
        Value::Range(range) => put_range(range, out),
        Value::Record(fields) => fields.iter().for_each(|field| put_nested(field, out)),
        Value::TsVector(_) | Value::TsQuery(_) | Value::Geometry(_) => opaque::encode(value, out),
    }
    tag_of(value)
}

fn tag_of(value: &Value) -> Tag {
    match value {
        Value::Null | Value::RowKey(_) => Tag::Null,
        Value::Bool(false) => Tag::False,
        Value::Bool(true) => Tag::True,
        Value::Int2(_) => Tag::Int2,
        Value::Int4(_) => Tag::Int4,
        Value::Int8(_) => Tag::Int8,
        Value::Oid(_) => Tag::Oid,
        Value::Float4(_) => Tag::Float4,
        Value::Float8(_) => Tag::Float8,
        Value::Numeric(_) => Tag::Numeric,
        Value::Text(_) => Tag::Text,
        Value::Padded(_) => Tag::Padded,
        Value::Enum(_) => Tag::Enum,
        Value::Bytea(_) => Tag::Bytea,
        Value::Date(_) => Tag::Date,
        Value::Time(_) => Tag::Time,
        Value::TimeTz(..) => Tag::TimeTz,
        Value::Timestamp(_) => Tag::Timestamp,
        Value::TimestampTz(_) => Tag::TimestampTz,
        Value::Interval(_) => Tag::Interval,
        Value::Uuid(_) => Tag::Uuid,
        Value::Jsonb(_) => Tag::Jsonb,
        Value::Array(_) => Tag::Array,
        Value::Range(_) => Tag::Range,
        Value::Record(_) => Tag::Record,
        Value::TsVector(_) => Tag::TsVector,
        Value::TsQuery(_) => Tag::TsQuery,
        Value::Geometry(_) => Tag::Geometry,
        Value::Box(_) => Tag::Box,
    }
}

/// A whole number without the high bytes that its sign repeats.
fn put_int(value: i64, out: &mut Vec<u8>) {
    let unused = if value < 0 { value.leading_ones() } else { value.leading_zeros() };
    // One bit is the sign's; zero keeps no byte at all.
    let bits = u64::BITS + 1 - unused;
    let len = if value == 0 { 0 } else { bits.div_ceil(8) as usize };
    out.extend(value.to_le_bytes().into_iter().take(len));
}

const FINITE: u8 = 0;
const NAN: u8 = 1;
const INFINITY: u8 = 2;
const NEGATIVE_INFINITY: u8 = 3;

fn put_numeric(number: &Numeric, out: &mut Vec<u8>) {
    match number {
        Numeric::NaN => out.push(NAN),
        Numeric::Infinity => out.push(INFINITY),
        Numeric::NegativeInfinity => out.push(NEGATIVE_INFINITY),
        Numeric::Finite(decimal) => {
            out.push(FINITE);
            put_len(decimal.scale as usize, out);
            match &decimal.digits {
                Digits::Small(value) => match i64::try_from(*value) {
                    Ok(value) => put_int(value, out),
                    Err(_) => out.extend_from_slice(&value.to_le_bytes()),
                },
                Digits::Large(value) => out.extend_from_slice(&value.to_signed_bytes_le()),
            }
        }
    }
}

/// A length in as few bytes as it needs, seven bits each, the lowest first.
fn put_len(mut len: usize, out: &mut Vec<u8>) {
    loop {
        let low = (len & 0x7f).to_le_bytes()[0];
        len >>= 7;
        if len == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// A value inside another: tag, length, payload.
fn put_nested(value: &Value, out: &mut Vec<u8>) {
    let mut payload = Vec::new();
    let tag = put(value, &mut payload);
    out.push(tag as u8);
    put_len(payload.len(), out);
    out.extend_from_slice(&payload);
}

/// A type as a length and its JSON: definitions of types are few and may grow.
fn put_type(ty: &Type, out: &mut Vec<u8>) {
    let text = serde_json::to_vec(ty).unwrap_or_default();
    put_len(text.len(), out);
    out.extend_from_slice(&text);
}

fn put_array(array: &Array, out: &mut Vec<u8>) {
    put_type(&array.element, out);
    put_len(array.dimensions.len(), out);
    for (len, lower) in &array.dimensions {
        put_len(*len, out);
        out.extend_from_slice(&lower.to_le_bytes());
    }
    array.elements.iter().for_each(|element| put_nested(element, out));
}

fn put_range(range: &Range, out: &mut Vec<u8>) {
    put_type(&range.element, out);
    let flags = [range.is_empty, range.lower.1, range.upper.1];
    out.extend(flags.map(u8::from));
    put_nested(&range.lower.0, out);
    put_nested(&range.upper.0, out);
}

/// Bytes that are still to be read.
struct Source<'a> {
    bytes: &'a [u8],
    depth: usize,
}

impl<'a> Source<'a> {
    fn whole_value(mut self) -> Option<Value> {
        let tag = Tag::from_byte(self.byte()?)?;
        Source { bytes: self.rest(), depth: self.depth }.payload(tag)
    }

    /// Reads all that is left as the payload of a tag.
    fn payload(mut self, tag: Tag) -> Option<Value> {
        Some(match tag {
            Tag::Null => Value::Null,
            Tag::False => Value::Bool(false),
            Tag::True => Value::Bool(true),
            Tag::Int2 => Value::Int2(i16::try_from(self.int()?).ok()?),
            Tag::Int4 => Value::Int4(i32::try_from(self.int()?).ok()?),
            Tag::Int8 => Value::Int8(self.int()?),
            Tag::Oid => Value::Oid(u32::try_from(self.int()?).ok()?),
            Tag::Float4 => Value::Float4(f32::from_le_bytes(self.fixed()?)),
            Tag::Float8 => Value::Float8(f64::from_le_bytes(self.fixed()?)),
            Tag::Numeric => Value::Numeric(Arc::new(self.numeric()?)),
            Tag::Text => Value::text(std::str::from_utf8(self.rest()).ok()?),
            Tag::Padded => Value::padded(std::str::from_utf8(self.rest()).ok()?),
            Tag::Bytea => Value::Bytea(self.rest().into()),
            Tag::Date => Value::Date(i32::try_from(self.int()?).ok()?),
            Tag::Time => Value::Time(self.int()?),
            Tag::Timestamp => Value::Timestamp(self.int()?),
            Tag::TimestampTz => Value::TimestampTz(self.int()?),
            Tag::Uuid => Value::Uuid(Arc::new(self.fixed()?)),
            _ => return self.large_payload(tag),
        })
    }

    fn large_payload(mut self, tag: Tag) -> Option<Value> {
        Some(match tag {
            Tag::TimeTz => {
                let micros = i64::from_le_bytes(self.fixed()?);
                Value::TimeTz(micros, i32::from_le_bytes(self.fixed()?))
            }
            Tag::Interval => {
                let months = i32::from_le_bytes(self.fixed()?);
                let days = i32::from_le_bytes(self.fixed()?);
                Value::Interval(Arc::new(Interval { months, days, micros: self.int()? }))
            }
            Tag::Jsonb => {
                let text = std::str::from_utf8(self.rest()).ok()?;
                Value::Jsonb(Arc::new(super::json::parse(text).ok()?))
            }
            Tag::Array => Value::Array(Arc::new(self.array()?)),
            Tag::Range => Value::Range(Arc::new(self.range()?)),
            Tag::Record => {
                let mut fields = Vec::new();
                while !self.bytes.is_empty() {
                    fields.push(self.nested()?);
                }
                Value::Record(fields.into())
            }
            Tag::Box => {
                let mut corners = [0.0; 6];
                for corner in &mut corners {
                    *corner = f64::from_le_bytes(self.fixed()?);
                }
                Value::Box(Arc::new(corners))
            }
            Tag::Enum => {
                let position = u32::from_le_bytes(self.fixed()?);
                let label = std::str::from_utf8(self.rest()).ok()?.into();
                Value::Enum(Arc::new(EnumLabel { position, label }))
            }
            Tag::TsVector => opaque::ts_vector(Bytes::copy_from_slice(self.rest()))?,
            Tag::TsQuery => opaque::ts_query(self.rest())?,
            Tag::Geometry => opaque::geometry(self.rest())?,
            _ => return None,
        })
    }

    fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.bytes)
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(len)?;
        self.bytes = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn int(&mut self) -> Option<i64> {
        let bytes = self.rest();
        let fill = if bytes.last().is_some_and(|byte| byte & 0x80 != 0) { u8::MAX } else { 0 };
        let mut whole = [fill; size_of::<i64>()];
        whole.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(i64::from_le_bytes(whole))
    }

    fn len(&mut self) -> Option<usize> {
        let mut len = 0usize;
        for shift in (0..usize::BITS).step_by(7) {
            let byte = self.byte()?;
            len |= usize::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(len);
            }
        }
        None
    }

    fn numeric(&mut self) -> Option<Numeric> {
        match self.byte()? {
            NAN => Some(Numeric::NaN),
            INFINITY => Some(Numeric::Infinity),
            NEGATIVE_INFINITY => Some(Numeric::NegativeInfinity),
            FINITE => {
                let scale = u32::try_from(self.len()?).ok().filter(|scale| *scale <= SCALE_MAX)?;
                if self.bytes.len() <= size_of::<i64>() {
                    return Some(Numeric::finite(Digits::Small(self.int()?.into()), scale));
                }
                let digits = Digits::from(BigInt::from_signed_bytes_le(self.rest()));
                Some(Numeric::Finite(Decimal { digits, scale }))
            }
            _ => None,
        }
    }

    fn nested(&mut self) -> Option<Value> {
        if self.depth == DEPTH_MAX {
            return None;
        }
        let tag = Tag::from_byte(self.byte()?)?;
        let len = self.len()?;
        Source { bytes: self.take(len)?, depth: self.depth + 1 }.payload(tag)
    }

    fn sql_type(&mut self) -> Option<Type> {
        let len = self.len()?;
        serde_json::from_slice(self.take(len)?).ok()
    }

    fn array(&mut self) -> Option<Array> {
        let element = self.sql_type()?;
        let count = self.len()?;
        let mut dimensions = Vec::new();
        for _ in 0..count {
            let len = self.len()?;
            dimensions.push((len, i32::from_le_bytes(self.fixed()?)));
        }
        let mut elements = Vec::new();
        while !self.bytes.is_empty() {
            elements.push(self.nested()?);
        }
        let expected = dimensions.iter().try_fold(1usize, |all, (len, _)| all.checked_mul(*len))?;
        let expected = if dimensions.is_empty() { 0 } else { expected };
        (elements.len() == expected).then_some(Array { element, dimensions, elements })
    }

    fn range(&mut self) -> Option<Range> {
        let element = self.sql_type()?;
        let [is_empty, has_lower, has_upper] = self.fixed::<3>()?.map(|flag| flag != 0);
        let lower = (self.nested()?, has_lower);
        let upper = (self.nested()?, has_upper);
        Some(Range { element, is_empty, lower, upper })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<Value> {
        vec![
            Value::Null,
            Value::Bool(true),
            Value::Int2(-3),
            Value::Int4(0),
            Value::Int4(128),
            Value::Int8(i64::MIN),
            Value::Float8(1.5),
            Value::numeric(Numeric::finite(Digits::Small(-12_345), 2)),
            Value::numeric(Numeric::finite(Digits::Small(10_i128.pow(30)), 0)),
            Value::numeric(Numeric::NaN),
            Value::text("grüße"),
            Value::padded("ab   "),
            Value::bytea(vec![0, 1, 255]),
            Value::Date(-1),
            Value::TimestampTz(1 << 50),
            Value::interval(Interval { months: 1, days: -2, micros: 3 }),
            Value::Uuid(Arc::new([7; 16])),
            Value::array(Type::Int4, vec![Value::Int4(1), Value::Null]),
            Value::Record([Value::text("a"), Value::Int4(2)].into()),
        ]
    }

    #[test]
    fn scales_that_no_number_has_are_refused() {
        let stored = |scale: u32| {
            let mut bytes = vec![Tag::Numeric as u8, FINITE];
            put_len(scale as usize, &mut bytes);
            bytes.push(7);
            bytes
        };
        assert!(decode_value(&stored(SCALE_MAX)).is_ok());
        // To compare such a number would take a power of ten with as many digits.
        assert!(decode_value(&stored(SCALE_MAX + 1)).is_err());
        assert!(decode_value(&stored(u32::MAX)).is_err());
    }

    #[test]
    fn rows_come_back() {
        let row = sample();
        let bytes = encode(&row).unwrap();
        let reader = RowReader::new(&bytes).unwrap();
        for (position, value) in row.iter().enumerate() {
            let read = reader.column(position).unwrap().unwrap();
            assert_eq!(format!("{read:?}"), format!("{value:?}"));
            let alone = decode_value(&encode_value(value)).unwrap();
            assert_eq!(format!("{alone:?}"), format!("{value:?}"));
        }
        assert!(reader.column(row.len()).unwrap().is_none());
    }

    #[test]
    fn wide_rows_come_back() {
        let row = vec![Value::text("x".repeat(70_000)), Value::Int4(5)];
        let bytes = encode(&row).unwrap();
        let read = RowReader::new(&bytes).unwrap().column(1).unwrap();
        assert!(matches!(read, Some(Value::Int4(5))));
    }

    #[test]
    fn spoiled_rows_are_refused_or_read_but_never_panic() {
        let bytes = encode(&sample()).unwrap();
        for len in 0..bytes.len() {
            if let Ok(reader) = RowReader::new(&bytes[..len]) {
                (0..reader.len()).for_each(|position| drop(reader.column(position)));
            }
        }
        for at in 0..bytes.len() {
            let mut spoiled = bytes.clone();
            spoiled[at] ^= 0xff;
            if let Ok(reader) = RowReader::new(&spoiled) {
                (0..reader.len()).for_each(|position| drop(reader.column(position)));
            }
        }
    }
}
