//! Run one compaction: merge, cut outputs, write the edit.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::picker::{BOTTOM, Busy, Choice, Compaction, Limits, pick, pick_urgent};
use super::retention::Retention;
use super::{CompactionReport, Reason};
use crate::env::{FileId, FileName};
use crate::error::{Error, Result};
use crate::keyspace::{Direction, KeyRange};
use crate::lsm::iterator::{Cursor, Start};
use crate::lsm::merge::{Merge, Source};
use crate::lsm::sstable::{Compression, FileMeta, Sstable, SstableBuilder};
use crate::lsm::store::{Store, remove_quietly};
use crate::lsm::version::{DropMark, Edit, Shape, Version};

/// Entries between two looks at the stop flag and the rate limit. 1,024.
const CHECK_INTERVAL: u64 = 1024;

/// Compactions under way.
#[derive(Default)]
pub(crate) struct InFlight {
    pub(crate) busy: Busy,
    /// A manual compaction waits or runs: nothing else may begin.
    is_exclusive: bool,
}

impl InFlight {
    fn begin(&mut self, compaction: &Compaction, version: &Version) {
        let files = || compaction.inputs.iter().filter_map(|(_, id)| version.sstable(*id));
        let bounds = || files().map(|sstable| &sstable.meta().properties);
        let smallest = bounds().map(|p| &p.smallest).min().cloned().unwrap_or_default();
        let largest = bounds().map(|p| &p.largest).max().cloned().unwrap_or_default();
        self.busy.files.extend(compaction.inputs.iter().map(|(_, id)| *id));
        self.busy.outputs.push((compaction.output_level, smallest, largest));
    }

    fn end(&mut self, compaction: &Compaction, version: &Version) {
        let mut ended = Self::default();
        ended.begin(compaction, version);
        self.busy.files.retain(|id| !ended.busy.files.contains(id));
        let is_ended = |output: &_| ended.busy.outputs.contains(output);
        if let Some(at) = self.busy.outputs.iter().position(is_ended) {
            self.busy.outputs.remove(at);
        }
    }
}

impl Store {
    /// Does the most urgent compaction, if any can run now; false when there was nothing to do.
    ///
    /// # Errors
    /// `Io`, `DiskFull`, `Corruption`; the store is as it was.
    pub(in crate::lsm) fn compact_once(&self) -> Result<bool> {
        let (limits, oldest) = (Limits::from(&self.options), self.oldest());
        self.compact_chosen(|shape, busy| pick(shape, &limits, busy, oldest))
    }

    /// Does, in the middle of a long merge, what writers would otherwise wait for: a flush when this
    /// thread is the only one, and level 0 when it is full and not part of the merge.
    ///
    /// # Errors
    /// As [`Store::compact_once`].
    fn let_through(&self, has_level0: bool) -> Result<()> {
        let state = self.state.load();
        let thread_count = self.options.background_thread_count;
        if thread_count == 1 && !state.sealed.is_empty() {
            self.flush_oldest()?;
        }
        let limits = Limits::from(&self.options);
        if thread_count > 0 && !has_level0 && state.version.level(0).len() >= limits.level0_count {
            self.compact_chosen(|shape, busy| pick_urgent(shape, &limits, busy))?;
        }
        Ok(())
    }

    /// Does what is chosen; false when that is nothing.
    fn compact_chosen(&self, choose: impl FnOnce(&Shape, &Busy) -> Choice) -> Result<bool> {
        let mut in_flight = self.compactions.lock();
        if in_flight.is_exclusive || self.wal.check().is_err() {
            return Ok(false);
        }
        let version = self.state.load().version.clone();
        match choose(version.shape(), &in_flight.busy) {
            Choice::Nothing => Ok(false),
            Choice::Move { files, to, .. } => self.move_files(&version, &files, to).map(|()| true),
            Choice::Drop(files) => {
                self.commit_edit(Edit { removed: files, ..Edit::default() }, None)?;
                Ok(true)
            }
            Choice::Merge(compaction) => {
                in_flight.begin(&compaction, &version);
                drop(in_flight);
                let outcome = self.run(&compaction, &version);
                self.compactions.lock().end(&compaction, &version);
                self.compaction_ended.notify_all();
                outcome.map(|_| true)
            }
        }
    }

