//! Views and materialized views.

use std::sync::Arc;

use super::follow::follow;
use super::{DefineContext, Defined, missing_relation, not_a, role, table, temporary, truncate};
use crate::bind::ddl::{AlterAction, CreateTableAs, CreateView, QualifiedName};
use crate::catalog::{Definition, Relation, TableDef, ViewDef};
use crate::error::{Error, Result, SqlState};
use crate::value::SqlType;

pub(super) fn create(cx: &mut DefineContext<'_>, create: &CreateView) -> Result<Defined> {
    let (schema, is_temporary) = temporary::schema_of_new(cx, &create.name, create.is_temporary)?;
    if is_temporary && !create.says_temporary {
        let message = format!("view \"{}\" will be a temporary view", create.name.name);
        cx.notice(SqlState::SUCCESSFUL_COMPLETION, message);
    }
    let key = (schema.clone(), create.name.name.clone());
    let old = match cx.change.catalog.relations.get(&key) {
        Some(Relation::View(oid)) if create.or_replace => cx.change.catalog.views.get(oid).cloned(),
        Some(_) if create.or_replace => return Err(not_a(&create.name, "view")),
        _ => {
            cx.exists_already(&schema, &create.name.name, false)?;
            None
        }
    };
    if let Some(old) = &old {
        check_columns_kept(&old.columns, &create.columns)?;
    }
    let oid = match &old {
        Some(old) => old.oid,
        None => cx.store.next_object_id()?,
    };
    cx.put(Definition::View(Arc::new(ViewDef {
        oid,
        schema,
        name: create.name.name.clone(),
        owner: cx.user.to_owned(),
        columns: create.columns.clone(),
        query: create.text.clone(),
        materialized: None,
        dependencies: create.dependencies.clone(),
    })))?;
    Defined::new("CREATE VIEW")
}

/// `CREATE OR REPLACE VIEW` may only add columns at the end.
fn check_columns_kept(old: &[(String, SqlType)], new: &[(String, SqlType)]) -> Result<()> {
    if new.len() < old.len() {
        let message = "cannot drop columns from view";
        return Err(Error::new(SqlState::INVALID_TABLE_DEFINITION, message));
    }
    for ((old_name, old_type), (new_name, new_type)) in old.iter().zip(new) {
        if old_name != new_name {
            let message =
                format!("cannot change name of view column \"{old_name}\" to \"{new_name}\"");
            return Err(Error::new(SqlState::INVALID_TABLE_DEFINITION, message));
        }
        if old_type != new_type {
            let message = format!(
                "cannot change data type of view column \"{old_name}\" from {} to {}",
                old_type.name(),
                new_type.name()
            );
            return Err(Error::new(SqlState::INVALID_TABLE_DEFINITION, message));
        }
    }
    Ok(())
}

pub(super) fn create_materialized(
    cx: &mut DefineContext<'_>,
    create: &CreateTableAs,
) -> Result<Defined> {
    let schema = cx.creation_schema(&create.name)?;
    if cx.exists_already(&schema, &create.name.name, create.if_not_exists)? {
        return Defined::new("CREATE MATERIALIZED VIEW");
    }
    let (rows_in, rows) = table::fill_new(cx, (schema.clone(), false), create)?;
    // The table keeps the rows under the view's own OID and gives its name up to the view.
    let hidden = TableDef {
        schema: "pg_toast".to_owned(),
        name: format!("pg_matview_{}", rows_in.oid),
        ..TableDef::clone(&rows_in)
    };
    cx.put_table(hidden)?;
    cx.put(Definition::View(Arc::new(ViewDef {
        oid: cx.store.next_object_id()?,
        schema,
        name: create.name.name.clone(),
        owner: cx.user.to_owned(),
        columns: create.columns.clone(),
        query: create.text.clone(),
        materialized: Some(rows_in.oid),
        dependencies: create.dependencies.clone(),
    })))?;
    Ok(Defined { tag: format!("SELECT {rows}") })
}

pub(super) fn refresh(
    cx: &mut DefineContext<'_>,
    name: &QualifiedName,
    with_data: bool,
) -> Result<Defined> {
    let view = match cx.resolve(name) {
        Some(Relation::View(oid)) => cx.change.catalog.views.get(&oid).cloned(),
        Some(_) => None,
        None => return Err(missing_relation(name)),
    };
    let Some((view, table)) = view.and_then(|view| Some((view.clone(), view.materialized?))) else {
        return Err(not_a(name, "materialized view"));
    };
    cx.check_owner(&view.owner, "materialized view", &view.name)?;
    cx.lock_table(table)?;
    let table = cx.table_by_oid(table)?;
    let table = truncate::empty(cx, &table)?;
    if with_data {
        let plan = cx.runner.bind_query(&cx.catalog(), &view.query)?;
        table::fill(cx, &table, &plan)?;
    }
    Defined::new("REFRESH MATERIALIZED VIEW")
}

/// The table of a materialized view calls its columns as the view does.
fn rename_kept_column(
    cx: &mut DefineContext<'_>,
    table: u32,
    (from, to): (&str, &str),
) -> Result<()> {
    let mut changed = TableDef::clone(&*cx.table_by_oid(table)?);
    for column in changed.columns.iter_mut().filter(|column| column.name == from) {
        to.clone_into(&mut column.name);
    }
    cx.put_table(changed).map(|_| ())
}

/// What ALTER TABLE and ALTER VIEW may do to a view.
pub(super) fn alter(cx: &mut DefineContext<'_>, oid: u32, action: &AlterAction) -> Result<()> {
    let Some(view) = cx.change.catalog.views.get(&oid).cloned() else {
        return Err(Error::internal("a view without a definition"));
    };
    cx.check_owner(&view.owner, "view", &view.name)?;
    let before = cx.catalog();
    let mut changed = ViewDef::clone(&view);
    match action {
        AlterAction::Rename(new) => {
            cx.exists_already(&view.schema, new, false)?;
            changed.name.clone_from(new);
        }
        AlterAction::SetSchema(schema) => {
            let schema = Some(schema.clone());
            let name = QualifiedName { schema, name: view.name.clone(), position: None };
            changed.schema = cx.creation_schema(&name)?;
            cx.exists_already(&changed.schema, &view.name, false)?;
        }
        AlterAction::Owner(owner) => changed.owner = role::existing(cx, owner)?,
        AlterAction::RenameColumn { from, to } => {
            let column = changed.columns.iter_mut().find(|(name, _)| name == from);
            let column = column.ok_or_else(|| {
                let message = format!("column \"{from}\" does not exist");
                Error::new(SqlState::UNDEFINED_COLUMN, message)
            })?;
            column.0.clone_from(to);
            if let Some(table) = view.materialized {
                rename_kept_column(cx, table, (from, to))?;
            }
        }
        _ => {
            let message = format!("\"{}\" is not a table", view.name);
            return Err(Error::new(SqlState::WRONG_OBJECT_TYPE, message));
        }
    }
    let renamed = match action {
        AlterAction::Owner(_) => None,
        AlterAction::RenameColumn { from, .. } => Some(from),
        _ => Some(&view.name),
    };
    cx.put(Definition::View(Arc::new(changed)))?;
    renamed.map_or(Ok(()), |name| follow(cx, &before, name))
}
