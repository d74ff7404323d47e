//! Every file name that the storage layer creates: print and parse.
//!
//! ```text
//! LOCK                 held by the process that has the database open
//! CURRENT              names the manifest in use
//! MANIFEST-000007      the log of edits of the set of live files
//! 000012.wal           one segment of the write-ahead log
//! 000015.sst           one sstable
//! EVENTS               what became of the files, for those who look at it later
//! *.tmp                a replacement being written; swept on open
//! ```
//! All numbered files share one counter, so a number is never used twice.

use std::fmt;
use std::path::{Path, PathBuf};

/// The number of a file. Unique in its directory, never reused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u64);

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

/// The name of one of our files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileName {
    /// The directory lock.
    Lock,
    /// The pointer to the manifest.
    Current,
    /// A log of edits.
    Manifest(FileId),
    /// A segment of the write-ahead log.
    Wal(FileId),
    /// An sstable.
    Sstable(FileId),
    /// The event log.
    Events,
    /// A replacement being written.
    Temporary,
}

impl FileName {
    /// Parses a name; `None` when it is none of ours.
    pub fn parse(name: &str) -> Option<Self> {
        let id = |digits: &str| -> Option<FileId> {
            let is_number = digits.len() >= 6 && digits.bytes().all(|b| b.is_ascii_digit());
            is_number.then(|| digits.parse().ok().map(FileId))?
        };
        match name {
            "LOCK" => return Some(Self::Lock),
            "CURRENT" => return Some(Self::Current),
            "EVENTS" => return Some(Self::Events),
            "CURRENT.tmp" => return Some(Self::Temporary),
            _ => {}
        }
        if let Some(digits) = name.strip_prefix("MANIFEST-") {
            return id(digits).map(Self::Manifest);
        }
        match name.split_once('.')? {
            (digits, "wal") => id(digits).map(Self::Wal),
            (digits, "sst") => id(digits).map(Self::Sstable),
            _ => None,
        }
    }

    /// The whole path inside `dir`.
    pub fn path(self, dir: &Path) -> PathBuf {
        dir.join(self.to_string())
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lock => f.write_str("LOCK"),
            Self::Current => f.write_str("CURRENT"),
            Self::Events => f.write_str("EVENTS"),
            Self::Manifest(id) => write!(f, "MANIFEST-{id}"),
            Self::Wal(id) => write!(f, "{id}.wal"),
            Self::Sstable(id) => write!(f, "{id}.sst"),
            Self::Temporary => f.write_str("CURRENT.tmp"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        let id = FileId(1_234_567);
        for name in [
            FileName::Lock,
            FileName::Current,
            FileName::Events,
            FileName::Temporary,
            FileName::Manifest(FileId(1)),
            FileName::Wal(id),
            FileName::Sstable(id),
        ] {
            assert_eq!(FileName::parse(&name.to_string()), Some(name));
        }
    }

    #[test]
    fn strangers_are_not_ours() {
        for name in ["", "1.sst", "00000x.sst", "000001.sst.bak", "MANIFEST-", "PG_VERSION"] {
            assert_eq!(FileName::parse(name), None, "{name}");
        }
    }
}
