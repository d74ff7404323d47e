//! The unit read from an sstable: sorted entries, prefix-compressed.
//!
//! # Layout
//! ```text
//! payload
//!   entries           see below
//!   restart offsets   u32 each: where an entry stores its whole key
//!   restart count     u32
//!
//! entry
//!   shared            varint, bytes in common with the previous key
//!   unshared          varint, bytes that follow
//!   timestamp         varint
//!   value length + 1  varint; 0 = tombstone
//!   key suffix        unshared bytes
//!   value
//!
//! on disk
//!   payload           compressed: uncompressed length u32, then an LZ4 block
//!   compression       u8, 0 = none, 1 = LZ4; stored, never renumber
//!   checksum          u32, of payload and compression
//! ```
//! Integers are little-endian. A point read bisects the restart points and walks at most
//! [`RESTART_INTERVAL`] entries, without building a key; values are slices of the block.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::ops::{Deref, Range};

use bytes::Bytes;

use crate::encoding::checksum::{CHECKSUM_LEN, checksum};
use crate::encoding::{Decoder, put_varint};
use crate::lsm::internal_key::compare;
use crate::timestamp::Timestamp;

/// Entries between whole keys in data blocks, at most. 16: LevelDB's, a good balance there and here.
pub(crate) const RESTART_INTERVAL: usize = 16;
/// Bytes of entries after which a key is whole again. 512: large entries save little by sharing
/// bytes of keys, and a point read walks over fewer of them.
const RESTART_LEN: usize = 512;
const OFFSET_LEN: usize = 4;
const UNCOMPRESSED: u8 = 0;
const LZ4: u8 = 1;
/// The longest payload that we decompress: beyond it a length is not believed. 2 GiB: one value of
/// the greatest length fits.
const PAYLOAD_LEN_MAX: usize = 2 << 30;
/// The most bytes that one byte of an LZ4 block stands for.
const LZ4_RATIO_MAX: usize = 255;
/// The longest payload for which a thread keeps memory at hand. 64 KiB.
const SCRATCH_LEN_MAX: usize = 64 << 10;

/// Whether blocks are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Stored as they are.
    None,
    /// LZ4, where it saves an eighth or more.
    Lz4,
}

/// Collects sorted entries into a payload.
pub(crate) struct BlockBuilder {
    buffer: Vec<u8>,
    restarts: Vec<u32>,
    interval: usize,
    since_restart: usize,
    last_key: Vec<u8>,
}

impl BlockBuilder {
    pub(crate) fn new(interval: usize) -> Self {
        Self {
            buffer: Vec::new(),
            restarts: Vec::new(),
            interval,
            since_restart: 0,
            last_key: Vec::new(),
        }
    }

    /// Adds an entry. Requires: it is after the one added before.
    pub(crate) fn add(&mut self, key: &[u8], ts: Timestamp, value: Option<&[u8]>) {
        let mut shared = 0;
        let is_far = |restart: &u32| self.buffer.len() - *restart as usize >= RESTART_LEN;
        let is_due = self.restarts.last().is_none_or(is_far);
        if is_due || self.since_restart == self.interval {
            self.restarts.push(offset_u32(self.buffer.len()));
            self.since_restart = 0;
        } else {
            shared = self.last_key.iter().zip(key).take_while(|(a, b)| a == b).count();
        }
        let out = &mut self.buffer;
        put_varint(out, shared as u64);
        put_varint(out, (key.len() - shared) as u64);
        put_varint(out, ts.0);
        put_varint(out, value.map_or(0, |value| value.len() as u64 + 1));
        out.extend_from_slice(&key[shared..]);
        out.extend_from_slice(value.unwrap_or_default());
        self.last_key.truncate(shared);
        self.last_key.extend_from_slice(&key[shared..]);
        self.since_restart += 1;
    }

    /// Bytes that the payload would have now.
    pub(crate) fn len(&self) -> usize {
        self.buffer.len() + (self.restarts.len() + 1) * OFFSET_LEN
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.restarts.is_empty()
    }

    /// The key added last.
    pub(crate) fn last_key(&self) -> &[u8] {
        &self.last_key
    }

