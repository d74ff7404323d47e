//! What is the same for every row of an execution is computed once: `now() - interval '1 day'`,
//! `websearch_to_tsquery('english', $1)`.
//!
//! The last rule: the others recognise expressions by their form, and these they would not.

use super::equality::is_same;
use crate::expression::Expr;
use crate::plan::{Node, Plan, walk};
use crate::value::Value;

/// So many of the latest expressions are looked through for one that is computed already.
const SHARED_MAX: usize = 32;

/// Finds the largest such parts of all expressions of a plan and gives each a cell.
pub(crate) fn keep(plan: &mut Plan) {
    let mut cells = Vec::new();
    plan.trees_mut().for_each(|tree| keep_tree(tree, &mut cells));
    plan.once = cells.len();
}

fn keep_tree(node: &mut Node, cells: &mut Vec<Expr>) {
    // Each of these is evaluated once as it is.
    if !matches!(node, Node::Values { .. }) {
        walk::exprs_mut(node, &mut |expr| keep_parts(expr, cells));
    }
    if let Node::TextScan(scan) = node
        && let Some(rank) = &mut scan.rank
    {
        keep_parts(&mut rank.rank, cells);
    }
    walk::inputs_mut(node, &mut |input| keep_tree(input, cells));
}

fn keep_parts(expr: &mut Expr, cells: &mut Vec<Expr>) {
    if !is_worth_keeping(expr) {
        walk::children_mut(expr, &mut |child| keep_parts(child, cells));
        return;
    }
    let cell = cell_of(expr, cells);
    let inner = Box::new(std::mem::replace(expr, Expr::Const(Value::Null)));
    *expr = Expr::Once { cell, expr: inner };
}

/// Whether the expression is the same for every row and takes more than reading a value.
fn is_worth_keeping(expr: &Expr) -> bool {
    let is_work = |part: &Expr| matches!(part, Expr::Call { .. } | Expr::Cast { .. });
    let is_passed = |part: &Expr| matches!(part, Expr::Slot(_));
    walk::is_stable(expr)
        && !walk::any(expr, &mut { is_passed })
        && walk::any(expr, &mut { is_work })
}

fn cell_of(expr: &Expr, cells: &mut Vec<Expr>) -> usize {
    let oldest = cells.len().saturating_sub(SHARED_MAX);
    let known = cells.iter().skip(oldest).position(|other| is_same(other, expr));
    known.map_or_else(
        || {
            cells.push(expr.clone());
            cells.len() - 1
        },
        |position| oldest + position,
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::expression::Registry;

    fn call(name: &str, args: Vec<Expr>) -> Expr {
        let function = Arc::clone(&Registry::global().functions(name)[0]);
        Expr::Call { function, args }
    }

    /// Whether each expression is kept as a whole, and how many cells they take.
    fn kept(exprs: Vec<Expr>) -> (Vec<bool>, usize) {
        let mut cells = Vec::new();
        let kept = exprs.into_iter().map(|mut expr| {
            keep_parts(&mut expr, &mut cells);
            matches!(expr, Expr::Once { .. })
        });
        (kept.collect(), cells.len())
    }

    #[test]
    fn what_no_row_changes_is_kept() {
        let param = || call("upper", vec![Expr::Param(0)]);
        assert_eq!(kept(vec![param(), call("now", vec![])]), (vec![true, true], 2));
        assert_eq!(kept(vec![param(), param()]), (vec![true, true], 1), "one cell for both");
        let volatile = call("random", vec![]);
        assert_eq!(kept(vec![Expr::Param(0), volatile]), (vec![false, false], 0));
        let slot = call("upper", vec![Expr::Slot(0)]);
        assert_eq!(kept(vec![slot]), (vec![false], 0), "another value each time");
    }

    #[test]
    fn the_largest_part_is_kept() {
        let inner = call("upper", vec![call("lower", vec![Expr::Param(0)])]);
        let mut outer = Expr::And(vec![Expr::Column(0), inner]);
        let mut cells = Vec::new();
        keep_parts(&mut outer, &mut cells);
        let Expr::And(parts) = outer else { panic!("the column is read for each row") };
        assert!(matches!(parts.as_slice(), [Expr::Column(0), Expr::Once { cell: 0, .. }]));
        assert_eq!(cells.len(), 1);
    }
}
