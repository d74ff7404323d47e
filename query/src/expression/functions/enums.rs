//! Functions on users' types: the labels of enums (Postgres manual 9.10), whose arguments count
//! by their types.

use std::sync::Arc;

use super::Builder;
use crate::error::{Error, Result};
use crate::expression::EvalContext;
use crate::value::shape::{self, Shape};
use crate::value::{Array, EnumLabel, Type, Value};

pub(super) fn register(builder: &mut Builder) {
    builder
        .function("enum_first(anyenum) -> anyenum", |ctx, args| {
            Ok(labels(ctx, args)?.1.into_iter().next().unwrap_or(Value::Null))
        })
        .stable()
        .nullable()
        .typed();
    builder
        .function("enum_last(anyenum) -> anyenum", |ctx, args| {
            Ok(labels(ctx, args)?.1.into_iter().next_back().unwrap_or(Value::Null))
        })
        .stable()
        .nullable()
        .typed();
    builder
        .function("enum_range(anyenum) -> anyarray", |ctx, args| {
            let (ty, all) = labels(ctx, args)?;
            Ok(Value::Array(Array::new(ty, all).into()))
        })
        .stable()
        .nullable()
        .typed();
    builder
        .function("enum_range(anyenum, anyenum) -> anyarray", |ctx, args| {
            let (ty, mut all) = labels(ctx, args)?;
            let place = |at: usize| match args.get(at) {
                Some(Value::Enum(label)) => Some(label.position),
                _ => None,
            };
            let is_inside = |label: &Value| match label {
                Value::Enum(label) => {
                    place(0).is_none_or(|first| first <= label.position)
                        && place(1).is_none_or(|last| label.position <= last)
                }
                _ => false,
            };
            all.retain(is_inside);
            Ok(Value::Array(Array::new(ty, all).into()))
        })
        .stable()
        .nullable()
        .typed();
}

/// The enum that the arguments are of, and its labels in order.
fn labels(ctx: &EvalContext<'_>, args: &[Value]) -> Result<(Type, Vec<Value>)> {
    let shapes = args.last().map(shape::read).unwrap_or_default();
    let is_enum = |shape: &Shape| matches!(shape.ty, Type::Enum(_));
    let Some(Shape { ty: Type::Enum(oid), .. }) = shapes.into_iter().find(is_enum) else {
        return Err(Error::internal("an enum of no type"));
    };
    let catalog = ctx.services.catalog();
    let Some(def) = catalog.types.get(&oid) else {
        return Err(Error::internal(format!("type {oid} is not in the catalog")));
    };
    let label = |(position, label): (u32, &str)| {
        Value::Enum(Arc::new(EnumLabel { position, label: label.into() }))
    };
    Ok((Type::Enum(oid), def.labels().map(label).collect()))
}
