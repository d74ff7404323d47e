//! PostGIS' types: `geometry` and `geography`, their notations, boxes and mathematics.
//!
//! The SQL functions over them are in [`crate::expression`]; what is here knows no SQL. Planar
//! mathematics come from the `geo` crate, geodesics from `geographiclib`; mathematics on the
//! sphere (great circles, geocentric boxes) are our own.
//!
//! A `geometry` and a `geography` are the same value: which of the two it is, is said by the
//! expression's type. Shapes are two-dimensional; Z and M coordinates are refused.

mod bounds;
mod codec;
mod ewkb;
mod geodesic;
mod geojson;
mod meeting;
mod number;
mod overlay;
mod parts;
mod planar;
mod predicate;
mod search;
mod sphere;
mod srid;
mod typmod;
mod wkt;
mod wkt_parser;

pub mod geohash;

pub use bounds::{Box2d, GeocentricBox};
pub use ewkb::ByteOrder;
pub use geo::Geometry as Shape;
pub use geodesic::{
    Spheroid, azimuth, geodesic_area, geodesic_length, geodesic_perimeter, project,
};
pub use geojson::GeoJsonOptions;
pub use number::write_number;
pub use overlay::{buffer, difference, intersection, symmetric_difference, union, union_all};
pub use planar::{
    area, centroid, closest_point, collect, convex_hull, is_valid, length, perimeter,
    planar_distance, shortest_line, simplify, snap_to_grid,
};
pub use predicate::{Relation, relates, relation_matrix};
pub use search::{distance, distance_lower_bound, index_box, search_box};
pub use sphere::{sphere_covers, sphere_distance, sphere_intersects};
pub use srid::{WEB_MERCATOR, WGS84, clamp_srid, to_geography, transform};
pub use typmod::{apply_modifier, format_modifier, parse_modifier};

use geo::{Coord, CoordsIter, GeometryCollection, LineString, Point};

use crate::error::{Error, Result, SqlState};

/// How deeply collections may nest.
const DEPTH_MAX: usize = 100;

/// A shape with its spatial reference.
#[derive(Clone, Debug)]
pub struct Geometry {
    /// The spatial reference system's identifier; 0 is none.
    pub srid: i32,
    /// The shape. Never `Line`, `Rect` or `Triangle`; an empty point has NaN coordinates, as in
    /// its binary notation.
    pub shape: geo::Geometry<f64>,
}

/// What kind of shape; the numbers are those of the binary notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// One position.
    Point = 1,
    /// A path.
    LineString = 2,
    /// An area with holes.
    Polygon = 3,
    /// Several points.
    MultiPoint = 4,
    /// Several paths.
    MultiLineString = 5,
    /// Several areas.
    MultiPolygon = 6,
    /// Anything.
    GeometryCollection = 7,
}

impl Kind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::Point,
        Self::LineString,
        Self::Polygon,
        Self::MultiPoint,
        Self::MultiLineString,
        Self::MultiPolygon,
        Self::GeometryCollection,
    ];

    /// The kind with this number.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u32 == number)
    }

    /// Its name, as in `ST_Point`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Point => "Point",
            Self::LineString => "LineString",
            Self::Polygon => "Polygon",
            Self::MultiPoint => "MultiPoint",
            Self::MultiLineString => "MultiLineString",
            Self::MultiPolygon => "MultiPolygon",
            Self::GeometryCollection => "GeometryCollection",
        }
    }

    /// Whether it is a collection of shapes.
    pub fn is_multi(self) -> bool {
        self >= Self::MultiPoint
    }

    /// The kind of a collection of such shapes.
    #[must_use]
    pub fn multi(self) -> Self {
        match self {
            Self::Point => Self::MultiPoint,
            Self::LineString => Self::MultiLineString,
            Self::Polygon => Self::MultiPolygon,
            multi => multi,
        }
    }

    /// The shape of this kind that contains nothing.
    pub fn empty(self) -> geo::Geometry<f64> {
        match self {
            Self::Point => Point(EMPTY_COORD).into(),
            Self::LineString => LineString::new(Vec::new()).into(),
            Self::Polygon => geo::Polygon::empty().into(),
            Self::MultiPoint => geo::MultiPoint::new(Vec::new()).into(),
            Self::MultiLineString => geo::MultiLineString::new(Vec::new()).into(),
            Self::MultiPolygon => geo::MultiPolygon::new(Vec::new()).into(),
            Self::GeometryCollection => collection(Vec::new()),
        }
    }
}

