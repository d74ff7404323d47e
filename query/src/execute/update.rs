//! UPDATE.

use cairn_engine::Bytes;

use super::context::Context;
use super::insert::assign;
use super::operator::Operator;
use super::table::lock::{self, Locked, row_address};
use super::table::{constraint, row, write};
use crate::error::{Error, Result};
use crate::plan::{Node, Row, TableWriter, Update as Plan};
use crate::value::Value;

/// See [`Node::Update`].
pub(crate) struct Update {
    input: Operator,
    returned: Option<std::vec::IntoIter<Row>>,
    /// Rows updated.
    pub written: u64,
}

impl Update {
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
        for input in self.input.all(&plan.input, cx)? {
            cx.check_cancelled()?;
            let Some(output) = update(plan, cx, input)? else { continue };
            self.written += 1;
            if let Some(exprs) = &plan.returning {
                returned.push(cx.eval_all(exprs, &output)?);
            }
        }
        Ok(returned)
    }
}

/// Updates the row that an input row stands for; `None` when it no longer qualifies. Otherwise the
/// input row with the new columns in place of the old.
fn update(plan: &Plan, cx: &Context<'_>, mut input: Row) -> Result<Option<Row>> {
    let writer = &plan.writer;
    let width = writer.table.columns.len();
    let Some((row_key, address)) = begin(writer, cx, &input)? else { return Ok(None) };
    let mut new = propose(plan, cx, &input)?;
    let old = input.get(..width).unwrap_or_default();
    let strength = write::update_strength(writer, old, &new);
    match lock::wait_for_row(cx, &address, strength)? {
        Locked::Unchanged => {}
        Locked::Gone => return Ok(None),
        Locked::Changed(stored) => {
            substitute(writer, &stored, &mut input)?;
            if !qualifies(plan.recheck.as_ref(), cx, &input)? {
                return Ok(None);
            }
            new = propose(plan, cx, &input)?;
            // The new values may need a stronger lock; with it held, nothing can change.
            let old = input.get(..width).unwrap_or_default();
            let needed = write::update_strength(writer, old, &new);
            if needed > strength {
                lock::wait(cx, &address, needed)?;
            }
        }
    }
    let old = input.get(..width).unwrap_or_default();
    let moved = write::update(writer, cx, &row_key, old, &new)?;
    let mut written = cx.run.state.written.borrow_mut();
    if moved != *row_key {
        written.insert(row_address(&writer.table, &moved));
    }
    written.insert(address);
    drop(written);
    input.splice(..width, new);
    Ok(Some(input))
}

/// The new row that the assignments make of an input row, complete and checked.
fn propose(plan: &Plan, cx: &Context<'_>, input: &[Value]) -> Result<Row> {
    let width = plan.writer.table.columns.len();
    let mut new = input.get(..width).unwrap_or_default().to_vec();
    assign(&plan.assignments, cx, input, &mut new)?;
    constraint::complete(&plan.writer, cx, &mut new)?;
    Ok(new)
}

/// The row key and address of the row that an input row stands for; `None` when this statement has
/// written it already (the second of two matches changes nothing).
pub(crate) fn begin(
    writer: &TableWriter,
    cx: &Context<'_>,
    input: &[Value],
) -> Result<Option<(Bytes, Vec<u8>)>> {
    let row_key = match input.get(writer.table.columns.len()) {
        Some(Value::RowKey(row_key)) => row_key.clone(),
        Some(Value::Null) => return Ok(None),
        _ => return Err(Error::internal("the row to write has no key")),
    };
    let address = row_address(&writer.table, &row_key);
    let is_written = cx.run.state.written.borrow().contains(&address);
    Ok((!is_written).then_some((row_key, address)))
}

/// Puts a row's newest columns into an input row.
pub(crate) fn substitute(writer: &TableWriter, stored: &[u8], input: &mut Row) -> Result<()> {
    let newest = row::decode(&writer.table, stored)?;
    input.splice(..newest.len(), newest);
    Ok(())
}

/// Whether a re-read row still satisfies the statement's condition.
pub(crate) fn qualifies(
    recheck: Option<&crate::expression::Expr>,
    cx: &Context<'_>,
    input: &[Value],
) -> Result<bool> {
    recheck.map_or(Ok(true), |recheck| cx.holds(recheck, input))
}
