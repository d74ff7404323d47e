//! Rows in order; only the first few when a bound is known.

use super::context::Context;
use super::memory::row_len;
use super::operator::Operator;
use super::{BATCH, order};
use crate::error::Result;
use crate::expression::Expr;
use crate::plan::{Node, Row, SortKey};
use crate::value::Value;

/// See [`Node::Sort`].
pub(crate) struct Sort {
    input: Operator,
    sorted: Option<std::vec::IntoIter<Keyed>>,
    /// No more rows than these will be asked for.
    pub bound: Option<usize>,
}

/// A row and the values of its sort keys.
struct Keyed {
    keys: Vec<Value>,
    row: Row,
}

impl Sort {
    pub fn new(input: &Node) -> Self {
        Self { input: Operator::new(input), sorted: None, bound: None }
    }

    pub fn next(
        &mut self,
        input: &Node,
        keys: &[SortKey],
        limit: Option<&Expr>,
        cx: &Context<'_>,
        max: usize,
    ) -> Result<Vec<Row>> {
        if self.sorted.is_none() {
            if let Some(limit) = limit
                && let Some(limit) = super::limit::count(limit, "LIMIT", cx)?
            {
                self.bound = Some(self.bound.map_or(limit, |bound| bound.min(limit)));
            }
            self.sorted = Some(self.sort(input, keys, cx)?.into_iter());
        }
        let sorted = self.sorted.iter_mut().flatten();
        Ok(sorted.take(max).map(|keyed| keyed.row).collect())
    }

    fn sort(&mut self, input: &Node, keys: &[SortKey], cx: &Context<'_>) -> Result<Vec<Keyed>> {
        let mut rows: Vec<Keyed> = Vec::new();
        // With a bound, twice as many rows (and some) are gathered between two prunings.
        let full = self.bound.map_or(usize::MAX, |bound| bound.saturating_mul(2).max(BATCH));
        loop {
            let batch = self.input.next(input, cx, BATCH)?;
            if batch.is_empty() {
                break;
            }
            for row in batch {
                cx.check_cancelled()?;
                let keys = order::key_values(keys, cx, &row)?;
                if full == usize::MAX {
                    cx.memory().grow(row_len(&row) + row_len(&keys))?;
                }
                rows.push(Keyed { keys, row });
            }
            if rows.len() >= full {
                prune(&mut rows, keys, self.bound);
            }
        }
        prune(&mut rows, keys, self.bound);
        Ok(rows)
    }
}

/// Sorts, keeping the order of equal rows, and drops what lies beyond the bound.
fn prune(rows: &mut Vec<Keyed>, keys: &[SortKey], bound: Option<usize>) {
    rows.sort_by(|left, right| order::compare(keys, &left.keys, &right.keys));
    if let Some(bound) = bound {
        rows.truncate(bound);
    }
}
