//! Functions that ask about or act on the running system: `pg_notify`, `pg_cancel_backend`, …

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::state::State;
use crate::database::backends::Interrupt;
use crate::database::notifications::Notification;
use crate::database::sequences::Position;
use crate::error::{Error, Result, SqlState};
use crate::expression::context::Services;
use crate::expression::functions::void;
use crate::value::{Array, Type, Value};

/// Bytes that a notification may carry, as in Postgres.
const PAYLOAD_LEN_MAX: usize = 8000;
/// Bytes of a channel's name.
const CHANNEL_LEN_MAX: usize = 63;
/// How often `pg_sleep` looks whether it was cancelled.
const SLEEP_SLICE: Duration = Duration::from_millis(10);

/// Answers a call by name.
///
/// # Errors
/// 0A000 for what does not exist, and what each call meets.
pub(super) fn call(state: &State, name: &str, args: &[Value]) -> Result<Value> {
    match (name, args) {
        ("pg_notify", [channel, payload]) => {
            notify(state, text(channel), text(payload))?;
            Ok(void())
        }
        ("pg_cancel_backend", [Value::Int4(process_id)]) => {
            signal(state, *process_id, |backend| backend.interrupt(Interrupt::Cancel))
        }
        ("pg_terminate_backend", [Value::Int4(process_id), ..]) => {
            signal(state, *process_id, crate::database::backends::Backend::terminate)
        }
        ("pg_current_xact_id" | "txid_current" | "pg_current_xact_id_if_assigned", []) => {
            Ok(Value::Int8(i64::try_from(state.transaction().id()).unwrap_or(i64::MAX)))
        }
        ("pg_listening_channels", []) => {
            let channels = state.database.shared.notifications.channels_of(&state.backend);
            let channels = channels.into_iter().map(Value::Text).collect();
            Ok(array(Type::Text, channels))
        }
        ("pg_blocking_pids", [Value::Int4(process_id)]) => Ok(blocking(state, *process_id)),
        ("pg_sleep", [Value::Float8(seconds)]) => {
            sleep(state, *seconds)?;
            Ok(void())
        }
        ("cairn_backup", [Value::Text(target)]) => {
            require_superuser(state)?;
            let made = state.database.engine().backup(Path::new(&**target))?;
            Ok(Value::Int8(i64::try_from(made.backup.id).unwrap_or(i64::MAX)))
        }
        ("cairn_checkpoint", [Value::Text(dir)]) => {
            require_superuser(state)?;
            state.database.engine().checkpoint(Path::new(&**dir))?;
            Ok(void())
        }
        ("pg_is_in_recovery", []) => Ok(Value::Bool(false)),
        ("sequence_position", [Value::Oid(oid)]) => Ok(Value::Int8(position(state, *oid)?.value)),
        ("sequence_is_called", [Value::Oid(oid)]) => {
            Ok(Value::Bool(position(state, *oid)?.is_called))
        }
        ("pg_sequence_last_value", [Value::Oid(oid)]) => last_value(state, *oid),
        ("pg_relation_size" | "pg_table_size", [Value::Oid(oid)]) => {
            Ok(Value::Int8(table_size(state, *oid)))
        }
        ("pg_indexes_size", [Value::Oid(oid)]) => Ok(Value::Int8(indexes_size(state, *oid)?)),
        ("pg_total_relation_size", [Value::Oid(oid)]) => {
            let indexes = indexes_size(state, *oid)?;
            Ok(Value::Int8(table_size(state, *oid).saturating_add(indexes)))
        }
        ("pg_database_size", [Value::Text(_) | Value::Oid(_)]) => {
            Ok(Value::Int8(store_size(state)))
        }
        _ => Err(Error::unsupported(format!("function {name}"))),
    }
}

/// The last number that a sequence gave; NULL before the first.
fn position(state: &State, oid: u32) -> Result<Position> {
    let def = state.catalog.sequences.get(&oid);
    let def = def.ok_or_else(|| Error::internal(format!("sequence {oid} is gone")))?;
    state.database.shared.sequences.position(&state.database.shared.db, def)
}

fn last_value(state: &State, oid: u32) -> Result<Value> {
    let Some(def) = state.catalog.sequences.get(&oid) else { return Ok(Value::Null) };
    let shared = &state.database.shared;
    let position = shared.sequences.position(&shared.db, def)?;
    Ok(if position.is_called { Value::Int8(position.value) } else { Value::Null })
}

