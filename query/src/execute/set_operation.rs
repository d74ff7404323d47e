//! UNION, INTERSECT, EXCEPT.

use super::BATCH;
use super::context::Context;
use super::grouping::{self, GroupMap, GroupSet};
use super::operator::Operator;
use crate::error::Result;
use crate::plan::{Node, Row, SetOperation as Op};

/// See [`Node::SetOperation`].
pub(crate) struct SetOperation {
    left: Operator,
    right: Operator,
    is_left_done: bool,
    seen: GroupSet,
    /// How often the right side has each row.
    counts: Option<GroupMap<u64>>,
}

impl SetOperation {
    pub fn new(left: &Node, right: &Node) -> Self {
        Self {
            left: Operator::new(left),
            right: Operator::new(right),
            is_left_done: false,
            seen: GroupSet::default(),
            counts: None,
        }
    }

    pub fn next(
        &mut self,
        (op, is_all): (Op, bool),
        left: &Node,
        right: &Node,
        cx: &Context<'_>,
        max: usize,
    ) -> Result<Vec<Row>> {
        if op != Op::Union && self.counts.is_none() {
            self.counts = Some(self.count(right, cx)?);
        }
        loop {
            let rows = self.pull(op, left, right, cx, max)?;
            if rows.is_empty() {
                return Ok(rows);
            }
            let mut kept = Vec::with_capacity(rows.len());
            for row in rows {
                cx.check_cancelled()?;
                if self.keeps(op, is_all, &row, cx)? {
                    kept.push(row);
                }
            }
            if !kept.is_empty() {
                return Ok(kept);
            }
        }
    }

    fn pull(
        &mut self,
        op: Op,
        left: &Node,
        right: &Node,
        cx: &Context<'_>,
        max: usize,
    ) -> Result<Vec<Row>> {
        if !self.is_left_done {
            let rows = self.left.next(left, cx, max)?;
            if !rows.is_empty() {
                return Ok(rows);
            }
            self.is_left_done = true;
        }
        if op == Op::Union { self.right.next(right, cx, max) } else { Ok(Vec::new()) }
    }

    fn keeps(&mut self, op: Op, is_all: bool, row: &Row, cx: &Context<'_>) -> Result<bool> {
        if op == Op::Union && is_all {
            return Ok(true);
        }
        let key = grouping::key_of(row);
        if op != Op::Union {
            let count = self.counts.as_mut().and_then(|counts| counts.get_mut(&key));
            let is_matched = count.is_some_and(|count| {
                let is_matched = *count > 0;
                *count -= u64::from(is_matched && is_all);
                is_matched
            });
            if is_matched != (op == Op::Intersect) {
                return Ok(false);
            }
        }
        if is_all {
            return Ok(true);
        }
        cx.memory().grow(grouping::key_len(&key))?;
        Ok(self.seen.insert(key))
    }

    fn count(&mut self, right: &Node, cx: &Context<'_>) -> Result<GroupMap<u64>> {
        let mut counts = GroupMap::default();
        loop {
            let rows = self.right.next(right, cx, BATCH)?;
            if rows.is_empty() {
                return Ok(counts);
            }
            for row in rows {
                cx.check_cancelled()?;
                let key = grouping::key_of(&row);
                cx.memory().grow(grouping::key_len(&key))?;
                *counts.entry(key).or_default() += 1;
            }
        }
    }
}
