//! Bulk load and bulk removal: whole sstables come and go in one edit.

use std::sync::atomic::Ordering;

use super::events::{Event, EventKind};
use super::sstable::{Compression, FileMeta, SstableBuilder};
use super::store::{Store, remove_quietly};
use super::version::{DropMark, Edit, LEVEL_COUNT, Shape};
use crate::env::FileName;
use crate::error::{Error, Result};
use crate::keyspace::KeyRange;
use crate::lsm::compaction::picker::Busy;
use crate::options::check_entry;
use crate::timestamp::Timestamp;

impl Store {
    /// Writes sorted entries to sstables and adds them as one commit at `ts`.
    pub(super) fn ingest<K, V>(
        &self,
        ts: Timestamp,
        entries: impl Iterator<Item = Result<(K, V)>>,
    ) -> Result<()>
    where
        K: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        let mut files = Vec::new();
        let written = self.write_entries(ts, entries, &mut files);
        // What is in memory is older than the load and must not stay above it (V-2).
        let is_ready = written.and_then(|()| self.flush_all());
        if let Err(error) = is_ready {
            for file in &files {
                remove_quietly(&self.env, &FileName::Sstable(file.id).path(&self.dir));
            }
            return Err(error);
        }
        self.add_files(ts, &files)
    }

    fn write_entries<K: AsRef<[u8]>, V: AsRef<[u8]>>(
        &self,
        ts: Timestamp,
        entries: impl Iterator<Item = Result<(K, V)>>,
        files: &mut Vec<FileMeta>,
    ) -> Result<()> {
        let mut builder: Option<SstableBuilder> = None;
        for entry in entries {
            let (key, value) = entry?;
            let (key, value) = (key.as_ref(), value.as_ref());
            check_entry(key.len(), value.len())?;
            if let Some(full) = builder.take_if(|b| b.len() >= self.options.sstable_len_max) {
                if full.last_key() >= key {
                    return Err(Error::invalid("S-1: ingested keys must be sorted and distinct"));
                }
                files.push(full.finish()?);
            }
            let target = match &mut builder {
                Some(builder) => builder,
                None => {
                    let (env, dir, id) = (&self.env, &self.dir, self.new_file_id());
                    let options = &self.options;
                    let new = SstableBuilder::create(env, dir, id, options, Compression::Lz4)?;
                    builder.insert(new)
                }
            };
            target.add(key, ts, Some(value))?;
        }
        if let Some(builder) = builder {
            files.push(builder.finish()?);
        }
        Ok(())
    }

    /// Makes files live. Should that fail, only [`Store::commit_edit`] knows whether they may go:
    /// once the manifest may name them, they must stay.
    fn add_files(&self, ts: Timestamp, files: &[FileMeta]) -> Result<()> {
        let _write = self.write.lock();
        if ts <= self.last_ts() {
            let (ts, last) = (ts.0, self.last_ts().0);
            return Err(Error::internal(format!("commits come in order ts={ts} last={last}")));
        }
        let in_flight = self.compactions.lock();
        let version = self.state.load().version.clone();
        let added: Vec<_> = files
            .iter()
            .map(|file| (deepest_level(version.shape(), in_flight.busy(), file), file.clone()))
            .collect();
        let to_level = added.iter().map(|(level, _)| *level).max();
        let edit = Edit { added, flushed: Some(ts), last_ts: Some(ts), ..Edit::default() };
        self.commit_edit(edit, None)?;
        drop(in_flight);
        self.last_ts.store(ts.0, Ordering::Release);
        self.wal.skip_to(ts);
        let len: u64 = files.iter().map(|file| file.len).sum();
        self.counters.ingest_len.fetch_add(len, Ordering::Relaxed);
        self.counters.user_len.fetch_add(len, Ordering::Relaxed);
        self.note(Event {
            to_level,
            len_written: len,
            files_written: files.len(),
            ..Event::new(EventKind::Ingest)
        });
        self.start_work();
        Ok(())
    }

    /// Gives up everything in `range` that was written so far.
    pub(super) fn drop_range(&self, range: &KeyRange) -> Result<()> {
        {
            let _write = self.write.lock();
            let ts = self.last_ts();
            // Were commits up to `ts` lost after the mark is durable, new ones would come before
            // it and vanish.
            self.wal.sync()?;
            let mark = DropMark { range: range.clone(), ts };
            self.commit_edit(
                Edit { dropped: vec![mark], last_ts: Some(ts), ..Edit::default() },
                None,
            )?;
        }
        // The next compaction drops the files inside and rewrites those at the edges.
        self.start_work();
        Ok(())
    }
}

/// The deepest level at which a file of new entries lies above everything older (V-2) and beside
/// everything else (V-1).
fn deepest_level(shape: &Shape, busy: &Busy, file: &FileMeta) -> usize {
    let (smallest, largest) = (&file.properties.smallest, &file.properties.largest);
    let is_free = |level: &usize| shape.overlapping(*level, smallest, largest).next().is_none();
    let free_count = (0..LEVEL_COUNT).take_while(is_free).count();
    (1..free_count).rev().find(|&level| !busy.writes_to(level, smallest, largest)).unwrap_or(0)
}
