//! EWKB: PostGIS' binary notation, a superset of OGC's WKB.
//!
//! ```text
//! u8      byte order: 1 little-endian, 0 big-endian, for all that follows
//! u32     kind, | 0x2000_0000 when a reference system follows (| 0x8000_0000 Z, 0x4000_0000 M)
//! [u32]   reference system
//! body    point: x, y as f64 · line: u32 count, coordinates · polygon: u32 count, lines
//!         multi: u32 count, each with byte order and kind of its own
//! ```

use geo::{Coord, LineString, MultiLineString, MultiPoint, MultiPolygon};
use geo::{Point, Polygon};

use super::{DEPTH_MAX, Geometry, Kind, collection, requires_more_points, shape_kind, z_or_m};
use crate::error::{Error, Result};

const FLAG_Z: u32 = 0x8000_0000;
const FLAG_M: u32 = 0x4000_0000;
const FLAG_SRID: u32 = 0x2000_0000;

/// The order of the bytes of a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ByteOrder {
    /// `NDR`
    #[default]
    Little,
    /// `XDR`
    Big,
}

impl Geometry {
    /// EWKB, as `ST_AsEWKB` and the cast to `bytea`.
    pub fn to_ewkb(&self, order: ByteOrder) -> Vec<u8> {
        let mut writer = Writer { out: Vec::new(), order };
        writer.shape(&self.shape, self.srid);
        writer.out
    }

    /// WKB without the reference system, as `ST_AsBinary`.
    pub fn to_wkb(&self, order: ByteOrder) -> Vec<u8> {
        let mut writer = Writer { out: Vec::new(), order };
        writer.shape(&self.shape, 0);
        writer.out
    }

    /// Upper-case hexadecimal EWKB: how both types print.
    pub fn to_hex_ewkb(&self, order: ByteOrder) -> String {
        const DIGITS: [char; 16] =
            ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
        let nibbles = self.to_ewkb(order).into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
        nibbles.map(|nibble| DIGITS[usize::from(nibble)]).collect()
    }

    /// Reads WKB or EWKB.
    ///
    /// # Errors
    /// XX000 as PostGIS when it is neither; 0A000 for Z and M coordinates.
    pub fn from_ewkb(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader { rest: bytes, order: ByteOrder::Little, depth: 0, srid: 0 };
        let shape = reader.shape()?;
        Ok(Self::new(super::clamp_srid(reader.srid), shape))
    }

    /// Reads hexadecimal EWKB.
    ///
    /// # Errors
    /// As [`Geometry::from_ewkb`].
    pub fn from_hex_ewkb(text: &str) -> Result<Self> {
        if !text.len().is_multiple_of(2) {
            return Err(Error::internal(format!(
                "Invalid hex string, length ({}) has to be a multiple of two!",
                text.len()
            )));
        }
        let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
        let bytes: Option<Vec<u8>> = text
            .as_bytes()
            .chunks_exact(2)
            .map(|pair| match pair {
                [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
                _ => None,
            })
            .collect();
        Self::from_ewkb(&bytes.ok_or_else(|| Error::internal("parse error - invalid geometry"))?)
    }
}

struct Writer {
    out: Vec<u8>,
    order: ByteOrder,
}

impl Writer {
    fn u32(&mut self, value: u32) {
        self.out.extend(match self.order {
            ByteOrder::Little => value.to_le_bytes(),
            ByteOrder::Big => value.to_be_bytes(),
        });
    }

    /// Counts in shapes that fit in memory fit in 32 bits as well (a row is at most 1 GB).
    fn count(&mut self, count: usize) {
        self.u32(u32::try_from(count).unwrap_or(u32::MAX));
    }

    fn coord(&mut self, coord: &Coord<f64>) {
        for value in [coord.x, coord.y] {
            self.out.extend(match self.order {
                ByteOrder::Little => value.to_le_bytes(),
                ByteOrder::Big => value.to_be_bytes(),
            });
        }
    }

