//! Which types become which, and when: Postgres' `pg_cast`, type categories and preferred types
//! (manual, chapter 10).

use crate::value::Type;

/// When a cast happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CastContext {
    /// By itself, anywhere.
    Implicit,
    /// By itself, when a value is written to a column.
    Assignment,
    /// When SQL says so.
    Explicit,
}

use CastContext::{Assignment, Explicit, Implicit};

/// The category letter of a type, as in `pg_type.typcategory`.
pub(crate) fn category(ty: &Type) -> char {
    match ty {
        Type::Bool => 'B',
        Type::Int2 | Type::Int4 | Type::Int8 | Type::Numeric | Type::Float4 | Type::Float8 => 'N',
        Type::Oid | Type::RegClass | Type::RegType | Type::RegProc | Type::RegNamespace => 'N',
        Type::RegConfig => 'N',
        Type::Text | Type::Varchar | Type::Bpchar | Type::Name => 'S',
        Type::Char => 'Z',
        Type::Date | Type::Time | Type::TimeTz | Type::Timestamp | Type::TimestampTz => 'D',
        Type::Interval => 'T',
        Type::Array(_) => 'A',
        Type::Enum(_) => 'E',
        Type::Range(_) => 'R',
        Type::Record | Type::Row(_) => 'C',
        Type::Unknown => 'X',
        Type::Void => 'P',
        _ => 'U',
    }
}

/// Whether a type is the one its category is converted to when nothing else decides.
pub(crate) fn is_preferred(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Bool | Type::Float8 | Type::Oid | Type::Text | Type::TimestampTz | Type::Interval
    )
}

/// When `from` becomes `to`; `None` when it never does.
pub(crate) fn cast_context(from: &Type, to: &Type) -> Option<CastContext> {
    if from == to {
        return Some(Implicit);
    }
    match (from, to) {
        (Type::Unknown, _) => Some(Implicit),
        (Type::Array(from), Type::Array(to)) => cast_context(from, to),
        (Type::Row(_), Type::Record) => Some(Implicit),
        (Type::Record, Type::Row(_)) => Some(Implicit),
        (Type::Void, _) | (_, Type::Void) => None,
        _ => named_cast(from, to).or_else(|| text_cast(from, to)),
    }
}

/// Casts that `pg_cast` lists.
fn named_cast(from: &Type, to: &Type) -> Option<CastContext> {
    number_cast(from, to)
        .or_else(|| string_cast(from, to))
        .or_else(|| time_cast(from, to))
        .or_else(|| other_cast(from, to))
}

/// Numbers widen by themselves and narrow on assignment.
fn number_cast(from: &Type, to: &Type) -> Option<CastContext> {
    let rank = |ty: &Type| match ty {
        Type::Int2 => Some(0),
        Type::Int4 => Some(1),
        Type::Int8 => Some(2),
        Type::Numeric => Some(3),
        Type::Float4 => Some(4),
        Type::Float8 => Some(5),
        _ => None,
    };
    let is_oid = |ty: &Type| {
        use Type::{Oid, RegClass, RegConfig, RegNamespace, RegProc, RegType};
        matches!(ty, Oid | RegClass | RegType | RegProc | RegNamespace | RegConfig)
    };
    if let (Some(from), Some(to)) = (rank(from), rank(to)) {
        return Some(if from < to { Implicit } else { Assignment });
    }
    match (from, to) {
        (Type::Int2 | Type::Int4 | Type::Int8, to) if is_oid(to) => Some(Implicit),
        (from, Type::Int4 | Type::Int8) if is_oid(from) => Some(Assignment),
        (Type::Oid, to) if is_oid(to) => Some(Implicit),
        (from, Type::Oid) if is_oid(from) => Some(Implicit),
        (Type::Bool, Type::Int4) | (Type::Int4, Type::Bool) => Some(Explicit),
        (Type::Text | Type::Varchar, Type::RegClass) => Some(Implicit),
        _ => None,
    }
}

