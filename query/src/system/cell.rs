//! Rust values as cells of a row.

use std::sync::Arc;

use crate::value::Value;

/// What can stand in a row.
pub(super) trait Cell {
    fn cell(self) -> Value;
}

macro_rules! cells {
    ($($ty:ty, $value:ident => $cell:expr;)*) => {$(
        impl Cell for $ty {
            fn cell(self) -> Value {
                let $value = self;
                $cell
            }
        }
    )*};
}

cells! {
    Value, value => value;
    bool, value => Value::Bool(value);
    i16, value => Value::Int2(value);
    i32, value => Value::Int4(value);
    i64, value => Value::Int8(value);
    u32, value => Value::Oid(value);
    f32, value => Value::Float4(value);
    f64, value => Value::Float8(value);
    &str, value => Value::text(value);
    String, value => Value::text(value);
    &String, value => Value::text(value.as_str());
    Arc<str>, value => Value::Text(value);
    char, value => Value::text(value.to_string());
}

impl<T: Cell> Cell for Option<T> {
    fn cell(self) -> Value {
        self.map_or(Value::Null, Cell::cell)
    }
}

/// A row out of cells.
macro_rules! row {
    ($($cell:expr),* $(,)?) => {
        vec![$($crate::system::cell::Cell::cell($cell)),*]
    };
}
pub(super) use row;

/// NULL.
pub(super) const NULL: Value = Value::Null;

/// `YES` or `NO`, as `information_schema` says it.
pub(super) fn yes_no(truth: bool) -> &'static str {
    if truth { "YES" } else { "NO" }
}

/// A count as the number that a catalog's column takes.
pub(super) fn small(count: usize) -> i16 {
    i16::try_from(count).unwrap_or(i16::MAX)
}
