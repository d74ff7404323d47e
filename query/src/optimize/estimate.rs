//! How many rows a node gives and what it costs: the only judge between plans.
//!
//! Costs are in Postgres' unit, one sequential page read. The weights are those of this storage:
//! rows come from cached, sorted blocks, so a row found through an index costs a few times what a
//! row costs in passing, not a disk seek.

use crate::catalog::RowKeyDef;
use crate::expression::{CompareOp, Expr};
use crate::plan::{
    GeoScan, GeoSearch, IndexScan, Join, JoinKind, JoinMethod, KeyBounds, Node, Plan, ScanColumn,
    TableScan, TextScan,
};
use crate::statistics::{ColumnStatistics, Statistics};
use crate::value::{SqlType, Type, Value};

/// Handing one row on.
const ROW: f64 = 0.01;
/// Evaluating one condition or expression.
const OPERATOR: f64 = 0.0025;
/// Finding the first entry of an index range.
const SEEK: f64 = 0.25;
/// Reading a row that an index entry points to.
const FETCH: f64 = 0.03;
/// Finding one row in a derived index, without reading it.
const HIT: f64 = 0.002;
/// Finding one row in a full-text index and ranking it.
const RANK: f64 = 0.008;
/// Rows of a table that nobody has counted yet.
const DEFAULT_ROWS: f64 = 1000.0;

/// What a node is expected to do.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Estimate {
    /// Cost until the first row.
    pub startup: f64,
    /// Cost until the last row.
    pub total: f64,
    /// Rows.
    pub rows: f64,
    /// Bytes of a row.
    pub width: usize,
}

/// Estimates nodes of one plan.
#[derive(Clone, Copy)]
pub(crate) struct Estimator<'a> {
    pub statistics: &'a Statistics,
    pub plan: &'a Plan,
}

