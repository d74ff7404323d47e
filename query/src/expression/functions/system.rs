//! Functions about the session and the system (Postgres manual 9.26, 9.27): settings, identity,
//! advisory locks.

use super::Builder;
use super::argument::{arg, optional};
use crate::catalog::temporary::is_temporary;
use crate::error::{Error, Result, SqlState};
use crate::expression::EvalContext;
use crate::expression::context::{AdvisoryKey, AdvisoryMode};
use crate::value::{Type, Value};

/// What `version()` answers; drivers and tools look for the first two words.
const VERSION: &str = concat!("PostgreSQL 15.0 (Cairn ", env!("CARGO_PKG_VERSION"), ")");

pub(super) fn register(builder: &mut Builder) {
    register_session(builder);
    register_settings(builder);
    register_advisory(builder);
}

fn register_session(builder: &mut Builder) {
    builder.function("version() -> text", |_, _| Ok(Value::text(VERSION))).stable();
    builder
        .function("session_user() -> name", |ctx, _| {
            let name = ctx.services.setting("session_authorization");
            Ok(name.map_or(Value::Null, Value::text))
        })
        .stable();
    for name in ["current_user", "current_role", "user"] {
        builder
            .function(&format!("{name}() -> name"), |ctx, _| {
                Ok(Value::Text(ctx.statement.user.clone()))
            })
            .stable();
    }
    for name in ["current_database", "current_catalog"] {
        builder
            .function(&format!("{name}() -> name"), |ctx, _| {
                Ok(Value::Text(ctx.statement.database.clone()))
            })
            .stable();
    }
    builder
        .function("current_schema() -> name", |ctx, _| {
            let first = existing_schemas(ctx).find(|schema| !is_temporary(schema));
            Ok(first.map_or(Value::Null, Value::text))
        })
        .stable();
    builder
        .function("current_schemas(bool) -> name[]", |ctx, args| {
            let with_implicit: bool = arg(args, 0)?;
            let own = existing_schemas(ctx).filter(|schema| with_implicit && is_temporary(schema));
            let implicit = own.chain(with_implicit.then_some("pg_catalog"));
            let others = existing_schemas(ctx).filter(|schema| !is_temporary(schema));
            let names = implicit.chain(others).map(Value::text).collect();
            Ok(Value::array(Type::Name, names))
        })
        .stable();
    builder
        .function("pg_backend_pid() -> int4", |ctx, _| Ok(Value::Int4(ctx.statement.process_id)))
        .stable();
    builder.function("pg_is_in_recovery() -> bool", |_, _| Ok(Value::Bool(false))).stable();
    builder
        .function("pg_sleep(float8) -> void", |ctx, args| {
            sleep(ctx, arg(args, 0)?)?;
            Ok(void())
        })
        .volatile();
    builder
        .function("gen_random_uuid() -> uuid", |_, _| {
            Ok(Value::Uuid(uuid::Uuid::new_v4().into_bytes().into()))
        })
        .volatile();
    builder
        .function("uuid_generate_v4() -> uuid", |_, _| {
            Ok(Value::Uuid(uuid::Uuid::new_v4().into_bytes().into()))
        })
        .volatile();
}

fn existing_schemas<'a>(ctx: &'a EvalContext<'_>) -> impl Iterator<Item = &'a str> {
    let catalog = ctx.services.catalog();
    let path = ctx.statement.search_path.iter();
    path.map(String::as_str).filter(|schema| catalog.schemas.contains_key(*schema))
}

/// Sleeps in short naps, so that a cancelled statement ends soon.
fn sleep(ctx: &EvalContext<'_>, seconds: f64) -> Result<Value> {
    ctx.services.system_call("pg_sleep", &[Value::Float8(seconds)])
}

