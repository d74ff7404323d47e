//! Edit: one atomic change of the set of live files, and its bytes in the manifest.
//!
//! # Layout
//! Fields in any order, each a tag (u8; stored, never renumber) and its content:
//! ```text
//! tag  content
//!   1  first WAL segment that is needed   varint
//!   2  timestamp up to which all commits are in sstables   varint
//!   3  newest timestamp in use            varint
//!   4  next file number                   varint
//!   5  added file       level u8, number varint, length varint, properties (see sstable)
//!   6  removed file     number varint
//!   7  dropped range    timestamp varint, start bytes, has end u8, end bytes
//!   8  forgotten drop   as 7
//!   9  closed           last WAL segment varint, where its records end varint
//!  10  timestamp from which on all row versions are kept   varint
//!  11  a WAL segment that is there, the newest known   varint
//! ```
//! The manifest record around an edit carries its checksum.

use super::shape::{DropMark, LEVEL_COUNT};
use crate::encoding::{Decoder, put_varint};
use crate::env::FileId;
use crate::keyspace::KeyRange;
use crate::lsm::sstable::{FileMeta, Properties};
use crate::timestamp::Timestamp;

const WAL_FIRST: u8 = 1;
const FLUSHED: u8 = 2;
const LAST: u8 = 3;
const NEXT_FILE: u8 = 4;
const ADDED: u8 = 5;
const REMOVED: u8 = 6;
const DROPPED: u8 = 7;
const FORGOTTEN: u8 = 8;
const CLOSED: u8 = 9;
const HISTORY: u8 = 10;
const WAL_LAST: u8 = 11;

/// One atomic change of the set of live files. Absent fields stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Edit {
    pub(crate) wal_first: Option<FileId>,
    /// A segment whose header is durable: without it the log has lost its end.
    pub(crate) wal_last: Option<FileId>,
    pub(crate) flushed: Option<Timestamp>,
    pub(crate) last_ts: Option<Timestamp>,
    pub(crate) next_file: Option<FileId>,
    pub(crate) added: Vec<(usize, FileMeta)>,
    pub(crate) removed: Vec<FileId>,
    pub(crate) dropped: Vec<DropMark>,
    pub(crate) forgotten: Vec<DropMark>,
    /// The store was closed: the last WAL segment, and where its records end. Any later edit takes
    /// it back.
    pub(crate) closed: Option<(FileId, u64)>,
    /// Row versions that only reads before this would see may be gone.
    pub(crate) history: Option<Timestamp>,
}

impl Edit {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        for (tag, number) in [
            (WAL_FIRST, self.wal_first.map(|id| id.0)),
            (WAL_LAST, self.wal_last.map(|id| id.0)),
            (FLUSHED, self.flushed.map(|ts| ts.0)),
            (LAST, self.last_ts.map(|ts| ts.0)),
            (NEXT_FILE, self.next_file.map(|id| id.0)),
            (HISTORY, self.history.map(|ts| ts.0)),
        ] {
            if let Some(number) = number {
                out.push(tag);
                put_varint(out, number);
            }
        }
        if let Some((segment, end)) = self.closed {
            out.push(CLOSED);
            put_varint(out, segment.0);
            put_varint(out, end);
        }
        for (level, file) in &self.added {
            out.extend_from_slice(&[ADDED, u8::try_from(*level).unwrap_or(u8::MAX)]);
            put_varint(out, file.id.0);
            put_varint(out, file.len);
            file.properties.encode(out);
        }
        for id in &self.removed {
            out.push(REMOVED);
            put_varint(out, id.0);
        }
        for (tag, marks) in [(DROPPED, &self.dropped), (FORGOTTEN, &self.forgotten)] {
            for mark in marks {
                out.push(tag);
                put_mark(out, mark);
            }
        }
    }

    /// Reads an edit; `None` when it is malformed.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut decoder = Decoder::new(bytes);
        let mut edit = Self::default();
        while !decoder.is_empty() {
            match decoder.u8()? {
                WAL_FIRST => edit.wal_first = Some(FileId(decoder.varint()?)),
                WAL_LAST => edit.wal_last = Some(FileId(decoder.varint()?)),
                FLUSHED => edit.flushed = Some(Timestamp(decoder.varint()?)),
                LAST => edit.last_ts = Some(Timestamp(decoder.varint()?)),
                HISTORY => edit.history = Some(Timestamp(decoder.varint()?)),
                NEXT_FILE => edit.next_file = Some(FileId(decoder.varint()?)),
                ADDED => {
                    let level = usize::from(decoder.u8()?);
                    let id = FileId(decoder.varint()?);
                    let len = decoder.varint()?;
                    let properties = Properties::decode(&mut decoder)?;
                    if level >= LEVEL_COUNT {
                        return None;
                    }
                    edit.added.push((level, FileMeta { id, len, properties }));
                }
                REMOVED => edit.removed.push(FileId(decoder.varint()?)),
                DROPPED => edit.dropped.push(read_mark(&mut decoder)?),
                FORGOTTEN => edit.forgotten.push(read_mark(&mut decoder)?),
                CLOSED => {
                    edit.closed = Some((FileId(decoder.varint()?), decoder.varint()?));
                }
                _ => return None,
            }
        }
        Some(edit)
    }
}

fn put_mark(out: &mut Vec<u8>, mark: &DropMark) {
    put_varint(out, mark.ts.0);
    mark.range.encode(out);
}

fn read_mark(decoder: &mut Decoder<'_>) -> Option<DropMark> {
    let ts = Timestamp(decoder.varint()?);
    Some(DropMark { range: KeyRange::decode(decoder)?, ts })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn example() -> Edit {
        let mut properties = Properties::default();
        properties.add(b"a", Timestamp(4), Some(b"v"));
        properties.add(b"q", Timestamp(7), None);
        let mark = DropMark { range: KeyRange::prefix(b"t1"), ts: Timestamp(9) };
        Edit {
            wal_first: Some(FileId(3)),
            wal_last: Some(FileId(10)),
            flushed: Some(Timestamp(300)),
            last_ts: Some(Timestamp(301)),
            next_file: Some(FileId(12)),
            added: vec![(2, FileMeta { id: FileId(11), len: 4096, properties })],
            removed: vec![FileId(8), FileId(9)],
            dropped: vec![mark, DropMark { range: KeyRange::all(), ts: Timestamp(1) }],
            forgotten: vec![DropMark { range: KeyRange::all(), ts: Timestamp(2) }],
            closed: Some((FileId(10), 700)),
            history: Some(Timestamp(290)),
        }
    }

    #[test]
    fn edits_round_trip() {
        let edit = example();
        let mut bytes = Vec::new();
        edit.encode(&mut bytes);
        assert_eq!(Edit::decode(&bytes), Some(edit.clone()));
        assert!((1..bytes.len()).all(|end| Edit::decode(&bytes[..end]).as_ref() != Some(&edit)));
        assert_eq!(Edit::decode(&[99]), None);
    }
}
