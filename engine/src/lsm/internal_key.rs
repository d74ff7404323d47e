//! The order of row versions: user key ascending, then timestamp descending.
//!
//! So the newest version of a key comes first, and the newest version that a snapshot sees is the
//! first one at or after `(key, snapshot)`. Keys and timestamps are kept apart rather than joined
//! into one byte string, because the joined string of a key and of its prefix would compare
//! timestamp bytes with key bytes.

use std::cmp::Ordering;

use crate::timestamp::Timestamp;

/// Compares two row versions.
#[inline]
pub(crate) fn compare(a: (&[u8], Timestamp), b: (&[u8], Timestamp)) -> Ordering {
    a.0.cmp(b.0).then_with(|| b.1.cmp(&a.1))
}

/// Bytes of a key in its head.
const HEAD_LEN: usize = 16;

/// The first bytes of a key as a number that compares as they do; a shorter key may equal a longer
/// one.
#[inline]
pub(crate) fn key_head(key: &[u8]) -> u128 {
    let mut bytes = [0; HEAD_LEN];
    let len = key.len().min(HEAD_LEN);
    bytes[..len].copy_from_slice(&key[..len]);
    u128::from_be_bytes(bytes)
}

/// A short key that is at or after `last` and before `next`, to stand in a block index.
///
/// Requires: `last < next`.
pub(crate) fn separator(last: &[u8], next: &[u8]) -> Vec<u8> {
    debug_assert!(last < next);
    let common = last.iter().zip(next).take_while(|(a, b)| a == b).count();
    if let (Some(&a), Some(&b)) = (last.get(common), next.get(common))
        && a + 1 < b
    {
        let mut short = last[..common].to_vec();
        short.push(a + 1);
        return short;
    }
    last.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_comes_first() {
        let mut versions = [
            (&b"b"[..], Timestamp(1)),
            (b"a", Timestamp(1)),
            (b"a", Timestamp(9)),
            (b"", Timestamp(5)),
        ];
        versions.sort_by(|a, b| compare(*a, *b));
        let order: Vec<_> = versions.iter().map(|(key, ts)| (key.to_vec(), ts.0)).collect();
        assert_eq!(
            order,
            [(vec![], 5), (b"a".to_vec(), 9), (b"a".to_vec(), 1), (b"b".to_vec(), 1)]
        );
    }

    #[test]
    fn separators_separate() {
        for (last, next) in [("abc", "abe"), ("abc", "abd"), ("ab", "abc"), ("a", "c"), ("", "a")] {
            let short = separator(last.as_bytes(), next.as_bytes());
            assert!(last.as_bytes() <= &short[..] && &short[..] < next.as_bytes(), "{last} {next}");
        }
        assert_eq!(separator(b"abcdefg", b"abx"), b"abd");
    }
}
