//! Set operations on shapes, and buffers.
//!
//! Areas are combined by `geo`; lines are clipped by areas; points are filtered. What shapes share
//! in a lower dimension (areas along a border, lines in a point) comes from [`Meeting`]. Lines that
//! would have to be cut by lines, in a union or a difference, are refused.

use std::f64::consts::PI;

use geo::algorithm::bool_ops::unary_union;
use geo::algorithm::buffer::{BufferStyle, LineCap, LineJoin};
use geo::algorithm::orient::{Direction, Orient};
use geo::{BooleanOps, Buffer, Coord, Intersects, LineString};
use geo::{MultiLineString, MultiPolygon, OpType, Point, Polygon};

use super::meeting::Meeting;
use super::parts::Parts;
use super::{Box2d, Geometry, Kind};
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
        let mut points: Vec<Point<f64>> = parts.points.into_iter().map(Point).collect();
        sort(&mut points);
        Self {
            points,
            lines: MultiLineString::new(parts.lines.into_iter().cloned().collect()),
            areas: united(parts.polygons),
        }
    }

    fn covers(&self, point: &Point<f64>) -> bool {
        self.areas.intersects(point) || self.lines.intersects(point) || self.points.contains(point)
    }

    /// Lines and rings.
    fn paths(&self) -> Vec<&LineString<f64>> {
        let rings = self
            .areas
            .0
            .iter()
            .flat_map(|area| std::iter::once(area.exterior()).chain(area.interiors()));
        self.lines.0.iter().chain(rings).collect()
    }

    fn into_geometry(self, srid: i32, dimension: i32) -> Geometry {
        let mut shapes: Vec<geo::Geometry<f64>> = Vec::new();
        shapes.extend(self.areas.0.into_iter().map(|area| geo::Geometry::from(oriented(&area))));
        shapes.extend(self.lines.0.into_iter().map(geo::Geometry::from));
        shapes.extend(self.points.into_iter().map(geo::Geometry::from));
        match shapes.len() {
            0 => Geometry::empty(srid, kind_of_dimension(dimension)),
            1 => Geometry::new(srid, shapes.swap_remove(0)),
            _ => super::collect(srid, shapes),
        }
    }
}

fn sort(points: &mut Vec<Point<f64>>) {
    points.sort_by(|a, b| a.x().total_cmp(&b.x()).then(a.y().total_cmp(&b.y())));
    points.dedup();
}

fn kind_of_dimension(dimension: i32) -> Kind {
    match dimension {
        0 => Kind::Point,
        1 => Kind::LineString,
        _ => Kind::Polygon,
    }
}

/// The union of areas that may overlap.
fn united(polygons: Vec<&Polygon<f64>>) -> MultiPolygon<f64> {
    match polygons.as_slice() {
        [] => MultiPolygon::new(Vec::new()),
        [one] => MultiPolygon::new(vec![(*one).clone()]),
        many => {
            // The union counts windings: all shells must run one way, all holes the other.
            let same_way: Vec<Polygon<f64>> =
                many.iter().map(|polygon| polygon.orient(Direction::Default)).collect();
            unary_union(&same_way)
        }
    }
}

/// GEOS gives clockwise shells.
fn oriented(polygon: &Polygon<f64>) -> Polygon<f64> {
    polygon.orient(Direction::Reversed)
}

fn lines_to_cut() -> Error {
    Error::unsupported("cutting lines by lines")
}

/// `ST_Union` of two shapes.
///
/// # Errors
/// 0A000 for lines that cross.
pub fn union(a: &Geometry, b: &Geometry) -> Result<Geometry> {
    let boxes = Box2d::around(a).zip(Box2d::around(b));
    if boxes.is_some_and(|(a, b)| !a.overlaps(&b)) {
        let mut parts = union_all(a.srid, &[a])?.parts();
        parts.extend(union_all(b.srid, &[b])?.parts());
        return Ok(super::collect(a.srid, parts));
    }
    union_all(a.srid, &[a, b])
}

