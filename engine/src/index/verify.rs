//! The files of derived indexes, checked without opening the database. Never writes.
//!
//! A directory that is missing is no damage: the index is built anew from its entries. What
//! is there must be readable to the last byte.

use std::path::Path;

use super::registry::DIR_PREFIX;
use super::{fulltext, geo};
use crate::env::Env;
use crate::error::{Error, Result};
use crate::lsm::Finding;

/// Reads every segment of every index in a data directory from end to end; answers how many
/// there are, and what is wrong.
///
/// # Errors
/// `Unusable` when one is of a newer format, `Io`.
pub(crate) fn check_files(env: &Env, dir: &Path) -> Result<(usize, Vec<Finding>)> {
    let names = list(env, dir)?;
    let (mut count, mut findings) = (0, Vec::new());
    for name in names.iter().filter(|name| name.starts_with(DIR_PREFIX)) {
        let index = dir.join(name);
        let outcomes = if fulltext::is_here(env, &index)? {
            fulltext::check_files(env, &index)
        } else {
            geo::check_files(env, &index)
        };
        for outcome in outcomes {
            match outcome {
                Ok(segments) => count += segments,
                Err(error) => findings.push(Finding::damage(&index, error)?),
            }
        }
    }
    Ok((count, findings))
}

fn list(env: &Env, dir: &Path) -> Result<Vec<String>> {
    env.vfs.list(dir).map_err(|error| Error::io("list directory", dir, error))
}
