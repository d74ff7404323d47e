//! What to compact next. Pure: a shape in, a choice out.
//!
//! Picked first to last: files that dropped ranges cover; what the [style](Style) asks for; files
//! full of garbage; what else dropped ranges left behind. What somebody asks for by hand is picked
//! by [`super::manual`].
//!
//! Both styles keep the same invariants (V-1, V-2), so a database may be opened with either, and
//! changed from one to the other, at any time.
//!
//! # Invariants
//! - P-1: no choice names a file that is being compacted.
//! - P-2: no two merges under way write keys of one range to one level.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Reason, Style, levelled, tiered};
use crate::env::FileId;
use crate::lsm::sstable::FileMeta;
use crate::lsm::version::{LEVEL_COUNT, Shape};
use crate::options::Options;
use crate::timestamp::Timestamp;

/// The bottom level.
pub(crate) const BOTTOM: usize = LEVEL_COUNT - 1;
/// Garbage below this count is not worth a compaction of its own. 128 entries.
const GARBAGE_COUNT_MIN: u64 = 128;

/// The numbers that the choice depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) style: Style,
    /// Level-0 files that make level 0 full.
    pub(crate) level0_count: usize,
    /// Bytes that level 0 holds when it is full.
    pub(crate) level0_len: u64,
    /// Levelled: the least target of a level.
    pub(crate) base_len: u64,
    /// Levelled: how many times larger each level's target is than that of the level above.
    pub(crate) multiplier: u64,
    /// Tiered: the most runs below level 0.
    pub(crate) run_count: usize,
    /// Tiered: the most bytes above the last run, in hundredths of its bytes.
    pub(crate) space_percent: u64,
}

impl From<&Options> for Limits {
    fn from(options: &Options) -> Self {
        let level0_count = options.level0_compaction_count.max(1);
        Self {
            style: options.compaction_style,
            level0_count,
            level0_len: (options.memtable_len_max as u64).saturating_mul(level0_count as u64),
            base_len: options.level_base_len_max.max(1),
            multiplier: options.level_len_multiplier.max(2),
            run_count: options.tiered_run_count_max.clamp(1, BOTTOM - 1),
            space_percent: options.tiered_space_percent_max.max(1),
        }
    }
}

/// Files to merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Compaction {
    /// The files with their levels; newest first where they overlap.
    pub(crate) inputs: Vec<(usize, FileId)>,
    pub(crate) output_level: usize,
    pub(crate) reason: Reason,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    Nothing,
    /// Files that overlap nothing on their way down: their level changes, their bytes stay.
    Move {
        files: Vec<(usize, FileId)>,
        to: usize,
        reason: Reason,
    },
    Merge(Compaction),
    /// Nothing in these files is wanted.
    Drop(Vec<FileId>),
}

/// What is being compacted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Busy {
    /// The inputs.
    pub(crate) files: HashSet<FileId>,
    /// The output levels and key ranges, both ends included.
    pub(crate) outputs: Vec<(usize, Vec<u8>, Vec<u8>)>,
}

impl Busy {
    /// Whether keys between two keys may be about to be written to a level.
    pub(crate) fn writes_to(&self, level: usize, smallest: &[u8], largest: &[u8]) -> bool {
        self.outputs.iter().any(|(output, first, last)| {
            *output == level && first.as_slice() <= largest && smallest <= last.as_slice()
        })
    }
}

/// Chooses. No snapshot is older than `oldest`.
pub(crate) fn pick(shape: &Shape, limits: &Limits, busy: &Busy, oldest: Timestamp) -> Choice {
    let picker = Picker { shape, limits, busy, oldest };
    picker
        .covered()
        .or_else(|| match limits.style {
            Style::Levelled => levelled::pick(&picker),
            Style::Tiered => tiered::pick(&picker),
        })
        .or_else(|| picker.garbage())
        .or_else(|| picker.leftovers())
        .unwrap_or(Choice::Nothing)
}

