//! Functions that measure: distances, lengths, areas, directions.

use super::args::{bool_or, float, float_or_null, geometry, pair, shape, shape_or_null};
use crate::error::{Error, Result};
use crate::expression::functions::Builder;
use crate::geo::{self, Geometry, Spheroid, WGS84};
use crate::value::Value;

/// Registers the family.
pub(super) fn register(builder: &mut Builder) {
    builder.function("st_distance(geometry, geometry) -> float8", |_, args| {
        let (a, b) = pair(args, "ST_Distance")?;
        Ok(float_or_null(geo::planar_distance(a, b)))
    });
    builder.function("st_distance(geography, geography, [bool]) -> float8", |_, args| {
        let (a, b) = pair(args, "geography_distance")?;
        Ok(float_or_null(spheroid(args, 2)?.distance(a, b)))
    });
    builder.function("st_distancesphere(geometry, geometry) -> float8", |_, args| {
        let (a, b) = pair(args, "ST_DistanceSphere")?;
        Ok(float_or_null(Spheroid::Sphere.distance(a, b)))
    });
    builder.function("st_distancespheroid(geometry, geometry) -> float8", |_, args| {
        let (a, b) = pair(args, "ST_DistanceSpheroid")?;
        Ok(float_or_null(Spheroid::Wgs84.distance_exact(a, b)))
    });
    builder.function("st_dwithin(geometry, geometry, float8) -> bool", |_, args| {
        let (a, b) = pair(args, "ST_DWithin")?;
        let limit = tolerance(args)?;
        Ok(Value::Bool(geo::planar_distance(a, b).is_some_and(|apart| apart <= limit)))
    });
    builder.function("st_dwithin(geography, geography, float8, [bool]) -> bool", |_, args| {
        let (a, b) = pair(args, "geography_dwithin")?;
        Ok(Value::Bool(spheroid(args, 3)?.is_within(a, b, float(args, 2)?)))
    });
    builder.function("st_closestpoint(geometry, geometry) -> geometry", |_, args| {
        let (a, b) = pair(args, "ST_ClosestPoint")?;
        Ok(shape_or_null(geo::closest_point(a, b)))
    });
    builder.function("st_shortestline(geometry, geometry) -> geometry", |_, args| {
        let (a, b) = pair(args, "ST_ShortestLine")?;
        Ok(shape_or_null(geo::shortest_line(a, b)))
    });
    register_sizes(builder);
    register_directions(builder);
}

fn register_sizes(builder: &mut Builder) {
    for name in ["st_length", "st_length2d"] {
        builder.function(&format!("{name}(geometry) -> float8"), |_, args| {
            Ok(Value::Float8(geo::length(geometry(args, 0)?)))
        });
    }
    for name in ["st_perimeter", "st_perimeter2d"] {
        builder.function(&format!("{name}(geometry) -> float8"), |_, args| {
            Ok(Value::Float8(geo::perimeter(geometry(args, 0)?)))
        });
    }
    for name in ["st_area", "st_area2d"] {
        builder.function(&format!("{name}(geometry) -> float8"), |_, args| {
            Ok(Value::Float8(geo::area(geometry(args, 0)?)))
        });
    }
    builder.function("st_length(geography, [bool]) -> float8", |_, args| {
        Ok(Value::Float8(geo::geodesic_length(geometry(args, 0)?, spheroid(args, 1)?)))
    });
    builder.function("st_perimeter(geography, [bool]) -> float8", |_, args| {
        Ok(Value::Float8(geo::geodesic_perimeter(geometry(args, 0)?, spheroid(args, 1)?)))
    });
    builder.function("st_area(geography, [bool]) -> float8", |_, args| {
        Ok(Value::Float8(geo::geodesic_area(geometry(args, 0)?, spheroid(args, 1)?)))
    });
}

fn register_directions(builder: &mut Builder) {
    builder.function("st_azimuth(geometry, geometry) -> float8", |_, args| {
        let (a, b) = pair(args, "ST_Azimuth")?;
        let (Some(a), Some(b)) = (a.as_point(), b.as_point()) else {
            return Err(Error::internal("Argument must be POINT geometries"));
        };
        if a == b {
            return Ok(Value::Null);
        }
        let direction = (b.x - a.x).atan2(b.y - a.y);
        let turn = if direction < 0.0 { 2.0 * std::f64::consts::PI } else { 0.0 };
        Ok(Value::Float8(direction + turn))
    });
    builder.function("st_azimuth(geography, geography) -> float8", |_, args| {
        let (a, b) = pair(args, "geography_azimuth")?;
        let (Some(a), Some(b)) = (a.as_point(), b.as_point()) else {
            return Err(Error::internal("ST_Azimuth(geography) is only valid for point inputs"));
        };
        Ok(float_or_null(geo::azimuth(a, b)))
    });
    builder.function("st_project(geography, float8, float8) -> geography", |_, args| {
        let given = geometry(args, 0)?;
        if given.is_empty() {
            return Ok(Value::Null);
        }
        let Some(from) = given.as_point() else {
            return Err(Error::internal("ST_Project(geography) is only valid for point inputs"));
        };
        let (mut metres, mut direction) = (float(args, 1)?, float(args, 2)?);
        if metres < 0.0 {
            metres = -metres;
            direction += std::f64::consts::PI;
        }
        if metres == 0.0 {
            return Ok(shape(Geometry { srid: WGS84, ..given.clone() }));
        }
        Ok(shape(geo::project(from, metres, direction)))
    });
}

fn spheroid(args: &[Value], index: usize) -> Result<Spheroid> {
    Ok(if bool_or(args, index, true)? { Spheroid::Wgs84 } else { Spheroid::Sphere })
}

fn tolerance(args: &[Value]) -> Result<f64> {
    let limit = float(args, 2)?;
    if limit < 0.0 {
        return Err(Error::internal("Tolerance cannot be less than zero"));
    }
    Ok(limit)
}
