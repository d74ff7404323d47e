//! `to_char`, `to_timestamp` and `to_date`: dates by template (Postgres manual 9.8).

use super::civil::{Civil, join_timestamp, split_timestamp};
use super::parse::fraction_micros;
use super::{MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND};
use crate::error::{Error, Result, SqlState};

/// What a template prints.
pub struct Moment {
    /// The day.
    pub day: Civil,
    /// Microseconds since midnight; more than a day for intervals.
    pub time: i64,
    /// Seconds east of UTC, of moments in a zone.
    pub offset: Option<i32>,
    /// The zone's abbreviation.
    pub zone: String,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const ROMAN: [&str; 12] =
    ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"];

/// Patterns; longer ones before those that they begin with.
const PATTERNS: &[&str] = &[
    "Y,YYY", "YYYY", "YYY", "YY", "Y", "IYYY", "IYY", "IY", "IDDD", "ID", "IW", "I", "HH24",
    "HH12", "HH", "MI", "MONTH", "MON", "MM", "MS", "SSSSS", "SSSS", "SS", "US", "FF1", "FF2",
    "FF3", "FF4", "FF5", "FF6", "A.M.", "P.M.", "AM", "PM", "B.C.", "A.D.", "BC", "AD", "DAY",
    "DY", "DDD", "DD", "D", "WW", "W", "CC", "J", "Q", "RM", "TZH", "TZM", "TZ", "OF",
];

enum Piece<'t> {
    Literal(&'t str),
    Pattern {
        /// As in [`PATTERNS`].
        name: &'static str,
        /// As written: its case shapes names.
        written: &'t str,
        is_filled: bool,
        /// `TH` or `th` behind it.
        ordinal: Option<&'t str>,
    },
}

fn starts_with(text: &str, pattern: &str) -> bool {
    text.get(..pattern.len()).is_some_and(|head| head.eq_ignore_ascii_case(pattern))
}

fn pieces(template: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = template;
    let mut is_filled = true;
    while let Some(first) = rest.chars().next() {
        if first == '"' {
            let body = &rest[1..];
            let end = body.find('"').unwrap_or(body.len());
            found.push(Piece::Literal(&body[..end]));
            rest = body.get(end + 1..).unwrap_or("");
            continue;
        }
        if starts_with(rest, "FM") {
            is_filled = false;
            rest = &rest[2..];
            continue;
        }
        if starts_with(rest, "FX") || starts_with(rest, "TM") {
            rest = &rest[2..];
            continue;
        }
        if let Some(name) = PATTERNS.iter().find(|name| starts_with(rest, name)) {
            let (written, tail) = rest.split_at(name.len());
            let ordinal = starts_with(tail, "TH").then(|| &tail[..2]);
            rest = if ordinal.is_some() { &tail[2..] } else { tail };
            found.push(Piece::Pattern { name, written, is_filled, ordinal });
            is_filled = true;
            continue;
        }
        let (literal, tail) = rest.split_at(first.len_utf8());
        found.push(Piece::Literal(literal));
        rest = tail;
    }
    found
}

/// The moment in the template's shape.
pub fn to_char(moment: &Moment, template: &str) -> String {
    let mut out = String::new();
    for piece in pieces(template) {
        match piece {
            Piece::Literal(text) => out.push_str(text),
            Piece::Pattern { name, written, is_filled, ordinal } => {
                let text = print(moment, name, written, is_filled);
                out.push_str(&text);
                if let Some(ordinal) = ordinal {
                    let suffix = ordinal_suffix(&text);
                    let is_upper = ordinal.starts_with('T');
                    out.push_str(&if is_upper { suffix.to_uppercase() } else { suffix.to_owned() });
                }
            }
        }
    }
    out
}

/// `st`, `nd`, `rd`, `th`
pub(crate) fn ordinal_suffix(number: &str) -> &'static str {
    let digits = number.as_bytes();
    let last = digits.last().copied().unwrap_or(b'0');
    let before = digits.len().checked_sub(2).and_then(|at| digits.get(at)).copied();
    match (before, last) {
        (Some(b'1'), _) => "th",
        (_, b'1') => "st",
        (_, b'2') => "nd",
        (_, b'3') => "rd",
        _ => "th",
    }
}

