//! The actions of ALTER TABLE that concern one column.

use std::sync::Arc;

use super::constraint::column_at;
use super::follow::follow;
use super::{
    DefineContext, alter_table, drop as dropping, expiration, garbage, index, sequence, table,
    truncate,
};
use crate::bind::ddl::{AlterAction, ColumnSpec, ConstraintSpec, SequenceOptions};
use crate::catalog::{ColumnDef, ColumnDefault, Definition, SequenceDef, TableDef};
use crate::error::{Error, Result, SqlState};
use crate::expression::Expr;
use crate::plan::{Command, Insert, Node};
use crate::value::{SqlType, Value};

pub(super) fn add(
    cx: &mut DefineContext<'_>,
    table: &Arc<TableDef>,
    spec: &ColumnSpec,
    constraints: &[ConstraintSpec],
    if_not_exists: bool,
) -> Result<()> {
    if table.column(&spec.name).is_some() {
        let message =
            format!("column \"{}\" of relation \"{}\" already exists", spec.name, table.name);
        if !if_not_exists {
            return Err(Error::new(SqlState::DUPLICATE_COLUMN, message));
        }
        cx.notice(SqlState::DUPLICATE_COLUMN, format!("{message}, skipping"));
        return Ok(());
    }
    let (column, own_sequence) = table::build_column(cx, table, spec)?;
    if let Some(sequence) = own_sequence {
        cx.put(Definition::Sequence(Arc::new(sequence)))?;
    }
    let mut changed = TableDef::clone(table);
    changed.columns.push(column);
    let position = table.columns.len();
    fill_column(cx, table, changed, position)?;
    for constraint in constraints {
        let table = cx.table_by_oid(table.oid)?;
        alter_table::add_constraint(cx, &table, constraint)?;
    }
    let table = cx.table_by_oid(table.oid)?;
    if spec.is_not_null {
        alter_table::check_no_nulls(cx, &table, &spec.name)?;
    }
    Ok(())
}

/// Gives existing rows their value of a new last column: one remembered value when all are equal,
/// else by writing every row anew.
fn fill_column(
    cx: &mut DefineContext<'_>,
    old: &Arc<TableDef>,
    mut changed: TableDef,
    position: usize,
) -> Result<()> {
    let column = changed.columns.get(position);
    let default = column.and_then(|column| {
        let inherited = || cx.change.catalog.domain_default(column.domain);
        column.default.clone().or_else(|| inherited().map(ColumnDefault::Expression))
    });
    let Some(default) = default else {
        cx.put_table(changed)?;
        return Ok(());
    };
    let catalog = cx.catalog();
    let expr = match &default {
        ColumnDefault::Expression(sql) => {
            cx.runner.bind_default(&catalog, &changed, position, sql)?
        }
        ColumnDefault::Generated(_) => Expr::Const(Value::Null),
        ColumnDefault::Identity { sequence, .. } => cx.runner.next_value(*sequence)?,
    };
    let is_constant =
        matches!(default, ColumnDefault::Expression(_)) && !crate::plan::walk::is_volatile(&expr);
    if is_constant {
        let value = cx.runner.eval(&expr, &[])?;
        if let Some(column) = changed.columns.get_mut(position) {
            column.missing = (!value.is_null()).then(|| crate::value::row::encode_value(&value));
        }
        cx.put_table(changed)?;
        return Ok(());
    }
    let mut exprs: Vec<Expr> = (0..position).map(Expr::Column).collect();
    exprs.push(expr);
    rewrite(cx, old, changed, exprs)
}

/// Writes every row anew: `exprs` give the new columns over the old ones.
fn rewrite(
    cx: &mut DefineContext<'_>,
    old: &Arc<TableDef>,
    mut changed: TableDef,
    exprs: Vec<Expr>,
) -> Result<()> {
    garbage::discard_table(cx.txn, old)?;
    truncate::renew_storage(cx, &mut changed)?;
    let changed = cx.put_table(changed)?;
    let catalog = cx.catalog();
    let mut writer = cx.runner.table_writer(&catalog, &changed)?;
    writer.references.clear();
    let mut plan = index::all_rows(old);
    let scan = std::mem::replace(&mut plan.root, Node::Values { rows: Vec::new() });
    let input = Node::Project { input: Box::new(scan), exprs };
    plan.root = Node::Insert(Box::new(Insert { writer, input, conflict: None, returning: None }));
    plan.command = Command::Insert;
    cx.runner.run(&catalog, plan, &mut |_| Ok(()))
}

