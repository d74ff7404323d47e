//! Functions that ask for a shape's parts and properties.

use geo::{LineString, Point};

use super::args::{bounds, float_or_null, geometry, int, shape, shape_or_null};
use crate::error::{Error, Result};
use crate::expression::functions::{Builder, Eval};
use crate::geo::{Geometry, Shape};
use crate::value::Value;

/// Registers the family.
pub(super) fn register(builder: &mut Builder) {
    for ty in ["geometry", "geography"] {
        builder.function(&format!("st_srid({ty}) -> int4"), |_, args| {
            Ok(Value::Int4(geometry(args, 0)?.srid))
        });
        builder.function(&format!("geometrytype({ty}) -> text"), |_, args| {
            Ok(Value::text(geometry(args, 0)?.kind().name().to_ascii_uppercase()))
        });
    }
    builder.function("st_geometrytype(geometry) -> text", |_, args| {
        Ok(Value::text(format!("ST_{}", geometry(args, 0)?.kind().name())))
    });
    builder.function("st_x(geometry) -> float8", |_, args| coordinate(args, "ST_X", |at| at.x()));
    builder.function("st_y(geometry) -> float8", |_, args| coordinate(args, "ST_Y", |at| at.y()));
    let sides: [(&str, Eval); 4] = [
        ("st_xmin", |_, args| side(args, |low, _| low[0])),
        ("st_ymin", |_, args| side(args, |low, _| low[1])),
        ("st_xmax", |_, args| side(args, |_, high| high[0])),
        ("st_ymax", |_, args| side(args, |_, high| high[1])),
    ];
    for (name, eval) in sides {
        for ty in ["geometry", "box2d", "box3d"] {
            builder.function(&format!("{name}({ty}) -> float8"), eval);
        }
    }
    builder.function("st_isempty(geometry) -> bool", |_, args| {
        Ok(Value::Bool(geometry(args, 0)?.is_empty()))
    });
    builder.function("st_iscollection(geometry) -> bool", |_, args| {
        Ok(Value::Bool(geometry(args, 0)?.kind().is_multi()))
    });
    builder.function("st_dimension(geometry) -> int4", |_, args| {
        Ok(Value::Int4(geometry(args, 0)?.dimension()))
    });
    for name in ["st_ndims", "st_coorddim"] {
        builder.function(&format!("{name}(geometry) -> int2"), |_, _| Ok(Value::Int2(2)));
    }
    register_parts(builder);
    register_path(builder);
}

fn register_parts(builder: &mut Builder) {
    builder.function("st_npoints(geometry) -> int4", |_, args| {
        Ok(count(geometry(args, 0)?.coords().count()))
    });
    builder.function("st_numgeometries(geometry) -> int4", |_, args| {
        let given = geometry(args, 0)?;
        Ok(match given.kind().is_multi() {
            true => count(given.parts().len()),
            false => Value::Int4(i32::from(!given.is_empty())),
        })
    });
    builder.function("st_geometryn(geometry, int4) -> geometry", |_, args| {
        let given = geometry(args, 0)?;
        let parts = given.parts();
        let part = nth(&parts, int(args, 1)?).filter(|_| !given.is_empty());
        Ok(shape_or_null(part.map(|part| Geometry::new(given.srid, part.clone()))))
    });
    builder.function("st_exteriorring(geometry) -> geometry", |_, args| {
        let given = geometry(args, 0)?;
        let Shape::Polygon(polygon) = &given.shape else { return Ok(Value::Null) };
        Ok(shape(Geometry::new(given.srid, polygon.exterior().clone())))
    });
    builder.function("st_interiorringn(geometry, int4) -> geometry", |_, args| {
        let given = geometry(args, 0)?;
        let Shape::Polygon(polygon) = &given.shape else { return Ok(Value::Null) };
        let ring = nth(polygon.interiors(), int(args, 1)?);
        Ok(shape_or_null(ring.map(|ring| Geometry::new(given.srid, ring.clone()))))
    });
    for name in ["st_numinteriorrings", "st_numinteriorring"] {
        builder.function(&format!("{name}(geometry) -> int4"), |_, args| {
            Ok(match &geometry(args, 0)?.shape {
                Shape::Polygon(polygon) => count(polygon.interiors().len()),
                _ => Value::Null,
            })
        });
    }
}

fn register_path(builder: &mut Builder) {
    builder.function("st_numpoints(geometry) -> int4", |_, args| {
        Ok(line(geometry(args, 0)?).map_or(Value::Null, |line| count(line.0.len())))
    });
    builder.function("st_startpoint(geometry) -> geometry", |_, args| {
        let given = geometry(args, 0)?;
        let first = given.coords().next();
        Ok(shape_or_null(first.map(|first| Geometry::new(given.srid, Point(first)))))
    });
    builder.function("st_endpoint(geometry) -> geometry", |_, args| vertex(args, -1));
    builder
        .function("st_pointn(geometry, int4) -> geometry", |_, args| vertex(args, int(args, 1)?));
    builder.function("st_isclosed(geometry) -> bool", |_, args| {
        let given = geometry(args, 0)?;
        let is_closed = given.parts().iter().all(|part| match part {
            Shape::LineString(line) => line.is_closed(),
            _ => true,
        });
        Ok(Value::Bool(is_closed && !given.is_empty()))
    });
}

fn count(count: usize) -> Value {
    Value::Int4(i32::try_from(count).unwrap_or(i32::MAX))
}

/// The item at a position that counts from 1.
fn nth<T>(items: &[T], position: i32) -> Option<&T> {
    items.get(usize::try_from(position).ok()?.checked_sub(1)?)
}

fn coordinate(args: &[Value], name: &str, take: fn(&Point<f64>) -> f64) -> Result<Value> {
    let given = geometry(args, 0)?;
    match &given.shape {
        Shape::Point(_) if given.is_empty() => Ok(Value::Null),
        Shape::Point(point) => Ok(Value::Float8(take(point))),
        _ => Err(Error::internal(format!("Argument to {name}() must have type POINT"))),
    }
}

fn side(args: &[Value], take: fn([f64; 2], [f64; 2]) -> f64) -> Result<Value> {
    Ok(float_or_null(bounds(args, 0)?.map(|bounds| take(bounds.min, bounds.max))))
}

fn line(given: &Geometry) -> Option<&LineString<f64>> {
    match &given.shape {
        Shape::LineString(line) => Some(line),
        _ => None,
    }
}

/// A vertex of a line, counted from 1 at its start or from -1 at its end.
fn vertex(args: &[Value], position: i32) -> Result<Value> {
    let given = geometry(args, 0)?;
    let Some(line) = line(given) else { return Ok(Value::Null) };
    let from_start = match i32::try_from(line.0.len()) {
        Ok(length) if position < 0 => length.saturating_add(position).saturating_add(1),
        _ => position,
    };
    let vertex = nth(&line.0, from_start);
    Ok(shape_or_null(vertex.map(|vertex| Geometry::new(given.srid, Point(*vertex)))))
}
