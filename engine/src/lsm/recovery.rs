//! What opening a store does, in order.
//!
//! 1. Create the directory when absent; take its lock.
//! 2. Read CURRENT and the manifest it names; a fresh directory gets an empty manifest.
//! 3. Open the sstables.
//! 4. Replay the WAL: commits that are not in sstables go to a memtable, and to further level-0
//!    sstables when they do not fit one.
//! 5. Begin a new WAL segment, linked to the end of the last one.
//! 6. Write a new manifest and point CURRENT to it. Before this step the directory still is what
//!    it was; after it, it is the opened store.
//! 7. Sweep files that nothing names.

use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;

use super::background::Background;
use super::batch::operations;
use super::block_cache::BlockCache;
use super::compaction::retention::Horizon;
use super::events::{Event, EventKind, EventLog};
use super::flush::write_memtable;
use super::memtable::Memtable;
use super::stats::Counters;
use super::store::{State, Store, remove_quietly};
use super::version::{Edit, Manifest, Shape, Version, read_current, read_manifest};
use super::wal;
use crate::env::vfs::Lock;
use crate::env::{Env, FileId, FileName};
use crate::error::{Error, Result};
use crate::options::Options;
use crate::sync::atomic::{AtomicU64, AtomicUsize};
use crate::sync::{Condvar, Mutex};
use crate::timestamp::Timestamp;

/// Opens the store in `dir`.
pub(super) fn open(env: Env, dir: &Path, options: &Options) -> Result<Arc<Store>> {
    env.vfs.create_dir_all(dir).map_err(|error| Error::io("create directory", dir, error))?;
    let current = read_current(&env, dir)?;
    let names = list(&env, dir)?;
    if current.is_none() {
        check_fresh(dir, &names)?;
    }
    let lock = take_lock(&env, dir)?;
    let current = match current {
        Some(id) => id,
        None => {
            let shape = Shape { next_file: FileId(2), ..Shape::default() };
            Manifest::create(&env, dir, FileId(1), &shape)?.id()
        }
    };
    let shape = read_manifest(&env, dir, current)?;
    let store = Recovery::new(env, dir, options, shape, &names)?.run(&names, lock)?;
    store.sweep(&names);
    store.note(Event::new(EventKind::Open));
    Background::start(&store)?;
    Ok(store)
}

pub(super) fn list(env: &Env, dir: &Path) -> Result<Vec<String>> {
    env.vfs.list(dir).map_err(|error| Error::io("list directory", dir, error))
}

/// Refuses a directory that is absent or in which nothing is ours. Never writes.
///
/// # Errors
/// `Unusable`, `Io`.
pub(crate) fn check_existing(env: &Env, dir: &Path) -> Result<()> {
    if !env.vfs.exists(dir).map_err(|error| Error::io("look up", dir, error))? {
        return Err(Error::unusable(format!("there is no such directory dir={}", dir.display())));
    }
    let is_ours = |name: &String| match FileName::parse(name) {
        Some(FileName::Lock | FileName::Events | FileName::Temporary) | None => false,
        Some(_) => true,
    };
    if list(env, dir)?.iter().any(is_ours) {
        return Ok(());
    }
    Err(Error::unusable(format!("not a cairn data directory dir={}", dir.display())))
}

/// The WAL segments among the names of a directory.
pub(super) fn wal_ids(names: &[String]) -> Vec<FileId> {
    let id = |name: &String| match FileName::parse(name)? {
        FileName::Wal(id) => Some(id),
        _ => None,
    };
    names.iter().filter_map(id).collect()
}

/// Takes the directory's lock.
///
/// # Errors
/// `Unusable` when another holds it.
pub(super) fn take_lock(env: &Env, dir: &Path) -> Result<Lock> {
    let path = FileName::Lock.path(dir);
    let lock = env.vfs.lock(&path).map_err(|error| Error::io("lock", &path, error))?;
    lock.ok_or_else(|| {
        Error::unusable(format!(
            "the data directory is in use by another process dir={}",
            dir.display()
        ))
    })
}

