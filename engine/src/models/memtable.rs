//! The memtable and its key filter: one writer, readers at their snapshots.
//!
//! # Invariants
//! - A reader whose snapshot has an entry finds it: the key filter never denies it, and versions
//!   that a snapshot in use sees are not removed.
//! - M-1: a sealed memtable never changes.

use std::sync::Arc;

use bytes::Bytes;
use shuttle::thread;

use super::check;
use crate::env::FileId;
use crate::keyspace::KeyRange;
use crate::lsm::batch::{Batch, operations};
use crate::lsm::memtable::Memtable;
use crate::lsm::sstable::filter::key_hash;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::timestamp::Timestamp;
use crate::txn::oracle::Oracle;

const KEYS: [&[u8]; 2] = [b"a", b"b"];

fn apply(memtable: &Memtable, ts: Timestamp, value: u8, oldest: Timestamp) {
    let mut batch = Batch::new();
    KEYS.iter().for_each(|key| batch.put(key, &[value]));
    let bytes = Bytes::copy_from_slice(batch.as_bytes());
    let operations = operations(batch.as_bytes()).into_iter().flatten().flatten();
    memtable.apply(ts, &bytes, operations, oldest);
}

#[test]
fn snapshots_find_what_they_see() {
    check(|| {
        let memtable = Arc::new(Memtable::new(FileId(1)));
        let oracle = Arc::new(Oracle::new(Timestamp(0), Timestamp(0)));
        let writer = {
            let (memtable, oracle) = (memtable.clone(), oracle.clone());
            thread::spawn(move || {
                for ts in 1..=3 {
                    apply(&memtable, Timestamp(ts), ts as u8, oracle.oldest());
                    oracle.publish(Timestamp(ts));
                    oracle.advance_durable(Timestamp(ts));
                }
                memtable.seal();
            })
        };
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let (memtable, oracle) = (memtable.clone(), oracle.clone());
                thread::spawn(move || {
                    let pin = oracle.pin(Timestamp(0));
                    for key in KEYS {
                        let found = memtable.get(key, key_hash(key), pin.ts());
                        let found = found.map(|(ts, value)| (ts, value.unwrap()[0]));
                        let expected = (pin.ts().0 > 0).then_some((pin.ts(), pin.ts().0 as u8));
                        assert_eq!(found, expected, "at {:?}", pin.ts());
                    }
                })
            })
            .collect();
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        writer.join().unwrap();
        assert_eq!(memtable.last_ts(), Timestamp(3));
        assert!(memtable.count(&KeyRange::all()).unwrap() >= 2);
    });
}

#[test]
fn a_key_is_in_the_filter_before_its_entry_is_published() {
    check(|| {
        let memtable = Arc::new(Memtable::new(FileId(1)));
        let published = Arc::new(AtomicU64::new(0));
        let writer = {
            let (memtable, published) = (memtable.clone(), published.clone());
            thread::spawn(move || {
                apply(&memtable, Timestamp(1), 1, Timestamp(0));
                published.store(1, Ordering::Release);
            })
        };
        let ts = Timestamp(published.load(Ordering::Acquire));
        let found = memtable.get(b"a", key_hash(b"a"), ts);
        assert_eq!(found.is_some(), ts == Timestamp(1));
        writer.join().unwrap();
    });
}
