//! Functions along lines, and what tile servers and GIS clients ask for.

use geo::{
    Euclidean, InteriorPoint, InterpolateLine as _, LineLocatePoint, LineString, Point, Polygon,
};

use super::args::{float, float_or_null, geometry, int, pair, shape, shape_or_null};
use crate::error::{Error, Result};
use crate::expression::functions::Builder;
use crate::geo::{Box2d, Geometry, Kind, Shape, WEB_MERCATOR};
use crate::value::Value;

/// The version of PostGIS that these functions follow.
const VERSION: &str = "3.3.2";

/// Registers the family.
pub(super) fn register(builder: &mut Builder) {
    builder.function("st_lineinterpolatepoint(geometry, float8) -> geometry", |_, args| {
        let (given, share) = (geometry(args, 0)?, float(args, 1)?);
        if !(0.0..=1.0).contains(&share) {
            let message = "line_interpolate_point: 2nd arg isn't within [0,1]";
            return Err(Error::internal(message));
        }
        let line = line(given, "line_interpolate_point: 1st arg isn't a line")?;
        let point = Euclidean.point_at_ratio_from_start(line, share);
        Ok(shape_or_null(point.map(|point| Geometry::new(given.srid, point))))
    });
    builder.function("st_linelocatepoint(geometry, geometry) -> float8", |_, args| {
        let (given, at) = pair(args, "line_locate_point")?;
        let line = line(given, "line_locate_point: 1st arg isn't a line")?;
        let Some(at) = at.as_point() else {
            return Err(Error::internal("line_locate_point: 2nd arg isn't a point"));
        };
        Ok(float_or_null(line.line_locate_point(&Point(at))))
    });
    builder.function("st_reverse(geometry) -> geometry", |_, args| {
        let given = geometry(args, 0)?;
        Ok(shape(Geometry::new(given.srid, reversed(&given.shape))))
    });
    builder.function("st_pointonsurface(geometry) -> geometry", |_, args| {
        let given = geometry(args, 0)?;
        let inside = if given.is_empty() { None } else { given.shape.interior_point() };
        Ok(match inside {
            Some(point) => shape(Geometry::new(given.srid, point)),
            None => shape(Geometry::empty(given.srid, Kind::Point)),
        })
    });
    builder.function("st_tileenvelope(int4, int4, int4) -> geometry", tile_envelope);
    builder.function("postgis_lib_version() -> text", |_, _| Ok(Value::text(VERSION)));
    builder.function("postgis_version() -> text", |_, _| {
        Ok(Value::text("3.3 USE_GEOS=0 USE_PROJ=0 USE_STATS=1"))
    });
    builder.function("postgis_full_version() -> text", |_, _| {
        Ok(Value::text(format!("POSTGIS=\"{VERSION}\" (Cairn's own; mathematics by geo)")))
    });
}

fn line<'a>(given: &'a Geometry, message: &str) -> Result<&'a LineString<f64>> {
    match &given.shape {
        Shape::LineString(line) => Ok(line),
        _ => Err(Error::internal(message)),
    }
}

/// The shape with the vertices of each part in the opposite order.
fn reversed(given: &Shape) -> Shape {
    let line =
        |line: &LineString<f64>| -> LineString<f64> { line.0.iter().rev().copied().collect() };
    let polygon = |polygon: &Polygon<f64>| {
        Polygon::new(line(polygon.exterior()), polygon.interiors().iter().map(line).collect())
    };
    match given {
        Shape::LineString(given) => line(given).into(),
        Shape::Polygon(given) => polygon(given).into(),
        Shape::MultiLineString(many) => {
            geo::MultiLineString::new(many.0.iter().map(line).collect()).into()
        }
        Shape::MultiPolygon(many) => {
            geo::MultiPolygon::new(many.0.iter().map(polygon).collect()).into()
        }
        Shape::GeometryCollection(many) => {
            let parts = many.0.iter().map(reversed).collect();
            Shape::GeometryCollection(geo::GeometryCollection::new_from(parts))
        }
        points => points.clone(),
    }
}

/// `ST_TileEnvelope(zoom, x, y)`: the box of a tile of the web map, counted from the north west.
fn tile_envelope(_: &crate::expression::EvalContext<'_>, args: &[Value]) -> Result<Value> {
    const HALF: f64 = std::f64::consts::PI * 6_378_137.0;
    let (zoom, x, y) = (int(args, 0)?, int(args, 1)?, int(args, 2)?);
    if !(0..32).contains(&zoom) {
        return Err(Error::internal(format!("ST_TileEnvelope: Invalid tile zoom value, {zoom}")));
    }
    let count = 2f64.powi(zoom);
    for (name, at) in [("x", x), ("y", y)] {
        if at < 0 || f64::from(at) >= count {
            let message = format!("ST_TileEnvelope: Invalid tile {name} value, {at}");
            return Err(Error::internal(message));
        }
    }
    let size = 2.0 * HALF / count;
    let (west, north) = (size.mul_add(f64::from(x), -HALF), size.mul_add(-f64::from(y), HALF));
    let bounds = Box2d { min: [west, north - size], max: [west + size, north] };
    Ok(shape(Geometry::envelope(WEB_MERCATOR, &bounds)))
}
