//! The files of derived indexes, checked without opening the database. Never writes.
//!
//! A directory that is missing is no damage: the index is built anew from its entries. What
//! is there must be readable to the last byte.

use std::path::Path;

use super::registry::DIR_PREFIX;
use super::{fulltext, geo};
use crate::env::Env;
use crate::error::{Error, Result};
use crate::lsm::{Finding, Verification};

/// Reads every segment of every index in a data directory from end to end, and adds what it found.
///
/// # Errors
/// `Unusable` when one is of a newer format, `Io`.
pub(crate) fn check_files(env: &Env, dir: &Path, result: &mut Verification) -> Result<()> {
    let names = list(env, dir)?;
    for name in names.iter().filter(|name| name.starts_with(DIR_PREFIX)) {
        let index = dir.join(name);
        let checked = if fulltext::is_here(env, &index)? {
            fulltext::check_files(env, &index)?
        } else {
            geo::check_files(env, &index)?
        };
        result.segment_count += checked.segment_count;
        for error in checked.damages {
            result.findings.push(Finding::damage(&index, error)?);
        }
        result.remarks.extend(checked.orphans.iter().map(|file| Finding::orphan(file)));
    }
    Ok(())
}

fn list(env: &Env, dir: &Path) -> Result<Vec<String>> {
    env.vfs.list(dir).map_err(|error| Error::io("list directory", dir, error))
}
