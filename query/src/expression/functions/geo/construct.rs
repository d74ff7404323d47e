//! Functions that make shapes from numbers, texts, bytes and other shapes.

use geo::{LineString, Polygon};

use super::args::{box_or_null, shape_or_null};
use super::args::{bytea, float, geometries, geometry, int, int_or, pair, shape, text};
use crate::error::{Error, Result};
use crate::expression::EvalContext;
use crate::expression::functions::Builder;
use crate::geo::{self as cairn_geo, Box2d, Geometry, Kind, clamp_srid, geohash, to_geography};
use crate::value::Value;

type Context<'a> = EvalContext<'a>;

/// Registers the family.
pub(super) fn register(builder: &mut Builder) {
    builder.function("st_makepoint(float8, float8) -> geometry", point);
    builder.function("st_point(float8, float8, [int4]) -> geometry", point);
    for ty in ["geometry", "geography"] {
        builder.function(&format!("st_setsrid({ty}, int4) -> {ty}"), set_srid);
    }
    builder.function(
        "st_makeenvelope(float8, float8, float8, float8, [int4]) -> geometry",
        make_envelope,
    );
    for name in ["st_geomfromtext", "st_geometryfromtext", "st_wkttosql"] {
        builder.function(&format!("{name}(text, [int4]) -> geometry"), from_text);
    }
    builder.function("st_geomfromewkt(text) -> geometry", from_text);
    builder.function("st_pointfromtext(text, [int4]) -> geometry", |_, args| {
        of_kind(args, Kind::Point)
    });
    for name in ["st_linefromtext", "st_linestringfromtext"] {
        builder.function(&format!("{name}(text, [int4]) -> geometry"), |_, args| {
            of_kind(args, Kind::LineString)
        });
    }
    for name in ["st_polygonfromtext", "st_polyfromtext"] {
        builder.function(&format!("{name}(text, [int4]) -> geometry"), |_, args| {
            of_kind(args, Kind::Polygon)
        });
    }
    for name in ["st_geogfromtext", "st_geographyfromtext"] {
        builder.function(&format!("{name}(text) -> geography"), geography_from_text);
    }
    for name in ["st_geomfromwkb", "st_geomfromewkb"] {
        builder.function(&format!("{name}(bytea, [int4]) -> geometry"), from_wkb);
    }
    builder.function("st_geogfromwkb(bytea) -> geography", |_, args| {
        Ok(shape(to_geography(&Geometry::from_ewkb(bytea(args, 0)?)?)?))
    });
    for ty in ["text", "json", "jsonb"] {
        builder.function(&format!("st_geomfromgeojson({ty}) -> geometry"), from_geojson);
    }
    register_from_shapes(builder);
    builder.function("st_pointfromgeohash(text, [int4]) -> geometry", |_, args| {
        let cell = geohash_cell(args)?;
        let [x, y] = [0, 1].map(|axis| f64::midpoint(cell.min[axis], cell.max[axis]));
        Ok(shape(Geometry::point(0, x, y)))
    });
    builder.function("st_geomfromgeohash(text, [int4]) -> geometry", |_, args| {
        Ok(shape(Geometry::envelope(0, &geohash_cell(args)?)))
    });
    builder.function("st_box2dfromgeohash(text, [int4]) -> box2d", |_, args| {
        Ok(box_or_null(Some(geohash_cell(args)?)))
    });
}

fn register_from_shapes(builder: &mut Builder) {
    builder.function("st_makeline(geometry, geometry) -> geometry", |_, args| {
        let (a, b) = pair(args, "ST_MakeLine")?;
        Ok(shape_or_null(make_line(&[a, b])?))
    });
    builder.function("st_makeline(geometry[]) -> geometry", |_, args| {
        Ok(shape_or_null(make_line(&geometries(args, 0)?)?))
    });
    builder.function("st_makepolygon(geometry) -> geometry", make_polygon);
    builder.function("st_polygon(geometry, int4) -> geometry", |context, args| {
        let polygon = make_polygon(context, args)?;
        set_srid(context, &[polygon, args.get(1).cloned().unwrap_or(Value::Null)])
    });
    builder.function("st_collect(geometry, geometry) -> geometry", |_, args| {
        let (a, b) = pair(args, "lwcollection_construct")?;
        Ok(shape(cairn_geo::collect(a.srid, vec![a.shape.clone(), b.shape.clone()])))
    });
    builder.function("st_collect(geometry[]) -> geometry", |_, args| {
        let shapes = geometries(args, 0)?;
        let Some(first) = shapes.first() else { return Ok(Value::Null) };
        let parts = shapes.iter().map(|geometry| geometry.shape.clone());
        Ok(shape(cairn_geo::collect(first.srid, parts.collect())))
    });
    builder.function("st_multi(geometry) -> geometry", |_, args| {
        let given = geometry(args, 0)?;
        if given.kind().is_multi() {
            return Ok(shape(given.clone()));
        }
        if given.is_empty() {
            return Ok(shape(Geometry::empty(given.srid, given.kind().multi())));
        }
        Ok(shape(cairn_geo::collect(given.srid, vec![given.shape.clone()])))
    });
    builder.function("st_makebox2d(geometry, geometry) -> box2d", |_, args| {
        let (a, b) = pair(args, "BOX2D_construct")?;
        let (Some(a), Some(b)) = (a.as_point(), b.as_point()) else {
            return Err(Error::internal("BOX2D_construct: arguments must be points"));
        };
        Ok(box_or_null(Some(Box2d { min: [a.x, a.y], max: [b.x, b.y] })))
    });
}