/// Writes every row anew, as it is, under what `changed` says they are stored by.
pub(super) fn rewrite_whole(
    cx: &mut DefineContext<'_>,
    old: &Arc<TableDef>,
    changed: TableDef,
) -> Result<()> {
    let exprs = (0..changed.columns.len()).map(Expr::Column).collect();
    rewrite(cx, old, changed, exprs)
}

pub(super) fn drop(
    cx: &mut DefineContext<'_>,
    table: &Arc<TableDef>,
    name: &str,
    if_exists: bool,
    cascade: bool,
) -> Result<()> {
    let Some(position) = table.column(name) else {
        if !if_exists {
            return Err(super::missing_column(name, &table.name));
        }
        let message =
            format!("column \"{name}\" of relation \"{}\" does not exist, skipping", table.name);
        cx.notice(SqlState::SUCCESSFUL_COMPLETION, message);
        return Ok(());
    };
    if table.expiration == Some(position) {
        return Err(expiration::in_use(table, name));
    }
    dropping::column_dependents(cx, table, position, cascade)?;
    let mut changed = TableDef::clone(&*cx.table_by_oid(table.oid)?);
    if let Some(column) = changed.columns.get_mut(position) {
        *column = ColumnDef {
            name: format!("........pg.dropped.{}........", position + 1),
            is_not_null: false,
            default: None,
            missing: None,
            is_dropped: true,
            ty: column.ty.clone(),
            domain: None,
        };
    }
    let before = cx.catalog();
    cx.put_table(changed)?;
    // Where a view names the table's columns, there is one less.
    follow(cx, &before, &table.name)
}

pub(super) fn alter(
    cx: &mut DefineContext<'_>,
    table: &Arc<TableDef>,
    action: &AlterAction,
) -> Result<()> {
    let mut changed = TableDef::clone(table);
    match action {
        AlterAction::RenameColumn { from, to } => return rename(cx, table, from, to),
        AlterAction::SetType { column, ty, domain, using } => {
            return set_type(cx, table, column, (ty, *domain), using.as_deref());
        }
        AlterAction::SetDefault { column, expression } => {
            let column = writable(&mut changed, column)?;
            column.default = Some(ColumnDefault::Expression(expression.clone()));
        }
        AlterAction::DropDefault(column) => {
            let column = writable(&mut changed, column)?;
            if matches!(column.default, Some(ColumnDefault::Expression(_))) {
                column.default = None;
            }
        }
        AlterAction::SetNotNull(column) => {
            alter_table::check_no_nulls(cx, table, column)?;
            writable(&mut changed, column)?.is_not_null = true;
        }
        AlterAction::DropNotNull(column) => drop_not_null(&mut changed, column)?,
        AlterAction::AddIdentity { column, is_always, options } => {
            add_identity(cx, &mut changed, column, *is_always, options)?;
        }
        AlterAction::SetIdentity { column, is_always, options } => {
            set_identity(cx, &mut changed, column, *is_always, options)?;
        }
        AlterAction::DropIdentity { column, if_exists } => {
            let place = writable(&mut changed, column)?;
            if let Some(ColumnDefault::Identity { sequence, .. }) = place.default {
                place.default = None;
                dropping::sequence(cx, sequence)?;
            } else {
                is_not(cx, table, column, "an identity column", *if_exists)?;
            }
        }
        AlterAction::DropExpression { column, if_exists } => {
            let place = writable(&mut changed, column)?;
            if matches!(place.default, Some(ColumnDefault::Generated(_))) {
                place.default = None;
            } else {
                is_not(cx, table, column, "a stored generated column", *if_exists)?;
            }
        }
        _ => return Err(Error::internal("a column action went the wrong way")),
    }
    cx.put_table(changed)?;
    Ok(())
}

/// 55000: a column is not of a kind; with IF EXISTS only a notice.
fn is_not(
    cx: &mut DefineContext<'_>,
    table: &TableDef,
    column: &str,
    what: &str,
    if_exists: bool,
) -> Result<()> {
    let message = format!("column \"{column}\" of relation \"{}\" is not {what}", table.name);
    if !if_exists {
        return Err(Error::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message));
    }
    cx.notice(SqlState::SUCCESSFUL_COMPLETION, format!("{message}, skipping"));
    Ok(())
}

