//! SQL values and their types.

use std::sync::Arc;

mod style;
mod types;

pub use style::OutputStyle;
pub use types::{SqlType, Type};

use crate::geo::Geometry;
use crate::text::{TsQuery, TsVector};
use crate::value::numeric::Numeric;

pub mod datetime;
pub mod json;
pub mod numeric;

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
    /// `text`, `varchar`, `char(n)`, `name`, `"char"`, `json`, enum labels: the declared type says
    /// which
    Text(Arc<str>),
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

/// An array of any number of dimensions.
#[derive(Clone, Debug)]
pub struct Array {
    /// The type of every element.
    pub element: Type,
    /// Length and lower bound of each dimension, outermost first; empty for `{}`.
    pub dimensions: Vec<(usize, i32)>,
    /// The elements, in row-major order.
    pub elements: Vec<Value>,
}

/// A range over a discrete or continuous type.
#[derive(Clone, Debug)]
pub struct Range {
    /// The type of the bounds.
    pub element: Type,
    /// Whether it contains nothing; then the bounds mean nothing.
    pub is_empty: bool,
    /// The lower bound (`Null`: unbounded) and whether it lies inside.
    pub lower: (Value, bool),
    /// The upper bound (`Null`: unbounded) and whether it lies inside.
    pub upper: (Value, bool),
}

impl Value {
    /// A `text` value.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// Whether it is NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}
