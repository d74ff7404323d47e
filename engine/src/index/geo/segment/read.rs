//! Reading a segment in place. Each chunk's checksum is verified when it is first touched.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use super::layout::{
    BOX_LEN, CHECKSUMS_CRC_AT, CHUNK_LEN, ENTRY_COUNT_AT, ENTRY_LEN, FORMAT_VERSION, HEADER_CRC_AT,
    INNER_CAPACITY, KEYS_LEN_AT, LEAF_CAPACITY, MAGIC, NUMBER_LEN, level_counts,
};
use super::{Version, build};
use crate::encoding::checksum::checksum;
use crate::encoding::{Decoder, VARINT_LEN_MAX};
use crate::env::Vfs;
use crate::error::{Error, Result};
use crate::index::geo::Aabb;
use crate::index::segmented::{self, Built, Kind, Part};
use crate::timestamp::Timestamp;

/// An open segment.
pub(in crate::index::geo) struct Segment {
    path: PathBuf,
    bytes: Bytes,
    /// One bit per chunk.
    verified: Vec<AtomicU64>,
    /// The first chunk and the number of nodes of each level, leaves first.
    levels: Vec<(usize, usize)>,
    entry_count: u32,
    order_at: usize,
    keys_at: usize,
    keys_len: usize,
    checksums_at: usize,
}

/// One entry of a leaf.
#[derive(Clone, Copy, Debug)]
pub(in crate::index::geo) struct Entry {
    /// Its number.
    pub item: u32,
    pub bounds: Aabb,
    pub begin: Timestamp,
    /// For [`Segment::key`].
    pub key_place: u64,
}

fn number(bytes: &[u8], at: usize) -> Option<u64> {
    Decoder::at(bytes, at).u64()
}

impl segmented::Segment for Segment {
    const KIND: Kind =
        Kind { name: "geo", magic: b"CAIRNGEM", format_version: FORMAT_VERSION, extension: "geo" };

    /// Its header and its table of checksums are verified, the rest later.
    fn open(vfs: &dyn Vfs, path: &Path) -> Result<Self> {
        let bytes = vfs.map(path).map_err(|error| Error::unreadable(path, error))?;
        let corrupt = |offset: usize, what: &str| {
            Error::corruption(path, offset as u64, what, "something else")
        };
        let header = bytes.get(..CHUNK_LEN).ok_or_else(|| corrupt(0, "a header"))?;
        let stored = Decoder::at(header, HEADER_CRC_AT).u32();
        let body = header.get(..HEADER_CRC_AT).unwrap_or_default();
        if !header.starts_with(MAGIC) || stored != Some(checksum(&[body])) {
            return Err(corrupt(0, "a geo segment's header"));
        }
        if Decoder::at(header, 8).u32() != Some(FORMAT_VERSION) {
            let name = path.display();
            return Err(Error::unusable(format!("geo segment of a newer format file={name}")));
        }
        let count = |at: usize| -> Result<usize> {
            let count = number(header, at).and_then(|count| usize::try_from(count).ok());
            // Nothing is more numerous than the bytes of the file.
            count.filter(|count| *count <= bytes.len()).ok_or_else(|| corrupt(at, "a count"))
        };
        let (entry_count, keys_len) = (count(ENTRY_COUNT_AT)?, count(KEYS_LEN_AT)?);
        let mut first_chunk = 1;
        let mut levels = Vec::new();
        for nodes in level_counts(entry_count) {
            levels.push((first_chunk, nodes));
            first_chunk += nodes;
        }
        let order_at = first_chunk * CHUNK_LEN;
        let keys_at = order_at + entry_count * NUMBER_LEN;
        let checksums_at = (keys_at + keys_len).next_multiple_of(CHUNK_LEN);
        let chunk_count = checksums_at / CHUNK_LEN;
        if bytes.len() != checksums_at + 4 * (chunk_count - 1) {
            return Err(corrupt(bytes.len(), "the end of the file"));
        }
        let table = bytes.get(checksums_at..).unwrap_or_default();
        if Decoder::at(header, CHECKSUMS_CRC_AT).u32() != Some(checksum(&[table])) {
            return Err(corrupt(checksums_at, "a table of checksums"));
        }
        let verified = (0..chunk_count.div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        let path = path.to_owned();
        let entry_count =
            u32::try_from(entry_count).map_err(|_| corrupt(ENTRY_COUNT_AT, "a count"))?;
        Ok(Self {
            path,
            bytes,
            verified,
            levels,
            entry_count,
            order_at,
            keys_at,
            keys_len,
            checksums_at,
        })
    }

    fn len(&self) -> usize {
        self.bytes.len()
    }

    fn item_count(&self) -> u32 {
        self.entry_count
    }

    /// The header's checksum: the header has that of all others.
    fn fingerprint(&self) -> u32 {
        Decoder::at(&self.bytes, HEADER_CRC_AT).u32().unwrap_or_default()
    }

    fn ordered(&self, index: u32) -> Result<(u32, &[u8])> {
        let at = self.order_at + index as usize * NUMBER_LEN;
        let item = Decoder::new(self.slice(at, NUMBER_LEN)?).u32();
        let item = item.filter(|item| *item < self.entry_count);
        let item = item.ok_or_else(|| self.corrupt(at, "a number of an entry"))?;
        Ok((item, self.key(self.entry(item)?.key_place)?))
    }

    fn check(&self) -> Result<()> {
        (1..self.checksums_at / CHUNK_LEN).try_for_each(|chunk| self.check_chunk(chunk))
    }

    fn merge(parts: &[Part<Self>], oldest: Timestamp) -> Result<Option<Built>> {
        let mut versions = Vec::new();
        for part in parts {
            for leaf in 0..part.segment.node_count(0) {
                for entry in part.segment.entries(leaf)? {
                    let Entry { item, bounds, begin, key_place } = entry;
                    let end = part.end(item);
                    if end > oldest {
                        let key = part.segment.shared_key(key_place)?;
                        versions.push(Version { key, bounds, begin, end });
                    }
                }
            }
        }
        Ok(build(versions))
    }
}

impl Segment {
    /// The level of the root; none without entries.
    pub fn root_level(&self) -> Option<usize> {
        self.levels.len().checked_sub(1)
    }

