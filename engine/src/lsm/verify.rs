//! Every numbered invariant of this layer as a check that returns findings. Never writes.
//!
//! Decodes as much as possible of a damaged directory: one finding does not end the search, except
//! where nothing says how to go on.

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::batch::operations;
use super::block_cache::BlockCache;
use super::iterator::{Cursor, Start};
use super::merge::{Merge, Source};
use super::recovery::{check_existing, list, take_lock, wal_ids};
use super::sstable::{FileMeta, Sstable};
use super::version::{Shape, read_current, read_manifest, written_behind};
use super::wal;
use crate::env::vfs::Lock;
use crate::env::{Env, FileId, FileName};
use crate::error::{Error, ErrorKind, Result};
use crate::keyspace::Direction;
use crate::timestamp::Timestamp;

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file, or the directory when no single file is to blame.
    pub file: PathBuf,
    /// Bytes from the start of the file, when the place is known.
    pub offset: Option<u64>,
    /// What is wrong, beginning with the invariant's name when it has one.
    pub message: String,
}

impl Finding {
    /// Damage as a finding; every other error is passed on. `file` is named when the error names
    /// none.
    ///
    /// # Errors
    /// The error itself, when it is about something else than damage.
    pub(crate) fn damage(file: &Path, error: Error) -> Result<Self> {
        if !matches!(error.kind(), ErrorKind::Corruption | ErrorKind::Io) {
            return Err(error);
        }
        let place = error.place();
        let file = place.map_or(file, |place| &place.file).to_owned();
        let offset = place.map(|place| place.offset);
        Ok(Self { file, offset, message: error.message().to_owned() })
    }
}

