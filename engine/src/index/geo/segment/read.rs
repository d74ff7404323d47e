//! Reading a segment in place. Each chunk's checksum is verified when it is first touched.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use super::layout::{
    BOX_LEN, CHANGE_COUNT_AT, CHANGE_LEN, CHECKSUMS_CRC_AT, CHUNK_LEN, ENTRY_COUNT_AT, ENTRY_LEN,
    FORMAT_VERSION, HEADER_CRC_AT, INNER_CAPACITY, KEYS_LEN_AT, MAGIC, hash, level_counts,
};
use super::{Change, Version};
use crate::encoding::Decoder;
use crate::encoding::checksum::checksum;
use crate::env::Vfs;
use crate::error::{Error, Result};
use crate::index::geo::Aabb;
use crate::lsm::sstable::filter::{Filter, FilterBuilder, key_hash};
use crate::timestamp::Timestamp;

/// One false hit in a hundred.
const FILTER_BITS_PER_KEY: usize = 10;

/// An open segment.
pub(in crate::index::geo) struct Segment {
    /// The number in its name.
    pub id: u64,
    path: PathBuf,
    bytes: Bytes,
    /// One bit per chunk.
    verified: Vec<AtomicU64>,
    /// The first chunk and the number of nodes of each level, leaves first.
    levels: Vec<(usize, usize)>,
    entry_count: usize,
    directory_at: usize,
    change_count: usize,
    keys_at: usize,
    keys_len: usize,
    checksums_at: usize,
    /// Which rows it may know a change of: made when it is first asked.
    changed: OnceLock<Option<Filter>>,
}

/// One entry of a leaf.
#[derive(Clone, Copy, Debug)]
pub(in crate::index::geo) struct Entry {
    pub bounds: Aabb,
    pub start: Timestamp,
    pub end: Timestamp,
    /// For [`Segment::key`].
    pub key_place: u64,
}

impl Entry {
    /// Whether a snapshot sees it, as far as its segment knows.
    pub fn is_visible(&self, snapshot: Timestamp) -> bool {
        self.start <= snapshot && snapshot < self.end || self.is_forever(snapshot)
    }

