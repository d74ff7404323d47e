//! Sums and differences of moments and intervals.

use jiff::tz::TimeZone;

use super::civil::{Civil, join_timestamp, split_timestamp};
use super::{
    Interval, MICROS_PER_DAY, check_timestamp, interval_out_of_range, is_infinite,
    timestamp_out_of_range, zone,
};
use crate::error::Result;

/// A timestamp and an interval: months first (to the month's last day at most), then days, then
/// the time.
///
/// # Errors
/// 22008
pub fn add_interval(timestamp: i64, interval: &Interval) -> Result<i64> {
    if is_infinite(timestamp) {
        return Ok(timestamp);
    }
    let moved = add_calendar(timestamp, interval)?;
    check_timestamp(moved.checked_add(interval.micros).ok_or_else(timestamp_out_of_range)?)
}

/// A moment and an interval: months and days move what clocks in the zone show.
///
/// # Errors
/// 22008
pub fn add_interval_in(zone: &TimeZone, moment: i64, interval: &Interval) -> Result<i64> {
    if is_infinite(moment) {
        return Ok(moment);
    }
    let moved = if interval.months == 0 && interval.days == 0 {
        moment
    } else {
        let local = zone::to_local(zone, moment)?;
        zone::to_utc(zone, add_calendar(local, interval)?)?
    };
    check_timestamp(moved.checked_add(interval.micros).ok_or_else(timestamp_out_of_range)?)
}

fn add_calendar(local: i64, interval: &Interval) -> Result<i64> {
    if interval.months == 0 && interval.days == 0 {
        return Ok(local);
    }
    let (mut days, time) = split_timestamp(local);
    if interval.months != 0 {
        days = Civil::from_days(days).add_months(interval.months)?.to_days();
    }
    join_timestamp(days + i64::from(interval.days), time)
}

/// The time between two moments, in days and microseconds.
///
/// # Errors
/// 22008 when one of them is infinite.
pub fn difference(left: i64, right: i64) -> Result<Interval> {
    if is_infinite(left) || is_infinite(right) {
        return Err(crate::error::Error::new(
            crate::error::SqlState::DATETIME_FIELD_OVERFLOW,
            "cannot subtract infinite timestamps",
        ));
    }
    let micros = left.checked_sub(right).ok_or_else(interval_out_of_range)?;
    Interval::from_micros(micros).justify_hours()
}

/// The time between two moments in years, months, days and so on, as people count it.
///
/// # Errors
/// 22008
pub fn age(later: i64, earlier: i64) -> Result<Interval> {
    if is_infinite(later) || is_infinite(earlier) {
        return Err(timestamp_out_of_range());
    }
    let is_negative = later < earlier;
    let (high, low) = if is_negative { (earlier, later) } else { (later, earlier) };
    let ((high_days, high_time), (low_days, low_time)) =
        (split_timestamp(high), split_timestamp(low));
    let (high_day, low_day) = (Civil::from_days(high_days), Civil::from_days(low_days));
    let mut micros = high_time - low_time;
    let mut days = i64::from(high_day.day) - i64::from(low_day.day);
    let mut months = (i64::from(high_day.year) - i64::from(low_day.year)) * 12
        + i64::from(high_day.month)
        - i64::from(low_day.month);
    if micros < 0 {
        micros += MICROS_PER_DAY;
        days -= 1;
    }
    if days < 0 {
        // Borrow the length of the month of the earlier date — of the later one when counting
        // backwards.
        let lender = if is_negative { high_day } else { low_day };
        days += i64::from(super::civil::days_in_month(lender.year, lender.month));
        months -= 1;
    }
    let months = i32::try_from(months).map_err(|_| interval_out_of_range())?;
    let result = Interval { months, days: days as i32, micros };
    if is_negative { result.neg() } else { Ok(result) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::datetime::{MICROS_PER_HOUR, zone::find_zone};

    fn at(year: i32, month: u32, day: u32, hour: i64) -> i64 {
        join_timestamp(Civil { year, month, day }.to_days(), hour * MICROS_PER_HOUR).unwrap()
    }

    #[test]
    fn months_end_where_months_end() {
        let month = Interval { months: 1, ..Interval::default() };
        assert_eq!(add_interval(at(2024, 1, 31, 5), &month).unwrap(), at(2024, 2, 29, 5));
    }

    #[test]
    fn days_keep_the_clock_over_daylight_saving() {
        let zone = find_zone("America/New_York").unwrap();
        let noon = zone::to_utc(&zone, at(2026, 3, 7, 12)).unwrap();
        let next = add_interval_in(&zone, noon, &Interval::from_days(1)).unwrap();
        assert_eq!(next, zone::to_utc(&zone, at(2026, 3, 8, 12)).unwrap());
        assert_eq!(next - noon, 23 * MICROS_PER_HOUR);
        let hours = Interval::from_micros(24 * MICROS_PER_HOUR);
        assert_eq!(add_interval_in(&zone, noon, &hours).unwrap() - noon, 24 * MICROS_PER_HOUR);
    }

    #[test]
    fn ages_count_as_people_do() {
        let age = age(at(2026, 3, 1, 0), at(2024, 2, 29, 0)).unwrap();
        assert_eq!((age.months, age.days), (24, 1));
        assert!(super::age(i64::MAX, 0).is_err());
    }
}
