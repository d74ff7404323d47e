//! Sizes on disk (Postgres manual, table 9.96), and what asks about or acts on other sessions.

use super::Builder;
use super::argument::arg;
use crate::error::Result;
use crate::expression::EvalContext;
use crate::value::Value;

pub(super) fn register(builder: &mut Builder) {
    builder
        .function("pg_size_pretty(int8) -> text", |_, args| Ok(Value::text(pretty(arg(args, 0)?))));
    // Each is a call of its own to the running system.
    builder
        .function("pg_relation_size(regclass, [text]) -> int8", |ctx, args| {
            ask(ctx, "pg_relation_size", args)
        })
        .volatile();
    builder
        .function("pg_table_size(regclass) -> int8", |ctx, args| ask(ctx, "pg_table_size", args))
        .volatile();
    builder
        .function("pg_indexes_size(regclass) -> int8", |ctx, args| {
            ask(ctx, "pg_indexes_size", args)
        })
        .volatile();
    builder
        .function("pg_total_relation_size(regclass) -> int8", |ctx, args| {
            ask(ctx, "pg_total_relation_size", args)
        })
        .volatile();
    for database in ["name", "oid"] {
        builder
            .function(&format!("pg_database_size({database}) -> int8"), |ctx, args| {
                ask(ctx, "pg_database_size", args)
            })
            .volatile();
    }
    builder
        .function("pg_sequence_last_value(regclass) -> int8", |ctx, args| {
            ask(ctx, "pg_sequence_last_value", args)
        })
        .volatile();
    register_sessions(builder);
}

fn ask(ctx: &EvalContext<'_>, name: &str, args: &[Value]) -> Result<Value> {
    ctx.services.system_call(name, args.get(..1).unwrap_or(args))
}

fn register_sessions(builder: &mut Builder) {
    builder
        .function("pg_cancel_backend(int4) -> bool", |ctx, args| {
            ctx.services.system_call("pg_cancel_backend", args)
        })
        .volatile();
    builder
        .function("pg_terminate_backend(int4, [int8]) -> bool", |ctx, args| {
            ctx.services.system_call("pg_terminate_backend", args)
        })
        .volatile();
    builder
        .function("pg_blocking_pids(int4) -> int4[]", |ctx, args| {
            ctx.services.system_call("pg_blocking_pids", args)
        })
        .volatile();
    builder
        .function("pg_notify(text, text) -> void", |ctx, args| {
            ctx.services.system_call("pg_notify", args)?;
            Ok(super::system::void())
        })
        .volatile();
    builder
        .function("txid_current() -> int8", |ctx, args| {
            ctx.services.system_call("txid_current", args)
        })
        .stable();
}

/// Bytes in the largest unit that keeps at least two digits, as Postgres rounds them.
fn pretty(bytes: i64) -> String {
    const UNITS: [&str; 6] = ["bytes", "kB", "MB", "GB", "TB", "PB"];
    const LIMIT: u64 = 10 * 1024;
    let mut size = bytes.unsigned_abs();
    let sign = if bytes < 0 { "-" } else { "" };
    if size < LIMIT {
        return format!("{sign}{size} bytes");
    }
    // One bit more than the unit has is kept for rounding half up at the end.
    size >>= 9;
    let mut unit = 1;
    while size >= 2 * LIMIT - 1 && unit + 1 < UNITS.len() {
        size >>= 10;
        unit += 1;
    }
    format!("{sign}{} {}", size.div_ceil(2), UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::pretty;

    #[test]
    fn sizes_round_as_postgres_rounds_them() {
        for (bytes, shown) in [
            (0, "0 bytes"),
            (10_239, "10239 bytes"),
            (10_240, "10 kB"),
            (10_239_500, "10000 kB"),
            (10_485_247, "10239 kB"),
            (10_485_248, "10 MB"),
            (-20_480, "-20 kB"),
            (i64::MAX, "8192 PB"),
        ] {
            assert_eq!(pretty(bytes), shown, "{bytes}");
        }
    }
}
