//! FROM: tables, views, subqueries, functions and joins.
//!
//! Binding makes a [`FromTree`] over the level's variables; its nodes are built when it is known
//! which variables anything refers to, so that scans read no more columns than needed.

use std::sync::Arc;

use sqlparser::ast::{self, JoinConstraint, JoinOperator, TableAlias, TableFactor, TableWithJoins};

use super::binder::{Binder, locate};
use super::fold;
use super::scope::{Clause, Entry, Scope, ScopeColumn};
use super::typed::Typed;
use super::walk::{self, Layout, conjuncts, remap};
use crate::catalog::TableDef;
use crate::error::{Error, Result, SqlState};
use crate::expression::{CompareOp, Expr};
use crate::plan::{Join, JoinKind, JoinMethod, Node, ScanColumn, TableScan};
use crate::value::{SqlType, Type};

/// FROM over variables.
#[derive(Clone, Debug)]
pub(crate) enum FromTree {
    /// A table: what a scan may show, and the variables for it.
    Scan {
        table: Arc<TableDef>,
        alias: String,
        columns: Vec<(ScanColumn, usize)>,
        /// Which rows there are: those that have not expired.
        filter: Option<Expr>,
    },
    /// A node whose columns are these variables.
    Rows { node: Node, variables: Vec<usize> },
    /// A join.
    Join(Box<JoinTree>),
}

/// A join over variables.
#[derive(Clone, Debug)]
pub(crate) struct JoinTree {
    pub kind: JoinKind,
    pub left: FromTree,
    pub right: FromTree,
    pub condition: Option<Expr>,
    /// Slots that the right side reads, over the left side.
    pub arguments: Vec<(usize, Expr)>,
}

/// One thing in FROM: how to make its rows, what names it brings, and what it reads of the things
/// before it.
pub(crate) struct FromItem {
    pub tree: FromTree,
    pub scope: Scope,
    pub arguments: Vec<(usize, Expr)>,
}

