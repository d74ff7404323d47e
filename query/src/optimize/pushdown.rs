//! Filters move down: into scans, into the side of a join that they speak of, through projections
//! and groupings. On the way, an outer join whose padded rows a filter drops anyway becomes an
//! inner join.

use super::conjunct::{self, join, list, rejects_null};
use crate::expression::Expr;
use crate::plan::{Aggregate, Join, JoinKind, Node, walk};

/// Pushes the filters of a whole tree down.
pub(crate) fn push_filters(node: Node) -> Node {
    push(node, Vec::new())
}

/// `node` with `conjuncts` (over its output) applied as deep as they may be.
fn push(node: Node, mut conjuncts: Vec<Expr>) -> Node {
    match node {
        Node::Filter { input, predicate } => {
            conjunct::split(predicate, &mut conjuncts);
            push(*input, conjuncts)
        }
        Node::Scan(mut scan) => {
            let mut all = list(scan.filter.take());
            all.append(&mut conjuncts);
            // What reads no column is decided once, before the scan begins.
            let (rows, once) = partition(all, |c| {
                walk::has_columns(c) || walk::is_volatile(c) || walk::has_subquery(c)
            });
            scan.filter = join(rows);
            filter(Node::Scan(scan), once)
        }
        Node::Project { input, exprs } => push_project(*input, exprs, conjuncts),
        Node::Join(join) => push_join(*join, conjuncts),
        Node::Aggregate(aggregate) => push_aggregate(*aggregate, conjuncts),
        Node::Sort { input, keys, limit: None } => {
            Node::Sort { input: Box::new(push(*input, conjuncts)), keys, limit: None }
        }
        Node::Distinct { input, on: None } => {
            Node::Distinct { input: Box::new(push(*input, conjuncts)), on: None }
        }
        Node::SetOperation { op, is_all, left, right } => {
            let (down, rest) =
                partition(conjuncts, |c| !walk::is_volatile(c) && !walk::has_subquery(c));
            let left = Box::new(push(*left, down.clone()));
            let right = Box::new(push(*right, down));
            filter(Node::SetOperation { op, is_all, left, right }, rest)
        }
        mut other => {
            walk::inputs_mut(&mut other, &mut |input| {
                let taken = std::mem::replace(input, Node::Values { rows: Vec::new() });
                *input = push(taken, Vec::new());
            });
            filter(other, conjuncts)
        }
    }
}

/// A filter over `node`, unless there is nothing to filter by.
fn filter(node: Node, conjuncts: Vec<Expr>) -> Node {
    match join(conjuncts) {
        Some(predicate) => Node::Filter { input: Box::new(node), predicate },
        None => node,
    }
}

fn partition(list: Vec<Expr>, test: impl Fn(&Expr) -> bool) -> (Vec<Expr>, Vec<Expr>) {
    list.into_iter().partition(test)
}

fn push_project(input: Node, exprs: Vec<Expr>, conjuncts: Vec<Expr>) -> Node {
    let is_movable = |conjunct: &Expr| {
        !walk::is_volatile(conjunct)
            && walk::columns(conjunct).into_iter().all(|column| {
                exprs
                    .get(column)
                    .is_some_and(|expr| !walk::is_volatile(expr) && !walk::has_subquery(expr))
            })
    };
    let (mut down, rest) = partition(conjuncts, is_movable);
    down.iter_mut().for_each(|conjunct| substitute(conjunct, &exprs));
    let input = Box::new(push(input, down));
    filter(Node::Project { input, exprs }, rest)
}

/// Replaces columns by the expressions that compute them.
pub(crate) fn substitute(expr: &mut Expr, exprs: &[Expr]) {
    walk::rewrite(expr, &mut |part| {
        if let Expr::Column(column) = part
            && let Some(source) = exprs.get(*column)
        {
            *part = source.clone();
        }
    });
}

