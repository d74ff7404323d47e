//! A plan with values in the place of its parameters, as EXPLAIN EXECUTE shows it.

use super::{Node, Plan, walk};
use crate::expression::Expr;
use crate::value::Value;

/// The plan for these values of its parameters.
pub(crate) fn substituted(plan: &Plan, params: &[Value]) -> Plan {
    let mut plan = plan.clone();
    plan.trees_mut().for_each(|tree| substitute(tree, params));
    plan
}

fn substitute(node: &mut Node, params: &[Value]) {
    walk::exprs_mut(node, &mut |expr| {
        walk::rewrite(expr, &mut |part| {
            if let Expr::Param(number) = part
                && let Some(value) = params.get(*number)
            {
                *part = Expr::Const(value.clone());
            }
        });
    });
    walk::inputs_mut(node, &mut |input| substitute(input, params));
}
