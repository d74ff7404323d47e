//! What a session hands back: command tags, notices, columns.

use std::borrow::Cow;

use crate::error::{Error, SqlState};

pub use crate::plan::{OutputColumn, Row};

/// The tag that ends a command: `SELECT 5`, `INSERT 0 1`, `CREATE TABLE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandTag {
    /// A fixed text.
    Text(Cow<'static, str>),
    /// A word and a number of rows.
    Rows(&'static str, u64),
}

impl CommandTag {
    /// How many rows it counts.
    pub fn rows(&self) -> u64 {
        match self {
            Self::Text(_) => 0,
            Self::Rows(_, rows) => *rows,
        }
    }
}

impl From<&'static str> for CommandTag {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl std::fmt::Display for CommandTag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            // The zero was once the OID of the row.
            Self::Rows("INSERT", rows) => write!(f, "INSERT 0 {rows}"),
            Self::Rows(word, rows) => write!(f, "{word} {rows}"),
        }
    }
}

/// How serious a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// `DEBUG`
    Debug,
    /// `LOG`
    Log,
    /// `INFO`
    Info,
    /// `NOTICE`
    Notice,
    /// `WARNING`
    Warning,
}

impl Severity {
    /// Its word on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Log => "LOG",
            Self::Info => "INFO",
            Self::Notice => "NOTICE",
            Self::Warning => "WARNING",
        }
    }
}

/// Something to tell the client that is no error.
#[derive(Clone, Debug)]
pub struct Notice {
    /// How serious it is.
    pub severity: Severity,
    /// Its fields, which are those of an error.
    pub report: Error,
}

impl Notice {
    /// A `NOTICE`.
    #[expect(clippy::self_named_constructors, reason = "its severity is called so")]
    pub fn notice(report: Error) -> Self {
        Self { severity: Severity::Notice, report }
    }

    /// A `WARNING`.
    pub fn warning(state: SqlState, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, report: Error::new(state, message) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_print_as_in_postgres() {
        assert_eq!(CommandTag::Rows("INSERT", 1).to_string(), "INSERT 0 1");
        assert_eq!(CommandTag::Rows("SELECT", 5).to_string(), "SELECT 5");
        assert_eq!(CommandTag::from("CREATE TABLE").to_string(), "CREATE TABLE");
    }
}