/// Refuses to make a database out of a directory that holds something else.
fn check_fresh(dir: &Path, names: &[String]) -> Result<()> {
    for name in names {
        match FileName::parse(name) {
            Some(FileName::Wal(_) | FileName::Sstable(_)) => {
                let path = FileName::Current.path(dir);
                let found = format!("none, beside {name}");
                return Err(Error::corruption(&path, 0, "a CURRENT file", found));
            }
            Some(_) => {}
            None => {
                return Err(Error::unusable(format!(
                    "the directory is not empty and not a cairn data directory dir={} found={name}",
                    dir.display()
                )));
            }
        }
    }
    Ok(())
}

/// The state of an opening in progress.
struct Recovery<'a> {
    env: Env,
    dir: &'a Path,
    options: &'a Options,
    shape: Shape,
    next_file: u64,
    memtable: Arc<Memtable>,
    /// Level-0 files written because the WAL did not fit a memtable.
    overflow: Edit,
}

impl<'a> Recovery<'a> {
    fn new(
        env: Env,
        dir: &'a Path,
        options: &'a Options,
        shape: Shape,
        names: &[String],
    ) -> Result<Self> {
        let numbers = names.iter().filter_map(|name| match FileName::parse(name)? {
            FileName::Wal(id) | FileName::Sstable(id) | FileName::Manifest(id) => Some(id.0),
            _ => None,
        });
        let used = numbers.max().map_or(0, |number| number.saturating_add(1));
        let next_file = shape.next_file.0.max(used);
        let memtable = Arc::new(Memtable::new(shape.wal_first));
        Ok(Self { env, dir, options, shape, next_file, memtable, overflow: Edit::default() })
    }

    fn new_file_id(&mut self) -> FileId {
        self.next_file += 1;
        FileId(self.next_file - 1)
    }

    fn run(mut self, names: &[String], lock: Lock) -> Result<Arc<Store>> {
        let archive = self.options.wal_archive.as_ref();
        let archive = archive.map(|dir| wal::Archive::open(&self.env, dir)).transpose()?;
        let cache = Arc::new(BlockCache::new(self.options.block_cache_len_max));
        let version = Version::open(&self.env, self.dir, &cache, self.shape.clone(), &[])?;
        let tail = self.replay(names)?;
        let segment = self.new_file_id();
        let last_ts = self.shape.last_ts.max(self.memtable.last_ts());
        let wal = wal::Writer::create(
            &self.env,
            self.dir,
            self.options.wal_allocation_len,
            segment,
            tail,
            last_ts,
        )?;
        if self.memtable.is_empty() {
            self.memtable = Arc::new(Memtable::new(segment));
        }
        let manifest_id = self.new_file_id();
        let edit = Edit {
            wal_first: Some(self.memtable.first_segment()),
            wal_last: Some(segment),
            last_ts: Some(last_ts),
            next_file: Some(FileId(self.next_file)),
            ..std::mem::take(&mut self.overflow)
        };
        let internal =
            |why| Error::internal(format!("recovery made an edit that does not fit: {why}"));
        let shape = self.shape.after(&edit).map_err(internal)?;
        let known: Vec<_> = version.sstables().cloned().collect();
        let version = Arc::new(Version::open(&self.env, self.dir, &cache, shape, &known)?);
        let manifest = Manifest::create(&self.env, self.dir, manifest_id, version.shape())?;
        let state = State { active: self.memtable, sealed: Vec::new(), version };
        let events = EventLog::open(&self.env, self.dir);
        Ok(Arc::new(Store {
            env: self.env,
            dir: self.dir.to_owned(),
            options: self.options.clone(),
            cache,
            wal,
            archive,
            state: ArcSwap::from_pointee(state),
            write: Mutex::new(()),
            flushing: Mutex::new(()),
            manifest: Mutex::new(manifest),
            change: Mutex::new(()),
            next_file: AtomicU64::new(self.next_file),
            last_ts: AtomicU64::new(last_ts.0),
            oldest: AtomicU64::new(0),
            named: ArcSwap::from_pointee(Vec::new()),
            sealed: AtomicU64::new(0),
            counters: Counters::default(),
            background: Background::default(),
            compactions: Mutex::default(),
            compaction_ended: Condvar::new(),
            pauses: AtomicUsize::new(0),
            events,
            lock: Mutex::new(Some(lock)),
        }))
    }

