//! The order of values, per type as Postgres has it.
//!
//! Both values are of one type. NULLs are the caller's business at the top; inside arrays and
//! records they sort last and equal each other.

use std::cmp::Ordering;

use super::{Array, Value, opaque, range};

/// Compares two values of one type that are not NULL.
pub fn compare(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Int4(a), Value::Int4(b)) => a.cmp(b),
        (Value::Int8(a), Value::Int8(b)) => a.cmp(b),
        (Value::Text(a), Value::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Int2(a), Value::Int2(b)) => a.cmp(b),
        (Value::Oid(a), Value::Oid(b)) => a.cmp(b),
        (Value::Float4(a), Value::Float4(b)) => compare_floats(f64::from(*a), f64::from(*b)),
        (Value::Float8(a), Value::Float8(b)) => compare_floats(*a, *b),
        (Value::Numeric(a), Value::Numeric(b)) => a.cmp(b),
        (Value::Enum(a), Value::Enum(b)) => a.position.cmp(&b.position),
        (Value::Bytea(a), Value::Bytea(b)) => a.cmp(b),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::Time(a), Value::Time(b)) => a.cmp(b),
        (Value::TimeTz(a, zone), Value::TimeTz(b, other)) => {
            let utc = |time: i64, west: i32| time + i64::from(west) * 1_000_000;
            // The same moment in two zones is not the same value.
            utc(*a, *zone).cmp(&utc(*b, *other)).then_with(|| zone.cmp(other))
        }
        (Value::Timestamp(a), Value::Timestamp(b))
        | (Value::TimestampTz(a), Value::TimestampTz(b)) => a.cmp(b),
        (Value::Interval(a), Value::Interval(b)) => a.span().cmp(&b.span()),
        (Value::Uuid(a), Value::Uuid(b)) => a.cmp(b),
        (Value::Jsonb(a), Value::Jsonb(b)) => a.cmp(b),
        (Value::Padded(_), _) | (_, Value::Padded(_)) if !left.is_null() && !right.is_null() => {
            unpadded(left).cmp(&unpadded(right))
        }
        (Value::Array(a), Value::Array(b)) => compare_arrays(a, b),
        (Value::Range(a), Value::Range(b)) => range::compare_ranges(a, b),
        (Value::Record(a), Value::Record(b)) => compare_lists(a, b),
        (Value::RowKey(a), Value::RowKey(b)) => a.cmp(b),
        (Value::Box(a), Value::Box(b)) => {
            let pairs = a.iter().zip(b.iter());
            pairs
                .map(|(a, b)| compare_floats(*a, *b))
                .find(|o| o.is_ne())
                .unwrap_or(Ordering::Equal)
        }
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Greater,
        (_, Value::Null) => Ordering::Less,
        _ => compare_rest(left, right),
    }
}

/// A string without the spaces at its end.
fn unpadded(value: &Value) -> Option<&str> {
    value.as_str().map(|text| text.trim_end_matches(' '))
}

/// Values whose order is that of their stored bytes; and, so that the order stays total, values
/// of different types, which binding rules out.
fn compare_rest(left: &Value, right: &Value) -> Ordering {
    if std::mem::discriminant(left) != std::mem::discriminant(right) {
        debug_assert!(false, "comparing {left:?} with {right:?}");
        return left.natural_type().oid().cmp(&right.natural_type().oid());
    }
    opaque::compare(left, right)
}

/// Whether two values of one type are equal; NULL equals NULL here.
pub fn are_equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Text(a), Value::Text(b)) => a == b,
        _ => compare(left, right) == Ordering::Equal,
    }
}

/// NaN equals itself and is larger than everything; -0 equals 0.
pub(crate) fn compare_floats(left: f64, right: f64) -> Ordering {
    left.partial_cmp(&right).unwrap_or_else(|| left.is_nan().cmp(&right.is_nan()))
}

fn compare_arrays(left: &Array, right: &Array) -> Ordering {
    compare_lists(&left.elements, &right.elements)
        .then_with(|| left.dimensions.len().cmp(&right.dimensions.len()))
        .then_with(|| left.dimensions.cmp(&right.dimensions))
}

fn compare_lists(left: &[Value], right: &[Value]) -> Ordering {
    let pairs = left.iter().zip(right);
    pairs
        .map(|(a, b)| compare(a, b))
        .find(|order| order.is_ne())
        .unwrap_or_else(|| left.len().cmp(&right.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Type;
    use crate::value::datetime::Interval;

    #[test]
    fn floats_have_a_total_order() {
        let order = |a, b| compare(&Value::Float8(a), &Value::Float8(b));
        assert_eq!(order(f64::NAN, f64::INFINITY), Ordering::Greater);
        assert_eq!(order(f64::NAN, f64::NAN), Ordering::Equal);
        assert_eq!(order(-0.0, 0.0), Ordering::Equal);
    }

    #[test]
    fn intervals_compare_by_length() {
        let month = Value::interval(Interval { months: 1, days: 0, micros: 0 });
        let days = Value::interval(Interval { months: 0, days: 30, micros: 0 });
        assert!(are_equal(&month, &days));
    }

    #[test]
    fn arrays_compare_element_by_element_with_nulls_last() {
        let array = |values: &[Option<i32>]| {
            let values = values.iter().map(|v| v.map_or(Value::Null, Value::Int4)).collect();
            Value::array(Type::Int4, values)
        };
        assert_eq!(compare(&array(&[Some(1)]), &array(&[Some(1), Some(2)])), Ordering::Less);
        assert_eq!(compare(&array(&[None]), &array(&[Some(9)])), Ordering::Greater);
        assert!(are_equal(&array(&[None]), &array(&[None])));
    }
}
