//! Rows that satisfy a condition.

use super::context::Context;
use super::operator::Operator;
use crate::error::Result;
use crate::expression::Expr;
use crate::plan::{Node, Row, walk};

/// See [`Node::Filter`].
pub(crate) struct Filter {
    input: Operator,
    /// Whether the condition reads no column: then it is decided once (`WHERE false`).
    is_constant: Option<bool>,
    /// Whether a constant condition was found to hold.
    is_open: Option<bool>,
}

impl Filter {
    pub fn new(input: &Node) -> Self {
        Self { input: Operator::new(input), is_constant: None, is_open: None }
    }

    pub fn next(
        &mut self,
        input: &Node,
        predicate: &Expr,
        cx: &Context<'_>,
        max: usize,
    ) -> Result<Vec<Row>> {
        let is_constant = *self.is_constant.get_or_insert_with(|| walk::is_stable(predicate));
        if is_constant {
            let is_open = match self.is_open {
                Some(is_open) => is_open,
                None => cx.holds(predicate, &[])?,
            };
            self.is_open = Some(is_open);
            return if is_open { self.input.next(input, cx, max) } else { Ok(Vec::new()) };
        }
        loop {
            let mut rows = self.input.next(input, cx, max)?;
            if rows.is_empty() {
                return Ok(rows);
            }
            cx.retain(&mut rows, predicate)?;
            if !rows.is_empty() {
                return Ok(rows);
            }
        }
    }
}
