//! CREATE TABLE.

use std::sync::Arc;

use sqlparser::ast;

use super::constraint::{self, Item};
use super::{column, index, parts, refuse};
use crate::bind::binder::Binder;
use crate::bind::ddl::{ColumnSpec, CreateTable, OnCommit};
use crate::error::Result;

/// Binds CREATE TABLE.
///
/// # Errors
/// Whatever is wrong with it; 0A000 for partitions and inheritance.
pub(super) fn bind(binder: &mut Binder<'_>, create: &ast::CreateTable) -> Result<CreateTable> {
    refuse(create.partition_by.is_some() || create.partition_of.is_some(), "partitioning")?;
    refuse(create.inherits.is_some(), "INHERITS")?;
    let name = binder.qualified(&create.name)?;
    let mut columns = like(binder, create)?;
    for ast in &create.columns {
        columns.push(column::bind(binder, ast)?);
    }
    let mut table = parts::described(&name, &columns);
    mark_generated(&mut table, create, &columns);
    let table = Arc::new(table);
    let (mut constraints, mut indexes) = (Vec::new(), Vec::new());
    let first = columns.len() - create.columns.len();
    for (ast, spec) in create.columns.iter().zip(columns.iter_mut().skip(first)) {
        constraints.append(&mut column::finish(binder, &table, ast, spec)?);
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
    let first = columns.len() - create.columns.len();
    for (ast, column) in create.columns.iter().zip(table.columns.iter_mut().skip(first)) {
        let is_generated = ast.options.iter().any(|option| {
            matches!(&option.option, ast::ColumnOption::Generated { generation_expr: Some(_), .. })
        });
        if is_generated {
            let generated = crate::catalog::ColumnDefault::Generated(String::new());
            column.default = Some(generated);
        }
    }
}

/// The columns that `LIKE` copies: names, types and NOT NULL.
fn like(binder: &Binder<'_>, create: &ast::CreateTable) -> Result<Vec<ColumnSpec>> {
    let Some(ast::CreateTableLikeKind::Parenthesized(like) | ast::CreateTableLikeKind::Plain(like)) =
        &create.like
    else {
        return Ok(Vec::new());
    };
    let including = matches!(like.defaults, Some(ast::CreateTableLikeDefaults::Including));
    let source = binder.named_table(&binder.qualified(&like.name)?)?;
    let copy = source.live_columns().map(|(_, column)| ColumnSpec {
        name: column.name.clone(),
        ty: column.ty.clone(),
        domain: column.domain,
        is_not_null: column.is_not_null,
        value: match &column.default {
            Some(crate::catalog::ColumnDefault::Expression(sql)) if including => {
                Some(crate::bind::ddl::ColumnValue::Expression(sql.clone()))
            }
            _ => None,
        },
    });
    Ok(copy.collect())
}

fn on_commit(create: &ast::CreateTable) -> OnCommit {
    match create.on_commit {
        None | Some(ast::OnCommit::PreserveRows) => OnCommit::PreserveRows,
        Some(ast::OnCommit::DeleteRows) => OnCommit::DeleteRows,
        Some(ast::OnCommit::Drop) => OnCommit::Drop,
    }
}

/// Storage parameters as written.
pub(super) fn options(ast: &ast::CreateTableOptions) -> Vec<(String, String)> {
    match ast {
        ast::CreateTableOptions::With(options) => options.iter().filter_map(option).collect(),
        _ => Vec::new(),
    }
}

fn option(ast: &ast::SqlOption) -> Option<(String, String)> {
    match ast {
        ast::SqlOption::KeyValue { key, value } => {
            Some((key.value.to_lowercase(), value.to_string()))
        }
        ast::SqlOption::Ident(key) => Some((key.value.to_lowercase(), "true".to_owned())),
        _ => None,
    }
}
