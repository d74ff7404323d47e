//! Constraints: from what the statement says to what the catalog keeps.

use std::sync::Arc;

use cairn_engine::TableLockMode;

use super::{DefineContext, expiration, index, missing_column, missing_relation, name, temporary};
use crate::bind::ddl::{ConstraintKind, ConstraintSpec, QualifiedName};
use crate::catalog::{
    CheckDef, ForeignKeyDef, IndexConstraint, IndexDef, IndexKey, IndexMethod, Relation, RowKeyDef,
    TableDef,
};
use crate::error::{Error, Result, SqlState};
use crate::value::Type;

/// What adding a constraint made, for the checks of existing rows that must follow.
pub(super) enum Added {
    /// The table is stored by this key now; only while the table has no rows.
    RowKey,
    /// An index that must be built.
    Index(Arc<IndexDef>),
    /// A condition that every row must satisfy.
    Check(String),
    /// A reference that every row must have.
    ForeignKey(Arc<ForeignKeyDef>),
}

/// Whether the table may still choose what its rows are stored by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The table is being created.
    Creating,
    /// It exists, and may have rows.
    Altering,
}

/// Adds a constraint to the definition of a table. Existing rows are the caller's business.
pub(super) fn add(
    cx: &DefineContext<'_>,
    table: &mut TableDef,
    spec: &ConstraintSpec,
    stage: Stage,
) -> Result<Added> {
    if let Some(name) = &spec.name
        && table.has_constraint(name)
    {
        let message =
            format!("constraint \"{name}\" for relation \"{}\" already exists", table.name);
        return Err(Error::new(SqlState::DUPLICATE_OBJECT, message));
    }
    match &spec.kind {
        ConstraintKind::Check { expression, column } => {
            let part = column.as_deref().unwrap_or_default();
            let name = spec.name.clone();
            let name = name.unwrap_or_else(|| name::choose_constraint(table, part, "check"));
            let expression = expression.clone();
            let oid = cx.store.next_object_id()?;
            let is_not_valid = spec.is_not_valid && stage == Stage::Altering;
            table.checks.push(CheckDef { oid, name: name.clone(), expression, is_not_valid });
            Ok(Added::Check(name))
        }
        ConstraintKind::PrimaryKey { columns, included } => {
            add_primary_key(cx, table, spec, (columns, included), stage)
        }
        ConstraintKind::Unique { columns, included, nulls_not_distinct } => {
            let mut index = key_index(cx, table, spec, (columns, included))?;
            index.nulls_not_distinct = *nulls_not_distinct;
            index.constraint = Some(IndexConstraint::Unique);
            index.name = index_name(cx, table, spec, &columns.join("_"), "key")?;
            Ok(Added::Index(push_index(table, index)))
        }
        ConstraintKind::UsingIndex { index, is_primary } => {
            adopt_index(table, spec, index, *is_primary)
        }
        ConstraintKind::ForeignKey { .. } => add_foreign_key(cx, table, spec, stage),
        ConstraintKind::Exclude { index: spec_index, .. } => {
            let mut index = index::build(cx, table, spec_index)?;
            index.constraint = Some(IndexConstraint::Exclusion);
            let part = spec_index.key_names.join("_");
            index.name = index_name(cx, table, spec, &part, "excl")?;
            Ok(Added::Index(push_index(table, index)))
        }
    }
}

fn push_index(table: &mut TableDef, index: IndexDef) -> Arc<IndexDef> {
    let index = Arc::new(index);
    table.indexes.push(index.clone());
    index
}

fn index_name(
    cx: &DefineContext<'_>,
    table: &TableDef,
    spec: &ConstraintSpec,
    part: &str,
    label: &str,
) -> Result<String> {
    let pending = table.index_names().map(|(_, name)| name.to_owned()).collect();
    let catalog = &cx.change.catalog;
    let Some(name) = &spec.name else {
        let parts = (table.name.as_str(), part, label);
        return Ok(name::choose_relation(catalog, &table.schema, parts, &pending));
    };
    let key = (table.schema.clone(), name.clone());
    if catalog.relations.contains_key(&key) || pending.contains(name) {
        let message = format!("relation \"{name}\" already exists");
        return Err(Error::new(SqlState::DUPLICATE_TABLE, message));
    }
    Ok(name.clone())
}

