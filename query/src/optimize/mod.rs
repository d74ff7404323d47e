//! From the plan that binding leaves to a cheaper one with the same rows.
//!
//! Rules, in order:
//! 1. [`fold`]: what is constant is computed once.
//! 2. [`subquery`]: `IN` and `EXISTS` become semi and anti joins.
//! 3. [`single_row`]: a join with one known row is no join.
//! 4. [`pushdown`]: filters move to the rows that they speak of.
//! 5. [`join_order`]: inner joins begin with the fewest rows.
//! 6. [`lower`]: each table is read in the cheapest way ([`access`]), each join done by the
//!    cheapest method ([`join`]), sorts that an index makes needless disappear; [`estimate`]
//!    judges.
//! 7. [`prune`]: columns that nobody reads are not decoded.
//! 8. [`once`]: what is the same for every row is computed once.

use crate::expression::context::{Services, SlotValues, StatementFacts};
use crate::expression::{EvalContext, Expr};
use crate::plan::{Node, Plan, walk};
use crate::statistics::Statistics;
use crate::value::Value;

mod access;
mod bounds;
pub(crate) mod conjunct;
pub(crate) mod equality;
pub(crate) mod estimate;
mod fold;
mod geo_access;
mod inverted_access;
mod join;
mod join_order;
mod lower;
mod once;
mod prune;
mod pushdown;
mod single_row;
mod subquery;
mod switches;
mod text_access;

/// What optimizing may look at.
#[derive(Clone, Copy)]
pub struct OptimizeContext<'a> {
    /// What is known about the tables' contents.
    pub statistics: &'a Statistics,
    /// For folding constants.
    pub facts: &'a StatementFacts,
    /// For folding constants and recognising index expressions.
    pub services: &'a dyn Services,
}

/// A cheaper plan with the same rows.
pub fn optimize(mut plan: Plan, cx: &OptimizeContext<'_>) -> Plan {
    let none: [Value; 0] = [];
    let slots = SlotValues::default();
    let eval =
        EvalContext { params: &none, slots: &slots, statement: cx.facts, services: cx.services };
    let switches = switches::Switches::new(cx.services);
    // Every tree is taken out, rewritten, and put back; the trees after it are rewritten with
    // what is then in place, so that a scan of a common table expression knows how large it is.
    for position in 0..plan.ctes.len() {
        for is_recursive in [false, true] {
            let Some(tree) = cte_tree(&mut plan, position, is_recursive) else { continue };
            let tree = take(tree);
            let done = tree_of(&mut plan, tree, cx, &eval, switches);
            if let Some(place) = cte_tree(&mut plan, position, is_recursive) {
                *place = done;
            }
        }
    }
    for position in 0..plan.subplans.len() {
        let Some(tree) = plan.subplans.get_mut(position).map(take) else { continue };
        let done = tree_of(&mut plan, tree, cx, &eval, switches);
        if let Some(place) = plan.subplans.get_mut(position) {
            *place = done;
        }
    }
    let root = take(&mut plan.root);
    plan.root = tree_of(&mut plan, root, cx, &eval, switches);
    prune::prune(&mut plan);
    once::keep(&mut plan);
    plan
}

fn cte_tree(plan: &mut Plan, position: usize, is_recursive: bool) -> Option<&mut Node> {
    let cte = plan.ctes.get_mut(position)?;
    if is_recursive {
        cte.recursive.as_mut().map(|term| &mut term.node)
    } else {
        Some(&mut cte.node)
    }
}

fn take(node: &mut Node) -> Node {
    std::mem::replace(node, Node::Values { rows: Vec::new() })
}

/// Rewrites one tree of the plan.
fn tree_of(
    plan: &mut Plan,
    mut tree: Node,
    cx: &OptimizeContext<'_>,
    eval: &EvalContext<'_>,
    switches: switches::Switches,
) -> Node {
    fold_tree(&mut tree, eval);
    let tree = subquery::unnest(tree, &plan.subplans);
    let tree = single_row::inline(tree);
    let tree = pushdown::push_filters(tree);
    let mut slots = plan.slots;
    let mut planner = Planner {
        statistics: cx.statistics,
        eval: EvalContext {
            params: eval.params,
            slots: eval.slots,
            statement: eval.statement,
            services: eval.services,
        },
        switches,
        plan,
        slots: &mut slots,
    };
    let tree = planner.order_joins(tree);
    let tree = planner.lower(tree, &lower::Wish::default()).0;
    plan.slots = slots;
    tree
}

fn fold_tree(node: &mut Node, eval: &EvalContext<'_>) {
    walk::exprs_mut(node, &mut |expr| fold::fold(expr, eval));
    walk::inputs_mut(node, &mut |input| fold_tree(input, eval));
}

/// Plans one tree.
pub(crate) struct Planner<'a> {
    statistics: &'a Statistics,
    eval: EvalContext<'a>,
    switches: switches::Switches,
    /// The statement as far as it is planned, for the sizes of its common table expressions.
    plan: &'a Plan,
    /// How many slots the statement has by now.
    slots: &'a mut usize,
}

impl Planner<'_> {
    fn estimator(&self) -> estimate::Estimator<'_> {
        estimate::Estimator { statistics: self.statistics, plan: self.plan }
    }

    fn estimate(&self, node: &Node) -> estimate::Estimate {
        self.estimator().estimate(node)
    }

    /// A slot that nothing else uses.
    fn new_slot(&mut self) -> usize {
        *self.slots += 1;
        *self.slots - 1
    }
}

/// Whether a node is an empty stand-in.
fn is_empty_values(node: &Node) -> bool {
    matches!(node, Node::Values { rows } if rows.is_empty())
}

/// The columns `0..width` as expressions.
fn identity(width: usize) -> Vec<Expr> {
    (0..width).map(Expr::Column).collect()
}
