//! Rows found through the primary key or an ordered index.

use std::collections::VecDeque;

use ahash::RandomState;
use cairn_engine::{Bytes, Direction, KeyRange, Scan, Space, keyspace};

use super::context::Context;
use super::table::range::{KeySpace, Target};
use super::table::referential_action::entry_row_key;
use super::table::row;
use crate::catalog::RowKeyDef;
use crate::error::{Error, Result, SqlState};
use crate::plan::{IndexScan as Plan, Row};

/// See [`crate::plan::Node::IndexScan`].
#[derive(Default)]
pub(crate) struct IndexScan {
    targets: Option<VecDeque<Target>>,
    current: Option<Scan>,
    /// Row keys given so far, when ranges overlap.
    seen: Option<std::collections::HashSet<Bytes, RandomState>>,
}

impl IndexScan {
    pub fn next(&mut self, plan: &Plan, cx: &Context<'_>, max: usize) -> Result<Vec<Row>> {
        if self.targets.is_none() {
            self.open(plan, cx)?;
        }
        let mut out = Vec::new();
        while out.len() < max {
            cx.check_cancelled()?;
            let Some((row_key, stored)) = self.advance(plan, cx)? else { break };
            if self.seen.as_mut().is_some_and(|seen| !seen.insert(row_key.clone())) {
                continue;
            }
            let row = row::output(&plan.scan.table, &plan.scan.output, &row_key, &stored)?;
            if cx.keeps(plan.scan.filter.as_ref(), None, &row)? {
                out.push(row);
            }
        }
        Ok(out)
    }

    /// Works out where to look, in the order of the index.
    fn open(&mut self, plan: &Plan, cx: &Context<'_>) -> Result<()> {
        let space = key_space(plan);
        let mut targets = Vec::with_capacity(plan.bounds.len());
        for bounds in &plan.bounds {
            targets.extend(space.targets(bounds, cx)?);
        }
        if targets.len() > 1 {
            targets.sort_by(|left, right| start(left).cmp(start(right)));
            targets.dedup();
            if plan.is_reverse {
                targets.reverse();
            }
            if targets.iter().any(|target| matches!(target, Target::Range(_))) {
                self.seen = Some(std::collections::HashSet::default());
            }
        }
        self.targets = Some(targets.into());
        Ok(())
    }

    /// The next row key and stored row.
    fn advance(&mut self, plan: &Plan, cx: &Context<'_>) -> Result<Option<(Bytes, Bytes)>> {
        loop {
            if let Some(scan) = &mut self.current {
                match scan.next().transpose()? {
                    Some((key, value)) => return fetch(plan, cx, &key, value).map(Some),
                    None => self.current = None,
                }
            }
            match self.targets.as_mut().and_then(VecDeque::pop_front) {
                None => return Ok(None),
                Some(Target::Range(range)) => self.current = Some(open_range(plan, cx, range)?),
                Some(Target::Point(key)) => {
                    if let Some(value) = cx.txn().get(&key)? {
                        return fetch(plan, cx, &Bytes::from(key), value).map(Some);
                    }
                }
            }
        }
    }
}

fn key_space(plan: &Plan) -> KeySpace<'_> {
    KeySpace { table: &plan.scan.table, index: plan.index.as_deref() }
}

fn open_range(plan: &Plan, cx: &Context<'_>, range: KeyRange) -> Result<Scan> {
    let direction = if plan.is_reverse { Direction::Reverse } else { Direction::Forward };
    Ok(cx.txn().scan(range, direction)?)
}

fn start(target: &Target) -> &[u8] {
    match target {
        Target::Point(key) => key,
        Target::Range(range) => &range.start,
    }
}

/// The row that a stored entry stands for.
fn fetch(plan: &Plan, cx: &Context<'_>, key: &Bytes, value: Bytes) -> Result<(Bytes, Bytes)> {
    let table = &plan.scan.table;
    let Some(index) = &plan.index else {
        return Ok((key.slice(keyspace::PREFIX_LEN..), value));
    };
    let row_key = entry_row_key(index, key, value)?;
    let address = keyspace::key(Space::Row, table.storage(), &row_key);
    let stored = cx.txn().get_likely(&address)?;
    let stored = stored.ok_or_else(|| dangling(&index.name, table.row_key == RowKeyDef::Hidden))?;
    Ok((row_key, stored))
}

/// An entry without its row: `verify` would report the same.
fn dangling(index: &str, is_numbered: bool) -> Error {
    let by = if is_numbered { "row number" } else { "primary key" };
    let message = format!("index \"{index}\" refers to a {by} that has no row");
    Error::new(SqlState::DATA_CORRUPTED, message)
}
