//! What tables are made of in several statements: a table that only exists in its statement, stored
//! expressions, column names.

use std::collections::BTreeSet;
use std::sync::Arc;

use sqlparser::ast::{Expr as Ast, Ident, IndexColumn};

use crate::bind::binder::{Binder, locate};
use crate::bind::ddl::{ColumnSpec, QualifiedName};
use crate::bind::fold;
use crate::bind::scope::Clause;
use crate::catalog::{ColumnDef, RowKeyDef, TableDef};
use crate::error::{Error, Result, SqlState};
use crate::expression::{Expr, Volatility};
use crate::plan::walk;
use crate::value::{SqlType, Type};

/// A table as its statement describes it, for binding expressions over its columns. It has no
/// OID and is in no catalog.
pub(super) fn described(name: &QualifiedName, columns: &[ColumnSpec]) -> TableDef {
    TableDef {
        oid: 0,
        schema: name.schema.clone().unwrap_or_default(),
        name: name.name.clone(),
        owner: String::new(),
        columns: columns.iter().map(described_column).collect(),
        row_key: RowKeyDef::Hidden,
        indexes: Vec::new(),
        checks: Vec::new(),
        foreign_keys: Vec::new(),
        is_temporary: false,
        storage: 0,
        expiration: None,
    }
}

/// A column as its statement describes it.
pub(super) fn described_column(spec: &ColumnSpec) -> ColumnDef {
    ColumnDef {
        name: spec.name.clone(),
        ty: spec.ty.clone(),
        domain: spec.domain,
        is_not_null: spec.is_not_null,
        default: None,
        missing: None,
        is_dropped: false,
    }
}

/// A condition over a table's columns as the catalog keeps it, and the column that it is about
/// when it is about one.
///
/// # Errors
/// Whatever is wrong with it; 42804 when it is not boolean.
pub(super) fn condition(
    binder: &mut Binder<'_>,
    table: &Arc<TableDef>,
    ast: &Ast,
) -> Result<(String, Option<String>)> {
    let (expr, _) =
        binder.table_expression(table, ast, Some(&SqlType::new(Type::Bool)), Clause::Check)?;
    let columns: BTreeSet<usize> = walk::columns(&expr).into_iter().collect();
    let only = columns.first().filter(|_| columns.len() == 1);
    let column = only.and_then(|&column| table.columns.get(column));
    let sql = binder.kept_expression(ast, Some(table), None)?;
    Ok((sql, column.map(|column| column.name.clone())))
}

/// The position of a column in a table.
///
/// # Errors
/// 42703
pub(super) fn position(binder: &Binder<'_>, table: &TableDef, name: &Ident) -> Result<usize> {
    let folded = fold(name);
    table.column(&folded).ok_or_else(|| {
        let message = format!("column \"{folded}\" does not exist");
        locate(Error::new(SqlState::UNDEFINED_COLUMN, message), binder.at_name(name))
    })
}

/// The names of columns.
pub(super) fn names(idents: &[Ident]) -> Vec<String> {
    idents.iter().map(fold).collect()
}

/// The columns of a key that allows nothing but columns.
///
/// # Errors
/// 42601 for an expression.
pub(super) fn key_columns(columns: &[IndexColumn]) -> Result<Vec<String>> {
    let name = |column: &IndexColumn| match &column.column.expr {
        Ast::Identifier(name) => Ok(fold(name)),
        other => {
            let message = format!("syntax error at or near \"{other}\"");
            Err(Error::new(SqlState::SYNTAX_ERROR, message))
        }
    };
    columns.iter().map(name).collect()
}

/// Whether an expression gives the same value for the same row for ever.
pub(super) fn is_immutable(expr: &Expr) -> bool {
    !walk::any(expr, &mut |part| match part {
        Expr::Call { function, .. } => function.volatility != Volatility::Immutable,
        _ => false,
    })
}
