//! Rows without duplicates.

use super::context::Context;
use super::grouping::{self, GroupSet};
use super::operator::Operator;
use crate::error::Result;
use crate::expression::Expr;
use crate::plan::{Node, Row};
use crate::value::GroupKey;

/// See [`Node::Distinct`].
pub(crate) struct Distinct {
    input: Operator,
    seen: GroupSet,
    last: Option<GroupKey>,
}

impl Distinct {
    pub fn new(input: &Node) -> Self {
        Self { input: Operator::new(input), seen: GroupSet::default(), last: None }
    }

    pub fn next(
        &mut self,
        input: &Node,
        on: Option<&[Expr]>,
        cx: &Context<'_>,
        max: usize,
    ) -> Result<Vec<Row>> {
        loop {
            let rows = self.input.next(input, cx, max)?;
            if rows.is_empty() {
                return Ok(rows);
            }
            let mut kept = Vec::with_capacity(rows.len());
            for row in rows {
                cx.check_cancelled()?;
                let is_new = match on {
                    None => self.is_unseen(&row, cx)?,
                    Some(exprs) => self.is_other(grouping::key_of(&cx.eval_all(exprs, &row)?)),
                };
                if is_new {
                    kept.push(row);
                }
            }
            if !kept.is_empty() {
                return Ok(kept);
            }
        }
    }

    fn is_unseen(&mut self, row: &Row, cx: &Context<'_>) -> Result<bool> {
        let key = grouping::key_of(row);
        let len = grouping::key_len(&key);
        let is_new = self.seen.insert(key);
        if is_new {
            cx.memory().grow(len)?;
        }
        Ok(is_new)
    }

    /// Whether the key differs from the row before: `DISTINCT ON` reads sorted input.
    fn is_other(&mut self, key: GroupKey) -> bool {
        let is_other = self.last.as_ref() != Some(&key);
        self.last = Some(key);
        is_other
    }
}
