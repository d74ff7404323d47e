//! ALTER TABLE: actions in order, each on the definition that the one before left.

use std::sync::Arc;

use super::constraint::{self, Added, Stage};
use super::follow::follow;
use super::{
    DefineContext, Defined, alter_column, drop, expiration, index, missing_relation, role, view,
};
use crate::bind::ddl::{AlterAction, AlterTable, ConstraintSpec, ObjectKind, QualifiedName};
use crate::catalog::{Definition, ForeignKeyDef, Relation, SequenceDef, TableDef};
use crate::error::{Error, Result, SqlState};
use crate::identifier::quote_identifier;

pub(super) fn alter(cx: &mut DefineContext<'_>, alter: &AlterTable) -> Result<Defined> {
    let tag = match alter.kind {
        ObjectKind::View => "ALTER VIEW",
        ObjectKind::MaterializedView => "ALTER MATERIALIZED VIEW",
        ObjectKind::Sequence => "ALTER SEQUENCE",
        ObjectKind::Index => "ALTER INDEX",
        _ => "ALTER TABLE",
    };
    let oid = match cx.resolve(&alter.name) {
        Some(relation) if is_other_view(cx, alter.kind, relation) => {
            let what = tag.trim_start_matches("ALTER ").to_lowercase();
            return Err(super::not_a(&alter.name, &what));
        }
        Some(Relation::Table(oid)) => oid,
        Some(relation) => {
            alter_other(cx, relation, alter)?;
            return Defined::new(tag);
        }
        None if alter.if_exists => {
            let message = format!("relation \"{}\" does not exist, skipping", alter.name.name);
            cx.notice(SqlState::SUCCESSFUL_COMPLETION, message);
            return Defined::new(tag);
        }
        None => return Err(missing_relation(&alter.name)),
    };
    let table = cx.table_by_oid(oid)?;
    cx.check_owner(&table.owner, "table", &table.name)?;
    if !alter.actions.iter().all(is_renaming) {
        cx.check_settled(&table, tag)?;
    }
    cx.lock_table(oid)?;
    if !alter.actions.iter().all(is_renaming) {
        cx.remove_expired(&table)?;
    }
    for action in &alter.actions {
        let table = cx.table_by_oid(oid)?;
        apply(cx, &table, action)?;
    }
    Defined::new(tag)
}

/// Whether an action leaves a table as it is, but for names.
fn is_renaming(action: &AlterAction) -> bool {
    matches!(
        action,
        AlterAction::Rename(_)
            | AlterAction::RenameColumn { .. }
            | AlterAction::RenameConstraint { .. }
            | AlterAction::SetSchema(_)
    )
}

/// Whether the statement takes for a view what is none of that kind.
fn is_other_view(cx: &DefineContext<'_>, kind: ObjectKind, found: Relation) -> bool {
    let word = match kind {
        ObjectKind::View => "view",
        ObjectKind::MaterializedView => "materialized view",
        _ => return false,
    };
    cx.kind_of(found).1 != word
}

/// `ALTER TABLE` on what is no table: Postgres lets it rename views, indexes and sequences.
fn alter_other(cx: &mut DefineContext<'_>, relation: Relation, alter: &AlterTable) -> Result<()> {
    for action in &alter.actions {
        match (relation, action) {
            (Relation::Index(..), AlterAction::Rename(new)) => {
                index::alter(cx, &alter.name, false, Some(new))?;
            }
            (Relation::Sequence(_), AlterAction::Rename(new)) => {
                let action = crate::bind::ddl::AlterSequence::Rename(new.clone());
                super::sequence::alter(cx, &alter.name, false, &action)?;
            }
            (Relation::View(oid), action) => view::alter(cx, oid, action)?,
            _ => return Err(super::not_a(&alter.name, "table")),
        }
    }
    Ok(())
}

fn apply(cx: &mut DefineContext<'_>, table: &Arc<TableDef>, action: &AlterAction) -> Result<()> {
    match action {
        AlterAction::AddColumn { column, constraints, if_not_exists } => {
            alter_column::add(cx, table, column, constraints, *if_not_exists)
        }
        AlterAction::DropColumn { name, if_exists, cascade } => {
            alter_column::drop(cx, table, name, *if_exists, *cascade)
        }
        AlterAction::Rename(new) => rename(cx, table, new),
        AlterAction::SetSchema(schema) => set_schema(cx, table, schema),
        AlterAction::Owner(owner) => {
            let owner = role::existing(cx, owner)?;
            cx.put_table(TableDef { owner, ..TableDef::clone(table) }).map(drop_result)
        }
        AlterAction::AddConstraint(spec) => add_constraint(cx, table, spec),
        AlterAction::AddIndex(spec) => {
            let index = Arc::new(index::build(cx, table, spec)?);
            let mut changed = TableDef::clone(table);
            changed.indexes.push(index.clone());
            let changed = cx.put_table(changed)?;
            index::fill(cx, &changed, &index)
        }
        AlterAction::RenameConstraint { from, to } => rename_constraint(cx, table, from, to),
        AlterAction::DropConstraint { name, if_exists, cascade } => {
            drop::constraint(cx, table, name, *if_exists, *cascade)
        }
        AlterAction::AlterConstraint { name, is_deferrable, is_deferred } => {
            alter_constraint(cx, table, name, (*is_deferrable, *is_deferred))
        }
        AlterAction::ValidateConstraint(name) => validate(cx, table, name),
        AlterAction::SetOptions(options) => {
            let mut changed = TableDef::clone(table);
            let options = options.iter().map(|(name, value)| (name.as_str(), value.as_deref()));
            expiration::set_options(cx, &mut changed, options)?;
            cx.put_table(changed).map(drop_result)
        }
        AlterAction::Accepted => Ok(()),
        _ => alter_column::alter(cx, table, action),
    }
}

