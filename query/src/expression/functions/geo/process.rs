//! Functions that make a shape of shapes.

use ::geo::{Coord, LineString};

use super::args::{bool_or, shape, shape_or_null, text};
use super::args::{bounds, box_or_null, float, geometries, geometry, int, int_or, pair};
use crate::error::{Error, Result};
use crate::expression::functions::Builder;
use crate::geo::{self, Box2d, Geometry};
use crate::value::Value;

/// Segments per quarter of a circle when nothing is asked.
const SEGMENTS_DEFAULT: u32 = 8;

/// Registers the family.
pub(super) fn register(builder: &mut Builder) {
    builder.function("st_centroid(geometry) -> geometry", |_, args| {
        Ok(shape(geo::centroid(geometry(args, 0)?)))
    });
    builder.function("st_envelope(geometry) -> geometry", |_, args| {
        Ok(shape(envelope(geometry(args, 0)?)))
    });
    builder.function("st_convexhull(geometry) -> geometry", |_, args| {
        Ok(shape(geo::convex_hull(geometry(args, 0)?)))
    });
    builder.function("st_simplify(geometry, float8, [bool]) -> geometry", |_, args| {
        let (given, tolerance) = (geometry(args, 0)?, float(args, 1)?);
        let simple = geo::simplify(given, tolerance);
        let kept = if bool_or(args, 2, false)? { Some(given.clone()) } else { None };
        Ok(shape_or_null(simple.or(kept)))
    });
    builder.function("st_transform(geometry, int4) -> geometry", |_, args| {
        Ok(shape(geo::transform(geometry(args, 0)?, int(args, 1)?)?))
    });
    for name in ["st_force2d", "st_force_2d"] {
        builder.function(&format!("{name}(geometry) -> geometry"), |_, args| {
            Ok(shape(geometry(args, 0)?.clone()))
        });
    }
    register_expand(builder);
    register_snap(builder);
    register_moves(builder);
    register_overlay(builder);
    register_buffer(builder);
}

fn register_expand(builder: &mut Builder) {
    builder.function("st_expand(geometry, float8) -> geometry", |_, args| {
        expand(args, float(args, 1)?, float(args, 1)?)
    });
    builder.function("st_expand(geometry, float8, float8) -> geometry", |_, args| {
        expand(args, float(args, 1)?, float(args, 2)?)
    });
    builder.function("st_expand(box2d, float8) -> box2d", |_, args| {
        let units = float(args, 1)?;
        Ok(box_or_null(bounds(args, 0)?.map(|bounds| bounds.expanded(units, units))))
    });
}

fn expand(args: &[Value], x: f64, y: f64) -> Result<Value> {
    let given = geometry(args, 0)?;
    let expanded = Box2d::around(given).map(|bounds| bounds.expanded(x, y));
    Ok(match expanded {
        Some(bounds) => shape(Geometry::envelope(given.srid, &bounds)),
        None => shape(given.clone()),
    })
}

fn envelope(given: &Geometry) -> Geometry {
    let Some(bounds) = Box2d::around(given) else { return given.clone() };
    let Box2d { min: [xmin, ymin], max: [xmax, ymax] } = bounds;
    if xmin == xmax && ymin == ymax {
        Geometry::point(given.srid, xmin, ymin)
    } else if xmin == xmax || ymin == ymax {
        let line = LineString::from(vec![(xmin, ymin), (xmax, ymax)]);
        Geometry::new(given.srid, line)
    } else {
        Geometry::envelope(given.srid, &bounds)
    }
}

fn register_snap(builder: &mut Builder) {
    builder.function("st_snaptogrid(geometry, float8) -> geometry", |_, args| {
        let size = float(args, 1)?;
        Ok(shape(geo::snap_to_grid(geometry(args, 0)?, [size, size], [0.0, 0.0])))
    });
    builder.function("st_snaptogrid(geometry, float8, float8) -> geometry", |_, args| {
        let size = [float(args, 1)?, float(args, 2)?];
        Ok(shape(geo::snap_to_grid(geometry(args, 0)?, size, [0.0, 0.0])))
    });
    builder.function(
        "st_snaptogrid(geometry, float8, float8, float8, float8) -> geometry",
        |_, args| {
            let origin = [float(args, 1)?, float(args, 2)?];
            let size = [float(args, 3)?, float(args, 4)?];
            Ok(shape(geo::snap_to_grid(geometry(args, 0)?, size, origin)))
        },
    );
}

