//! Snapshots with a name, which survive restarts, and reads as of the past.
//!
//! A named snapshot is a key like any other, so it is logged, copied and recovered with the rest:
//! ```text
//! key    0x06, the name in UTF-8
//! value  0  u64 timestamp that it reads at   8  u64 microseconds since 1970 when it was made
//! ```
//! Little-endian. While the key is there, the row versions that the snapshot sees are kept: by
//! memtables, compaction, derived indexes and whoever asks for [`Db::oldest_snapshot`] before
//! [`Db::drop_range`], in the same run and in later ones.
//!
//! # Invariants
//! N-1: a name's timestamp is pinned from before its key is written until its removal is durable.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::db::{Db, Shared};
use crate::encoding::Decoder;
use crate::error::{Error, Result};
use crate::history::micros;
use crate::keyspace::{Direction, KeyRange, Space};
use crate::lsm::Lsm;
use crate::options::{SNAPSHOT_COUNT_MAX, SNAPSHOT_NAME_LEN_MAX};
use crate::sync::Mutex;
use crate::timestamp::Timestamp;
use crate::txn::oracle::{Oracle, Pin};
use crate::txn::{Isolation, Snapshot, Transaction};

/// A named snapshot, described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedSnapshot {
    /// Its name.
    pub name: String,
    /// It sees every commit at or before this.
    pub timestamp: Timestamp,
    /// When it was made: time since 1970-01-01 00:00 UTC.
    pub created: Duration,
}

/// The named snapshots of an open database.
#[derive(Default)]
pub(crate) struct Names(Mutex<BTreeMap<String, (Arc<Pin>, Duration)>>);

impl Names {
    /// Takes up those that are stored.
    ///
    /// # Errors
    /// `Corruption`.
    pub(crate) fn recover(lsm: &Lsm, oracle: &Arc<Oracle>) -> Result<Self> {
        let mut names = BTreeMap::new();
        let range = KeyRange::prefix(&[Space::Snapshot as u8]);
        for entry in lsm.scan(&range, Timestamp::MAX, Direction::Forward)? {
            let (key, _, value) = entry?;
            let (name, ts, created) = decode(&key, &value)
                .ok_or_else(|| Error::internal("a named snapshot is not what was written"))?;
            names.insert(name, (Arc::new(oracle.pin_stored(ts)), created));
        }
        Ok(Self(Mutex::new(names)))
    }
}

fn key(name: &str) -> Vec<u8> {
    [&[Space::Snapshot as u8], name.as_bytes()].concat()
}

fn decode(key: &[u8], value: &[u8]) -> Option<(String, Timestamp, Duration)> {
    let name = std::str::from_utf8(key.get(1..)?).ok()?;
    let mut decoder = Decoder::new(value);
    let (ts, created) = (Timestamp(decoder.u64()?), Duration::from_micros(decoder.u64()?));
    decoder.is_empty().then(|| (name.to_owned(), ts, created))
}

fn check_name(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::invalid("a snapshot's name must not be empty"));
    }
    if name.len() > SNAPSHOT_NAME_LEN_MAX {
        let (limit, asked) = (SNAPSHOT_NAME_LEN_MAX as u64, name.len() as u64);
        return Err(Error::limit("snapshot name length", limit, asked));
    }
    Ok(())
}

impl Db {
    /// Keeps what is durable now under a name, until [`Db::drop_snapshot`]: restarts and crashes
    /// do not end it. Each name keeps the row versions that it sees on disk. On return it is
    /// durable.
    ///
    /// # Errors
    /// `Invalid` when the name is taken or empty, `Limit` when it is too long or there are too many
    /// names, `Io`, `DiskFull`, `Closed`.
    pub fn create_snapshot(&self, name: &str) -> Result<NamedSnapshot> {
        check_name(name)?;
        let shared = &self.shared;
        let mut names = shared.names.0.lock();
        if names.contains_key(name) {
            return Err(Error::invalid(format!("the snapshot is there already name={name}")));
        }
        if names.len() >= SNAPSHOT_COUNT_MAX {
            let (limit, asked) = (SNAPSHOT_COUNT_MAX as u64, names.len() as u64 + 1);
            return Err(Error::limit("named snapshots", limit, asked));
        }
        let pin = Arc::new(shared.oracle.pin_named());
        let (timestamp, created) = (pin.ts(), shared.history.now());
        let value = [timestamp.0.to_le_bytes(), micros(created).to_le_bytes()].concat();
        let written = self.write_now(&key(name), Some(&value))?;
        self.wait_durable(written)?;
        names.insert(name.to_owned(), (pin, created));
        Ok(NamedSnapshot { name: name.to_owned(), timestamp, created })
    }