/// A name in the case of its pattern: `MONTH`, `Month`, `month`.
fn named(name: &str, written: &str, width: Option<usize>) -> String {
    let mut letters = written.chars();
    let is_upper = |c: Option<char>| c.is_some_and(char::is_uppercase);
    let cased = match (is_upper(letters.next()), is_upper(letters.next())) {
        (true, true) => name.to_uppercase(),
        (true, false) => name.to_owned(),
        _ => name.to_lowercase(),
    };
    match width {
        Some(width) => format!("{cased:<width$}"),
        None => cased,
    }
}

fn number(value: i64, width: usize, is_filled: bool) -> String {
    if !is_filled {
        return value.to_string();
    }
    let width = if value < 0 { width + 1 } else { width };
    format!("{value:0width$}")
}

fn print(moment: &Moment, name: &'static str, written: &str, is_filled: bool) -> String {
    let day = moment.day;
    let hours = moment.time / MICROS_PER_HOUR;
    let micros = (moment.time % MICROS_PER_SECOND).abs();
    let num = |value: i64, width: usize| number(value, width, is_filled);
    let width = is_filled.then_some(9);
    match name {
        "HH24" => num(hours, 2),
        "HH12" | "HH" => num(if hours % 12 == 0 { 12 } else { hours % 12 }, 2),
        "MI" => num((moment.time / MICROS_PER_MINUTE % 60).abs(), 2),
        "SS" => num((moment.time / MICROS_PER_SECOND % 60).abs(), 2),
        "MS" | "FF3" => format!("{:03}", micros / 1000),
        "US" | "FF6" => format!("{micros:06}"),
        "FF1" => format!("{:01}", micros / 100_000),
        "FF2" => format!("{:02}", micros / 10_000),
        "FF4" => format!("{:04}", micros / 100),
        "FF5" => format!("{:05}", micros / 10),
        "SSSS" | "SSSSS" => (moment.time / MICROS_PER_SECOND).to_string(),
        "AM" | "PM" => lower_if(written, if hours % 24 < 12 { "AM" } else { "PM" }),
        "A.M." | "P.M." => lower_if(written, if hours % 24 < 12 { "A.M." } else { "P.M." }),
        "BC" | "AD" => lower_if(written, if day.year > 0 { "AD" } else { "BC" }),
        "B.C." | "A.D." => lower_if(written, if day.year > 0 { "A.D." } else { "B.C." }),
        "MONTH" => named(MONTHS[(day.month as usize + 11) % 12], written, width),
        "MON" => named(&MONTHS[(day.month as usize + 11) % 12][..3], written, None),
        "MM" => num(i64::from(day.month), 2),
        "RM" => {
            let roman = ROMAN[(day.month as usize + 11) % 12];
            let roman = if is_filled { format!("{roman:<4}") } else { roman.to_owned() };
            lower_if(written, &roman)
        }
        "DAY" => named(DAYS[day.weekday() as usize % 7], written, width),
        "DY" => named(&DAYS[day.weekday() as usize % 7][..3], written, None),
        "DDD" => num(i64::from(day.day_of_year()), 3),
        "DD" => num(i64::from(day.day), 2),
        "D" => (day.weekday() + 1).to_string(),
        "ID" => ((day.weekday() + 6) % 7 + 1).to_string(),
        "W" => ((day.day - 1) / 7 + 1).to_string(),
        "WW" => num(i64::from((day.day_of_year() - 1) / 7 + 1), 2),
        "IW" => num(i64::from(day.iso_week().1), 2),
        "IDDD" => {
            let start = super::civil::iso_week_start(day.iso_week().0);
            num(day.to_days() - start + 1, 3)
        }
        "Q" => ((day.month - 1) / 3 + 1).to_string(),
        "J" => (day.to_days() + 2_451_545).to_string(),
        "TZ" => {
            if written.starts_with('t') {
                moment.zone.to_lowercase()
            } else {
                moment.zone.clone()
            }
        }
        "OF" | "TZH" | "TZM" => print_offset(moment.offset.unwrap_or(0), name),
        _ => print_year(day, name, is_filled),
    }
}

