//! Reading the write-ahead log back: telling a torn tail from corruption.
//!
//! # Invariants
//! W-2: a bad record ends replay only at the tail of the last segment of a log that was not
//! closed, and only when nothing proves that it was durable; anywhere else it is corruption.

use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::record::{BadHeader, FORMAT_VERSION, Record, SEGMENT_HEADER_LEN, SegmentHeader};
use crate::env::{Env, FileId, FileName};
use crate::error::{Error, Result};
use crate::timestamp::Timestamp;

/// One segment read into memory.
pub(crate) struct Segment {
    id: FileId,
    path: PathBuf,
    bytes: Bytes,
    header: Option<SegmentHeader>,
    /// Where its records end; known from the next segment, or found while reading the last one.
    end: Option<u64>,
}

/// What is known of the log from elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// The first segment that is needed; 0 when none is.
    pub(crate) first: FileId,
    /// A segment that is there, the newest known; 0 when none is.
    pub(crate) last: FileId,
    /// The last segment and where its records end, when the log was closed.
    pub(crate) closed: Option<(FileId, u64)>,
}

/// The segments to replay, oldest first.
pub(crate) struct Log {
    pub(crate) segments: Vec<Segment>,
    /// Segments that a power cut or a full disk left half-created: nothing was ever in them.
    pub(crate) stillborn: Vec<FileId>,
}

impl Log {
    /// Reads those of the segments `ids` of `dir` that are needed, and checks that they form a
    /// chain from the first to the last.
    ///
    /// # Errors
    /// `Corruption` when one is damaged or missing, `Unusable` when one is of a newer format, `Io`.
    pub(crate) fn open(env: &Env, dir: &Path, ids: &[FileId], bounds: Bounds) -> Result<Self> {
        let mut ids: Vec<FileId> = ids.iter().copied().filter(|id| *id >= bounds.first).collect();
        ids.sort();
        let mut segments = Vec::new();
        let mut stillborn = Vec::new();
        for id in ids {
            let segment = Segment::open(env, dir, id)?;
            if segment.header.is_some() {
                segments.push(segment);
                continue;
            }
            // A segment is used only after its header is durable. Should a header have decayed
            // in a segment without records, the chain below breaks at its successor.
            if let Some(offset) = segment.first_record_after(0) {
                let found = format!("a damaged header before a record at {offset}");
                return Err(Error::corruption(&segment.path, 0, "a WAL segment header", found));
            }
            stillborn.push(segment.id);
        }
        for at in 1..segments.len() {
            let (previous, next) = (&segments[at - 1], &segments[at]);
            let link = next.header.and_then(|header| header.previous);
            let Some((_, end)) = link.filter(|(id, _)| *id == previous.id) else {
                let expected = format!("a segment that follows {}", previous.id);
                let found = link.map_or("no link".to_owned(), |(id, _)| format!("link to {id}"));
                return Err(Error::corruption(&next.path, 20, expected, found));
            };
            segments[at - 1].end = Some(end);
        }
        let mut log = Self { segments, stillborn };
        log.check_ends(dir, bounds)?;
        if let Some((id, end)) = bounds.closed {
            log.segment(dir, id, "the last WAL segment")?.end = Some(end);
        }
        Ok(log)
    }

    /// Nothing before the first segment or behind the last one shows in the chain that it is gone.
    fn check_ends(&mut self, dir: &Path, bounds: Bounds) -> Result<()> {
        for (id, what) in [(bounds.first, "the first"), (bounds.last, "the last")] {
            if id != FileId(0) {
                self.segment(dir, id, &format!("{what} WAL segment"))?;
            }
        }
        Ok(())
    }

    fn segment(&mut self, dir: &Path, id: FileId, expected: &str) -> Result<&mut Segment> {
        let found = self.segments.iter_mut().find(|segment| segment.id == id);
        found.ok_or_else(|| Error::corruption(&FileName::Wal(id).path(dir), 0, expected, "none"))
    }
}

impl Segment {
    /// Reads a segment. A damaged header shows when it is replayed.
    ///
    /// # Errors
    /// `Corruption` when there is none, `Io`, `Unusable` when it is of a newer format.
    pub(crate) fn open(env: &Env, dir: &Path, id: FileId) -> Result<Self> {
        let path = FileName::Wal(id).path(dir);
        let bytes = env.vfs.map(&path).map_err(|error| Error::unreadable(&path, error))?;
        let header = match SegmentHeader::decode(&bytes) {
            Ok(header) if header.segment == id => Some(header),
            Ok(_) | Err(BadHeader::Malformed) => None,
            Err(BadHeader::Newer(version)) => {
                return Err(Error::unusable(format!(
                    "the WAL is of a newer format file={} version={version} supported={FORMAT_VERSION}",
                    path.display()
                )));
            }
        };
        Ok(Self { id, path, bytes, header, end: None })
    }