    /// Gives a name up. Who reads from it reads on.
    ///
    /// # Errors
    /// `Invalid` when there is no such name, `Io`, `DiskFull`, `Closed`.
    pub fn drop_snapshot(&self, name: &str) -> Result<()> {
        let mut names = self.shared.names.0.lock();
        if !names.contains_key(name) {
            return Err(unknown(name));
        }
        let written = self.write_now(&key(name), None)?;
        self.wait_durable(written)?;
        names.remove(name);
        Ok(())
    }

    /// All named snapshots, by name.
    pub fn snapshots(&self) -> Vec<NamedSnapshot> {
        let names = self.shared.names.0.lock();
        let described = names.iter().map(|(name, (pin, created))| NamedSnapshot {
            name: name.clone(),
            timestamp: pin.ts(),
            created: *created,
        });
        described.collect()
    }

    /// Reads from a named snapshot.
    ///
    /// # Errors
    /// `Invalid` when there is no such name.
    pub fn open_snapshot(&self, name: &str) -> Result<Snapshot> {
        let names = self.shared.names.0.lock();
        let (pin, _) = names.get(name).ok_or_else(|| unknown(name))?;
        Ok(Snapshot::new(self.clone(), Arc::clone(pin)))
    }

    /// Reads as of a commit of the past. How far back that goes is what
    /// [`Options::history_retention`](crate::Options::history_retention) says, counted from when
    /// the database was first opened with it. What [`Db::drop_range`] gave up is not seen: who
    /// calls it waits for [`Db::oldest_snapshot`] first, which the window holds back.
    ///
    /// # Errors
    /// `Invalid` when `ts` is outside of what can be read; the message says from where to where.
    pub fn snapshot_at(&self, ts: Timestamp) -> Result<Snapshot> {
        let pin = self.shared.oracle.pin_at(ts).map_err(|readable| {
            let (first, last) = (readable.start().0, readable.end().0);
            Error::invalid(format!(
                "that moment cannot be read asked={} oldest={first} newest={last}",
                ts.0
            ))
        })?;
        Ok(Snapshot::new(self.clone(), Arc::new(pin)))
    }

    /// Reads as of a time, given as time since 1970-01-01 00:00 UTC: sees the commits made up to
    /// then, and none that was made [`MARK_INTERVAL`](crate::history::MARK_INTERVAL) later.
    ///
    /// # Errors
    /// As [`Db::snapshot_at`]; `Invalid` when the time has not come yet or is further back than is
    /// known.
    pub fn snapshot_at_time(&self, time: Duration) -> Result<Snapshot> {
        let Shared { oracle, lsm, history, .. } = &*self.shared;
        // Held, so that what the search goes by stays.
        let pin = oracle.pin_at(oracle.floor());
        let floor = pin.as_ref().map_or_else(|readable| *readable.start(), Pin::ts);
        let found = history.commit_at(lsm, time, floor, oracle.durable())?;
        let ts = found.ok_or_else(|| {
            Error::invalid(format!(
                "that time cannot be read, the past is not kept so long asked={}s",
                time.as_secs()
            ))
        })?;
        self.snapshot_at(ts)
    }

    /// Begins a transaction, under [`Isolation::RepeatableRead`], that sees what a snapshot does.
    /// Rows that were changed since cannot be written.
    pub fn begin_at(&self, snapshot: &Snapshot) -> Transaction {
        let txn = self.begin(Isolation::RepeatableRead);
        txn.set_snapshot(snapshot);
        txn
    }
}

fn unknown(name: &str) -> Error {
    Error::invalid(format!("there is no such snapshot name={name}"))
}

#[cfg(test)]
mod tests;
