//! `EXISTS`, `IN` and `= ANY (SELECT …)` as semi joins, `NOT EXISTS` as an anti join.
//!
//! `NOT IN` stays a subplan: it is unknown, not true, as soon as the subquery gives a NULL.

use super::conjunct;
use crate::expression::{CompareOp, Expr, Quantifier, Subquery, SubqueryKind};
use crate::plan::{Join, JoinKind, JoinMethod, Node, walk};

/// Rewrites the filters of a tree.
pub(crate) fn unnest(mut node: Node, subplans: &[Node]) -> Node {
    walk::inputs_mut(&mut node, &mut |input| {
        let taken = super::take(input);
        *input = unnest(taken, subplans);
    });
    match node {
        Node::Filter { input, predicate } => unnest_filter(*input, predicate, subplans),
        Node::Scan(mut scan) => {
            let all = conjunct::list(scan.filter.take());
            let (subqueries, rest): (Vec<_>, Vec<_>) =
                all.into_iter().partition(|c| is_joinable(c, subplans));
            scan.filter = conjunct::join(rest);
            match conjunct::join(subqueries) {
                Some(predicate) => unnest_filter(Node::Scan(scan), predicate, subplans),
                None => Node::Scan(scan),
            }
        }
        other => other,
    }
}

fn unnest_filter(input: Node, predicate: Expr, subplans: &[Node]) -> Node {
    let (subqueries, rest): (Vec<_>, Vec<_>) =
        conjunct::list(Some(predicate)).into_iter().partition(|c| is_joinable(c, subplans));
    let mut node = match conjunct::join(rest) {
        Some(predicate) => Node::Filter { input: Box::new(input), predicate },
        None => input,
    };
    for condition in subqueries {
        node = to_join(node, condition, subplans);
    }
    node
}

fn is_joinable(conjunct: &Expr, subplans: &[Node]) -> bool {
    let Some((subquery, kind)) = subquery_of(conjunct) else { return false };
    let is_known = subplans.get(subquery.subplan).is_some();
    is_known
        && match &subquery.kind {
            SubqueryKind::Exists => true,
            SubqueryKind::Quantified { operator, left, quantifier: Quantifier::Any } => {
                kind == JoinKind::Semi
                    && equalities(operator, left.len()).is_some()
                    && !left.iter().any(walk::has_subquery)
            }
            _ => false,
        }
}

