//! Reading dates, times and timestamps in the notations that Postgres reads.

use jiff::tz::TimeZone;

use super::civil::{Civil, join_timestamp};
use super::{MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND, zone};
use crate::error::{Error, Result, SqlState};

/// What reading a time depends on.
#[derive(Clone, Copy, Debug)]
pub struct Clock<'a> {
    /// The session's time zone.
    pub zone: &'a TimeZone,
    /// What `now` means: microseconds since 2000-01-01 UTC.
    pub now: i64,
}

/// Why a text is no date or time.
enum Fault {
    Syntax,
    /// A month or day that cannot be; perhaps they were meant the other way round.
    MonthOrDay,
    Range,
    UnknownZone(String),
}

type Parsed<T> = std::result::Result<T, Fault>;

#[derive(Clone, Copy)]
enum Special {
    Infinity,
    NegativeInfinity,
    Epoch,
    Now,
    /// Midnight, so many days from today.
    Day(i64),
}

#[derive(Default)]
struct Fields {
    date: Option<Civil>,
    /// Numbers beside a month's name.
    loose: Vec<(i32, usize)>,
    month: Option<u32>,
    time: Option<i64>,
    zone: Option<TimeZone>,
    is_bc: bool,
    is_pm: Option<bool>,
    special: Option<Special>,
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const MONTHS_FULL: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

fn month_of(word: &str) -> Option<u32> {
    let position = MONTHS
        .iter()
        .position(|month| *month == word)
        .or_else(|| MONTHS_FULL.iter().position(|month| *month == word))
        .or_else(|| (word == "sept").then_some(8))?;
    Some(position as u32 + 1)
}

impl Fault {
    fn into_error(self, text: &str, type_name: &str) -> Error {
        match self {
            Self::Syntax => Error::new(
                SqlState::INVALID_DATETIME_FORMAT,
                format!("invalid input syntax for type {type_name}: \"{text}\""),
            ),
            Self::Range | Self::MonthOrDay => {
                let error = Error::new(
                    SqlState::DATETIME_FIELD_OVERFLOW,
                    format!("date/time field value out of range: \"{text}\""),
                );
                if matches!(self, Self::MonthOrDay) {
                    return error.with_hint("Perhaps you need a different \"datestyle\" setting.");
                }
                error
            }
            Self::UnknownZone(name) => Error::new(
                SqlState::INVALID_PARAMETER_VALUE,
                format!("time zone \"{name}\" not recognized"),
            ),
        }
    }
}

/// Reads a `date`.
///
/// # Errors
/// 22007, 22008
pub fn parse_date(text: &str, clock: Clock<'_>) -> Result<i32> {
    let fields = Fields::read(text).map_err(|fault| fault.into_error(text, "date"))?;
    let local = |timestamp| {
        let local = zone::to_local(clock.zone, timestamp)?;
        Ok(local.div_euclid(MICROS_PER_DAY) as i32)
    };
    match fields.special {
        Some(Special::Infinity) => return Ok(i32::MAX),
        Some(Special::NegativeInfinity) => return Ok(i32::MIN),
        Some(Special::Epoch) => return Ok(-10_957),
        Some(Special::Now) => return local(clock.now),
        Some(Special::Day(days)) => return Ok(local(clock.now)? + days as i32),
        None => {}
    }
    let day = fields.day().map_err(|fault| fault.into_error(text, "date"))?;
    i32::try_from(day.to_days())
        .ok()
        .filter(|days| (super::DATE_MIN..=super::DATE_MAX).contains(days))
        .ok_or_else(|| {
            let message = format!("date out of range: \"{text}\"");
            Error::new(SqlState::DATETIME_FIELD_OVERFLOW, message)
        })
}

/// Reads a `timestamp`; a zone in it is ignored.
///
/// # Errors
/// 22007, 22008
pub fn parse_timestamp(text: &str, clock: Clock<'_>) -> Result<i64> {
    let read = |fault: Fault| fault.into_error(text, "timestamp");
    let fields = Fields::read(text).map_err(read)?;
    if let Some(special) = fields.special {
        let moment = special.moment(clock, fields.time)?;
        return match special {
            Special::Epoch => Ok(moment),
            _ => zone::to_local(clock.zone, moment),
        };
    }
    let day = fields.day().map_err(read)?;
    join(text, day.to_days(), fields.time.unwrap_or(0))
}

/// Reads a `timestamptz`; without a zone it is the session's.
///
/// # Errors
/// 22007, 22008
pub fn parse_timestamptz(text: &str, clock: Clock<'_>) -> Result<i64> {
    let read = |fault: Fault| fault.into_error(text, "timestamp with time zone");
    let fields = Fields::read(text).map_err(read)?;
    if let Some(special) = fields.special {
        return special.moment(clock, fields.time);
    }
    let day = fields.day().map_err(read)?;
    let local = join(text, day.to_days(), fields.time.unwrap_or(0))?;
    zone::to_utc(fields.zone.as_ref().unwrap_or(clock.zone), local).map_err(|_| out_of_range(text))
}

fn out_of_range(text: &str) -> Error {
    let message = format!("timestamp out of range: \"{text}\"");
    Error::new(SqlState::DATETIME_FIELD_OVERFLOW, message)
}

fn join(text: &str, days: i64, time: i64) -> Result<i64> {
    join_timestamp(days, time).map_err(|_| out_of_range(text))
}

/// Reads a `time`.
///
/// # Errors
/// 22007, 22008
pub fn parse_time(text: &str, clock: Clock<'_>) -> Result<i64> {
    Ok(time_and_zone(text, clock, "time")?.0)
}

/// Reads a `timetz`: microseconds, and seconds west of UTC.
///
/// # Errors
/// 22007, 22008
pub fn parse_timetz(text: &str, clock: Clock<'_>) -> Result<(i64, i32)> {
    time_and_zone(text, clock, "time with time zone")
}

fn time_and_zone(text: &str, clock: Clock<'_>, type_name: &str) -> Result<(i64, i32)> {
    let fields = Fields::read(text).map_err(|fault| fault.into_error(text, type_name))?;
    let zone = fields.zone.as_ref().unwrap_or(clock.zone);
    let moment = match fields.date {
        Some(day) => join(text, day.to_days(), fields.time.unwrap_or(0))?,
        None => clock.now,
    };
    let offset = zone::offset_at(zone, moment);
    let time = match (fields.special, fields.time) {
        (Some(Special::Now), _) => zone::to_local(zone, clock.now)?.rem_euclid(MICROS_PER_DAY),
        (_, Some(time)) => time,
        _ => return Err(Fault::Syntax.into_error(text, type_name)),
    };
    Ok((time, -offset))
}

impl Special {
    fn moment(self, clock: Clock<'_>, time: Option<i64>) -> Result<i64> {
        Ok(match self {
            Self::Infinity => i64::MAX,
            Self::NegativeInfinity => i64::MIN,
            Self::Epoch => -super::UNIX_EPOCH_OFFSET * MICROS_PER_SECOND,
            Self::Now => clock.now,
            Self::Day(days) => {
                let today = zone::to_local(clock.zone, clock.now)?.div_euclid(MICROS_PER_DAY);
                let local = (today + days) * MICROS_PER_DAY + time.unwrap_or(0);
                zone::to_utc(clock.zone, local)?
            }
        })
    }
}

impl Fields {
    fn read(text: &str) -> Parsed<Self> {
        let mut fields = Self::default();
        let mut is_empty = true;
        for token in text.split(|c: char| c.is_ascii_whitespace() || c == ',') {
            if !token.is_empty() {
                is_empty = false;
                fields.token(token)?;
            }
        }
        if is_empty {
            return Err(Fault::Syntax);
        }
        fields.finish()?;
        Ok(fields)
    }