/// Bytes of a table's rows as they were last counted; nothing is known before.
fn table_size(state: &State, oid: u32) -> i64 {
    let catalog = &state.catalog;
    let stored = catalog.views.get(&oid).and_then(|view| view.materialized).unwrap_or(oid);
    let statistics = &state.database.shared.execution.statistics;
    let known = catalog.table(stored).and_then(|table| {
        let width = statistics.table(table.storage())?.width;
        Some(statistics.rows(table.storage())? * width)
    });
    #[expect(clippy::cast_possible_truncation, reason = "an estimate of a size")]
    known.map_or(0, |bytes| bytes as i64)
}

/// Bytes of a table's indexes.
fn indexes_size(state: &State, oid: u32) -> Result<i64> {
    let Some(table) = state.catalog.table(oid) else { return Ok(0) };
    let len = state.database.indexes_len(&state.catalog, table)?;
    Ok(i64::try_from(len).unwrap_or(i64::MAX))
}

/// Bytes of the whole store. Databases share its files, so one of them has no size of its own.
fn store_size(state: &State) -> i64 {
    let stats = state.database.engine().stats().lsm;
    let files: u64 = stats.levels.iter().map(|level| level.len_bytes).sum();
    i64::try_from(files.saturating_add(stats.memtable_len_bytes)).unwrap_or(i64::MAX)
}

fn text(value: &Value) -> &str {
    match value {
        Value::Text(text) => text,
        _ => "",
    }
}

fn array(element: Type, elements: Vec<Value>) -> Value {
    let dimensions = if elements.is_empty() { Vec::new() } else { vec![(elements.len(), 1)] };
    Value::Array(Arc::new(Array { element, dimensions, elements }))
}

/// Queues a notification: it is sent when the transaction commits.
pub(super) fn notify(state: &State, channel: &str, payload: &str) -> Result<()> {
    let refuse = |message: &str| Err(Error::new(SqlState::INVALID_PARAMETER_VALUE, message));
    if channel.is_empty() {
        return refuse("channel name cannot be empty");
    }
    if channel.len() > CHANNEL_LEN_MAX {
        return refuse("channel name too long");
    }
    if payload.len() >= PAYLOAD_LEN_MAX {
        return refuse("payload string too long");
    }
    let notification = Notification {
        process_id: state.backend.process_id,
        channel: Arc::from(channel),
        payload: Arc::from(payload),
    };
    let mut block = state.block.borrow_mut();
    // The same message twice in one transaction is sent once, as in Postgres.
    if !block.notifications.contains(&notification) {
        block.notifications.push(notification);
    }
    Ok(())
}

fn signal(
    state: &State,
    process_id: i32,
    send: impl FnOnce(&crate::database::backends::Backend),
) -> Result<Value> {
    let Some(backend) = state.database.backends().get(process_id) else {
        let message = format!("PID {process_id} is not a PostgreSQL server process");
        state.warn(SqlState::WARNING, message);
        return Ok(Value::Bool(false));
    };
    if *backend.user != *state.user() && !is_superuser(state) {
        let message = "must be a member of the role whose query is being canceled";
        return Err(Error::new(SqlState::INSUFFICIENT_PRIVILEGE, message));
    }
    send(&backend);
    Ok(Value::Bool(true))
}

fn is_superuser(state: &State) -> bool {
    state.globals().roles.get(&*state.user()).is_some_and(|role| role.is_superuser)
}

/// Refuses everybody else what reaches outside of the database.
fn require_superuser(state: &State) -> Result<()> {
    if is_superuser(state) {
        return Ok(());
    }
    let message = "only superusers may copy the data directory";
    Err(Error::new(SqlState::INSUFFICIENT_PRIVILEGE, message))
}

fn blocking(state: &State, process_id: i32) -> Value {
    let backends = state.database.backends();
    let blockers = match backends.get(process_id) {
        Some(backend) => state.database.engine().blocking(backend.lock_owner),
        None => Vec::new(),
    };
    let all = backends.all();
    let by_owner = blockers.into_iter().filter_map(|owner| {
        all.iter().find(|backend| backend.lock_owner == owner).map(|backend| backend.process_id)
    });
    array(Type::Int4, by_owner.map(Value::Int4).collect())
}

fn sleep(state: &State, seconds: f64) -> Result<()> {
    let length = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX);
    let began = Instant::now();
    loop {
        state.check_cancelled()?;
        let left = length.saturating_sub(began.elapsed());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(SLEEP_SLICE));
    }
}
