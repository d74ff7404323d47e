//! WKT and EWKT printing.

use geo::{Coord, LineString, Polygon};

use super::{Geometry, is_empty_point, number, shape_kind};

/// Digits after the point when nothing is asked.
pub(super) const DECIMALS_DEFAULT: usize = 15;

impl Geometry {
    /// `ST_AsText`: without the reference system.
    pub fn to_wkt(&self, decimals: Option<usize>) -> String {
        let mut writer = Writer::new(decimals, false);
        writer.tagged(&self.shape);
        writer.out
    }

    /// `ST_AsEWKT`: with the reference system, when there is one.
    pub fn to_ewkt(&self, decimals: Option<usize>) -> String {
        let mut writer = Writer::new(decimals, true);
        if self.srid != 0 {
            writer.out = format!("SRID={};", self.srid);
        }
        writer.tagged(&self.shape);
        writer.out
    }
}

struct Writer {
    out: String,
    decimals: usize,
    /// EWKT's older form: the points of a multipoint stand without parentheses.
    has_bare_points: bool,
}

impl Writer {
    fn new(decimals: Option<usize>, has_bare_points: bool) -> Self {
        let decimals = decimals.unwrap_or(DECIMALS_DEFAULT);
        Self { out: String::new(), decimals, has_bare_points }
    }

    fn tagged(&mut self, shape: &geo::Geometry<f64>) {
        self.out.push_str(&shape_kind(shape).name().to_ascii_uppercase());
        let is_bare = match shape {
            geo::Geometry::Point(point) => is_empty_point(point),
            geo::Geometry::LineString(line) => line.0.is_empty(),
            geo::Geometry::Polygon(polygon) => polygon.exterior().0.is_empty(),
            geo::Geometry::MultiPoint(many) => many.0.is_empty(),
            geo::Geometry::MultiLineString(many) => many.0.is_empty(),
            geo::Geometry::MultiPolygon(many) => many.0.is_empty(),
            geo::Geometry::GeometryCollection(many) => many.0.is_empty(),
            _ => false,
        };
        if is_bare {
            self.out.push(' ');
        }
        self.body(shape);
    }

    fn body(&mut self, shape: &geo::Geometry<f64>) {
        match shape {
            geo::Geometry::Point(point) => self.point(point),
            geo::Geometry::LineString(line) => self.coords(&line.0),
            geo::Geometry::Polygon(polygon) => self.polygon(polygon),
            geo::Geometry::MultiPoint(many) if self.has_bare_points => {
                self.list(&many.0, Self::bare_point);
            }
            geo::Geometry::MultiPoint(many) => self.list(&many.0, Self::point),
            geo::Geometry::MultiLineString(many) => self.list(&many.0, Self::line),
            geo::Geometry::MultiPolygon(many) => self.list(&many.0, Self::polygon),
            geo::Geometry::GeometryCollection(many) => self.list(&many.0, Self::tagged),
            geo::Geometry::Line(line) => self.coords(&[line.start, line.end]),
            geo::Geometry::Rect(rect) => self.polygon(&rect.to_polygon()),
            geo::Geometry::Triangle(triangle) => self.polygon(&triangle.to_polygon()),
        }
    }

    fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T)) {
        if items.is_empty() {
            self.out.push_str("EMPTY");
            return;
        }
        self.out.push('(');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            each(self, item);
        }
        self.out.push(')');
    }

    fn point(&mut self, point: &geo::Point<f64>) {
        let coords = [point.0];
        self.coords(if is_empty_point(point) { &[] } else { &coords });
    }

    fn bare_point(&mut self, point: &geo::Point<f64>) {
        if is_empty_point(point) { self.out.push_str("EMPTY") } else { self.coord(&point.0) }
    }

    fn line(&mut self, line: &LineString<f64>) {
        self.coords(&line.0);
    }

    fn polygon(&mut self, polygon: &Polygon<f64>) {
        if polygon.exterior().0.is_empty() {
            return self.coords(&[]);
        }
        let rings: Vec<_> =
            std::iter::once(polygon.exterior()).chain(polygon.interiors()).collect();
        self.list(&rings, |writer, ring| writer.coords(&ring.0));
    }

    fn coords(&mut self, coords: &[Coord<f64>]) {
        self.list(coords, Self::coord);
    }

    fn coord(&mut self, coord: &Coord<f64>) {
        number::write_number(&mut self.out, coord.x, self.decimals);
        self.out.push(' ');
        number::write_number(&mut self.out, coord.y, self.decimals);
    }
}
