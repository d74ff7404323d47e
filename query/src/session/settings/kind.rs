//! The kinds of values that settings take, and how each is checked and printed.

use jiff::tz::{Offset, TimeZone};

use crate::error::{Error, Result, SqlState};

/// What values a setting takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// `on` and `off`
    Bool,
    /// A whole number, perhaps with a unit.
    Int {
        /// The smallest.
        min: i64,
        /// The largest.
        max: i64,
        /// What it counts.
        unit: Unit,
    },
    /// A number.
    Real {
        /// The smallest.
        min: f64,
        /// The largest.
        max: f64,
    },
    /// One of these words.
    Enum(&'static [&'static str]),
    /// Anything.
    Text,
    /// The name of a time zone, or hours from UTC.
    TimeZone,
    /// `ISO` and an order of day and month.
    DateStyle,
    /// How intervals print.
    IntervalStyle,
    /// UTF-8 by any of its names.
    Encoding,
    /// A boolean that cannot be turned off.
    AlwaysOn,
}

/// What a whole number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Itself.
    None,
    /// Milliseconds.
    Millis,
    /// Kilobytes.
    Kilobytes,
    /// Blocks of 8 kB.
    Blocks,
}

/// Units of time in milliseconds; microseconds are fractions.
const TIME_UNITS: &[(&str, f64)] = &[
    ("d", 86_400_000.0),
    ("h", 3_600_000.0),
    ("min", 60_000.0),
    ("s", 1000.0),
    ("ms", 1.0),
    ("us", 0.001),
];
/// Units of memory in kilobytes.
const MEMORY_UNITS: &[(&str, f64)] = &[
    ("TB", 1_073_741_824.0),
    ("GB", 1_048_576.0),
    ("MB", 1024.0),
    ("kB", 1.0),
    ("B", 1.0 / 1024.0),
];

impl Kind {
    /// The value as `SHOW` prints it.
    ///
    /// # Errors
    /// 22023 with Postgres' wording; 0A000 for styles that are not there.
    pub(crate) fn normalize(self, name: &str, value: &str) -> Result<String> {
        match self {
            Self::Bool => match truth(value) {
                Some(truth) => Ok(if truth { "on" } else { "off" }.to_owned()),
                None => Err(invalid(format!("parameter \"{name}\" requires a Boolean value"))),
            },
            Self::Int { min, max, unit } => {
                let number = parse_number(name, value, unit)?.round_ties_even();
                // The bounds are far inside what both types hold exactly.
                #[expect(clippy::cast_possible_truncation, reason = "saturates, then is checked")]
                let number = number as i64;
                if number < min || number > max {
                    return Err(out_of_range(name, &number.to_string(), unit, min, max));
                }
                Ok(unit.show(number))
            }
            Self::Real { min, max } => {
                let number: f64 = value.trim().parse().map_err(|_| bad_value(name, value))?;
                if !(min..=max).contains(&number) {
                    return Err(out_of_range(name, value, Unit::None, min, max));
                }
                Ok(value.trim().to_owned())
            }
            Self::Enum(words) => {
                let found = words.iter().find(|word| word.eq_ignore_ascii_case(value.trim()));
                found
                    .map(|word| (*word).to_owned())
                    .or_else(|| boolean_word(words, value))
                    .ok_or_else(|| {
                        let hint = format!("Available values: {}.", words.join(", "));
                        bad_value(name, value).with_hint(hint)
                    })
            }
            Self::Text => Ok(value.to_owned()),
            Self::TimeZone => {
                parse_time_zone(value).map(|(shown, _)| shown).ok_or_else(|| bad_value(name, value))
            }
            Self::DateStyle => normalize_date_style(name, value),
            Self::IntervalStyle => match value.to_ascii_lowercase().as_str() {
                "postgres" => Ok("postgres".to_owned()),
                "postgres_verbose" | "sql_standard" | "iso_8601" => {
                    Err(Error::unsupported(format!("IntervalStyle {value}")))
                }
                _ => Err(bad_value(name, value)),
            },
            Self::Encoding => normalize_encoding(name, value),
            Self::AlwaysOn => match truth(value) {
                Some(true) => Ok("on".to_owned()),
                Some(false) => Err(Error::unsupported(format!("turning {name} off"))),
                None => Err(invalid(format!("parameter \"{name}\" requires a Boolean value"))),
            },
        }
    }

    /// A printed value as a number in its base unit.
    ///
    /// # Errors
    /// 22023 when it is no number.
    pub(crate) fn number(self, value: &str) -> Result<i64> {
        let unit = match self {
            Self::Int { unit, .. } => unit,
            _ => Unit::None,
        };
        #[expect(clippy::cast_possible_truncation, reason = "was checked when it was set")]
        Ok(parse_number("", value, unit)?.round_ties_even() as i64)
    }

