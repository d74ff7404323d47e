//! Functions on text (Postgres manual 9.4), except those by pattern.

use std::fmt::Write as _;

use md5::Digest as _;

use super::Builder;
use super::argument::{arg, optional};
use crate::error::{Error, Result, SqlState};
use crate::expression::EvalContext;
use crate::identifier::{quote_identifier, quote_literal};
use crate::value::Value;
use crate::value::output::to_text;

/// Postgres' limit on one value.
const TEXT_LEN_MAX: usize = 1 << 30;

pub(super) fn register(builder: &mut Builder) {
    register_shapes(builder);
    register_parts(builder);
    for (signature, eval) in SIMPLE {
        builder.function(signature, *eval);
    }
    builder.operator("|| (text, text) -> text", |_, args| append(arg(args, 0)?, arg(args, 1)?));
    builder
        .operator("|| (text, anynonarray) -> text", |ctx, args| {
            append(arg(args, 0)?, &shown(ctx, args.get(1).unwrap_or(&Value::Null)))
        })
        .stable();
    builder
        .operator("|| (anynonarray, text) -> text", |ctx, args| {
            append(&shown(ctx, args.first().unwrap_or(&Value::Null)), arg(args, 1)?)
        })
        .stable();
    builder.operator("^@ (text, text) -> bool", |_, args| {
        Ok(Value::Bool(arg::<&str>(args, 0)?.starts_with(arg::<&str>(args, 1)?)))
    });
    builder.function("concat(VARIADIC any) -> text", concat).stable().nullable();
    builder.function("concat_ws(text, VARIADIC any) -> text", concat_ws).stable().nullable();
    builder.function("format(text, VARIADIC any) -> text", format).stable().nullable();
    builder
        .function("quote_nullable(text) -> text", |_, args| {
            Ok(Value::text(match args {
                [Value::Text(text)] => quote_literal(text),
                _ => "NULL".to_owned(),
            }))
        })
        .nullable();
}

