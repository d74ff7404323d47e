//! Point-in-time recovery: a backup, and the archived log from there on, up to a moment.
//!
//! The newest generation that is not after the moment is restored into a directory aside; the
//! commits of the archive that come after it are appended to that, in order; derived indexes read
//! what is new to them as after a crash. A checkpoint of the result is the new data directory, so
//! that a crash in the middle leaves none.
//!
//! # Invariants
//! P-1: timestamps of commits are consecutive, so that one that is missing shows. A bulk load
//! ([`Db::ingest`]) has one and is not in the log: nothing can be recovered across it, and whoever
//! makes one makes a backup after it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::manifest::Manifest;
use super::{Backup, no_such, remove_dir, restore_generation, target};
use crate::db::Db;
use crate::env::Env;
use crate::error::{Error, Result};
use crate::history;
use crate::lsm::{ArchivedCommit, Lsm, read_archive};
use crate::options::Options;
use crate::timestamp::Timestamp;

/// Where a recovery ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// With all that is archived.
    Latest,
    /// With this commit.
    Timestamp(Timestamp),
    /// With what was committed up to this time since 1970-01-01 00:00 UTC. Commits know their time
    /// to [`MARK_INTERVAL`](history::MARK_INTERVAL): one made that much later may be among them.
    Time(Duration),
}

/// What was recovered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The generation that it began with.
    pub backup: Backup,
    /// Commits of the archive that came after it.
    pub commit_count: u64,
    /// The newest commit.
    pub timestamp: Timestamp,
    /// When that was made: time since 1970-01-01 00:00 UTC, as far as commits noted it.
    pub time: Option<Duration>,
}

/// Makes the data directory `dir` as it was at a moment, of a backup in `target` and the log
/// segments in `archive`. Everything later is left out.
///
/// # Errors
/// `Invalid` when `dir` exists, when every backup is later than the moment or when the archive ends
/// before it; `Unusable` when commits are missing in the archive, which the message names;
/// `Corruption` of a backup or an archived segment; `Io`, `DiskFull`. There is no `dir` then.
pub fn recover(
    env: &Env,
    target: &Path,
    archive: &Path,
    until: Until,
    dir: &Path,
    options: &Options,
) -> Result<Recovered> {
    if env.vfs.exists(dir).map_err(|error| Error::io("look up", dir, error))? {
        return Err(Error::invalid(format!("the directory exists dir={}", dir.display())));
    }
    let generations = target::generations(env, target)?;
    let base =
        generations.iter().rev().find(|manifest| until.allows(manifest)).ok_or_else(|| {
            match generations.is_empty() {
                true => no_such(None, target),
                false => Error::invalid("every backup was made after that moment"),
            }
        })?;
    // What recovers must not archive what it reads from the archive.
    let options = Options { wal_archive: None, ..options.clone() };
    let aside = aside(dir);
    remove_dir(env, &aside)?;
    let recovered = restore_generation(env, target, base, &aside)
        .and_then(|()| replay(env, archive, base, until, &aside, &options))
        .and_then(|recovered| publish(env, &aside, dir, options).map(|()| recovered));
    let removed = remove_dir(env, &aside);
    let recovered = recovered?;
    removed?;
    Ok(recovered)
}

/// The directory in which `dir` comes to be.
fn aside(dir: &Path) -> PathBuf {
    let mut name = dir.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    dir.with_file_name(name)
}

impl Until {
    /// Whether a backup may be begun with.
    fn allows(self, manifest: &Manifest) -> bool {
        match self {
            Self::Latest => true,
            Self::Timestamp(ts) => manifest.timestamp <= ts,
            Self::Time(time) => manifest.created <= time,
        }
    }

    /// Whether a commit is later.
    fn is_before(self, commit: &ArchivedCommit<'_>) -> bool {
        match self {
            Self::Latest => false,
            Self::Timestamp(ts) => ts < commit.ts,
            Self::Time(time) => {
                history::mark_in(commit.operations()).is_some_and(|made| time < made)
            }
        }
    }
}

/// Appends the commits of the archive that come after the base, up to the moment.
fn replay(
    env: &Env,
    archive: &Path,
    base: &Manifest,
    until: Until,
    dir: &Path,
    options: &Options,
) -> Result<Recovered> {
    let lsm = Lsm::open(env.clone(), dir, options)?;
    let mut last = base.timestamp;
    let mut is_reached = until == Until::Timestamp(last);
    let mut source: Option<PathBuf> = None;
    read_archive(env, archive, base.timestamp, &mut |commit| {
        if is_reached || commit.ts <= base.timestamp {
            return Ok(!is_reached);
        }
        if commit.ts.0 != last.0 + 1 {
            return Err(not_next(last, &commit, source.as_deref()));
        }
        if until.is_before(&commit) {
            is_reached = true;
            return Ok(false);
        }
        lsm.append(commit.ts, &commit.to_batch())?;
        if let Some(range) = history::dropped_in(commit.operations()) {
            lsm.drop_range(&range)?;
        }
        last = commit.ts;
        is_reached = until == Until::Timestamp(last);
        source = Some(commit.segment.to_owned());
        Ok(!is_reached)
    })?;
    let time = history::time_at(&lsm, last)?;
    if !is_reached && until != Until::Latest {
        let time = time.map_or(String::new(), |time| format!(" time={}s", time.as_secs()));
        return Err(Error::invalid(format!(
            "the archive ends before that moment newest={}{time}",
            last.0
        )));
    }
    lsm.close()?;
    let commit_count = last.0 - base.timestamp.0;
    Ok(Recovered { backup: base.describe(), commit_count, timestamp: last, time })
}

/// Why a commit does not follow the last one.
fn not_next(last: Timestamp, found: &ArchivedCommit<'_>, before: Option<&Path>) -> Error {
    if found.ts <= last {
        return Error::unusable(format!(
            "the archive holds two pasts: a database that was recovered went on in it commit={} \
             file={}",
            found.ts.0,
            found.segment.display()
        ));
    }
    let (first, until) = (last.0 + 1, found.ts.0 - 1);
    let before = before.map_or("the backup".to_owned(), |path| path.display().to_string());
    Error::unusable(format!(
        "commits are missing in the archive (a lost segment, or a bulk load, which is not logged) \
         first={first} last={until} after={before} before={}",
        found.segment.display()
    ))
}

/// Brings the derived indexes up to date and makes `dir`.
fn publish(env: &Env, aside: &Path, dir: &Path, options: Options) -> Result<()> {
    let db = Db::open_existing(env.clone(), aside, options)?;
    let made = db.checkpoint(dir);
    let closed = db.close();
    made.and(closed)
}