/// Chooses what cannot wait for a long merge to end: level 0, when it is full.
pub(crate) fn pick_urgent(shape: &Shape, limits: &Limits, busy: &Busy) -> Choice {
    let picker = Picker { shape, limits, busy, oldest: Timestamp(0) };
    let choice = picker.is_level0_full().then(|| picker.level0(Reason::Level0));
    choice.flatten().unwrap_or(Choice::Nothing)
}

/// Bytes that levels hold beyond what they should.
pub(crate) fn backlog(shape: &Shape, limits: &Limits) -> u64 {
    let is_full = shape.levels[0].len() >= limits.level0_count;
    let level0 = if is_full { shape.level_len(0) } else { 0 };
    level0
        + match limits.style {
            Style::Levelled => levelled::excess(shape, limits),
            Style::Tiered => tiered::excess(shape, limits),
        }
}

/// A shape and what there is to know about it.
pub(super) struct Picker<'a> {
    pub(super) shape: &'a Shape,
    pub(super) limits: &'a Limits,
    pub(super) busy: &'a Busy,
    /// No snapshot is older.
    pub(super) oldest: Timestamp,
}

impl<'a> Picker<'a> {
    pub(super) fn is_free(&self, file: &FileMeta) -> bool {
        !self.busy.files.contains(&file.id)
    }

    pub(super) fn is_level0_full(&self) -> bool {
        self.shape.levels[0].len() >= self.limits.level0_count
    }

    /// The level to which level 0 is merged.
    pub(super) fn level0_target(&self) -> usize {
        match self.limits.style {
            Style::Levelled => levelled::base_level(self.shape, self.limits),
            Style::Tiered => tiered::free_level(self.shape),
        }
    }

    /// The first level below level 0 with files.
    pub(super) fn first_level(&self) -> Option<usize> {
        self.shape.first_level()
    }

    /// Files that dropped ranges cover wholly.
    pub(super) fn covered(&self) -> Option<Choice> {
        let is_covered = |file: &FileMeta| self.shape.drops.iter().any(|m| m.covers_file(file));
        let files: Vec<FileId> = self
            .shape
            .files()
            .filter(|(_, file)| is_covered(file) && self.is_free(file))
            .map(|(_, file)| file.id)
            .collect();
        (!files.is_empty()).then_some(Choice::Drop(files))
    }

    /// All of level 0 to where it is merged.
    pub(super) fn level0(&self, reason: Reason) -> Option<Choice> {
        self.level0_files(self.shape.levels[0].iter().collect(), reason)
    }

    /// Files of level 0 to where it is merged.
    ///
    /// Requires: no older file of level 0 that is left out overlaps one of them (V-2).
    pub(super) fn level0_files(
        &self,
        files: Vec<&'a Arc<FileMeta>>,
        reason: Reason,
    ) -> Option<Choice> {
        let target = self.level0_target();
        let (smallest, largest) = bounds(&files)?;
        let below = self.shape.overlapping(target, smallest, largest);
        let inputs = files.into_iter().map(|file| (0, file)).chain(below.map(|f| (target, f)));
        self.merge(inputs.collect(), target, reason)
    }

    /// One file to `to`, with what it meets there, and with the files beside it that cost nothing
    /// more because they meet nothing else.
    ///
    /// Requires: between the two levels nothing overlaps the file.
    pub(super) fn down(
        &self,
        level: usize,
        file: &'a Arc<FileMeta>,
        to: usize,
        reason: Reason,
    ) -> Option<Choice> {
        let properties = &file.properties;
        let met: Vec<_> =
            self.shape.overlapping(to, &properties.smallest, &properties.largest).collect();
        let mut inputs = vec![(level, file)];
        if let Some((smallest, largest)) = bounds(&met)
            && to == level + 1
        {
            let beside = self.shape.levels[level].iter().filter(|other| {
                other.id != file.id
                    && other.properties.smallest.as_slice() >= smallest
                    && other.properties.largest.as_slice() <= largest
                    && self.is_free(other)
            });
            inputs.extend(beside.map(|other| (level, other)));
            inputs.sort_by(|(_, a), (_, b)| a.properties.smallest.cmp(&b.properties.smallest));
        }
        inputs.extend(met.into_iter().map(|met| (to, met)));
        self.merge(inputs, to, reason)
    }

