//! GROUP BY, grouping sets, and the rule that everything else is aggregated.

use sqlparser::ast::{Expr as Ast, GroupByExpr};

use super::binder::{Binder, locate};
use super::expr::strip;
use super::fold;
use super::from::FromTree;
use super::scope::Clause;
use super::select::{Parts, Target};
use super::typed::Typed;
use super::walk::{self, Layout, is_same, remap};
use crate::error::{Error, Result, SqlState};
use crate::expression::Expr;
use crate::plan::{Aggregate, Node, ScanColumn};

/// How many grouping sets there may be, as in Postgres.
const MAX_SETS: usize = 4096;

/// GROUP BY over variables.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grouping {
    /// The expressions.
    pub groups: Vec<Typed>,
    /// Which of them each grouping set has; `None` is one set of all.
    pub sets: Option<Vec<Vec<usize>>>,
}

/// Grouping, checked: what the aggregate node needs.
pub(crate) struct Grouped {
    groups: Vec<Expr>,
    /// The variable that stands for each group's value behind the aggregation.
    variables: Vec<usize>,
    sets: Vec<Vec<usize>>,
}

impl Binder<'_> {
    /// GROUP BY; `None` when there is none.
    pub(crate) fn bind_group_by(
        &mut self,
        group_by: &GroupByExpr,
        targets: &[Target],
    ) -> Result<Option<Grouping>> {
        let GroupByExpr::Expressions(items, modifiers) = group_by else {
            return Err(Error::unsupported("GROUP BY ALL"));
        };
        if !modifiers.is_empty() {
            return Err(Error::unsupported("WITH ROLLUP"));
        }
        if items.is_empty() {
            return Ok(None);
        }
        let mut grouping = Grouping::default();
        // Each item is a list of alternative sets; all items are combined.
        let mut sets: Vec<Vec<usize>> = vec![Vec::new()];
        let mut is_plain = true;
        for item in items {
            let alternatives = self.bind_group_item(item, targets, &mut grouping)?;
            is_plain &= alternatives.len() == 1;
            if sets.len().saturating_mul(alternatives.len()) > MAX_SETS {
                let message = format!("too many grouping sets present (maximum {MAX_SETS})");
                return Err(Error::new(SqlState::STATEMENT_TOO_COMPLEX, message));
            }
            let combined = sets.iter().flat_map(|set| {
                alternatives.iter().map(move |other| {
                    let mut set = set.clone();
                    set.extend(
                        other
                            .iter()
                            .filter(|group| !set.contains(group))
                            .copied()
                            .collect::<Vec<_>>(),
                    );
                    set
                })
            });
            sets = combined.collect();
        }
        if !is_plain || matches!(items.as_slice(), [Ast::GroupingSets(_)]) {
            grouping.sets = Some(sets);
        }
        Ok(Some(grouping))
    }

    /// The alternative sets that one item of GROUP BY means.
    fn bind_group_item(
        &mut self,
        item: &Ast,
        targets: &[Target],
        grouping: &mut Grouping,
    ) -> Result<Vec<Vec<usize>>> {
        let mut bind_all = |binder: &mut Self, exprs: &[Ast]| {
            let groups = exprs.iter().map(|expr| binder.bind_group(expr, targets, grouping));
            groups.collect::<Result<Vec<usize>>>()
        };
        match item {
            Ast::GroupingSets(sets) => {
                let mut all = Vec::new();
                for set in sets {
                    match set.as_slice() {
                        // Sets may nest: `GROUPING SETS (ROLLUP (a, b), ())`.
                        [nested @ (Ast::Rollup(_) | Ast::Cube(_) | Ast::GroupingSets(_))] => {
                            all.extend(self.bind_group_item(nested, targets, grouping)?);
                        }
                        set => {
                            let set = set.iter().map(|e| self.bind_group(e, targets, grouping));
                            all.push(set.collect::<Result<Vec<_>>>()?);
                        }
                    }
                }
                Ok(all)
            }
            Ast::Rollup(parts) => {
                let parts = parts.iter().map(|part| bind_all(self, part));
                let parts = parts.collect::<Result<Vec<_>>>()?;
                Ok((0..=parts.len()).rev().map(|count| parts[..count].concat()).collect())
            }
            Ast::Cube(parts) => {
                let parts = parts.iter().map(|part| bind_all(self, part));
                let parts = parts.collect::<Result<Vec<_>>>()?;
                if parts.len() > 12 {
                    let message = "CUBE is limited to 12 elements";
                    return Err(Error::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message));
                }
                let masks = (0..1_usize << parts.len()).rev();
                let pick = |mask: usize| {
                    let bit = |index: usize| parts.len() - 1 - index;
                    let chosen = parts.iter().enumerate();
                    let chosen = chosen.filter(|(index, _)| mask >> bit(*index) & 1 == 1);
                    chosen.flat_map(|(_, part)| part.iter().copied()).collect()
                };
                Ok(masks.map(pick).collect())
            }
            Ast::Tuple(parts) => Ok(vec![bind_all(self, parts)?]),
            expr => Ok(vec![vec![self.bind_group(expr, targets, grouping)?]]),
        }
    }

    /// One expression of GROUP BY: a position, a column, an output name, or an expression.
    fn bind_group(
        &mut self,
        expr: &Ast,
        targets: &[Target],
        grouping: &mut Grouping,
    ) -> Result<usize> {
        let value = match self.position_of(expr, targets.len(), "GROUP BY")? {
            Some(position) => targets[position].value.clone(),
            None => self.bind_group_value(expr, targets)?,
        };
        let value = self.settle(value)?;
        self.refuse_aggregates(&value)?;
        self.require_equality(&value)?;
        let same = grouping.groups.iter().position(|group| is_same(&group.expr, &value.expr));
        Ok(same.unwrap_or_else(|| {
            grouping.groups.push(value);
            grouping.groups.len() - 1
        }))
    }

    /// A column of FROM comes before an output name.
    fn bind_group_value(&mut self, expr: &Ast, targets: &[Target]) -> Result<Typed> {
        if let Ast::Identifier(name) = strip(expr) {
            let folded = fold(name);
            let columns = &self.level().scope.columns;
            let is_column = columns.iter().any(|column| column.name == folded);
            if !is_column && let Some(target) = targets.iter().find(|target| target.name == folded)
            {
                return Ok(target.value.clone());
            }
        }
        self.within(Clause::GroupBy, |binder| binder.bind_expr(expr))
    }

    fn refuse_aggregates(&mut self, value: &Typed) -> Result<()> {
        let level = self.level();
        let mut found = None;
        walk::each_variable(&value.expr, &mut |variable| {
            if level.aggregates.iter().any(|call| call.variable == variable) {
                found = Some((
                    SqlState::GROUPING_ERROR,
                    "aggregate functions are not allowed in GROUP BY",
                ));
            }
            if level.windows.iter().any(|call| call.variable == variable) {
                found = Some((
                    SqlState::WINDOWING_ERROR,
                    "window functions are not allowed in GROUP BY",
                ));
            }
        });
        match found {
            Some((state, message)) => Err(locate(Error::new(state, message), value.at)),
            None => Ok(()),
        }
    }

    /// Puts group variables where a grouped query's expressions repeat a group, and fails where
    /// they use a column that is neither grouped nor aggregated.
    pub(crate) fn check_grouping(
        &mut self,
        mut grouping: Grouping,
        parts: &mut Parts,
    ) -> Result<Grouped> {
        self.add_dependent(&mut grouping, parts);
        let mut variables = Vec::with_capacity(grouping.groups.len());
        for group in &grouping.groups {
            variables.push(match group.expr {
                // In grouping sets a column turns NULL: its group needs a variable of its own.
                Expr::Column(variable) if grouping.sets.is_none() => variable,
                _ => self.level().variable("group", group.ty.clone(), None),
            });
        }
        let groups: Vec<Expr> = grouping.groups.into_iter().map(|group| group.expr).collect();
        self.replace_groups(parts, &groups, &variables);
        self.refuse_ungrouped(parts, &variables)?;
        let all = (0..groups.len()).collect();
        Ok(Grouped { groups, variables, sets: grouping.sets.unwrap_or_else(|| vec![all]) })
    }

    /// A table grouped by its primary key may show its other columns too.
    fn add_dependent(&mut self, grouping: &mut Grouping, parts: &Parts) {
        if grouping.sets.is_some() {
            return;
        }
        let mut scans = Vec::new();
        if let Some(from) = &parts.from {
            collect_scans(from, &mut scans);
        }
        for (key, columns) in scans {
            let is_group = |variable: usize| {
                let is_it = |group: &Typed| matches!(group.expr, Expr::Column(v) if v == variable);
                grouping.groups.iter().any(is_it)
            };
            if key.is_empty() || !key.iter().all(|variable| is_group(*variable)) {
                continue;
            }
            for variable in columns {
                let known = is_group_of(grouping, variable);
                let described = &self.level().variables[variable];
                if !known && described.is_used {
                    let ty = described.ty.clone();
                    grouping.groups.push(Typed::new(Expr::Column(variable), ty));
                }
            }
        }
    }

    fn replace_groups(&mut self, parts: &mut Parts, groups: &[Expr], variables: &[usize]) {
        let mut replace = |expr: &mut Expr| {
            walk::replace(expr, &mut |part| {
                let same = groups.iter().position(|group| is_same(group, part))?;
                Some(Expr::Column(variables[same]))
            });
        };
        let targets = parts.targets.iter_mut().map(|target| &mut target.value.expr);
        targets.for_each(&mut replace);
        parts.having.iter_mut().for_each(&mut replace);
        parts.order.iter_mut().map(|key| &mut key.expr).for_each(&mut replace);
        parts.distinct.iter_mut().flatten().flatten().for_each(&mut replace);
        let level = self.level();
        for call in &mut level.windows {
            let window = &mut call.window;
            window.args.iter_mut().for_each(&mut replace);
            window.partition.iter_mut().for_each(&mut replace);
            window.filter.iter_mut().for_each(&mut replace);
            window.order.iter_mut().map(|key| &mut key.expr).for_each(&mut replace);
        }
        level.sets.iter_mut().flat_map(|call| &mut call.args).for_each(&mut replace);
    }

    fn refuse_ungrouped(&mut self, parts: &Parts, groups: &[usize]) -> Result<()> {
        let level = self.level();
        let made = level.aggregates.iter().map(|call| call.variable);
        let made = made.chain(level.windows.iter().map(|call| call.variable));
        let made = made.chain(level.sets.iter().map(|call| call.variable));
        let made = made.chain(level.groupings.iter().map(|(variable, _)| *variable));
        let allowed: Vec<usize> = made.chain(groups.iter().copied()).collect();
        let mut wrong = None;
        let mut check = |expr: &Expr| {
            walk::each_variable(expr, &mut |variable| {
                if !allowed.contains(&variable) {
                    wrong.get_or_insert(variable);
                }
            });
        };
        parts.targets.iter().for_each(|target| check(&target.value.expr));
        parts.having.iter().for_each(&mut check);
        parts.order.iter().for_each(|key| check(&key.expr));
        parts.distinct.iter().flatten().flatten().for_each(&mut check);
        for call in &level.windows {
            let window = &call.window;
            window.args.iter().for_each(&mut check);
            window.partition.iter().for_each(&mut check);
            window.order.iter().for_each(|key| check(&key.expr));
        }
        level.sets.iter().flat_map(|call| &call.args).for_each(&mut check);
        let Some(variable) = wrong else { return Ok(()) };
        let name = level.variables[variable].name.clone();
        let mentions = &level.mentions;
        let at = mentions.iter().find(|(known, _)| *known == variable).map(|(_, at)| *at);
        let message = format!(
            "column \"{name}\" must appear in the GROUP BY clause or be used in an aggregate function"
        );
        Err(locate(Error::new(SqlState::GROUPING_ERROR, message), at))
    }

    /// The aggregate node and the layout of its rows.
    pub(crate) fn build_aggregate(
        &mut self,
        grouped: Grouped,
        input: Node,
        layout: &Layout,
    ) -> Result<(Node, Layout)> {
        let Grouped { mut groups, variables, sets } = grouped;
        let unmapped = groups.clone();
        groups.iter_mut().try_for_each(|group| remap(group, layout))?;
        let mut after = Layout::of(variables);
        let calls = std::mem::take(&mut self.level().aggregates);
        let mut aggregates = Vec::with_capacity(calls.len());
        for mut call in calls {
            let aggregate = &mut call.aggregate;
            let exprs = aggregate.args.iter_mut().chain(&mut aggregate.filter);
            let exprs = exprs.chain(aggregate.order.iter_mut().map(|key| &mut key.expr));
            exprs.into_iter().try_for_each(|expr| remap(expr, layout))?;
            after.push(call.variable);
            aggregates.push(call.aggregate);
        }
        let masks = std::mem::take(&mut self.level().groupings);
        let mut groupings = Vec::with_capacity(masks.len());
        for (variable, args) in masks {
            let positions = args.iter().map(|arg| {
                unmapped.iter().position(|group| is_same(group, arg)).ok_or_else(|| {
                    let message =
                        "arguments to GROUPING must be grouping expressions of the associated query level";
                    Error::new(SqlState::GROUPING_ERROR, message)
                })
            });
            groupings.push(positions.collect::<Result<Vec<_>>>()?);
            after.push(variable);
        }
        let aggregate = Aggregate { input, groups, sets, aggregates, groupings };
        Ok((Node::Aggregate(Box::new(aggregate)), after))
    }
}

fn is_group_of(grouping: &Grouping, variable: usize) -> bool {
    grouping.groups.iter().any(|group| matches!(group.expr, Expr::Column(v) if v == variable))
}

/// For each table in FROM: the variables of its primary key, and all its variables.
fn collect_scans(tree: &FromTree, into: &mut Vec<(Vec<usize>, Vec<usize>)>) {
    match tree {
        FromTree::Rows { .. } => {}
        FromTree::Join(join) => {
            collect_scans(&join.left, into);
            collect_scans(&join.right, into);
        }
        FromTree::Scan { table, columns, .. } => {
            let variable = |position: usize| {
                let is_it = |column: &ScanColumn| *column == ScanColumn::Column(position);
                columns.iter().find(|(column, _)| is_it(column)).map(|(_, variable)| *variable)
            };
            // One that may be taken twice for a while determines nothing.
            let key = table.primary_key().filter(|(oid, _)| table.is_exclusive(*oid));
            let key = key.map(|(_, columns)| columns).unwrap_or_default();
            let key = key.into_iter().filter_map(variable).collect();
            into.push((key, columns.iter().map(|(_, variable)| *variable).collect()));
        }
    }
}
