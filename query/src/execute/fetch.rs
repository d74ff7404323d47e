//! From row keys that a search has found to the rows that a scan gives.

use cairn_engine::Bytes;

use super::context::Context;
use super::table::lock::row_address;
use super::table::row;
use crate::error::Result;
use crate::expression::Expr;
use crate::plan::{Row, TableScan};

/// The row of a candidate as the snapshot has it; `None` when the snapshot has none or it does not
/// satisfy the scan's filter. `promise` is what the search says of its candidates.
pub(crate) fn fetch(
    scan: &TableScan,
    promise: Option<&Expr>,
    cx: &Context<'_>,
    row_key: &Bytes,
) -> Result<Option<Row>> {
    let address = row_address(&scan.table, row_key);
    let Some(stored) = cx.txn().get_likely(&address)? else { return Ok(None) };
    let row = row::output(&scan.table, &scan.output, row_key, &stored)?;
    Ok(cx.keeps(scan.filter.as_ref(), promise, &row)?.then_some(row))
}
