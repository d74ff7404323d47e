//! Reading intervals: Postgres' verbose form, clock times, SQL's `y-m`, ISO 8601 durations.

use super::parse::fraction_micros;
use super::{Interval, MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND};
use crate::error::{Error, Result, SqlState};

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A whole number of months.
    Months(i32),
    /// A whole number of days.
    Days(i32),
    /// A whole number of microseconds.
    Micros(i64),
}

const UNITS: &[(&[&str], Unit)] = &[
    (
        &[
            "microsecond",
            "microseconds",
            "us",
            "usec",
            "usecs",
            "usecond",
            "useconds",
            "microsecon",
        ],
        Unit::Micros(1),
    ),
    (
        &[
            "millisecond",
            "milliseconds",
            "ms",
            "msec",
            "msecs",
            "msecond",
            "mseconds",
            "millisecon",
        ],
        Unit::Micros(1000),
    ),
    (&["second", "seconds", "s", "sec", "secs"], Unit::Micros(MICROS_PER_SECOND)),
    (&["minute", "minutes", "m", "min", "mins"], Unit::Micros(MICROS_PER_MINUTE)),
    (&["hour", "hours", "h", "hr", "hrs"], Unit::Micros(MICROS_PER_HOUR)),
    (&["day", "days", "d"], Unit::Days(1)),
    (&["week", "weeks", "w"], Unit::Days(7)),
    (&["month", "months", "mon", "mons"], Unit::Months(1)),
    (&["quarter", "quarters", "qtr"], Unit::Months(3)),
    (&["year", "years", "y", "yr", "yrs"], Unit::Months(12)),
    (&["decade", "decades", "dec", "decs"], Unit::Months(120)),
    (&["century", "centuries", "c", "cent"], Unit::Months(1200)),
    (&["millennium", "millennia", "mil", "mils"], Unit::Months(12_000)),
];

/// The unit of a word.
pub fn unit_of(word: &str) -> Option<Unit> {
    UNITS.iter().find(|unit| unit.0.contains(&word)).map(|unit| unit.1)
}

/// A sum that notices when it grows too large.
#[derive(Default)]
struct Sum {
    months: i64,
    days: i64,
    micros: i128,
}

/// A number in the text: its sign, whole part and digits after the point.
struct Number<'a> {
    is_negative: bool,
    whole: i64,
    fraction: &'a str,
}

impl<'a> Number<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let is_negative = text.starts_with('-');
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_digits(whole) || !is_digits(fraction) || whole.len() + fraction.len() == 0 {
            return None;
        }
        let whole = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        Some(Self { is_negative, whole, fraction })
    }

    fn fraction(&self) -> f64 {
        // Digits behind a point always parse.
        if self.fraction.is_empty() {
            0.0
        } else {
            format!("0.{}", self.fraction).parse().unwrap_or(0.0)
        }
    }
}

impl Sum {
    fn add(&mut self, number: &Number<'_>, unit: Unit) {
        let sign = if number.is_negative { -1 } else { 1 };
        let fraction = number.fraction() * f64::from(sign as i32);
        match unit {
            Unit::Months(months) => {
                self.months += sign * number.whole.saturating_mul(i64::from(months));
                let rest = fraction * f64::from(months);
                if months > 1 {
                    self.months += rest.round() as i64;
                } else {
                    self.add_days(rest * 30.0);
                }
            }
            Unit::Days(days) => {
                self.days += sign * number.whole.saturating_mul(i64::from(days));
                self.add_days(fraction * f64::from(days));
            }
            Unit::Micros(micros) => {
                self.micros += i128::from(sign * number.whole) * i128::from(micros);
                self.micros += if micros == MICROS_PER_SECOND {
                    i128::from(sign * fraction_micros(number.fraction).unwrap_or(0))
                } else {
                    (fraction * micros as f64).round() as i128
                };
            }
        }
    }

    fn add_days(&mut self, days: f64) {
        self.days += days.trunc() as i64;
        let rest = days - days.trunc();
        self.micros += (rest * MICROS_PER_DAY as f64).round() as i128;
    }

