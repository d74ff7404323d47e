//! Walking plans and expressions: children, expressions, and what they refer to.
//!
//! The two-column operator of a quantified comparison and the checks of a domain live in their own
//! scope and are never visited: whoever renumbers columns must not touch them.

use crate::expression::{Expr, Subquery, SubqueryKind, Volatility};
use crate::plan::{
    ConflictAction, FrameBound, GeoSearch, JoinMethod, KeyBounds, Node, Plan, SetExpr, SortKey,
    TableScan,
};

macro_rules! expr_children {
    ($name:ident, $subquery:ident $(, $mutable:tt)?) => {
        /// Calls `f` for each direct child expression.
        pub fn $name<'a>(expr: &'a $($mutable)? Expr, f: &mut dyn FnMut(&'a $($mutable)? Expr)) {
            match expr {
                Expr::Const(_) | Expr::Column(_) | Expr::Param(_) | Expr::Slot(_) => {}
                Expr::Call { args, .. } => args.into_iter().for_each(f),
                Expr::Compare { left, right, .. }
                | Expr::IsDistinct { left, right, .. }
                | Expr::NullIf(left, right) => {
                    f(left);
                    f(right);
                }
                Expr::Quantified { left, array, .. } => {
                    f(left);
                    f(array);
                }
                Expr::And(list)
                | Expr::Or(list)
                | Expr::Coalesce(list)
                | Expr::Extreme(list, _)
                | Expr::Array { elements: list, .. }
                | Expr::Record(list) => list.into_iter().for_each(f),
                Expr::Not(inner)
                | Expr::IsNull(inner)
                | Expr::IsTruth(inner, _)
                | Expr::Cast { expr: inner, .. }
                | Expr::Once { expr: inner, .. }
                | Expr::Checked { value: inner, .. }
                | Expr::Field(inner, _) => f(inner),
                Expr::Case { branches, otherwise } => {
                    for (when, then) in branches {
                        f(when);
                        f(then);
                    }
                    f(otherwise);
                }
                Expr::Subscript { array, indexes } => {
                    f(array);
                    indexes.into_iter().for_each(f);
                }
                Expr::Slice { array, bounds } => {
                    f(array);
                    for (from, to) in bounds {
                        from.into_iter().for_each(&mut *f);
                        to.into_iter().for_each(&mut *f);
                    }
                }
                Expr::Subquery(subquery) => $subquery(subquery, f),
            }
        }

        fn $subquery<'a>(
            subquery: &'a $($mutable)? Subquery,
            f: &mut dyn FnMut(&'a $($mutable)? Expr),
        ) {
            if let SubqueryKind::Quantified { left, .. } = &$($mutable)? subquery.kind {
                left.into_iter().for_each(&mut *f);
            }
            for (_, argument) in &$($mutable)? subquery.arguments {
                f(argument);
            }
        }
    };
}

expr_children!(children, subquery_children);
expr_children!(children_mut, subquery_children_mut, mut);

/// Calls `f` for `expr` and everything below it.
pub fn visit<'a>(expr: &'a Expr, f: &mut dyn FnMut(&'a Expr)) {
    f(expr);
    children(expr, &mut |child| visit(child, f));
}

/// Whether `test` holds for `expr` or anything below it.
pub fn any(expr: &Expr, test: &mut dyn FnMut(&Expr) -> bool) -> bool {
    let mut found = false;
    visit(expr, &mut |part| found = found || test(part));
    found
}

/// Rewrites `expr` from the leaves up.
pub fn rewrite(expr: &mut Expr, f: &mut dyn FnMut(&mut Expr)) {
    children_mut(expr, &mut |child| rewrite(child, f));
    f(expr);
}

/// Renumbers every column that `expr` reads.
pub fn map_columns(expr: &mut Expr, f: &mut dyn FnMut(usize) -> usize) {
    rewrite(expr, &mut |part| {
        if let Expr::Column(column) = part {
            *column = f(*column);
        }
    });
}

/// `expr` with every column moved up by `by`.
#[must_use]
pub fn shifted(expr: &Expr, by: usize) -> Expr {
    let mut expr = expr.clone();
    map_columns(&mut expr, &mut |column| column + by);
    expr
}