    fn token(&mut self, token: &str) -> Parsed<()> {
        let first = token.as_bytes().first().copied().unwrap_or(b' ');
        match first {
            b'0'..=b'9' => self.number_token(token),
            b'+' | b'-' if token[1..].eq_ignore_ascii_case("infinity") => self.word(token),
            b'+' | b'-' => self.zone_token(token),
            _ => self.word(token),
        }
    }

    fn number_token(&mut self, token: &str) -> Parsed<()> {
        // `2026-01-01T12:00`: the T parts a date from a time.
        if let Some(at) = token.find(['T', 't'])
            && token[at + 1..].starts_with(|c: char| c.is_ascii_digit())
            && !token[..at].contains(':')
        {
            self.number_token(&token[..at])?;
            let time = &token[at + 1..];
            let len = time.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(time.len());
            if !time.contains(':') && (len == 6 || len == 4 || len > 6) {
                return self.compact_time(time, len);
            }
            return self.time_token(time);
        }
        if token.contains(':') && !token[1..].contains('/') && self.looks_like_time(token) {
            return self.time_token(token);
        }
        if token.bytes().all(|byte| byte.is_ascii_digit()) {
            return self.digits(token);
        }
        if let Some(word) = token.find(|c: char| c.is_ascii_alphabetic())
            && token[..word].bytes().all(|byte| byte.is_ascii_digit())
        {
            // `3PM`, `5th` is no date
            let rest = token[word..].to_ascii_lowercase();
            if rest == "am" || rest == "pm" {
                let hour: i64 = token[..word].parse().map_err(|_| Fault::Syntax)?;
                self.time = Some(hour * MICROS_PER_HOUR);
                return self.word(&rest);
            }
        }
        self.date_token(token)
    }

