//! Text as values, as Postgres' input functions read it.

use std::str::FromStr;
use std::sync::Arc;

use super::datetime::parse::{self, Clock};
use super::datetime::parse_interval::parse_interval;
use super::numeric::Numeric;
use super::{EnumLabel, SqlType, Type, Value, json, literal, opaque};
use crate::catalog::{Catalog, Relation};
use crate::error::{Error, Result, SqlState};
use crate::expression::context::StatementFacts;

/// The longest name, in bytes.
const NAME_LEN_MAX: usize = 63;

/// What reading a text may depend on.
#[derive(Clone, Copy, Debug)]
pub struct InputContext<'a> {
    /// Time zone, `now`, search path.
    pub facts: &'a StatementFacts,
    /// Knows user types and the names behind `regclass`.
    pub catalog: Option<&'a Catalog>,
}

impl<'a> InputContext<'a> {
    /// What a statement knows.
    pub fn of(facts: &'a StatementFacts) -> Self {
        Self { facts, catalog: facts.output.catalog.as_deref() }
    }
}

/// Reads a value by what a statement knows, and applies the modifier as an assignment does.
///
/// # Errors
/// 22P02 and its kin in Postgres' words.
pub fn from_text(text: &str, ty: &SqlType, facts: &StatementFacts) -> Result<Value> {
    parse_as(text, ty, InputContext::of(facts))
}

/// Reads a value and applies the modifier as an assignment does.
///
/// # Errors
/// 22P02 and its kin in Postgres' words.
pub fn parse_as(text: &str, ty: &SqlType, cx: InputContext<'_>) -> Result<Value> {
    let value = parse(text, &ty.base, cx)?;
    if ty.modifier < 0 {
        return Ok(value);
    }
    crate::expression::cast::apply_modifier(value, ty, false)
}

/// Reads a value without looking at modifiers.
///
/// # Errors
/// 22P02 and its kin in Postgres' words.
pub fn parse(text: &str, ty: &Type, cx: InputContext<'_>) -> Result<Value> {
    let clock = Clock { zone: &cx.facts.time_zone, now: cx.facts.transaction_time };
    Ok(match ty {
        Type::Unknown | Type::Text | Type::Varchar => Value::text(text),
        Type::Bpchar => Value::padded(text),
        Type::Name => Value::text(cut_name(text)),
        Type::Char => Value::text(text.chars().next().map(String::from).unwrap_or_default()),
        Type::Bool => Value::Bool(parse_bool(text)?),
        Type::Int2 => Value::Int2(parse_integer(text, "smallint")?),
        Type::Int4 => Value::Int4(parse_integer(text, "integer")?),
        Type::Int8 => Value::Int8(parse_integer(text, "bigint")?),
        Type::Float4 => Value::Float4(parse_f32(text)?),
        Type::Float8 => Value::Float8(parse_f64(text)?),
        Type::Numeric => Value::numeric(text.parse::<Numeric>()?),
        Type::Bytea => Value::bytea(parse_bytes(text)?),
        Type::Date => Value::Date(parse::parse_date(text, clock)?),
        Type::Time => Value::Time(parse::parse_time(text, clock)?),
        Type::TimeTz => {
            let (micros, west) = parse::parse_timetz(text, clock)?;
            Value::TimeTz(micros, west)
        }
        Type::Timestamp => Value::Timestamp(parse::parse_timestamp(text, clock)?),
        Type::TimestampTz => Value::TimestampTz(parse::parse_timestamptz(text, clock)?),
        Type::Interval => Value::interval(parse_interval(text)?),
        Type::Uuid => Value::Uuid(Arc::new(parse_uuid(text)?)),
        Type::Json => {
            json::validate(text)?;
            Value::text(text)
        }
        Type::Jsonb => Value::jsonb(json::parse(text)?),
        Type::JsonPath => Value::text(text),
        Type::Oid => Value::Oid(parse_oid(text)?),
        Type::RegClass | Type::RegType | Type::RegNamespace | Type::RegProc => {
            parse_object(text, ty, cx)?
        }
        Type::RegConfig => Value::text(text.strip_prefix("pg_catalog.").unwrap_or(text)),
        Type::Array(element) => literal::parse_array(text, element, cx)?,
        Type::Int2Vector | Type::OidVector => parse_vector(text, ty, cx)?,
        Type::Range(element) => literal::parse_range(text, element, cx)?,
        Type::Enum(oid) => parse_enum(text, *oid, cx)?,
        Type::Row(oid) => literal::parse_row(text, *oid, cx)?,
        Type::Record => {
            return Err(Error::unsupported("input of anonymous composite types"));
        }
        Type::Void => Value::Null,
        Type::TsVector
        | Type::TsQuery
        | Type::Geometry
        | Type::Geography
        | Type::Box2d
        | Type::Box3d => opaque::parse(text, ty)?,
    })
}

