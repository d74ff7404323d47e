//! Sequences: `nextval` and its kin.

use super::Builder;
use super::argument::{arg, optional};
use crate::catalog::{ColumnDefault, TableDef};
use crate::error::{Error, Result, SqlState};
use crate::expression::EvalContext;
use crate::identifier::quote_qualified;
use crate::value::Value;
use crate::value::input::{InputContext, relation_oid};

pub(super) fn register(builder: &mut Builder) {
    // What a sequence in FROM shows; the names are out of the reach of SQL as people write it.
    builder
        .function("last value of sequence(oid) -> int8", |ctx, args| {
            ctx.services.system_call("sequence_position", args)
        })
        .volatile();
    builder
        .function("is sequence called(oid) -> bool", |ctx, args| {
            ctx.services.system_call("sequence_is_called", args)
        })
        .volatile();
    builder
        .function("nextval(regclass) -> int8", |ctx, args| {
            ctx.services.sequence_next(arg(args, 0)?).map(Value::Int8)
        })
        .volatile();
    builder
        .function("currval(regclass) -> int8", |ctx, args| {
            ctx.services.sequence_current(arg(args, 0)?).map(Value::Int8)
        })
        .volatile();
    builder
        .function("lastval() -> int8", |ctx, _| ctx.services.sequence_last().map(Value::Int8))
        .volatile();
    builder
        .function("setval(regclass, int8, [bool]) -> int8", |ctx, args| {
            let is_called = optional(args, 2)?.unwrap_or(true);
            let value = ctx.services.sequence_set(arg(args, 0)?, arg(args, 1)?, is_called)?;
            Ok(Value::Int8(value))
        })
        .volatile();
    let serial = "pg_get_serial_sequence(text, text) -> text";
    builder
        .function(serial, |ctx, args| serial_sequence(ctx, arg(args, 0)?, arg(args, 1)?))
        .stable();
}

/// The sequence behind a column; the table's name is read as SQL, the column's as it is.
fn serial_sequence(ctx: &EvalContext<'_>, table: &str, column: &str) -> Result<Value> {
    let catalog = ctx.services.catalog();
    let input = InputContext { facts: ctx.statement, catalog: Some(catalog) };
    let oid = relation_oid(table, input)?;
    let found = catalog.table(oid).ok_or_else(|| {
        Error::new(SqlState::WRONG_OBJECT_TYPE, format!("\"{table}\" is not a table"))
    })?;
    let position = found.column(column).ok_or_else(|| {
        let message = format!("column \"{column}\" of relation \"{}\" does not exist", found.name);
        Error::new(SqlState::UNDEFINED_COLUMN, message)
    })?;
    let own = identity_sequence(found, position);
    let is_owned = |owner: Option<(u32, usize)>| owner == Some((oid, position));
    let mut sequences = catalog.sequences.values();
    let sequence =
        sequences.find(|sequence| Some(sequence.oid) == own || is_owned(sequence.owned_by));
    Ok(match sequence {
        Some(sequence) => Value::text(quote_qualified(&sequence.schema, &sequence.name)),
        None => Value::Null,
    })
}

fn identity_sequence(table: &TableDef, position: usize) -> Option<u32> {
    match table.columns.get(position)?.default {
        Some(ColumnDefault::Identity { sequence, .. }) => Some(sequence),
        _ => None,
    }
}
