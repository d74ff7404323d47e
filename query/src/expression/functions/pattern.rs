//! Matching text: LIKE, SIMILAR TO, and regular expressions (Postgres manual 9.7).
//!
//! LIKE is matched directly. Regular expressions are the `regex` crate's, which takes linear time
//! on any pattern; it lacks the back-references and look-around of Postgres' own engine, and says
//! so (2201B).

use std::borrow::Cow;
use std::cell::RefCell;
use std::num::NonZeroUsize;

use regex::{Captures, Regex, RegexBuilder};

use super::argument::{arg, optional};
use super::{Builder, RowSet};
use crate::error::{Error, Result, SqlState};
use crate::value::{Array, Type, Value};

/// Compiled patterns that a thread keeps.
const CACHE_COUNT: NonZeroUsize = NonZeroUsize::new(64).expect("not zero");
/// 10 MiB: what one compiled pattern may occupy.
const PATTERN_LEN_MAX: usize = 10 << 20;

thread_local! {
    static CACHE: RefCell<Vec<(String, Regex)>> = const { RefCell::new(Vec::new()) };
}

/// Operators that hold a pattern against a text, and against a `character` with the spaces that it
/// is filled up with.
const OPERATORS: &[(&str, &str, super::Eval)] = &[
    ("~~ (text, text) -> bool", "~~ (bpchar, text) -> bool", |_, args| {
        like(arg(args, 0)?, arg(args, 1)?, Some('\\')).map(Value::Bool)
    }),
    ("!~~ (text, text) -> bool", "!~~ (bpchar, text) -> bool", |_, args| {
        like(arg(args, 0)?, arg(args, 1)?, Some('\\')).map(|found| Value::Bool(!found))
    }),
    ("~~* (text, text) -> bool", "~~* (bpchar, text) -> bool", |_, args| {
        ilike(args).map(Value::Bool)
    }),
    ("!~~* (text, text) -> bool", "!~~* (bpchar, text) -> bool", |_, args| {
        ilike(args).map(|found| Value::Bool(!found))
    }),
    ("~ (text, text) -> bool", "~ (bpchar, text) -> bool", |_, args| {
        matches(args, "").map(Value::Bool)
    }),
    ("~* (text, text) -> bool", "~* (bpchar, text) -> bool", |_, args| {
        matches(args, "i").map(Value::Bool)
    }),
    ("!~ (text, text) -> bool", "!~ (bpchar, text) -> bool", |_, args| {
        matches(args, "").map(|found| Value::Bool(!found))
    }),
    ("!~* (text, text) -> bool", "!~* (bpchar, text) -> bool", |_, args| {
        matches(args, "i").map(|found| Value::Bool(!found))
    }),
];

pub(super) fn register(builder: &mut Builder) {
    for (of_text, of_padded, eval) in OPERATORS {
        builder.operator(of_text, *eval);
        builder.operator(of_padded, *eval);
    }
    builder.function("like_escape(text, text) -> text", |_, args| {
        like_escape(arg(args, 0)?, arg(args, 1)?)
    });
    builder.function("similar_to_escape(text, [text]) -> text", |_, args| {
        let escape = optional::<&str>(args, 1)?.map_or(Some('\\'), |text| text.chars().next());
        similar_pattern(arg(args, 0)?, escape).map(Value::text)
    });
    register_functions(builder);
}

