//! What becomes of referring rows when the key that they refer to goes or changes.

use cairn_engine::{Bytes, Direction, KeyRange, LockStrength, Scan, Space, keyspace};

use super::super::context::Context;
use super::entry::key_order;
use super::expiry::is_expired;
use super::foreign_key::{as_referring, still_referenced};
use super::lock::{self, row_address};
use super::write::same;
use super::{constraint, row, write};
use crate::catalog::{IndexDef, IndexMethod, ReferentialAction, TableDef};
use crate::error::{Error, Result};
use crate::expression::cast::cast;
use crate::plan::{ForeignKeyCheck, TableWriter};
use crate::value::{Value, key};

/// Makes the rows that refer to `key` follow its removal, or its change into `new`.
///
/// # Errors
/// 23503 when the action is to refuse.
pub(crate) fn follow(
    check: &ForeignKeyCheck,
    key: &[Value],
    new: Option<&[Value]>,
    cx: &Context<'_>,
) -> Result<()> {
    let action = if new.is_some() { check.key.on_update } else { check.key.on_delete };
    let Some(referring) = as_referring(check, key, &cx.eval) else { return Ok(()) };
    let mut writer = None;
    let mut rows = Referring::open(check, &referring, cx)?;
    while let Some(row_key) = rows.next(check, &referring, cx)? {
        cx.check_cancelled()?;
        if matches!(action, ReferentialAction::NoAction | ReferentialAction::Restrict) {
            return Err(still_referenced(check, key, cx));
        }
        let writer = match &mut writer {
            Some(writer) => writer,
            none => none.insert(Follower::new(check, cx)?),
        };
        writer.apply(action, check, (&referring, new), &row_key, cx)?;
    }
    Ok(())
}

/// Whether some row refers to a key, which is in the types of the referring columns.
///
/// # Errors
/// The engine's.
pub(crate) fn is_referred_to(
    check: &ForeignKeyCheck,
    key: &[Value],
    cx: &Context<'_>,
) -> Result<bool> {
    Ok(Referring::open(check, key, cx)?.next(check, key, cx)?.is_some())
}

/// What writing referring rows takes.
struct Follower {
    writer: TableWriter,
    /// Of the referring columns, for SET DEFAULT.
    defaults: Vec<crate::expression::Expr>,
}

impl Follower {
    fn new(check: &ForeignKeyCheck, cx: &Context<'_>) -> Result<Self> {
        let services = cx.run.cx.services;
        let writer = services.table_writer(&check.referencing)?;
        let actions = [check.key.on_delete, check.key.on_update];
        let mut defaults = Vec::new();
        if actions.contains(&ReferentialAction::SetDefault) {
            for &column in &check.key.columns {
                defaults.push(services.column_default(&check.referencing, column)?);
            }
        }
        Ok(Self { writer, defaults })
    }

    fn apply(
        &self,
        action: ReferentialAction,
        check: &ForeignKeyCheck,
        (key, new): (&[Value], Option<&[Value]>),
        row_key: &Bytes,
        cx: &Context<'_>,
    ) -> Result<()> {
        let address = row_address(&self.writer.table, row_key);
        // Changed by others since the snapshot is a failure where Postgres has one.
        let _ = lock::wait_for_row(cx, &address, LockStrength::Update)?;
        let Some(stored) = cx.txn().get_newest(&address)? else { return Ok(()) };
        let old = row::decode(&self.writer.table, &stored)?;
        if !refers(check, key, &old) {
            return Ok(());
        }
        if action == ReferentialAction::Cascade && new.is_none() {
            return write::delete(&self.writer, cx, row_key, &old);
        }
        let mut row = old.clone();
        for (position, &column) in check.key.columns.iter().enumerate() {
            let value = match action {
                ReferentialAction::Cascade => {
                    let new = new.and_then(|new| new.get(position));
                    new.map(|new| assigned(check, position, new, cx)).transpose()?
                }
                ReferentialAction::SetDefault => {
                    let default = self.defaults.get(position);
                    default.map(|expr| expr.eval(&cx.eval, &[])).transpose()?
                }
                _ => None,
            };
            let place = row.get_mut(column).ok_or_else(|| Error::internal("no such column"))?;
            *place = value.unwrap_or(Value::Null);
        }
        constraint::complete(&self.writer, cx, &mut row)?;
        write::update(&self.writer, cx, row_key, &old, &row).map(drop)
    }
}

