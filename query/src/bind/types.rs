//! Types as binding sees them: from syntax to type, names for messages, and which type becomes
//! which by itself.

use std::sync::Arc;

use sqlparser::ast::{ArrayElemTypeDef, DataType, IntervalFields, ObjectName};

use super::fold;
use crate::catalog::{Catalog, Relation, TypeDef, TypeKind};
use crate::error::{Error, Result, SqlState};
use crate::expression::cast::find_cast;
use crate::value::{SqlType, Type, interval_fields};

pub(crate) use crate::expression::cast::CastContext;

/// The weakest context in which `from` becomes `to`; `None` when it never does.
pub(crate) fn cast_context(from: &Type, to: &Type) -> Option<CastContext> {
    let contexts = [CastContext::Implicit, CastContext::Assignment, CastContext::Explicit];
    contexts.into_iter().find(|context| find_cast(from, to, *context).is_some())
}

/// Whether `from` becomes `to` anywhere by itself.
pub(crate) fn is_implicit(from: &Type, to: &Type) -> bool {
    find_cast(from, to, CastContext::Implicit).is_some()
}

/// Names types for messages; user types need the catalog.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a>(pub &'a Catalog);

impl Names<'_> {
    /// A type's name as `format_type` gives it.
    pub(crate) fn of(&self, ty: &Type) -> String {
        match ty {
            Type::Array(element) => format!("{}[]", self.of(element)),
            Type::Enum(oid) => self.0.types.get(oid).map_or("???", |ty| &ty.name).to_owned(),
            Type::Row(oid) => {
                self.0.row_type_name(*oid).map_or("record", |(_, name)| name).to_owned()
            }
            Type::Bpchar => "character".to_owned(),
            _ => ty.name(),
        }
    }
}

/// The type that syntax names.
///
/// # Errors
/// 42704 when there is no such type, 22023 for a modifier out of range.
pub(crate) fn resolve_type(
    catalog: &Catalog,
    search_path: &[String],
    ty: &DataType,
) -> Result<SqlType> {
    match ty {
        DataType::Interval { fields, precision } => Ok(interval(fields.as_ref(), *precision)),
        DataType::Array(element) => array(catalog, search_path, element),
        DataType::Custom(name, modifiers) => named(catalog, search_path, name, modifiers),
        // MySQL's names, which its schemas use beside AUTO_INCREMENT.
        DataType::TinyInt(_) => Ok(SqlType::new(Type::Int2)),
        DataType::MediumInt(_) => Ok(SqlType::new(Type::Int4)),
        DataType::Int(_) | DataType::Integer(_) => Ok(SqlType::new(Type::Int4)),
        DataType::BigInt(_) => Ok(SqlType::new(Type::Int8)),
        DataType::Datetime(precision) => {
            let modifier = precision.map_or(-1, |digits| i32::try_from(digits.min(6)).unwrap_or(6));
            Ok(SqlType { base: Type::Timestamp, modifier })
        }
        DataType::TinyText | DataType::MediumText | DataType::LongText => {
            Ok(SqlType::new(Type::Text))
        }
        other => {
            let name = other.to_string().to_lowercase();
            Type::from_name(&name, &[])?.ok_or_else(|| missing(&name))
        }
    }
}

fn missing(name: &str) -> Error {
    Error::new(SqlState::UNDEFINED_OBJECT, format!("type \"{name}\" does not exist"))
}

/// `interval` with its fields: Postgres' mask of fields above, the precision below.
fn interval(fields: Option<&IntervalFields>, precision: Option<u64>) -> SqlType {
    let mask = fields.and_then(|fields| interval_fields::mask_of(&fields.to_string()));
    let modifier = match (mask, precision) {
        (None, None) => -1,
        (mask, precision) => {
            let precision = precision.map_or(0xffff, |precision| precision.min(6));
            (mask.unwrap_or(interval_fields::ALL) << 16)
                | i32::try_from(precision).unwrap_or(0xffff)
        }
    };
    SqlType { base: Type::Interval, modifier }
}

