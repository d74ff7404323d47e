//! Full-text indexes: `document @@ query`, and the rows best first.

use std::sync::Arc;

use super::Planner;
use super::access::{Access, IndexSearched, over_output};
use super::equality::is_same;
use crate::catalog::IndexDef;
use crate::expression::Expr;
use crate::expression::context::IndexSearch;
use crate::plan::{Node, SortKey, TextRank, TextScan, walk};
use crate::value::Value;

/// Adds a search of the index for each condition that asks for one.
pub(crate) fn push(planner: &Planner<'_>, wanted: &IndexSearched<'_>, accesses: &mut Vec<Access>) {
    let IndexSearched { scan, index, writer, conjuncts, order } = *wanted;
    let document = writer.keys.first().and_then(|key| over_output(scan, key));
    let Some(document) = document else { return };
    for conjunct in conjuncts {
        let Some(query) = query(conjunct, &document) else { continue };
        let hits = planner.text_hits(index, &query);
        let search = TextScan {
            scan: scan.clone(),
            index: Arc::clone(index),
            query,
            condition: Some(conjunct.clone()),
            rank: None,
            hits,
        };
        if let [key] = order
            && let Some(rank) = rank(key, &document, &search.query)
        {
            let ranked = TextScan { rank: Some(rank), ..search.clone() };
            accesses.push(Access { node: Node::TextScan(Box::new(ranked)), is_ordered: true });
        }
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
    if is_same(left, document) && walk::is_stable(right) {
        return Some(right.clone());
    }
    (is_same(right, document) && walk::is_stable(left)).then(|| left.clone())
}

/// The rank that an order asks for, when the index can compute it: of this document, by the very
/// query that is searched for, because the index gives of a document only what the query names.
fn rank(key: &SortKey, document: &Expr, query: &Expr) -> Option<TextRank> {
    let Expr::Call { function, args } = &key.expr else { return None };
    if !key.is_descending || !matches!(&*function.name, "ts_rank" | "ts_rank_cd") {
        return None;
    }
    let mut args = args.clone();
    let place = args.iter().position(|arg| is_same(arg, document))?;
    let is_asked = args.get(place + 1).is_some_and(|arg| is_same(arg, query));
    let is_known = |(position, arg): (usize, &Expr)| position == place || walk::is_stable(arg);
    if !is_asked || !args.iter().enumerate().all(is_known) || demands_nothing(query) {
        return None;
    }
    *args.get_mut(place)? = Expr::Column(0);
    let rank = Expr::Call { function: Arc::clone(function), args };
    Some(TextRank { rank, shown: key.expr.clone() })
}

/// Whether a query is known to demand no word: then the index does not find the rows that match. Of
/// a parameter that is not known, and the execution reads the table if it must.
fn demands_nothing(query: &Expr) -> bool {
    match query {
        Expr::Const(Value::TsQuery(query)) => {
            query.root().is_some_and(|root| !root.demands_words())
        }
        _ => false,
    }
}

impl Planner<'_> {
    /// About how many rows match a query, if that can be known by now.
    fn text_hits(&self, index: &IndexDef, query: &Expr) -> Option<f64> {
        if walk::has_subquery(query) {
            return None;
        }
        match query.eval(&self.eval, &[]).ok()? {
            Value::TsQuery(query) => {
                let search = IndexSearch::Text(index.storage(), query.root()?);
                self.eval.services.index_hits(&search)
            }
            _ => None,
        }
    }
}
