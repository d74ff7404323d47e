//! Checks of the log's decoders; see [`crate::fuzzing`].

use std::path::Path;

use super::reader::{Bounds, Log};
use super::record::{RECORD_HEADER_LEN, Record, SEGMENT_HEADER_LEN, SegmentHeader};
use crate::env::{Env, FileId, FileName};
use crate::fuzzing::{flip, head};
use crate::timestamp::Timestamp;

const ID: FileId = FileId(7);
/// Where a record's length lies: a damaged length moves what the checksum covers.
const LEN_AT: std::ops::Range<usize> = 4..8;

/// A record and a segment header.
pub(crate) fn record(data: &[u8]) {
    if let Some(found) = Record::decode(ID, data, 0) {
        let mut again = Vec::new();
        found.encode(ID, &mut again);
        assert_eq!(again, data[..found.len()]);
    }
    if let Ok(header) = SegmentHeader::decode(data) {
        assert_eq!(SegmentHeader::decode(&header.encode()), Ok(header));
    }
    let ([ts, synced, choice @ ..], payload) = head::<10>(data);
    let record = Record { ts: Timestamp(ts.into()), synced: synced.into(), payload };
    let mut bytes = Vec::new();
    record.encode(ID, &mut bytes);
    assert_eq!(Record::decode(ID, &bytes, 0), Some(record));
    let len = bytes[LEN_AT].to_vec();
    flip(&mut bytes, 0, u64::from_le_bytes(choice));
    if bytes[LEN_AT] == len {
        assert_eq!(Record::decode(ID, &bytes, 0), None);
    }
}

/// A whole segment: what is replayed is a prefix of what was written, whatever became of it.
pub(crate) fn segment(data: &[u8]) {
    let ([record_len, damages, synced], mut rest) = head::<3>(data);
    let mut bytes = SegmentHeader { segment: ID, previous: None }.encode().to_vec();
    let mut written = Vec::new();
    for (ts, payload) in (1..5).zip(rest.chunks(usize::from(record_len).max(1))) {
        let ts = Timestamp(ts);
        let synced = (bytes.len() as u64).min(u64::from(synced));
        Record { ts, synced, payload }.encode(ID, &mut bytes);
        written.push((ts, payload));
        rest = &rest[payload.len()..];
    }
    bytes.extend_from_slice(rest);
    let end = bytes.len();
    bytes.resize(end + RECORD_HEADER_LEN, 0);
    for at in 0..usize::from(damages % 3) {
        let choice =
            data.iter().rev().skip(at * 4).take(4).fold(0, |all, byte| all << 8 | u64::from(*byte));
        flip(&mut bytes, if at == 0 { SEGMENT_HEADER_LEN } else { 0 }, choice);
    }
    let env = Env::memory();
    let dir = Path::new("/db");
    env.vfs.create_dir_all(dir).expect("in memory");
    let file = env.vfs.create(&FileName::Wal(ID).path(dir)).expect("in memory");
    file.write_at(0, &bytes).expect("in memory");
    let Ok(log) = Log::open(&env, dir, &[ID], Bounds::default()) else { return };
    let mut replayed = Vec::new();
    for segment in &log.segments {
        let _ = segment.replay(|_, ts, payload| {
            replayed.push((ts, payload.to_vec()));
            Ok(())
        });
    }
    let expected = written.iter().map(|(ts, payload)| (*ts, payload.to_vec()));
    assert!(expected.take(replayed.len()).eq(replayed), "not a prefix of what was written");
}