fn lower_if(written: &str, text: &str) -> String {
    let is_lower = written.starts_with(|c: char| c.is_lowercase());
    if is_lower { text.to_lowercase() } else { text.to_owned() }
}

fn print_offset(offset: i32, name: &str) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    let (hours, minutes) = (offset.abs() / 3600, offset.abs() / 60 % 60);
    match name {
        "TZM" => format!("{minutes:02}"),
        "OF" if minutes != 0 => format!("{sign}{hours:02}:{minutes:02}"),
        _ => format!("{sign}{hours:02}"),
    }
}

fn print_year(day: Civil, name: &str, is_filled: bool) -> String {
    let year = i64::from(if name.starts_with('I') { day.iso_week().0 } else { day.year });
    // Years before Christ are counted from 1 upward; BC says which they are.
    let year = if year > 0 { year } else { 1 - year };
    match name {
        "CC" => number((year + 99) / 100, 2, is_filled),
        "Y,YYY" => format!("{},{:03}", year / 1000, year % 1000),
        "YYYY" | "IYYY" => number(year, 4, is_filled),
        "YYY" | "IYY" => number(year % 1000, 3, is_filled),
        "YY" | "IY" => number(year % 100, 2, is_filled),
        _ => (year % 10).to_string(),
    }
}

/// What reading a template has found.
#[derive(Default)]
struct Read {
    year: Option<i32>,
    month: Option<u32>,
    day: Option<u32>,
    day_of_year: Option<u32>,
    iso: (Option<i32>, Option<u32>, Option<u32>),
    julian: Option<i64>,
    hour: i64,
    is_twelve_hour: bool,
    is_pm: Option<bool>,
    minute: i64,
    second: i64,
    micros: i64,
    is_bc: bool,
    offset: Option<i32>,
}

/// The local timestamp that a text means under a template, and the offset from UTC if it has one.
///
/// # Errors
/// 22007, 22008
pub fn from_char(text: &str, template: &str) -> Result<(i64, Option<i32>)> {
    let pieces = pieces(template);
    let mut read = Read::default();
    let mut rest = text;
    for (position, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Literal(literal) => {
                let is_separator = |c: char| !c.is_alphanumeric();
                let is_word = !literal.trim().is_empty() && !literal.starts_with(is_separator);
                if let Some(tail) = rest.strip_prefix(literal) {
                    rest = tail;
                } else if is_word || rest.starts_with(is_separator) {
                    rest = &rest[rest.chars().next().map_or(0, char::len_utf8)..];
                }
            }
            Piece::Pattern { name, ordinal, .. } => {
                rest = rest.trim_start();
                // A number before another pattern has a fixed width, otherwise it is taken whole.
                let is_next = matches!(pieces.get(position + 1), Some(Piece::Pattern { .. }));
                rest = read.pattern(name, rest, is_next)?;
                if ordinal.is_some() {
                    rest = rest.get(2..).unwrap_or("");
                }
            }
        }
    }
    Ok((read.finish(text)?, read.offset))
}

fn invalid(value: &str, pattern: &str) -> Error {
    let message = format!("invalid value \"{value}\" for \"{pattern}\"");
    Error::new(SqlState::INVALID_DATETIME_FORMAT, message)
}