/// The columns that `expr` reads, each once, in order.
pub fn columns(expr: &Expr) -> Vec<usize> {
    let mut found = Vec::new();
    visit(expr, &mut |part| {
        if let Expr::Column(column) = part {
            found.push(*column);
        }
    });
    found.sort_unstable();
    found.dedup();
    found
}

/// Whether `expr` reads a column at all.
pub fn has_columns(expr: &Expr) -> bool {
    any(expr, &mut |part| matches!(part, Expr::Column(_)))
}

/// Whether `expr` contains a subquery.
pub fn has_subquery(expr: &Expr) -> bool {
    any(expr, &mut |part| matches!(part, Expr::Subquery(_)))
}

/// Whether evaluating `expr` once more or at another place gives another result.
pub fn is_volatile(expr: &Expr) -> bool {
    any(expr, &mut |part| match part {
        Expr::Call { function, .. } => function.volatility == Volatility::Volatile,
        Expr::Checked { domain, .. } => domain.checks.iter().any(|(_, check)| is_volatile(check)),
        _ => false,
    })
}

/// Whether `expr` is a constant for one run of the plan node that holds it: no columns, no
/// subqueries, nothing volatile.
pub fn is_stable(expr: &Expr) -> bool {
    let reads_rows = |part: &Expr| matches!(part, Expr::Column(_) | Expr::Subquery(_));
    !any(expr, &mut { reads_rows }) && !is_volatile(expr)
}

/// The slots that `expr` reads; those of the subplans that it runs are not followed.
pub fn slots(expr: &Expr, found: &mut Vec<usize>) {
    visit(expr, &mut |part| {
        if let Expr::Slot(slot) = part {
            found.push(*slot);
        }
    });
}

macro_rules! node_inputs {
    ($name:ident $(, $mutable:tt)?) => {
        /// Calls `f` for each input of a node.
        pub fn $name<'a>(node: &'a $($mutable)? Node, f: &mut dyn FnMut(&'a $($mutable)? Node)) {
            match node {
                Node::Values { .. }
                | Node::Scan(_)
                | Node::IndexScan(_)
                | Node::TextScan(_)
                | Node::GeoScan(_)
                | Node::SystemScan { .. }
                | Node::FunctionScan { .. }
                | Node::CteScan { .. }
                | Node::WorkingTable { .. } => {}
                Node::Filter { input, .. }
                | Node::Project { input, .. }
                | Node::ProjectSet { input, .. }
                | Node::Window { input, .. }
                | Node::Sort { input, .. }
                | Node::Limit { input, .. }
                | Node::Distinct { input, .. } => f(input),
                Node::Join(join) => {
                    let join = &$($mutable)? **join;
                    f(&$($mutable)? join.left);
                    f(&$($mutable)? join.right);
                }
                Node::SetOperation { left, right, .. } => {
                    f(left);
                    f(right);
                }
                Node::Aggregate(aggregate) => f(&$($mutable)? aggregate.input),
                Node::Lock(lock) => f(&$($mutable)? lock.input),
                Node::Insert(insert) => f(&$($mutable)? insert.input),
                Node::Update(update) => f(&$($mutable)? update.input),
                Node::Delete(delete) => f(&$($mutable)? delete.input),
            }
        }
    };
}

node_inputs!(inputs);
node_inputs!(inputs_mut, mut);

