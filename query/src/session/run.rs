//! Running portals step by step.

use std::collections::VecDeque;
use std::sync::Arc;

use super::block::BlockStatus;
use super::portal::{BATCH_ROWS, Portal, Run, Running, Step};
use super::prepared::{Body, command_word};
use super::state::State;
use super::{Session, missing_portal};
use crate::catalog::TableDef;
use crate::error::{Error, Result, SqlState};
use crate::execute::{ExecuteContext, Execution};
use crate::expression::context::StatementFacts;
use crate::plan::{Command, Node, Plan, Row};
use crate::result::CommandTag;
use crate::value::Value;

impl Session {
    /// Runs a portal a little further: at most `max` rows.
    ///
    /// # Errors
    /// 34000, 25P02, and whatever the statement meets.
    pub fn advance(&mut self, name: &str, max: usize) -> Result<Step> {
        let mut portal = self.portals.remove(name).ok_or_else(|| missing_portal(name))?;
        let result = self.advance_portal(&mut portal, max.clamp(1, BATCH_ROWS));
        self.portals.insert(name.to_owned(), portal);
        result
    }

    pub(super) fn advance_portal(&mut self, portal: &mut Portal, max: usize) -> Result<Step> {
        if matches!(portal.run, Run::Ready) {
            portal.run = self.start(portal)?;
        }
        match &mut portal.run {
            Run::Rows(running) => {
                let rows = running.next(&self.state, max)?;
                portal.round += rows.len() as u64;
                if !rows.is_empty() {
                    return Ok(Step::Rows(rows));
                }
                let tag = end_tag(running, portal.round);
                portal.run = Run::Done;
                Ok(Step::Complete(tag))
            }
            Run::Buffered { rows, tag } => {
                let batch: Vec<Row> = rows.drain(..rows.len().min(max)).collect();
                if !batch.is_empty() {
                    portal.round += batch.len() as u64;
                    return Ok(Step::Rows(batch));
                }
                let tag = tag.clone();
                portal.run = Run::Done;
                Ok(Step::Complete(tag))
            }
            Run::CopyOut(copy) => {
                Ok(Step::CopyOut { columns: copy.columns(), is_binary: copy.is_binary() })
            }
            Run::CopyIn(copy) => {
                Ok(Step::CopyIn { columns: copy.columns(), is_binary: copy.is_binary() })
            }
            Run::Ready | Run::Done if portal.prepared.is_empty() => Ok(Step::Empty),
            Run::Ready | Run::Done => match portal.prepared.plan() {
                // Asking again at the end of a query gives no rows; anything else cannot run twice.
                Some(plan) if plan.command == Command::Select => {
                    Ok(Step::Complete(CommandTag::Rows("SELECT", 0)))
                }
                _ => {
                    let message = "portal cannot be run";
                    Err(Error::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message))
                }
            },
        }
    }

    fn start(&mut self, portal: &mut Portal) -> Result<Run> {
        let prepared = portal.prepared.clone();
        self.check_not_failed(&prepared)?;
        if prepared.is_empty() {
            return Ok(Run::Done);
        }
        if !prepared.is_transaction_control() {
            self.state.begin(BlockStatus::Implicit);
        }
        let prepared = self.with_tables_locked(prepared)?;
        match &prepared.body {
            Body::Rows(plan) => {
                let params = std::mem::take(&mut portal.params);
                let running = self.begin_rows(plan.clone(), params)?;
                Ok(Run::Rows(Box::new(running)))
            }
            Body::Utility(bound) => self.run_utility(bound, portal),
        }
    }

    /// Begins a statement that reads or writes rows.
    pub(super) fn begin_rows(&mut self, plan: Arc<Plan>, params: Vec<Value>) -> Result<Running> {
        self.check_read_only(&plan)?;
        self.begin_statement()?;
        let facts = self.state.facts();
        Ok(Running { execution: Execution::new(plan), params, facts })
    }

    /// Takes the snapshot of the next statement. Portals that are half way keep theirs: what is
    /// left of them is fetched first.
    pub(super) fn begin_statement(&mut self) -> Result<()> {
        for portal in self.portals.values_mut() {
            if let Run::Rows(running) = &mut portal.run {
                let rows = running.rest(&self.state)?;
                let count = portal.round + rows.len() as u64;
                let tag = end_tag(running, count);
                portal.run = Run::Buffered { rows, tag };
            }
        }
        for cursor in self.cursors.values_mut() {
            cursor.fetch_rest(&self.state)?;
        }
        self.state.transaction().begin_statement();
        Ok(())
    }

    pub(super) fn check_read_only(&self, plan: &Plan) -> Result<()> {
        if !self.state.block.borrow().modes.is_read_only {
            return Ok(());
        }
        if written_table(&plan.root).is_some_and(|table| table.is_temporary) {
            return Ok(());
        }
        let word = match plan.command {
            Command::Select if plan.ctes.iter().any(|cte| cte.is_modifying) => "SELECT INTO",
            Command::Select if locks_rows(&plan.root) => "SELECT FOR UPDATE",
            Command::Select => return Ok(()),
            command => command_word(command),
        };
        Err(read_only(word))
    }
}

/// 25006
pub(super) fn read_only(word: &str) -> Error {
    let message = format!("cannot execute {word} in a read-only transaction");
    Error::new(SqlState::READ_ONLY_SQL_TRANSACTION, message)
}

fn written_table(node: &Node) -> Option<&TableDef> {
    let writer = match node {
        Node::Insert(insert) => &insert.writer,
        Node::Update(update) => &update.writer,
        Node::Delete(delete) => &delete.writer,
        _ => return None,
    };
    Some(&writer.table)
}

fn locks_rows(node: &Node) -> bool {
    match node {
        Node::Lock(_) => true,
        Node::Project { input, .. } | Node::Limit { input, .. } | Node::Sort { input, .. } => {
            locks_rows(input)
        }
        _ => false,
    }
}

fn end_tag(running: &Running, delivered: u64) -> CommandTag {
    let command = running.execution.plan().command;
    let rows = match command {
        Command::Select => delivered,
        _ => running.execution.rows_affected(),
    };
    CommandTag::Rows(command_word(command), rows)
}

/// Lends an execution what it works with.
pub(super) fn with_context<T>(
    state: &State,
    facts: &StatementFacts,
    params: &[Value],
    work: impl FnOnce(&ExecuteContext<'_>) -> Result<T>,
) -> Result<T> {
    let txn = state.transaction();
    let context = ExecuteContext {
        txn: &txn,
        params,
        statement: facts,
        services: state,
        shared: &state.database.shared.execution,
        lock_timeout: state.lock_limit(),
        work_mem: state.limits().work_mem,
    };
    work(&context)
}

impl Running {
    /// The next rows; none at the end.
    pub(crate) fn next(&mut self, state: &State, max: usize) -> Result<Vec<Row>> {
        let execution = &mut self.execution;
        with_context(state, &self.facts, &self.params, |cx| execution.next_batch(cx, max))
    }

    /// All rows that are left.
    pub(super) fn rest(&mut self, state: &State) -> Result<VecDeque<Row>> {
        let mut rows = VecDeque::new();
        loop {
            let batch = self.next(state, BATCH_ROWS)?;
            if batch.is_empty() {
                return Ok(rows);
            }
            rows.extend(batch);
        }
    }
}
