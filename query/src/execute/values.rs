//! Constant rows.

use super::context::Context;
use crate::error::Result;
use crate::expression::Expr;
use crate::plan::Row;

/// See [`crate::plan::Node::Values`].
#[derive(Default)]
pub(crate) struct Values {
    position: usize,
}

impl Values {
    pub fn next(&mut self, rows: &[Vec<Expr>], cx: &Context<'_>, max: usize) -> Result<Vec<Row>> {
        let end = rows.len().min(self.position.saturating_add(max));
        let batch = rows.get(self.position..end).unwrap_or_default();
        self.position = end;
        batch.iter().map(|exprs| cx.eval_all(exprs, &[])).collect()
    }
}
