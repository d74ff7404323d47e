//! Rows turned into expressions over them.

use super::context::Context;
use super::operator::Operator;
use crate::error::Result;
use crate::expression::Expr;
use crate::plan::{Node, Row};

/// See [`Node::Project`].
pub(crate) struct Project {
    pub input: Operator,
}

impl Project {
    pub fn new(input: &Node) -> Self {
        Self { input: Operator::new(input) }
    }

    pub fn next(
        &mut self,
        input: &Node,
        exprs: &[Expr],
        cx: &Context<'_>,
        max: usize,
    ) -> Result<Vec<Row>> {
        let mut rows = self.input.next(input, cx, max)?;
        for row in &mut rows {
            cx.check_cancelled()?;
            *row = cx.eval_all(exprs, row)?;
        }
        Ok(rows)
    }
}
