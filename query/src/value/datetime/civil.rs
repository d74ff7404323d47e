//! The proleptic Gregorian calendar: days to year, month and day, and back.

use super::{
    DATE_MAX, DATE_MIN, MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND,
    check_timestamp, timestamp_out_of_range,
};
use crate::error::{Error, Result, SqlState};

/// Days from 0000-03-01 to 2000-01-01.
const DAYS_TO_2000: i64 = 730_425;

/// A day of the calendar. Year 0 is 1 BC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Civil {
    /// Astronomical year.
    pub year: i32,
    /// 1 to 12
    pub month: u32,
    /// 1 to 31
    pub day: u32,
}

/// A time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockTime {
    /// 0 to 24
    pub hour: u32,
    /// 0 to 59
    pub minute: u32,
    /// 0 to 59
    pub second: u32,
    /// Microseconds.
    pub micro: u32,
}

impl ClockTime {
    /// The time of so many microseconds since midnight.
    pub fn from_micros(micros: i64) -> Self {
        Self {
            hour: (micros / MICROS_PER_HOUR) as u32,
            minute: (micros / MICROS_PER_MINUTE % 60) as u32,
            second: (micros / MICROS_PER_SECOND % 60) as u32,
            micro: (micros % MICROS_PER_SECOND) as u32,
        }
    }

    /// Microseconds since midnight.
    pub fn to_micros(self) -> i64 {
        i64::from(self.hour) * MICROS_PER_HOUR
            + i64::from(self.minute) * MICROS_PER_MINUTE
            + i64::from(self.second) * MICROS_PER_SECOND
            + i64::from(self.micro)
    }
}

/// Whether the year has 366 days.
pub fn is_leap_year(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// How many days the month has.
pub fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        2 if is_leap_year(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Civil {
    /// The day of a number of days since 2000-01-01.
    pub fn from_days(days: i64) -> Self {
        // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years begin in March.
        let shifted = days + DAYS_TO_2000;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u32;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 } as u32;
        let year = (year_of_era + era * 400 + i64::from(month <= 2)) as i32;
        Self { year, month, day }
    }

    /// Days since 2000-01-01. The month must be from 1 to 12; the day may lie outside the month.
    pub fn to_days(self) -> i64 {
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let shifted_month = (i64::from(self.month) + 9) % 12;
        let day_of_year = (153 * shifted_month + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - DAYS_TO_2000
    }

    /// Checks that the day exists and is within a `date`'s limits.
    ///
    /// # Errors
    /// 22008
    pub fn to_date(self) -> Result<i32> {
        if !self.exists() {
            let message = "date field value out of range";
            return Err(Error::new(SqlState::DATETIME_FIELD_OVERFLOW, message));
        }
        let days = self.to_days();
        match i32::try_from(days) {
            Ok(days) if (DATE_MIN..=DATE_MAX).contains(&days) => Ok(days),
            _ => Err(super::date_out_of_range()),
        }
    }

    /// Whether the calendar has such a day.
    pub fn exists(self) -> bool {
        (1..=12).contains(&self.month)
            && (1..=days_in_month(self.year, self.month)).contains(&self.day)
    }

    /// 0 is Sunday.
    pub fn weekday(self) -> u32 {
        // 2000-01-01 was a Saturday.
        (self.to_days() + 6).rem_euclid(7) as u32
    }

    /// 1 is January 1st.
    pub fn day_of_year(self) -> u32 {
        (self.to_days() - Self { month: 1, day: 1, ..self }.to_days() + 1) as u32
    }

    /// ISO 8601 year and week.
    pub fn iso_week(self) -> (i32, u32) {
        let days = self.to_days();
        let monday = days - i64::from((self.weekday() + 6) % 7);
        let year = Self::from_days(monday + 3).year;
        let week = (monday - iso_week_start(year)) / 7 + 1;
        (year, week as u32)
    }

    /// The day that is `months` later, on the month's last day when it has no such day.
    ///
    /// # Errors
    /// 22008
    pub fn add_months(self, months: i32) -> Result<Self> {
        let total = i64::from(self.year) * 12 + i64::from(self.month) - 1 + i64::from(months);
        let year = i32::try_from(total.div_euclid(12)).map_err(|_| timestamp_out_of_range())?;
        let month = total.rem_euclid(12) as u32 + 1;
        Ok(Self { year, month, day: self.day.min(days_in_month(year, month)) })
    }

    /// The year as people count it: 1 BC is -1.
    pub fn shown_year(self) -> i32 {
        if self.year > 0 { self.year } else { self.year - 1 }
    }
}

/// The Monday of an ISO year's first week, in days since 2000-01-01.
pub fn iso_week_start(year: i32) -> i64 {
    let fourth = Civil { year, month: 1, day: 4 };
    fourth.to_days() - i64::from((fourth.weekday() + 6) % 7)
}

/// Day and time of day of a finite timestamp.
pub fn split_timestamp(timestamp: i64) -> (i64, i64) {
    (timestamp.div_euclid(MICROS_PER_DAY), timestamp.rem_euclid(MICROS_PER_DAY))
}

/// The timestamp of a day and a time of day.
///
/// # Errors
/// 22008
pub fn join_timestamp(days: i64, micros: i64) -> Result<i64> {
    let timestamp = days.checked_mul(MICROS_PER_DAY).and_then(|day| day.checked_add(micros));
    check_timestamp(timestamp.ok_or_else(timestamp_out_of_range)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree_over_the_whole_calendar() {
        assert_eq!(Civil::from_days(0), Civil { year: 2000, month: 1, day: 1 });
        assert_eq!(Civil { year: -4713, month: 11, day: 24 }.to_days(), i64::from(DATE_MIN));
        assert_eq!(Civil { year: 5_874_897, month: 12, day: 31 }.to_days(), i64::from(DATE_MAX));
        for days in (i64::from(DATE_MIN)..3_000_000).step_by(997) {
            assert_eq!(Civil::from_days(days).to_days(), days);
        }
    }

    #[test]
    fn weeks_and_weekdays() {
        let day = |year, month, day| Civil { year, month, day };
        assert_eq!(day(2026, 11, 22).weekday(), 0);
        assert_eq!(day(2021, 1, 3).iso_week(), (2020, 53));
        assert_eq!(day(2024, 12, 30).iso_week(), (2025, 1));
        assert_eq!(day(2024, 12, 31).day_of_year(), 366);
        assert_eq!(day(2024, 1, 31).add_months(1).unwrap(), day(2024, 2, 29));
    }
}
