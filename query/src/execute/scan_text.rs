//! Rows found through a full-text index.

use cairn_engine::txn::search::TextSearch;

use super::context::Context;
use super::fetch::fetch;
use super::scan_table::TableScan;
use crate::error::{Error, Result};
use crate::plan::{Row, TextScan as Plan};
use crate::value::Value;

/// See [`crate::plan::Node::TextScan`].
#[derive(Default)]
pub(crate) struct TextScan {
    search: Option<Search>,
}

/// A search under way.
enum Search {
    /// Nothing can be found.
    Nothing,
    Index(Box<TextSearch>),
    /// The query demands no word, so every row is looked at.
    Everything(TableScan),
}

impl TextScan {
    pub fn next(&mut self, plan: &Plan, cx: &Context<'_>, max: usize) -> Result<Vec<Row>> {
        let search = match &mut self.search {
            Some(search) => search,
            none => none.insert(open(plan, cx)?),
        };
        let found = match search {
            Search::Nothing => return Ok(Vec::new()),
            Search::Everything(rows) => return rows.next(&plan.scan, cx, max),
            Search::Index(found) => found,
        };
        let mut out = Vec::new();
        while out.len() < max {
            cx.check_cancelled()?;
            let Some(hit) = found.next().transpose()? else { break };
            out.extend(fetch(&plan.scan, cx, &hit.row_key)?);
        }
        Ok(out)
    }
}

fn open(plan: &Plan, cx: &Context<'_>) -> Result<Search> {
    let query = match plan.query.eval(&cx.eval, &[])? {
        Value::Null => return Ok(Search::Nothing),
        Value::TsQuery(query) => query,
        _ => return Err(Error::internal("a text search without a query")),
    };
    let Some(root) = query.root() else { return Ok(Search::Nothing) };
    Ok(match cx.txn().search_text(plan.index.storage(), root)? {
        Some(found) => Search::Index(Box::new(found)),
        None => Search::Everything(TableScan::default()),
    })
}