    /// `vartype` of `pg_settings`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bool | Self::AlwaysOn => "bool",
            Self::Int { .. } => "integer",
            Self::Real { .. } => "real",
            Self::Enum(_) | Self::IntervalStyle => "enum",
            Self::Text | Self::TimeZone | Self::DateStyle | Self::Encoding => "string",
        }
    }
}

impl Unit {
    /// A number with the largest unit that divides it.
    fn show(self, number: i64) -> String {
        let (number, units) = match self {
            Self::Millis => (number, TIME_UNITS),
            Self::Kilobytes => (number, MEMORY_UNITS),
            Self::Blocks => (number.saturating_mul(8), MEMORY_UNITS),
            Self::None => return number.to_string(),
        };
        if number <= 0 {
            return number.to_string();
        }
        for (unit, size) in units {
            #[expect(clippy::cast_possible_truncation, reason = "sizes are whole and small")]
            let size = *size as i64;
            if size > 0 && number % size == 0 {
                return format!("{}{unit}", number / size);
            }
        }
        number.to_string()
    }

    /// The unit behind a number out of range.
    fn suffix(self) -> &'static str {
        match self {
            Self::Millis => " ms",
            Self::Kilobytes => " kB",
            Self::Blocks => " 8kB",
            Self::None => "",
        }
    }
}

fn parse_number(name: &str, value: &str, unit: Unit) -> Result<f64> {
    let value = value.trim();
    let end = value.find(|c: char| c.is_ascii_alphabetic() && c != 'e' && c != 'E');
    let (digits, suffix) = value.split_at(end.unwrap_or(value.len()));
    let number: f64 = digits.trim().parse().map_err(|_| bad_value(name, value))?;
    let (units, kinds) = match unit {
        Unit::Millis => (TIME_UNITS, "\"us\", \"ms\", \"s\", \"min\", \"h\", and \"d\""),
        Unit::Kilobytes | Unit::Blocks => {
            (MEMORY_UNITS, "\"B\", \"kB\", \"MB\", \"GB\", and \"TB\"")
        }
        Unit::None => (&[][..], ""),
    };
    let suffix = suffix.trim();
    if suffix.is_empty() {
        return Ok(number);
    }
    match units.iter().find(|(unit, _)| *unit == suffix) {
        Some((_, size)) if unit == Unit::Blocks => Ok(number * size / 8.0),
        Some((_, size)) => Ok(number * size),
        None if units.is_empty() => Err(bad_value(name, value)),
        None => Err(bad_value(name, value)
            .with_hint(format!("Valid units for this parameter are {kinds}."))),
    }
}

/// `on` and `off` by all their names; `None` for anything else.
pub(crate) fn truth(value: &str) -> Option<bool> {
    let value = value.trim().to_ascii_lowercase();
    if value.is_empty() {
        return None;
    }
    let is_prefix = |word: &str, len_min: usize| value.len() >= len_min && word.starts_with(&value);
    if value == "1" || is_prefix("true", 1) || is_prefix("yes", 1) || value == "on" {
        return Some(true);
    }
    if value == "0" || is_prefix("false", 1) || is_prefix("no", 1) || is_prefix("off", 2) {
        return Some(false);
    }
    None
}

/// Enums with `on` among their words take booleans by all their names.
fn boolean_word(words: &[&str], value: &str) -> Option<String> {
    let word = if truth(value)? { "on" } else { "off" };
    words.contains(&word).then(|| word.to_owned())
}

/// A time zone by name, by abbreviation of UTC, or as hours east of UTC (`+3:30`, `-8`); how it
/// prints, and the zone.
pub(crate) fn parse_time_zone(value: &str) -> Option<(String, TimeZone)> {
    let value = value.trim();
    if let Some(zone) = parse_offset(value) {
        return Some((value.to_owned(), zone));
    }
    if value.eq_ignore_ascii_case("utc") || value.eq_ignore_ascii_case("default") {
        return Some(("UTC".to_owned(), TimeZone::UTC));
    }
    let zone = TimeZone::get(value).ok()?;
    let shown = zone.iana_name().unwrap_or(value).to_owned();
    Some((shown, zone))
}

