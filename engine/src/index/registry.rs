//! All derived indexes of a database: routing, recovery, background work.
//!
//! Entries reach their index under the commit mutex, in commit order. On disk each index has a
//! directory `index-<id>` beside the sstables; it is opened when its first entry is met.
//!
//! # Recovery
//! The keyspace says which indexes exist: those that have entries. Each opens its segments and is
//! given every entry that is newer than its watermark, oldest first. A directory without entries
//! belongs to an index that was emptied or dropped, and is removed. So a lost directory is rebuilt
//! and a left one is cleared away, and no list of indexes has to be kept in step. A damaged
//! directory, or one that knows of commits that the log has lost, is removed and built anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};

use super::fulltext::FullTextIndex;
use super::geo::GeoIndex;
use super::{DerivedIndex, Health, Life, segmented};
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::keyspace::{Direction, KeyRange, ObjectId, PREFIX_LEN, Space, prefix, split_derived};
use crate::lsm::Lsm;
use crate::timestamp::Timestamp;

pub(super) const DIR_PREFIX: &str = "index-";

/// One derived index, by kind.
#[derive(Clone)]
pub(crate) enum Index {
    Text(Arc<FullTextIndex>),
    Geo(Arc<GeoIndex>),
}

/// A committed entry on its way to its index.
pub(crate) struct Routed<'a> {
    index: Index,
    row_key: &'a [u8],
    entry: Option<&'a Bytes>,
}

/// The derived indexes, by number.
pub(crate) struct Registry {
    env: Env,
    dir: PathBuf,
    indexes: RwLock<BTreeMap<ObjectId, Index>>,
    /// Held while segments change, so that a checkpoint sees no half of it.
    maintenance: Mutex<()>,
}

impl Index {
    pub(crate) fn derived(&self) -> &dyn DerivedIndex {
        match self {
            Self::Text(index) => &**index,
            Self::Geo(index) => &**index,
        }
    }

    pub(crate) fn space(&self) -> Space {
        match self {
            Self::Text(_) => Space::Text,
            Self::Geo(_) => Space::Geo,
        }
    }
}

impl Registry {
    /// Opens every index that has entries, and brings it up to date.
    ///
    /// # Errors
    /// `Corruption`, `Io`.
    pub(crate) fn recover(env: &Env, dir: &Path, lsm: &Lsm) -> Result<Self> {
        let (indexes, maintenance) = (RwLock::default(), Mutex::default());
        let registry = Self { env: env.clone(), dir: dir.to_owned(), indexes, maintenance };
        for space in [Space::Text, Space::Geo] {
            for id in ids_with_entries(lsm, space)? {
                registry.recover_index(lsm, space, id)?;
            }
        }
        registry.remove_orphans()?;
        Ok(registry)
    }

    fn recover_index(&self, lsm: &Lsm, space: Space, id: ObjectId) -> Result<()> {
        let index = match self.get_or_open(space, id) {
            Ok(index) => index,
            Err(error) if error.kind() == ErrorKind::Corruption => {
                return self.recover_anew(lsm, space, id, &error);
            }
            Err(error) => return Err(error),
        };
        let (watermark, last) = (index.derived().life().watermark(), lsm.last_timestamp());
        if watermark > last {
            let (expected, dir) = (format!("commits up to {}", last.0), self.dir_of(id));
            let error = Error::corruption(&dir, 0, expected, format!("up to {}", watermark.0));
            return self.recover_anew(lsm, space, id, &error);
        }
        replay(lsm, space, id, &index)
    }

    /// Removes the files of a damaged index and builds it from its entries. Logged.
    fn recover_anew(&self, lsm: &Lsm, space: Space, id: ObjectId, why: &Error) -> Result<()> {
        tracing::error!(error = %why, "an index is damaged; it is built anew from its entries");
        self.remove(id)?;
        let index = self.get_or_open(space, id)?;
        rebuild(lsm, id, &index, lsm.last_timestamp())
    }

    /// An index, opened if need be.
    ///
    /// # Errors
    /// `Corruption`, `Io`; `Invalid` when the number belongs to an index of another kind.
    pub(crate) fn get_or_open(&self, space: Space, id: ObjectId) -> Result<Index> {
        let known = self.indexes.read().get(&id).cloned();
        if let Some(index) = known {
            if index.space() != space {
                return Err(Error::invalid(format!("index {} is of another kind", id.0)));
            }
            return Ok(index);
        }
        let mut indexes = self.indexes.write();
        if let Some(index) = indexes.get(&id) {
            return Ok(index.clone());
        }
        let dir = self.dir_of(id);
        let index = match space {
            Space::Text => Index::Text(Arc::new(FullTextIndex::open(&self.env, &dir)?)),
            _ => Index::Geo(Arc::new(GeoIndex::open(&self.env, &dir)?)),
        };
        indexes.insert(id, index.clone());
        Ok(index)
    }

