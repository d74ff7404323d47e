//! Which segments to merge: a pure decision.

use std::ops::Range;

/// How many segments of like size are let gather before they are merged, while rows change.
const RUN_LEN_MIN: usize = 4;
/// The same while nothing changes: each segment costs every search.
const QUIET_RUN_LEN_MIN: usize = 2;
/// How many segments there may be at all before even unlike ones are merged.
const SEGMENTS_MAX: usize = 10;
/// A merged segment is built in memory: larger ones are left alone. 256 MiB.
const MERGED_LEN_MAX: usize = 256 << 20;
/// A segment is rewritten when one in this many of its items may be dropped.
const DROPPED_SHARE: u32 = 4;

/// What the decision depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    /// Bytes of the file.
    pub len: usize,
    /// Items.
    pub items: u32,
    /// Items that no snapshot sees.
    pub droppable: u32,
}

/// The run of segments to merge into one, given all of them from oldest to newest, and whether
/// nobody changes rows now.
///
/// A segment joins the run of those newer than it unless it is more than twice as large as all of
/// them together, so a byte is rewritten a logarithmic number of times.
pub(super) fn choose(sizes: &[Size], is_quiet: bool) -> Option<Range<usize>> {
    let run_len_min = if is_quiet { QUIET_RUN_LEN_MIN } else { RUN_LEN_MIN };
    for end in (1..=sizes.len()).rev() {
        if let Some(run) = choose_ending_at(sizes, end, run_len_min) {
            return Some(run);
        }
    }
    let is_due = |size: &Size| {
        size.droppable > 0 && size.droppable >= size.items / DROPPED_SHARE && is_small(size.len)
    };
    sizes.iter().position(is_due).map(|index| index..index + 1)
}

fn is_small(len: usize) -> bool {
    len <= MERGED_LEN_MAX
}

fn choose_ending_at(sizes: &[Size], end: usize, run_len_min: usize) -> Option<Range<usize>> {
    let mut start = end - 1;
    let mut total = sizes[start].len;
    while start > 0 {
        let older = sizes[start - 1].len;
        if older > total.saturating_mul(2) || !is_small(total.saturating_add(older)) {
            break;
        }
        total += older;
        start -= 1;
    }
    if end - start >= run_len_min {
        return Some(start..end);
    }
    let is_crowded = sizes.len() > SEGMENTS_MAX && end > 1;
    let is_mergeable = is_crowded && is_small(sizes[end - 1].len + sizes[end - 2].len);
    is_mergeable.then(|| start.min(end - 2)..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(lens: &[usize]) -> Vec<Size> {
        lens.iter().map(|len| Size { len: *len, items: 8, droppable: 0 }).collect()
    }

    #[test]
    fn like_sizes_are_merged() {
        assert_eq!(choose(&[], false), None);
        assert_eq!(choose(&sizes(&[10, 10, 10]), false), None);
        assert_eq!(choose(&sizes(&[10, 10, 10, 10]), false), Some(0..4));
        assert_eq!(choose(&sizes(&[10, 10]), true), Some(0..2));
        assert_eq!(choose(&sizes(&[30, 10]), true), None);
        assert_eq!(choose(&sizes(&[1000, 10, 10, 10, 10]), false), Some(1..5));
        assert_eq!(choose(&sizes(&[1 << 28, 1 << 20, 1 << 10, 1]), false), None);
        let many: Vec<usize> = (0..11).rev().map(|power| 4 << (2 * power)).collect();
        assert_eq!(choose(&sizes(&many), false), Some(9..11));
    }

    #[test]
    fn large_segments_are_left_alone() {
        assert_eq!(choose(&sizes(&[200 << 20; 5]), false), None);
        assert_eq!(choose(&sizes(&[200 << 20; 30]), false), None);
    }

    #[test]
    fn segments_full_of_dropped_items_are_rewritten() {
        let mut sizes = sizes(&[1000, 10]);
        sizes[0].droppable = 1;
        assert_eq!(choose(&sizes, false), None);
        sizes[0].droppable = 2;
        assert_eq!(choose(&sizes, false), Some(0..1));
    }
}
