//! Aggregates over shapes, and sets of a shape's parts.

use super::args::{box_or_null, geometry, shape, shape_or_null};
use crate::error::Result;
use crate::expression::EvalContext;
use crate::expression::functions::{Accumulator, Builder, RowSet};
use crate::geo::{self, Box2d, Geometry};
use crate::value::{Array, Type, Value};

/// Registers the family.
pub(super) fn register(builder: &mut Builder) {
    builder.aggregate("st_extent(geometry) -> box2d", |_| Box::new(Extent::default()));
    builder.aggregate("st_collect(geometry) -> geometry", |_| {
        Box::new(Shapes { all: Vec::new(), memory_len: 0, combine: collected })
    });
    builder.aggregate("st_makeline(geometry) -> geometry", |_| {
        Box::new(Shapes { all: Vec::new(), memory_len: 0, combine: line })
    });
    builder.aggregate("st_union(geometry) -> geometry", |_| {
        Box::new(Shapes { all: Vec::new(), memory_len: 0, combine: united })
    });
    builder.set_function("st_dump(geometry) -> (path int4[], geom geometry)", dump);
    builder.set_function("st_dumppoints(geometry) -> (path int4[], geom geometry)", |_, args| {
        let given = geometry(args, 0)?.clone();
        let mut rows = Vec::new();
        dump_points(&given.shape, &mut Vec::new(), given.srid, &mut rows);
        Ok(Box::new(rows.into_iter().map(Ok)))
    });
}

#[derive(Default)]
struct Extent {
    bounds: Option<Box2d>,
}

impl Accumulator for Extent {
    fn add(&mut self, _: &EvalContext<'_>, args: &[Value]) -> Result<()> {
        if let Some(added) = Box2d::around(geometry(args, 0)?) {
            self.bounds = Some(self.bounds.map_or(added, |bounds| bounds.merged(&added)));
        }
        Ok(())
    }

    fn finish(&mut self, _: &EvalContext<'_>) -> Result<Value> {
        Ok(box_or_null(self.bounds))
    }
}

/// Keeps all shapes and combines them at the end.
struct Shapes {
    all: Vec<Geometry>,
    memory_len: usize,
    combine: fn(&[Geometry]) -> Result<Option<Geometry>>,
}

impl Accumulator for Shapes {
    fn add(&mut self, _: &EvalContext<'_>, args: &[Value]) -> Result<()> {
        let added = geometry(args, 0)?;
        if let Some(first) = self.all.first() {
            first.check_srid(added, "ST_Collect")?;
        }
        self.memory_len += added.memory_len();
        self.all.push(added.clone());
        Ok(())
    }

    fn finish(&mut self, _: &EvalContext<'_>) -> Result<Value> {
        Ok(shape_or_null((self.combine)(&self.all)?))
    }

    fn memory_len(&self) -> usize {
        self.memory_len
    }
}

fn collected(all: &[Geometry]) -> Result<Option<Geometry>> {
    let shapes = all.iter().map(|geometry| geometry.shape.clone()).collect();
    Ok(all.first().map(|first| geo::collect(first.srid, shapes)))
}

fn line(all: &[Geometry]) -> Result<Option<Geometry>> {
    super::construct::make_line(&all.iter().collect::<Vec<_>>())
}

fn united(all: &[Geometry]) -> Result<Option<Geometry>> {
    let Some(first) = all.first() else { return Ok(None) };
    Ok(Some(geo::union_all(first.srid, &all.iter().collect::<Vec<_>>())?))
}

fn row(path: &[i32], srid: i32, part: impl Into<geo::Shape>) -> Vec<Value> {
    let path = Array {
        element: Type::Int4,
        dimensions: if path.is_empty() { Vec::new() } else { vec![(path.len(), 1)] },
        elements: path.iter().map(|index| Value::Int4(*index)).collect(),
    };
    vec![Value::Array(path.into()), shape(Geometry::new(srid, part))]
}

fn dump(_: &EvalContext<'_>, args: &[Value]) -> Result<RowSet> {
    let given = geometry(args, 0)?.clone();
    let mut rows = Vec::new();
    dump_parts(&given, &mut Vec::new(), &mut rows);
    Ok(Box::new(rows.into_iter().map(Ok)))
}

fn dump_parts(given: &Geometry, path: &mut Vec<i32>, rows: &mut Vec<Vec<Value>>) {
    if !given.kind().is_multi() {
        if !given.is_empty() {
            rows.push(row(path, given.srid, given.shape.clone()));
        }
        return;
    }
    for (index, part) in (1..).zip(given.parts()) {
        path.push(index);
        dump_parts(&Geometry::new(given.srid, part), path, rows);
        path.pop();
    }
}

fn dump_points(part: &geo::Shape, path: &mut Vec<i32>, srid: i32, rows: &mut Vec<Vec<Value>>) {
    let path_points = |line: &::geo::LineString<f64>, path: &mut Vec<i32>, rows: &mut Vec<_>| {
        for (index, coord) in (1..).zip(&line.0) {
            path.push(index);
            rows.push(row(path, srid, ::geo::Point(*coord)));
            path.pop();
        }
    };
    match part {
        geo::Shape::Point(point) => {
            if !(point.x().is_nan() && point.y().is_nan()) {
                path.push(1);
                rows.push(row(path, srid, *point));
                path.pop();
            }
        }
        geo::Shape::LineString(line) => path_points(line, path, rows),
        geo::Shape::Polygon(polygon) => {
            let rings = std::iter::once(polygon.exterior()).chain(polygon.interiors());
            for (index, ring) in (1..).zip(rings) {
                path.push(index);
                path_points(ring, path, rows);
                path.pop();
            }
        }
        many => {
            let parts = Geometry::new(srid, many.clone()).parts();
            for (index, part) in (1..).zip(parts) {
                path.push(index);
                dump_points(&part, path, srid, rows);
                path.pop();
            }
        }
    }
}
