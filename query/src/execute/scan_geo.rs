//! Rows found through an R-tree: by boxes that meet (and by words at the same time), or outward
//! from a place.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use cairn_engine::index::RowKeySet;
use cairn_engine::index::fulltext::Give;
use cairn_engine::index::geo::Aabb;
use cairn_engine::txn::search::{GeoNearest, GeoSearch as Found, TextSearch};

use super::context::Context;
use super::fetch::fetch;
use super::scan_text;
use crate::error::Result;
use crate::geo::{self, Geometry};
use crate::plan::geo_window::shape_of;
use crate::plan::{GeoScan as Plan, GeoSearch, Row, Words};
use crate::value::Value;

/// About 32 MB: when more rows are near by, every row with the words is looked at instead.
const ROW_KEYS_MAX: usize = 1_000_000;

/// See [`crate::plan::Node::GeoScan`].
#[derive(Default)]
pub(crate) struct GeoScan {
    search: Option<Search>,
}

/// A search under way.
enum Search {
    /// Nothing can be found.
    Nothing,
    Meeting(Box<Found>),
    /// What has the words among what is near by.
    WithWords(Box<TextSearch>),
    Nearest(Box<Nearest>),
}

/// A walk outward. The tree gives boxes by their distance, which is at most the shape's: a row is
/// due as soon as no box to come can be nearer.
struct Nearest {
    walk: Option<GeoNearest>,
    origin: Option<(Geometry, Aabb)>,
    waiting: BinaryHeap<Candidate>,
}

/// A fetched row and its exact distance.
struct Candidate {
    distance: f64,
    row: Row,
}

impl GeoScan {
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
                Search::Meeting(found) => found.next().transpose()?.map(|hit| hit.row_key),
                Search::WithWords(found) => found.next_row_key()?,
                Search::Nearest(nearest) => {
                    let Some(row) = nearest.next(plan, cx)? else { break };
                    out.push(row);
                    continue;
                }
            };
            let Some(row_key) = row_key else { break };
            out.extend(fetch(&plan.scan, plan.promise(), cx, &row_key)?);
        }
        Ok(out)
    }
}

fn open(plan: &Plan, cx: &Context<'_>) -> Result<Search> {
    let index = plan.index.storage();
    let is_geography = plan.is_geography();
    match &plan.search {
        GeoSearch::Intersects(..) => {
            let Some(window) = plan.window(&cx.eval)? else { return Ok(Search::Nothing) };
            let near = cx.txn().search_geo(index, &window)?;
            match &plan.words {
                Some(words) => with_words(words, near, &window, plan, cx),
                None => Ok(Search::Meeting(Box::new(near))),
            }
        }
        GeoSearch::Nearest { origin, .. } => {
            let origin = shape_of(origin, &cx.eval)?;
            let bounds = origin.as_ref().and_then(|origin| geo::index_box(origin, is_geography));
            let origin = origin.zip(bounds);
            let walk = match &origin {
                Some((_, bounds)) => Some(cx.txn().nearest_geo(index, bounds)?),
                None => None,
            };
            Ok(Search::Nearest(Box::new(Nearest { walk, origin, waiting: BinaryHeap::new() })))
        }
    }
}

/// What has the words among what is near by. The rows that are near are usually the fewer, and the
/// index of words passes over the others without looking at them.
fn with_words(
    words: &Words,
    near: Found,
    window: &Aabb,
    plan: &Plan,
    cx: &Context<'_>,
) -> Result<Search> {
    let Some(query) = scan_text::asked(&words.query, cx)? else { return Ok(Search::Nothing) };
    let give = row_keys(near, cx)?.map_or(Give::RowKeys, Give::RowKeysAmong);
    if matches!(&give, Give::RowKeysAmong(near) if near.is_empty()) {
        return Ok(Search::Nothing);
    }
    Ok(match cx.txn().search_text(words.index.storage(), &query, give)? {
        Some(found) => Search::WithWords(Box::new(found)),
        // The query demands no word: each row near by is looked at.
        None => Search::Meeting(Box::new(cx.txn().search_geo(plan.index.storage(), window)?)),
    })
}

/// The keys of what is near by; `None` when it is too much to keep.
fn row_keys(near: Found, cx: &Context<'_>) -> Result<Option<RowKeySet>> {
    let mut row_keys = RowKeySet::default();
    for hit in near {
        cx.check_cancelled()?;
        row_keys.insert(&hit?.row_key);
        if row_keys.len() > ROW_KEYS_MAX {
            return Ok(None);
        }
    }
    Ok(Some(row_keys))
}

impl Nearest {
    fn next(&mut self, plan: &Plan, cx: &Context<'_>) -> Result<Option<Row>> {
        let is_geography = plan.is_geography();
        let (Some(walk), Some((origin, bounds))) = (&mut self.walk, &self.origin) else {
            return Ok(None);
        };
        loop {
            cx.check_cancelled()?;
            let Some(neighbor) = walk.next().transpose()? else {
                return Ok(self.waiting.pop().map(|candidate| candidate.row));
            };
            let reach = geo::distance_lower_bound(bounds, &neighbor.bounds, is_geography);
            if let Some(row) = fetch(&plan.scan, None, cx, &neighbor.row_key)? {
                let distance = exact(plan, cx, origin, &row)?;
                self.waiting.push(Candidate { distance, row });
            }
            if self.waiting.peek().is_some_and(|nearest| nearest.distance <= reach) {
                return Ok(self.waiting.pop().map(|candidate| candidate.row));
            }
        }
    }
}

/// The exact distance of a row's shape.
fn exact(plan: &Plan, cx: &Context<'_>, origin: &Geometry, row: &[Value]) -> Result<f64> {
    let GeoSearch::Nearest { value, .. } = &plan.search else { return Ok(f64::INFINITY) };
    match value.eval(&cx.eval, row)? {
        Value::Geometry(shape) => {
            let distance = geo::distance(origin, &shape, plan.is_geography());
            Ok(distance.unwrap_or(f64::INFINITY))
        }
        _ => Ok(f64::INFINITY),
    }
}

impl Ord for Candidate {
    /// The nearest is the greatest: a heap gives it first.
    fn cmp(&self, other: &Self) -> Ordering {
        other.distance.total_cmp(&self.distance)
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Candidate {}
