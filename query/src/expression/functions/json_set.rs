//! JSON documents as rows, and rows as JSON documents: set-returning functions and aggregates.

use std::sync::Arc;

use super::argument::arg;
use super::json::{json_builder, raw_text};
use super::{Accumulator, Builder, RowSet};
use crate::error::{Error, Result, SqlState};
use crate::expression::EvalContext;
use crate::value::json::{self, Jsonb, raw};
use crate::value::output::to_text;
use crate::value::{Type, Value};

pub(super) fn register(builder: &mut Builder) {
    builder.set_function("jsonb_each(jsonb) -> (key text, value jsonb)", |_, args| {
        let pairs = pairs_of(arg(args, 0)?, "jsonb_each")?;
        rows(pairs.into_iter().map(|(key, value)| vec![Value::Text(key), Value::jsonb(value)]))
    });
    builder.set_function("jsonb_each_text(jsonb) -> (key text, value text)", |_, args| {
        let pairs = pairs_of(arg(args, 0)?, "jsonb_each_text")?;
        rows(pairs.into_iter().map(|(key, value)| vec![Value::Text(key), text_of(&value)]))
    });
    builder.set_function("json_each(json) -> (key text, value json)", |_, args| {
        let members = members_of(arg(args, 0)?, "json_each")?;
        rows(members.into_iter().map(|(key, part)| vec![Value::text(key), Value::text(part)]))
    });
    builder.set_function("json_each_text(json) -> (key text, value text)", |_, args| {
        let members = members_of(arg(args, 0)?, "json_each_text")?;
        let read =
            members.into_iter().map(|(key, part)| Ok(vec![Value::text(key), raw_text(part)?]));
        let read: Vec<Result<Vec<Value>>> = read.collect();
        Ok(Box::new(read.into_iter()))
    });
    builder.set_function("jsonb_object_keys(jsonb) -> text", |_, args| {
        let pairs = pairs_of(arg(args, 0)?, "jsonb_object_keys")?;
        rows(pairs.into_iter().map(|(key, _)| vec![Value::Text(key)]))
    });
    builder.set_function("json_object_keys(json) -> text", |_, args| {
        let members = members_of(arg(args, 0)?, "json_object_keys")?;
        rows(members.into_iter().map(|(key, _)| vec![Value::text(key)]))
    });
    register_elements(builder);
    register_aggregates(builder);
}

fn register_elements(builder: &mut Builder) {
    builder.set_function("jsonb_array_elements(jsonb) -> (value jsonb)", |_, args| {
        rows(elements_of(arg(args, 0)?)?.into_iter().map(|element| vec![Value::jsonb(element)]))
    });
    builder.set_function("jsonb_array_elements_text(jsonb) -> (value text)", |_, args| {
        rows(elements_of(arg(args, 0)?)?.into_iter().map(|element| vec![text_of(&element)]))
    });
    builder.set_function("json_array_elements(json) -> (value json)", |_, args| {
        let text: &str = arg(args, 0)?;
        let parts = raw::elements(text).ok_or_else(|| no_elements(text))?;
        rows(parts.into_iter().map(|part| vec![Value::text(part)]))
    });
    builder.set_function("json_array_elements_text(json) -> (value text)", |_, args| {
        let text: &str = arg(args, 0)?;
        let parts = raw::elements(text).ok_or_else(|| no_elements(text))?;
        let read: Vec<Result<Vec<Value>>> =
            parts.into_iter().map(|part| Ok(vec![raw_text(part)?])).collect();
        Ok(Box::new(read.into_iter()))
    });
}

fn rows(rows: impl Iterator<Item = Vec<Value>>) -> Result<RowSet> {
    let rows: Vec<Vec<Value>> = rows.collect();
    Ok(Box::new(rows.into_iter().map(Ok)))
}

fn text_of(document: &Jsonb) -> Value {
    document.to_text().map_or(Value::Null, Value::text)
}

fn invalid(message: String) -> Error {
    Error::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

fn pairs_of(document: &Jsonb, function: &str) -> Result<Vec<(Arc<str>, Jsonb)>> {
    match document {
        Jsonb::Object(pairs) => Ok(pairs.clone()),
        Jsonb::Array(_) if function == "jsonb_object_keys" => {
            Err(invalid(format!("cannot call {function} on an array")))
        }
        _ if function == "jsonb_object_keys" => {
            Err(invalid(format!("cannot call {function} on a scalar")))
        }
        _ => Err(invalid(format!("cannot call {function} on a non-object"))),
    }
}

fn members_of<'t>(text: &'t str, function: &str) -> Result<Vec<(String, &'t str)>> {
    raw::members(text)?.ok_or_else(|| {
        let kind = if text.trim_start().starts_with('[') { "an array" } else { "a scalar" };
        invalid(format!("cannot call {function} on {kind}"))
    })
}

fn elements_of(document: &Jsonb) -> Result<Vec<Jsonb>> {
    match document {
        Jsonb::Array(elements) => Ok(elements.clone()),
        Jsonb::Object(_) => Err(invalid("cannot extract elements from an object".to_owned())),
        _ => Err(invalid("cannot extract elements from a scalar".to_owned())),
    }
}

