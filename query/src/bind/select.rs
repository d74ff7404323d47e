//! SELECT: from FROM to the projection.
//!
//! Everything is bound over variables first. Then the nodes are built in the order in which
//! Postgres computes them: FROM, WHERE, GROUP BY and HAVING, window functions, set-returning
//! functions, DISTINCT, ORDER BY, locks, LIMIT. Sorting comes before the projection where it can,
//! so that ORDER BY needs no hidden output columns and the projection computes only what is shown.

use sqlparser::ast::{self, Distinct, Expr as Ast, SelectItem, SelectItemQualifiedWildcardKind};
use sqlparser::tokenizer::Span;

use super::binder::{Binder, locate};
use super::figure::column_name;
use super::fold;
use super::from::FromTree;
use super::group::Grouping;
use super::query::{BoundNode, Bounds, Outputs, order_items};
use super::scope::{Clause, ScopeColumn};
use super::typed::Typed;
use super::types::CastContext;
use super::walk::{self, Layout, is_same, remap};
use crate::error::{Error, Result, SqlState};
use crate::expression::Expr;
use crate::plan::{Node, OutputColumn, SetExpr, SortKey};
use crate::value::Type;

/// One output column.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Typed,
}

/// A SELECT, bound over variables.
pub(crate) struct Parts {
    pub from: Option<FromTree>,
    pub filter: Option<Expr>,
    pub targets: Vec<Target>,
    pub grouping: Option<Grouping>,
    pub having: Option<Expr>,
    pub order: Vec<SortKey>,
    pub distinct: Option<Option<Vec<Expr>>>,
    pub bounds: Bounds,
}

