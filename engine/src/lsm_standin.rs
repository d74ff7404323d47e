//! A memory-only stand-in with the interface of the log-structured merge tree.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parking_lot::RwLock;

use crate::error::Result;
use crate::keyspace::{Direction, KeyRange};
use crate::timestamp::Timestamp;

type Rows = BTreeMap<(Bytes, Reverse<Timestamp>), Option<Bytes>>;

#[derive(Default)]
pub struct Lsm {
    rows: RwLock<Rows>,
    last: AtomicU64,
}

#[derive(Default)]
pub struct Batch(Vec<(Bytes, Option<Bytes>)>);

impl Batch {
    pub fn put(&mut self, key: &[u8], value: &[u8]) {
        self.0.push((Bytes::copy_from_slice(key), Some(Bytes::copy_from_slice(value))));
    }
    pub fn delete(&mut self, key: &[u8]) {
        self.0.push((Bytes::copy_from_slice(key), None));
    }
}

pub struct LsmScan(std::vec::IntoIter<(Bytes, Timestamp, Bytes)>);

impl Iterator for LsmScan {
    type Item = Result<(Bytes, Timestamp, Bytes)>;
    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(Ok)
    }
}

impl Lsm {
    pub fn last_timestamp(&self) -> Timestamp {
        Timestamp(self.last.load(Ordering::Acquire))
    }
    pub fn append(&self, ts: Timestamp, batch: &Batch) -> Result<()> {
        let mut rows = self.rows.write();
        for (key, value) in &batch.0 {
            rows.insert((key.clone(), Reverse(ts)), value.clone());
        }
        self.last.store(ts.0, Ordering::Release);
        Ok(())
    }
    pub fn sync(&self) -> Result<Timestamp> {
        Ok(self.last_timestamp())
    }
    pub fn get(&self, key: &[u8], ts: Timestamp) -> Result<Option<(Timestamp, Option<Bytes>)>> {
        let from = (Bytes::copy_from_slice(key), Reverse(ts));
        let rows = self.rows.read();
        let first = rows.range(from..).next();
        Ok(first.filter(|((k, _), _)| k == key).map(|((_, ts), value)| (ts.0, value.clone())))
    }
    pub fn scan(&self, range: &KeyRange, ts: Timestamp, direction: Direction) -> Result<LsmScan> {
        let mut found: BTreeMap<Bytes, (Timestamp, Option<Bytes>)> = BTreeMap::new();
        let from = (Bytes::copy_from_slice(&range.start), Reverse(Timestamp::MAX));
        for ((key, version), value) in self.rows.read().range(from..) {
            if !range.contains(key) {
                break;
            }
            if version.0 <= ts {
                found.entry(key.clone()).or_insert((version.0, value.clone()));
            }
        }
        let mut rows: Vec<_> =
            found.into_iter().filter_map(|(key, (ts, value))| Some((key, ts, value?))).collect();
        if direction == Direction::Reverse {
            rows.reverse();
        }
        Ok(LsmScan(rows.into_iter()))
    }
    pub fn drop_range(&self, range: &KeyRange) -> Result<()> {
        self.rows.write().retain(|(key, _), _| !range.contains(key));
        Ok(())
    }
    pub fn set_oldest_snapshot(&self, _ts: Timestamp) {}
}
