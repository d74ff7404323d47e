//! Plans: every relational operator, variant by variant.
//!
//! Binding builds a plan of logical nodes; optimizing replaces some by physical ones (an index
//! scan for a filter over a scan, a hash join for a join); executing knows them all. Rows are
//! positional: a node's output columns are counted from 0, and each variant says what they are.

use std::sync::Arc;

use crate::catalog::{IndexDef, TableDef};
use crate::expression::{AggregateFunction, Expr, SetFunction};
use crate::value::{SqlType, Value};

pub mod deparse;
pub mod explain;
mod explain_json;
mod explain_node;
pub(crate) mod geo_window;
pub(crate) mod params;
pub mod walk;
mod write;

pub use write::{
    Arbiter, Conflict, ConflictAction, Delete, ForeignKeyCheck, IndexWriter, Insert, TableWriter,
    Update,
};

/// A whole statement that reads or writes rows.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The node whose rows are the result.
    pub root: Node,
    /// The columns that the client sees; empty for writes without RETURNING.
    pub columns: Vec<OutputColumn>,
    /// The statement's common table expressions, referred to by position. Those that write are
    /// run to their end even when nobody reads them.
    pub ctes: Vec<Cte>,
    /// Subqueries inside expressions, referred to by position.
    pub subplans: Vec<Node>,
    /// How many slots ([`Expr::Slot`]) the plan uses.
    pub slots: usize,
    /// How many values ([`Expr::Once`]) an execution keeps.
    pub once: usize,
    /// What the command tag says.
    pub command: Command,
    /// The types of `$1`, `$2`, …
    pub params: Vec<SqlType>,
}

impl Plan {
    /// A plan of one node, of which no client sees rows.
    pub(crate) fn of(root: Node) -> Self {
        Self {
            root,
            columns: Vec::new(),
            ctes: Vec::new(),
            subplans: Vec::new(),
            slots: 0,
            once: 0,
            command: Command::Select,
            params: Vec::new(),
        }
    }

    /// The trees of nodes: of the common table expressions, of the subplans, and the statement's.
    pub fn trees(&self) -> impl Iterator<Item = &Node> {
        let ctes = self.ctes.iter().flat_map(|cte| {
            std::iter::once(&cte.node).chain(cte.recursive.as_ref().map(|term| &term.node))
        });
        ctes.chain(&self.subplans).chain([&self.root])
    }

    /// As [`Plan::trees`].
    pub fn trees_mut(&mut self) -> impl Iterator<Item = &mut Node> {
        let ctes = self.ctes.iter_mut().flat_map(|cte| {
            std::iter::once(&mut cte.node).chain(cte.recursive.as_mut().map(|term| &mut term.node))
        });
        ctes.chain(&mut self.subplans).chain([&mut self.root])
    }

    /// OIDs of the tables that it reads, each once.
    pub fn tables(&self) -> Vec<u32> {
        let mut tables = std::collections::BTreeSet::new();
        let mut visit = |node: &Node| {
            let table = match node {
                Node::Scan(scan) => &scan.table,
                Node::IndexScan(scan) => &scan.scan.table,
                Node::TextScan(scan) => &scan.scan.table,
                Node::GeoScan(scan) => &scan.scan.table,
                _ => return,
            };
            tables.insert(table.oid);
        };
        for tree in self.trees() {
            walk::visit_nodes(tree, &mut visit);
        }
        tables.into_iter().collect()
    }
}

/// The word of the command tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `SELECT n`
    Select,
    /// `INSERT 0 n`
    Insert,
    /// `UPDATE n`
    Update,
    /// `DELETE n`
    Delete,
}

/// A column of the result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: SqlType,
    /// The table column that it is, unchanged: (table OID, attribute number).
    pub origin: Option<(u32, i16)>,
}

