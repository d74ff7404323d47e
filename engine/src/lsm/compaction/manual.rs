//! Compaction that somebody asked for: the steps are chosen here, purely, and done one by one.
//!
//! Everything in the range that was there at the beginning goes down to the bottom level, from the
//! top, in steps as large as an ordinary compaction, among which others find their place. Only what
//! shares keys is merged, the rest is moved, and at the bottom only files with something to forget
//! are written anew. What is written meanwhile is not waited for: every step brings old entries
//! down or cleans a file that was there, so the steps end.

use std::sync::Arc;

use super::Reason;
use super::picker::{BOTTOM, Busy, Choice, Limits, Picker};
use crate::env::FileId;
use crate::keyspace::KeyRange;
use crate::lsm::sstable::FileMeta;
use crate::lsm::version::{Shape, range_touches};
use crate::timestamp::Timestamp;

/// What somebody asked for.
#[derive(Clone, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) range: &'a KeyRange,
    /// The newest commit when it began.
    pub(super) upto: Timestamp,
    /// Files from this number on were made later.
    pub(super) before: FileId,
}

/// What to do next for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Do(Choice),
    /// Another compaction holds what is wanted.
    Wait,
    Done,
}

impl Wanted<'_> {
    fn is_wanted(&self, shape: &Shape, level: usize, file: &FileMeta) -> bool {
        let is_due = match level {
            BOTTOM => file.id < self.before && !is_clean(shape, file),
            _ => file.properties.first_ts <= self.upto,
        };
        is_due && range_touches(self.range, file)
    }

    /// Chooses the next step.
    pub(super) fn pick(&self, shape: &Shape, limits: &Limits, busy: &Busy) -> Step {
        let picker = Picker { shape, limits, busy, oldest: Timestamp(0) };
        if let Some(choice) = picker.covered() {
            return Step::Do(choice);
        }
        let level0 = self.level0(shape);
        if !level0.is_empty() {
            return picker.level0_files(level0, Reason::Manual).map_or(Step::Wait, Step::Do);
        }
        let below = || shape.files().filter(|(level, file)| self.is_wanted(shape, *level, file));
        let choice = below().find_map(|(level, file)| match level {
            BOTTOM => picker.in_place(level, file, Reason::Manual),
            _ if picker.meeting(level, file).is_none() && is_clean(shape, file) => {
                picker.moved(&[(level, file)], BOTTOM, Reason::Manual)
            }
            _ => picker.sink(level, file, Reason::Manual),
        });
        match choice {
            Some(choice) => Step::Do(choice),
            None if below().next().is_some() => Step::Wait,
            None => Step::Done,
        }
    }

    /// The files of level 0 that are wanted, newest first, and the older ones that they must not
    /// overtake (V-2).
    fn level0<'s>(&self, shape: &'s Shape) -> Vec<&'s Arc<FileMeta>> {
        let mut chosen: Vec<&Arc<FileMeta>> = Vec::new();
        for file in &shape.levels[0] {
            let overlaps = |newer: &&Arc<FileMeta>| {
                newer.properties.largest >= file.properties.smallest
                    && newer.properties.smallest <= file.properties.largest
            };
            if self.is_wanted(shape, 0, file) || chosen.iter().any(overlaps) {
                chosen.push(file);
            }
        }
        chosen
    }

    /// About how many bytes the steps that are left will merge.
    pub(super) fn remaining(&self, shape: &Shape) -> u64 {
        let wanted = || shape.files().filter(|(level, file)| self.is_wanted(shape, *level, file));
        let above: Vec<_> = wanted().filter(|(level, _)| *level < BOTTOM).collect();
        let is_met = |file: &FileMeta| {
            above.iter().any(|(_, upper)| {
                upper.properties.largest >= file.properties.smallest
                    && upper.properties.smallest <= file.properties.largest
            })
        };
        let bottom = shape.levels[BOTTOM].iter();
        let bottom = bottom.filter(|file| self.is_wanted(shape, BOTTOM, file) || is_met(file));
        above.iter().map(|(_, file)| file.len).chain(bottom.map(|file| file.len)).sum()
    }
}

/// Whether a compaction of the bottom level would change nothing in a file.
fn is_clean(shape: &Shape, file: &FileMeta) -> bool {
    let properties = &file.properties;
    properties.tombstone_count == 0
        && properties.entry_count == properties.key_count
        && !shape.drops.iter().any(|mark| mark.touches_file(file))
}
