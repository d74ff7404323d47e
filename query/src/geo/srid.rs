//! Reference systems: WGS 84 and Web Mercator, and what makes a geometry a geography.

use std::f64::consts::PI;

use geo::Coord;

use super::Geometry;
use crate::error::{Error, Result, SqlState};

/// Longitude and latitude in degrees on WGS 84.
pub const WGS84: i32 = 4326;
/// Metres on the map that web tiles use.
pub const WEB_MERCATOR: i32 = 3857;

const EARTH_RADIUS: f64 = 6_378_137.0;
const SRID_MAX: i32 = 999_999;

/// A reference system's identifier brought into PostGIS' range: nothing below 0, and what is too
/// large is folded into the range that PostGIS keeps for that.
pub fn clamp_srid(srid: i32) -> i32 {
    const USER_MAX: i32 = 998_999;
    if srid <= 0 {
        0
    } else if srid > SRID_MAX {
        USER_MAX + 1 + srid % (SRID_MAX - USER_MAX - 1)
    } else {
        srid
    }
}

/// The error for a reference system that is not in degrees.
pub(super) fn not_lon_lat() -> Error {
    let message = "Only lon/lat coordinate systems are supported in geography.";
    Error::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

/// Makes a geometry a geography: in WGS 84, with coordinates coerced into range.
///
/// # Errors
/// 22023 when its reference system is another.
pub fn to_geography(geometry: &Geometry) -> Result<Geometry> {
    if !matches!(geometry.srid, 0 | WGS84) {
        return Err(not_lon_lat());
    }
    let mut geography = geometry.map_coords(|coord| Coord {
        x: if coord.x.abs() > 180.0 { wrap_longitude(coord.x) } else { coord.x },
        y: if coord.y.abs() > 90.0 { wrap_latitude(coord.y) } else { coord.y },
    });
    geography.srid = WGS84;
    Ok(geography)
}

/// IEEE's remainder: the quotient is rounded to the nearest integer, half to even.
fn remainder(value: f64, divisor: f64) -> f64 {
    value - divisor * (value / divisor).round_ties_even()
}

fn wrap_longitude(degrees: f64) -> f64 {
    let degrees = if degrees.abs() > 360.0 { remainder(degrees, 360.0) } else { degrees };
    match degrees {
        _ if degrees > 180.0 => degrees - 360.0,
        _ if degrees < -180.0 => degrees + 360.0,
        -180.0 => 180.0,
        _ => degrees,
    }
}

fn wrap_latitude(degrees: f64) -> f64 {
    let mut degrees = if degrees.abs() > 360.0 { remainder(degrees, 360.0) } else { degrees };
    if degrees.abs() > 180.0 {
        degrees = degrees.signum() * 180.0 - degrees;
    }
    if degrees.abs() > 90.0 {
        degrees = degrees.signum() * 180.0 - degrees;
    }
    degrees
}

/// `ST_Transform` between WGS 84 and Web Mercator.
///
/// # Errors
/// XX000 without a reference system; 0A000 for any other pair.
pub fn transform(geometry: &Geometry, srid: i32) -> Result<Geometry> {
    if geometry.srid == 0 {
        return Err(Error::internal("ST_Transform: Input geometry has unknown (0) SRID"));
    }
    let mut result = match (geometry.srid, srid) {
        (from, to) if from == to => geometry.clone(),
        (WGS84, WEB_MERCATOR) => geometry.map_coords(to_mercator),
        (WEB_MERCATOR, WGS84) => geometry.map_coords(from_mercator),
        (from, to) => {
            return Err(Error::unsupported(format!("ST_Transform from SRID {from} to {to}")));
        }
    };
    result.srid = srid;
    Ok(result)
}

fn to_mercator(coord: Coord<f64>) -> Coord<f64> {
    let (x, y) = (coord.x.to_radians(), coord.y.to_radians());
    Coord { x: EARTH_RADIUS * x, y: EARTH_RADIUS * y.tan().asinh() }
}

fn from_mercator(coord: Coord<f64>) -> Coord<f64> {
    let (x, y) = (coord.x / EARTH_RADIUS, coord.y / EARTH_RADIUS);
    let x = if x.abs() > PI { remainder(x, 2.0 * PI) } else { x };
    Coord { x: x.to_degrees(), y: y.sinh().atan().to_degrees() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_coerced_into_range() {
        for (given, coerced) in [
            ("POINT(190 2)", "SRID=4326;POINT(-170 2)"),
            ("POINT(10 92)", "SRID=4326;POINT(10 88)"),
            ("POINT(370 -95)", "SRID=4326;POINT(10 -85)"),
            ("POINT(180 90)", "SRID=4326;POINT(180 90)"),
            ("POINT(-180 90)", "SRID=4326;POINT(-180 90)"),
            ("POINT(540 -450)", "SRID=4326;POINT(180 -90)"),
        ] {
            let geography = to_geography(&Geometry::parse(given).unwrap()).unwrap();
            assert_eq!(geography.to_ewkt(None), coerced);
        }
    }

    #[test]
    fn transforms_there_and_back() {
        let paris = Geometry::parse("SRID=4326;POINT(2.35 48.85)").unwrap();
        let there = transform(&paris, WEB_MERCATOR).unwrap();
        assert_eq!(there.to_wkt(Some(6)), "POINT(261600.803364 6249447.752791)");
        assert_eq!(transform(&there, WGS84).unwrap().to_wkt(Some(12)), "POINT(2.35 48.85)");
    }
}
