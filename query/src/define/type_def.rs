//! CREATE TYPE, CREATE DOMAIN, ALTER TYPE, DROP TYPE.

use std::sync::Arc;

use super::follow::follow;
use super::{DefineContext, Defined, drop as dropping, role};
use crate::bind::ddl::{AlterType, QualifiedName};
use crate::catalog::{Definition, TypeDef, TypeKind};
use crate::error::{Error, Result, SqlState};
use crate::value::Type;

pub(super) fn create(
    cx: &mut DefineContext<'_>,
    name: &QualifiedName,
    kind: &TypeKind,
) -> Result<Defined> {
    let schema = cx.creation_schema(name)?;
    check_free(cx, &schema, &name.name)?;
    let mut kind = kind.clone();
    if let TypeKind::Domain { checks, .. } = &mut kind {
        let unnamed = checks.iter_mut().filter(|(check, _)| check.is_empty());
        for (number, (check, _)) in unnamed.enumerate() {
            let suffix = if number == 0 { String::new() } else { number.to_string() };
            *check = format!("{}_check{suffix}", name.name);
        }
    }
    let tag = if matches!(kind, TypeKind::Domain { .. }) { "CREATE DOMAIN" } else { "CREATE TYPE" };
    cx.put(Definition::Type(Arc::new(TypeDef {
        places: Vec::new(),
        oid: cx.store.next_object_id()?,
        array_oid: cx.store.next_object_id()?,
        schema,
        name: name.name.clone(),
        owner: cx.user.to_owned(),
        kind,
    })))?;
    Defined::new(tag)
}

fn check_free(cx: &DefineContext<'_>, schema: &str, name: &str) -> Result<()> {
    let mut types = cx.change.catalog.types.values();
    if types.any(|own| own.schema == schema && own.name == name) {
        let message = format!("type \"{name}\" already exists");
        return Err(Error::new(SqlState::DUPLICATE_OBJECT, message));
    }
    Ok(())
}

/// The user's type of a name, or 42704.
pub(super) fn find(cx: &DefineContext<'_>, name: &QualifiedName) -> Result<Arc<TypeDef>> {
    let is_meant = |own: &&Arc<TypeDef>| {
        own.name == name.name && name.schema.as_ref().is_none_or(|schema| *schema == own.schema)
    };
    cx.change.catalog.types.values().find(is_meant).cloned().ok_or_else(|| {
        Error::new(SqlState::UNDEFINED_OBJECT, format!("type \"{name}\" does not exist"))
    })
}

pub(super) fn alter(
    cx: &mut DefineContext<'_>,
    name: &QualifiedName,
    action: &AlterType,
) -> Result<Defined> {
    let found = find(cx, name)?;
    cx.check_owner(&found.owner, "type", &found.name)?;
    let mut changed = TypeDef::clone(&found);
    match action {
        AlterType::Rename(new) => {
            check_free(cx, &found.schema, new)?;
            changed.name.clone_from(new);
        }
        AlterType::AddValue { label, if_not_exists, neighbour } => {
            let labels = enum_labels(&mut changed)?;
            if labels.contains(label) {
                let message = format!("enum label \"{label}\" already exists");
                if !if_not_exists {
                    return Err(Error::new(SqlState::DUPLICATE_OBJECT, message));
                }
                cx.notice(SqlState::DUPLICATE_OBJECT, format!("{message}, skipping"));
                return Defined::new("ALTER TYPE");
            }
            let at = match neighbour {
                None => labels.len(),
                Some((is_before, other)) => position_of(labels, other)? + usize::from(!is_before),
            };
            insert_label(&mut changed, at, label)?;
        }
        AlterType::RenameValue { from, to } => {
            let labels = enum_labels(&mut changed)?;
            if labels.contains(to) {
                let message = format!("enum label \"{to}\" already exists");
                return Err(Error::new(SqlState::DUPLICATE_OBJECT, message));
            }
            return Err(position_of(labels, from).err().unwrap_or_else(|| {
                Error::unsupported("renaming an enum label that rows may hold")
            }));
        }
        AlterType::SetSchema(schema) => {
            let target = QualifiedName { schema: Some(schema.clone()), ..name.clone() };
            changed.schema = cx.creation_schema(&target)?;
            check_free(cx, schema, &found.name)?;
        }
        AlterType::Owner(owner) => changed.owner = role::existing(cx, owner)?,
    }
    let before = cx.catalog();
    cx.put(Definition::Type(Arc::new(changed)))?;
    if matches!(action, AlterType::Rename(_) | AlterType::SetSchema(_)) {
        follow(cx, &before, &found.name)?;
    }
    Defined::new("ALTER TYPE")
}

/// Puts a label before the one at a position; rows keep the places of theirs.
fn insert_label(def: &mut TypeDef, at: usize, label: &str) -> Result<()> {
    let place = def.place_before(at).ok_or_else(|| {
        let message = format!("there is no room for another label next to \"{label}\"");
        Error::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message)
    })?;
    def.places = def.labels().map(|(place, _)| place).collect();
    def.places.insert(at, place);
    enum_labels(def)?.insert(at, label.to_owned());
    Ok(())
}

fn enum_labels(def: &mut TypeDef) -> Result<&mut Vec<String>> {
    match &mut def.kind {
        TypeKind::Enum(labels) => Ok(labels),
        _ => {
            let message = format!("{} is not an enum", def.name);
            Err(Error::new(SqlState::WRONG_OBJECT_TYPE, message))
        }
    }
}

fn position_of(labels: &[String], label: &str) -> Result<usize> {
    labels.iter().position(|own| own == label).ok_or_else(|| {
        let message = format!("\"{label}\" is not an existing enum label");
        Error::new(SqlState::INVALID_PARAMETER_VALUE, message)
    })
}

pub(super) fn drop(
    cx: &mut DefineContext<'_>,
    name: &QualifiedName,
    if_exists: bool,
    cascade: bool,
) -> Result<()> {
    let found = match find(cx, name) {
        Ok(found) => found,
        Err(error) if if_exists => {
            cx.notice(SqlState::SUCCESSFUL_COMPLETION, format!("{}, skipping", error.message()));
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    cx.check_owner(&found.owner, "type", &found.name)?;
    let uses = |ty: &Type| match ty {
        Type::Enum(oid) | Type::Row(oid) => *oid == found.oid,
        Type::Array(element) => **element == Type::Enum(found.oid),
        _ => false,
    };
    let tables: Vec<_> = cx.change.catalog.tables.values().cloned().collect();
    for table in tables {
        let used = table
            .live_columns()
            .find(|(_, column)| uses(&column.ty.base) || column.domain == Some(found.oid));
        let Some((position, column)) = used else { continue };
        let what = format!("type {}", found.name);
        let user = format!("column {} of table {}", column.name, table.name);
        if !cascade {
            return Err(dropping::in_the_way(&what, &user));
        }
        cx.notice(SqlState::SUCCESSFUL_COMPLETION, format!("drop cascades to {user}"));
        let name = column.name.clone();
        dropping::column_dependents(cx, &table, position, true)?;
        let table = cx.table_by_oid(table.oid)?;
        super::alter_column::drop(cx, &table, &name, true, true)?;
    }
    cx.change.remove(cx.txn, &Definition::Type(found))
}
