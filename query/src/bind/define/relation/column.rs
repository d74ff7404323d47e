//! Columns: their types, where their values come from, and the constraints written behind them.

use std::sync::Arc;

use sqlparser::ast::{
    ColumnDef as AstColumn, ColumnOption, DataType, Expr as Ast, GeneratedAs, Ident,
};

use super::constraint::{self, Owner};
use super::parts;
use crate::bind::binder::{Binder, locate};
use crate::bind::ddl::{ColumnSpec, ColumnValue, ConstraintKind, ConstraintSpec};
use crate::bind::define::object;
use crate::bind::scope::Clause;
use crate::bind::{fold, types};
use crate::catalog::{ColumnDef, TableDef};
use crate::error::{Error, Result, SqlState};
use crate::value::{SqlType, Type};

/// A column without what speaks of other columns, which [`finish`] adds.
///
/// # Errors
/// 42704 for an unknown type, 42601 for clauses that exclude each other, what a DEFAULT meets.
pub(super) fn bind(binder: &mut Binder<'_>, ast: &AstColumn, table: &str) -> Result<ColumnSpec> {
    binder.check_word(&ast.name)?;
    let serial = serial_type(&ast.data_type);
    let mut column = ColumnSpec {
        name: fold(&ast.name),
        ty: match serial {
            Some(ref ty) => ty.clone(),
            None => type_of(binder, &ast.data_type, &ast.name)?,
        },
        domain: domain_of(binder, &ast.data_type),
        is_not_null: serial.is_some(),
        value: serial.is_some().then_some(ColumnValue::Serial),
    };
    let mut is_null = false;
    for option in &ast.options {
        match &option.option {
            ColumnOption::NotNull => column.is_not_null = true,
            ColumnOption::Null => is_null = true,
            ColumnOption::Default(value) => {
                let value = default_value(binder, &column, value)?;
                set_value(binder, &mut column, value, (&ast.name, table))?;
            }
            ColumnOption::Generated { generated_as, sequence_options, generation_expr, .. }
                if generation_expr.is_none() =>
            {
                let options = sequence_options.as_deref().unwrap_or_default();
                let options = object::identity_options(binder, options)?;
                let is_always = matches!(generated_as, GeneratedAs::Always);
                column.is_not_null = true;
                let value = ColumnValue::Identity { is_always, options };
                set_value(binder, &mut column, value, (&ast.name, table))?;
            }
            _ => {}
        }
    }
    if is_null && column.is_not_null {
        let what = "conflicting NULL/NOT NULL declarations";
        return Err(conflicting(binder, what, (&ast.name, table)));
    }
    Ok(column)
}

/// Adds what may speak of all columns of the table: a generated value, and the constraints
/// written behind the column.
///
/// # Errors
/// Whatever is wrong with an expression; 0A000 for clauses that do not exist here.
pub(super) fn finish(
    binder: &mut Binder<'_>,
    table: &Arc<TableDef>,
    ast: &AstColumn,
    column: &mut ColumnSpec,
) -> Result<Vec<ConstraintSpec>> {
    let mut constraints: Vec<ConstraintSpec> = Vec::new();
    for option in &ast.options {
        let owner = Owner { table, column: Some(&ast.name) };
        match &option.option {
            ColumnOption::NotNull
            | ColumnOption::Null
            | ColumnOption::Default(_)
            | ColumnOption::Collation(_)
            | ColumnOption::Comment(_) => {}
            ColumnOption::Generated { generation_expr: None, .. } => {}
            ColumnOption::Generated { generation_expr: Some(value), .. } => {
                let value = generated(binder, table, column, value)?;
                set_value(binder, column, value, (&ast.name, &table.name))?;
            }
            ColumnOption::PrimaryKey(key) => {
                constraints.push(constraint::primary_key(&owner, option.name.as_ref(), key)?);
            }
            ColumnOption::Unique(key) => {
                constraints.push(constraint::unique(&owner, option.name.as_ref(), key)?);
            }
            ColumnOption::ForeignKey(key) => {
                let name = option.name.as_ref();
                constraints.push(constraint::foreign_key(binder, &owner, name, key)?);
            }
            ColumnOption::Check(check) => {
                let name = option.name.as_ref();
                constraints.push(constraint::check(binder, &owner, name, check)?);
            }
            other => return Err(Error::unsupported(other.to_string())),
        }
    }
    refuse_null_key(binder, ast, &table.name, &constraints)?;
    Ok(constraints)
}

/// `NULL PRIMARY KEY`
fn refuse_null_key(
    binder: &Binder<'_>,
    ast: &AstColumn,
    table: &str,
    constraints: &[ConstraintSpec],
) -> Result<()> {
    let is_null = ast.options.iter().any(|option| option.option == ColumnOption::Null);
    let is_key = |spec: &ConstraintSpec| matches!(spec.kind, ConstraintKind::PrimaryKey { .. });
    if is_null && constraints.iter().any(is_key) {
        let what = "conflicting NULL/NOT NULL declarations";
        return Err(conflicting(binder, what, (&ast.name, table)));
    }
    Ok(())
}

