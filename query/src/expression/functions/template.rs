//! `to_char`, `to_date`, `to_timestamp` and `to_number` (Postgres manual 9.8).

use super::Builder;
use super::argument::arg;
use crate::error::{Error, Result, SqlState};
use crate::expression::EvalContext;
use crate::value::Value;
use crate::value::datetime::template::{Moment, from_char, moment_of, ordinal_suffix, to_char};
use crate::value::datetime::{Civil, Interval, MICROS_PER_DAY, is_infinite, zone};
use crate::value::numeric::Numeric;

pub(super) fn register(builder: &mut Builder) {
    builder.function("to_char(timestamp, text) -> text", |_, args| {
        local_to_char(arg(args, 0)?, None, String::new(), arg(args, 1)?)
    });
    builder.function("to_char(timestamptz, text) -> text", zoned_to_char).stable();
    builder.function("to_char(interval, text) -> text", |_, args| {
        interval_to_char(arg(args, 0)?, arg(args, 1)?)
    });
    for (ty, code) in NUMBERS {
        builder.function(&format!("to_char({ty}, text) -> text"), *code);
    }
    builder
        .function("to_timestamp(text, text) -> timestamptz", |cx, args| {
            let (local, offset) = from_char(arg(args, 0)?, arg(args, 1)?)?;
            let fixed = offset.and_then(zone::fixed);
            let zone = fixed.as_ref().unwrap_or(&cx.statement.time_zone);
            zone::to_utc(zone, local).map(Value::TimestampTz)
        })
        .stable();
    builder.function("to_date(text, text) -> date", |_, args| {
        let (local, _) = from_char(arg(args, 0)?, arg(args, 1)?)?;
        Ok(Value::Date(local.div_euclid(MICROS_PER_DAY) as i32))
    });
    builder.function("to_number(text, text) -> numeric", |_, args| {
        read_number(arg(args, 0)?, arg(args, 1)?)
    });
}

const NUMBERS: &[(&str, super::Eval)] = &[
    ("int4", |_, args| number_to_char(&Numeric::from(i64::from(arg::<i32>(args, 0)?)), args)),
    ("int8", |_, args| number_to_char(&Numeric::from(arg::<i64>(args, 0)?), args)),
    ("float4", |_, args| number_to_char(&Numeric::from_f32(arg(args, 0)?), args)),
    ("float8", |_, args| number_to_char(&Numeric::from_f64(arg(args, 0)?), args)),
    ("numeric", |_, args| number_to_char(arg(args, 0)?, args)),
];

fn local_to_char(local: i64, offset: Option<i32>, name: String, template: &str) -> Result<Value> {
    if is_infinite(local) {
        return Ok(Value::Null);
    }
    Ok(Value::text(to_char(&moment_of(local, offset, name), template)))
}

fn zoned_to_char(cx: &EvalContext<'_>, args: &[Value]) -> Result<Value> {
    let moment: i64 = arg(args, 0)?;
    let zone = &cx.statement.time_zone;
    let offset = zone::offset_at(zone, moment);
    let name = zone::abbreviation_at(zone, moment);
    local_to_char(zone::to_local(zone, moment)?, Some(offset), name, arg(args, 1)?)
}

fn interval_to_char(interval: &Interval, template: &str) -> Result<Value> {
    let day = Civil {
        year: interval.months / 12,
        month: (interval.months % 12).unsigned_abs(),
        day: interval.days.unsigned_abs(),
    };
    let moment = Moment { day, time: interval.micros, offset: None, zone: String::new() };
    Ok(Value::text(to_char(&moment, template)))
}

