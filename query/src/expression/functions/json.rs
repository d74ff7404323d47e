//! JSON operators and functions (Postgres manual 9.16).

use std::sync::Arc;

use super::Builder;
use super::argument::{arg, optional};
use crate::error::{Error, Result, SqlState};
use crate::expression::EvalContext;
use crate::value::json::{self, JsonBuilder, Jsonb, pretty, raw};
use crate::value::output::to_text_in;
use crate::value::shape::{self, Shape};
use crate::value::{Array, Type, Value};

pub(super) fn register(builder: &mut Builder) {
    register_access(builder);
    register_operators(builder);
    register_changes(builder);
    register_builders(builder);
}

pub(super) fn json_builder<'a>(cx: &'a EvalContext<'_>) -> JsonBuilder<'a> {
    JsonBuilder { style: &cx.statement.output, catalog: cx.services.catalog() }
}

fn shown(document: Option<&Jsonb>) -> Value {
    document.map_or(Value::Null, |document| Value::jsonb(document.clone()))
}

fn shown_text(document: Option<&Jsonb>) -> Value {
    document.and_then(Jsonb::to_text).map_or(Value::Null, Value::text)
}

/// A part of a `json` text as text: strings bare, `null` as nothing.
pub(super) fn raw_text(part: &str) -> Result<Value> {
    match json::parse(part)? {
        Jsonb::Null => Ok(Value::Null),
        Jsonb::String(text) => Ok(Value::Text(text)),
        _ => Ok(Value::text(part)),
    }
}

fn raw_member<'t>(text: &'t str, key: &str) -> Result<Option<&'t str>> {
    let members = raw::members(text)?.unwrap_or_default();
    Ok(members.into_iter().rev().find(|member| member.0 == key).map(|member| member.1))
}

fn raw_element(text: &str, position: i64) -> Option<&str> {
    let elements = raw::elements(text)?;
    let position = if position < 0 { position + elements.len() as i64 } else { position };
    elements.get(usize::try_from(position).ok()?).copied()
}

/// The strings of a `text[]`; `None` when one of them is NULL.
fn strings(array: &Array) -> Option<Vec<&str>> {
    array.elements.iter().map(Value::as_str).collect()
}

fn follow<'j>(document: &'j Jsonb, path: &[&str]) -> Option<&'j Jsonb> {
    path.iter().try_fold(document, |document, step| match document {
        Jsonb::Object(_) => document.get(step),
        Jsonb::Array(_) => document.at(step.trim().parse().ok()?),
        _ => None,
    })
}

fn raw_follow<'t>(text: &'t str, path: &[&str]) -> Result<Option<&'t str>> {
    let mut part = text.trim();
    for step in path {
        let next = match part.as_bytes().first() {
            Some(b'{') => raw_member(part, step)?,
            Some(b'[') => step.trim().parse().ok().and_then(|at| raw_element(part, at)),
            _ => None,
        };
        match next {
            Some(next) => part = next,
            None => return Ok(None),
        }
    }
    Ok(Some(part))
}

