//! Set operations on shapes, and buffers.
//!
//! Areas are combined by `geo`; lines against areas are clipped; points are filtered.

use std::f64::consts::PI;

use geo::algorithm::buffer::{BufferStyle, LineCap, LineJoin};
use geo::{BooleanOps, Buffer, Coord, Intersects, LineString};
use geo::{MultiLineString, MultiPolygon, OpType, Point, Polygon, Winding};

use super::parts::Parts;
use super::{Geometry, Kind};
use crate::error::{Error, Result};

/// What a shape covers, sorted by dimension.
struct Layers {
    points: Vec<Point<f64>>,
    lines: MultiLineString<f64>,
    areas: MultiPolygon<f64>,
}

impl Layers {
    fn new(geometry: &Geometry) -> Self {
        let parts = Parts::new(&geometry.shape);
        let areas: Vec<Polygon<f64>> = parts.polygons.into_iter().cloned().collect();
        Self {
            points: parts.points.into_iter().map(Point).collect(),
            lines: MultiLineString::new(parts.lines.into_iter().cloned().collect()),
            areas: match areas.as_slice() {
                [] | [_] => MultiPolygon::new(areas),
                _ => geo::algorithm::bool_ops::unary_union(&areas),
            },
        }
    }

    fn covers(&self, point: &Point<f64>) -> bool {
        self.areas.intersects(point) || self.lines.intersects(point) || self.points.contains(point)
    }

    fn into_geometry(mut self, srid: i32, empty: Kind) -> Geometry {
        self.points.sort_by(|a, b| a.x().total_cmp(&b.x()).then(a.y().total_cmp(&b.y())));
        self.points.dedup();
        let mut shapes: Vec<geo::Geometry<f64>> = Vec::new();
        shapes.extend(self.points.iter().map(|point| geo::Geometry::from(*point)));
        shapes.extend(self.lines.0.into_iter().map(geo::Geometry::from));
        shapes.extend(self.areas.0.into_iter().map(|area| oriented(area).into()));
        match shapes.len() {
            0 => Geometry::empty(srid, empty),
            1 => Geometry::new(srid, shapes.swap_remove(0)),
            _ => super::collect(srid, shapes),
        }
    }
}

/// GEOS gives clockwise shells.
fn oriented(polygon: Polygon<f64>) -> Polygon<f64> {
    let (mut exterior, mut interiors) = polygon.into_inner();
    exterior.make_cw_winding();
    interiors.iter_mut().for_each(Winding::make_ccw_winding);
    Polygon::new(exterior, interiors)
}

/// Lines against lines are not among `geo`'s operations.
fn lines_with_lines() -> Error {
    Error::unsupported("this set operation on two lines")
}

/// `ST_Union` of two shapes.
///
/// # Errors
/// 0A000 for lines that must be split.
pub fn union(a: &Geometry, b: &Geometry) -> Result<Geometry> {
    union_all(a.srid, &[a, b])
}

/// `ST_Union` of many shapes.
///
/// # Errors
/// 0A000 for lines that cross.
pub fn union_all(srid: i32, all: &[&Geometry]) -> Result<Geometry> {
    let layers: Vec<Layers> = all.iter().map(|geometry| Layers::new(geometry)).collect();
    let polygons: Vec<&Polygon<f64>> = layers.iter().flat_map(|layer| &layer.areas.0).collect();
    let areas = match polygons.as_slice() {
        [] => MultiPolygon::new(Vec::new()),
        [one] => (*one).clone().into(),
        many => geo::algorithm::bool_ops::unary_union(many.iter().copied()),
    };
    let mut lines: Vec<LineString<f64>> = Vec::new();
    for line in layers.iter().flat_map(|layer| &layer.lines.0) {
        if lines.contains(line) {
            continue;
        }
        if lines.iter().any(|other| other.intersects(line) && !only_ends_meet(other, line)) {
            return Err(lines_with_lines());
        }
        lines.push(line.clone());
    }
    let lines = MultiLineString::new(lines);
    let lines = if areas.0.is_empty() { lines } else { areas.clip(&lines, true) };
    let rest = Layers { points: Vec::new(), lines, areas };
    let points = layers.iter().flat_map(|layer| &layer.points).copied();
    let points = points.filter(|point| !rest.covers(point)).collect();
    let empty = all.first().map_or(Kind::GeometryCollection, |first| first.kind());
    Ok(Layers { points, ..rest }.into_geometry(srid, empty))
}

/// Whether two lines share nothing but ends of both.
fn only_ends_meet(a: &LineString<f64>, b: &LineString<f64>) -> bool {
    use geo::Relate;
    let matrix = a.relate(b);
    matrix.matches("FF*F*****").unwrap_or(false)
}

/// `ST_Intersection`.
///
/// # Errors
/// 0A000 for two lines.
pub fn intersection(a: &Geometry, b: &Geometry) -> Result<Geometry> {
    let (first, second) = (Layers::new(a), Layers::new(b));
    if !first.lines.0.is_empty()
        && !second.lines.0.is_empty()
        && first.lines.intersects(&second.lines)
    {
        return Err(lines_with_lines());
    }
    let areas = if first.areas.0.is_empty() || second.areas.0.is_empty() {
        MultiPolygon::new(Vec::new())
    } else {
        first.areas.boolean_op(&second.areas, OpType::Intersection)
    };
    let clipped = |areas: &MultiPolygon<f64>, lines: &MultiLineString<f64>| {
        if areas.0.is_empty() || lines.0.is_empty() {
            Vec::new()
        } else {
            areas.clip(lines, false).0
        }
    };
    let mut lines = clipped(&second.areas, &first.lines);
    lines.extend(clipped(&first.areas, &second.lines));
    let shared = first.points.iter().filter(|point| second.covers(point));
    let shared = shared.chain(second.points.iter().filter(|point| first.covers(point)));
    let layers =
        Layers { points: shared.copied().collect(), lines: MultiLineString::new(lines), areas };
    let empty = if a.dimension() <= b.dimension() { a.kind() } else { b.kind() };
    Ok(layers.into_geometry(a.srid, empty))
}

