//! Framing of the write-ahead log: the segment header and one record per commit.
//!
//! # Layout
//! ```text
//! segment header, 44 bytes
//! offset len  field
//!      0   8  magic            "CairnWAL"
//!      8   4  format version   u32
//!     12   8  segment          u64, this file's number
//!     20   8  previous         u64, the segment before; 0 = none
//!     28   8  previous end     u64, where the previous segment's records end
//!     36   4  reserved         zero
//!     40   4  checksum         of bytes 0..40
//!
//! record
//! offset len  field
//!      0   4  checksum         of the segment number (8 bytes) and bytes 4..24+n
//!      4   4  payload length   u32
//!      8   8  timestamp        u64
//!     16   8  synced           u64, offset up to which the segment was durable by then
//!     24   n  payload          a batch
//! ```
//! Integers are little-endian. Eight zero bytes where a record would begin end the log: segments
//! are set aside filled with zeros.
//!
//! The segment number inside the checksum makes a record of another file look like garbage.
//! `previous end` lets a segment be closed without writing to it again, and makes a missing
//! or shortened one visible. `synced` tells a torn tail from decay: a readable record after an
//! unreadable one proves that the unreadable one was durable exactly when `synced` lies behind it.

use crate::encoding::Decoder;
use crate::encoding::checksum::checksum;
use crate::env::FileId;
use crate::timestamp::Timestamp;

const MAGIC: &[u8; 8] = b"CairnWAL";
/// The newest format that this program reads, and the one it writes.
pub(super) const FORMAT_VERSION: u32 = 1;
const HEADER_CHECKSUM_AT: usize = 40;
/// Bytes before the first record.
pub(super) const SEGMENT_HEADER_LEN: usize = HEADER_CHECKSUM_AT + 4;
/// Bytes before a record's payload.
pub(super) const RECORD_HEADER_LEN: usize = 24;
const RECORD_CHECKSUM_LEN: usize = 4;
const SYNCED_AT: usize = 16;

/// What a segment says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub(super) segment: FileId,
    /// The segment before and the end of its records.
    pub(super) previous: Option<(FileId, u64)>,
}

/// Why a segment header cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadHeader {
    /// Bytes are missing or wrong.
    Malformed,
    /// It was written by a newer program.
    Newer(u32),
}

impl SegmentHeader {
    pub(super) fn encode(&self) -> [u8; SEGMENT_HEADER_LEN] {
        let (previous, end) = self.previous.unwrap_or_default();
        let mut bytes = [0; SEGMENT_HEADER_LEN];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes[12..20].copy_from_slice(&self.segment.0.to_le_bytes());
        bytes[20..28].copy_from_slice(&previous.0.to_le_bytes());
        bytes[28..36].copy_from_slice(&end.to_le_bytes());
        let sum = checksum(&[&bytes[..HEADER_CHECKSUM_AT]]);
        bytes[HEADER_CHECKSUM_AT..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BadHeader> {
        Self::read(bytes).ok_or(BadHeader::Malformed)?
    }

    fn read(bytes: &[u8]) -> Option<Result<Self, BadHeader>> {
        let covered = bytes.get(..HEADER_CHECKSUM_AT)?;
        let mut decoder = Decoder::new(bytes.get(..SEGMENT_HEADER_LEN)?);
        let magic = decoder.bytes(MAGIC.len())?;
        let version = decoder.u32()?;
        let segment = FileId(decoder.u64()?);
        let previous = FileId(decoder.u64()?);
        let end = decoder.u64()?;
        decoder.u32()?;
        if magic != MAGIC || decoder.u32()? != checksum(&[covered]) {
            return None;
        }
        if version > FORMAT_VERSION {
            return Some(Err(BadHeader::Newer(version)));
        }
        let previous = (previous != FileId(0)).then_some((previous, end));
        Some(Ok(Self { segment, previous }))
    }
}

/// One commit in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) ts: Timestamp,
    pub(super) synced: u64,
    pub(super) payload: &'a [u8],
}

impl<'a> Record<'a> {
    /// Bytes on disk.
    pub(super) fn len(&self) -> usize {
        RECORD_HEADER_LEN + self.payload.len()
    }

