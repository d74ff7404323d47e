//! Common table expressions: rows made once and read by several scans, recursion, and writes that
//! happen whether or not anyone reads them.

use std::sync::Arc;

use super::BATCH;
use super::context::Context;
use super::grouping::{self, GroupSet};
use super::memory::row_len;
use super::operator::Operator;
use crate::error::{Error, Result};
use crate::plan::{Cte, Row, walk};

/// What a common table expression has given so far.
#[derive(Default)]
pub(crate) struct CteState {
    rows: Vec<Row>,
    progress: Progress,
    /// Rows of the last round, for [`WorkingTable`].
    working: Arc<Vec<Row>>,
    seen: GroupSet,
    is_dependent: Option<bool>,
}

#[derive(Default)]
enum Progress {
    #[default]
    NotStarted,
    /// The first term is running.
    First(Operator),
    /// Rounds of the recursive term follow.
    Recursing,
    /// Its operator is at work further up the stack.
    Busy,
    Complete,
}

/// See [`crate::plan::Node::CteScan`].
#[derive(Default)]
pub(crate) struct CteScan {
    position: usize,
}

impl CteScan {
    pub fn next(&mut self, cte: usize, cx: &Context<'_>, max: usize) -> Result<Vec<Row>> {
        let cell = cx.run.state.ctes.get(cte).ok_or_else(no_cte)?;
        while cell.borrow().rows.len() <= self.position {
            if !advance(cte, cx, max)? {
                return Ok(Vec::new());
            }
        }
        let state = cell.borrow();
        let end = state.rows.len().min(self.position.saturating_add(max));
        let rows = state.rows.get(self.position..end).unwrap_or_default().to_vec();
        self.position = end;
        Ok(rows)
    }
}

/// See [`crate::plan::Node::WorkingTable`].
#[derive(Default)]
pub(crate) struct WorkingTable {
    position: usize,
}

impl WorkingTable {
    pub fn next(&mut self, cte: usize, cx: &Context<'_>, max: usize) -> Result<Vec<Row>> {
        let cell = cx.run.state.ctes.get(cte).ok_or_else(no_cte)?;
        let rows = Arc::clone(&cell.borrow().working);
        let end = rows.len().min(self.position.saturating_add(max));
        let batch = rows.get(self.position..end).unwrap_or_default().to_vec();
        self.position = end;
        Ok(batch)
    }
}

/// Runs every writing common table expression to its end.
pub(crate) fn finish_modifying(cx: &Context<'_>) -> Result<()> {
    for (position, cte) in cx.run.plan.ctes.iter().enumerate() {
        if cte.is_modifying {
            while advance(position, cx, BATCH)? {}
        }
    }
    Ok(())
}

/// Makes expressions that read slots run again, because slots have changed.
pub(crate) fn forget_dependent(cx: &Context<'_>) {
    for (cell, cte) in cx.run.state.ctes.iter().zip(&cx.run.plan.ctes) {
        let Ok(mut state) = cell.try_borrow_mut() else { continue };
        if cte.is_modifying || matches!(state.progress, Progress::NotStarted | Progress::Busy) {
            continue;
        }
        let is_dependent = *state.is_dependent.get_or_insert_with(|| {
            let plan = cx.run.plan;
            let recursive = cte.recursive.as_ref();
            walk::reads_outer_slots(plan, &cte.node)
                || recursive.is_some_and(|term| walk::reads_outer_slots(plan, &term.node))
        });
        if is_dependent {
            *state = CteState { is_dependent: Some(true), ..CteState::default() };
        }
    }
}

/// Makes some more rows; answers whether there may be more after them.
fn advance(position: usize, cx: &Context<'_>, max: usize) -> Result<bool> {
    let cell = cx.run.state.ctes.get(position).ok_or_else(no_cte)?;
    let cte = cx.run.plan.ctes.get(position).ok_or_else(no_cte)?;
    let progress = std::mem::replace(&mut cell.borrow_mut().progress, Progress::Busy);
    let (rows, progress) = match progress {
        Progress::NotStarted => first(cte, Operator::new(&cte.node), cx, max)?,
        Progress::First(operator) => first(cte, operator, cx, max)?,
        Progress::Recursing => round(cte, cx)?,
        Progress::Busy => return Err(Error::internal("a common table expression reads itself")),
        Progress::Complete => (Vec::new(), Progress::Complete),
    };
    let is_complete = matches!(progress, Progress::Complete);
    let mut state = cell.borrow_mut();
    state.progress = progress;
    let fresh = state.fresh(cte, rows)?;
    cx.memory().grow(fresh.iter().map(|row| row_len(row)).sum())?;
    if cte.recursive.is_some() && !is_complete {
        state.working = Arc::new(fresh.clone());
        if fresh.is_empty() {
            state.progress = Progress::Complete;
            return Ok(false);
        }
    }
    state.rows.extend(fresh);
    Ok(!is_complete)
}

/// Rows of the (first) term: batch by batch, or all of them when rounds follow.
fn first(
    cte: &Cte,
    mut operator: Operator,
    cx: &Context<'_>,
    max: usize,
) -> Result<(Vec<Row>, Progress)> {
    if cte.recursive.is_some() {
        return Ok((operator.all(&cte.node, cx)?, Progress::Recursing));
    }
    let rows = operator.next(&cte.node, cx, max)?;
    let progress = if rows.is_empty() { Progress::Complete } else { Progress::First(operator) };
    Ok((rows, progress))
}

/// One round of the recursive term over the rows of the round before.
fn round(cte: &Cte, cx: &Context<'_>) -> Result<(Vec<Row>, Progress)> {
    cx.check_cancelled()?;
    let Some(recursive) = &cte.recursive else { return Ok((Vec::new(), Progress::Complete)) };
    let rows = Operator::new(&recursive.node).all(&recursive.node, cx)?;
    Ok((rows, Progress::Recursing))
}

impl CteState {
    /// `rows` without those that a `UNION` recursion has seen before.
    fn fresh(&mut self, cte: &Cte, mut rows: Vec<Row>) -> Result<Vec<Row>> {
        if cte.recursive.as_ref().is_some_and(|recursive| recursive.is_distinct) {
            let mut fresh = Vec::with_capacity(rows.len());
            for row in rows.drain(..) {
                if self.seen.insert(grouping::key_of(&row)) {
                    fresh.push(row);
                }
            }
            return Ok(fresh);
        }
        Ok(rows)
    }
}

fn no_cte() -> Error {
    Error::internal("no such common table expression")
}