/// `ST_Union` of many shapes.
///
/// # Errors
/// 0A000 for lines that cross.
pub fn union_all(srid: i32, all: &[&Geometry]) -> Result<Geometry> {
    let layers: Vec<Layers> = all.iter().map(|geometry| Layers::new(geometry)).collect();
    let areas = united(layers.iter().flat_map(|layer| &layer.areas.0).collect());
    let mut lines: Vec<LineString<f64>> = Vec::new();
    for line in layers.iter().flat_map(|layer| &layer.lines.0) {
        if lines.contains(line) {
            continue;
        }
        if lines.iter().any(|other| other.intersects(line) && !only_ends_meet(other, line)) {
            return Err(lines_to_cut());
        }
        lines.push(line.clone());
    }
    let lines = clipped(&areas, MultiLineString::new(lines), true);
    let mut result = Layers { points: Vec::new(), lines, areas };
    for point in layers.iter().flat_map(|layer| &layer.points) {
        if !result.covers(point) {
            result.points.push(*point);
        }
    }
    let dimension = all.iter().map(|geometry| geometry.dimension()).max().unwrap_or(0);
    Ok(result.into_geometry(srid, dimension))
}

/// Whether two lines share nothing but ends of both.
fn only_ends_meet(a: &LineString<f64>, b: &LineString<f64>) -> bool {
    use geo::Relate;
    a.relate(b).matches("FF*F*****").unwrap_or(false)
}

/// The parts of lines inside the areas, or outside.
fn clipped(
    areas: &MultiPolygon<f64>,
    lines: MultiLineString<f64>,
    is_outside: bool,
) -> MultiLineString<f64> {
    if lines.0.is_empty() {
        lines
    } else if areas.0.is_empty() {
        if is_outside { lines } else { MultiLineString::new(Vec::new()) }
    } else {
        areas.clip(&lines, is_outside)
    }
}

/// `ST_Intersection`.
pub fn intersection(a: &Geometry, b: &Geometry) -> Geometry {
    if let Some(empty) = [b, a].into_iter().find(|geometry| geometry.is_empty()) {
        return empty.clone();
    }
    let (first, second) = (Layers::new(a), Layers::new(b));
    let areas = if first.areas.0.is_empty() || second.areas.0.is_empty() {
        MultiPolygon::new(Vec::new())
    } else {
        first.areas.boolean_op(&second.areas, OpType::Intersection)
    };
    let mut lines = clipped(&second.areas, first.lines.clone(), false);
    lines.0.extend(clipped(&first.areas, second.lines.clone(), false).0);
    let mut result = Layers { points: Vec::new(), lines, areas };
    let meeting = Meeting::new(&first.paths(), &second.paths());
    for stretch in meeting.stretches {
        let middle = Point((stretch.start + stretch.end) / 2.0);
        if !result.covers(&middle) {
            result.lines.0.push(stretch.into());
        }
    }
    let mut points = meeting.points;
    points.extend(first.points.iter().filter(|point| second.covers(point)));
    points.extend(second.points.iter().filter(|point| first.covers(point)));
    points.retain(|point| !result.covers(point));
    sort(&mut points);
    result.points = points;
    result.into_geometry(a.srid, a.dimension().min(b.dimension()))
}

/// `ST_Difference`: what of `a` is not in `b`.
///
/// # Errors
/// 0A000 for lines that cross.
pub fn difference(a: &Geometry, b: &Geometry) -> Result<Geometry> {
    if a.is_empty() || b.is_empty() {
        return Ok(a.clone());
    }
    let (first, second) = (Layers::new(a), Layers::new(b));
    if first.lines.intersects(&second.lines) {
        return Err(lines_to_cut());
    }
    let areas = if first.areas.0.is_empty() || second.areas.0.is_empty() {
        first.areas
    } else {
        first.areas.boolean_op(&second.areas, OpType::Difference)
    };
    let lines = clipped(&second.areas, first.lines, true);
    let points = first.points.iter().filter(|point| !second.covers(point)).copied().collect();
    Ok(Layers { points, lines, areas }.into_geometry(a.srid, a.dimension()))
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
            united(circles.iter().collect())
        }
        shape => shape.buffer_with_style(style),
    };
    Geometry::new(
        geometry.srid,
        match areas.0.len() {
            0 => Polygon::empty().into(),
            1 => geo::Geometry::from(oriented(&areas.0.swap_remove(0))),
            _ => MultiPolygon::new(areas.0.iter().map(oriented).collect()).into(),
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
        assert_eq!(super::super::area(&intersection(&left, &right)), 2.0);
        assert_eq!(super::super::area(&difference(&left, &right).unwrap()), 2.0);
        assert_eq!(super::super::area(&symmetric_difference(&left, &right).unwrap()), 4.0);
        let line = parse("LINESTRING(-1 1,5 1)");
        assert_eq!(super::super::length(&intersection(&line, &left)), 2.0);
        assert_eq!(super::super::length(&difference(&line, &left).unwrap()), 4.0);
        let point = parse("POINT(1 1)");
        assert_eq!(intersection(&point, &left).to_wkt(None), "POINT(1 1)");
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
