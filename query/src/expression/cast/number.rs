//! Casts among numbers, with Postgres' roundings and 22003.

use crate::error::{Error, Result, SqlState};
use crate::value::numeric::Numeric;
use crate::value::{Type, Value};

/// 22003: the number does not fit the type.
pub(crate) fn out_of_range(ty: &Type) -> Error {
    let message = format!("{} out of range", ty.name());
    Error::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message)
}

/// Turns any number into one of another numeric type (or OID).
///
/// # Errors
/// 22003
pub(super) fn cast_number(value: &Value, to: &Type) -> Result<Value> {
    match value {
        Value::Float4(number) => from_float(f64::from(*number), to, true),
        Value::Float8(number) => from_float(*number, to, false),
        Value::Numeric(number) => from_numeric(number, to),
        other => match other.as_i64() {
            Some(number) => from_integer(number, to),
            None => Err(Error::internal(format!("{other:?} is not a number"))),
        },
    }
}

fn from_integer(number: i64, to: &Type) -> Result<Value> {
    let fits = |value: Option<Value>| value.ok_or_else(|| out_of_range(to));
    match to {
        Type::Int2 => fits(i16::try_from(number).ok().map(Value::Int2)),
        Type::Int4 => fits(i32::try_from(number).ok().map(Value::Int4)),
        Type::Int8 => Ok(Value::Int8(number)),
        Type::Float4 => Ok(Value::Float4(number as f32)),
        Type::Float8 => Ok(Value::Float8(number as f64)),
        Type::Numeric => Ok(Value::numeric(Numeric::from(number))),
        // Negative 32-bit numbers become large OIDs, as in C.
        _ => {
            let oid = u32::try_from(number).ok();
            let wrapped = i32::try_from(number).ok().map(i32::cast_unsigned);
            oid.or(wrapped).map(Value::Oid).ok_or_else(|| out_of_range(&Type::Oid))
        }
    }
}

fn from_float(number: f64, to: &Type, is_single: bool) -> Result<Value> {
    // Halves go to the even neighbour; both ends of the range are exact as floats.
    let whole = |min: f64, end: f64| {
        let rounded = number.round_ties_even();
        if rounded >= min && rounded < end { Ok(rounded) } else { Err(out_of_range(to)) }
    };
    Ok(match to {
        Type::Int2 => Value::Int2(whole(-32_768.0, 32_768.0)? as i16),
        Type::Int4 => Value::Int4(whole(-2_147_483_648.0, 2_147_483_648.0)? as i32),
        Type::Int8 => {
            Value::Int8(whole(-9_223_372_036_854_775_808.0, 9_223_372_036_854_775_808.0)? as i64)
        }
        Type::Float8 => Value::Float8(number),
        Type::Float4 => {
            let single = number as f32;
            let message = match single {
                _ if single.is_infinite() && number.is_finite() => "value out of range: overflow",
                0.0 if number != 0.0 => "value out of range: underflow",
                _ => return Ok(Value::Float4(single)),
            };
            return Err(Error::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message));
        }
        Type::Numeric if is_single => Value::numeric(Numeric::from_f32(number as f32)),
        Type::Numeric => Value::numeric(Numeric::from_f64(number)),
        _ => return Err(Error::internal(format!("no cast of floats to {}", to.name()))),
    })
}

fn from_numeric(number: &Numeric, to: &Type) -> Result<Value> {
    match to {
        Type::Numeric => Ok(Value::numeric(number.clone())),
        Type::Float8 => {
            let float = number.to_f64();
            if float.is_infinite() && matches!(number, Numeric::Finite(_)) {
                let message = format!("\"{number}\" is out of range for type double precision");
                return Err(Error::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message));
            }
            Ok(Value::Float8(float))
        }
        Type::Float4 => {
            let float = number.to_f64() as f32;
            if float.is_infinite() && matches!(number, Numeric::Finite(_)) {
                let message = format!("\"{number}\" is out of range for type real");
                return Err(Error::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message));
            }
            Ok(Value::Float4(float))
        }
        _ => {
            let word = match number {
                Numeric::NaN => "NaN",
                Numeric::Infinity | Numeric::NegativeInfinity => "infinity",
                Numeric::Finite(_) => {
                    let whole = number.to_i64().ok_or_else(|| out_of_range(to))?;
                    return from_integer(whole, to);
                }
            };
            let message = format!("cannot convert {word} to {}", to.name());
            Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_round_to_even_and_numerics_away_from_zero() {
        let cast = |value: Value| cast_number(&value, &Type::Int4).unwrap().as_i32();
        assert_eq!(cast(Value::Float8(2.5)), Some(2));
        assert_eq!(cast(Value::Float8(-3.5)), Some(-4));
        assert_eq!(cast(Value::numeric("2.5".parse().unwrap())), Some(3));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let state = |value: Value, ty: Type| cast_number(&value, &ty).unwrap_err().state().0;
        assert_eq!(state(Value::Int8(1 << 40), Type::Int4), "22003");
        assert_eq!(state(Value::Float8(1e10), Type::Int4), "22003");
        assert_eq!(state(Value::Float8(f64::NAN), Type::Int8), "22003");
        assert_eq!(state(Value::Float8(1e300), Type::Float4), "22003");
        assert_eq!(state(Value::numeric(Numeric::NaN), Type::Int4), "0A000");
    }
}
