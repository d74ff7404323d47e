//! Fields of moments: what `extract` reads and `date_trunc` cuts at.

use super::civil::{Civil, iso_week_start, join_timestamp, split_timestamp};
use super::{
    Interval, MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND,
    UNIX_EPOCH_OFFSET, is_infinite,
};
use crate::error::{Error, Result, SqlState};
use crate::value::numeric::{Digits, Numeric};

/// A field that SQL may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum Field {
    Microseconds,
    Milliseconds,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
    Decade,
    Century,
    Millennium,
    DayOfWeek,
    IsoDayOfWeek,
    DayOfYear,
    IsoYear,
    Julian,
    Epoch,
    Timezone,
    TimezoneHour,
    TimezoneMinute,
}

const NAMES: &[(&[&str], Field)] = &[
    (&["microseconds", "microsecond", "us", "usec", "usecs"], Field::Microseconds),
    (&["milliseconds", "millisecond", "ms", "msec", "msecs"], Field::Milliseconds),
    (&["second", "seconds", "s", "sec", "secs"], Field::Second),
    (&["minute", "minutes", "m", "min", "mins"], Field::Minute),
    (&["hour", "hours", "h", "hr", "hrs"], Field::Hour),
    (&["day", "days", "d"], Field::Day),
    (&["week", "weeks", "w"], Field::Week),
    (&["month", "months", "mon", "mons"], Field::Month),
    (&["quarter", "qtr"], Field::Quarter),
    (&["year", "years", "y", "yr", "yrs"], Field::Year),
    (&["decade", "decades", "dec", "decs"], Field::Decade),
    (&["century", "centuries", "c", "cent"], Field::Century),
    (&["millennium", "millennia", "mil", "mils"], Field::Millennium),
    (&["dow"], Field::DayOfWeek),
    (&["isodow"], Field::IsoDayOfWeek),
    (&["doy"], Field::DayOfYear),
    (&["isoyear"], Field::IsoYear),
    (&["julian", "jd", "j"], Field::Julian),
    (&["epoch"], Field::Epoch),
    (&["timezone"], Field::Timezone),
    (&["timezone_hour", "timezone_h"], Field::TimezoneHour),
    (&["timezone_minute", "timezone_m"], Field::TimezoneMinute),
];

/// The field of a name, for a value of the type named in the error.
///
/// # Errors
/// 22023
pub fn find_field(name: &str, type_name: &str) -> Result<Field> {
    let lower = name.to_ascii_lowercase();
    let found = NAMES.iter().find(|names| names.0.contains(&lower.as_str()));
    found.map(|names| names.1).ok_or_else(|| {
        let message = format!("unit \"{lower}\" not recognized for type {type_name}");
        Error::new(SqlState::INVALID_PARAMETER_VALUE, message)
    })
}

/// 0A000: the type has no such field.
pub fn unsupported_field(name: &str, type_name: &str) -> Error {
    let lower = name.to_ascii_lowercase();
    let message = format!("unit \"{lower}\" not supported for type {type_name}");
    Error::new(SqlState::FEATURE_NOT_SUPPORTED, message)
}

fn whole(value: impl Into<i128>) -> Numeric {
    Numeric::finite(Digits::Small(value.into()), 0)
}

fn scaled(value: impl Into<i128>, scale: u32) -> Numeric {
    Numeric::finite(Digits::Small(value.into()), scale)
}

/// Years are counted in centuries and millennia that begin with the year 1.
fn period(year: i32, len: i32) -> i32 {
    if year > 0 { (year + len - 1) / len } else { -((len - 1 - (year - 1)) / len) }
}

/// A field of the time of day; `None` when it is none of them.
pub fn time_field(field: Field, micros: i64) -> Option<Numeric> {
    let seconds = micros % MICROS_PER_MINUTE;
    Some(match field {
        Field::Microseconds => whole(seconds),
        Field::Milliseconds => scaled(seconds, 3),
        Field::Second => scaled(seconds, 6),
        Field::Minute => whole(micros / MICROS_PER_MINUTE % 60),
        Field::Hour => whole(micros / MICROS_PER_HOUR),
        Field::Epoch => scaled(micros, 6),
        _ => return None,
    })
}