impl Estimator<'_> {
    /// What `node` is expected to do.
    pub fn estimate(&self, node: &Node) -> Estimate {
        match node {
            Node::Values { rows } => {
                let count = rows.len() as f64;
                let width = rows.first().map_or(0, Vec::len) * 8;
                Estimate { startup: 0.0, total: count * ROW, rows: count, width }
            }
            Node::Scan(scan) => self.scan(scan),
            Node::IndexScan(scan) => self.index_scan(scan),
            Node::TextScan(scan) => self.text_scan(scan),
            Node::GeoScan(scan) => self.geo_scan(scan),
            Node::SystemScan { .. } => {
                Estimate { startup: 0.0, total: 10.0, rows: 100.0, width: 64 }
            }
            Node::FunctionScan { functions, .. } => {
                let single = functions.iter().all(|(function, _)| function.columns.is_empty());
                let rows = if single { 1.0 } else { 1000.0 };
                Estimate { startup: 0.0, total: rows * ROW, rows, width: 8 * functions.len() }
            }
            Node::CteScan { cte, width } => {
                let inner = self.plan.ctes.get(*cte).map(|cte| self.estimate(&cte.node));
                let rows = inner.map_or(100.0, |inner| inner.rows);
                let startup = inner.map_or(0.0, |inner| inner.total);
                Estimate { startup, total: startup + rows * ROW, rows, width: width * 8 }
            }
            Node::WorkingTable { width, .. } => {
                Estimate { startup: 0.0, total: 1.0, rows: 100.0, width: width * 8 }
            }
            Node::Join(join) => self.join(join),
            other => self.unary(other),
        }
    }

    fn unary(&self, node: &Node) -> Estimate {
        let mut input = Estimate::default();
        let mut second = None;
        crate::plan::walk::inputs(node, &mut |child| match second {
            None => {
                input = self.estimate(child);
                second = Some(Estimate::default());
            }
            Some(_) => second = Some(self.estimate(child)),
        });
        let Estimate { startup, total, rows, width } = input;
        match node {
            Node::Filter { predicate, .. } => {
                let kept = (rows * self.selectivity(predicate, None)).max(1.0);
                let total = total + rows * OPERATOR * weight(predicate);
                Estimate { startup, total, rows: kept, width }
            }
            Node::Project { exprs, .. } => {
                let total = total + rows * OPERATOR * exprs.iter().map(weight).sum::<f64>();
                Estimate { startup, total, rows, width: exprs.len() * 8 }
            }
            Node::ProjectSet { exprs, .. } => {
                let rows = rows * 10.0;
                Estimate { startup, total: total + rows * ROW, rows, width: exprs.len() * 8 }
            }
            Node::Sort { limit, .. } => {
                let compares = rows.max(2.0) * rows.max(2.0).log2() * 2.0 * OPERATOR;
                let startup = total + if limit.is_some() { compares / 2.0 } else { compares };
                Estimate { startup, total: startup + rows * OPERATOR, rows, width }
            }
            Node::Limit { limit, offset, .. } => limited(input, limit.as_ref(), offset.as_ref()),
            Node::Aggregate(aggregate) => {
                let groups = match aggregate.groups.len() {
                    0 => 1.0,
                    _ => (rows / 10.0).clamp(1.0, 200_000.0).min(rows.max(1.0)),
                };
                let calls = (aggregate.aggregates.len() + aggregate.groups.len()) as f64;
                let startup = total + rows * (OPERATOR * calls + ROW / 2.0);
                let width = (aggregate.groups.len() + aggregate.aggregates.len()) * 8;
                Estimate { startup, total: startup + groups * ROW, rows: groups, width }
            }
            Node::Distinct { .. } => {
                let kept = (rows / 5.0).max(1.0);
                Estimate { startup, total: total + rows * ROW, rows: kept, width }
            }
            Node::SetOperation { .. } => {
                let other = second.unwrap_or_default();
                let rows = rows + other.rows;
                Estimate { startup, total: total + other.total + rows * ROW, rows, width }
            }
            Node::Window { windows, .. } => {
                let compares = rows.max(2.0) * rows.max(2.0).log2() * 2.0 * OPERATOR;
                let startup = total + compares;
                let total = startup + rows * ROW * windows.len() as f64;
                Estimate { startup, total, rows, width: width + windows.len() * 8 }
            }
            Node::Insert(_) | Node::Update(_) | Node::Delete(_) => {
                Estimate { startup, total: total + rows * ROW, rows, width }
            }
            _ => Estimate { startup, total: total + rows * ROW, rows, width },
        }
    }

    fn scan(&self, scan: &TableScan) -> Estimate {
        let rows = self.table_rows(scan);
        let filter = scan.filter.as_ref();
        let kept = filter.map_or(1.0, |filter| self.selectivity(filter, Some(scan)));
        let width = self.stored_width(scan);
        let per_row = ROW + filter.map_or(0.0, weight) * OPERATOR;
        let total = rows * per_row + rows * width / 8192.0;
        Estimate { startup: 0.0, total, rows: (rows * kept).max(1.0), width: output_width(scan) }
    }

    fn index_scan(&self, scan: &IndexScan) -> Estimate {
        let rows = self.table_rows(&scan.scan);
        let shares = scan.bounds.iter().map(|bounds| self.bounds_share(scan, bounds, rows));
        let found = (rows * shares.sum::<f64>().min(1.0)).max(1.0);
        let filter = scan.scan.filter.as_ref();
        let kept = filter.map_or(1.0, |filter| self.selectivity(filter, Some(&scan.scan)));
        let seeks = scan.bounds.len().max(1) as f64 * SEEK;
        let fetch = if scan.index.is_some() { FETCH } else { ROW };
        let per_row = fetch + filter.map_or(0.0, weight) * OPERATOR;
        let width = output_width(&scan.scan);
        let total = seeks + found * per_row;
        Estimate { startup: seeks, total, rows: (found * kept).max(1.0), width }
    }

    /// The share of the table's rows that lie within bounds.
    fn bounds_share(&self, scan: &IndexScan, bounds: &KeyBounds, rows: f64) -> f64 {
        let (width, is_unique) = match (&scan.index, &scan.scan.table.row_key) {
            (Some(index), _) => (index.keys.len(), index.is_unique),
            (None, RowKeyDef::PrimaryKey { columns, .. }) => (columns.len(), true),
            (None, RowKeyDef::Hidden) => (0, false),
        };
        let alternatives: f64 = bounds
            .any_of
            .iter()
            .filter_map(|&position| bounds.equal.get(position))
            .map(array_len)
            .product();
        if is_unique && width > 0 && bounds.equal.len() == width {
            return alternatives / rows;
        }
        let mut share = 1.0;
        for (position, value) in bounds.equal.iter().enumerate() {
            let column = self.key_column(scan, position);
            let value = match value {
                Expr::Const(value) if !bounds.any_of.contains(&position) => Some(value),
                _ => None,
            };
            share *= column.map_or(0.005, |column| column.equal_share(value));
        }
        let column = self.key_column(scan, bounds.equal.len());
        share *= range_share(column.as_ref(), bounds.lower.as_ref(), bounds.upper.as_ref());
        (share * alternatives).clamp(0.0, 1.0)
    }

    /// Statistics of a key column of an index scan.
    fn key_column(&self, scan: &IndexScan, position: usize) -> Option<ColumnStatistics> {
        let column = match (&scan.index, &scan.scan.table.row_key) {
            (Some(index), _) => index.keys.get(position)?.column?,
            (None, RowKeyDef::PrimaryKey { columns, .. }) => *columns.get(position)?,
            (None, RowKeyDef::Hidden) => return None,
        };
        self.table_column(&scan.scan, column)
    }

    fn table_column(&self, scan: &TableScan, column: usize) -> Option<ColumnStatistics> {
        self.statistics.table(scan.table.storage())?.columns.get(column).cloned()
    }

    fn text_scan(&self, scan: &TextScan) -> Estimate {
        let hits = self.hits(&scan.scan, scan.hits, 0.002);
        let work = if scan.rank.is_some() { hits * RANK } else { hits * HIT };
        // Without an order, hits are looked up as their rows are asked for.
        let before = if scan.rank.is_some() { work } else { 0.0 };
        self.searched(&scan.scan, hits, before, work)
    }

    fn geo_scan(&self, scan: &GeoScan) -> Estimate {
        if matches!(scan.search, GeoSearch::Nearest { .. }) {
            let rows = self.table_rows(&scan.scan);
            return self.searched(&scan.scan, rows, 0.0, rows * HIT);
        }
        let hits = self.hits(&scan.scan, scan.hits, 0.001);
        let Some(words) = &scan.words else {
            return self.searched(&scan.scan, hits, 0.0, hits * HIT);
        };
        let with_words = self.hits(&scan.scan, words.hits, 0.002);
        let share = (with_words / self.table_rows(&scan.scan)).min(1.0);
        let before = (hits + with_words) * HIT;
        self.searched(&scan.scan, hits * share, before, before)
    }

    /// Rows that a search finds: what its index says, or a share of the table.
    fn hits(&self, scan: &TableScan, hits: Option<f64>, share: f64) -> f64 {
        hits.unwrap_or_else(|| self.table_rows(scan) * share).max(1.0)
    }

    /// A search in derived indexes: `found` rows are read, after `before` has been spent; `work`
    /// is all that the indexes take.
    fn searched(&self, scan: &TableScan, found: f64, before: f64, work: f64) -> Estimate {
        let rows = self.table_rows(scan);
        let found = found.max(1.0);
        let filter = scan.filter.as_ref();
        let per_row = FETCH + filter.map_or(0.0, weight) * OPERATOR;
        let kept = filter.map_or(1.0, |filter| self.selectivity(filter, Some(scan)));
        let kept = (rows * kept).clamp(1.0, found);
        let width = output_width(scan);
        let total = SEEK * 4.0 + work + found * per_row;
        Estimate { startup: SEEK + before, total, rows: kept, width }
    }

    fn table_rows(&self, scan: &TableScan) -> f64 {
        self.statistics.rows(scan.table.storage()).unwrap_or(DEFAULT_ROWS)
    }

    fn stored_width(&self, scan: &TableScan) -> f64 {
        let statistics = self.statistics.table(scan.table.storage());
        statistics.map_or(scan.table.columns.len() as f64 * 8.0, |table| table.width)
    }

    fn join(&self, join: &Join) -> Estimate {
        let left = self.estimate(&join.left);
        let right = self.estimate(&join.right);
        let pairs = left.rows * right.rows;
        let is_rerun = !join.arguments.is_empty();
        let condition = join.condition.as_ref();
        let matched = match condition {
            Some(condition) => pairs * self.join_selectivity(condition, left.rows, right.rows),
            None => pairs,
        };
        let rows = match join.kind {
            JoinKind::Inner => matched,
            JoinKind::Left => matched.max(left.rows),
            JoinKind::Right => matched.max(right.rows),
            JoinKind::Full => matched.max(left.rows + right.rows),
            JoinKind::Semi => left.rows / 2.0,
            JoinKind::Anti => left.rows / 2.0,
        };
        let checks = condition.map_or(0.0, weight) * OPERATOR;
        let (startup, work) = match &join.method {
            JoinMethod::Hash { .. } => {
                let build = right.total + right.rows * (ROW + OPERATOR);
                (left.startup + build, build + left.rows * (ROW + OPERATOR) + matched * checks)
            }
            JoinMethod::NestedLoop if is_rerun => (left.startup, left.rows * right.total),
            JoinMethod::NestedLoop => {
                (left.startup + right.startup, right.total + pairs * (OPERATOR + checks))
            }
        };
        let total = left.total + work + rows * ROW;
        let width = match join.kind {
            JoinKind::Semi | JoinKind::Anti => left.width,
            _ => left.width + right.width,
        };
        Estimate { startup, total, rows: rows.max(1.0), width }
    }

    /// Equality of a column of each side keeps one pair per row of the larger side.
    fn join_selectivity(&self, condition: &Expr, left: f64, right: f64) -> f64 {
        match condition {
            Expr::And(list) => {
                list.iter().map(|part| self.join_selectivity(part, left, right)).product()
            }
            Expr::Compare { op: CompareOp::Eq, .. } => 1.0 / left.max(right).max(1.0),
            other => self.selectivity(other, None),
        }
    }

    /// The share of rows for which a condition is true. `scan` tells what its columns are.
    pub fn selectivity(&self, condition: &Expr, scan: Option<&TableScan>) -> f64 {
        match condition {
            Expr::Const(Value::Bool(true)) => 1.0,
            Expr::Const(_) => 0.0,
            Expr::And(list) => list.iter().map(|part| self.selectivity(part, scan)).product(),
            Expr::Or(list) => {
                1.0 - list.iter().map(|part| 1.0 - self.selectivity(part, scan)).product::<f64>()
            }
            Expr::Not(inner) => 1.0 - self.selectivity(inner, scan),
            Expr::IsNull(inner) => self.column(inner, scan).map_or(0.005, |c| c.null_share),
            Expr::Compare { op, left, right } => self.compare_share(*op, left, right, scan),
            Expr::Quantified { left, array, .. } => {
                let each = self.column(left, scan).map_or(0.005, |column| column.equal_share(None));
                (each * array_len(array)).min(1.0)
            }
            Expr::Column(_) => 0.5,
            Expr::Call { function, .. } => match &*function.name {
                "@@" => 0.005,
                "&&" | "st_dwithin" | "st_intersects" | "st_within" | "st_contains"
                | "st_covers" | "st_coveredby" => 0.002,
                "~~" | "~~*" | "~" | "~*" => 0.01,
                _ => 1.0 / 3.0,
            },
            _ => 1.0 / 3.0,
        }
    }

    fn compare_share(
        &self,
        op: CompareOp,
        left: &Expr,
        right: &Expr,
        scan: Option<&TableScan>,
    ) -> f64 {
        let (column, op, other) = match (self.column(left, scan), self.column(right, scan)) {
            (Some(column), _) => (Some(column), op, right),
            (None, Some(column)) => (Some(column), flip(op), left),
            (None, None) => (None, op, right),
        };
        let value = if let Expr::Const(value) = other { Some(value) } else { None };
        let equal = column.as_ref().map_or(0.005, |column| column.equal_share(value));
        let less = column.as_ref().zip(value).and_then(|(c, value)| c.less_share(value));
        match op {
            CompareOp::Eq => equal,
            CompareOp::Ne => 1.0 - equal,
            CompareOp::Lt | CompareOp::Le => less.unwrap_or(1.0 / 3.0),
            CompareOp::Gt | CompareOp::Ge => less.map_or(1.0 / 3.0, |less| (1.0 - less).max(0.0)),
        }
    }

    fn column(&self, expr: &Expr, scan: Option<&TableScan>) -> Option<ColumnStatistics> {
        let (Expr::Column(position), Some(scan)) = (expr, scan) else { return None };
        match scan.output.get(*position)? {
            ScanColumn::Column(column) => self.table_column(scan, *column),
            _ => None,
        }
    }
}

