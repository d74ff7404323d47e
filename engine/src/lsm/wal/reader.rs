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

/// The segments to replay, oldest first.
pub(crate) struct Log {
    pub(crate) segments: Vec<Segment>,
    /// Segments that a power cut or a full disk left half-created: nothing was ever in them.
    pub(crate) stillborn: Vec<FileId>,
}

impl Log {
    /// Reads the segments `ids` (ascending) of `dir` and checks that they form a chain. `closed`
    /// says where the records of which segment ended when the log was closed.
    ///
    /// # Errors
    /// `Corruption` when one is damaged or missing, `Unusable` when one is of a newer format, `Io`.
    pub(crate) fn open(
        env: &Env,
        dir: &Path,
        ids: &[FileId],
        closed: Option<(FileId, u64)>,
    ) -> Result<Self> {
        let mut segments = Vec::new();
        let mut stillborn = Vec::new();
        for &id in ids {
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
        if let Some((id, end)) = closed {
            let last = segments.iter_mut().find(|segment| segment.id == id);
            let last = last.ok_or_else(|| {
                let path = FileName::Wal(id).path(dir);
                Error::corruption(&path, 0, "the last WAL segment", "no such segment")
            })?;
            last.end = Some(end);
        }
        Ok(Self { segments, stillborn })
    }
}

impl Segment {
    /// Reads a segment's header. A segment without one has no records.
    ///
    /// # Errors
    /// `Io`; `Unusable` when it is of a newer format.
    pub(super) fn open(env: &Env, dir: &Path, id: FileId) -> Result<Self> {
        let path = FileName::Wal(id).path(dir);
        let bytes = env.vfs.map(&path).map_err(|error| Error::io("read", &path, error))?;
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

    /// The first byte behind the end of a closed segment's records that was written all the same:
    /// what is set aside is zero. In a segment that was not closed it may be a torn record.
    pub(crate) fn written_behind(&self) -> Option<usize> {
        let end = usize::try_from(self.end?).ok()?;
        let unused = self.bytes.get(end..)?;
        unused.iter().position(|&byte| byte != 0).map(|at| end + at)
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