/// `1 2`
fn parse_vector(text: &str, ty: &Type, cx: InputContext<'_>) -> Result<Value> {
    let element = ty.element().ok_or_else(|| Error::internal("a vector of nothing"))?;
    let elements = text.split_ascii_whitespace().map(|part| parse(part, element, cx));
    Ok(Value::vector(element.clone(), elements.collect::<Result<_>>()?))
}

/// 22P02: not a text of the type.
pub fn invalid_syntax(type_name: &str, text: &str) -> Error {
    let message = format!("invalid input syntax for type {type_name}: \"{text}\"");
    Error::new(SqlState::INVALID_TEXT_REPRESENTATION, message)
}

fn out_of_range(type_name: &str, text: &str) -> Error {
    let message = match type_name {
        "real" | "double precision" => format!("\"{text}\" is out of range for type {type_name}"),
        _ => format!("value \"{text}\" is out of range for type {type_name}"),
    };
    Error::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message)
}

fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\u{b}')
}

fn cut_name(text: &str) -> &str {
    &text[..text.floor_char_boundary(NAME_LEN_MAX)]
}

/// Any unambiguous beginning of true, false, yes, no, on, off, and 1 and 0.
fn parse_bool(text: &str) -> Result<bool> {
    let word = trim(text).to_ascii_lowercase();
    let begins = |full: &str, least: usize| word.len() >= least && full.starts_with(&word);
    if begins("true", 1) || begins("yes", 1) || word == "on" || word == "1" {
        return Ok(true);
    }
    if begins("false", 1) || begins("no", 1) || begins("off", 2) || word == "0" {
        return Ok(false);
    }
    Err(invalid_syntax("boolean", text))
}

fn parse_integer<T: TryFrom<i128>>(text: &str, type_name: &str) -> Result<T> {
    let trimmed = trim(text);
    let digits = trimmed.strip_prefix(['-', '+']).unwrap_or(trimmed);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid_syntax(type_name, text));
    }
    let value = trimmed.parse::<i128>().ok().and_then(|value| T::try_from(value).ok());
    value.ok_or_else(|| out_of_range(type_name, text))
}

fn parse_oid(text: &str) -> Result<u32> {
    // Negative numbers wrap around, as in C.
    let value: i64 = parse_integer(text, "oid")?;
    match value {
        -2_147_483_648..0 => Ok((value as i32).cast_unsigned()),
        _ => u32::try_from(value).map_err(|_| out_of_range("oid", text)),
    }
}

/// Decimal digits with a point and an exponent, or the words for what is no number.
fn parse_float<T: FromStr>(text: &str, type_name: &str) -> Result<T> {
    let trimmed = trim(text);
    let body = trimmed.strip_prefix(['-', '+']).unwrap_or(trimmed);
    let is_word = ["nan", "inf", "infinity"].iter().any(|word| body.eq_ignore_ascii_case(word));
    let is_number = body.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && body
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    if !is_word && !is_number {
        return Err(invalid_syntax(type_name, text));
    }
    trimmed.parse().map_err(|_| invalid_syntax(type_name, text))
}

fn is_digits_only_zero(text: &str) -> bool {
    let mantissa = text.split(['e', 'E']).next().unwrap_or("");
    !mantissa.bytes().any(|byte| matches!(byte, b'1'..=b'9'))
}

fn is_named_infinity(text: &str) -> bool {
    text.to_ascii_lowercase().contains("inf")
}

/// Reads a `double precision`.
///
/// # Errors
/// 22P02, 22003
pub fn parse_f64(text: &str) -> Result<f64> {
    let value: f64 = parse_float(text, "double precision")?;
    let overflows = value.is_infinite() && !is_named_infinity(text);
    let underflows = value == 0.0 && !is_digits_only_zero(text);
    if overflows || underflows {
        return Err(out_of_range("double precision", trim(text)));
    }
    Ok(value)
}

fn parse_f32(text: &str) -> Result<f32> {
    let value: f32 = parse_float(text, "real")?;
    let overflows = value.is_infinite() && !is_named_infinity(text);
    let underflows = value == 0.0 && !is_digits_only_zero(text);
    if overflows || underflows {
        return Err(out_of_range("real", trim(text)));
    }
    Ok(value)
}