fn array(catalog: &Catalog, path: &[String], element: &ArrayElemTypeDef) -> Result<SqlType> {
    let element = match element {
        ArrayElemTypeDef::SquareBracket(element, _)
        | ArrayElemTypeDef::AngleBracket(element)
        | ArrayElemTypeDef::Parenthesis(element)
        | ArrayElemTypeDef::Qualified(element, _) => resolve_type(catalog, path, element)?,
        ArrayElemTypeDef::None => return Err(missing("array")),
    };
    // `int[][]` is the same type as `int[]`.
    match element.base {
        Type::Array(_) => Ok(element),
        base => Ok(SqlType { base: base.array(), modifier: element.modifier }),
    }
}

/// The OID of the domain that syntax names, if it names one.
pub(crate) fn domain_of(catalog: &Catalog, search_path: &[String], ty: &DataType) -> Option<u32> {
    let found = user_type_of(catalog, search_path, ty)?;
    matches!(found.kind, TypeKind::Domain { .. }).then_some(found.oid)
}

/// The user's type that syntax names, if it names one.
pub(crate) fn user_type_of<'a>(
    catalog: &'a Catalog,
    search_path: &[String],
    ty: &DataType,
) -> Option<&'a Arc<TypeDef>> {
    let DataType::Custom(name, _) = ty else { return None };
    let parts: Vec<String> = name.0.iter().filter_map(|part| part.as_ident()).map(fold).collect();
    let (schema, name) = match parts.as_slice() {
        [name] => (None, name),
        [schema, name] => (Some(schema.as_str()), name),
        _ => return None,
    };
    if schema.is_none() && matches!(Type::from_name(name, &[]), Ok(Some(_))) {
        return None;
    }
    user_type(catalog, search_path, schema, name)
}

fn user_type<'a>(
    catalog: &'a Catalog,
    search_path: &[String],
    schema: Option<&str>,
    name: &str,
) -> Option<&'a Arc<TypeDef>> {
    catalog.types.values().find(|ty| {
        ty.name == name
            && schema.map_or_else(|| search_path.contains(&ty.schema), |schema| schema == ty.schema)
    })
}

/// A type by its name: built in, or the user's.
fn named(
    catalog: &Catalog,
    search_path: &[String],
    name: &ObjectName,
    modifiers: &[String],
) -> Result<SqlType> {
    // `char` is `character(1)`; in quotes it is the type of one byte.
    let last = name.0.last().and_then(|part| part.as_ident());
    if last.is_some_and(|name| name.quote_style.is_some() && name.value == "char") {
        return Ok(SqlType::new(Type::Char));
    }
    let idents = name.0.iter().filter_map(|part| part.as_ident());
    let parts: Vec<String> = idents.map(fold).collect();
    let (schema, name) = match parts.as_slice() {
        [name] => (None, name),
        [schema, name] => (Some(schema.as_str()), name),
        _ => return Err(missing(&name.to_string())),
    };
    if matches!(schema, None | Some("pg_catalog" | "public")) {
        let modifiers: Vec<&str> =
            modifiers.iter().map(|text| text.trim().trim_matches(['\'', '"'])).collect();
        if let Some(ty) = Type::from_name(name, &modifiers)? {
            return Ok(ty);
        }
    }
    if let Some(ty) = user_type(catalog, search_path, schema, name) {
        return Ok(match &ty.kind {
            TypeKind::Enum(_) => SqlType::new(Type::Enum(ty.oid)),
            TypeKind::Domain { base, .. } => base.clone(),
            TypeKind::Composite(_) => SqlType::new(Type::Row(ty.oid)),
        });
    }
    match catalog.resolve(schema, name, search_path) {
        Some(Relation::Table(oid)) => Ok(SqlType::new(Type::Row(oid))),
        _ => Err(missing(name)),
    }
}
