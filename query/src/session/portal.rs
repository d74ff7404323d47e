//! Portals: statements that run, row by row, as the client asks for them.

use std::collections::VecDeque;
use std::sync::Arc;

use super::prepared::Prepared;
use crate::copy::{CopyIn, CopyOut};
use crate::execute::Execution;
use crate::expression::context::StatementFacts;
use crate::result::{CommandTag, OutputColumn, Row};
use crate::value::Value;

/// Rows that one step gives at most: memory is bounded by this many, whatever the statement.
pub(super) const BATCH_ROWS: usize = 1024;

/// A statement with its parameters, and how far it has come.
pub struct Portal {
    pub(super) prepared: Arc<Prepared>,
    pub(super) params: Vec<Value>,
    /// The formats in which the client wants the columns; the session only keeps them.
    pub(super) formats: Vec<i16>,
    pub(super) run: Run,
    /// Rows given since the client last asked.
    pub(super) round: u64,
    /// Portals are numbered: rolling back to a savepoint drops the later ones.
    pub(super) number: u64,
}

/// How far a portal has come.
pub(super) enum Run {
    /// Not begun.
    Ready,
    /// Rows come as they are asked for.
    Rows(Box<Running>),
    /// All rows are here already.
    Buffered {
        /// Those that are left.
        rows: VecDeque<Row>,
        /// What ends it.
        tag: CommandTag,
    },
    /// COPY TO STDOUT
    CopyOut(Box<CopyOut>),
    /// COPY FROM STDIN
    CopyIn(Box<CopyIn>),
    /// Nothing is left.
    Done,
}

/// An execution with what it keeps from call to call.
pub(crate) struct Running {
    pub(super) execution: Execution,
    pub(super) params: Vec<Value>,
    pub(crate) facts: StatementFacts,
}

/// What came of one step.
#[derive(Debug)]
pub enum Step {
    /// Some rows; there may be more.
    Rows(Vec<Row>),
    /// The end.
    Complete(CommandTag),
    /// The statement was empty.
    Empty,
    /// COPY FROM STDIN begins: the client sends this many columns, in text form.
    CopyIn {
        /// How many columns.
        columns: usize,
        /// Whether the format is binary.
        is_binary: bool,
    },
    /// COPY TO STDOUT begins.
    CopyOut {
        /// How many columns.
        columns: usize,
        /// Whether the format is binary.
        is_binary: bool,
    },
}

impl Portal {
    pub(super) fn new(prepared: Arc<Prepared>, params: Vec<Value>, number: u64) -> Self {
        Self { prepared, params, formats: Vec::new(), run: Run::Ready, round: 0, number }
    }

    /// The statement.
    pub fn prepared(&self) -> &Arc<Prepared> {
        &self.prepared
    }

    /// The columns of its rows.
    pub fn columns(&self) -> &[OutputColumn] {
        &self.prepared.columns
    }

    /// The formats in which the client wants the columns.
    pub fn formats(&self) -> &[i16] {
        &self.formats
    }

    /// Whether it has come to its end.
    pub fn is_done(&self) -> bool {
        matches!(self.run, Run::Done)
    }
}
