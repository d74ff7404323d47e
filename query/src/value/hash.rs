//! Hashing consistent with equality: for hash joins, grouping and DISTINCT.

use std::hash::{Hash, Hasher};

use super::{Value, are_equal, opaque};

/// A list of values as the key of a hash table. NULLs equal each other, as in GROUP BY; joins
/// leave NULL keys out before they get here.
#[derive(Clone, Debug)]
pub struct GroupKey(pub Box<[Value]>);

impl PartialEq for GroupKey {
    fn eq(&self, other: &Self) -> bool {
        let mut pairs = self.0.iter().zip(&other.0);
        self.0.len() == other.0.len() && pairs.all(|(left, right)| are_equal(left, right))
    }
}

impl Eq for GroupKey {}

impl Hash for GroupKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.iter().for_each(|value| hash_value(value, state));
    }
}

fn hash_float<H: Hasher>(value: f64, state: &mut H) {
    // -0 equals 0, and all NaNs are one.
    let normal = if value.is_nan() { f64::NAN } else { value + 0.0 };
    state.write_u64(normal.to_bits());
}

/// Feeds a value to a hasher so that equal values of one type hash alike.
pub fn hash_value<H: Hasher>(value: &Value, state: &mut H) {
    match value {
        Value::Null => state.write_u8(0),
        Value::Bool(value) => value.hash(state),
        Value::Int2(value) => value.hash(state),
        Value::Int4(value) | Value::Date(value) => value.hash(state),
        Value::Int8(value)
        | Value::Time(value)
        | Value::Timestamp(value)
        | Value::TimestampTz(value) => value.hash(state),
        Value::Oid(value) => value.hash(state),
        Value::Float4(value) => hash_float(f64::from(*value), state),
        Value::Float8(value) => hash_float(*value, state),
        Value::Numeric(value) => value.hash(state),
        Value::Text(value) => value.hash(state),
        Value::Padded(value) => value.trim_end_matches(' ').hash(state),
        Value::Enum(value) => value.position.hash(state),
        Value::Bytea(value) => value.hash(state),
        Value::TimeTz(time, west) => (time, west).hash(state),
        Value::Interval(value) => value.span().hash(state),
        Value::Uuid(value) => value.hash(state),
        Value::Jsonb(value) => value.hash(state),
        Value::Array(array) => {
            array.dimensions.hash(state);
            array.elements.iter().for_each(|element| hash_value(element, state));
        }
        Value::Range(range) if range.is_empty => state.write_u8(1),
        Value::Range(range) => {
            for (bound, is_inside) in [&range.lower, &range.upper] {
                hash_value(bound, state);
                is_inside.hash(state);
            }
        }
        Value::Record(fields) => fields.iter().for_each(|field| hash_value(field, state)),
        Value::Box(corners) => corners.iter().for_each(|value| hash_float(*value, state)),
        Value::RowKey(key) => key.hash(state),
        Value::TsVector(_) | Value::TsQuery(_) | Value::Geometry(_) => {
            opaque::bytes(value).hash(state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash_of(value: Value) -> u64 {
        let mut state = ahash::AHasher::default();
        GroupKey([value].into()).hash(&mut state);
        state.finish()
    }

    #[test]
    fn equal_values_hash_alike() {
        let number = |text: &str| Value::numeric(text.parse().unwrap());
        assert_eq!(hash_of(number("1.0")), hash_of(number("1.000")));
        assert_eq!(hash_of(number("0")), hash_of(number("0.00")));
        assert_eq!(hash_of(Value::Float8(-0.0)), hash_of(Value::Float8(0.0)));
        assert_ne!(hash_of(Value::Int4(1)), hash_of(Value::Int4(2)));
        let short = Value::padded("ab ");
        for other in [Value::padded("ab   "), Value::text("ab")] {
            assert!(crate::value::are_equal(&short, &other));
            assert_eq!(hash_of(short.clone()), hash_of(other));
        }
        assert!(!crate::value::are_equal(&short, &Value::padded(" ab")));
    }
}
