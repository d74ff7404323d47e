//! The settings that exist: name, kind, default.
//!
//! Those that Cairn acts on, and those that drivers, poolers, dumps and ORMs set at startup and
//! that change nothing here; refusing the latter would refuse the client.

use super::kind::{Kind, Unit};

/// One setting.
#[derive(Debug)]
pub(crate) struct Definition {
    /// Its name as `SHOW` heads it.
    pub(crate) name: &'static str,
    /// What values it takes.
    pub(crate) kind: Kind,
    /// Its value when nobody set one, as `SHOW` prints it.
    pub(crate) default: &'static str,
    /// Whether clients are told about changes (`ParameterStatus`).
    pub(crate) is_reported: bool,
    /// Whether it cannot be set.
    pub(crate) is_read_only: bool,
    /// Whether `SHOW ALL` leaves it out.
    pub(crate) is_hidden: bool,
}

const fn setting(name: &'static str, kind: Kind, default: &'static str) -> Definition {
    let (is_reported, is_read_only, is_hidden) = (false, false, false);
    Definition { name, kind, default, is_reported, is_read_only, is_hidden }
}

const fn reported(name: &'static str, kind: Kind, default: &'static str) -> Definition {
    let mut definition = setting(name, kind, default);
    definition.is_reported = true;
    definition
}

const fn fixed(name: &'static str, kind: Kind, default: &'static str) -> Definition {
    let mut definition = setting(name, kind, default);
    definition.is_read_only = true;
    definition
}

const fn fixed_reported(name: &'static str, kind: Kind, default: &'static str) -> Definition {
    let mut definition = fixed(name, kind, default);
    definition.is_reported = true;
    definition
}

const fn hidden(name: &'static str, kind: Kind, default: &'static str) -> Definition {
    let mut definition = setting(name, kind, default);
    definition.is_hidden = true;
    definition
}

const fn int(min: i64, max: i64) -> Kind {
    Kind::Int { min, max, unit: Unit::None }
}

const fn millis(min: i64) -> Kind {
    Kind::Int { min, max: I32_MAX, unit: Unit::Millis }
}

const fn kilobytes(min: i64) -> Kind {
    Kind::Int { min, max: I32_MAX, unit: Unit::Kilobytes }
}

const I32_MAX: i64 = 2_147_483_647;
const ISOLATION: Kind =
    Kind::Enum(&["serializable", "repeatable read", "read committed", "read uncommitted"]);
const MESSAGES: Kind = Kind::Enum(&[
    "debug5", "debug4", "debug3", "debug2", "debug1", "log", "notice", "warning", "error",
]);
const COST: Kind = Kind::Real { min: 0.0, max: f64::MAX };

/// Postgres 15 is what clients take us for.
pub(crate) const SERVER_VERSION: &str = concat!("15.0 (Cairn ", env!("CARGO_PKG_VERSION"), ")");

