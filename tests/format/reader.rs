//! A reader of data directories that was written from `docs/FORMAT.md` and nothing else: that page
//! is whole when this reader sees what Cairn sees. It shares no code with Cairn, and names the
//! sections of the page that it follows.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// What a directory holds.
#[derive(Debug, Default)]
pub struct Contents {
    /// By key: the newest row version's timestamp and value; `None` is a tombstone.
    pub newest: BTreeMap<Vec<u8>, (u64, Option<Vec<u8>>)>,
    /// Row versions read from sstables, and how many of these were in compressed blocks.
    pub sstable_entries: usize,
    pub compressed_entries: usize,
    /// Commits read from the log.
    pub commits: usize,
    pub dropped: Vec<Dropped>,
    pub is_closed: bool,
}

/// A dropped range (4).
#[derive(Debug)]
pub struct Dropped {
    ts: u64,
    start: Vec<u8>,
    end: Option<Vec<u8>>,
}

type Found<T> = Result<T, String>;

/// Reads a directory (2).
pub fn read(dir: &Path) -> Found<Contents> {
    let current = file(dir, "CURRENT")?;
    let current = std::str::from_utf8(&current).map_err(|e| e.to_string())?;
    let (name, sum) = current.trim_end().split_once(' ').ok_or("CURRENT has two words")?;
    ensure(sum == format!("{:08x}", crc(&[name.as_bytes()])), "CURRENT's checksum")?;
    let manifest = manifest(&file(dir, name)?)?;
    let mut contents = Contents::default();
    for (number, len) in &manifest.sstables {
        sstable(&file(dir, &format!("{number:06}.sst"))?, *len, &mut contents)?;
    }
    log(dir, &manifest, &mut contents)?;
    let is_dropped = |key: &[u8], ts: u64| {
        let inside =
            |it: &Dropped| *it.start <= *key && it.end.as_deref().is_none_or(|end| key < end);
        manifest.dropped.iter().any(|it| ts <= it.ts && inside(it))
    };
    contents.newest.retain(|key, (ts, _)| !is_dropped(key, *ts));
    contents.is_closed = manifest.closed.is_some();
    contents.dropped = manifest.dropped;
    Ok(contents)
}

impl Contents {
    fn see(&mut self, key: &[u8], ts: u64, value: Option<&[u8]>) {
        let newest = self.newest.entry(key.to_vec()).or_default();
        if ts >= newest.0 {
            *newest = (ts, value.map(<[u8]>::to_vec));
        }
    }

    /// Keys that are there, with their values.
    pub fn live(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let live = self.newest.iter();
        live.filter_map(|(key, (_, value))| Some((key.clone(), value.clone()?))).collect()
    }
}

fn file(dir: &Path, name: &str) -> Found<Vec<u8>> {
    fs::read(dir.join(name)).map_err(|error| format!("{name}: {error}"))
}

fn ensure(is_right: bool, what: &str) -> Found<()> {
    if is_right { Ok(()) } else { Err(format!("not as the page says: {what}")) }
}

/// 1: CRC-32.
pub fn crc(pieces: &[&[u8]]) -> u32 {
    let mut crc = u32::MAX;
    for byte in pieces.iter().copied().flatten() {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

/// 1: numbers and bytes, front to back.
pub struct Cursor<'a> {
    pub rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub fn take(&mut self, len: usize) -> Found<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or("too short")?;
        self.rest = rest;
        Ok(taken)
    }

    pub fn u8(&mut self) -> Found<u8> {
        Ok(self.take(1)?[0])
    }

    pub fn number(&mut self, len: usize) -> Found<u64> {
        let mut bytes = [0; 8];
        bytes[..len].copy_from_slice(self.take(len)?);
        Ok(u64::from_le_bytes(bytes))
    }

    pub fn varint(&mut self) -> Found<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("a varint without end".to_owned())
    }

    pub fn bytes(&mut self) -> Found<&'a [u8]> {
        let len = self.varint()? as usize;
        self.take(len)
    }
}

