//! The event log: what became of the files, for those who look at it later.
//!
//! One fixed file, [`FileName::Events`], keeps the last [`RECORD_COUNT_MAX`] flushes, compactions
//! and bulk loads. Nothing depends on it: it is never synced, errors of writing it are passed over,
//! records that are damaged or torn are skipped, and a file that is not readable counts as empty.
//!
//! # Layout
//! ```text
//! header, 16 bytes
//! offset len  field
//!      0   8  magic            "CairnEVT"
//!      8   4  format version   u32
//!     12   4  checksum         of bytes 0..12
//!
//! record n at 16 + 116 * (n mod 8192)
//! offset len  field
//!      0   4  checksum         of bytes 4..116
//!      4   1  kind             see EventKind
//!      5   1  reason           code of a compaction's reason, plus 1; 0 = none
//!      6   1  from level       255 = none
//!      7   1  to level         255 = none
//!      8   8  number           u64, n
//!     16   8  end              u64, microseconds since 1970-01-01 00:00 UTC
//!     24   8  duration         u64, microseconds
//!     32   8  bytes read       u64
//!     40   8  bytes written    u64; of files that were moved: their bytes
//!     48   4  files read       u32
//!     52   4  files written    u32
//!     56  56  bytes of levels 0 to 6 afterwards   u64 each
//!    112   4  files of level 0 afterwards         u32
//! ```
//! Opening writes the records anew from 0 on.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::compaction::Reason;
use super::store::Store;
use super::version::{LEVEL_COUNT, Shape};
use crate::encoding::Decoder;
use crate::encoding::checksum::checksum;
use crate::env::{Env, File, FileName};
use crate::error::{Error, Result};

const MAGIC: &[u8; 8] = b"CairnEVT";
const FORMAT_VERSION: u32 = 1;
const HEADER_LEN: usize = 16;
const RECORD_LEN: usize = 116;
/// Records in the file. 8,192: less than a MiB, and a day at one event in ten seconds.
const RECORD_COUNT_MAX: usize = 8192;
const NO_LEVEL: u8 = u8::MAX;

/// What happened to files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// The store was opened.
    Open = 1,
    /// A memtable became a file of level 0.
    Flush = 2,
    /// Files were merged.
    Merge = 3,
    /// Files changed their level.
    Move = 4,
    /// Files of a dropped range were removed.
    Drop = 5,
    /// Files were bulk loaded.
    Ingest = 6,
}

impl EventKind {
    fn from_code(code: u8) -> Option<Self> {
        let all = [Self::Open, Self::Flush, Self::Merge, Self::Move, Self::Drop, Self::Ingest];
        all.into_iter().find(|kind| *kind as u8 == code)
    }
}

/// One thing that happened to files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// What.
    pub kind: EventKind,
    /// Why, of merges and moves.
    pub reason: Option<Reason>,
    /// The first level that was read.
    pub from_level: Option<usize>,
    /// The level that was written.
    pub to_level: Option<usize>,
    /// When it ended, since 1970-01-01 00:00 UTC.
    pub ended: Duration,
    /// How long it took.
    pub took: Duration,
    /// Bytes read.
    pub len_read: u64,
    /// Bytes written; of files that were moved: their bytes.
    pub len_written: u64,
    /// Files read.
    pub files_read: usize,
    /// Files written.
    pub files_written: usize,
    /// Bytes of each level afterwards, level 0 first.
    pub level_lens: [u64; LEVEL_COUNT],
    /// Files of level 0 afterwards.
    pub level0_count: usize,
}

impl Event {
    /// An event of which nothing else is known yet.
    pub(super) fn new(kind: EventKind) -> Self {
        Self {
            kind,
            reason: None,
            from_level: None,
            to_level: None,
            ended: Duration::ZERO,
            took: Duration::ZERO,
            len_read: 0,
            len_written: 0,
            files_read: 0,
            files_written: 0,
            level_lens: [0; LEVEL_COUNT],
            level0_count: 0,
        }
    }