/// A field of a day; `None` when it is none of them.
pub fn day_field(field: Field, day: Civil) -> Option<Numeric> {
    Some(match field {
        Field::Day => whole(day.day),
        Field::Week => whole(day.iso_week().1),
        Field::Month => whole(day.month),
        Field::Quarter => whole((day.month - 1) / 3 + 1),
        Field::Year => whole(day.shown_year()),
        Field::Decade => whole(day.year.div_euclid(10)),
        Field::Century => whole(period(day.year, 100)),
        Field::Millennium => whole(period(day.year, 1000)),
        Field::DayOfWeek => whole(day.weekday()),
        Field::IsoDayOfWeek => whole((day.weekday() + 6) % 7 + 1),
        Field::DayOfYear => whole(day.day_of_year()),
        Field::IsoYear => {
            let year = day.iso_week().0;
            whole(if year > 0 { year } else { year - 1 })
        }
        Field::Julian => whole(day.to_days() + 2_451_545),
        Field::Epoch => whole(day.to_days() * 86_400 + UNIX_EPOCH_OFFSET),
        _ => return None,
    })
}

/// A field of a timestamp; `offset` is given for moments in a zone, in seconds east, and `utc` is
/// what `epoch` counts. `None`: there is no such field, or an infinite timestamp has none.
pub fn timestamp_field(
    field: Field,
    local: i64,
    utc: i64,
    offset: Option<i32>,
) -> Option<Option<Numeric>> {
    if is_infinite(local) {
        let infinity = if local > 0 { Numeric::Infinity } else { Numeric::NegativeInfinity };
        let grows = matches!(
            field,
            Field::Epoch
                | Field::Year
                | Field::Decade
                | Field::Century
                | Field::Millennium
                | Field::IsoYear
                | Field::Julian
        );
        return Some(grows.then_some(infinity));
    }
    let (days, time) = split_timestamp(local);
    let value = match (field, offset) {
        (Field::Epoch, _) => scaled(
            i128::from(utc) + i128::from(UNIX_EPOCH_OFFSET) * i128::from(MICROS_PER_SECOND),
            6,
        ),
        (Field::Julian, _) => {
            let day = whole(days + 2_451_545);
            let part = whole(time).div(&whole(MICROS_PER_DAY));
            day.add(&part.ok()?).ok()?
        }
        (Field::Timezone, Some(offset)) => whole(offset),
        (Field::TimezoneHour, Some(offset)) => whole(offset / 3600),
        (Field::TimezoneMinute, Some(offset)) => whole(offset / 60 % 60),
        _ => time_field(field, time).or_else(|| day_field(field, Civil::from_days(days)))?,
    };
    Some(Some(value))
}

/// A field of an interval; `None` when it has no such field.
pub fn interval_field(field: Field, interval: &Interval) -> Option<Numeric> {
    let months = interval.months;
    Some(match field {
        Field::Hour => whole(interval.micros / MICROS_PER_HOUR),
        Field::Day => whole(interval.days),
        Field::Month => whole(months % 12),
        Field::Quarter => whole(months % 12 / 3 + 1),
        Field::Year => whole(months / 12),
        Field::Decade => whole(months / 120),
        Field::Century => whole(months / 1200),
        Field::Millennium => whole(months / 12_000),
        Field::Epoch => {
            // A year is 365.25 days here, a month 30.
            let days = i128::from(months / 12) * 36_525
                + i128::from(months % 12) * 3000
                + i128::from(interval.days) * 100;
            scaled(days * i128::from(MICROS_PER_DAY) / 100 + i128::from(interval.micros), 6)
        }
        _ => time_field(field, interval.micros)?,
    })
}