    /// Requires: the `compactions` lock is held, so that nothing else changes the files' levels.
    fn move_files(&self, version: &Version, files: &[(usize, FileId)], to: usize) -> Result<()> {
        let metas = files.iter().filter_map(|(_, id)| Some(version.sstable(*id)?.meta().clone()));
        let added: Vec<_> = metas.map(|meta| (to, meta)).collect();
        let removed = added.iter().map(|(_, file)| file.id).collect();
        self.commit_edit(Edit { removed, added, ..Edit::default() }, None)?;
        self.counters.move_count.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Merges everything in a key range into the bottom level.
    pub(in crate::lsm) fn compact_range(&self, range: &KeyRange) -> Result<CompactionReport> {
        self.flush_all()?;
        {
            let mut in_flight = self.compactions.lock();
            while in_flight.is_exclusive {
                self.compaction_ended.wait(&mut in_flight);
            }
            // From here on nothing else begins; what runs is waited for.
            in_flight.is_exclusive = true;
            while !in_flight.busy.files.is_empty() {
                self.compaction_ended.wait(&mut in_flight);
            }
        }
        let outcome = self.compact_range_alone(range);
        self.compactions.lock().is_exclusive = false;
        self.compaction_ended.notify_all();
        self.background.call();
        outcome
    }

    fn compact_range_alone(&self, range: &KeyRange) -> Result<CompactionReport> {
        let mut in_flight = self.compactions.lock();
        let version = self.state.load().version.clone();
        let inputs = closed_inputs(version.shape(), range);
        let before = totals(inputs.iter().filter_map(|(_, id)| version.sstable(*id)));
        if inputs.iter().all(|(level, id)| {
            let sstable = version.sstable(*id);
            *level == BOTTOM && sstable.is_some_and(|s| is_clean(s.meta(), &version.shape().drops))
        }) {
            return Ok(CompactionReport::new(before, before));
        }
        let compaction = Compaction { inputs, output_level: BOTTOM, reason: Reason::Manual };
        in_flight.begin(&compaction, &version);
        drop(in_flight);
        let outcome = self.run(&compaction, &version);
        self.compactions.lock().end(&compaction, &version);
        let after = outcome?.iter().fold((0, 0, 0), |(files, len, entries), file| {
            (files + 1, len + file.len, entries + file.properties.entry_count)
        });
        Ok(CompactionReport::new(before, after))
    }

    /// Merges the inputs and replaces them by the outputs.
    fn run(&self, compaction: &Compaction, version: &Arc<Version>) -> Result<Vec<FileMeta>> {
        let mut outputs = Outputs::new(self, compaction, version.shape());
        let merged = outputs.merge(compaction, version);
        let files = match merged {
            Ok(()) => std::mem::take(&mut outputs.files),
            Err(error) => {
                outputs.discard();
                return Err(error);
            }
        };
        let level = compaction.output_level;
        let edit = Edit {
            removed: compaction.inputs.iter().map(|(_, id)| *id).collect(),
            added: files.iter().map(|file| (level, file.clone())).collect(),
            ..Edit::default()
        };
        self.commit_edit(edit, None)?;
        let read: u64 = compaction
            .inputs
            .iter()
            .filter_map(|(_, id)| Some(version.sstable(*id)?.meta().len))
            .sum();
        let written: u64 = files.iter().map(|file| file.len).sum();
        let counters = &self.counters;
        counters.compaction_read_len.fetch_add(read, Ordering::Relaxed);
        counters.compaction_len.fetch_add(written, Ordering::Relaxed);
        counters.compaction_count.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(reason = ?compaction.reason, level, read, written, "compacted");
        Ok(files)
    }
}

/// All files that share keys with the range, with each other's keys, and so on: a set that can
/// change its level as a whole without breaking V-2.
fn closed_inputs(shape: &Shape, range: &KeyRange) -> Vec<(usize, FileId)> {
    let mut bounds: Option<(Vec<u8>, Vec<u8>)> = None;
    loop {
        let is_inside = |file: &FileMeta| {
            let spans = |(smallest, largest): &(Vec<u8>, Vec<u8>)| {
                file.properties.largest >= *smallest && file.properties.smallest <= *largest
            };
            crate::lsm::version::range_touches(range, file) || bounds.as_ref().is_some_and(spans)
        };
        let inside: Vec<_> = shape.files().filter(|(_, file)| is_inside(file)).collect();
        let smallest = inside.iter().map(|(_, file)| &file.properties.smallest).min().cloned();
        let largest = inside.iter().map(|(_, file)| &file.properties.largest).max().cloned();
        let next = smallest.zip(largest);
        if next == bounds {
            return inside.into_iter().map(|(level, file)| (level, file.id)).collect();
        }
        bounds = next;
    }
}

/// Whether a compaction of the bottom level would change nothing in a file.
fn is_clean(file: &FileMeta, drops: &[DropMark]) -> bool {
    let properties = &file.properties;
    properties.tombstone_count == 0
        && properties.entry_count == properties.key_count
        && !drops.iter().any(|mark| mark.touches_file(file))
}

fn totals<'a>(sstables: impl Iterator<Item = &'a Arc<Sstable>>) -> (usize, u64, u64) {
    sstables.fold((0, 0, 0), |(files, len, entries), sstable| {
        let file = sstable.meta();
        (files + 1, len + file.len, entries + file.properties.entry_count)
    })
}

/// The files that a compaction writes.
struct Outputs<'a> {
    store: &'a Store,
    shape: &'a Shape,
    level: usize,
    is_manual: bool,
    /// Level 0 is among the inputs.
    has_level0: bool,
    builder: Option<SstableBuilder>,
    files: Vec<FileMeta>,
    /// Where files must be cut: no file may straddle the end of a dropped range, or the range
    /// would never count as gone, nor a file of the output level that stays (V-1).
    cuts: Vec<&'a [u8]>,
    began: Duration,
}