    fn encode(&self, number: u64) -> [u8; RECORD_LEN] {
        let level = |level: Option<usize>| level.map_or(NO_LEVEL, |level| level as u8);
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes();
        let mut bytes = Vec::with_capacity(RECORD_LEN);
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&[
            self.kind as u8,
            self.reason.map_or(0, |reason| reason as u8 + 1),
            level(self.from_level),
            level(self.to_level),
        ]);
        let numbers =
            [number, micros(self.ended), micros(self.took), self.len_read, self.len_written];
        numbers.iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
        bytes.extend_from_slice(&count(self.files_read));
        bytes.extend_from_slice(&count(self.files_written));
        self.level_lens.iter().for_each(|len| bytes.extend_from_slice(&len.to_le_bytes()));
        bytes.extend_from_slice(&count(self.level0_count));
        let sum = checksum(&[&bytes[4..]]);
        bytes[..4].copy_from_slice(&sum.to_le_bytes());
        let mut record = [0; RECORD_LEN];
        record.copy_from_slice(&bytes);
        record
    }

    /// Reads a record and its number; `None` when it is damaged.
    fn decode(bytes: &[u8]) -> Option<(u64, Self)> {
        let mut decoder = Decoder::new(bytes.get(..RECORD_LEN)?);
        if decoder.u32()? != checksum(&[&bytes[4..RECORD_LEN]]) {
            return None;
        }
        let mut event = Self::new(EventKind::from_code(decoder.u8()?)?);
        let reason = decoder.u8()?;
        event.reason =
            usize::from(reason).checked_sub(1).and_then(|code| Reason::ALL.get(code)).copied();
        let level = |code: u8| Some(usize::from(code)).filter(|level| *level < LEVEL_COUNT);
        event.from_level = level(decoder.u8()?);
        event.to_level = level(decoder.u8()?);
        let number = decoder.u64()?;
        event.ended = Duration::from_micros(decoder.u64()?);
        event.took = Duration::from_micros(decoder.u64()?);
        event.len_read = decoder.u64()?;
        event.len_written = decoder.u64()?;
        event.files_read = decoder.u32()? as usize;
        event.files_written = decoder.u32()? as usize;
        for len in &mut event.level_lens {
            *len = decoder.u64()?;
        }
        event.level0_count = decoder.u32()? as usize;
        Some((number, event))
    }
}

const _: () = assert!(4 + 4 + 5 * 8 + 2 * 4 + LEVEL_COUNT * 8 + 4 == RECORD_LEN);

/// The log, open for writing.
pub(super) struct EventLog(Mutex<Option<Writer>>);

struct Writer {
    file: Arc<dyn File>,
    next: u64,
}

impl EventLog {
    /// Begins a log with the events of the one that is there. Without it when that fails.
    pub(super) fn open(env: &Env, dir: &Path) -> Self {
        let writer = begin(env, dir);
        if let Err(error) = &writer {
            tracing::debug!(%error, "no event log");
        }
        Self(Mutex::new(writer.ok()))
    }

    fn add(&self, event: &Event) {
        let mut writer = self.0.lock();
        let Some(Writer { file, next }) = &mut *writer else { return };
        let slot = *next % RECORD_COUNT_MAX as u64;
        let offset = HEADER_LEN as u64 + slot * RECORD_LEN as u64;
        let written = file.write_at(offset, &event.encode(*next));
        *next += 1;
        if let Err(error) = written {
            tracing::debug!(%error, "an event was not logged");
        }
    }
}

fn begin(env: &Env, dir: &Path) -> Result<Writer> {
    let path = FileName::Events.path(dir);
    let events = read(env, dir)?;
    let mut bytes = header().to_vec();
    for (number, event) in (0..).zip(&events) {
        bytes.extend_from_slice(&event.encode(number));
    }
    let file = env.vfs.create(&path).map_err(|error| Error::io("create", &path, error))?;
    file.write_at(0, &bytes).map_err(|error| Error::io("write", &path, error))?;
    Ok(Writer { file, next: events.len() as u64 })
}