fn subquery_of(conjunct: &Expr) -> Option<(&Subquery, JoinKind)> {
    match conjunct {
        Expr::Subquery(subquery) => Some((subquery, JoinKind::Semi)),
        Expr::Not(inner) => match &**inner {
            Expr::Subquery(subquery) => Some((subquery, JoinKind::Anti)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the operator of a quantified comparison is `=` of each left column with its right one.
fn equalities(operator: &Expr, width: usize) -> Option<()> {
    let parts = conjunct::list(Some(operator.clone()));
    let is_pair = |part: &Expr| {
        matches!(part, Expr::Compare { op: CompareOp::Eq, left, right }
            if matches!((&**left, &**right),
                (Expr::Column(a), Expr::Column(b)) if *a < width && *b == a + width))
    };
    (parts.len() == width && parts.iter().all(is_pair)).then_some(())
}

fn to_join(input: Node, condition: Expr, subplans: &[Node]) -> Node {
    let fallback = |input: Node, predicate| Node::Filter { input: Box::new(input), predicate };
    let Some((subquery, kind)) = subquery_of(&condition) else {
        return fallback(input, condition);
    };
    let (Some(right), Some(left_width)) = (subplans.get(subquery.subplan), width(&input)) else {
        return fallback(input, condition);
    };
    let mut on = Vec::new();
    if let SubqueryKind::Quantified { left, .. } = &subquery.kind {
        for (position, expr) in left.iter().enumerate() {
            on.push(Expr::Compare {
                op: CompareOp::Eq,
                left: Box::new(expr.clone()),
                right: Box::new(Expr::Column(left_width + position)),
            });
        }
    }
    let Some(right_width) = width(right) else { return fallback(input, condition) };
    let mut right = unnest(right.clone(), subplans);
    let mut arguments = subquery.arguments.clone();
    let mut right_width = right_width;
    if matches!(subquery.kind, SubqueryKind::Exists) {
        decorrelate(&mut right, &mut right_width, &mut arguments, left_width, &mut on);
    }
    Node::Join(Box::new(Join {
        kind,
        method: JoinMethod::NestedLoop,
        left: input,
        right,
        arguments,
        condition: conjunct::join(on),
        left_width,
        right_width,
    }))
}

/// Moves conditions that read the outer row from a simple subquery (a filtered table) into the
/// join, where a hash table can serve them. EXISTS does not care about the subquery's columns.
fn decorrelate(
    right: &mut Node,
    right_width: &mut usize,
    arguments: &mut Vec<(usize, Expr)>,
    left_width: usize,
    on: &mut Vec<Expr>,
) {
    let mut inner = &*right;
    let mut conjuncts = Vec::new();
    loop {
        match inner {
            // The projection is dropped, and the filter below it is over the table's columns.
            Node::Project { input, .. } if conjuncts.is_empty() => inner = input,
            Node::Filter { input, predicate } => {
                conjunct::split(predicate.clone(), &mut conjuncts);
                inner = input;
            }
            Node::Scan(scan) => {
                let mut scan = scan.clone();
                conjuncts.extend(conjunct::list(scan.filter.take()));
                let is_local = |expr: &Expr| {
                    let mut slots = Vec::new();
                    walk::slots(expr, &mut slots);
                    !slots.iter().any(|slot| arguments.iter().any(|(other, _)| other == slot))
                };
                if conjuncts.iter().any(walk::has_subquery) {
                    return;
                }
                let (local, outer): (Vec<_>, Vec<_>) = conjuncts.into_iter().partition(is_local);
                scan.filter = conjunct::join(local);
                for conjunct in outer {
                    on.push(inlined(&conjunct, arguments, left_width));
                }
                *right_width = scan.output.len();
                *right = Node::Scan(scan);
                arguments.clear();
                return;
            }
            _ => return,
        }
    }
}

/// A condition of the subquery over the joined row: its columns move up, slots become what fills
/// them.
fn inlined(expr: &Expr, arguments: &[(usize, Expr)], left_width: usize) -> Expr {
    let mut expr = walk::shifted(expr, left_width);
    replace_slots(&mut expr, arguments);
    expr
}

fn replace_slots(expr: &mut Expr, arguments: &[(usize, Expr)]) {
    if let Expr::Slot(slot) = expr {
        if let Some((_, argument)) = arguments.iter().find(|(other, _)| other == slot) {
            *expr = argument.clone();
        }
        return;
    }
    walk::children_mut(expr, &mut |child| replace_slots(child, arguments));
}

/// How many columns a node gives; `None` when that is not plain to see.
pub(super) fn width(node: &Node) -> Option<usize> {
    match node {
        Node::Values { rows } => rows.first().map(Vec::len),
        Node::Scan(scan) => Some(scan.output.len()),
        Node::IndexScan(scan) => Some(scan.scan.output.len()),
        Node::TextScan(scan) => Some(scan.scan.output.len()),
        Node::GeoScan(scan) => Some(scan.scan.output.len()),
        Node::CteScan { width, .. } | Node::WorkingTable { width, .. } => Some(*width),
        Node::Project { exprs, .. } => Some(exprs.len()),
        Node::ProjectSet { exprs, .. } => Some(exprs.len()),
        Node::Filter { input, .. }
        | Node::Sort { input, .. }
        | Node::Limit { input, .. }
        | Node::Distinct { input, .. }
        | Node::SetOperation { left: input, .. } => width(input),
        Node::Window { input, windows } => Some(width(input)? + windows.len()),
        Node::Lock(lock) => width(&lock.input),
        Node::Join(join) => Some(match join.kind {
            JoinKind::Semi | JoinKind::Anti => join.left_width,
            _ => join.left_width + join.right_width,
        }),
        Node::Aggregate(aggregate) => {
            Some(aggregate.groups.len() + aggregate.aggregates.len() + aggregate.groupings.len())
        }
        Node::FunctionScan { .. } | Node::SystemScan { .. } => None,
        Node::Insert(_) | Node::Update(_) | Node::Delete(_) => None,
    }
}