    fn finish(self, is_ago: bool) -> Option<Interval> {
        let sign = if is_ago { -1 } else { 1 };
        Some(Interval {
            months: i32::try_from(self.months.checked_mul(sign)?).ok()?,
            days: i32::try_from(self.days.checked_mul(sign)?).ok()?,
            micros: i64::try_from(self.micros * i128::from(sign)).ok()?,
        })
    }
}

/// Reads an interval.
///
/// # Errors
/// 22007; 22015 for a number that no field holds, 22008 for a sum that an interval does not
pub fn parse_interval(text: &str) -> Result<Interval> {
    let invalid = || {
        let message = format!("invalid input syntax for type interval: \"{text}\"");
        Error::new(SqlState::INVALID_DATETIME_FORMAT, message)
    };
    let out_of_range = || {
        if !has_large_number(text) {
            return Error::new(SqlState::DATETIME_FIELD_OVERFLOW, "interval out of range");
        }
        let message = format!("interval field value out of range: \"{text}\"");
        Error::new(SqlState("22015"), message)
    };
    let trimmed = text.trim();
    let mut sum = Sum::default();
    let is_iso = trimmed.trim_start_matches('-').starts_with('P');
    if is_iso {
        read_iso(trimmed, &mut sum).ok_or_else(invalid)?;
        return sum.finish(false).ok_or_else(out_of_range);
    }
    let tokens = tokenize(trimmed).ok_or_else(invalid)?;
    let is_ago = read_tokens(&tokens, &mut sum).ok_or_else(invalid)?;
    sum.finish(is_ago).ok_or_else(out_of_range)
}

/// Whether a number in the text is larger than any field of an interval.
fn has_large_number(text: &str) -> bool {
    let numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|number| !number.is_empty());
    numbers.map(str::parse::<i32>).any(|number| number.is_err())
}

/// Splits into numbers (with signs, points, colons, hyphens inside) and words.
fn tokenize(text: &str) -> Option<Vec<String>> {
    let mut tokens: Vec<String> = Vec::new();
    let mut is_open = false;
    for c in text.chars() {
        if c.is_ascii_whitespace() || c == '@' || c == ',' {
            is_open = false;
            continue;
        }
        let is_word = c.is_ascii_alphabetic();
        let continues = is_open
            && tokens.last().and_then(|token| token.chars().last()).is_some_and(|last| {
                last.is_ascii_alphabetic() == is_word && (is_word || (c != '+'))
            });
        match tokens.last_mut() {
            Some(token) if continues => token.push(c.to_ascii_lowercase()),
            // A sign may stand apart from its number.
            Some(token) if (token == "-" || token == "+") && !is_word => token.push(c),
            _ => tokens.push(c.to_ascii_lowercase().to_string()),
        }
        is_open = true;
    }
    (!tokens.is_empty()).then_some(tokens)
}

/// Adds all tokens up; says whether `ago` turned the sign.
fn read_tokens(tokens: &[String], sum: &mut Sum) -> Option<bool> {
    let mut position = 0;
    let mut is_ago = false;
    while let Some(token) = tokens.get(position) {
        position += 1;
        if token == "ago" {
            is_ago = true;
            continue;
        }
        if token.contains(':') {
            read_clock(token, sum)?;
            continue;
        }
        if let Some(number) = Number::read(token) {
            let next = tokens.get(position).map(String::as_str);
            let unit = match next.map(unit_of) {
                Some(Some(unit)) => {
                    position += 1;
                    unit
                }
                // Days may stand bare before a time of day.
                _ if next.is_some_and(|next| next.contains(':')) => Unit::Days(1),
                None => Unit::Micros(MICROS_PER_SECOND),
                _ => return None,
            };
            sum.add(&number, unit);
            continue;
        }
        read_year_month(token, sum)?;
    }
    Some(is_ago)
}