    /// A file to where its keys meet older ones: the first level with some, else the bottom.
    pub(super) fn sink(
        &self,
        level: usize,
        file: &'a Arc<FileMeta>,
        reason: Reason,
    ) -> Option<Choice> {
        self.down(level, file, self.meeting(level, file).unwrap_or(BOTTOM), reason)
    }

    /// The first level below `level` that has keys in the file's range.
    pub(super) fn meeting(&self, level: usize, file: &FileMeta) -> Option<usize> {
        let properties = &file.properties;
        (level + 1..LEVEL_COUNT).find(|&below| {
            let mut met = self.shape.overlapping(below, &properties.smallest, &properties.largest);
            met.next().is_some()
        })
    }

    /// Whether moving the file would keep what a merge would forget.
    pub(super) fn is_touched(&self, file: &FileMeta) -> bool {
        self.shape.drops.iter().any(|mark| mark.touches_file(file))
    }

    /// A move of files, if nothing under way stands against it.
    ///
    /// Requires: nothing on their way down overlaps them.
    pub(super) fn moved(
        &self,
        files: &[(usize, &Arc<FileMeta>)],
        to: usize,
        reason: Reason,
    ) -> Option<Choice> {
        let is_possible = |(_, file): &(usize, &Arc<FileMeta>)| {
            let properties = &file.properties;
            self.is_free(file)
                && !self.busy.writes_to(to, &properties.smallest, &properties.largest)
        };
        let files: Vec<_> = files
            .iter()
            .filter(|file| is_possible(file))
            .map(|(level, file)| (*level, file.id))
            .collect();
        (!files.is_empty()).then_some(Choice::Move { files, to, reason })
    }

    pub(super) fn merge(
        &self,
        inputs: Vec<(usize, &Arc<FileMeta>)>,
        output_level: usize,
        reason: Reason,
    ) -> Option<Choice> {
        let files: Vec<_> = inputs.iter().map(|(_, file)| *file).collect();
        let (smallest, largest) = bounds(&files)?;
        if self.busy.writes_to(output_level, smallest, largest)
            || !files.iter().all(|file| self.is_free(file))
        {
            return None;
        }
        let inputs = inputs.into_iter().map(|(level, file)| (level, file.id)).collect();
        Some(Choice::Merge(Compaction { inputs, output_level, reason }))
    }

    /// Whether at least half of a file's entries are tombstones or shadowed versions.
    fn is_garbage(file: &FileMeta) -> bool {
        let properties = &file.properties;
        let garbage = properties.tombstone_count
            + (properties.entry_count - properties.key_count.min(properties.entry_count));
        garbage >= GARBAGE_COUNT_MIN && garbage * 2 >= properties.entry_count
    }

    /// A file full of garbage: a queue's tail of tombstones should not wait for its level to fill.
    fn garbage(&self) -> Option<Choice> {
        let candidates = self.shape.files().filter(|(_, file)| {
            // Garbage that a snapshot still needs would only be copied.
            Self::is_garbage(file) && file.properties.last_ts <= self.oldest && self.is_free(file)
        });
        for (level, file) in candidates {
            let choice = match level {
                0 => self.level0(Reason::Garbage),
                BOTTOM => self.in_place(level, file, Reason::Garbage),
                _ => self.sink(level, file, Reason::Garbage),
            };
            if choice.is_some() {
                return choice;
            }
        }
        None
    }

