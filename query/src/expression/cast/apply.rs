//! What casts do to values.

use std::sync::Arc;

use super::length::apply_modifier;
use super::number::cast_number;
use crate::error::{Error, Result, SqlState};
use crate::expression::EvalContext;
use crate::geo::{Box2d, Geometry};
use crate::value::datetime::{Interval, MICROS_PER_DAY, civil::join_timestamp, zone};
use crate::value::input::{InputContext, parse};
use crate::value::json::{self, Jsonb};
use crate::value::output::to_text_in;
use crate::value::{Array, Category, SqlType, Type, Value};

/// Casts a value from one type to another; which casts exist is [`super::find_cast`]'s business.
///
/// # Errors
/// 22P02, 22003, 22001 and what else the value cannot become.
pub fn cast(
    cx: &EvalContext<'_>,
    value: Value,
    from: &SqlType,
    to: &SqlType,
    is_explicit: bool,
) -> Result<Value> {
    if value.is_null() {
        return Ok(value);
    }
    let value =
        if from.base == to.base { value } else { convert(cx, value, &from.base, &to.base)? };
    // A value that was read with the modifier already is not changed again.
    apply_modifier(value, to, is_explicit)
}

fn convert(cx: &EvalContext<'_>, value: Value, from: &Type, to: &Type) -> Result<Value> {
    match (from, to) {
        (from, Type::Array(to)) if let Some(from) = from.element() => {
            convert_array(cx, &value, from, to)
        }
        (Type::Char, Type::Int4) => {
            let code = value.as_str().and_then(|text| text.bytes().next()).unwrap_or(0);
            Ok(Value::Int4(i32::from(code.cast_signed())))
        }
        (Type::Int4, Type::Char) => int_to_char(&value),
        (Type::Bool, Type::Int4) => Ok(Value::Int4(i32::from(value.as_bool() == Some(true)))),
        (Type::Int4, Type::Bool) => Ok(Value::Bool(value.as_i64() != Some(0))),
        (Type::Json, Type::Jsonb) => text_of(&value).and_then(json::parse).map(Value::jsonb),
        (Type::Jsonb, Type::Json) => {
            Ok(Value::text(to_text_in(&value, from, &cx.statement.output, None)))
        }
        (Type::Jsonb, to) if !to.is_string() && *to != Type::JsonPath => from_jsonb(&value, to),
        (Type::Record, Type::Row(_)) | (Type::Row(_), Type::Record) => Ok(value),
        _ if is_number(from) && is_number(to) => cast_number(&value, to),
        _ if to.is_string() => to_string_type(cx, &value, from, to),
        _ => match convert_datetime(cx, &value, from, to)? {
            Some(converted) => Ok(converted),
            None => match convert_geo(&value, from, to)? {
                Some(converted) => Ok(converted),
                None => from_string_type(cx, value, from, to),
            },
        },
    }
}

fn is_number(ty: &Type) -> bool {
    ty.category() == Category::Numeric && *ty != Type::RegConfig
}

fn text_of(value: &Value) -> Result<&str> {
    value.as_str().ok_or_else(|| Error::internal(format!("{value:?} is not a string")))
}

fn cannot_cast(from: &Type, to: &Type) -> Error {
    let message = format!("cannot cast type {} to {}", from.name(), to.name());
    Error::new(SqlState::CANNOT_COERCE, message)
}

fn convert_array(cx: &EvalContext<'_>, value: &Value, from: &Type, to: &Type) -> Result<Value> {
    let Value::Array(array) = value else {
        return Err(Error::internal(format!("{value:?} is not an array")));
    };
    let element = |value: &Value| match value {
        Value::Null => Ok(Value::Null),
        _ if from == to => Ok(value.clone()),
        value => convert(cx, value.clone(), from, to),
    };
    let elements = array.elements.iter().map(element).collect::<Result<_>>()?;
    let dimensions = array.dimensions.clone();
    Ok(Value::Array(Arc::new(Array { element: to.clone(), dimensions, elements })))
}

