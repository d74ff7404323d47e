//! DELETE.

use cairn_engine::LockStrength;

use super::context::Context;
use super::insert::note_changes;
use super::operator::Operator;
use super::table::lock::{self, Locked};
use super::table::write;
use super::update::{begin, qualifies, substitute};
use crate::error::Result;
use crate::plan::{Delete as Plan, Node, Row};

/// See [`Node::Delete`].
pub(crate) struct Delete {
    input: Operator,
    returned: Option<std::vec::IntoIter<Row>>,
    /// Rows deleted.
    pub written: u64,
}

impl Delete {
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
            let Some(row) = delete(plan, cx, input)? else { continue };
            self.written += 1;
            if let Some(exprs) = &plan.returning {
                returned.push(cx.eval_all(exprs, &row)?);
            }
        }
        note_changes(&plan.writer, cx, self.written, -1);
        Ok(returned)
    }
}

/// Deletes the row that an input row stands for; `None` when it no longer qualifies. Otherwise the
/// input row as it was when it went.
fn delete(plan: &Plan, cx: &Context<'_>, mut input: Row) -> Result<Option<Row>> {
    let writer = &plan.writer;
    let Some((row_key, address)) = begin(writer, cx, &input)? else { return Ok(None) };
    match lock::wait_for_row(cx, &address, LockStrength::Update)? {
        Locked::Unchanged => {}
        Locked::Gone => return Ok(None),
        Locked::Changed(stored) => {
            substitute(writer, &stored, &mut input)?;
            if !qualifies(plan.recheck.as_ref(), cx, &input)? {
                return Ok(None);
            }
        }
    }
    let row = input.get(..writer.table.columns.len()).unwrap_or_default();
    write::delete(writer, cx, &row_key, row)?;
    cx.run.state.written.borrow_mut().insert(address);
    Ok(Some(input))
}