fn add_primary_key(
    cx: &DefineContext<'_>,
    table: &mut TableDef,
    spec: &ConstraintSpec,
    (columns, included): (&[String], &[String]),
    stage: Stage,
) -> Result<Added> {
    if table.primary_key().is_some() {
        let name = &table.name;
        let message = format!("multiple primary keys for table \"{name}\" are not allowed");
        return Err(Error::new(SqlState::INVALID_TABLE_DEFINITION, message));
    }
    let positions = positions(table, columns)?;
    for &position in &positions {
        if let Some(column) = table.columns.get_mut(position) {
            column.is_not_null = true;
        }
    }
    let name = index_name(cx, table, spec, "", "pkey")?;
    if stage == Stage::Creating && included.is_empty() && !spec.is_deferrable {
        let oid = cx.store.next_object_id()?;
        table.row_key = RowKeyDef::PrimaryKey { columns: positions, name, oid };
        return Ok(Added::RowKey);
    }
    let mut index = key_index(cx, table, spec, (columns, included))?;
    index.constraint = Some(IndexConstraint::PrimaryKey);
    index.name = name;
    Ok(Added::Index(push_index(table, index)))
}

fn adopt_index(
    table: &mut TableDef,
    spec: &ConstraintSpec,
    index: &str,
    is_primary: bool,
) -> Result<Added> {
    if is_primary && table.primary_key().is_some() {
        let name = &table.name;
        let message = format!("multiple primary keys for table \"{name}\" are not allowed");
        return Err(Error::new(SqlState::INVALID_TABLE_DEFINITION, message));
    }
    if spec.is_deferrable {
        return Err(Error::unsupported("USING INDEX for a constraint that is DEFERRABLE"));
    }
    let table_name = table.name.clone();
    let found = table.indexes.iter_mut().find(|own| own.name == index).ok_or_else(|| {
        let message = format!("index \"{index}\" does not exist");
        Error::new(SqlState::UNDEFINED_OBJECT, message)
    })?;
    if !found.is_unique || found.predicate.is_some() {
        let message = format!("\"{index}\" is not a unique index");
        return Err(Error::new(SqlState::WRONG_OBJECT_TYPE, message).on_table("", table_name));
    }
    let adopted = Arc::make_mut(found);
    adopted.constraint =
        Some(if is_primary { IndexConstraint::PrimaryKey } else { IndexConstraint::Unique });
    if let Some(name) = &spec.name {
        adopted.name.clone_from(name);
    }
    let columns: Vec<usize> = adopted.keys.iter().filter_map(|key| key.column).collect();
    let index = found.clone();
    for position in columns.into_iter().filter(|_| is_primary) {
        if let Some(column) = table.columns.get_mut(position) {
            column.is_not_null = true;
        }
    }
    Ok(Added::Index(index))
}

/// A unique ordered index over plain columns; its name is the caller's business.
fn key_index(
    cx: &DefineContext<'_>,
    table: &TableDef,
    spec: &ConstraintSpec,
    (columns, included): (&[String], &[String]),
) -> Result<IndexDef> {
    let keys = positions(table, columns)?.into_iter().map(|position| IndexKey {
        column: Some(position),
        expression: None,
        ty: table.columns.get(position).map_or(Type::Unknown.into(), |column| column.ty.clone()),
        is_descending: false,
        nulls_first: false,
        operator_class: None,
    });
    let oid = cx.store.next_object_id()?;
    Ok(IndexDef {
        oid,
        storage: oid,
        name: String::new(),
        table: table.oid,
        method: IndexMethod::Ordered,
        keys: keys.collect(),
        included: positions(table, included)?,
        is_unique: true,
        nulls_not_distinct: false,
        constraint: None,
        predicate: None,
        declared_method: "btree".to_owned(),
        is_deferrable: spec.is_deferrable,
        is_deferred: spec.is_deferred,
    })
}

