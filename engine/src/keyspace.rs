//! Every logical key that the database stores, with its prefix.
//!
//! One ordered keyspace holds everything. The first byte names the kind of entry, the next four
//! (big-endian, so that byte order is numeric order) the object, the rest belongs to the owner.
//!
//! ```text
//! 0x01 'meta'                  anything: catalog rows, sequences      owner: the layer above
//! 0x02 table  u32  row key     one row                                owner: the layer above
//! 0x03 index  u32  entry       one ordered index entry                owner: the layer above
//! 0x04 index  u32  row key     one full-text document                 crate::index::fulltext
//! 0x05 index  u32  row key     one bounding box                       crate::index::geo
//! 0x06 name                    one named snapshot                     crate::snapshots
//! 0x07                         when commits were made                 crate::history
//! 0x08                         which range was dropped last           crate::history
//! 0x10 anything                keys of the embedded key-value API
//! ```
//!
//! A full-text or geo index is *derived*: entries 0x04 and 0x05 are its truth, versioned and
//! logged like every other key; its delta and segments only make them quick to search.

use crate::encoding::{Decoder, put_bytes};

/// Identifies a table or an index. Unique in the whole data directory, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(pub u32);

/// The kind of an entry: its first byte. Stored; never renumber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Space {
    /// Catalog rows and sequences.
    Meta = 0x01,
    /// Table rows.
    Row = 0x02,
    /// Ordered index entries.
    Ordered = 0x03,
    /// Full-text documents.
    Text = 0x04,
    /// Bounding boxes.
    Geo = 0x05,
    /// Named snapshots.
    Snapshot = 0x06,
    /// The time of commits.
    Time = 0x07,
    /// The range that was dropped last.
    Dropped = 0x08,
    /// Keys of the embedded key-value API.
    User = 0x10,
}

/// Bytes before the owner's part of a key in [`Space::Row`], `Ordered`, `Text` and `Geo`.
pub const PREFIX_LEN: usize = 5;

/// The prefix that all entries of one object share.
pub fn prefix(space: Space, object: ObjectId) -> [u8; PREFIX_LEN] {
    let [a, b, c, d] = object.0.to_be_bytes();
    [space as u8, a, b, c, d]
}

/// A whole key: prefix, then the owner's part.
pub fn key(space: Space, object: ObjectId, rest: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(PREFIX_LEN + rest.len());
    key.extend_from_slice(&prefix(space, object));
    key.extend_from_slice(rest);
    key
}

/// Splits a key of a derived index into its index and row key; `None` for every other key.
pub fn split_derived(key: &[u8]) -> Option<(Space, ObjectId, &[u8])> {
    let (&[kind, a, b, c, d], rest) = key.split_first_chunk::<PREFIX_LEN>()?;
    let space = match kind {
        kind if kind == Space::Text as u8 => Space::Text,
        kind if kind == Space::Geo as u8 => Space::Geo,
        _ => return None,
    };
    Some((space, ObjectId(u32::from_be_bytes([a, b, c, d])), rest))
}

/// A half-open range of keys; `None` as an end means "to the last key".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// The first key inside.
    pub start: Vec<u8>,
    /// The first key after the range.
    pub end: Option<Vec<u8>>,
}

impl KeyRange {
    /// All keys.
    pub fn all() -> Self {
        Self { start: Vec::new(), end: None }
    }

    /// All keys that begin with `prefix`.
    pub fn prefix(prefix: &[u8]) -> Self {
        Self { start: prefix.to_vec(), end: successor(prefix) }
    }

