//! Inverted indexes: rows that have an element of what is asked for. The condition itself is
//! checked on them again.

use std::sync::Arc;

use super::Planner;
use super::access::{Access, IndexSearched, over_output};
use super::equality::is_same;
use crate::catalog::IndexDef;
use crate::execute::table::inverted::{elements, entry_prefix, json_text, key_number};
use crate::expression::context::IndexSearch;
use crate::expression::{Expr, Registry};
use crate::plan::{IndexScan, KeyBounds, Node, TableScan, walk};
use crate::text::trigram;
use crate::value::{Type, Value};

/// So many elements of a condition are counted: the rarest of them is rare enough.
const COUNTED_MAX: usize = 16;

/// What a row must have.
enum Search {
    /// Each of these elements.
    All(Vec<Value>),
    /// One of the elements of an array.
    Any(Expr),
}

/// Adds a search of the index for each condition that asks for elements of one of its keys.
pub(crate) fn push(planner: &Planner<'_>, wanted: &IndexSearched<'_>, accesses: &mut Vec<Access>) {
    let IndexSearched { scan, index, writer, conjuncts, order } = *wanted;
    for (at, key) in writer.keys.iter().enumerate() {
        let Some(key_expr) = over_output(scan, key) else { continue };
        let Some(ty) = index.keys.get(at).map(|key| &key.ty.base) else { continue };
        for conjunct in conjuncts {
            let Some(search) = search(conjunct, &key_expr, ty) else { continue };
            let Some(bounds) = planner.bounds_of(index, at, search) else { continue };
            let node = inverted_scan(scan, index, bounds, conjunct);
            accesses.push(Access { node, is_ordered: order.is_empty() });
        }
    }
}

fn inverted_scan(
    scan: &TableScan,
    index: &Arc<IndexDef>,
    bounds: KeyBounds,
    condition: &Expr,
) -> Node {
    Node::IndexScan(Box::new(IndexScan {
        scan: scan.clone(),
        index: Some(Arc::clone(index)),
        bounds: vec![bounds],
        is_reverse: false,
        condition: Some(condition.clone()),
    }))
}

impl Planner<'_> {
    /// Where rows that a search may find have entries.
    fn bounds_of(&self, index: &IndexDef, at: usize, search: Search) -> Option<KeyBounds> {
        let mut bounds =
            KeyBounds { equal: vec![Expr::Const(key_number(at))], ..Default::default() };
        match search {
            Search::All(elements) => {
                bounds.equal.push(Expr::Const(self.rarest(index, at, elements)?));
            }
            Search::Any(array) => {
                bounds.any_of.push(bounds.equal.len());
                bounds.equal.push(array);
            }
        }
        Some(bounds)
    }

    /// The element that the fewest rows have: those are looked at.
    fn rarest(&self, index: &IndexDef, at: usize, mut elements: Vec<Value>) -> Option<Value> {
        if elements.len() == 1 {
            return elements.pop();
        }
        let count = |element: &Value| {
            let prefix = entry_prefix(index, at, element).ok()?;
            self.eval.services.index_hits(&IndexSearch::Entries(&prefix))
        };
        let counted = elements.into_iter().take(COUNTED_MAX);
        let counted = counted.map(|element| (count(&element).unwrap_or(f64::INFINITY), element));
        let rarest = counted.min_by(|left, right| left.0.total_cmp(&right.0));
        rarest.map(|(_, element)| element)
    }
}

/// The elements that a condition on the key asks for.
fn search(conjunct: &Expr, key: &Expr, ty: &Type) -> Option<Search> {
    let Expr::Call { function, args } = conjunct else { return None };
    let [left, right] = args.as_slice() else { return None };
    let (asked, is_turned) = if is_key(left, key) {
        (right, false)
    } else if is_key(right, key) {
        (left, true)
    } else {
        return None;
    };
    match (ty, &*function.name) {
        (Type::Array(_), "&&") => walk::is_stable(asked).then(|| Search::Any(asked.clone())),
        (Type::Array(_) | Type::Jsonb, "@>") if !is_turned => all_of(asked),
        (Type::Array(_) | Type::Jsonb, "<@") if is_turned => all_of(asked),
        (Type::Jsonb, "?") if !is_turned => match asked {
            Expr::Const(Value::Text(text)) => Some(Search::All(vec![json_text(text)])),
            _ => None,
        },
        (Type::Text | Type::Varchar, name) => text_search(name, asked, is_turned),
        _ => None,
    }
}

/// Whether an expression is the key, or the key as another kind of text.
fn is_key(expr: &Expr, key: &Expr) -> bool {
    let is_text = |ty: &Type| matches!(ty, Type::Text | Type::Varchar);
    match expr {
        Expr::Cast { expr: inner, from, to, .. } if is_text(&from.base) && is_text(&to.base) => {
            is_same(inner, key)
        }
        other => is_same(other, key),
    }
}

/// The elements of a constant; without any, every row may match.
fn all_of(asked: &Expr) -> Option<Search> {
    let Expr::Const(value) = asked else { return None };
    Some(elements(value)).filter(|elements| !elements.is_empty()).map(Search::All)
}

/// Similar texts share a trigram; those that match a pattern have all of its fixed parts.
fn text_search(name: &str, asked: &Expr, is_turned: bool) -> Option<Search> {
    match (name, asked) {
        ("%" | "<%" | "%>" | "<<%" | "%>>", _) if walk::is_stable(asked) => {
            let function = Registry::global().functions("show_trgm").first()?;
            let args = vec![asked.clone()];
            Some(Search::Any(Expr::Call { function: Arc::clone(function), args }))
        }
        ("~~" | "~~*", Expr::Const(Value::Text(pattern))) if !is_turned => {
            let needed = trigram::required_by_like(pattern).into_iter();
            let needed: Vec<Value> =
                needed.map(|part| Value::text(part.iter().collect::<String>())).collect();
            (!needed.is_empty()).then_some(Search::All(needed))
        }
        _ => None,
    }
}
