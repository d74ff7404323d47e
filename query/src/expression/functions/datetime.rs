//! Date and time functions and operators (Postgres manual 9.9); templates are in `template.rs`.

use jiff::tz::TimeZone;

use super::Builder;
use super::argument::{arg, optional};
use crate::error::{Error, Result, SqlState};
use crate::expression::EvalContext;
use crate::value::datetime::civil::{Civil, join_timestamp};
use crate::value::datetime::field::{self, Field, find_field, unsupported_field};
use crate::value::datetime::{
    self, Interval, MICROS_PER_DAY, MICROS_PER_SECOND, UNIX_EPOCH_OFFSET, add_interval,
    add_interval_in, arithmetic, is_infinite, zone,
};
use crate::value::numeric::Numeric;
use crate::value::{Value, compare};

pub(super) fn register(builder: &mut Builder) {
    register_clocks(builder);
    register_fields(builder);
    register_zones(builder);
    register_moment_operators(builder);
    register_interval_operators(builder);
    register_makers(builder);
    register_rest(builder);
}

fn now(cx: &EvalContext<'_>, _: &[Value]) -> Result<Value> {
    Ok(Value::TimestampTz(cx.statement.transaction_time))
}

fn wall_clock() -> i64 {
    let micros = jiff::Timestamp::now().as_microsecond();
    micros - UNIX_EPOCH_OFFSET * MICROS_PER_SECOND
}

fn register_clocks(builder: &mut Builder) {
    builder.function("now() -> timestamptz", now).stable();
    builder.function("transaction_timestamp() -> timestamptz", now).stable();
    builder
        .function("statement_timestamp() -> timestamptz", |cx, _| {
            Ok(Value::TimestampTz(cx.statement.statement_time))
        })
        .stable();
    builder
        .function("clock_timestamp() -> timestamptz", |_, _| Ok(Value::TimestampTz(wall_clock())))
        .volatile();
    builder
        .function("timeofday() -> text", |cx, _| {
            let now = wall_clock();
            let local = zone::to_local(&cx.statement.time_zone, now)?;
            let name = zone::abbreviation_at(&cx.statement.time_zone, now);
            let moment = datetime::template::moment_of(local, None, name);
            Ok(Value::text(datetime::template::to_char(&moment, "Dy Mon DD HH24:MI:SS.US YYYY TZ")))
        })
        .volatile();
}

/// A field of any of the date and time types; NULL for fields that infinities do not have.
fn extract(cx: &EvalContext<'_>, args: &[Value]) -> Result<Option<Numeric>> {
    let name: &str = arg(args, 0)?;
    let value: &Value = arg(args, 1)?;
    let type_name = value.natural_type().name();
    let field = find_field(name, &type_name)?;
    let found = match value {
        Value::Timestamp(local) => field::timestamp_field(field, *local, *local, None),
        Value::TimestampTz(moment) => {
            let zone = &cx.statement.time_zone;
            let offset = zone::offset_at(zone, *moment);
            let local = zone::to_local(zone, *moment)?;
            field::timestamp_field(field, local, *moment, Some(offset))
        }
        Value::Date(i32::MIN | i32::MAX) => {
            let infinite =
                if compare(value, &Value::Date(0)).is_gt() { i64::MAX } else { i64::MIN };
            field::timestamp_field(field, infinite, infinite, None)
        }
        Value::Date(days) => field::day_field(field, Civil::from_days(i64::from(*days))).map(Some),
        Value::Time(micros) => field::time_field(field, *micros).map(Some),
        Value::TimeTz(micros, west) => timetz_field(field, *micros, *west).map(Some),
        Value::Interval(interval) => field::interval_field(field, interval).map(Some),
        _ => None,
    };
    found.ok_or_else(|| unsupported_field(name, &type_name))
}

fn timetz_field(field: Field, micros: i64, west: i32) -> Option<Numeric> {
    let whole = |value: i32| Some(Numeric::from(i64::from(value)));
    match field {
        Field::Timezone => whole(-west),
        Field::TimezoneHour => whole(-west / 3600),
        Field::TimezoneMinute => whole(-west / 60 % 60),
        Field::Epoch => field::time_field(field, micros + i64::from(west) * MICROS_PER_SECOND),
        field => field::time_field(field, micros),
    }
}

