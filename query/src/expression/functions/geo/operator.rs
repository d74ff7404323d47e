//! Operators: relations and distances of boxes, nearness.

use super::args::{bounds, float_or_null, geometry, pair};
use crate::error::Result;
use crate::expression::functions::{Builder, Eval};
use crate::geo::{self, Box2d, GeocentricBox};
use crate::value::Value;

macro_rules! box_operator {
    ($symbol:literal, $holds:expr) => {
        ($symbol, |_, args| compare_boxes(args, $holds))
    };
}

/// Operators on the planar boxes of both sides.
const BOX_OPERATORS: [(&str, Eval); 12] = [
    box_operator!("&&", |a, b| a.overlaps(b)),
    box_operator!("~", |a, b| a.contains(b)),
    box_operator!("@", |a, b| b.contains(a)),
    box_operator!("~=", |a, b| a == b),
    box_operator!("<<", |a, b| a.max[0] < b.min[0]),
    box_operator!(">>", |a, b| a.min[0] > b.max[0]),
    box_operator!("&<", |a, b| a.max[0] <= b.max[0]),
    box_operator!("&>", |a, b| a.min[0] >= b.min[0]),
    box_operator!("<<|", |a, b| a.max[1] < b.min[1]),
    box_operator!("|>>", |a, b| a.min[1] > b.max[1]),
    box_operator!("&<|", |a, b| a.max[1] <= b.max[1]),
    box_operator!("|&>", |a, b| a.min[1] >= b.min[1]),
];

/// Registers the family.
pub(super) fn register(builder: &mut Builder) {
    for (symbol, eval) in BOX_OPERATORS {
        builder.operator(&format!("{symbol} (geometry, geometry) -> bool"), eval);
    }
    builder.operator("&& (geography, geography) -> bool", |_, args| {
        let (a, b) = pair(args, "geography_overlaps")?;
        let (a, b) = (GeocentricBox::around(a), GeocentricBox::around(b));
        let (Some(a), Some(b)) = (a, b) else { return Ok(Value::Bool(false)) };
        Ok(Value::Bool(a.as_stored().overlaps(&b.as_stored())))
    });
    builder.operator("<-> (geometry, geometry) -> float8", |_, args| {
        let (a, b) = pair(args, "ST_Distance")?;
        Ok(float_or_null(geo::distance(a, b, false)))
    });
    builder.operator("<-> (geography, geography) -> float8", |_, args| {
        let (a, b) = pair(args, "geography_distance_knn")?;
        Ok(float_or_null(geo::distance(a, b, true)))
    });
    builder.operator("<#> (geometry, geometry) -> float8", |_, args| {
        let (a, b) = (bounds(args, 0)?, bounds(args, 1)?);
        // Nothing is as far from everything as 32-bit boxes can say.
        let apart = a.zip(b).map(|(a, b)| a.as_stored().distance(&b.as_stored()));
        Ok(Value::Float8(apart.unwrap_or(f64::from(f32::MAX))))
    });
}

fn compare_boxes(args: &[Value], holds: fn(&Box2d, &Box2d) -> bool) -> Result<Value> {
    let (a, b) = (geometry(args, 0)?, geometry(args, 1)?);
    let (Some(a), Some(b)) = (Box2d::around(a), Box2d::around(b)) else {
        return Ok(Value::Bool(false));
    };
    Ok(Value::Bool(holds(&a.as_stored(), &b.as_stored())))
}
