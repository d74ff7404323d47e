//! Run one compaction: merge, cut outputs, write the edit.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::control::CompactionControl;
use super::in_flight::{InFlight, Job};
use super::manual::{Step, Wanted};
use super::picker::{Busy, Choice, Limits, pick, pick_urgent};
use super::retention::Retention;
use super::{CompactionReport, Reason};
use crate::env::{FileId, FileName};
use crate::error::{Error, Result};
use crate::keyspace::{Direction, KeyRange};
use crate::lsm::events::{Event, EventKind};
use crate::lsm::iterator::{Cursor, Start};
use crate::lsm::merge::{Merge, Source};
use crate::lsm::sstable::{Compression, FileMeta, SstableBuilder};
use crate::lsm::store::{Store, remove_quietly};
use crate::lsm::version::{Edit, Shape, Version, range_touches};
use crate::sync::MutexGuard;

/// Entries between two looks at the stop flag and the rate limit. 1,024.
const CHECK_INTERVAL: u64 = 1024;

/// How long those look away who wait for a pause to end or for another compaction. 10 ms.
const WAIT_INTERVAL: Duration = Duration::from_millis(10);

impl Store {
    /// Does the most urgent compaction, if any can run now; false when there was nothing to do.
    ///
    /// # Errors
    /// `Io`, `DiskFull`, `Corruption`; the store is as it was.
    pub(in crate::lsm) fn compact_once(&self) -> Result<bool> {
        let (limits, oldest) = (Limits::from(&self.options), self.oldest());
        self.compact_chosen(|shape, busy| pick(shape, &limits, busy, oldest))
    }

    /// Compacts, beside the workers, until nothing asks for it.
    ///
    /// # Errors
    /// As [`Store::compact_once`].
    pub(in crate::lsm) fn settle(&self) -> Result<()> {
        loop {
            while self.compact_once()? {}
            let mut in_flight = self.compactions.lock();
            if in_flight.jobs().is_empty() {
                return Ok(());
            }
            self.compaction_ended.wait(&mut in_flight);
        }
    }

    /// Does, in the middle of a long merge, what writers would otherwise wait for: a flush when this
    /// thread is the only one, and level 0 when it is full and not part of the merge.
    ///
    /// # Errors
    /// As [`Store::compact_once`].
    fn let_through(&self, has_level0: bool) -> Result<()> {
        let thread_count = self.options.background_thread_count;
        if thread_count == 1 {
            self.flush_oldest()?;
        }
        let limits = Limits::from(&self.options);
        let level0_count = self.state.load().version.level(0).len();
        if thread_count > 0 && !has_level0 && level0_count >= limits.level0_count {
            self.compact_chosen(|shape, busy| pick_urgent(shape, &limits, busy))?;
        }
        Ok(())
    }

    /// Does what is chosen; false when that is nothing.
    fn compact_chosen(&self, choose: impl FnOnce(&Shape, &Busy) -> Choice) -> Result<bool> {
        let in_flight = self.compactions.lock();
        if self.is_paused() || self.wal.check().is_err() {
            return Ok(false);
        }
        let version = self.state.load().version.clone();
        let choice = choose(version.shape(), in_flight.busy());
        if choice == Choice::Nothing {
            return Ok(false);
        }
        self.carry_out(in_flight, &version, choice, None).map(|()| true)
    }

    /// Does what was chosen under the lock given, which is let go of for a merge.
    fn carry_out(
        &self,
        mut in_flight: MutexGuard<'_, InFlight>,
        version: &Arc<Version>,
        choice: Choice,
        control: Option<(&CompactionControl, u64)>,
    ) -> Result<()> {
        match choice {
            Choice::Nothing => Ok(()),
            Choice::Move { files, to, reason } => self.move_files(version, &files, to, reason),
            Choice::Drop(files) => self.drop_files(version, files),
            Choice::Merge(compaction) => {
                let job = in_flight.begin(compaction, version);
                drop(in_flight);
                if let Some((control, remaining)) = control {
                    control.begin(remaining, Some(job.clone()));
                }
                let outcome = self.run(&job, version, control.map(|(control, _)| control));
                self.compactions.lock().end(&job);
                self.compaction_ended.notify_all();
                self.background.wake_waiting();
                if let Some((control, _)) = control {
                    control.end();
                }
                outcome
            }
        }
    }

