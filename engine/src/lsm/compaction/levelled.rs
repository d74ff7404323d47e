//! Levelled compaction: each level a multiple of the one above it. Pure.
//!
//! Levels have dynamic targets: the bottom level takes what it takes, each level above it a tenth
//! (see [`Limits`]), and the first level whose target is no more than what level 0 brings at a time
//! is the *base level*, to which level 0 is merged; levels above the base level stay empty. So the
//! data above the bottom level, which is what costs space, stays near a ninth of it whatever the
//! size of the database (`RocksDB`'s `level_compaction_dynamic_level_bytes`).
//!
//! Picked first to last: level 0 and levels over their target, fullest first; levels that lie
//! above the base level because the database shrank, or was tiered.

use std::cmp::Reverse;
use std::sync::Arc;

use super::Reason;
use super::picker::{BOTTOM, Choice, Limits, Picker};
use crate::lsm::sstable::FileMeta;
use crate::lsm::version::Shape;

/// A level's fullness is counted in hundredths of its target.
const FULL: u64 = 100;

/// The level to which level 0 is merged.
pub(super) fn base_level(shape: &Shape, limits: &Limits) -> usize {
    // Data above would be overtaken (V-2), so the base level is never below it.
    wanted_base_level(shape, limits).min(shape.first_level().unwrap_or(BOTTOM))
}

/// The base level that the sizes ask for.
fn wanted_base_level(shape: &Shape, limits: &Limits) -> usize {
    let mut len = largest_level(shape);
    let mut base = BOTTOM;
    while len > limits.base_len.max(limits.level0_len) && base > 1 {
        len /= limits.multiplier;
        base -= 1;
    }
    base
}

fn largest_level(shape: &Shape) -> u64 {
    (1..=BOTTOM).map(|level| shape.level_len(level)).max().unwrap_or(0)
}

pub(super) fn pick(picker: &Picker<'_>) -> Option<Choice> {
    fullest(picker).or_else(|| drain(picker))
}

/// Bytes above the targets of their levels.
pub(super) fn excess(shape: &Shape, limits: &Limits) -> u64 {
    let over = |(level, target)| shape.level_len(level).saturating_sub(target);
    targets(shape, limits).map(over).sum()
}

/// The levels that have a target, and their targets.
fn targets(shape: &Shape, limits: &Limits) -> impl Iterator<Item = (usize, u64)> {
    let (largest, multiplier, least) = (largest_level(shape), limits.multiplier, limits.base_len);
    let lens = std::iter::successors(Some(largest / multiplier), move |len| Some(len / multiplier));
    (base_level(shape, limits)..BOTTOM)
        .rev()
        .zip(lens)
        .map(move |(level, len)| (level, len.max(least)))
}

/// The fullest level that can be compacted now.
fn fullest(picker: &Picker<'_>) -> Option<Choice> {
    let limits = picker.limits;
    let level0_fullness = picker.shape.levels[0].len() as u64 * FULL / limits.level0_count as u64;
    let mut levels: Vec<(u64, usize)> = vec![(level0_fullness, 0)];
    levels.extend(targets(picker.shape, limits).map(|(level, target)| {
        (picker.shape.level_len(level).saturating_mul(FULL) / target, level)
    }));
    levels.retain(|(fullness, _)| *fullness >= FULL);
    levels.sort_by_key(|&(fullness, level)| (Reverse(fullness), level));
    levels.into_iter().find_map(|(_, level)| match level {
        0 => picker.level0(Reason::Level0),
        _ => best_of(picker, level),
    })
}

/// The first level, when the sizes ask for a base level below it.
fn drain(picker: &Picker<'_>) -> Option<Choice> {
    let first = picker.first_level()?;
    (first < wanted_base_level(picker.shape, picker.limits)).then(|| best_of(picker, first))?
}

/// The file of a level that drags the fewest bytes of the next level along.
fn best_of(picker: &Picker<'_>, level: usize) -> Option<Choice> {
    let files = picker.shape.levels[level].iter().filter(|file| picker.is_free(file));
    let mut files: Vec<_> =
        files.map(|file| (overlap_percent(picker.shape, level, file), file)).collect();
    files.sort_by_key(|(percent, file)| (*percent, file.id));
    files.into_iter().find_map(|(percent, file)| {
        if percent == 0 && !picker.is_touched(file) {
            return picker.moved(&[(level, file)], level + 1, Reason::LevelLen);
        }
        picker.down(level, file, level + 1, Reason::LevelLen)
    })
}

fn overlap_percent(shape: &Shape, level: usize, file: &Arc<FileMeta>) -> u64 {
    let below = shape.overlapping(level + 1, &file.properties.smallest, &file.properties.largest);
    let len: u64 = below.map(|file| file.len).sum();
    // Any overlap at all is not none.
    len.saturating_mul(100).div_ceil(file.len.max(1))
}
