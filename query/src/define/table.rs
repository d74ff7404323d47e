//! CREATE TABLE and CREATE TABLE AS.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::constraint::{self, Stage};
use super::{DefineContext, Defined, expiration, index, name, sequence, temporary};
use crate::bind::ddl::{ColumnSpec, ColumnValue, CreateTable, CreateTableAs, OnCommit};
use crate::catalog::{ColumnDef, ColumnDefault, Definition, RowKeyDef, SequenceDef, TableDef};
use crate::error::{Error, Result, SqlState};
use crate::value::{SqlType, Type};

/// Columns that a table may have, as in Postgres.
const COLUMN_COUNT_MAX: usize = 1600;

pub(super) fn create(cx: &mut DefineContext<'_>, create: &CreateTable) -> Result<Defined> {
    let (schema, is_temporary) = temporary::schema_of_new(cx, &create.name, create.is_temporary)?;
    if cx.exists_already(&schema, &create.name.name, create.if_not_exists)? {
        return Defined::new("CREATE TABLE");
    }
    check_on_commit(create.on_commit, is_temporary)?;
    check_columns(create.columns.iter().map(|column| column.name.as_str()))?;
    let mut table = empty(cx, schema, create.name.name.clone(), is_temporary)?;
    let mut sequences = Vec::new();
    for column in &create.columns {
        let (column, sequence) = build_column(cx, &table, column)?;
        table.columns.push(column);
        sequences.extend(sequence);
    }
    for constraint in &create.constraints {
        constraint::add(cx, &mut table, constraint, Stage::Creating)?;
    }
    for spec in &create.indexes {
        let index = index::build(cx, &table, spec)?;
        table.indexes.push(Arc::new(index));
    }
    let options = create.options.iter().map(|(name, value)| (name.as_str(), Some(value.as_str())));
    expiration::set_options(cx, &mut table, options)?;
    for sequence in sequences {
        cx.put(Definition::Sequence(Arc::new(sequence)))?;
    }
    let table = cx.put_table(table)?;
    note_on_commit(cx, table.oid, create.on_commit);
    Defined::new("CREATE TABLE")
}

fn check_on_commit(action: OnCommit, is_temporary: bool) -> Result<()> {
    if action == OnCommit::PreserveRows || is_temporary {
        return Ok(());
    }
    let message = "ON COMMIT can only be used on temporary tables";
    Err(Error::new(SqlState::INVALID_TABLE_DEFINITION, message))
}

fn note_on_commit(cx: &mut DefineContext<'_>, table: u32, action: OnCommit) {
    if action != OnCommit::PreserveRows {
        cx.on_commit.push((table, action));
    }
}

/// A table without columns that is not in the catalog yet.
pub(super) fn empty(
    cx: &DefineContext<'_>,
    schema: String,
    name: String,
    is_temporary: bool,
) -> Result<TableDef> {
    let oid = cx.store.next_object_id()?;
    Ok(TableDef {
        oid,
        schema,
        name,
        owner: cx.user.to_owned(),
        columns: Vec::new(),
        row_key: RowKeyDef::Hidden,
        indexes: Vec::new(),
        checks: Vec::new(),
        foreign_keys: Vec::new(),
        is_temporary,
        storage: oid,
        expiration: None,
    })
}

fn check_columns<'a>(names: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            let message = format!("column \"{name}\" specified more than once");
            return Err(Error::new(SqlState::DUPLICATE_COLUMN, message));
        }
        if ["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"].contains(&name) {
            let message = format!("column name \"{name}\" conflicts with a system column name");
            return Err(Error::new(SqlState::DUPLICATE_COLUMN, message));
        }
    }
    if seen.len() > COLUMN_COUNT_MAX {
        let message = format!("tables can have at most {COLUMN_COUNT_MAX} columns");
        return Err(Error::new(SqlState("54011"), message));
    }
    Ok(())
}

/// A column to come at the end of `table`, and the sequence that it owns.
pub(super) fn build_column(
    cx: &DefineContext<'_>,
    table: &TableDef,
    spec: &ColumnSpec,
) -> Result<(ColumnDef, Option<SequenceDef>)> {
    let mut sequence = None;
    let default = match &spec.value {
        None => None,
        Some(ColumnValue::Expression(sql)) => Some(ColumnDefault::Expression(sql.clone())),
        Some(ColumnValue::Generated(sql)) => Some(ColumnDefault::Generated(sql.clone())),
        Some(ColumnValue::Serial) => {
            let made = own_sequence(cx, table, spec, &Default::default())?;
            let quoted = crate::identifier::quote_qualified(&made.schema, &made.name);
            sequence = Some(made);
            let literal = quoted.replace('\'', "''");
            Some(ColumnDefault::Expression(format!("nextval('{literal}'::regclass)")))
        }
        Some(ColumnValue::Identity { is_always, options }) => {
            let made = own_sequence(cx, table, spec, options)?;
            let oid = made.oid;
            sequence = Some(made);
            Some(ColumnDefault::Identity { sequence: oid, is_always: *is_always })
        }
    };
    let column = ColumnDef {
        name: spec.name.clone(),
        ty: spec.ty.clone(),
        domain: spec.domain,
        is_not_null: spec.is_not_null || sequence.is_some(),
        default,
        missing: None,
        is_dropped: false,
    };
    Ok((column, sequence))
}