fn positions(table: &TableDef, columns: &[String]) -> Result<Vec<usize>> {
    let mut positions = Vec::with_capacity(columns.len());
    for column in columns {
        let position = table.column(column).ok_or_else(|| {
            let message = format!("column \"{column}\" named in key does not exist");
            Error::new(SqlState::UNDEFINED_COLUMN, message)
        })?;
        if positions.contains(&position) {
            let message = format!("column \"{column}\" appears twice in unique constraint");
            return Err(Error::new(SqlState::DUPLICATE_COLUMN, message));
        }
        positions.push(position);
    }
    Ok(positions)
}

fn add_foreign_key(
    cx: &DefineContext<'_>,
    table: &mut TableDef,
    spec: &ConstraintSpec,
    stage: Stage,
) -> Result<Added> {
    let ConstraintKind::ForeignKey {
        columns,
        table: target,
        referenced_columns,
        on_delete,
        on_update,
    } = &spec.kind
    else {
        return Err(Error::internal("not a foreign key"));
    };
    let other = referenced_table(cx, table, target)?;
    let referenced = other.as_deref().unwrap_or(table);
    temporary::check_reference(table, referenced)?;
    if referenced.expiration.is_some() {
        let name = spec.name.clone().unwrap_or_else(|| format!("on {}", columns.join(", ")));
        return Err(expiration::referenced(&referenced.name, &name));
    }
    // Its keys stay while referring rows are looked at.
    cx.lock_table_in(referenced.oid, TableLockMode::ShareRowExclusive)?;
    let columns_at = referring_positions(table, columns)?;
    let referenced_at = referenced_positions(referenced, referenced_columns)?;
    if columns_at.len() != referenced_at.len() {
        return Err(Error::new(
            SqlState::INVALID_FOREIGN_KEY,
            "number of referencing and referenced columns for foreign key disagree",
        ));
    }
    let part = columns.join("_");
    let name = spec.name.clone();
    let name = name.unwrap_or_else(|| name::choose_constraint(table, &part, "fkey"));
    check_types(&name, table, referenced, &columns_at, &referenced_at)?;
    let key = Arc::new(ForeignKeyDef {
        oid: cx.store.next_object_id()?,
        name,
        table: table.oid,
        columns: columns_at,
        referenced_table: referenced.oid,
        referenced_columns: referenced_at,
        on_delete: *on_delete,
        on_update: *on_update,
        is_deferrable: spec.is_deferrable,
        is_deferred: spec.is_deferred,
        is_not_valid: spec.is_not_valid && stage == Stage::Altering,
    });
    table.foreign_keys.push(key.clone());
    Ok(Added::ForeignKey(key))
}

/// The table referred to; `None` when it is the table itself, which may not be in the catalog yet.
fn referenced_table(
    cx: &DefineContext<'_>,
    table: &TableDef,
    target: &QualifiedName,
) -> Result<Option<Arc<TableDef>>> {
    let is_own_schema = target.schema.as_deref().is_none_or(|schema| schema == table.schema);
    if target.name == table.name && is_own_schema {
        return Ok(None);
    }
    match cx.resolve(target) {
        Some(Relation::Table(oid)) => cx.table_by_oid(oid).map(Some),
        Some(_) => Err(Error::new(
            SqlState::WRONG_OBJECT_TYPE,
            format!("referenced relation \"{}\" is not a table", target.name),
        )),
        None => Err(missing_relation(&QualifiedName { position: None, ..target.clone() })),
    }
}