    fn line(&mut self, line: &LineString<f64>) {
        self.count(line.0.len());
        line.0.iter().for_each(|coord| self.coord(coord));
    }

    fn polygon(&mut self, polygon: &Polygon<f64>) {
        if polygon.exterior().0.is_empty() {
            return self.u32(0);
        }
        self.count(1 + polygon.interiors().len());
        self.line(polygon.exterior());
        polygon.interiors().iter().for_each(|ring| self.line(ring));
    }

    fn header(&mut self, kind: Kind, srid: i32) {
        self.out.push(match self.order {
            ByteOrder::Little => 1,
            ByteOrder::Big => 0,
        });
        let flags = if srid == 0 { 0 } else { FLAG_SRID };
        self.u32(kind as u32 | flags);
        if srid != 0 {
            self.u32(srid.cast_unsigned());
        }
    }

    fn shape(&mut self, shape: &geo::Geometry<f64>, srid: i32) {
        self.header(shape_kind(shape), srid);
        match shape {
            geo::Geometry::Point(point) => self.coord(&point.0),
            geo::Geometry::LineString(line) => self.line(line),
            geo::Geometry::Polygon(polygon) => self.polygon(polygon),
            geo::Geometry::MultiPoint(many) => {
                self.count(many.0.len());
                for point in &many.0 {
                    self.header(Kind::Point, 0);
                    self.coord(&point.0);
                }
            }
            geo::Geometry::MultiLineString(many) => {
                self.count(many.0.len());
                for line in &many.0 {
                    self.header(Kind::LineString, 0);
                    self.line(line);
                }
            }
            geo::Geometry::MultiPolygon(many) => {
                self.count(many.0.len());
                for polygon in &many.0 {
                    self.header(Kind::Polygon, 0);
                    self.polygon(polygon);
                }
            }
            geo::Geometry::GeometryCollection(many) => {
                self.count(many.0.len());
                many.0.iter().for_each(|part| self.shape(part, 0));
            }
            geo::Geometry::Line(line) => self.line(&LineString::from(line)),
            geo::Geometry::Rect(rect) => self.polygon(&rect.to_polygon()),
            geo::Geometry::Triangle(triangle) => self.polygon(&triangle.to_polygon()),
        }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    order: ByteOrder,
    depth: usize,
    srid: i32,
}

fn too_short() -> Error {
    Error::internal("WKB structure does not match expected size!")
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or_else(too_short)?;
        self.rest = rest;
        Ok(*head)
    }

    fn u32(&mut self) -> Result<u32> {
        let bytes = self.take()?;
        Ok(match self.order {
            ByteOrder::Little => u32::from_le_bytes(bytes),
            ByteOrder::Big => u32::from_be_bytes(bytes),
        })
    }

    fn f64(&mut self) -> Result<f64> {
        let bytes = self.take()?;
        Ok(match self.order {
            ByteOrder::Little => f64::from_le_bytes(bytes),
            ByteOrder::Big => f64::from_be_bytes(bytes),
        })
    }

    fn coord(&mut self) -> Result<Coord<f64>> {
        Ok(Coord { x: self.f64()?, y: self.f64()? })
    }

    /// A counted list of things that occupy at least `item_len` bytes each, so that a wrong count
    /// is found before memory is asked for.
    fn list<T>(
        &mut self,
        item_len: usize,
        each: impl Fn(&mut Self) -> Result<T>,
    ) -> Result<Vec<T>> {
        let count = self.u32()? as usize;
        if count > self.rest.len() / item_len {
            return Err(too_short());
        }
        (0..count).map(|_| each(self)).collect()
    }

    fn line(&mut self) -> Result<LineString<f64>> {
        let coords = self.list(16, Self::coord)?;
        if coords.len() == 1 {
            return Err(requires_more_points());
        }
        Ok(LineString::new(coords))
    }

    fn polygon(&mut self) -> Result<Polygon<f64>> {
        super::wkt_parser::polygon_of(self.list(4, Self::line)?)
    }