    /// Requires: the `compactions` lock is held, so that nothing else changes the files' levels.
    fn move_files(
        &self,
        version: &Version,
        files: &[(usize, FileId)],
        to: usize,
        reason: Reason,
    ) -> Result<()> {
        let metas = files.iter().filter_map(|(_, id)| Some(version.sstable(*id)?.meta().clone()));
        let added: Vec<_> = metas.map(|meta| (to, meta)).collect();
        let removed = added.iter().map(|(_, file)| file.id).collect();
        let len = added.iter().map(|(_, file)| file.len).sum();
        self.commit_edit(Edit { removed, added, ..Edit::default() }, None)?;
        self.counters.compactions.add_move(reason, len);
        self.note(Event {
            reason: Some(reason),
            from_level: files.iter().map(|(level, _)| *level).min(),
            to_level: Some(to),
            len_written: len,
            files_written: files.len(),
            ..Event::new(EventKind::Move)
        });
        Ok(())
    }

    /// Requires: as [`Store::move_files`].
    fn drop_files(&self, version: &Version, files: Vec<FileId>) -> Result<()> {
        let dropped = || files.iter().filter_map(|id| version.sstable(*id));
        let event = Event {
            reason: Some(Reason::DroppedRange),
            len_read: dropped().map(|sstable| sstable.meta().len).sum(),
            files_read: files.len(),
            ..Event::new(EventKind::Drop)
        };
        self.commit_edit(Edit { removed: files, ..Edit::default() }, None)?;
        self.note(event);
        Ok(())
    }

    /// Brings everything in a key range to the bottom level, and forgets what no snapshot needs.
    pub(in crate::lsm) fn compact_range(
        &self,
        range: &KeyRange,
        control: &CompactionControl,
    ) -> Result<CompactionReport> {
        self.flush_all()?;
        let before = FileId(self.next_file.load(Ordering::Relaxed));
        let wanted = Wanted { range, upto: self.last_ts(), before };
        let limits = Limits::from(&self.options);
        let total_before = totals(self.state.load().version.shape(), range);
        loop {
            self.wait_while_paused(Some(control))?;
            let mut in_flight = self.compactions.lock();
            let version = self.state.load().version.clone();
            match wanted.pick(version.shape(), &limits, in_flight.busy()) {
                Step::Done => break,
                Step::Wait => {
                    self.compaction_ended.wait_for(&mut in_flight, WAIT_INTERVAL);
                }
                Step::Do(choice) => {
                    let remaining = wanted.remaining(version.shape());
                    self.carry_out(in_flight, &version, choice, Some((control, remaining)))?;
                }
            }
        }
        control.begin(0, None);
        self.background.call();
        let total_after = totals(self.state.load().version.shape(), range);
        Ok(CompactionReport::new(total_before, total_after))
    }

    /// Whether compaction stands still.
    pub(in crate::lsm) fn is_paused(&self) -> bool {
        self.pauses.load(Ordering::Acquire) > 0
    }

    /// Stands still for as long as compaction is paused; a thread that is the only one flushes
    /// meanwhile.
    ///
    /// # Errors
    /// `Closed` when the store closes, `Cancelled`; those of flushes.
    fn wait_while_paused(&self, control: Option<&CompactionControl>) -> Result<()> {
        loop {
            if self.background.is_stopping() {
                return Err(Error::closed("the database is closing"));
            }
            self.wal.check()?;
            control.map_or(Ok(()), CompactionControl::check)?;
            if self.options.background_thread_count == 1 && self.is_paused() {
                self.flush_oldest()?;
            }
            let mut in_flight = self.compactions.lock();
            if !self.is_paused() {
                return Ok(());
            }
            self.compaction_ended.wait_for(&mut in_flight, WAIT_INTERVAL);
        }
    }

