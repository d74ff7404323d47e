//! R-tree indexes: boxes that meet, distances below a limit, nearest first.

use std::sync::Arc;

use super::access::{Access, over_output};
use super::conjunct::is_stable;
use super::equality::is_same;
use crate::catalog::IndexDef;
use crate::expression::Expr;
use crate::plan::{GeoScan, GeoSearch, IndexWriter, Node, SortKey, TableScan};

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
pub(crate) fn push(
    scan: &TableScan,
    index: &Arc<IndexDef>,
    writer: &IndexWriter,
    conjuncts: &[Expr],
    order: &[SortKey],
    accesses: &mut Vec<Access>,
) {
    let shape = writer.keys.first().and_then(|key| over_output(scan, key));
    let Some(shape) = shape else { return };
    for conjunct in conjuncts {
        let Some(search) = meeting(conjunct, &shape) else { continue };
        let node = search_node(scan, index, search, Some(conjunct.clone()));
        accesses.push(Access { node, is_ordered: order.is_empty() });
    }
    if let [key] = order
        && !key.is_descending
        && let Some(origin) = origin(&key.expr, &shape)
    {
        let search = GeoSearch::Nearest { origin, value: shape };
        let node = search_node(scan, index, search, Some(key.expr.clone()));
        accesses.push(Access { node, is_ordered: true });
    }
}

fn search_node(
    scan: &TableScan,
    index: &Arc<IndexDef>,
    search: GeoSearch,
    condition: Option<Expr>,
) -> Node {
    let index = Arc::clone(index);
    Node::GeoScan(Box::new(GeoScan { scan: scan.clone(), index, search, condition }))
}

/// The search that a condition allows.
fn meeting(conjunct: &Expr, shape: &Expr) -> Option<GeoSearch> {
    let Expr::Call { function, args } = conjunct else { return None };
    if !MEETING.contains(&&*function.name) {
        return None;
    }
    let (left, right) = (args.first()?, args.get(1)?);
    let other = if is_same(left, shape) { right } else { left };
    if !is_stable(other) || !(is_same(left, shape) || is_same(right, shape)) {
        return None;
    }
    let distance = match &*function.name {
        "st_dwithin" => Some(args.get(2).filter(|distance| is_stable(distance))?.clone()),
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
    if is_same(left, shape) && is_stable(right) {
        return Some(right.clone());
    }
    (is_same(right, shape) && is_stable(left)).then(|| left.clone())
}