    /// Byte order, kind and reference system.
    fn header(&mut self) -> Result<Kind> {
        let [order] = self.take()?;
        self.order = match order {
            0 => ByteOrder::Big,
            1 => ByteOrder::Little,
            _ => return Err(Error::internal("Invalid endian flag value encountered.")),
        };
        let word = self.u32()?;
        let number = word & 0x0fff_ffff;
        if word & (FLAG_Z | FLAG_M) != 0 || matches!(number, 1000..4000) {
            return Err(z_or_m());
        }
        if word & FLAG_SRID != 0 {
            self.srid = self.u32()?.cast_signed();
        }
        Kind::from_number(number)
            .ok_or_else(|| Error::internal(format!("Unknown WKB type ({number})!")))
    }

    fn member<T>(&mut self, expected: Kind, body: impl Fn(&mut Self) -> Result<T>) -> Result<T> {
        let order = self.order;
        let kind = self.header()?;
        if kind != expected {
            return Err(Error::internal(format!(
                "{} cannot contain {} element",
                "multi-geometry",
                kind.name()
            )));
        }
        let body = body(self);
        self.order = order;
        body
    }

    fn shape(&mut self) -> Result<geo::Geometry<f64>> {
        let order = self.order;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Error::internal(format!(
                "Geometry has too many chained collections (maximum {DEPTH_MAX})"
            )));
        }
        let shape = match self.header()? {
            Kind::Point => Point(self.coord()?).into(),
            Kind::LineString => self.line()?.into(),
            Kind::Polygon => self.polygon()?.into(),
            Kind::MultiPoint => {
                let point = |reader: &mut Self| Ok(Point(reader.coord()?));
                MultiPoint::new(self.list(21, |reader| reader.member(Kind::Point, point))?).into()
            }
            Kind::MultiLineString => MultiLineString::new(
                self.list(9, |reader| reader.member(Kind::LineString, Self::line))?,
            )
            .into(),
            Kind::MultiPolygon => MultiPolygon::new(
                self.list(9, |reader| reader.member(Kind::Polygon, Self::polygon))?,
            )
            .into(),
            Kind::GeometryCollection => collection(self.list(9, Self::shape)?),
        };
        self.depth -= 1;
        self.order = order;
        Ok(shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPES: [&str; 6] = [
        "SRID=4326;POINT(1 2)",
        "POINT EMPTY",
        "MULTIPOINT(1 2,EMPTY)",
        "POLYGON((0 0,0 1,1 1,0 0),(0.1 0.1,0.1 0.2,0.2 0.2,0.1 0.1))",
        "SRID=3857;MULTIPOLYGON(((0 0,0 1,1 1,0 0)))",
        "GEOMETRYCOLLECTION(MULTILINESTRING((0 0,1 1)),POLYGON EMPTY)",
    ];

    #[test]
    fn round_trips_in_both_orders() {
        for text in SHAPES {
            let geometry = Geometry::parse(text).unwrap();
            for order in [ByteOrder::Little, ByteOrder::Big] {
                let hex = geometry.to_hex_ewkb(order);
                assert_eq!(Geometry::parse(&hex).unwrap().to_ewkt(None), text);
            }
        }
        let point = Geometry::parse("SRID=4326;POINT(2 48)").unwrap();
        assert_eq!(
            point.to_hex_ewkb(ByteOrder::Little),
            "0101000020E610000000000000000000400000000000004840"
        );
    }

    #[test]
    fn survives_damage() {
        for text in SHAPES {
            let bytes = Geometry::parse(text).unwrap().to_ewkb(ByteOrder::Little);
            for end in 0..bytes.len() {
                assert!(Geometry::from_ewkb(&bytes[..end]).is_err());
            }
            for at in 0..bytes.len() {
                for flip in [1, 0x80, 0xff] {
                    let mut damaged = bytes.clone();
                    damaged[at] ^= flip;
                    let _ = Geometry::from_ewkb(&damaged);
                }
            }
        }
    }
}
