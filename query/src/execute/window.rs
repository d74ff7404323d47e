//! Window functions: rows sorted into partitions, each row seeing a frame of its partition.
//!
//! Windows are computed one after the other, each adding a column; consecutive ones that agree in
//! PARTITION BY and ORDER BY share one sort. The output comes in the order of the last sort.

use std::cmp::Ordering;

use super::context::Context;
use super::memory::row_len;
use super::operator::Operator;
use super::order;
use super::window_frame::{Frames, Peers};
use crate::error::{Error, Result, SqlState};
use crate::expression::{AggregateFunction, Expr};
use crate::plan::{Node, Row, SortKey, WindowExpr, WindowFunction};
use crate::value::{Value, compare};

/// See [`Node::Window`].
pub(crate) struct Window {
    input: Operator,
    rows: Option<std::vec::IntoIter<Row>>,
}

/// A row with its partition and order values.
struct Keyed {
    partition: Vec<Value>,
    order: Vec<Value>,
    row: Row,
}

impl Window {
    pub fn new(input: &Node) -> Self {
        Self { input: Operator::new(input), rows: None }
    }

    pub fn next(
        &mut self,
        input: &Node,
        windows: &[WindowExpr],
        cx: &Context<'_>,
        max: usize,
    ) -> Result<Vec<Row>> {
        if self.rows.is_none() {
            let rows = self.input.all(input, cx)?;
            self.rows = Some(compute_all(windows, rows, cx)?.into_iter());
        }
        Ok(self.rows.iter_mut().flatten().take(max).collect())
    }
}

fn compute_all(windows: &[WindowExpr], rows: Vec<Row>, cx: &Context<'_>) -> Result<Vec<Row>> {
    let key = |row: Row| Keyed { partition: Vec::new(), order: Vec::new(), row };
    let mut rows: Vec<Keyed> = rows.into_iter().map(key).collect();
    for window in windows {
        sort(window, &mut rows, cx)?;
        let mut start = 0;
        while start < rows.len() {
            let len = partition_len(rows.get(start..).unwrap_or_default());
            let partition = rows.get_mut(start..start + len).unwrap_or_default();
            compute(window, partition, cx)?;
            start += len;
        }
    }
    Ok(rows.into_iter().map(|keyed| keyed.row).collect())
}

/// Sorts rows by partition, then order. The sort is stable, so rows that the window before has
/// sorted in the same way stay put.
fn sort(window: &WindowExpr, rows: &mut [Keyed], cx: &Context<'_>) -> Result<()> {
    for keyed in rows.iter_mut() {
        cx.check_cancelled()?;
        keyed.partition = cx.eval_all(&window.partition, &keyed.row)?;
        keyed.order = order::key_values(&window.order, cx, &keyed.row)?;
        cx.memory().grow(row_len(&keyed.partition) + row_len(&keyed.order))?;
    }
    rows.sort_by(|left, right| {
        compare_partitions(&left.partition, &right.partition)
            .then_with(|| order::compare(&window.order, &left.order, &right.order))
    });
    Ok(())
}

fn compare_partitions(left: &[Value], right: &[Value]) -> Ordering {
    left.iter().zip(right).fold(Ordering::Equal, |order, (left, right)| {
        order.then_with(|| match (left.is_null(), right.is_null()) {
            (false, false) => compare(left, right),
            (left, right) => left.cmp(&right),
        })
    })
}

/// How many of the rows belong to the first row's partition.
fn partition_len(rows: &[Keyed]) -> usize {
    let Some(first) = rows.first() else { return 1 };
    let other = |row: &Keyed| compare_partitions(&first.partition, &row.partition).is_ne();
    rows.iter().position(other).unwrap_or(rows.len())
}

