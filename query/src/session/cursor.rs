//! SQL cursors: DECLARE, FETCH, MOVE, CLOSE.

use std::sync::Arc;

use super::Session;
use super::block::BlockStatus;
use super::portal::{BATCH_ROWS, Running};
use super::state::State;
use crate::bind::{DeclareCursor, FetchDirection};
use crate::error::{Error, Result, SqlState};
use crate::plan::{OutputColumn, Row};

/// Rows that a cursor without SCROLL keeps, to go back to. One that has fetched more goes forward
/// only, in bounded memory.
const HISTORY_MAX: usize = 10_000;

/// A query that is read row by row by SQL statements.
pub(super) struct Cursor {
    columns: Arc<[OutputColumn]>,
    /// `None` once all rows are in `rows`.
    running: Option<Running>,
    /// Rows fetched from the execution; the first one is number `forgotten`, from 0.
    rows: Vec<Row>,
    forgotten: usize,
    /// How many rows lie before the cursor's place, counting the one it stands on: 0 is before
    /// the first row.
    position: usize,
    is_hold: bool,
    is_binary: bool,
    /// Whether it was kept by a commit.
    is_held: bool,
    scroll: Option<bool>,
    pub(super) number: u64,
}

impl Session {
    pub(super) fn declare(
        &mut self,
        declare: &DeclareCursor,
        params: Vec<crate::value::Value>,
    ) -> Result<()> {
        if !declare.is_hold && !self.state.block.borrow().is_explicit() {
            let message = "DECLARE CURSOR can only be used in transaction blocks";
            return Err(Error::new(SqlState::NO_ACTIVE_SQL_TRANSACTION, message));
        }
        if self.cursors.contains_key(&declare.name) {
            let message = format!("cursor \"{}\" already exists", declare.name);
            return Err(Error::new(SqlState::DUPLICATE_CURSOR, message));
        }
        let plan = self.optimized((*declare.plan).clone());
        let columns = plan.columns.clone().into();
        let running = self.begin_rows(plan, params)?;
        self.next_portal += 1;
        let cursor = Cursor {
            columns,
            running: Some(running),
            rows: Vec::new(),
            forgotten: 0,
            position: 0,
            is_hold: declare.is_hold,
            is_binary: declare.is_binary,
            is_held: false,
            scroll: declare.scroll,
            number: self.next_portal,
        };
        self.cursors.insert(declare.name.clone(), cursor);
        Ok(())
    }

    pub(super) fn cursor(&self, name: &str) -> Result<&Cursor> {
        self.cursors.get(name).ok_or_else(|| missing(name))
    }

    pub(super) fn fetch(&mut self, name: &str, direction: FetchDirection) -> Result<Vec<Row>> {
        let cursor = self.cursors.get_mut(name).ok_or_else(|| missing(name))?;
        cursor.fetch(&self.state, direction)
    }

    pub(super) fn close_cursor(&mut self, name: Option<&str>) -> Result<()> {
        match name {
            Some(name) => self.cursors.remove(name).map(|_| ()).ok_or_else(|| missing(name)),
            None => {
                self.cursors.clear();
                Ok(())
            }
        }
    }

    /// Before a commit: what WITH HOLD keeps is fetched to the end, the rest goes.
    pub(super) fn hold_cursors(&mut self) -> Result<()> {
        self.cursors.retain(|_, cursor| cursor.is_hold);
        for cursor in self.cursors.values_mut() {
            if self.state.block.borrow().status != BlockStatus::Failed {
                cursor.fetch_rest(&self.state)?;
            }
            cursor.is_held = true;
        }
        Ok(())
    }
}

fn missing(name: &str) -> Error {
    Error::new(SqlState::INVALID_CURSOR_NAME, format!("cursor \"{name}\" does not exist"))
}

impl Cursor {
    pub(super) fn columns(&self) -> &[OutputColumn] {
        &self.columns
    }

    /// Whether plain queries, too, get its rows in binary form.
    pub(super) fn is_binary(&self) -> bool {
        self.is_binary
    }

    /// Whether it outlives its transaction.
    pub(super) fn is_held(&self) -> bool {
        self.is_held
    }

    /// Fetches all rows that are left, and lets the execution go.
    pub(super) fn fetch_rest(&mut self, state: &State) -> Result<()> {
        if let Some(running) = &mut self.running {
            self.rows.extend(running.rest(state)?);
            self.running = None;
        }
        Ok(())
    }

