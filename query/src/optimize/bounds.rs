//! From conditions to bounds on the columns of a key.

use super::equality::is_same;
use super::estimate::flip;
use crate::expression::functions::ParamType;
use crate::expression::{CompareOp, Expr, Quantifier};
use crate::plan::{KeyBounds, walk};
use crate::value::{Type, Value};

/// Bounds on a key, and the conditions that they stand for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Match {
    pub bounds: KeyBounds,
    /// Positions of the conjuncts that the bounds decide alone.
    pub decided: Vec<usize>,
    /// Positions of the conjuncts that the bounds only narrow down.
    pub narrowed: Vec<usize>,
}

impl Match {
    /// Whether there is any bound at all.
    pub fn is_empty(&self) -> bool {
        self.bounds.equal.is_empty() && self.bounds.lower.is_none() && self.bounds.upper.is_none()
    }

    /// Positions of all conjuncts that the bounds speak of, in order.
    pub fn used(&self) -> Vec<usize> {
        let mut used = [self.decided.as_slice(), self.narrowed.as_slice()].concat();
        used.sort_unstable();
        used.dedup();
        used
    }
}

/// What one conjunct says about one key column.
enum Bound {
    Equal(Expr),
    AnyOf(Expr),
    Lower(Expr, bool),
    Upper(Expr, bool),
}

/// The bounds that `conjuncts` put on the leading columns of a key. Equalities go as deep as they
/// come; the column after them may have a range.
pub(crate) fn match_key(keys: &[Option<Expr>], conjuncts: &[Expr]) -> Match {
    let mut found = Match::default();
    for key in keys {
        let Some(key) = key else { break };
        if match_equal(key, conjuncts, &mut found) {
            continue;
        }
        match_range(key, conjuncts, &mut found);
        break;
    }
    found
}

fn match_equal(key: &Expr, conjuncts: &[Expr], found: &mut Match) -> bool {
    for (position, conjunct) in conjuncts.iter().enumerate() {
        let (value, is_any) = match bound(key, conjunct) {
            Some((Bound::Equal(value), _)) => (value, false),
            Some((Bound::AnyOf(array), _)) => (array, true),
            _ => continue,
        };
        if is_any {
            found.bounds.any_of.push(found.bounds.equal.len());
        }
        found.bounds.equal.push(value);
        found.decided.push(position);
        return true;
    }
    false
}

fn match_range(key: &Expr, conjuncts: &[Expr], found: &mut Match) {
    for (position, conjunct) in conjuncts.iter().enumerate() {
        let Some((bound, is_exact)) = bound(key, conjunct) else { continue };
        let place = match bound {
            Bound::Lower(value, is_inclusive) if found.bounds.lower.is_none() => {
                found.bounds.lower = Some((value, is_inclusive));
                true
            }
            Bound::Upper(value, is_inclusive) if found.bounds.upper.is_none() => {
                found.bounds.upper = Some((value, is_inclusive));
                true
            }
            _ => false,
        };
        match (place, is_exact) {
            (true, true) => found.decided.push(position),
            (true, false) => found.narrowed.push(position),
            (false, _) => {}
        }
    }
    for (position, conjunct) in conjuncts.iter().enumerate() {
        if found.bounds.lower.is_some() || found.bounds.upper.is_some() {
            break;
        }
        if let Some((lower, upper)) = prefix_range(key, conjunct) {
            found.bounds.lower = Some((lower, true));
            found.bounds.upper = upper.map(|upper| (upper, false));
            found.narrowed.push(position);
        }
    }
}

