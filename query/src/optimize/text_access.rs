//! Full-text indexes: `document @@ query`.

use std::sync::Arc;

use super::access::{Access, over_output};
use super::conjunct::is_stable;
use super::equality::is_same;
use crate::catalog::IndexDef;
use crate::expression::Expr;
use crate::plan::{IndexWriter, Node, SortKey, TableScan, TextScan};

/// Adds a search of the index for each condition that asks for one.
pub(crate) fn push(
    scan: &TableScan,
    index: &Arc<IndexDef>,
    writer: &IndexWriter,
    conjuncts: &[Expr],
    order: &[SortKey],
    accesses: &mut Vec<Access>,
) {
    let document = writer.keys.first().and_then(|key| over_output(scan, key));
    let Some(document) = document else { return };
    for conjunct in conjuncts {
        let Some(query) = query(conjunct, &document) else { continue };
        let search = TextScan {
            scan: scan.clone(),
            index: Arc::clone(index),
            query,
            condition: Some(conjunct.clone()),
        };
        let node = Node::TextScan(Box::new(search));
        accesses.push(Access { node, is_ordered: order.is_empty() });
    }
}

/// The query that a condition asks of a document.
fn query(conjunct: &Expr, document: &Expr) -> Option<Expr> {
    let Expr::Call { function, args } = conjunct else { return None };
    let [left, right] = args.as_slice() else { return None };
    if &*function.name != "@@" {
        return None;
    }
    if is_same(left, document) && is_stable(right) {
        return Some(right.clone());
    }
    (is_same(right, document) && is_stable(left)).then(|| left.clone())
}