    fn corrupt(&self, offset: usize, expected: &str) -> Error {
        Error::corruption(&self.path, offset as u64, expected, "something else")
    }

    /// Bytes of the file, verified.
    #[inline]
    fn slice(&self, at: usize, len: usize) -> Result<&[u8]> {
        let end = at.checked_add(len).filter(|end| *end <= self.checksums_at);
        let end = end.ok_or_else(|| self.corrupt(at, "a place inside the file"))?;
        for chunk in at / CHUNK_LEN..end.div_ceil(CHUNK_LEN) {
            self.verify_chunk(chunk)?;
        }
        self.bytes.get(at..end).ok_or_else(|| self.corrupt(at, "a place inside the file"))
    }

    #[inline]
    fn verify_chunk(&self, chunk: usize) -> Result<()> {
        let bit = 1 << (chunk % 64);
        let word = self.verified.get(chunk / 64);
        // A lost race verifies twice; nothing else depends on the order.
        if word.is_some_and(|word| word.load(Ordering::Relaxed) & bit != 0) {
            return Ok(());
        }
        self.check_chunk(chunk)?;
        if let Some(word) = word {
            word.fetch_or(bit, Ordering::Relaxed);
        }
        Ok(())
    }

    #[cold]
    fn check_chunk(&self, chunk: usize) -> Result<()> {
        let at = chunk * CHUNK_LEN;
        if chunk == 0 {
            // The header has a checksum of its own.
            return Ok(());
        }
        let bytes = self.bytes.get(at..at + CHUNK_LEN).unwrap_or_default();
        let stored = Decoder::at(&self.bytes, self.checksums_at + 4 * (chunk - 1)).u32();
        let found = checksum(&[bytes]);
        if stored != Some(found) {
            let expected = format!("checksum {:08x}", stored.unwrap_or_default());
            let found = format!("{found:08x}");
            return Err(Error::corruption(&self.path, at as u64, expected, found));
        }
        Ok(())
    }

    /// The items of a node, `width` bytes each, of which the level below has `below`.
    fn node(&self, level: usize, node: usize, below: usize, width: usize) -> Result<&[u8]> {
        let Some((first, _)) = self.levels.get(level).filter(|(_, count)| node < *count) else {
            return Err(self.corrupt(0, "a node of the tree"));
        };
        let capacity = CHUNK_LEN / width;
        let items = below.saturating_sub(node * capacity).min(capacity);
        self.slice((first + node) * CHUNK_LEN, items * width)
    }