fn register_fields(builder: &mut Builder) {
    for ty in ["timestamp", "timestamptz", "date", "time", "timetz", "interval"] {
        builder
            .function(&format!("extract(text, {ty}) -> numeric"), |cx, args| {
                Ok(extract(cx, args)?.map_or(Value::Null, Value::numeric))
            })
            .stable();
        builder
            .function(&format!("date_part(text, {ty}) -> float8"), |cx, args| {
                Ok(extract(cx, args)?.map_or(Value::Null, |number| Value::Float8(number.to_f64())))
            })
            .stable();
    }
    builder.function("date_trunc(text, timestamp) -> timestamp", |_, args| {
        let type_name = "timestamp without time zone";
        truncate(arg(args, 0)?, arg(args, 1)?, type_name).map(Value::Timestamp)
    });
    builder
        .function(
            "date_trunc(text, timestamptz, [text]) -> timestamptz",
            |cx, args| match optional::<&str>(args, 2)? {
                Some(name) => truncate_in(&zone::find_zone(name)?, args),
                None => truncate_in(&cx.statement.time_zone, args),
            },
        )
        .stable();
    builder.function("date_trunc(text, interval) -> interval", |_, args| {
        let name: &str = arg(args, 0)?;
        let field = find_field(name, "interval")?;
        let cut = field::truncate_interval(field, arg(args, 1)?);
        cut.map(Value::interval).ok_or_else(|| unsupported_field(name, "interval"))
    });
}

fn truncate(name: &str, local: i64, type_name: &str) -> Result<i64> {
    let field = find_field(name, type_name)?;
    field::truncate(field, local)?.ok_or_else(|| unsupported_field(name, type_name))
}

fn truncate_in(zone: &TimeZone, args: &[Value]) -> Result<Value> {
    let local = zone::to_local(zone, arg(args, 1)?)?;
    let cut = truncate(arg(args, 0)?, local, "timestamp with time zone")?;
    zone::to_utc(zone, cut).map(Value::TimestampTz)
}

/// The zone of an interval: an offset east of UTC.
fn interval_zone(interval: &Interval) -> Result<TimeZone> {
    let invalid = || {
        let message = "interval time zone must not include months or days";
        Error::new(SqlState::INVALID_PARAMETER_VALUE, message)
    };
    if interval.months != 0 || interval.days != 0 {
        return Err(invalid());
    }
    let seconds = i32::try_from(interval.micros / MICROS_PER_SECOND).map_err(|_| invalid())?;
    zone::fixed(seconds).ok_or_else(invalid)
}

fn register_zones(builder: &mut Builder) {
    builder.function("timezone(text, timestamptz) -> timestamp", |_, args| {
        zone::to_local(&zone::find_zone(arg(args, 0)?)?, arg(args, 1)?).map(Value::Timestamp)
    });
    builder.function("timezone(text, timestamp) -> timestamptz", |_, args| {
        zone::to_utc(&zone::find_zone(arg(args, 0)?)?, arg(args, 1)?).map(Value::TimestampTz)
    });
    builder.function("timezone(interval, timestamptz) -> timestamp", |_, args| {
        zone::to_local(&interval_zone(arg(args, 0)?)?, arg(args, 1)?).map(Value::Timestamp)
    });
    builder.function("timezone(interval, timestamp) -> timestamptz", |_, args| {
        zone::to_utc(&interval_zone(arg(args, 0)?)?, arg(args, 1)?).map(Value::TimestampTz)
    });
}

fn moment_of_date(days: i32) -> Result<i64> {
    match days {
        i32::MIN => Ok(i64::MIN),
        i32::MAX => Ok(i64::MAX),
        days => join_timestamp(i64::from(days), 0),
    }
}

fn add_days(days: i32, more: i64) -> Result<Value> {
    if matches!(days, i32::MIN | i32::MAX) {
        return Ok(Value::Date(days));
    }
    let sum = i32::try_from(i64::from(days) + more).ok();
    sum.filter(|sum| (datetime::DATE_MIN..=datetime::DATE_MAX).contains(sum))
        .map(Value::Date)
        .ok_or_else(datetime::date_out_of_range)
}

fn add_to_time(micros: i64, interval: &Interval) -> i64 {
    (micros + interval.micros % MICROS_PER_DAY).rem_euclid(MICROS_PER_DAY)
}