    /// Hands the payload to `write` and begins anew.
    pub(crate) fn finish<T>(&mut self, write: impl FnOnce(&[u8]) -> T) -> T {
        for restart in &self.restarts {
            self.buffer.extend_from_slice(&restart.to_le_bytes());
        }
        self.buffer.extend_from_slice(&offset_u32(self.restarts.len()).to_le_bytes());
        let outcome = write(&self.buffer);
        self.buffer.clear();
        self.restarts.clear();
        self.last_key.clear();
        self.since_restart = 0;
        outcome
    }
}

fn offset_u32(offset: usize) -> u32 {
    u32::try_from(offset).expect("a block holds at most one oversized value, far below 4 GiB")
}

/// Appends a payload with its trailer to `out`, compressed when that pays.
pub(crate) fn seal(payload: &[u8], compression: Compression, out: &mut Vec<u8>) {
    let start = out.len();
    let mut kind = UNCOMPRESSED;
    if compression == Compression::Lz4 {
        let packed = lz4_flex::block::compress(payload);
        if packed.len() + OFFSET_LEN < payload.len() - payload.len() / 8 {
            kind = LZ4;
            out.extend_from_slice(&offset_u32(payload.len()).to_le_bytes());
            out.extend_from_slice(&packed);
        }
    }
    if kind == UNCOMPRESSED {
        out.extend_from_slice(payload);
    }
    out.push(kind);
    let sum = checksum(&[&out[start..]]);
    out.extend_from_slice(&sum.to_le_bytes());
}

/// What is wrong with a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadBlock {
    /// The stated and the computed checksum.
    Checksum(u32, u32),
    /// The checksum is right and the content makes no sense, at this offset of the payload.
    Malformed(usize),
}

type Read<T> = Result<T, BadBlock>;

/// A sealed block whose checksum is right.
enum Opened<'a> {
    /// The payload is this long and as it is.
    Plain(usize),
    /// The payload is compressed, and this long without.
    Lz4 { packed: &'a [u8], len: usize },
}

fn open(sealed: &[u8]) -> Read<Opened<'_>> {
    let short = BadBlock::Malformed(sealed.len());
    let covered_len = sealed.len().checked_sub(CHECKSUM_LEN).ok_or(short)?;
    let stated = Decoder::at(sealed, covered_len).u32().ok_or(short)?;
    let computed = checksum(&[&sealed[..covered_len]]);
    if stated != computed {
        return Err(BadBlock::Checksum(stated, computed));
    }
    let payload_len = covered_len.checked_sub(1).ok_or(short)?;
    match sealed[payload_len] {
        UNCOMPRESSED => Ok(Opened::Plain(payload_len)),
        LZ4 => open_lz4(&sealed[..payload_len]).ok_or(BadBlock::Malformed(0)),
        _ => Err(BadBlock::Malformed(payload_len)),
    }
}

fn open_lz4(payload: &[u8]) -> Option<Opened<'_>> {
    let len = usize::try_from(Decoder::new(payload).u32()?).ok()?;
    let packed = payload.get(OFFSET_LEN..)?;
    let is_possible = len <= PAYLOAD_LEN_MAX.min(packed.len().saturating_mul(LZ4_RATIO_MAX));
    is_possible.then_some(Opened::Lz4 { packed, len })
}

/// Checks a sealed block and gives back its payload: a slice of it when it was not compressed.
pub(crate) fn unseal(sealed: &Bytes) -> Read<Bytes> {
    match open(sealed)? {
        Opened::Plain(len) => Ok(sealed.slice(..len)),
        Opened::Lz4 { packed, len } => decompress(packed, len),
    }
}

fn decompress(packed: &[u8], len: usize) -> Read<Bytes> {
    let payload = lz4_flex::block::decompress(packed, len);
    let payload = payload.ok().filter(|payload| payload.len() == len);
    payload.map(Bytes::from).ok_or(BadBlock::Malformed(0))
}

/// One entry as it lies in the payload.
#[derive(Clone, Debug)]
struct RawEntry {
    shared: usize,
    suffix: Range<usize>,
    ts: Timestamp,
    value: Option<Range<usize>>,
    next: usize,
}

/// A readable block, over bytes of its own or somebody else's.
#[derive(Clone, Debug)]
pub(crate) struct Block<P = Bytes> {
    payload: P,
    entries_end: usize,
    restart_count: usize,
}