fn no_elements(text: &str) -> Error {
    let kind = if text.trim_start().starts_with('{') { "an object" } else { "a scalar" };
    invalid(format!("cannot extract elements from {kind}"))
}

fn register_aggregates(builder: &mut Builder) {
    builder
        .aggregate("jsonb_agg(anyelement) -> jsonb", |types| {
            Box::new(DocumentList { ty: type_at(types, 0), elements: Vec::new() })
        })
        .nullable();
    builder
        .aggregate("json_agg(anyelement) -> json", |types| {
            Box::new(TextList { ty: type_at(types, 0), text: String::new() })
        })
        .nullable();
    builder
        .aggregate("jsonb_object_agg(any, any) -> jsonb", |types| {
            Box::new(DocumentMap { ty: type_at(types, 1), pairs: None })
        })
        .nullable();
    builder
        .aggregate("json_object_agg(any, any) -> json", |types| {
            Box::new(TextMap { ty: type_at(types, 1), text: String::new() })
        })
        .nullable();
}

fn type_at(types: &[Type], at: usize) -> Type {
    types.get(at).cloned().unwrap_or(Type::Unknown)
}

/// The declared type, or the value's own where the declaration says nothing.
fn known(ty: &Type, value: &Value) -> crate::value::shape::Shape {
    if *ty == Type::Unknown { value.natural_type().into() } else { ty.clone().into() }
}

struct DocumentList {
    ty: Type,
    elements: Vec<Jsonb>,
}

impl Accumulator for DocumentList {
    fn add(&mut self, cx: &EvalContext<'_>, args: &[Value]) -> Result<()> {
        let value: &Value = arg(args, 0)?;
        self.elements.push(json_builder(cx).build(value, &known(&self.ty, value))?);
        Ok(())
    }

    fn finish(&mut self, _: &EvalContext<'_>) -> Result<Value> {
        // Without rows the result is NULL, not an empty list.
        if self.elements.is_empty() {
            return Ok(Value::Null);
        }
        Ok(Value::jsonb(Jsonb::Array(self.elements.clone())))
    }

    fn memory_len(&self) -> usize {
        64 + self.elements.len() * 64
    }
}

struct TextList {
    ty: Type,
    text: String,
}

impl Accumulator for TextList {
    fn add(&mut self, cx: &EvalContext<'_>, args: &[Value]) -> Result<()> {
        let value: &Value = arg(args, 0)?;
        let is_composite = matches!(value, Value::Record(_) | Value::Array(_));
        self.text.push_str(match (self.text.is_empty(), is_composite) {
            (true, _) => "[",
            // Rows and arrays stand on lines of their own.
            (false, true) => ", \n ",
            (false, false) => ", ",
        });
        json_builder(cx).write(&mut self.text, value, &known(&self.ty, value))
    }

    fn finish(&mut self, _: &EvalContext<'_>) -> Result<Value> {
        let is_empty = self.text.is_empty();
        Ok(if is_empty { Value::Null } else { Value::text(format!("{}]", self.text)) })
    }

    fn memory_len(&self) -> usize {
        64 + self.text.len()
    }
}

fn key_of(cx: &EvalContext<'_>, args: &[Value]) -> Result<String> {
    match arg::<&Value>(args, 0)? {
        Value::Null => Err(invalid("field name must not be null".to_owned())),
        key => Ok(to_text(key, &key.natural_type(), &cx.statement.output)),
    }
}

struct DocumentMap {
    ty: Type,
    pairs: Option<Vec<(Arc<str>, Jsonb)>>,
}

impl Accumulator for DocumentMap {
    fn add(&mut self, cx: &EvalContext<'_>, args: &[Value]) -> Result<()> {
        let value: &Value = arg(args, 1)?;
        let document = json_builder(cx).build(value, &known(&self.ty, value))?;
        self.pairs.get_or_insert_default().push((key_of(cx, args)?.into(), document));
        Ok(())
    }

    fn finish(&mut self, _: &EvalContext<'_>) -> Result<Value> {
        let pairs = self.pairs.clone();
        Ok(pairs.map_or(Value::Null, |pairs| Value::jsonb(Jsonb::object(pairs))))
    }

    fn memory_len(&self) -> usize {
        64 + self.pairs.as_ref().map_or(0, |pairs| pairs.len() * 96)
    }
}

struct TextMap {
    ty: Type,
    text: String,
}

impl Accumulator for TextMap {
    fn add(&mut self, cx: &EvalContext<'_>, args: &[Value]) -> Result<()> {
        let value: &Value = arg(args, 1)?;
        self.text.push_str(if self.text.is_empty() { "{ " } else { ", " });
        // Writing to a string cannot fail.
        let _ = json::escape(&mut self.text, &key_of(cx, args)?);
        self.text.push_str(" : ");
        json_builder(cx).write(&mut self.text, value, &known(&self.ty, value))
    }

    fn finish(&mut self, _: &EvalContext<'_>) -> Result<Value> {
        let is_empty = self.text.is_empty();
        Ok(if is_empty { Value::Null } else { Value::text(format!("{} }}", self.text)) })
    }

    fn memory_len(&self) -> usize {
        64 + self.text.len()
    }
}
