//! Texts of the catalog that follow what they name: bound where a name still has its meaning,
//! written with the names that another catalog has for it.

use std::collections::BTreeSet;
use std::sync::Arc;

use sqlparser::ast;

use super::binder::Binder;
use super::scope::Clause;
use super::stored_text::StoredText;
use super::{BindContext, bind_root};
use crate::catalog::{Catalog, TableDef};
use crate::error::{Error, Result};
use crate::parse::Statement;
use crate::value::SqlType;

/// A text that the catalog keeps.
#[derive(Clone, Copy, Debug)]
pub enum KeptText<'a> {
    /// The query of a view.
    Query(&'a str),
    /// An expression, over the columns of a table if it is of one, in a type if it takes one.
    Expression {
        /// The text.
        sql: &'a str,
        /// The table.
        table: Option<&'a Arc<TableDef>>,
        /// The type.
        ty: Option<&'a SqlType>,
    },
}

/// A text with everything that it names under its name in `after`.
///
/// # Errors
/// What binding it meets.
pub fn follow(ctx: BindContext<'_>, text: KeptText<'_>, after: &Catalog) -> Result<String> {
    match text {
        KeptText::Query(sql) => follow_query(ctx, sql, after),
        KeptText::Expression { sql, table, ty } => follow_expression(ctx, (sql, table, ty), after),
    }
}

fn follow_query(ctx: BindContext<'_>, sql: &str, after: &Catalog) -> Result<String> {
    let (statement, stored) = noted_query(ctx, sql)?;
    let source = &statement.source;
    Ok(stored.rewrite(source, 0..source.text.len(), after))
}

/// The columns that a view's query names: the relation and the position there.
///
/// # Errors
/// What binding it meets.
pub fn columns_read(ctx: BindContext<'_>, sql: &str) -> Result<BTreeSet<(u32, usize)>> {
    noted_query(ctx, sql).map(|(_, stored)| stored.columns_read())
}

fn noted_query(ctx: BindContext<'_>, sql: &str) -> Result<(Statement, StoredText)> {
    let statement = crate::parse::parse(sql)?.pop();
    let statement = statement.ok_or_else(|| Error::internal("an empty view"))?;
    let query = statement.query().ok_or_else(|| Error::internal("a view is no query"))?;
    let mut binder = Binder::new(ctx, &statement);
    binder.stored_text = Some(StoredText::default().of_kept());
    let (_, stored) = bind_root(binder, &ast::Statement::Query(Box::new(query.clone())))?;
    Ok((statement, stored.unwrap_or_default()))
}

fn follow_expression(
    ctx: BindContext<'_>,
    (sql, table, ty): (&str, Option<&Arc<TableDef>>, Option<&SqlType>),
    after: &Catalog,
) -> Result<String> {
    let (statement, parsed) = crate::parse::parse_expression(sql)?;
    let mut binder = Binder::new(ctx, &statement);
    binder.stored_text = Some(StoredText::of_expression().of_kept());
    match table {
        Some(table) => binder.table_expression(table, &parsed, ty, Clause::Check).map(|_| ())?,
        None => binder
            .in_new_level(|binder| {
                binder.level().clause = Clause::Default;
                let value = binder.bind_expr(&parsed)?;
                match ty {
                    Some(ty) => binder.assign(value, "value", ty).map(|_| ()),
                    None => binder.settle(value).map(|_| ()),
                }
            })
            .map(|_| ())?,
    }
    let stored = binder.stored_text.take().unwrap_or_default();
    Ok(stored.rewrite(&statement.source, crate::parse::expression_range(&statement.source), after))
}

impl Binder<'_> {
    /// The text of an expression as the catalog keeps it: names written out.
    ///
    /// # Errors
    /// What binding it meets.
    pub(crate) fn kept_expression(
        &self,
        expr: &ast::Expr,
        table: Option<&Arc<TableDef>>,
        ty: Option<&SqlType>,
    ) -> Result<String> {
        let sql = expr.to_string();
        follow_expression(self.ctx, (&sql, table, ty), self.ctx.catalog)
    }
}