impl<'a> Outputs<'a> {
    fn new(store: &'a Store, compaction: &Compaction, shape: &'a Shape) -> Self {
        let ends = shape.drops.iter().filter_map(|mark| mark.range.end.as_deref());
        let mut cuts: Vec<&[u8]> =
            shape.drops.iter().map(|mark| mark.range.start.as_slice()).chain(ends).collect();
        let is_input = |file: &FileMeta| compaction.inputs.iter().any(|(_, id)| *id == file.id);
        if compaction.output_level > 0 {
            let beside = &shape.levels[compaction.output_level];
            let staying = beside.iter().filter(|file| !is_input(file));
            cuts.extend(staying.map(|file| file.properties.smallest.as_slice()));
        }
        cuts.sort_unstable();
        let is_manual = compaction.reason == Reason::Manual;
        let has_level0 = compaction.inputs.iter().any(|(level, _)| *level == 0);
        let (level, began) = (compaction.output_level, store.env.clock.elapsed());
        let (builder, files) = (None, Vec::new());
        Self { store, shape, level, is_manual, has_level0, builder, files, cuts, began }
    }

    fn merge(&mut self, compaction: &Compaction, version: &Version) -> Result<()> {
        let sources = compaction.inputs.iter().map(|(_, id)| {
            let sstable = version.sstable(*id).ok_or_else(|| missing(*id))?;
            Ok(Source::Sstable(sstable.cursor_uncached(Direction::Forward)))
        });
        let mut merge = Merge::new(sources.collect::<Result<_>>()?, Direction::Forward);
        merge.seek(Start::Beginning)?;
        let mut retention = Retention::new(self.store.horizon(), &self.shape.drops);
        let mut count: u64 = 0;
        while let Some(key) = merge.key() {
            let (ts, is_tombstone) = (merge.ts(), merge.is_tombstone());
            let is_bottom = || self.shape.is_absent_from(self.level + 1, key);
            if retention.judge(key, ts, is_tombstone, is_bottom).is_keep() {
                self.cut_before(key)?;
                let value = merge.value();
                self.builder()?.add(key, ts, value.as_deref())?;
            }
            merge.advance()?;
            count += 1;
            if count.is_multiple_of(CHECK_INTERVAL) {
                self.pause()?;
            }
        }
        self.end_file()
    }

    fn builder(&mut self) -> Result<&mut SstableBuilder> {
        if self.builder.is_none() {
            let store = self.store;
            let id = store.new_file_id();
            let compression = if self.level == 0 { Compression::None } else { Compression::Lz4 };
            let (env, dir, options) = (&store.env, &store.dir, &store.options);
            self.builder = Some(SstableBuilder::create(env, dir, id, options, compression)?);
        }
        self.builder.as_mut().ok_or_else(|| Error::internal("an output was just created"))
    }

    /// Ends the current file when `key` must or should begin the next one. All versions of a user
    /// key stay in one file (V-1).
    fn cut_before(&mut self, key: &[u8]) -> Result<()> {
        let Some(builder) = &self.builder else { return Ok(()) };
        let last = builder.last_key();
        let is_cut = || {
            let next = self.cuts.partition_point(|cut| *cut <= last);
            self.cuts.get(next).is_some_and(|cut| *cut <= key)
        };
        let is_full = builder.len() >= self.store.options.sstable_len_max;
        if last != key && (is_full || is_cut()) { self.end_file() } else { Ok(()) }
    }

    fn end_file(&mut self) -> Result<()> {
        if let Some(builder) = self.builder.take() {
            self.files.push(builder.finish()?);
        }
        Ok(())
    }

    /// Gives way: stops when the store closes, lets shorter work through, sleeps when writing
    /// faster than allowed.
    fn pause(&self) -> Result<()> {
        if !self.is_manual && self.store.background.is_stopping() {
            return Err(Error::closed("the database is closing"));
        }
        self.store.let_through(self.has_level0)?;
        let rate = self.store.options.compaction_bytes_per_second;
        if rate == 0 || self.is_manual {
            return Ok(());
        }
        let written = self.files.iter().map(|file| file.len).sum::<u64>()
            + self.builder.as_ref().map_or(0, SstableBuilder::len);
        let due = Duration::from_micros(written.saturating_mul(1_000_000) / rate);
        let ahead = due.saturating_sub(self.store.env.clock.elapsed().saturating_sub(self.began));
        self.store.env.clock.sleep(ahead);
        Ok(())
    }

    /// Removes what was written.
    fn discard(&mut self) {
        self.builder = None;
        for file in self.files.drain(..) {
            remove_quietly(&self.store.env, &FileName::Sstable(file.id).path(&self.store.dir));
        }
    }
}

fn missing(id: FileId) -> Error {
    Error::internal(format!("sstable {id} is to be compacted and not live"))
}