/// A common table expression.
#[derive(Clone, Debug)]
pub struct Cte {
    /// Its name, for EXPLAIN.
    pub name: String,
    /// Its rows; of a recursive one, the first term.
    pub node: Node,
    /// The second term of `WITH RECURSIVE`; reads the working table through
    /// [`Node::WorkingTable`].
    pub recursive: Option<Recursion>,
    /// Whether it writes: INSERT, UPDATE or DELETE.
    pub is_modifying: bool,
}

/// The recursive term of a common table expression.
#[derive(Clone, Debug)]
pub struct Recursion {
    /// The term.
    pub node: Node,
    /// UNION rather than UNION ALL: rows seen before are dropped.
    pub is_distinct: bool,
}

/// What a scan of a table gives per row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanColumn {
    /// A column, by position in [`TableDef::columns`].
    Column(usize),
    /// The row's key as [`Value::RowKey`]: what locks, updates and deletes go by.
    RowKey,
    /// The table's OID (`tableoid`).
    TableOid,
    /// A column that nothing above reads: NULL, without a look at the row. Its position, for EXPLAIN.
    Unread(usize),
}

/// One relational operator.
#[derive(Clone, Debug)]
pub enum Node {
    /// Constant rows. Output: the expressions. (`SELECT 1` is a projection over one empty row.)
    Values {
        /// The rows.
        rows: Vec<Vec<Expr>>,
    },
    /// All rows of a table that satisfy `filter`, which is over the output.
    Scan(Box<TableScan>),
    /// Rows found through the primary key or an ordered index. Output as in [`Node::Scan`].
    IndexScan(Box<IndexScan>),
    /// Rows found through a full-text index. Output as in [`Node::Scan`].
    TextScan(Box<TextScan>),
    /// Rows found through an R-tree. Output as in [`Node::Scan`].
    GeoScan(Box<GeoScan>),
    /// Rows of a system catalog, made by code. Output: its columns.
    SystemScan {
        /// Which, by position in the list of [`crate::system`].
        table: usize,
        /// Its name.
        name: &'static str,
    },
    /// Rows of a set-returning function: its columns, then the ordinality if asked.
    FunctionScan {
        /// Which functions (`ROWS FROM` has several) and their arguments.
        functions: Vec<(Arc<SetFunction>, Vec<Expr>)>,
        /// `WITH ORDINALITY`
        with_ordinality: bool,
    },
    /// Rows of a common table expression.
    CteScan {
        /// Its position in [`Plan::ctes`].
        cte: usize,
        /// How many columns it has.
        width: usize,
    },
    /// Rows that the previous round of a recursion made.
    WorkingTable {
        /// The recursive common table expression.
        cte: usize,
        /// How many columns it has.
        width: usize,
    },
    /// The input's rows for which `predicate` is true.
    Filter {
        /// The rows.
        input: Box<Node>,
        /// The condition.
        predicate: Expr,
    },
    /// Each input row turned into `exprs`.
    Project {
        /// The rows.
        input: Box<Node>,
        /// The output columns.
        exprs: Vec<Expr>,
    },
    /// Each input row turned into as many as its set-returning expressions give (`SELECT
    /// unnest(…)`): shorter sets are filled up with NULL.
    ProjectSet {
        /// The rows.
        input: Box<Node>,
        /// The output columns.
        exprs: Vec<SetExpr>,
    },
    /// A join. Output: left columns, then right columns (semi and anti joins: left only).
    Join(Box<Join>),
    /// Groups. Output: the grouping expressions, then the aggregates (then `GROUPING` masks).
    Aggregate(Box<Aggregate>),
    /// Window functions. Output: input columns, then one per window expression.
    Window {
        /// The rows.
        input: Box<Node>,
        /// The functions.
        windows: Vec<WindowExpr>,
    },
    /// The input in order.
    Sort {
        /// The rows.
        input: Box<Node>,
        /// By what.
        keys: Vec<SortKey>,
        /// How many rows are wanted at most, when a LIMIT above tells.
        limit: Option<Expr>,
    },
    /// A part of the input.
    Limit {
        /// The rows.
        input: Box<Node>,
        /// At most so many; NULL is no limit.
        limit: Option<Expr>,
        /// After so many.
        offset: Option<Expr>,
        /// `WITH TIES`, by these keys of the sort below
        ties: Option<Vec<SortKey>>,
    },
    /// The input without duplicates. `on`: `DISTINCT ON`; then the input comes sorted by them.
    Distinct {
        /// The rows.
        input: Box<Node>,
        /// The deciding expressions; `None` is the whole row.
        on: Option<Vec<Expr>>,
    },
    /// UNION, INTERSECT, EXCEPT.
    SetOperation {
        /// Which.
        op: SetOperation,
        /// Whether duplicates stay (`ALL`).
        is_all: bool,
        /// First input.
        left: Box<Node>,
        /// Second input, as wide.
        right: Box<Node>,
    },
    /// `FOR UPDATE` and its kind: locks each row, re-reads what changed while it waited, drops
    /// rows that no longer qualify. Output: the input's columns.
    Lock(Box<Lock>),
    /// INSERT. Output: RETURNING.
    Insert(Box<Insert>),
    /// UPDATE. Output: RETURNING.
    Update(Box<Update>),
    /// DELETE. Output: RETURNING.
    Delete(Box<Delete>),
}