fn register_functions(builder: &mut Builder) {
    builder.function("regexp_like(text, text, [text]) -> bool", |_, args| {
        matches(args, optional(args, 2)?.unwrap_or_default()).map(Value::Bool)
    });
    builder.function("regexp_count(text, text, [int4], [text]) -> int4", |_, args| {
        let regex = compile(arg(args, 1)?, optional(args, 3)?.unwrap_or_default())?;
        let text = from_character(arg(args, 0)?, optional(args, 2)?.unwrap_or(1))?;
        super::string::count(regex.find_iter(text).count())
    });
    builder.function("regexp_replace(text, text, text, [text]) -> text", |_, args| {
        let flags = optional::<&str>(args, 3)?.unwrap_or_default();
        replace(arg(args, 0)?, arg(args, 1)?, arg(args, 2)?, flags)
    });
    builder.function("regexp_match(text, text, [text]) -> text[]", |_, args| {
        let regex = compile(arg(args, 1)?, optional(args, 2)?.unwrap_or_default())?;
        let found = regex.captures(arg(args, 0)?);
        Ok(found.map_or(Value::Null, |found| groups(&found)))
    });
    builder.function("regexp_substr(text, text, [int4], [int4], [text]) -> text", |_, args| {
        let regex = compile(arg(args, 1)?, optional(args, 4)?.unwrap_or_default())?;
        let text = from_character(arg(args, 0)?, optional(args, 2)?.unwrap_or(1))?;
        let nth = usize::try_from(optional(args, 3)?.unwrap_or(1).max(1) - 1).unwrap_or(0);
        let found = regex.find_iter(text).nth(nth);
        Ok(found.map_or(Value::Null, |found| Value::text(found.as_str())))
    });
    builder.function("substring(text, text) -> text", |_, args| {
        let regex = compile(arg(args, 1)?, "")?;
        let Some(found) = regex.captures(arg(args, 0)?) else { return Ok(Value::Null) };
        let part = if found.len() > 1 { found.get(1) } else { found.get(0) };
        Ok(part.map_or(Value::Null, |part| Value::text(part.as_str())))
    });
    builder.function("regexp_split_to_array(text, text, [text]) -> text[]", |_, args| {
        let parts = split(arg(args, 0)?, arg(args, 1)?, optional(args, 2)?.unwrap_or_default())?;
        Ok(text_array(parts))
    });
    builder.set_function("regexp_split_to_table(text, text, [text]) -> text", |_, args| {
        let parts = split(arg(args, 0)?, arg(args, 1)?, optional(args, 2)?.unwrap_or_default())?;
        Ok(rows(parts))
    });
    builder.set_function("regexp_matches(text, text, [text]) -> text[]", |_, args| {
        let flags = optional::<&str>(args, 2)?.unwrap_or_default();
        let regex = compile(arg(args, 1)?, flags)?;
        let count = if flags.contains('g') { usize::MAX } else { 1 };
        let found = regex.captures_iter(arg(args, 0)?).take(count);
        Ok(rows(found.map(|found| groups(&found)).collect()))
    });
}

fn rows(values: Vec<Value>) -> RowSet {
    Box::new(values.into_iter().map(|value| Ok(vec![value])))
}

fn text_array(elements: Vec<Value>) -> Value {
    Value::Array(Array::new(Type::Text, elements).into())
}

fn groups(found: &Captures<'_>) -> Value {
    let skip = usize::from(found.len() > 1);
    let parts = found.iter().skip(skip);
    let parts = parts.map(|part| part.map_or(Value::Null, |part| Value::text(part.as_str())));
    text_array(parts.collect())
}

fn from_character(text: &str, start: i32) -> Result<&str> {
    let skip = usize::try_from(start - 1).map_err(|_| {
        let message = format!("invalid value for parameter \"start\": {start}");
        Error::new(SqlState::INVALID_PARAMETER_VALUE, message)
    })?;
    let at = text.char_indices().nth(skip).map_or(text.len(), |(at, _)| at);
    Ok(text.get(at..).unwrap_or_default())
}

/// Whether `text` matches a LIKE pattern as a whole.
///
/// A `%` remembers where it stands; on a mismatch the last one takes one character more. That is
/// enough, because a later `%` can always give back what an earlier one would have to take.
fn like(text: &str, pattern: &str, escape: Option<char>) -> Result<bool> {
    let mut text_at = text.chars();
    let mut pattern_at = pattern.chars();
    let mut retry: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        let is_matched = match pattern_at.next() {
            Some('%') => {
                retry = Some((text_at.clone(), pattern_at.clone()));
                continue;
            }
            // Where the text is over, what the pattern still asks for does not matter.
            Some(c) if Some(c) == escape && !text_at.as_str().is_empty() => {
                let literal = pattern_at.next().ok_or_else(|| {
                    let message = "LIKE pattern must not end with escape character";
                    Error::new(SqlState("22025"), message)
                })?;
                text_at.next() == Some(literal)
            }
            Some('_') => text_at.next().is_some(),
            Some(c) => text_at.next() == Some(c),
            None => {
                if text_at.as_str().is_empty() {
                    return Ok(true);
                }
                false
            }
        };
        if is_matched {
            continue;
        }
        let Some((mut from, rest)) = retry.take() else { return Ok(false) };
        if from.next().is_none() {
            return Ok(false);
        }
        text_at = from.clone();
        pattern_at = rest.clone();
        retry = Some((from, rest));
    }
}