fn at(bytes: &[u8], offset: usize) -> Cursor<'_> {
    Cursor { rest: bytes.get(offset..).unwrap_or_default() }
}

#[derive(Default)]
struct Manifest {
    first_segment: u64,
    flushed: u64,
    sstables: BTreeMap<u64, u64>,
    dropped: Vec<Dropped>,
    closed: Option<(u64, u64)>,
}

/// 4.
fn manifest(bytes: &[u8]) -> Found<Manifest> {
    ensure(bytes.starts_with(b"CairnMAN"), "the manifest's first bytes")?;
    ensure(at(bytes, 8).number(4)? == 1, "the format version")?;
    let number = &bytes[12..20];
    ensure(at(bytes, 20).number(4)? as u32 == crc(&[&bytes[..20]]), "the header's checksum")?;
    let record = |offset: usize| -> Found<&[u8]> {
        let mut cursor = at(bytes, offset);
        let (sum, len) = (cursor.number(4)? as u32, cursor.number(4)? as usize);
        let payload = cursor.take(len)?;
        ensure(sum == crc(&[number, &bytes[offset + 4..offset + 8 + len]]), "a checksum")?;
        Ok(payload)
    };
    let mut state = Manifest::default();
    let mut offset = 24;
    while let Ok(payload) = record(offset) {
        edit(payload, &mut state)?;
        offset += 8 + payload.len();
    }
    ensure(offset > 24, "a first edit")?;
    ensure(
        (offset + 1..bytes.len()).all(|later| record(later).is_err()),
        "no edit after a bad one",
    )?;
    Ok(state)
}

fn edit(payload: &[u8], state: &mut Manifest) -> Found<()> {
    let mut cursor = Cursor { rest: payload };
    let (mut added, mut dropped, mut forgotten) = (Vec::new(), Vec::new(), Vec::new());
    state.closed = None;
    while !cursor.rest.is_empty() {
        match cursor.u8()? {
            1 => state.first_segment = cursor.varint()?,
            2 => state.flushed = state.flushed.max(cursor.varint()?),
            3 | 4 | 10 | 11 => drop(cursor.varint()?),
            5 => {
                ensure(cursor.u8()? <= 6, "a level")?;
                added.push((cursor.varint()?, cursor.varint()?));
                properties(&mut cursor)?;
            }
            6 => drop(state.sstables.remove(&cursor.varint()?).ok_or("removed, but not live")?),
            7 => dropped.push(range(&mut cursor)?),
            8 => forgotten.push(range(&mut cursor)?),
            9 => state.closed = Some((cursor.varint()?, cursor.varint()?)),
            tag => return Err(format!("an unknown field {tag}")),
        }
    }
    state.sstables.extend(added);
    let same = |a: &Dropped, b: &Dropped| (a.ts, &a.start, &a.end) == (b.ts, &b.start, &b.end);
    state.dropped.retain(|it| !forgotten.iter().any(|gone| same(it, gone)));
    state.dropped.extend(dropped);
    Ok(())
}

fn range(cursor: &mut Cursor<'_>) -> Found<Dropped> {
    let (ts, start) = (cursor.varint()?, cursor.bytes()?.to_vec());
    let has_end = cursor.u8()? != 0;
    let end = cursor.bytes()?.to_vec();
    Ok(Dropped { ts, start, end: has_end.then_some(end) })
}

/// 6.4: the number of entries.
fn properties(cursor: &mut Cursor<'_>) -> Found<usize> {
    let count = cursor.varint()?;
    for _ in 0..6 {
        cursor.varint()?;
    }
    cursor.bytes()?;
    cursor.bytes()?;
    Ok(count as usize)
}