fn int_to_char(value: &Value) -> Result<Value> {
    let code = value.as_i64().and_then(|code| i8::try_from(code).ok());
    let code = code.ok_or_else(|| super::number::out_of_range(&Type::Char))?;
    let byte = code.cast_unsigned();
    Ok(Value::text(if byte == 0 { String::new() } else { char::from(byte).to_string() }))
}

fn to_string_type(cx: &EvalContext<'_>, value: &Value, from: &Type, to: &Type) -> Result<Value> {
    let catalog: Option<&crate::catalog::Catalog> = Some(cx.services.catalog());
    let text = match (value, from) {
        // The cast says true and false where the output function says t and f.
        (Value::Bool(value), Type::Bool) => value.to_string(),
        (Value::Text(text), _) if !matches!(to, Type::Bpchar | Type::Name | Type::Char) => {
            return Ok(Value::Text(text.clone()));
        }
        (Value::Padded(text), _) if *to != Type::Bpchar => text.trim_end_matches(' ').to_owned(),
        _ => to_text_in(value, from, &cx.statement.output, catalog),
    };
    let input = InputContext { facts: cx.statement, catalog: None };
    parse(&text, to, input)
}

fn from_string_type(cx: &EvalContext<'_>, value: Value, from: &Type, to: &Type) -> Result<Value> {
    match &value {
        Value::Text(text) | Value::Padded(text)
            if from.is_string() || matches!(from, Type::Unknown | Type::Json) =>
        {
            let catalog: Option<&crate::catalog::Catalog> = Some(cx.services.catalog());
            parse(text, to, InputContext { facts: cx.statement, catalog })
        }
        // The value is of that type already: relabelled types share their values.
        _ if *from == Type::Unknown || value.natural_type() == *to => Ok(value),
        _ => Err(cannot_cast(from, to)),
    }
}

fn from_jsonb(value: &Value, to: &Type) -> Result<Value> {
    let Value::Jsonb(document) = value else {
        return Err(Error::internal(format!("{value:?} is not jsonb")));
    };
    match (&**document, to) {
        (Jsonb::Bool(value), Type::Bool) => Ok(Value::Bool(*value)),
        (Jsonb::Number(number), to) if is_number(to) => {
            cast_number(&Value::numeric(number.clone()), to)
        }
        (document, to) => {
            let message =
                format!("cannot cast jsonb {} to type {}", document.type_name(), to.name());
            Err(Error::new(SqlState::INVALID_PARAMETER_VALUE, message))
        }
    }
}

fn date_to_local(days: i32) -> Result<i64> {
    match days {
        i32::MIN => Ok(i64::MIN),
        i32::MAX => Ok(i64::MAX),
        days => join_timestamp(i64::from(days), 0).map_err(|_| {
            Error::new(SqlState::DATETIME_FIELD_OVERFLOW, "date out of range for timestamp")
        }),
    }
}

fn local_to_date(local: i64) -> i32 {
    match local {
        i64::MIN => i32::MIN,
        i64::MAX => i32::MAX,
        local => local.div_euclid(MICROS_PER_DAY) as i32,
    }
}

/// The time of day; infinities have none.
fn local_to_time(local: i64) -> Value {
    match local {
        i64::MIN | i64::MAX => Value::Null,
        local => Value::Time(local.rem_euclid(MICROS_PER_DAY)),
    }
}