fn ilike(args: &[Value]) -> Result<bool> {
    let (text, pattern): (&str, &str) = (arg(args, 0)?, arg(args, 1)?);
    like(&text.to_lowercase(), &pattern.to_lowercase(), Some('\\'))
}

/// `LIKE … ESCAPE`: the pattern rewritten to escape with a backslash.
fn like_escape(pattern: &str, escape: &str) -> Result<Value> {
    let escape = escape_character(escape)?;
    let mut result = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if Some(c) == escape {
            result.push('\\');
            result.extend(chars.next());
        } else if c == '\\' {
            result.push_str("\\\\");
        } else {
            result.push(c);
        }
    }
    Ok(Value::text(result))
}

fn escape_character(escape: &str) -> Result<Option<char>> {
    let mut chars = escape.chars();
    let first = chars.next();
    if chars.next().is_some() {
        return Err(Error::new(SqlState("22025"), "invalid escape string")
            .with_hint("Escape string must be empty or one character."));
    }
    Ok(first)
}

/// A SIMILAR TO pattern as a regular expression over the whole text.
fn similar_pattern(pattern: &str, escape: Option<char>) -> Result<String> {
    let mut result = String::from("^(?:");
    let mut is_in_class = false;
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            c if Some(c) == escape => {
                let literal = chars.next().ok_or_else(|| {
                    Error::new(SqlState("22025"), "SIMILAR TO pattern must not end with escape")
                })?;
                result.push_str(&regex::escape(&literal.to_string()));
            }
            '[' if !is_in_class => {
                is_in_class = true;
                result.push('[');
            }
            ']' if is_in_class => {
                is_in_class = false;
                result.push(']');
            }
            c if is_in_class => result.push(c),
            '%' => result.push_str("(?s:.*)"),
            '_' => result.push_str("(?s:.)"),
            '(' => result.push_str("(?:"),
            '.' | '^' | '$' | '\\' => {
                result.push('\\');
                result.push(c);
            }
            c => result.push(c),
        }
    }
    result.push_str(")$");
    Ok(result)
}

fn matches(args: &[Value], flags: &str) -> Result<bool> {
    Ok(compile(arg(args, 1)?, flags)?.is_match(arg(args, 0)?))
}

/// Compiles a pattern, or finds it among the last ones.
fn compile(pattern: &str, flags: &str) -> Result<Regex> {
    let key = format!("{flags}/{pattern}");
    CACHE.with_borrow_mut(|cache| {
        if let Some(at) = cache.iter().position(|(own, _)| *own == key) {
            let hit = cache.remove(at);
            let regex = hit.1.clone();
            cache.push(hit);
            return Ok(regex);
        }
        let regex = build(pattern, flags)?;
        if cache.len() >= CACHE_COUNT.get() {
            cache.remove(0);
        }
        cache.push((key, regex.clone()));
        Ok(regex)
    })
}

fn build(pattern: &str, flags: &str) -> Result<Regex> {
    // Postgres' `.` matches line ends, and `^`, `$` only the ends of the text, unless `n` or `m`.
    let is_by_line = flags.contains(['n', 'm']);
    if let Some(unknown) = flags.chars().find(|flag| !"gicnmsxpqetbw".contains(*flag)) {
        let message = format!("invalid regular expression option: \"{unknown}\"");
        return Err(Error::new(SqlState::INVALID_PARAMETER_VALUE, message));
    }
    let pattern =
        if flags.contains('q') { Cow::Owned(regex::escape(pattern)) } else { translate(pattern) };
    RegexBuilder::new(&pattern)
        .case_insensitive(flags.contains('i'))
        .multi_line(is_by_line)
        .dot_matches_new_line(!is_by_line)
        .ignore_whitespace(flags.contains('x'))
        .size_limit(PATTERN_LEN_MAX)
        .build()
        .map_err(|error| invalid(&error.to_string()))
}

