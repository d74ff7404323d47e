//! The archive: sealed segments, copied into another directory before they go.
//!
//! A copy has the segment's name and its bytes up to the end of its records; it is synced and
//! renamed into place, so that a copy that has its name is whole.
//!
//! # Invariants
//! while there is an archive, a segment is removed only after its copy is durable.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::reader::Segment;
use crate::env::atomic_file::write_atomically;
use crate::env::{Env, FileId, FileName};
use crate::error::{Error, Result};
use crate::lsm::batch::{Batch, Operation, operations};
use crate::sync::Mutex;
use crate::timestamp::Timestamp;

/// Where sealed segments go.
pub(crate) struct Archive {
    env: Env,
    dir: PathBuf,
    /// One at a time.
    alone: Mutex<()>,
    /// Every segment up to here was copied.
    done: AtomicU64,
    /// Segments that wait because they could not be.
    waiting: AtomicUsize,
}

impl Archive {
    /// Opens the archive, making its directory when absent.
    ///
    /// # Errors
    /// `Io`, `DiskFull`.
    pub(crate) fn open(env: &Env, dir: &Path) -> Result<Self> {
        env.vfs.create_dir_all(dir).map_err(|e| Error::io("create directory", dir, e))?;
        let (done, waiting) = (AtomicU64::new(0), AtomicUsize::new(0));
        Ok(Self { env: env.clone(), dir: dir.to_owned(), alone: Mutex::new(()), done, waiting })
    }

    /// Copies the segments in `source`, oldest first, whose number is below `end`. Those that were
    /// copied before are left out.
    ///
    /// Requires: nobody writes to them any more.
    ///
    /// # Errors
    /// `Io`, `DiskFull`, `Corruption` of a segment; `Unusable` when the archive has another segment
    /// of that name. Those that were not copied wait for the next call.
    pub(crate) fn take(&self, source: &Path, end: FileId) -> Result<()> {
        let _alone = self.alone.lock();
        let ids = segment_ids(&self.env, source)?;
        let due: Vec<FileId> =
            ids.into_iter().filter(|&id| id < end && !self.is_archived(id)).collect();
        for (at, &id) in due.iter().enumerate() {
            self.waiting.store(due.len() - at, Ordering::Relaxed);
            self.copy(source, id)?;
            self.done.store(id.0, Ordering::Release);
        }
        self.waiting.store(0, Ordering::Relaxed);
        Ok(())
    }

    /// Whether a segment may go.
    pub(crate) fn is_archived(&self, id: FileId) -> bool {
        id.0 <= self.done.load(Ordering::Acquire)
    }

    /// How many segments could not be copied yet.
    pub(crate) fn waiting_count(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    fn copy(&self, source: &Path, id: FileId) -> Result<()> {
        let segment = Segment::open(&self.env, source, id)?;
        let Some(bytes) = segment.used_bytes()? else { return Ok(()) };
        let copy = FileName::Wal(id).path(&self.dir);
        let vfs = &*self.env.vfs;
        if !vfs.exists(&copy).map_err(|error| Error::io("look up", &copy, error))? {
            return write_atomically(vfs, &copy, bytes);
        }
        let there = vfs.map(&copy).map_err(|error| Error::io("read", &copy, error))?;
        if there == bytes {
            // By an earlier run, whose rename may not have been durable.
            let dir = &self.dir;
            return vfs.sync_dir(dir).map_err(|error| Error::io("sync directory", dir, error));
        }
        Err(Error::unusable(format!(
            "the archive holds a segment of another database or another past; archive elsewhere \
             file={}",
            copy.display()
        )))
    }
}

/// The segments in a directory, oldest first.
fn segment_ids(env: &Env, dir: &Path) -> Result<Vec<FileId>> {
    let names = env.vfs.list(dir).map_err(|error| Error::io("list directory", dir, error))?;
    let mut ids: Vec<FileId> = names
        .iter()
        .filter_map(|name| match FileName::parse(name)? {
            FileName::Wal(id) => Some(id),
            _ => None,
        })
        .collect();
    ids.sort();
    Ok(ids)
}

/// A commit in an archive.
pub(crate) struct ArchivedCommit<'a> {
    pub(crate) ts: Timestamp,
    /// The file that it is in.
    pub(crate) segment: &'a Path,
    payload: &'a [u8],
}

impl ArchivedCommit<'_> {
    /// Keys and values in the order committed; `None` as a value is a removal.
    pub(crate) fn operations(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        let operations = operations(self.payload).into_iter().flatten().flatten();
        operations.map(|Operation { key, value }| {
            (&self.payload[key], value.map(|value| &self.payload[value]))
        })
    }

    /// What was committed.
    pub(crate) fn to_batch(&self) -> Batch {
        let mut batch = Batch::new();
        for (key, value) in self.operations() {
            match value {
                Some(value) => batch.put(key, value),
                None => batch.delete(key),
            }
        }
        batch
    }
}

/// Hands the commits of an archive to `visit`, in order, until it answers false. Segments that end
/// at or before `after` are not read.
///
/// # Errors
/// `Corruption` of a segment, `Io`, those of `visit`.
pub(crate) fn read_archive(
    env: &Env,
    dir: &Path,
    after: Timestamp,
    visit: &mut dyn FnMut(ArchivedCommit<'_>) -> Result<bool>,
) -> Result<()> {
    let mut segments = Vec::new();
    for id in segment_ids(env, dir)? {
        let segment = Segment::open(env, dir, id)?;
        // What begins before this one does, and so all before it, is known already.
        if segment.first_ts().is_some_and(|first| first.0 <= after.0 + 1) {
            segments.clear();
        }
        segments.push(segment);
    }
    let mut goes_on = true;
    for segment in &segments {
        if !goes_on {
            break;
        }
        let path = segment.path();
        segment.replay(|offset, ts, payload| {
            let is_whole = operations(payload).is_some_and(|mut all| all.all(|one| one.is_some()));
            if !is_whole {
                return Err(Error::corruption(path, offset, "a batch", "other bytes"));
            }
            if goes_on {
                goes_on = visit(ArchivedCommit { ts, segment: path, payload })?;
            }
            Ok(())
        })?;
    }
    Ok(())
}