/// `a op b` as `b op' a`.
pub(crate) fn flip(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Lt => CompareOp::Gt,
        CompareOp::Le => CompareOp::Ge,
        CompareOp::Gt => CompareOp::Lt,
        CompareOp::Ge => CompareOp::Le,
        same => same,
    }
}

fn range_share(
    column: Option<&ColumnStatistics>,
    lower: Option<&(Expr, bool)>,
    upper: Option<&(Expr, bool)>,
) -> f64 {
    let share = |bound: &(Expr, bool)| match (&bound.0, column) {
        (Expr::Const(value), Some(column)) => column.less_share(value),
        _ => None,
    };
    match (lower, upper) {
        (None, None) => 1.0,
        (Some(lower), None) => share(lower).map_or(1.0 / 3.0, |below| 1.0 - below),
        (None, Some(upper)) => share(upper).unwrap_or(1.0 / 3.0),
        (Some(lower), Some(upper)) => match (share(lower), share(upper)) {
            (Some(lower), Some(upper)) => (upper - lower).max(0.000_1),
            _ => 0.02,
        },
    }
}

/// How many elements an array expression is taken to have.
fn array_len(array: &Expr) -> f64 {
    match array {
        Expr::Const(Value::Array(array)) => array.elements.len() as f64,
        Expr::Array { elements, .. } => elements.len() as f64,
        _ => 10.0,
    }
}

