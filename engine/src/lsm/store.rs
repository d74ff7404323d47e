//! Store: what readers, writers and background workers share.
//!
//! Readers load one immutable [`State`] and never wait. Everything that changes the set of live
//! files goes through [`Store::commit_edit`].
//!
//! # Locking
//! In this order: `write` (appending and sealing), `compactions` (which files are being merged),
//! `flushing`, `manifest` (changing the set of
//! files), `change` (swapping the state; held for a pointer store only).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;

use super::background::Background;
use super::batch::{Batch, operations};
use super::block_cache::BlockCache;
use super::compaction::in_flight::InFlight;
use super::compaction::retention::Horizon;
use super::events::EventLog;
use super::memtable::Memtable;
use super::merge::{LevelCursor, Merge, Source};
use super::sstable::filter::key_hash;
use super::stats::Counters;
use super::version::{Edit, LEVEL_COUNT, Manifest, Presence, Version, range_touches, read_current};
use super::wal;
use crate::env::vfs::Lock;
use crate::env::{Env, FileId, FileName};
use crate::error::{Error, Result};
use crate::keyspace::{Direction, KeyRange};
use crate::options::Options;
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use crate::sync::{Condvar, Mutex};
use crate::timestamp::Timestamp;

/// Bytes of a manifest after which a new one is begun. 4 MiB; 2 KiB in simulations.
const MANIFEST_LEN_MAX: u64 = if cfg!(test) { 2 << 10 } else { 4 << 20 };

/// Where keys are looked for, newest to oldest. Immutable; replaced as a whole.
pub(super) struct State {
    pub(super) active: Arc<Memtable>,
    /// Newest first.
    pub(super) sealed: Vec<Arc<Memtable>>,
    pub(super) version: Arc<Version>,
}

/// The shared heart of an open store.
pub(super) struct Store {
    pub(super) env: Env,
    pub(super) dir: PathBuf,
    pub(super) options: Options,
    pub(super) cache: Arc<BlockCache>,
    pub(super) wal: wal::Writer,
    pub(super) archive: Option<wal::Archive>,
    pub(super) state: ArcSwap<State>,
    pub(super) write: Mutex<()>,
    pub(super) flushing: Mutex<()>,
    pub(super) manifest: Mutex<Manifest>,
    pub(super) change: Mutex<()>,
    pub(super) next_file: AtomicU64,
    pub(super) last_ts: AtomicU64,
    pub(super) oldest: AtomicU64,
    /// The timestamps of named snapshots, ascending.
    pub(super) named: ArcSwap<Vec<Timestamp>>,
    pub(super) sealed: AtomicU64,
    pub(super) counters: Counters,
    pub(super) background: Background,
    pub(super) compactions: Mutex<InFlight>,
    pub(super) compaction_ended: Condvar,
    /// How many want compaction to stand still.
    pub(super) pauses: AtomicUsize,
    pub(super) events: EventLog,
    /// Held for as long as the store is open.
    pub(super) lock: Mutex<Option<Lock>>,
}

impl Store {
    /// A file number that was never used.
    pub(super) fn new_file_id(&self) -> FileId {
        FileId(self.next_file.fetch_add(1, Ordering::Relaxed))
    }

    /// No snapshot is older than this, named ones included.
    pub(super) fn oldest(&self) -> Timestamp {
        // In this order: a name is noted before `oldest` passes its timestamp.
        let oldest = Timestamp(self.oldest.load(Ordering::Acquire));
        self.named.load().first().map_or(oldest, |&named| named.min(oldest))
    }

    /// Who may still want old entries.
    pub(super) fn horizon(&self) -> Horizon {
        let sealed = Timestamp(self.sealed.load(Ordering::Acquire));
        // In this order, as above.
        let oldest = Timestamp(self.oldest.load(Ordering::Acquire));
        let named = self.named.load().as_slice().into();
        Horizon { oldest, named, sealed }
    }

    /// The newest timestamp appended or ingested.
    pub(super) fn last_ts(&self) -> Timestamp {
        Timestamp(self.last_ts.load(Ordering::Acquire))
    }

