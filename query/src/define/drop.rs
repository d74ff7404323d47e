//! DROP: what goes, what goes with it, and what stands in the way.

use std::sync::Arc;

use super::{DefineContext, Defined, constraint, database, garbage, type_def};
use crate::bind::ddl::{Drop, ObjectKind, QualifiedName};
use crate::catalog::{ColumnDefault, Definition, ForeignKeyDef, Relation, TableDef, ViewDef};
use crate::error::{Error, Result, SqlState};
use crate::expression::Expr;
use crate::value::Value;

pub(super) fn drop(cx: &mut DefineContext<'_>, drop: &Drop) -> Result<Defined> {
    for name in &drop.names {
        match drop.kind {
            ObjectKind::Schema => database::drop_schema(cx, name, drop.if_exists, drop.cascade)?,
            ObjectKind::Type | ObjectKind::Domain => {
                type_def::drop(cx, name, drop.if_exists, drop.cascade)?;
            }
            ObjectKind::Table
            | ObjectKind::View
            | ObjectKind::MaterializedView
            | ObjectKind::Index
            | ObjectKind::Sequence => relation(cx, drop, name)?,
            _ => return Err(Error::unsupported("dropping this kind of object")),
        }
    }
    let word = kind_word(drop.kind).to_uppercase();
    Defined::new(&format!("DROP {word}"))
}

fn kind_word(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::View => "view",
        ObjectKind::MaterializedView => "materialized view",
        ObjectKind::Index => "index",
        ObjectKind::Sequence => "sequence",
        ObjectKind::Schema => "schema",
        ObjectKind::Type => "type",
        ObjectKind::Domain => "domain",
        _ => "table",
    }
}

fn relation(cx: &mut DefineContext<'_>, drop: &Drop, name: &QualifiedName) -> Result<()> {
    let word = kind_word(drop.kind);
    let Some(relation) = cx.resolve(name) else {
        let message = format!("{word} \"{name}\" does not exist");
        if !drop.if_exists {
            let state = match drop.kind {
                ObjectKind::Index => SqlState::UNDEFINED_OBJECT,
                _ => SqlState::UNDEFINED_TABLE,
            };
            return Err(Error::new(state, message));
        }
        cx.notice(SqlState::SUCCESSFUL_COMPLETION, format!("{message}, skipping"));
        return Ok(());
    };
    let wrong = || {
        let article = if word == "index" { "an" } else { "a" };
        let message = format!("\"{}\" is not {article} {word}", name.name);
        let (article, kind) = cx.kind_of(relation);
        let hint = format!("Use DROP {} to remove {article} {kind}.", kind.to_uppercase());
        Error::new(SqlState::WRONG_OBJECT_TYPE, message).with_hint(hint)
    };
    match (drop.kind, relation) {
        (ObjectKind::Table, Relation::Table(oid)) => {
            let table = cx.table_by_oid(oid)?;
            cx.check_owner(&table.owner, "table", &table.name)?;
            drop_table(cx, &table, drop.cascade, &drop.names)
        }
        (ObjectKind::View | ObjectKind::MaterializedView, Relation::View(oid)) => {
            let view = cx.change.catalog.views.get(&oid).cloned().ok_or_else(wrong)?;
            let is_materialized = view.materialized.is_some();
            if is_materialized != (drop.kind == ObjectKind::MaterializedView) {
                return Err(wrong());
            }
            cx.check_owner(&view.owner, word, &view.name)?;
            self::view(cx, &view, drop.cascade)
        }
        (ObjectKind::Index, Relation::Index(oid, table)) => {
            let table = cx.table_by_oid(table)?;
            cx.check_owner(&table.owner, "index", &name.name)?;
            index(cx, &table, oid, drop.cascade)
        }
        (ObjectKind::Sequence, Relation::Sequence(oid)) => {
            owning_column(cx, oid)?;
            default_users(cx, oid, drop.cascade)?;
            sequence(cx, oid)
        }
        _ => Err(wrong()),
    }
}

