//! The set of live files: readers go on while memtables are sealed and flushed and files merged.
//!
//! # Invariants
//! - A read at a timestamp answers the same whatever is sealed, flushed, merged or removed
//!   meanwhile: one pointer load gives a complete set of places to look.
//! - Every edit leaves a manifest that reads back, and nothing else in the directory.

use std::path::Path;
use std::sync::Arc;

use shuttle::thread;

use super::{check_one_in, options};
use crate::env::{Env, MemoryFs};
use crate::keyspace::{Direction, KeyRange};
use crate::lsm::{Batch, CompactionControl, Lsm, verify};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::timestamp::Timestamp;

const DIR: &str = "/db";
const KEY_COUNT: u8 = 3;

fn put_all(lsm: &Lsm, ts: u64) {
    let mut batch = Batch::new();
    (0..KEY_COUNT).for_each(|key| batch.put(&[key], &ts.to_le_bytes()));
    lsm.append(Timestamp(ts), &batch).unwrap();
}

fn read_all(lsm: &Lsm, ts: u64) {
    let expected = (ts > 0).then(|| ts.to_le_bytes().to_vec());
    for key in 0..KEY_COUNT {
        let found = lsm.get(&[key], Timestamp(ts)).unwrap();
        assert_eq!(found.map(|(_, value)| value.unwrap().to_vec()), expected, "at {ts}");
    }
    let rows = lsm.scan(&KeyRange::all(), Timestamp(ts), Direction::Forward).unwrap();
    let rows: Vec<_> = rows.map(|row| row.unwrap().2.to_vec()).collect();
    assert_eq!(rows, vec![expected.unwrap_or_default(); if ts > 0 { KEY_COUNT.into() } else { 0 }]);
}

#[test]
fn reads_do_not_notice_flushes_and_compactions() {
    check_one_in(20, || {
        let files = MemoryFs::default();
        let env = Env::with_files(Arc::new(files.clone()));
        let lsm = Lsm::open(env.clone(), Path::new(DIR), &options()).unwrap();
        let published = Arc::new(AtomicU64::new(0));
        let writer = {
            let (lsm, published) = (lsm.clone(), published.clone());
            thread::spawn(move || {
                for ts in 1..=3 {
                    put_all(&lsm, ts);
                    published.store(ts, Ordering::Release);
                }
            })
        };
        let worker = {
            let lsm = lsm.clone();
            thread::spawn(move || {
                lsm.flush().unwrap();
                lsm.compact_range(&KeyRange::all(), &CompactionControl::default()).unwrap();
            })
        };
        for _ in 0..2 {
            read_all(&lsm, published.load(Ordering::Acquire));
        }
        writer.join().unwrap();
        worker.join().unwrap();
        read_all(&lsm, 3);
        lsm.close().unwrap();
        drop(lsm);
        assert_eq!(verify(&env, Path::new(DIR)).unwrap().findings, []);
        let lsm = Lsm::open(env, Path::new(DIR), &options()).unwrap();
        read_all(&lsm, 3);
    });
}