    /// The children of an inner node and their boxes. Requires: `level` > 0.
    ///
    /// # Errors
    /// `Corruption`.
    pub fn children(
        &self,
        level: usize,
        node: usize,
    ) -> Result<impl Iterator<Item = (usize, Aabb)> + '_> {
        let below = level.checked_sub(1).and_then(|level| self.levels.get(level));
        let below = below.map_or(0, |(_, count)| *count);
        let bytes = self.node(level, node, below, BOX_LEN)?;
        let first = node * INNER_CAPACITY;
        Ok(bytes.chunks_exact(BOX_LEN).enumerate().map(move |(index, bytes)| {
            let (values, _) = bytes.as_chunks::<4>();
            let value = |at: usize| {
                f64::from(f32::from_le_bytes(values.get(at).copied().unwrap_or_default()))
            };
            let min = [value(0), value(1), value(2)];
            (first + index, Aabb { min, max: [value(3), value(4), value(5)] })
        }))
    }

    /// The entries of a leaf.
    ///
    /// # Errors
    /// `Corruption`.
    pub fn entries(&self, leaf: usize) -> Result<impl Iterator<Item = Entry> + '_> {
        let bytes = self.node(0, leaf, self.entry_count as usize, ENTRY_LEN)?;
        let first = (leaf * LEAF_CAPACITY) as u32;
        Ok((first..).zip(bytes.chunks_exact(ENTRY_LEN)).map(|(item, bytes)| entry(item, bytes)))
    }

    /// One entry.
    ///
    /// # Errors
    /// `Corruption`.
    pub fn entry(&self, item: u32) -> Result<Entry> {
        let (leaf, index) = (item as usize / LEAF_CAPACITY, item as usize % LEAF_CAPACITY);
        let entry = self.entries(leaf)?.nth(index);
        entry.ok_or_else(|| self.corrupt(self.order_at, "a number of an entry"))
    }

    /// The number of nodes of a level.
    pub fn node_count(&self, level: usize) -> usize {
        self.levels.get(level).map_or(0, |(_, count)| *count)
    }

    /// Where a key is, by its place among the keys.
    fn key_range(&self, place: u64) -> Result<Range<usize>> {
        let wrong = || self.corrupt(self.keys_at, "a key");
        let place = usize::try_from(place).ok().filter(|place| *place < self.keys_len);
        let at = self.keys_at + place.ok_or_else(wrong)?;
        let end = self.keys_at + self.keys_len;
        let head = self.slice(at, (end - at).min(VARINT_LEN_MAX))?;
        let mut decoder = Decoder::new(head);
        let len = decoder.length().ok_or_else(wrong)?;
        let at = at + decoder.offset();
        if len > end - at {
            return Err(wrong());
        }
        Ok(at..at + len)
    }

    /// A key by its place, to look at.
    ///
    /// # Errors
    /// `Corruption`.
    pub fn key(&self, place: u64) -> Result<&[u8]> {
        let range = self.key_range(place)?;
        self.slice(range.start, range.len())
    }

    /// As [`Segment::key`], to keep, without a copy.
    ///
    /// # Errors
    /// `Corruption`.
    pub fn shared_key(&self, place: u64) -> Result<Bytes> {
        Ok(self.bytes.slice_ref(self.key(place)?))
    }
}

fn entry(item: u32, bytes: &[u8]) -> Entry {
    let (words, _) = bytes.as_chunks::<8>();
    let word = |at: usize| words.get(at).copied().unwrap_or_default();
    let value = |at: usize| f64::from_le_bytes(word(at));
    let min = [value(0), value(1), value(2)];
    Entry {
        item,
        bounds: Aabb { min, max: [value(3), value(4), value(5)] },
        begin: Timestamp(u64::from_le_bytes(word(6))),
        key_place: u64::from_le_bytes(word(7)),
    }
}

