//! Taking arguments apart and putting results together.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::expression::functions::argument::{arg, optional};
use crate::geo::{Box2d, Geometry};
use crate::value::Value;

fn mismatch(index: usize, expected: &str) -> Error {
    Error::internal(format!("argument {} is no {expected}", index + 1))
}

/// A shape; `index` counts from 0.
pub(super) fn geometry(args: &[Value], index: usize) -> Result<&Geometry> {
    match args.get(index) {
        Some(Value::Geometry(geometry)) => Ok(geometry),
        _ => Err(mismatch(index, "geometry")),
    }
}

/// Two shapes in the same reference system.
pub(super) fn pair<'a>(args: &'a [Value], function: &str) -> Result<(&'a Geometry, &'a Geometry)> {
    let (a, b) = (geometry(args, 0)?, geometry(args, 1)?);
    a.check_srid(b, function)?;
    Ok((a, b))
}

/// A `double precision`.
pub(super) fn float(args: &[Value], index: usize) -> Result<f64> {
    arg(args, index)
}

/// An `integer`.
pub(super) fn int(args: &[Value], index: usize) -> Result<i32> {
    arg(args, index)
}

/// An `integer` that may be left out.
pub(super) fn int_or(args: &[Value], index: usize, default: i32) -> Result<i32> {
    Ok(optional(args, index)?.unwrap_or(default))
}

/// A `boolean` that may be left out.
pub(super) fn bool_or(args: &[Value], index: usize, default: bool) -> Result<bool> {
    Ok(optional(args, index)?.unwrap_or(default))
}

/// A `text`.
pub(super) fn text(args: &[Value], index: usize) -> Result<&str> {
    arg(args, index)
}

/// A `bytea`.
pub(super) fn bytea(args: &[Value], index: usize) -> Result<&[u8]> {
    arg(args, index)
}

/// The planar part of a `box2d` or `box3d`, or the box around a shape; none around an empty one.
pub(super) fn bounds(args: &[Value], index: usize) -> Result<Option<Box2d>> {
    match args.get(index) {
        Some(Value::Box(corners)) => {
            let [xmin, ymin, _, xmax, ymax, _] = **corners;
            Ok(Some(Box2d { min: [xmin, ymin], max: [xmax, ymax] }))
        }
        Some(Value::Geometry(geometry)) => Ok(Box2d::around(geometry)),
        _ => Err(mismatch(index, "box")),
    }
}

/// The shapes in an array, without its NULLs.
pub(super) fn geometries(args: &[Value], index: usize) -> Result<Vec<&Geometry>> {
    let Some(Value::Array(array)) = args.get(index) else {
        return Err(mismatch(index, "array of geometries"));
    };
    let shapes = array.elements.iter().filter(|element| !element.is_null());
    shapes.map(|element| geometry(std::slice::from_ref(element), 0)).collect()
}

/// A shape as a value.
pub(super) fn shape(geometry: Geometry) -> Value {
    Value::Geometry(Arc::new(geometry))
}

/// A shape as a value, NULL when there is none.
pub(super) fn shape_or_null(geometry: Option<Geometry>) -> Value {
    geometry.map_or(Value::Null, shape)
}

/// A number as a value, NULL when there is none.
pub(super) fn float_or_null(value: Option<f64>) -> Value {
    value.map_or(Value::Null, Value::Float8)
}

/// A box as a value, NULL when there is none.
pub(super) fn box_or_null(bounds: Option<Box2d>) -> Value {
    bounds.map_or(Value::Null, |Box2d { min, max }| {
        Value::Box(Arc::new([min[0], min[1], 0.0, max[0], max[1], 0.0]))
    })
}
