//! What EXPLAIN says about each kind of node, and what it calls their columns.

use super::deparse::{self, Names};
use super::explain::{Explainer, Item, is_single_row, operation};
use super::{
    Aggregate, Arbiter, Command, ConflictAction, Insert, Join, JoinKind, JoinMethod, Node,
    ScanColumn, SetOperation, TableScan, TableWriter, WindowFunction,
};
use crate::catalog::{IndexDef, RowKeyDef};
use crate::expression::Expr;
use crate::optimize::conjunct;
use crate::optimize::equality::is_same;

/// The item of a node with its inputs; costs and times are the caller's.
pub(super) fn describe(explainer: &Explainer<'_>, node: &Node, names: &Names) -> Item {
    match node {
        Node::Values { rows } if rows.len() == 1 => plain("Result"),
        Node::Values { .. } => {
            Item { title: "Values Scan on \"*VALUES*\"".to_owned(), ..plain("Values Scan") }
        }
        Node::Project { .. } => plain("Result"),
        Node::Scan(scan) => {
            let mut item = scan_item("Seq Scan", "", scan);
            push_filter(explainer, scan, None, names, &mut item);
            item
        }
        Node::IndexScan(scan) => {
            let backward = if scan.is_reverse { " Backward" } else { "" };
            let name = index_name(&scan.scan, scan.index.as_deref());
            let mut item = index_item(&format!("Index Scan{backward}"), &name, &scan.scan);
            let condition = scan.condition.as_ref();
            push_condition(explainer, node, "Index Cond", condition, names, &mut item);
            push_filter(explainer, &scan.scan, None, names, &mut item);
            item
        }
        Node::TextScan(scan) => {
            let mut item = index_item("Index Scan", &scan.index.name, &scan.scan);
            let condition = scan.condition.as_ref();
            push_condition(explainer, node, "Index Cond", condition, names, &mut item);
            let rank = scan.rank.as_ref().map(|rank| &rank.shown);
            push_condition(explainer, node, "Order By", rank, names, &mut item);
            push_filter(explainer, &scan.scan, condition, names, &mut item);
            item
        }
        Node::GeoScan(scan) => geo_item(explainer, node, scan, names),
        Node::SystemScan { name, .. } => {
            Item { title: format!("Seq Scan on {name}"), ..plain("Seq Scan") }
        }
        Node::FunctionScan { functions, .. } => {
            let names = functions.iter().map(|(function, _)| &*function.name).collect::<Vec<_>>();
            Item {
                title: format!("Function Scan on {}", names.join(", ")),
                ..plain("Function Scan")
            }
        }
        Node::CteScan { cte, .. } => {
            let name = explainer.plan.ctes.get(*cte).map_or("", |cte| &cte.name);
            Item { title: format!("CTE Scan on {name}"), ..plain("CTE Scan") }
        }
        Node::WorkingTable { cte, .. } => {
            let name = explainer.plan.ctes.get(*cte).map_or("", |cte| &cte.name);
            Item { title: format!("WorkTable Scan on {name}"), ..plain("WorkTable Scan") }
        }
        Node::Join(join) => join_item(explainer, join, names),
        Node::Insert(insert) => insert_item(explainer, insert, names),
        Node::Update(update) => {
            write_item(explainer, Command::Update, &update.writer, &update.input, names)
        }
        Node::Delete(delete) => {
            write_item(explainer, Command::Delete, &delete.writer, &delete.input, names)
        }
        other => unary(explainer, other, names),
    }
}

fn geo_item(explainer: &Explainer<'_>, node: &Node, scan: &super::GeoScan, names: &Names) -> Item {
    let mut item = index_item("Index Scan", &scan.index.name, &scan.scan);
    let label = match scan.search {
        super::GeoSearch::Intersects(..) => "Index Cond",
        super::GeoSearch::Nearest { .. } => "Order By",
    };
    push_condition(explainer, node, label, scan.condition.as_ref(), names, &mut item);
    if let Some(words) = &scan.words {
        let label = format!("Rows also in {}", quoted(&words.index.name));
        push_condition(explainer, node, &label, words.condition.as_ref(), names, &mut item);
    }
    push_filter(explainer, &scan.scan, scan.promise(), names, &mut item);
    item
}

fn plain(kind: &str) -> Item {
    Item { title: kind.to_owned(), kind: kind.to_owned(), ..Item::default() }
}