fn convert_datetime(
    cx: &EvalContext<'_>,
    value: &Value,
    _from: &Type,
    to: &Type,
) -> Result<Option<Value>> {
    let zone = &cx.statement.time_zone;
    Ok(Some(match (value, to) {
        (Value::Date(days), Type::Timestamp) => Value::Timestamp(date_to_local(*days)?),
        (Value::Date(days), Type::TimestampTz) => {
            Value::TimestampTz(zone::to_utc(zone, date_to_local(*days)?)?)
        }
        (Value::Timestamp(local), Type::Date) => Value::Date(local_to_date(*local)),
        (Value::Timestamp(local), Type::Time) => local_to_time(*local),
        (Value::Timestamp(local), Type::TimestampTz) => {
            Value::TimestampTz(zone::to_utc(zone, *local)?)
        }
        (Value::TimestampTz(moment), Type::Timestamp) => {
            Value::Timestamp(zone::to_local(zone, *moment)?)
        }
        (Value::TimestampTz(moment), Type::Date) => {
            Value::Date(local_to_date(zone::to_local(zone, *moment)?))
        }
        (Value::TimestampTz(moment), Type::Time) => local_to_time(zone::to_local(zone, *moment)?),
        (Value::TimestampTz(moment), Type::TimeTz) => {
            match local_to_time(zone::to_local(zone, *moment)?) {
                Value::Time(micros) => Value::TimeTz(micros, -zone::offset_at(zone, *moment)),
                other => other,
            }
        }
        (Value::Time(micros), Type::Interval) => Value::interval(Interval::from_micros(*micros)),
        (Value::Time(micros), Type::TimeTz) => {
            let offset = zone::offset_at(zone, cx.statement.transaction_time);
            Value::TimeTz(*micros, -offset)
        }
        (Value::TimeTz(micros, _), Type::Time) => Value::Time(*micros),
        (Value::Interval(interval), Type::Time) => {
            Value::Time(interval.micros.rem_euclid(MICROS_PER_DAY))
        }
        _ => return Ok(None),
    }))
}

fn convert_geo(value: &Value, from: &Type, to: &Type) -> Result<Option<Value>> {
    Ok(Some(match (value, to) {
        (Value::Geometry(geometry), Type::Geography) if *from == Type::Geometry => {
            Value::Geometry(Arc::new(crate::geo::to_geography(geometry)?))
        }
        (Value::Geometry(_), Type::Geometry | Type::Geography) => value.clone(),
        (Value::Geometry(geometry), Type::Box2d | Type::Box3d) => match Box2d::around(geometry) {
            Some(bounds) => box_value(&bounds),
            None => Value::Null,
        },
        (Value::Geometry(geometry), Type::Bytea) => {
            Value::bytea(geometry.to_ewkb(crate::geo::ByteOrder::Little))
        }
        (Value::Bytea(bytes), Type::Geometry | Type::Geography) => {
            Value::Geometry(Arc::new(Geometry::from_ewkb(bytes)?))
        }
        (Value::Box(corners), Type::Geometry) => {
            let bounds = Box2d { min: [corners[0], corners[1]], max: [corners[3], corners[4]] };
            Value::Geometry(Arc::new(Geometry::envelope(0, &bounds)))
        }
        (Value::Box(_), Type::Box2d | Type::Box3d) => value.clone(),
        _ => return Ok(None),
    }))
}

fn box_value(bounds: &Box2d) -> Value {
    let ([x1, y1], [x2, y2]) = (bounds.min, bounds.max);
    Value::Box(Arc::new([x1, y1, 0.0, x2, y2, 0.0]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::testing::with_context;

    fn text_after(value: Value, from: Type, to: Type) -> String {
        with_context(|cx| {
            let result = cast(cx, value, &from.into(), &to.clone().into(), true);
            match result {
                Ok(value) => to_text_in(&value, &to, &cx.statement.output, None),
                Err(error) => error.state().0.to_owned(),
            }
        })
    }

    #[test]
    fn casts_convert() {
        assert_eq!(text_after(Value::text("12"), Type::Text, Type::Int4), "12");
        assert_eq!(text_after(Value::text("x"), Type::Unknown, Type::Int4), "22P02");
        assert_eq!(text_after(Value::Bool(true), Type::Bool, Type::Text), "true");
        assert_eq!(
            text_after(Value::Date(0), Type::Date, Type::TimestampTz),
            "2000-01-01 00:00:00+00"
        );
        assert_eq!(text_after(Value::Int4(65), Type::Int4, Type::Char), "A");
        let array = Value::array(Type::Int4, vec![Value::Int4(1), Value::Null]);
        assert_eq!(text_after(array, Type::Int4.array(), Type::Text.array()), "{1,NULL}");
        let json = Value::jsonb(json::parse("1.5").unwrap());
        assert_eq!(text_after(json.clone(), Type::Jsonb, Type::Int4), "2");
        assert_eq!(text_after(json, Type::Jsonb, Type::Bool), "22023");
    }
}
