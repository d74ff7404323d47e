//! COPY: the INSERT or SELECT behind it.

use std::sync::Arc;

use sqlparser::ast::{Expr as Ast, Ident, Statement as Sql};

use super::copy_option;
use crate::bind::binder::{Binder, locate};
use crate::bind::ddl::QualifiedName;
use crate::bind::scope::Clause;
use crate::bind::walk::{Layout, remap, replace};
use crate::bind::{BindContext, BoundStatement, Copy, CopySource, system_catalog};
use crate::catalog::{ColumnDefault, Relation, TableDef};
use crate::error::{Error, Result, SqlState};
use crate::expression::Expr;
use crate::identifier::{quote_identifier, quote_qualified};
use crate::parse::command::session::{Copy as Syntax, CopyObject};
use crate::parse::{Statement, Syntax as Inner, parse};
use crate::plan::{Command, Plan};

/// `COPY`
pub(super) fn bind(
    statement: &Statement,
    copy: &Syntax,
    ctx: BindContext<'_>,
) -> Result<BoundStatement> {
    let (source, columns) = match &copy.object {
        CopyObject::Query(inner) => bind_query(&statement.within(inner), ctx)?,
        CopyObject::Table { name, columns } => {
            let binder = Binder::new(ctx, statement);
            let name = binder.qualified(name)?;
            match binder.copied_table(&name, copy.is_from)? {
                Some(table) => bind_table(binder, &table, columns, copy)?,
                None => (CopySource::Query(Box::new(select(&name, columns, ctx)?)), Vec::new()),
            }
        }
    };
    let options = copy_option::bind(statement, &copy.options, &columns, copy.is_from)?;
    let (target, is_from) = (copy.target.clone(), copy.is_from);
    Ok(BoundStatement::Copy(Box::new(Copy { source, target, is_from, options })))
}

/// What is copied, and the names of the columns.
type Source = (CopySource, Vec<String>);

fn bind_query(inner: &Statement, ctx: BindContext<'_>) -> Result<Source> {
    let BoundStatement::Rows(plan) = crate::bind::bind(inner, ctx)? else {
        return Err(Error::unsupported("COPY of this statement"));
    };
    if plan.command != Command::Select && !is_returning(inner) {
        let message = "COPY query must have a RETURNING clause";
        return Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message));
    }
    let columns = plan.columns.iter().map(|column| column.name.clone()).collect();
    Ok((CopySource::Query(plan), columns))
}

fn is_returning(statement: &Statement) -> bool {
    match statement.syntax.as_ref() {
        Inner::Sql(Sql::Insert(insert)) => insert.returning.is_some(),
        Inner::Sql(Sql::Update(update)) => update.returning.is_some(),
        Inner::Sql(Sql::Delete(delete)) => delete.returning.is_some(),
        _ => true,
    }
}

fn bind_table(
    binder: Binder<'_>,
    table: &Arc<TableDef>,
    listed: &[Ident],
    copy: &Syntax,
) -> Result<Source> {
    let columns = binder.copied_columns(table, listed)?;
    let names: Vec<String> =
        columns.iter().map(|position| table.columns[*position].name.clone()).collect();
    let (plan, filter) = if copy.is_from {
        let filter = copy.filter.as_ref();
        insert(binder.ctx, table, &columns)
            .and_then(|plan| Ok((plan, binder.copy_filter(table, &columns, filter)?)))?
    } else {
        let whole = QualifiedName {
            schema: Some(table.schema.clone()),
            name: table.name.clone(),
            position: None,
        };
        let idents: Vec<Ident> =
            names.iter().map(|name| Ident::with_quote('"', name.clone())).collect();
        (select(&whole, &idents, binder.ctx)?, None)
    };
    let (table, plan) = (table.oid, Box::new(plan));
    Ok((CopySource::Table { table, columns, plan, filter }, names))
}

/// The INSERT of one row of parameters.
fn insert(ctx: BindContext<'_>, table: &Arc<TableDef>, columns: &[usize]) -> Result<Plan> {
    let types: Vec<_> =
        columns.iter().map(|position| Some(table.columns[*position].ty.clone())).collect();
    let mut binder = Binder::without_text(BindContext { params: &types, ..ctx });
    let (bound, _) = binder.in_new_level(|binder| binder.bind_copied_row(table, columns))?;
    binder.finish(bound.node, bound.columns, Command::Insert)
}