fn point(_: &Context<'_>, args: &[Value]) -> Result<Value> {
    let srid = clamp_srid(int_or(args, 2, 0)?);
    Ok(shape(Geometry::point(srid, float(args, 0)?, float(args, 1)?)))
}

fn set_srid(_: &Context<'_>, args: &[Value]) -> Result<Value> {
    let mut geometry = geometry(args, 0)?.clone();
    geometry.srid = clamp_srid(int(args, 1)?);
    Ok(shape(geometry))
}

fn make_envelope(_: &Context<'_>, args: &[Value]) -> Result<Value> {
    let bounds =
        Box2d { min: [float(args, 0)?, float(args, 1)?], max: [float(args, 2)?, float(args, 3)?] };
    Ok(shape(Geometry::envelope(clamp_srid(int_or(args, 4, 0)?), &bounds)))
}

fn parse_with_srid(args: &[Value]) -> Result<Geometry> {
    let mut geometry = Geometry::parse(text(args, 0)?)?;
    if args.len() > 1 {
        geometry.srid = clamp_srid(int(args, 1)?);
    }
    Ok(geometry)
}

fn from_text(_: &Context<'_>, args: &[Value]) -> Result<Value> {
    Ok(shape(parse_with_srid(args)?))
}

/// NULL when the text is of another kind.
fn of_kind(args: &[Value], kind: Kind) -> Result<Value> {
    Ok(shape_or_null(Some(parse_with_srid(args)?).filter(|geometry| geometry.kind() == kind)))
}

fn geography_from_text(_: &Context<'_>, args: &[Value]) -> Result<Value> {
    Ok(shape(to_geography(&Geometry::parse(text(args, 0)?)?)?))
}

fn from_wkb(_: &Context<'_>, args: &[Value]) -> Result<Value> {
    let mut geometry = Geometry::from_ewkb(bytea(args, 0)?)?;
    if args.len() > 1 {
        geometry.srid = clamp_srid(int(args, 1)?);
    }
    Ok(shape(geometry))
}

fn from_geojson(_: &Context<'_>, args: &[Value]) -> Result<Value> {
    let geometry = match args.first() {
        Some(Value::Jsonb(json)) => Geometry::from_geojson(&json.to_string())?,
        _ => Geometry::from_geojson(text(args, 0)?)?,
    };
    Ok(shape(geometry))
}

fn geohash_cell(args: &[Value]) -> Result<Box2d> {
    let length = if args.len() > 1 { usize::try_from(int(args, 1)?).ok() } else { None };
    geohash::decode(text(args, 0)?, length)
}

/// A line through points and lines, in their order; none through nothing.
pub(super) fn make_line(shapes: &[&Geometry]) -> Result<Option<Geometry>> {
    let Some(first) = shapes.first() else { return Ok(None) };
    let mut coords = Vec::new();
    for part in shapes {
        first.check_srid(part, "ST_MakeLine")?;
        match part.kind() {
            Kind::LineString => {
                // An end that the next line begins with is not repeated.
                let mut added = part.coords().peekable();
                if !coords.is_empty() && added.peek() == coords.last() {
                    added.next();
                }
                coords.extend(added);
            }
            Kind::Point | Kind::MultiPoint => coords.extend(part.coords()),
            _ => {
                let message = "Input geometries must be points or lines";
                return Err(Error::internal(message));
            }
        }
    }
    Ok(Some(Geometry::new(first.srid, LineString::new(coords))))
}

fn make_polygon(_: &Context<'_>, args: &[Value]) -> Result<Value> {
    let given = geometry(args, 0)?;
    let cairn_geo::Shape::LineString(ring) = &given.shape else {
        return Err(Error::internal("Shell is not a line"));
    };
    if ring.0.len() < 4 {
        return Err(Error::internal("lwpoly_from_lwlines: shell must have at least 4 points"));
    }
    if !ring.is_closed() {
        return Err(Error::internal("lwpoly_from_lwlines: shell must be closed"));
    }
    Ok(shape(Geometry::new(given.srid, Polygon::new(ring.clone(), Vec::new()))))
}
