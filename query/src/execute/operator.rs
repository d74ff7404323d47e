//! One operator per plan node: dispatch, and what all operators share.

use std::time::Instant;

use super::BATCH;
use super::aggregate::Aggregate;
use super::context::{Context, Timing};
use super::cte::{CteScan, WorkingTable};
use super::delete::Delete;
use super::distinct::Distinct;
use super::filter::Filter;
use super::insert::Insert;
use super::join_hash::HashJoin;
use super::join_nested_loop::NestedLoop;
use super::limit::Limit;
use super::lock::Lock;
use super::project::Project;
use super::project_set::ProjectSet;
use super::scan_function::FunctionScan;
use super::scan_geo::GeoScan;
use super::scan_index::IndexScan;
use super::scan_system::SystemScan;
use super::scan_table::TableScan;
use super::scan_text::TextScan;
use super::set_operation::SetOperation;
use super::sort::Sort;
use super::update::Update;
use super::values::Values;
use super::window::Window;
use crate::error::{Error, Result};
use crate::plan::{JoinMethod, Node, Row, explain};

/// What one plan node remembers between two calls.
pub(crate) struct Operator {
    kind: Kind,
    /// Whether it was asked for rows.
    is_begun: bool,
}

enum Kind {
    Values(Values),
    Scan(TableScan),
    IndexScan(IndexScan),
    TextScan(TextScan),
    GeoScan(GeoScan),
    FunctionScan(FunctionScan),
    SystemScan(SystemScan),
    CteScan(CteScan),
    WorkingTable(WorkingTable),
    Filter(Box<Filter>),
    Project(Box<Project>),
    ProjectSet(Box<ProjectSet>),
    NestedLoop(Box<NestedLoop>),
    HashJoin(Box<HashJoin>),
    Aggregate(Box<Aggregate>),
    Window(Box<Window>),
    Sort(Box<Sort>),
    Limit(Box<Limit>),
    Distinct(Box<Distinct>),
    SetOperation(Box<SetOperation>),
    Lock(Box<Lock>),
    Insert(Box<Insert>),
    Update(Box<Update>),
    Delete(Box<Delete>),
}

impl Operator {
    /// The operator of a node, before its first row.
    pub fn new(node: &Node) -> Self {
        Self { kind: Kind::new(node), is_begun: false }
    }

    /// The next rows of `node`, at most `max`; none at the end.
    pub fn next(&mut self, node: &Node, cx: &Context<'_>, max: usize) -> Result<Vec<Row>> {
        let Some(timings) = &cx.run.state.timings else { return self.kind.run(node, cx, max) };
        let began = Instant::now();
        let (rows, removed) = cx.removed_by(|| self.kind.run(node, cx, max));
        let rows = rows?;
        let elapsed = began.elapsed();
        let mut timings = timings.borrow_mut();
        let timing: &mut Timing = timings.entry(explain::key(node)).or_default();
        if timing.loops == 0 {
            timing.startup = elapsed;
        }
        timing.total += elapsed;
        timing.rows += rows.len() as u64;
        timing.removed += removed;
        timing.loops += u64::from(!std::mem::replace(&mut self.is_begun, true));
        Ok(rows)
    }

    /// Promises that no more than `rows` rows will be asked for.
    pub fn bound(&mut self, rows: usize) {
        match &mut self.kind {
            Kind::Sort(sort) => sort.bound = Some(rows),
            Kind::Project(project) => project.input.bound(rows),
            _ => {}
        }
    }

    /// All rows that are left.
    pub fn all(&mut self, node: &Node, cx: &Context<'_>) -> Result<Vec<Row>> {
        let mut rows = self.next(node, cx, BATCH)?;
        if rows.is_empty() {
            return Ok(rows);
        }
        loop {
            let mut more = self.next(node, cx, BATCH)?;
            if more.is_empty() {
                return Ok(rows);
            }
            cx.memory().grow(more.iter().map(|row| super::memory::row_len(row)).sum())?;
            rows.append(&mut more);
        }
    }

    /// How many rows a writing operator has written.
    pub fn rows_written(&self) -> Option<u64> {
        match &self.kind {
            Kind::Insert(op) => Some(op.written),
            Kind::Update(op) => Some(op.written),
            Kind::Delete(op) => Some(op.written),
            _ => None,
        }
    }
}