    /// Finds the index of every entry among `writes`; done before the commit, which must not fail
    /// half way.
    ///
    /// # Errors
    /// As [`Registry::get_or_open`].
    pub(crate) fn route<'a>(
        &self,
        writes: impl Iterator<Item = (&'a Bytes, Option<&'a Bytes>)>,
    ) -> Result<Vec<Routed<'a>>> {
        let mut routed = Vec::new();
        for (key, entry) in writes {
            if let Some((space, id, row_key)) = split_derived(key) {
                routed.push(Routed { index: self.get_or_open(space, id)?, row_key, entry });
            }
        }
        Ok(routed)
    }

    /// Forgets an index and removes its files.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn remove(&self, id: ObjectId) -> Result<()> {
        let _quiet = self.maintenance.lock();
        self.indexes.write().remove(&id);
        segmented::remove_dir(&self.env, &self.dir_of(id))
    }

    /// The indexes whose whole prefix lies in `range`.
    pub(crate) fn within(&self, range: &KeyRange) -> Vec<ObjectId> {
        let indexes = self.indexes.read();
        let is_inside = |(id, index): &(&ObjectId, &Index)| {
            let whole = KeyRange::prefix(&prefix(index.space(), **id));
            let ends_before = match (&range.end, &whole.end) {
                (None, _) => true,
                (Some(end), Some(whole_end)) => whole_end <= end,
                (Some(_), None) => false,
            };
            range.start <= whole.start && ends_before
        };
        indexes.iter().filter(is_inside).map(|(&id, _)| id).collect()
    }

    /// All open indexes, by number.
    pub(crate) fn all(&self) -> Vec<(ObjectId, Index)> {
        self.indexes.read().iter().map(|(&id, index)| (id, index.clone())).collect()
    }

    /// Tells every index which snapshots are left. Requires: no commit runs meanwhile.
    pub(crate) fn set_oldest_snapshot(&self, ts: Timestamp) {
        for (_, index) in self.all() {
            index.derived().life().set_oldest_snapshot(ts);
        }
    }

    /// Up to where all indexes have their entries in segments. `published` must have been read
    /// before: an index without a delta has sealed at least everything up to there.
    pub(crate) fn sealed(&self, published: Timestamp) -> Timestamp {
        let indexes = self.indexes.read();
        let unsealed = indexes.values().filter(|index| index.derived().life().delta_len() > 0);
        unsealed.map(|index| index.derived().life().watermark()).fold(published, Timestamp::min)
    }

    /// Seals the deltas of at least `len_min` bytes, up to `durable`, and merges segments until
    /// nothing is left to merge. Builds damaged indexes anew.
    ///
    /// # Errors
    /// `Io`, `DiskFull`, `Corruption`: of the first index that failed, after the others had their
    /// turn.
    pub(crate) fn maintain(&self, lsm: &Lsm, durable: Timestamp, len_min: usize) -> Result<()> {
        let tend = |id, index: &Index| tend(lsm, id, index, durable, len_min, false);
        self.tend_all(|_| true, tend)
    }

    /// As [`Registry::maintain`], for indexes that nothing changes now.
    ///
    /// # Errors
    /// As [`Registry::maintain`].
    pub(crate) fn maintain_quiet(
        &self,
        lsm: &Lsm,
        ids: &[ObjectId],
        durable: Timestamp,
        len_min: usize,
    ) -> Result<()> {
        let tend = |id, index: &Index| tend(lsm, id, index, durable, len_min, true);
        self.tend_all(|id| ids.contains(&id), tend)
    }

    /// Has every index of those that are `due` its turn, whichever of them fails.
    fn tend_all(
        &self,
        is_due: impl Fn(ObjectId) -> bool,
        tend: impl Fn(ObjectId, &Index) -> Result<()>,
    ) -> Result<()> {
        let _alone = self.maintenance.lock();
        let due = self.all().into_iter().filter(|(id, _)| is_due(*id));
        due.map(|(id, index)| tend(id, &index)).fold(Ok(()), Result::and)
    }

    /// Whether some index has to be built anew.
    pub(crate) fn has_damage(&self) -> bool {
        let indexes = self.indexes.read();
        indexes.values().any(|index| index.derived().life().health() == Health::Damaged)
    }

    /// Whether some delta has grown to `len_min` bytes.
    pub(crate) fn has_delta_of(&self, len_min: usize) -> bool {
        let indexes = self.indexes.read();
        indexes.values().any(|index| index.derived().life().delta_len() >= len_min)
    }

    /// Runs `copy`, which copies the keyspace into `dir` and calls what it is given to link every
    /// segment into it. No segment is written meanwhile, so none knows more than the keyspace
    /// copied.
    ///
    /// # Errors
    /// `Io`, `DiskFull`, and those of `copy`.
    pub(crate) fn checkpoint<T>(
        &self,
        dir: &Path,
        copy: impl FnOnce(&dyn Fn() -> Result<()>) -> Result<T>,
    ) -> Result<T> {
        let _quiet = self.maintenance.lock();
        copy(&|| {
            let mut all = self.all().into_iter();
            all.try_for_each(|(id, index)| {
                index.derived().life().checkpoint(&dir.join(dir_name(id)))
            })
        })
    }

    fn dir_of(&self, id: ObjectId) -> PathBuf {
        self.dir.join(dir_name(id))
    }

    fn remove_orphans(&self) -> Result<()> {
        let names = self
            .env
            .vfs
            .list(&self.dir)
            .map_err(|error| Error::io("list the directory", &self.dir, error))?;
        for name in names {
            let id = name.strip_prefix(DIR_PREFIX).and_then(|id| id.parse().ok()).map(ObjectId);
            if id.is_some_and(|id| !self.indexes.read().contains_key(&id)) {
                segmented::remove_dir(&self.env, &self.dir.join(name))?;
            }
        }
        Ok(())
    }
}

