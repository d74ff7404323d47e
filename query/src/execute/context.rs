//! What operators work with while they run, and the subplans of expressions.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::ops::AddAssign;
use std::sync::Arc;
use std::time::Duration;

use super::cte::CteState;
use super::memory::Memory;
use super::operator::Operator;
use super::table::event::Event;
use super::{BATCH, ExecuteContext};
use crate::catalog::{Catalog, TableDef};
use crate::error::{Error, Result};
use crate::expression::context::{AdvisoryKey, AdvisoryMode, Services, SlotValues};
use crate::expression::{EvalContext, Expr};
use crate::plan::{Node, Plan, Row, TableWriter, walk};
use crate::value::Value;

/// What an execution remembers besides its operators.
pub(crate) struct State {
    pub slots: SlotValues,
    pub ctes: Vec<RefCell<CteState>>,
    pub subplans: Vec<RefCell<SubplanState>>,
    /// Foreign-key work left to the end of the statement.
    pub events: RefCell<Vec<Event>>,
    /// The addresses of rows that the statement has written, so that it writes none twice.
    pub written: RefCell<HashSet<Vec<u8>, ahash::RandomState>>,
    pub memory: Memory,
    pub timings: Option<Timings>,
    /// By the node that runs.
    removed: Cell<Removed>,
    calls: Cell<u32>,
}

/// What each node did, by the address of its plan node.
pub(crate) type Timings = RefCell<HashMap<usize, Timing>>;

/// What one node did: for `EXPLAIN ANALYZE`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Timing {
    /// Rows over all loops.
    pub rows: u64,
    /// How often it ran from its beginning to its end.
    pub loops: u64,
    /// Until the first row of the first loop.
    pub startup: Duration,
    /// In all calls.
    pub total: Duration,
    /// Rows that it read and did not give.
    pub removed: Removed,
}

/// Rows that a node read, or pairs that a join tried, and found not wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Removed {
    /// By a condition on rows.
    pub filter: u64,
    /// By the condition of a join.
    pub join: u64,
    /// Rows that an index promised and that turned out not to match.
    pub recheck: u64,
}

impl AddAssign for Removed {
    fn add_assign(&mut self, other: Self) {
        self.filter += other.filter;
        self.join += other.join;
        self.recheck += other.recheck;
    }
}

/// The rows of an uncorrelated subplan as far as they were asked for.
#[derive(Default)]
pub(crate) struct SubplanState {
    is_independent: Option<bool>,
    rows: Arc<Vec<Row>>,
    is_complete: bool,
}

impl State {
    pub fn new(plan: &Plan) -> Self {
        Self {
            slots: SlotValues::new(plan.slots, plan.once),
            ctes: plan.ctes.iter().map(|_| RefCell::default()).collect(),
            subplans: plan.subplans.iter().map(|_| RefCell::default()).collect(),
            events: RefCell::default(),
            written: RefCell::default(),
            memory: Memory::default(),
            timings: None,
            removed: Cell::default(),
            calls: Cell::new(0),
        }
    }
}

/// What an operator is lent for one call.
pub(crate) struct Context<'a> {
    /// For evaluating expressions.
    pub eval: EvalContext<'a>,
    /// The rest.
    pub run: &'a Running<'a>,
}

/// One call into an execution: the session's part and the execution's part together.
pub(crate) struct Running<'a> {
    pub cx: &'a ExecuteContext<'a>,
    pub plan: &'a Plan,
    pub state: &'a State,
}

impl<'a> Running<'a> {
    pub fn new(cx: &'a ExecuteContext<'a>, plan: &'a Plan, state: &'a State) -> Self {
        state.memory.set_limit(cx.work_mem);
        Self { cx, plan, state }
    }