/// `ST_Difference`: what of `a` is not in `b`.
///
/// # Errors
/// 0A000 for two lines that meet.
pub fn difference(a: &Geometry, b: &Geometry) -> Result<Geometry> {
    let (first, second) = (Layers::new(a), Layers::new(b));
    if !first.lines.0.is_empty()
        && !second.lines.0.is_empty()
        && first.lines.intersects(&second.lines)
    {
        return Err(lines_with_lines());
    }
    let areas = if first.areas.0.is_empty() || second.areas.0.is_empty() {
        first.areas
    } else {
        first.areas.boolean_op(&second.areas, OpType::Difference)
    };
    let lines = if first.lines.0.is_empty() || second.areas.0.is_empty() {
        first.lines
    } else {
        second.areas.clip(&first.lines, true)
    };
    let points = first.points.iter().filter(|point| !second.covers(point)).copied().collect();
    Ok(Layers { points, lines, areas }.into_geometry(a.srid, a.kind()))
}

/// `ST_SymDifference`: what is in exactly one of them.
///
/// # Errors
/// As [`difference`] and [`union`].
pub fn symmetric_difference(a: &Geometry, b: &Geometry) -> Result<Geometry> {
    union(&difference(a, b)?, &difference(b, a)?)
}

/// `ST_Buffer` with `segments` per quarter of a circle. A negative distance shrinks areas.
pub fn buffer(geometry: &Geometry, distance: f64, segments: u32) -> Geometry {
    if geometry.is_empty() || (distance <= 0.0 && geometry.dimension() < 2) {
        return Geometry::empty(geometry.srid, Kind::Polygon);
    }
    if let Some(center) = geometry.as_point() {
        return Geometry::new(geometry.srid, circle(center, distance, segments));
    }
    let angle = PI / 2.0 / f64::from(segments.max(1));
    let style = BufferStyle::new(distance)
        .line_cap(LineCap::Round(angle))
        .line_join(LineJoin::Round(angle));
    let shape = super::planar::without_empties(&geometry.shape);
    let mut areas = match shape {
        // Points one by one: `geo` gives circles of its own fineness.
        geo::Geometry::MultiPoint(points) => {
            let circles: Vec<_> =
                points.0.iter().map(|point| circle(point.0, distance, segments)).collect();
            geo::algorithm::bool_ops::unary_union(&circles)
        }
        shape => shape.buffer_with_style(style),
    };
    Geometry::new(
        geometry.srid,
        match areas.0.len() {
            0 => Polygon::empty().into(),
            1 => geo::Geometry::from(oriented(areas.0.swap_remove(0))),
            _ => MultiPolygon::new(areas.0.into_iter().map(oriented).collect()).into(),
        },
    )
}

/// A circle as a polygon, clockwise from the east.
fn circle(center: Coord<f64>, radius: f64, segments: u32) -> Polygon<f64> {
    let count = 4 * segments.max(1);
    let vertex = |index: u32| {
        let (sin, cos) = (-2.0 * PI * f64::from(index) / f64::from(count)).sin_cos();
        Coord { x: center.x + radius * cos, y: center.y + radius * sin }
    };
    Polygon::new((0..count).map(vertex).collect(), Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Geometry {
        Geometry::parse(text).unwrap()
    }

    #[test]
    fn areas_combine() {
        let left = parse("POLYGON((0 0,0 2,2 2,2 0,0 0))");
        let right = parse("POLYGON((1 0,1 2,3 2,3 0,1 0))");
        assert_eq!(super::super::area(&union(&left, &right).unwrap()), 6.0);
        assert_eq!(super::super::area(&intersection(&left, &right).unwrap()), 2.0);
        assert_eq!(super::super::area(&difference(&left, &right).unwrap()), 2.0);
        assert_eq!(super::super::area(&symmetric_difference(&left, &right).unwrap()), 4.0);
        let line = parse("LINESTRING(-1 1,5 1)");
        assert_eq!(super::super::length(&intersection(&line, &left).unwrap()), 2.0);
        assert_eq!(super::super::length(&difference(&line, &left).unwrap()), 4.0);
        let point = parse("POINT(1 1)");
        assert_eq!(intersection(&point, &left).unwrap().to_wkt(None), "POINT(1 1)");
        assert_eq!(difference(&point, &left).unwrap().to_wkt(None), "POINT EMPTY");
        let both = union(&parse("POINT(5 5)"), &left).unwrap();
        assert_eq!(both.kind(), Kind::GeometryCollection);
    }

    #[test]
    fn a_buffered_point_has_32_sides() {
        let circle = buffer(&parse("POINT(1 2)"), 3.0, 8);
        assert_eq!(circle.coords().count(), 33);
        assert_eq!(circle.coords().next(), Some(Coord { x: 4.0, y: 2.0 }));
    }
}
