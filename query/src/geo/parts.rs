//! A shape taken apart into points, lines and polygons, for mathematics that look at pairs.

use geo::{Coord, LineString, Polygon};

use super::is_empty_point;

/// What a shape consists of; nothing in it is empty.
#[derive(Default)]
pub(super) struct Parts<'a> {
    pub points: Vec<Coord<f64>>,
    pub lines: Vec<&'a LineString<f64>>,
    pub polygons: Vec<&'a Polygon<f64>>,
}

impl<'a> Parts<'a> {
    pub fn new(shape: &'a geo::Geometry<f64>) -> Self {
        let mut parts = Self::default();
        parts.add(shape);
        parts
    }

    fn add(&mut self, shape: &'a geo::Geometry<f64>) {
        match shape {
            geo::Geometry::Point(point) => self.add_point(point),
            geo::Geometry::LineString(line) => self.add_line(line),
            geo::Geometry::Polygon(polygon) => self.add_polygon(polygon),
            geo::Geometry::MultiPoint(many) => many.0.iter().for_each(|p| self.add_point(p)),
            geo::Geometry::MultiLineString(many) => many.0.iter().for_each(|l| self.add_line(l)),
            geo::Geometry::MultiPolygon(many) => many.0.iter().for_each(|p| self.add_polygon(p)),
            geo::Geometry::GeometryCollection(many) => many.0.iter().for_each(|s| self.add(s)),
            // Never inside a `Geometry`: see there.
            geo::Geometry::Line(_) | geo::Geometry::Rect(_) | geo::Geometry::Triangle(_) => {}
        }
    }

    fn add_point(&mut self, point: &geo::Point<f64>) {
        if !is_empty_point(point) {
            self.points.push(point.0);
        }
    }

    fn add_line(&mut self, line: &'a LineString<f64>) {
        match line.0.as_slice() {
            [] => {}
            [point] => self.points.push(*point),
            _ => self.lines.push(line),
        }
    }

    fn add_polygon(&mut self, polygon: &'a Polygon<f64>) {
        if !polygon.exterior().0.is_empty() {
            self.polygons.push(polygon);
        }
    }

    /// The lines and the rings of the polygons.
    pub fn paths(&self) -> impl Iterator<Item = &'a LineString<f64>> + '_ {
        self.lines.iter().copied().chain(self.rings())
    }

    /// The rings of the polygons.
    pub fn rings(&self) -> impl Iterator<Item = &'a LineString<f64>> + '_ {
        self.polygons.iter().flat_map(|p| std::iter::once(p.exterior()).chain(p.interiors()))
    }

    /// One position of every connected part.
    pub fn samples(&self) -> impl Iterator<Item = Coord<f64>> + '_ {
        let points = self.points.iter().copied();
        points.chain(self.paths().filter_map(|path| path.0.first().copied()))
    }
}