    pub(super) fn in_place(
        &self,
        level: usize,
        file: &Arc<FileMeta>,
        reason: Reason,
    ) -> Option<Choice> {
        self.merge(vec![(level, file)], level, reason)
    }

    /// Files that hold entries of a dropped range among others.
    fn leftovers(&self) -> Option<Choice> {
        let mut touched = self.shape.files().filter(|(_, file)| self.is_touched(file));
        touched.find_map(|(level, file)| match level {
            0 => self.level0(Reason::DroppedRange),
            _ => self.in_place(level, file, Reason::DroppedRange),
        })
    }
}

/// The smallest and the largest key of files; `None` when there are none.
pub(super) fn bounds<'a>(files: &[&'a Arc<FileMeta>]) -> Option<(&'a [u8], &'a [u8])> {
    let smallest = files.iter().map(|file| file.properties.smallest.as_slice()).min()?;
    let largest = files.iter().map(|file| file.properties.largest.as_slice()).max()?;
    Some((smallest, largest))
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::fmt::Write;

    use goldenscript::{ArgumentConsumer, Command, Context, Runner};

    use super::*;
    use crate::lsm::compaction::levelled::base_level;
    use crate::lsm::compaction::manual::{Step, Wanted};
    use crate::lsm::golden::{ends, key_range, need, number, run_all};
    use crate::lsm::sstable::Properties;
    use crate::lsm::version::{DropMark, Edit};

    /// A shape written as text, and choices about it.
    struct Picking {
        shape: Shape,
        limits: Limits,
    }

    impl Default for Picking {
        fn default() -> Self {
            let limits = Limits {
                style: Style::Levelled,
                level0_count: 4,
                level0_len: 100,
                base_len: 100,
                multiplier: 10,
                run_count: 3,
                space_percent: 100,
            };
            Self { shape: Shape::default(), limits }
        }
    }

    fn describe(shape: &Shape, choice: &Choice) -> String {
        match choice {
            Choice::Nothing => "nothing".to_owned(),
            Choice::Move { files, to, reason } => {
                format!("move{} -> L{to} because {reason:?}", listed(shape, files))
            }
            Choice::Drop(files) => {
                format!(
                    "drop {}",
                    files.iter().map(|id| id.0.to_string()).collect::<Vec<_>>().join(" ")
                )
            }
            Choice::Merge(Compaction { inputs, output_level, reason }) => {
                format!("merge{} -> L{output_level} because {reason:?}", listed(shape, inputs))
            }
        }
    }

    /// Files and outputs of compactions under way: busy=ID,ID writing=LEVEL:a..c
    fn busy(arguments: &mut ArgumentConsumer<'_>) -> Result<Busy, Box<dyn Error>> {
        let files = arguments.take_key("busy").unwrap_or_default();
        let files = files.split(',').filter(|id| !id.is_empty());
        let files = files.map(|id| id.parse().map(FileId)).collect::<Result<_, _>>()?;
        let mut busy = Busy { files, outputs: Vec::new() };
        if let Some(writing) = arguments.take_key("writing") {
            let (level, keys) = writing.split_once(':').ok_or("not level:a..c")?;
            let (first, last) = ends(keys)?;
            busy.outputs.push((level.parse()?, first.into(), last.into()));
        }
        Ok(busy)
    }

    /// Files by level, all of which must be there.
    fn listed(shape: &Shape, files: &[(usize, FileId)]) -> String {
        let mut text = String::new();
        let mut last = usize::MAX;
        for (level, id) in files {
            if *level != last {
                write!(text, " L{level}:").unwrap();
            }
            last = *level;
            write!(text, " {}", id.0).unwrap();
            assert!(shape.levels[*level].iter().any(|file| file.id == *id));
        }
        text
    }

    impl Picking {
        fn add_file(&mut self, arguments: &mut ArgumentConsumer<'_>) -> Result<(), Box<dyn Error>> {
            let id = FileId(arguments.next_pos().ok_or("no file number")?.parse()?);
            let (smallest, largest) = ends(need(arguments, "keys")?)?;
            let (first, last) = ends(arguments.take_key("ts").unwrap_or("1..1"))?;
            let entry_count = number(arguments, "entries", 1000)?;
            let properties = Properties {
                entry_count,
                tombstone_count: number(arguments, "tombstones", 0)?,
                key_count: number(arguments, "distinct", entry_count)?,
                first_ts: Timestamp(first.parse()?),
                last_ts: Timestamp(last.parse()?),
                smallest: smallest.into(),
                largest: largest.into(),
                ..Properties::default()
            };
            let level = usize::try_from(number(arguments, "level", 0)?)?;
            let meta = FileMeta { id, len: number(arguments, "len", 10)?, properties };
            let edit = Edit { added: vec![(level, meta)], ..Edit::default() };
            self.shape = self.shape.after(&edit)?;
            Ok(())
        }
    }

    impl Runner for Picking {
        type Command = Command;

        fn run(&mut self, command: &Command, _: &Context) -> Result<String, Box<dyn Error>> {
            let mut arguments = command.consume_args();
            let mut output = String::new();
            match command.name.as_str() {
                // file ID level=N keys=a..c [len=N] [ts=1..9] [entries=N] [distinct=N] [tombstones=N]
                "file" => self.add_file(&mut arguments)?,
                // drop_range a..c ts=N: a dropped range
                "drop_range" => {
                    let range = key_range(arguments.next_pos().ok_or("no range")?)?;
                    let ts = Timestamp(number(&mut arguments, "ts", 1)?);
                    self.shape.drops.push(DropMark { range, ts });
                }
                // style levelled | tiered
                "style" => {
                    self.limits.style = match arguments.next_pos().ok_or("no style")? {
                        "levelled" => Style::Levelled,
                        "tiered" => Style::Tiered,
                        other => return Err(format!("unknown style {other}").into()),
                    };
                }
                // pick [busy=ID,ID] [writing=LEVEL:a..c] [oldest=N]
                "pick" => {
                    let busy = busy(&mut arguments)?;
                    let oldest = Timestamp(number(&mut arguments, "oldest", 0)?);
                    let choice = pick(&self.shape, &self.limits, &busy, oldest);
                    output = describe(&self.shape, &choice);
                }
                // manual a..c upto=N before=ID [busy=ID,ID]: one step of it
                "manual" => {
                    let range = &key_range(arguments.next_pos().ok_or("no range")?)?;
                    let upto = Timestamp(number(&mut arguments, "upto", 99)?);
                    let before = FileId(number(&mut arguments, "before", 99)?);
                    let busy = busy(&mut arguments)?;
                    let step =
                        Wanted { range, upto, before }.pick(&self.shape, &self.limits, &busy);
                    output = match step {
                        Step::Do(choice) => describe(&self.shape, &choice),
                        Step::Wait => "wait".to_owned(),
                        Step::Done => "done".to_owned(),
                    };
                }
                "base" => output = format!("L{}", base_level(&self.shape, &self.limits)),
                // What the choice depends on, in full.
                "shape" => {
                    for (level, files) in self.shape.levels.iter().enumerate() {
                        if files.is_empty() {
                            continue;
                        }
                        write!(output, "L{level}:")?;
                        for file in files {
                            let smallest = String::from_utf8_lossy(&file.properties.smallest);
                            let largest = String::from_utf8_lossy(&file.properties.largest);
                            write!(output, " {}[{smallest}..{largest}]", file.id.0)?;
                        }
                        writeln!(output)?;
                    }
                }
                "clear" => self.shape = Shape::default(),
                name => return Err(format!("unknown command {name}").into()),
            }
            arguments.reject_next()?;
            Ok(output)
        }
    }

    #[test]
    fn scripts() {
        run_all::<Picking>("compaction/picker");
    }
}