    /// Replays the WAL into memory. Returns the last segment and the end of its records.
    fn replay(&mut self, names: &[String]) -> Result<Option<(FileId, u64)>> {
        let log = wal::Log::open(&self.env, self.dir, &wal_ids(names), self.shape.wal_bounds())?;
        self.remove_stillborn(&log.stillborn)?;
        let mut tail = None;
        for segment in &log.segments {
            let path = segment.path();
            let end = segment.replay(|offset, ts, payload| {
                self.apply(ts, payload).map_err(|error| match error {
                    Fault::Malformed => Error::corruption(path, offset, "a batch", "other bytes"),
                    Fault::Other(error) => error,
                })
            })?;
            // A killed process leaves records in the page cache. Readers will be shown them and
            // the next segment links behind them, so no power cut may take them back.
            self.env.vfs.sync_file(path).map_err(|error| Error::io("sync", path, error))?;
            tail = Some((segment.id(), end));
        }
        Ok(tail)
    }

    /// Half-created segments must be gone for good before a new one links past them.
    fn remove_stillborn(&self, ids: &[FileId]) -> Result<()> {
        for &id in ids {
            let path = FileName::Wal(id).path(self.dir);
            self.env.vfs.remove(&path).map_err(|error| Error::io("remove", &path, error))?;
        }
        let synced = if ids.is_empty() { Ok(()) } else { self.env.vfs.sync_dir(self.dir) };
        synced.map_err(|error| Error::io("sync directory", self.dir, error))
    }

    fn apply(&mut self, ts: Timestamp, payload: &[u8]) -> std::result::Result<(), Fault> {
        if ts <= self.shape.flushed || self.overflow.flushed.is_some_and(|flushed| ts <= flushed) {
            return Ok(());
        }
        // The payload is copied: a slice of the mapping would keep the whole segment in memory.
        let bytes = Bytes::copy_from_slice(payload);
        let operations: Option<Vec<_>> = operations(&bytes).ok_or(Fault::Malformed)?.collect();
        let operations = operations.ok_or(Fault::Malformed)?;
        self.memtable.apply(ts, &bytes, operations.into_iter(), Timestamp(0));
        if self.memtable.len_bytes() >= self.options.memtable_len_max as u64 {
            self.overflow_memtable().map_err(Fault::Other)?;
        }
        Ok(())
    }

    fn overflow_memtable(&mut self) -> Result<()> {
        let id = self.new_file_id();
        self.memtable.seal();
        let (env, memtable) = (&self.env, &self.memtable);
        // Nobody reads yet, but the caller has not said which old snapshots it will revive.
        let (shape, horizon) = (&self.shape, Horizon::unknown());
        let file = write_memtable(env, self.dir, self.options, id, memtable, shape, horizon)?;
        env.vfs.sync_dir(self.dir).map_err(|error| Error::io("sync directory", self.dir, error))?;
        let last_ts = memtable.last_ts();
        self.overflow.flushed = Some(last_ts);
        self.shape.last_ts = self.shape.last_ts.max(last_ts);
        self.overflow.added.extend(file.map(|file| (0, file)));
        self.memtable = Arc::new(Memtable::new(self.shape.wal_first));
        Ok(())
    }
}

enum Fault {
    Malformed,
    Other(Error),
}

impl Store {
    /// Removes files of ours that nothing names: leftovers of a crash.
    fn sweep(&self, names: &[String]) {
        self.archive_sealed();
        let state = self.state.load();
        let manifest = self.manifest.lock().id();
        let first = state.active.first_segment();
        for name in names {
            let is_orphan = match FileName::parse(name) {
                Some(FileName::Sstable(id)) => state.version.sstable(id).is_none(),
                Some(FileName::Manifest(id)) => id != manifest,
                Some(FileName::Wal(id)) => id < first && self.may_remove(id),
                Some(FileName::Temporary) => true,
                Some(FileName::Lock | FileName::Current | FileName::Events) | None => false,
            };
            let path = self.dir.join(name);
            if is_orphan && self.env.vfs.exists(&path).unwrap_or(false) {
                remove_quietly(&self.env, &path);
            }
        }
        // The manifest of a fresh directory was created after the listing.
        let initial = FileName::Manifest(FileId(1)).path(&self.dir);
        if manifest != FileId(1) && self.env.vfs.exists(&initial).unwrap_or(false) {
            remove_quietly(&self.env, &initial);
        }
    }
}
