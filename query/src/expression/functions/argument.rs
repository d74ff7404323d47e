//! Reading the arguments of a call: binding has made their types certain, so a value of another
//! type is our bug (XX000), never the user's.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::value::datetime::Interval;
use crate::value::json::Jsonb;
use crate::value::numeric::Numeric;
use crate::value::{Array, Range, Value};

/// A Rust type that an SQL value can be read as.
pub trait Argument<'a>: Sized {
    /// Reads the value; `None` when it is of another type.
    fn read(value: &'a Value) -> Option<Self>;
}

/// The argument at a position.
///
/// # Errors
/// XX000 when it is missing or of another type.
pub(super) fn arg<'a, T: Argument<'a>>(args: &'a [Value], at: usize) -> Result<T> {
    args.get(at)
        .and_then(T::read)
        .ok_or_else(|| Error::internal(format!("argument {at} is {:?}", args.get(at))))
}

/// The argument at a position; `None` when it was left out or is NULL.
///
/// # Errors
/// XX000 when it is of another type.
pub(super) fn optional<'a, T: Argument<'a>>(args: &'a [Value], at: usize) -> Result<Option<T>> {
    match args.get(at) {
        None | Some(Value::Null) => Ok(None),
        Some(_) => arg(args, at).map(Some),
    }
}

macro_rules! arguments {
    ($($pattern:pat => $result:expr, $ty:ty;)*) => {$(
        impl<'a> Argument<'a> for $ty {
            fn read(value: &'a Value) -> Option<Self> {
                match value {
                    $pattern => Some($result),
                    _ => None,
                }
            }
        }
    )*};
}

arguments! {
    Value::Bool(value) => *value, bool;
    Value::Int2(value) => *value, i16;
    Value::Int4(value) | Value::Date(value) => *value, i32;
    Value::Float4(value) => *value, f32;
    Value::Float8(value) => *value, f64;
    Value::Oid(value) => *value, u32;
    Value::Numeric(value) => value.as_ref(), &'a Numeric;
    Value::Text(value) | Value::Padded(value) => value.as_ref(), &'a str;
    Value::Text(value) | Value::Padded(value) => value, &'a Arc<str>;
    Value::Bytea(value) => value.as_ref(), &'a [u8];
    Value::Interval(value) => value.as_ref(), &'a Interval;
    Value::Jsonb(value) => value.as_ref(), &'a Jsonb;
    Value::Array(value) => value.as_ref(), &'a Array;
    Value::Range(value) => value.as_ref(), &'a Range;
    Value::Int8(value) | Value::Timestamp(value) | Value::TimestampTz(value)
        | Value::Time(value) => *value, i64;
}

impl<'a> Argument<'a> for &'a Value {
    fn read(value: &'a Value) -> Option<Self> {
        Some(value)
    }
}