macro_rules! node_exprs {
    ($name:ident, $scan:ident, $bounds:ident, $keys:ident, $write:ident, $other:ident
     $(, $mutable:tt)?) => {
        /// Calls `f` for each expression that a node evaluates itself.
        pub fn $name<'a>(node: &'a $($mutable)? Node, f: &mut dyn FnMut(&'a $($mutable)? Expr)) {
            match node {
                Node::Values { rows } => rows.into_iter().flatten().for_each(f),
                Node::Scan(scan) => $scan(scan, f),
                Node::IndexScan(scan) => {
                    let scan = &$($mutable)? **scan;
                    $scan(&$($mutable)? scan.scan, f);
                    for bounds in &$($mutable)? scan.bounds {
                        $bounds(bounds, f);
                    }
                    (&$($mutable)? scan.condition).into_iter().for_each(f);
                }
                Node::TextScan(scan) => {
                    let scan = &$($mutable)? **scan;
                    $scan(&$($mutable)? scan.scan, f);
                    f(&$($mutable)? scan.query);
                    (&$($mutable)? scan.condition).into_iter().for_each(&mut *f);
                    // What it is made of, the rank of a document, reads another row.
                    if let Some(rank) = &$($mutable)? scan.rank {
                        f(&$($mutable)? rank.shown);
                    }
                }
                Node::GeoScan(scan) => {
                    let scan = &$($mutable)? **scan;
                    $scan(&$($mutable)? scan.scan, f);
                    match &$($mutable)? scan.search {
                        GeoSearch::Intersects(shape, distance) => {
                            f(shape);
                            distance.into_iter().for_each(&mut *f);
                        }
                        GeoSearch::Nearest { origin, value } => {
                            f(origin);
                            f(value);
                        }
                    }
                    if let Some(words) = &$($mutable)? scan.words {
                        f(&$($mutable)? words.query);
                        (&$($mutable)? words.condition).into_iter().for_each(&mut *f);
                    }
                    (&$($mutable)? scan.condition).into_iter().for_each(f);
                }
                Node::FunctionScan { functions, .. } => {
                    functions.into_iter().flat_map(|(_, args)| args).for_each(f);
                }
                Node::Filter { predicate, .. } => f(predicate),
                Node::Project { exprs, .. } => exprs.into_iter().for_each(f),
                Node::ProjectSet { exprs, .. } => {
                    for expr in exprs {
                        match expr {
                            SetExpr::Scalar(expr) => f(expr),
                            SetExpr::Set(_, args) => args.into_iter().for_each(&mut *f),
                        }
                    }
                }
                Node::Sort { keys, limit, .. } => {
                    $keys(keys, f);
                    limit.into_iter().for_each(f);
                }
                Node::Limit { limit, offset, ties, .. } => {
                    limit.into_iter().for_each(&mut *f);
                    offset.into_iter().for_each(&mut *f);
                    ties.into_iter().for_each(|keys| $keys(keys, f));
                }
                Node::Distinct { on, .. } => on.into_iter().flatten().for_each(f),
                Node::Insert(_) | Node::Update(_) | Node::Delete(_) => $write(node, f),
                _ => $other(node, f),
            }
        }

        fn $other<'a>(node: &'a $($mutable)? Node, f: &mut dyn FnMut(&'a $($mutable)? Expr)) {
            match node {
                Node::Join(join) => {
                    let join = &$($mutable)? **join;
                    if let JoinMethod::Hash { left, right } = &$($mutable)? join.method {
                        left.into_iter().for_each(&mut *f);
                        right.into_iter().for_each(&mut *f);
                    }
                    for (_, argument) in &$($mutable)? join.arguments {
                        f(argument);
                    }
                    (&$($mutable)? join.condition).into_iter().for_each(f);
                }
                Node::Aggregate(aggregate) => {
                    let aggregate = &$($mutable)? **aggregate;
                    (&$($mutable)? aggregate.groups).into_iter().for_each(&mut *f);
                    for call in &$($mutable)? aggregate.aggregates {
                        (&$($mutable)? call.args).into_iter().for_each(&mut *f);
                        $keys(&$($mutable)? call.order, f);
                        (&$($mutable)? call.filter).into_iter().for_each(&mut *f);
                    }
                }
                Node::Window { windows, .. } => {
                    for window in windows {
                        (&$($mutable)? window.args).into_iter().for_each(&mut *f);
                        (&$($mutable)? window.filter).into_iter().for_each(&mut *f);
                        (&$($mutable)? window.partition).into_iter().for_each(&mut *f);
                        $keys(&$($mutable)? window.order, f);
                        let frame = &$($mutable)? window.frame;
                        for bound in [&$($mutable)? frame.start, &$($mutable)? frame.end] {
                            if let FrameBound::Preceding(n) | FrameBound::Following(n) = bound {
                                f(n);
                            }
                        }
                    }
                }
                Node::Lock(lock) => (&$($mutable)? lock.recheck).into_iter().for_each(f),
                _ => {}
            }
        }

        fn $write<'a>(node: &'a $($mutable)? Node, f: &mut dyn FnMut(&'a $($mutable)? Expr)) {
            match node {
                Node::Insert(insert) => {
                    let insert = &$($mutable)? **insert;
                    if let Some(conflict) = &$($mutable)? insert.conflict
                        && let ConflictAction::Update { assignments, filter } =
                            &$($mutable)? conflict.action
                    {
                        assignments.into_iter().for_each(|(_, value)| f(value));
                        filter.into_iter().for_each(&mut *f);
                    }
                    (&$($mutable)? insert.returning).into_iter().flatten().for_each(f);
                }
                Node::Update(update) => {
                    let update = &$($mutable)? **update;
                    (&$($mutable)? update.assignments).into_iter().for_each(|(_, value)| f(value));
                    (&$($mutable)? update.recheck).into_iter().for_each(&mut *f);
                    (&$($mutable)? update.returning).into_iter().flatten().for_each(f);
                }
                Node::Delete(delete) => {
                    let delete = &$($mutable)? **delete;
                    (&$($mutable)? delete.recheck).into_iter().for_each(&mut *f);
                    (&$($mutable)? delete.returning).into_iter().flatten().for_each(f);
                }
                _ => {}
            }
        }

        fn $scan<'a>(scan: &'a $($mutable)? TableScan, f: &mut dyn FnMut(&'a $($mutable)? Expr)) {
            (&$($mutable)? scan.filter).into_iter().for_each(f);
        }

        fn $bounds<'a>(
            bounds: &'a $($mutable)? KeyBounds,
            f: &mut dyn FnMut(&'a $($mutable)? Expr),
        ) {
            (&$($mutable)? bounds.equal).into_iter().for_each(&mut *f);
            for bound in [&$($mutable)? bounds.lower, &$($mutable)? bounds.upper] {
                bound.into_iter().for_each(|(value, _)| f(value));
            }
        }

        fn $keys<'a>(
            keys: &'a $($mutable)? Vec<SortKey>,
            f: &mut dyn FnMut(&'a $($mutable)? Expr),
        ) {
            keys.into_iter().for_each(|key| f(&$($mutable)? key.expr));
        }
    };
}