/// 5.
fn log(dir: &Path, manifest: &Manifest, contents: &mut Contents) -> Found<()> {
    let names = fs::read_dir(dir).map_err(|error| error.to_string())?;
    let names = names.filter_map(|name| name.ok()?.file_name().into_string().ok());
    let numbers = names.filter_map(|name| name.strip_suffix(".wal")?.parse::<u64>().ok());
    let mut numbers: Vec<u64> =
        numbers.filter(|number| *number >= manifest.first_segment).collect();
    numbers.sort_unstable();
    let mut segments = Vec::new();
    for number in numbers {
        let bytes = file(dir, &format!("{number:06}.wal"))?;
        let is_right = bytes.starts_with(b"CairnWAL")
            && at(&bytes, 8).number(4)? == 1
            && at(&bytes, 12).number(8)? == number
            && at(&bytes, 40).number(4)? as u32 == crc(&[&bytes[..40]]);
        if is_right {
            segments.push((number, bytes));
        }
    }
    for (index, (number, bytes)) in segments.iter().enumerate() {
        let end = match segments.get(index + 1) {
            Some((_, next)) => {
                ensure(at(next, 20).number(8)? == *number, "a link to the segment before")?;
                Some(at(next, 28).number(8)? as usize)
            }
            None => manifest.closed.map(|(_, end)| end as usize),
        };
        segment(*number, bytes, end, manifest.flushed, contents)?;
    }
    Ok(())
}

fn segment(
    number: u64,
    bytes: &[u8],
    end: Option<usize>,
    flushed: u64,
    contents: &mut Contents,
) -> Found<()> {
    let record = |offset: usize| -> Found<(u64, u64, &[u8])> {
        let mut cursor = at(bytes, offset);
        let (sum, len) = (cursor.number(4)? as u32, cursor.number(4)? as usize);
        let (ts, synced) = (cursor.number(8)?, cursor.number(8)?);
        let payload = cursor.take(len)?;
        let covered = &bytes[offset + 4..offset + 24 + len];
        ensure(sum == crc(&[&number.to_le_bytes(), covered]), "a record's checksum")?;
        Ok((ts, synced, payload))
    };
    let mut offset = 44;
    let mut last = 0;
    while end.is_none_or(|end| offset < end) {
        let (ts, _, payload) = match record(offset) {
            Ok(found) => found,
            Err(why) if end.is_some() => return Err(why),
            Err(_) => break,
        };
        ensure(ts > last, "timestamps that grow")?;
        last = ts;
        if ts > flushed {
            batch(payload, ts, contents)?;
            contents.commits += 1;
        }
        offset += 24 + payload.len();
    }
    match end {
        Some(end) => ensure(offset == end, "the end of a segment"),
        None => {
            let proves = |later: usize| {
                let synced = at(bytes, later + 16).number(8).unwrap_or_default() as usize;
                offset < synced && synced <= later && record(later).is_ok()
            };
            ensure(!(offset + 1..bytes.len()).any(proves), "nothing durable after the end")
        }
    }
}

fn batch(payload: &[u8], ts: u64, contents: &mut Contents) -> Found<()> {
    let mut cursor = Cursor { rest: payload };
    for _ in 0..cursor.number(4)? {
        let (kind, key) = (cursor.u8()?, cursor.bytes()?);
        let value = match kind {
            0 => None,
            1 => Some(cursor.bytes()?),
            _ => return Err(format!("an unknown operation {kind}")),
        };
        contents.see(key, ts, value);
    }
    ensure(cursor.rest.is_empty(), "nothing after a batch")
}

