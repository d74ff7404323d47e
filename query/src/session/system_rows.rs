//! Rows of the catalogs that show the running system: `pg_stat_activity`, `pg_locks`,
//! `pg_settings`. Their columns are listed in [`crate::system`].

use std::collections::BTreeMap;
use std::sync::Arc;

use cairn_engine::keyspace::PREFIX_LEN;
use cairn_engine::txn::{LockInfo, LockMode, LockSpace};
use cairn_engine::{LockOwner, LockStrength, TableLockMode};

use super::settings::{Definition, Kind, Unit};
use super::state::State;
use crate::database::backends::{Backend, BackendState};
use crate::expression::context::SystemFacts;
use crate::plan::Row;
use crate::value::{Type, Value};

/// The rows of one of them, as of now.
pub(super) fn rows(state: &State, facts: SystemFacts) -> Vec<Row> {
    match facts {
        SystemFacts::Activity => activity(state),
        SystemFacts::Locks => locks(state),
        SystemFacts::Settings => settings(state),
    }
}

fn text(text: impl Into<Arc<str>>) -> Value {
    Value::Text(text.into())
}

fn time(time: Option<i64>) -> Value {
    time.map_or(Value::Null, Value::TimestampTz)
}

fn activity(state: &State) -> Vec<Row> {
    let globals = state.globals();
    let waiting: Vec<LockOwner> = state
        .database
        .engine()
        .locks()
        .into_iter()
        .filter(|lock| lock.waiting.is_some())
        .map(|lock| lock.owner)
        .collect();
    let backends = state.database.backends().all();
    let row = |backend: &Arc<Backend>| {
        let role = globals.roles.get(&*backend.user).map_or(0, |role| role.oid);
        backend_row(backend, role, waiting.contains(&backend.lock_owner))
    };
    backends.iter().map(row).collect()
}

fn backend_row(backend: &Backend, role: u32, is_waiting: bool) -> Row {
    let doing = backend.activity();
    let (wait_type, wait) = match (is_waiting, doing.state) {
        (true, _) => (text("Lock"), text("tuple")),
        (false, BackendState::Active) => (Value::Null, Value::Null),
        (false, _) => (text("Client"), text("ClientRead")),
    };
    let (address, port) = match backend.client {
        Some(client) => (text(client.ip().to_string()), Value::Int4(i32::from(client.port()))),
        None => (Value::Null, Value::Null),
    };
    vec![
        Value::Oid(backend.database_oid),
        Value::Text(backend.database.clone()),
        Value::Int4(backend.process_id),
        Value::Null,
        Value::Oid(role),
        Value::Text(backend.user.clone()),
        Value::Text(doing.application_name),
        address,
        Value::Null,
        port,
        Value::TimestampTz(backend.backend_start),
        time(doing.transaction_start),
        time(doing.query_start),
        Value::TimestampTz(doing.state_change),
        wait_type,
        wait,
        text(doing.state.name()),
        Value::Null,
        Value::Null,
        Value::Null,
        Value::Text(doing.query),
        text("client backend"),
    ]
}

/// What a lock is on, in the columns of `pg_locks`.
#[derive(Default)]
struct Target {
    kind: &'static str,
    database: Option<u32>,
    relation: Option<u32>,
    class: Option<u32>,
    object: Option<u32>,
    part: Option<i16>,
}

fn locks(state: &State) -> Vec<Row> {
    let backends = state.database.backends().all();
    let pids: BTreeMap<LockOwner, i32> =
        backends.iter().map(|backend| (backend.lock_owner, backend.process_id)).collect();
    let now = super::clock::now();
    let locks = state.database.engine().locks();
    let database = state.backend.database_oid;
    locks.iter().map(|lock| lock_row(lock, database, pids.get(&lock.owner).copied(), now)).collect()
}

fn lock_row(lock: &LockInfo, database: u32, pid: Option<i32>, now: i64) -> Row {
    let target = target(lock, database);
    let oid = |oid: Option<u32>| oid.map_or(Value::Null, Value::Oid);
    let since = lock
        .waiting
        .map(|waited| now.saturating_sub(i64::try_from(waited.as_micros()).unwrap_or(i64::MAX)));
    vec![
        text(target.kind),
        oid(target.database),
        oid(target.relation),
        Value::Null,
        Value::Null,
        Value::Null,
        Value::Null,
        oid(target.class),
        oid(target.object),
        target.part.map_or(Value::Null, Value::Int2),
        Value::Null,
        pid.map_or(Value::Null, Value::Int4),
        text(mode_name(lock)),
        Value::Bool(lock.waiting.is_none()),
        Value::Bool(false),
        time(since),
    ]
}