    /// `Timestamp::MAX` as a snapshot sees what has not ended.
    fn is_forever(&self, snapshot: Timestamp) -> bool {
        snapshot == Timestamp::MAX && self.end == Timestamp::MAX
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u64> {
    Decoder::at(bytes, at).u64()
}

impl Segment {
    /// Opens a segment: its header and its table of checksums are verified, the rest later.
    ///
    /// # Errors
    /// `Io`, `Corruption`, `Unusable` when it is from a newer format.
    pub fn open(vfs: &dyn Vfs, path: &Path, id: u64) -> Result<Self> {
        let bytes = vfs.map(path).map_err(|error| Error::io("map", path, error))?;
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
        let (entry_count, change_count) = (count(ENTRY_COUNT_AT)?, count(CHANGE_COUNT_AT)?);
        let keys_len = count(KEYS_LEN_AT)?;
        let mut first_chunk = 1;
        let mut levels = Vec::new();
        for nodes in level_counts(entry_count) {
            levels.push((first_chunk, nodes));
            first_chunk += nodes;
        }
        let directory_at = first_chunk * CHUNK_LEN;
        let keys_at = directory_at + change_count * CHANGE_LEN;
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
        Ok(Self {
            id,
            path,
            bytes,
            verified,
            levels,
            entry_count,
            directory_at,
            change_count,
            keys_at,
            keys_len,
            checksums_at,
            changed: OnceLock::new(),
        })
    }

    /// How many versions it holds.
    pub fn entry_count(&self) -> usize {
        self.entry_count
    }

    /// Its size, for merging: everything that it must be read for.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

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

    /// Verifies every chunk, whether it was verified before or not.
    ///
    /// # Errors
    /// `Corruption`.
    pub fn check(&self) -> Result<()> {
        (1..self.checksums_at / CHUNK_LEN).try_for_each(|chunk| self.check_chunk(chunk))
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
        let bytes = self.node(0, leaf, self.entry_count, ENTRY_LEN)?;
        Ok(bytes.chunks_exact(ENTRY_LEN).map(|bytes| {
            let (words, _) = bytes.as_chunks::<8>();
            let word = |at: usize| words.get(at).copied().unwrap_or_default();
            let value = |at: usize| f64::from_le_bytes(word(at));
            Entry {
                bounds: Aabb {
                    min: [value(0), value(1), value(2)],
                    max: [value(3), value(4), value(5)],
                },
                start: Timestamp(u64::from_le_bytes(word(6))),
                end: Timestamp(u64::from_le_bytes(word(7))),
                key_place: u64::from_le_bytes(word(8)),
            }
        }))
    }

    /// The number of nodes of a level.
    pub fn node_count(&self, level: usize) -> usize {
        self.levels.get(level).map_or(0, |(_, count)| *count)
    }

    /// A key by its place, without copying it.
    ///
    /// # Errors
    /// `Corruption`.
    pub fn key(&self, place: u64) -> Result<Bytes> {
        let wrong = || self.corrupt(self.keys_at, "a key");
        let place = usize::try_from(place).ok().filter(|place| *place < self.keys_len);
        let at = self.keys_at + place.ok_or_else(wrong)?;
        let end = self.keys_at + self.keys_len;
        let head = self.slice(at, (end - at).min(crate::encoding::VARINT_LEN_MAX))?;
        let mut decoder = Decoder::new(head);
        let len = decoder.length().ok_or_else(wrong)?;
        let at = at + decoder.offset();
        if len > end - at {
            return Err(wrong());
        }
        self.slice(at, len)?;
        Ok(self.bytes.slice(at..at + len))
    }

    fn change(&self, index: usize) -> Result<(u64, Timestamp, u64)> {
        let at = self.directory_at + index * CHANGE_LEN;
        let bytes = self.slice(at, CHANGE_LEN)?;
        let word = |at: usize| number(bytes, at).unwrap_or_default();
        Ok((word(0), Timestamp(word(8)), word(16)))
    }

    /// The rows that it may know a change of; `None` when its directory cannot be read, which who
    /// looks into it finds out.
    fn changed(&self) -> Option<&Filter> {
        let filter = self.changed.get_or_init(|| {
            let mut builder = FilterBuilder::new(FILTER_BITS_PER_KEY);
            for index in 0..self.change_count {
                let (_, _, place) = self.change(index).ok()?;
                builder.add(&self.key(place).ok()?);
            }
            Filter::new(&builder.finish()?)
        });
        filter.as_ref()
    }

    /// When this segment first knows a change of the row.
    ///
    /// # Errors
    /// `Corruption`.
    pub fn first_change(&self, key: &[u8]) -> Result<Option<Timestamp>> {
        if let Some(changed) = self.changed()
            && !changed.may_contain(key_hash(key))
        {
            return Ok(None);
        }
        let wanted = hash(key);
        let (mut low, mut high) = (0, self.change_count);
        while low < high {
            let middle = low.midpoint(high);
            if self.change(middle)?.0 < wanted { low = middle + 1 } else { high = middle }
        }
        for index in low..self.change_count {
            let (found, first, place) = self.change(index)?;
            if found != wanted {
                break;
            }
            if self.key(place)? == key {
                return Ok(Some(first));
            }
        }
        Ok(None)
    }

    /// Everything in it, for merging.
    ///
    /// # Errors
    /// `Corruption`.
    pub fn contents(&self) -> Result<(Vec<Version>, Vec<Change>)> {
        let mut versions = Vec::with_capacity(self.entry_count);
        for leaf in 0..self.node_count(0) {
            for entry in self.entries(leaf)? {
                let Entry { bounds, start, end, key_place } = entry;
                versions.push(Version { key: self.key(key_place)?, bounds, start, end });
            }
        }
        let mut changes = Vec::with_capacity(self.change_count);
        for index in 0..self.change_count {
            let (_, first, place) = self.change(index)?;
            changes.push(Change { key: self.key(place)?, first });
        }
        Ok((versions, changes))
    }
}

#[cfg(test)]
mod tests {
    use super::super::build;
    use super::*;
    use crate::env::Env;

    fn sample(count: u32) -> (Vec<Version>, Vec<Change>) {
        let version = |index: u32| Version {
            key: Bytes::from(format!("key {index}")),
            bounds: Aabb::point([f64::from(index % 7), f64::from(index / 7), 0.1]),
            start: Timestamp(u64::from(index)),
            end: Timestamp::MAX,
        };
        let versions: Vec<Version> = (0..count).map(version).collect();
        let change = |version: &Version| Change { key: version.key.clone(), first: version.start };
        let changes = versions.iter().map(change).collect();
        (versions, changes)
    }

    fn write(env: &Env, bytes: &[u8]) -> PathBuf {
        let dir = Path::new("/segment");
        env.vfs.create_dir_all(dir).unwrap();
        let path = dir.join("1.geo");
        env.vfs.create(&path).unwrap().write_at(0, bytes).unwrap();
        path
    }

    #[test]
    fn contents_come_back() {
        for count in [0, 1, 28, 29, 3000] {
            let env = Env::memory();
            let (versions, changes) = sample(count);
            let path = write(&env, &build(versions, changes));
            let segment = Segment::open(&*env.vfs, &path, 1).unwrap();
            let (versions, changes) = segment.contents().unwrap();
            assert_eq!((versions.len(), changes.len()), (count as usize, count as usize));
            for version in &versions {
                let first = segment.first_change(&version.key).unwrap();
                assert_eq!(first, Some(version.start));
            }
            assert_eq!(segment.first_change(b"nobody").unwrap(), None);
        }
    }

    #[test]
    fn every_damaged_byte_is_found() {
        let (versions, changes) = sample(40);
        let good = build(versions, changes);
        for at in 0..good.len() {
            let env = Env::memory();
            let mut bytes = good.clone();
            bytes[at] ^= 0x10;
            let path = write(&env, &bytes);
            let found = Segment::open(&*env.vfs, &path, 1).and_then(|segment| {
                segment.contents()?;
                segment.check()
            });
            assert!(found.is_err(), "byte {at}");
        }
        for end in (0..good.len()).step_by(97) {
            let env = Env::memory();
            let path = write(&env, &good[..end]);
            assert!(Segment::open(&*env.vfs, &path, 1).is_err());
        }
    }
}
