//! Rows found through a full-text index, as they come or best first.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;

use cairn_engine::index::fulltext::{Give, Hit, HitRow, TextQuery};
use cairn_engine::txn::search::TextSearch;

use super::BATCH;
use super::context::Context;
use super::fetch::fetch;
use super::memory::row_len;
use super::scan_table::TableScan;
use crate::error::{Error, Result};
use crate::expression::Expr;
use crate::plan::{Row, TextScan as Plan};
use crate::text::TsVector;
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
    /// Best first.
    Ranked(Box<TextSearch>, BinaryHeap<Ranked<HitRow>>),
    /// The query demands no word, so every row is looked at.
    Everything(TableScan),
    /// Every row was looked at; best first.
    RankedRows(BinaryHeap<Ranked<Row>>),
}

impl TextScan {
    pub fn next(&mut self, plan: &Plan, cx: &Context<'_>, max: usize) -> Result<Vec<Row>> {
        let search = match &mut self.search {
            Some(search) => search,
            none => none.insert(open(plan, cx)?),
        };
        let mut out = Vec::new();
        while out.len() < max {
            cx.check_cancelled()?;
            let row_key = match search {
                Search::Nothing => None,
                Search::Everything(rows) => return rows.next(&plan.scan, cx, max),
                Search::Index(found) => found.next_row_key()?,
                Search::Ranked(found, hits) => {
                    hits.pop().map(|hit| found.row_key(&hit.item)).transpose()?
                }
                Search::RankedRows(rows) => {
                    let Some(row) = rows.pop() else { break };
                    out.push(row.item);
                    continue;
                }
            };
            let Some(row_key) = row_key else { break };
            out.extend(fetch(&plan.scan, plan.condition.as_ref(), cx, &row_key)?);
        }
        Ok(out)
    }
}

fn open(plan: &Plan, cx: &Context<'_>) -> Result<Search> {
    let Some(query) = asked(&plan.query, cx)? else { return Ok(Search::Nothing) };
    let give = if plan.rank.is_some() { Give::Documents } else { Give::RowKeys };
    let found = cx.txn().search_text(plan.index.storage(), &query, give)?;
    Ok(match (found, &plan.rank) {
        (Some(mut found), Some(rank)) => {
            let hits = ranked(&mut found, &rank.rank, cx)?;
            Search::Ranked(Box::new(found), hits)
        }
        (Some(found), None) => Search::Index(Box::new(found)),
        (None, None) => Search::Everything(TableScan::default()),
        (None, Some(rank)) => Search::RankedRows(ranked_rows(&plan.scan, &rank.shown, cx)?),
    })
}

/// What a `tsquery` asks for; `None` when nothing can match it.
pub(super) fn asked(query: &Expr, cx: &Context<'_>) -> Result<Option<TextQuery>> {
    match query.eval(&cx.eval, &[])? {
        Value::Null => Ok(None),
        Value::TsQuery(query) => Ok(query.root().cloned()),
        _ => Err(Error::internal("a text search without a query")),
    }
}

/// A row that matches, or its key, by its rank.
struct Ranked<T> {
    rank: f64,
    item: T,
}

/// Ranks every hit by what the index knows of its document.
fn ranked(
    found: &mut TextSearch,
    rank: &Expr,
    cx: &Context<'_>,
) -> Result<BinaryHeap<Ranked<HitRow>>> {
    let mut hits = Vec::new();
    let mut document = [Value::TsVector(Arc::default())];
    for hit in found {
        cx.check_cancelled()?;
        let Hit { row, document: found } = hit?;
        put(&mut document, TsVector::from(found));
        let rank = rank_of(rank, &document, cx)?;
        cx.memory().grow(size_of::<Ranked<HitRow>>())?;
        hits.push(Ranked { rank, item: row });
    }
    Ok(BinaryHeap::from(hits))
}

/// Puts a vector where another was, in the same place if nobody holds that.
fn put(document: &mut [Value; 1], vector: TsVector) {
    if let [Value::TsVector(place)] = document
        && let Some(place) = Arc::get_mut(place)
    {
        *place = vector;
        return;
    }
    *document = [Value::TsVector(Arc::new(vector))];
}

/// Ranks every row of the table that satisfies the scan's filter.
fn ranked_rows(
    scan: &crate::plan::TableScan,
    rank: &Expr,
    cx: &Context<'_>,
) -> Result<BinaryHeap<Ranked<Row>>> {
    let mut rows = Vec::new();
    let mut table = TableScan::default();
    loop {
        let batch = table.next(scan, cx, BATCH)?;
        if batch.is_empty() {
            return Ok(BinaryHeap::from(rows));
        }
        for item in batch {
            cx.memory().grow(row_len(&item))?;
            rows.push(Ranked { rank: rank_of(rank, &item, cx)?, item });
        }
    }
}

fn rank_of(rank: &Expr, row: &[Value], cx: &Context<'_>) -> Result<f64> {
    Ok(rank.eval(&cx.eval, row)?.as_f64().unwrap_or(f64::NEG_INFINITY))
}

impl<T> Ord for Ranked<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank.total_cmp(&other.rank)
    }
}

impl<T> PartialOrd for Ranked<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Ranked<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T> Eq for Ranked<T> {}
