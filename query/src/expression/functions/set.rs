//! `generate_series` (Postgres manual 9.25).

use super::argument::{arg, optional};
use super::{Builder, RowSet};
use crate::error::{Error, Result, SqlState};
use crate::value::datetime::Interval;
use crate::value::numeric::Numeric;
use crate::value::{Value, compare};

pub(super) fn register(builder: &mut Builder) {
    builder.set_function("generate_series(int4, int4, [int4]) -> int4", |_, args| {
        let step = optional::<i32>(args, 2)?.unwrap_or(1);
        let series = integers(arg::<i32>(args, 0)?, arg::<i32>(args, 1)?, step)?;
        let narrow = |value: i64| i32::try_from(value).map(Value::Int4);
        Ok(Box::new(
            series.filter_map(move |value| narrow(value).ok()).map(|value| Ok(vec![value])),
        ))
    });
    builder.set_function("generate_series(int8, int8, [int8]) -> int8", |_, args| {
        let step = optional::<i64>(args, 2)?.unwrap_or(1);
        let series = integers(arg::<i64>(args, 0)?, arg::<i64>(args, 1)?, step)?;
        Ok(Box::new(series.map(|value| Ok(vec![Value::Int8(value)]))))
    });
    builder.set_function("generate_series(numeric, numeric, [numeric]) -> numeric", |_, args| {
        let one = Numeric::from(1_i64);
        let step = optional::<&Numeric>(args, 2)?.unwrap_or(&one);
        numerics(arg(args, 0)?, arg(args, 1)?, step)
    });
    builder.set_function(
        "generate_series(timestamp, timestamp, interval) -> timestamp",
        |_, args| {
            moments(args, |moment, step| match moment {
                Value::Timestamp(moment) => {
                    crate::value::datetime::add_interval(*moment, step).map(Value::Timestamp)
                }
                _ => Err(Error::internal("not a timestamp")),
            })
        },
    );
    let zoned = "generate_series(timestamptz, timestamptz, interval) -> timestamptz";
    builder.set_function(zoned, |ctx, args| {
        let zone = ctx.statement.time_zone.clone();
        moments(args, move |moment, step| match moment {
            Value::TimestampTz(moment) => {
                crate::value::datetime::add_interval_in(&zone, *moment, step)
                    .map(Value::TimestampTz)
            }
            _ => Err(Error::internal("not a timestamptz")),
        })
    });
}

fn zero_step() -> Error {
    Error::new(SqlState::INVALID_PARAMETER_VALUE, "step size cannot equal zero")
}

fn integers<T: Into<i64>>(first: T, last: T, step: T) -> Result<impl Iterator<Item = i64> + Send> {
    let (first, last, step) = (first.into(), last.into(), step.into());
    if step == 0 {
        return Err(zero_step());
    }
    let mut next = Some(first);
    Ok(std::iter::from_fn(move || {
        let value = next?;
        let is_inside = if step > 0 { value <= last } else { value >= last };
        next = if is_inside { value.checked_add(step) } else { None };
        is_inside.then_some(value)
    }))
}

fn numerics(first: &Numeric, last: &Numeric, step: &Numeric) -> Result<RowSet> {
    for (what, number) in [("start", first), ("stop", last), ("step size", step)] {
        if !matches!(number, Numeric::Finite(_)) {
            let kind = if matches!(number, Numeric::NaN) { "NaN" } else { "infinity" };
            let message = format!("{what} value cannot be {kind}");
            return Err(Error::new(SqlState::INVALID_PARAMETER_VALUE, message));
        }
    }
    if step.is_zero() {
        return Err(zero_step());
    }
    let (last, step) = (last.clone(), step.clone());
    let mut next = Some(first.clone());
    Ok(Box::new(std::iter::from_fn(move || {
        let value = next.take()?;
        let is_inside = if step.signum() > 0 { value <= last } else { value >= last };
        if !is_inside {
            return None;
        }
        next = match value.add(&step) {
            Ok(after) => Some(after),
            Err(error) => return Some(Err(error)),
        };
        Some(Ok(vec![Value::numeric(value)]))
    })))
}

fn moments(
    args: &[Value],
    add: impl Fn(&Value, &Interval) -> Result<Value> + Send + 'static,
) -> Result<RowSet> {
    let (first, last): (&Value, &Value) = (arg(args, 0)?, arg(args, 1)?);
    let step = *arg::<&Interval>(args, 2)?;
    let direction = step.span().signum();
    if direction == 0 {
        return Err(zero_step());
    }
    let last = last.clone();
    let mut next = Some(first.clone());
    Ok(Box::new(std::iter::from_fn(move || {
        let value = next.take()?;
        let order = compare(&value, &last);
        let is_outside = if direction > 0 { order.is_gt() } else { order.is_lt() };
        if is_outside {
            return None;
        }
        match add(&value, &step) {
            Ok(after) => next = Some(after),
            Err(error) => return Some(Err(error)),
        }
        Some(Ok(vec![value]))
    })))
}