/// The sequence of the column that comes next in `table`.
fn own_sequence(
    cx: &DefineContext<'_>,
    table: &TableDef,
    column: &ColumnSpec,
    options: &crate::bind::ddl::SequenceOptions,
) -> Result<SequenceDef> {
    if !matches!(column.ty.base, Type::Int2 | Type::Int4 | Type::Int8) {
        return Err(Error::new(
            SqlState::INVALID_PARAMETER_VALUE,
            "identity column type must be smallint, integer, or bigint",
        ));
    }
    let mut options = options.clone();
    options.ty.get_or_insert_with(|| column.ty.clone());
    let (schema, name) = match options.name.take() {
        Some(name) => {
            let schema = name.schema.unwrap_or_else(|| table.schema.clone());
            if schema != table.schema {
                let message = "sequence must be in same schema as table it is linked to";
                return Err(Error::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message));
            }
            cx.check_free(&schema, &name.name)?;
            (schema, name.name)
        }
        None => {
            let parts = (table.name.as_str(), column.name.as_str(), "seq");
            let pending = BTreeSet::new();
            let catalog = &cx.change.catalog;
            let name = name::choose_relation(catalog, &table.schema, parts, &pending);
            (table.schema.clone(), name)
        }
    };
    let mut sequence = sequence::build(cx, schema, name, &options)?;
    sequence.owned_by = Some((table.oid, table.columns.len()));
    Ok(sequence)
}

pub(super) fn create_as(cx: &mut DefineContext<'_>, create: &CreateTableAs) -> Result<Defined> {
    let (schema, is_temporary) = temporary::schema_of_new(cx, &create.name, create.is_temporary)?;
    if cx.exists_already(&schema, &create.name.name, create.if_not_exists)? {
        return Defined::new("CREATE TABLE AS");
    }
    check_on_commit(create.on_commit, is_temporary)?;
    let (table, rows) = fill_new(cx, (schema, is_temporary), create)?;
    note_on_commit(cx, table.oid, create.on_commit);
    Ok(Defined { tag: format!("SELECT {rows}") })
}

/// Makes a table of a query's columns and puts the query's rows into it.
pub(super) fn fill_new(
    cx: &mut DefineContext<'_>,
    (schema, is_temporary): (String, bool),
    create: &CreateTableAs,
) -> Result<(Arc<TableDef>, u64)> {
    check_columns(create.columns.iter().map(|(name, _)| name.as_str()))?;
    let mut table = empty(cx, schema, create.name.name.clone(), is_temporary)?;
    table.columns = create.columns.iter().map(|(name, ty)| plain_column(name, ty)).collect();
    let table = cx.put_table(table)?;
    let rows = if create.with_data { fill(cx, &table, &create.query)? } else { 0 };
    Ok((table, rows))
}

fn plain_column(name: &str, ty: &SqlType) -> ColumnDef {
    let ty = if ty.base == Type::Unknown { Type::Text.into() } else { ty.clone() };
    ColumnDef {
        name: name.to_owned(),
        ty,
        domain: None,
        is_not_null: false,
        default: None,
        missing: None,
        is_dropped: false,
    }
}

/// Puts a query's rows into a table of the same columns; answers how many.
pub(super) fn fill(
    cx: &DefineContext<'_>,
    table: &Arc<TableDef>,
    query: &crate::plan::Plan,
) -> Result<u64> {
    let catalog = cx.catalog();
    let mut plan = query.clone();
    let input = std::mem::replace(&mut plan.root, crate::plan::Node::Values { rows: Vec::new() });
    plan.root = crate::plan::Node::Insert(Box::new(crate::plan::Insert {
        writer: cx.runner.table_writer(&catalog, table)?,
        input,
        conflict: None,
        returning: Some(Vec::new()),
    }));
    plan.columns = Vec::new();
    plan.command = crate::plan::Command::Insert;
    let mut rows = 0;
    cx.runner.run(&catalog, plan, &mut |_| {
        rows += 1;
        Ok(())
    })?;
    Ok(rows)
}