fn register_access(builder: &mut Builder) {
    builder.operator("-> (jsonb, text) -> jsonb", |_, args| {
        Ok(shown(arg::<&Jsonb>(args, 0)?.get(arg(args, 1)?)))
    });
    builder.operator("-> (jsonb, int4) -> jsonb", |_, args| {
        Ok(shown(arg::<&Jsonb>(args, 0)?.at(i64::from(arg::<i32>(args, 1)?))))
    });
    builder.operator("->> (jsonb, text) -> text", |_, args| {
        Ok(shown_text(arg::<&Jsonb>(args, 0)?.get(arg(args, 1)?)))
    });
    builder.operator("->> (jsonb, int4) -> text", |_, args| {
        Ok(shown_text(arg::<&Jsonb>(args, 0)?.at(i64::from(arg::<i32>(args, 1)?))))
    });
    builder.operator("-> (json, text) -> json", |_, args| {
        Ok(raw_member(arg(args, 0)?, arg(args, 1)?)?.map_or(Value::Null, Value::text))
    });
    builder.operator("-> (json, int4) -> json", |_, args| {
        let part = raw_element(arg(args, 0)?, i64::from(arg::<i32>(args, 1)?));
        Ok(part.map_or(Value::Null, Value::text))
    });
    builder.operator("->> (json, text) -> text", |_, args| {
        raw_member(arg(args, 0)?, arg(args, 1)?)?.map_or(Ok(Value::Null), raw_text)
    });
    builder.operator("->> (json, int4) -> text", |_, args| {
        let part = raw_element(arg(args, 0)?, i64::from(arg::<i32>(args, 1)?));
        part.map_or(Ok(Value::Null), raw_text)
    });
    for name in ["#> (jsonb, text[]) -> jsonb", "#>> (jsonb, text[]) -> text"] {
        let code: super::Eval = if name.starts_with("#>>") {
            |_, args| path_of(args).map(shown_text)
        } else {
            |_, args| path_of(args).map(shown)
        };
        builder.operator(name, code);
    }
    builder.operator("#> (json, text[]) -> json", |_, args| {
        let Some(path) = strings(arg(args, 1)?) else { return Ok(Value::Null) };
        Ok(raw_follow(arg(args, 0)?, &path)?.map_or(Value::Null, Value::text))
    });
    builder.operator("#>> (json, text[]) -> text", |_, args| {
        let Some(path) = strings(arg(args, 1)?) else { return Ok(Value::Null) };
        raw_follow(arg(args, 0)?, &path)?.map_or(Ok(Value::Null), raw_text)
    });
    builder.function("jsonb_extract_path(jsonb, VARIADIC text) -> jsonb", |_, args| {
        path_of(args).map(shown)
    });
    builder.function("jsonb_extract_path_text(jsonb, VARIADIC text) -> text", |_, args| {
        path_of(args).map(shown_text)
    });
}

/// What the path in the second argument leads to.
fn path_of(args: &[Value]) -> Result<Option<&Jsonb>> {
    let Some(path) = strings(arg(args, 1)?) else { return Ok(None) };
    Ok(follow(arg(args, 0)?, &path))
}

/// Whether a string is a key of the object, an element of the array, or the string itself.
fn has_key(document: &Jsonb, key: &str) -> bool {
    let is_key = |value: &Jsonb| matches!(value, Jsonb::String(text) if **text == *key);
    match document {
        Jsonb::Object(_) => document.get(key).is_some(),
        Jsonb::Array(elements) => elements.iter().any(is_key),
        scalar => is_key(scalar),
    }
}

fn register_operators(builder: &mut Builder) {
    builder.operator("@> (jsonb, jsonb) -> bool", |_, args| {
        Ok(Value::Bool(arg::<&Jsonb>(args, 0)?.contains(arg(args, 1)?)))
    });
    builder.operator("<@ (jsonb, jsonb) -> bool", |_, args| {
        Ok(Value::Bool(arg::<&Jsonb>(args, 1)?.contains(arg(args, 0)?)))
    });
    builder.operator("? (jsonb, text) -> bool", |_, args| {
        Ok(Value::Bool(has_key(arg(args, 0)?, arg(args, 1)?)))
    });
    builder.operator("?| (jsonb, text[]) -> bool", |_, args| {
        let (document, keys): (&Jsonb, &Array) = (arg(args, 0)?, arg(args, 1)?);
        let mut keys = keys.elements.iter().filter_map(Value::as_str);
        Ok(Value::Bool(keys.any(|key| has_key(document, key))))
    });
    builder.operator("?& (jsonb, text[]) -> bool", |_, args| {
        let (document, keys): (&Jsonb, &Array) = (arg(args, 0)?, arg(args, 1)?);
        let mut keys = keys.elements.iter().filter_map(Value::as_str);
        Ok(Value::Bool(keys.all(|key| has_key(document, key))))
    });
    builder.operator("|| (jsonb, jsonb) -> jsonb", |_, args| {
        concat(arg(args, 0)?, arg(args, 1)?).map(Value::jsonb)
    });
    builder.operator("- (jsonb, text) -> jsonb", |_, args| {
        without_keys(arg(args, 0)?, &[arg(args, 1)?]).map(Value::jsonb)
    });
    builder.operator("- (jsonb, text[]) -> jsonb", |_, args| {
        let keys: Vec<&str> =
            arg::<&Array>(args, 1)?.elements.iter().filter_map(Value::as_str).collect();
        without_keys(arg(args, 0)?, &keys).map(Value::jsonb)
    });
    builder.operator("- (jsonb, int4) -> jsonb", |_, args| {
        without_element(arg(args, 0)?, i64::from(arg::<i32>(args, 1)?)).map(Value::jsonb)
    });
    builder.operator("#- (jsonb, text[]) -> jsonb", |_, args| {
        let document: &Jsonb = arg(args, 0)?;
        let Some(path) = strings(arg(args, 1)?) else { return Ok(Value::Null) };
        Ok(Value::jsonb(change(document, &path, &Change::Delete)?))
    });
}

