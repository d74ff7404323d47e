//! Columns that nobody reads are not decoded.

use crate::expression::Expr;
use crate::plan::{Join, JoinKind, Node, Plan, ScanColumn, SetExpr, TableScan, walk};

/// Marks the unread columns of every scan of a plan.
pub(crate) fn prune(plan: &mut Plan) {
    plan.trees_mut().for_each(|tree| visit(tree, &mut Need::All));
}

/// Which columns of a node the nodes above read.
#[derive(Clone)]
enum Need {
    All,
    Some(Vec<usize>),
}

impl Need {
    fn none() -> Self {
        Self::Some(Vec::new())
    }

    fn add(&mut self, expr: &Expr) {
        if let Self::Some(columns) = self {
            columns.extend(walk::columns(expr));
        }
    }

    fn contains(&self, column: usize) -> bool {
        match self {
            Self::All => true,
            Self::Some(columns) => columns.contains(&column),
        }
    }
}

fn visit(node: &mut Node, need: &mut Need) {
    match node {
        Node::Scan(scan) => mark(scan, need),
        Node::IndexScan(scan) => mark(&mut scan.scan, need),
        Node::TextScan(scan) => mark(&mut scan.scan, need),
        Node::GeoScan(scan) => {
            if let crate::plan::GeoSearch::Nearest { value, .. } = &scan.search {
                need.add(value);
            }
            mark(&mut scan.scan, need);
        }
        Node::Project { input, exprs } => {
            let mut inner = Need::none();
            exprs.iter().for_each(|expr| inner.add(expr));
            visit(input, &mut inner);
        }
        Node::ProjectSet { input, exprs } => {
            let mut inner = Need::none();
            for expr in exprs {
                match expr {
                    SetExpr::Scalar(expr) => inner.add(expr),
                    SetExpr::Set(_, args) => args.iter().for_each(|arg| inner.add(arg)),
                }
            }
            visit(input, &mut inner);
        }
        Node::Filter { .. } | Node::Sort { .. } | Node::Limit { .. } => {
            walk::exprs(node, &mut |expr| need.add(expr));
            walk::inputs_mut(node, &mut |input| visit(input, need));
        }
        Node::Aggregate(aggregate) => {
            let mut inner = Need::none();
            let node = &*aggregate;
            node.groups.iter().for_each(|expr| inner.add(expr));
            for call in &node.aggregates {
                call.args.iter().for_each(|expr| inner.add(expr));
                call.order.iter().for_each(|key| inner.add(&key.expr));
                call.filter.iter().for_each(|expr| inner.add(expr));
            }
            visit(&mut aggregate.input, &mut inner);
        }
        Node::Join(join) => visit_join(join, need),
        other => walk::inputs_mut(other, &mut |input| visit(input, &mut Need::All)),
    }
}

fn visit_join(join: &mut Join, need: &mut Need) {
    let (mut left, mut right) = (Need::none(), Need::none());
    let width = join.left_width;
    if matches!(need, Need::All) {
        left = Need::All;
        if !matches!(join.kind, JoinKind::Semi | JoinKind::Anti) {
            right = Need::All;
        }
    }
    let mut both = need.clone();
    join.condition.iter().for_each(|condition| both.add(condition));
    let conditions = join.condition.iter().flat_map(walk::columns).collect::<Vec<_>>();
    let wanted = if let Need::Some(columns) = both { columns } else { conditions };
    for column in wanted {
        let (side, column) =
            if column < width { (&mut left, column) } else { (&mut right, column - width) };
        side.add(&Expr::Column(column));
    }
    if let crate::plan::JoinMethod::Hash { left: lefts, right: rights } = &join.method {
        lefts.iter().for_each(|expr| left.add(expr));
        rights.iter().for_each(|expr| right.add(expr));
    }
    join.arguments.iter().for_each(|(_, argument)| left.add(argument));
    visit(&mut join.left, &mut left);
    visit(&mut join.right, &mut right);
}

fn mark(scan: &mut TableScan, need: &mut Need) {
    scan.filter.iter().for_each(|filter| need.add(filter));
    for (position, column) in scan.output.iter_mut().enumerate() {
        if let ScanColumn::Column(table_column) = *column
            && !need.contains(position)
        {
            *column = ScanColumn::Unread(table_column);
        }
    }
}
