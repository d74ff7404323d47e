//! What stops the demo: a sentence for the person who runs it.

use std::fmt;

/// A sentence that says what went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(String);

/// Shorthand.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// From a whole sentence, without a full stop.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(db) => Self(format!("{} ({})", db.message(), db.code().code())),
            None => Self(error.to_string()),
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}
