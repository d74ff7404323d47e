//! What the decoders of rows, values and keys promise about bytes, whoever wrote them. As the
//! engine's module of the same name, which says more; compiled for tests and with the feature
//! `fuzzing` only.

use std::sync::Arc;

use geo::CoordsIter;

use crate::geo::Geometry;
use crate::value::key::{self, Order};
use crate::value::row::{self, RowReader};
use crate::value::{Value, compare};

/// The checks of this crate, and what the fuzzer and its corpora call them.
pub const TARGETS: &[(&str, fn(&[u8]))] = &[
    ("geometry", geometry),
    ("key", key),
    ("row", row),
    ("statistics", crate::statistics::stored::fuzz),
    ("value", value),
];

const ORDERS: [Order; 4] = [
    Order { is_descending: false, nulls_first: false },
    Order { is_descending: false, nulls_first: true },
    Order { is_descending: true, nulls_first: false },
    Order { is_descending: true, nulls_first: true },
];

/// The columns that can be read; `None` when one cannot be.
fn columns(bytes: &[u8]) -> Option<Vec<Value>> {
    let reader = RowReader::new(bytes).ok()?;
    (0..reader.len()).map(|at| reader.column(at).ok().flatten()).collect()
}

/// A row: what is read and stored again is the same row.
fn row(data: &[u8]) {
    if let Ok(reader) = RowReader::new(data) {
        (0..=reader.len()).for_each(|at| drop(reader.column(at)));
    }
    let Some(values) = columns(data) else { return };
    let stored = row::encode(&values).expect("it was no larger before");
    let again = columns(&stored).expect("it was stored");
    let is_same = row::encode(&again).expect("as before") == stored;
    assert!(is_same || values.iter().any(may_grow));
}

/// A single value, and its key in every order.
fn value(data: &[u8]) {
    let Ok(value) = row::decode_value(data) else { return };
    let stored = row::encode_value(&value);
    let again = row::decode_value(&stored).expect("it was stored");
    assert!(row::encode_value(&again) == stored || may_grow(&value));
    for order in ORDERS {
        let mut bytes = Vec::new();
        if key::encode(&mut bytes, &value, order).is_ok() {
            assert!(key::skip(&bytes, order).is_ok_and(<[u8]>::is_empty));
        }
    }
}

/// Keys: any bytes are skipped or refused, and two values of one type are in the order of their
/// keys.
fn key(data: &[u8]) {
    for order in ORDERS {
        if let Ok(rest) = key::skip(data, order) {
            assert!(rest.len() < data.len() && data.ends_with(rest));
        }
    }
    let (tag, rest) = data.split_at(data.len().min(1));
    let (left, right) = rest.split_at(rest.len() / 2);
    let read = |payload| row::decode_value(&[tag, payload].concat()).ok().filter(is_scalar);
    let (Some(left), Some(right)) = (read(left), read(right)) else { return };
    for order in ORDERS {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        let outcomes = [key::encode(&mut a, &left, order), key::encode(&mut b, &right, order)];
        if outcomes.iter().any(Result::is_err) {
            continue;
        }
        let expected = compare(&left, &right);
        let expected = if order.is_descending { expected.reverse() } else { expected };
        assert_eq!(a.cmp(&b), expected, "{left:?} {right:?}");
    }
}

/// Whether a key holds all that the order of values looks at: of an array it has no bounds.
fn is_scalar(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Array(_) | Value::Record(_))
}

/// A shape in a row.
fn geometry(data: &[u8]) {
    let Ok(shape) = Geometry::decode(data) else { return };
    let mut stored = Vec::new();
    shape.encode(&mut stored);
    let again = Geometry::decode(&stored).expect("it was stored");
    let mut twice = Vec::new();
    again.encode(&mut twice);
    assert!(twice == stored || may_grow(&Value::Geometry(Arc::new(shape))));
}

/// Whether there is a shape with NaN inside: a ring that begins with it never counts as closed,
/// and gets its first point once more whenever it is read.
fn may_grow(value: &Value) -> bool {
    match value {
        Value::Geometry(shape) => {
            shape.shape.coords_iter().any(|at| at.x.is_nan() || at.y.is_nan())
        }
        Value::Array(array) => array.elements.iter().any(may_grow),
        Value::Record(fields) => fields.iter().any(may_grow),
        Value::Range(range) => may_grow(&range.lower.0) || may_grow(&range.upper.0),
        _ => false,
    }
}

#[cfg(test)]
#[path = "../../engine/src/fuzzing/exercise.rs"]
mod exercise;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoders_keep_their_promises() {
        exercise::all(TARGETS);
    }
}