    /// Appends one commit to the WAL and applies it to the memtable.
    pub(super) fn append(&self, ts: Timestamp, batch: &Batch) -> Result<()> {
        batch.check_limits()?;
        let _write = self.write.lock();
        if ts <= self.last_ts() {
            return Err(Error::internal(format!(
                "commits must be appended in order ts={} last={}",
                ts.0,
                self.last_ts().0
            )));
        }
        self.make_room()?;
        self.wal.append(ts, batch.as_bytes())?;
        let bytes = Bytes::copy_from_slice(batch.as_bytes());
        let operations = operations(batch.as_bytes()).into_iter().flatten().flatten();
        self.state.load().active.apply(ts, &bytes, operations, self.oldest());
        self.last_ts.store(ts.0, Ordering::Release);
        self.counters.user_len.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Seals the active memtable and begins a new one with a new WAL segment.
    ///
    /// Requires: the `write` lock is held.
    pub(super) fn seal_active(&self) -> Result<()> {
        let segment = self.new_file_id();
        self.wal.rotate(segment)?;
        let _change = self.change.lock();
        let state = self.state.load();
        state.active.seal();
        let mut sealed = vec![state.active.clone()];
        sealed.extend(state.sealed.iter().cloned());
        let active = Arc::new(Memtable::new(segment));
        let version = state.version.clone();
        self.state.store(Arc::new(State { active, sealed, version }));
        Ok(())
    }

    /// The newest version of `key` at or below `ts`; an inner `None` is a tombstone.
    pub(super) fn get(
        &self,
        key: &[u8],
        ts: Timestamp,
        presence: Presence,
    ) -> Result<Option<(Timestamp, Option<Bytes>)>> {
        let state = self.state.load();
        let hash = key_hash(key);
        let mut memtables = std::iter::once(&state.active).chain(&state.sealed);
        let found = match memtables.find_map(|memtable| memtable.get(key, hash, ts)) {
            Some(found) => Some(found),
            None => state.version.get(key, hash, ts, presence)?,
        };
        Ok(found.filter(|(ts, _)| !state.version.is_dropped(key, *ts)))
    }

    /// A merge of everything that may hold versions of keys in `range` after `since` and at or
    /// below `ts`.
    pub(super) fn merge(
        &self,
        state: &State,
        range: &KeyRange,
        since: Timestamp,
        ts: Timestamp,
        direction: Direction,
    ) -> Merge {
        let mut sources = Vec::with_capacity(4 + LEVEL_COUNT);
        for memtable in std::iter::once(&state.active).chain(&state.sealed) {
            if memtable.last_ts() > since || Arc::ptr_eq(memtable, &state.active) {
                sources.push(Source::Memtable(memtable.cursor(ts, direction)));
            }
        }
        let version = &state.version;
        for sstable in version.level(0) {
            let file = sstable.meta();
            if range_touches(range, file) && file.properties.last_ts > since {
                sources.push(Source::Sstable(sstable.cursor(direction)));
            }
        }
        for level in 1..LEVEL_COUNT {
            let mut inside = version.touching(level, range).iter();
            if inside.any(|sstable| sstable.meta().properties.last_ts > since) {
                let cursor = LevelCursor::new(version.clone(), level, since, direction);
                sources.push(Source::Level(cursor));
            }
        }
        Merge::new(sources, direction)
    }

    /// Changes the set of live files, durably and at once for all new readers. `flushed` is a
    /// sealed memtable whose content the edit adds. New files are removed when the edit fails.
    ///
    /// # Errors
    /// `Io`, `DiskFull`. When the manifest may or may not have the edit, the store is poisoned.
    pub(super) fn commit_edit(
        &self,
        mut edit: Edit,
        flushed: Option<&Arc<Memtable>>,
    ) -> Result<Arc<Version>> {
        let mut manifest = self.manifest.lock();
        let old = self.state.load().version.clone();
        let version = match self.prepare_edit(&manifest, &old, &mut edit) {
            Ok(version) => version,
            Err(error) => {
                self.remove_unused(&edit);
                return Err(error);
            }
        };
        manifest.append(&edit).inspect_err(|_| self.wal.poison())?;
        {
            let _change = self.change.lock();
            let state = self.state.load();
            let is_left = |memtable: &&Arc<Memtable>| {
                !flushed.is_some_and(|gone| Arc::ptr_eq(gone, memtable))
            };
            let sealed = state.sealed.iter().filter(is_left).cloned().collect();
            let (active, version) = (state.active.clone(), version.clone());
            self.state.store(Arc::new(State { active, sealed, version }));
        }
        for sstable in old.sstables().filter(|old| version.sstable(old.meta().id).is_none()) {
            sstable.mark_obsolete();
        }
        if manifest.len() > MANIFEST_LEN_MAX {
            self.rotate_manifest(&mut manifest, &version);
        }
        Ok(version)
    }

    fn prepare_edit(
        &self,
        manifest: &Manifest,
        old: &Version,
        edit: &mut Edit,
    ) -> Result<Arc<Version>> {
        self.wal.check()?;
        edit.next_file = Some(FileId(self.next_file.load(Ordering::Relaxed)));
        // Whatever was left out of the files that the edit adds was older than this.
        edit.history = Some(Timestamp(self.oldest.load(Ordering::Acquire)));
        let broken = |why| Error::internal(format!("an edit does not fit: {why}"));
        let mut shape = old.shape().after(edit).map_err(broken)?;
        shape.check_count(old.shape())?;
        edit.forgotten = shape.finished_drops();
        shape.drops.retain(|mark| !edit.forgotten.contains(mark));
        let known: Vec<_> = old.sstables().cloned().collect();
        let version = Version::open(&self.env, &self.dir, &self.cache, shape, &known)?;
        if !edit.added.is_empty() {
            let dir = &self.dir;
            self.env.vfs.sync_dir(dir).map_err(|e| Error::io("sync directory", dir, e))?;
        }
        manifest.reserve(edit)?;
        Ok(Arc::new(version))
    }

    /// Removes files that a failed edit would have added.
    fn remove_unused(&self, edit: &Edit) {
        for (_, file) in &edit.added {
            if !edit.removed.contains(&file.id) {
                remove_quietly(&self.env, &FileName::Sstable(file.id).path(&self.dir));
            }
        }
    }

    /// Notes where the log ends, so that nothing behind it passes for a torn record.
    ///
    /// Requires: nothing is written any more.
    ///
    /// # Errors
    /// `Io`, `DiskFull`; the log then ends where it can no longer be read.
    pub(super) fn mark_closed(&self, end: (FileId, u64)) -> Result<()> {
        let edit = Edit { closed: Some(end), ..Edit::default() };
        let mut manifest = self.manifest.lock();
        manifest.reserve(&edit)?;
        manifest.append(&edit)
    }

    /// Begins a new manifest. When that fails the old one, which has every edit, stays in use; it
    /// is tried again with the next edit.
    fn rotate_manifest(&self, manifest: &mut Manifest, version: &Version) {
        let id = self.new_file_id();
        let mut shape = version.shape().clone();
        shape.next_file = FileId(id.0 + 1);
        let unused = match Manifest::create(&self.env, &self.dir, id, &shape) {
            Ok(new) => std::mem::replace(manifest, new).id(),
            Err(error) => {
                tracing::warn!(%error, "could not begin a new manifest");
                let current = read_current(&self.env, &self.dir).ok().flatten();
                if current != Some(manifest.id()) {
                    // Nobody knows which of the two a power cut would leave.
                    return self.wal.poison();
                }
                id
            }
        };
        remove_quietly(&self.env, &FileName::Manifest(unused).path(&self.dir));
    }
}

/// Removes a file that is not needed. When that fails it is swept on the next open.
pub(super) fn remove_quietly(env: &Env, path: &Path) {
    if let Err(error) = env.vfs.remove(path) {
        tracing::warn!(file = %path.display(), %error, "could not remove a file");
    }
}
