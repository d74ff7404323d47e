//! The time of commits, and how far back it is kept what they replaced.
//!
//! One key, [`Space::Time`], holds the time: now and then a commit sets it besides what it commits,
//! in the same batch. So it is in the log and in every copy of it, and its row versions, which are
//! kept just as long as all others, map commit timestamps to time. A commit belongs to the newest
//! mark at or below it, and was made less than [`MARK_INTERVAL`] after that mark.
//!
//! What passes the log by leaves a note in it, if there is an archive that lives from the log:
//! [`Space::Dropped`] holds the range that was dropped last.
//!
//! # Values
//! - [`Space::Time`]: `u64` microseconds since 1970-01-01 00:00 UTC, little-endian.
//! - [`Space::Dropped`]: start length-prefixed, has end `u8`, end length-prefixed.
//!
//! # Invariants
//! H-1: marks never go back. When the clock does, there are none until it has caught up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::encoding::Decoder;
use crate::env::Clock;
use crate::error::Result;
use crate::keyspace::{KeyRange, Space};
use crate::lsm::{Batch, Lsm};
use crate::options::Options;
use crate::timestamp::Timestamp;
use crate::txn::oracle::Oracle;

/// The key of the marks.
const MARK_KEY: &[u8] = &[Space::Time as u8];

/// The key of the notes.
const DROPPED_KEY: &[u8] = &[Space::Dropped as u8];

/// The least time between two marks. 100 ms: ten small row versions a second at most.
pub const MARK_INTERVAL: Duration = Duration::from_millis(100);

/// A mark to be written: microseconds.
pub(crate) struct Mark(u64);

impl Mark {
    /// Adds it to what a commit writes.
    pub(crate) fn put(&self, batch: &mut Batch) {
        batch.put(MARK_KEY, &self.0.to_le_bytes());
    }
}

/// Marks the time of commits, and keeps the past readable for a while.
pub(crate) struct History {
    clock: Arc<dyn Clock>,
    /// How long; zero: not at all.
    retention: Duration,
    is_marking: bool,
    is_archiving: bool,
    /// Microseconds of the newest mark.
    last: AtomicU64,
}

impl History {
    /// Goes on from the newest mark of a store.
    ///
    /// # Errors
    /// `Corruption`.
    pub(crate) fn open(clock: Arc<dyn Clock>, lsm: &Lsm, options: &Options) -> Result<Self> {
        let retention = options.history_retention;
        let last = time_at(lsm, Timestamp::MAX)?.map_or(0, micros);
        let is_archiving = options.wal_archive.is_some();
        let is_marking = is_archiving || !retention.is_zero();
        Ok(Self { clock, retention, is_marking, is_archiving, last: AtomicU64::new(last) })
    }

    /// The mark for a commit that is made now, if one is due; `is_load`: the next commit may take
    /// long and cannot carry one. Requires: the commit mutex is held.
    pub(crate) fn due_mark(&self, is_load: bool) -> Option<Mark> {
        if !self.is_marking {
            return None;
        }
        let now = micros(self.clock.unix_time());
        let elapsed = now.checked_sub(self.last.load(Ordering::Relaxed))?;
        let is_due = elapsed > 0 && is_load || Duration::from_micros(elapsed) >= MARK_INTERVAL;
        is_due.then_some(Mark(now))
    }

    /// A mark is in the log.
    pub(crate) fn set_marked(&self, mark: &Mark) {
        self.last.store(mark.0, Ordering::Relaxed);
    }

    /// The note to be committed before a range is dropped, if one is needed.
    pub(crate) fn drop_note(&self, range: &KeyRange) -> Option<Batch> {
        self.is_archiving.then(|| {
            let (mut batch, mut value) = (Batch::new(), Vec::new());
            range.encode(&mut value);
            batch.put(DROPPED_KEY, &value);
            batch
        })
    }

    /// Lets go of the past that has become too old.
    pub(crate) fn advance(&self, lsm: &Lsm, oracle: &Oracle) {
        if self.retention.is_zero() {
            return;
        }
        let oldest = self.clock.unix_time().saturating_sub(self.retention);
        let (floor, durable) = (oracle.floor(), oracle.durable());
        match last_at(lsm, oldest, floor, durable) {
            Ok(found) => oracle.keep_from(found),
            // What is kept for too long does no harm.
            Err(error) => tracing::warn!(%error, "could not tell how old row versions are"),
        }
    }

    /// The newest commit between two timestamps that was made at or before `time`.
    ///
    /// # Errors
    /// `Corruption`; `Invalid` when `time` has not come yet, or is before all that is known.
    pub(crate) fn commit_at(
        &self,
        lsm: &Lsm,
        time: Duration,
        floor: Timestamp,
        durable: Timestamp,
    ) -> Result<Option<Timestamp>> {
        if time > self.clock.unix_time() {
            return Err(crate::Error::invalid("that time has not come yet"));
        }
        let found = last_at(lsm, time, floor, durable)?;
        Ok(time_at(lsm, found)?.filter(|made| *made <= time).map(|_| found))
    }

    /// The time now.
    pub(crate) fn now(&self) -> Duration {
        self.clock.unix_time()
    }
}

/// The time that a commit notes, if it does.
pub(crate) fn mark_in<'a>(operations: impl Iterator<Item = Operation<'a>>) -> Option<Duration> {
    value_of(MARK_KEY, operations).and_then(read_mark)
}

/// The range that was dropped after a commit, if it says so.
pub(crate) fn dropped_in<'a>(operations: impl Iterator<Item = Operation<'a>>) -> Option<KeyRange> {
    let value = value_of(DROPPED_KEY, operations)?;
    KeyRange::decode(&mut Decoder::new(value))
}

/// A key of a commit and its value.
type Operation<'a> = (&'a [u8], Option<&'a [u8]>);

fn value_of<'a>(
    key: &[u8],
    mut operations: impl Iterator<Item = Operation<'a>>,
) -> Option<&'a [u8]> {
    operations.find(|(found, _)| *found == key).and_then(|(_, value)| value)
}

/// The time of a commit: that of the newest mark at or below it. `None` when there is none.
///
/// # Errors
/// `Corruption`.
pub(crate) fn time_at(lsm: &Lsm, ts: Timestamp) -> Result<Option<Duration>> {
    let mark = lsm.get(MARK_KEY, ts)?.and_then(|(_, value)| value);
    Ok(mark.and_then(|value| read_mark(&value)))
}

/// The time that a mark's value says; `None` when it is none.
fn read_mark(value: &[u8]) -> Option<Duration> {
    Decoder::new(value).u64().map(Duration::from_micros)
}

/// The newest commit in `first..=last` that was not made after `time`; `first` when all were. Those
/// before the first mark are taken for older than any time.
///
/// Requires: all row versions from `first` on are there.
fn last_at(lsm: &Lsm, time: Duration, first: Timestamp, last: Timestamp) -> Result<Timestamp> {
    let is_by_then = |ts: Timestamp| Ok(time_at(lsm, ts)?.is_none_or(|made| made <= time));
    // By H-1: up to some commit all were made by then, after it none.
    let (mut by_then, mut after) = (first.0, last.0.saturating_add(1));
    while after - by_then > 1 {
        let middle = by_then.midpoint(after);
        if is_by_then(Timestamp(middle))? { by_then = middle } else { after = middle }
    }
    Ok(Timestamp(by_then))
}

pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
