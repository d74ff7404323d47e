//! SQL values and their types.

use std::sync::Arc;

mod array;
mod hash;
pub(crate) mod interval_fields;
mod literal;
mod opaque;
mod order;
mod range;
mod style;
mod types;
mod utf8;

pub mod binary;
pub mod datetime;
pub mod input;
pub mod json;
pub mod key;
pub mod numeric;
pub mod output;
pub mod row;
pub mod shape;

pub use array::Array;
pub use hash::{GroupKey, hash_value};
pub use order::{are_equal, compare};
pub use range::Range;
pub use style::OutputStyle;
pub use types::{Category, FIRST_USER_OID, SqlType, Type};
pub use utf8::utf8;

use crate::geo::Geometry;
use crate::text::{TsQuery, TsVector};
use crate::value::numeric::Numeric;

/// One SQL value. 24 bytes; everything large is shared, so a clone is cheap.
#[derive(Clone, Debug)]
pub enum Value {
    /// NULL of any type.
    Null,
    /// `boolean`
    Bool(bool),
    /// `smallint`
    Int2(i16),
    /// `integer`
    Int4(i32),
    /// `bigint`
    Int8(i64),
    /// `oid`, `regclass`, `regtype`, `regproc`: the declared type says which
    Oid(u32),
    /// `real`
    Float4(f32),
    /// `double precision`
    Float8(f64),
    /// `numeric`
    Numeric(Arc<Numeric>),
    /// `text`, `varchar`, `char(n)` (without its trailing spaces), `name`, `"char"`, `json`: the
    /// declared type says which
    Text(Arc<str>),
    /// `character(n)`, with the spaces that it is filled up with: they count for nothing when
    /// values are compared
    Padded(Arc<str>),
    /// a label of an enum
    Enum(Arc<EnumLabel>),
    /// `bytea`
    Bytea(Arc<[u8]>),
    /// `date`: days since 2000-01-01; `i32::MIN` and `i32::MAX` are the infinities
    Date(i32),
    /// `time`: microseconds since midnight
    Time(i64),
    /// `timetz`: microseconds since midnight, seconds west of UTC
    TimeTz(i64, i32),
    /// `timestamp`: microseconds since 2000-01-01; `i64::MIN` and `i64::MAX` are the infinities
    Timestamp(i64),
    /// `timestamptz`: microseconds since 2000-01-01 UTC; infinities as in `timestamp`
    TimestampTz(i64),
    /// `interval`
    Interval(Arc<datetime::Interval>),
    /// `uuid`
    Uuid(Arc<[u8; 16]>),
    /// `jsonb`
    Jsonb(Arc<json::Jsonb>),
    /// any array
    Array(Arc<Array>),
    /// any range
    Range(Arc<Range>),
    /// `record`, row types
    Record(Arc<[Value]>),
    /// `tsvector`
    TsVector(Arc<TsVector>),
    /// `tsquery`
    TsQuery(Arc<TsQuery>),
    /// `geometry` and `geography`: the declared type says which
    Geometry(Arc<Geometry>),
    /// `box2d`, `box3d`: minimum, then maximum corner
    Box(Arc<[f64; 6]>),
    /// The key that a table keeps a row under. Never leaves the executor.
    RowKey(cairn_engine::Bytes),
}

/// A label of an enum. It carries its place in the order of labels, so that comparing needs no
/// catalog.
#[derive(Clone, Debug)]
pub struct EnumLabel {
    /// Where it stands in the order of the type's labels.
    pub position: u32,
    /// The label.
    pub label: Arc<str>,
}

impl Value {
    /// A `text` value.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// A `character` value.
    pub fn padded(text: impl Into<Arc<str>>) -> Self {
        Self::Padded(text.into())
    }

    /// Whether it is NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// A `numeric` value.
    pub fn numeric(number: Numeric) -> Self {
        Self::Numeric(Arc::new(number))
    }

    /// An `interval` value.
    pub fn interval(interval: datetime::Interval) -> Self {
        Self::Interval(Arc::new(interval))
    }

    /// A `bytea` value.
    pub fn bytea(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self::Bytea(bytes.into())
    }

    /// A `jsonb` value.
    pub fn jsonb(document: json::Jsonb) -> Self {
        Self::Jsonb(Arc::new(document))
    }