fn drop_result<T>(_: T) {}

fn rename(cx: &mut DefineContext<'_>, table: &TableDef, new: &str) -> Result<()> {
    cx.exists_already(&table.schema, new, false)?;
    let before = cx.catalog();
    cx.put_table(TableDef { name: new.to_owned(), ..table.clone() })?;
    follow(cx, &before, &table.name)
}

fn set_schema(cx: &mut DefineContext<'_>, table: &TableDef, schema: &str) -> Result<()> {
    let name =
        QualifiedName { schema: Some(schema.to_owned()), name: table.name.clone(), position: None };
    let schema = cx.creation_schema(&name)?;
    cx.exists_already(&schema, &table.name, false)?;
    let sequences: Vec<Arc<SequenceDef>> = cx.change.catalog.sequences.values().cloned().collect();
    let is_own = |own: &SequenceDef| own.owned_by.is_some_and(|(oid, _)| oid == table.oid);
    for sequence in sequences.iter().filter(|sequence| is_own(sequence)) {
        let before = cx.catalog();
        cx.exists_already(&schema, &sequence.name, false)?;
        let moved = SequenceDef { schema: schema.clone(), ..SequenceDef::clone(sequence) };
        cx.put(Definition::Sequence(Arc::new(moved)))?;
        follow(cx, &before, &sequence.name)?;
    }
    let before = cx.catalog();
    let table = cx.table_by_oid(table.oid)?;
    cx.put_table(TableDef { schema, ..TableDef::clone(&table) })?;
    follow(cx, &before, &table.name)
}

/// Adds a constraint and checks that the rows that are there satisfy it.
pub(super) fn add_constraint(
    cx: &mut DefineContext<'_>,
    table: &TableDef,
    spec: &ConstraintSpec,
) -> Result<()> {
    let mut changed = table.clone();
    let added = constraint::add(cx, &mut changed, spec, Stage::Altering)?;
    let newly_not_null: Vec<String> = changed
        .columns
        .iter()
        .zip(&table.columns)
        .filter(|(new, old)| new.is_not_null && !old.is_not_null)
        .map(|(column, _)| column.name.clone())
        .collect();
    let changed = cx.put_table(changed)?;
    for column in newly_not_null {
        check_no_nulls(cx, &changed, &column)?;
    }
    if spec.is_not_valid {
        return Ok(());
    }
    match added {
        Added::RowKey => Ok(()),
        Added::Index(index) if table.indexes.iter().any(|own| own.oid == index.oid) => Ok(()),
        Added::Index(index) => index::fill(cx, &changed, &index),
        Added::Check(name) => check_rows(cx, &changed, &name),
        Added::ForeignKey(key) => check_references(cx, &changed, &key),
    }
}

/// Fails with 23502 when a column has a NULL.
pub(super) fn check_no_nulls(cx: &DefineContext<'_>, table: &TableDef, column: &str) -> Result<()> {
    let condition = format!("{} IS NULL", quote_identifier(column));
    if !has_row(cx, table, &condition)? {
        return Ok(());
    }
    let message =
        format!("column \"{column}\" of relation \"{}\" contains null values", table.name);
    Err(Error::new(SqlState::NOT_NULL_VIOLATION, message)
        .on_table(&table.schema, &table.name)
        .on_column(column))
}

/// Fails with 23514 when a row does not satisfy a CHECK.
fn check_rows(cx: &DefineContext<'_>, table: &TableDef, name: &str) -> Result<()> {
    let Some(check) = table.checks.iter().find(|check| check.name == name) else {
        return Err(constraint::missing(name, &table.name));
    };
    if !has_row(cx, table, &format!("NOT ({})", check.expression))? {
        return Ok(());
    }
    let message = format!(
        "check constraint \"{name}\" of relation \"{}\" is violated by some row",
        table.name
    );
    Err(Error::new(SqlState::CHECK_VIOLATION, message)
        .on_table(&table.schema, &table.name)
        .on_constraint(name))
}

