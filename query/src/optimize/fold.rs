//! Constant folding: calls of immutable functions on constants become constants; AND, OR, CASE and
//! casts of constants simplify.

use crate::expression::{EvalContext, Expr, Volatility};
use crate::plan::walk;
use crate::value::Value;

/// Folds an expression. What cannot be computed (a division by zero) is left for the execution to
/// fail on, if it ever gets there.
pub(crate) fn fold(expr: &mut Expr, cx: &EvalContext<'_>) {
    walk::rewrite(expr, &mut |part| {
        simplify_logic(part);
        if is_foldable(part)
            && let Ok(value) = part.eval(cx, &[])
        {
            *part = Expr::Const(value);
        }
    });
}

fn is_const(expr: &Expr) -> bool {
    matches!(expr, Expr::Const(_))
}

/// Whether the node computes something from nothing but constants.
fn is_foldable(expr: &Expr) -> bool {
    let mut all_const = true;
    walk::children(expr, &mut |child| all_const &= is_const(child));
    all_const
        && match expr {
            Expr::Call { function, .. } => function.volatility == Volatility::Immutable,
            Expr::Cast { from, to, .. } => is_stable_cast(from, to),
            Expr::Const(_)
            | Expr::Column(_)
            | Expr::Param(_)
            | Expr::Slot(_)
            | Expr::Subquery(_)
            // The domain may have changed, or ask for the time.
            | Expr::Checked { .. }
            // Comparisons of records and arrays of anything are cheap enough to leave.
            | Expr::Record(_) => false,
            _ => true,
        }
}

/// Whether a cast depends on nothing but its argument: not on the time zone or the catalog. Text
/// search configurations are built in.
fn is_stable_cast(from: &crate::value::SqlType, to: &crate::value::SqlType) -> bool {
    use crate::value::Type;
    let depends = |ty: &Type| {
        matches!(
            ty,
            Type::TimestampTz
                | Type::TimeTz
                | Type::Timestamp
                | Type::Date
                | Type::Time
                | Type::RegClass
                | Type::RegType
                | Type::RegProc
                | Type::RegNamespace
        )
    };
    !depends(&from.base) && !depends(&to.base)
}

/// `true AND x` is x; `false AND x` is false; likewise OR and CASE.
fn simplify_logic(expr: &mut Expr) {
    let is = |expr: &Expr, truth: bool| matches!(expr, Expr::Const(Value::Bool(b)) if *b == truth);
    match expr {
        Expr::And(list) => {
            simplify_list(expr_list(list, |part| is(part, true)), |part| is(part, false), expr)
        }
        Expr::Or(list) => {
            simplify_list(expr_list(list, |part| is(part, false)), |part| is(part, true), expr)
        }
        Expr::Case { branches, otherwise } => {
            branches
                .retain(|(when, _)| !is(when, false) && !matches!(when, Expr::Const(Value::Null)));
            if let Some(position) = branches.iter().position(|(when, _)| is(when, true)) {
                **otherwise = branches.swap_remove(position).1;
                branches.truncate(position);
            }
            if branches.is_empty() {
                *expr = std::mem::replace(otherwise, Expr::Const(Value::Null));
            }
        }
        _ => {}
    }
}

/// Takes the parts out that do not matter.
fn expr_list(list: &mut Vec<Expr>, is_neutral: impl Fn(&Expr) -> bool) -> Vec<Expr> {
    let neutral = list.iter().find(|part| is_neutral(part)).cloned();
    let mut kept: Vec<Expr> = std::mem::take(list);
    kept.retain(|part| !is_neutral(part));
    if kept.is_empty() {
        kept.extend(neutral);
    }
    kept
}

fn simplify_list(mut kept: Vec<Expr>, is_decisive: impl Fn(&Expr) -> bool, expr: &mut Expr) {
    if let Some(decisive) = kept.iter().position(is_decisive) {
        *expr = kept.swap_remove(decisive);
    } else if kept.len() == 1 {
        *expr = kept.swap_remove(0);
    } else if let Expr::And(list) | Expr::Or(list) = expr {
        *list = kept;
    }
}