/// See [`Node::Scan`].
#[derive(Clone, Debug)]
pub struct TableScan {
    /// The table.
    pub table: Arc<TableDef>,
    /// Its name in the statement, for EXPLAIN.
    pub alias: String,
    /// What each output row has.
    pub output: Vec<ScanColumn>,
    /// A condition over the output row.
    pub filter: Option<Expr>,
}

/// See [`Node::IndexScan`].
#[derive(Clone, Debug)]
pub struct IndexScan {
    /// The scan, with the whole condition that is left to check on each row.
    pub scan: TableScan,
    /// The index; `None` is the key that the table is stored by.
    pub index: Option<Arc<IndexDef>>,
    /// Alternatives, tried in turn and each row given once: conditions on the leading key columns.
    pub bounds: Vec<KeyBounds>,
    /// Whether the order of the index is wanted backwards.
    pub is_reverse: bool,
    /// The condition of `bounds` as an expression over the output, for EXPLAIN.
    pub condition: Option<Expr>,
}

/// Bounds on the leading columns of a key. The expressions hold no columns: they are constants,
/// parameters and slots.
#[derive(Clone, Debug, Default)]
pub struct KeyBounds {
    /// Leading columns equal to these.
    pub equal: Vec<Expr>,
    /// Positions in `equal` whose expression is an array: any of its elements will do.
    pub any_of: Vec<usize>,
    /// The next column at least (`true`) or above this.
    pub lower: Option<(Expr, bool)>,
    /// The next column at most (`true`) or below this.
    pub upper: Option<(Expr, bool)>,
}

/// See [`Node::TextScan`].
#[derive(Clone, Debug)]
pub struct TextScan {
    /// The scan, with the condition to check again on each row.
    pub scan: TableScan,
    /// The index.
    pub index: Arc<IndexDef>,
    /// The `tsquery`.
    pub query: Expr,
    /// The condition as an expression over the output, for EXPLAIN.
    pub condition: Option<Expr>,
    /// Rows are wanted best first.
    pub rank: Option<TextRank>,
    /// How many rows the index is expected to find, when it could tell.
    pub hits: Option<f64>,
}

/// The order of a full-text search: by a rank of the document, best first. The index knows enough
/// of each document to compute it, so only rows that are asked for are read.
#[derive(Clone, Debug)]
pub struct TextRank {
    /// The rank over one column, the document.
    pub rank: Expr,
    /// The same over the output, for EXPLAIN.
    pub shown: Expr,
}

/// See [`Node::GeoScan`].
#[derive(Clone, Debug)]
pub struct GeoScan {
    /// The scan, with the condition to check again on each row.
    pub scan: TableScan,
    /// The index.
    pub index: Arc<IndexDef>,
    /// What is looked for.
    pub search: GeoSearch,
    /// The condition or order as an expression over the output, for EXPLAIN.
    pub condition: Option<Expr>,
    /// Only rows that a full-text index finds as well.
    pub words: Option<Words>,
    /// How many rows the tree is expected to find, when it could tell.
    pub hits: Option<f64>,
}

