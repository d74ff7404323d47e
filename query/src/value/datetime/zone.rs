//! Time zones: which offset holds when.

use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use super::{MICROS_PER_SECOND, UNIX_EPOCH_OFFSET, check_timestamp, is_infinite};
use crate::error::{Error, Result, SqlState};

/// The zone of a name, an abbreviation or an offset.
///
/// # Errors
/// 22023
pub fn find_zone(name: &str) -> Result<TimeZone> {
    lookup(name).ok_or_else(|| {
        let message = format!("time zone \"{name}\" not recognized");
        Error::new(SqlState::INVALID_PARAMETER_VALUE, message)
    })
}

/// Abbreviations with fixed offsets, in seconds east of UTC (a part of Postgres' default set).
const ABBREVIATIONS: &[(&str, i32)] = &[
    ("utc", 0),
    ("gmt", 0),
    ("z", 0),
    ("zulu", 0),
    ("ut", 0),
    ("uct", 0),
    ("wet", 0),
    ("bst", 3600),
    ("cet", 3600),
    ("met", 3600),
    ("west", 3600),
    ("cest", 7200),
    ("mest", 7200),
    ("eet", 7200),
    ("sast", 7200),
    ("eest", 10800),
    ("msk", 10800),
    ("jst", 32400),
    ("kst", 32400),
    ("est", -18000),
    ("edt", -14400),
    ("cst", -21600),
    ("cdt", -18000),
    ("mst", -25200),
    ("mdt", -21600),
    ("pst", -28800),
    ("pdt", -25200),
    ("akst", -32400),
    ("hst", -36000),
];

/// As [`find_zone`], without the error.
pub fn lookup(name: &str) -> Option<TimeZone> {
    let lower = name.to_ascii_lowercase();
    if let Some((_, seconds)) = ABBREVIATIONS.iter().find(|entry| entry.0 == lower) {
        return fixed(*seconds);
    }
    if lower.starts_with(['+', '-']) || lower.starts_with(|c: char| c.is_ascii_digit()) {
        // A bare offset names a zone in the POSIX sense: positive is west.
        return parse_offset(&lower).and_then(|seconds| fixed(-seconds));
    }
    TimeZone::get(name).ok().or_else(|| TimeZone::posix(name).ok())
}

/// A zone that is always so many seconds east of UTC.
pub fn fixed(seconds_east: i32) -> Option<TimeZone> {
    if seconds_east == 0 {
        return Some(TimeZone::UTC);
    }
    Offset::from_seconds(seconds_east).ok().map(TimeZone::fixed)
}

/// Seconds of `+hh`, `+hhmm`, `+hh:mm`, `+hh:mm:ss`.
pub fn parse_offset(text: &str) -> Option<i32> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let parts: Vec<&str> = if digits.contains(':') {
        digits.split(':').collect()
    } else if digits.len() > 2 && digits.is_ascii() {
        let (hours, minutes) = digits.split_at(digits.len() - 2);
        vec![hours, minutes]
    } else {
        vec![digits]
    };
    if parts.len() > 3 || parts.iter().any(|part| part.is_empty() || part.len() > 2) {
        return None;
    }
    let mut seconds = 0;
    for (position, part) in parts.iter().enumerate() {
        let value = part.parse::<i32>().ok().filter(|value| *value < 60)?;
        seconds += value * [3600, 60, 1][position];
    }
    (seconds <= 15 * 3600 + 59 * 60 + 59).then_some(sign * seconds)
}

/// Seconds east of UTC at a moment.
pub fn offset_at(zone: &TimeZone, timestamp: i64) -> i32 {
    zone.to_offset(moment(timestamp)).seconds()
}

/// The zone's abbreviation at a moment.
pub fn abbreviation_at(zone: &TimeZone, timestamp: i64) -> String {
    zone.to_offset_info(moment(timestamp)).abbreviation().to_owned()
}

/// The moment, brought into the years that time zones are known for.
fn moment(timestamp: i64) -> jiff::Timestamp {
    let seconds = timestamp.div_euclid(MICROS_PER_SECOND) + UNIX_EPOCH_OFFSET;
    let (min, max) = (jiff::Timestamp::MIN.as_second(), jiff::Timestamp::MAX.as_second());
    jiff::Timestamp::from_second(seconds.clamp(min + 1, max - 1))
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

/// What clocks in the zone show at a moment.
///
/// # Errors
/// 22008
pub fn to_local(zone: &TimeZone, timestamp: i64) -> Result<i64> {
    if is_infinite(timestamp) {
        return Ok(timestamp);
    }
    let offset = i64::from(offset_at(zone, timestamp)) * MICROS_PER_SECOND;
    Ok(timestamp.saturating_add(offset))
}

/// The moment at which clocks in the zone show a time. Of two such moments it is the later
/// (standard time) one; times that clocks skip are taken as if they had not.
///
/// # Errors
/// 22008
pub fn to_utc(zone: &TimeZone, local: i64) -> Result<i64> {
    if is_infinite(local) {
        return Ok(local);
    }
    let offset = local_offset(zone, local);
    check_timestamp(local.saturating_sub(i64::from(offset) * MICROS_PER_SECOND))
}

/// Seconds east of UTC when clocks show `local`.
pub fn local_offset(zone: &TimeZone, local: i64) -> i32 {
    let datetime = Offset::UTC.to_datetime(moment(local));
    match zone.to_ambiguous_zoned(datetime).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.seconds(),
        AmbiguousOffset::Gap { before, .. } => before.seconds(),
        AmbiguousOffset::Fold { after, .. } => after.seconds(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::datetime::civil::join_timestamp;
    use crate::value::datetime::{Civil, MICROS_PER_HOUR};

    fn at(year: i32, month: u32, day: u32, hour: i64) -> i64 {
        join_timestamp(Civil { year, month, day }.to_days(), hour * MICROS_PER_HOUR).unwrap()
    }

    #[test]
    fn daylight_saving_time_is_known() {
        let zone = find_zone("America/New_York").unwrap();
        assert_eq!(to_utc(&zone, at(2026, 7, 1, 12)).unwrap(), at(2026, 7, 1, 16));
        assert_eq!(to_utc(&zone, at(2026, 1, 1, 12)).unwrap(), at(2026, 1, 1, 17));
        assert_eq!(to_local(&zone, at(2026, 7, 1, 16)).unwrap(), at(2026, 7, 1, 12));
        // 02:00 does not exist on 2026-03-08; 01:00 exists twice on 2026-11-01.
        assert_eq!(to_utc(&zone, at(2026, 3, 8, 2)).unwrap(), at(2026, 3, 8, 7));
        assert_eq!(to_utc(&zone, at(2026, 11, 1, 1)).unwrap(), at(2026, 11, 1, 6));
    }

    #[test]
    fn zones_have_many_names() {
        assert_eq!(offset_at(&find_zone("+02").unwrap(), 0), -7200);
        assert_eq!(offset_at(&find_zone("pst").unwrap(), 0), -28800);
        assert_eq!(parse_offset("+05:30"), Some(19800));
        assert_eq!(parse_offset("-0530"), Some(-19800));
        assert!(find_zone("Mars/Olympus").is_err());
    }
}