impl<P: Deref<Target = [u8]>> Block<P> {
    /// Reads a payload's frame; entries are checked when they are met.
    pub(crate) fn new(payload: P) -> Read<Self> {
        let bad = BadBlock::Malformed(payload.len());
        let count_at = payload.len().checked_sub(OFFSET_LEN).ok_or(bad)?;
        let count = Decoder::at(&payload, count_at).u32().ok_or(bad)?;
        let restart_count = usize::try_from(count).map_err(|_| bad)?;
        let restarts_len = restart_count.checked_mul(OFFSET_LEN).ok_or(bad)?;
        let entries_end = count_at.checked_sub(restarts_len).ok_or(bad)?;
        if (restart_count == 0) != (entries_end == 0) {
            return Err(bad);
        }
        Ok(Self { payload, entries_end, restart_count })
    }

    #[inline]
    fn restart(&self, index: usize) -> Read<usize> {
        let at = self.entries_end + index * OFFSET_LEN;
        let offset = Decoder::at(&self.payload, at).u32().map(|offset| offset as usize);
        offset.filter(|&offset| offset < self.entries_end).ok_or(BadBlock::Malformed(at))
    }

    #[inline]
    fn entry(&self, at: usize) -> Read<RawEntry> {
        self.read_entry(at).ok_or(BadBlock::Malformed(at))
    }

    #[inline]
    fn read_entry(&self, at: usize) -> Option<RawEntry> {
        let mut decoder = Decoder::at(self.payload.get(..self.entries_end)?, at);
        let shared = decoder.length()?;
        let unshared = decoder.length()?;
        let ts = Timestamp(decoder.varint()?);
        let value_len = decoder.length()?;
        decoder.bytes(unshared)?;
        let suffix = decoder.offset() - unshared..decoder.offset();
        let value = match value_len.checked_sub(1) {
            None => None,
            Some(len) => {
                decoder.bytes(len)?;
                Some(decoder.offset() - len..decoder.offset())
            }
        };
        Some(RawEntry { shared, suffix, ts, value, next: decoder.offset() })
    }

    /// The entry at a restart point, whose key is whole.
    #[inline]
    fn restart_entry(&self, index: usize) -> Read<RawEntry> {
        let at = self.restart(index)?;
        self.entry(at).and_then(|entry| {
            if entry.shared == 0 { Ok(entry) } else { Err(BadBlock::Malformed(at)) }
        })
    }

    fn slice(&self, range: Range<usize>) -> &[u8] {
        &self.payload[range]
    }

