//! Ways to read a table: in passing, by its key, or through one of its indexes.

use std::sync::Arc;

use super::Planner;
use super::bounds::{self, Match};
use super::conjunct::{self, rejects_null};
use super::equality::is_same;
use super::{geo_access, inverted_access, text_access};
use crate::catalog::{IndexDef, IndexMethod, RowKeyDef};
use crate::expression::Expr;
use crate::plan::{IndexScan, IndexWriter, KeyBounds, Node, ScanColumn, SortKey, TableScan, walk};

/// An index that a scan may search, and what is wanted of it.
pub(crate) struct IndexSearched<'a> {
    pub scan: &'a TableScan,
    pub index: &'a Arc<IndexDef>,
    pub writer: &'a IndexWriter,
    pub conjuncts: &'a [Expr],
    pub order: &'a [SortKey],
}

/// One way to read a table.
pub(crate) struct Access {
    pub node: Node,
    /// Whether the rows come in the wished order.
    pub is_ordered: bool,
}

/// A key to find rows by, in terms of a scan's output.
struct Key {
    index: Option<Arc<IndexDef>>,
    /// Its columns; `None` for one that the scan does not give.
    columns: Vec<Option<Expr>>,
    /// Per column: descending, NULLs first.
    directions: Vec<(bool, bool)>,
}

impl Planner<'_> {
    /// All ways to read a table, `order` being wished for; reading it in passing comes first.
    pub(crate) fn accesses(&self, scan: &TableScan, order: &[SortKey]) -> Vec<Access> {
        let conjuncts = conjunct::list(scan.filter.clone());
        let mut accesses =
            vec![Access { node: Node::Scan(Box::new(scan.clone())), is_ordered: order.is_empty() }];
        if let RowKeyDef::PrimaryKey { columns, .. } = &scan.table.row_key {
            let columns = columns.iter().map(|&column| output_of(scan, column)).collect::<Vec<_>>();
            let directions = vec![(false, false); columns.len()];
            let key = Key { index: None, columns, directions };
            self.key_accesses(scan, &key, &conjuncts, order, &mut accesses);
        }
        for index in &scan.table.indexes {
            let Some(writer) = self.index_writer(scan, index, &conjuncts) else { continue };
            if !is_implied(writer.predicate.as_ref(), &conjuncts, scan) {
                continue;
            }
            let search =
                IndexSearched { scan, index, writer: &writer, conjuncts: &conjuncts, order };
            match index.method {
                IndexMethod::Ordered => {
                    let key = Key::of_index(scan, index, &writer);
                    self.key_accesses(scan, &key, &conjuncts, order, &mut accesses);
                }
                IndexMethod::FullText => {
                    text_access::push(self, &search, &mut accesses);
                }
                IndexMethod::Geo => {
                    geo_access::push(self, &search, &mut accesses);
                }
                IndexMethod::Inverted => {
                    inverted_access::push(self, &search, &mut accesses);
                }
            }
        }
        geo_access::push_with_words(order, &mut accesses);
        self.switches.narrow(&mut accesses);
        accesses
    }

    /// The index with its expressions over the table's columns; `None` when the scan cannot use it
    /// at all.
    fn index_writer(
        &self,
        scan: &TableScan,
        index: &Arc<IndexDef>,
        conjuncts: &[Expr],
    ) -> Option<IndexWriter> {
        let is_plain =
            index.predicate.is_none() && index.keys.iter().all(|key| key.column.is_some());
        if is_plain {
            let keys = index.keys.iter().filter_map(|key| key.column.map(Expr::Column)).collect();
            return Some(IndexWriter { index: Arc::clone(index), keys, predicate: None });
        }
        if conjuncts.is_empty() && index.predicate.is_some() {
            return None;
        }
        let writers = self.eval.services.table_writer(&scan.table).ok()?.indexes;
        let mut writer = writers.into_iter().find(|writer| writer.index.oid == index.oid)?;
        for expr in writer.keys.iter_mut().chain(&mut writer.predicate) {
            super::fold::fold(expr, &self.eval);
        }
        Some(writer)
    }

    fn key_accesses(
        &self,
        scan: &TableScan,
        key: &Key,
        conjuncts: &[Expr],
        order: &[SortKey],
        accesses: &mut Vec<Access>,
    ) {
        let found = bounds::match_key(&key.columns, conjuncts);
        let forward = is_sorted(key, &found.bounds, order, false);
        let backward = !forward && is_sorted(key, &found.bounds, order, true);
        let is_wished = !order.is_empty() && (forward || backward);
        if !found.is_empty() || is_wished {
            let is_ordered = order.is_empty() || is_wished;
            let node = key_scan(scan, key, conjuncts, &found, backward);
            accesses.push(Access { node, is_ordered });
        }
        if found.is_empty()
            && let Some(node) = alternatives(scan, key, conjuncts)
        {
            accesses.push(Access { node, is_ordered: order.is_empty() });
        }
    }
}