/// `+` both ways round and `-`, of a moment and an interval.
macro_rules! moment_and_interval {
    ($builder:ident, $ty:literal, $result:literal, $code:expr) => {{
        const FORWARD: &str = concat!("+ (", $ty, ", interval) -> ", $result);
        const BACKWARD: &str = concat!("+ (interval, ", $ty, ") -> ", $result);
        const MINUS: &str = concat!("- (", $ty, ", interval) -> ", $result);
        type Code = fn(&EvalContext<'_>, &Value, &Interval) -> Result<Value>;
        const CODE: Code = $code;
        $builder.operator(FORWARD, |cx, args| CODE(cx, arg(args, 0)?, arg(args, 1)?)).stable();
        $builder.operator(BACKWARD, |cx, args| CODE(cx, arg(args, 1)?, arg(args, 0)?)).stable();
        $builder
            .operator(MINUS, |cx, args| CODE(cx, arg(args, 0)?, &arg::<&Interval>(args, 1)?.neg()?))
            .stable();
    }};
}

fn wrong(value: &Value) -> Error {
    Error::internal(format!("{value:?} is not of its type"))
}

fn register_moment_operators(builder: &mut Builder) {
    moment_and_interval!(builder, "timestamp", "timestamp", |_, value, interval| match value {
        Value::Timestamp(local) => add_interval(*local, interval).map(Value::Timestamp),
        other => Err(wrong(other)),
    });
    moment_and_interval!(
        builder,
        "timestamptz",
        "timestamptz",
        |cx, value, interval| match value {
            Value::TimestampTz(moment) => {
                add_interval_in(&cx.statement.time_zone, *moment, interval).map(Value::TimestampTz)
            }
            other => Err(wrong(other)),
        }
    );
    moment_and_interval!(builder, "date", "timestamp", |_, value, interval| match value {
        Value::Date(days) => add_interval(moment_of_date(*days)?, interval).map(Value::Timestamp),
        other => Err(wrong(other)),
    });
    moment_and_interval!(builder, "time", "time", |_, value, interval| match value {
        Value::Time(micros) => Ok(Value::Time(add_to_time(*micros, interval))),
        other => Err(wrong(other)),
    });
    moment_and_interval!(builder, "timetz", "timetz", |_, value, interval| match value {
        Value::TimeTz(micros, west) => Ok(Value::TimeTz(add_to_time(*micros, interval), *west)),
        other => Err(wrong(other)),
    });
    builder.operator("+ (date, int4) -> date", |_, args| {
        add_days(arg(args, 0)?, i64::from(arg::<i32>(args, 1)?))
    });
    builder.operator("+ (int4, date) -> date", |_, args| {
        add_days(arg(args, 1)?, i64::from(arg::<i32>(args, 0)?))
    });
    builder.operator("- (date, int4) -> date", |_, args| {
        add_days(arg(args, 0)?, -i64::from(arg::<i32>(args, 1)?))
    });
    builder.operator("- (date, date) -> int4", |_, args| {
        let (left, right): (i32, i32) = (arg(args, 0)?, arg(args, 1)?);
        if [left, right].iter().any(|days| matches!(*days, i32::MIN | i32::MAX)) {
            let message = "cannot subtract infinite dates";
            return Err(Error::new(SqlState::DATETIME_FIELD_OVERFLOW, message));
        }
        Ok(Value::Int4(left - right))
    });
    for ty in ["timestamp", "timestamptz"] {
        builder.operator(&format!("- ({ty}, {ty}) -> interval"), |_, args| {
            arithmetic::difference(arg(args, 0)?, arg(args, 1)?).map(Value::interval)
        });
    }
    builder.operator("- (time, time) -> interval", |_, args| {
        let micros = arg::<i64>(args, 0)? - arg::<i64>(args, 1)?;
        Ok(Value::interval(Interval::from_micros(micros)))
    });
    for signature in ["+ (date, time) -> timestamp", "+ (time, date) -> timestamp"] {
        builder.operator(signature, |_, args| match args {
            [Value::Date(days), Value::Time(time)] | [Value::Time(time), Value::Date(days)] => {
                join_timestamp(i64::from(*days), *time).map(Value::Timestamp)
            }
            _ => Err(Error::internal("not a date and a time")),
        });
    }
}

fn register_interval_operators(builder: &mut Builder) {
    builder.operator("+ (interval, interval) -> interval", |_, args| {
        arg::<&Interval>(args, 0)?.add(arg(args, 1)?).map(Value::interval)
    });
    builder.operator("- (interval, interval) -> interval", |_, args| {
        arg::<&Interval>(args, 0)?.sub(arg(args, 1)?).map(Value::interval)
    });
    builder.operator("- (interval) -> interval", |_, args| {
        arg::<&Interval>(args, 0)?.neg().map(Value::interval)
    });
    builder.operator("* (interval, float8) -> interval", |_, args| {
        arg::<&Interval>(args, 0)?.mul(arg(args, 1)?).map(Value::interval)
    });
    builder.operator("* (float8, interval) -> interval", |_, args| {
        arg::<&Interval>(args, 1)?.mul(arg(args, 0)?).map(Value::interval)
    });
    builder.operator("/ (interval, float8) -> interval", |_, args| {
        let divisor: f64 = arg(args, 1)?;
        if divisor == 0.0 {
            return Err(Error::new(SqlState::DIVISION_BY_ZERO, "division by zero"));
        }
        arg::<&Interval>(args, 0)?.div(divisor).map(Value::interval)
    });
    builder.function("justify_hours(interval) -> interval", |_, args| {
        arg::<&Interval>(args, 0)?.justify_hours().map(Value::interval)
    });
    builder.function("justify_days(interval) -> interval", |_, args| {
        arg::<&Interval>(args, 0)?.justify_days().map(Value::interval)
    });
    builder.function("justify_interval(interval) -> interval", |_, args| {
        arg::<&Interval>(args, 0)?.justify().map(Value::interval)
    });
}

fn field_out_of_range(what: &str) -> Error {
    let message = format!("{what} field value out of range");
    Error::new(SqlState::DATETIME_FIELD_OVERFLOW, message)
}

fn make_day(year: i32, month: i32, day: i32) -> Result<i32> {
    let shown =
        || field_out_of_range(&format!("date: {year}-{month:02}-{day:02}")).message().to_owned();
    let fault = || {
        let text = shown();
        let message = text.replace("date: ", "date field value out of range: ");
        let message = message.trim_end_matches(" field value out of range").to_owned();
        Error::new(SqlState::DATETIME_FIELD_OVERFLOW, message)
    };
    let unsigned = |value: i32| u32::try_from(value).map_err(|_| fault());
    let civil_year = match year {
        0 => return Err(fault()),
        ..0 => year + 1,
        _ => year,
    };
    let civil = Civil { year: civil_year, month: unsigned(month)?, day: unsigned(day)? };
    if !civil.exists() {
        return Err(fault());
    }
    civil.to_date()
}

fn make_clock(hour: i32, minute: i32, second: f64) -> Result<i64> {
    let micros = (second * 1e6).round_ties_even();
    let is_end = hour == 24 && minute == 0 && micros == 0.0;
    let is_valid =
        (0..24).contains(&hour) && (0..60).contains(&minute) && (0.0..=60e6).contains(&micros);
    if !is_valid && !is_end {
        let message = format!("time field value out of range: {hour}:{minute:02}:{second:02}");
        return Err(Error::new(SqlState::DATETIME_FIELD_OVERFLOW, message));
    }
    Ok(i64::from(hour * 60 + minute) * datetime::MICROS_PER_MINUTE + micros as i64)
}

fn make_local(args: &[Value]) -> Result<i64> {
    let days = make_day(arg(args, 0)?, arg(args, 1)?, arg(args, 2)?)?;
    join_timestamp(i64::from(days), make_clock(arg(args, 3)?, arg(args, 4)?, arg(args, 5)?)?)
}

fn make_interval(args: &[Value]) -> Result<Value> {
    let part = |at: usize| Ok::<_, Error>(i64::from(optional::<i32>(args, at)?.unwrap_or(0)));
    let small = |value: i64| i32::try_from(value).map_err(|_| datetime::interval_out_of_range());
    let seconds = optional::<f64>(args, 6)?.unwrap_or(0.0);
    let clock = part(4)? * datetime::MICROS_PER_HOUR + part(5)? * datetime::MICROS_PER_MINUTE;
    Ok(Value::interval(Interval {
        months: small(part(0)? * 12 + part(1)?)?,
        days: small(part(2)? * 7 + part(3)?)?,
        micros: clock + (seconds * 1e6).round_ties_even() as i64,
    }))
}

fn register_makers(builder: &mut Builder) {
    builder.function("make_date(int4, int4, int4) -> date", |_, args| {
        make_day(arg(args, 0)?, arg(args, 1)?, arg(args, 2)?).map(Value::Date)
    });
    builder.function("make_time(int4, int4, float8) -> time", |_, args| {
        make_clock(arg(args, 0)?, arg(args, 1)?, arg(args, 2)?).map(Value::Time)
    });
    builder.function(
        "make_timestamp(int4, int4, int4, int4, int4, float8) -> timestamp",
        |_, args| make_local(args).map(Value::Timestamp),
    );
    let zoned = "make_timestamptz(int4, int4, int4, int4, int4, float8, [text]) -> timestamptz";
    builder
        .function(zoned, |cx, args| {
            let local = make_local(args)?;
            let moment = match optional::<&str>(args, 6)? {
                Some(name) => zone::to_utc(&zone::find_zone(name)?, local)?,
                None => zone::to_utc(&cx.statement.time_zone, local)?,
            };
            Ok(Value::TimestampTz(moment))
        })
        .stable();
    let interval =
        "make_interval([int4], [int4], [int4], [int4], [int4], [int4], [float8]) -> interval";
    builder.function(interval, |_, args| make_interval(args));
    builder.function("to_timestamp(float8) -> timestamptz", |_, args| {
        let seconds: f64 = arg(args, 0)?;
        if seconds.is_infinite() {
            let infinity = if seconds > 0.0 { i64::MAX } else { i64::MIN };
            return Ok(Value::TimestampTz(infinity));
        }
        let micros = (seconds - UNIX_EPOCH_OFFSET as f64) * 1e6;
        if seconds.is_nan() || micros.abs() > i64::MAX as f64 {
            return Err(datetime::timestamp_out_of_range());
        }
        datetime::check_timestamp(micros.round_ties_even() as i64).map(Value::TimestampTz)
    });
}

fn register_rest(builder: &mut Builder) {
    for ty in ["timestamp", "timestamptz"] {
        builder.function(&format!("age({ty}, {ty}) -> interval"), age).stable();
        builder.function(&format!("age({ty}) -> interval"), age_today).stable();
        builder.function(&format!("isfinite({ty}) -> bool"), |_, args| {
            Ok(Value::Bool(!is_infinite(arg(args, 0)?)))
        });
        builder.function(&format!("date_bin(interval, {ty}, {ty}) -> {ty}"), date_bin);
    }
    builder.function("isfinite(date) -> bool", |_, args| {
        Ok(Value::Bool(!matches!(arg::<i32>(args, 0)?, i32::MIN | i32::MAX)))
    });
    builder.function("isfinite(interval) -> bool", |_, _| Ok(Value::Bool(true)));
    for ty in ["timestamp", "timestamptz", "date", "time"] {
        let pair = format!("overlaps({ty}, {ty}, {ty}, {ty}) -> bool");
        builder.function(&pair, |_, args| overlaps(args)).nullable();
    }
    for ty in ["timestamp", "timestamptz"] {
        for (end, other_end) in [("interval", "interval"), (ty, "interval"), ("interval", ty)] {
            let spans = format!("overlaps({ty}, {end}, {ty}, {other_end}) -> bool");
            builder
                .function(&spans, |cx, args| match args {
                    [start, length, other, other_length] => {
                        let end = end_of(cx, start, length)?;
                        let other_end = end_of(cx, other, other_length)?;
                        overlaps(&[start.clone(), end, other.clone(), other_end])
                    }
                    _ => Err(Error::internal("overlaps takes four values")),
                })
                .stable()
                .nullable();
        }
    }
}

fn end_of(cx: &EvalContext<'_>, start: &Value, length: &Value) -> Result<Value> {
    match (start, length) {
        (Value::Timestamp(start), Value::Interval(length)) => {
            add_interval(*start, length).map(Value::Timestamp)
        }
        (Value::TimestampTz(start), Value::Interval(length)) => {
            add_interval_in(&cx.statement.time_zone, *start, length).map(Value::TimestampTz)
        }
        (_, end) => Ok(end.clone()),
    }
}

/// SQL's OVERLAPS: half-open periods, ends in any order; a point is a period that contains it.
fn overlaps(args: &[Value]) -> Result<Value> {
    let [a, b, c, d] = args else { return Err(Error::internal("overlaps takes four values")) };
    let order = |left: &Value, right: &Value| -> Option<(Value, Option<Value>)> {
        match (left.is_null(), right.is_null()) {
            (true, true) => None,
            (true, false) => Some((right.clone(), None)),
            (false, true) => Some((left.clone(), None)),
            (false, false) if compare(left, right).is_gt() => {
                Some((right.clone(), Some(left.clone())))
            }
            (false, false) => Some((left.clone(), Some(right.clone()))),
        }
    };
    let (Some(first), Some(second)) = (order(a, b), order(c, d)) else { return Ok(Value::Null) };
    let (early, late) =
        if compare(&first.0, &second.0).is_gt() { (second, first) } else { (first, second) };
    if compare(&early.0, &late.0).is_eq() {
        // Periods that begin together overlap, unless an unknown end could part them.
        let are_known = early.1.is_some() && late.1.is_some();
        return Ok(if are_known { Value::Bool(true) } else { Value::Null });
    }
    Ok(match &early.1 {
        Some(end) if compare(&late.0, end).is_lt() => Value::Bool(true),
        Some(_) => Value::Bool(false),
        None => Value::Null,
    })
}

fn local_pair(cx: &EvalContext<'_>, args: &[Value]) -> Result<(i64, i64)> {
    match args {
        [Value::TimestampTz(left), Value::TimestampTz(right)] => {
            let zone = &cx.statement.time_zone;
            Ok((zone::to_local(zone, *left)?, zone::to_local(zone, *right)?))
        }
        _ => Ok((arg(args, 0)?, arg(args, 1)?)),
    }
}

fn age(cx: &EvalContext<'_>, args: &[Value]) -> Result<Value> {
    let (later, earlier) = local_pair(cx, args)?;
    arithmetic::age(later, earlier).map(Value::interval)
}

/// The age at midnight of today.
fn age_today(cx: &EvalContext<'_>, args: &[Value]) -> Result<Value> {
    let zone = &cx.statement.time_zone;
    let now = zone::to_local(zone, cx.statement.transaction_time)?;
    let midnight = now - now.rem_euclid(MICROS_PER_DAY);
    let earlier = match arg::<&Value>(args, 0)? {
        Value::TimestampTz(moment) => zone::to_local(zone, *moment)?,
        _ => arg(args, 0)?,
    };
    arithmetic::age(midnight, earlier).map(Value::interval)
}

fn date_bin(_: &EvalContext<'_>, args: &[Value]) -> Result<Value> {
    let stride: &Interval = arg(args, 0)?;
    let (moment, origin): (i64, i64) = (arg(args, 1)?, arg(args, 2)?);
    if stride.months != 0 {
        let message = "timestamps cannot be binned into intervals containing months or years";
        return Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message));
    }
    let width = i64::try_from(stride.span()).map_err(|_| datetime::interval_out_of_range())?;
    if width <= 0 {
        return Err(Error::new(
            SqlState::DATETIME_FIELD_OVERFLOW,
            "stride must be greater than zero",
        ));
    }
    if is_infinite(moment) || is_infinite(origin) {
        let message =
            if is_infinite(origin) { "origin out of range" } else { "timestamp out of range" };
        return if is_infinite(origin) {
            Err(Error::new(SqlState::DATETIME_FIELD_OVERFLOW, message))
        } else {
            Ok(args[1].clone())
        };
    }
    let distance = moment.checked_sub(origin).ok_or_else(datetime::interval_out_of_range)?;
    let binned = origin + distance.div_euclid(width) * width;
    Ok(match arg::<&Value>(args, 1)? {
        Value::Timestamp(_) => Value::Timestamp(binned),
        _ => Value::TimestampTz(binned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_overlap_half_open() {
        let day = Value::Date;
        let check = |a, b, c, d| overlaps(&[day(a), day(b), day(c), day(d)]).unwrap().as_bool();
        assert_eq!(check(1, 5, 4, 9), Some(true));
        assert_eq!(check(1, 5, 5, 9), Some(false));
        assert_eq!(check(9, 5, 1, 6), Some(true));
        let unknown = overlaps(&[day(1), Value::Null, day(5), day(9)]).unwrap();
        assert!(unknown.is_null());
    }

    #[test]
    fn parts_must_fit() {
        assert_eq!(
            make_day(2026, 2, 30).unwrap_err().message(),
            "date field value out of range: 2026-02-30"
        );
        assert!(make_clock(24, 0, 0.0).is_ok() && make_clock(24, 0, 1.0).is_err());
    }
}
