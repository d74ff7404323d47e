//! Reading what is left of a damaged store, and writing it as a sound one.
//!
//! Every row version that can still be read is kept, with its timestamp, so that named snapshots
//! and reads as of the past still work. Nothing in the damaged directory changes.
//!
//! # What holds of the result
//! - The log is applied up to its first damage: of the commits in it a prefix, each as a whole.
//!   What can be read behind the damage is counted and left out, unless [`PastDamage::Apply`] asks
//!   for it: then later commits are there while earlier ones are missing.
//! - A lost block of an sstable takes single entries away. Where the newest version of a key was
//!   lost, an older one may show, or a row that was deleted; the lost key ranges are named.
//! - Without any manifest all sstables are taken as live. Ranges that were dropped, and rows that a
//!   merge had just forgotten, may be back.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::batch::operations;
use super::recovery::{list, wal_ids};
use super::sstable::{Compression, FileMeta, Hole, Remains, SstableBuilder};
use super::version::{LEVEL_COUNT, Manifest, Shape, read_current, read_manifest};
use super::wal::Segment;
use crate::env::{Env, FileId, FileName};
use crate::error::{Error, ErrorKind, Result};
use crate::keyspace::{KeyRange, next_key};
use crate::options::Options;
use crate::timestamp::Timestamp;

/// What to do with commits that can be read behind a damaged one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PastDamage {
    /// Leave them out: what is kept of the log is a prefix of it.
    #[default]
    Leave,
    /// Apply them all the same.
    Apply,
}

/// A damaged file, and what went with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The file.
    pub file: PathBuf,
    /// The damaged places.
    pub places: Vec<LostPlace>,
    /// How many row versions are lost with them, at most; `None` when nobody can say.
    pub entry_count_max: Option<u64>,
}

/// A damaged place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostPlace {
    /// Bytes from the start of the file, when known.
    pub offset: Option<u64>,
    /// What was expected there, and what was found.
    pub message: String,
    /// The keys that may have been there; `None` when it held no row versions.
    pub keys: Option<KeyRange>,
}

/// Commits that can be read behind a damaged one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BehindDamage {
    /// How many there are.
    pub commit_count: u64,
    /// The oldest.
    pub first: Timestamp,
    /// The newest.
    pub last: Timestamp,
}

/// What was kept and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Salvage {
    /// Damaged files.
    pub losses: Vec<Loss>,
    /// Row versions kept.
    pub entry_count: u64,
    /// Commits applied from the log.
    pub commit_count: u64,
    /// Commits behind the first damage of the log.
    pub behind_damage: Option<BehindDamage>,
    /// Nothing said which sstables are live: all were taken.
    pub is_manifest_lost: bool,
}

impl Salvage {
    /// Whether row versions are lost, or may be.
    pub fn is_lossy(&self) -> bool {
        self.is_manifest_lost || self.losses.iter().any(|loss| loss.entry_count_max != Some(0))
    }

    /// Takes damage of a whole file into account; passes every other error on.
    fn lose(
        &mut self,
        file: &Path,
        error: Error,
        keys: Option<KeyRange>,
        count: Option<u64>,
    ) -> Result<()> {
        let place = lost_place(&Hole { error: damage(error)?, keys });
        let file = file.to_owned();
        self.losses.push(Loss { file, places: vec![place], entry_count_max: count });
        Ok(())
    }
}

/// Damage, or something that this file alone suffers from; every other error is passed on.
fn damage(error: Error) -> Result<Error> {
    match error.kind() {
        ErrorKind::Corruption | ErrorKind::Io => Ok(error),
        _ => Err(error),
    }
}

fn lost_place(hole: &Hole) -> LostPlace {
    LostPlace {
        offset: hole.error.place().map(|place| place.offset),
        message: hole.error.message().to_owned(),
        keys: hole.keys.clone(),
    }
}

/// Reads what can be read in `dir` and writes it to the new directory `target`.
///
/// Requires: the directory is held.
///
/// # Errors
/// `Unusable` when something is of a newer format, `Io`, `DiskFull`. Damage is a loss, not an
/// error.
pub(crate) fn salvage(
    env: &Env,
    dir: &Path,
    target: &Path,
    options: &Options,
    past_damage: PastDamage,
) -> Result<Salvage> {
    let mut salvage = Salvage::default();
    let names = list(env, dir)?;
    let shape = find_shape(env, dir, &names, &mut salvage)?;
    let (tables, stated) = open_tables(env, dir, &names, shape.as_ref(), &mut salvage)?;
    let shape = shape.unwrap_or_default();
    let log = read_log(env, dir, &names, &shape, past_damage, &mut salvage)?;
    let mut merge = Merge::new(tables, log.versions);
    let mut writer = Writer::new(env, target, options)?;
    while let Some((key, ts, value)) = merge.next() {
        if !shape.drops.iter().any(|mark| mark.covers(&key, ts)) {
            writer.add(&key, ts, value.as_deref())?;
            salvage.entry_count += 1;
        }
    }
    writer.finish(&shape, log.last)?;
    for (table, stated) in merge.tables.into_iter().zip(stated) {
        account(table, stated.as_ref(), &mut salvage);
    }
    Ok(salvage)
}

