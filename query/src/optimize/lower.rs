//! Choosing: for every table the cheapest way to read it, for every join the cheapest method, and
//! no sort where the rows come sorted anyway.

use super::Planner;
use super::pushdown::substitute;
use crate::expression::Expr;
use crate::plan::{JoinKind, JoinMethod, Lock, Node, SortKey, TableScan, walk};
use crate::value::Value;

/// What the node above would like.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    /// Rows in this order; empty when any order will do.
    pub order: Vec<SortKey>,
    /// No more rows than these.
    pub rows: Option<f64>,
}

impl Planner<'_> {
    /// The physical form of a tree, and whether its rows come in the wished order.
    pub(crate) fn lower(&mut self, node: Node, wish: &Wish) -> (Node, bool) {
        match node {
            Node::Scan(scan) => self.lower_scan(&scan, wish),
            Node::Filter { input, predicate } => {
                let (input, is_ordered) = self.lower(*input, wish);
                (Node::Filter { input: Box::new(input), predicate }, is_ordered)
            }
            Node::Project { input, exprs } => {
                let inner = through_project(wish, &exprs);
                let (input, is_ordered) = self.lower(*input, &inner);
                (Node::Project { input: Box::new(input), exprs }, is_ordered)
            }
            Node::Lock(lock) => {
                let (input, is_ordered) = self.lower(lock.input, wish);
                (Node::Lock(Box::new(Lock { input, ..*lock })), is_ordered)
            }
            Node::Limit { input, limit, offset, ties } => {
                let rows =
                    count(limit.as_ref()).map(|rows| rows + count(offset.as_ref()).unwrap_or(0.0));
                let inner = Wish { order: wish.order.clone(), rows };
                let (input, is_ordered) = self.lower(*input, &inner);
                (Node::Limit { input: Box::new(input), limit, offset, ties }, is_ordered)
            }
            Node::Sort { input, keys, limit } => {
                let sorted = self.lower_sort(*input, keys, limit, wish);
                (sorted, wish.order.is_empty())
            }
            Node::Join(join) => self.lower_join(*join, wish),
            mut other => {
                walk::inputs_mut(&mut other, &mut |input| {
                    let taken = super::take(input);
                    *input = self.lower(taken, &Wish::default()).0;
                });
                (other, wish.order.is_empty())
            }
        }
    }

    fn lower_scan(&mut self, scan: &TableScan, wish: &Wish) -> (Node, bool) {
        let mut best: Option<(f64, Node, bool)> = None;
        for access in self.accesses(scan, &wish.order) {
            let cost = self.cost(&access.node, wish.rows);
            // An order that the node above has asked for is worth the sort that it saves.
            let cost = if access.is_ordered { cost } else { cost + self.sort_cost(&access.node) };
            if best.as_ref().is_none_or(|(least, ..)| cost < *least) {
                best = Some((cost, access.node, access.is_ordered));
            }
        }
        best.map_or_else(
            || (Node::Scan(Box::new(scan.clone())), wish.order.is_empty()),
            |(_, node, is_ordered)| (node, is_ordered),
        )
    }

    /// The cost of the first `rows` rows of a node.
    pub(crate) fn cost(&self, node: &Node, rows: Option<f64>) -> f64 {
        let estimate = self.estimate(node);
        let share = rows.map_or(1.0, |rows| (rows / estimate.rows.max(1.0)).min(1.0));
        estimate.startup + (estimate.total - estimate.startup) * share
    }

    /// What sorting a node's rows would add, the rest of its rows included.
    fn sort_cost(&self, node: &Node) -> f64 {
        let estimate = self.estimate(node);
        let rows = estimate.rows.max(2.0);
        rows * rows.log2() * 0.005
    }

    fn lower_sort(
        &mut self,
        input: Node,
        keys: Vec<SortKey>,
        limit: Option<Expr>,
        wish: &Wish,
    ) -> Node {
        let inner = Wish { order: keys.clone(), rows: wish.rows };
        let (ordered, is_ordered) = self.lower(input.clone(), &inner);
        let (plain, _) = self.lower(input, &Wish::default());
        let sort = Node::Sort { input: Box::new(plain), keys, limit };
        if is_ordered && self.cost(&ordered, wish.rows) <= self.cost(&sort, wish.rows) {
            ordered
        } else {
            sort
        }
    }

    fn lower_join(&mut self, mut join: crate::plan::Join, wish: &Wish) -> (Node, bool) {
        let reads_left = |key: &SortKey| {
            walk::columns(&key.expr).into_iter().all(|column| column < join.left_width)
        };
        let keeps_left = !matches!(join.kind, JoinKind::Right | JoinKind::Full);
        let order = if keeps_left && wish.order.iter().all(reads_left) {
            wish.order.clone()
        } else {
            Vec::new()
        };
        let can_order = !order.is_empty() || wish.order.is_empty();
        let rows = if matches!(join.kind, JoinKind::Left) { wish.rows } else { None };
        let left = super::take(&mut join.left);
        let (left, is_ordered) = self.lower(left, &Wish { order, rows });
        join.left = left;
        debug_assert!(matches!(join.method, JoinMethod::NestedLoop), "binding knows no other");
        let node = self.choose_method(join, wish);
        (node, is_ordered && can_order)
    }
}

/// A wish about a projection's output as one about its input.
fn through_project(wish: &Wish, exprs: &[Expr]) -> Wish {
    let order = wish.order.iter().map(|key| {
        let mut key = key.clone();
        substitute(&mut key.expr, exprs);
        key
    });
    Wish { order: order.collect(), rows: wish.rows }
}

fn count(expr: Option<&Expr>) -> Option<f64> {
    match expr? {
        Expr::Const(Value::Int8(n)) => Some(*n as f64),
        Expr::Const(Value::Int4(n)) => Some(f64::from(*n)),
        Expr::Param(_) => Some(50.0),
        _ => None,
    }
}