node_exprs!(exprs, scan_exprs, bounds_exprs, key_exprs, write_exprs, other_exprs);
node_exprs!(
    exprs_mut,
    scan_exprs_mut,
    bounds_exprs_mut,
    key_exprs_mut,
    write_exprs_mut,
    other_exprs_mut,
    mut
);

/// Calls `f` for a node and everything below it; subplans and common table expressions are other
/// trees.
pub fn visit_nodes<'a>(node: &'a Node, f: &mut dyn FnMut(&'a Node)) {
    f(node);
    inputs(node, &mut |input| visit_nodes(input, f));
}

/// Whether the tree of `node`, with the subplans and common table expressions that it runs, reads
/// a slot that it does not fill itself.
pub fn reads_outer_slots(plan: &Plan, node: &Node) -> bool {
    let mut scope = SlotScope::default();
    scope.node(plan, node);
    scope.read.iter().any(|slot| !scope.filled.contains(slot))
}

#[derive(Default)]
struct SlotScope {
    read: Vec<usize>,
    filled: Vec<usize>,
    subplans: Vec<usize>,
    ctes: Vec<usize>,
}

impl SlotScope {
    fn node(&mut self, plan: &Plan, node: &Node) {
        visit_nodes(node, &mut |node| {
            match node {
                Node::Join(join) => self.filled.extend(join.arguments.iter().map(|(slot, _)| slot)),
                Node::CteScan { cte, .. } => self.cte(plan, *cte),
                _ => {}
            }
            exprs(node, &mut |expr| self.expr(plan, expr));
        });
    }

    fn expr(&mut self, plan: &Plan, expr: &Expr) {
        visit(expr, &mut |part| match part {
            Expr::Slot(slot) => self.read.push(*slot),
            Expr::Subquery(subquery) => {
                self.filled.extend(subquery.arguments.iter().map(|(slot, _)| slot));
                if !self.subplans.contains(&subquery.subplan)
                    && let Some(subplan) = plan.subplans.get(subquery.subplan)
                {
                    self.subplans.push(subquery.subplan);
                    self.node(plan, subplan);
                }
            }
            _ => {}
        });
    }

    fn cte(&mut self, plan: &Plan, cte: usize) {
        if self.ctes.contains(&cte) {
            return;
        }
        self.ctes.push(cte);
        let Some(cte) = plan.ctes.get(cte) else { return };
        self.node(plan, &cte.node);
        if let Some(recursive) = &cte.recursive {
            self.node(plan, &recursive.node);
        }
    }
}