/// What the manifest says; `None` when there is none that can be read.
fn find_shape(
    env: &Env,
    dir: &Path,
    names: &[String],
    salvage: &mut Salvage,
) -> Result<Option<Shape>> {
    let current = FileName::Current.path(dir);
    let id = read_current(env, dir)
        .and_then(|id| id.ok_or_else(|| Error::corruption(&current, 0, "a CURRENT file", "none")));
    let candidates = match id {
        Ok(id) => vec![id],
        Err(error) => {
            // Each opening begins a manifest and removes the one before.
            salvage.lose(&current, error, None, Some(0))?;
            let id = |name: &String| match FileName::parse(name)? {
                FileName::Manifest(id) => Some(id),
                _ => None,
            };
            let mut ids: Vec<FileId> = names.iter().filter_map(id).collect();
            ids.sort_by_key(|id| Reverse(*id));
            ids
        }
    };
    for id in candidates {
        match read_manifest(env, dir, id) {
            Ok(shape) => return Ok(Some(shape)),
            Err(error) => salvage.lose(&FileName::Manifest(id).path(dir), error, None, None)?,
        }
    }
    salvage.is_manifest_lost = true;
    Ok(None)
}

/// The sstables that can be read at all, and what the manifest says of each.
fn open_tables(
    env: &Env,
    dir: &Path,
    names: &[String],
    shape: Option<&Shape>,
    salvage: &mut Salvage,
) -> Result<(Vec<Remains>, Vec<Option<Arc<FileMeta>>>)> {
    let files: Vec<(FileId, Option<Arc<FileMeta>>)> = match shape {
        Some(shape) => shape.files().map(|(_, file)| (file.id, Some(file.clone()))).collect(),
        None => {
            let id = |name: &String| match FileName::parse(name)? {
                FileName::Sstable(id) => Some((id, None)),
                _ => None,
            };
            names.iter().filter_map(id).collect()
        }
    };
    let (mut tables, mut stated) = (Vec::new(), Vec::new());
    for (id, meta) in files {
        let path = FileName::Sstable(id).path(dir);
        match Remains::open(env, &path) {
            Ok(table) => {
                tables.push(table);
                stated.push(meta);
            }
            Err(error) => {
                let stated = meta.as_ref().map(|meta| &meta.properties);
                let keys = stated.map_or_else(KeyRange::all, |stated| KeyRange {
                    start: stated.smallest.clone(),
                    end: Some(next_key(&stated.largest)),
                });
                let count = stated.map(|stated| stated.entry_count);
                salvage.lose(&path, error, Some(keys), count)?;
            }
        }
    }
    Ok((tables, stated))
}

/// Says what was lost of an sstable, once all was read that can be.
fn account(table: Remains, meta: Option<&Arc<FileMeta>>, salvage: &mut Salvage) {
    let path = table.path().to_owned();
    let Remains { properties, mut holes, entry_count, .. } = table;
    let stated = meta.map(|meta| &meta.properties).or(properties.as_ref());
    if meta.is_some_and(|meta| properties.as_ref().is_some_and(|own| *own != meta.properties)) {
        let expected = "the properties that the manifest names";
        let error = Error::corruption(&path, 0, expected, "those of another sstable");
        holes.push(Hole { error, keys: Some(KeyRange::all()) });
    }
    if holes.is_empty() {
        return;
    }
    let lost = stated.map(|stated| stated.entry_count.saturating_sub(entry_count));
    let places = holes.iter().map(lost_place).map(|place| {
        // All entries were read: the hole was behind them.
        let keys = place.keys.filter(|_| lost != Some(0));
        LostPlace { keys, ..place }
    });
    salvage.losses.push(Loss { file: path, places: places.collect(), entry_count_max: lost });
}

/// Row versions by key, the newest of each first.
type Versions = BTreeMap<(Vec<u8>, Reverse<Timestamp>), Option<Bytes>>;

