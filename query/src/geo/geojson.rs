//! GeoJSON (RFC 7946, and the named reference systems of its predecessor).

use std::fmt::Write;

use geo::{Coord, LineString, MultiLineString, MultiPoint, MultiPolygon};
use geo::{Point, Polygon};
use serde_json::Value as Json;

use super::{
    Box2d, DEPTH_MAX, Geometry, Kind, WGS84, collection, is_empty_point, shape_kind, write_number,
    z_or_m,
};
use crate::error::{Error, Result};

/// What `ST_AsGeoJSON` may be asked for.
#[derive(Clone, Copy, Debug)]
pub struct GeoJsonOptions {
    /// Digits after the point.
    pub decimals: usize,
    /// The bits of PostGIS' `options`: 1 box, 2 short name of the reference system, 4 long name,
    /// 8 short name unless it is WGS 84.
    pub bits: i32,
}

impl Default for GeoJsonOptions {
    fn default() -> Self {
        Self { decimals: 9, bits: 8 }
    }
}

impl Geometry {
    /// `ST_AsGeoJSON`.
    pub fn to_geojson(&self, options: GeoJsonOptions) -> String {
        let mut writer = Writer { out: String::new(), decimals: options.decimals };
        let mut head = String::new();
        self.write_reference_system(&mut head, options.bits);
        if options.bits & 1 != 0
            && let Some(Box2d { min, max }) = Box2d::around(self)
        {
            let decimals = options.decimals;
            // Writing to a String cannot fail.
            let _ = write!(
                head,
                "\"bbox\":[{:.decimals$},{:.decimals$},{:.decimals$},{:.decimals$}],",
                min[0], min[1], max[0], max[1]
            );
        }
        writer.shape(&self.shape, &head);
        writer.out
    }

    fn write_reference_system(&self, out: &mut String, bits: i32) {
        let is_short = bits & 2 != 0 || (bits & 8 != 0 && self.srid != WGS84);
        let authority = match bits & 4 {
            _ if self.srid == 0 => return,
            0 if is_short => "EPSG:",
            0 => return,
            _ => "urn:ogc:def:crs:EPSG::",
        };
        let name = format!("{authority}{}", self.srid);
        let _ =
            write!(out, "\"crs\":{{\"type\":\"name\",\"properties\":{{\"name\":\"{name}\"}}}},");
    }

    /// `ST_GeomFromGeoJSON`. Without a reference system of its own it is in WGS 84.
    ///
    /// # Errors
    /// XX000 as PostGIS; 0A000 for heights.
    pub fn from_geojson(text: &str) -> Result<Self> {
        let json: Json = serde_json::from_str(text).map_err(|error| {
            Error::internal(format!("{error}").replace(" line 1 column", " offset"))
        })?;
        let shape = read_shape(&json, 0)?;
        let srid = read_srid(&json).unwrap_or(WGS84);
        Ok(Self::new(super::clamp_srid(srid), shape))
    }
}

struct Writer {
    out: String,
    decimals: usize,
}

impl Writer {
    fn shape(&mut self, shape: &geo::Geometry<f64>, head: &str) {
        let kind = shape_kind(shape);
        let _ = write!(self.out, "{{\"type\":\"{}\",{head}", kind.name());
        let field = if kind == Kind::GeometryCollection { "geometries" } else { "coordinates" };
        let _ = write!(self.out, "\"{field}\":");
        match shape {
            geo::Geometry::Point(point) if is_empty_point(point) => self.out.push_str("[]"),
            geo::Geometry::Point(point) => self.coord(&point.0),
            geo::Geometry::LineString(line) => self.line(line),
            geo::Geometry::Polygon(polygon) => self.polygon(polygon),
            geo::Geometry::MultiPoint(many) => self.list(&many.0, |writer, p| writer.coord(&p.0)),
            geo::Geometry::MultiLineString(many) => self.list(&many.0, Self::line),
            geo::Geometry::MultiPolygon(many) => self.list(&many.0, Self::polygon),
            geo::Geometry::GeometryCollection(many) => {
                self.list(&many.0, |writer, part| writer.shape(part, ""));
            }
            geo::Geometry::Line(line) => self.line(&LineString::from(line)),
            geo::Geometry::Rect(rect) => self.polygon(&rect.to_polygon()),
            geo::Geometry::Triangle(triangle) => self.polygon(&triangle.to_polygon()),
        }
        self.out.push('}');
    }

    fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.out.push('[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            each(self, item);
        }
        self.out.push(']');
    }

    fn coord(&mut self, coord: &Coord<f64>) {
        self.list(&[coord.x, coord.y], |writer, value| {
            write_number(&mut writer.out, *value, writer.decimals);
        });
    }

    fn line(&mut self, line: &LineString<f64>) {
        self.list(&line.0, Self::coord);
    }

    fn polygon(&mut self, polygon: &Polygon<f64>) {
        let rings = std::iter::once(polygon.exterior()).chain(polygon.interiors());
        let rings: Vec<_> = rings.filter(|ring| !ring.0.is_empty()).collect();
        self.list(&rings, |writer, ring| writer.line(ring));
    }
}

fn read_srid(json: &Json) -> Option<i32> {
    let name = json.get("crs")?.get("properties")?.get("name")?.as_str()?;
    name.rsplit(':').next()?.parse().ok()
}

