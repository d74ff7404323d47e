//! Expressions that the catalog keeps as text: defaults, checks, generated columns, index keys,
//! predicates; and everything that writing a row of a table takes.

use std::sync::Arc;

use sqlparser::ast::Expr as Ast;

use super::BindContext;
use super::binder::Binder;
use super::scope::Clause;
use super::typed::Typed;
use super::types::CastContext;
use super::walk::{Layout, remap};
use crate::catalog::{ColumnDefault, ForeignKeyDef, IndexDef, IndexKey, TableDef};
use crate::error::{Error, Result, SqlState};
use crate::expression::Expr;
use crate::plan::{ForeignKeyCheck, IndexWriter, TableWriter};
use crate::value::{SqlType, Type, Value};

/// Binds a stored expression over a table's columns, each at its position in
/// [`TableDef::columns`]; converts it to `ty` when one is given.
///
/// # Errors
/// Whatever is wrong with the expression.
pub fn bind_table_expression(
    ctx: BindContext<'_>,
    table: &Arc<TableDef>,
    sql: &str,
    ty: Option<&SqlType>,
) -> Result<(Expr, SqlType)> {
    Binder::without_text(ctx).stored_expression(table, sql, ty)
}

/// Everything that writing rows of a table takes.
///
/// # Errors
/// Whatever is wrong with a stored expression.
pub fn table_writer(ctx: BindContext<'_>, table: &Arc<TableDef>) -> Result<TableWriter> {
    Binder::without_text(ctx).table_writer(table)
}

/// The DEFAULT of a column, in the column's type.
///
/// # Errors
/// Whatever is wrong with it.
pub fn column_default(ctx: BindContext<'_>, table: &Arc<TableDef>, column: usize) -> Result<Expr> {
    Binder::without_text(ctx).default_of(table, column)
}

impl Binder<'_> {
    /// See [`bind_table_expression`].
    pub(crate) fn stored_expression(
        &mut self,
        table: &Arc<TableDef>,
        sql: &str,
        ty: Option<&SqlType>,
    ) -> Result<(Expr, SqlType)> {
        let (statement, parsed) = crate::parse::parse_expression(sql)?;
        self.within_stored(&statement, |binder| {
            binder.table_expression(table, &parsed, ty, Clause::Check)
        })
    }

    /// An expression over a table's columns, each at its position in [`TableDef::columns`].
    pub(crate) fn table_expression(
        &mut self,
        table: &Arc<TableDef>,
        parsed: &Ast,
        ty: Option<&SqlType>,
        clause: Clause,
    ) -> Result<(Expr, SqlType)> {
        let bound = self.in_new_level(|binder| {
            let (mut scope, variables) = binder.table_row(table, &table.name);
            binder.note_table(table, &mut scope);
            let layout = Layout::of(variables);
            binder.level().scope = scope;
            binder.level().clause = clause;
            let value = binder.bind_expr(parsed)?;
            let value = match ty {
                None => binder.settle(value)?,
                Some(ty) => binder.stored_value(value, ty)?,
            };
            let mut expr = value.expr;
            remap(&mut expr, &layout)?;
            Ok((expr, value.ty))
        });
        bound.map(|(bound, _)| bound)
    }

    fn stored_value(&mut self, value: Typed, ty: &SqlType) -> Result<Typed> {
        let from = self.type_name(&value.ty);
        match self.try_coerce(value, ty, CastContext::Assignment)? {
            Some(value) => Ok(value),
            None => {
                let message = format!("type {from} cannot be stored as {}", self.type_name(ty));
                Err(Error::new(SqlState::DATATYPE_MISMATCH, message))
            }
        }
    }

    /// A DEFAULT expression for a column.
    pub(crate) fn stored_default(&mut self, sql: &str, column: &str, ty: &SqlType) -> Result<Expr> {
        let (statement, parsed) = crate::parse::parse_expression(sql)?;
        let bound = self.within_stored(&statement, |binder| {
            binder.in_new_level(|binder| {
                binder.level().clause = Clause::Default;
                let value = binder.bind_expr(&parsed)?;
                binder.assign(value, column, ty)
            })
        });
        bound.map(|(expr, _)| expr)
    }

    /// The next number of an identity column's sequence.
    pub(crate) fn next_value(&mut self, sequence: u32, column: &str, ty: &SqlType) -> Result<Expr> {
        let sequence = Typed::new(Expr::Const(Value::Oid(sequence)), Type::RegClass);
        let next = self.call("nextval", vec![sequence], None)?;
        self.assign(next, column, ty)
    }

    /// See [`table_writer`].
    pub(crate) fn table_writer(&mut self, table: &Arc<TableDef>) -> Result<TableWriter> {
        let mut generated = Vec::new();
        for (position, column) in table.live_columns() {
            if let Some(ColumnDefault::Generated(sql)) = &column.default {
                let (expr, _) = self.stored_expression(table, sql, Some(&column.ty))?;
                generated.push((position, expr));
            }
        }
        let bool_type = SqlType::new(Type::Bool);
        let mut checks = Vec::with_capacity(table.checks.len());
        for check in &table.checks {
            let (expr, _) = self.stored_expression(table, &check.expression, Some(&bool_type))?;
            checks.push((check.name.clone(), expr));
        }
        let columns = table.live_columns();
        let domains = columns.filter_map(|(position, column)| Some((position, column.domain?)));
        let domains = domains.map(|(position, oid)| Ok((position, self.domain_checks(oid)?)));
        let domains = domains.collect::<Result<Vec<_>>>()?;
        let indexes = table.indexes.iter().map(|index| self.index_writer(table, index));
        let indexes = indexes.collect::<Result<Vec<_>>>()?;
        let references = table.foreign_keys.iter().map(|key| self.foreign_key(key));
        let references = references.collect::<Result<Vec<_>>>()?;
        let catalog = Arc::clone(self.ctx.catalog);
        let referenced_by = catalog.references_to(table.oid).map(|key| self.foreign_key(key));
        let referenced_by = referenced_by.collect::<Result<Vec<_>>>()?;
        let table = Arc::clone(table);
        Ok(TableWriter { table, generated, checks, domains, indexes, references, referenced_by })
    }

    /// One index' keys and predicate over its table's columns.
    pub(crate) fn index_writer(
        &mut self,
        table: &Arc<TableDef>,
        index: &Arc<IndexDef>,
    ) -> Result<IndexWriter> {
        let keys = index.keys.iter().map(|key| self.index_key(table, key));
        let keys = keys.collect::<Result<Vec<_>>>()?;
        let bool_type = SqlType::new(Type::Bool);
        let predicate = index
            .predicate
            .as_ref()
            .map(|sql| self.stored_expression(table, sql, Some(&bool_type)).map(|(expr, _)| expr));
        Ok(IndexWriter { index: Arc::clone(index), keys, predicate: predicate.transpose()? })
    }

    fn index_key(&mut self, table: &Arc<TableDef>, key: &IndexKey) -> Result<Expr> {
        match (key.column, &key.expression) {
            (Some(column), _) => Ok(Expr::Column(column)),
            (None, Some(sql)) => self.stored_expression(table, sql, None).map(|(expr, _)| expr),
            (None, None) => Err(Error::internal("an index key is neither column nor expression")),
        }
    }

    fn foreign_key(&self, key: &Arc<ForeignKeyDef>) -> Result<ForeignKeyCheck> {
        Ok(ForeignKeyCheck {
            key: Arc::clone(key),
            referencing: self.table_of(key.table)?,
            referenced: self.table_of(key.referenced_table)?,
        })
    }
}