fn unary(explainer: &Explainer<'_>, node: &Node, names: &Names) -> Item {
    let mut item = Item::default();
    let mut inner = names.clone();
    super::walk::inputs(node, &mut |input| {
        inner.columns = explainer.columns(input, names);
        item.children.push((None, explainer.item(input, names)));
    });
    let (kind, properties) = match node {
        Node::ProjectSet { .. } => ("ProjectSet", None),
        Node::Aggregate(aggregate) => aggregate_words(aggregate, &inner),
        Node::Window { .. } => ("WindowAgg", None),
        Node::Sort { keys, .. } => {
            ("Sort", Some(("Sort Key".to_owned(), deparse::sort_keys(keys, &inner))))
        }
        Node::Limit { .. } => ("Limit", None),
        Node::Distinct { on: None, .. } => {
            ("HashAggregate", Some(("Group Key".to_owned(), inner.columns.join(", "))))
        }
        Node::Distinct { .. } => ("Unique", None),
        Node::SetOperation { op: SetOperation::Union, is_all: true, .. } => ("Append", None),
        Node::SetOperation { op: SetOperation::Union, .. } => ("HashAggregate", None),
        Node::SetOperation { op: SetOperation::Intersect, is_all: false, .. } => {
            ("HashSetOp Intersect", None)
        }
        Node::SetOperation { op: SetOperation::Intersect, .. } => ("HashSetOp Intersect All", None),
        Node::SetOperation { is_all: false, .. } => ("HashSetOp Except", None),
        Node::SetOperation { .. } => ("HashSetOp Except All", None),
        Node::Lock(_) => ("LockRows", None),
        _ => ("Result", None),
    };
    kind.clone_into(&mut item.title);
    kind.clone_into(&mut item.kind);
    item.properties.extend(properties);
    item
}

fn aggregate_words(
    aggregate: &Aggregate,
    names: &Names,
) -> (&'static str, Option<(String, String)>) {
    if aggregate.groups.is_empty() {
        return ("Aggregate", None);
    }
    let keys = aggregate.groups.iter().map(|group| group_key(group, names));
    ("HashAggregate", Some(("Group Key".to_owned(), keys.collect::<Vec<_>>().join(", "))))
}

fn group_key(group: &Expr, names: &Names) -> String {
    match group {
        Expr::Call { .. } => deparse::expr(group, names),
        other => deparse::top(other, names),
    }
}

/// `Seq Scan on table alias`
fn scan_item(kind: &str, using: &str, scan: &TableScan) -> Item {
    let table = &scan.table;
    let alias = if scan.alias.is_empty() { &table.name } else { &scan.alias };
    let mut title = format!("{kind}{using} on {}", quoted(&table.name));
    if *alias != table.name {
        title.push(' ');
        title.push_str(&quoted(alias));
    }
    let facts = vec![("Relation Name", table.name.clone()), ("Alias", alias.clone())];
    Item { title, kind: kind.to_owned(), facts, ..Item::default() }
}

fn index_item(kind: &str, index: &str, scan: &TableScan) -> Item {
    let mut item = scan_item(kind, &format!(" using {}", quoted(index)), scan);
    item.kind = "Index Scan".to_owned();
    let direction = if kind.ends_with("Backward") { "Backward" } else { "Forward" };
    item.facts.insert(0, ("Index Name", index.to_owned()));
    item.facts.insert(0, ("Scan Direction", direction.to_owned()));
    item
}

fn index_name(scan: &TableScan, index: Option<&IndexDef>) -> String {
    match (index, &scan.table.row_key) {
        (Some(index), _) => index.name.clone(),
        (None, RowKeyDef::PrimaryKey { name, .. }) => name.clone(),
        (None, RowKeyDef::Hidden) => scan.table.name.clone(),
    }
}

fn push_condition(
    explainer: &Explainer<'_>,
    node: &Node,
    label: &str,
    condition: Option<&Expr>,
    names: &Names,
    item: &mut Item,
) {
    let inner = Names { columns: explainer.columns(node, names), slots: names.slots.clone() };
    let text = condition.map(|condition| deparse::expr(condition, &inner));
    item.properties.extend(text.map(|text| (label.to_owned(), text)));
}

/// What is left to check of each row, besides what the index promises.
fn push_filter(
    explainer: &Explainer<'_>,
    scan: &TableScan,
    promise: Option<&Expr>,
    names: &Names,
    item: &mut Item,
) {
    let inner = Names { columns: explainer.scan_columns(scan), slots: names.slots.clone() };
    let mut left = conjunct::list(scan.filter.clone());
    left.retain(|part| promise.is_none_or(|promise| !is_same(part, promise)));
    let text = conjunct::join(left).map(|filter| deparse::expr(&filter, &inner));
    item.properties.extend(text.map(|text| ("Filter".to_owned(), text)));
}