type Simple = (&'static str, super::Eval);

const SIMPLE: &[Simple] = &[
    ("lower(text) -> text", |_, args| Ok(Value::text(arg::<&str>(args, 0)?.to_lowercase()))),
    ("upper(text) -> text", |_, args| Ok(Value::text(upper(arg(args, 0)?)))),
    ("initcap(text) -> text", |_, args| Ok(Value::text(initcap(arg(args, 0)?)))),
    ("length(text) -> int4", |_, args| count(arg::<&str>(args, 0)?.chars().count())),
    ("char_length(text) -> int4", |_, args| count(arg::<&str>(args, 0)?.chars().count())),
    ("character_length(text) -> int4", |_, args| count(arg::<&str>(args, 0)?.chars().count())),
    ("octet_length(text) -> int4", |_, args| count(arg::<&str>(args, 0)?.len())),
    ("octet_length(bpchar) -> int4", |_, args| count(arg::<&str>(args, 0)?.len())),
    ("bit_length(text) -> int4", |_, args| count(arg::<&str>(args, 0)?.len() * 8)),
    ("ascii(text) -> int4", |_, args| {
        let first = arg::<&str>(args, 0)?.chars().next();
        Ok(Value::Int4(first.map_or(0, |c| (c as u32).cast_signed())))
    }),
    ("chr(int4) -> text", |_, args| chr(arg(args, 0)?)),
    ("reverse(text) -> text", |_, args| {
        Ok(Value::text(arg::<&str>(args, 0)?.chars().rev().collect::<String>()))
    }),
    ("repeat(text, int4) -> text", |_, args| {
        let (text, times): (&str, i32) = (arg(args, 0)?, arg(args, 1)?);
        let times = usize::try_from(times).unwrap_or(0);
        check_len(text.len().saturating_mul(times))?;
        Ok(Value::text(text.repeat(times)))
    }),
    ("replace(text, text, text) -> text", |_, args| {
        let (text, from, to): (&str, &str, &str) = (arg(args, 0)?, arg(args, 1)?, arg(args, 2)?);
        Ok(Value::text(if from.is_empty() { text.to_owned() } else { text.replace(from, to) }))
    }),
    ("translate(text, text, text) -> text", |_, args| {
        let to: Vec<char> = arg::<&str>(args, 2)?.chars().collect();
        let from: Vec<char> = arg::<&str>(args, 1)?.chars().collect();
        let chars = arg::<&str>(args, 0)?.chars();
        let translated = chars.filter_map(|c| match from.iter().position(|own| *own == c) {
            Some(at) => to.get(at).copied(),
            None => Some(c),
        });
        Ok(Value::text(translated.collect::<String>()))
    }),
    ("starts_with(text, text) -> bool", |_, args| {
        Ok(Value::Bool(arg::<&str>(args, 0)?.starts_with(arg::<&str>(args, 1)?)))
    }),
    ("to_hex(int4) -> text", |_, args| Ok(Value::text(format!("{:x}", arg::<i32>(args, 0)?)))),
    ("to_hex(int8) -> text", |_, args| Ok(Value::text(format!("{:x}", arg::<i64>(args, 0)?)))),
    ("md5(text) -> text", |_, args| {
        Ok(Value::text(super::bytes::hex(&md5::Md5::digest(arg::<&str>(args, 0)?))))
    }),
    ("quote_ident(text) -> text", |_, args| Ok(Value::text(quote_identifier(arg(args, 0)?)))),
    ("quote_literal(text) -> text", |_, args| Ok(Value::text(quote_literal(arg(args, 0)?)))),
];

fn register_shapes(builder: &mut Builder) {
    builder.function("lpad(text, int4, [text]) -> text", |_, args| {
        pad(args, |text, padding| format!("{padding}{text}"))
    });
    builder.function("rpad(text, int4, [text]) -> text", |_, args| {
        pad(args, |text, padding| format!("{text}{padding}"))
    });
    builder.function("btrim(text, [text]) -> text", |_, args| {
        trim(args, |text, set| text.trim_matches(set))
    });
    builder.function("ltrim(text, [text]) -> text", |_, args| {
        trim(args, |text, set| text.trim_start_matches(set))
    });
    builder.function("rtrim(text, [text]) -> text", |_, args| {
        trim(args, |text, set| text.trim_end_matches(set))
    });
}

fn register_parts(builder: &mut Builder) {
    for name in ["substr", "substring"] {
        let signature = format!("{name}(text, int4, [int4]) -> text");
        builder.function(&signature, |_, args| {
            let (text, start): (&str, i32) = (arg(args, 0)?, arg(args, 1)?);
            let (skip, take) = window(start, optional(args, 2)?)?;
            Ok(Value::text(text.chars().skip(skip).take(take).collect::<String>()))
        });
    }
    // The grammar of `position(part IN text)` puts the text first, too.
    for name in ["strpos", "position"] {
        builder.function(&format!("{name}(text, text) -> int4"), |_, args| {
            position(arg(args, 0)?, arg(args, 1)?)
        });
    }
    builder.function("left(text, int4) -> text", |_, args| {
        let text: &str = arg(args, 0)?;
        let take = from_end(text, arg(args, 1)?);
        Ok(Value::text(text.chars().take(take).collect::<String>()))
    });
    builder.function("right(text, int4) -> text", |_, args| {
        let text: &str = arg(args, 0)?;
        let take = from_end(text, arg(args, 1)?);
        let skip = text.chars().count().saturating_sub(take);
        Ok(Value::text(text.chars().skip(skip).collect::<String>()))
    });
    builder.function("split_part(text, text, int4) -> text", |_, args| {
        split_part(arg(args, 0)?, arg(args, 1)?, arg(args, 2)?)
    });
    builder.function("overlay(text, text, int4, [int4]) -> text", |_, args| {
        let (text, new, start): (&str, &str, i32) = (arg(args, 0)?, arg(args, 1)?, arg(args, 2)?);
        let len = match optional(args, 3)? {
            Some(len) => len,
            None => i32::try_from(new.chars().count()).unwrap_or(i32::MAX),
        };
        overlay(text, new, start, len)
    });
}

fn check_len(len: usize) -> Result<()> {
    if len >= TEXT_LEN_MAX {
        let message = "requested length too large";
        return Err(Error::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message));
    }
    Ok(())
}

