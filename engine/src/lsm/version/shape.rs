//! Shape: which files are live, level by level, as plain data for decisions without I/O.
//!
//! # Invariants
//! - V-1: in levels 1 and deeper, files of one level are disjoint in user keys, and sorted.
//! - V-2: for one user key, a newer row version is never deeper than an older one.

use std::sync::Arc;

use super::edit::Edit;
use crate::env::FileId;
use crate::error::Error;
use crate::keyspace::KeyRange;
use crate::lsm::sstable::FileMeta;
use crate::lsm::wal::Bounds;
use crate::options::{SSTABLE_COUNT_MAX, check_limit};
use crate::timestamp::Timestamp;

/// Levels, level 0 included. 7: enough for petabytes at a multiplier of ten.
pub(crate) const LEVEL_COUNT: usize = 7;

/// Everything in a key range up to a timestamp was given up; compaction forgets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DropMark {
    pub(crate) range: KeyRange,
    pub(crate) ts: Timestamp,
}

impl DropMark {
    /// Whether this row version was given up.
    pub(crate) fn covers(&self, key: &[u8], ts: Timestamp) -> bool {
        ts <= self.ts && self.range.contains(key)
    }

    /// Whether everything in the file was given up.
    pub(crate) fn covers_file(&self, file: &FileMeta) -> bool {
        let properties = &file.properties;
        properties.last_ts <= self.ts
            && self.range.contains(&properties.smallest)
            && self.range.contains(&properties.largest)
    }

    /// Whether something in the file may have been given up.
    pub(crate) fn touches_file(&self, file: &FileMeta) -> bool {
        file.properties.first_ts <= self.ts && range_touches(&self.range, file)
    }
}

/// Whether a file has keys in a range, going by its bounds.
pub(crate) fn range_touches(range: &KeyRange, file: &FileMeta) -> bool {
    file.properties.largest >= range.start
        && range.end.as_ref().is_none_or(|end| file.properties.smallest < *end)
}

/// The live files and what else the manifest records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Level 0 newest first; the others by key.
    pub(crate) levels: [Vec<Arc<FileMeta>>; LEVEL_COUNT],
    pub(crate) drops: Vec<DropMark>,
    /// The first WAL segment that is needed; 0 before there was any.
    pub(crate) wal_first: FileId,
    /// The newest WAL segment known to be there; 0 before there was any.
    pub(crate) wal_last: FileId,
    /// All commits up to here are in sstables.
    pub(crate) flushed: Timestamp,
    /// The newest timestamp known to the manifest.
    pub(crate) last_ts: Timestamp,
    pub(crate) next_file: FileId,
    /// Where the WAL ends, when the store was closed: its last segment, and the end of its records.
    pub(crate) closed: Option<(FileId, u64)>,
    /// From here on all row versions are kept, whatever the snapshots in use.
    pub(crate) history: Timestamp,
}

impl Shape {
    /// The shape after an edit; a sentence when the edit does not fit this shape.
    pub(crate) fn after(&self, edit: &Edit) -> Result<Self, String> {
        let mut next = self.clone();
        for id in &edit.removed {
            let found = next.levels.iter_mut().find_map(|files| {
                files.iter().position(|file| file.id == *id).map(|at| files.remove(at))
            });
            found.ok_or_else(|| format!("removed sstable {id} is not live"))?;
        }
        for (level, file) in &edit.added {
            if next.files().any(|(_, other)| other.id == file.id) {
                return Err(format!("added sstable {} is live already", file.id));
            }
            let files = next.levels.get_mut(*level).ok_or("no such level")?;
            files.push(Arc::new(file.clone()));
        }
        for (level, files) in next.levels.iter_mut().enumerate() {
            match level {
                0 => files.sort_by(|a, b| {
                    (b.properties.last_ts, b.id).cmp(&(a.properties.last_ts, a.id))
                }),
                _ => files.sort_by(|a, b| a.properties.smallest.cmp(&b.properties.smallest)),
            }
        }
        next.drops.retain(|mark| !edit.forgotten.contains(mark));
        next.drops.extend(edit.dropped.iter().cloned());
        next.wal_first = edit.wal_first.unwrap_or(next.wal_first);
        next.wal_last = next.wal_last.max(edit.wal_last.unwrap_or_default());
        next.flushed = next.flushed.max(edit.flushed.unwrap_or_default());
        next.last_ts = next.last_ts.max(edit.last_ts.unwrap_or_default());
        next.next_file = next.next_file.max(edit.next_file.unwrap_or_default());
        next.closed = edit.closed;
        next.history = next.history.max(edit.history.unwrap_or_default());
        match next.violations().pop() {
            Some(violation) => Err(violation),
            None => Ok(next),
        }
    }