    /// Appends the record. Requires: the payload is shorter than 4 GiB.
    pub(super) fn encode(&self, segment: FileId, out: &mut Vec<u8>) {
        let start = out.len();
        let len = u32::try_from(self.payload.len()).expect("batches are bounded well below 4 GiB");
        out.extend_from_slice(&[0; RECORD_CHECKSUM_LEN]);
        out.extend_from_slice(&len.to_le_bytes());
        out.extend_from_slice(&self.ts.0.to_le_bytes());
        out.extend_from_slice(&self.synced.to_le_bytes());
        out.extend_from_slice(self.payload);
        let sum = checksum(&[&segment.0.to_le_bytes(), &out[start + RECORD_CHECKSUM_LEN..]]);
        out[start..start + RECORD_CHECKSUM_LEN].copy_from_slice(&sum.to_le_bytes());
    }

    /// The record at `offset` of a segment; `None` when there is no whole, correct record.
    pub(super) fn decode(segment: FileId, bytes: &'a [u8], offset: usize) -> Option<Self> {
        let mut decoder = Decoder::at(bytes, offset);
        let sum = decoder.u32()?;
        let len = usize::try_from(decoder.u32()?).ok()?;
        let ts = Timestamp(decoder.u64()?);
        let synced = decoder.u64()?;
        let payload = decoder.bytes(len)?;
        let covered = bytes.get(offset + RECORD_CHECKSUM_LEN..decoder.offset())?;
        (sum == checksum(&[&segment.0.to_le_bytes(), covered])).then_some(Self {
            ts,
            synced,
            payload,
        })
    }

    /// The `synced` field of what may be a record: a cheap test before the checksum.
    pub(super) fn synced_of(bytes: &[u8], offset: usize) -> Option<u64> {
        Decoder::at(bytes, offset.checked_add(SYNCED_AT)?).u64()
    }

    /// Whether the log ends at `offset`: nothing was written there.
    pub(super) fn is_end(bytes: &[u8], offset: usize) -> bool {
        let head = bytes.get(offset..).unwrap_or_default();
        head.iter().take(8).all(|&byte| byte == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEGMENT: FileId = FileId(7);

    #[test]
    fn header_detects_every_corrupt_byte() {
        let header = SegmentHeader { segment: SEGMENT, previous: Some((FileId(5), 1234)) };
        let bytes = header.encode();
        assert_eq!(SegmentHeader::decode(&bytes), Ok(header));
        for at in 0..bytes.len() {
            let mut bad = bytes;
            bad[at] ^= 0x10;
            assert_eq!(SegmentHeader::decode(&bad), Err(BadHeader::Malformed), "byte {at}");
            assert_eq!(SegmentHeader::decode(&bytes[..at]), Err(BadHeader::Malformed));
        }
    }

    #[test]
    fn newer_formats_are_told_apart_from_damage() {
        let mut bytes = SegmentHeader { segment: SEGMENT, previous: None }.encode();
        bytes[8..12].copy_from_slice(&9u32.to_le_bytes());
        let sum = checksum(&[&bytes[..HEADER_CHECKSUM_AT]]);
        bytes[HEADER_CHECKSUM_AT..].copy_from_slice(&sum.to_le_bytes());
        assert_eq!(SegmentHeader::decode(&bytes), Err(BadHeader::Newer(9)));
    }

    #[test]
    fn record_detects_every_corrupt_byte() {
        let record = Record { ts: Timestamp(99), synced: 44, payload: b"some batch" };
        let mut bytes = Vec::new();
        record.encode(SEGMENT, &mut bytes);
        assert_eq!(Record::decode(SEGMENT, &bytes, 0), Some(record));
        assert_eq!(Record::decode(FileId(8), &bytes, 0), None);
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 0x01;
            assert_eq!(Record::decode(SEGMENT, &bad, 0), None, "byte {at}");
            assert_eq!(Record::decode(SEGMENT, &bytes[..at], 0), None);
        }
    }

    #[test]
    fn bytes_are_as_documented() {
        let mut bytes = Vec::new();
        Record { ts: Timestamp(1), synced: 44, payload: b"xy" }.encode(SEGMENT, &mut bytes);
        assert_eq!(&bytes[4..], b"\x02\0\0\0\x01\0\0\0\0\0\0\0\x2c\0\0\0\0\0\0\0xy");
    }
}