    /// Its number.
    pub(crate) fn id(&self) -> FileId {
        self.id
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The timestamp of its first record.
    pub(super) fn first_ts(&self) -> Option<Timestamp> {
        self.header?;
        Some(Record::decode(self.id, &self.bytes, SEGMENT_HEADER_LEN)?.ts)
    }

    /// The header and the records, checked; `None` when it was never begun.
    ///
    /// # Errors
    /// `Corruption`.
    pub(super) fn used_bytes(&self) -> Result<Option<&[u8]>> {
        if self.header.is_none() {
            return Ok(None);
        }
        let end = self.replay(|_, _, _| Ok(()))?;
        Ok(usize::try_from(end).ok().and_then(|end| self.bytes.get(..end)))
    }

    /// Whether it says what it is.
    pub(crate) fn has_header(&self) -> bool {
        self.header.is_some()
    }

    /// The segment that it follows, and where the records of that one end.
    pub(crate) fn previous(&self) -> Option<(FileId, u64)> {
        self.header.and_then(|header| header.previous)
    }

    /// Whether nothing was ever in it.
    pub(crate) fn is_stillborn(&self) -> bool {
        self.header.is_none() && self.first_record_after(0).is_none()
    }

    /// Takes over where records end, if that is said of this segment.
    pub(crate) fn end_at(&mut self, end: Option<(FileId, u64)>) {
        self.end = end.filter(|(id, _)| *id == self.id).map(|(_, end)| end);
    }

    /// Every record that can be read behind `offset`, whatever lies between; for repair.
    pub(crate) fn records_behind(&self, offset: u64) -> impl Iterator<Item = (Timestamp, &[u8])> {
        let mut at = usize::try_from(offset).unwrap_or(usize::MAX);
        let mut last = Timestamp(0);
        std::iter::from_fn(move || {
            let readable = |at: &usize| {
                let record = Record::decode(self.id, &self.bytes, *at)?;
                (!Record::is_end(&self.bytes, *at) && record.ts > last).then_some((*at, record))
            };
            let (start, record) = (at..self.bytes.len()).find_map(|at| readable(&at))?;
            at = start + record.len();
            last = record.ts;
            Some((record.ts, record.payload))
        })
    }

    /// Hands every record to `visit` and returns where the records end.
    ///
    /// # Errors
    /// `Corruption`, and whatever `visit` answers.
    pub(crate) fn replay(
        &self,
        mut visit: impl FnMut(u64, Timestamp, &[u8]) -> Result<()>,
    ) -> Result<u64> {
        if self.header.is_none() {
            return Err(Error::corruption(&self.path, 0, "a WAL segment header", "other bytes"));
        }
        let mut offset = SEGMENT_HEADER_LEN;
        let mut last = Timestamp(0);
        while self.end.is_none_or(|end| (offset as u64) < end) {
            let Some(record) = Record::decode(self.id, &self.bytes, offset) else {
                self.check_tail(offset)?;
                return Ok(offset as u64);
            };
            if record.ts <= last {
                let expected = format!("a timestamp after {}", last.0);
                return Err(Error::corruption(&self.path, offset as u64, expected, record.ts.0));
            }
            last = record.ts;
            visit(offset as u64, record.ts, record.payload)?;
            offset += record.len();
        }
        match self.end {
            Some(end) if end != offset as u64 => {
                let expected = format!("records up to {end}");
                Err(Error::corruption(&self.path, end, expected, format!("up to {offset}")))
            }
            _ => Ok(offset as u64),
        }
    }

    /// The first byte behind the end of its records that was written all the same: what is set
    /// aside is zero. In a log that was not closed it may be a torn record.
    pub(crate) fn written_behind(&self, end: u64) -> Option<usize> {
        let end = usize::try_from(end).ok()?;
        let unused = self.bytes.get(end..)?;
        unused.iter().position(|&byte| byte != 0).map(|at| end + at)
    }

    /// Whether nothing is set aside behind the end of its records.
    pub(crate) fn is_full(&self, end: u64) -> bool {
        self.bytes.len() as u64 == end
    }

    /// Whether the log may end at `offset`, where no record can be read.
    fn check_tail(&self, offset: usize) -> Result<()> {
        let found = if Record::is_end(&self.bytes, offset) { "nothing" } else { "other bytes" };
        if self.end.is_some() {
            return Err(Error::corruption(&self.path, offset as u64, "a WAL record", found));
        }
        match self.first_record_after(offset) {
            None => Ok(()),
            Some(later) => {
                let found = format!("{found}, then a record at {later} that proves it was synced");
                Err(Error::corruption(&self.path, offset as u64, "a WAL record", found))
            }
        }
    }

    /// The first readable record behind `offset` that was written when `offset` was durable.
    fn first_record_after(&self, offset: usize) -> Option<usize> {
        let proves = |at: &usize| {
            !Record::is_end(&self.bytes, *at)
                && Record::synced_of(&self.bytes, *at)
                    .is_some_and(|synced| (offset as u64) < synced && synced <= *at as u64)
                && Record::decode(self.id, &self.bytes, *at).is_some()
        };
        (offset + 1..self.bytes.len()).find(proves)
    }
}
