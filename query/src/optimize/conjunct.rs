//! Conditions as lists of conjuncts.

use crate::expression::Expr;
use crate::value::Value;

/// The conjuncts of a condition: `a AND (b AND c)` is three.
pub(crate) fn split(condition: Expr, out: &mut Vec<Expr>) {
    match condition {
        Expr::And(list) => list.into_iter().for_each(|part| split(part, out)),
        Expr::Const(Value::Bool(true)) => {}
        other => out.push(other),
    }
}

/// The conjuncts of an optional condition.
pub(crate) fn list(condition: Option<Expr>) -> Vec<Expr> {
    let mut out = Vec::new();
    if let Some(condition) = condition {
        split(condition, &mut out);
    }
    out
}

/// One condition of conjuncts; `None` when there are none.
pub(crate) fn join(mut conjuncts: Vec<Expr>) -> Option<Expr> {
    match conjuncts.len() {
        0 => None,
        1 => conjuncts.pop(),
        _ => Some(Expr::And(conjuncts)),
    }
}

/// Whether the condition cannot be true when all of `columns` are NULL.
pub(crate) fn rejects_null(condition: &Expr, is_column: &dyn Fn(usize) -> bool) -> bool {
    match condition {
        Expr::Compare { left, right, .. } => {
            is_null_in(left, is_column) || is_null_in(right, is_column)
        }
        Expr::And(list) => list.iter().any(|part| rejects_null(part, is_column)),
        Expr::Or(list) => list.iter().all(|part| rejects_null(part, is_column)),
        Expr::Not(inner) => match &**inner {
            Expr::IsNull(inner) => is_null_in(inner, is_column),
            inner => is_null_in(inner, is_column),
        },
        Expr::IsTruth(inner, Some(true)) => rejects_null(inner, is_column),
        other => is_null_in(other, is_column),
    }
}

/// Whether `expr` is NULL when all of `columns` are.
fn is_null_in(expr: &Expr, is_column: &dyn Fn(usize) -> bool) -> bool {
    match expr {
        Expr::Column(column) => is_column(*column),
        Expr::Call { function, args } => {
            function.is_strict && args.iter().any(|arg| is_null_in(arg, is_column))
        }
        Expr::Compare { left, right, .. } => {
            is_null_in(left, is_column) || is_null_in(right, is_column)
        }
        Expr::Cast { expr, .. } | Expr::Not(expr) => is_null_in(expr, is_column),
        Expr::Quantified { left, .. } => is_null_in(left, is_column),
        _ => false,
    }
}
