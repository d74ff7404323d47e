//! SQL values as JSON: what `to_jsonb` and the JSON aggregates do.

use std::sync::Arc;

use super::{Jsonb, escape, parse};
use crate::catalog::Catalog;
use crate::error::Result;
use crate::value::datetime::format;
use crate::value::output::to_text_in;
use crate::value::shape::Shape;
use crate::value::{OutputStyle, Type, Value};

/// How values become JSON.
pub struct JsonBuilder<'a> {
    /// How values print.
    pub style: &'a OutputStyle,
    /// Knows the names of columns.
    pub catalog: &'a Catalog,
}

impl JsonBuilder<'_> {
    /// The value as `jsonb`. A string of the type `json` is taken as the document that it is.
    ///
    /// # Errors
    /// 22P02 when a `json` value is none.
    pub fn build(&self, value: &Value, shape: &Shape) -> Result<Jsonb> {
        let ty = &shape.ty;
        Ok(match value {
            Value::Null => Jsonb::Null,
            Value::Bool(value) => Jsonb::Bool(*value),
            Value::Jsonb(document) => (**document).clone(),
            Value::Text(text) if *ty == Type::Json => parse(text)?,
            Value::Int2(_)
            | Value::Int4(_)
            | Value::Int8(_)
            | Value::Numeric(_)
            | Value::Float4(_)
            | Value::Float8(_) => self.number(value),
            Value::Array(array) => {
                let element = element_shape(ty, &array.element);
                let parts = array.outer_parts();
                let parts = parts.iter().map(|part| match part {
                    Value::Array(_) => self.build(part, shape),
                    part => self.build(part, &element),
                });
                Jsonb::Array(parts.collect::<Result<_>>()?)
            }
            Value::Record(fields) => {
                let pairs =
                    fields.iter().zip(self.fields(shape, fields)).map(|(field, (name, shape))| {
                        Ok((Arc::from(name), self.build(field, &shape)?))
                    });
                Jsonb::object(pairs.collect::<Result<_>>()?)
            }
            other => Jsonb::string(self.text(other, ty)),
        })
    }

    /// The value as `json` text, which keeps the order of columns and the text of `json` values.
    ///
    /// # Errors
    /// None in practice.
    pub fn write(&self, out: &mut String, value: &Value, shape: &Shape) -> Result<()> {
        let ty = &shape.ty;
        match value {
            Value::Text(text) if *ty == Type::Json => out.push_str(text),
            Value::Array(array) => {
                let element = element_shape(ty, &array.element);
                out.push('[');
                for (position, part) in array.outer_parts().iter().enumerate() {
                    out.push_str(if position == 0 { "" } else { "," });
                    let shape = if matches!(part, Value::Array(_)) { shape } else { &element };
                    self.write(out, part, shape)?;
                }
                out.push(']');
            }
            Value::Record(fields) => {
                out.push('{');
                let shapes = self.fields(shape, fields);
                for (position, (field, (name, shape))) in fields.iter().zip(shapes).enumerate() {
                    out.push_str(if position == 0 { "" } else { "," });
                    // Writing to a string cannot fail.
                    let _ = escape(out, &name);
                    out.push(':');
                    self.write(out, field, &shape)?;
                }
                out.push('}');
            }
            value => out.push_str(&self.build(value, shape)?.to_string()),
        }
        Ok(())
    }

    /// Numbers print as they do in SQL; what JSON has no number for is a string.
    fn number(&self, value: &Value) -> Jsonb {
        let text = to_text_in(value, &value.natural_type(), self.style, None);
        match text.parse() {
            Ok(number @ crate::value::numeric::Numeric::Finite(_)) => Jsonb::Number(number),
            _ => Jsonb::string(text),
        }
    }

    /// Moments are in ISO 8601 with a T.
    fn text(&self, value: &Value, ty: &Type) -> String {
        let mut out = String::new();
        match value {
            Value::Timestamp(local) => format::write_timestamp(&mut out, *local, 'T'),
            Value::TimestampTz(moment) => {
                format::write_timestamptz(&mut out, *moment, &self.style.time_zone, 'T');
                // JSON's offsets have minutes.
                if out.as_bytes().iter().rev().nth(2).is_some_and(|b| matches!(b, b'+' | b'-')) {
                    out.push_str(":00");
                }
            }
            other => out = to_text_in(other, ty, self.style, Some(self.catalog)),
        }
        out
    }

    /// Names and shapes of a record's fields; without names they are `f1`, `f2`, ….
    fn fields(&self, shape: &Shape, values: &[Value]) -> Vec<(String, Shape)> {
        if let Some(fields) = &shape.fields {
            return fields.clone();
        }
        if let Type::Row(oid) = shape.ty
            && let Some(fields) = self.catalog.row_fields(oid)
        {
            return fields.into_iter().map(|(name, ty)| (name, ty.base.into())).collect();
        }
        let fields = values.iter().enumerate();
        fields
            .map(|(position, value)| (format!("f{}", position + 1), value.natural_type().into()))
            .collect()
    }
}

fn element_shape(ty: &Type, element: &Type) -> Shape {
    ty.element().unwrap_or(element).clone().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_documents() {
        let (style, catalog) = (OutputStyle::default(), Catalog::default());
        let builder = JsonBuilder { style: &style, catalog: &catalog };
        let json =
            |value: Value| builder.build(&value, &value.natural_type().into()).unwrap().to_string();
        assert_eq!(json(Value::Float8(f64::NAN)), "\"NaN\"");
        assert_eq!(json(Value::TimestampTz(0)), "\"2000-01-01T00:00:00+00:00\"");
        assert_eq!(json(Value::numeric("1.50".parse().unwrap())), "1.50");
        let array = Value::array(Type::Int4, vec![Value::Int4(1), Value::Null]);
        assert_eq!(json(array.clone()), "[1, null]");
        let mut out = String::new();
        builder
            .write(&mut out, &Value::Record([array, Value::text("x")].into()), &Type::Record.into())
            .unwrap();
        assert_eq!(out, r#"{"f1":[1,null],"f2":"x"}"#);
    }
}