    /// Refuses more files than may be live; going down from too many is well.
    ///
    /// # Errors
    /// `Limit`.
    pub(crate) fn check_count(&self, before: &Self) -> Result<(), Error> {
        let count = |shape: &Self| shape.levels.iter().map(Vec::len).sum::<usize>();
        let limit = SSTABLE_COUNT_MAX.max(count(before));
        check_limit("live sstables", limit, count(self))
    }

    /// The edit that makes this shape out of nothing.
    pub(crate) fn to_edit(&self) -> Edit {
        Edit {
            wal_first: Some(self.wal_first),
            wal_last: Some(self.wal_last),
            flushed: Some(self.flushed),
            last_ts: Some(self.last_ts),
            next_file: Some(self.next_file),
            added: self.files().map(|(level, file)| (level, FileMeta::clone(file))).collect(),
            removed: Vec::new(),
            dropped: self.drops.clone(),
            forgotten: Vec::new(),
            closed: None,
            history: Some(self.history),
        }
    }

    /// What is known of the log.
    pub(crate) fn wal_bounds(&self) -> Bounds {
        Bounds { first: self.wal_first, last: self.wal_last, closed: self.closed }
    }

    /// All live files with their levels.
    pub(crate) fn files(&self) -> impl Iterator<Item = (usize, &Arc<FileMeta>)> {
        let levels = self.levels.iter().enumerate();
        levels.flat_map(|(level, files)| files.iter().map(move |file| (level, file)))
    }

    /// Violations of V-1, and of what files say about themselves.
    pub(crate) fn violations(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (level, file) in self.files() {
            if file.properties.smallest > file.properties.largest {
                found.push(format!("S-2: level {level}: sstable {} has no key range", file.id));
            }
        }
        for (level, files) in self.levels.iter().enumerate().skip(1) {
            for pair in files.windows(2) {
                let [a, b] = pair else { continue };
                if a.properties.largest >= b.properties.smallest {
                    found.push(format!(
                        "V-1: level {level}: sstables {} and {} overlap",
                        a.id, b.id
                    ));
                }
            }
        }
        found
    }

    /// Bytes of a level.
    pub(crate) fn level_len(&self, level: usize) -> u64 {
        self.levels.get(level).into_iter().flatten().map(|file| file.len).sum()
    }

    /// The first level below level 0 with files.
    pub(crate) fn first_level(&self) -> Option<usize> {
        (1..LEVEL_COUNT).find(|&level| !self.levels[level].is_empty())
    }

    /// The files of a level that have keys between two keys, both included.
    pub(crate) fn overlapping<'a>(
        &'a self,
        level: usize,
        smallest: &'a [u8],
        largest: &'a [u8],
    ) -> impl Iterator<Item = &'a Arc<FileMeta>> {
        self.levels.get(level).into_iter().flatten().filter(move |file| {
            file.properties.largest.as_slice() >= smallest
                && file.properties.smallest.as_slice() <= largest
        })
    }

    /// Whether no file of `level` or deeper spans `key`.
    pub(crate) fn is_absent_from(&self, level: usize, key: &[u8]) -> bool {
        let spans = |level: usize| match level {
            0 => self.levels[0].iter().any(|file| file.properties.spans(key)),
            _ => {
                let files = &self.levels[level];
                let at = files.partition_point(|file| file.properties.largest.as_slice() < key);
                files.get(at).is_some_and(|file| file.properties.spans(key))
            }
        };
        !(level..LEVEL_COUNT).any(spans)
    }

    /// Marks that have done their work: nothing they cover is left anywhere.
    pub(crate) fn finished_drops(&self) -> Vec<DropMark> {
        let is_finished = |mark: &&DropMark| {
            self.flushed >= mark.ts && !self.files().any(|(_, file)| mark.touches_file(file))
        };
        self.drops.iter().filter(is_finished).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_limited_on_the_way_up() {
        let with = |count| {
            let mut shape = Shape::default();
            let properties = crate::lsm::sstable::Properties::default();
            let file = Arc::new(FileMeta { id: FileId(1), len: 1, properties });
            shape.levels[0] = vec![file; count];
            shape
        };
        assert!(with(SSTABLE_COUNT_MAX).check_count(&with(0)).is_ok());
        let error = with(SSTABLE_COUNT_MAX + 1).check_count(&with(SSTABLE_COUNT_MAX)).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Limit);
        assert!(with(SSTABLE_COUNT_MAX + 8).check_count(&with(SSTABLE_COUNT_MAX + 9)).is_ok());
    }
}