impl Binder<'_> {
    /// Binds FROM; its names are in the level's scope afterwards.
    pub(crate) fn bind_from(&mut self, from: &[TableWithJoins]) -> Result<Option<FromTree>> {
        let mut tree: Option<FromTree> = None;
        for item in from {
            let item = self.bind_joined(item)?;
            tree = Some(match tree {
                None => item.tree,
                Some(left) => FromTree::Join(Box::new(JoinTree {
                    kind: JoinKind::Inner,
                    left,
                    right: item.tree,
                    condition: None,
                    arguments: item.arguments,
                })),
            });
            self.level().scope.append(item.scope);
            self.refuse_duplicates()?;
        }
        Ok(tree)
    }

    fn refuse_duplicates(&mut self) -> Result<()> {
        match self.level().scope.duplicate().map(str::to_owned) {
            None => Ok(()),
            Some(name) => {
                let message = format!("table name \"{name}\" specified more than once");
                Err(Error::new(SqlState::DUPLICATE_ALIAS, message))
            }
        }
    }

    /// `a JOIN b ON … JOIN c ON …`
    fn bind_joined(&mut self, joined: &TableWithJoins) -> Result<FromItem> {
        let mut item = self.bind_factor(&joined.relation)?;
        for join in &joined.joins {
            item = self.bind_join(item, join)?;
        }
        Ok(item)
    }

    fn bind_join(&mut self, left: FromItem, join: &ast::Join) -> Result<FromItem> {
        let (kind, constraint) = join_kind(&join.join_operator)?;
        // The right side sees the left one when it is lateral.
        let outside = self.level().scope.clone();
        self.level().scope.append(left.scope.clone());
        let right = self.bind_factor(&join.relation);
        self.level().scope = outside;
        let right = right?;
        if !right.arguments.is_empty() && matches!(kind, JoinKind::Right | JoinKind::Full) {
            let message = "invalid reference to FROM-clause entry for LATERAL subquery";
            let detail = "The combining JOIN type must be INNER or LEFT for a LATERAL reference.";
            return Err(Error::new(SqlState::INVALID_COLUMN_REFERENCE, message).with_detail(detail));
        }
        let mut scope = left.scope.clone();
        scope.append(right.scope.clone());
        if let Some(name) = scope.duplicate() {
            let message = format!("table name \"{name}\" specified more than once");
            return Err(Error::new(SqlState::DUPLICATE_ALIAS, message));
        }
        let (condition, scope) = match constraint {
            JoinConstraint::None => (None, scope),
            JoinConstraint::On(condition) => {
                let (condition, scope) = self.with_scope(scope, |binder| {
                    binder.within(Clause::JoinOn, |binder| {
                        binder.bind_condition(condition, "JOIN/ON")
                    })
                });
                (Some(condition?), scope)
            }
            JoinConstraint::Using(names) => {
                let names = names.iter().filter_map(|name| name.0.last()?.as_ident().map(fold));
                self.bind_using(kind, &left.scope, &right.scope, &names.collect::<Vec<_>>())?
            }
            JoinConstraint::Natural => {
                let shared = left.scope.columns.iter().map(|column| column.name.clone());
                let is_shared =
                    |name: &String| right.scope.columns.iter().any(|column| column.name == *name);
                let names: Vec<String> = shared.filter(is_shared).collect();
                // Another name would be shared, or no longer be.
                for side in [&left.scope, &right.scope] {
                    side.columns.iter().for_each(|column| self.note_joined(side, column));
                }
                self.bind_using(kind, &left.scope, &right.scope, &names)?
            }
        };
        if let (JoinKind::Inner, Some(condition)) = (kind, &condition) {
            conjuncts(condition.clone(), &mut self.level().conditions);
        }
        let arguments = left.arguments;
        let tree = FromTree::Join(Box::new(JoinTree {
            kind,
            left: left.tree,
            right: right.tree,
            condition,
            arguments: right.arguments,
        }));
        Ok(FromItem { tree, scope, arguments })
    }

    /// JOIN … USING: the condition, and the names with the shared columns merged and first.
    fn bind_using(
        &mut self,
        kind: JoinKind,
        left: &Scope,
        right: &Scope,
        names: &[String],
    ) -> Result<(Option<Expr>, Scope)> {
        let mut conditions = Vec::with_capacity(names.len());
        let mut merged = Vec::with_capacity(names.len());
        for name in names {
            let mine = using_column(left, name, "left")?;
            let theirs = using_column(right, name, "right")?;
            self.note_joined(left, &mine);
            self.note_joined(right, &theirs);
            self.level().mark_used(&mine.expr);
            self.level().mark_used(&theirs.expr);
            let sides = [&mine, &theirs];
            let [l, r] = sides.map(|side| Typed::new(side.expr.clone(), side.ty.clone()));
            conditions.push(self.compare(CompareOp::Eq, l.clone(), r.clone(), None)?.expr);
            merged.push(match kind {
                JoinKind::Right => theirs,
                JoinKind::Full => {
                    let (sides, ty) = self.unify(vec![l, r], "JOIN/USING")?;
                    let expr = Expr::Coalesce(sides.into_iter().map(|side| side.expr).collect());
                    ScopeColumn { name: name.clone(), expr, ty }
                }
                _ => mine,
            });
        }
        let mut scope = Scope { columns: merged, entries: left.entries.clone() };
        scope.entries.extend(right.entries.iter().cloned());
        let others = left.columns.iter().chain(&right.columns);
        scope.columns.extend(others.filter(|column| !names.contains(&column.name)).cloned());
        Ok((walk::conjunction(conditions), scope))
    }

    /// One thing in FROM.
    fn bind_factor(&mut self, factor: &TableFactor) -> Result<FromItem> {
        match factor {
            TableFactor::Table { name, alias, args: None, with_ordinality: false, .. } => {
                self.bind_relation(name, alias.as_ref())
            }
            TableFactor::Table { name, alias, args, with_ordinality, .. } => {
                let args = args.as_ref().map(|args| args.args.as_slice()).unwrap_or_default();
                self.bind_function_scan(name, args, *with_ordinality, alias.as_ref())
            }
            TableFactor::Function { name, args, with_ordinality, alias, .. } => {
                self.bind_function_scan(name, args, *with_ordinality, alias.as_ref())
            }
            TableFactor::UNNEST { alias, array_exprs, with_ordinality, .. } => {
                self.bind_unnest(array_exprs, *with_ordinality, alias.as_ref())
            }
            TableFactor::TableFunction { expr, alias } => {
                self.bind_table_function(expr, alias.as_ref())
            }
            TableFactor::Derived { lateral, subquery, alias, .. } => {
                self.bind_derived(*lateral, subquery, alias.as_ref())
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                let item = self.bind_joined(table_with_joins)?;
                match alias {
                    None => Ok(item),
                    Some(alias) => self.alias_join(item, alias),
                }
            }
            other => Err(Error::unsupported(format!("{other} in FROM"))),
        }
    }

    /// `(a JOIN b …) AS name`
    fn alias_join(&mut self, item: FromItem, alias: &TableAlias) -> Result<FromItem> {
        let columns = item.scope.columns.clone();
        let entry = self.entry_of(fold(&alias.name), columns, Some(alias))?;
        Ok(FromItem { scope: Scope::of(entry), ..item })
    }

    /// A subquery in FROM.
    fn bind_derived(
        &mut self,
        is_lateral: bool,
        query: &ast::Query,
        alias: Option<&TableAlias>,
    ) -> Result<FromItem> {
        let Some(alias) = alias else {
            let what = match query.body.as_ref() {
                ast::SetExpr::Values(_) => "VALUES",
                _ => "subquery",
            };
            let message = format!("{what} in FROM must have an alias");
            let example = if what == "VALUES" { "(VALUES ...)" } else { "(SELECT ...)" };
            return Err(Error::new(SqlState::SYNTAX_ERROR, message)
                .with_hint(format!("For example, FROM {example} [AS] foo.")));
        };
        let word = match query.body.as_ref() {
            ast::SetExpr::Insert(_) => Some("INTO"),
            ast::SetExpr::Update(_) => Some("SET"),
            ast::SetExpr::Delete(_) => Some("FROM"),
            ast::SetExpr::Merge(_) => Some("INTO"),
            _ => None,
        };
        if let Some(word) = word {
            // A name could stand where the verb does: what follows cannot be.
            let message = format!("syntax error at or near \"{word}\"");
            return Err(Error::new(SqlState::SYNTAX_ERROR, message));
        }
        let hidden = if is_lateral { None } else { Some(std::mem::take(&mut self.level().scope)) };
        let bound = self.in_inline_level(|binder| binder.bind_query(query, None));
        if let Some(hidden) = hidden {
            self.level().scope = hidden;
        }
        let (bound, level) = bound?;
        let (name, arguments) = (fold(&alias.name), level.arguments);
        let item = self.rows_item(bound.node, &bound.columns, name, Some(alias), arguments)?;
        if let FromTree::Rows { variables, .. } = &item.tree {
            for (position, fields) in bound.records {
                let variable = variables.get(position).copied();
                let level = self.level();
                if let Some(variable) = variable.and_then(|at| level.variables.get_mut(at)) {
                    variable.fields = Some(fields);
                }
            }
        }
        Ok(item)
    }

    /// Rows of a node under a name.
    pub(crate) fn rows_item(
        &mut self,
        node: Node,
        columns: &[crate::plan::OutputColumn],
        name: String,
        alias: Option<&TableAlias>,
        arguments: Vec<(usize, Expr)>,
    ) -> Result<FromItem> {
        let level = self.level();
        let mut variables = Vec::with_capacity(columns.len());
        let mut shown = Vec::with_capacity(columns.len());
        for column in columns {
            let variable = level.variable(
                &format!("{name}.{}", column.name),
                column.ty.clone(),
                column.origin,
            );
            variables.push(variable);
            shown.push(ScopeColumn {
                name: column.name.clone(),
                expr: Expr::Column(variable),
                ty: column.ty.clone(),
            });
        }
        let entry = self.entry_of(name, shown, alias)?;
        let tree = FromTree::Rows { node, variables };
        Ok(FromItem { tree, scope: Scope::of(entry), arguments })
    }

    /// An entry with the column names that its alias gives.
    pub(crate) fn entry_of(
        &self,
        name: String,
        mut columns: Vec<ScopeColumn>,
        alias: Option<&TableAlias>,
    ) -> Result<Entry> {
        let names = alias.map(|alias| alias.columns.as_slice()).unwrap_or_default();
        if names.len() > columns.len() {
            let (has, given) = (columns.len(), names.len());
            let message = format!(
                "table \"{name}\" has {has} columns available but {given} columns specified"
            );
            let at = alias.and_then(|alias| self.at_name(&alias.name));
            return Err(locate(Error::new(SqlState::INVALID_COLUMN_REFERENCE, message), at));
        }
        for (column, alias) in columns.iter_mut().zip(names) {
            column.name = fold(&alias.name);
        }
        Ok(Entry::new(name, columns))
    }

    /// A table under a name.
    pub(crate) fn table_item(
        &mut self,
        table: &Arc<TableDef>,
        alias: Option<&TableAlias>,
    ) -> Result<FromItem> {
        let name = alias.map_or_else(|| table.name.clone(), |alias| fold(&alias.name));
        let level = self.level();
        let mut columns = Vec::new();
        let mut shown = Vec::new();
        for (position, column) in table.live_columns() {
            let attribute = i16::try_from(position + 1).unwrap_or(i16::MAX);
            let variable = level.variable(
                &format!("{name}.{}", column.name),
                column.ty.clone(),
                Some((table.oid, attribute)),
            );
            columns.push((ScanColumn::Column(position), variable));
            shown.push(ScopeColumn {
                name: column.name.clone(),
                expr: Expr::Column(variable),
                ty: column.ty.clone(),
            });
        }
        let row_key = level.variable(&format!("{name}.ctid"), SqlType::new(Type::Unknown), None);
        let oid = level.variable(&format!("{name}.tableoid"), SqlType::new(Type::Oid), None);
        columns.push((ScanColumn::RowKey, row_key));
        columns.push((ScanColumn::TableOid, oid));
        let mut entry = self.entry_of(name.clone(), shown, alias)?;
        entry.schema = alias.is_none().then(|| table.schema.clone());
        entry.hidden = vec![ScopeColumn {
            name: "tableoid".to_owned(),
            expr: Expr::Column(oid),
            ty: SqlType::new(Type::Oid),
        }];
        entry.hidden.push(ScopeColumn {
            name: "ctid".to_owned(),
            expr: Expr::Column(row_key),
            // Row keys compare with row keys only; binary strings do the same.
            ty: SqlType::new(Type::Bytea),
        });
        entry.table = Some(Arc::clone(table));
        entry.row_key = Some(row_key);
        let table = Arc::clone(table);
        let tree = FromTree::Scan { table, alias: name, columns, filter: None };
        Ok(FromItem { tree, scope: Scope::of(entry), arguments: Vec::new() })
    }

    /// The rows of a table under a name, but those that have expired.
    pub(crate) fn live_table_item(
        &mut self,
        table: &Arc<TableDef>,
        alias: Option<&TableAlias>,
    ) -> Result<FromItem> {
        let mut item = self.table_item(table, alias)?;
        if let FromTree::Scan { columns, filter, .. } = &mut item.tree {
            *filter = self.live_rows(table, columns)?;
        }
        Ok(item)
    }

    /// The condition under which a row has not expired. A row that changes while a statement waits
    /// for it must still satisfy it.
    fn live_rows(
        &mut self,
        table: &Arc<TableDef>,
        columns: &[(ScanColumn, usize)],
    ) -> Result<Option<Expr>> {
        let Some(sql) = table.live_condition() else { return Ok(None) };
        let (mut live, _) = self.stored_expression(table, &sql, None)?;
        walk::replace(&mut live, &mut |part| match part {
            Expr::Column(position) => {
                let is_it = |column: &ScanColumn| *column == ScanColumn::Column(*position);
                let known = columns.iter().find(|(column, _)| is_it(column));
                known.map(|(_, variable)| Expr::Column(*variable))
            }
            _ => None,
        });
        let level = self.level();
        level.mark_used(&live);
        level.conditions.push(live.clone());
        Ok(Some(live))
    }

    /// Builds FROM's nodes; without FROM, one empty row.
    pub(crate) fn build_from(&mut self, tree: Option<FromTree>) -> Result<(Node, Layout)> {
        match tree {
            Some(tree) => self.build_tree(tree),
            None => Ok((Node::Values { rows: vec![Vec::new()] }, Layout::default())),
        }
    }

    fn build_tree(&mut self, tree: FromTree) -> Result<(Node, Layout)> {
        match tree {
            FromTree::Rows { node, variables } => Ok((node, Layout::of(variables))),
            FromTree::Scan { table, alias, columns, mut filter } => {
                let used = |variable: usize| {
                    let level = self.levels.last();
                    let variable = level.and_then(|level| level.variables.get(variable));
                    variable.is_some_and(|variable| variable.is_used)
                };
                let kept: Vec<(ScanColumn, usize)> =
                    columns.into_iter().filter(|(_, variable)| used(*variable)).collect();
                let layout = Layout::of(kept.iter().map(|(_, variable)| *variable));
                let output = kept.into_iter().map(|(column, _)| column).collect();
                if let Some(filter) = &mut filter {
                    remap(filter, &layout)?;
                }
                let scan = TableScan { table, alias, output, filter };
                Ok((Node::Scan(Box::new(scan)), layout))
            }
            FromTree::Join(join) => {
                let JoinTree { kind, left, right, mut condition, mut arguments } = *join;
                let (left, mut layout) = self.build_tree(left)?;
                let (right, right_layout) = self.build_tree(right)?;
                for (_, argument) in &mut arguments {
                    remap(argument, &layout)?;
                }
                let (left_width, right_width) = (layout.width(), right_layout.width());
                layout.append(&right_layout);
                if let Some(condition) = &mut condition {
                    remap(condition, &layout)?;
                }
                let method = JoinMethod::NestedLoop;
                let join = Join {
                    kind,
                    method,
                    left,
                    right,
                    arguments,
                    condition,
                    left_width,
                    right_width,
                };
                Ok((Node::Join(Box::new(join)), layout))
            }
        }
    }
}

/// A column named in USING.
fn using_column(scope: &Scope, name: &str, side: &str) -> Result<ScopeColumn> {
    let mut found = scope.columns.iter().filter(|column| column.name == name);
    match (found.next(), found.next()) {
        (Some(column), None) => Ok(column.clone()),
        (Some(_), Some(_)) => {
            let message =
                format!("common column name \"{name}\" appears more than once in {side} table");
            Err(Error::new(SqlState::AMBIGUOUS_COLUMN, message))
        }
        (None, _) => {
            let message = format!(
                "column \"{name}\" specified in USING clause does not exist in {side} table"
            );
            Err(Error::new(SqlState::UNDEFINED_COLUMN, message))
        }
    }
}

fn join_kind(operator: &JoinOperator) -> Result<(JoinKind, &JoinConstraint)> {
    Ok(match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::CrossJoin(constraint) => (JoinKind::Inner, constraint),
        JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => {
            (JoinKind::Left, constraint)
        }
        JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => {
            (JoinKind::Right, constraint)
        }
        JoinOperator::FullOuter(constraint) => (JoinKind::Full, constraint),
        _ => return Err(Error::unsupported("this kind of join")),
    })
}