    /// Lends `f` a context with the statement's own slots.
    pub fn with_context<T>(&self, f: impl FnOnce(&Context<'_>) -> T) -> T {
        f(&self.context(&self.state.slots))
    }

    fn context<'b>(&'b self, slots: &'b SlotValues) -> Context<'b> {
        let eval = EvalContext {
            params: self.cx.params,
            slots,
            statement: self.cx.statement,
            services: self,
        };
        Context { eval, run: self }
    }

    /// Rows of a subplan that reads nothing from outside, run once.
    fn shared_rows(
        &self,
        subplan: usize,
        node: &Node,
        slots: &SlotValues,
    ) -> Result<Arc<Vec<Row>>> {
        let cell = self.subplan(subplan)?;
        {
            let state = cell.borrow();
            if state.is_complete {
                return Ok(Arc::clone(&state.rows));
            }
        }
        let rows = Arc::new(Operator::new(node).all(node, &self.context(slots))?);
        let mut state = cell.borrow_mut();
        state.rows = Arc::clone(&rows);
        state.is_complete = true;
        Ok(rows)
    }

    fn subplan(&self, subplan: usize) -> Result<&RefCell<SubplanState>> {
        self.state.subplans.get(subplan).ok_or_else(|| Error::internal("no such subplan"))
    }

    fn is_independent(&self, subplan: usize, node: &Node) -> Result<bool> {
        let mut state = self.subplan(subplan)?.borrow_mut();
        let plan = self.plan;
        Ok(*state.is_independent.get_or_insert_with(|| !walk::reads_outer_slots(plan, node)))
    }
}

impl Context<'_> {
    /// The transaction.
    pub fn txn(&self) -> &cairn_engine::Transaction {
        self.run.cx.txn
    }

    /// Bytes that operators hold.
    pub fn memory(&self) -> &Memory {
        &self.run.state.memory
    }

    /// Called once per row by every loop: fails when the statement was cancelled. The question is
    /// passed on for one row in 256.
    pub fn check_cancelled(&self) -> Result<()> {
        let calls = self.run.state.calls.get().wrapping_add(1);
        self.run.state.calls.set(calls);
        if calls.is_multiple_of(256) { self.run.cx.services.check_cancelled() } else { Ok(()) }
    }

    /// The values of some expressions.
    pub fn eval_all(&self, exprs: &[Expr], row: &[Value]) -> Result<Row> {
        let mut values = Vec::with_capacity(exprs.len());
        for expr in exprs {
            values.push(expr.eval(&self.eval, row)?);
        }
        Ok(values)
    }

    /// Whether a condition is true: neither false nor unknown.
    pub fn holds(&self, predicate: &Expr, row: &[Value]) -> Result<bool> {
        Ok(matches!(predicate.eval(&self.eval, row)?, Value::Bool(true)))
    }

    /// Keeps the rows for which a condition is true.
    pub fn retain(&self, rows: &mut Vec<Row>, predicate: &Expr) -> Result<()> {
        let rows_len = rows.len();
        let mut kept = Vec::with_capacity(rows_len);
        for row in rows.drain(..) {
            self.check_cancelled()?;
            if self.holds(predicate, &row)? {
                kept.push(row);
            }
        }
        self.count_removed(|removed| removed.filter += (rows_len - kept.len()) as u64);
        *rows = kept;
        Ok(())
    }

    /// Counts rows that the running node leaves out.
    pub fn count_removed(&self, count: impl FnOnce(&mut Removed)) {
        let mut removed = self.run.state.removed.get();
        count(&mut removed);
        self.run.state.removed.set(removed);
    }

    /// Lets `run` count what it removes, apart from the node that called it.
    pub fn removed_by<T>(&self, run: impl FnOnce() -> T) -> (T, Removed) {
        let callers = self.run.state.removed.take();
        let result = run();
        (result, self.run.state.removed.replace(callers))
    }