/// The timestamp cut to a field; `None` when the field is no place to cut.
///
/// # Errors
/// 22008
pub fn truncate(field: Field, local: i64) -> Result<Option<i64>> {
    if is_infinite(local) {
        return Ok(Some(local));
    }
    let (days, time) = split_timestamp(local);
    let unit = match field {
        Field::Microseconds => Some(1),
        Field::Milliseconds => Some(1000),
        Field::Second => Some(MICROS_PER_SECOND),
        Field::Minute => Some(MICROS_PER_MINUTE),
        Field::Hour => Some(MICROS_PER_HOUR),
        Field::Day => Some(MICROS_PER_DAY),
        _ => None,
    };
    if let Some(unit) = unit {
        return join_timestamp(days, time - time % unit).map(Some);
    }
    let day = Civil::from_days(days);
    let year_start = |year: i32| Civil { year, month: 1, day: 1 }.to_days();
    let days = match field {
        Field::Week => days - i64::from((day.weekday() + 6) % 7),
        Field::Month => Civil { day: 1, ..day }.to_days(),
        Field::Quarter => Civil { month: (day.month - 1) / 3 * 3 + 1, day: 1, ..day }.to_days(),
        Field::Year => year_start(day.year),
        Field::Decade => year_start(day.year.div_euclid(10) * 10),
        Field::Century => year_start((day.year - 1).div_euclid(100) * 100 + 1),
        Field::Millennium => year_start((day.year - 1).div_euclid(1000) * 1000 + 1),
        Field::IsoYear => iso_week_start(day.iso_week().0),
        _ => return Ok(None),
    };
    join_timestamp(days, 0).map(Some)
}

/// The interval cut to a field; `None` when the field is no place to cut.
pub fn truncate_interval(field: Field, interval: &Interval) -> Option<Interval> {
    let months =
        |unit: i32| Some(Interval { months: interval.months / unit * unit, ..Interval::default() });
    let micros = |unit: i64| Some(Interval { micros: interval.micros / unit * unit, ..*interval });
    match field {
        Field::Millennium => months(12_000),
        Field::Century => months(1200),
        Field::Decade => months(120),
        Field::Year => months(12),
        Field::Quarter => months(3),
        Field::Month => months(1),
        Field::Day => Some(Interval { micros: 0, ..*interval }),
        Field::Hour => micros(MICROS_PER_HOUR),
        Field::Minute => micros(MICROS_PER_MINUTE),
        Field::Second => micros(MICROS_PER_SECOND),
        Field::Milliseconds => micros(1000),
        Field::Microseconds => Some(*interval),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        let clock = super::super::parse::Clock { zone: &jiff::tz::TimeZone::UTC, now: 0 };
        super::super::parse::parse_timestamp(text, clock).unwrap()
    }

    #[test]
    fn fields_are_read() {
        let local = at("2026-11-22 13:14:15.5");
        let read = |name| {
            let field = find_field(name, "timestamp").unwrap();
            timestamp_field(field, local, local, None).unwrap().unwrap().to_string()
        };
        assert_eq!(read("second"), "15.500000");
        assert_eq!(read("milliseconds"), "15500.000");
        assert_eq!(read("dow"), "0");
        assert_eq!(read("isodow"), "7");
        assert_eq!(read("week"), "47");
        assert_eq!(read("century"), "21");
        assert_eq!(read("epoch"), "1795353255.500000");
        let bc = Civil { year: 0, month: 1, day: 1 };
        assert_eq!(day_field(Field::Century, bc).unwrap().to_string(), "-1");
    }

    #[test]
    fn timestamps_are_cut() {
        let cut =
            |name| truncate(find_field(name, "").unwrap(), at("2026-11-22 13:14:15")).unwrap();
        assert_eq!(cut("week"), Some(at("2026-11-16")));
        assert_eq!(cut("quarter"), Some(at("2026-10-01")));
        assert_eq!(cut("century"), Some(at("2001-01-01")));
        assert_eq!(cut("dow"), None);
    }
}
