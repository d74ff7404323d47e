//! Inverted indexes: rows that have an element of what is asked for. The condition itself is
//! checked on them again.

use std::sync::Arc;

use super::access::{Access, over_output};
use super::equality::is_same;
use crate::catalog::IndexDef;
use crate::execute::table::inverted::{elements, json_text, key_number};
use crate::expression::{Expr, Registry};
use crate::plan::{IndexScan, IndexWriter, KeyBounds, Node, TableScan, walk};
use crate::text::trigram;
use crate::value::{Type, Value};

/// What a row must have.
enum Search {
    /// This element.
    One(Value),
    /// One of the elements of an array.
    Any(Expr),
}

/// Adds a search of the index for each condition that asks for elements of one of its keys.
pub(crate) fn push(
    scan: &TableScan,
    index: &Arc<IndexDef>,
    writer: &IndexWriter,
    conjuncts: &[Expr],
    is_unordered: bool,
    accesses: &mut Vec<Access>,
) {
    for (at, key) in writer.keys.iter().enumerate() {
        let Some(key_expr) = over_output(scan, key) else { continue };
        let Some(ty) = index.keys.get(at).map(|key| &key.ty.base) else { continue };
        for conjunct in conjuncts {
            let Some(search) = search(conjunct, &key_expr, ty) else { continue };
            let node = inverted_scan(scan, index, at, search, conjunct);
            accesses.push(Access { node, is_ordered: is_unordered });
        }
    }
}

fn inverted_scan(
    scan: &TableScan,
    index: &Arc<IndexDef>,
    at: usize,
    search: Search,
    condition: &Expr,
) -> Node {
    let mut bounds = KeyBounds { equal: vec![Expr::Const(key_number(at))], ..Default::default() };
    match search {
        Search::One(element) => bounds.equal.push(Expr::Const(element)),
        Search::Any(array) => {
            bounds.any_of.push(bounds.equal.len());
            bounds.equal.push(array);
        }
    }
    Node::IndexScan(Box::new(IndexScan {
        scan: scan.clone(),
        index: Some(Arc::clone(index)),
        bounds: vec![bounds],
        is_reverse: false,
        condition: Some(condition.clone()),
    }))
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
        (Type::Array(_) | Type::Jsonb, "@>") if !is_turned => one_of(asked),
        (Type::Array(_) | Type::Jsonb, "<@") if is_turned => one_of(asked),
        (Type::Jsonb, "?") if !is_turned => match asked {
            Expr::Const(Value::Text(text)) => Some(Search::One(json_text(text))),
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

/// One element of those that all are asked for: the longest one, which fewer rows may have.
fn one_of(asked: &Expr) -> Option<Search> {
    let Expr::Const(value) = asked else { return None };
    let len = |element: &Value| element.as_str().map_or(0, str::len);
    elements(value).into_iter().max_by_key(len).map(Search::One)
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
            let needed = trigram::required_by_like(pattern);
            let letters = |part: &trigram::Trigram| part.iter().filter(|c| **c != ' ').count();
            let chosen = needed.into_iter().max_by_key(letters)?;
            Some(Search::One(Value::text(chosen.iter().collect::<String>())))
        }
        _ => None,
    }
}