fn header() -> [u8; HEADER_LEN] {
    let mut bytes = [0; HEADER_LEN];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
    let sum = checksum(&[&bytes[..12]]);
    bytes[12..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// The events in a data directory, oldest first; none when there is no log, or none that this
/// program can read.
///
/// # Errors
/// `Io`.
pub(crate) fn read(env: &Env, dir: &Path) -> Result<Vec<Event>> {
    let path = FileName::Events.path(dir);
    if !env.vfs.exists(&path).map_err(|error| Error::io("look up", &path, error))? {
        return Ok(Vec::new());
    }
    let bytes = env.vfs.map(&path).map_err(|error| Error::io("read", &path, error))?;
    if !bytes.starts_with(&header()) {
        return Ok(Vec::new());
    }
    let records = bytes[HEADER_LEN..].chunks_exact(RECORD_LEN).take(RECORD_COUNT_MAX);
    let mut events: Vec<_> = records.filter_map(Event::decode).collect();
    events.sort_by_key(|(number, _)| *number);
    Ok(events.into_iter().map(|(_, event)| event).collect())
}

impl Store {
    /// Logs what happened, with the time and the levels as they are now.
    pub(super) fn note(&self, event: Event) {
        let state = self.state.load();
        self.events.add(&at(&self.env, state.version.shape(), event));
    }
}

/// An event that just ended.
fn at(env: &Env, shape: &Shape, event: Event) -> Event {
    let mut level_lens = [0; LEVEL_COUNT];
    for (level, len) in level_lens.iter_mut().enumerate() {
        *len = shape.level_len(level);
    }
    Event { ended: env.clock.unix_time(), level_lens, level0_count: shape.levels[0].len(), ..event }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::MemoryFs;

    const DIR: &str = "/db";

    fn environment() -> (MemoryFs, Env) {
        let files = MemoryFs::default();
        let env = Env::with_files(Arc::new(files.clone()));
        env.vfs.create_dir_all(Path::new(DIR)).unwrap();
        (files, env)
    }

    fn example(n: u64) -> Event {
        Event {
            reason: Some(Reason::Space),
            from_level: Some(2),
            to_level: Some(6),
            ended: Duration::from_micros(1_700_000_000_000_000 + n),
            took: Duration::from_micros(n),
            len_read: n * 3,
            len_written: n * 2,
            files_read: 4,
            files_written: 3,
            level_lens: [n, 0, 1, 2, 3, 4, 5],
            level0_count: 9,
            ..Event::new(EventKind::Merge)
        }
    }

    fn read_all(env: &Env) -> Vec<Event> {
        read(env, Path::new(DIR)).unwrap()
    }

    #[test]
    fn the_last_events_are_kept_across_openings() {
        let (_, env) = environment();
        let log = EventLog::open(&env, Path::new(DIR));
        (0..3).for_each(|n| log.add(&example(n)));
        let log = EventLog::open(&env, Path::new(DIR));
        let count = RECORD_COUNT_MAX as u64 + 5;
        (3..count).for_each(|n| log.add(&example(n)));
        let wanted: Vec<_> = (5..count).map(example).collect();
        assert_eq!(read_all(&env), wanted);
        drop(EventLog::open(&env, Path::new(DIR)));
        assert_eq!(read_all(&env), wanted, "opening changes nothing");
        let len = env.vfs.map(&FileName::Events.path(Path::new(DIR))).unwrap().len();
        assert_eq!(len, HEADER_LEN + RECORD_COUNT_MAX * RECORD_LEN);
    }

    #[test]
    fn damage_takes_what_it_hits_and_nothing_else() {
        let (files, env) = environment();
        let log = EventLog::open(&env, Path::new(DIR));
        (0..3).for_each(|n| log.add(&example(n)));
        let path = FileName::Events.path(Path::new(DIR));
        for at in 0..HEADER_LEN + 3 * RECORD_LEN {
            files.corrupt(&path, at, 0x10);
            let left = read_all(&env).len();
            assert_eq!(left, if at < HEADER_LEN { 0 } else { 2 }, "byte {at}");
            files.corrupt(&path, at, 0x10);
        }
        assert_eq!(read_all(&env).len(), 3);
    }
}
