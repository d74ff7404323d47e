//! What to compact next. Pure: a shape in, a choice out.
//!
//! Levels have dynamic targets: the bottom level takes what it takes, each level above it a tenth
//! (see [`Limits`]), and the first level whose target is small enough is the *base level*, to
//! which level 0 is merged; levels above the base level stay empty. So the data above the bottom
//! level, which is what costs space, stays near a ninth of it whatever the size of the database
//! (RocksDB's `level_compaction_dynamic_level_bytes`).
//!
//! Picked first to last: files that dropped ranges cover; level 0 and levels over their target,
//! fullest first; files full of garbage; what else dropped ranges left behind.

use std::collections::HashSet;

use crate::env::FileId;
use crate::lsm::sstable::FileMeta;
use crate::lsm::version::{LEVEL_COUNT, Shape};
use crate::options::Options;
use crate::timestamp::Timestamp;

/// The bottom level.
pub(crate) const BOTTOM: usize = LEVEL_COUNT - 1;
/// Garbage below this count is not worth a compaction of its own. 128 entries.
const GARBAGE_COUNT_MIN: u64 = 128;
/// A level's fullness is counted in hundredths of its target.
const FULL: u64 = 100;

/// The numbers that the choice depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Level-0 files that make level 0 full.
    pub(crate) level0_count: usize,
    /// The target of the base level.
    pub(crate) base_len: u64,
    /// How many times larger each level's target is than that of the level above.
    pub(crate) multiplier: u64,
}

impl From<&Options> for Limits {
    fn from(options: &Options) -> Self {
        Self {
            level0_count: options.level0_compaction_count.max(1),
            base_len: options.level_base_len_max.max(1),
            multiplier: options.level_len_multiplier.max(2),
        }
    }
}

/// Why something is compacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Level 0 has many files.
    Level0,
    /// A level is over its target.
    LevelLen,
    /// A file is full of tombstones or shadowed versions.
    Garbage,
    /// A dropped range left entries behind.
    DroppedRange,
    /// Somebody asked.
    Manual,
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
    /// A file overlaps nothing below: its level changes, its bytes stay.
    Move {
        file: FileId,
        from: usize,
        to: usize,
    },
    Merge(Compaction),
    /// Nothing in these files is wanted.
    Drop(Vec<FileId>),
}

/// The level to which level 0 is merged.
pub(crate) fn base_level(shape: &Shape, limits: &Limits) -> usize {
    let mut len = (1..=BOTTOM).map(|level| shape.level_len(level)).max().unwrap_or(0);
    let mut base = BOTTOM;
    while len > limits.base_len && base > 1 {
        len /= limits.multiplier;
        base -= 1;
    }
    // Data above would be overtaken (V-2), so the base level is never below it.
    let first = (1..LEVEL_COUNT).find(|&level| !shape.levels[level].is_empty());
    base.min(first.unwrap_or(BOTTOM))
}

/// Chooses. `busy` files are being compacted; no snapshot is older than `oldest`.
pub(crate) fn pick(
    shape: &Shape,
    limits: &Limits,
    busy: &HashSet<FileId>,
    oldest: Timestamp,
) -> Choice {
    let picker = Picker { shape, limits, busy, oldest, base: base_level(shape, limits) };
    picker
        .covered()
        .or_else(|| picker.fullest())
        .or_else(|| picker.garbage())
        .or_else(|| picker.leftovers())
        .unwrap_or(Choice::Nothing)
}

struct Picker<'a> {
    shape: &'a Shape,
    limits: &'a Limits,
    busy: &'a HashSet<FileId>,
    oldest: Timestamp,
    base: usize,
}

