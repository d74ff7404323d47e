//! Length and precision: `varchar(n)`, `numeric(p,s)`, `timestamp(p)`, `geometry(Point,4326)`.

use std::sync::Arc;

use crate::error::{Error, Result, SqlState};
use crate::value::datetime::{Interval, MICROS_PER_DAY, is_infinite, round_micros};
use crate::value::numeric::Numeric;
use crate::value::{Array, SqlType, Type, Value};

/// Brings a value of the type into the type's modifier. Explicit casts cut strings where
/// assignments fail.
///
/// # Errors
/// 22001, 22003, 22023
pub fn apply_modifier(value: Value, ty: &SqlType, is_explicit: bool) -> Result<Value> {
    if ty.modifier < 0 {
        return Ok(value);
    }
    if let (Value::Array(array), Type::Array(element)) = (&value, &ty.base) {
        let element = SqlType { base: (**element).clone(), modifier: ty.modifier };
        let elements = array.elements.iter().cloned();
        let elements = elements
            .map(|value| apply_modifier(value, &element, is_explicit))
            .collect::<Result<_>>()?;
        let array = Array {
            element: array.element.clone(),
            dimensions: array.dimensions.clone(),
            elements,
        };
        return Ok(Value::Array(Arc::new(array)));
    }
    Ok(match value {
        Value::Text(text) if ty.base != Type::Bpchar => {
            Value::Text(limit_text(text, ty, is_explicit)?)
        }
        Value::Text(text) | Value::Padded(text) => {
            Value::Padded(padded(limit_text(text, ty, is_explicit)?, ty))
        }
        Value::Numeric(number) => {
            limit_numeric(&number, ty)?.map_or(Value::Numeric(number), Value::numeric)
        }
        Value::Geometry(geometry) => {
            let limited = crate::geo::apply_modifier(&geometry, ty.modifier)?;
            match limited {
                std::borrow::Cow::Borrowed(_) => Value::Geometry(geometry),
                std::borrow::Cow::Owned(limited) => Value::Geometry(Arc::new(limited)),
            }
        }
        other => match ty.time_precision() {
            Some(precision) => round_time(other, precision),
            None => other,
        },
    })
}

fn limit_text(text: Arc<str>, ty: &SqlType, is_explicit: bool) -> Result<Arc<str>> {
    let Some(limit) = ty.char_limit() else { return Ok(text) };
    // A string of so few bytes cannot have more characters.
    if text.len() <= limit {
        return Ok(text);
    }
    let Some((end, _)) = text.char_indices().nth(limit) else { return Ok(text) };
    let (kept, excess) = text.split_at(end);
    // Spaces beyond the limit go quietly, as the SQL standard says.
    if !is_explicit && excess.bytes().any(|byte| byte != b' ') {
        let message = format!("value too long for type {}", ty.name());
        return Err(Error::new(SqlState::STRING_DATA_RIGHT_TRUNCATION, message));
    }
    Ok(kept.into())
}

/// A string with as many spaces behind it as the type takes.
fn padded(text: Arc<str>, ty: &SqlType) -> Arc<str> {
    let missing = ty.char_limit().map_or(0, |limit| limit.saturating_sub(text.chars().count()));
    if missing == 0 {
        return text;
    }
    format!("{text}{}", " ".repeat(missing)).into()
}

/// The number rounded to its scale; `None` when it is as it should be.
fn limit_numeric(number: &Numeric, ty: &SqlType) -> Result<Option<Numeric>> {
    let Some((precision, scale)) = ty.numeric_limits() else { return Ok(None) };
    let overflow = |limit: String| {
        let detail = format!(
            "A field with precision {precision}, scale {scale} cannot hold an infinite value."
        );
        let error = Error::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "numeric field overflow");
        if limit.is_empty() {
            return error.with_detail(detail);
        }
        error.with_detail(format!(
            "A field with precision {precision}, scale {scale} must round to an absolute value \
             less than {limit}."
        ))
    };
    let rounded = match number {
        Numeric::NaN => return Ok(None),
        Numeric::Infinity | Numeric::NegativeInfinity => return Err(overflow(String::new())),
        Numeric::Finite(_) => number.round(scale),
    };
    if let Numeric::Finite(decimal) = &rounded
        && let Some(exponent) = decimal.exponent()
        && exponent >= i64::from(precision - scale)
    {
        let power = precision - scale;
        return Err(overflow(match power {
            0 => "1".to_owned(),
            power => format!("10^{power}"),
        }));
    }
    Ok(Some(rounded))
}

fn round_time(value: Value, precision: u32) -> Value {
    let finite =
        |micros: i64| if is_infinite(micros) { micros } else { round_micros(micros, precision) };
    match value {
        Value::Timestamp(micros) => Value::Timestamp(finite(micros)),
        Value::TimestampTz(micros) => Value::TimestampTz(finite(micros)),
        Value::Time(micros) => Value::Time(round_micros(micros, precision).min(MICROS_PER_DAY)),
        Value::TimeTz(micros, west) => {
            Value::TimeTz(round_micros(micros, precision).min(MICROS_PER_DAY), west)
        }
        Value::Interval(interval) => Value::interval(Interval {
            micros: round_micros(interval.micros, precision),
            ..*interval
        }),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(value: Value, name: &str, modifiers: &[&str], is_explicit: bool) -> Result<Value> {
        let ty = Type::from_name(name, modifiers).unwrap().unwrap();
        apply_modifier(value, &ty, is_explicit)
    }

    fn number(text: &str) -> Value {
        Value::numeric(text.parse().unwrap())
    }

    #[test]
    fn strings_are_cut_only_when_asked() {
        let text = Value::text("käsekuchen");
        let cut = limit(text.clone(), "varchar", &["4"], true).unwrap();
        assert_eq!(cut.as_str(), Some("käse"));
        let error = limit(text, "varchar", &["4"], false).unwrap_err();
        assert_eq!(error.message(), "value too long for type character varying(4)");
        let spaces = limit(Value::text("ab   "), "varchar", &["3"], false).unwrap();
        assert_eq!(spaces.as_str(), Some("ab "));
    }

    #[test]
    fn numbers_are_rounded_and_limited() {
        let shown =
            |text: &str, modifiers: &[&str]| match limit(number(text), "numeric", modifiers, false)
            {
                Ok(Value::Numeric(number)) => number.to_string(),
                Ok(other) => format!("{other:?}"),
                Err(error) => error.fields().detail.clone().unwrap(),
            };
        assert_eq!(shown("12.345", &["5", "2"]), "12.35");
        assert_eq!(shown("1", &["5", "2"]), "1.00");
        assert_eq!(shown("1251", &["5", "-1"]), "1250");
        let detail =
            "A field with precision 5, scale 2 must round to an absolute value less than 10^3.";
        assert_eq!(shown("999.995", &["5", "2"]), detail);
        assert_eq!(shown("NaN", &["5", "2"]), "NaN");
    }

    #[test]
    fn times_are_rounded() {
        let rounded = limit(Value::Timestamp(1_500_000), "timestamp", &["0"], false).unwrap();
        assert!(matches!(rounded, Value::Timestamp(2_000_000)));
    }
}