/// Adds the window's column to the rows of one partition.
fn compute(window: &WindowExpr, rows: &mut [Keyed], cx: &Context<'_>) -> Result<()> {
    let peers = Peers::new(&window.order, rows.iter().map(|row| row.order.as_slice()));
    let values = match &window.function {
        WindowFunction::Aggregate(function) => aggregate(function, window, rows, &peers, cx)?,
        WindowFunction::Lag | WindowFunction::Lead => offset(window, rows, cx)?,
        WindowFunction::FirstValue | WindowFunction::LastValue | WindowFunction::NthValue => {
            nth(window, rows, &peers, cx)?
        }
        WindowFunction::Ntile => ntile(window, rows, cx)?,
        function => (0..rows.len()).map(|row| rank(function, &peers, row, rows.len())).collect(),
    };
    for (row, value) in rows.iter_mut().zip(values) {
        row.row.push(value);
    }
    Ok(())
}

fn rank(function: &WindowFunction, peers: &Peers, row: usize, len: usize) -> Value {
    let group = peers.range_of(row);
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    match function {
        WindowFunction::RowNumber => Value::Int8(count(row + 1)),
        WindowFunction::Rank => Value::Int8(count(group.start + 1)),
        WindowFunction::DenseRank => Value::Int8(count(peers.group_of(row) + 1)),
        WindowFunction::PercentRank if len > 1 => {
            Value::Float8(group.start as f64 / (len - 1) as f64)
        }
        WindowFunction::PercentRank => Value::Float8(0.0),
        _ => Value::Float8(group.end as f64 / len as f64),
    }
}

fn aggregate(
    function: &AggregateFunction,
    window: &WindowExpr,
    rows: &[Keyed],
    peers: &Peers,
    cx: &Context<'_>,
) -> Result<Vec<Value>> {
    let frames = Frames::new(window, rows.iter().map(|row| row.order.as_slice()), peers, cx)?;
    let mut args = Vec::with_capacity(rows.len());
    for row in rows {
        args.push(aggregate_args(function, window, &row.row, cx)?);
    }
    let mut values = Vec::with_capacity(rows.len());
    let mut state = (function.start)(&window.arg_types);
    // Rows `0..taken` are in the state, as long as frames begin with the partition.
    let mut taken = 0;
    for row in 0..rows.len() {
        cx.check_cancelled()?;
        let frame = frames.of(row)?;
        let is_growing = frame.range.start == 0 && frame.excluded.is_empty();
        if !is_growing || frame.range.end < taken {
            state = (function.start)(&window.arg_types);
            taken = 0;
        }
        let from = if is_growing { taken } else { frame.range.start };
        for (position, args) in args.iter().enumerate().take(frame.range.end).skip(from) {
            if let Some(args) = args
                && !frame.excludes(position)
            {
                state.add(&cx.eval, args)?;
            }
        }
        values.push(state.finish(&cx.eval)?);
        taken = frame.range.end;
        if !is_growing {
            // Whatever comes next begins anew.
            taken = usize::MAX;
        }
    }
    Ok(values)
}

/// The arguments of one row; `None` when the call leaves the row out.
fn aggregate_args(
    function: &AggregateFunction,
    window: &WindowExpr,
    row: &[Value],
    cx: &Context<'_>,
) -> Result<Option<Vec<Value>>> {
    if let Some(filter) = &window.filter
        && !cx.holds(filter, row)?
    {
        return Ok(None);
    }
    let args = cx.eval_all(&window.args, row)?;
    let is_skipped = function.is_strict && args.iter().any(Value::is_null);
    Ok((!is_skipped).then_some(args))
}