    fn looks_like_time(&self, token: &str) -> bool {
        token.find(':').is_some_and(|at| token[..at].bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// Digits alone: `20260105`, `260105`, or a number beside a month's name.
    fn digits(&mut self, token: &str) -> Parsed<()> {
        let part = |from: usize, to: usize| token[from..to].parse::<i32>();
        let beside_name = self.month.is_some() || !self.loose.is_empty();
        match token.len() {
            8 if self.date.is_none() && !beside_name => {
                let (year, month, day) = (part(0, 4), part(4, 6), part(6, 8));
                match (year, month, day) {
                    (Ok(year), Ok(month), Ok(day)) => self.set_date(year, month, day),
                    _ => Err(Fault::Syntax),
                }
            }
            6 if self.date.is_some() => self.compact_time(token, 6),
            6 if !beside_name => match (part(0, 2), part(2, 4), part(4, 6)) {
                (Ok(year), Ok(month), Ok(day)) => self.set_date(full_year(year, 2), month, day),
                _ => Err(Fault::Syntax),
            },
            4 if self.date.is_some() && self.time.is_none() => self.compact_time(token, 4),
            len => {
                let value = token.parse().map_err(|_| Fault::Range)?;
                self.loose.push((value, len));
                Ok(())
            }
        }
    }

    /// `hhmmss[.f]` or `hhmm`, with a zone behind it.
    fn compact_time(&mut self, token: &str, len: usize) -> Parsed<()> {
        let (digits, zone) = token.split_at(len);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let part = |at: usize| whole.get(at..at + 2).and_then(|part| part.parse::<i64>().ok());
        let (Some(hour), Some(minute)) = (part(0), part(2)) else { return Err(Fault::Syntax) };
        let second = if whole.len() >= 6 { part(4).ok_or(Fault::Syntax)? } else { 0 };
        self.set_time(hour, minute, second, parse_fraction(fraction)?)?;
        self.time_suffix(zone)
    }

    /// A zone, AM or PM, written right behind a time.
    fn time_suffix(&mut self, suffix: &str) -> Parsed<()> {
        match suffix.as_bytes().first() {
            None => Ok(()),
            Some(b'+' | b'-') => self.zone_token(suffix),
            Some(_) => self.word(suffix),
        }
    }

    fn time_token(&mut self, token: &str) -> Parsed<()> {
        let is_part = |c: char| c.is_ascii_digit() || c == ':' || c == '.';
        let len = token.find(|c| !is_part(c)).unwrap_or(token.len());
        let (time, rest) = token.split_at(len);
        let mut parts = time.split(':');
        let mut next = || parts.next().filter(|part| !part.is_empty());
        let hour = next().ok_or(Fault::Syntax)?;
        let minute = next().unwrap_or("0");
        let seconds = next().unwrap_or("0");
        if parts.next().is_some() {
            return Err(Fault::Syntax);
        }
        let (second, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
        let number = |text: &str| text.parse::<i64>().map_err(|_| Fault::Syntax);
        let micros = parse_fraction(fraction)?;
        self.set_time(number(hour)?, number(minute)?, number(second)?, micros)?;
        self.time_suffix(rest)
    }

    fn set_time(&mut self, hour: i64, minute: i64, second: i64, micros: i64) -> Parsed<()> {
        let is_end_of_day = hour == 24 && minute == 0 && second == 0 && micros == 0;
        if !(hour < 24 || is_end_of_day) || minute > 59 || second > 60 {
            return Err(Fault::Range);
        }
        if self.time.is_some() {
            return Err(Fault::Syntax);
        }
        let total = hour * MICROS_PER_HOUR + minute * MICROS_PER_MINUTE;
        self.time = Some(total + second * MICROS_PER_SECOND + micros);
        Ok(())
    }

    fn date_token(&mut self, token: &str) -> Parsed<()> {
        let parts: Vec<&str> = token.split(['-', '/', '.']).collect();
        let [first, second, third] = parts.as_slice() else {
            return self.short_date(&parts);
        };
        if let Some(month) = month_of(&second.to_ascii_lowercase()) {
            let (year, day) = if first.len() > 2 { (first, third) } else { (third, first) };
            return self.set_date(year_of(year)?, month as i32, number_of(day)?);
        }
        // A zone may be attached: `2026-01-01+02`, `2026-01-01Z`.
        let end = third.find(|c: char| !c.is_ascii_digit()).unwrap_or(third.len());
        let (third, rest) = third.split_at(end);
        if first.len() > 2 {
            self.set_date(year_of(first)?, number_of(second)?, number_of(third)?)?;
        } else {
            self.set_date(year_of(third)?, number_of(first)?, number_of(second)?)?;
        }
        if rest.is_empty() { Ok(()) } else { self.token(rest) }
    }

    fn short_date(&mut self, parts: &[&str]) -> Parsed<()> {
        match parts {
            // The day of the year.
            [year, day] if year.len() == 4 && day.len() == 3 => {
                let start = Civil { year: year_of(year)?, month: 1, day: 1 }.to_days();
                let day = i64::from(number_of(day)?);
                if !(1..=366).contains(&day) {
                    return Err(Fault::Range);
                }
                self.date = Some(Civil::from_days(start + day - 1));
                Ok(())
            }
            [date @ .., zone] if parts.len() == 4 => {
                // `2026-01-01-08`: a date and a zone west of UTC
                self.date_token(&date.join("-"))?;
                self.zone_token(&format!("-{zone}"))
            }
            _ => Err(Fault::Syntax),
        }
    }

    fn set_date(&mut self, year: i32, month: i32, day: i32) -> Parsed<()> {
        if self.date.is_some() {
            return Err(Fault::Syntax);
        }
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return Err(Fault::MonthOrDay);
        }
        self.date = Some(Civil { year, month: month as u32, day: day as u32 });
        Ok(())
    }

    fn zone_token(&mut self, token: &str) -> Parsed<()> {
        let seconds = zone::parse_offset(token).ok_or(Fault::Syntax)?;
        self.set_zone(zone::fixed(seconds).ok_or(Fault::Syntax)?)
    }

    fn set_zone(&mut self, zone: TimeZone) -> Parsed<()> {
        if self.zone.replace(zone).is_some() {
            return Err(Fault::Syntax);
        }
        Ok(())
    }

    fn word(&mut self, token: &str) -> Parsed<()> {
        let word = token.to_ascii_lowercase();
        if let Some(month) = month_of(word.trim_end_matches('.')) {
            return match self.month.replace(month) {
                None => Ok(()),
                Some(_) => Err(Fault::Syntax),
            };
        }
        let special = match word.as_str() {
            "infinity" | "+infinity" => Some(Special::Infinity),
            "-infinity" => Some(Special::NegativeInfinity),
            "epoch" => Some(Special::Epoch),
            "now" => Some(Special::Now),
            "today" => Some(Special::Day(0)),
            "tomorrow" => Some(Special::Day(1)),
            "yesterday" => Some(Special::Day(-1)),
            _ => None,
        };
        match word.as_str() {
            _ if special.is_some() => self.special = special,
            "am" => self.is_pm = Some(false),
            "pm" => self.is_pm = Some(true),
            "bc" => self.is_bc = true,
            "ad" | "t" | "at" | "on" => {}
            "allballs" => {
                self.time = Some(0);
                self.zone = Some(TimeZone::UTC);
            }
            word if is_weekday(word) => {}
            _ => {
                let is_name = token.contains('/');
                let zone = zone::lookup(token).ok_or_else(|| match is_name {
                    true => Fault::UnknownZone(word.clone()),
                    false => Fault::Syntax,
                })?;
                return self.set_zone(zone);
            }
        }
        Ok(())
    }

    /// Puts loose numbers beside a month's name in their places, and applies AM, PM and BC.
    fn finish(&mut self) -> Parsed<()> {
        if let Some(month) = self.month {
            let (day, year) = match self.loose.as_slice() {
                [(year, len), (day, _)] if *len > 2 => (*day, (*year, *len)),
                [(day, _), year] => (*day, *year),
                _ => return Err(Fault::Syntax),
            };
            let year = full_year(year.0, year.1);
            self.set_date(year, month as i32, day)?;
        } else if !self.loose.is_empty() {
            return Err(Fault::Syntax);
        }
        if let Some(is_pm) = self.is_pm {
            let time = self.time.ok_or(Fault::Syntax)?;
            if time >= 13 * MICROS_PER_HOUR {
                return Err(Fault::Range);
            }
            let twelve = 12 * MICROS_PER_HOUR;
            self.time = Some(match (is_pm, time >= twelve) {
                (true, false) => time + twelve,
                (false, true) => time - twelve,
                _ => time,
            });
        }
        Ok(())
    }

    fn day(&self) -> Parsed<Civil> {
        let mut day = self.date.ok_or(Fault::Syntax)?;
        if self.is_bc {
            if day.year <= 0 {
                return Err(Fault::Range);
            }
            day.year = 1 - day.year;
        } else if day.year == 0 {
            return Err(Fault::Range);
        }
        if day.exists() { Ok(day) } else { Err(Fault::Range) }
    }
}

fn is_weekday(word: &str) -> bool {
    let is_day = word.len() >= 3 && word.is_ascii() && WEEKDAYS.contains(&&word[..3]);
    is_day && (word.len() == 3 || word.ends_with("day") || word == "tues" || word == "thurs")
}

/// Two-digit years mean 1970 to 2069.
fn full_year(year: i32, digits: usize) -> i32 {
    match year {
        0..70 if digits <= 2 => year + 2000,
        70..100 if digits <= 2 => year + 1900,
        _ => year,
    }
}

fn number_of(text: &str) -> Parsed<i32> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Fault::Syntax);
    }
    text.parse().map_err(|_| Fault::Range)
}