/// What `conjunct` says about `key`, and whether that is all that it says.
fn bound(key: &Expr, conjunct: &Expr) -> Option<(Bound, bool)> {
    match conjunct {
        Expr::Compare { op, left, right } => {
            if let (Expr::Record(left), Expr::Record(right)) = (&**left, &**right) {
                return record_bound(key, *op, left, right);
            }
            let (op, value) = if is_key(left, key) && walk::is_stable(right) {
                (*op, right)
            } else if is_key(right, key) && walk::is_stable(left) {
                (flip(*op), left)
            } else {
                return None;
            };
            compare_bound(op, (**value).clone()).map(|bound| (bound, true))
        }
        Expr::Quantified { operator, left, array, quantifier: Quantifier::Any }
            if is_equality(operator) && is_key(left, key) && walk::is_stable(array) =>
        {
            Some((Bound::AnyOf((**array).clone()), true))
        }
        Expr::Not(inner) if is_same(inner, key) => {
            Some((Bound::Equal(Expr::Const(Value::Bool(false))), true))
        }
        other if is_same(other, key) => Some((Bound::Equal(Expr::Const(Value::Bool(true))), true)),
        _ => None,
    }
}

fn compare_bound(op: CompareOp, value: Expr) -> Option<Bound> {
    match op {
        CompareOp::Eq => Some(Bound::Equal(value)),
        CompareOp::Gt => Some(Bound::Lower(value, false)),
        CompareOp::Ge => Some(Bound::Lower(value, true)),
        CompareOp::Lt => Some(Bound::Upper(value, false)),
        CompareOp::Le => Some(Bound::Upper(value, true)),
        CompareOp::Ne => None,
    }
}

/// `(a, b) > (x, y)` implies `a >= x`.
fn record_bound(key: &Expr, op: CompareOp, left: &[Expr], right: &[Expr]) -> Option<(Bound, bool)> {
    let (first, value) = (left.first()?, right.first()?);
    if !is_key(first, key) || !walk::is_stable(value) {
        return None;
    }
    match op {
        CompareOp::Gt | CompareOp::Ge => Some((Bound::Lower(value.clone(), true), false)),
        CompareOp::Lt | CompareOp::Le => Some((Bound::Upper(value.clone(), true), false)),
        CompareOp::Eq | CompareOp::Ne => None,
    }
}

/// Whether an expression is the key, or the key widened without changing the order of its values:
/// the bound is narrowed when the scan begins.
fn is_key(expr: &Expr, key: &Expr) -> bool {
    match expr {
        Expr::Cast { expr: inner, from, to, .. } if is_same(inner, key) => {
            is_order_kept(&from.base, &to.base)
        }
        other => is_same(other, key),
    }
}

fn is_order_kept(from: &Type, to: &Type) -> bool {
    let is_integer = |ty: &Type| matches!(ty, Type::Int2 | Type::Int4 | Type::Int8);
    let is_text = |ty: &Type| matches!(ty, Type::Text | Type::Varchar | Type::Name);
    (is_integer(from) && is_integer(to)) || (is_text(from) && is_text(to))
}

/// Whether the element-wise operator is `=` of the left side and an element.
pub(crate) fn is_equality(operator: &Expr) -> bool {
    matches!(operator, Expr::Compare { op: CompareOp::Eq, left, right }
        if matches!(**left, Expr::Column(0)) && matches!(**right, Expr::Column(1)))
}

/// `key LIKE 'abc%'`: between `abc` and the first text after all that begin so.
fn prefix_range(key: &Expr, conjunct: &Expr) -> Option<(Expr, Option<Expr>)> {
    let Expr::Call { function, args } = conjunct else { return None };
    let [left, Expr::Const(Value::Text(pattern))] = args.as_slice() else { return None };
    // What `character` is filled up with belongs to what the pattern is held against, but not to
    // keys.
    let is_padded = function.params.first() == Some(&ParamType::Exact(Type::Bpchar));
    if &*function.name != "~~" || is_padded || !is_key(left, key) {
        return None;
    }
    let end = pattern.find(['%', '_', '\\'])?;
    let prefix = pattern.get(..end).filter(|prefix| !prefix.is_empty())?;
    // The next text in code point order; without one, the range is open.
    let mut upper = prefix.to_owned();
    let next = loop {
        let Some(last) = upper.pop() else { break None };
        if let Some(next) = char::from_u32(last as u32 + 1) {
            upper.push(next);
            break Some(upper);
        }
    };
    let text = |text: String| Expr::Const(Value::text(text));
    Some((text(prefix.to_owned()), next.map(text)))
}
