//! GROUP BY and aggregates: one pass over the input, groups in a hash table.

use super::context::Context;
use super::grouping::{self, GroupMap, GroupSet};
use super::memory::row_len;
use super::operator::Operator;
use super::{BATCH, order};
use crate::error::Result;
use crate::expression::Accumulator;
use crate::plan::{Aggregate as Plan, AggregateExpr, Node, Row, SortKey};
use crate::value::Value;

/// See [`Node::Aggregate`].
pub(crate) struct Aggregate {
    input: Operator,
    groups: Option<std::vec::IntoIter<Group>>,
}

/// One group of one grouping set.
struct Group {
    set: usize,
    values: Vec<Value>,
    calls: Vec<Call>,
}

/// One aggregate call's state in one group.
pub(crate) struct Call {
    accumulator: Box<dyn Accumulator>,
    /// Arguments seen before, for DISTINCT.
    seen: Option<GroupSet>,
    /// Rows that wait to be sorted: sort keys and arguments.
    waiting: Vec<(Vec<Value>, Vec<Value>)>,
}

impl Aggregate {
    pub fn new(input: &Node) -> Self {
        Self { input: Operator::new(input), groups: None }
    }

    pub fn next(&mut self, plan: &Plan, cx: &Context<'_>, max: usize) -> Result<Vec<Row>> {
        if self.groups.is_none() {
            self.groups = Some(self.gather(plan, cx)?.into_iter());
        }
        let groups = self.groups.iter_mut().flatten();
        groups.take(max).map(|group| finish(plan, group, cx)).collect()
    }

    fn gather(&mut self, plan: &Plan, cx: &Context<'_>) -> Result<Vec<Group>> {
        let mut groups = Vec::new();
        let mut positions: Vec<GroupMap<usize>> =
            plan.sets.iter().map(|_| GroupMap::default()).collect();
        loop {
            let rows = self.input.next(&plan.input, cx, BATCH)?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                cx.check_cancelled()?;
                let values = cx.eval_all(&plan.groups, &row)?;
                for (set, positions) in positions.iter_mut().enumerate() {
                    let position = locate(plan, set, &values, positions, &mut groups, cx)?;
                    if let Some(group) = groups.get_mut(position) {
                        group.add(plan, &row, cx)?;
                    }
                }
            }
        }
        // A grouping set without columns is one group even when there are no rows.
        for (set, columns) in plan.sets.iter().enumerate() {
            if columns.is_empty() && !groups.iter().any(|group| group.set == set) {
                groups.push(Group::new(plan, set, vec![Value::Null; plan.groups.len()]));
            }
        }
        Ok(groups)
    }
}

/// The position of the group that a row belongs to, made when it is new.
fn locate(
    plan: &Plan,
    set: usize,
    values: &[Value],
    positions: &mut GroupMap<usize>,
    groups: &mut Vec<Group>,
    cx: &Context<'_>,
) -> Result<usize> {
    let columns = plan.sets.get(set).map(Vec::as_slice).unwrap_or_default();
    let mut own = vec![Value::Null; values.len()];
    for &column in columns {
        if let (Some(own), Some(value)) = (own.get_mut(column), values.get(column)) {
            *own = value.clone();
        }
    }
    let key = grouping::key_of(&own);
    if let Some(&position) = positions.get(&key) {
        return Ok(position);
    }
    let group = Group::new(plan, set, own);
    let accumulators: usize = group.calls.iter().map(|call| call.accumulator.memory_len()).sum();
    cx.memory().grow(2 * grouping::key_len(&key) + accumulators + 96)?;
    positions.insert(key, groups.len());
    groups.push(group);
    Ok(groups.len() - 1)
}

impl Group {
    fn new(plan: &Plan, set: usize, values: Vec<Value>) -> Self {
        Self { set, values, calls: plan.aggregates.iter().map(Call::new).collect() }
    }

    fn add(&mut self, plan: &Plan, row: &[Value], cx: &Context<'_>) -> Result<()> {
        for (call, expr) in self.calls.iter_mut().zip(&plan.aggregates) {
            call.add(expr, row, cx)?;
        }
        Ok(())
    }
}

impl Call {
    pub fn new(expr: &AggregateExpr) -> Self {
        Self {
            accumulator: (expr.function.start)(&expr.arg_types),
            seen: expr.is_distinct.then(GroupSet::default),
            waiting: Vec::new(),
        }
    }

    /// Takes one input row in.
    pub fn add(&mut self, expr: &AggregateExpr, row: &[Value], cx: &Context<'_>) -> Result<()> {
        if let Some(filter) = &expr.filter
            && !cx.holds(filter, row)?
        {
            return Ok(());
        }
        let mut args = cx.eval_all(&expr.args, row)?;
        let keys = order::key_values(&expr.order, cx, row)?;
        if expr.function.is_ordered_set {
            // `WITHIN GROUP (ORDER BY x)`: x is what is aggregated.
            args.extend_from_slice(&keys);
        }
        if expr.function.is_strict && args.iter().any(Value::is_null) {
            return Ok(());
        }
        if let Some(seen) = &mut self.seen {
            let key = grouping::key_of(&args);
            cx.memory().grow(grouping::key_len(&key))?;
            if !seen.insert(key) {
                return Ok(());
            }
        }
        if expr.order.is_empty() {
            return self.accumulator.add(&cx.eval, &args);
        }
        cx.memory().grow(row_len(&keys) + row_len(&args))?;
        self.waiting.push((keys, args));
        Ok(())
    }

    /// The call's value.
    pub fn finish(&mut self, order: &[SortKey], cx: &Context<'_>) -> Result<Value> {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.sort_by(|(left, _), (right, _)| order::compare(order, left, right));
        for (_, args) in &waiting {
            self.accumulator.add(&cx.eval, args)?;
        }
        self.accumulator.finish(&cx.eval)
    }
}

/// The output row of a group.
fn finish(plan: &Plan, mut group: Group, cx: &Context<'_>) -> Result<Row> {
    let mut row = std::mem::take(&mut group.values);
    for (call, expr) in group.calls.iter_mut().zip(&plan.aggregates) {
        row.push(call.finish(&expr.order, cx)?);
    }
    let columns = plan.sets.get(group.set).map(Vec::as_slice).unwrap_or_default();
    for grouping in &plan.groupings {
        // Postgres manual, 9.21: bit by bit, 1 where the argument is not in the grouping set.
        let mask = grouping
            .iter()
            .fold(0, |mask, column| (mask << 1) | i32::from(!columns.contains(column)));
        row.push(Value::Int4(mask));
    }
    Ok(row)
}
