//! Rows of a system catalog.

use super::context::Context;
use crate::error::Result;
use crate::plan::Row;

/// See [`crate::plan::Node::SystemScan`]. The rows are made at the first call: what the running
/// system does meanwhile is not seen.
#[derive(Default)]
pub(crate) struct SystemScan {
    rows: Option<std::vec::IntoIter<Row>>,
}

impl SystemScan {
    pub fn next(&mut self, table: usize, cx: &Context<'_>, max: usize) -> Result<Vec<Row>> {
        let rows = match &mut self.rows {
            Some(rows) => rows,
            none => none.insert(crate::system::rows(table, &cx.eval)?.into_iter()),
        };
        cx.check_cancelled()?;
        Ok(rows.by_ref().take(max).collect())
    }
}