fn referring_positions(table: &TableDef, columns: &[String]) -> Result<Vec<usize>> {
    let position = |column: &String| {
        table.column(column).ok_or_else(|| {
            let message =
                format!("column \"{column}\" referenced in foreign key constraint does not exist");
            Error::new(SqlState::UNDEFINED_COLUMN, message)
        })
    };
    columns.iter().map(position).collect()
}

fn referenced_positions(referenced: &TableDef, columns: &[String]) -> Result<Vec<usize>> {
    let name = &referenced.name;
    if columns.is_empty() {
        let (oid, columns) = referenced.primary_key().ok_or_else(|| {
            let message = format!("there is no primary key for referenced table \"{name}\"");
            Error::new(SqlState::UNDEFINED_OBJECT, message)
        })?;
        return match referenced.indexes.iter().any(|own| own.oid == oid && own.is_deferrable) {
            true => Err(deferrable_key("primary key", name)),
            false => Ok(columns),
        };
    }
    let found = referring_positions(referenced, columns)?;
    if referenced.is_unique_key(&found) {
        return Ok(found);
    }
    let is_over = |index: &IndexDef| {
        let keys = index.keys.iter().filter_map(|key| key.column);
        index.keys.len() == found.len() && keys.into_iter().all(|key| found.contains(&key))
    };
    if referenced.indexes.iter().any(|own| own.is_deferrable && is_over(own)) {
        return Err(deferrable_key("unique constraint", name));
    }
    let message = format!(
        "there is no unique constraint matching given keys for referenced table \"{name}\""
    );
    Err(Error::new(SqlState::INVALID_FOREIGN_KEY, message))
}

fn deferrable_key(what: &str, table: &str) -> Error {
    let message = format!("cannot use a deferrable {what} for referenced table \"{table}\"");
    Error::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message)
}

fn check_types(
    name: &str,
    table: &TableDef,
    referenced: &TableDef,
    columns: &[usize],
    referenced_columns: &[usize],
) -> Result<()> {
    for (&from, &to) in columns.iter().zip(referenced_columns) {
        let (Some(from), Some(to)) = (table.columns.get(from), referenced.columns.get(to)) else {
            return Err(Error::internal("a key column is out of range"));
        };
        if !is_comparable(&from.ty.base, &to.ty.base) {
            let message = format!("foreign key constraint \"{name}\" cannot be implemented");
            let detail = format!(
                "Key columns \"{}\" and \"{}\" are of incompatible types: {} and {}.",
                from.name,
                to.name,
                from.ty.base.name(),
                to.ty.base.name()
            );
            return Err(Error::new(SqlState::DATATYPE_MISMATCH, message).with_detail(detail));
        }
    }
    Ok(())
}

/// Whether a foreign key can compare these: one type, two of one family, or a number that refers to
/// a type which takes all numbers of its own.
fn is_comparable(from: &Type, to: &Type) -> bool {
    let family = |ty: &Type| match ty {
        Type::Int2 | Type::Int4 | Type::Int8 => 1,
        Type::Text | Type::Varchar | Type::Bpchar | Type::Name => 2,
        Type::Date | Type::Timestamp | Type::TimestampTz => 3,
        Type::Float4 | Type::Float8 => 4,
        Type::Numeric => 5,
        _ => 0,
    };
    let widens = match to {
        Type::Numeric => family(from) == 1,
        Type::Float4 | Type::Float8 => matches!(family(from), 1 | 5),
        _ => false,
    };
    from == to || widens || (family(from) != 0 && family(from) == family(to))
}

/// 42704 for a constraint that a table does not have.
pub(super) fn missing(name: &str, table: &str) -> Error {
    Error::new(
        SqlState::UNDEFINED_OBJECT,
        format!("constraint \"{name}\" of relation \"{table}\" does not exist"),
    )
}

/// 42703 for a key column that a table does not have.
pub(super) fn column_at(table: &TableDef, name: &str) -> Result<usize> {
    table.column(name).ok_or_else(|| missing_column(name, &table.name))
}