fn missing(field: &str) -> Error {
    Error::internal(format!("Unable to find '{field}' in GeoJSON string"))
}

fn items<'a>(json: &'a Json, field: &str) -> Result<&'a [Json]> {
    let list = json.as_array().ok_or_else(|| {
        Error::internal(format!("The '{field}' in GeoJSON are not sufficiently nested"))
    })?;
    Ok(list)
}

fn read_list<T>(json: &Json, each: impl Fn(&Json) -> Result<T>) -> Result<Vec<T>> {
    items(json, "coordinates")?.iter().map(each).collect()
}

fn read_shape(json: &Json, depth: usize) -> Result<geo::Geometry<f64>> {
    if depth > DEPTH_MAX {
        return Err(Error::internal("invalid GeoJson representation"));
    }
    let name = json.get("type").and_then(Json::as_str);
    let name = name.ok_or_else(|| Error::internal("unknown GeoJSON type"))?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name));
    let kind = kind.ok_or_else(|| Error::internal("invalid GeoJson representation"))?;
    if kind == Kind::GeometryCollection {
        let parts = json.get("geometries").ok_or_else(|| missing("geometries"))?;
        let parts: Result<Vec<_>> =
            items(parts, "geometries")?.iter().map(|part| read_shape(part, depth + 1)).collect();
        return Ok(collection(parts?));
    }
    let coords = json.get("coordinates").ok_or_else(|| missing("coordinates"))?;
    if items(coords, "coordinates")?.is_empty() {
        return Ok(kind.empty());
    }
    Ok(match kind {
        Kind::Point => Point(read_coord(coords)?).into(),
        Kind::LineString => read_line(coords)?.into(),
        Kind::Polygon => read_polygon(coords)?.into(),
        Kind::MultiPoint => {
            MultiPoint::new(read_list(coords, |json| Ok(Point(read_coord(json)?)))?).into()
        }
        Kind::MultiLineString => MultiLineString::new(read_list(coords, read_line)?).into(),
        Kind::MultiPolygon => MultiPolygon::new(read_list(coords, read_polygon)?).into(),
        Kind::GeometryCollection => kind.empty(),
    })
}

fn read_coord(json: &Json) -> Result<Coord<f64>> {
    let number = |json: &Json| {
        json.as_f64().ok_or_else(|| Error::internal("Non-numeric ordinate in GeoJSON"))
    };
    match items(json, "coordinates")? {
        [x, y] => Ok(Coord { x: number(x)?, y: number(y)? }),
        [] | [_] => Err(Error::internal("Too few ordinates in GeoJSON")),
        _ => Err(z_or_m()),
    }
}

fn read_line(json: &Json) -> Result<LineString<f64>> {
    Ok(LineString::new(read_list(json, read_coord)?))
}

fn read_polygon(json: &Json) -> Result<Polygon<f64>> {
    let mut rings = read_list(json, read_line)?.into_iter();
    Ok(match rings.next() {
        Some(exterior) => Polygon::new(exterior, rings.collect()),
        None => Polygon::empty(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_as_postgis() {
        let write = |text: &str, decimals, bits| {
            Geometry::parse(text).unwrap().to_geojson(GeoJsonOptions { decimals, bits })
        };
        assert_eq!(
            write("SRID=4326;POINT(1.123456789012 2)", 9, 8),
            r#"{"type":"Point","coordinates":[1.123456789,2]}"#
        );
        assert_eq!(
            write("SRID=3857;POINT(1 2)", 9, 8),
            r#"{"type":"Point","crs":{"type":"name","properties":{"name":"EPSG:3857"}},"coordinates":[1,2]}"#
        );
        assert_eq!(
            write("POLYGON((0 0,0 1,1 1,0 0))", 3, 1),
            r#"{"type":"Polygon","bbox":[0.000,0.000,1.000,1.000],"coordinates":[[[0,0],[0,1],[1,1],[0,0]]]}"#
        );
        assert_eq!(
            write("GEOMETRYCOLLECTION(POINT EMPTY,LINESTRING(0 0,1 1))", 9, 8),
            r#"{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[]},{"type":"LineString","coordinates":[[0,0],[1,1]]}]}"#
        );
    }

    #[test]
    fn reads_what_it_writes_and_refuses_the_rest() {
        for text in ["SRID=4326;MULTIPOLYGON(((0 0,0 1,1 1,0 0)))", "SRID=3857;POINT(1 2)"] {
            let json = Geometry::parse(text).unwrap().to_geojson(GeoJsonOptions::default());
            assert_eq!(Geometry::parse(&json).unwrap().to_ewkt(None), text);
        }
        for (text, message) in [
            (r#"{"type":"Point"}"#, "Unable to find 'coordinates' in GeoJSON string"),
            (r#"{"type":"Foo","coordinates":[1,2]}"#, "invalid GeoJson representation"),
            (r#"{"type":"Point","coordinates":[1]}"#, "Too few ordinates in GeoJSON"),
            (r#"{"coordinates":[1,2]}"#, "unknown GeoJSON type"),
        ] {
            assert_eq!(Geometry::parse(text).unwrap_err().message(), message);
        }
        assert!(Geometry::parse("{x").is_err());
    }
}
