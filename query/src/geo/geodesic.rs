//! Geodesics on WGS 84, by Karney's algorithms (`geographiclib`): distance, length, area,
//! direction.

use std::sync::LazyLock;

use geo::{Coord, LineString};
use geographiclib_rs::{DirectGeodesic, Geodesic, InverseGeodesic, PolygonArea, Winding};

use super::parts::Parts;
use super::sphere::{self, RADIUS};
use super::{Geometry, WGS84};

static EARTH: LazyLock<Geodesic> = LazyLock::new(Geodesic::wgs84);
static SPHERE: LazyLock<Geodesic> = LazyLock::new(|| Geodesic::new(RADIUS, 0.0));

/// The body that distances are measured on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spheroid {
    /// WGS 84.
    Wgs84,
    /// The sphere of the mean radius: faster, and what `<->` measures.
    Sphere,
}

impl Spheroid {
    /// Metres between two positions.
    fn between(self, from: Coord<f64>, to: Coord<f64>) -> f64 {
        match self {
            Self::Sphere => sphere::angle_between(from, to) * RADIUS,
            Self::Wgs84 => EARTH.inverse(from.y, from.x, to.y, to.x),
        }
    }

    /// Metres between two shapes; none from or to nothing. The closest positions are found on the
    /// sphere and measured on the spheroid.
    pub fn distance(self, a: &Geometry, b: &Geometry) -> Option<f64> {
        self.distance_exact(a, b).map(round)
    }

    /// As [`Spheroid::distance`], to the last digit.
    pub fn distance_exact(self, a: &Geometry, b: &Geometry) -> Option<f64> {
        let (from, to) = sphere::closest_pair(a, b)?;
        Some(if from == to { 0.0 } else { self.between(from, to) })
    }

    /// Whether two shapes are at most `metres` apart.
    pub fn is_within(self, a: &Geometry, b: &Geometry, metres: f64) -> bool {
        // A degree's length on the spheroid is between 0.9944 and 1.0045 of the sphere's,
        // everywhere and in every direction (the extremes of the radii of curvature), so only
        // distances near the limit need the long calculation.
        const SHORTEST: f64 = 0.994;
        const LONGEST: f64 = 1.005;
        let Some((from, to)) = sphere::closest_pair(a, b) else { return false };
        let rough = sphere::angle_between(from, to) * RADIUS;
        if rough * LONGEST <= metres {
            return true;
        }
        if rough * SHORTEST > metres {
            return false;
        }
        self.between(from, to) <= metres + 1e-12
    }

    fn path_length(self, path: &LineString<f64>) -> f64 {
        let edges = path.0.windows(2).filter_map(|edge| match edge {
            [from, to] => Some(self.between(*from, *to)),
            _ => None,
        });
        edges.sum()
    }
}

/// PostGIS drops what is below ten nanometres.
fn round(metres: f64) -> f64 {
    const PARTS: f64 = 1e8;
    (metres * PARTS).round() / PARTS
}

/// The length of the lines in a shape, in metres.
pub fn geodesic_length(geometry: &Geometry, spheroid: Spheroid) -> f64 {
    Parts::new(&geometry.shape).lines.iter().map(|line| spheroid.path_length(line)).sum()
}

/// The length of the polygons' rings, in metres.
pub fn geodesic_perimeter(geometry: &Geometry, spheroid: Spheroid) -> f64 {
    Parts::new(&geometry.shape).rings().map(|ring| spheroid.path_length(ring)).sum()
}

/// The area of the polygons in a shape, in square metres.
pub fn geodesic_area(geometry: &Geometry, spheroid: Spheroid) -> f64 {
    let body = match spheroid {
        Spheroid::Wgs84 => &*EARTH,
        Spheroid::Sphere => &*SPHERE,
    };
    let parts = Parts::new(&geometry.shape);
    let areas = parts.polygons.iter().map(|polygon| {
        let holes: f64 = polygon.interiors().iter().map(|ring| ring_area(ring, body)).sum();
        ring_area(polygon.exterior(), body) - holes
    });
    areas.sum()
}

fn ring_area(ring: &LineString<f64>, body: &Geodesic) -> f64 {
    let mut area = PolygonArea::new(body, Winding::CounterClockwise);
    let open = ring.0.split_last().map_or(&[][..], |(_, open)| open);
    open.iter().for_each(|coord| area.add_point(coord.y, coord.x));
    let (_, area, _) = area.compute(true);
    area.abs()
}

/// Where one gets from a point by going `metres` in a direction (radians clockwise from north).
pub fn project(from: Coord<f64>, metres: f64, direction: f64) -> Geometry {
    let (y, x) = EARTH.direct(from.y, from.x, direction.to_degrees(), metres);
    Geometry::point(WGS84, x, y)
}

/// The direction from one point to another, in radians clockwise from north; none when they are
/// the same.
pub fn azimuth(from: Coord<f64>, to: Coord<f64>) -> Option<f64> {
    if from == to {
        return None;
    }
    let (direction, _, _): (f64, f64, f64) = EARTH.inverse(from.y, from.x, to.y, to.x);
    let direction = direction.to_radians();
    Some(if direction < 0.0 { direction + 2.0 * std::f64::consts::PI } else { direction })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_as_postgis() {
        let paris = Geometry::parse("POINT(2.3522 48.8566)").unwrap();
        let berlin = Geometry::parse("POINT(13.405 52.52)").unwrap();
        assert_eq!(Spheroid::Wgs84.distance(&paris, &berlin), Some(879_699.316_129_01));
        let metres = 879_699.316_2;
        assert!(Spheroid::Wgs84.is_within(&paris, &berlin, metres));
        assert!(!Spheroid::Wgs84.is_within(&paris, &berlin, metres - 0.001));
    }
}