/// A numeric template, taken apart.
#[derive(Default)]
struct Picture {
    /// `9`, `0`, `,` before the point.
    whole: Vec<char>,
    /// `9` and `0` after it.
    fraction: Vec<char>,
    has_point: bool,
    is_filled: bool,
    sign: Sign,
    ordinal: Option<bool>,
    prefix: String,
    suffix: String,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Sign {
    /// A minus before the number, a space for none.
    #[default]
    Leading,
    /// `S` in front: a sign always.
    Anchored,
    /// `S` behind.
    Trailing,
    /// `MI` in front.
    MinusFirst,
    /// `MI` behind.
    Minus,
    /// `PL` in front.
    Plus,
    /// `PR`: angle brackets.
    Brackets,
}

fn read_picture(template: &str) -> Result<Picture> {
    let mut picture = Picture { is_filled: true, ..Picture::default() };
    let mut rest = template;
    while let Some(c) = rest.chars().next() {
        let upper: String = rest.chars().take(2).collect::<String>().to_uppercase();
        let has_digits = !picture.whole.is_empty() || !picture.fraction.is_empty();
        let taken = match (upper.as_str(), c) {
            ("FM", _) => {
                picture.is_filled = false;
                2
            }
            ("MI", _) => {
                picture.sign = if has_digits { Sign::Minus } else { Sign::MinusFirst };
                2
            }
            ("PL" | "SG", _) => {
                picture.sign = if upper == "PL" { Sign::Plus } else { Sign::Anchored };
                2
            }
            ("PR", _) => {
                picture.sign = Sign::Brackets;
                2
            }
            ("TH", c) => {
                picture.ordinal = Some(c == 'T');
                2
            }
            ("EE" | "RN", _) => return Err(Error::unsupported("this number template")),
            (_, 'V' | 'v') => return Err(Error::unsupported("\"V\" in a number template")),
            (_, '9' | '0') if picture.has_point => {
                picture.fraction.push(c);
                1
            }
            (_, '9' | '0') => {
                picture.whole.push(c);
                1
            }
            (_, ',' | 'G' | 'g') => {
                picture.whole.push(',');
                1
            }
            (_, '.' | 'D' | 'd') => {
                if picture.has_point {
                    let message = "multiple decimal points";
                    return Err(Error::new(SqlState::SYNTAX_ERROR, message));
                }
                picture.has_point = true;
                1
            }
            (_, 'S' | 's') => {
                picture.sign = if has_digits { Sign::Trailing } else { Sign::Anchored };
                1
            }
            (_, 'L' | 'l') => {
                push_literal(&mut picture, " ", has_digits);
                1
            }
            (_, '"') => {
                let body = &rest[1..];
                let end = body.find('"').unwrap_or(body.len());
                push_literal(&mut picture, &body[..end], has_digits);
                (end + 2).min(rest.len())
            }
            (_, c) => {
                push_literal(&mut picture, &rest[..c.len_utf8()], has_digits);
                c.len_utf8()
            }
        };
        rest = rest.get(taken..).unwrap_or("");
    }
    Ok(picture)
}

fn push_literal(picture: &mut Picture, text: &str, is_behind: bool) {
    if is_behind { picture.suffix.push_str(text) } else { picture.prefix.push_str(text) }
}

fn number_to_char(number: &Numeric, args: &[Value]) -> Result<Value> {
    let picture = read_picture(arg(args, 1)?)?;
    let rounded = number.abs().round(picture.fraction.len() as i32);
    let is_negative = number.signum() < 0 && !rounded.is_zero();
    let text = rounded.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let whole = if whole == "0" && !picture.fraction.is_empty() { "" } else { whole };
    let places = picture.whole.iter().filter(|c| **c != ',').count();
    let digits = if whole.len() > places {
        picture.whole.iter().map(|c| if *c == ',' { ',' } else { '#' }).collect()
    } else {
        print_whole(&picture, whole, places)
    };
    let fraction: String = if whole.len() > places {
        "#".repeat(picture.fraction.len())
    } else {
        print_fraction(&picture, fraction)
    };
    let point = if picture.has_point { "." } else { "" };
    let body = digits + point + &fraction;
    Ok(Value::text(print_sign(&picture, &body, is_negative)))
}

fn print_whole(picture: &Picture, whole: &str, places: usize) -> String {
    let mut digits = format!("{whole:>places$}").chars().collect::<Vec<_>>().into_iter();
    let mut has_begun = false;
    let mut out = String::new();
    for c in &picture.whole {
        if *c == ',' {
            match (has_begun, picture.is_filled) {
                (true, _) => out.push(','),
                (false, true) => out.push(' '),
                (false, false) => {}
            }
            continue;
        }
        match digits.next() {
            Some(' ') if *c == '0' || has_begun => {
                has_begun = true;
                out.push('0');
            }
            Some(' ') if picture.is_filled => out.push(' '),
            Some(' ') => {}
            Some(digit) => {
                has_begun = true;
                out.push(digit);
            }
            None => {}
        }
    }
    out
}

fn print_fraction(picture: &Picture, fraction: &str) -> String {
    if picture.is_filled {
        return fraction.to_owned();
    }
    // Without fill, zeros at the end go where the picture has 9.
    let last_zero = picture.fraction.iter().rposition(|c| *c == '0').map_or(0, |at| at + 1);
    let kept = fraction.trim_end_matches('0').len().max(last_zero);
    fraction.get(..kept).unwrap_or(fraction).to_owned()
}

fn print_sign(picture: &Picture, body: &str, is_negative: bool) -> String {
    let digits = body.trim_start();
    let pad = &body[..body.len() - digits.len()];
    let filled = |text: &str| if picture.is_filled { text.to_owned() } else { String::new() };
    let ordinal = match picture.ordinal {
        Some(is_upper) if !is_negative && !picture.has_point => {
            let suffix = ordinal_suffix(digits);
            if is_upper { suffix.to_uppercase() } else { suffix.to_owned() }
        }
        _ => String::new(),
    };
    let digits = format!("{digits}{ordinal}");
    let signed = match (picture.sign, is_negative) {
        (Sign::Leading, true) => format!("{pad}-{digits}"),
        (Sign::Leading, false) => format!("{}{pad}{digits}", filled(" ")),
        (Sign::Anchored, negative) => format!("{pad}{}{digits}", if negative { '-' } else { '+' }),
        (Sign::Trailing, negative) => format!("{pad}{digits}{}", if negative { '-' } else { '+' }),
        (Sign::MinusFirst, true) => format!("-{pad}{digits}"),
        (Sign::MinusFirst, false) => format!("{}{pad}{digits}", filled(" ")),
        (Sign::Minus, true) => format!("{pad}{digits}-"),
        (Sign::Minus, false) => format!("{pad}{digits}{}", filled(" ")),
        (Sign::Plus, true) => format!("{} {pad}-{digits}", ""),
        (Sign::Plus, false) => format!("+{}{pad}{digits}", filled(" ")),
        (Sign::Brackets, true) => format!("{pad}<{digits}>"),
        (Sign::Brackets, false) => format!("{}{pad}{digits}{}", filled(" "), filled(" ")),
    };
    format!("{}{signed}{}", picture.prefix, picture.suffix)
}

/// The digits, sign and point of a text; what else the template allows is skipped.
fn read_number(text: &str, template: &str) -> Result<Value> {
    let picture = read_picture(template)?;
    let is_negative = text.contains('-') || (picture.sign == Sign::Brackets && text.contains('<'));
    let digits: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '.').collect();
    let shown = if digits.is_empty() { text } else { &digits };
    let number: Numeric = shown.parse()?;
    let number = number.round(picture.fraction.len() as i32);
    Ok(Value::numeric(if is_negative { number.neg() } else { number }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_by_picture() {
        let print = |text: &str, template: &str| {
            let args = [Value::Null, Value::text(template)];
            let number: Numeric = text.parse().unwrap();
            number_to_char(&number, &args).unwrap().as_str().unwrap().to_owned()
        };
        for (number, template, shown) in [
            ("1234.5", "9,999.99", " 1,234.50"),
            ("-1234.5", "9,999.99", "-1,234.50"),
            ("12", "9999", "   12"),
            ("12", "0000", " 0012"),
            ("12", "FM9999", "12"),
            ("12345", "999", " ###"),
            ("0.5", "0.99", " 0.50"),
            ("0.5", "9.99", "  .50"),
            ("0.5", "FM990.99", "0.5"),
            ("-5", "999PR", "  <5>"),
            ("5", "S999", "  +5"),
            ("-5", "999MI", "  5-"),
            ("1234567.891", "FM9,999,999.00", "1,234,567.89"),
            ("22", "FM99th", "22nd"),
        ] {
            assert_eq!(print(number, template), shown, "{number} {template}");
        }
    }
}