/// Drops a table with all that belongs to it. `together` are the names in the same statement,
/// which do not stand in each other's way.
pub(super) fn drop_table(
    cx: &mut DefineContext<'_>,
    table: &Arc<TableDef>,
    cascade: bool,
    together: &[QualifiedName],
) -> Result<()> {
    cx.lock_table(table.oid)?;
    let referring: Vec<Arc<ForeignKeyDef>> = cx
        .change
        .catalog
        .references_to(table.oid)
        .filter(|key| key.table != table.oid)
        .cloned()
        .collect();
    for key in referring {
        let other = cx.table_by_oid(key.table)?;
        let goes_too = together.iter().any(|name| name.name == other.name);
        if !cascade && !goes_too {
            let what = format!("constraint {} on table {}", key.name, other.name);
            return Err(in_the_way(&format!("table {}", table.name), &what));
        }
        if !goes_too {
            let message =
                format!("drop cascades to constraint {} on table {}", key.name, other.name);
            cx.notice(SqlState::SUCCESSFUL_COMPLETION, message);
        }
        let mut changed = TableDef::clone(&other);
        changed.foreign_keys.retain(|own| own.oid != key.oid);
        cx.put_table(changed)?;
    }
    dependent_views(cx, table.oid, &format!("table {}", table.name), cascade)?;
    let owned = cx.change.catalog.sequences.values();
    let owned: Vec<u32> = owned
        .filter(|sequence| sequence.owned_by.is_some_and(|(owner, _)| owner == table.oid))
        .map(|sequence| sequence.oid)
        .collect();
    for oid in owned {
        sequence(cx, oid)?;
    }
    cx.check_settled(table, "DROP TABLE")?;
    garbage::discard_table(cx.txn, table)?;
    cx.change.remove(cx.txn, &Definition::Table(table.clone()))
}

/// Drops the views that read a relation, or fails with 2BP01.
fn dependent_views(cx: &mut DefineContext<'_>, oid: u32, what: &str, cascade: bool) -> Result<()> {
    let views = cx.change.catalog.views.values();
    let views = views.filter(|view| view.dependencies.contains(&oid)).cloned().collect();
    drop_views(cx, views, what, cascade)
}

fn drop_views(
    cx: &mut DefineContext<'_>,
    views: Vec<Arc<ViewDef>>,
    what: &str,
    cascade: bool,
) -> Result<()> {
    if !cascade && !views.is_empty() {
        let users: Vec<String> = views.iter().map(|view| format!("view {}", view.name)).collect();
        return Err(all_in_the_way(what, &users));
    }
    for dependent in views {
        cx.notice(
            SqlState::SUCCESSFUL_COMPLETION,
            format!("drop cascades to view {}", dependent.name),
        );
        view(cx, &dependent, true)?;
    }
    Ok(())
}

pub(super) fn view(cx: &mut DefineContext<'_>, view: &Arc<ViewDef>, cascade: bool) -> Result<()> {
    if !cx.change.catalog.views.contains_key(&view.oid) {
        return Ok(());
    }
    dependent_views(cx, view.oid, &format!("view {}", view.name), cascade)?;
    cx.change.remove(cx.txn, &Definition::View(view.clone()))?;
    if let Some(table) = view.materialized.and_then(|oid| cx.change.catalog.table(oid).cloned()) {
        drop_table(cx, &table, true, &[])?;
    }
    Ok(())
}

fn index(cx: &mut DefineContext<'_>, table: &Arc<TableDef>, oid: u32, cascade: bool) -> Result<()> {
    let Some(index) = table.indexes.iter().find(|index| index.oid == oid) else {
        let name = table.index_names().find(|(own, _)| *own == oid).map_or("", |(_, name)| name);
        return Err(needed_by_constraint(name, name, &table.name));
    };
    if index.constraint.is_some() {
        return Err(needed_by_constraint(&index.name, &index.name, &table.name));
    }
    let columns: Vec<usize> = index.keys.iter().filter_map(|key| key.column).collect();
    if index.is_unique {
        key_users(cx, table, &columns, oid, &format!("index {}", index.name), cascade)?;
    }
    cx.lock_table(table.oid)?;
    remove_index(cx, table.oid, oid)
}

fn needed_by_constraint(index: &str, constraint: &str, table: &str) -> Error {
    let message = format!(
        "cannot drop index {index} because constraint {constraint} on table {table} requires it"
    );
    Error::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message)
        .with_hint(format!("You can drop constraint {constraint} on table {table} instead."))
}

fn remove_index(cx: &mut DefineContext<'_>, table: u32, oid: u32) -> Result<()> {
    let table = cx.table_by_oid(table)?;
    let mut changed = TableDef::clone(&table);
    if let Some(index) = table.indexes.iter().find(|index| index.oid == oid) {
        garbage::discard_index(cx.txn, index)?;
    }
    changed.indexes.retain(|index| index.oid != oid);
    cx.put_table(changed)?;
    Ok(())
}

/// Foreign keys that rely on a unique key: dropped too, or in the way.
fn key_users(
    cx: &mut DefineContext<'_>,
    table: &TableDef,
    columns: &[usize],
    index: u32,
    what: &str,
    cascade: bool,
) -> Result<()> {
    let mut without = table.clone();
    without.indexes.retain(|own| own.oid != index);
    if without.primary_key().is_some_and(|(oid, _)| oid == index) {
        without.row_key = crate::catalog::RowKeyDef::Hidden;
    }
    if without.is_unique_key(columns) {
        return Ok(());
    }
    let users: Vec<Arc<ForeignKeyDef>> = cx
        .change
        .catalog
        .references_to(table.oid)
        .filter(|key| same_set(&key.referenced_columns, columns))
        .cloned()
        .collect();
    for key in users {
        let other = cx.table_by_oid(key.table)?;
        let user = format!("constraint {} on table {}", key.name, other.name);
        if !cascade {
            return Err(in_the_way(what, &user));
        }
        cx.notice(SqlState::SUCCESSFUL_COMPLETION, format!("drop cascades to {user}"));
        let mut changed = TableDef::clone(&other);
        changed.foreign_keys.retain(|own| own.oid != key.oid);
        cx.put_table(changed)?;
    }
    Ok(())
}

