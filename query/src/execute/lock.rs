//! `FOR UPDATE` and its kind.

use cairn_engine::{LockOutcome, WaitPolicy};

use super::context::Context;
use super::operator::Operator;
use super::table::lock::{self, Locked, row_address};
use super::table::row;
use crate::error::{Error, Result, SqlState};
use crate::plan::{Lock as Plan, LockTarget, LockWait, Node, Row};
use crate::value::Value;

/// See [`Node::Lock`].
pub(crate) struct Lock {
    input: Operator,
}

impl Lock {
    pub fn new(input: &Node) -> Self {
        Self { input: Operator::new(input) }
    }

    pub fn next(&mut self, plan: &Plan, cx: &Context<'_>, max: usize) -> Result<Vec<Row>> {
        loop {
            let rows = self.input.next(&plan.input, cx, max)?;
            if rows.is_empty() {
                return Ok(rows);
            }
            let mut locked = Vec::with_capacity(rows.len());
            for row in rows {
                cx.check_cancelled()?;
                locked.extend(lock_all(plan, cx, row)?);
            }
            if !locked.is_empty() {
                return Ok(locked);
            }
        }
    }
}

/// Locks what a row stands for in every target; `None` when it is to be left out.
fn lock_all(plan: &Plan, cx: &Context<'_>, mut row: Row) -> Result<Option<Row>> {
    let mut is_changed = false;
    for target in &plan.targets {
        let row_key = match row.get(target.row_key) {
            Some(Value::RowKey(row_key)) => row_key.clone(),
            // The side of an outer join that found no row.
            Some(Value::Null) => continue,
            _ => return Err(Error::internal("the row to lock has no key")),
        };
        let address = row_address(&target.table, &row_key);
        if !acquire(target, cx, &address)? {
            return Ok(None);
        }
        match lock::look(cx, &address)? {
            Locked::Unchanged => {}
            Locked::Gone => return Ok(None),
            Locked::Changed(stored) => {
                substitute(target, &stored, &mut row)?;
                is_changed = true;
            }
        }
    }
    if is_changed
        && let Some(recheck) = &plan.recheck
        && !cx.holds(recheck, &row)?
    {
        return Ok(None);
    }
    Ok(Some(row))
}

/// Locks one row; `false` when it is held and to be skipped.
fn acquire(target: &LockTarget, cx: &Context<'_>, address: &[u8]) -> Result<bool> {
    if target.wait == LockWait::Block {
        lock::wait(cx, address, target.strength)?;
        return Ok(true);
    }
    match (cx.txn().lock(address, target.strength, WaitPolicy::NoWait)?, target.wait) {
        (LockOutcome::Granted, _) => Ok(true),
        (LockOutcome::WouldBlock, LockWait::SkipLocked) => Ok(false),
        (LockOutcome::WouldBlock, _) => {
            let message =
                format!("could not obtain lock on row in relation \"{}\"", target.table.name);
            Err(Error::new(SqlState::LOCK_NOT_AVAILABLE, message))
        }
    }
}

/// Puts a row's newest columns where the joined row shows them.
fn substitute(target: &LockTarget, stored: &[u8], row: &mut Row) -> Result<()> {
    let newest = row::decode(&target.table, stored)?;
    for &(place, column) in &target.columns {
        if let (Some(place), Some(value)) = (row.get_mut(place), newest.get(column)) {
            *place = value.clone();
        }
    }
    Ok(())
}