fn join_item(explainer: &Explainer<'_>, join: &Join, names: &Names) -> Item {
    let mut both =
        Names { columns: explainer.columns(&join.left, names), slots: names.slots.clone() };
    let mut right_names = names.clone();
    for (slot, argument) in &join.arguments {
        right_names.slots.push((*slot, deparse::expr(argument, &both)));
    }
    let left_columns = both.clone();
    both.columns.extend(explainer.columns(&join.right, &right_names));
    let word = match join.kind {
        JoinKind::Inner => "",
        JoinKind::Left => " Left",
        JoinKind::Right => " Right",
        JoinKind::Full => " Full",
        JoinKind::Semi => " Semi",
        JoinKind::Anti => " Anti",
    };
    let left = explainer.item(&join.left, names);
    let right = explainer.item(&join.right, &right_names);
    let condition = join.condition.as_ref().map(|condition| deparse::expr(condition, &both));
    match &join.method {
        JoinMethod::Hash { left: lefts, right: rights } => {
            let right_columns =
                Names { columns: explainer.columns(&join.right, &right_names), slots: Vec::new() };
            let pairs = lefts.iter().zip(rights).map(|(left, right)| {
                let left = deparse::expr(left, &left_columns);
                format!("({left} = {})", deparse::expr(right, &right_columns))
            });
            let pairs = pairs.collect::<Vec<_>>();
            let text = if let [only] = pairs.as_slice() {
                only.clone()
            } else {
                format!("({})", pairs.join(" AND "))
            };
            let title =
                if word.is_empty() { "Hash Join".to_owned() } else { format!("Hash{word} Join") };
            let mut item = Item { title, ..plain("Hash Join") };
            item.properties.push(("Hash Cond".to_owned(), text.clone()));
            // What the keys do not say already.
            item.properties.extend(
                condition
                    .filter(|condition| *condition != text)
                    .map(|c| ("Join Filter".to_owned(), c)),
            );
            let hash = Item {
                estimate: right.estimate,
                timing: right.timing,
                children: vec![(None, right)],
                ..plain("Hash")
            };
            item.children = vec![(None, left), (None, hash)];
            item
        }
        JoinMethod::NestedLoop => {
            let title = if word.is_empty() {
                "Nested Loop".to_owned()
            } else {
                format!("Nested Loop{word} Join")
            };
            let mut item = Item { title, ..plain("Nested Loop") };
            item.properties.extend(condition.map(|text| ("Join Filter".to_owned(), text)));
            item.children = vec![(None, left), (None, right)];
            item
        }
    }
}

fn write_item(
    explainer: &Explainer<'_>,
    command: Command,
    writer: &TableWriter,
    input: &Node,
    names: &Names,
) -> Item {
    let name = &writer.table.name;
    let operation = operation(command);
    Item {
        title: format!("{operation} on {}", quoted(name)),
        kind: "ModifyTable".to_owned(),
        facts: vec![
            ("Operation", operation.to_owned()),
            ("Relation Name", name.clone()),
            ("Alias", name.clone()),
        ],
        children: vec![(None, explainer.item(input, names))],
        ..Item::default()
    }
}

fn insert_item(explainer: &Explainer<'_>, insert: &Insert, names: &Names) -> Item {
    let mut item = write_item(explainer, Command::Insert, &insert.writer, &insert.input, names);
    let Some(conflict) = &insert.conflict else { return item };
    let word = match conflict.action {
        ConflictAction::Nothing => "NOTHING",
        ConflictAction::Update { .. } => "UPDATE",
    };
    item.properties.push(("Conflict Resolution".to_owned(), word.to_owned()));
    let arbiters = conflict.arbiters.iter().filter_map(|arbiter| match arbiter {
        Arbiter::RowKey => match &insert.writer.table.row_key {
            RowKeyDef::PrimaryKey { name, .. } => Some(name.clone()),
            RowKeyDef::Hidden => None,
        },
        Arbiter::Index(index) => Some(insert.writer.indexes.get(*index)?.index.name.clone()),
    });
    let arbiters = arbiters.collect::<Vec<_>>();
    if !arbiters.is_empty() {
        item.properties.push(("Conflict Arbiter Indexes".to_owned(), arbiters.join(", ")));
    }
    item
}

