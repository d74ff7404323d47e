//! The names of the schemas that temporary relations are in: one for each session.

/// How a statement calls its session's own schema.
pub const ALIAS: &str = "pg_temp";

/// What the names of such schemas begin with.
const PREFIX: &str = "pg_temp_";

/// The schema of the session of a process.
pub fn schema(process_id: i32) -> String {
    format!("{PREFIX}{process_id}")
}

/// Whether a schema is one of these.
pub fn is_temporary(schema: &str) -> bool {
    schema.starts_with(PREFIX)
}
