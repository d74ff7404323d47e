//! Backups: copies of a database in another directory, many generations sharing their files.
//!
//! A backup begins as a [checkpoint](Db::checkpoint) of hard links inside the data directory, which
//! takes a moment; its files are then copied at leisure, while the database goes on, to a target
//! that may lie on another file system. Files are immutable and named once, so what an earlier
//! generation has is not copied again.
//!
//! ```text
//! target/LOCK              held by whoever changes the target
//! target/files/*           copies, each named by its checksum, length and path
//! target/backup-000007     one generation: its time, its commit timestamp, its files (manifest)
//! ```
//!
//! # Invariants
//! - B-1: a generation is named only after all of its files are synced; so a crash leaves those
//!   before it whole, and a file that no generation names is a leftover.
//! - B-2: a copy that has its final name is complete.
//!
//! [`recover()`] goes on from a generation with the archived log, up to a moment.

mod manifest;
mod recover;
mod target;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use parking_lot::Mutex;

pub use recover::{Recovered, Until, recover};

use crate::db::Db;
use crate::encoding::checksum::checksum;
use crate::env::{Env, FileName};
use crate::error::{Error, Result};
use crate::inspect;
use crate::lsm::Finding;
use crate::timestamp::Timestamp;
use manifest::{Manifest, Source};
use target::Target;

/// The directory in a data directory where a backup's checkpoint is made.
const STAGING: &str = "backup.tmp";

/// One generation of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Its number in the target; later ones are larger.
    pub id: u64,
    /// When it was made: time since 1970-01-01 00:00 UTC.
    pub created: Duration,
    /// It holds every commit at or before this, and none after.
    pub timestamp: Timestamp,
    /// Files.
    pub file_count: usize,
    /// Their bytes.
    pub len_bytes: u64,
}

/// What making a backup took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupReport {
    /// The generation made.
    pub backup: Backup,
    /// Files that no earlier generation had.
    pub copied_file_count: usize,
    /// Their bytes.
    pub copied_len_bytes: u64,
}

/// What an open database needs to back itself up.
pub(crate) struct Backups {
    env: Env,
    dir: PathBuf,
    /// One at a time: they share the staging directory.
    alone: Mutex<()>,
}

impl Backups {
    /// Clears away what a crash in a backup has left in the data directory.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn open(env: &Env, dir: &Path) -> Result<Self> {
        remove_dir(env, &dir.join(STAGING))?;
        Ok(Self { env: env.clone(), dir: dir.to_owned(), alone: Mutex::default() })
    }
}

impl Db {
    /// Copies the database into a backup directory as its next generation, while everything goes
    /// on. It holds at least what was durable when this was called. Files that the newest
    /// generations have are not copied again. On return it is durable.
    ///
    /// # Errors
    /// `Unusable` when somebody else changes `target`, `Invalid` when something other than backups
    /// is there, `Io`, `DiskFull`, `Closed`; the generations that were there are whole.
    pub fn backup(&self, target: &Path) -> Result<BackupReport> {
        let Backups { env, dir, alone } = &self.shared.backups;
        let _alone = alone.lock();
        let mut target = Target::open(env, target)?;
        let staging = dir.join(STAGING);
        remove_dir(env, &staging)?;
        let made = self
            .checkpoint_at(&staging)
            .and_then(|timestamp| copy(env, &staging, &mut target, timestamp));
        let removed = remove_dir(env, &staging);
        let report = made?;
        removed?;
        Ok(report)
    }
}

fn copy(
    env: &Env,
    staging: &Path,
    target: &mut Target,
    timestamp: Timestamp,
) -> Result<BackupReport> {
    // Every commit in the checkpoint was made before now.
    let created = env.clock.unix_time();
    let files = inspect::files(env, staging)?;
    let sources = files.into_iter().map(|file| Source::read(env, staging, file.path));
    target.add(created, timestamp, sources)
}

/// The generations in a backup directory, oldest first.
///
/// # Errors
/// `Corruption` of one of their manifests, `Io`.
pub fn backups(env: &Env, target: &Path) -> Result<Vec<Backup>> {
    Ok(target::generations(env, target)?.iter().map(Manifest::describe).collect())
}

/// Removes a generation, and the files that no other one names.
///
/// # Errors
/// `Invalid` when there is no such generation, `Unusable` when somebody else changes the target,
/// `Corruption` when another generation's manifest cannot be read (no file goes then), `Io`.
pub fn remove_backup(env: &Env, target: &Path, id: u64) -> Result<()> {
    Target::open(env, target)?.remove(id)
}

/// Reads every file of every generation and compares it with its checksum. What is wrong comes
/// back; nothing when all is well.
///
/// # Errors
/// `Io` when the directory cannot be read at all.
pub fn verify_backups(env: &Env, target: &Path) -> Result<Vec<Finding>> {
    target::verify(env, target)
}

/// Makes a data directory of a generation: `id`, or the newest one. After a crash in the middle it
/// has no CURRENT file and is refused when it is opened.
///
/// # Errors
/// `Invalid` when `dir` exists or there is no such generation; `Corruption` when a file is not what
/// was backed up; `Io`, `DiskFull`. Nothing is left in `dir` then.
pub fn restore(env: &Env, target: &Path, id: Option<u64>, dir: &Path) -> Result<Backup> {
    let generations = target::generations(env, target)?;
    let manifest = match id {
        Some(id) => generations.iter().find(|manifest| manifest.id == id),
        None => generations.last(),
    };
    let manifest = manifest.ok_or_else(|| no_such(id, target))?;
    restore_generation(env, target, manifest, dir)?;
    Ok(manifest.describe())
}

fn restore_generation(env: &Env, target: &Path, manifest: &Manifest, dir: &Path) -> Result<()> {
    if env.vfs.exists(dir).map_err(|error| Error::io("look up", dir, error))? {
        return Err(Error::invalid(format!("the directory exists dir={}", dir.display())));
    }
    target::copy_out(env, target, manifest, dir).inspect_err(|_| {
        // Without CURRENT it is no data directory; the caller gets the first error.
        let _ = env.vfs.remove_dir_all(dir);
    })
}

fn no_such(id: Option<u64>, target: &Path) -> Error {
    let wanted = id.map_or("no backup".to_owned(), |id| format!("no backup {id}"));
    Error::invalid(format!("there is {wanted} dir={}", target.display()))
}

fn remove_dir(env: &Env, dir: &Path) -> Result<()> {
    let io = |error| Error::io("remove directory", dir, error);
    if env.vfs.exists(dir).map_err(io)? { env.vfs.remove_dir_all(dir).map_err(io) } else { Ok(()) }
}

/// The checksum of all bytes of a file, and of its end, which ends in checksums of the rest in
/// files of every kind.
fn sums(bytes: &[u8]) -> (u32, u32) {
    (checksum(&[bytes]), tail_sum(bytes))
}

/// Bytes at the end of a file that tell it from others of its path and length. 64 KiB.
const TAIL_LEN: usize = 64 << 10;

fn tail_sum(bytes: &[u8]) -> u32 {
    checksum(&[&bytes[bytes.len().saturating_sub(TAIL_LEN)..]])
}

/// Whether a file must come last into a restored directory, which it makes a database.
fn is_current(path: &Path) -> bool {
    path == Path::new(&FileName::Current.to_string())
}
