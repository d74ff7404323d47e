//! All rows of a table.

use cairn_engine::{Direction, KeyRange, Scan, Space, keyspace};

use super::context::Context;
use super::table::row;
use crate::error::Result;
use crate::plan::{Row, TableScan as Plan};

/// See [`crate::plan::Node::Scan`].
#[derive(Default)]
pub(crate) struct TableScan {
    rows: Option<Scan>,
}

impl TableScan {
    pub fn next(&mut self, plan: &Plan, cx: &Context<'_>, max: usize) -> Result<Vec<Row>> {
        let rows = match &mut self.rows {
            Some(rows) => rows,
            none => {
                let prefix = keyspace::prefix(Space::Row, plan.table.storage());
                none.insert(cx.txn().scan(KeyRange::prefix(&prefix), Direction::Forward)?)
            }
        };
        let mut out = Vec::new();
        while out.len() < max {
            cx.check_cancelled()?;
            let Some((key, stored)) = rows.next().transpose()? else { break };
            let row_key = key.slice(keyspace::PREFIX_LEN..);
            let row = row::output(&plan.table, &plan.output, &row_key, &stored)?;
            if cx.keeps(plan.filter.as_ref(), None, &row)? {
                out.push(row);
            }
        }
        Ok(out)
    }
}