/// Every setting, sorted by lower-case name.
pub(crate) static DEFINITIONS: &[Definition] = &[
    reported("application_name", Kind::Text, ""),
    setting("array_nulls", Kind::Bool, "on"),
    setting("backslash_quote", Kind::Enum(&["safe_encoding", "on", "off"]), "safe_encoding"),
    fixed("block_size", int(8192, 8192), "8192"),
    setting("bytea_output", Kind::Enum(&["escape", "hex"]), "hex"),
    setting("check_function_bodies", Kind::Bool, "on"),
    reported("client_encoding", Kind::Encoding, "UTF8"),
    setting("client_min_messages", MESSAGES, "notice"),
    setting("constraint_exclusion", Kind::Enum(&["partition", "on", "off"]), "partition"),
    setting("cpu_index_tuple_cost", COST, "0.005"),
    setting("cpu_operator_cost", COST, "0.0025"),
    setting("cpu_tuple_cost", COST, "0.01"),
    setting("cursor_tuple_fraction", Kind::Real { min: 0.0, max: 1.0 }, "0.1"),
    reported("DateStyle", Kind::DateStyle, "ISO, MDY"),
    setting("deadlock_timeout", millis(1), "1s"),
    setting("default_statistics_target", int(1, 10_000), "100"),
    setting("default_table_access_method", Kind::Text, "heap"),
    setting("default_tablespace", Kind::Text, ""),
    setting("default_text_search_config", Kind::Text, "pg_catalog.english"),
    setting("default_toast_compression", Kind::Enum(&["pglz", "lz4"]), "pglz"),
    setting("default_transaction_deferrable", Kind::Bool, "off"),
    setting("default_transaction_isolation", ISOLATION, "read committed"),
    reported("default_transaction_read_only", Kind::Bool, "off"),
    setting("default_with_oids", Kind::Bool, "off"),
    setting("effective_cache_size", Kind::Int { min: 1, max: I32_MAX, unit: Unit::Blocks }, "4GB"),
    setting("enable_bitmapscan", Kind::Bool, "on"),
    setting("enable_hashagg", Kind::Bool, "on"),
    setting("enable_hashjoin", Kind::Bool, "on"),
    setting("enable_indexonlyscan", Kind::Bool, "on"),
    setting("enable_indexscan", Kind::Bool, "on"),
    setting("enable_material", Kind::Bool, "on"),
    setting("enable_memoize", Kind::Bool, "on"),
    setting("enable_mergejoin", Kind::Bool, "on"),
    setting("enable_nestloop", Kind::Bool, "on"),
    setting("enable_seqscan", Kind::Bool, "on"),
    setting("enable_sort", Kind::Bool, "on"),
    setting("escape_string_warning", Kind::Bool, "on"),
    setting("exit_on_error", Kind::Bool, "off"),
    setting("extra_float_digits", int(-15, 3), "1"),
    setting("force_parallel_mode", Kind::Enum(&["off", "on", "regress"]), "off"),
    setting("from_collapse_limit", int(1, I32_MAX), "8"),
    setting("geqo", Kind::Bool, "on"),
    setting("gin_fuzzy_search_limit", int(0, I32_MAX), "0"),
    setting("hash_mem_multiplier", Kind::Real { min: 1.0, max: 1000.0 }, "2"),
    setting("idle_in_transaction_session_timeout", millis(0), "0"),
    setting("idle_session_timeout", millis(0), "0"),
    fixed_reported("in_hot_standby", Kind::Bool, "off"),
    fixed_reported("integer_datetimes", Kind::Bool, "on"),
    reported("IntervalStyle", Kind::IntervalStyle, "postgres"),
    fixed_reported("is_superuser", Kind::Bool, "on"),
    setting("jit", Kind::Bool, "off"),
    setting("join_collapse_limit", int(1, I32_MAX), "8"),
    fixed("lc_collate", Kind::Text, "C"),
    fixed("lc_ctype", Kind::Text, "C.UTF-8"),
    setting("lc_messages", Kind::Text, "C"),
    setting("lc_monetary", Kind::Text, "C"),
    setting("lc_numeric", Kind::Text, "C"),
    setting("lc_time", Kind::Text, "C"),
    setting("lock_timeout", millis(0), "0"),
    setting("log_min_duration_statement", millis(-1), "-1"),
    setting("log_statement", Kind::Enum(&["none", "ddl", "mod", "all"]), "none"),
    setting("maintenance_work_mem", kilobytes(1024), "64MB"),
    fixed("max_connections", int(1, 262_143), "10000"),
    fixed("max_identifier_length", int(63, 63), "63"),
    fixed("max_index_keys", int(32, 32), "32"),
    setting("max_parallel_workers_per_gather", int(0, 1024), "0"),
    fixed("max_prepared_transactions", int(0, 0), "0"),
    setting("password_encryption", Kind::Enum(&["scram-sha-256"]), "scram-sha-256"),
    setting(
        "plan_cache_mode",
        Kind::Enum(&["auto", "force_generic_plan", "force_custom_plan"]),
        "auto",
    ),
    setting("quote_all_identifiers", Kind::Bool, "off"),
    setting("random_page_cost", COST, "4"),
    setting("role", Kind::Text, "none"),
    setting("row_security", Kind::Bool, "on"),
    setting("search_path", Kind::Text, "\"$user\", public"),
    setting("seed", Kind::Real { min: -1.0, max: 1.0 }, "0"),
    setting("seq_page_cost", COST, "1"),
    fixed_reported("server_encoding", Kind::Text, "UTF8"),
    fixed_reported("server_version", Kind::Text, SERVER_VERSION),
    fixed("server_version_num", Kind::Text, "150000"),
    fixed_reported("session_authorization", Kind::Text, ""),
    setting("session_replication_role", Kind::Enum(&["origin", "replica", "local"]), "origin"),
    fixed("shared_buffers", Kind::Text, "256MB"),
    fixed("ssl", Kind::Bool, "off"),
    reported("standard_conforming_strings", Kind::AlwaysOn, "on"),
    setting("statement_timeout", millis(0), "0"),
    setting("synchronize_seqscans", Kind::Bool, "on"),
    setting(
        "synchronous_commit",
        Kind::Enum(&["local", "remote_write", "remote_apply", "on", "off"]),
        "on",
    ),
    setting("temp_buffers", Kind::Int { min: 100, max: I32_MAX, unit: Unit::Blocks }, "8MB"),
    reported("TimeZone", Kind::TimeZone, "UTC"),
    setting("track_activities", Kind::Bool, "on"),
    hidden("transaction_deferrable", Kind::Bool, "off"),
    hidden("transaction_isolation", ISOLATION, "read committed"),
    hidden("transaction_read_only", Kind::Bool, "off"),
    setting("transaction_timeout", millis(0), "0"),
    setting("transform_null_equals", Kind::Bool, "off"),
    fixed("wal_level", Kind::Text, "replica"),
    setting("work_mem", kilobytes(64), "4MB"),
    setting("xmloption", Kind::Enum(&["content", "document"]), "content"),
];

/// The setting of a name, in any case.
pub(crate) fn definition(name: &str) -> Option<&'static Definition> {
    let by_name = |known: &Definition| {
        let known = known.name.bytes().map(|byte| byte.to_ascii_lowercase());
        known.cmp(name.bytes().map(|byte| byte.to_ascii_lowercase()))
    };
    let is = |alias: &str| name.eq_ignore_ascii_case(alias);
    let canonical = match name {
        _ if is("time zone") => "TimeZone",
        _ if is("names") => "client_encoding",
        _ => return DEFINITIONS.get(DEFINITIONS.binary_search_by(by_name).ok()?),
    };
    DEFINITIONS.iter().find(|known| known.name == canonical)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_sorted_and_normal() {
        let names: Vec<String> =
            DEFINITIONS.iter().map(|known| known.name.to_ascii_lowercase()).collect();
        assert!(names.is_sorted(), "{names:?}");
        for known in DEFINITIONS {
            assert!(std::ptr::eq(definition(known.name).unwrap(), known));
            assert_eq!(known.kind.normalize(known.name, known.default).unwrap(), known.default);
        }
    }
}