/// What is wrong with a pattern, in Postgres' words where it has them.
fn invalid(report: &str) -> Error {
    let cause = report.lines().last().unwrap_or_default().trim();
    let cause = cause.strip_prefix("error: ").unwrap_or(cause);
    let cause = match cause {
        "unclosed group" | "unopened group" => "parentheses () not balanced",
        "unclosed character class" => "brackets [] not balanced",
        "unclosed counted repetition" => "braces {} not balanced",
        "repetition operator missing expression" => "quantifier operand invalid",
        _ if cause.starts_with("invalid repetition count range") => "invalid repetition count(s)",
        _ if cause.starts_with("invalid character class range") => "invalid character range",
        _ if cause.starts_with("unrecognized escape sequence")
            || cause.starts_with("incomplete escape sequence") =>
        {
            "invalid escape \\ sequence"
        }
        other => other,
    };
    Error::new(SqlState("2201B"), format!("invalid regular expression: {cause}"))
}

/// What Postgres writes otherwise: `\m`, `\M`, `\y`, `\Y` are word borders.
fn translate(pattern: &str) -> Cow<'_, str> {
    if !pattern.contains('\\') {
        return Cow::Borrowed(pattern);
    }
    let mut result = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            result.push(c);
            continue;
        }
        match chars.next() {
            Some('m') => result.push_str("\\b{start}"),
            Some('M') => result.push_str("\\b{end}"),
            Some('y') => result.push_str("\\b"),
            Some('Y') => result.push_str("\\B"),
            Some('Z') => result.push_str("\\z"),
            Some(other) => {
                result.push('\\');
                result.push(other);
            }
            None => result.push('\\'),
        }
    }
    Cow::Owned(result)
}

fn replace(text: &str, pattern: &str, replacement: &str, flags: &str) -> Result<Value> {
    let regex = compile(pattern, flags)?;
    let expand = |found: &Captures<'_>| {
        let mut result = String::new();
        let mut chars = replacement.chars();
        while let Some(c) = chars.next() {
            match (c, if c == '\\' { chars.next() } else { None }) {
                ('\\', Some('&')) => result.push_str(found.get(0).map_or("", |m| m.as_str())),
                ('\\', Some(digit @ '0'..='9')) => {
                    let group = digit.to_digit(10).unwrap_or(0) as usize;
                    result.push_str(found.get(group).map_or("", |part| part.as_str()));
                }
                ('\\', Some('\\') | None) => result.push('\\'),
                ('\\', Some(other)) => result.extend(['\\', other]),
                (c, _) => result.push(c),
            }
        }
        result
    };
    let limit = usize::from(!flags.contains('g'));
    Ok(Value::text(regex.replacen(text, limit, expand)))
}

/// The parts between matches. An empty match at an end of the text or right behind a match
/// separates nothing.
fn split(text: &str, pattern: &str, flags: &str) -> Result<Vec<Value>> {
    let regex = compile(pattern, flags)?;
    let mut parts = Vec::new();
    let mut done = 0;
    for found in regex.find_iter(text) {
        if found.is_empty() && (found.start() == done || found.start() == text.len()) {
            continue;
        }
        parts.push(Value::text(text.get(done..found.start()).unwrap_or_default()));
        done = found.end();
    }
    parts.push(Value::text(text.get(done..).unwrap_or_default()));
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_matches_whole_texts() {
        let like = |text, pattern| like(text, pattern, Some('\\')).unwrap();
        assert!(like("hello", "h%o"));
        assert!(like("hello", "%l_o"));
        assert!(like("a%b", "a\\%b"));
        assert!(!like("axb", "a\\%b"));
        assert!(like("", "%"));
        assert!(!like("abc", "ab"));
        assert!(like("aaab", "%aab"));
        assert!(super::like("xy", "x\\", Some('\\')).is_err());
        assert!(!like("x", "x\\"));
    }

    #[test]
    fn similar_to_and_escapes() {
        let pattern = similar_pattern("%(b|d)%", Some('\\')).unwrap();
        assert!(compile(&pattern, "").unwrap().is_match("abc"));
        assert!(!compile(&pattern, "").unwrap().is_match("ace"));
    }

    #[test]
    fn replacing_and_splitting() {
        let replaced = replace("foobarbaz", "b(..)", "X\\1Y", "g").unwrap();
        assert!(matches!(&replaced, Value::Text(text) if &**text == "fooXarYXazY"));
        assert_eq!(split("hello world", "\\s+", "").unwrap().len(), 2);
        assert_eq!(split("abc", "", "").unwrap().len(), 3);
    }
}
