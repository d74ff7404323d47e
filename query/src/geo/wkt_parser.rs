//! WKT and EWKT parsing: recursive descent over bytes.

use geo::{Coord, LineString, MultiLineString, MultiPoint, MultiPolygon};
use geo::{Point, Polygon};

use super::{
    DEPTH_MAX, Geometry, Kind, collection, non_closed_rings, requires_more_points, z_or_m,
};
use crate::error::{Error, Result};

impl Geometry {
    /// Reads WKT, with or without the `SRID=n;` before it.
    ///
    /// # Errors
    /// XX000 as PostGIS; 0A000 for Z and M coordinates.
    pub fn from_ewkt(text: &str) -> Result<Self> {
        let mut parser = Parser { text, at: 0, depth: 0, numbers: 0 };
        let srid = parser.srid()?;
        let shape = parser.tagged()?;
        parser.blank();
        if parser.at < text.len() {
            return Err(parser.error());
        }
        Ok(Self::new(srid, shape))
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    /// Numbers read with what separates them from the next token, which PostGIS counts twice.
    numbers: usize,
}

impl Parser<'_> {
    /// The token that comes next cannot be.
    fn error(&mut self) -> Error {
        let error = Error::internal("parse error - invalid geometry");
        if self.text.is_empty() {
            return error;
        }
        self.blank();
        let number = self.rest().iter().take_while(|byte| is_numeric(byte)).count();
        self.numbers += usize::from(number > 0 && self.is_separated(number));
        self.at += number.max(usize::from(!self.rest().is_empty()));
        self.hinted(error)
    }

    /// Points behind what was read.
    fn hinted(&self, error: Error) -> Error {
        let position = self.at + 1 + self.numbers;
        let bytes = self.text.as_bytes();
        let read = String::from_utf8_lossy(bytes.get(..position).unwrap_or(bytes));
        error
            .with_hint(format!("\"{read}\" <-- parse error at position {position} within geometry"))
    }

    /// Whether the number of `length` bytes that comes next has a separator behind it.
    fn is_separated(&self, length: usize) -> bool {
        matches!(self.rest().get(length), Some(b' ' | b',' | b')' | b'\t' | b'\n' | b'\r'))
    }

    fn rest(&self) -> &[u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn blank(&mut self) {
        self.at += self.rest().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    }

    /// Takes `byte`, after blanks, if it comes next.
    fn take(&mut self, byte: u8) -> bool {
        self.blank();
        let is_next = self.rest().first() == Some(&byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, byte: u8) -> Result<()> {
        if self.take(byte) { Ok(()) } else { Err(self.error()) }
    }

    fn word(&mut self) -> String {
        self.blank();
        let length = self.rest().iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let word = String::from_utf8_lossy(self.rest().get(..length).unwrap_or_default());
        let word = word.to_ascii_uppercase();
        self.at += length;
        word
    }

    /// Takes the word `EMPTY` if it comes next.
    fn empty(&mut self) -> bool {
        let before = self.at;
        let is_empty = self.word() == "EMPTY";
        if !is_empty {
            self.at = before;
        }
        is_empty
    }

    fn srid(&mut self) -> Result<i32> {
        let before = self.at;
        if self.word() != "SRID" {
            self.at = before;
            return Ok(0);
        }
        self.expect(b'=')?;
        let length =
            self.rest().iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'-').count();
        let digits = self.text.get(self.at..self.at + length).unwrap_or_default();
        let Ok(srid) = digits.parse::<i32>() else { return Err(self.error()) };
        self.at += length;
        self.expect(b';')?;
        Ok(super::clamp_srid(srid))
    }

    fn number(&mut self) -> Result<f64> {
        self.blank();
        let is_part =
            |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        let length = self.rest().iter().take_while(is_part).count();
        let text = self.text.get(self.at..self.at + length).unwrap_or_default();
        let is_word = text.bytes().next().is_none_or(|byte| byte.is_ascii_alphabetic());
        let number = match text.to_ascii_lowercase().as_str() {
            "nan" => f64::NAN,
            _ if is_word => return Err(self.error()),
            text => match text.parse() {
                Ok(number) => number,
                Err(_) => return Err(self.error()),
            },
        };
        self.numbers += usize::from(self.is_separated(length));
        self.at += length;
        Ok(number)
    }

    fn kind(&mut self) -> Result<Kind> {
        self.blank();
        let start = self.at;
        let word = self.word();
        let mut known = 0;
        for kind in Kind::ALL {
            let Some(suffix) = word.strip_prefix(&kind.name().to_ascii_uppercase()) else {
                continue;
            };
            known = known.max(kind.name().len());
            match suffix {
                "" => {}
                "Z" | "M" | "ZM" => return Err(z_or_m()),
                _ => break,
            }
            let before = self.at;
            if matches!(self.word().as_str(), "Z" | "M" | "ZM") {
                return Err(z_or_m());
            }
            self.at = before;
            return Ok(kind);
        }
        self.at = start + known;
        Err(self.error())
    }

    fn tagged(&mut self) -> Result<geo::Geometry<f64>> {
        let kind = self.kind()?;
        if self.empty() {
            return Ok(kind.empty());
        }
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Error::internal("parse error - invalid geometry")
                .with_hint(format!("collections nest at most {DEPTH_MAX} deep")));
        }
        let shape = match kind {
            Kind::Point => {
                self.expect(b'(')?;
                let coord = self.coord()?;
                self.expect(b')')?;
                Point(coord).into()
            }
            Kind::LineString => self.line()?.into(),
            Kind::Polygon => self.polygon()?.into(),
            Kind::MultiPoint => MultiPoint::new(self.list(Self::member_point)?).into(),
            Kind::MultiLineString => MultiLineString::new(self.list(Self::line)?).into(),
            Kind::MultiPolygon => MultiPolygon::new(self.list(Self::polygon)?).into(),
            Kind::GeometryCollection => collection(self.list(Self::tagged)?),
        };
        self.depth -= 1;
        Ok(shape)
    }

    fn list<T>(&mut self, each: impl Fn(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        self.expect(b'(')?;
        let mut items = vec![each(self)?];
        while self.take(b',') {
            items.push(each(self)?);
        }
        self.expect(b')')?;
        Ok(items)
    }

    fn coord(&mut self) -> Result<Coord<f64>> {
        let coord = Coord { x: self.number()?, y: self.number()? };
        self.blank();
        match self.rest().first() {
            Some(b')' | b',') => Ok(coord),
            _ => match self.number() {
                Ok(_) => Err(z_or_m()),
                Err(error) => Err(error),
            },
        }
    }

    /// A point of a multipoint: with or without parentheses, or `EMPTY`.
    fn member_point(&mut self) -> Result<Point<f64>> {
        if self.empty() {
            return Ok(Point(super::EMPTY_COORD));
        }
        let is_wrapped = self.take(b'(');
        let coord = self.coord()?;
        if is_wrapped {
            self.expect(b')')?;
        }
        Ok(Point(coord))
    }

    fn line(&mut self) -> Result<LineString<f64>> {
        if self.empty() {
            return Ok(LineString::new(Vec::new()));
        }
        let coords = self.list(Self::coord)?;
        if coords.len() < 2 {
            return Err(requires_more_points());
        }
        Ok(LineString::new(coords))
    }

    fn polygon(&mut self) -> Result<Polygon<f64>> {
        if self.empty() {
            return Ok(Polygon::empty());
        }
        polygon_of(self.list(Self::ring)?)
    }

    fn ring(&mut self) -> Result<LineString<f64>> {
        let ring = LineString::new(self.list(Self::coord)?);
        check_ring(&ring).map_err(|error| self.hinted(error))?;
        Ok(ring)
    }
}