/// The SELECT of columns; of all when none are listed.
fn select(name: &QualifiedName, columns: &[Ident], ctx: BindContext<'_>) -> Result<Plan> {
    let columns: Vec<String> =
        columns.iter().map(|column| quote_identifier(&crate::bind::fold(column))).collect();
    let columns = if columns.is_empty() { "*".to_owned() } else { columns.join(", ") };
    let from = match &name.schema {
        Some(schema) => quote_qualified(schema, &name.name),
        None => quote_identifier(&name.name),
    };
    let statement = parse(&format!("SELECT {columns} FROM {from}"))?.pop();
    let bound = statement.map(|statement| crate::bind::bind(&statement, ctx)).transpose()?;
    match bound {
        Some(BoundStatement::Rows(plan)) => Ok(*plan),
        _ => Err(Error::internal("a SELECT did not parse")),
    }
}

impl Binder<'_> {
    /// The table of a name; `None` for a system catalog, which can only be read.
    fn copied_table(&self, name: &QualifiedName, is_from: bool) -> Result<Option<Arc<TableDef>>> {
        let what = match self.find_relation(name) {
            Some(Relation::Table(oid)) => return self.table_of(oid).map(Some),
            Some(Relation::View(oid)) => match self.ctx.catalog.views.get(&oid) {
                Some(view) if view.materialized.is_some() => "materialized view",
                _ => "view",
            },
            Some(Relation::Sequence(_)) => "sequence",
            Some(Relation::Index(..)) => {
                let message = format!("\"{}\" is an index", name.name);
                let error = Error::new(SqlState::WRONG_OBJECT_TYPE, message);
                return Err(locate(error, name.position));
            }
            None => {
                let system = system_catalog::find(name.schema.as_deref(), &name.name);
                let is_read = !is_from && system.is_some();
                return if is_read { Ok(None) } else { Err(self.no_relation(name)) };
            }
        };
        let direction = if is_from { "to" } else { "from" };
        let message = format!("cannot copy {direction} {what} \"{}\"", name.name);
        let error = Error::new(SqlState::WRONG_OBJECT_TYPE, message);
        Err(match what {
            "sequence" => error,
            _ if is_from => error,
            _ => error.with_hint("Try the COPY (SELECT ...) TO variant."),
        })
    }

    /// The positions of the columns: those listed, or all that are not generated.
    fn copied_columns(&self, table: &TableDef, listed: &[Ident]) -> Result<Vec<usize>> {
        let is_generated = |position: usize| {
            matches!(table.columns[position].default, Some(ColumnDefault::Generated(_)))
        };
        if listed.is_empty() {
            let live = table.live_columns().map(|(position, _)| position);
            return Ok(live.filter(|position| !is_generated(*position)).collect());
        }
        let mut columns = Vec::with_capacity(listed.len());
        for ident in listed {
            let name = crate::bind::fold(ident);
            let position = table.column(&name).ok_or_else(|| {
                let message =
                    format!("column \"{name}\" of relation \"{}\" does not exist", table.name);
                Error::new(SqlState::UNDEFINED_COLUMN, message)
            })?;
            if is_generated(position) {
                let message = format!("column \"{name}\" is a generated column");
                return Err(Error::new(SqlState::INVALID_COLUMN_REFERENCE, message)
                    .with_detail("Generated columns cannot be used in COPY."));
            }
            if columns.contains(&position) {
                let message = format!("column \"{name}\" specified more than once");
                return Err(Error::new(SqlState::DUPLICATE_COLUMN, message));
            }
            columns.push(position);
        }
        Ok(columns)
    }

    /// `WHERE`, over the parameters instead of the table's columns. A column that is not copied
    /// has its default.
    fn copy_filter(
        mut self,
        table: &Arc<TableDef>,
        columns: &[usize],
        filter: Option<&Ast>,
    ) -> Result<Option<Expr>> {
        let Some(filter) = filter else { return Ok(None) };
        let (mut expr, _) = self.in_new_level(|binder| {
            let (scope, variables) = binder.table_row(table, &table.name);
            binder.level().scope = scope;
            binder.level().clause = Clause::CopyWhere;
            let value = binder.bind_expr(filter)?;
            let mut expr = binder.coerce_bool(value, "WHERE")?;
            remap(&mut expr, &Layout::of(variables))?;
            Ok(expr)
        })?;
        if !self.subplans.is_empty() {
            let message = "cannot use subquery in COPY FROM WHERE condition";
            return Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message));
        }
        let defaults = (0..table.columns.len()).map(|position| self.default_of(table, position));
        let defaults = defaults.collect::<Result<Vec<_>>>()?;
        replace(&mut expr, &mut |part| match part {
            Expr::Column(position) => {
                let param = columns.iter().position(|column| column == position);
                param.map(Expr::Param).or_else(|| defaults.get(*position).cloned())
            }
            _ => None,
        });
        Ok(Some(expr))
    }
}
