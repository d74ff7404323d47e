//! Which segments to merge: a pure decision.

use std::ops::Range;

/// How many segments of like size are let gather before they are merged.
const RUN_LEN_MIN: usize = 4;
/// How many segments there may be at all before even unlike ones are merged.
const SEGMENTS_MAX: usize = 10;

/// The run of segments to merge, given their sizes from oldest to newest.
///
/// A segment joins the run of those newer than it unless it is more than twice as large as all of
/// them together, so a byte is rewritten a logarithmic number of times.
pub(super) fn choose(sizes: &[usize]) -> Option<Range<usize>> {
    let mut total = *sizes.last()?;
    let mut start = sizes.len() - 1;
    for (index, size) in sizes.iter().enumerate().rev().skip(1) {
        if *size > total.saturating_mul(2) {
            break;
        }
        total = total.saturating_add(*size);
        start = index;
    }
    if sizes.len() > SEGMENTS_MAX {
        start = start.min(sizes.len() - 2);
    } else if sizes.len() - start < RUN_LEN_MIN {
        return None;
    }
    Some(start..sizes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_sizes_are_merged() {
        assert_eq!(choose(&[]), None);
        assert_eq!(choose(&[10, 10, 10]), None);
        assert_eq!(choose(&[10, 10, 10, 10]), Some(0..4));
        assert_eq!(choose(&[1000, 10, 10, 10, 10]), Some(1..5));
        assert_eq!(choose(&[1 << 30, 1 << 20, 1 << 10, 1]), None);
        let many: Vec<usize> = (0..11).rev().map(|power| 4 << (3 * power)).collect();
        assert_eq!(choose(&many), Some(9..11));
    }
}