fn register_settings(builder: &mut Builder) {
    builder
        .function("current_setting(text, [bool]) -> text", |ctx, args| {
            let name: &str = arg(args, 0)?;
            match ctx.services.setting(name) {
                Some(value) => Ok(Value::text(value)),
                None if optional(args, 1)?.unwrap_or(false) => Ok(Value::Null),
                None => {
                    let message = format!("unrecognized configuration parameter \"{name}\"");
                    Err(Error::new(SqlState::UNDEFINED_SETTING, message))
                }
            }
        })
        .stable();
    builder
        .function("set_config(text, text, bool) -> text", |ctx, args| {
            let name: &str = match args {
                [Value::Null, ..] => return Err(no_name()),
                args => arg(args, 0)?,
            };
            // NULL is the value that a setting has when nobody sets it.
            let value: &str = optional(args, 1)?.unwrap_or_default();
            let is_local = optional(args, 2)?.unwrap_or(false);
            ctx.services.set_setting(name, value, is_local)?;
            Ok(ctx.services.setting(name).map_or(Value::Null, Value::text))
        })
        .volatile()
        .nullable();
}

fn no_name() -> Error {
    Error::new(SqlState::NULL_VALUE_NOT_ALLOWED, "SET requires parameter name")
}

fn register_advisory(builder: &mut Builder) {
    for (name, mode) in ADVISORY {
        let result = if mode.is_try { "bool" } else { "void" };
        for params in ["int8", "int4, int4"] {
            let signature = format!("{name}({params}) -> {result}");
            builder.function(&signature, advisory_code(*mode)).volatile();
        }
    }
    for params in ["int8", "int4, int4"] {
        builder
            .function(&format!("pg_advisory_unlock({params}) -> bool"), |ctx, args| {
                Ok(Value::Bool(ctx.services.advisory_unlock(Some(advisory_key(args)?), false)))
            })
            .volatile();
        builder
            .function(&format!("pg_advisory_unlock_shared({params}) -> bool"), |ctx, args| {
                Ok(Value::Bool(ctx.services.advisory_unlock(Some(advisory_key(args)?), true)))
            })
            .volatile();
    }
    builder
        .function("pg_advisory_unlock_all() -> void", |ctx, _| {
            ctx.services.advisory_unlock(None, false);
            Ok(void())
        })
        .volatile();
}

/// What a function gives that gives nothing: it is not NULL.
pub(crate) fn void() -> Value {
    Value::text("")
}

const fn mode(is_transactional: bool, is_shared: bool, is_try: bool) -> AdvisoryMode {
    AdvisoryMode { is_transactional, is_shared, is_try }
}

const ADVISORY: &[(&str, AdvisoryMode)] = &[
    ("pg_advisory_lock", mode(false, false, false)),
    ("pg_advisory_lock_shared", mode(false, true, false)),
    ("pg_try_advisory_lock", mode(false, false, true)),
    ("pg_try_advisory_lock_shared", mode(false, true, true)),
    ("pg_advisory_xact_lock", mode(true, false, false)),
    ("pg_advisory_xact_lock_shared", mode(true, true, false)),
    ("pg_try_advisory_xact_lock", mode(true, false, true)),
    ("pg_try_advisory_xact_lock_shared", mode(true, true, true)),
];

fn advisory_code(wanted: AdvisoryMode) -> super::Eval {
    match (wanted.is_transactional, wanted.is_shared, wanted.is_try) {
        (false, false, false) => |ctx, args| advisory(ctx, args, mode(false, false, false)),
        (false, true, false) => |ctx, args| advisory(ctx, args, mode(false, true, false)),
        (false, false, true) => |ctx, args| advisory(ctx, args, mode(false, false, true)),
        (false, true, true) => |ctx, args| advisory(ctx, args, mode(false, true, true)),
        (true, false, false) => |ctx, args| advisory(ctx, args, mode(true, false, false)),
        (true, true, false) => |ctx, args| advisory(ctx, args, mode(true, true, false)),
        (true, false, true) => |ctx, args| advisory(ctx, args, mode(true, false, true)),
        (true, true, true) => |ctx, args| advisory(ctx, args, mode(true, true, true)),
    }
}

fn advisory(ctx: &EvalContext<'_>, args: &[Value], mode: AdvisoryMode) -> Result<Value> {
    let is_granted = ctx.services.advisory_lock(advisory_key(args)?, mode)?;
    Ok(if mode.is_try { Value::Bool(is_granted) } else { void() })
}

fn advisory_key(args: &[Value]) -> Result<AdvisoryKey> {
    match args {
        [Value::Int8(key)] => Ok(AdvisoryKey::Long(*key)),
        [Value::Int4(first), Value::Int4(second)] => Ok(AdvisoryKey::Pair(*first, *second)),
        _ => Err(Error::internal("not an advisory key")),
    }
}
