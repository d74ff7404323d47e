//! Dates, times and intervals as text: ISO style, intervals in Postgres' own style.

use std::fmt::Write;

use jiff::tz::TimeZone;

use super::civil::{Civil, ClockTime, split_timestamp};
use super::{Interval, MICROS_PER_SECOND, zone};

/// Writes a `date`.
pub fn write_date(out: &mut String, days: i32) {
    match days {
        i32::MIN => out.push_str("-infinity"),
        i32::MAX => out.push_str("infinity"),
        days => {
            let day = Civil::from_days(i64::from(days));
            write_day(out, day);
            write_era(out, day);
        }
    }
}

fn write_day(out: &mut String, day: Civil) {
    let year = day.shown_year().unsigned_abs();
    // Writing to a string cannot fail.
    let _ = write!(out, "{year:04}-{:02}-{:02}", day.month, day.day);
}

fn write_era(out: &mut String, day: Civil) {
    if day.year <= 0 {
        out.push_str(" BC");
    }
}

/// Writes a time of day, with as many digits after the point as it has.
pub fn write_time(out: &mut String, micros: i64) {
    let time = ClockTime::from_micros(micros);
    let _ = write!(out, "{:02}:{:02}:{:02}", time.hour, time.minute, time.second);
    write_fraction(out, time.micro);
}

fn write_fraction(out: &mut String, micros: u32) {
    if micros != 0 {
        let digits = format!("{micros:06}");
        out.push('.');
        out.push_str(digits.trim_end_matches('0'));
    }
}

/// Writes an offset: `+00`, `+05:30`, `-08`.
pub fn write_offset(out: &mut String, seconds_east: i32) {
    let sign = if seconds_east < 0 { '-' } else { '+' };
    let seconds = seconds_east.unsigned_abs();
    let _ = write!(out, "{sign}{:02}", seconds / 3600);
    if !seconds.is_multiple_of(3600) {
        let _ = write!(out, ":{:02}", seconds / 60 % 60);
    }
    if !seconds.is_multiple_of(60) {
        let _ = write!(out, ":{:02}", seconds % 60);
    }
}

/// Writes a `timetz`.
pub fn write_timetz(out: &mut String, micros: i64, seconds_west: i32) {
    write_time(out, micros);
    write_offset(out, seconds_west.saturating_neg());
}

/// Writes a `timestamp`, its halves parted by `separator`.
pub fn write_timestamp(out: &mut String, timestamp: i64, separator: char) {
    write_local(out, timestamp, None, separator);
}

/// Writes a `timestamptz` as clocks in the zone show it.
pub fn write_timestamptz(out: &mut String, timestamp: i64, zone: &TimeZone, separator: char) {
    if super::is_infinite(timestamp) {
        return write_local(out, timestamp, None, separator);
    }
    let offset = zone::offset_at(zone, timestamp);
    let local = timestamp.saturating_add(i64::from(offset) * MICROS_PER_SECOND);
    write_local(out, local, Some(offset), separator);
}

fn write_local(out: &mut String, timestamp: i64, offset: Option<i32>, separator: char) {
    match timestamp {
        i64::MIN => return out.push_str("-infinity"),
        i64::MAX => return out.push_str("infinity"),
        _ => {}
    }
    let (days, time) = split_timestamp(timestamp);
    let day = Civil::from_days(days);
    write_day(out, day);
    out.push(separator);
    write_time(out, time);
    if let Some(offset) = offset {
        write_offset(out, offset);
    }
    write_era(out, day);
}

/// Writes an `interval` in Postgres' style: `1 year 2 mons -3 days +04:05:06`.
pub fn write_interval(out: &mut String, interval: &Interval) {
    let mut is_first = true;
    let mut was_negative = false;
    let parts =
        [(interval.months / 12, "year"), (interval.months % 12, "mon"), (interval.days, "day")];
    for (value, unit) in parts {
        if value == 0 {
            continue;
        }
        let space = if is_first { "" } else { " " };
        let plus = if was_negative && value > 0 { "+" } else { "" };
        let plural = if value == 1 { "" } else { "s" };
        let _ = write!(out, "{space}{plus}{value} {unit}{plural}");
        was_negative = value < 0;
        is_first = false;
    }
    if is_first || interval.micros != 0 {
        let space = if is_first { "" } else { " " };
        let sign = match interval.micros {
            ..0 => "-",
            _ if was_negative => "+",
            _ => "",
        };
        let micros = interval.micros.unsigned_abs();
        let seconds = micros / MICROS_PER_SECOND as u64;
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        let _ = write!(out, "{space}{sign}{hours:02}:{minutes:02}:{:02}", seconds % 60);
        write_fraction(out, (micros % MICROS_PER_SECOND as u64) as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::datetime::{MICROS_PER_DAY, MICROS_PER_HOUR};

    fn interval(months: i32, days: i32, micros: i64) -> String {
        let mut out = String::new();
        write_interval(&mut out, &Interval { months, days, micros });
        out
    }

    #[test]
    fn intervals_are_in_postgres_style() {
        assert_eq!(interval(14, 3, 4 * MICROS_PER_HOUR), "1 year 2 mons 3 days 04:00:00");
        assert_eq!(interval(0, 0, 0), "00:00:00");
        assert_eq!(interval(-1, 1, -1_500_000), "-1 mons +1 day -00:00:01.5");
        assert_eq!(interval(0, -1, 1), "-1 days +00:00:00.000001");
    }

    #[test]
    fn timestamps_are_in_iso_style() {
        let mut out = String::new();
        write_timestamp(&mut out, 0, ' ');
        assert_eq!(out, "2000-01-01 00:00:00");
        out.clear();
        write_timestamptz(&mut out, 1, &zone::find_zone("Asia/Kolkata").unwrap(), ' ');
        assert_eq!(out, "2000-01-01 05:30:00.000001+05:30");
        out.clear();
        write_timestamp(&mut out, -2_000 * 366 * MICROS_PER_DAY, 'T');
        assert!(out.ends_with(" BC"), "{out}");
    }
}