fn parse_offset(value: &str) -> Option<TimeZone> {
    // `SHOW` prints an offset as `<+03>-03`, and gives it back.
    let value = value.strip_prefix('<').and_then(|v| v.split_once('>')).map_or(value, |v| v.0);
    let (sign, digits) = match value.split_at_checked(1)? {
        ("-", rest) => (-1, rest),
        ("+", rest) => (1, rest),
        _ => (1, value),
    };
    let mut parts = digits.split(':');
    let hours: f64 = parts.next()?.parse().ok()?;
    let minutes: f64 = parts.next().map_or(Some(0.0), |minutes| minutes.parse().ok())?;
    if parts.next().is_some() || !(0.0..=15.0).contains(&hours) || !(0.0..60.0).contains(&minutes) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most sixteen hours")]
    let seconds = (hours * 3600.0 + minutes * 60.0) as i32;
    Some(TimeZone::fixed(Offset::from_seconds(sign * seconds).ok()?))
}

fn normalize_date_style(name: &str, value: &str) -> Result<String> {
    let mut order = "MDY";
    for word in value.split(',').map(str::trim) {
        match word.to_ascii_lowercase().as_str() {
            "iso" | "" => {}
            "mdy" | "us" | "noneuro" | "noneuropean" => order = "MDY",
            "dmy" | "euro" | "european" => order = "DMY",
            "ymd" => order = "YMD",
            "sql" | "postgres" | "german" => {
                return Err(Error::unsupported(format!("DateStyle {word}")));
            }
            "default" => order = "MDY",
            _ => {
                let detail = format!("Unrecognized key word: \"{word}\".");
                return Err(bad_value(name, value).with_detail(detail));
            }
        }
    }
    Ok(format!("ISO, {order}"))
}

fn normalize_encoding(name: &str, value: &str) -> Result<String> {
    let plain: String =
        value.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    match plain.as_str() {
        "utf8" | "unicode" => Ok("UTF8".to_owned()),
        // Bytes as they are: they must be UTF-8 all the same.
        "sqlascii" => Ok("SQL_ASCII".to_owned()),
        "latin1" | "latin9" | "iso88591" | "win1252" | "windows1252" | "win1251" | "latin2" => {
            let message = format!("conversion between {} and UTF8 is not supported", value);
            Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message))
        }
        _ => Err(bad_value(name, value)),
    }
}

/// The names of a list such as `search_path`: unquoted ones in lower case.
pub(crate) fn split_list(list: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut name = String::new();
    let mut is_quoted = false;
    let mut chars = list.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if is_quoted && chars.peek() == Some(&'"') => {
                chars.next();
                name.push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => names.push(std::mem::take(&mut name)),
            c if is_quoted => name.push(c),
            c if c.is_whitespace() => {}
            c => name.extend(c.to_lowercase()),
        }
    }
    names.push(name);
    names.retain(|name| !name.is_empty());
    names
}

fn invalid(message: String) -> Error {
    Error::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

fn bad_value(name: &str, value: &str) -> Error {
    invalid(format!("invalid value for parameter \"{name}\": \"{value}\""))
}

fn out_of_range(
    name: &str,
    value: &str,
    unit: Unit,
    min: impl std::fmt::Display,
    max: impl std::fmt::Display,
) -> Error {
    let suffix = unit.suffix();
    invalid(format!(
        "{value}{suffix} is outside the valid range for parameter \"{name}\" ({min} .. {max})"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        let kind = Kind::Int { min: 0, max: 1 << 40, unit: Unit::Millis };
        let normal = |value: &str| kind.normalize("t", value).unwrap();
        assert_eq!(normal("1500ms"), "1500ms");
        assert_eq!(normal("90s"), "90s");
        assert_eq!(normal("2min"), "2min");
        assert_eq!(normal("120000"), "2min");
        assert_eq!(normal("0"), "0");
        assert_eq!(kind.number("90s").unwrap(), 90_000);
        let memory = Kind::Int { min: 0, max: 1 << 40, unit: Unit::Kilobytes };
        assert_eq!(memory.normalize("m", "1.5MB").unwrap(), "1536kB");
        assert!(memory.normalize("m", "5XB").unwrap_err().fields().hint.is_some());
    }

    #[test]
    fn time_zones() {
        assert_eq!(parse_time_zone("europe/berlin").unwrap().0, "Europe/Berlin");
        assert_eq!(parse_time_zone("utc").unwrap().0, "UTC");
        assert_eq!(parse_time_zone("+3:30").unwrap().0, "+3:30");
        assert!(parse_time_zone("Mars").is_none());
        assert!(parse_time_zone("99").is_none());
    }

    #[test]
    fn date_styles() {
        let kind = Kind::DateStyle;
        assert_eq!(kind.normalize("DateStyle", "dmy").unwrap(), "ISO, DMY");
        assert!(kind.normalize("DateStyle", "foo").is_err());
    }
}
