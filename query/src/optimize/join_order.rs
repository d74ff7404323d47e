//! The order of inner joins: greedily, the cheapest pair first, then whatever keeps the result
//! smallest.

use super::conjunct;
use super::{Planner, identity, is_empty_values};
use crate::expression::Expr;
use crate::plan::{Join, JoinKind, JoinMethod, Node, walk};

/// Beyond this many tables the order of the statement stands.
const RELATIONS_MAX: usize = 12;

/// One input of a chain of inner joins.
struct Relation {
    node: Node,
    /// Its first column in the chain's output.
    offset: usize,
    width: usize,
}

impl Planner<'_> {
    /// Reorders every chain of inner joins in a tree.
    pub(crate) fn order_joins(&mut self, node: Node) -> Node {
        let mut node = match node {
            Node::Join(join) if is_movable(&join) => return self.order_chain(*join),
            other => other,
        };
        walk::inputs_mut(&mut node, &mut |input| {
            let taken = super::take(input);
            *input = self.order_joins(taken);
        });
        node
    }

    fn order_chain(&mut self, join: Join) -> Node {
        let total = join.left_width + join.right_width;
        let (mut relations, mut conjuncts) = (Vec::new(), Vec::new());
        flatten(Node::Join(Box::new(join)), total, 0, &mut relations, &mut conjuncts);
        for relation in &mut relations {
            let node = super::take(&mut relation.node);
            relation.node = self.order_joins(node);
        }
        let order = if relations.len() <= RELATIONS_MAX {
            self.choose_order(&relations, &conjuncts)
        } else {
            (0..relations.len()).collect()
        };
        build(relations, conjuncts, &order, total)
    }

    /// Positions of the relations in the order in which they are joined.
    fn choose_order(&self, relations: &[Relation], conjuncts: &[Expr]) -> Vec<usize> {
        let rows = relations.iter().map(|relation| self.rows_of(&relation.node));
        let rows: Vec<f64> = rows.collect();
        let smallest = |candidates: &mut dyn Iterator<Item = usize>| {
            let rows_of = |&position: &usize| rows.get(position).copied().unwrap_or(f64::MAX);
            candidates.min_by(|a, b| rows_of(a).total_cmp(&rows_of(b)))
        };
        let mut left: Vec<usize> = (0..relations.len()).collect();
        let mut order: Vec<usize> = Vec::new();
        while !left.is_empty() {
            let is_joined = |position: &usize| {
                conjuncts.iter().any(|conjunct| connects(conjunct, relations, &order, *position))
            };
            let next = smallest(&mut left.iter().copied().filter(is_joined))
                .or_else(|| smallest(&mut left.iter().copied()));
            let Some(next) = next else { break };
            left.retain(|&position| position != next);
            order.push(next);
        }
        order
    }

    /// Rows of a relation, read in the cheapest way.
    fn rows_of(&self, node: &Node) -> f64 {
        match node {
            Node::Scan(scan) => {
                let accesses = self.accesses(scan, &[]);
                let rows = accesses.iter().map(|access| self.estimate(&access.node).rows);
                rows.fold(f64::MAX, f64::min)
            }
            other => self.estimate(other).rows,
        }
    }
}

/// Whether a join's inputs may change places: nothing is passed from left to right.
fn is_movable(join: &Join) -> bool {
    join.kind == JoinKind::Inner && join.arguments.is_empty()
}

/// Whether a condition ties a relation to those joined so far.
fn connects(conjunct: &Expr, relations: &[Relation], joined: &[usize], position: usize) -> bool {
    let columns = walk::columns(conjunct);
    let touches = |position: usize| {
        relations.get(position).is_some_and(|relation| {
            let range = relation.offset..relation.offset + relation.width;
            columns.iter().any(|column| range.contains(column))
        })
    };
    touches(position) && joined.iter().any(|&other| touches(other))
}

/// Takes a chain apart: its relations, and its conditions over the chain's output.
fn flatten(
    node: Node,
    width: usize,
    offset: usize,
    relations: &mut Vec<Relation>,
    conjuncts: &mut Vec<Expr>,
) {
    match node {
        Node::Join(join) if is_movable(&join) => {
            for conjunct in conjunct::list(join.condition) {
                conjuncts.push(walk::shifted(&conjunct, offset));
            }
            let (left, right) = (join.left_width, join.right_width);
            flatten(join.left, left, offset, relations, conjuncts);
            flatten(join.right, right, offset + left, relations, conjuncts);
        }
        node => relations.push(Relation { node, offset, width }),
    }
}

/// Joins the relations in an order, each condition as soon as its columns are there, and puts the
/// columns back into their places.
fn build(relations: Vec<Relation>, conjuncts: Vec<Expr>, order: &[usize], total: usize) -> Node {
    let mut relations: Vec<Option<Relation>> = relations.into_iter().map(Some).collect();
    let mut conjuncts: Vec<Option<Expr>> = conjuncts.into_iter().map(Some).collect();
    // Where each column of the chain's output is by now.
    let mut places: Vec<Option<usize>> = vec![None; total];
    let mut tree = Node::Values { rows: Vec::new() };
    let mut width = 0;
    for &position in order {
        let Some(relation) = relations.get_mut(position).and_then(Option::take) else { continue };
        for column in 0..relation.width {
            if let Some(place) = places.get_mut(relation.offset + column) {
                *place = Some(width + column);
            }
        }
        let condition = conjunct::join(ready(&mut conjuncts, &places));
        tree = if is_empty_values(&tree) && width == 0 {
            match condition {
                Some(predicate) => Node::Filter { input: Box::new(relation.node), predicate },
                None => relation.node,
            }
        } else {
            Node::Join(Box::new(Join {
                kind: JoinKind::Inner,
                method: JoinMethod::NestedLoop,
                left: tree,
                right: relation.node,
                arguments: Vec::new(),
                condition,
                left_width: width,
                right_width: relation.width,
            }))
        };
        width += relation.width;
    }
    let exprs: Vec<Expr> = places.iter().map(|place| Expr::Column(place.unwrap_or(0))).collect();
    let is_identity = places.iter().enumerate().all(|(column, place)| *place == Some(column));
    if is_identity {
        return tree;
    }
    debug_assert_eq!(exprs.len(), identity(total).len(), "every column has a place");
    Node::Project { input: Box::new(tree), exprs }
}

/// The conditions whose columns are all there, over the columns' places.
fn ready(conjuncts: &mut [Option<Expr>], places: &[Option<usize>]) -> Vec<Expr> {
    let place = |column: usize| places.get(column).copied().flatten();
    let mut ready = Vec::new();
    for conjunct in conjuncts {
        let is_ready =
            |expr: &mut Expr| walk::columns(expr).into_iter().all(|c| place(c).is_some());
        if let Some(mut expr) = conjunct.take_if(is_ready) {
            walk::map_columns(&mut expr, &mut |column| place(column).unwrap_or(column));
            ready.push(expr);
        }
    }
    ready
}