/// How many operators an expression has: subqueries weigh more.
fn weight(expr: &Expr) -> f64 {
    let mut weight = 0.0;
    crate::plan::walk::visit(expr, &mut |part| {
        weight += match part {
            Expr::Const(_) | Expr::Column(_) | Expr::Param(_) | Expr::Slot(_) | Expr::And(_) => 0.0,
            Expr::Subquery(_) => 100.0,
            Expr::Call { function, .. } if function.name.starts_with("st_") => 20.0,
            _ => 1.0,
        };
    });
    weight
}

fn limited(input: Estimate, limit: Option<&Expr>, offset: Option<&Expr>) -> Estimate {
    let count = |expr: Option<&Expr>| match expr {
        Some(Expr::Const(Value::Int8(n))) => Some(*n as f64),
        Some(Expr::Const(Value::Int4(n))) => Some(f64::from(*n)),
        _ => None,
    };
    let offset_rows = count(offset).unwrap_or(0.0);
    let wanted = match limit {
        None => input.rows,
        Some(limit) => count(Some(limit)).unwrap_or(input.rows / 10.0),
    };
    let rows = wanted.min((input.rows - offset_rows).max(0.0)).max(1.0);
    let share = ((rows + offset_rows) / input.rows.max(1.0)).min(1.0);
    let total = input.startup + (input.total - input.startup) * share;
    Estimate { startup: input.startup, total, rows, width: input.width }
}

fn output_width(scan: &TableScan) -> usize {
    let width = |column: &ScanColumn| match column {
        ScanColumn::Column(position) => {
            scan.table.columns.get(*position).map_or(8, |column| type_width(&column.ty))
        }
        ScanColumn::RowKey => 6,
        ScanColumn::TableOid => 4,
        ScanColumn::Unread(_) => 0,
    };
    scan.output.iter().map(width).sum()
}

/// Bytes that Postgres reckons for a value of a type.
fn type_width(ty: &SqlType) -> usize {
    match ty.base {
        Type::Bool | Type::Char => 1,
        Type::Int2 => 2,
        Type::Int4 | Type::Oid | Type::Float4 | Type::Date => 4,
        Type::Int8 | Type::Float8 | Type::Timestamp | Type::TimestampTz | Type::Time => 8,
        Type::Uuid | Type::Interval => 16,
        Type::Varchar | Type::Bpchar if ty.modifier > 4 => {
            usize::try_from(ty.modifier - 4).unwrap_or(32).min(32)
        }
        _ => 32,
    }
}
