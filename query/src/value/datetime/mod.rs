//! Dates, times and intervals.
//!
//! Timestamps are microseconds since 2000-01-01, dates days since then; both reach from 4713 BC
//! to far beyond what `jiff` knows, which is asked for time zones only.

pub mod arithmetic;
pub mod civil;
pub mod field;
pub mod format;
pub mod interval;
pub mod parse;
pub mod parse_interval;
pub mod template;
pub mod zone;

pub use arithmetic::{add_interval, add_interval_in};
pub use civil::{Civil, ClockTime};
pub use interval::Interval;

use crate::error::{Error, Result, SqlState};

/// Microseconds of a second.
pub const MICROS_PER_SECOND: i64 = 1_000_000;
/// Microseconds of a minute.
pub const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SECOND;
/// Microseconds of an hour.
pub const MICROS_PER_HOUR: i64 = 60 * MICROS_PER_MINUTE;
/// Microseconds of a day.
pub const MICROS_PER_DAY: i64 = 24 * MICROS_PER_HOUR;
/// Seconds between 1970-01-01 and 2000-01-01.
pub const UNIX_EPOCH_OFFSET: i64 = 946_684_800;
/// The first day: 4714-11-24 BC.
pub const DATE_MIN: i32 = -2_451_545;
/// The last day: 5874897-12-31.
pub const DATE_MAX: i32 = 2_145_031_948;
/// The first timestamp: 4714-11-24 BC.
pub const TIMESTAMP_MIN: i64 = DATE_MIN as i64 * MICROS_PER_DAY;
/// The first moment after the last timestamp: 294277-01-01.
pub const TIMESTAMP_END: i64 = 9_223_371_331_200_000_000;

/// Whether a timestamp is one of the infinities.
pub fn is_infinite(timestamp: i64) -> bool {
    timestamp == i64::MIN || timestamp == i64::MAX
}

/// A timestamp within its limits.
///
/// # Errors
/// 22008
pub fn check_timestamp(timestamp: i64) -> Result<i64> {
    if (TIMESTAMP_MIN..TIMESTAMP_END).contains(&timestamp) {
        return Ok(timestamp);
    }
    Err(timestamp_out_of_range())
}

/// 22008 for a timestamp beyond its limits.
pub fn timestamp_out_of_range() -> Error {
    Error::new(SqlState::DATETIME_FIELD_OVERFLOW, "timestamp out of range")
}

/// 22008 for a date beyond its limits.
pub fn date_out_of_range() -> Error {
    Error::new(SqlState::DATETIME_FIELD_OVERFLOW, "date out of range")
}

/// 22008 for an interval beyond its limits.
pub fn interval_out_of_range() -> Error {
    Error::new(SqlState::DATETIME_FIELD_OVERFLOW, "interval out of range")
}

/// Rounds microseconds to `precision` digits after the seconds' point, half away from zero.
pub fn round_micros(micros: i64, precision: u32) -> i64 {
    let Some(digits) = 6_u32.checked_sub(precision) else { return micros };
    let unit = 10_i64.pow(digits);
    let half = unit / 2;
    let rounded = if micros >= 0 {
        micros.saturating_add(half) / unit
    } else {
        -(half.saturating_sub(micros) / unit)
    };
    rounded * unit
}
