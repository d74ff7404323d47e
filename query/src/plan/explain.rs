//! EXPLAIN: plans as text and as JSON, in Postgres' words.
//!
//! A plan is first turned into [`Item`]s. Several nodes can make one item: a filter and a
//! projection belong to what they stand on, as in Postgres' plans.

use std::collections::BTreeSet;
use std::time::Duration;

use super::deparse::{self, Names};
use super::explain_node::describe;
use super::{Command, Cte, Node, Plan, walk};
use crate::bind::{ExplainFormat, ExplainOptions};
use crate::execute::Execution;
use crate::execute::context::Timing;
use crate::expression::Expr;
use crate::optimize::estimate::{Estimate, Estimator};
use crate::statistics::Statistics;

/// One line of a plan with what belongs to it.
#[derive(Debug, Default)]
pub(crate) struct Item {
    /// As the text form shows it: `Index Scan using a on b`.
    pub title: String,
    /// `Node Type` of the JSON form.
    pub kind: String,
    /// Further properties of the JSON form that the title holds: `Relation Name`.
    pub facts: Vec<(&'static str, String)>,
    /// `Index Cond`, `Filter`, …
    pub properties: Vec<(String, String)>,
    /// Expected.
    pub estimate: Estimate,
    /// Measured.
    pub timing: Option<Timing>,
    /// `CTE x` and `SubPlan 1` before, inputs after.
    pub children: Vec<(Option<String>, Item)>,
}

/// One property of an item, with what it counted.
pub(crate) enum Detail<'a> {
    /// `Filter: (a > 1)`
    Property(&'a str, &'a str),
    /// `Rows Removed by Filter: 7`, per loop.
    Removed(&'static str, f64),
}

impl Item {
    /// The properties, each followed by the count of the rows that it removed.
    pub fn details(&self) -> Vec<Detail<'_>> {
        let mut details = Vec::new();
        for (label, value) in &self.properties {
            details.push(Detail::Property(label, value));
            details.extend(self.timing.as_ref().and_then(|timing| removed_by(label, timing)));
        }
        details
    }
}

fn removed_by(label: &str, timing: &Timing) -> Option<Detail<'static>> {
    let (label, rows) = match label {
        "Filter" => ("Rows Removed by Filter", timing.removed.filter),
        "Join Filter" => ("Rows Removed by Join Filter", timing.removed.join),
        "Index Cond" => ("Rows Removed by Index Recheck", timing.removed.recheck),
        _ => return None,
    };
    Some(Detail::Removed(label, rows as f64 / timing.loops.max(1) as f64))
}

/// What EXPLAIN of a plan works with.
pub(crate) struct Explainer<'a> {
    pub plan: &'a Plan,
    pub estimator: Estimator<'a>,
    pub execution: Option<&'a Execution>,
    /// Whether columns are shown with their table: there are several.
    pub is_qualified: bool,
}

/// Planning and execution times for the summary.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    /// From text to plan.
    pub planning: Duration,
    /// From plan to rows, when it ran.
    pub execution: Option<Duration>,
}

/// The lines of EXPLAIN; one line with line breaks in it for JSON. `execution` has run to its end
/// when it is given (`ANALYZE`).
pub fn explain(
    plan: &Plan,
    statistics: &Statistics,
    options: &ExplainOptions,
    execution: Option<&Execution>,
    times: Times,
) -> Vec<String> {
    let estimator = Estimator { statistics, plan };
    let is_qualified = relation_count(plan) > 1;
    let explainer = Explainer { plan, estimator, execution, is_qualified };
    let mut root = explainer.item(&plan.root, &Names::default());
    explainer.add_ctes(&mut root);
    if options.format == ExplainFormat::Text {
        let mut lines = Vec::new();
        write_text(&root, options, 0, "", &mut lines);
        lines.extend(summary(options, times));
        lines
    } else {
        vec![super::explain_json::document(&root, options, times)]
    }
}

/// The address by which an execution keeps the timing of a node.
pub(crate) fn key(node: &Node) -> usize {
    std::ptr::from_ref(node) as usize
}

fn summary(options: &ExplainOptions, times: Times) -> Vec<String> {
    let mut lines = Vec::new();
    if options.with_summary {
        lines.push(format!("Planning Time: {:.3} ms", milliseconds(times.planning)));
        if let Some(execution) = times.execution {
            lines.push(format!("Execution Time: {:.3} ms", milliseconds(execution)));
        }
    }
    lines
}

pub(super) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn relation_count(plan: &Plan) -> usize {
    let mut count = 0;
    let mut visit = |node: &Node| {
        walk::visit_nodes(node, &mut |node| {
            count += usize::from(matches!(
                node,
                Node::Scan(_)
                    | Node::IndexScan(_)
                    | Node::TextScan(_)
                    | Node::GeoScan(_)
                    | Node::CteScan { .. }
                    | Node::SystemScan { .. }
                    | Node::FunctionScan { .. }
            ));
        });
    };
    plan.trees().for_each(&mut visit);
    count
}

