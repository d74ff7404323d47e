//! Geometries in rows: as small as coordinates allow, little-endian.
//!
//! ```text
//! u8        kind, | 0x10 when a reference system follows
//! [varint]  reference system
//! body      point: x, y as f64 · line: varint count, coordinates · polygon: varint count, lines
//!           multi: varint count, bodies · collection: varint count, each u8 kind and body
//! ```
//! Stored; kinds and layout never change.

use geo::{Coord, LineString, MultiLineString, MultiPoint, MultiPolygon};
use geo::{Point, Polygon};

use super::{DEPTH_MAX, Geometry, Kind, collection, shape_kind};
use crate::error::{Error, Result, SqlState};

const HAS_SRID: u8 = 0x10;

impl Geometry {
    /// Appends the row form.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let kind = shape_kind(&self.shape) as u8;
        if self.srid == 0 {
            out.push(kind);
        } else {
            out.push(kind | HAS_SRID);
            write_varint(out, u64::from(self.srid.cast_unsigned()));
        }
        write_body(out, &self.shape);
    }

    /// Reads the row form, all of `bytes`.
    ///
    /// # Errors
    /// XX001 when it is not what [`Geometry::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader { rest: bytes };
        let tag = reader.byte()?;
        let srid = if tag & HAS_SRID == 0 { 0 } else { reader.varint()? };
        let srid = u32::try_from(srid).map_err(|_| corrupt())?.cast_signed();
        let shape = reader.body(tag & !HAS_SRID, 0)?;
        if reader.rest.is_empty() { Ok(Self { srid, shape }) } else { Err(corrupt()) }
    }
}

fn corrupt() -> Error {
    Error::new(SqlState::DATA_CORRUPTED, "stored geometry is corrupt")
}

fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn write_coords(out: &mut Vec<u8>, coords: &[Coord<f64>]) {
    for coord in coords {
        out.extend(coord.x.to_le_bytes());
        out.extend(coord.y.to_le_bytes());
    }
}

fn write_line(out: &mut Vec<u8>, line: &LineString<f64>) {
    write_varint(out, line.0.len() as u64);
    write_coords(out, &line.0);
}

fn write_polygon(out: &mut Vec<u8>, polygon: &Polygon<f64>) {
    if polygon.exterior().0.is_empty() {
        return write_varint(out, 0);
    }
    write_varint(out, 1 + polygon.interiors().len() as u64);
    write_line(out, polygon.exterior());
    polygon.interiors().iter().for_each(|ring| write_line(out, ring));
}

fn write_body(out: &mut Vec<u8>, shape: &geo::Geometry<f64>) {
    match shape {
        geo::Geometry::Point(point) => write_coords(out, &[point.0]),
        geo::Geometry::LineString(line) => write_line(out, line),
        geo::Geometry::Polygon(polygon) => write_polygon(out, polygon),
        geo::Geometry::MultiPoint(many) => {
            write_varint(out, many.0.len() as u64);
            many.0.iter().for_each(|point| write_coords(out, &[point.0]));
        }
        geo::Geometry::MultiLineString(many) => {
            write_varint(out, many.0.len() as u64);
            many.0.iter().for_each(|line| write_line(out, line));
        }
        geo::Geometry::MultiPolygon(many) => {
            write_varint(out, many.0.len() as u64);
            many.0.iter().for_each(|polygon| write_polygon(out, polygon));
        }
        geo::Geometry::GeometryCollection(many) => {
            write_varint(out, many.0.len() as u64);
            for part in &many.0 {
                out.push(shape_kind(part) as u8);
                write_body(out, part);
            }
        }
        geo::Geometry::Line(line) => write_line(out, &LineString::from(line)),
        geo::Geometry::Rect(rect) => write_polygon(out, &rect.to_polygon()),
        geo::Geometry::Triangle(triangle) => write_polygon(out, &triangle.to_polygon()),
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8> {
        let (byte, rest) = self.rest.split_first().ok_or_else(corrupt)?;
        self.rest = rest;
        Ok(*byte)
    }

    fn varint(&mut self) -> Result<u64> {
        let mut value = 0;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(corrupt())
    }

    fn f64(&mut self) -> Result<f64> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or_else(corrupt)?;
        self.rest = rest;
        Ok(f64::from_le_bytes(*bytes))
    }

    fn point(&mut self) -> Result<Point<f64>> {
        Ok(Point::new(self.f64()?, self.f64()?))
    }

    /// A counted list of things that occupy at least `item_len` bytes each.
    fn list<T>(
        &mut self,
        item_len: usize,
        each: impl Fn(&mut Self) -> Result<T>,
    ) -> Result<Vec<T>> {
        let count = usize::try_from(self.varint()?).map_err(|_| corrupt())?;
        if count > self.rest.len() / item_len {
            return Err(corrupt());
        }
        (0..count).map(|_| each(self)).collect()
    }

    fn line(&mut self) -> Result<LineString<f64>> {
        Ok(LineString::new(self.list(16, |reader| Ok(reader.point()?.0))?))
    }

    fn polygon(&mut self) -> Result<Polygon<f64>> {
        let mut rings = self.list(1, Self::line)?.into_iter();
        Ok(match rings.next() {
            Some(exterior) => Polygon::new(exterior, rings.collect()),
            None => Polygon::empty(),
        })
    }

    fn body(&mut self, kind: u8, depth: usize) -> Result<geo::Geometry<f64>> {
        if depth > DEPTH_MAX {
            return Err(corrupt());
        }
        Ok(match Kind::from_number(u32::from(kind)).ok_or_else(corrupt)? {
            Kind::Point => self.point()?.into(),
            Kind::LineString => self.line()?.into(),
            Kind::Polygon => self.polygon()?.into(),
            Kind::MultiPoint => MultiPoint::new(self.list(16, Self::point)?).into(),
            Kind::MultiLineString => MultiLineString::new(self.list(1, Self::line)?).into(),
            Kind::MultiPolygon => MultiPolygon::new(self.list(1, Self::polygon)?).into(),
            Kind::GeometryCollection => {
                let part = |reader: &mut Self| {
                    let kind = reader.byte()?;
                    reader.body(kind, depth + 1)
                };
                collection(self.list(2, part)?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_and_survives_damage() {
        for text in [
            "SRID=4326;POINT(1 2)",
            "POINT EMPTY",
            "MULTIPOINT(1 2,EMPTY)",
            "POLYGON((0 0,0 1,1 1,0 0),(0.1 0.1,0.1 0.2,0.2 0.2,0.1 0.1))",
            "SRID=3857;MULTIPOLYGON(((0 0,0 1,1 1,0 0)),EMPTY)",
            "GEOMETRYCOLLECTION(MULTILINESTRING((0 0,1 1)),GEOMETRYCOLLECTION(POLYGON EMPTY))",
        ] {
            let mut bytes = Vec::new();
            Geometry::parse(text).unwrap().encode(&mut bytes);
            assert_eq!(Geometry::decode(&bytes).unwrap().to_ewkt(None), text);
            for end in 0..bytes.len() {
                assert!(Geometry::decode(&bytes[..end]).is_err());
            }
            for at in 0..bytes.len() {
                for flip in [1, 0x80, 0xff] {
                    let mut damaged = bytes.clone();
                    damaged[at] ^= flip;
                    let _ = Geometry::decode(&damaged);
                }
            }
        }
    }

    #[test]
    fn a_point_takes_nineteen_bytes() {
        let mut bytes = Vec::new();
        Geometry::point(4326, 1.0, 2.0).encode(&mut bytes);
        assert_eq!(bytes.len(), 19);
    }
}