impl Binder<'_> {
    /// A SELECT with the ORDER BY, LIMIT and locks of its query.
    pub(crate) fn bind_select(
        &mut self,
        select: &ast::Select,
        query: &ast::Query,
        outputs: Outputs<'_>,
    ) -> Result<BoundNode> {
        let parts = self.bind_parts_of(select, query, outputs)?;
        let columns = parts.targets.iter().map(|target| OutputColumn {
            name: target.name.clone(),
            ty: target.value.ty.clone(),
            origin: self.levels.last().and_then(|level| level.origin(&target.value.expr)),
        });
        let columns = columns.collect();
        let fields = parts.targets.iter().map(|target| target.value.fields.clone());
        let records = fields.enumerate().filter_map(|(at, fields)| Some((at, fields?))).collect();
        let node = self.build_select(parts, query)?;
        Ok(BoundNode { node, columns, records })
    }

    fn bind_parts_of(
        &mut self,
        select: &ast::Select,
        query: &ast::Query,
        outputs: Outputs<'_>,
    ) -> Result<Parts> {
        refuse_foreign_clauses(select)?;
        let from = self.bind_from(&select.from)?;
        let windows = select
            .named_window
            .iter()
            .map(|ast::NamedWindowDefinition(name, window)| (name.clone(), window.clone()));
        self.level().named_windows = windows.collect();
        let filter = select.selection.as_ref().map(|filter| {
            self.within(Clause::Where, |binder| binder.bind_condition(filter, "WHERE"))
        });
        let filter = filter.transpose()?;
        let targets = self.bind_targets(&select.projection, outputs)?;
        let mut grouping = self.bind_group_by(&select.group_by, &targets)?;
        let having = select.having.as_ref().map(|having| {
            self.within(Clause::Having, |binder| binder.bind_condition(having, "HAVING"))
        });
        let having = having.transpose()?;
        let distinct = self.bind_distinct(select.distinct.as_ref(), &targets)?;
        let order = self.bind_order_by(order_items(query)?, &targets, distinct.as_ref())?;
        let bounds = self.bind_bounds(query)?;
        let is_grouped = having.is_some() || !self.level().aggregates.is_empty();
        if is_grouped && grouping.is_none() {
            grouping = Some(Grouping::default());
        }
        Ok(Parts { from, filter, targets, grouping, having, order, distinct, bounds })
    }

    /// The select list or RETURNING.
    pub(crate) fn bind_targets(
        &mut self,
        items: &[SelectItem],
        outputs: Outputs<'_>,
    ) -> Result<Vec<Target>> {
        let mut targets = Vec::with_capacity(items.len());
        for item in items {
            match item {
                SelectItem::UnnamedExpr(expr) => self.bind_target(expr, None, &mut targets)?,
                SelectItem::ExprWithAlias { expr, alias } => {
                    self.bind_target(expr, Some(fold(alias)), &mut targets)?;
                }
                SelectItem::Wildcard(options) => {
                    let columns = self.level().scope.columns.clone();
                    if self.level().scope.entries.is_empty() {
                        let at = self.at_span(options.wildcard_token.0.span);
                        let message = "SELECT * with no tables specified is not valid";
                        return Err(locate(Error::new(SqlState::SYNTAX_ERROR, message), at));
                    }
                    self.note_wildcard(options.wildcard_token.0.span, &columns);
                    let depth = self.levels.len() - 1;
                    self.push_columns(depth, columns, &mut targets);
                }
                SelectItem::QualifiedWildcard(kind, options) => {
                    self.bind_wildcard(kind, options.wildcard_token.0.span, &mut targets)?;
                }
                SelectItem::ExprWithAliases { .. } => {
                    return Err(Error::unsupported("several aliases of one expression"));
                }
            }
        }
        for (index, target) in targets.iter_mut().enumerate() {
            let value = target.value.clone();
            target.value = self.decide_output(value, index, outputs)?;
        }
        Ok(targets)
    }

    /// Gives an output column whose type is open the type that is expected of it.
    fn decide_output(&mut self, value: Typed, index: usize, outputs: Outputs<'_>) -> Result<Typed> {
        if !value.is_unknown() {
            return Ok(value);
        }
        match outputs {
            Outputs::Keep if matches!(value.expr, Expr::Const(_) | Expr::Param(_)) => Ok(value),
            Outputs::Expect(types) if index < types.len() => {
                let decided = self.try_coerce(value, &types[index], CastContext::Assignment)?;
                decided.ok_or_else(|| Error::internal("a literal takes any type"))
            }
            _ => self.settle(value),
        }
    }

    fn bind_target(
        &mut self,
        expr: &Ast,
        alias: Option<String>,
        targets: &mut Vec<Target>,
    ) -> Result<()> {
        let value = self.bind_expr(expr)?;
        let name = alias.unwrap_or_else(|| {
            let name = column_name(expr);
            self.note_output(expr, &name);
            name
        });
        targets.push(Target { name, value });
        Ok(())
    }

    fn bind_wildcard(
        &mut self,
        kind: &SelectItemQualifiedWildcardKind,
        star: Span,
        targets: &mut Vec<Target>,
    ) -> Result<()> {
        match kind {
            SelectItemQualifiedWildcardKind::ObjectName(name) => {
                let (depth, columns) = self.wildcard_of(name)?;
                self.note_table_wildcard(kind, star, &columns);
                self.push_columns(depth, columns, targets);
                Ok(())
            }
            SelectItemQualifiedWildcardKind::Expr(expr) => {
                let row = self.bind_expr(expr)?;
                let fields: Vec<String> = match (&row.fields, &row.ty.base) {
                    (Some(fields), _) => fields.iter().map(|(name, _)| name.clone()).collect(),
                    (None, Type::Row(oid)) => {
                        let fields = self.ctx.catalog.row_fields(*oid).unwrap_or_default();
                        fields.into_iter().map(|(name, _)| name).collect()
                    }
                    _ => {
                        let message = "row expansion via \"*\" is not supported here";
                        return Err(Error::new(SqlState::WRONG_OBJECT_TYPE, message));
                    }
                };
                for name in fields {
                    let value = self.field(row.clone(), &name)?;
                    targets.push(Target { name, value });
                }
                Ok(())
            }
        }
    }

    fn push_columns(&mut self, depth: usize, columns: Vec<ScopeColumn>, targets: &mut Vec<Target>) {
        for column in columns {
            let name = column.name.clone();
            let value = self.column(depth, column);
            targets.push(Target { name, value });
        }
    }

    /// DISTINCT, DISTINCT ON.
    fn bind_distinct(
        &mut self,
        distinct: Option<&Distinct>,
        targets: &[Target],
    ) -> Result<Option<Option<Vec<Expr>>>> {
        match distinct {
            None | Some(Distinct::All) => Ok(None),
            Some(Distinct::Distinct) => {
                for target in targets {
                    self.require_equality(&target.value)?;
                }
                Ok(Some(None))
            }
            Some(Distinct::On(exprs)) => {
                let exprs = exprs.iter().map(|expr| {
                    let value = self.bind_sort_value(expr, targets, "DISTINCT ON")?;
                    self.require_equality(&value)?;
                    Ok(value.expr)
                });
                Ok(Some(Some(exprs.collect::<Result<Vec<_>>>()?)))
            }
        }
    }

    /// Fails for types whose values have no equality.
    pub(crate) fn require_equality(&self, value: &Typed) -> Result<()> {
        if super::expr::has_equality(&value.ty.base) {
            return Ok(());
        }
        let ty = self.type_name(&value.ty);
        let message = format!("could not identify an equality operator for type {ty}");
        Err(locate(Error::new(SqlState::UNDEFINED_FUNCTION, message), value.at))
    }

    /// An item of ORDER BY, DISTINCT ON: a position, an output name, or an expression.
    fn bind_sort_value(&mut self, expr: &Ast, targets: &[Target], clause: &str) -> Result<Typed> {
        if let Some(position) = self.position_of(expr, targets.len(), clause)? {
            return Ok(targets[position].value.clone());
        }
        if let Ast::Identifier(name) = expr {
            let folded = fold(name);
            let mut named = targets.iter().filter(|target| target.name == folded);
            if let Some(first) = named.next() {
                if named.any(|other| !is_same(&other.value.expr, &first.value.expr)) {
                    let message = format!("{clause} \"{folded}\" is ambiguous");
                    let at = self.at_name(name);
                    return Err(locate(Error::new(SqlState::AMBIGUOUS_COLUMN, message), at));
                }
                return Ok(first.value.clone());
            }
        }
        self.within(Clause::OrderBy, |binder| binder.bind_settled(expr))
    }

    fn bind_order_by(
        &mut self,
        items: &[ast::OrderByExpr],
        targets: &[Target],
        distinct: Option<&Option<Vec<Expr>>>,
    ) -> Result<Vec<SortKey>> {
        let mut keys = Vec::with_capacity(items.len());
        for item in items {
            let value = self.bind_sort_value(&item.expr, targets, "ORDER BY")?;
            let value = self.settle(value)?;
            let is_shown = targets.iter().any(|target| is_same(&target.value.expr, &value.expr));
            if matches!(distinct, Some(None)) && !is_shown {
                let message =
                    "for SELECT DISTINCT, ORDER BY expressions must appear in select list";
                let error = Error::new(SqlState::INVALID_COLUMN_REFERENCE, message);
                return Err(locate(error, value.at));
            }
            keys.push(self.sort_key(value, item)?);
        }
        if let Some(Some(on)) = distinct {
            return self.distinct_order(on, keys);
        }
        Ok(keys)
    }

    /// DISTINCT ON wants its expressions first in the order.
    fn distinct_order(&mut self, on: &[Expr], keys: Vec<SortKey>) -> Result<Vec<SortKey>> {
        let is_on = |key: &SortKey| on.iter().any(|expr| is_same(expr, &key.expr));
        let leading = keys.iter().take_while(|key| is_on(key)).count();
        let missing =
            on.iter().filter(|expr| !keys[..leading].iter().any(|key| is_same(expr, &key.expr)));
        let missing: Vec<SortKey> = missing
            .map(|expr| SortKey { expr: expr.clone(), is_descending: false, nulls_first: false })
            .collect();
        if !missing.is_empty() && keys.len() > leading {
            let message = "SELECT DISTINCT ON expressions must match initial ORDER BY expressions";
            return Err(Error::new(SqlState::INVALID_COLUMN_REFERENCE, message));
        }
        Ok(keys.into_iter().chain(missing).collect())
    }

    /// Builds the nodes of a SELECT.
    fn build_select(&mut self, mut parts: Parts, query: &ast::Query) -> Result<Node> {
        let locks = self.bind_locks(query, &parts)?;
        let grouped = match parts.grouping.take() {
            Some(grouping) => Some(self.check_grouping(grouping, &mut parts)?),
            None => None,
        };
        let (mut node, mut layout) = self.build_from(parts.from.take())?;
        let mut conditions = Vec::new();
        if !locks.is_empty() {
            conditions =
                self.levels.last().map(|level| level.conditions.clone()).unwrap_or_default();
        }
        if let Some(mut filter) = parts.filter.take() {
            if !locks.is_empty() {
                conditions.push(filter.clone());
            }
            remap(&mut filter, &layout)?;
            node = Node::Filter { input: Box::new(node), predicate: filter };
        }
        if let Some(grouped) = grouped {
            (node, layout) = self.build_aggregate(grouped, node, &layout)?;
            if let Some(mut having) = parts.having.take() {
                remap(&mut having, &layout)?;
                node = Node::Filter { input: Box::new(node), predicate: having };
            }
        }
        (node, layout) = self.build_windows(node, layout)?;
        (node, layout) = self.build_sets(node, layout)?;
        let is_locked = !locks.is_empty();
        self.build_output(parts, node, &layout, is_locked, |binder, node| {
            binder.build_lock(node, &layout, locks, conditions)
        })
    }

    /// DISTINCT, ORDER BY, locks, LIMIT and the projection.
    fn build_output(
        &mut self,
        parts: Parts,
        node: Node,
        layout: &Layout,
        is_locked: bool,
        lock: impl FnOnce(&mut Self, Node) -> Result<Node>,
    ) -> Result<Node> {
        let Parts { targets, mut order, distinct, bounds, .. } = parts;
        let mut exprs: Vec<Expr> = targets.iter().map(|target| target.value.expr.clone()).collect();
        if matches!(distinct, Some(None)) {
            // Sort keys are among the targets: they become output columns.
            for key in &mut order {
                let position = exprs.iter().position(|expr| is_same(expr, &key.expr));
                key.expr = Expr::Column(position.unwrap_or(0));
            }
            exprs.iter_mut().try_for_each(|expr| remap(expr, layout))?;
            let node = Node::Project { input: Box::new(node), exprs };
            let node = Node::Distinct { input: Box::new(node), on: None };
            let node = sorted(node, &order, &bounds);
            return Ok(bounds.apply(node, Some(order)));
        }
        order.iter_mut().try_for_each(|key| remap(&mut key.expr, layout))?;
        exprs.iter_mut().try_for_each(|expr| remap(expr, layout))?;
        let mut node = match distinct {
            Some(Some(mut on)) => {
                on.iter_mut().try_for_each(|expr| remap(expr, layout))?;
                let node = sorted(node, &order, &Bounds::default());
                Node::Distinct { input: Box::new(node), on: Some(on) }
            }
            // Rows that others hold are skipped above the sort: it cannot know how many it needs.
            _ if is_locked => sorted(node, &order, &Bounds::default()),
            _ => sorted(node, &order, &bounds),
        };
        node = lock(self, node)?;
        node = bounds.apply(node, Some(order));
        Ok(Node::Project { input: Box::new(node), exprs })
    }

    fn build_windows(&mut self, node: Node, mut layout: Layout) -> Result<(Node, Layout)> {
        let calls = std::mem::take(&mut self.level().windows);
        if calls.is_empty() {
            return Ok((node, layout));
        }
        let mut windows = Vec::with_capacity(calls.len());
        let mut variables = Vec::with_capacity(calls.len());
        for mut call in calls {
            let window = &mut call.window;
            let exprs =
                window.args.iter_mut().chain(&mut window.partition).chain(&mut window.filter);
            let exprs = exprs.chain(window.order.iter_mut().map(|key| &mut key.expr));
            exprs.into_iter().try_for_each(|expr| remap(expr, &layout))?;
            variables.push(call.variable);
            windows.push(call.window);
        }
        variables.into_iter().for_each(|variable| layout.push(variable));
        Ok((Node::Window { input: Box::new(node), windows }, layout))
    }

    /// Set-returning functions: those whose arguments hold others come in a later round.
    pub(crate) fn build_sets(
        &mut self,
        mut node: Node,
        mut layout: Layout,
    ) -> Result<(Node, Layout)> {
        let mut waiting = std::mem::take(&mut self.level().sets);
        while !waiting.is_empty() {
            let pending: Vec<usize> = waiting.iter().map(|call| call.variable).collect();
            let is_ready = |args: &[Expr]| {
                let mut ready = true;
                for arg in args {
                    walk::each_variable(arg, &mut |variable| ready &= !pending.contains(&variable));
                }
                ready
            };
            let (ready, rest): (Vec<_>, Vec<_>) =
                waiting.into_iter().partition(|call| is_ready(&call.args));
            if ready.is_empty() {
                return Err(Error::internal("set-returning functions depend on each other"));
            }
            waiting = rest;
            let mut exprs: Vec<SetExpr> =
                (0..layout.width()).map(|index| SetExpr::Scalar(Expr::Column(index))).collect();
            let before = layout.clone();
            for mut call in ready {
                call.args.iter_mut().try_for_each(|arg| remap(arg, &before))?;
                layout.push(call.variable);
                exprs.push(SetExpr::Set(call.function, call.args));
            }
            node = Node::ProjectSet { input: Box::new(node), exprs };
        }
        Ok((node, layout))
    }
}

/// The input sorted, when there is an order.
fn sorted(node: Node, order: &[SortKey], bounds: &Bounds) -> Node {
    if order.is_empty() {
        return node;
    }
    Node::Sort { input: Box::new(node), keys: order.to_vec(), limit: bounds.wanted() }
}

/// Clauses that other databases have.
fn refuse_foreign_clauses(select: &ast::Select) -> Result<()> {
    let what = if select.into.is_some() {
        "SELECT ... INTO is not allowed here"
    } else if select.qualify.is_some() {
        "QUALIFY is not supported"
    } else if select.top.is_some() {
        "TOP is not supported"
    } else {
        return Ok(());
    };
    Err(Error::new(SqlState::SYNTAX_ERROR, what))
}