impl Explainer<'_> {
    /// The item of a node, merged with the nodes below it that have none of their own.
    pub fn item(&self, node: &Node, names: &Names) -> Item {
        let mut item = match node {
            Node::Project { input, .. } if !is_single_row(input) => self.item(input, names),
            Node::Filter { input, predicate } => self.filter(input, predicate, names),
            _ => describe(self, node, names),
        };
        item.estimate = self.estimator.estimate(node);
        if matches!(node, Node::Insert(_) | Node::Update(_) | Node::Delete(_))
            && self.plan.columns.is_empty()
        {
            item.estimate.rows = 0.0;
            item.estimate.width = 0;
        }
        if let Some(mut timing) = self.timing(node) {
            // What is merged into one line is counted as one.
            timing.removed += item.timing.map(|inner| inner.removed).unwrap_or_default();
            item.timing = Some(timing);
        }
        self.add_subplans(node, names, &mut item);
        item
    }

    fn filter(&self, input: &Node, predicate: &Expr, names: &Names) -> Item {
        let mut item = self.item(input, names);
        let inner = Names { columns: self.columns(input, names), slots: names.slots.clone() };
        let is_constant = !walk::has_columns(predicate) && !walk::has_subquery(predicate);
        let label = if is_constant { "One-Time Filter" } else { "Filter" };
        item.properties.push((label.to_owned(), deparse::expr(predicate, &inner)));
        item
    }

    fn timing(&self, node: &Node) -> Option<Timing> {
        let timings = self.execution?.timings()?.borrow();
        Some(timings.get(&key(node)).copied().unwrap_or_default())
    }

    fn add_ctes(&self, root: &mut Item) {
        let names = Names::default();
        let mut items = Vec::new();
        for cte in &self.plan.ctes {
            items.push((Some(format!("CTE {}", cte.name)), self.cte(cte, &names)));
        }
        root.children.splice(0..0, items);
    }

    fn cte(&self, cte: &Cte, names: &Names) -> Item {
        let first = self.item(&cte.node, names);
        let Some(recursive) = &cte.recursive else { return first };
        let estimate = first.estimate;
        let second = self.item(&recursive.node, names);
        Item {
            title: "Recursive Union".to_owned(),
            kind: "Recursive Union".to_owned(),
            estimate,
            children: vec![(None, first), (None, second)],
            ..Item::default()
        }
    }

    /// The subplans that a node's own expressions run.
    fn add_subplans(&self, node: &Node, names: &Names, item: &mut Item) {
        let mut inner = names.clone();
        walk::inputs(node, &mut |input| inner.columns.extend(self.columns(input, names)));
        if inner.columns.is_empty() {
            inner.columns = self.columns(node, names);
        }
        let mut found = BTreeSet::new();
        walk::exprs(node, &mut |expr| {
            walk::visit(expr, &mut |part| {
                let Expr::Subquery(subquery) = part else { return };
                let Some(subplan) = self.plan.subplans.get(subquery.subplan) else { return };
                if !found.insert(subquery.subplan) {
                    return;
                }
                let mut slots = names.slots.clone();
                for (slot, argument) in &subquery.arguments {
                    slots.push((*slot, deparse::expr(argument, &inner)));
                }
                let word = if subquery.arguments.is_empty() { "InitPlan" } else { "SubPlan" };
                let label = format!("{word} {}", subquery.subplan + 1);
                let names = Names { columns: Vec::new(), slots };
                item.children.push((Some(label), self.item(subplan, &names)));
            });
        });
    }
}

/// Whether a projection stands on the one empty row of a SELECT without FROM.
pub(super) fn is_single_row(node: &Node) -> bool {
    matches!(node, Node::Values { rows } if rows.len() == 1 && rows.iter().all(Vec::is_empty))
}

fn write_text(
    item: &Item,
    options: &ExplainOptions,
    indent: usize,
    arrow: &str,
    lines: &mut Vec<String>,
) {
    let mut line = format!("{:indent$}{arrow}{}", "", item.title);
    if options.with_costs {
        let Estimate { startup, total, rows, width } = item.estimate;
        line.push_str(&format!("  (cost={startup:.2}..{total:.2} rows={rows:.0} width={width})"));
    }
    if let Some(timing) = &item.timing {
        line.push_str(&actual(timing, options));
    }
    lines.push(line);
    let inner = indent + if arrow.is_empty() { 2 } else { 6 };
    lines.extend(item.details().iter().filter_map(|detail| match detail {
        Detail::Property(label, value) => Some(format!("{:inner$}{label}: {value}", "")),
        Detail::Removed(_, 0.0) => None,
        Detail::Removed(label, rows) => Some(format!("{:inner$}{label}: {rows:.0}", "")),
    }));
    for (label, child) in &item.children {
        let mut indent = inner;
        if let Some(label) = label {
            lines.push(format!("{:inner$}{label}", ""));
            indent += 2;
        }
        write_text(child, options, indent, "->  ", lines);
    }
}

fn actual(timing: &Timing, options: &ExplainOptions) -> String {
    if timing.loops == 0 {
        return " (never executed)".to_owned();
    }
    let loops = timing.loops;
    let rows = timing.rows as f64 / loops as f64;
    if options.with_timing {
        let startup = milliseconds(timing.startup);
        let total = milliseconds(timing.total) / loops as f64;
        format!(" (actual time={startup:.3}..{total:.3} rows={rows:.0} loops={loops})")
    } else {
        format!(" (actual rows={rows:.0} loops={loops})")
    }
}

/// What the JSON form calls a writing node.
pub(super) fn operation(command: Command) -> &'static str {
    match command {
        Command::Select => "Select",
        Command::Insert => "Insert",
        Command::Update => "Update",
        Command::Delete => "Delete",
    }
}