/// What the log holds.
#[derive(Default)]
struct Log {
    versions: Versions,
    /// The newest commit met, applied or not.
    last: Timestamp,
}

impl Log {
    /// Takes a commit in; false when it makes no sense.
    fn apply(&mut self, ts: Timestamp, payload: &[u8]) -> bool {
        let operations = operations(payload).and_then(|all| all.collect::<Option<Vec<_>>>());
        let Some(operations) = operations else { return false };
        let bytes = Bytes::copy_from_slice(payload);
        for operation in operations {
            let key = bytes.slice(operation.key).to_vec();
            self.versions.insert((key, Reverse(ts)), operation.value.map(|at| bytes.slice(at)));
        }
        true
    }
}

/// Reads the segments in order, up to the first damage and behind it.
fn read_log(
    env: &Env,
    dir: &Path,
    names: &[String],
    shape: &Shape,
    past_damage: PastDamage,
    salvage: &mut Salvage,
) -> Result<Log> {
    let bounds = shape.wal_bounds();
    let mut ids = wal_ids(names);
    // What is missing is met in its turn.
    ids.extend([bounds.first, bounds.last].into_iter().filter(|id| *id != FileId(0)));
    ids.retain(|id| *id >= bounds.first);
    ids.sort();
    ids.dedup();
    let mut segments: Vec<Result<Segment>> =
        ids.iter().map(|id| Segment::open(env, dir, *id)).collect();
    let links: Vec<_> = segments.iter().map(|s| s.as_ref().ok()?.previous()).collect();
    let flushed = shape.flushed;
    let mut reader =
        LogReader { flushed, past_damage, salvage, log: Log::default(), is_damaged: false };
    for (at, (id, opened)) in ids.iter().zip(&mut segments).enumerate() {
        let path = FileName::Wal(*id).path(dir);
        match opened {
            // Nothing was ever in it.
            Ok(segment) if at + 1 == ids.len() && *id > bounds.last && segment.is_stillborn() => {}
            Ok(segment) => {
                segment.end_at(links.get(at + 1).copied().flatten().or(bounds.closed));
                let previous = at.checked_sub(1).and_then(|at| ids.get(at)).copied();
                reader.read(&path, segment, previous)?;
            }
            Err(error) => reader.lose(&path, error.clone())?,
        }
    }
    Ok(reader.log)
}

/// A walk through the log.
struct LogReader<'a> {
    /// Commits up to here are in sstables.
    flushed: Timestamp,
    past_damage: PastDamage,
    salvage: &'a mut Salvage,
    log: Log,
    /// Something before was damaged.
    is_damaged: bool,
}

impl LogReader<'_> {
    fn lose(&mut self, path: &Path, error: Error) -> Result<()> {
        self.is_damaged = true;
        self.salvage.lose(path, error, Some(KeyRange::all()), None)
    }

    fn read(&mut self, path: &Path, segment: &Segment, previous: Option<FileId>) -> Result<()> {
        if let Err(error) = check_link(segment, previous) {
            self.lose(path, error)?;
        }
        if self.is_damaged {
            self.read_behind(segment, 0);
            return Ok(());
        }
        let (log, flushed) = (&mut self.log, self.flushed);
        let mut count = 0;
        let replayed = segment.replay(|offset, ts, payload| {
            log.last = log.last.max(ts);
            if ts > flushed && !log.apply(ts, payload) {
                return Err(Error::corruption(path, offset, "a batch", "other bytes"));
            }
            count += 1;
            Ok(())
        });
        self.salvage.commit_count += count;
        if let Err(error) = replayed {
            let offset = error.place().map_or(0, |place| place.offset);
            self.lose(path, error)?;
            self.read_behind(segment, offset);
        }
        Ok(())
    }

    /// What can be read behind the damage.
    fn read_behind(&mut self, segment: &Segment, offset: u64) {
        for (ts, payload) in segment.records_behind(offset) {
            self.log.last = self.log.last.max(ts);
            if self.past_damage == PastDamage::Apply && ts > self.flushed {
                self.log.apply(ts, payload);
            }
            let first = BehindDamage { commit_count: 0, first: ts, last: ts };
            let behind = self.salvage.behind_damage.get_or_insert(first);
            behind.commit_count += 1;
            behind.last = behind.last.max(ts);
        }
    }
}

