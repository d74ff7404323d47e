//! A join with one known row is no join: the row's values take the place of its columns.
//!
//! `FROM businesses, websearch_to_tsquery('noodles') q WHERE doc @@ q` becomes a condition on
//! businesses alone, which an index can answer.

use super::pushdown::substitute;
use super::{identity, take};
use crate::expression::Expr;
use crate::plan::{Join, JoinKind, Node, walk};

/// Removes such joins from a whole tree.
pub(crate) fn inline(mut node: Node) -> Node {
    walk::inputs_mut(&mut node, &mut |input| {
        let taken = take(input);
        *input = inline(taken);
    });
    match node {
        Node::Join(join) => inline_join(*join),
        other => other,
    }
}

fn inline_join(mut join: Join) -> Node {
    if join.kind != JoinKind::Inner || !join.arguments.is_empty() {
        return Node::Join(Box::new(join));
    }
    let (rows, output) = if let Some(row) = known_row(&join.right) {
        (take(&mut join.left), [identity(join.left_width), row].concat())
    } else if let Some(row) = known_row(&join.left) {
        (take(&mut join.right), [row, identity(join.right_width)].concat())
    } else {
        return Node::Join(Box::new(join));
    };
    let input = match join.condition {
        Some(mut predicate) => {
            substitute(&mut predicate, &output);
            Node::Filter { input: Box::new(rows), predicate }
        }
        None => rows,
    };
    Node::Project { input: Box::new(input), exprs: output }
}

/// The one row of a node, when it is the same whenever it is asked for.
fn known_row(node: &Node) -> Option<Vec<Expr>> {
    match node {
        Node::Values { rows } => match rows.as_slice() {
            [row] if row.iter().all(walk::is_stable) => Some(row.clone()),
            _ => None,
        },
        Node::Project { input, exprs } => {
            let row = known_row(input)?;
            let mut exprs = exprs.clone();
            for expr in &mut exprs {
                substitute(expr, &row);
            }
            exprs.iter().all(walk::is_stable).then_some(exprs)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::CompareOp;
    use crate::plan::JoinMethod;
    use crate::value::Value;

    fn rows(rows: Vec<Vec<Expr>>) -> Node {
        Node::Values { rows }
    }

    fn number(n: i32) -> Expr {
        Expr::Const(Value::Int4(n))
    }

    fn join(left: Node, right: Node) -> Node {
        let (left_side, right_side) = (Box::new(Expr::Column(0)), Box::new(Expr::Column(1)));
        let condition = Expr::Compare { op: CompareOp::Eq, left: left_side, right: right_side };
        Node::Join(Box::new(Join {
            kind: JoinKind::Inner,
            method: JoinMethod::NestedLoop,
            left,
            right,
            arguments: Vec::new(),
            condition: Some(condition),
            left_width: 1,
            right_width: 1,
        }))
    }

    #[test]
    fn values_take_the_place_of_columns_on_either_side() {
        let many = || rows(vec![vec![number(1)], vec![number(2)]]);
        let one = || rows(vec![vec![number(7)]]);
        for (node, expected) in [
            (join(many(), one()), [Expr::Column(0), number(7)]),
            (join(one(), many()), [number(7), Expr::Column(0)]),
        ] {
            let Node::Project { input, exprs } = inline(node) else { panic!("still a join") };
            assert_eq!(format!("{exprs:?}"), format!("{expected:?}"));
            assert!(matches!(*input, Node::Filter { .. }));
        }
        assert!(matches!(inline(join(many(), many())), Node::Join(_)));
    }
}
