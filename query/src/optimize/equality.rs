//! Structural equality of expressions: how an index expression or predicate is recognised.

use std::sync::Arc;

use crate::expression::Expr;
use crate::plan::walk;
use crate::value::{Value, are_equal};

/// Whether two expressions are the same, node by node. Subqueries never are.
pub(crate) fn is_same(left: &Expr, right: &Expr) -> bool {
    if !is_same_node(left, right) {
        return false;
    }
    let (mut lefts, mut rights) = (Vec::new(), Vec::new());
    walk::children(left, &mut |child| lefts.push(child));
    walk::children(right, &mut |child| rights.push(child));
    lefts.len() == rights.len()
        && lefts.iter().zip(rights).all(|(left, right)| is_same(left, right))
}

fn is_same_node(left: &Expr, right: &Expr) -> bool {
    match (left, right) {
        (Expr::Const(left), Expr::Const(right)) => is_same_value(left, right),
        (Expr::Column(left), Expr::Column(right))
        | (Expr::Param(left), Expr::Param(right))
        | (Expr::Slot(left), Expr::Slot(right)) => left == right,
        (Expr::Call { function: left, .. }, Expr::Call { function: right, .. }) => {
            Arc::ptr_eq(left, right) || (left.name == right.name && left.params == right.params)
        }
        (Expr::Compare { op: left, .. }, Expr::Compare { op: right, .. }) => left == right,
        (Expr::IsDistinct { is_negated: left, .. }, Expr::IsDistinct { is_negated: right, .. }) => {
            left == right
        }
        (Expr::IsTruth(_, left), Expr::IsTruth(_, right)) => left == right,
        (Expr::Extreme(_, left), Expr::Extreme(_, right)) => left == right,
        (Expr::Cast { to: left, .. }, Expr::Cast { to: right, .. }) => left == right,
        (Expr::Field(_, left), Expr::Field(_, right)) => left == right,
        (
            Expr::Quantified { operator: left, quantifier: left_quantifier, .. },
            Expr::Quantified { operator: right, quantifier: right_quantifier, .. },
        ) => left_quantifier == right_quantifier && is_same(left, right),
        (Expr::Checked { domain: left, .. }, Expr::Checked { domain: right, .. }) => {
            left.oid == right.oid
        }
        (Expr::Array { element: left, .. }, Expr::Array { element: right, .. }) => left == right,
        (Expr::Subquery(_), _) | (_, Expr::Subquery(_)) => false,
        (left, right) => std::mem::discriminant(left) == std::mem::discriminant(right),
    }
}

fn is_same_value(left: &Value, right: &Value) -> bool {
    std::mem::discriminant(left) == std::mem::discriminant(right) && are_equal(left, right)
}
