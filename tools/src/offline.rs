//! What the tools for a data directory without a server have in common.

use std::path::Path;

use cairn_engine::lsm::stats::Size;
use cairn_engine::{Env, Options};
use cairn_query::Database;

use crate::Failure;

/// Opens a data directory to look at it: nothing in it changes.
pub(crate) fn open_read_only(dir: &Path) -> Result<Database, Failure> {
    let options = Options { background_thread_count: 0, ..Options::default() };
    Database::open_existing(Env::read_only(), dir, options).map_err(|error| refused(dir, &error))
}

/// Opens a data directory that must be there, to change it. Nothing happens behind the tool's
/// back: what it measures before its work is what was there.
pub(crate) fn open_existing(dir: &Path) -> Result<Database, Failure> {
    let options = Options { background_thread_count: 0, ..Options::default() };
    Database::open_existing(Env::os(), dir, options).map_err(|error| refused(dir, &error))
}

/// Why a data directory could not be opened.
pub(crate) fn refused(dir: &Path, error: &cairn_query::Error) -> Failure {
    Failure::runtime(format!("could not open {}: {}", dir.display(), error.message()))
}

/// Closes a database whose work is done, and says so when that fails.
pub(crate) fn close(database: &Database) -> Result<(), Failure> {
    database.close().map_err(|error| {
        Failure::runtime(format!("could not close the directory: {}", error.message()))
    })
}

/// A length as people read it.
pub(crate) fn size(bytes: u64) -> String {
    Size(bytes).to_string()
}

/// A number and its noun: `1 row`, `2 rows`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    let plural = match noun.strip_suffix('y') {
        _ if number == 1 => noun.to_owned(),
        Some(stem) => format!("{stem}ies"),
        None if noun.ends_with('x') => format!("{noun}es"),
        None => format!("{noun}s"),
    };
    format!("{number} {plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_follow_their_number() {
        assert_eq!(count(1, "entry"), "1 entry");
        assert_eq!(count(0, "entry"), "0 entries");
        assert_eq!(count(2, "index"), "2 indexes");
        assert_eq!(count(7, "row"), "7 rows");
    }
}