/// Gives every routed entry to its index. Requires: the commit mutex is held.
pub(crate) fn apply(ts: Timestamp, entries: &[Routed<'_>]) {
    for Routed { index, row_key, entry } in entries {
        index.derived().apply(ts, row_key, *entry);
    }
}

fn dir_name(id: ObjectId) -> String {
    format!("{DIR_PREFIX}{}", id.0)
}

/// Seals a delta of at least `len_min` bytes and merges segments; builds the index anew when they
/// turn out to be damaged.
fn tend(
    lsm: &Lsm,
    id: ObjectId,
    index: &Index,
    durable: Timestamp,
    len_min: usize,
    is_quiet: bool,
) -> Result<()> {
    let life = index.derived().life();
    if life.health() == Health::Sound {
        let outcome = seal_and_merge(life, durable, len_min, is_quiet);
        outcome.as_ref().err().inspect(|error| life.note_damage(error));
        if life.health() == Health::Sound {
            return outcome;
        }
    }
    if life.health() == Health::Lost {
        return Ok(());
    }
    let rebuilt = rebuild(lsm, id, index, durable);
    if let Err(error) = &rebuilt
        && error.kind() == ErrorKind::Corruption
    {
        life.give_up();
    }
    rebuilt
}

fn seal_and_merge(
    index: &dyn Life,
    durable: Timestamp,
    len_min: usize,
    is_quiet: bool,
) -> Result<()> {
    if index.delta_len() >= len_min {
        index.seal(durable)?;
    }
    while index.merge(is_quiet)? {}
    Ok(())
}

/// Builds an index from its entries up to `upto`.
fn rebuild(lsm: &Lsm, id: ObjectId, index: &Index, upto: Timestamp) -> Result<()> {
    let range = KeyRange::prefix(&prefix(index.space(), id));
    let entries = lsm.scan_since(&range, Timestamp(0))?;
    let mut entries =
        entries.map(|entry| entry.map(|(key, ts, value)| (key.slice(PREFIX_LEN..), ts, value)));
    index.derived().rebuild(upto, &mut entries)
}

/// Which indexes of a kind have entries: one seek for each.
fn ids_with_entries(lsm: &Lsm, space: Space) -> Result<Vec<ObjectId>> {
    let mut ids = Vec::new();
    let mut range = KeyRange::prefix(&[space as u8]);
    while let Some(row) = lsm.scan(&range, Timestamp::MAX, Direction::Forward)?.next() {
        let Some((_, id, _)) = split_derived(&row?.0) else { break };
        ids.push(id);
        match crate::keyspace::successor(&prefix(space, id)) {
            Some(start) => range.start = start,
            None => break,
        }
    }
    Ok(ids)
}

/// Gives an index what it lacks, in commit order.
fn replay(lsm: &Lsm, space: Space, id: ObjectId, index: &Index) -> Result<()> {
    let range = KeyRange::prefix(&prefix(space, id));
    let mut entries = Vec::new();
    for entry in lsm.scan_since(&range, index.derived().life().watermark())? {
        let (key, ts, value) = entry?;
        entries.push((ts, key, value));
    }
    entries.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    for (ts, key, value) in entries {
        if let Some((_, _, row_key)) = split_derived(&key) {
            index.derived().apply(ts, row_key, value.as_ref());
        }
    }
    Ok(())
}