/// The full-text side of a search in two indexes at once.
#[derive(Clone, Debug)]
pub struct Words {
    /// The index.
    pub index: Arc<IndexDef>,
    /// The `tsquery`.
    pub query: Expr,
    /// The condition as an expression over the output, for EXPLAIN.
    pub condition: Option<Expr>,
    /// How many rows the index is expected to find, when it could tell.
    pub hits: Option<f64>,
}

/// What is looked for in an R-tree.
#[derive(Clone, Debug)]
pub enum GeoSearch {
    /// Boxes that intersect the box of this value, grown by a distance in the type's unit.
    Intersects(Expr, Option<Expr>),
    /// Rows in the order of their distance (`<->`) from this value; the executor orders exactly
    /// among what the tree gives in the order of boxes.
    Nearest {
        /// From where.
        origin: Expr,
        /// The indexed value as an expression over the scan's output.
        value: Expr,
    },
}

/// One output column of [`Node::ProjectSet`].
#[derive(Clone, Debug)]
pub enum SetExpr {
    /// One value per input row.
    Scalar(Expr),
    /// A set per input row; this is the function's first column (or its record).
    Set(Arc<SetFunction>, Vec<Expr>),
}

/// See [`Node::Join`].
#[derive(Clone, Debug)]
pub struct Join {
    /// Which rows are kept.
    pub kind: JoinKind,
    /// How it is done.
    pub method: JoinMethod,
    /// Left input.
    pub left: Node,
    /// Right input. It may read slots that `arguments` fill from each left row (LATERAL, index
    /// nested loop).
    pub right: Node,
    /// Slots filled from the left row before the right side runs again.
    pub arguments: Vec<(usize, Expr)>,
    /// The condition, over left and right columns.
    pub condition: Option<Expr>,
    /// How many columns the left side has.
    pub left_width: usize,
    /// How many the right side has.
    pub right_width: usize,
}

/// Which rows a join keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    /// Pairs.
    Inner,
    /// Pairs, and left rows without one.
    Left,
    /// Pairs, and right rows without one.
    Right,
    /// Pairs, and both sides' rows without one.
    Full,
    /// Left rows with a pair.
    Semi,
    /// Left rows without one.
    Anti,
}

/// How a join is done.
#[derive(Clone, Debug)]
pub enum JoinMethod {
    /// The right side once per left row.
    NestedLoop,
    /// A hash table of the right side by these expressions: over left columns, over right columns
    /// (counted from 0). The whole condition is checked on each match.
    Hash {
        /// Over the left row.
        left: Vec<Expr>,
        /// Over the right row.
        right: Vec<Expr>,
    },
}

/// See [`Node::Aggregate`].
#[derive(Clone, Debug)]
pub struct Aggregate {
    /// The rows.
    pub input: Node,
    /// The grouping expressions, over the input.
    pub groups: Vec<Expr>,
    /// Which of them each grouping set has; one set of all of them for a plain GROUP BY.
    pub sets: Vec<Vec<usize>>,
    /// The aggregates.
    pub aggregates: Vec<AggregateExpr>,
    /// `GROUPING(…)` calls: positions in `groups`
    pub groupings: Vec<Vec<usize>>,
}

/// One aggregate call.
#[derive(Clone, Debug)]
pub struct AggregateExpr {
    /// Which.
    pub function: Arc<AggregateFunction>,
    /// Its arguments, over the input.
    pub args: Vec<Expr>,
    /// Their types.
    pub arg_types: Vec<crate::value::Type>,
    /// `DISTINCT`
    pub is_distinct: bool,
    /// `ORDER BY` inside the call or `WITHIN GROUP`
    pub order: Vec<SortKey>,
    /// `FILTER (WHERE …)`
    pub filter: Option<Expr>,
}