fn year_of(text: &str) -> Parsed<i32> {
    Ok(full_year(number_of(text)?, text.len()))
}

/// Microseconds of digits after the point, rounded.
pub(super) fn fraction_micros(digits: &str) -> Option<i64> {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut micros = 0;
    for position in 0..6 {
        let digit = digits.as_bytes().get(position).map_or(0, |byte| i64::from(byte - b'0'));
        micros = micros * 10 + digit;
    }
    let rounds_up = digits.as_bytes().get(6).is_some_and(|byte| *byte >= b'5');
    Some(micros + i64::from(rounds_up))
}

fn parse_fraction(digits: &str) -> Parsed<i64> {
    fraction_micros(digits).ok_or(Fault::Syntax)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::datetime::format::{write_date, write_timestamptz};

    const CLOCK: Clock<'static> = Clock { zone: &TimeZone::UTC, now: 0 };

    fn moment(text: &str) -> String {
        let mut out = String::new();
        write_timestamptz(&mut out, parse_timestamptz(text, CLOCK).unwrap(), CLOCK.zone, ' ');
        out
    }

    #[test]
    fn many_notations_mean_one_moment() {
        for text in [
            "2026-01-05 15:04:05+00",
            "2026-01-05T15:04:05Z",
            "20260105T150405Z",
            "Jan 5 2026 3:04:05 PM",
            "5 January 2026 15:04:05 UTC",
            "Mon Jan 05 15:04:05 2026",
            "1/5/2026 15:04:05",
            "2026/01/05 17:04:05 +02:00",
            "2026-01-05 10:04:05 America/New_York",
            "05-Jan-2026 15:04:05",
            "2026-01-05 07:04:05-08",
        ] {
            assert_eq!(moment(text), "2026-01-05 15:04:05+00", "{text}");
        }
        assert_eq!(moment("infinity"), "infinity");
        assert_eq!(moment("-infinity"), "-infinity");
        assert_eq!(moment("epoch"), "1970-01-01 00:00:00+00");
        assert_eq!(moment("tomorrow"), "2000-01-02 00:00:00+00");
    }

    #[test]
    fn dates_reach_before_christ() {
        let mut out = String::new();
        write_date(&mut out, parse_date("0044-03-15 BC", CLOCK).unwrap());
        assert_eq!(out, "0044-03-15 BC");
    }

    #[test]
    fn faults_have_their_codes() {
        let state = |text| parse_timestamptz(text, CLOCK).unwrap_err().state().0;
        assert_eq!(state("nonsense"), "22007");
        assert_eq!(state(""), "22007");
        assert_eq!(state("2026-13-01"), "22008");
        assert_eq!(state("2026-02-30"), "22008");
        assert_eq!(state("2026-01-01 25:00"), "22008");
        assert_eq!(state("2026-01-01 12:00 Mars/Phobos"), "22023");
        assert_eq!(state("500000-01-01"), "22008");
    }
}