fn parse_uuid(text: &str) -> Result<[u8; 16]> {
    let invalid = || invalid_syntax("uuid", text);
    let body = match text.strip_prefix('{') {
        Some(body) => body.strip_suffix('}').ok_or_else(invalid)?,
        None => text,
    };
    let mut bytes = [0; 16];
    let mut digits = 0_usize;
    let mut was_hyphen = true;
    for byte in body.bytes() {
        if byte == b'-' {
            // Hyphens may stand after any group of four digits.
            if was_hyphen || !digits.is_multiple_of(4) || digits >= 32 {
                return Err(invalid());
            }
            was_hyphen = true;
            continue;
        }
        was_hyphen = false;
        let digit = char::from(byte).to_digit(16).ok_or_else(invalid)? as u8;
        let slot = bytes.get_mut(digits / 2).ok_or_else(invalid)?;
        *slot = *slot << 4 | digit;
        digits += 1;
    }
    if digits == 32 { Ok(bytes) } else { Err(invalid()) }
}

/// Reads a `bytea` in either notation.
///
/// # Errors
/// 22P02, 22023
pub fn parse_bytes(text: &str) -> Result<Vec<u8>> {
    match text.strip_prefix("\\x") {
        Some(digits) => hex_bytes(digits),
        None => escaped_bytes(text),
    }
}

/// Reads hexadecimal digits, spaces between bytes ignored.
///
/// # Errors
/// 22023
pub fn hex_bytes(text: &str) -> Result<Vec<u8>> {
    let invalid = |message: String| Error::new(SqlState::INVALID_PARAMETER_VALUE, message);
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut chars = text.chars();
    let digit = |c: char| {
        c.to_digit(16)
            .map(|digit| digit as u8)
            .ok_or_else(|| invalid(format!("invalid hexadecimal digit: \"{c}\"")))
    };
    while let Some(c) = chars.next() {
        if c.is_ascii_whitespace() {
            continue;
        }
        let high = digit(c)?;
        let low = chars
            .next()
            .ok_or_else(|| invalid("invalid hexadecimal data: odd number of digits".to_owned()))?;
        bytes.push(high << 4 | digit(low)?);
    }
    Ok(bytes)
}

/// Reads the traditional notation: `\\` and `\ooo`.
///
/// # Errors
/// 22P02
pub fn escaped_bytes(text: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        let (value, tail) = match (byte, tail) {
            (b'\\', [b'\\', tail @ ..]) => (b'\\', tail),
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..]) => {
                ((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'), tail)
            }
            (b'\\', _) => {
                let message = "invalid input syntax for type bytea";
                return Err(Error::new(SqlState::INVALID_TEXT_REPRESENTATION, message));
            }
            (byte, tail) => (*byte, tail),
        };
        bytes.push(value);
        rest = tail;
    }
    Ok(bytes)
}

/// The label of an enum, with its place.
///
/// # Errors
/// 22P02 when the type has no such label.
pub fn parse_enum(text: &str, oid: u32, cx: InputContext<'_>) -> Result<Value> {
    let definition = cx.catalog.and_then(|catalog| catalog.types.get(&oid));
    let Some(definition) = definition else {
        return Err(Error::internal(format!("type {oid} is not in the catalog")));
    };
    if let Some((position, _)) = definition.labels().find(|(_, label)| *label == text) {
        return Ok(Value::Enum(Arc::new(EnumLabel { position, label: text.into() })));
    }
    let message = format!("invalid input value for enum {}: \"{text}\"", definition.name);
    Err(Error::new(SqlState::INVALID_TEXT_REPRESENTATION, message))
}

/// Splits `schema.name`, undoing quotes and folding what is not quoted.
pub fn split_name(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut is_quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        // There is always a last part.
        let Some(part) = parts.last_mut() else { break };
        match c {
            '"' if is_quoted && chars.peek() == Some(&'"') => {
                chars.next();
                part.push('"');
            }
            '"' => is_quoted = !is_quoted,
            '.' if !is_quoted => parts.push(String::new()),
            c if is_quoted => part.push(c),
            c => part.extend(c.to_lowercase()),
        }
    }
    parts
}

fn parse_object(text: &str, ty: &Type, cx: InputContext<'_>) -> Result<Value> {
    if text == "-" {
        return Ok(Value::Oid(0));
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return parse_oid(text).map(Value::Oid);
    }
    let undefined = |state: SqlState, what: &str| {
        Error::new(state, format!("{what} \"{text}\" does not exist"))
    };
    let parts = split_name(text);
    let found = match ty {
        Type::RegClass => relation_oid(text, cx)?,
        Type::RegType => {
            let found = Type::from_name(text, &[])?.map(|ty| ty.base.oid());
            let found = found.or_else(|| internal_type(&parts)).or_else(|| user_type(&parts, cx));
            found.ok_or_else(|| undefined(SqlState::UNDEFINED_OBJECT, "type"))?
        }
        Type::RegNamespace => {
            let schema = parts.first().and_then(|name| cx.catalog?.schemas.get(name));
            let oid = schema.map(|schema| schema.oid);
            oid.ok_or_else(|| undefined(SqlState::INVALID_SCHEMA_NAME, "schema"))?
        }
        _ => {
            let name = parts.last().map(String::as_str).unwrap_or_default();
            let mut named = crate::system::listed().iter().filter(|function| function.name == name);
            match (named.next(), named.next()) {
                (Some(only), None) => only.oid,
                (None, _) => return Err(undefined(SqlState::UNDEFINED_FUNCTION, "function")),
                _ => {
                    let message = format!("more than one function named \"{name}\"");
                    return Err(Error::new(SqlState::AMBIGUOUS_FUNCTION, message));
                }
            }
        }
    };
    Ok(Value::Oid(found))
}