/// One window function call.
#[derive(Clone, Debug)]
pub struct WindowExpr {
    /// Which.
    pub function: WindowFunction,
    /// Its arguments, over the input.
    pub args: Vec<Expr>,
    /// Their types.
    pub arg_types: Vec<crate::value::Type>,
    /// `FILTER`
    pub filter: Option<Expr>,
    /// `PARTITION BY`
    pub partition: Vec<Expr>,
    /// `ORDER BY`
    pub order: Vec<SortKey>,
    /// The frame.
    pub frame: Frame,
}

/// What a window computes.
#[derive(Clone, Debug)]
pub enum WindowFunction {
    /// An aggregate over the frame.
    Aggregate(Arc<AggregateFunction>),
    /// `row_number()`
    RowNumber,
    /// `rank()`
    Rank,
    /// `dense_rank()`
    DenseRank,
    /// `percent_rank()`
    PercentRank,
    /// `cume_dist()`
    CumeDist,
    /// `ntile(n)`
    Ntile,
    /// `lag(value, offset, default)`
    Lag,
    /// `lead(value, offset, default)`
    Lead,
    /// `first_value(value)`
    FirstValue,
    /// `last_value(value)`
    LastValue,
    /// `nth_value(value, n)`
    NthValue,
}

/// The frame of a window.
#[derive(Clone, Debug)]
pub struct Frame {
    /// In what the bounds count.
    pub unit: FrameUnit,
    /// The first row.
    pub start: FrameBound,
    /// The last row.
    pub end: FrameBound,
    /// What is taken out.
    pub exclusion: FrameExclusion,
}

/// In what a frame's bounds count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameUnit {
    /// Rows.
    Rows,
    /// Values of the ORDER BY.
    Range,
    /// Groups of peers.
    Groups,
}

/// One end of a frame.
#[derive(Clone, Debug)]
pub enum FrameBound {
    /// `UNBOUNDED PRECEDING`
    UnboundedPreceding,
    /// `n PRECEDING`
    Preceding(Expr),
    /// `CURRENT ROW`
    CurrentRow,
    /// `n FOLLOWING`
    Following(Expr),
    /// `UNBOUNDED FOLLOWING`
    UnboundedFollowing,
}

/// What a frame leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameExclusion {
    /// Nothing.
    NoOthers,
    /// The current row.
    CurrentRow,
    /// The current row and its peers.
    Group,
    /// Its peers.
    Ties,
}

/// One key of an order.
#[derive(Clone, Debug)]
pub struct SortKey {
    /// The value.
    pub expr: Expr,
    /// Largest first.
    pub is_descending: bool,
    /// NULLs before everything else.
    pub nulls_first: bool,
}

/// Set operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetOperation {
    /// `UNION`
    Union,
    /// `INTERSECT`
    Intersect,
    /// `EXCEPT`
    Except,
}

/// See [`Node::Lock`].
#[derive(Clone, Debug)]
pub struct Lock {
    /// The rows.
    pub input: Node,
    /// What to lock in each.
    pub targets: Vec<LockTarget>,
    /// The conditions under which the joined row qualifies, over the input's columns: checked
    /// again when a row was re-read.
    pub recheck: Option<Expr>,
}

/// One table whose rows are locked.
#[derive(Clone, Debug)]
pub struct LockTarget {
    /// The table.
    pub table: Arc<TableDef>,
    /// How strongly.
    pub strength: cairn_engine::LockStrength,
    /// What to do about rows that others hold.
    pub wait: LockWait,
    /// Where the input row has the row's key.
    pub row_key: usize,
    /// Which input columns show which columns of the table: replaced when it was re-read.
    pub columns: Vec<(usize, usize)>,
}

/// What to do about a row that another transaction holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockWait {
    /// Wait.
    Block,
    /// Fail with 55P03.
    NoWait,
    /// Leave the row out.
    SkipLocked,
}

/// A row.
pub type Row = Vec<Value>;