/// Where an empty point is.
const EMPTY_COORD: Coord<f64> = Coord { x: f64::NAN, y: f64::NAN };

impl Geometry {
    /// A shape in a reference system. Lines, rectangles and triangles become what SQL knows.
    pub fn new(srid: i32, shape: impl Into<geo::Geometry<f64>>) -> Self {
        let shape = match shape.into() {
            geo::Geometry::Line(line) => LineString::from(line).into(),
            geo::Geometry::Rect(rect) => rect.to_polygon().into(),
            geo::Geometry::Triangle(triangle) => triangle.to_polygon().into(),
            shape => shape,
        };
        Self { srid, shape }
    }

    /// A point.
    pub fn point(srid: i32, x: f64, y: f64) -> Self {
        Self::new(srid, Point::new(x, y))
    }

    /// The shape of `kind` that contains nothing.
    pub fn empty(srid: i32, kind: Kind) -> Self {
        Self { srid, shape: kind.empty() }
    }

    /// The rectangle between two corners, from the lower left upward, as `ST_MakeEnvelope`.
    pub fn envelope(srid: i32, bounds: &Box2d) -> Self {
        let Box2d { min: [xmin, ymin], max: [xmax, ymax] } = *bounds;
        let ring = vec![(xmin, ymin), (xmin, ymax), (xmax, ymax), (xmax, ymin), (xmin, ymin)];
        Self::new(srid, geo::Polygon::new(ring.into(), Vec::new()))
    }

    /// Reads any of the text notations: hexadecimal EWKB, GeoJSON, WKT, EWKT.
    ///
    /// # Errors
    /// XX000 as PostGIS when it is none of them; 0A000 for Z and M coordinates.
    pub fn parse(text: &str) -> Result<Self> {
        match text.trim_start().as_bytes().first() {
            Some(b'0') => Self::from_hex_ewkb(text.trim()),
            Some(b'{') => Self::from_geojson(text),
            _ => Self::from_ewkt(text),
        }
    }

    /// What kind of shape it is.
    pub fn kind(&self) -> Kind {
        shape_kind(&self.shape)
    }

    /// Whether it contains no position at all.
    pub fn is_empty(&self) -> bool {
        is_shape_empty(&self.shape)
    }

    /// The coordinates of a point that is not empty.
    pub fn as_point(&self) -> Option<Coord<f64>> {
        match &self.shape {
            geo::Geometry::Point(point) if !is_empty_point(point) => Some(point.0),
            _ => None,
        }
    }