fn take_number<'t>(text: &'t str, width: usize, pattern: &str) -> Result<(i64, &'t str)> {
    let digits = text.bytes().take(width).take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    match number.parse() {
        Ok(number) => Ok((number, rest)),
        Err(_) => {
            let shown: String = text.chars().take(width.min(pattern.len())).collect();
            Err(invalid(&shown, pattern).with_detail("Value must be an integer."))
        }
    }
}

/// The position of the name that the text begins with, and what follows.
fn take_name<'t>(text: &'t str, names: &[&str], len: Option<usize>) -> Option<(u32, &'t str)> {
    let position = names.iter().position(|name| {
        let name = len.map_or(*name, |len| &name[..len]);
        starts_with(text, name)
    })?;
    let len = len.unwrap_or(names[position].len());
    Some((position as u32, &text[len..]))
}

impl Read {
    fn pattern<'t>(&mut self, name: &str, text: &'t str, is_next: bool) -> Result<&'t str> {
        let names = match name {
            "MONTH" => Some((&MONTHS[..], None)),
            "MON" => Some((&MONTHS[..], Some(3))),
            "DAY" => Some((&DAYS[..], None)),
            "DY" => Some((&DAYS[..], Some(3))),
            _ => None,
        };
        if let Some((names, len)) = names {
            let found = take_name(text, names, len);
            let (position, rest) = found.ok_or_else(|| invalid(text, name))?;
            if name.starts_with('M') {
                self.month = Some(position + 1);
            }
            return Ok(rest);
        }
        match name {
            "AM" | "PM" | "A.M." | "P.M." => {
                self.is_pm = Some(text.starts_with(['p', 'P']));
                return text.get(name.len()..).ok_or_else(|| invalid(text, name));
            }
            "BC" | "AD" | "B.C." | "A.D." => {
                self.is_bc = text.starts_with(['b', 'B']);
                return text.get(name.len()..).ok_or_else(|| invalid(text, name));
            }
            "TZH" | "OF" | "TZ" => {
                let end = text[1.min(text.len())..].find(|c: char| !c.is_ascii_digit());
                let end = end.map_or(text.len(), |end| end + 1);
                self.offset = super::zone::parse_offset(&text[..end]);
                return Ok(&text[end..]);
            }
            _ => {}
        }
        self.number(name, text, is_next)
    }

    fn number<'t>(&mut self, name: &str, text: &'t str, is_next: bool) -> Result<&'t str> {
        let fixed = match name {
            "HH24" | "HH12" => 2,
            "SSSS" | "SSSSS" => 5,
            "US" | "FF6" => 6,
            "MS" | "FF3" => 3,
            "J" => 9,
            "Y,YYY" => 5,
            name if name.starts_with("FF") => name[2..].parse().unwrap_or(6),
            name => name.len(),
        };
        let is_year = matches!(name, "YYYY" | "IYYY");
        let width = if is_year && !is_next { 9 } else { fixed };
        let (value, rest) = take_number(text, width, name)?;
        let small = u32::try_from(value).unwrap_or(u32::MAX);
        let year = i32::try_from(value).map_err(|_| invalid(text, name))?;
        match name {
            "YYYY" | "Y,YYY" => self.year = Some(year),
            "YYY" | "YY" | "Y" => {
                self.year = Some(if year < 70 { year + 2000 } else { year + 1900 })
            }
            "IYYY" => self.iso.0 = Some(year),
            "IW" => self.iso.1 = Some(small),
            "ID" => self.iso.2 = Some(small),
            "MM" => self.month = Some(small),
            "DD" => self.day = Some(small),
            "DDD" => self.day_of_year = Some(small),
            "J" => self.julian = Some(value),
            "HH24" => self.hour = value,
            "HH12" | "HH" => {
                self.hour = value;
                self.is_twelve_hour = true;
            }
            "MI" => self.minute = value,
            "SS" => self.second = value,
            "SSSS" | "SSSSS" => self.second = value,
            "MS" | "US" | "FF1" | "FF2" | "FF3" | "FF4" | "FF5" | "FF6" => {
                let digits = &text[..text.len() - rest.len()];
                self.micros = fraction_micros(digits).unwrap_or(0);
            }
            _ => {}
        }
        Ok(rest)
    }

    fn finish(&self, text: &str) -> Result<i64> {
        let out_of_range = || {
            let message = format!("date/time field value out of range: \"{text}\"");
            Error::new(SqlState::DATETIME_FIELD_OVERFLOW, message)
        };
        let days = self.days().ok_or_else(out_of_range)?;
        let hour = match self.is_pm {
            Some(is_pm) => self.hour % 12 + if is_pm { 12 } else { 0 },
            None if self.is_twelve_hour => self.hour % 12,
            None => self.hour,
        };
        if hour > 23 || self.minute > 59 || self.second > 86_399 {
            return Err(out_of_range());
        }
        let seconds = hour * 3600 + self.minute * 60 + self.second;
        join_timestamp(days, seconds * MICROS_PER_SECOND + self.micros)
    }

    fn days(&self) -> Option<i64> {
        if let Some(julian) = self.julian {
            return Some(julian - 2_451_545);
        }
        if let (Some(year), week, weekday) = self.iso {
            let week = i64::from(week.unwrap_or(1)) - 1;
            let weekday = i64::from(weekday.unwrap_or(1)) - 1;
            return Some(super::civil::iso_week_start(year) + week * 7 + weekday);
        }
        // Without a year it is 1 BC, as Postgres has it.
        let year = match self.year {
            Some(year) if self.is_bc => 1 - year,
            Some(year) => year,
            None => 0,
        };
        if let Some(day) = self.day_of_year {
            let start = Civil { year, month: 1, day: 1 }.to_days();
            return (1..=366).contains(&day).then(|| start + i64::from(day) - 1);
        }
        let day = Civil { year, month: self.month.unwrap_or(1), day: self.day.unwrap_or(1) };
        day.exists().then(|| day.to_days())
    }
}