fn register_moves(builder: &mut Builder) {
    builder.function("st_translate(geometry, float8, float8) -> geometry", |_, args| {
        let (x, y) = (float(args, 1)?, float(args, 2)?);
        Ok(shape(geometry(args, 0)?.map_coords(|at| Coord { x: at.x + x, y: at.y + y })))
    });
    builder.function("st_scale(geometry, float8, float8) -> geometry", |_, args| {
        let (x, y) = (float(args, 1)?, float(args, 2)?);
        Ok(shape(geometry(args, 0)?.map_coords(|at| Coord { x: at.x * x, y: at.y * y })))
    });
    builder.function("st_flipcoordinates(geometry) -> geometry", |_, args| {
        Ok(shape(geometry(args, 0)?.map_coords(|at| Coord { x: at.y, y: at.x })))
    });
}

fn register_overlay(builder: &mut Builder) {
    builder.function("st_union(geometry, geometry) -> geometry", |_, args| {
        let (a, b) = pair(args, "ST_Union")?;
        Ok(shape(geo::union(a, b)?))
    });
    for name in ["st_union", "st_unaryunion"] {
        let ty = if name == "st_union" { "geometry[]" } else { "geometry" };
        builder.function(&format!("{name}({ty}) -> geometry"), |_, args| {
            let all = match args.first() {
                Some(Value::Array(_)) => geometries(args, 0)?,
                _ => vec![geometry(args, 0)?],
            };
            let Some(first) = all.first() else { return Ok(Value::Null) };
            Ok(shape(geo::union_all(first.srid, &all)?))
        });
    }
    builder.function("st_intersection(geometry, geometry) -> geometry", |_, args| {
        let (a, b) = pair(args, "ST_Intersection")?;
        Ok(shape(geo::intersection(a, b)))
    });
    builder.function("st_difference(geometry, geometry) -> geometry", |_, args| {
        let (a, b) = pair(args, "ST_Difference")?;
        Ok(shape(geo::difference(a, b)?))
    });
    builder.function("st_symdifference(geometry, geometry) -> geometry", |_, args| {
        let (a, b) = pair(args, "ST_SymDifference")?;
        Ok(shape(geo::symmetric_difference(a, b)?))
    });
}

fn register_buffer(builder: &mut Builder) {
    builder.function("st_buffer(geometry, float8) -> geometry", |_, args| {
        buffer(args, SEGMENTS_DEFAULT)
    });
    builder.function("st_buffer(geometry, float8, int4) -> geometry", |_, args| {
        let segments = u32::try_from(int_or(args, 2, 8)?).unwrap_or(1);
        buffer(args, segments.clamp(1, 10_000))
    });
    builder.function("st_buffer(geometry, float8, text) -> geometry", |_, args| {
        buffer(args, buffer_options(text(args, 2)?)?)
    });
}

fn buffer(args: &[Value], segments: u32) -> Result<Value> {
    Ok(shape(geo::buffer(geometry(args, 0)?, float(args, 1)?, segments)))
}

/// `quad_segs=8 endcap=round join=round`: only round ends and joins exist here.
fn buffer_options(options: &str) -> Result<u32> {
    let mut segments = SEGMENTS_DEFAULT;
    for option in options.split_whitespace() {
        match option.split_once('=') {
            Some(("quad_segs", count)) => {
                segments = count.parse::<u32>().unwrap_or(SEGMENTS_DEFAULT).clamp(1, 10_000);
            }
            Some(("endcap" | "join", "round")) | Some(("side", "both")) => {}
            Some(("endcap" | "join" | "side" | "mitre_limit" | "miter_limit", _)) => {
                return Err(Error::unsupported(format!("buffer option \"{option}\"")));
            }
            _ => {
                let message = format!(
                    "Invalid buffer parameter: {option} (accept: 'endcap', 'join', 'mitre_limit', 'miter_limit', 'quad_segs' and 'side')"
                );
                return Err(Error::internal(message));
            }
        }
    }
    Ok(segments)
}