impl Kind {
    fn new(node: &Node) -> Self {
        match node {
            Node::Values { .. } => Self::Values(Values::default()),
            Node::Scan(_) => Self::Scan(TableScan::default()),
            Node::IndexScan(_) => Self::IndexScan(IndexScan::default()),
            Node::FunctionScan { .. } => Self::FunctionScan(FunctionScan::default()),
            Node::CteScan { .. } => Self::CteScan(CteScan::default()),
            Node::WorkingTable { .. } => Self::WorkingTable(WorkingTable::default()),
            Node::Filter { input, .. } => Self::Filter(Box::new(Filter::new(input))),
            Node::Project { input, .. } => Self::Project(Box::new(Project::new(input))),
            Node::ProjectSet { input, .. } => Self::ProjectSet(Box::new(ProjectSet::new(input))),
            Node::Join(join) => match join.method {
                JoinMethod::NestedLoop => Self::NestedLoop(Box::new(NestedLoop::new(join))),
                JoinMethod::Hash { .. } => Self::HashJoin(Box::new(HashJoin::new(join))),
            },
            Node::Aggregate(plan) => Self::Aggregate(Box::new(Aggregate::new(&plan.input))),
            Node::Sort { input, .. } => Self::Sort(Box::new(Sort::new(input))),
            Node::Limit { input, .. } => Self::Limit(Box::new(Limit::new(input))),
            Node::Distinct { input, .. } => Self::Distinct(Box::new(Distinct::new(input))),
            Node::SetOperation { left, right, .. } => {
                Self::SetOperation(Box::new(SetOperation::new(left, right)))
            }
            Node::Lock(plan) => Self::Lock(Box::new(Lock::new(&plan.input))),
            Node::Insert(plan) => Self::Insert(Box::new(Insert::new(&plan.input))),
            Node::Update(plan) => Self::Update(Box::new(Update::new(&plan.input))),
            Node::Delete(plan) => Self::Delete(Box::new(Delete::new(&plan.input))),
            Node::TextScan(_) => Self::TextScan(TextScan::default()),
            Node::GeoScan(_) => Self::GeoScan(GeoScan::default()),
            Node::SystemScan { .. } => Self::SystemScan(SystemScan::default()),
            Node::Window { input, .. } => Self::Window(Box::new(Window::new(input))),
        }
    }

    fn run(&mut self, node: &Node, cx: &Context<'_>, max: usize) -> Result<Vec<Row>> {
        match (self, node) {
            (Self::Values(op), Node::Values { rows }) => op.next(rows, cx, max),
            (Self::Scan(op), Node::Scan(plan)) => op.next(plan, cx, max),
            (Self::IndexScan(op), Node::IndexScan(plan)) => op.next(plan, cx, max),
            (Self::TextScan(op), Node::TextScan(plan)) => op.next(plan, cx, max),
            (Self::GeoScan(op), Node::GeoScan(plan)) => op.next(plan, cx, max),
            (Self::FunctionScan(op), Node::FunctionScan { functions, with_ordinality }) => {
                op.next(functions, *with_ordinality, cx, max)
            }
            (Self::SystemScan(op), Node::SystemScan { table, .. }) => op.next(*table, cx, max),
            (Self::CteScan(op), Node::CteScan { cte, .. }) => op.next(*cte, cx, max),
            (Self::WorkingTable(op), Node::WorkingTable { cte, .. }) => op.next(*cte, cx, max),
            (Self::Filter(op), Node::Filter { input, predicate }) => {
                op.next(input, predicate, cx, max)
            }
            (Self::Project(op), Node::Project { input, exprs }) => op.next(input, exprs, cx, max),
            (Self::ProjectSet(op), Node::ProjectSet { input, exprs }) => {
                op.next(input, exprs, cx, max)
            }
            (Self::NestedLoop(op), Node::Join(plan)) => op.next(plan, cx, max),
            (Self::HashJoin(op), Node::Join(plan)) => op.next(plan, cx, max),
            (Self::Aggregate(op), Node::Aggregate(plan)) => op.next(plan, cx, max),
            (Self::Window(op), Node::Window { input, windows }) => op.next(input, windows, cx, max),
            (Self::Sort(op), Node::Sort { input, keys, limit }) => {
                op.next(input, keys, limit.as_ref(), cx, max)
            }
            (Self::Limit(op), Node::Limit { .. }) => op.next(node, cx, max),
            (Self::Distinct(op), Node::Distinct { input, on }) => {
                op.next(input, on.as_deref(), cx, max)
            }
            (Self::SetOperation(op), Node::SetOperation { op: which, is_all, left, right }) => {
                op.next((*which, *is_all), left, right, cx, max)
            }
            (Self::Lock(op), Node::Lock(plan)) => op.next(plan, cx, max),
            (Self::Insert(op), Node::Insert(plan)) => op.next(plan, cx, max),
            (Self::Update(op), Node::Update(plan)) => op.next(plan, cx, max),
            (Self::Delete(op), Node::Delete(plan)) => op.next(plan, cx, max),
            _ => Err(Error::internal("operator and plan node differ")),
        }
    }
}