/// A new referenced value as the referring column takes it.
fn assigned(
    check: &ForeignKeyCheck,
    position: usize,
    new: &Value,
    cx: &Context<'_>,
) -> Result<Value> {
    let of = |table: &TableDef, columns: &[usize]| {
        let column = columns.get(position).and_then(|column| table.columns.get(*column));
        column.map(|column| column.ty.clone()).ok_or_else(|| Error::internal("no such column"))
    };
    let from = of(&check.referenced, &check.key.referenced_columns)?;
    let to = of(&check.referencing, &check.key.columns)?;
    cast(&cx.eval, new.clone(), &from, &to, false)
}

/// The rows that refer to a key, found through an index when there is one.
struct Referring<'a> {
    scan: Scan,
    index: Option<&'a IndexDef>,
}

impl<'a> Referring<'a> {
    fn open(check: &'a ForeignKeyCheck, key: &[Value], cx: &Context<'_>) -> Result<Self> {
        let table = &check.referencing;
        let index = table.indexes.iter().find(|index| begins_with(index, &check.key.columns));
        let range = match index {
            Some(index) => {
                let mut prefix = keyspace::prefix(Space::Ordered, index.storage()).to_vec();
                for definition in index.keys.iter().take(check.key.columns.len()) {
                    let position =
                        check.key.columns.iter().position(|&c| Some(c) == definition.column);
                    let value = position.and_then(|position| key.get(position));
                    key::encode(&mut prefix, value.unwrap_or(&Value::Null), key_order(definition))?;
                }
                KeyRange::prefix(&prefix)
            }
            None => KeyRange::prefix(&keyspace::prefix(Space::Row, table.storage())),
        };
        let scan = cx.txn().scan_newest(range, Direction::Forward)?;
        Ok(Self { scan, index: index.map(|index| &**index) })
    }

    /// The row key of the next referring row.
    fn next(
        &mut self,
        check: &ForeignKeyCheck,
        key: &[Value],
        cx: &Context<'_>,
    ) -> Result<Option<Bytes>> {
        let table = &check.referencing;
        while let Some((stored_key, value)) = self.scan.next().transpose()? {
            cx.check_cancelled()?;
            let (row_key, stored) = match self.index {
                None => (stored_key.slice(keyspace::PREFIX_LEN..), Some(value)),
                Some(index) => {
                    let row_key = entry_row_key(index, &stored_key, value)?;
                    let stored = cx.txn().get_newest(&row_address(table, &row_key))?;
                    (row_key, stored)
                }
            };
            let Some(stored) = stored else { continue };
            let row = row::decode(table, &stored)?;
            let now = cx.eval.statement.transaction_time;
            if refers(check, key, &row) && !is_expired(table, &row, now) {
                return Ok(Some(row_key));
            }
        }
        Ok(None)
    }
}

/// The row key that a stored index entry holds.
pub(crate) fn entry_row_key(index: &IndexDef, key: &Bytes, value: Bytes) -> Result<Bytes> {
    if index.is_unique {
        return Ok(value);
    }
    if index.method == IndexMethod::Inverted {
        return super::inverted::row_key(key);
    }
    let mut rest = key.get(keyspace::PREFIX_LEN..).unwrap_or_default();
    for definition in &index.keys {
        rest = key::skip(rest, key_order(definition))?;
    }
    Ok(key.slice(key.len() - rest.len()..))
}

fn refers(check: &ForeignKeyCheck, key: &[Value], row: &[Value]) -> bool {
    check.key.columns.iter().zip(key).all(|(&column, value)| same(row.get(column), Some(value)))
}

/// Whether an index's leading columns are these, in any order.
fn begins_with(index: &IndexDef, columns: &[usize]) -> bool {
    let leading = index.keys.iter().take(columns.len()).filter_map(|key| key.column);
    let leading = leading.collect::<Vec<_>>();
    index.method == IndexMethod::Ordered
        && index.predicate.is_none()
        && leading.len() == columns.len()
        && columns.iter().all(|column| leading.contains(column))
}
