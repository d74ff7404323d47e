//! How a join is done: through a hash table, by asking the right side anew for each left row, or
//! pair by pair.

use super::Planner;
use super::conjunct;
use super::lower::Wish;
use super::pushdown::push_filters;
use crate::expression::{CompareOp, Expr};
use crate::plan::{Join, JoinKind, JoinMethod, Node, walk};

impl Planner<'_> {
    /// The cheapest way to do a join whose left side is lowered already.
    pub(crate) fn choose_method(&mut self, mut join: Join, wish: &Wish) -> Node {
        let right = super::take(&mut join.right);
        let plain = {
            let mut join = join.clone();
            join.right = self.lower(right.clone(), &Wish::default()).0;
            join
        };
        let mut best = Node::Join(Box::new(plain.clone()));
        if !join.arguments.is_empty() {
            return best;
        }
        let mut least = self.cost(&best, wish.rows);
        let hash = hash(&plain).filter(|_| self.switches.hash_joins);
        if let Some(hash) = hash {
            let node = Node::Join(Box::new(hash));
            if !self.switches.nested_loops {
                return node;
            }
            let cost = self.cost(&node, wish.rows);
            if cost < least {
                (best, least) = (node, cost);
            }
        }
        if let Some(inner) = self.ask_per_row(join, right) {
            let node = Node::Join(Box::new(inner));
            if self.cost(&node, wish.rows) < least {
                best = node;
            }
        }
        best
    }

    /// The join with its condition moved into the right side, left columns passed through slots:
    /// an index on the right side can then find the partners of each left row.
    fn ask_per_row(&mut self, mut join: Join, right: Node) -> Option<Join> {
        if matches!(join.kind, JoinKind::Right | JoinKind::Full) {
            return None;
        }
        let mut conjuncts = conjunct::list(join.condition.take());
        if conjuncts.is_empty() || conjuncts.iter().any(walk::is_volatile) {
            return None;
        }
        let width = join.left_width;
        for conjunct in &mut conjuncts {
            self.pass_left(conjunct, width, &mut join.arguments);
        }
        let predicate = conjunct::join(conjuncts)?;
        let filtered = push_filters(Node::Filter { input: Box::new(right), predicate });
        join.right = self.lower(filtered, &Wish::default()).0;
        Some(join)
    }

    /// Replaces left columns by slots and counts right columns from 0.
    fn pass_left(&mut self, expr: &mut Expr, width: usize, arguments: &mut Vec<(usize, Expr)>) {
        walk::rewrite(expr, &mut |part| {
            let Expr::Column(column) = part else { return };
            if *column >= width {
                *column -= width;
                return;
            }
            let known = arguments
                .iter()
                .find(|(_, argument)| matches!(argument, Expr::Column(other) if other == column));
            let slot = match known {
                Some((slot, _)) => *slot,
                None => {
                    let slot = self.new_slot();
                    arguments.push((slot, Expr::Column(*column)));
                    slot
                }
            };
            *part = Expr::Slot(slot);
        });
    }
}

/// The join through a hash table, when its condition has an equality between the sides.
fn hash(join: &Join) -> Option<Join> {
    let width = join.left_width;
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for conjunct in conjunct::list(join.condition.clone()) {
        if let Some((of_left, of_right)) = equality(&conjunct, width) {
            left.push(of_left);
            right.push(of_right);
        }
    }
    (!left.is_empty()).then(|| Join { method: JoinMethod::Hash { left, right }, ..join.clone() })
}

/// `a = b` with one side over left columns and the other over right columns (counted from 0).
pub(super) fn equality(conjunct: &Expr, width: usize) -> Option<(Expr, Expr)> {
    let Expr::Compare { op: CompareOp::Eq, left, right } = conjunct else { return None };
    if walk::has_subquery(conjunct) || walk::is_volatile(conjunct) {
        return None;
    }
    let is_left = |expr: &Expr| {
        let columns = walk::columns(expr);
        !columns.is_empty() && columns.into_iter().all(|column| column < width)
    };
    let is_right = |expr: &Expr| {
        let columns = walk::columns(expr);
        !columns.is_empty() && columns.into_iter().all(|column| column >= width)
    };
    let counted = |expr: &Expr| {
        let mut expr = expr.clone();
        walk::map_columns(&mut expr, &mut |column| column - width);
        expr
    };
    if is_left(left) && is_right(right) {
        return Some(((**left).clone(), counted(right)));
    }
    (is_left(right) && is_right(left)).then(|| ((**right).clone(), counted(left)))
}