    /// A one-dimensional array.
    pub fn array(element: Type, elements: Vec<Self>) -> Self {
        Self::Array(Arc::new(Array::new(element, elements)))
    }

    /// What Postgres calls a vector: an array whose first element has the number 0.
    pub fn vector(element: Type, elements: Vec<Self>) -> Self {
        let dimensions = if elements.is_empty() { Vec::new() } else { vec![(elements.len(), 0)] };
        Self::Array(Arc::new(Array { element, dimensions, elements }))
    }

    /// The truth of a condition: `None` for NULL.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// Any of the whole numbers.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int2(value) => Some(i64::from(*value)),
            Self::Int4(value) => Some(i64::from(*value)),
            Self::Int8(value) => Some(*value),
            Self::Oid(value) => Some(i64::from(*value)),
            _ => None,
        }
    }

    /// A whole number that fits 32 bits.
    pub fn as_i32(&self) -> Option<i32> {
        self.as_i64().and_then(|value| i32::try_from(value).ok())
    }

    /// Any of the floats.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Float4(value) => Some(f64::from(*value)),
            Self::Float8(value) => Some(*value),
            _ => None,
        }
    }

    /// A string of any kind.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Padded(text) => Some(text),
            Self::Enum(label) => Some(&label.label),
            _ => None,
        }
    }

    /// The bytes of a `bytea`.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytea(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// An array.
    pub fn as_array(&self) -> Option<&Array> {
        match self {
            Self::Array(array) => Some(array),
            _ => None,
        }
    }

    /// Roughly how many bytes it occupies, for memory accounting.
    pub fn memory_len(&self) -> usize {
        let held = match self {
            Self::Numeric(number) => number.memory_len(),
            Self::Text(text) | Self::Padded(text) => 16 + text.len(),
            Self::Enum(label) => 32 + label.label.len(),
            Self::Bytea(bytes) => 16 + bytes.len(),
            Self::Interval(_) | Self::Uuid(_) => 32,
            Self::Jsonb(document) => 16 + document.memory_len(),
            Self::Array(array) => 64 + array.elements.iter().map(Self::memory_len).sum::<usize>(),
            Self::Range(range) => 96 + range.lower.0.memory_len() + range.upper.0.memory_len(),
            Self::Record(fields) => 16 + fields.iter().map(Self::memory_len).sum::<usize>(),
            Self::TsVector(_) | Self::TsQuery(_) | Self::Geometry(_) => opaque::memory_len(self),
            Self::Box(_) => 64,
            Self::RowKey(key) => key.len(),
            _ => 0,
        };
        size_of::<Self>() + held
    }

    /// The type that a value shows by itself; where the declared type decides, its usual one.
    pub fn natural_type(&self) -> Type {
        match self {
            Self::Null => Type::Unknown,
            Self::Bool(_) => Type::Bool,
            Self::Int2(_) => Type::Int2,
            Self::Int4(_) => Type::Int4,
            Self::Int8(_) => Type::Int8,
            Self::Oid(_) => Type::Oid,
            Self::Float4(_) => Type::Float4,
            Self::Float8(_) => Type::Float8,
            Self::Numeric(_) => Type::Numeric,
            Self::Text(_) | Self::Enum(_) => Type::Text,
            Self::Padded(_) => Type::Bpchar,
            Self::Bytea(_) | Self::RowKey(_) => Type::Bytea,
            Self::Date(_) => Type::Date,
            Self::Time(_) => Type::Time,
            Self::TimeTz(..) => Type::TimeTz,
            Self::Timestamp(_) => Type::Timestamp,
            Self::TimestampTz(_) => Type::TimestampTz,
            Self::Interval(_) => Type::Interval,
            Self::Uuid(_) => Type::Uuid,
            Self::Jsonb(_) => Type::Jsonb,
            Self::Array(array) => array.element.clone().array(),
            Self::Range(range) => Type::Range(Box::new(range.element.clone())),
            Self::Record(_) => Type::Record,
            Self::TsVector(_) => Type::TsVector,
            Self::TsQuery(_) => Type::TsQuery,
            Self::Geometry(_) => Type::Geometry,
            Self::Box(_) => Type::Box2d,
        }
    }
}
