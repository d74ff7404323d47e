//! INSERT, with ON CONFLICT.

use cairn_engine::{Bytes, Isolation};

use super::BATCH;
use super::context::Context;
use super::operator::Operator;
use super::table::expiry::is_expired;
use super::table::lock::{self, row_address};
use super::table::write::{self, NewRow};
use super::table::{constraint, row, unique};
use crate::catalog::RowKeyDef;
use crate::error::{Error, Result, SqlState};
use crate::expression::Expr;
use crate::plan::{Arbiter, Conflict, ConflictAction, Insert as Plan, Node, Row, TableWriter};
use crate::value::Value;

/// See [`Node::Insert`].
pub(crate) struct Insert {
    input: Operator,
    returned: Option<std::vec::IntoIter<Row>>,
    /// Rows inserted or, on conflict, updated.
    pub written: u64,
}

impl Insert {
    pub fn new(input: &Node) -> Self {
        Self { input: Operator::new(input), returned: None, written: 0 }
    }

    pub fn next(&mut self, plan: &Plan, cx: &Context<'_>, max: usize) -> Result<Vec<Row>> {
        if self.returned.is_none() {
            self.returned = Some(self.run(plan, cx)?.into_iter());
        }
        Ok(self.returned.iter_mut().flatten().take(max).collect())
    }

    fn run(&mut self, plan: &Plan, cx: &Context<'_>) -> Result<Vec<Row>> {
        let mut returned = Vec::new();
        loop {
            let rows = self.input.next(&plan.input, cx, BATCH)?;
            if rows.is_empty() {
                note_changes(&plan.writer, cx, self.written, 1);
                return Ok(returned);
            }
            for row in rows {
                cx.check_cancelled()?;
                let Some(row) = insert(plan, cx, row)? else { continue };
                self.written += 1;
                if let Some(exprs) = &plan.returning {
                    returned.push(cx.eval_all(exprs, &row)?);
                }
            }
        }
    }
}

/// Tells the statistics how many rows came (`sign` 1) or went (-1).
pub(crate) fn note_changes(writer: &TableWriter, cx: &Context<'_>, rows: u64, sign: i64) {
    let rows = i64::try_from(rows).unwrap_or(i64::MAX).saturating_mul(sign);
    cx.run.cx.shared.statistics.note_changes(writer.table.storage(), rows);
}

/// Inserts one row; `None` when a conflict left things as they are. Otherwise the row as written.
fn insert(plan: &Plan, cx: &Context<'_>, row: Row) -> Result<Option<Row>> {
    let new = NewRow::prepare(&plan.writer, cx, row)?;
    let Some(conflict) = &plan.conflict else {
        new.insert(&plan.writer, cx)?;
        return Ok(Some(new.row));
    };
    loop {
        let Some(row_key) = find_conflict(plan, conflict, &new, cx)? else {
            new.insert(&plan.writer, cx)?;
            let address = row_address(&plan.writer.table, &new.row_key);
            cx.run.state.written.borrow_mut().insert(address);
            return Ok(Some(new.row));
        };
        match &conflict.action {
            ConflictAction::Nothing => {
                check_visible(plan, cx, &row_key)?;
                return Ok(None);
            }
            ConflictAction::Update { assignments, filter } => {
                let outcome = update(plan, cx, &row_key, &new, assignments, filter.as_ref())?;
                match outcome {
                    Outcome::Updated(row) => return Ok(Some(row)),
                    Outcome::Filtered => return Ok(None),
                    // The row went away while we waited: its key is free now.
                    Outcome::Gone => {}
                }
            }
        }
    }
}