/// Strings.
fn string_cast(from: &Type, to: &Type) -> Option<CastContext> {
    use Type::{Bpchar, Char, Name, Text, Varchar};
    match (from, to) {
        (Text | Varchar | Bpchar, Text | Varchar | Bpchar | Name) => Some(Implicit),
        (Char | Name, Text) => Some(Implicit),
        (Name | Char, Varchar | Bpchar) | (Text | Varchar | Bpchar, Char) => Some(Assignment),
        _ => None,
    }
}

/// Dates and times.
fn time_cast(from: &Type, to: &Type) -> Option<CastContext> {
    use Type::{Date, Interval, Time, TimeTz, Timestamp, TimestampTz};
    match (from, to) {
        (Date, Timestamp | TimestampTz) | (Timestamp, TimestampTz) => Some(Implicit),
        (Time, Interval | TimeTz) => Some(Implicit),
        (Timestamp | TimestampTz, Date | Time) | (TimestampTz, Timestamp | TimeTz) => {
            Some(Assignment)
        }
        (TimeTz | Interval, Time) => Some(Assignment),
        _ => None,
    }
}

/// Documents and shapes.
fn other_cast(from: &Type, to: &Type) -> Option<CastContext> {
    use Type::{Box2d, Box3d, Bytea, Geography, Geometry, Json, Jsonb, Text};
    match (from, to) {
        (Json, Jsonb) | (Jsonb, Json) => Some(Assignment),
        (Jsonb, Type::Bool) => Some(Explicit),
        (Jsonb, to) if category(to) == 'N' && *to != Type::Oid => Some(Explicit),
        (Geometry, Geography | Box2d | Box3d | Text | Bytea) => Some(Implicit),
        (Box2d | Box3d | Text | Bytea, Geometry) => Some(Implicit),
        (Box2d, Box3d) | (Box3d, Box2d) | (Geography, Bytea) | (Bytea, Geography) => Some(Implicit),
        (Geography, Geometry) => Some(Explicit),
        (Geometry | Geography, Json | Jsonb) => Some(Explicit),
        _ => None,
    }
}

/// Every type is written as text on assignment and read from text when SQL says so.
fn text_cast(from: &Type, to: &Type) -> Option<CastContext> {
    if category(to) == 'S' {
        return Some(Assignment);
    }
    (category(from) == 'S').then_some(Explicit)
}

/// The type that several become (manual, 10.5): `None` when there is none. Unknown ones follow;
/// all unknown is text.
pub(crate) fn common_type<'t>(types: impl IntoIterator<Item = &'t Type>) -> Option<Type> {
    let mut candidate: Option<&Type> = None;
    for ty in types {
        if *ty == Type::Unknown {
            continue;
        }
        candidate = Some(match candidate {
            None => ty,
            Some(best) if best == ty => best,
            Some(best) if category(best) != category(ty) => return None,
            Some(best) => {
                let becomes = cast_context(best, ty) == Some(Implicit);
                let back = cast_context(ty, best) == Some(Implicit);
                if !is_preferred(best) && becomes && !back { ty } else { best }
            }
        });
    }
    Some(candidate.cloned().unwrap_or(Type::Text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_types_are_the_wider_ones() {
        assert_eq!(common_type([&Type::Int4, &Type::Numeric, &Type::Int8]), Some(Type::Numeric));
        assert_eq!(common_type([&Type::Unknown, &Type::Date]), Some(Type::Date));
        assert_eq!(common_type([&Type::Unknown]), Some(Type::Text));
        assert_eq!(common_type([&Type::Int4, &Type::Text]), None);
        assert_eq!(common_type([&Type::Varchar, &Type::Text]), Some(Type::Varchar));
        assert_eq!(common_type([&Type::Date, &Type::TimestampTz]), Some(Type::TimestampTz));
    }

    #[test]
    fn numbers_widen_by_themselves() {
        assert_eq!(cast_context(&Type::Int4, &Type::Float8), Some(Implicit));
        assert_eq!(cast_context(&Type::Float8, &Type::Int4), Some(Assignment));
        assert_eq!(cast_context(&Type::Int4, &Type::Text), Some(Assignment));
        assert_eq!(cast_context(&Type::Text, &Type::Int4), Some(Explicit));
        assert_eq!(cast_context(&Type::Uuid, &Type::Int4), None);
    }
}