/// A count as `int4`.
pub(super) fn count(count: usize) -> Result<Value> {
    i32::try_from(count)
        .map(Value::Int4)
        .map_err(|_| Error::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range"))
}

/// What `substring(… FROM start FOR len)` skips and takes; counted from 1, and a start before the
/// first character uses up its part of the length.
pub(super) fn window(start: i32, len: Option<i32>) -> Result<(usize, usize)> {
    let start = i64::from(start);
    let end = match len {
        Some(len) if len < 0 => {
            let message = "negative substring length not allowed";
            return Err(Error::new(SqlState("22011"), message));
        }
        Some(len) => start + i64::from(len),
        None => i64::MAX,
    };
    let first = start.max(1);
    let take = usize::try_from(end.max(first) - first).unwrap_or(usize::MAX);
    Ok((usize::try_from(first - 1).unwrap_or(0), take))
}

fn position(text: &str, part: &str) -> Result<Value> {
    match text.find(part) {
        Some(at) => count(text.get(..at).unwrap_or_default().chars().count() + 1),
        None => Ok(Value::Int4(0)),
    }
}

/// How many characters `left` and `right` keep: a negative number leaves so many out.
fn from_end(text: &str, len: i32) -> usize {
    match usize::try_from(len) {
        Ok(len) => len,
        Err(_) => {
            let out = usize::try_from(len.unsigned_abs()).unwrap_or(usize::MAX);
            text.chars().count().saturating_sub(out)
        }
    }
}

fn split_part(text: &str, separator: &str, field: i32) -> Result<Value> {
    if field == 0 {
        let message = "field position must not be zero";
        return Err(Error::new(SqlState::INVALID_PARAMETER_VALUE, message));
    }
    let parts: Vec<&str> =
        if separator.is_empty() { vec![text] } else { text.split(separator).collect() };
    let at = match usize::try_from(field) {
        Ok(field) => Some(field - 1),
        Err(_) => parts.len().checked_sub(field.unsigned_abs() as usize),
    };
    Ok(Value::text(at.and_then(|at| parts.get(at).copied()).unwrap_or_default()))
}

fn overlay(text: &str, new: &str, start: i32, len: i32) -> Result<Value> {
    if start <= 0 {
        return Err(Error::new(SqlState("22011"), "negative substring length not allowed"));
    }
    let before = usize::try_from(start - 1).unwrap_or(0);
    let after = usize::try_from(i64::from(start) - 1 + i64::from(len)).unwrap_or(0);
    let mut result: String = text.chars().take(before).collect();
    result.push_str(new);
    result.extend(text.chars().skip(after));
    Ok(Value::text(result))
}

fn chr(code: i32) -> Result<Value> {
    if code == 0 {
        let message = "null character not permitted";
        return Err(Error::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message));
    }
    let found = u32::try_from(code).ok().and_then(char::from_u32);
    let found = found.ok_or_else(|| {
        let message = format!("requested character not valid for encoding: {code}");
        Error::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message)
    })?;
    Ok(Value::text(found.to_string()))
}

fn initcap(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut is_inside = false;
    for c in text.chars() {
        if is_inside {
            result.extend(c.to_lowercase());
        } else {
            result.extend(c.to_uppercase());
        }
        is_inside = c.is_alphanumeric();
    }
    result
}

fn pad(args: &[Value], join: fn(&str, &str) -> String) -> Result<Value> {
    let (text, len): (&str, i32) = (arg(args, 0)?, arg(args, 1)?);
    let fill: &str = optional(args, 2)?.unwrap_or(" ");
    let len = usize::try_from(len).unwrap_or(0);
    check_len(len)?;
    let have = text.chars().count();
    if have >= len || fill.is_empty() {
        return Ok(Value::text(text.chars().take(len).collect::<String>()));
    }
    let padding: String = fill.chars().cycle().take(len - have).collect();
    Ok(Value::text(join(text, &padding)))
}

fn trim(args: &[Value], cut: for<'a> fn(&'a str, &[char]) -> &'a str) -> Result<Value> {
    let set: Vec<char> = optional::<&str>(args, 1)?.unwrap_or(" ").chars().collect();
    Ok(Value::text(cut(arg(args, 0)?, &set)))
}

fn append(left: &str, right: &str) -> Result<Value> {
    check_len(left.len() + right.len())?;
    Ok(Value::text([left, right].concat()))
}

/// A value of any type as text; the type is read off the value.
fn shown(ctx: &EvalContext<'_>, value: &Value) -> String {
    to_text(value, &value.natural_type(), &ctx.statement.output)
}

fn concat(ctx: &EvalContext<'_>, args: &[Value]) -> Result<Value> {
    let parts = variadic(args, 0)?;
    let parts = parts.iter().filter(|value| !value.is_null());
    Ok(Value::text(parts.map(|value| shown(ctx, value)).collect::<String>()))
}