    /// Merges the inputs and replaces them by the outputs.
    fn run(
        &self,
        job: &Job,
        version: &Arc<Version>,
        control: Option<&CompactionControl>,
    ) -> Result<()> {
        let began = self.env.clock.elapsed();
        let mut outputs = Outputs::new(self, job, version.shape(), control);
        let merged = outputs.merge(version);
        let files = match merged {
            Ok(()) => std::mem::take(&mut outputs.files),
            Err(error) => {
                outputs.discard();
                return Err(error);
            }
        };
        let compaction = &job.compaction;
        let (level, reason) = (compaction.output_level, compaction.reason);
        let edit = Edit {
            removed: compaction.inputs.iter().map(|(_, id)| *id).collect(),
            added: files.iter().map(|file| (level, file.clone())).collect(),
            ..Edit::default()
        };
        self.commit_edit(edit, None)?;
        let written: u64 = files.iter().map(|file| file.len).sum();
        let took = self.env.clock.elapsed().saturating_sub(began);
        self.counters.compactions.add_merge(reason, job.len, written, took);
        self.note(Event {
            reason: Some(reason),
            from_level: compaction.inputs.iter().map(|(level, _)| *level).min(),
            to_level: Some(level),
            took,
            len_read: job.len,
            len_written: written,
            files_read: compaction.inputs.len(),
            files_written: files.len(),
            ..Event::new(EventKind::Merge)
        });
        tracing::debug!(?reason, level, read = job.len, written, "compacted");
        Ok(())
    }
}

/// Files, bytes and entries in a key range.
fn totals(shape: &Shape, range: &KeyRange) -> (usize, u64, u64) {
    let inside = shape.files().filter(|(_, file)| range_touches(range, file));
    inside.fold((0, 0, 0), |(files, len, entries), (_, file)| {
        (files + 1, len + file.len, entries + file.properties.entry_count)
    })
}

/// The files that a compaction writes.
struct Outputs<'a> {
    store: &'a Store,
    job: &'a Job,
    control: Option<&'a CompactionControl>,
    shape: &'a Shape,
    level: usize,
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
    fn new(
        store: &'a Store,
        job: &'a Job,
        shape: &'a Shape,
        control: Option<&'a CompactionControl>,
    ) -> Self {
        let compaction = &job.compaction;
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
        let has_level0 = compaction.inputs.iter().any(|(level, _)| *level == 0);
        let (level, began) = (compaction.output_level, store.env.clock.elapsed());
        let (builder, files) = (None, Vec::new());
        Self { store, job, control, shape, level, has_level0, builder, files, cuts, began }
    }

    fn merge(&mut self, version: &Version) -> Result<()> {
        let sources = self.job.compaction.inputs.iter().map(|(_, id)| {
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
                self.job.advance(count);
                self.give_way()?;
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

    /// Gives way: stops when the store closes or nobody wants it any more, stands still while
    /// compaction is paused, lets shorter work through, sleeps when writing faster than allowed.
    fn give_way(&self) -> Result<()> {
        loop {
            self.store.wait_while_paused(self.control)?;
            self.store.let_through(self.has_level0)?;
            let ahead = self.ahead();
            if ahead.is_zero() {
                return Ok(());
            }
            self.store.env.clock.sleep(ahead.min(WAIT_INTERVAL));
        }
    }

    /// How far writing is ahead of what the rate allows. Somebody who asked is not made to wait.
    fn ahead(&self) -> Duration {
        let rate = self.store.options.compaction_bytes_per_second;
        if rate == 0 || self.control.is_some() {
            return Duration::ZERO;
        }
        let written = self.files.iter().map(|file| file.len).sum::<u64>()
            + self.builder.as_ref().map_or(0, SstableBuilder::len);
        let due = Duration::from_micros(written.saturating_mul(1_000_000) / rate);
        due.saturating_sub(self.store.env.clock.elapsed().saturating_sub(self.began))
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
