//! Tiered compaction: few sorted runs, merged when they are many. Pure.
//!
//! A *run* is a level below level 0 that has files. Level 0, when it is full, becomes a run of its
//! own above the others, so that a byte is rewritten about as often as it meets runs of its own
//! size, not once for each tenth of the level below: fewer bytes written than
//! [levelled](super::levelled), for more places to look in and more space.
//!
//! Picked first to last:
//! 1. Runs sink into the gaps below them; only their level changes.
//! 2. Space: when the bytes above the last run exceed [`Limits::space_percent`] of it, all runs are
//!    folded into one.
//! 3. Reads: when there are more than [`Limits::run_count`] runs, the newest ones are folded into
//!    one: at least two, and further ones as long as they are not much larger than what they are
//!    folded with.
//! 4. Level 0, when it is full. Should level 1 be taken, because a fold is still going on below
//!    it, level 0 is merged with it.
//!
//! Files that a fold would only copy, since they share no keys with the others, are moved instead:
//! rows that come in key order are never rewritten. Folds are long; level 0 is let through while
//! they go on ([`super::picker::pick_urgent`]).

use std::sync::Arc;

use super::Reason;
use super::picker::{BOTTOM, Choice, Limits, Picker};
use crate::lsm::sstable::FileMeta;
use crate::lsm::version::{LEVEL_COUNT, Shape};

/// How large the next run may be to be folded with those above it, in hundredths of their bytes.
/// 150: runs of about one size, such as result from level 0, go together.
const SIZE_PERCENT_MAX: u64 = 150;

/// The level above all runs; level 1 when that is taken.
pub(super) fn free_level(shape: &Shape) -> usize {
    shape.first_level().map_or(BOTTOM, |first| first.saturating_sub(1).max(1))
}

/// Bytes of runs that are to be folded.
pub(super) fn excess(shape: &Shape, limits: &Limits) -> u64 {
    let runs = runs(shape);
    let folded = if is_spacious(shape, limits, &runs) {
        &runs
    } else {
        newest(shape, limits, &runs).unwrap_or_default()
    };
    folded.iter().map(|&run| shape.level_len(run)).sum()
}

fn runs(shape: &Shape) -> Vec<usize> {
    (1..LEVEL_COUNT).filter(|&level| !shape.levels[level].is_empty()).collect()
}

pub(super) fn pick(picker: &Picker<'_>) -> Option<Choice> {
    let runs = runs(picker.shape);
    let level0 = || if picker.is_level0_full() { picker.level0(Reason::Level0) } else { None };
    settle(picker, &runs)
        .or_else(level0)
        .or_else(|| bound_space(picker, &runs))
        .or_else(|| bound_runs(picker, &runs))
}

/// The deepest run with a gap below it, to the end of the gap.
fn settle(picker: &Picker<'_>, runs: &[usize]) -> Option<Choice> {
    let mut next = LEVEL_COUNT;
    for &run in runs.iter().rev() {
        let files: Vec<_> = picker.shape.levels[run].iter().map(|file| (run, file)).collect();
        if run + 1 < next && files.iter().all(|(_, file)| picker.is_free(file)) {
            return picker.moved(&files, next - 1, Reason::Runs);
        }
        next = run;
    }
    None
}

fn bound_space(picker: &Picker<'_>, runs: &[usize]) -> Option<Choice> {
    is_spacious(picker.shape, picker.limits, runs).then(|| fold(picker, runs, Reason::Space))?
}

/// Whether the newer runs hold too much beside the last one.
fn is_spacious(shape: &Shape, limits: &Limits, runs: &[usize]) -> bool {
    let Some((last, above)) = runs.split_last() else { return false };
    let len: u64 = above.iter().map(|&run| shape.level_len(run)).sum();
    len > shape.level_len(*last).saturating_mul(limits.space_percent) / 100
}

fn bound_runs(picker: &Picker<'_>, runs: &[usize]) -> Option<Choice> {
    fold(picker, newest(picker.shape, picker.limits, runs)?, Reason::Runs)
}

/// The newest runs, as many as are to be folded because there are too many.
fn newest<'r>(shape: &Shape, limits: &Limits, runs: &'r [usize]) -> Option<&'r [usize]> {
    if runs.len() <= limits.run_count {
        return None;
    }
    let mut len = 0;
    let mut count = 0;
    for &run in runs {
        let next = shape.level_len(run);
        if count >= 2 && next > len * SIZE_PERCENT_MAX / 100 {
            break;
        }
        (len, count) = (len + next, count + 1);
    }
    runs.get(..count)
}

/// Neighbouring runs into one, at the level of the last of them: first what can be moved there,
/// then the rest.
fn fold(picker: &Picker<'_>, runs: &[usize], reason: Reason) -> Option<Choice> {
    let (last, above) = runs.split_last()?;
    let files = || above.iter().flat_map(|&run| level(picker, run));
    let alone: Vec<_> = files()
        .filter(|(_, file)| !picker.is_touched(file))
        .filter(|(run, file)| is_alone(picker.shape, runs, *run, file))
        .collect();
    if !alone.is_empty() {
        return picker.moved(&alone, *last, reason);
    }
    let meets_newer = |file: &Arc<FileMeta>| {
        !is_alone(picker.shape, runs, *last, file) || picker.is_touched(file)
    };
    let met = level(picker, *last).filter(|(_, file)| meets_newer(file));
    picker.merge(files().chain(met).collect(), *last, reason)
}

fn level<'a>(
    picker: &Picker<'a>,
    level: usize,
) -> impl Iterator<Item = (usize, &'a Arc<FileMeta>)> {
    picker.shape.levels[level].iter().map(move |file| (level, file))
}

/// Whether a file of one run shares no keys with the others.
fn is_alone(shape: &Shape, runs: &[usize], run: usize, file: &FileMeta) -> bool {
    let properties = &file.properties;
    let mut others = runs
        .iter()
        .filter(|&&other| other != run)
        .flat_map(|&other| shape.overlapping(other, &properties.smallest, &properties.largest));
    others.next().is_none()
}
