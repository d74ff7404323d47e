//! UPDATE and DELETE.

use std::sync::Arc;

use sqlparser::ast::{
    self, Assignment, AssignmentTarget, Expr as Ast, FromTable, TableAlias, TableFactor,
    TableWithJoins, UpdateTableFromKind,
};

use super::binder::{Binder, locate};
use super::expr::strip;
use super::from::{FromTree, JoinTree};
use super::insert::is_default;
use super::lock::recheck;
use super::query::BoundNode;
use super::scope::{Clause, Scope};
use super::typed::Typed;
use super::walk::{Layout, remap};
use crate::catalog::{ColumnDefault, TableDef};
use crate::error::{Error, Result, SqlState};
use crate::expression::Expr;
use crate::plan::{Delete, JoinKind, Node, ScanColumn, Update};

/// The rows that an UPDATE or DELETE works on.
struct Rows {
    table: Arc<TableDef>,
    node: Node,
    layout: Layout,
    recheck: Option<Expr>,
}

/// UPDATE or DELETE, bound over variables up to its WHERE.
struct Target {
    table: Arc<TableDef>,
    tree: FromTree,
    filter: Option<Expr>,
    scope: Scope,
}

impl Binder<'_> {
    /// UPDATE
    pub(crate) fn bind_update(&mut self, update: &ast::Update) -> Result<BoundNode> {
        if !update.order_by.is_empty() || update.limit.is_some() {
            let message = "syntax error at or near \"ORDER\"";
            return Err(Error::new(SqlState::SYNTAX_ERROR, message));
        }
        let from = match &update.from {
            None => &[],
            Some(UpdateTableFromKind::BeforeSet(from) | UpdateTableFromKind::AfterSet(from)) => {
                from.as_slice()
            }
        };
        let target =
            self.modified_table(&update.table, from, update.selection.as_ref(), "update")?;
        let table = Arc::clone(&target.table);
        let scope = target.scope.clone();
        let (assignments, _) = self.with_scope(scope, |binder| {
            binder.within(Clause::Assignment, |binder| {
                binder.bind_assignments(&update.assignments, &table)
            })
        });
        let mut assignments = assignments?;
        let returning = self.bind_returning(update.returning.as_ref(), target.scope.clone())?;
        let rows = self.build_rows(target)?;
        assignments.iter_mut().try_for_each(|(_, value)| remap(value, &rows.layout))?;
        let (returning, columns) = self.finish_returning(returning, &rows.layout)?;
        let writer = self.table_writer(&rows.table)?;
        let (input, recheck) = (rows.node, rows.recheck);
        let node = Update { writer, input, assignments, recheck, returning };
        Ok(Self::modified(Node::Update(Box::new(node)), columns))
    }

    /// DELETE
    pub(crate) fn bind_delete(&mut self, delete: &ast::Delete) -> Result<BoundNode> {
        if !delete.order_by.is_empty() || delete.limit.is_some() {
            let message = "syntax error at or near \"ORDER\"";
            return Err(Error::new(SqlState::SYNTAX_ERROR, message));
        }
        let (FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables)) = &delete.from;
        let [table] = tables.as_slice() else {
            return Err(Error::new(SqlState::SYNTAX_ERROR, "syntax error at or near \",\""));
        };
        let using = delete.using.as_deref().unwrap_or_default();
        let selection = delete.selection.as_ref();
        let target = self.modified_table(table, using, selection, "delete from")?;
        let returning = self.bind_returning(delete.returning.as_ref(), target.scope.clone())?;
        let rows = self.build_rows(target)?;
        let (returning, columns) = self.finish_returning(returning, &rows.layout)?;
        let writer = self.table_writer(&rows.table)?;
        let (input, recheck) = (rows.node, rows.recheck);
        let node = Delete { writer, input, recheck, returning };
        Ok(Self::modified(Node::Delete(Box::new(node)), columns))
    }

    /// The table that is changed, joined with FROM or USING, and WHERE.
    fn modified_table(
        &mut self,
        table: &TableWithJoins,
        from: &[TableWithJoins],
        filter: Option<&Ast>,
        verb: &str,
    ) -> Result<Target> {
        let TableFactor::Table { name, alias, .. } = &table.relation else {
            return Err(Error::unsupported(format!("{verb} of anything but a table")));
        };
        if !table.joins.is_empty() {
            return Err(Error::new(SqlState::SYNTAX_ERROR, "syntax error at or near \"JOIN\""));
        }
        let name = self.qualified(name)?;
        let def = self.target_table(&name, verb)?;
        let (tree, target_scope) = self.target_scan(&def, alias.as_ref())?;
        let outside = std::mem::take(&mut self.level().scope);
        let others = self.bind_from(from)?;
        let from_scope = std::mem::replace(&mut self.level().scope, outside);
        let mut scope = target_scope;
        scope.append(from_scope);
        if let Some(name) = scope.duplicate() {
            let message = format!("table name \"{name}\" specified more than once");
            return Err(Error::new(SqlState::DUPLICATE_ALIAS, message));
        }
        let tree = match others {
            None => tree,
            Some(right) => FromTree::Join(Box::new(JoinTree {
                kind: JoinKind::Inner,
                left: tree,
                right,
                condition: None,
                arguments: Vec::new(),
            })),
        };
        let (filter, scope) = self.with_scope(scope, |binder| {
            let bind = |filter| {
                binder.within(Clause::Where, |binder| binder.bind_condition(filter, "WHERE"))
            };
            filter.map(bind).transpose()
        });
        Ok(Target { table: def, tree, filter: filter?, scope })
    }

    /// The scan of a table that is changed: all columns at their positions, then the row's key.
    fn target_scan(
        &mut self,
        table: &Arc<TableDef>,
        alias: Option<&TableAlias>,
    ) -> Result<(FromTree, Scope)> {
        let item = self.live_table_item(table, alias)?;
        let FromTree::Scan { table, alias, columns, filter } = item.tree else {
            return Err(Error::internal("a table is no scan"));
        };
        let mut full = Vec::with_capacity(table.columns.len() + 1);
        for position in 0..table.columns.len() {
            let column = ScanColumn::Column(position);
            let known = columns.iter().find(|(known, _)| *known == column);
            let variable = match known {
                Some((_, variable)) => *variable,
                None => {
                    let ty = table.columns[position].ty.clone();
                    self.level().variable("dropped", ty, None)
                }
            };
            full.push((column, variable));
        }
        full.extend(columns.iter().filter(|(column, _)| *column == ScanColumn::RowKey));
        for (_, variable) in &full {
            self.level().mark_used(&Expr::Column(*variable));
        }
        let oid = columns.iter().filter(|(column, _)| *column == ScanColumn::TableOid);
        full.extend(oid);
        Ok((FromTree::Scan { table, alias, columns: full, filter }, item.scope))
    }

    /// Builds the rows that are changed.
    fn build_rows(&mut self, target: Target) -> Result<Rows> {
        let Target { table, tree, filter, .. } = target;
        let mut conditions = self.level().conditions.clone();
        let (mut node, layout) = self.build_from(Some(tree))?;
        if let Some(filter) = filter {
            conditions.push(filter.clone());
            let mut predicate = filter;
            remap(&mut predicate, &layout)?;
            node = Node::Filter { input: Box::new(node), predicate };
        }
        let recheck = recheck(conditions, &layout)?;
        Ok(Rows { table, node, layout, recheck })
    }

    /// `SET a = 1, (b, c) = (2, 3), (d, e) = (SELECT …)`
    pub(crate) fn bind_assignments(
        &mut self,
        assignments: &[Assignment],
        table: &Arc<TableDef>,
    ) -> Result<Vec<(usize, Expr)>> {
        let mut assigned = Vec::with_capacity(assignments.len());
        for assignment in assignments {
            match &assignment.target {
                AssignmentTarget::ColumnName(name) if self.extensions.subscript(name).is_some() => {
                    self.assign_part(name, &assignment.value, table, &mut assigned)?;
                }
                AssignmentTarget::ColumnName(name) => {
                    let position = self.set_target(name, table)?;
                    let value = self.assigned_value(&assignment.value, position, table)?;
                    self.push_assignment(&mut assigned, position, value, table)?;
                }
                AssignmentTarget::Tuple(names) => {
                    let positions = names.iter().map(|name| self.set_target(name, table));
                    let positions = positions.collect::<Result<Vec<_>>>()?;
                    let values = self.assigned_row(&assignment.value, &positions, table)?;
                    for (position, value) in positions.into_iter().zip(values) {
                        self.push_assignment(&mut assigned, position, value, table)?;
                    }
                }
            }
        }
        Ok(assigned)
    }

    fn push_assignment(
        &self,
        assigned: &mut Vec<(usize, Expr)>,
        position: usize,
        value: Expr,
        table: &TableDef,
    ) -> Result<()> {
        if assigned.iter().any(|(known, _)| *known == position) {
            return Err(self.assigned_twice(&table.columns[position].name, None));
        }
        assigned.push((position, value));
        Ok(())
    }

    /// The column before `=`.
    fn set_target(&self, name: &ast::ObjectName, table: &TableDef) -> Result<usize> {
        if name.0.len() > 1 {
            // `SET t.a = …` names a field of a column `t`, as Postgres reads it.
            let first = name.0.first().and_then(|part| part.as_ident());
            let Some(first) = first else { return Err(Error::unsupported("this column name")) };
            let folded = super::fold(first);
            let message =
                format!("column \"{folded}\" of relation \"{}\" does not exist", table.name);
            let error = Error::new(SqlState::UNDEFINED_COLUMN, message);
            return Err(locate(error, self.at_name(first)));
        }
        self.target_column(table, name)
    }

    /// The value after `=`, DEFAULT included.
    fn assigned_value(
        &mut self,
        value: &Ast,
        position: usize,
        table: &Arc<TableDef>,
    ) -> Result<Expr> {
        if is_default(value) {
            return self.default_of(table, position);
        }
        let value = self.bind_expr(value)?;
        self.updated_value(value, position, table)
    }

    /// A value as the column takes it.
    pub(super) fn updated_value(
        &mut self,
        value: Typed,
        position: usize,
        table: &TableDef,
    ) -> Result<Expr> {
        let column = &table.columns[position];
        let detail = match &column.default {
            Some(ColumnDefault::Generated(_)) => {
                format!("Column \"{}\" is a generated column.", column.name)
            }
            Some(ColumnDefault::Identity { is_always: true, .. }) => format!(
                "Column \"{}\" is an identity column defined as GENERATED ALWAYS.",
                column.name
            ),
            _ => return self.assign(value, &column.name, &column.ty),
        };
        let message = format!("column \"{}\" can only be updated to DEFAULT", column.name);
        Err(Error::new(SqlState::GENERATED_ALWAYS, message).with_detail(detail))
    }

    /// `(a, b) = (1, 2)`, `(a, b) = ROW (1, 2)`, `(a, b) = (SELECT …)`
    fn assigned_row(
        &mut self,
        value: &Ast,
        positions: &[usize],
        table: &Arc<TableDef>,
    ) -> Result<Vec<Expr>> {
        let wrong = || {
            let message = "number of columns does not match number of values";
            Error::new(SqlState::SYNTAX_ERROR, message)
        };
        match strip(value) {
            Ast::Tuple(parts) => {
                if parts.len() != positions.len() {
                    return Err(wrong());
                }
                let pairs = parts.iter().zip(positions);
                pairs.map(|(part, position)| self.assigned_value(part, *position, table)).collect()
            }
            Ast::Subquery(query) => {
                let row = self.bind_row_subquery(query)?;
                let fields = row.fields.clone().unwrap_or_default();
                if fields.len() != positions.len() {
                    return Err(wrong());
                }
                let mut values = Vec::with_capacity(fields.len());
                for (index, ((_, ty), position)) in fields.into_iter().zip(positions).enumerate() {
                    let field = Expr::Field(Box::new(row.expr.clone()), index);
                    values.push(self.updated_value(Typed::new(field, ty), *position, table)?);
                }
                Ok(values)
            }
            other if positions.len() == 1 => {
                Ok(vec![self.assigned_value(other, positions[0], table)?])
            }
            _ => {
                let message = "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression";
                Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message))
            }
        }
    }
}