/// A segment says which one it follows.
fn check_link(segment: &Segment, previous: Option<FileId>) -> Result<()> {
    let link = segment.previous().map(|(id, _)| id);
    match previous {
        Some(previous) if link != Some(previous) && segment.has_header() => {
            let expected = format!("a segment that follows {previous}");
            let found = link.map_or("no link".to_owned(), |id| format!("link to {id}"));
            Err(Error::corruption(segment.path(), 20, expected, found))
        }
        _ => Ok(()),
    }
}

/// A merge of everything that can be read: by key, the newest version first, each once.
struct Merge {
    tables: Vec<Remains>,
    log: std::collections::btree_map::IntoIter<(Vec<u8>, Reverse<Timestamp>), Option<Bytes>>,
    /// The next entry of each source: key, timestamp, source.
    heads: BinaryHeap<Reverse<(Vec<u8>, Reverse<Timestamp>, usize)>>,
    /// The values of the heads, by source.
    values: Vec<Option<Bytes>>,
    last: Option<(Vec<u8>, Timestamp)>,
}

impl Merge {
    fn new(tables: Vec<Remains>, log: Versions) -> Self {
        let values = vec![None; tables.len() + 1];
        let heads = BinaryHeap::new();
        let mut merge = Self { tables, log: log.into_iter(), heads, values, last: None };
        (0..merge.values.len()).for_each(|source| merge.pull(source));
        merge
    }

    /// Fetches the next entry of a source.
    fn pull(&mut self, source: usize) {
        let entry = match self.tables.get_mut(source) {
            Some(table) => table.next(),
            None => self.log.next().map(|((key, Reverse(ts)), value)| (key, ts, value)),
        };
        let Some((key, ts, value)) = entry else { return };
        self.heads.push(Reverse((key, Reverse(ts), source)));
        if let Some(place) = self.values.get_mut(source) {
            *place = value;
        }
    }

    fn next(&mut self) -> Option<(Vec<u8>, Timestamp, Option<Bytes>)> {
        loop {
            let Reverse((key, Reverse(ts), source)) = self.heads.pop()?;
            let value = self.values.get_mut(source).and_then(Option::take);
            self.pull(source);
            let is_same = |(before, at): &(Vec<u8>, Timestamp)| *before == key && *at == ts;
            if !self.last.as_ref().is_some_and(is_same) {
                self.last = Some((key.clone(), ts));
                return Some((key, ts, value));
            }
        }
    }
}

/// Writes a new store: sstables of the bottom level, and a manifest.
struct Writer<'a> {
    env: &'a Env,
    dir: &'a Path,
    options: &'a Options,
    builder: Option<SstableBuilder>,
    files: Vec<FileMeta>,
    next_file: u64,
}

impl<'a> Writer<'a> {
    fn new(env: &'a Env, dir: &'a Path, options: &'a Options) -> Result<Self> {
        env.vfs.create_dir_all(dir).map_err(|error| Error::io("create directory", dir, error))?;
        Ok(Self { env, dir, options, builder: None, files: Vec::new(), next_file: 1 })
    }

    fn new_file_id(&mut self) -> FileId {
        self.next_file += 1;
        FileId(self.next_file - 1)
    }

    fn add(&mut self, key: &[u8], ts: Timestamp, value: Option<&[u8]>) -> Result<()> {
        let is_full = |builder: &mut SstableBuilder| {
            builder.len() >= self.options.sstable_len_max && builder.last_key() != key
        };
        if let Some(full) = self.builder.take_if(is_full) {
            self.files.push(full.finish()?);
        }
        if self.builder.is_none() {
            let id = self.new_file_id();
            let (env, dir, options) = (self.env, self.dir, self.options);
            let new = SstableBuilder::create(env, dir, id, options, Compression::Lz4)?;
            self.builder = Some(new);
        }
        match &mut self.builder {
            Some(builder) => builder.add(key, ts, value),
            None => Ok(()),
        }
    }

    /// Makes it a store that was never used.
    fn finish(mut self, old: &Shape, last: Timestamp) -> Result<()> {
        let rest = self.builder.take().map(SstableBuilder::finish).transpose()?;
        self.files.extend(rest);
        let id = self.new_file_id();
        let newest = self.files.iter().map(|file| file.properties.last_ts).max();
        let last_ts = newest.unwrap_or_default().max(old.last_ts).max(last);
        let mut shape = Shape {
            flushed: last_ts,
            last_ts,
            next_file: FileId(self.next_file),
            history: old.history,
            ..Shape::default()
        };
        shape.levels[LEVEL_COUNT - 1] = self.files.into_iter().map(Arc::new).collect();
        Manifest::create(self.env, self.dir, id, &shape).map(drop)
    }
}