fn same_set(a: &[usize], b: &[usize]) -> bool {
    a.len() == b.len() && a.iter().all(|position| b.contains(position))
}

/// Drops a sequence.
pub(super) fn sequence(cx: &mut DefineContext<'_>, oid: u32) -> Result<()> {
    let Some(sequence) = cx.change.catalog.sequences.get(&oid).cloned() else { return Ok(()) };
    cx.check_owner(&sequence.owner, "sequence", &sequence.name)?;
    cx.change.remove(cx.txn, &Definition::Sequence(sequence))
}

/// An identity column needs its sequence.
fn owning_column(cx: &DefineContext<'_>, oid: u32) -> Result<()> {
    let Some(sequence) = cx.change.catalog.sequences.get(&oid) else { return Ok(()) };
    let Some((table, position)) = sequence.owned_by else { return Ok(()) };
    let Some(table) = cx.change.catalog.table(table) else { return Ok(()) };
    let Some(column) = table.columns.get(position) else { return Ok(()) };
    if !matches!(column.default, Some(ColumnDefault::Identity { .. })) {
        return Ok(());
    }
    let what = format!("sequence {}", sequence.name);
    let user = format!("column {} of table {}", column.name, table.name);
    let message = format!("cannot drop {what} because {user} requires it");
    Err(Error::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message)
        .with_hint(format!("You can drop {user} instead.")))
}

/// Defaults that take their values from a sequence: they go with it, or are in the way.
fn default_users(cx: &mut DefineContext<'_>, oid: u32, cascade: bool) -> Result<()> {
    let Some(sequence) = cx.change.catalog.sequences.get(&oid).cloned() else { return Ok(()) };
    let tables: Vec<Arc<TableDef>> = cx.change.catalog.tables.values().cloned().collect();
    for table in tables {
        let users = using_columns(cx, &table, oid);
        let mut changed = TableDef::clone(&table);
        for position in &users {
            let Some(column) = changed.columns.get_mut(*position) else { continue };
            let user = format!("default value for column {} of table {}", column.name, table.name);
            if !cascade {
                return Err(in_the_way(&format!("sequence {}", sequence.name), &user));
            }
            column.default = None;
            cx.notice(SqlState::SUCCESSFUL_COMPLETION, format!("drop cascades to {user}"));
        }
        if !users.is_empty() {
            cx.put_table(changed)?;
        }
    }
    Ok(())
}

/// The columns whose defaults name a sequence.
fn using_columns(cx: &DefineContext<'_>, table: &TableDef, oid: u32) -> Vec<usize> {
    let catalog = cx.catalog();
    let mut users = Vec::new();
    for (position, column) in table.live_columns() {
        let Some(ColumnDefault::Expression(sql)) = &column.default else { continue };
        if !sql.contains("nextval") {
            continue;
        }
        // One that does not bind any more uses nothing.
        let Ok(bound) = cx.runner.bind_default(&catalog, table, position, sql) else { continue };
        if crate::plan::walk::any(&bound, &mut |part| takes_from(cx, part, oid)) {
            users.push(position);
        }
    }
    users
}

/// Whether an expression is `nextval` of a sequence.
fn takes_from(cx: &DefineContext<'_>, expr: &Expr, oid: u32) -> bool {
    let Expr::Call { function, args } = expr else { return false };
    let Some(sequence) = args.first().filter(|_| &*function.name == "nextval") else {
        return false;
    };
    matches!(cx.runner.eval(sequence, &[]), Ok(Value::Oid(named)) if named == oid)
}