/// `lag` and `lead`: the value some rows away, or the default.
fn offset(window: &WindowExpr, rows: &[Keyed], cx: &Context<'_>) -> Result<Vec<Value>> {
    let is_lag = matches!(window.function, WindowFunction::Lag);
    let mut values = Vec::with_capacity(rows.len());
    for (position, row) in rows.iter().enumerate() {
        cx.check_cancelled()?;
        let distance = match window.args.get(1) {
            Some(distance) => integer(&distance.eval(&cx.eval, &row.row)?)?,
            None => Some(1),
        };
        let Some(distance) = distance else {
            values.push(Value::Null);
            continue;
        };
        let distance = if is_lag { distance.checked_neg() } else { Some(distance) };
        let target = distance
            .and_then(|distance| isize::try_from(distance).ok())
            .and_then(|distance| position.checked_add_signed(distance))
            .and_then(|target| rows.get(target));
        values.push(match (target, window.args.get(2)) {
            (Some(target), _) => argument(window, 0)?.eval(&cx.eval, &target.row)?,
            (None, Some(default)) => default.eval(&cx.eval, &row.row)?,
            (None, None) => Value::Null,
        });
    }
    Ok(values)
}

/// `first_value`, `last_value`, `nth_value`.
fn nth(window: &WindowExpr, rows: &[Keyed], peers: &Peers, cx: &Context<'_>) -> Result<Vec<Value>> {
    let frames = Frames::new(window, rows.iter().map(|row| row.order.as_slice()), peers, cx)?;
    let mut values = Vec::with_capacity(rows.len());
    for (position, row) in rows.iter().enumerate() {
        cx.check_cancelled()?;
        let frame = frames.of(position)?;
        let mut inside = frame.range.clone().filter(|&position| !frame.excludes(position));
        let target = match window.function {
            WindowFunction::FirstValue => inside.next(),
            WindowFunction::LastValue => inside.next_back(),
            _ => match integer(&argument(window, 1)?.eval(&cx.eval, &row.row)?)? {
                None => None,
                Some(n) if n > 0 => inside.nth(usize::try_from(n - 1).unwrap_or(usize::MAX)),
                Some(_) => {
                    let message = "argument of nth_value must be greater than zero";
                    return Err(Error::new(SqlState("22016"), message));
                }
            },
        };
        let value = target
            .and_then(|target| rows.get(target))
            .map(|target| argument(window, 0)?.eval(&cx.eval, &target.row));
        values.push(value.transpose()?.unwrap_or(Value::Null));
    }
    Ok(values)
}

/// `ntile(n)`: the first `len % n` buckets are one larger.
fn ntile(window: &WindowExpr, rows: &[Keyed], cx: &Context<'_>) -> Result<Vec<Value>> {
    let Some(first) = rows.first() else { return Ok(Vec::new()) };
    let Some(buckets) = integer(&argument(window, 0)?.eval(&cx.eval, &first.row)?)? else {
        return Ok(vec![Value::Null; rows.len()]);
    };
    let Some(buckets) = usize::try_from(buckets).ok().filter(|&buckets| buckets > 0) else {
        let message = "argument of ntile must be greater than zero";
        return Err(Error::new(SqlState("22014"), message));
    };
    let (small, larger) = (rows.len() / buckets, rows.len() % buckets);
    let in_larger = larger * (small + 1);
    let bucket = |row: usize| match row < in_larger {
        true => row / (small + 1),
        false => larger + (row - in_larger) / small.max(1),
    };
    let number = |row| Value::Int4(i32::try_from(bucket(row) + 1).unwrap_or(i32::MAX));
    Ok((0..rows.len()).map(number).collect())
}

fn argument(window: &WindowExpr, position: usize) -> Result<&Expr> {
    window.args.get(position).ok_or_else(|| Error::internal("a window function lacks an argument"))
}

/// The value of an integer argument; `None` is NULL.
pub(crate) fn integer(value: &Value) -> Result<Option<i64>> {
    match value {
        Value::Null => Ok(None),
        Value::Int2(n) => Ok(Some(i64::from(*n))),
        Value::Int4(n) => Ok(Some(i64::from(*n))),
        Value::Int8(n) => Ok(Some(*n)),
        _ => Err(Error::internal("not an integer")),
    }
}

/// Whether two order values are equal by the keys of a window.
pub(crate) fn is_peer(keys: &[SortKey], left: &[Value], right: &[Value]) -> bool {
    order::compare(keys, left, right).is_eq()
}