impl Key {
    fn of_index(scan: &TableScan, index: &Arc<IndexDef>, writer: &IndexWriter) -> Self {
        let columns = writer.keys.iter().map(|key| over_output(scan, key)).collect();
        let directions =
            index.keys.iter().map(|key| (key.is_descending, key.nulls_first)).collect();
        Self { index: Some(Arc::clone(index)), columns, directions }
    }
}

/// The output column that shows a table column.
fn output_of(scan: &TableScan, column: usize) -> Option<Expr> {
    let shows = |output: &ScanColumn| *output == ScanColumn::Column(column);
    scan.output.iter().position(shows).map(Expr::Column)
}

/// An expression over the table's columns as one over the scan's output, if it gives them all.
pub(crate) fn over_output(scan: &TableScan, expr: &Expr) -> Option<Expr> {
    let mut expr = expr.clone();
    let mut is_complete = true;
    walk::rewrite(&mut expr, &mut |part| {
        if let Expr::Column(column) = part {
            match output_of(scan, *column) {
                Some(output) => *part = output,
                None => is_complete = false,
            }
        }
    });
    is_complete.then_some(expr)
}

/// Whether the filter guarantees the predicate of a partial index.
fn is_implied(predicate: Option<&Expr>, conjuncts: &[Expr], scan: &TableScan) -> bool {
    let Some(predicate) = predicate else { return true };
    let Some(predicate) = over_output(scan, predicate) else { return false };
    conjunct::list(Some(predicate)).iter().all(|wanted| {
        conjuncts.iter().any(|given| is_same(given, wanted) || implies_not_null(given, wanted))
    })
}

/// `a = 1` implies `a IS NOT NULL`.
fn implies_not_null(given: &Expr, wanted: &Expr) -> bool {
    let Expr::Not(wanted) = wanted else { return false };
    let Expr::IsNull(wanted) = &**wanted else { return false };
    let Expr::Column(column) = **wanted else { return false };
    rejects_null(given, &|other| other == column)
}

/// Whether a scan of the key gives the wished order: columns bound to one value do not matter.
fn is_sorted(key: &Key, bounds: &KeyBounds, order: &[SortKey], is_reverse: bool) -> bool {
    let mut position = 0;
    order.iter().all(|wish| {
        loop {
            let Some(Some(column)) = key.columns.get(position) else { return false };
            let is_constant = position < bounds.equal.len() && !bounds.any_of.contains(&position);
            let is_column = is_same(column, &wish.expr);
            position += 1;
            if is_column && is_constant {
                return true;
            }
            if is_column {
                let (descending, nulls_first) =
                    key.directions.get(position - 1).copied().unwrap_or_default();
                return (descending != is_reverse) == wish.is_descending
                    && (nulls_first != is_reverse) == wish.nulls_first;
            }
            if !is_constant {
                return false;
            }
        }
    })
}

fn key_scan(
    scan: &TableScan,
    key: &Key,
    conjuncts: &[Expr],
    found: &Match,
    is_reverse: bool,
) -> Node {
    let is_left = |(position, _): &(usize, &Expr)| !found.decided.contains(position);
    let left = conjuncts.iter().enumerate().filter(is_left).map(|(_, c)| c.clone()).collect();
    let used = found.used();
    let condition = used.iter().filter_map(|&position| conjuncts.get(position).cloned()).collect();
    let mut scan = scan.clone();
    scan.filter = conjunct::join(left);
    Node::IndexScan(Box::new(IndexScan {
        scan,
        index: key.index.clone(),
        bounds: vec![found.bounds.clone()],
        is_reverse,
        condition: conjunct::join(condition),
    }))
}

/// A disjunction of which every branch bounds the key: one range per branch.
fn alternatives(scan: &TableScan, key: &Key, conjuncts: &[Expr]) -> Option<Node> {
    let branches = |conjunct: &Expr| {
        let Expr::Or(list) = conjunct else { return None };
        let mut bounds = Vec::with_capacity(list.len());
        for branch in list {
            let found = bounds::match_key(&key.columns, &conjunct::list(Some(branch.clone())));
            if found.is_empty() {
                return None;
            }
            bounds.push(found.bounds);
        }
        Some((bounds, conjunct.clone()))
    };
    let (bounds, condition) = conjuncts.iter().find_map(branches)?;
    Some(Node::IndexScan(Box::new(IndexScan {
        scan: scan.clone(),
        index: key.index.clone(),
        bounds,
        is_reverse: false,
        condition: Some(condition),
    })))
}