impl Finding {
    /// A file that nothing names.
    pub(crate) fn orphan(file: &Path) -> Self {
        let message = "nothing names this file: left by a crash, or its manifest is not the newest";
        Self { file: file.to_owned(), offset: Some(0), message: message.to_owned() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(offset) = self.offset {
            write!(f, " at byte {offset}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// What was checked, and what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Sstables read from end to end.
    pub sstable_count: usize,
    /// Row versions in them.
    pub entry_count: u64,
    /// Commits in the WAL.
    pub wal_commit_count: u64,
    /// Segments of full-text and geo indexes read from end to end.
    pub segment_count: usize,
    /// What is not as it should be; empty when all is well.
    pub findings: Vec<Finding>,
    /// What damage may have done, and as well a crash: files that nothing names, bytes of a write
    /// that was never finished.
    pub remarks: Vec<Finding>,
}

/// Checks a data directory that no server holds.
///
/// # Errors
/// `Unusable` when another process holds it, it is not ours or it is from a newer format; `Io`
/// when it cannot be read at all. Damage is a finding, not an error.
pub fn verify(env: &Env, dir: &Path) -> Result<Verification> {
    let _lock = hold(env, dir)?;
    check(env, dir)
}

/// Makes sure that the directory is ours and that no server begins to use it.
///
/// # Errors
/// `Unusable`, `Io`.
pub(crate) fn hold(env: &Env, dir: &Path) -> Result<Option<Lock>> {
    check_existing(env, dir)?;
    let path = FileName::Lock.path(dir);
    let is_lockable = env.vfs.exists(&path).map_err(|error| Error::io("look up", &path, error))?;
    if is_lockable { take_lock(env, dir).map(Some) } else { Ok(None) }
}

/// As [`verify`]. Requires: the directory is held.
pub(crate) fn check(env: &Env, dir: &Path) -> Result<Verification> {
    let mut check = Check { env, dir, result: Verification::default() };
    match check.shape()? {
        Some(shape) => {
            check.sstables(&shape)?;
            check.wal(&shape)?;
        }
        None if check.result.findings.is_empty() => {
            return Err(Error::unusable(format!(
                "not a cairn data directory dir={}",
                dir.display()
            )));
        }
        None => {}
    }
    Ok(check.result)
}

struct Check<'a> {
    env: &'a Env,
    dir: &'a Path,
    result: Verification,
}

impl Check<'_> {
    /// Turns damage into a finding; passes every other error on.
    fn found<T>(&mut self, outcome: Result<T>) -> Result<Option<T>> {
        match outcome {
            Ok(value) => Ok(Some(value)),
            Err(error) => {
                self.result.findings.push(Finding::damage(self.dir, error)?);
                Ok(None)
            }
        }
    }

    fn report(&mut self, file: &Path, message: String) {
        self.result.findings.push(Finding { file: file.to_owned(), offset: None, message });
    }

    /// A byte was written where space is only set aside: damage when the file was closed, else
    /// perhaps a write that a crash tore.
    fn report_written(&mut self, file: &Path, at: usize, is_closed: bool) {
        let expected = "expected zeros in the space set aside, found other bytes";
        let (reports, message) = match is_closed {
            true => (&mut self.result.findings, expected.to_owned()),
            false => (&mut self.result.remarks, format!("{expected}: torn by a crash, or damaged")),
        };
        reports.push(Finding { file: file.to_owned(), offset: Some(at as u64), message });
    }

    /// Files of ours that nothing names: a crash leaves some, and a manifest that is not the
    /// newest one does.
    fn orphans(&mut self, shape: &Shape, manifest: FileId) -> Result<()> {
        let live: HashSet<FileId> = shape.files().map(|(_, file)| file.id).collect();
        for name in list(self.env, self.dir)? {
            let is_orphan = match FileName::parse(&name) {
                Some(FileName::Sstable(id)) => !live.contains(&id),
                Some(FileName::Manifest(id)) => id != manifest,
                Some(FileName::Wal(id)) => id < shape.wal_first,
                Some(
                    FileName::Temporary | FileName::Lock | FileName::Current | FileName::Events,
                )
                | None => false,
            };
            if is_orphan {
                self.result.remarks.push(Finding::orphan(&self.dir.join(name)));
            }
        }
        Ok(())
    }

    fn shape(&mut self) -> Result<Option<Shape>> {
        let Some(current) = self.found(read_current(self.env, self.dir))? else { return Ok(None) };
        let Some(id) = current else {
            let names = list(self.env, self.dir)?;
            let is_ours = |name: &String| {
                matches!(FileName::parse(name), Some(FileName::Sstable(_) | FileName::Wal(_)))
            };
            if names.iter().any(is_ours) {
                self.report(
                    &FileName::Current.path(self.dir),
                    "there is no CURRENT file".to_owned(),
                );
            }
            return Ok(None);
        };
        let read = read_manifest(self.env, self.dir, id);
        let Some(shape) = self.found(read)? else { return Ok(None) };
        let manifest = FileName::Manifest(id).path(self.dir);
        for violation in shape.violations() {
            self.report(&manifest, violation);
        }
        let written = written_behind(self.env, self.dir, id);
        if let Some(at) = self.found(written)?.flatten() {
            self.report_written(&manifest, at, shape.closed.is_some());
        }
        self.orphans(&shape, id)?;
        Ok(Some(shape))
    }

    fn sstables(&mut self, shape: &Shape) -> Result<()> {
        let cache = Arc::new(BlockCache::new(0));
        let mut open = Vec::new();
        for (level, file) in shape.files() {
            let meta = FileMeta::clone(file);
            let opened = Sstable::open(self.env, self.dir, meta, cache.clone());
            let Some(sstable) = self.found(opened)? else { continue };
            let sstable = Arc::new(sstable);
            self.result.sstable_count += 1;
            let checked = sstable.check();
            if let Some(violations) = self.found(checked)? {
                if violations.is_empty() {
                    self.result.entry_count += file.properties.entry_count;
                    open.push((level, sstable.clone()));
                }
                for violation in violations {
                    self.report(sstable.path(), violation);
                }
            }
        }
        let checked = self.depths(&open);
        self.found(checked)?;
        Ok(())
    }

    /// V-2: going through the versions of a key from new to old, the level never decreases.
    fn depths(&mut self, open: &[(usize, Arc<Sstable>)]) -> Result<()> {
        let cursors = open.iter().map(|(_, sstable)| sstable.cursor_uncached(Direction::Forward));
        let mut merge = Merge::new(cursors.map(Source::Sstable).collect(), Direction::Forward);
        merge.seek(Start::Beginning)?;
        let mut last: Option<(Vec<u8>, usize)> = None;
        while let (Some(key), Some(source)) = (merge.key(), merge.source()) {
            // Level-0 files are levels of their own, newest first, as `open` lists them.
            let rank = match open[source].0 {
                0 => source,
                level => open.len() + level,
            };
            match &mut last {
                Some((last_key, last_rank)) if last_key == key => {
                    if rank < *last_rank {
                        let message =
                            format!("V-2: an older version of key {key:02x?} lies higher");
                        self.report(open[source].1.path(), message);
                    }
                    *last_rank = rank;
                }
                _ => last = Some((key.to_vec(), rank)),
            }
            merge.advance()?;
        }
        Ok(())
    }

    fn wal(&mut self, shape: &Shape) -> Result<()> {
        let ids = wal_ids(&list(self.env, self.dir)?);
        let log = wal::Log::open(self.env, self.dir, &ids, shape.wal_bounds());
        let Some(log) = self.found(log)? else { return Ok(()) };
        let mut last = Timestamp(0);
        for segment in &log.segments {
            let mut count = 0;
            let replayed = segment.replay(|offset, ts, payload| {
                let is_whole = operations(payload).is_some_and(|mut all| all.all(|o| o.is_some()));
                if !is_whole {
                    return Err(Error::corruption(
                        segment.path(),
                        offset,
                        "a batch",
                        "other bytes",
                    ));
                }
                if ts <= last {
                    let expected = format!("a timestamp after {}", last.0);
                    return Err(Error::corruption(segment.path(), offset, expected, ts.0));
                }
                last = ts;
                count += 1;
                Ok(())
            });
            let end = self.found(replayed)?;
            self.result.wal_commit_count += count;
            if let Some(end) = end {
                self.behind_the_end(shape, segment, end);
            }
        }
        Ok(())
    }

    /// What is behind the last record of a segment.
    fn behind_the_end(&mut self, shape: &Shape, segment: &wal::Segment, end: u64) {
        let is_closed = shape.closed == Some((segment.id(), end));
        if let Some(at) = segment.written_behind(end) {
            self.report_written(segment.path(), at, is_closed);
        } else if segment.is_full(end) && segment.id() == shape.wal_last && !is_closed {
            self.result.remarks.push(Finding {
                file: segment.path().to_owned(),
                offset: Some(end),
                message: "expected space set aside behind the last record, found the end of the \
                          file: it fits exactly, or the file was cut"
                    .to_owned(),
            });
        }
    }
}