fn has_row(cx: &DefineContext<'_>, table: &TableDef, condition: &str) -> Result<bool> {
    let name = crate::identifier::quote_qualified(&table.schema, &table.name);
    let mut found = false;
    let sql = format!("SELECT 1 FROM {name} WHERE {condition} LIMIT 1");
    cx.runner.query(&cx.catalog(), &sql, &mut |_| {
        found = true;
        Ok(())
    })?;
    Ok(found)
}

/// Fails with 23503 when a row refers to nothing.
fn check_references(cx: &DefineContext<'_>, table: &TableDef, key: &ForeignKeyDef) -> Result<()> {
    let other = cx.table_by_oid(key.referenced_table)?;
    let column = |table: &TableDef, position: &usize| {
        table.columns.get(*position).map_or(String::new(), |column| quote_identifier(&column.name))
    };
    let own: Vec<String> = key.columns.iter().map(|at| column(table, at)).collect();
    let there: Vec<String> = key.referenced_columns.iter().map(|at| column(&other, at)).collect();
    let pairs = own.iter().zip(&there).map(|(own, there)| format!("pk.{there} = fk.{own}"));
    let set = own.iter().map(|own| format!("fk.{own} IS NOT NULL"));
    let listed: Vec<String> = own.iter().map(|own| format!("fk.{own}::text")).collect();
    let sql = format!(
        "SELECT {} FROM {} fk WHERE {} AND NOT EXISTS (SELECT 1 FROM {} pk WHERE {}) LIMIT 1",
        listed.join(", "),
        crate::identifier::quote_qualified(&table.schema, &table.name),
        set.collect::<Vec<_>>().join(" AND "),
        crate::identifier::quote_qualified(&other.schema, &other.name),
        pairs.collect::<Vec<_>>().join(" AND "),
    );
    let mut orphan = None;
    cx.runner.query(&cx.catalog(), &sql, &mut |row| {
        orphan = Some(row);
        Ok(())
    })?;
    let Some(row) = orphan else { return Ok(()) };
    let values: Vec<&str> = row
        .iter()
        .map(|value| match value {
            crate::value::Value::Text(text) => text.as_ref(),
            _ => "",
        })
        .collect();
    let message = format!(
        "insert or update on table \"{}\" violates foreign key constraint \"{}\"",
        table.name, key.name
    );
    Err(Error::new(SqlState::FOREIGN_KEY_VIOLATION, message)
        .with_detail(format!(
            "Key ({})=({}) is not present in table \"{}\".",
            own.join(", "),
            values.join(", "),
            other.name
        ))
        .on_table(&table.schema, &table.name)
        .on_constraint(&key.name))
}

fn validate(cx: &mut DefineContext<'_>, table: &TableDef, name: &str) -> Result<()> {
    match table.foreign_keys.iter().find(|key| key.name == name) {
        Some(key) => check_references(cx, table, key)?,
        None => check_rows(cx, table, name)?,
    }
    let mut changed = table.clone();
    for check in changed.checks.iter_mut().filter(|check| check.name == name) {
        check.is_not_valid = false;
    }
    for key in changed.foreign_keys.iter_mut().filter(|key| key.name == name) {
        Arc::make_mut(key).is_not_valid = false;
    }
    cx.put_table(changed).map(drop_result)
}

fn rename_constraint(
    cx: &mut DefineContext<'_>,
    table: &TableDef,
    from: &str,
    to: &str,
) -> Result<()> {
    if table.has_constraint(to) {
        let message = format!("constraint \"{to}\" for relation \"{}\" already exists", table.name);
        return Err(Error::new(SqlState::DUPLICATE_OBJECT, message));
    }
    let mut changed = table.clone();
    let oid = table.constraint_oid(from).ok_or_else(|| constraint::missing(from, &table.name))?;
    index::rename(&mut changed, oid, to);
    for check in changed.checks.iter_mut().filter(|check| check.oid == oid) {
        to.clone_into(&mut check.name);
    }
    for key in changed.foreign_keys.iter_mut().filter(|key| key.oid == oid) {
        to.clone_into(&mut Arc::make_mut(key).name);
    }
    cx.put_table(changed).map(drop_result)
}

fn alter_constraint(
    cx: &mut DefineContext<'_>,
    table: &TableDef,
    name: &str,
    (is_deferrable, is_deferred): (bool, bool),
) -> Result<()> {
    let mut changed = table.clone();
    let Some(key) = changed.foreign_keys.iter_mut().find(|key| key.name == name) else {
        if !table.has_constraint(name) {
            return Err(constraint::missing(name, &table.name));
        }
        let message = format!(
            "constraint \"{name}\" of relation \"{}\" is not a foreign key constraint",
            table.name
        );
        return Err(Error::new(SqlState::WRONG_OBJECT_TYPE, message));
    };
    let key = Arc::make_mut(key);
    key.is_deferrable = is_deferrable;
    key.is_deferred = is_deferred;
    cx.put_table(changed).map(drop_result)
}
