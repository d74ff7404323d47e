//! Rows found through an R-tree: by boxes that meet, or outward from a place.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use cairn_engine::index::geo::Aabb;
use cairn_engine::txn::search::{GeoNearest, GeoSearch as Found};

use super::context::Context;
use super::fetch::fetch;
use super::table::entry::is_geography;
use crate::error::{Error, Result};
use crate::expression::Expr;
use crate::geo::{self, Geometry};
use crate::plan::{GeoScan as Plan, GeoSearch, Row};
use crate::value::Value;

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
                Search::Meeting(found) => match found.next().transpose()? {
                    Some(hit) => {
                        out.extend(fetch(&plan.scan, cx, &hit.row_key)?);
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
    let is_geography = is_geography(&plan.index);
    match &plan.search {
        GeoSearch::Intersects(shape, distance) => {
            let Some(shape) = shape_of(shape, cx)? else { return Ok(Search::Nothing) };
            let distance = match distance {
                None => None,
                Some(distance) => match distance.eval(&cx.eval, &[])?.as_f64() {
                    Some(distance) => Some(distance),
                    None => return Ok(Search::Nothing),
                },
            };
            let Some(window) = geo::search_box(&shape, is_geography, distance) else {
                return Ok(Search::Nothing);
            };
            Ok(Search::Meeting(Box::new(cx.txn().search_geo(index, &window)?)))
        }
        GeoSearch::Nearest { origin, .. } => {
            let origin = shape_of(origin, cx)?;
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

fn shape_of(expr: &Expr, cx: &Context<'_>) -> Result<Option<Geometry>> {
    match expr.eval(&cx.eval, &[])? {
        Value::Null => Ok(None),
        Value::Geometry(shape) => Ok(Some((*shape).clone())),
        Value::Box(corners) => {
            let [x_min, y_min, _, x_max, y_max, _] = *corners;
            let bounds = geo::Box2d { min: [x_min, y_min], max: [x_max, y_max] };
            Ok(Some(Geometry::envelope(0, &bounds)))
        }
        _ => Err(Error::internal("a geo search without a shape")),
    }
}

impl Nearest {
    fn next(&mut self, plan: &Plan, cx: &Context<'_>) -> Result<Option<Row>> {
        let is_geography = is_geography(&plan.index);
        let (Some(walk), Some((origin, bounds))) = (&mut self.walk, &self.origin) else {
            return Ok(None);
        };
        loop {
            cx.check_cancelled()?;
            let Some(neighbor) = walk.next().transpose()? else {
                return Ok(self.waiting.pop().map(|candidate| candidate.row));
            };
            let reach = geo::distance_lower_bound(bounds, &neighbor.bounds, is_geography);
            if let Some(row) = fetch(&plan.scan, cx, &neighbor.row_key)? {
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
            let distance = geo::distance(origin, &shape, is_geography(&plan.index));
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