fn is_numeric(byte: &u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.')
}

/// A ring has four points or more and is closed.
fn check_ring(ring: &LineString<f64>) -> Result<()> {
    if ring.0.len() < 4 {
        return Err(requires_more_points());
    }
    if ring.is_closed() { Ok(()) } else { Err(non_closed_rings()) }
}

/// A polygon of rings, the outer one first, each closed.
pub(super) fn polygon_of(rings: Vec<LineString<f64>>) -> Result<Polygon<f64>> {
    rings.iter().try_for_each(check_ring)?;
    let mut rings = rings.into_iter();
    Ok(match rings.next() {
        Some(exterior) => Polygon::new(exterior, rings.collect()),
        None => Polygon::empty(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(text: &str) -> String {
        Geometry::parse(text).unwrap().to_ewkt(None)
    }

    #[test]
    fn parses_what_it_prints() {
        for text in [
            "POINT(1 2)",
            "SRID=4326;POINT(-1.5 2e+20)",
            "POINT EMPTY",
            "LINESTRING(0 0,1 1)",
            "POLYGON((0 0,0 1,1 1,0 0),(0.1 0.1,0.1 0.2,0.2 0.2,0.1 0.1))",
            "POLYGON EMPTY",
            "MULTIPOINT(1 2,EMPTY)",
            "MULTILINESTRING((0 0,1 1),(2 2,3 3))",
            "MULTIPOLYGON(((0 0,0 1,1 1,0 0)),EMPTY)",
            "GEOMETRYCOLLECTION(POINT EMPTY,GEOMETRYCOLLECTION(POINT(1 2)))",
            "GEOMETRYCOLLECTION EMPTY",
        ] {
            assert_eq!(again(text), text);
        }
        assert_eq!(again(" multipoint ( 1 2 , 3 4 ) "), "MULTIPOINT(1 2,3 4)");
    }

    #[test]
    fn refuses_what_is_wrong() {
        for (text, message) in [
            ("", "parse error - invalid geometry"),
            ("foo", "parse error - invalid geometry"),
            ("POINT(1", "parse error - invalid geometry"),
            ("POINT(1 2)x", "parse error - invalid geometry"),
            ("POINT(1 é)", "parse error - invalid geometry"),
            ("LINESTRING(1 2)", "geometry requires more points"),
            ("POLYGON((0 0,1 1,0 0))", "geometry requires more points"),
            ("POLYGON((0 0,1 1,1 0,0 1))", "geometry contains non-closed rings"),
        ] {
            assert_eq!(Geometry::parse(text).unwrap_err().message(), message, "{text}");
        }
        for (text, position) in [
            ("nonsense", 2),
            ("POINT(1", 8),
            ("POINT(1 2", 11),
            ("POINT(1,2)", 10),
            ("POINT(1 x)", 11),
            ("POINT 1 2", 9),
            ("POINTX(1 2)", 7),
            ("POINT(1 2) junk", 15),
            ("POLYGON((0 0,1 1))", 22),
        ] {
            let hint = Geometry::parse(text).unwrap_err().fields().hint.clone().unwrap();
            let expected = format!("<-- parse error at position {position} within geometry");
            assert!(hint.ends_with(&expected), "{hint}");
        }
        for text in ["POINT(1 2 3)", "POINT Z (1 2 3)", "POINTM(1 2 3)"] {
            assert_eq!(Geometry::parse(text).unwrap_err().state().0, "0A000");
        }
        assert!(Geometry::parse(&"GEOMETRYCOLLECTION(".repeat(100_000)).is_err());
    }
}
