//! Errors of the engine: about nine kinds, chosen by the reaction they call for.
//!
//! Errors are built only through the constructors here, so that nobody forgets the facts:
//! a corruption always names its file and offset, a limit always names itself.

use std::fmt;
use std::path::{Path, PathBuf};

/// The engine's result.
pub type Result<T> = std::result::Result<T, Error>;

/// What the caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Another transaction won; retry the transaction (SQLSTATE 40001).
    Conflict,
    /// Waiting would never end: a cycle of lock waits; retry the transaction (40P01).
    Deadlock,
    /// A lock was not granted within the time or policy given (55P03).
    LockNotAvailable,
    /// The request was cancelled by its client or by a time limit (57014).
    Cancelled,
    /// The request is wrong; change it (22xxx).
    Invalid,
    /// A declared limit was reached; the message names it (54000, 53xxx).
    Limit,
    /// The machine failed us; it may pass (58030). A full disk is [`ErrorKind::DiskFull`].
    Io,
    /// No space is left for the file that the error names (53100).
    DiskFull,
    /// Stored bytes are wrong; stop and run `cairn verify` (XX001).
    Corruption,
    /// The directory is held by another process, is not ours or is from a newer format (F0000).
    Unusable,
    /// The database is closed, or was poisoned by a failed sync; reopen it (57P01).
    Closed,
    /// Our bug; please report it (XX000).
    Internal,
}

/// A file and a byte offset inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as the engine opened it.
    pub file: PathBuf,
    /// Bytes from the start of the file.
    pub offset: u64,
}

/// An engine error: a kind to react to, a message to read, and its cause.
#[derive(Clone, Debug)]
pub struct Error(Box<Detail>);

#[derive(Clone, Debug)]
struct Detail {
    kind: ErrorKind,
    message: String,
    place: Option<Place>,
    source: Option<std::sync::Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Detail { kind, message: message.into(), place: None, source: None }))
    }

    /// Another transaction wrote what this one wants to write.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Conflict, message)
    }

    /// A cycle of lock waits was found.
    pub fn deadlock(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Deadlock, message)
    }

    /// A lock could not be had in the time or under the policy given.
    pub fn lock_not_available(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::LockNotAvailable, message)
    }

    /// The request was cancelled.
    pub fn cancelled(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Cancelled, message)
    }

    /// The request is wrong.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    /// A declared limit was reached.
    pub fn limit(name: &str, limit: u64, asked: u64) -> Self {
        Self::new(ErrorKind::Limit, format!("{name} is limited limit={limit} asked={asked}"))
    }

    /// The operating system refused a file operation.
    pub fn io(action: &str, file: &Path, source: std::io::Error) -> Self {
        let kind = match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                ErrorKind::DiskFull
            }
            _ => ErrorKind::Io,
        };
        let message = format!("could not {action} file={} cause={source}", file.display());
        let mut error = Self::new(kind, message);
        error.0.source = Some(std::sync::Arc::new(source));
        error
    }

    /// A file that another one names could not be read: when it is not there, what it held is lost.
    pub fn unreadable(file: &Path, source: std::io::Error) -> Self {
        match source.kind() {
            std::io::ErrorKind::NotFound => Self::corruption(file, 0, "a file", "none"),
            _ => Self::io("read", file, source),
        }
    }

    /// Stored bytes are not what was written.
    pub fn corruption(
        file: &Path,
        offset: u64,
        expected: impl fmt::Display,
        found: impl fmt::Display,
    ) -> Self {
        let message = format!(
            "corrupt file={} offset={offset} expected={expected} found={found}",
            file.display()
        );
        let mut error = Self::new(ErrorKind::Corruption, message);
        error.0.place = Some(Place { file: file.to_owned(), offset });
        error
    }

    /// The data directory cannot be used by this program now.
    pub fn unusable(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unusable, message)
    }

    /// The database is closed or poisoned.
    pub fn closed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Closed, message)
    }

    /// An invariant of ours does not hold.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    /// What the caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The message, in lower case, facts last.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The file and offset, when stored bytes are to blame.
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}