/// `hh:mm[:ss[.f]]`
fn read_clock(token: &str, sum: &mut Sum) -> Option<()> {
    let is_negative = token.starts_with('-');
    let digits = token.strip_prefix(['-', '+']).unwrap_or(token);
    let mut parts: Vec<&str> = digits.split(':').collect();
    // `mm:ss.f` when the second part has a fraction.
    if parts.len() == 2 && parts[1].contains('.') {
        parts.insert(0, "0");
    }
    let units = [MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND];
    if parts.len() > 3 {
        return None;
    }
    for (position, (part, unit)) in parts.iter().zip(units).enumerate() {
        let mut number = Number::read(part).filter(|_| !part.starts_with(['-', '+']))?;
        if position > 0 && (number.whole > 59 && !(position == 2 && number.whole == 60)) {
            return None;
        }
        number.is_negative = is_negative;
        sum.add(&number, Unit::Micros(unit));
    }
    Some(())
}

/// SQL's `years-months`
fn read_year_month(token: &str, sum: &mut Sum) -> Option<()> {
    let is_negative = token.starts_with('-');
    let digits = token.strip_prefix(['-', '+']).unwrap_or(token);
    let (years, months) = digits.split_once('-')?;
    for (part, unit) in [(years, Unit::Months(12)), (months, Unit::Months(1))] {
        let mut number = Number::read(part)?;
        number.is_negative = is_negative;
        sum.add(&number, unit);
    }
    Some(())
}

/// `P1Y2M3DT4H5M6S`, `P1W`
fn read_iso(text: &str, sum: &mut Sum) -> Option<()> {
    let is_negative = text.starts_with('-');
    let mut rest = text.strip_prefix('-').unwrap_or(text).strip_prefix('P')?;
    let mut is_time = false;
    let mut is_empty = true;
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix('T') {
            is_time = true;
            rest = time;
            continue;
        }
        let end = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let mut number = Number::read(&rest[..end])?;
        number.is_negative ^= is_negative;
        let unit = match (rest.as_bytes()[end], is_time) {
            (b'Y', false) => Unit::Months(12),
            (b'M', false) => Unit::Months(1),
            (b'W', false) => Unit::Days(7),
            (b'D', false) => Unit::Days(1),
            (b'H', true) => Unit::Micros(MICROS_PER_HOUR),
            (b'M', true) => Unit::Micros(MICROS_PER_MINUTE),
            (b'S', true) => Unit::Micros(MICROS_PER_SECOND),
            _ => return None,
        };
        sum.add(&number, unit);
        is_empty = false;
        rest = &rest[end + 1..];
    }
    (!is_empty).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::datetime::format::write_interval;

    fn read(text: &str) -> String {
        let mut out = String::new();
        write_interval(&mut out, &parse_interval(text).unwrap());
        out
    }

    #[test]
    fn notations() {
        for (text, shown) in [
            ("1 day 2 hours", "1 day 02:00:00"),
            ("1 year 2 months 3 days 04:05:06", "1 year 2 mons 3 days 04:05:06"),
            ("1.5 months", "1 mon 15 days"),
            ("1.5 years", "1 year 6 mons"),
            ("-1 day +02:03", "-1 days +02:03:00"),
            ("@ 5 minutes ago", "-00:05:00"),
            ("1-2", "1 year 2 mons"),
            ("P1Y2M3DT4H5M6.5S", "1 year 2 mons 3 days 04:05:06.5"),
            ("30", "00:00:30"),
            ("3 4:05", "3 days 04:05:00"),
            ("2h30m", "02:30:00"),
            ("1 week", "7 days"),
            ("100 ms", "00:00:00.1"),
            ("- 1 day", "-1 days"),
            ("0.5 day", "12:00:00"),
        ] {
            assert_eq!(read(text), shown, "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "x", "1 fortnight", "1:2:3:4", "P", "day"] {
            assert_eq!(parse_interval(text).unwrap_err().state().0, "22007", "{text}");
        }
        assert_eq!(parse_interval("9999999999 years").unwrap_err().state().0, "22015");
    }
}