/// The row key of the row that holds a key that decides. Free keys are claimed on the way.
fn find_conflict(
    plan: &Plan,
    conflict: &Conflict,
    new: &NewRow,
    cx: &Context<'_>,
) -> Result<Option<Bytes>> {
    let decides = |arbiter| conflict.arbiters.is_empty() || conflict.arbiters.contains(&arbiter);
    let table = &plan.writer.table;
    if table.row_key != RowKeyDef::Hidden && decides(Arbiter::RowKey) {
        let taken = unique::claim_row(&plan.writer, cx, &new.row_key)?;
        if taken.is_some() {
            return Ok(Some(Bytes::copy_from_slice(&new.row_key)));
        }
    }
    let unique = new.entries.iter().filter(|entry| entry.is_unique);
    for entry in unique.filter(|entry| decides(Arbiter::Index(entry.index))) {
        if let Some(row_key) = unique::claim_entry(&plan.writer, cx, &entry.key)? {
            return Ok(Some(row_key));
        }
    }
    Ok(None)
}

/// Under REPEATABLE READ, a conflict with a row that the snapshot does not show is a failure.
fn check_visible(plan: &Plan, cx: &Context<'_>, row_key: &[u8]) -> Result<()> {
    if cx.txn().isolation() == Isolation::ReadCommitted {
        return Ok(());
    }
    let address = row_address(&plan.writer.table, row_key);
    let is_own = cx.run.state.written.borrow().contains(&address);
    if !is_own && cx.txn().get(&address)?.is_none() {
        return Err(lock::could_not_serialize("update"));
    }
    Ok(())
}

/// What DO UPDATE did.
enum Outcome {
    Updated(Row),
    Filtered,
    Gone,
}

fn update(
    plan: &Plan,
    cx: &Context<'_>,
    row_key: &[u8],
    new: &NewRow,
    assignments: &[(usize, Expr)],
    filter: Option<&Expr>,
) -> Result<Outcome> {
    let writer = &plan.writer;
    let address = row_address(&writer.table, row_key);
    if cx.run.state.written.borrow().contains(&address) {
        return Err(touched_twice());
    }
    lock::wait(cx, &address, cairn_engine::LockStrength::NoKeyUpdate)?;
    let Some(stored) = cx.txn().get_newest(&address)? else { return Ok(Outcome::Gone) };
    if cx.txn().isolation() != Isolation::ReadCommitted
        && cx.txn().is_changed_since_snapshot(&address)?
    {
        return Err(lock::could_not_serialize("update"));
    }
    let old = row::decode(&writer.table, &stored)?;
    if is_expired(&writer.table, &old, cx.eval.statement.transaction_time) {
        return Ok(Outcome::Gone);
    }
    let mut both = old.clone();
    both.extend_from_slice(&new.row);
    if let Some(filter) = filter
        && !cx.holds(filter, &both)?
    {
        return Ok(Outcome::Filtered);
    }
    let mut row = old.clone();
    assign(assignments, cx, &both, &mut row)?;
    constraint::complete(writer, cx, &mut row)?;
    let strength = write::update_strength(writer, &old, &row);
    if strength > cairn_engine::LockStrength::NoKeyUpdate {
        lock::wait(cx, &address, strength)?;
    }
    let moved = write::update(writer, cx, row_key, &old, &row)?;
    cx.run.state.written.borrow_mut().insert(row_address(&writer.table, &moved));
    Ok(Outcome::Updated(row))
}

/// Computes the assigned columns of a row.
pub(crate) fn assign(
    assignments: &[(usize, Expr)],
    cx: &Context<'_>,
    input: &[Value],
    row: &mut [Value],
) -> Result<()> {
    for (column, expr) in assignments {
        let value = expr.eval(&cx.eval, input)?;
        let place = row.get_mut(*column).ok_or_else(|| Error::internal("no such column"))?;
        *place = value;
    }
    Ok(())
}

fn touched_twice() -> Error {
    let message = "ON CONFLICT DO UPDATE command cannot affect row a second time";
    Error::new(SqlState::CARDINALITY_VIOLATION, message).with_hint(
        "Ensure that no rows proposed for insertion within the same command have duplicate \
         constrained values.",
    )
}