    /// Appends its stored form: start length-prefixed, has end u8, end length-prefixed.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, &self.start);
        out.push(u8::from(self.end.is_some()));
        put_bytes(out, self.end.as_deref().unwrap_or_default());
    }

    /// Reads the stored form; `None` when it is malformed.
    pub(crate) fn decode(decoder: &mut Decoder<'_>) -> Option<Self> {
        let start = decoder.length_prefixed()?.to_vec();
        let has_end = decoder.u8()? != 0;
        let end = decoder.length_prefixed()?.to_vec();
        Some(Self { start, end: has_end.then_some(end) })
    }

    /// Whether `key` lies inside.
    pub fn contains(&self, key: &[u8]) -> bool {
        key >= self.start.as_slice() && self.end.as_deref().is_none_or(|end| key < end)
    }

    /// Whether a key can lie in both.
    pub fn overlaps(&self, other: &Self) -> bool {
        let begins_before =
            |one: &Self, end: &Option<Vec<u8>>| end.as_ref().is_none_or(|end| one.start < *end);
        begins_before(self, &other.end) && begins_before(other, &self.end)
    }

    /// What a scan that has come to `key` still has before it.
    pub fn after(&self, key: &[u8], direction: Direction) -> Self {
        match direction {
            Direction::Forward => Self { start: next_key(key), end: self.end.clone() },
            Direction::Reverse => Self { start: self.start.clone(), end: Some(key.to_vec()) },
        }
    }

    /// What a scan that has come to `key` has behind it, `key` included.
    pub fn up_to(&self, key: &[u8], direction: Direction) -> Self {
        match direction {
            Direction::Forward => Self { start: self.start.clone(), end: Some(next_key(key)) },
            Direction::Reverse => Self { start: key.to_vec(), end: self.end.clone() },
        }
    }
}

/// The order of a scan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Smallest key first.
    #[default]
    Forward,
    /// Largest key first.
    Reverse,
}

/// The smallest key that is larger than `key`.
pub(crate) fn next_key(key: &[u8]) -> Vec<u8> {
    let mut next = Vec::with_capacity(key.len() + 1);
    next.extend_from_slice(key);
    next.push(0);
    next
}

/// The first key after every key that begins with `prefix`; `None` when there is no such key.
pub fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&byte| byte != u8::MAX)?;
    let mut end = prefix.get(..=last)?.to_vec();
    *end.last_mut()? += 1;
    Some(end)
}

/// Checks keys and ranges made of any bytes; see [`crate::fuzzing`].
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    if let Some((space, id, rest)) = split_derived(data) {
        assert_eq!(key(space, id, rest), data);
    }
    let (front, back) = data.split_at(data.len() / 2);
    let inside = KeyRange::prefix(front);
    assert!(inside.contains(data) && inside.contains(front));
    assert_eq!(inside.contains(back), back.starts_with(front));
    for direction in [Direction::Forward, Direction::Reverse] {
        let (behind, ahead) = (inside.up_to(data, direction), inside.after(data, direction));
        assert!(behind.contains(data) && !ahead.contains(data));
        for probe in [front, back, data] {
            let parts = usize::from(behind.contains(probe)) + usize::from(ahead.contains(probe));
            assert_eq!(parts, usize::from(inside.contains(probe)));
        }
    }
    let mut decoder = crate::encoding::Decoder::new(data);
    while let Some(number) = decoder.varint() {
        let mut again = Vec::new();
        crate::encoding::put_varint(&mut again, number);
        assert_eq!(crate::encoding::Decoder::new(&again).varint(), Some(number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn successor_carries() {
        assert_eq!(successor(&[1, 2]), Some(vec![1, 3]));
        assert_eq!(successor(&[1, 0xff]), Some(vec![2]));
        assert_eq!(successor(&[0xff, 0xff]), None);
        assert_eq!(successor(&[]), None);
    }

    #[test]
    fn ranges_overlap() {
        let range = |start: &str, end: Option<&str>| KeyRange {
            start: start.into(),
            end: end.map(Into::into),
        };
        assert!(range("a", Some("c")).overlaps(&range("b", None)));
        assert!(KeyRange::all().overlaps(&range("x", Some("y"))));
        assert!(!range("a", Some("b")).overlaps(&range("b", None)));
        assert!(!range("b", None).overlaps(&range("a", Some("b"))));
    }

    #[test]
    fn derived_keys_split() {
        let whole = key(Space::Geo, ObjectId(7), b"row");
        assert_eq!(split_derived(&whole), Some((Space::Geo, ObjectId(7), &b"row"[..])));
        assert_eq!(split_derived(&key(Space::Row, ObjectId(7), b"row")), None);
        assert_eq!(split_derived(b"\x04"), None);
    }
}
