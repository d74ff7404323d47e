//! Functions that ask how two shapes lie to each other.

use super::args::{geometry, pair};
use crate::error::Result;
use crate::expression::functions::{Builder, Eval};
use crate::geo::{Relation, is_valid, relates, relation_matrix, sphere_covers, sphere_intersects};
use crate::value::Value;

macro_rules! relation {
    ($name:literal, $relation:ident) => {
        ($name, |_, args| {
            let (a, b) = pair(args, concat!("ST_", stringify!($relation)))?;
            Ok(Value::Bool(relates(a, b, Relation::$relation)))
        })
    };
}

/// The relations of geometries.
const RELATIONS: [(&str, Eval); 10] = [
    relation!("st_intersects", Intersects),
    relation!("st_disjoint", Disjoint),
    relation!("st_contains", Contains),
    relation!("st_within", Within),
    relation!("st_covers", Covers),
    relation!("st_coveredby", CoveredBy),
    relation!("st_touches", Touches),
    relation!("st_crosses", Crosses),
    relation!("st_overlaps", Overlaps),
    relation!("st_equals", Equals),
];

/// Registers the family.
pub(super) fn register(builder: &mut Builder) {
    for (name, eval) in RELATIONS {
        builder.function(&format!("{name}(geometry, geometry) -> bool"), eval);
    }
    builder.function("st_relate(geometry, geometry) -> text", |_, args| {
        let (a, b) = pair(args, "ST_Relate")?;
        Ok(Value::text(relation_matrix(a, b)))
    });
    builder.function("st_isvalid(geometry) -> bool", |_, args| {
        Ok(Value::Bool(is_valid(geometry(args, 0)?)))
    });
    builder.function("st_intersects(geography, geography) -> bool", |_, args| {
        let (a, b) = pair(args, "geography_intersects")?;
        Ok(Value::Bool(sphere_intersects(a, b)))
    });
    builder.function("st_covers(geography, geography) -> bool", |_, args| covers(args, false));
    builder.function("st_coveredby(geography, geography) -> bool", |_, args| covers(args, true));
}

fn covers(args: &[Value], is_reversed: bool) -> Result<Value> {
    let (a, b) = pair(args, "geography_covers")?;
    let (a, b) = if is_reversed { (b, a) } else { (a, b) };
    Ok(Value::Bool(sphere_covers(a, b)))
}