    /// Every position in it.
    pub fn coords(&self) -> impl Iterator<Item = Coord<f64>> + '_ {
        self.shape.coords_iter().filter(|coord| !(coord.x.is_nan() && coord.y.is_nan()))
    }

    /// The same shape with each position changed.
    pub fn map_coords(&self, change: impl Fn(Coord<f64>) -> Coord<f64> + Copy) -> Self {
        use geo::MapCoords;
        Self { srid: self.srid, shape: self.shape.map_coords(change) }
    }

    /// Its direct parts: the members of a collection, or itself.
    pub fn parts(&self) -> Vec<geo::Geometry<f64>> {
        match &self.shape {
            geo::Geometry::MultiPoint(many) => many.0.iter().map(|part| (*part).into()).collect(),
            geo::Geometry::MultiLineString(many) => {
                many.0.iter().map(|part| part.clone().into()).collect()
            }
            geo::Geometry::MultiPolygon(many) => {
                many.0.iter().map(|part| part.clone().into()).collect()
            }
            geo::Geometry::GeometryCollection(many) => many.0.clone(),
            shape => vec![shape.clone()],
        }
    }

    /// The number of dimensions that the shape has in itself: 0, 1 or 2.
    pub fn dimension(&self) -> i32 {
        fn of(shape: &geo::Geometry<f64>) -> i32 {
            match shape {
                geo::Geometry::GeometryCollection(many) => many.0.iter().map(of).max().unwrap_or(0),
                shape => match shape_kind(shape) {
                    Kind::Point | Kind::MultiPoint | Kind::GeometryCollection => 0,
                    Kind::LineString | Kind::MultiLineString => 1,
                    Kind::Polygon | Kind::MultiPolygon => 2,
                },
            }
        }
        of(&self.shape)
    }

    /// Roughly how many bytes it occupies.
    pub fn memory_len(&self) -> usize {
        64 + 16 * self.shape.coords_count()
    }

    /// Fails unless both have the same reference system.
    ///
    /// # Errors
    /// XX000, as PostGIS.
    pub fn check_srid(&self, other: &Self, function: &str) -> Result<()> {
        if self.srid == other.srid {
            return Ok(());
        }
        Err(Error::internal(format!(
            "{function}: Operation on mixed SRID geometries ({}, {}) != ({}, {})",
            self.kind().name(),
            self.srid,
            other.kind().name(),
            other.srid
        )))
    }
}

/// What kind of shape it is.
pub fn shape_kind(shape: &geo::Geometry<f64>) -> Kind {
    match shape {
        geo::Geometry::Point(_) => Kind::Point,
        geo::Geometry::Line(_) | geo::Geometry::LineString(_) => Kind::LineString,
        geo::Geometry::Polygon(_) | geo::Geometry::Rect(_) | geo::Geometry::Triangle(_) => {
            Kind::Polygon
        }
        geo::Geometry::MultiPoint(_) => Kind::MultiPoint,
        geo::Geometry::MultiLineString(_) => Kind::MultiLineString,
        geo::Geometry::MultiPolygon(_) => Kind::MultiPolygon,
        geo::Geometry::GeometryCollection(_) => Kind::GeometryCollection,
    }
}

fn collection(parts: Vec<geo::Geometry<f64>>) -> geo::Geometry<f64> {
    geo::Geometry::GeometryCollection(GeometryCollection::new_from(parts))
}

fn is_empty_point(point: &Point<f64>) -> bool {
    point.x().is_nan() && point.y().is_nan()
}

fn is_shape_empty(shape: &geo::Geometry<f64>) -> bool {
    match shape {
        geo::Geometry::Point(point) => is_empty_point(point),
        geo::Geometry::LineString(line) => line.0.is_empty(),
        geo::Geometry::Polygon(polygon) => polygon.exterior().0.is_empty(),
        geo::Geometry::MultiPoint(many) => many.0.iter().all(is_empty_point),
        geo::Geometry::MultiLineString(many) => many.0.iter().all(|line| line.0.is_empty()),
        geo::Geometry::MultiPolygon(many) => {
            many.0.iter().all(|polygon| polygon.exterior().0.is_empty())
        }
        geo::Geometry::GeometryCollection(many) => many.0.iter().all(is_shape_empty),
        geo::Geometry::Line(_) | geo::Geometry::Rect(_) | geo::Geometry::Triangle(_) => false,
    }
}

fn z_or_m() -> Error {
    Error::new(
        SqlState::FEATURE_NOT_SUPPORTED,
        "geometries with Z or M coordinates are not supported",
    )
}

fn requires_more_points() -> Error {
    Error::internal("geometry requires more points")
}

fn non_closed_rings() -> Error {
    Error::internal("geometry contains non-closed rings")
}