/// Checks the decoder on any bytes, as they are and with right checksums; see [`crate::fuzzing`].
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    let env = crate::env::Env::memory();
    let path = Path::new("/index/1.geo");
    env.vfs.create_dir_all(Path::new("/index")).expect("in memory");
    for bytes in [data.to_vec(), super::layout::framed(data)] {
        let file = env.vfs.create(path).expect("in memory");
        file.write_at(0, &bytes).expect("in memory");
        let Ok(segment) = <Segment as segmented::Segment>::open(&*env.vfs, path) else { continue };
        segmented::Segment::check(&segment).expect("the checksums are right");
        for level in 1..segment.levels.len() {
            for node in 0..segment.node_count(level) {
                let children = segment.children(level, node).expect("the tree is complete");
                assert!(children.count() > 0);
            }
        }
        let count = segment.entry_count;
        let leaves = (0..segment.node_count(0)).map(|leaf| segment.entries(leaf));
        let entries = leaves.map(|leaf| leaf.expect("the tree is complete").count()).sum::<usize>();
        assert_eq!(entries, count as usize);
        for index in 0..count {
            let _ = segmented::Segment::ordered(&segment, index);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::segmented::{Ended, Segment as _};
    use super::*;
    use crate::env::Env;

    fn sample(count: u32) -> Vec<Version> {
        let version = |index: u32| Version {
            key: Bytes::from(format!("key {index:04}")),
            bounds: Aabb::point([f64::from(index % 7), f64::from(index / 7), 0.1]),
            begin: Timestamp(u64::from(index)),
            end: if index % 3 == 1 { Timestamp(9000) } else { Timestamp::MAX },
        };
        (0..count).map(version).collect()
    }

    fn write(env: &Env, bytes: &[u8]) -> PathBuf {
        let dir = Path::new("/segment");
        env.vfs.create_dir_all(dir).unwrap();
        let path = dir.join("1.geo");
        env.vfs.create(&path).unwrap().write_at(0, bytes).unwrap();
        path
    }

    fn part(count: u32) -> Part<Segment> {
        let env = Env::memory();
        let built = build(sample(count)).unwrap();
        let segment = Segment::open(&*env.vfs, &write(&env, &built.bytes)).unwrap();
        Part { id: 1, segment: Arc::new(segment), ended: Arc::new(built.ended) }
    }

    #[test]
    fn rows_are_found_in_order() {
        assert!(build(Vec::new()).is_none());
        for count in [1, 32, 33, 3000] {
            let part = part(count);
            assert_eq!(part.segment.item_count(), count);
            for (index, version) in (0..).zip(sample(count)) {
                let (item, key) = part.segment.ordered(index).unwrap();
                let entry = part.segment.entry(item).unwrap();
                assert_eq!((key, entry.bounds), (&*version.key, version.bounds));
                assert_eq!((entry.begin, part.end(item)), (version.begin, version.end));
            }
        }
    }

    #[test]
    fn changes_end_what_they_change() {
        let mut part = part(300);
        let before = part.ended.len();
        part = part.ended_by(&[(Bytes::from_static(b"kez"), Timestamp(9))]).unwrap();
        assert_eq!(part.ended.len(), before);
        let rows = ["a", "key 0000", "key 0002", "key 0002 b", "key 0004", "key 0299", "z"];
        let changes = rows.map(|row| (Bytes::from(row), Timestamp(9001)));
        part = part.ended_by(&changes).unwrap();
        let is_ours = |(_, end): &(&u32, &Timestamp)| **end == Timestamp(9001);
        let ended: Ended = part.ended.iter().filter(is_ours).map(|(i, end)| (*i, *end)).collect();
        let mut keys: Vec<_> = (0..300)
            .map(|index| part.segment.ordered(index).unwrap())
            .filter(|(item, _)| ended.contains_key(item))
            .map(|(_, key)| key)
            .collect();
        keys.sort_unstable();
        assert_eq!(keys, [b"key 0000", b"key 0002", b"key 0299"], "the fourth had ended before");
    }

    #[test]
    fn a_merge_drops_what_nobody_sees() {
        let merged = Segment::merge(&[part(300)], Timestamp(9000)).unwrap().unwrap();
        assert!(merged.ended.is_empty());
        let env = Env::memory();
        let segment = Segment::open(&*env.vfs, &write(&env, &merged.bytes)).unwrap();
        assert_eq!(segment.item_count(), 200);
    }

    #[test]
    fn every_damaged_byte_is_found() {
        let good = build(sample(40)).unwrap().bytes;
        for at in 0..good.len() {
            let env = Env::memory();
            let mut bytes = good.clone();
            bytes[at] ^= 0x10;
            let path = write(&env, &bytes);
            let found = Segment::open(&*env.vfs, &path).and_then(|segment| segment.check());
            assert!(found.is_err(), "byte {at}");
        }
        for end in (0..good.len()).step_by(97) {
            let env = Env::memory();
            let path = write(&env, &good[..end]);
            assert!(Segment::open(&*env.vfs, &path).is_err());
        }
    }
}
