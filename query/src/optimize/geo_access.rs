//! R-tree indexes: boxes that meet, distances below a limit, nearest first; and boxes together with
//! words.

use std::sync::Arc;

use super::Planner;
use super::access::{Access, IndexSearched, over_output};
use super::equality::is_same;
use crate::catalog::IndexDef;
use crate::expression::Expr;
use crate::expression::context::IndexSearch;
use crate::plan::{GeoScan, GeoSearch, Node, SortKey, TableScan, Words, walk};

/// Functions that are true only for shapes whose boxes meet.
const MEETING: [&str; 14] = [
    "&&",
    "~",
    "@",
    "st_intersects",
    "st_within",
    "st_contains",
    "st_covers",
    "st_coveredby",
    "st_crosses",
    "st_overlaps",
    "st_touches",
    "st_equals",
    "st_containsproperly",
    "st_dwithin",
];

/// Adds a search of the tree for each condition and order that asks for one.
pub(crate) fn push(planner: &Planner<'_>, wanted: &IndexSearched<'_>, accesses: &mut Vec<Access>) {
    let IndexSearched { scan, index, writer, conjuncts, order } = *wanted;
    let shape = writer.keys.first().and_then(|key| over_output(scan, key));
    let Some(shape) = shape else { return };
    for conjunct in conjuncts {
        let Some(search) = meeting(conjunct, &shape) else { continue };
        let mut search = geo_scan(scan, index, search, conjunct);
        search.hits = planner.geo_hits(&search);
        let node = Node::GeoScan(Box::new(search));
        accesses.push(Access { node, is_ordered: order.is_empty() });
    }
    if let [key] = order
        && !key.is_descending
        && let Some(origin) = origin(&key.expr, &shape)
    {
        let search = GeoSearch::Nearest { origin, value: shape };
        let search = geo_scan(scan, index, search, &key.expr);
        accesses.push(Access { node: Node::GeoScan(Box::new(search)), is_ordered: true });
    }
}

/// Adds searches by place and words at once: of every search by place with every one by words.
pub(crate) fn push_with_words(order: &[SortKey], accesses: &mut Vec<Access>) {
    let mut both = Vec::new();
    for place in accesses.iter() {
        let Node::GeoScan(place) = &place.node else { continue };
        if matches!(place.search, GeoSearch::Nearest { .. }) {
            continue;
        }
        for words in accesses.iter() {
            let Node::TextScan(words) = &words.node else { continue };
            if words.rank.is_some() {
                continue;
            }
            let words = Words {
                index: Arc::clone(&words.index),
                query: words.query.clone(),
                condition: words.condition.clone(),
                hits: words.hits,
            };
            let search = GeoScan { words: Some(words), ..(**place).clone() };
            let node = Node::GeoScan(Box::new(search));
            both.push(Access { node, is_ordered: order.is_empty() });
        }
    }
    accesses.append(&mut both);
}

fn geo_scan(
    scan: &TableScan,
    index: &Arc<IndexDef>,
    search: GeoSearch,
    condition: &Expr,
) -> GeoScan {
    GeoScan {
        scan: scan.clone(),
        index: Arc::clone(index),
        search,
        condition: Some(condition.clone()),
        words: None,
        hits: None,
    }
}

impl Planner<'_> {
    /// About how many boxes meet a search's window, if that can be known by now.
    fn geo_hits(&self, search: &GeoScan) -> Option<f64> {
        let GeoSearch::Intersects(shape, _) = &search.search else { return None };
        if walk::has_subquery(shape) {
            return None;
        }
        let window = search.window(&self.eval).ok()??;
        let search = IndexSearch::Geo(search.index.storage(), &window);
        self.eval.services.index_hits(&search)
    }
}

/// The search that a condition allows.
fn meeting(conjunct: &Expr, shape: &Expr) -> Option<GeoSearch> {
    let Expr::Call { function, args } = conjunct else { return None };
    if !MEETING.contains(&&*function.name) {
        return None;
    }
    let (left, right) = (args.first()?, args.get(1)?);
    let other = if is_same(left, shape) { right } else { left };
    if !walk::is_stable(other) || !(is_same(left, shape) || is_same(right, shape)) {
        return None;
    }
    let distance = match &*function.name {
        "st_dwithin" => Some(args.get(2).filter(|distance| walk::is_stable(distance))?.clone()),
        _ => None,
    };
    Some(GeoSearch::Intersects(other.clone(), distance))
}

/// Where from an order by distance goes.
fn origin(expr: &Expr, shape: &Expr) -> Option<Expr> {
    let Expr::Call { function, args } = expr else { return None };
    let [left, right] = args.as_slice() else { return None };
    if &*function.name != "<->" {
        return None;
    }
    if is_same(left, shape) && walk::is_stable(right) {
        return Some(right.clone());
    }
    (is_same(right, shape) && walk::is_stable(left)).then(|| left.clone())
}