    /// The first restart point among `range` whose entry is not before `(key, ts)`; the end of
    /// the range when there is none.
    #[inline]
    pub(super) fn restart_at_or_after(
        &self,
        key: &[u8],
        ts: Timestamp,
        range: Range<usize>,
    ) -> Read<usize> {
        let Range { start: mut low, end: mut high } = range;
        while low < high {
            let middle = low + (high - low) / 2;
            let entry = self.restart_entry(middle)?;
            match compare((self.slice(entry.suffix), entry.ts), (key, ts)) {
                Ordering::Less => low = middle + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    /// The newest version of `key` at or below `ts` in this block, and where its value lies; an
    /// inner `None` is a tombstone.
    ///
    /// Walks without building keys: `matched` is how many bytes of `key` the entry here begins
    /// with, and what an entry shares with its predecessor says how that changes.
    fn find(&self, key: &[u8], ts: Timestamp) -> Read<Option<(Timestamp, Option<Range<usize>>)>> {
        let after = self.restart_at_or_after(key, ts, 0..self.restart_count)?;
        let mut at = match after.checked_sub(1) {
            Some(restart) => self.restart(restart)?,
            None if self.restart_count == 0 => return Ok(None),
            None => self.restart(0)?,
        };
        let mut matched = 0;
        while at < self.entries_end {
            let entry = self.entry(at)?;
            at = entry.next;
            match entry.shared.cmp(&matched) {
                Ordering::Greater => continue, // differs from `key` where its predecessor did
                Ordering::Less if entry.shared > 0 => return Ok(None), // so it is after `key`
                _ => {}
            }
            let suffix = self.slice(entry.suffix);
            let rest = key.get(entry.shared..).unwrap_or_default();
            match suffix.cmp(rest) {
                Ordering::Less => {
                    let common = suffix.iter().zip(rest).take_while(|(a, b)| a == b).count();
                    matched = entry.shared + common;
                }
                Ordering::Equal if entry.ts <= ts => return Ok(Some((entry.ts, entry.value))),
                Ordering::Equal => matched = key.len(),
                Ordering::Greater => return Ok(None),
            }
        }
        Ok(None)
    }

    /// How many restart points there are.
    pub(super) fn restart_count(&self) -> usize {
        self.restart_count
    }

    /// The key of the entry at a restart point.
    pub(super) fn restart_key(&self, index: usize) -> Read<&[u8]> {
        Ok(self.slice(self.restart_entry(index)?.suffix))
    }

    /// The value of the entry at a restart point; empty when it is a tombstone.
    pub(super) fn restart_value(&self, index: usize) -> Read<&[u8]> {
        let entry = self.restart_entry(index)?;
        Ok(entry.value.map_or(&[], |value| self.slice(value)))
    }
}

/// A row version: its timestamp and value; no value is a tombstone.
pub(crate) type Found = (Timestamp, Option<Bytes>);

impl Block {
    /// The newest version of `key` at or below `ts` in this block: a slice of it.
    pub(crate) fn get(&self, key: &[u8], ts: Timestamp) -> Read<Option<Found>> {
        let found = self.find(key, ts)?;
        Ok(found.map(|(ts, value)| (ts, value.map(|value| self.payload.slice(value)))))
    }
}

impl Block<&[u8]> {
    /// The newest version of `key` at or below `ts` in this block: a copy.
    fn get_copy(&self, key: &[u8], ts: Timestamp) -> Read<Option<Found>> {
        let copy = |value| Bytes::copy_from_slice(self.slice(value));
        Ok(self.find(key, ts)?.map(|(ts, value)| (ts, value.map(copy))))
    }
}

/// As [`unseal`], then [`Block::get`], for a block of which nothing else is wanted: it is
/// decompressed into memory that the thread has at hand.
pub(crate) fn get_once(sealed: &Bytes, key: &[u8], ts: Timestamp) -> Read<Option<Found>> {
    thread_local! {
        static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    match open(sealed)? {
        Opened::Plain(len) => Block::new(sealed.slice(..len))?.get(key, ts),
        Opened::Lz4 { packed, len } if len <= SCRATCH_LEN_MAX => {
            SCRATCH.with_borrow_mut(|scratch| {
                if scratch.len() < len {
                    scratch.resize(len, 0);
                }
                let payload = &mut scratch[..len];
                let written = lz4_flex::block::decompress_into(packed, payload);
                if written.ok() != Some(len) {
                    return Err(BadBlock::Malformed(0));
                }
                Block::new(&*payload)?.get_copy(key, ts)
            })
        }
        Opened::Lz4 { packed, len } => Block::new(decompress(packed, len)?)?.get(key, ts),
    }
}

/// A position in a block. Walks both ways, so that its owner may hold one for either direction.
#[derive(Debug)]
pub(crate) struct BlockCursor {
    block: Block,
    key: Vec<u8>,
    ts: Timestamp,
    value: Option<Range<usize>>,
    /// Where the next entry begins; unused in reverse.
    next: usize,
    is_valid: bool,
    /// Reverse: the entries of one restart interval, and the restart point it began at.
    interval: Vec<IntervalEntry>,
    interval_keys: Vec<u8>,
    restart: usize,
}

#[derive(Debug)]
struct IntervalEntry {
    key: Range<usize>,
    ts: Timestamp,
    value: Option<Range<usize>>,
}

impl BlockCursor {
    pub(crate) fn new(block: Block) -> Self {
        Self {
            block,
            key: Vec::new(),
            ts: Timestamp(0),
            value: None,
            next: 0,
            is_valid: false,
            interval: Vec::new(),
            interval_keys: Vec::new(),
            restart: 0,
        }
    }

    /// Looks at another block, unpositioned.
    pub(crate) fn reset(&mut self, block: Block) {
        self.block = block;
        self.is_valid = false;
        self.interval.clear();
    }

    pub(crate) fn key(&self) -> Option<&[u8]> {
        self.is_valid.then_some(&self.key)
    }

    pub(crate) fn ts(&self) -> Timestamp {
        self.ts
    }

    pub(crate) fn value(&self) -> Option<Bytes> {
        self.value.clone().map(|value| self.block.payload.slice(value))
    }

    pub(crate) fn is_tombstone(&self) -> bool {
        self.value.is_none()
    }

    /// Moves to the first entry.
    pub(crate) fn seek_first(&mut self) -> Read<()> {
        self.next = 0;
        self.key.clear();
        self.next()
    }

    /// Moves to the first entry whose key is at or after `key`.
    pub(crate) fn seek(&mut self, key: &[u8]) -> Read<()> {
        let all = 0..self.block.restart_count;
        let after = self.block.restart_at_or_after(key, Timestamp::MAX, all)?;
        self.next = match after.checked_sub(1) {
            Some(restart) => self.block.restart(restart)?,
            None => 0,
        };
        self.key.clear();
        self.next()?;
        while self.is_valid && self.key.as_slice() < key {
            self.next()?;
        }
        Ok(())
    }

    /// Moves one entry on.
    pub(crate) fn next(&mut self) -> Read<()> {
        if self.next >= self.block.entries_end {
            self.is_valid = false;
            return Ok(());
        }
        let entry = self.block.entry(self.next)?;
        if entry.shared > self.key.len() {
            return Err(BadBlock::Malformed(self.next));
        }
        self.key.truncate(entry.shared);
        self.key.extend_from_slice(&self.block.payload[entry.suffix]);
        self.ts = entry.ts;
        self.value = entry.value;
        self.next = entry.next;
        self.is_valid = true;
        Ok(())
    }

    /// Moves to the last entry.
    pub(crate) fn seek_last(&mut self) -> Read<()> {
        self.restart = self.block.restart_count;
        self.interval.clear();
        self.previous()
    }

    /// Moves to the last entry whose key is before `key`.
    pub(crate) fn seek_before(&mut self, key: &[u8]) -> Read<()> {
        let all = 0..self.block.restart_count;
        self.restart = self.block.restart_at_or_after(key, Timestamp::MAX, all)?;
        self.interval.clear();
        self.previous()?;
        while self.is_valid && self.key.as_slice() >= key {
            self.previous()?;
        }
        Ok(())
    }

    /// Moves one entry back. Requires: the cursor was placed by `seek_last` or `seek_before`.
    pub(crate) fn previous(&mut self) -> Read<()> {
        if self.interval.is_empty() {
            let Some(restart) = self.restart.checked_sub(1) else {
                self.is_valid = false;
                return Ok(());
            };
            self.restart = restart;
            self.load_interval()?;
        }
        let Some(entry) = self.interval.pop() else {
            self.is_valid = false;
            return Ok(());
        };
        self.key.clear();
        self.key.extend_from_slice(&self.interval_keys[entry.key]);
        self.ts = entry.ts;
        self.value = entry.value;
        self.is_valid = true;
        Ok(())
    }

    /// Decodes the entries from restart point `self.restart` to the next one.
    fn load_interval(&mut self) -> Read<()> {
        self.interval_keys.clear();
        let mut at = self.block.restart(self.restart)?;
        let end = match self.restart + 1 {
            next if next < self.block.restart_count => self.block.restart(next)?,
            _ => self.block.entries_end,
        };
        let mut last = 0..0;
        while at < end {
            let entry = self.block.entry(at)?;
            if entry.shared > last.len() {
                return Err(BadBlock::Malformed(at));
            }
            let start = self.interval_keys.len();
            self.interval_keys.extend_from_within(last.start..last.start + entry.shared);
            self.interval_keys.extend_from_slice(&self.block.payload[entry.suffix]);
            last = start..self.interval_keys.len();
            self.interval.push(IntervalEntry {
                key: last.clone(),
                ts: entry.ts,
                value: entry.value,
            });
            at = entry.next;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Version = (Vec<u8>, Timestamp, Option<Vec<u8>>);

    /// Sorted versions: `count` keys with one to three versions each, every fifth a tombstone.
    fn entries(count: usize) -> Vec<Version> {
        let mut entries = Vec::new();
        for n in 0..count {
            for version in (0..=n % 3).rev() {
                let value = (n % 5 != 0).then(|| format!("value {n} {version}").into_bytes());
                entries.push((
                    format!("key{:04}", n * 2).into_bytes(),
                    Timestamp(10 + version as u64),
                    value,
                ));
            }
        }
        entries
    }

    fn build(entries: &[Version]) -> Bytes {
        let mut builder = BlockBuilder::new(RESTART_INTERVAL);
        for (key, ts, value) in entries {
            builder.add(key, *ts, value.as_deref());
        }
        builder.finish(Bytes::copy_from_slice)
    }

    #[test]
    fn every_version_is_found() {
        let entries = entries(100);
        let block = Block::new(build(&entries)).unwrap();
        for (key, ts, value) in &entries {
            let (found_ts, found) = block.get(key, *ts).unwrap().unwrap();
            assert_eq!((found_ts, found.as_deref()), (*ts, value.as_deref()));
            assert_eq!(block.get(key, Timestamp(1)).unwrap(), None);
        }
        for absent in ["", "key", "key0001", "key0003", "key9999", "zzz", "key00000"] {
            assert_eq!(block.get(absent.as_bytes(), Timestamp::MAX).unwrap(), None, "{absent}");
        }
    }

    #[test]
    fn cursors_walk_both_ways() {
        let entries = entries(60);
        let mut cursor = BlockCursor::new(Block::new(build(&entries)).unwrap());
        cursor.seek_first().unwrap();
        for (key, ts, _) in &entries {
            assert_eq!((cursor.key(), cursor.ts()), (Some(&key[..]), *ts));
            cursor.next().unwrap();
        }
        assert_eq!(cursor.key(), None);
        cursor.seek_last().unwrap();
        for (key, ts, _) in entries.iter().rev() {
            assert_eq!((cursor.key(), cursor.ts()), (Some(&key[..]), *ts));
            cursor.previous().unwrap();
        }
        assert_eq!(cursor.key(), None);
    }

    #[test]
    fn seeks_find_their_neighbours() {
        let entries = entries(60);
        let mut cursor = BlockCursor::new(Block::new(build(&entries)).unwrap());
        for probe in 0..125 {
            let key = format!("key{probe:04}").into_bytes();
            cursor.seek(&key).unwrap();
            let after = entries.iter().find(|(k, _, _)| *k >= key).map(|(k, ts, _)| (&k[..], *ts));
            assert_eq!(cursor.key().map(|k| (k, cursor.ts())), after);
            cursor.seek_before(&key).unwrap();
            let before = entries.iter().rfind(|(k, _, _)| *k < key).map(|(k, ts, _)| (&k[..], *ts));
            assert_eq!(cursor.key().map(|k| (k, cursor.ts())), before);
        }
    }

    #[test]
    fn sealed_blocks_detect_every_corrupt_byte() {
        let payload = build(&entries(20));
        for compression in [Compression::None, Compression::Lz4] {
            let mut sealed = Vec::new();
            seal(&payload, compression, &mut sealed);
            assert_eq!(unseal(&sealed.clone().into()).unwrap(), payload);
            for at in 0..sealed.len() {
                let mut bad = sealed.clone();
                bad[at] ^= 0x40;
                assert!(unseal(&bad.into()).is_err(), "byte {at}");
                assert!(unseal(&Bytes::copy_from_slice(&sealed[..at])).is_err());
            }
        }
    }

    #[test]
    fn damaged_payloads_never_panic() {
        let payload = build(&entries(20));
        for at in 0..payload.len() {
            for mask in [0x01, 0x80, 0xff] {
                let mut bad = payload.to_vec();
                bad[at] ^= mask;
                let Ok(block) = Block::new(bad.into()) else { continue };
                let _ = block.get(b"key0010", Timestamp::MAX);
                let mut cursor = BlockCursor::new(block);
                let _ = cursor.seek(b"key0010");
                let _ = cursor.seek_before(b"key0010");
                let mut steps = cursor.seek_last();
                while steps.is_ok() && cursor.key().is_some() {
                    steps = cursor.previous();
                }
            }
        }
    }
}