    /// Whether a row that a search has found satisfies what is left to check; one that does not
    /// is counted.
    pub fn keeps(
        &self,
        filter: Option<&Expr>,
        promise: Option<&Expr>,
        row: &[Value],
    ) -> Result<bool> {
        let Some(filter) = filter else { return Ok(true) };
        if self.holds(filter, row)? {
            return Ok(true);
        }
        // Only who is asked for the counts looks which condition it was.
        let is_counted = self.run.state.timings.is_some();
        let is_broken = match promise.filter(|_| is_counted) {
            Some(promise) => !self.holds(promise, row)?,
            None => false,
        };
        self.count_removed(|removed| match is_broken {
            true => removed.recheck += 1,
            false => removed.filter += 1,
        });
        Ok(false)
    }

    /// Sets the slots that a join or a subquery passes inward.
    pub fn set_slots(&self, values: impl IntoIterator<Item = (usize, Value)>) -> Result<()> {
        let mut slots = self.eval.slots.passed.borrow_mut();
        for (slot, value) in values {
            let place = slots.get_mut(slot).ok_or_else(|| Error::internal("no such slot"))?;
            *place = value;
        }
        Ok(())
    }
}

impl Services for Running<'_> {
    fn run_subplan(
        &self,
        subplan: usize,
        slots: &SlotValues,
        each: &mut dyn FnMut(&[Value]) -> Result<bool>,
    ) -> Result<()> {
        let node = self.plan.subplans.get(subplan);
        let node = node.ok_or_else(|| Error::internal("no such subplan"))?;
        if self.is_independent(subplan, node)? {
            for row in self.shared_rows(subplan, node, slots)?.iter() {
                if !each(row)? {
                    break;
                }
            }
            return Ok(());
        }
        let cx = self.context(slots);
        super::cte::forget_dependent(&cx);
        let mut operator = Operator::new(node);
        let mut max = 1;
        loop {
            let rows = operator.next(node, &cx, max)?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in &rows {
                if !each(row)? {
                    return Ok(());
                }
            }
            max = BATCH;
        }
    }

    fn sequence_next(&self, sequence: u32) -> Result<i64> {
        self.cx.services.sequence_next(sequence)
    }

    fn sequence_current(&self, sequence: u32) -> Result<i64> {
        self.cx.services.sequence_current(sequence)
    }

    fn sequence_last(&self) -> Result<i64> {
        self.cx.services.sequence_last()
    }

    fn sequence_set(&self, sequence: u32, value: i64, is_called: bool) -> Result<i64> {
        self.cx.services.sequence_set(sequence, value, is_called)
    }

    fn catalog(&self) -> &Arc<Catalog> {
        self.cx.services.catalog()
    }

    fn globals(&self) -> Arc<crate::catalog::Globals> {
        self.cx.services.globals()
    }

    fn system_rows(&self, facts: crate::expression::context::SystemFacts) -> Result<Vec<Row>> {
        self.cx.services.system_rows(facts)
    }

    fn row_estimate(&self, table: &TableDef) -> Option<f64> {
        self.cx.services.row_estimate(table)
    }

    fn setting(&self, name: &str) -> Option<String> {
        self.cx.services.setting(name)
    }

    fn set_setting(&self, name: &str, value: &str, is_local: bool) -> Result<()> {
        self.cx.services.set_setting(name, value, is_local)
    }

    fn table_writer(&self, table: &Arc<TableDef>) -> Result<TableWriter> {
        self.cx.services.table_writer(table)
    }

    fn column_default(&self, table: &Arc<TableDef>, column: usize) -> Result<Expr> {
        self.cx.services.column_default(table, column)
    }

    fn advisory_lock(&self, key: AdvisoryKey, mode: AdvisoryMode) -> Result<bool> {
        self.cx.services.advisory_lock(key, mode)
    }

    fn advisory_unlock(&self, key: Option<AdvisoryKey>, is_shared: bool) -> bool {
        self.cx.services.advisory_unlock(key, is_shared)
    }

    fn check_cancelled(&self) -> Result<()> {
        self.cx.services.check_cancelled()
    }

    fn system_call(&self, name: &str, args: &[Value]) -> Result<Value> {
        self.cx.services.system_call(name, args)
    }
}