fn concat(left: &Jsonb, right: &Jsonb) -> Result<Jsonb> {
    let list = |document: &Jsonb| match document {
        Jsonb::Array(elements) => elements.clone(),
        other => vec![other.clone()],
    };
    match (left, right) {
        (Jsonb::Object(left), Jsonb::Object(right)) => {
            Ok(Jsonb::object(left.iter().chain(right).cloned().collect()))
        }
        _ => Ok(Jsonb::Array([list(left), list(right)].concat())),
    }
}

fn cannot_delete(message: &str) -> Error {
    Error::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

fn without_keys(document: &Jsonb, keys: &[&str]) -> Result<Jsonb> {
    match document {
        Jsonb::Object(pairs) => {
            let kept = pairs.iter().filter(|pair| !keys.contains(&&*pair.0));
            Ok(Jsonb::Object(kept.cloned().collect()))
        }
        Jsonb::Array(elements) => {
            let is_kept = |element: &&Jsonb| match element {
                Jsonb::String(text) => !keys.contains(&&**text),
                _ => true,
            };
            Ok(Jsonb::Array(elements.iter().filter(is_kept).cloned().collect()))
        }
        _ => Err(cannot_delete("cannot delete from scalar")),
    }
}

fn without_element(document: &Jsonb, position: i64) -> Result<Jsonb> {
    match document {
        Jsonb::Array(elements) => {
            let len = elements.len() as i64;
            let position = if position < 0 { position + len } else { position };
            let kept = elements.iter().enumerate().filter(|(at, _)| *at as i64 != position);
            Ok(Jsonb::Array(kept.map(|(_, element)| element.clone()).collect()))
        }
        Jsonb::Object(_) => Err(cannot_delete("cannot delete from object using integer index")),
        _ => Err(cannot_delete("cannot delete from scalar")),
    }
}

/// What is done at the end of a path.
enum Change<'a> {
    Set { value: &'a Jsonb, creates: bool },
    Insert { value: &'a Jsonb, is_after: bool },
    Delete,
}

/// The document with a change at the end of a path; paths that lead nowhere change nothing.
fn change(document: &Jsonb, path: &[&str], what: &Change<'_>) -> Result<Jsonb> {
    let Some((step, rest)) = path.split_first() else { return Ok(document.clone()) };
    match document {
        Jsonb::Object(pairs) => change_member(pairs, step, rest, what),
        Jsonb::Array(elements) => {
            let position: i64 = step.trim().parse().map_err(|_| {
                let message = format!("path element at position 1 is not an integer: \"{step}\"");
                Error::new(SqlState::INVALID_TEXT_REPRESENTATION, message)
            })?;
            change_element(elements, position, rest, what)
        }
        _ if matches!(what, Change::Delete) => Err(cannot_delete("cannot delete path in scalar")),
        _ => Err(cannot_delete("cannot set path in scalar")),
    }
}

fn change_member(
    pairs: &[(Arc<str>, Jsonb)],
    key: &str,
    rest: &[&str],
    what: &Change<'_>,
) -> Result<Jsonb> {
    let mut pairs = pairs.to_vec();
    let found = pairs.iter().position(|pair| *pair.0 == *key);
    match (found, rest.is_empty(), what) {
        (Some(at), false, _) => match &pairs[at].1 {
            scalar if scalar.is_scalar() => {}
            inner => pairs[at].1 = change(inner, rest, what)?,
        },
        (Some(at), true, Change::Set { value, .. }) => pairs[at].1 = (*value).clone(),
        (Some(at), true, Change::Delete) => drop(pairs.remove(at)),
        (Some(_), true, Change::Insert { .. }) => {
            return Err(Error::new(
                SqlState::INVALID_PARAMETER_VALUE,
                "cannot replace existing key",
            )
            .with_hint("Try using the function jsonb_set to replace key value."));
        }
        (None, true, Change::Set { value, creates: true } | Change::Insert { value, .. }) => {
            pairs.push((key.into(), (*value).clone()));
        }
        (None, ..) => {}
    }
    Ok(Jsonb::object(pairs))
}

fn change_element(
    elements: &[Jsonb],
    position: i64,
    rest: &[&str],
    what: &Change<'_>,
) -> Result<Jsonb> {
    let mut elements = elements.to_vec();
    let len = elements.len() as i64;
    let at = if position < 0 { position + len } else { position };
    let found = usize::try_from(at).ok().filter(|at| *at < elements.len());
    match (found, rest.is_empty(), what) {
        (Some(at), false, _) => match &elements[at] {
            scalar if scalar.is_scalar() => {}
            inner => elements[at] = change(inner, rest, what)?,
        },
        (Some(at), true, Change::Set { value, .. }) => elements[at] = (*value).clone(),
        (Some(at), true, Change::Delete) => drop(elements.remove(at)),
        (Some(at), true, Change::Insert { value, is_after }) => {
            elements.insert(at + usize::from(*is_after), (*value).clone());
        }
        // Beyond the ends a new element becomes the first or last one.
        (None, true, Change::Set { value, creates: true } | Change::Insert { value, .. }) => {
            let end = if at < 0 { 0 } else { elements.len() };
            elements.insert(end, (*value).clone());
        }
        (None, ..) => {}
    }
    Ok(Jsonb::Array(elements))
}

fn strip_nulls(document: &Jsonb) -> Jsonb {
    match document {
        Jsonb::Object(pairs) => {
            let kept = pairs.iter().filter(|pair| !matches!(pair.1, Jsonb::Null));
            Jsonb::Object(kept.map(|(key, value)| (key.clone(), strip_nulls(value))).collect())
        }
        Jsonb::Array(elements) => Jsonb::Array(elements.iter().map(strip_nulls).collect()),
        scalar => scalar.clone(),
    }
}

fn array_len(document: &Jsonb) -> Result<Value> {
    let message = match document {
        Jsonb::Array(elements) => return Ok(Value::Int4(elements.len() as i32)),
        Jsonb::Object(_) => "cannot get array length of a non-array",
        _ => "cannot get array length of a scalar",
    };
    Err(Error::new(SqlState::INVALID_PARAMETER_VALUE, message))
}

fn register_changes(builder: &mut Builder) {
    builder.function("jsonb_set(jsonb, text[], jsonb, [bool]) -> jsonb", |_, args| {
        let Some(path) = strings(arg(args, 1)?) else { return Ok(Value::Null) };
        let creates = optional(args, 3)?.unwrap_or(true);
        let what = Change::Set { value: arg(args, 2)?, creates };
        change(arg(args, 0)?, &path, &what).map(Value::jsonb)
    });
    builder.function("jsonb_insert(jsonb, text[], jsonb, [bool]) -> jsonb", |_, args| {
        let Some(path) = strings(arg(args, 1)?) else { return Ok(Value::Null) };
        let is_after = optional(args, 3)?.unwrap_or(false);
        let what = Change::Insert { value: arg(args, 2)?, is_after };
        change(arg(args, 0)?, &path, &what).map(Value::jsonb)
    });
    builder.function("jsonb_strip_nulls(jsonb) -> jsonb", |_, args| {
        Ok(Value::jsonb(strip_nulls(arg(args, 0)?)))
    });
    builder
        .function("jsonb_pretty(jsonb) -> text", |_, args| Ok(Value::text(pretty(arg(args, 0)?))));
    builder.function("jsonb_typeof(jsonb) -> text", |_, args| {
        Ok(Value::text(arg::<&Jsonb>(args, 0)?.type_name()))
    });
    builder.function("json_typeof(json) -> text", |_, args| {
        Ok(Value::text(json::parse(arg(args, 0)?)?.type_name()))
    });
    builder.function("jsonb_array_length(jsonb) -> int4", |_, args| array_len(arg(args, 0)?));
    builder.function("json_array_length(json) -> int4", |_, args| {
        array_len(&json::parse(arg(args, 0)?)?)
    });
}

/// The arguments and their shapes, which come behind them.
fn shaped(args: &[Value]) -> (&[Value], Vec<Shape>) {
    match args.split_last() {
        Some((shapes, values)) => (values, shape::read(shapes)),
        None => (args, Vec::new()),
    }
}

fn shape_at(shapes: &[Shape], at: usize, value: &Value) -> Shape {
    match shapes.get(at) {
        Some(shape) if shape.ty != Type::Unknown => shape.clone(),
        _ => value.natural_type().into(),
    }
}

fn register_builders(builder: &mut Builder) {
    builder.function("to_jsonb(anyelement) -> jsonb", to_jsonb).stable().typed();
    for signature in [
        "to_json(anyelement) -> json",
        "row_to_json(record) -> json",
        "array_to_json(anyarray) -> json",
    ] {
        builder.function(signature, to_json).stable().typed();
    }
    for name in ["json_build_array", "jsonb_build_array"] {
        let is_binary = name.starts_with("jsonb");
        let result = if is_binary { "jsonb" } else { "json" };
        let code: super::Eval = if is_binary { build_jsonb_array } else { build_json_array };
        let none = format!("{name}() -> {result}");
        builder.function(&none, code).stable().nullable().typed();
        let some = format!("{name}(VARIADIC any) -> {result}");
        builder.function(&some, code).stable().nullable().typed();
    }
    for name in ["json_build_object", "jsonb_build_object"] {
        let is_binary = name.starts_with("jsonb");
        let result = if is_binary { "jsonb" } else { "json" };
        let code: super::Eval = if is_binary { build_jsonb_object } else { build_json_object };
        let none = format!("{name}() -> {result}");
        builder.function(&none, code).stable().nullable().typed();
        let some = format!("{name}(VARIADIC any) -> {result}");
        builder.function(&some, code).stable().nullable().typed();
    }
    builder.function("jsonb_object(text[]) -> jsonb", |_, args| object_of_pairs(arg(args, 0)?));
    builder.function("jsonb_object(text[], text[]) -> jsonb", |_, args| {
        object_of_lists(arg(args, 0)?, arg(args, 1)?)
    });
}

fn to_jsonb(cx: &EvalContext<'_>, args: &[Value]) -> Result<Value> {
    let (values, shapes) = shaped(args);
    let value: &Value = arg(values, 0)?;
    json_builder(cx).build(value, &shape_at(&shapes, 0, value)).map(Value::jsonb)
}

fn to_json(cx: &EvalContext<'_>, args: &[Value]) -> Result<Value> {
    let (values, shapes) = shaped(args);
    let value: &Value = arg(values, 0)?;
    let mut out = String::new();
    json_builder(cx).write(&mut out, value, &shape_at(&shapes, 0, value))?;
    Ok(Value::text(out))
}

fn build_jsonb_array(cx: &EvalContext<'_>, args: &[Value]) -> Result<Value> {
    let (values, shapes) = shaped(args);
    let builder = json_builder(cx);
    let elements = values.iter().enumerate();
    let elements = elements.map(|(at, value)| builder.build(value, &shape_at(&shapes, at, value)));
    Ok(Value::jsonb(Jsonb::Array(elements.collect::<Result<_>>()?)))
}

fn build_json_array(cx: &EvalContext<'_>, args: &[Value]) -> Result<Value> {
    let (values, shapes) = shaped(args);
    let mut out = String::from("[");
    for (at, value) in values.iter().enumerate() {
        out.push_str(if at == 0 { "" } else { ", " });
        json_builder(cx).write(&mut out, value, &shape_at(&shapes, at, value))?;
    }
    out.push(']');
    Ok(Value::text(out))
}

/// Keys and values in turn, as positions of the arguments.
fn pairs(values: &[Value]) -> Result<impl Iterator<Item = (usize, &Value, &Value)>> {
    if !values.len().is_multiple_of(2) {
        let message = "argument list must have even number of elements";
        return Err(Error::new(SqlState::INVALID_PARAMETER_VALUE, message).with_hint(
            "The arguments of jsonb_build_object() must consist of alternating keys and values.",
        ));
    }
    let pairs = values.chunks_exact(2).enumerate();
    Ok(pairs.map(|(at, pair)| (at * 2 + 1, &pair[0], &pair[1])))
}

fn key_text(cx: &EvalContext<'_>, key: &Value, position: usize) -> Result<String> {
    if key.is_null() {
        let message = format!("argument {position}: key must not be null");
        return Err(Error::new(SqlState::INVALID_PARAMETER_VALUE, message));
    }
    let catalog: &crate::catalog::Catalog = cx.services.catalog();
    Ok(to_text_in(key, &key.natural_type(), &cx.statement.output, Some(catalog)))
}

fn build_jsonb_object(cx: &EvalContext<'_>, args: &[Value]) -> Result<Value> {
    let (values, shapes) = shaped(args);
    let builder = json_builder(cx);
    let pairs = pairs(values)?.map(|(at, key, value)| {
        let key = key_text(cx, key, at)?;
        Ok((Arc::from(key), builder.build(value, &shape_at(&shapes, at, value))?))
    });
    Ok(Value::jsonb(Jsonb::object(pairs.collect::<Result<_>>()?)))
}

fn build_json_object(cx: &EvalContext<'_>, args: &[Value]) -> Result<Value> {
    let (values, shapes) = shaped(args);
    let mut out = String::from("{");
    for (at, key, value) in pairs(values)? {
        out.push_str(if at == 1 { "" } else { ", " });
        // Writing to a string cannot fail.
        let _ = json::escape(&mut out, &key_text(cx, key, at)?);
        out.push_str(" : ");
        json_builder(cx).write(&mut out, value, &shape_at(&shapes, at, value))?;
    }
    out.push('}');
    Ok(Value::text(out))
}

fn document_of(value: Option<&Value>) -> Jsonb {
    value.and_then(Value::as_str).map_or(Jsonb::Null, Jsonb::string)
}

fn object_of_pairs(array: &Array) -> Result<Value> {
    let (keys, values): (Vec<_>, Vec<_>) =
        array.elements.iter().enumerate().partition(|(position, _)| position % 2 == 0);
    if keys.len() != values.len() {
        let message = "array must have even number of elements";
        return Err(Error::new(SqlState("2202E"), message));
    }
    object_of(keys.into_iter().map(|key| key.1), values.into_iter().map(|value| value.1))
}

fn object_of_lists(keys: &Array, values: &Array) -> Result<Value> {
    if keys.elements.len() != values.elements.len() {
        return Err(Error::new(SqlState("2202E"), "mismatched array dimensions"));
    }
    object_of(keys.elements.iter(), values.elements.iter())
}

fn object_of<'v>(
    keys: impl Iterator<Item = &'v Value>,
    values: impl Iterator<Item = &'v Value>,
) -> Result<Value> {
    let pairs = keys.zip(values).map(|(key, value)| {
        let key = key.as_str().ok_or_else(|| {
            Error::new(SqlState("22004"), "null value not allowed for object key")
        })?;
        Ok((Arc::from(key), document_of(Some(value))))
    });
    Ok(Value::jsonb(Jsonb::object(pairs.collect::<Result<_>>()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doc(text: &str) -> Jsonb {
        json::parse(text).unwrap()
    }

    #[test]
    fn paths_are_changed() {
        let base = doc(r#"{"a":{"b":[1,2]},"c":3}"#);
        let value = doc("9");
        let set = Change::Set { value: &value, creates: true };
        let changed =
            |path: &[&str], what: &Change<'_>| change(&base, path, what).unwrap().to_string();
        assert_eq!(changed(&["a", "b", "0"], &set), r#"{"a": {"b": [9, 2]}, "c": 3}"#);
        assert_eq!(changed(&["a", "x"], &set), r#"{"a": {"b": [1, 2], "x": 9}, "c": 3}"#);
        assert_eq!(changed(&["a", "b", "-1"], &Change::Delete), r#"{"a": {"b": [1]}, "c": 3}"#);
        let insert = Change::Insert { value: &value, is_after: true };
        assert_eq!(changed(&["a", "b", "0"], &insert), r#"{"a": {"b": [1, 9, 2]}, "c": 3}"#);
        assert!(change(&base, &["c"], &insert).is_err());
        assert!(change(&base, &["a", "b", "x"], &set).is_err());
    }

    #[test]
    fn documents_are_joined_and_stripped() {
        assert_eq!(concat(&doc("[1]"), &doc("2")).unwrap().to_string(), "[1, 2]");
        assert_eq!(
            concat(&doc(r#"{"a":1}"#), &doc(r#"{"a":2}"#)).unwrap().to_string(),
            r#"{"a": 2}"#
        );
        assert_eq!(strip_nulls(&doc(r#"{"a":null,"b":[null]}"#)).to_string(), r#"{"b": [null]}"#);
        assert!(has_key(&doc("[\"x\"]"), "x") && !has_key(&doc("{\"x\":1}"), "y"));
    }
}