/// Conditions on grouping columns hold for whole groups: they may be asked of the rows.
fn push_aggregate(mut aggregate: Aggregate, conjuncts: Vec<Expr>) -> Node {
    let width = aggregate.groups.len();
    let is_plain = width > 0 && aggregate.sets.len() == 1;
    let is_movable = |conjunct: &Expr| {
        let columns = walk::columns(conjunct);
        is_plain
            && !columns.is_empty()
            && !walk::is_volatile(conjunct)
            && columns.into_iter().all(|column| {
                aggregate.groups.get(column).is_some_and(|group| !walk::is_volatile(group))
            })
    };
    let (mut down, rest) = partition(conjuncts, is_movable);
    down.iter_mut().for_each(|conjunct| substitute(conjunct, &aggregate.groups));
    let input = std::mem::replace(&mut aggregate.input, Node::Values { rows: Vec::new() });
    aggregate.input = push(input, down);
    filter(Node::Aggregate(Box::new(aggregate)), rest)
}

/// Which sides of a join a conjunct speaks of.
fn sides(conjunct: &Expr, left_width: usize) -> (bool, bool) {
    let columns = walk::columns(conjunct);
    let left = columns.iter().any(|&column| column < left_width);
    (left, columns.iter().any(|&column| column >= left_width))
}

fn push_join(mut join: Join, conjuncts: Vec<Expr>) -> Node {
    simplify(&mut join, &conjuncts);
    let width = join.left_width;
    // What was said above the join and what was said in ON may move under different conditions.
    let mut on = list(join.condition.take());
    let (mut above, mut to_left, mut to_right) = (Vec::new(), Vec::new(), Vec::new());
    for conjunct in conjuncts {
        if walk::is_volatile(&conjunct) {
            above.push(conjunct);
            continue;
        }
        match (join.kind, sides(&conjunct, width)) {
            (JoinKind::Semi | JoinKind::Anti, _) => to_left.push(conjunct),
            (JoinKind::Inner | JoinKind::Left, (true, false)) => to_left.push(conjunct),
            (JoinKind::Inner | JoinKind::Right, (false, true)) => to_right.push(conjunct),
            (JoinKind::Inner, _) => on.push(conjunct),
            _ => above.push(conjunct),
        }
    }
    let mut kept = Vec::new();
    for conjunct in on {
        match (join.kind, sides(&conjunct, width)) {
            _ if walk::is_volatile(&conjunct) => kept.push(conjunct),
            (JoinKind::Inner | JoinKind::Semi | JoinKind::Right, (true, false)) => {
                to_left.push(conjunct);
            }
            (JoinKind::Inner | JoinKind::Semi, (false, false)) => to_left.push(conjunct),
            (JoinKind::Inner | JoinKind::Semi | JoinKind::Anti | JoinKind::Left, (false, true)) => {
                to_right.push(conjunct)
            }
            _ => kept.push(conjunct),
        }
    }
    for conjunct in &mut to_right {
        walk::map_columns(conjunct, &mut |column| column - width);
    }
    join.condition = conjunct::join(kept);
    let empty = || Node::Values { rows: Vec::new() };
    join.left = push(std::mem::replace(&mut join.left, empty()), to_left);
    join.right = push(std::mem::replace(&mut join.right, empty()), to_right);
    filter(Node::Join(Box::new(join)), above)
}

/// An outer join whose padded rows cannot pass the filter above is not an outer join.
fn simplify(join: &mut Join, conjuncts: &[Expr]) {
    let width = join.left_width;
    let rejects = |is_column: &dyn Fn(usize) -> bool| {
        conjuncts.iter().any(|conjunct| rejects_null(conjunct, is_column))
    };
    let drops_right_padding = rejects(&|column| column >= width);
    let drops_left_padding = rejects(&|column| column < width);
    join.kind = match (join.kind, drops_left_padding, drops_right_padding) {
        (JoinKind::Left, _, true) | (JoinKind::Right, true, _) => JoinKind::Inner,
        (JoinKind::Full, true, true) => JoinKind::Inner,
        (JoinKind::Full, true, false) => JoinKind::Left,
        (JoinKind::Full, false, true) => JoinKind::Right,
        (kind, ..) => kind,
    };
}