impl Picker<'_> {
    fn is_free(&self, file: &FileMeta) -> bool {
        !self.busy.contains(&file.id)
    }

    /// Files that dropped ranges cover wholly.
    fn covered(&self) -> Option<Choice> {
        let is_covered = |file: &FileMeta| self.shape.drops.iter().any(|m| m.covers_file(file));
        let files: Vec<FileId> = self
            .shape
            .files()
            .filter(|(_, file)| is_covered(file) && self.is_free(file))
            .map(|(_, file)| file.id)
            .collect();
        (!files.is_empty()).then_some(Choice::Drop(files))
    }

    /// The fullest level that can be compacted now.
    fn fullest(&self) -> Option<Choice> {
        let mut levels: Vec<(u64, usize)> = vec![(self.level0_fullness(), 0)];
        let mut target = self.limits.base_len;
        for level in self.base..BOTTOM {
            levels.push((self.shape.level_len(level).saturating_mul(FULL) / target, level));
            target = target.saturating_mul(self.limits.multiplier);
        }
        levels.retain(|(fullness, _)| *fullness >= FULL);
        levels.sort_by_key(|&(fullness, level)| (std::cmp::Reverse(fullness), level));
        levels.into_iter().find_map(|(_, level)| match level {
            0 => self.level0(Reason::Level0),
            _ => self.best_of(level),
        })
    }

    fn level0_fullness(&self) -> u64 {
        let files = &self.shape.levels[0];
        files.len() as u64 * FULL / self.limits.level0_count as u64
    }

    /// All of level 0 into the base level.
    fn level0(&self, reason: Reason) -> Option<Choice> {
        let files = &self.shape.levels[0];
        let smallest = files.iter().map(|file| &file.properties.smallest).min()?;
        let largest = files.iter().map(|file| &file.properties.largest).max()?;
        let below = self.shape.overlapping(self.base, smallest, largest);
        let inputs = files.iter().map(|file| (0, file)).chain(below.map(|f| (self.base, f)));
        self.merge(inputs.collect(), self.base, reason)
    }

    /// The file of a level that drags the fewest bytes of the next level along.
    fn best_of(&self, level: usize) -> Option<Choice> {
        let files = self.shape.levels[level].iter().filter(|file| self.is_free(file));
        let mut files: Vec<_> =
            files.map(|file| (self.overlap_percent(level, file), file)).collect();
        files.sort_by_key(|(percent, file)| (*percent, file.id));
        files.into_iter().find_map(|(_, file)| self.down(level, file, Reason::LevelLen))
    }

    fn overlap_percent(&self, level: usize, file: &FileMeta) -> u64 {
        let below =
            self.shape.overlapping(level + 1, &file.properties.smallest, &file.properties.largest);
        below.map(|file| file.len).sum::<u64>().saturating_mul(100) / file.len.max(1)
    }

    /// One file into the next level.
    fn down(&self, level: usize, file: &FileMeta, reason: Reason) -> Option<Choice> {
        let properties = &file.properties;
        let below: Vec<_> =
            self.shape.overlapping(level + 1, &properties.smallest, &properties.largest).collect();
        let is_touched = self.shape.drops.iter().any(|mark| mark.touches_file(file));
        if below.is_empty() && !is_touched && reason != Reason::Garbage {
            return Some(Choice::Move { file: file.id, from: level, to: level + 1 });
        }
        let here = self.shape.levels[level].iter().find(|other| other.id == file.id)?;
        let inputs =
            std::iter::once((level, here)).chain(below.into_iter().map(|f| (level + 1, f)));
        self.merge(inputs.collect(), level + 1, reason)
    }

    fn merge(
        &self,
        inputs: Vec<(usize, &std::sync::Arc<FileMeta>)>,
        output_level: usize,
        reason: Reason,
    ) -> Option<Choice> {
        if inputs.is_empty() || !inputs.iter().all(|(_, file)| self.is_free(file)) {
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
                _ => self.down(level, file, Reason::Garbage),
            };
            if choice.is_some() {
                return choice;
            }
        }
        None
    }

    fn in_place(
        &self,
        level: usize,
        file: &std::sync::Arc<FileMeta>,
        reason: Reason,
    ) -> Option<Choice> {
        self.merge(vec![(level, file)], level, reason)
    }

    /// Files that hold entries of a dropped range among others.
    fn leftovers(&self) -> Option<Choice> {
        let is_touched = |file: &FileMeta| self.shape.drops.iter().any(|m| m.touches_file(file));
        let mut touched = self.shape.files().filter(|(_, file)| is_touched(file));
        touched.find_map(|(level, file)| match level {
            0 => self.level0(Reason::DroppedRange),
            _ => self.in_place(level, file, Reason::DroppedRange),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::fmt::Write;

    use goldenscript::{Command, Context, Runner};

    use super::*;
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
            let limits = Limits { level0_count: 4, base_len: 100, multiplier: 10 };
            Self { shape: Shape::default(), limits }
        }
    }

    fn describe(shape: &Shape, choice: &Choice) -> String {
        match choice {
            Choice::Nothing => "nothing".to_owned(),
            Choice::Move { file, from, to } => format!("move {} from L{from} to L{to}", file.0),
            Choice::Drop(files) => {
                format!(
                    "drop {}",
                    files.iter().map(|id| id.0.to_string()).collect::<Vec<_>>().join(" ")
                )
            }
            Choice::Merge(compaction) => {
                let mut text = "merge".to_owned();
                let mut last = usize::MAX;
                for (level, id) in &compaction.inputs {
                    if *level != last {
                        write!(text, " L{level}:").unwrap();
                    }
                    last = *level;
                    write!(text, " {}", id.0).unwrap();
                }
                assert!(
                    compaction
                        .inputs
                        .iter()
                        .all(|(l, id)| shape.levels[*l].iter().any(|f| f.id == *id))
                );
                format!("{text} -> L{} because {:?}", compaction.output_level, compaction.reason)
            }
        }
    }

    impl Runner for Picking {
        type Command = Command;

        fn run(&mut self, command: &Command, _: &Context) -> Result<String, Box<dyn Error>> {
            let mut arguments = command.consume_args();
            let mut output = String::new();
            match command.name.as_str() {
                // file ID level=N keys=a..c [len=N] [ts=1..9] [entries=N] [distinct=N] [tombstones=N]
                "file" => {
                    let id = FileId(arguments.next_pos().ok_or("no file number")?.parse()?);
                    let (smallest, largest) = ends(need(&mut arguments, "keys")?)?;
                    let (first, last) = ends(arguments.take_key("ts").unwrap_or("1..1"))?;
                    let entry_count = number(&mut arguments, "entries", 1000)?;
                    let properties = Properties {
                        entry_count,
                        tombstone_count: number(&mut arguments, "tombstones", 0)?,
                        key_count: number(&mut arguments, "distinct", entry_count)?,
                        first_ts: Timestamp(first.parse()?),
                        last_ts: Timestamp(last.parse()?),
                        smallest: smallest.into(),
                        largest: largest.into(),
                        ..Properties::default()
                    };
                    let level = usize::try_from(number(&mut arguments, "level", 0)?)?;
                    let meta = FileMeta { id, len: number(&mut arguments, "len", 10)?, properties };
                    let edit = Edit { added: vec![(level, meta)], ..Edit::default() };
                    self.shape = self.shape.after(&edit)?;
                }
                // drop_range a..c ts=N: a dropped range
                "drop_range" => {
                    let range = key_range(arguments.next_pos().ok_or("no range")?)?;
                    let ts = Timestamp(number(&mut arguments, "ts", 1)?);
                    self.shape.drops.push(DropMark { range, ts });
                }
                // pick [busy=ID,ID] [oldest=N]
                "pick" => {
                    let busy = arguments.take_key("busy").unwrap_or_default();
                    let busy = busy.split(',').filter(|id| !id.is_empty());
                    let busy = busy.map(|id| id.parse().map(FileId)).collect::<Result<_, _>>()?;
                    let oldest = Timestamp(number(&mut arguments, "oldest", 0)?);
                    let choice = pick(&self.shape, &self.limits, &busy, oldest);
                    output = describe(&self.shape, &choice);
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
