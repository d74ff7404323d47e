//! A part of the rows: LIMIT, OFFSET, FETCH FIRST … WITH TIES.

use super::context::Context;
use super::operator::Operator;
use super::order;
use crate::error::{Error, Result, SqlState};
use crate::expression::Expr;
use crate::plan::{Node, Row, SortKey};
use crate::value::Value;

/// See [`Node::Limit`].
pub(crate) struct Limit {
    input: Operator,
    left: Option<Left>,
    /// The sort keys of the last row within the limit, when ties follow it.
    tie: Option<Vec<Value>>,
}

/// What is left to skip and to give.
struct Left {
    skip: usize,
    /// `None`: everything
    take: Option<usize>,
}

impl Limit {
    pub fn new(input: &Node) -> Self {
        Self { input: Operator::new(input), left: None, tie: None }
    }

    pub fn next(&mut self, node: &Node, cx: &Context<'_>, max: usize) -> Result<Vec<Row>> {
        let Node::Limit { input, limit, offset, ties } = node else {
            return Err(Error::internal("operator and plan node differ"));
        };
        if self.left.is_none() {
            self.left = Some(self.begin(limit.as_ref(), offset.as_ref(), ties.is_some(), cx)?);
        }
        let Some(left) = &mut self.left else { return Ok(Vec::new()) };
        while left.skip > 0 && left.take != Some(0) {
            let skipped = self.input.next(input, cx, left.skip.min(super::BATCH))?.len();
            if skipped == 0 {
                left.take = Some(0);
                self.tie = None;
            }
            left.skip -= skipped;
        }
        let wanted = left.take.map_or(max, |take| take.min(max));
        if wanted == 0 {
            return match ties {
                Some(keys) => self.ties(input, keys, cx),
                None => Ok(Vec::new()),
            };
        }
        let rows = self.input.next(input, cx, wanted)?;
        if let Some(take) = &mut left.take {
            *take = if rows.is_empty() { 0 } else { *take - rows.len() };
        }
        if let (Some(keys), Some(last)) = (ties, rows.last()) {
            self.tie = Some(order::key_values(keys, cx, last)?);
        }
        Ok(rows)
    }

    fn begin(
        &mut self,
        limit: Option<&Expr>,
        offset: Option<&Expr>,
        has_ties: bool,
        cx: &Context<'_>,
    ) -> Result<Left> {
        let skip = match offset {
            Some(offset) => count(offset, "OFFSET", cx)?.unwrap_or(0),
            None => 0,
        };
        let take = match limit {
            Some(limit) => count(limit, "LIMIT", cx)?,
            None => None,
        };
        if let (Some(take), false) = (take, has_ties) {
            self.input.bound(take.saturating_add(skip));
        }
        Ok(Left { skip, take })
    }

    /// Rows after the limit that are peers of the last one.
    fn ties(&mut self, input: &Node, keys: &[SortKey], cx: &Context<'_>) -> Result<Vec<Row>> {
        let Some(tie) = &self.tie else { return Ok(Vec::new()) };
        let mut rows = self.input.next(input, cx, 1)?;
        if let Some(row) = rows.first()
            && order::compare(keys, tie, &order::key_values(keys, cx, row)?).is_ne()
        {
            rows.clear();
        }
        if rows.is_empty() {
            self.tie = None;
        }
        Ok(rows)
    }
}

/// The value of a LIMIT or OFFSET; `None` when it is NULL.
pub(crate) fn count(expr: &Expr, clause: &str, cx: &Context<'_>) -> Result<Option<usize>> {
    let count = match expr.eval(&cx.eval, &[])? {
        Value::Null => return Ok(None),
        Value::Int2(n) => i64::from(n),
        Value::Int4(n) => i64::from(n),
        Value::Int8(n) => n,
        _ => return Err(Error::internal(format!("{clause} is not a bigint"))),
    };
    let state = SqlState(if clause == "LIMIT" { "2201W" } else { "2201X" });
    let negative = |_| Error::new(state, format!("{clause} must not be negative"));
    usize::try_from(count).map(Some).map_err(negative)
}