/// 6.
fn sstable(bytes: &[u8], len: u64, contents: &mut Contents) -> Found<()> {
    ensure(bytes.len() as u64 == len, "an sstable's length")?;
    let footer = bytes.get(bytes.len() - 56..).ok_or("too short")?;
    ensure(footer.ends_with(b"CairnSST"), "an sstable's last bytes")?;
    ensure(at(footer, 40).number(4)? == 1, "an sstable's format version")?;
    ensure(at(footer, 44).number(4)? as u32 == crc(&[&footer[..44]]), "the footer's checksum")?;
    let handle = |at_byte: usize| -> Found<&[u8]> {
        let (offset, len) = (at(footer, at_byte).number(8)?, at(footer, at_byte + 8).number(4)?);
        at(bytes, offset as usize).take(len as usize)
    };
    let (index, _) = unseal(handle(0)?)?;
    let (stated, _) = unseal(handle(24)?)?;
    let mut count = 0;
    let mut offset = 0;
    for (_, _, place) in entries(&index)? {
        let place = place.ok_or("a block index without tombstones")?;
        let mut cursor = Cursor { rest: &place };
        let (start, len) = (cursor.varint()? as usize, cursor.varint()? as usize);
        ensure(start == offset, "data blocks without gaps")?;
        offset = start + len;
        let (payload, is_compressed) = unseal(at(bytes, start).take(len)?)?;
        for (key, ts, value) in entries(&payload)? {
            contents.see(&key, ts, value.as_deref());
            count += 1;
            contents.compressed_entries += usize::from(is_compressed);
        }
    }
    contents.sstable_entries += count;
    ensure(properties(&mut Cursor { rest: &stated })? == count, "the number of entries")
}

/// 6.2: the payload of a sealed block, and whether it was compressed.
fn unseal(sealed: &[u8]) -> Found<(Vec<u8>, bool)> {
    let (covered, sum) = sealed.split_at(sealed.len() - 4);
    ensure(at(sum, 0).number(4)? as u32 == crc(&[covered]), "a block's checksum")?;
    let (compression, content) = covered.split_last().ok_or("too short")?;
    match compression {
        0 => Ok((content.to_vec(), false)),
        1 => {
            let payload = lz4(&content[4..])?;
            ensure(payload.len() as u64 == at(content, 0).number(4)?, "a payload's length")?;
            Ok((payload, true))
        }
        _ => Err(format!("an unknown compression {compression}")),
    }
}

/// The LZ4 block format.
fn lz4(packed: &[u8]) -> Found<Vec<u8>> {
    fn length(cursor: &mut Cursor<'_>, nibble: u8) -> Found<usize> {
        let mut len = usize::from(nibble);
        let mut more = nibble == 15;
        while more {
            let byte = cursor.u8()?;
            len += usize::from(byte);
            more = byte == 255;
        }
        Ok(len)
    }
    let mut cursor = Cursor { rest: packed };
    let mut out = Vec::new();
    loop {
        let token = cursor.u8()?;
        let literals = length(&mut cursor, token >> 4)?;
        out.extend_from_slice(cursor.take(literals)?);
        if cursor.rest.is_empty() {
            return Ok(out);
        }
        let distance = cursor.number(2)? as usize;
        let start = out.len().checked_sub(distance).ok_or("a match before the start")?;
        for copied in 0..length(&mut cursor, token & 15)? + 4 {
            out.push(out[start + copied]);
        }
    }
}

type Entry = (Vec<u8>, u64, Option<Vec<u8>>);

/// 6.2: the entries of a payload.
fn entries(payload: &[u8]) -> Found<Vec<Entry>> {
    let restarts = at(payload, payload.len() - 4).number(4)? as usize;
    let mut cursor = Cursor { rest: &payload[..payload.len() - 4 - 4 * restarts] };
    let mut found: Vec<Entry> = Vec::new();
    while !cursor.rest.is_empty() {
        let (shared, unshared) = (cursor.varint()? as usize, cursor.varint()? as usize);
        let (ts, value_len) = (cursor.varint()?, cursor.varint()? as usize);
        let before = found.last().map_or(&[][..], |(key, ..)| key);
        let mut key = before.get(..shared).ok_or("a key that shares too much")?.to_vec();
        key.extend_from_slice(cursor.take(unshared)?);
        let value = match value_len {
            0 => None,
            len => Some(cursor.take(len - 1)?.to_vec()),
        };
        found.push((key, ts, value));
    }
    Ok(found)
}
