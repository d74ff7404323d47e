//! What `information_schema` says of a type: lengths, precisions, names.

use crate::catalog::definition_sql::DefinitionSql;
use crate::value::{SqlType, Type};

/// What `data_type` shows: user types and PostGIS' have no name in the standard.
pub(super) fn data_type(definitions: &DefinitionSql<'_>, ty: &SqlType) -> String {
    match &ty.base {
        ty if ty.element().is_some() => "ARRAY".to_owned(),
        Type::Enum(_)
        | Type::Row(_)
        | Type::Geometry
        | Type::Geography
        | Type::Box2d
        | Type::Box3d => "USER-DEFINED".to_owned(),
        Type::Bpchar => "character".to_owned(),
        base => definitions.type_name(&SqlType::new(base.clone())),
    }
}

/// Characters and bytes that a string may have.
pub(super) fn lengths(ty: &SqlType) -> (Option<i32>, Option<i32>) {
    const ANY_LEN: i32 = 1 << 30;
    match ty.base {
        Type::Text => (None, Some(ANY_LEN)),
        Type::Varchar | Type::Bpchar => match ty.char_limit() {
            Some(limit) => {
                let limit = i32::try_from(limit).unwrap_or(i32::MAX);
                (Some(limit), Some(limit.saturating_mul(4)))
            }
            None => (None, Some(ANY_LEN)),
        },
        _ => (None, None),
    }
}

/// Precision, its radix, scale.
pub(super) fn numeric(ty: &SqlType) -> (Option<i32>, Option<i32>, Option<i32>) {
    match ty.base {
        Type::Int2 => (Some(16), Some(2), Some(0)),
        Type::Int4 => (Some(32), Some(2), Some(0)),
        Type::Int8 => (Some(64), Some(2), Some(0)),
        Type::Float4 => (Some(24), Some(2), None),
        Type::Float8 => (Some(53), Some(2), None),
        Type::Numeric => match ty.numeric_limits() {
            Some((precision, scale)) => (Some(precision), Some(10), Some(scale)),
            None => (None, Some(10), None),
        },
        _ => (None, None, None),
    }
}

/// Digits after the point of the seconds.
pub(super) fn datetime_precision(ty: &SqlType) -> Option<i32> {
    match ty.base {
        Type::Date => Some(0),
        Type::Time | Type::TimeTz | Type::Timestamp | Type::TimestampTz | Type::Interval => {
            Some(ty.time_precision().and_then(|digits| i32::try_from(digits).ok()).unwrap_or(6))
        }
        _ => None,
    }
}
