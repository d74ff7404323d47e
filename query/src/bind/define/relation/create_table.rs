//! CREATE TABLE.

use std::sync::Arc;

use sqlparser::ast;

use super::constraint::{self, Item};
use super::{column, index, like, parts, refuse};
use crate::bind::binder::Binder;
use crate::bind::ddl::{ColumnSpec, ColumnValue, CreateTable, OnCommit};
use crate::bind::fold;
use crate::error::{Error, Result};

/// Binds CREATE TABLE.
///
/// # Errors
/// Whatever is wrong with it; 0A000 for partitions and inheritance.
pub(super) fn bind(binder: &mut Binder<'_>, create: &ast::CreateTable) -> Result<CreateTable> {
    refuse(create.partition_by.is_some() || create.partition_of.is_some(), "partitioning")?;
    refuse(create.inherits.is_some(), "INHERITS")?;
    let name = binder.qualified(&create.name)?;
    let mut columns = Vec::with_capacity(create.columns.len());
    for ast in &create.columns {
        columns.push(column::bind(binder, ast, &name.name)?);
    }
    let likes = like::bind(binder, create, &mut columns)?;
    let mut table = parts::described(&name, &columns);
    mark_generated(&mut table, create, &columns);
    let table = Arc::new(table);
    let (mut constraints, mut indexes) = (Vec::new(), Vec::new());
    for ast in &create.columns {
        let own = columns.iter_mut().find(|column| column.name == fold(&ast.name));
        let own = own.ok_or_else(|| Error::internal("a column is gone"))?;
        constraints.append(&mut column::finish(binder, &table, ast, own)?);
    }
    for like in likes {
        like.push_parts(&columns, &mut constraints, &mut indexes);
    }
    for ast in &create.constraints {
        match constraint::bind(binder, &table, ast)? {
            Item::Constraint(constraint) => constraints.push(constraint),
            Item::Index(index) => indexes.push(index),
        }
    }
    for ast in Arc::clone(&binder.extensions).indexes() {
        indexes.push(index::inline(binder, &table, ast)?);
    }
    Ok(CreateTable {
        name,
        if_not_exists: create.if_not_exists,
        is_temporary: create.temporary,
        on_commit: on_commit(create),
        columns,
        constraints,
        indexes,
        options: options(&create.table_options),
    })
}

/// Generated columns may not be read by other generated columns: the table that expressions are
/// bound over says which they are.
fn mark_generated(
    table: &mut crate::catalog::TableDef,
    create: &ast::CreateTable,
    columns: &[ColumnSpec],
) {
    let is_written = |name: &str| {
        let own = create.columns.iter().find(|ast| fold(&ast.name) == name);
        own.is_some_and(|ast| {
            ast.options.iter().any(|option| {
                matches!(
                    &option.option,
                    ast::ColumnOption::Generated { generation_expr: Some(_), .. }
                )
            })
        })
    };
    for (spec, column) in columns.iter().zip(&mut table.columns) {
        let is_copied = matches!(spec.value, Some(ColumnValue::Generated(_)));
        if is_copied || is_written(&spec.name) {
            let generated = crate::catalog::ColumnDefault::Generated(String::new());
            column.default = Some(generated);
        }
    }
}

fn on_commit(create: &ast::CreateTable) -> OnCommit {
    match create.on_commit {
        None | Some(ast::OnCommit::PreserveRows) => OnCommit::PreserveRows,
        Some(ast::OnCommit::DeleteRows) => OnCommit::DeleteRows,
        Some(ast::OnCommit::Drop) => OnCommit::Drop,
    }
}

/// Storage parameters: names and unquoted values.
pub(super) fn options(ast: &ast::CreateTableOptions) -> Vec<(String, String)> {
    match ast {
        ast::CreateTableOptions::With(options) => options.iter().filter_map(option).collect(),
        _ => Vec::new(),
    }
}

fn option(ast: &ast::SqlOption) -> Option<(String, String)> {
    match ast {
        ast::SqlOption::KeyValue { key, value } => {
            let value = match value {
                ast::Expr::Identifier(name) => fold(name),
                ast::Expr::Value(value) => {
                    value.value.clone().into_string().unwrap_or_else(|| value.to_string())
                }
                other => other.to_string(),
            };
            Some((key.value.to_lowercase(), value))
        }
        ast::SqlOption::Ident(key) => Some((key.value.to_lowercase(), "true".to_owned())),
        _ => None,
    }
}