fn concat_ws(ctx: &EvalContext<'_>, args: &[Value]) -> Result<Value> {
    let Some(separator) = optional::<&str>(args, 0)? else { return Ok(Value::Null) };
    let parts = variadic(args, 1)?;
    let parts = parts.iter().filter(|value| !value.is_null());
    let parts: Vec<String> = parts.map(|value| shown(ctx, value)).collect();
    Ok(Value::text(parts.join(separator)))
}

/// The values of a `VARIADIC "any"` parameter: they come as they are, from a position on.
fn variadic(args: &[Value], from: usize) -> Result<&[Value]> {
    args.get(from..).ok_or_else(|| Error::internal("missing arguments"))
}

fn format(ctx: &EvalContext<'_>, args: &[Value]) -> Result<Value> {
    let Some(template) = optional::<&str>(args, 0)? else { return Ok(Value::Null) };
    let values = args.get(1..).unwrap_or_default();
    let mut result = String::with_capacity(template.len());
    let mut chars = template.chars().peekable();
    let mut next = 0;
    while let Some(c) = chars.next() {
        if c != '%' {
            result.push(c);
            continue;
        }
        if chars.next_if_eq(&'%').is_some() {
            result.push('%');
            continue;
        }
        let spec = Spec::read(&mut chars)?;
        let at = spec.position.unwrap_or(next);
        next = at + 1;
        let value = values.get(at).ok_or_else(|| {
            Error::new(SqlState::INVALID_PARAMETER_VALUE, "too few arguments for format()")
        })?;
        spec.write(ctx, value, &mut result)?;
    }
    Ok(Value::text(result))
}

/// Capitals, letter by letter: one that would become several (`ß`) stays as it is.
fn upper(text: &str) -> String {
    let letter = |c: char| {
        let mut capitals = c.to_uppercase();
        match (capitals.next(), capitals.next()) {
            (Some(capital), None) => capital,
            _ => c,
        }
    };
    text.chars().map(letter).collect()
}

/// One `%[position$][-][width]type` of `format`.
struct Spec {
    position: Option<usize>,
    is_left: bool,
    width: usize,
    conversion: char,
}

impl Spec {
    fn read(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Self> {
        let bad = |message: &str| Error::new(SqlState::INVALID_PARAMETER_VALUE, message);
        let number = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>| {
            let mut digits = String::new();
            while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            digits.parse::<usize>().ok()
        };
        let mut position = None;
        let mut width = number(chars);
        if width.is_some() && chars.next_if_eq(&'$').is_some() {
            position = Some(
                width.take().filter(|at| *at > 0).ok_or_else(|| {
                    bad("format specifies argument 0, but arguments are numbered from 1")
                })? - 1,
            );
        }
        let is_left = chars.next_if_eq(&'-').is_some();
        let width = width.or_else(|| number(chars)).unwrap_or(0);
        check_len(width)?;
        let conversion = chars.next().ok_or_else(|| bad("unterminated format() type specifier"))?;
        if !matches!(conversion, 's' | 'I' | 'L') {
            let message = format!("unrecognized format() type specifier \"{conversion}\"");
            return Err(bad(&message));
        }
        Ok(Self { position, is_left, width, conversion })
    }

    fn write(&self, ctx: &EvalContext<'_>, value: &Value, into: &mut String) -> Result<()> {
        let text = match (self.conversion, value.is_null()) {
            ('L', true) => "NULL".to_owned(),
            ('I', true) => {
                let message = "null values cannot be formatted as an SQL identifier";
                return Err(Error::new(SqlState("22004"), message));
            }
            (_, true) => String::new(),
            ('I', false) => quote_identifier(&shown(ctx, value)),
            ('L', false) => quote_literal(&shown(ctx, value)),
            _ => shown(ctx, value),
        };
        let width = self.width;
        let written = if self.is_left {
            write!(into, "{text:<width$}")
        } else {
            write!(into, "{text:>width$}")
        };
        written.map_err(|_| Error::internal("cannot write to a string"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn substrings_count_from_one_and_before() {
        assert_eq!(window(2, Some(3)).unwrap(), (1, 3));
        assert_eq!(window(-1, Some(3)).unwrap(), (0, 1));
        assert_eq!(window(0, None).unwrap().0, 0);
        assert!(window(1, Some(-1)).is_err());
    }

    #[test]
    fn words_begin_in_capitals() {
        assert_eq!(initcap("hELLO wORLD-wide 3rd"), "Hello World-Wide 3rd");
    }
}