/// A local timestamp as a template's moment.
pub fn moment_of(local: i64, offset: Option<i32>, zone: String) -> Moment {
    let (days, time) = split_timestamp(local);
    Moment { day: Civil::from_days(days), time, offset, zone }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(year: i32, month: u32, day: u32, time: i64) -> i64 {
        join_timestamp(Civil { year, month, day }.to_days(), time).unwrap()
    }

    #[test]
    fn templates_print() {
        let local = at(2026, 11, 5, 15 * MICROS_PER_HOUR + 4 * MICROS_PER_MINUTE + 5_060_000);
        let moment = moment_of(local, Some(0), "UTC".to_owned());
        for (template, shown) in [
            ("YYYY-MM-DD HH24:MI:SS.MS", "2026-11-05 15:04:05.060"),
            ("FMMonth FMDDth, YYYY", "November 5th, 2026"),
            ("Day|DY|dy", "Thursday |THU|thu"),
            ("HH12:MI am", "03:04 pm"),
            ("\"Year\" YY Q IW", "Year 26 4 45"),
            ("DDD J TZ OF", "309 2461350 UTC +00"),
        ] {
            assert_eq!(to_char(&moment, template), shown, "{template}");
        }
    }

    #[test]
    fn templates_read() {
        let read = |text, template| from_char(text, template).unwrap().0;
        assert_eq!(read("05 Dec 2000", "DD Mon YYYY"), at(2000, 12, 5, 0));
        assert_eq!(read("20260105", "YYYYMMDD"), at(2026, 1, 5, 0));
        let time = 15 * MICROS_PER_HOUR + 4 * MICROS_PER_MINUTE;
        assert_eq!(read("2026/01/05 03:04 PM", "YYYY/MM/DD HH:MI AM"), at(2026, 1, 5, time));
        assert!(from_char("x", "YYYY").is_err());
        assert!(from_char("2026-13-01", "YYYY-MM-DD").is_err());
    }
}