/// `ALTER TABLE … DROP CONSTRAINT`
pub(super) fn constraint(
    cx: &mut DefineContext<'_>,
    table: &Arc<TableDef>,
    name: &str,
    if_exists: bool,
    cascade: bool,
) -> Result<()> {
    if !table.has_constraint(name) {
        if !if_exists {
            return Err(constraint::missing(name, &table.name));
        }
        let message = format!(
            "constraint \"{name}\" of relation \"{}\" does not exist, skipping",
            table.name
        );
        cx.notice(SqlState::SUCCESSFUL_COMPLETION, message);
        return Ok(());
    }
    if let Some(key) = table.foreign_keys.iter().find(|key| key.name == name) {
        cx.check_settled(&*cx.table_by_oid(key.referenced_table)?, "ALTER TABLE")?;
    }
    let mut changed = TableDef::clone(table);
    changed.checks.retain(|check| check.name != name);
    changed.foreign_keys.retain(|key| key.name != name);
    cx.put_table(changed)?;
    let what = format!("constraint {name} on table {}", table.name);
    if let Some(index) = table.indexes.iter().find(|index| index.name == name) {
        let columns: Vec<usize> = index.keys.iter().filter_map(|key| key.column).collect();
        key_users(cx, table, &columns, index.oid, &what, cascade)?;
        return remove_index(cx, table.oid, index.oid);
    }
    if let crate::catalog::RowKeyDef::PrimaryKey { columns, name: own, oid } = &table.row_key
        && own == name
    {
        key_users(cx, table, columns, *oid, &what, cascade)?;
        let mut changed = TableDef::clone(&*cx.table_by_oid(table.oid)?);
        changed.row_key = crate::catalog::RowKeyDef::Hidden;
        return super::alter_column::rewrite_whole(cx, table, changed);
    }
    Ok(())
}

/// What uses a column that is to be dropped: goes with it, or is in the way.
pub(super) fn column_dependents(
    cx: &mut DefineContext<'_>,
    table: &Arc<TableDef>,
    position: usize,
    cascade: bool,
) -> Result<()> {
    let Some(column) = table.columns.get(position) else { return Ok(()) };
    let what = format!("column {} of table {}", column.name, table.name);
    drop_views(cx, readers(cx, table, position), &what, cascade)?;
    generated_columns(cx, table, &column.name, &what, cascade)?;
    let constraints: Vec<String> = table
        .constraint_names()
        .filter(|(_, columns)| columns.contains(&position))
        .map(|(name, _)| name.to_owned())
        .chain(
            table
                .checks
                .iter()
                .filter(|check| crate::parse::mentions_column(&check.expression, &column.name))
                .map(|check| check.name.clone()),
        )
        .collect();
    for name in constraints {
        let table = cx.table_by_oid(table.oid)?;
        constraint(cx, &table, &name, true, cascade)?;
    }
    let indexes: Vec<u32> = cx
        .table_by_oid(table.oid)?
        .indexes
        .iter()
        .filter(|index| index.mentions(position, &column.name))
        .map(|index| index.oid)
        .collect();
    for oid in indexes {
        remove_index(cx, table.oid, oid)?;
    }
    let owned = cx.change.catalog.sequences.values();
    let owned: Vec<u32> = owned
        .filter(|sequence| sequence.owned_by == Some((table.oid, position)))
        .map(|sequence| sequence.oid)
        .collect();
    owned.into_iter().try_for_each(|oid| sequence(cx, oid))
}

/// The views that read a column.
pub(super) fn readers(
    cx: &DefineContext<'_>,
    table: &TableDef,
    position: usize,
) -> Vec<Arc<ViewDef>> {
    let catalog = cx.catalog();
    let is_reader = |view: &&Arc<ViewDef>| {
        let read = || cx.runner.columns_read(&catalog, &view.query);
        view.dependencies.contains(&table.oid)
            && read().is_ok_and(|read| read.contains(&(table.oid, position)))
    };
    catalog.views.values().filter(is_reader).cloned().collect()
}

/// Generated columns that are computed from a column: they go with it, or are in the way.
fn generated_columns(
    cx: &mut DefineContext<'_>,
    table: &Arc<TableDef>,
    column: &str,
    what: &str,
    cascade: bool,
) -> Result<()> {
    let users = table.live_columns().filter(|(_, own)| match &own.default {
        Some(ColumnDefault::Generated(sql)) => crate::parse::mentions_column(sql, column),
        _ => false,
    });
    let users: Vec<String> = users.map(|(_, own)| own.name.clone()).collect();
    for name in users {
        let user = format!("column {name} of table {}", table.name);
        if !cascade {
            return Err(in_the_way(what, &user));
        }
        cx.notice(SqlState::SUCCESSFUL_COMPLETION, format!("drop cascades to {user}"));
        let table = cx.table_by_oid(table.oid)?;
        super::alter_column::drop(cx, &table, &name, true, true)?;
    }
    Ok(())
}

/// 2BP01: something depends on what is to be dropped.
pub(super) fn in_the_way(what: &str, user: &str) -> Error {
    all_in_the_way(what, &[user.to_owned()])
}

/// 2BP01: several things do.
pub(super) fn all_in_the_way(what: &str, users: &[String]) -> Error {
    let details: Vec<String> =
        users.iter().map(|user| format!("{user} depends on {what}")).collect();
    let message = format!("cannot drop {what} because other objects depend on it");
    Error::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message)
        .with_detail(details.join("\n"))
        .with_hint("Use DROP ... CASCADE to drop the dependent objects too.")
}
