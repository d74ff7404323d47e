//! Sealed memtable to level-0 sstable.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::compaction::retention::{Horizon, Retention};
use super::events::{Event, EventKind};
use super::iterator::{Cursor, Start};
use super::memtable::Memtable;
use super::sstable::{Compression, FileMeta, SstableBuilder};
use super::store::{Store, remove_quietly};
use super::version::{Edit, Shape};
use crate::env::{Env, FileId, FileName};
use crate::error::{Error, Result};
use crate::keyspace::Direction;
use crate::options::Options;
use crate::timestamp::Timestamp;

/// Writes what is still needed of a memtable to the sstable `id`; `None` when nothing is.
///
/// Level 0 is not compressed: its files are read and merged soon, and a memtable should become
/// free quickly.
///
/// # Errors
/// `Io`, `DiskFull`.
pub(super) fn write_memtable(
    env: &Env,
    dir: &Path,
    options: &Options,
    id: FileId,
    memtable: &Arc<Memtable>,
    shape: &Shape,
    horizon: Horizon,
) -> Result<Option<FileMeta>> {
    let mut retention = Retention::new(horizon, &shape.drops);
    let mut cursor = memtable.cursor(Timestamp::MAX, Direction::Forward);
    cursor.seek(Start::Beginning)?;
    let mut builder = None;
    while let Some(key) = cursor.key() {
        let (ts, is_tombstone) = (cursor.ts(), cursor.is_tombstone());
        // The oldest sealed memtable is flushed first, so anything older is in an sstable.
        let verdict = retention.judge(key, ts, is_tombstone, || shape.is_absent_from(0, key));
        if verdict.is_keep() {
            if builder.is_none() {
                builder = Some(SstableBuilder::create(env, dir, id, options, Compression::None)?);
            }
            if let Some(builder) = &mut builder {
                builder.add(key, ts, cursor.value().as_deref())?;
            }
        }
        cursor.advance()?;
    }
    builder.map(SstableBuilder::finish).transpose()
}

impl Store {
    /// Flushes the oldest sealed memtable; false when there is none.
    ///
    /// # Errors
    /// `Io`, `DiskFull`, `Closed`; the memtable then stays.
    pub(super) fn flush_oldest(&self) -> Result<bool> {
        let _flushing = self.flushing.lock();
        // What could not be made live is not worth writing.
        self.wal.check()?;
        let state = self.state.load_full();
        let Some((memtable, newer)) = state.sealed.split_last() else { return Ok(false) };
        let next = newer.last().unwrap_or(&state.active);
        let (shape, horizon) = (state.version.shape(), self.horizon());
        let began = self.env.clock.elapsed();
        let id = self.new_file_id();
        let (env, dir) = (&self.env, &self.dir);
        let file = write_memtable(env, dir, &self.options, id, memtable, shape, horizon)?;
        let edit = Edit {
            wal_first: Some(next.first_segment()),
            wal_last: Some(state.active.first_segment()),
            flushed: Some(memtable.last_ts()),
            last_ts: Some(memtable.last_ts()),
            added: file.iter().map(|file| (0, file.clone())).collect(),
            ..Edit::default()
        };
        self.commit_edit(edit, Some(memtable))?;
        let len = file.map_or(0, |file| file.len);
        self.counters.flush_len.fetch_add(len, Ordering::Relaxed);
        self.counters.flush_count.fetch_add(1, Ordering::Relaxed);
        self.note(Event {
            to_level: Some(0),
            took: self.env.clock.elapsed().saturating_sub(began),
            len_written: len,
            files_written: usize::from(len > 0),
            ..Event::new(EventKind::Flush)
        });
        self.archive_sealed();
        self.remove_old_segments(next.first_segment());
        self.background.wake_waiting();
        Ok(true)
    }

    /// Copies the WAL segments that are sealed into the archive, if there is one. Those that fail
    /// stay and are tried again with the next flush.
    pub(super) fn archive_sealed(&self) {
        let Some(archive) = &self.archive else { return };
        if let Err(error) = archive.take(&self.dir, self.wal.segment()) {
            let (waiting, limit) =
                (archive.waiting_count(), self.options.unarchived_segment_count_max);
            tracing::error!(%error, waiting, limit, "could not archive a WAL segment");
        }
    }

    /// Whether the archive has a segment that it should have.
    pub(super) fn may_remove(&self, id: FileId) -> bool {
        self.archive.as_ref().is_none_or(|archive| archive.is_archived(id))
    }

    /// Refuses to go on when too many segments wait for the archive.
    ///
    /// # Errors
    /// `Limit`.
    pub(super) fn check_archive(&self) -> Result<()> {
        let Some(archive) = &self.archive else { return Ok(()) };
        let limit = self.options.unarchived_segment_count_max;
        if archive.waiting_count() >= limit {
            self.archive_sealed();
        }
        match archive.waiting_count() {
            waiting if waiting >= limit => {
                Err(Error::limit("WAL segments not archived", limit as u64, waiting as u64))
            }
            _ => Ok(()),
        }
    }

    /// Removes the WAL segments before `first`. What fails now is swept on the next open.
    fn remove_old_segments(&self, first: FileId) {
        for name in self.env.vfs.list(&self.dir).unwrap_or_default() {
            match FileName::parse(&name) {
                Some(FileName::Wal(id)) if id < first && self.may_remove(id) => {
                    remove_quietly(&self.env, &self.dir.join(name));
                }
                _ => {}
            }
        }
    }
}
