//! Which casts exist: Postgres' `pg_cast` and its rules for strings, arrays and records.

use crate::value::{Category, Type};

/// Where a cast may be applied; each context allows what the ones before it allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CastContext {
    /// Anywhere, without being asked.
    Implicit,
    /// Into a column.
    Assignment,
    /// Where the SQL says so.
    Explicit,
}

/// What a cast does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CastMethod {
    /// Nothing: the value is one of the other type already (`varchar` as `text`).
    Relabel,
    /// The value is changed, or refused.
    Convert,
}

use CastContext::{Assignment, Explicit, Implicit};

/// The cast from a type to another that `context` allows.
pub fn find_cast(from: &Type, to: &Type, context: CastContext) -> Option<CastMethod> {
    if from == to {
        return Some(CastMethod::Relabel);
    }
    let (needed, method) = any_cast(from, to)?;
    (needed <= context).then_some(method)
}

fn any_cast(from: &Type, to: &Type) -> Option<(CastContext, CastMethod)> {
    use CastMethod::{Convert, Relabel};
    match (from, to) {
        (Type::Unknown, Type::Void) => None,
        (Type::Unknown, _) => Some((Implicit, Convert)),
        (from, to) if to.is_vector() && from.element().is_some() => None,
        (from, Type::Array(to)) if let Some(from) = from.element() => {
            let to = &**to;
            let (context, method) =
                if from == to { (Implicit, Relabel) } else { any_cast(from, to)? };
            // An array of relabelled values says so of its elements.
            Some((context, if method == Relabel { Convert } else { method }))
        }
        (Type::Row(_), Type::Record) => Some((Implicit, Relabel)),
        (Type::Record, Type::Row(_)) => Some((Assignment, Convert)),
        _ => numeric_cast(from, to)
            .or_else(|| reg_cast(from, to))
            .or_else(|| string_cast(from, to))
            .or_else(|| datetime_cast(from, to))
            .or_else(|| geo_cast(from, to))
            .or_else(|| other_cast(from, to))
            .or_else(|| io_cast(from, to)),
    }
}

/// From narrow to wide a number casts by itself, back when it is assigned.
fn numeric_cast(from: &Type, to: &Type) -> Option<(CastContext, CastMethod)> {
    fn rank(ty: &Type) -> Option<u8> {
        Some(match ty {
            Type::Int2 => 1,
            Type::Int4 => 2,
            Type::Int8 => 3,
            Type::Numeric => 4,
            Type::Float4 => 5,
            Type::Float8 => 6,
            _ => return None,
        })
    }
    let context = if rank(from)? < rank(to)? { Implicit } else { Assignment };
    Some((context, CastMethod::Convert))
}

fn is_reg(ty: &Type) -> bool {
    matches!(
        ty,
        Type::RegClass | Type::RegType | Type::RegProc | Type::RegNamespace | Type::RegConfig
    )
}

fn reg_cast(from: &Type, to: &Type) -> Option<(CastContext, CastMethod)> {
    let is_object = |ty: &Type| *ty == Type::Oid || is_reg(ty);
    match (from, to) {
        (Type::Oid, to) if is_reg(to) => Some((Implicit, CastMethod::Relabel)),
        (from, Type::Oid) if is_reg(from) => Some((Implicit, CastMethod::Relabel)),
        (Type::Int2 | Type::Int4 | Type::Int8, to) if is_object(to) => {
            Some((Implicit, CastMethod::Convert))
        }
        (from, Type::Int4 | Type::Int8) if is_object(from) => {
            Some((Assignment, CastMethod::Convert))
        }
        (Type::Text | Type::Varchar, Type::RegClass) => Some((Implicit, CastMethod::Convert)),
        _ => None,
    }
}

fn string_cast(from: &Type, to: &Type) -> Option<(CastContext, CastMethod)> {
    use CastMethod::{Convert, Relabel};
    Some(match (from, to) {
        (Type::Text | Type::Varchar, Type::Varchar | Type::Text) => (Implicit, Relabel),
        (Type::Text | Type::Varchar, Type::Bpchar) => (Implicit, Convert),
        // The spaces at the end go.
        (Type::Bpchar, Type::Text | Type::Varchar) => (Implicit, Convert),
        (Type::Text | Type::Varchar | Type::Bpchar, Type::Name) => (Implicit, Convert),
        (Type::Name, Type::Text) => (Implicit, Relabel),
        (Type::Name, Type::Varchar | Type::Bpchar) => (Assignment, Convert),
        (Type::Char, Type::Text) => (Implicit, Relabel),
        (Type::Char, Type::Varchar | Type::Bpchar) => (Assignment, Convert),
        (Type::Text | Type::Varchar | Type::Bpchar, Type::Char) => (Assignment, Convert),
        (Type::Char, Type::Int4) | (Type::Int4, Type::Char) => (Explicit, Convert),
        _ => return None,
    })
}

