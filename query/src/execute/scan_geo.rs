//! Rows found through an R-tree: by boxes that meet (and by words at the same time), or outward
//! from a place.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashSet};

use ahash::RandomState;
use cairn_engine::Bytes;
use cairn_engine::index::fulltext::Give;
use cairn_engine::index::geo::Aabb;
use cairn_engine::txn::search::{GeoNearest, GeoSearch as Found};

use super::context::Context;
use super::fetch::fetch;
use crate::error::{Error, Result};
use crate::geo::{self, Geometry};
use crate::plan::geo_window::shape_of;
use crate::plan::{GeoScan as Plan, GeoSearch, Row, Words};
use crate::value::Value;

/// Keys of rows that a full-text index has found.
type RowKeys = HashSet<Bytes, RandomState>;

/// About 64 MB: when more rows have the words, each row near by is looked at instead.
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
    Meeting(Box<Found>, Option<RowKeys>),
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
            let next = match search {
                Search::Nothing => None,
                Search::Meeting(found, words) => match found.next().transpose()? {
                    Some(hit) => {
                        let is_wanted = words.as_ref().is_none_or(|w| w.contains(&hit.row_key));
                        if is_wanted {
                            out.extend(fetch(&plan.scan, plan.promise(), cx, &hit.row_key)?);
                        }
                        continue;
                    }
                    None => None,
                },
                Search::Nearest(nearest) => nearest.next(plan, cx)?,
            };
            match next {
                Some(row) => out.push(row),
                None => break,
            }
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
            let words = match &plan.words {
                Some(words) => with_words(words, cx)?,
                None => None,
            };
            if words.as_ref().is_some_and(HashSet::is_empty) {
                return Ok(Search::Nothing);
            }
            Ok(Search::Meeting(Box::new(cx.txn().search_geo(index, &window)?), words))
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

/// The rows that have the words; `None` when the index cannot tell or there are too many to keep.
fn with_words(words: &Words, cx: &Context<'_>) -> Result<Option<RowKeys>> {
    let query = match words.query.eval(&cx.eval, &[])? {
        Value::Null => return Ok(Some(RowKeys::default())),
        Value::TsQuery(query) => query,
        _ => return Err(Error::internal("a text search without a query")),
    };
    let Some(root) = query.root() else { return Ok(Some(RowKeys::default())) };
    let found = cx.txn().search_text(words.index.storage(), root, Give::RowKeys)?;
    let Some(found) = found else { return Ok(None) };
    let mut row_keys = RowKeys::default();
    for hit in found {
        cx.check_cancelled()?;
        row_keys.insert(hit?.row_key);
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