fn target(lock: &LockInfo, database: u32) -> Target {
    match lock.space {
        LockSpace::Key => {
            let relation = lock.key.get(1..PREFIX_LEN).and_then(number);
            // Whoever changes a table locks the start of its rows.
            let kind = if lock.key.len() == PREFIX_LEN { "relation" } else { "tuple" };
            Target { kind, database: Some(database), relation, ..Target::default() }
        }
        LockSpace::Table => {
            let relation = lock.key.last_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes));
            Target { kind: "relation", database: Some(database), relation, ..Target::default() }
        }
        LockSpace::Advisory => advisory(&lock.key),
    }
}

fn number(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

/// An advisory key: database, then 1 and a long, or 2 and a pair.
fn advisory(key: &[u8]) -> Target {
    let at = |from: usize| key.get(from..from + 4).and_then(number);
    let part = match key.get(4) {
        Some(1) => Some(1),
        _ => Some(2),
    };
    let (database, class, object) = (at(0), at(5), at(9));
    Target { kind: "advisory", database, class, object, part, ..Target::default() }
}

/// The mode in the words of Postgres' lock manager.
fn mode_name(lock: &LockInfo) -> &'static str {
    match lock.mode {
        LockMode::Row(LockStrength::Share) if lock.space == LockSpace::Advisory => "ShareLock",
        LockMode::Row(_) if lock.space == LockSpace::Advisory => "ExclusiveLock",
        LockMode::Row(LockStrength::KeyShare) => "AccessShareLock",
        LockMode::Row(LockStrength::Share) => "RowShareLock",
        LockMode::Row(LockStrength::NoKeyUpdate) => "ExclusiveLock",
        LockMode::Row(LockStrength::Update) => "AccessExclusiveLock",
        LockMode::Table(mode) => match mode {
            TableLockMode::AccessShare => "AccessShareLock",
            TableLockMode::RowShare => "RowShareLock",
            TableLockMode::RowExclusive => "RowExclusiveLock",
            TableLockMode::ShareUpdateExclusive => "ShareUpdateExclusiveLock",
            TableLockMode::Share => "ShareLock",
            TableLockMode::ShareRowExclusive => "ShareRowExclusiveLock",
            TableLockMode::Exclusive => "ExclusiveLock",
            TableLockMode::AccessExclusive => "AccessExclusiveLock",
        },
    }
}

fn settings(state: &State) -> Vec<Row> {
    let settings = state.settings.borrow();
    settings.all().into_iter().map(|(known, value)| setting_row(known, &value)).collect()
}

fn setting_row(known: &Definition, value: &str) -> Row {
    let (unit, least, most) = match known.kind {
        Kind::Int { min, max, unit } => {
            (unit_name(unit), text(min.to_string()), text(max.to_string()))
        }
        Kind::Real { min, max } => (Value::Null, text(min.to_string()), text(max.to_string())),
        _ => (Value::Null, Value::Null, Value::Null),
    };
    let words = match known.kind {
        Kind::Enum(words) => {
            Value::array(Type::Text, words.iter().map(|word| text(*word)).collect())
        }
        _ => Value::Null,
    };
    let context = if known.is_read_only { "internal" } else { "user" };
    let source = if value == known.default { "default" } else { "session" };
    let (shown, boot) = (bare(known, value), bare(known, known.default));
    vec![
        text(known.name),
        text(shown),
        unit,
        text(""),
        text(""),
        Value::Null,
        text(context),
        text(known.kind.name()),
        text(source),
        least,
        most,
        words,
        text(boot.clone()),
        text(boot),
        Value::Null,
        Value::Null,
        Value::Bool(false),
    ]
}

/// A value without its unit, which has a column of its own.
fn bare(known: &Definition, value: &str) -> String {
    match (known.kind, known.kind.number(value)) {
        (Kind::Int { .. }, Ok(number)) => number.to_string(),
        _ => value.to_owned(),
    }
}

fn unit_name(unit: Unit) -> Value {
    match unit {
        Unit::None => Value::Null,
        Unit::Millis => text("ms"),
        Unit::Kilobytes => text("kB"),
        Unit::Blocks => text("8kB"),
    }
}