impl Explainer<'_> {
    /// What a node's output columns are called.
    pub fn columns(&self, node: &Node, names: &Names) -> Vec<String> {
        let of_exprs = |input: &Node, exprs: &[Expr]| {
            let inner = Names { columns: self.columns(input, names), slots: names.slots.clone() };
            exprs.iter().map(|expr| deparse::expr(expr, &inner)).collect()
        };
        match node {
            Node::Scan(scan) => self.scan_columns(scan),
            Node::IndexScan(scan) => self.scan_columns(&scan.scan),
            Node::TextScan(scan) => self.scan_columns(&scan.scan),
            Node::GeoScan(scan) => self.scan_columns(&scan.scan),
            Node::Values { rows } => {
                let width = rows.first().map_or(0, Vec::len);
                (1..=width).map(|column| format!("\"*VALUES*\".column{column}")).collect()
            }
            Node::Project { input, exprs } if is_single_row(input) => {
                let inner = Names { columns: Vec::new(), slots: names.slots.clone() };
                exprs.iter().map(|expr| deparse::expr(expr, &inner)).collect()
            }
            Node::Project { input, exprs } => of_exprs(input, exprs),
            Node::Filter { input, .. }
            | Node::Sort { input, .. }
            | Node::Limit { input, .. }
            | Node::Distinct { input, .. }
            | Node::SetOperation { left: input, .. } => self.columns(input, names),
            Node::Lock(lock) => self.columns(&lock.input, names),
            Node::Join(join) => {
                let mut columns = self.columns(&join.left, names);
                if !matches!(join.kind, JoinKind::Semi | JoinKind::Anti) {
                    columns.extend(self.columns(&join.right, names));
                }
                columns
            }
            Node::Aggregate(aggregate) => self.aggregate_columns(aggregate, names),
            Node::Window { input, windows } => {
                let mut columns = self.columns(input, names);
                columns.extend(windows.iter().map(|window| window_name(&window.function)));
                columns
            }
            Node::FunctionScan { functions, .. } => functions
                .iter()
                .flat_map(|(function, _)| {
                    let count = function.columns.len().max(1);
                    (0..count).map(|column| {
                        let name = function.columns.get(column).and_then(|(name, _)| name.clone());
                        name.unwrap_or_else(|| function.name.clone()).to_string()
                    })
                })
                .collect(),
            Node::CteScan { cte, width } | Node::WorkingTable { cte, width } => {
                let name = self.plan.ctes.get(*cte).map_or("cte", |cte| &cte.name);
                (1..=*width).map(|column| format!("{name}.column{column}")).collect()
            }
            _ => Vec::new(),
        }
    }

    fn aggregate_columns(&self, aggregate: &Aggregate, names: &Names) -> Vec<String> {
        let inner =
            Names { columns: self.columns(&aggregate.input, names), slots: names.slots.clone() };
        let mut columns: Vec<String> =
            aggregate.groups.iter().map(|group| deparse::expr(group, &inner)).collect();
        for call in &aggregate.aggregates {
            let args = call.args.iter().map(|arg| deparse::expr(arg, &inner)).collect::<Vec<_>>();
            let args = match (args.is_empty(), call.is_distinct) {
                (true, _) => "*".to_owned(),
                (false, true) => format!("DISTINCT {}", args.join(", ")),
                (false, false) => args.join(", "),
            };
            columns.push(format!("{}({args})", call.function.name));
        }
        columns.extend(aggregate.groupings.iter().map(|_| "GROUPING()".to_owned()));
        columns
    }

    /// The columns of a scan, with the table's alias when the statement has several tables.
    pub fn scan_columns(&self, scan: &TableScan) -> Vec<String> {
        let alias = if scan.alias.is_empty() { &scan.table.name } else { &scan.alias };
        let name = |column: &ScanColumn| match column {
            ScanColumn::Column(position) | ScanColumn::Unread(position) => {
                let name = scan.table.columns.get(*position).map_or("?", |column| &column.name);
                match self.is_qualified {
                    true => format!("{}.{}", quoted(alias), quoted(name)),
                    false => quoted(name),
                }
            }
            ScanColumn::RowKey => "ctid".to_owned(),
            ScanColumn::TableOid => "tableoid".to_owned(),
        };
        scan.output.iter().map(name).collect()
    }
}

fn window_name(function: &WindowFunction) -> String {
    let name = match function {
        WindowFunction::Aggregate(function) => return format!("{}() OVER (?)", function.name),
        WindowFunction::RowNumber => "row_number",
        WindowFunction::Rank => "rank",
        WindowFunction::DenseRank => "dense_rank",
        WindowFunction::PercentRank => "percent_rank",
        WindowFunction::CumeDist => "cume_dist",
        WindowFunction::Ntile => "ntile",
        WindowFunction::Lag => "lag",
        WindowFunction::Lead => "lead",
        WindowFunction::FirstValue => "first_value",
        WindowFunction::LastValue => "last_value",
        WindowFunction::NthValue => "nth_value",
    };
    // Postgres 15 shows every window as a question mark.
    format!("{name}() OVER (?)")
}

/// An identifier, quoted when it must be.
fn quoted(name: &str) -> String {
    let is_plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '$');
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}