fn datetime_cast(from: &Type, to: &Type) -> Option<(CastContext, CastMethod)> {
    let context = match (from, to) {
        (Type::Date, Type::Timestamp | Type::TimestampTz)
        | (Type::Time, Type::Interval | Type::TimeTz)
        | (Type::Timestamp, Type::TimestampTz) => Implicit,
        (Type::Timestamp | Type::TimestampTz, Type::Date | Type::Time)
        | (Type::TimestampTz, Type::Timestamp | Type::TimeTz)
        | (Type::Interval | Type::TimeTz, Type::Time) => Assignment,
        _ => return None,
    };
    Some((context, CastMethod::Convert))
}

fn geo_cast(from: &Type, to: &Type) -> Option<(CastContext, CastMethod)> {
    let context = match (from, to) {
        (
            Type::Geometry,
            Type::Geography | Type::Box2d | Type::Box3d | Type::Bytea | Type::Text,
        )
        | (Type::Box2d | Type::Box3d | Type::Text | Type::Bytea, Type::Geometry)
        | (Type::Box2d, Type::Box3d)
        | (Type::Box3d, Type::Box2d)
        | (Type::Geography, Type::Bytea)
        | (Type::Bytea, Type::Geography) => Implicit,
        (Type::Geography, Type::Geometry) | (Type::Geometry, Type::Json | Type::Jsonb) => Explicit,
        _ => return None,
    };
    Some((context, CastMethod::Convert))
}

fn other_cast(from: &Type, to: &Type) -> Option<(CastContext, CastMethod)> {
    let context = match (from, to) {
        (Type::Bool, Type::Int4) | (Type::Int4, Type::Bool) => Explicit,
        (Type::Jsonb, Type::Bool | Type::Numeric) => Explicit,
        (Type::Jsonb, to) if to.category() == Category::Numeric && !is_reg(to) => {
            if *to == Type::Oid {
                return None;
            }
            Explicit
        }
        (Type::Json, Type::Jsonb) | (Type::Jsonb, Type::Json) => Assignment,
        _ => return None,
    };
    Some((context, CastMethod::Convert))
}

/// Everything has a text form: into a string by assignment, out of one when the SQL says so.
fn io_cast(from: &Type, to: &Type) -> Option<(CastContext, CastMethod)> {
    if *from == Type::Void || *to == Type::Void {
        return None;
    }
    if to.is_string() {
        return Some((Assignment, CastMethod::Convert));
    }
    from.is_string().then_some((Explicit, CastMethod::Convert))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_are_postgres() {
        let least = |from: &Type, to: &Type| {
            [Implicit, Assignment, Explicit].into_iter().find(|c| find_cast(from, to, *c).is_some())
        };
        assert_eq!(least(&Type::Int4, &Type::Int8), Some(Implicit));
        assert_eq!(least(&Type::Int8, &Type::Int4), Some(Assignment));
        assert_eq!(least(&Type::Numeric, &Type::Float8), Some(Implicit));
        assert_eq!(least(&Type::Float8, &Type::Numeric), Some(Assignment));
        assert_eq!(least(&Type::Int4, &Type::Text), Some(Assignment));
        assert_eq!(least(&Type::Text, &Type::Int4), Some(Explicit));
        assert_eq!(least(&Type::Bool, &Type::Int4), Some(Explicit));
        assert_eq!(least(&Type::Bool, &Type::Int8), None);
        assert_eq!(least(&Type::Date, &Type::TimestampTz), Some(Implicit));
        assert_eq!(least(&Type::Int4.array(), &Type::Int8.array()), Some(Implicit));
        assert_eq!(least(&Type::Text, &Type::RegClass), Some(Implicit));
        assert_eq!(least(&Type::Text, &Type::Geometry), Some(Implicit));
        assert_eq!(least(&Type::Uuid, &Type::Int4), None);
    }
}