fn writable<'a>(table: &'a mut TableDef, name: &str) -> Result<&'a mut ColumnDef> {
    let position = column_at(table, name)?;
    let column = table.columns.get_mut(position);
    column.ok_or_else(|| Error::internal("a column is out of range"))
}

fn drop_not_null(table: &mut TableDef, name: &str) -> Result<()> {
    let position = column_at(table, name)?;
    if table.primary_key().is_some_and(|(_, columns)| columns.contains(&position)) {
        let message = format!("column \"{name}\" is in a primary key");
        return Err(Error::new(SqlState::INVALID_TABLE_DEFINITION, message));
    }
    writable(table, name)?.is_not_null = false;
    Ok(())
}

fn rename(cx: &mut DefineContext<'_>, table: &TableDef, from: &str, to: &str) -> Result<()> {
    if table.column(to).is_some() {
        let message = format!("column \"{to}\" of relation \"{}\" already exists", table.name);
        return Err(Error::new(SqlState::DUPLICATE_COLUMN, message));
    }
    let mut changed = table.clone();
    if table.column(from).is_none() {
        let message = format!("column \"{from}\" does not exist");
        return Err(Error::new(SqlState::UNDEFINED_COLUMN, message));
    }
    to.clone_into(&mut writable(&mut changed, from)?.name);
    let before = cx.catalog();
    cx.put_table(changed)?;
    follow(cx, &before, from)
}

fn set_type(
    cx: &mut DefineContext<'_>,
    table: &Arc<TableDef>,
    name: &str,
    (ty, domain): (&SqlType, Option<u32>),
    using: Option<&str>,
) -> Result<()> {
    let position = column_at(table, name)?;
    if let Some(view) = dropping::readers(cx, table, position).first() {
        let message = "cannot alter type of a column used by a view or rule";
        let rule = format!("rule _RETURN on view {} depends on column \"{name}\"", view.name);
        return Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message).with_detail(rule));
    }
    let catalog = cx.catalog();
    let expr = cx.runner.bind_conversion(&catalog, table, position, ty, using)?;
    let mut changed = TableDef::clone(table);
    let column = writable(&mut changed, name)?;
    column.ty = ty.clone();
    column.domain = domain;
    column.missing = None;
    for index in &mut changed.indexes {
        let index = Arc::make_mut(index);
        for key in index.keys.iter_mut().filter(|key| key.column == Some(position)) {
            key.ty = ty.clone();
        }
    }
    expiration::check(cx, &changed)?;
    let columns = 0..changed.columns.len();
    let exprs = columns.map(|at| if at == position { expr.clone() } else { Expr::Column(at) });
    rewrite(cx, table, changed, exprs.collect())
}

fn add_identity(
    cx: &mut DefineContext<'_>,
    table: &mut TableDef,
    name: &str,
    is_always: bool,
    options: &SequenceOptions,
) -> Result<()> {
    let position = column_at(table, name)?;
    let column = writable(table, name)?;
    if column.default.is_some() {
        let message = format!("column \"{name}\" already has a default value");
        return Err(Error::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message));
    }
    if !column.is_not_null {
        let message =
            format!("column \"{name}\" must be declared NOT NULL before identity can be added");
        return Err(Error::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message));
    }
    let spec = ColumnSpec {
        name: name.to_owned(),
        ty: column.ty.clone(),
        domain: column.domain,
        is_not_null: true,
        value: Some(crate::bind::ddl::ColumnValue::Identity {
            is_always,
            options: options.clone(),
        }),
    };
    let (made, own_sequence) = table::build_column(cx, table, &spec)?;
    writable(table, name)?.default = made.default;
    if let Some(own_sequence) = own_sequence {
        let owned_by = Some((table.oid, position));
        cx.put(Definition::Sequence(Arc::new(SequenceDef { owned_by, ..own_sequence })))?;
    }
    Ok(())
}

fn set_identity(
    cx: &mut DefineContext<'_>,
    table: &mut TableDef,
    name: &str,
    is_always: Option<bool>,
    options: &SequenceOptions,
) -> Result<()> {
    let column = writable(table, name)?;
    let Some(ColumnDefault::Identity { sequence, is_always: current }) = &mut column.default else {
        let message =
            format!("column \"{name}\" of relation \"{}\" is not an identity column", table.name);
        return Err(Error::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message));
    };
    *current = is_always.unwrap_or(*current);
    let Some(def) = cx.change.catalog.sequences.get(sequence).cloned() else {
        return Err(Error::internal("an identity column without a sequence"));
    };
    sequence::set_options(cx, &def, options)
}