    fn fetch(&mut self, state: &State, direction: FetchDirection) -> Result<Vec<Row>> {
        match direction {
            FetchDirection::Forward(0) | FetchDirection::Relative(0) => self.current(),
            FetchDirection::Forward(count) if count > 0 => {
                self.forward(state, usize::try_from(count).unwrap_or(usize::MAX))
            }
            FetchDirection::Forward(count) => {
                self.backward(usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX))
            }
            FetchDirection::ForwardAll => self.forward(state, usize::MAX),
            FetchDirection::BackwardAll => self.backward(usize::MAX),
            FetchDirection::Absolute(row) if row >= 0 => {
                self.go_to(state, usize::try_from(row).unwrap_or(usize::MAX))
            }
            FetchDirection::Absolute(row) => {
                self.read_to(state, usize::MAX)?;
                let back = usize::try_from(row.unsigned_abs()).unwrap_or(usize::MAX);
                let row = (self.count() + 1).saturating_sub(back);
                self.go_to(state, row)
            }
            FetchDirection::Relative(distance) => {
                let distance = isize::try_from(distance).unwrap_or(isize::MAX);
                self.go_to(state, self.position.saturating_add_signed(distance))
            }
        }
    }

    /// How many rows were fetched from the execution so far.
    fn count(&self) -> usize {
        self.forgotten + self.rows.len()
    }

    /// Makes sure that `count` rows were fetched, if there are as many.
    fn read_to(&mut self, state: &State, count: usize) -> Result<()> {
        while self.count() < count {
            let Some(running) = &mut self.running else { return Ok(()) };
            let wanted = (count - (self.forgotten + self.rows.len())).min(BATCH_ROWS);
            let rows = running.next(state, wanted)?;
            if rows.is_empty() {
                self.running = None;
            }
            self.rows.extend(rows);
        }
        Ok(())
    }

    fn forward(&mut self, state: &State, count: usize) -> Result<Vec<Row>> {
        let end = self.position.saturating_add(count);
        self.read_to(state, end)?;
        let rows = self.slice(self.position, end.min(self.count()))?;
        // Running off the end leaves the cursor behind the last row.
        self.position = end.min(self.count() + 1);
        self.forget();
        Ok(rows)
    }

    fn backward(&mut self, count: usize) -> Result<Vec<Row>> {
        self.require_scroll()?;
        let end = self.position.saturating_sub(1);
        let start = end.saturating_sub(count);
        let mut rows = self.slice(start, end)?;
        rows.reverse();
        self.position = if end < count { 0 } else { start + 1 };
        Ok(rows)
    }

    fn go_to(&mut self, state: &State, row: usize) -> Result<Vec<Row>> {
        if row < self.position {
            self.require_scroll()?;
        }
        self.read_to(state, row)?;
        self.position = row.min(self.count() + 1);
        let rows = self.current()?;
        self.forget();
        Ok(rows)
    }

    fn current(&mut self) -> Result<Vec<Row>> {
        if self.position == 0 || self.position > self.count() {
            return Ok(Vec::new());
        }
        self.slice(self.position - 1, self.position)
    }

    /// Rows by number, from 0.
    fn slice(&self, start: usize, end: usize) -> Result<Vec<Row>> {
        if start >= end {
            return Ok(Vec::new());
        }
        let range = start.checked_sub(self.forgotten).zip(end.checked_sub(self.forgotten));
        let rows = range.and_then(|(start, end)| self.rows.get(start..end));
        rows.map(<[Row]>::to_vec).ok_or_else(forward_only)
    }

    fn require_scroll(&self) -> Result<()> {
        if self.scroll == Some(false) { Err(forward_only()) } else { Ok(()) }
    }

    /// Bounds the memory of a cursor that was not declared to go back.
    fn forget(&mut self) {
        let passed = self.position.saturating_sub(1).saturating_sub(self.forgotten);
        let passed = passed.min(self.rows.len());
        let is_too_much = self.scroll == Some(false) || passed > HISTORY_MAX;
        if self.scroll != Some(true) && is_too_much {
            self.rows.drain(..passed);
            self.forgotten += passed;
        }
    }
}

fn forward_only() -> Error {
    Error::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, "cursor can only scan forward")
        .with_hint("Declare it with SCROLL option to enable backward scan.")
}
