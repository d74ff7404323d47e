//! INSERT.

use std::sync::Arc;

use sqlparser::ast::{self, Expr as Ast, OnInsert, SetExpr, TableObject};

use super::binder::{Binder, locate};
use super::from::FromTree;
use super::query::{BoundNode, Outputs};
use super::scope::{Clause, Scope};
use super::typed::Typed;
use super::walk::Layout;
use crate::catalog::{ColumnDefault, TableDef};
use crate::error::{Error, Result, SqlState};
use crate::expression::Expr;
use crate::parse::Override;
use crate::plan::{Insert, Node};
use crate::value::{SqlType, Value};

/// The target of an INSERT.
struct Target {
    table: Arc<TableDef>,
    /// The name that the table goes by in ON CONFLICT and RETURNING.
    alias: String,
    /// The columns that the statement gives, by position.
    columns: Vec<usize>,
    /// Whether they were listed.
    is_listed: bool,
    /// `OVERRIDING … VALUE`
    overriding: Option<Override>,
}

impl Binder<'_> {
    /// INSERT
    pub(crate) fn bind_insert(&mut self, insert: &ast::Insert) -> Result<BoundNode> {
        let target = self.insert_target(insert)?;
        let input = match &insert.source {
            None => self.default_values(&target)?,
            Some(source) => match source.body.as_ref() {
                SetExpr::Values(values) if is_bare(source) => {
                    self.insert_values(values, &target)?
                }
                _ => self.insert_query(source, &target)?,
            },
        };
        let writer = self.table_writer(&target.table)?;
        let conflict = match &insert.on {
            None => None,
            Some(OnInsert::OnConflict(clause)) => {
                Some(self.bind_conflict(clause, &target.table, &target.alias, &writer)?)
            }
            Some(_) => {
                let message = "syntax error at or near \"DUPLICATE\"";
                return Err(Error::new(SqlState::SYNTAX_ERROR, message));
            }
        };
        let (scope, layout) = self.written_row(&target.table, &target.alias);
        let returning = self.bind_returning(insert.returning.as_ref(), scope)?;
        let (returning, columns) = self.finish_returning(returning, &layout)?;
        let node = Insert { writer, input, conflict, returning };
        Ok(Self::modified(Node::Insert(Box::new(node)), columns))
    }

    /// The INSERT of a COPY FROM: its only row is the parameters, one per column in order.
    pub(crate) fn bind_copied_row(
        &mut self,
        table: &Arc<TableDef>,
        columns: &[usize],
    ) -> Result<BoundNode> {
        let target = Target {
            table: Arc::clone(table),
            alias: table.name.clone(),
            columns: columns.to_vec(),
            is_listed: true,
            overriding: Some(Override::System),
        };
        let given = columns.iter().enumerate();
        let given = given.map(|(param, position)| (*position, Some(Expr::Param(param))));
        let row = self.full_row(&target, given.collect())?;
        let input = Node::Values { rows: vec![row] };
        let writer = self.table_writer(table)?;
        let node = Insert { writer, input, conflict: None, returning: None };
        Ok(Self::modified(Node::Insert(Box::new(node)), Vec::new()))
    }

    fn insert_target(&mut self, insert: &ast::Insert) -> Result<Target> {
        let TableObject::TableName(name) = &insert.table else {
            return Err(Error::unsupported("INSERT into a function"));
        };
        let name = self.qualified(name)?;
        let table = self.target_table(&name, "insert into")?;
        let alias = insert.table_alias.as_ref().map(|alias| super::fold(&alias.alias));
        let alias = alias.unwrap_or_else(|| table.name.clone());
        let mut overriding = None;
        let mut columns = Vec::new();
        for column in &insert.columns {
            if let Some(said) = self.extensions.overriding(column) {
                overriding = Some(said);
                continue;
            }
            let position = self.target_column(&table, column)?;
            if columns.contains(&position) {
                let name = &table.columns[position].name;
                let at = column.0.last().and_then(|part| part.as_ident());
                let at = at.and_then(|ident| self.at_name(ident));
                let message = format!("column \"{name}\" specified more than once");
                return Err(locate(Error::new(SqlState::DUPLICATE_COLUMN, message), at));
            }
            columns.push(position);
        }
        let is_listed = !columns.is_empty();
        if !is_listed {
            columns = table.live_columns().map(|(position, _)| position).collect();
        }
        Ok(Target { table, alias, columns, is_listed, overriding })
    }

    /// `INSERT … DEFAULT VALUES`
    fn default_values(&mut self, target: &Target) -> Result<Node> {
        let row = self.full_row(target, Vec::new())?;
        Ok(Node::Values { rows: vec![row] })
    }

    /// `INSERT … VALUES`
    fn insert_values(&mut self, values: &ast::Values, target: &Target) -> Result<Node> {
        let width = values.rows.first().map_or(0, |row| row.content.len());
        let mut rows = Vec::with_capacity(values.rows.len());
        for row in &values.rows {
            if row.content.len() != width {
                let at = row.content.first().and_then(|first| self.at_expr(first));
                let message = "VALUES lists must all be the same length";
                return Err(locate(Error::new(SqlState::SYNTAX_ERROR, message), at));
            }
            self.check_width(&row.content, target)?;
            let mut given = Vec::with_capacity(width);
            for (value, position) in row.content.iter().zip(&target.columns) {
                given.push((*position, self.insert_value(value, *position, target)?));
            }
            rows.push(self.full_row(target, given)?);
        }
        Ok(Node::Values { rows })
    }

    /// As many values as columns; without a column list, fewer will do.
    fn check_width(&self, row: &[Ast], target: &Target) -> Result<()> {
        let (given, wanted) = (row.len(), target.columns.len());
        if given > wanted {
            let at = row.get(wanted).and_then(|extra| self.at_expr(extra));
            let message = "INSERT has more expressions than target columns";
            return Err(locate(Error::new(SqlState::SYNTAX_ERROR, message), at));
        }
        if given < wanted && target.is_listed {
            let message = "INSERT has more target columns than expressions";
            return Err(Error::new(SqlState::SYNTAX_ERROR, message));
        }
        Ok(())
    }

    /// One value; `None` when it is DEFAULT.
    fn insert_value(
        &mut self,
        value: &Ast,
        position: usize,
        target: &Target,
    ) -> Result<Option<Expr>> {
        if is_default(value) {
            return Ok(None);
        }
        let bound = self.within(Clause::Values, |binder| binder.bind_expr(value))?;
        self.given_value(bound, position, target)
    }

    /// A value for a column; `None` when the column's own is taken instead.
    fn given_value(
        &mut self,
        value: Typed,
        position: usize,
        target: &Target,
    ) -> Result<Option<Expr>> {
        let column = &target.table.columns[position];
        let refused = |detail: String| {
            let message =
                format!("cannot insert a non-DEFAULT value into column \"{}\"", column.name);
            Error::new(SqlState::GENERATED_ALWAYS, message).with_detail(detail)
        };
        match (&column.default, target.overriding) {
            (Some(ColumnDefault::Generated(_)), _) => {
                let detail = format!("Column \"{}\" is a generated column.", column.name);
                return Err(refused(detail));
            }
            (Some(ColumnDefault::Identity { .. }), Some(Override::User)) => return Ok(None),
            (Some(ColumnDefault::Identity { is_always: true, .. }), None) => {
                let detail = format!(
                    "Column \"{}\" is an identity column defined as GENERATED ALWAYS.",
                    column.name
                );
                return Err(refused(detail).with_hint("Use OVERRIDING SYSTEM VALUE to override."));
            }
            _ => {}
        }
        self.assign(value, &column.name, &column.ty).map(Some)
    }

    /// `INSERT … SELECT`
    fn insert_query(&mut self, source: &ast::Query, target: &Target) -> Result<Node> {
        let expected: Vec<SqlType> = target
            .columns
            .iter()
            .map(|position| target.table.columns[*position].ty.clone())
            .collect();
        let bound =
            self.in_inline_level(|binder| binder.bind_query_as(source, Outputs::Expect(&expected)));
        let (bound, _) = bound?;
        let (given, wanted) = (bound.columns.len(), target.columns.len());
        if given > wanted {
            let message = "INSERT has more expressions than target columns";
            return Err(Error::new(SqlState::SYNTAX_ERROR, message));
        }
        if given < wanted && target.is_listed {
            let message = "INSERT has more target columns than expressions";
            return Err(Error::new(SqlState::SYNTAX_ERROR, message));
        }
        let mut values = Vec::with_capacity(given);
        for (index, (column, position)) in bound.columns.iter().zip(&target.columns).enumerate() {
            let value = Typed::new(Expr::Column(index), column.ty.clone());
            values.push((*position, self.given_value(value, *position, target)?));
        }
        let exprs = self.full_row(target, values)?;
        Ok(Node::Project { input: Box::new(bound.node), exprs })
    }

    /// One expression per column of the table: what is given, defaults for the rest.
    fn full_row(
        &mut self,
        target: &Target,
        given: Vec<(usize, Option<Expr>)>,
    ) -> Result<Vec<Expr>> {
        let table = &target.table;
        let mut row: Vec<Option<Expr>> = table.columns.iter().map(|_| None).collect();
        for (position, value) in given {
            row[position] = value;
        }
        let mut full = Vec::with_capacity(row.len());
        for (position, value) in row.into_iter().enumerate() {
            full.push(match value {
                Some(value) => value,
                None => self.default_of(table, position)?,
            });
        }
        Ok(full)
    }

    /// What a column gets when the statement gives nothing.
    pub(crate) fn default_of(&mut self, table: &TableDef, position: usize) -> Result<Expr> {
        let column = &table.columns[position];
        if column.is_dropped {
            return Ok(Expr::Const(Value::Null));
        }
        match &column.default {
            None => match self.ctx.catalog.domain_default(column.domain) {
                Some(sql) => self.stored_default(&sql, &column.name, &column.ty),
                None => Ok(Expr::Const(Value::Null)),
            },
            Some(ColumnDefault::Generated(_)) => Ok(Expr::Const(Value::Null)),
            Some(ColumnDefault::Expression(sql)) => {
                self.stored_default(sql, &column.name, &column.ty)
            }
            Some(ColumnDefault::Identity { sequence, .. }) => {
                self.next_value(*sequence, &column.name, &column.ty)
            }
        }
    }

    /// The names and places of a written row: its columns at their positions.
    pub(crate) fn written_row(&mut self, table: &Arc<TableDef>, alias: &str) -> (Scope, Layout) {
        let (scope, variables) = self.table_row(table, alias);
        (scope, Layout::of(variables))
    }

    /// A table's columns as variables without a scan: the scope, and one variable per position.
    pub(crate) fn table_row(&mut self, table: &Arc<TableDef>, alias: &str) -> (Scope, Vec<usize>) {
        let item = self.table_item(table, None);
        let (mut scope, columns) = match item {
            Ok(super::from::FromItem { scope, tree: FromTree::Scan { columns, .. }, .. }) => {
                (scope, columns)
            }
            _ => (Scope::default(), Vec::new()),
        };
        for entry in &mut scope.entries {
            alias.clone_into(&mut entry.name);
            entry.schema = (alias == table.name).then(|| table.schema.clone());
            entry.hidden.clear();
        }
        let mut variables = Vec::with_capacity(table.columns.len());
        for position in 0..table.columns.len() {
            let found = columns
                .iter()
                .find(|(column, _)| *column == crate::plan::ScanColumn::Column(position));
            variables.push(match found {
                Some((_, variable)) => *variable,
                // A dropped column keeps its place in the row; nothing can name it.
                None => {
                    self.level().variable("dropped", SqlType::new(crate::value::Type::Text), None)
                }
            });
        }
        (scope, variables)
    }
}

/// Whether an expression is the keyword DEFAULT.
pub(crate) fn is_default(expr: &Ast) -> bool {
    matches!(expr, Ast::Identifier(name)
        if name.quote_style.is_none() && name.value.eq_ignore_ascii_case("default"))
}

/// Whether a query is only its body.
fn is_bare(query: &ast::Query) -> bool {
    query.with.is_none()
        && query.order_by.is_none()
        && query.limit_clause.is_none()
        && query.fetch.is_none()
}
