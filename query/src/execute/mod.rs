//! Executing plans: operators that pull batches of rows from each other.
//!
//! # How a plan runs
//! The plan is the program and never changes; an [`Operator`] holds what one
//! node remembers between two calls (a position, a hash table, sorted rows). Both trees have the
//! same shape and are walked together, so an execution owns all it needs (`Arc<Plan>` and plain
//! data), can be parked between two messages of a client, and starting one costs a few
//! allocations.
//!
//! 1. [`Execution::next_batch`] lends the operators a [`Context`](context::Context): transaction,
//!    parameters, slots, memory.
//! 2. Each operator asks its input for at most as many rows as it is asked for itself, so that
//!    `LIMIT 1` reads one row. An empty batch is the end.
//! 3. Writes collect their input first (the statement's snapshot), then lock, re-check and write
//!    row by row ([`table`]).
//! 4. When the root has ended, writing common table expressions run to their end, then foreign
//!    keys are checked and followed ([`table::foreign_key`]).

use std::sync::Arc;
use std::time::Duration;

use cairn_engine::Transaction;

use crate::error::Result;
use crate::expression::context::{Services, StatementFacts};
use crate::plan::{Command, Node, Plan, Row};
use crate::statistics::Statistics;
use crate::value::Value;
use context::{Running, State};
pub(crate) use memory::check as check_memory;
use operator::Operator;
pub use table::event::Event;
pub use table::row_numbers::RowNumbers;

mod aggregate;
pub(crate) mod context;
mod cte;
mod delete;
mod distinct;
mod fetch;
mod filter;
mod grouping;
mod hash_table;
mod insert;
mod join_hash;
mod join_nested_loop;
mod limit;
mod lock;
mod memory;
mod operator;
mod order;
mod project;
mod project_set;
mod scan_function;
mod scan_geo;
mod scan_index;
mod scan_system;
mod scan_table;
mod scan_text;
mod set_operation;
mod sort;
pub mod table;
mod update;
mod values;
mod window;
mod window_frame;

/// What one call of an execution works with: lent by the session for the duration of the call.
pub struct ExecuteContext<'a> {
    /// The transaction. The statement has begun in it.
    pub txn: &'a Transaction,
    /// `$1`, `$2`, …
    pub params: &'a [Value],
    /// Facts that hold for the whole statement.
    pub statement: &'a StatementFacts,
    /// The rest of the database. Its `run_subplan` is never called.
    pub services: &'a dyn Services,
    /// What the executions of one database share.
    pub shared: &'a Shared,
    /// `lock_timeout`; `None` waits for ever.
    pub lock_timeout: Option<Duration>,
    /// `work_mem` in bytes: what one operator may hold before it spills or fails.
    pub work_mem: usize,
}

/// What the executions of one database share, in memory. One per open database.
#[derive(Debug, Default)]
pub struct Shared {
    /// The next row number of each table without a primary key.
    pub row_numbers: RowNumbers,
    /// What the planner knows about the tables' contents.
    pub statistics: Statistics,
}

/// One run of a plan.
pub struct Execution {
    plan: Arc<Plan>,
    root: Operator,
    state: State,
    phase: Phase,
    delivered: u64,
}

/// Where an execution is.
enum Phase {
    /// Rows come from the root as they are asked for.
    Pulling,
    /// The statement writes and has done so; these rows are left to deliver.
    Written(std::vec::IntoIter<Row>),
    /// No more rows.
    Ended,
}

impl Execution {
    /// Prepares to run a plan; nothing happens before the first [`Execution::next_batch`].
    pub fn new(plan: Arc<Plan>) -> Self {
        let root = Operator::new(&plan.root);
        let state = State::new(&plan);
        Self { plan, root, state, phase: Phase::Pulling, delivered: 0 }
    }

    /// As [`Execution::new`], and times every node for `EXPLAIN ANALYZE`.
    pub fn timed(plan: Arc<Plan>) -> Self {
        let mut execution = Self::new(plan);
        execution.state.timings = Some(std::cell::RefCell::default());
        execution
    }

    /// The plan.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// The next rows, at most `max`; none at the end. A statement that writes has written
    /// everything when its first batch is returned.
    ///
    /// # Errors
    /// Whatever the statement meets; it must not be pulled again after that.
    pub fn next_batch(&mut self, cx: &ExecuteContext<'_>, max: usize) -> Result<Vec<Row>> {
        if matches!(self.phase, Phase::Pulling) && self.writes() {
            let rows = self.run_to_end(cx)?;
            self.phase = Phase::Written(rows.into_iter());
        }
        let rows = match &mut self.phase {
            Phase::Pulling => {
                let running = Running::new(cx, &self.plan, &self.state);
                running.with_context(|cx| self.root.next(&self.plan.root, cx, max))?
            }
            Phase::Written(rows) => rows.take(max).collect(),
            Phase::Ended => Vec::new(),
        };
        if rows.is_empty() {
            self.phase = Phase::Ended;
        }
        self.delivered += rows.len() as u64;
        Ok(rows)
    }

    /// The number of the command tag: rows written by the statement itself, or rows delivered so
    /// far.
    pub fn rows_affected(&self) -> u64 {
        self.root.rows_written().unwrap_or(self.delivered)
    }

    /// What each node did, by [`timing::key`](crate::plan::explain): for `EXPLAIN ANALYZE`.
    pub(crate) fn timings(&self) -> Option<&context::Timings> {
        self.state.timings.as_ref()
    }

    fn writes(&self) -> bool {
        self.plan.command != Command::Select || self.plan.ctes.iter().any(|cte| cte.is_modifying)
    }

    fn run_to_end(&mut self, cx: &ExecuteContext<'_>) -> Result<Vec<Row>> {
        let running = Running::new(cx, &self.plan, &self.state);
        running.with_context(|cx| {
            let rows = self.root.all(&self.plan.root, cx)?;
            cte::finish_modifying(cx)?;
            table::event::settle(cx)?;
            Ok(rows)
        })
    }
}

/// Checks what has waited for the end of the transaction.
///
/// # Errors
/// 23503, 23505.
pub fn settle_deferred(events: &[Event], cx: &ExecuteContext<'_>) -> Result<()> {
    let plan = Plan::of(Node::Values { rows: Vec::new() });
    let state = State::new(&plan);
    Running::new(cx, &plan, &state).with_context(|cx| table::event::settle_deferred(events, cx))
}

/// How many rows operators that read their whole input ask for at once.
const BATCH: usize = 1024;