/// The OID of a built-in type by its name in `pg_type`: `"pg_catalog"."int4"`, `_text`.
fn internal_type(parts: &[String]) -> Option<u32> {
    let name = match parts {
        [name] => name,
        [schema, name] if matches!(schema.as_str(), "pg_catalog" | "public") => name,
        _ => return None,
    };
    let named = |name: &str| match name {
        "char" => Some(Type::Char),
        name => Some(Type::from_name(name, &[]).ok()??.base),
    };
    match name.strip_prefix('_') {
        Some(element) => named(element).map(|element| element.array().oid()),
        None => named(name).map(|ty| ty.oid()),
    }
}

/// The OID of a user's type, or of its array.
fn user_type(parts: &[String], cx: InputContext<'_>) -> Option<u32> {
    let (schema, name) = match parts {
        [name] => (None, name),
        [schema, name] => (Some(schema), name),
        _ => return None,
    };
    let plain = name.strip_suffix("[]");
    let is_array = |own: &str| {
        plain == Some(own) || name.strip_prefix('_').is_some_and(|element| element == own)
    };
    cx.catalog?.types.values().find_map(|own| match schema {
        Some(schema) if own.schema != *schema => None,
        _ if own.name == *name => Some(own.oid),
        _ => is_array(&own.name).then_some(own.array_oid),
    })
}

/// The OID of the relation that a text names, as `regclass` reads it.
///
/// # Errors
/// 42P01
pub fn relation_oid(text: &str, cx: InputContext<'_>) -> Result<u32> {
    find_relation(&split_name(text), cx).ok_or_else(|| {
        let message = format!("relation \"{text}\" does not exist");
        Error::new(SqlState::UNDEFINED_TABLE, message)
    })
}

/// The OID of a relation by its name in parts.
pub fn find_relation(parts: &[String], cx: InputContext<'_>) -> Option<u32> {
    let (schema, name) = match parts {
        [name] => (None, name),
        [schema, name] | [_, schema, name] => (Some(schema.as_str()), name),
        _ => return None,
    };
    match cx.catalog?.resolve(schema, name, &cx.facts.search_path) {
        Some(
            Relation::Table(oid)
            | Relation::View(oid)
            | Relation::Sequence(oid)
            | Relation::Index(oid, _),
        ) => Some(oid),
        None => crate::system::find(schema, name).map(crate::system::oid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::testing::facts;
    use crate::value::output::to_text;

    fn round_trip(text: &str, ty: Type) -> String {
        let facts = facts();
        let value = from_text(text, &ty.clone().into(), &facts).unwrap();
        to_text(&value, &ty, &facts.output)
    }

    fn state(text: &str, ty: Type) -> &'static str {
        from_text(text, &ty.into(), &facts()).unwrap_err().state().0
    }

    #[test]
    fn texts_round_trip() {
        for (text, ty, shown) in [
            (" 42 ", Type::Int4, "42"),
            ("tru", Type::Bool, "t"),
            ("OFF", Type::Bool, "f"),
            ("1e3", Type::Float8, "1000"),
            ("\\x01aB", Type::Bytea, "\\x01ab"),
            ("a\\000b", Type::Bytea, "\\x610062"),
            (
                "{A0EEBC99-9c0b4ef8bb6d6bb9bd380a11}",
                Type::Uuid,
                "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            ),
            ("char", Type::Bpchar, "char"),
            ("-1", Type::Oid, "4294967295"),
            ("integer", Type::RegType, "integer"),
        ] {
            assert_eq!(round_trip(text, ty), shown, "{text}");
        }
    }

    #[test]
    fn faults_have_their_codes() {
        assert_eq!(state("x", Type::Int4), "22P02");
        assert_eq!(state("", Type::Int4), "22P02");
        assert_eq!(state("2147483648", Type::Int4), "22003");
        assert_eq!(state("1e400", Type::Float8), "22003");
        assert_eq!(state("1e-400", Type::Float8), "22003");
        assert_eq!(state("o", Type::Bool), "22P02");
        assert_eq!(state("\\xabc", Type::Bytea), "22023");
        assert_eq!(state("12", Type::Uuid), "22P02");
    }

    #[test]
    fn names_are_split() {
        assert_eq!(split_name("Public.\"My.\"\"T\""), ["public", "My.\"T"]);
    }
}