/// The type of a column.
///
/// # Errors
/// 42704; 42P16 for a type without values.
pub(super) fn type_of(binder: &Binder<'_>, ty: &DataType, column: &Ident) -> Result<SqlType> {
    let path = &binder.ctx.facts.search_path;
    let resolved = types::resolve_type(binder.ctx.catalog, path, ty)
        .map_err(|error| locate(error, binder.at_span(column.span)))?;
    if matches!(resolved.base, Type::Unknown | Type::Record | Type::Void) {
        let message =
            format!("column \"{}\" has pseudo-type {}", fold(column), binder.type_name(&resolved));
        return Err(Error::new(SqlState::INVALID_TABLE_DEFINITION, message));
    }
    Ok(resolved)
}

/// The domain that is named as a column's type.
pub(super) fn domain_of(binder: &Binder<'_>, ty: &DataType) -> Option<u32> {
    types::domain_of(binder.ctx.catalog, &binder.ctx.facts.search_path, ty)
}

/// The type behind `serial` and its kind.
fn serial_type(ty: &DataType) -> Option<SqlType> {
    let DataType::Custom(name, modifiers) = ty else { return None };
    let name = name.0.first()?.as_ident()?;
    let base = match (fold(name).as_str(), modifiers.is_empty()) {
        ("serial" | "serial4", true) => Type::Int4,
        ("bigserial" | "serial8", true) => Type::Int8,
        ("smallserial" | "serial2", true) => Type::Int2,
        _ => return None,
    };
    Some(SqlType::new(base))
}

/// A DEFAULT, checked against the column's type.
///
/// # Errors
/// Whatever is wrong with it; 42804 when it does not become the column's type.
pub(super) fn default_value(
    binder: &mut Binder<'_>,
    column: &ColumnSpec,
    value: &Ast,
) -> Result<ColumnValue> {
    binder.in_new_level(|binder| {
        binder.level().clause = Clause::Default;
        let bound = binder.bind_expr(value)?;
        binder.assign(bound, &column.name, &column.ty)
    })?;
    binder.kept_expression(value, None, Some(&column.ty)).map(ColumnValue::Expression)
}

/// `GENERATED ALWAYS AS (…) STORED`
fn generated(
    binder: &mut Binder<'_>,
    table: &Arc<TableDef>,
    column: &ColumnSpec,
    value: &Ast,
) -> Result<ColumnValue> {
    let (expr, _) = binder.table_expression(table, value, Some(&column.ty), Clause::Generated)?;
    if !parts::is_immutable(&expr) {
        let message = "generation expression is not immutable";
        return Err(Error::new(SqlState::INVALID_OBJECT_DEFINITION, message));
    }
    let columns = crate::plan::walk::columns(&expr).into_iter();
    let generated = columns
        .filter_map(|position| table.columns.get(position))
        .find(|column| matches!(column.default, Some(crate::catalog::ColumnDefault::Generated(_))));
    if let Some(ColumnDef { name, .. }) = generated {
        let message =
            format!("cannot use generated column \"{name}\" in column generation expression");
        let detail = "A generated column cannot reference another generated column.";
        return Err(Error::new(SqlState::INVALID_OBJECT_DEFINITION, message).with_detail(detail));
    }
    let sql = binder.kept_expression(value, Some(table), Some(&column.ty))?;
    Ok(ColumnValue::Generated(sql))
}

/// A column has one source of values.
fn set_value(
    binder: &Binder<'_>,
    column: &mut ColumnSpec,
    value: ColumnValue,
    place: (&Ident, &str),
) -> Result<()> {
    let what = match (&column.value, &value) {
        (None, _) => {
            column.value = Some(value);
            return Ok(());
        }
        (Some(ColumnValue::Expression(_) | ColumnValue::Serial), ColumnValue::Expression(_)) => {
            "multiple default values specified"
        }
        (Some(ColumnValue::Identity { .. }), ColumnValue::Identity { .. }) => {
            "multiple identity specifications"
        }
        (Some(ColumnValue::Generated(_)), ColumnValue::Generated(_)) => {
            "multiple generation clauses specified"
        }
        (Some(ColumnValue::Identity { .. }), ColumnValue::Generated(_))
        | (Some(ColumnValue::Generated(_)), ColumnValue::Identity { .. }) => {
            "both identity and generation expression specified"
        }
        (Some(ColumnValue::Generated(_)), _) | (_, ColumnValue::Generated(_)) => {
            "both default and generation expression specified"
        }
        _ => "both default and identity specified",
    };
    Err(conflicting(binder, what, place))
}

/// Clauses of a column, given with its table's name, that exclude each other.
fn conflicting(binder: &Binder<'_>, what: &str, (name, table): (&Ident, &str)) -> Error {
    let message = format!("{what} for column \"{}\" of table \"{table}\"", fold(name));
    locate(Error::new(SqlState::SYNTAX_ERROR, message), binder.at_name(name))
}

/// A column that is added to a table: over the table's columns and itself.
///
/// # Errors
/// As [`bind`] and [`finish`].
pub(super) fn bind_added(
    binder: &mut Binder<'_>,
    table: &TableDef,
    ast: &AstColumn,
) -> Result<(ColumnSpec, Vec<ConstraintSpec>)> {
    let mut column = bind(binder, ast, &table.name)?;
    let mut table = table.clone();
    table.columns.push(parts::described_column(&column));
    let constraints = finish(binder, &Arc::new(table), ast, &mut column)?;
    Ok((column, constraints))
}
