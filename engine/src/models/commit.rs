//! The commit pipeline: order, publication, durability, early lock release.
//!
//! # Invariants
//! - O-1: durable ≤ published, and neither goes back.
//! - O-2: the oldest snapshot is at or below every snapshot in use and every one taken later.
//! - A snapshot never changes: what it shows once, it shows again.
//! - What was acknowledged survives a power cut, and what survives is a prefix of the commits.
//! - Of two that change one row, the second builds on the first, durable or not.

use std::path::Path;
use std::sync::Arc;

use shuttle::thread;

use super::{check, options};
use crate::env::{Env, MemoryFs};
use crate::lsm::Lsm;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::timestamp::Timestamp;
use crate::{Db, Direction, Isolation, KeyRange, LockStrength, WaitPolicy};

const DIR: &str = "/db";

fn open(files: &MemoryFs) -> Db {
    Db::open_in(Env::with_files(Arc::new(files.clone())), Path::new(DIR), options()).unwrap()
}

/// Adds one to a row as SQL would: lock it, read its newest version, write, commit.
fn increment(db: &Db, key: &[u8]) -> Timestamp {
    let txn = db.begin(Isolation::ReadCommitted);
    let outcome = txn.lock(key, LockStrength::Update, WaitPolicy::Wait(None)).unwrap();
    assert_eq!(outcome, crate::LockOutcome::Granted);
    let before = txn.get_newest(key).unwrap().map_or(0, |value| value[0]);
    txn.put(key, &[before + 1]).unwrap();
    txn.commit_logged().unwrap()
}

#[test]
fn timestamps_keep_their_order() {
    check(|| {
        let db = open(&MemoryFs::default());
        let committers: Vec<_> = (0..2u8)
            .map(|n| {
                let db = db.clone();
                thread::spawn(move || {
                    let ts = increment(&db, &[n]);
                    db.wait_durable(ts).unwrap();
                    assert!(db.durable_timestamp() >= ts);
                })
            })
            .collect();
        let oracle = db.shared.oracle.clone();
        let mut last = (Timestamp(0), Timestamp(0));
        for _ in 0..3 {
            let durable = oracle.durable();
            let published = oracle.published();
            assert!(durable <= published, "O-1: {durable:?} {published:?}");
            assert!(last.0 <= durable && last.1 <= published, "O-1: {last:?} went back");
            last = (durable, published);
            let oldest = oracle.oldest();
            let pin = oracle.pin(Timestamp(0));
            assert!(oldest <= pin.ts() && oracle.oldest() <= pin.ts(), "O-2");
        }
        committers.into_iter().for_each(|it| it.join().unwrap());
    });
}

#[test]
fn snapshots_never_change() {
    check(|| {
        let db = open(&MemoryFs::default());
        let committer = {
            let db = db.clone();
            thread::spawn(move || {
                for n in 1..3 {
                    let txn = db.begin(Isolation::ReadCommitted);
                    txn.put(b"left", &[n]).unwrap();
                    txn.put(b"right", &[n]).unwrap();
                    txn.commit_logged().unwrap();
                }
            })
        };
        // Syncs whatever is in the log, as any other session may at any moment.
        let syncer = {
            let db = db.clone();
            thread::spawn(move || {
                for _ in 0..2 {
                    db.wait_durable(db.shared.oracle.published()).unwrap();
                    db.shared.maintenance.forget();
                }
            })
        };
        for _ in 0..2 {
            let snapshot = db.snapshot();
            let left = snapshot.get(b"left").unwrap();
            let right = snapshot.get(b"right").unwrap();
            assert_eq!(left, right, "half a commit");
            assert_eq!(snapshot.get(b"left").unwrap(), left, "a snapshot changed");
            let scan = snapshot.scan(&KeyRange::all(), Direction::Forward).unwrap();
            assert_eq!(scan.count(), usize::from(left.is_some()) * 2);
        }
        committer.join().unwrap();
        syncer.join().unwrap();
    });
}

#[test]
fn locks_are_free_before_the_sync_and_nothing_is_lost() {
    check(|| {
        let db = open(&MemoryFs::default());
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let db = db.clone();
                thread::spawn(move || increment(&db, b"hot"))
            })
            .collect();
        let last = threads.into_iter().map(|it| it.join().unwrap()).max().unwrap();
        db.wait_durable(last).unwrap();
        assert_eq!(db.snapshot().get(b"hot").unwrap().as_deref(), Some(&[3][..]));
        assert!(db.locks().is_empty());
    });
}

#[test]
fn what_is_acknowledged_survives_and_what_survives_is_a_prefix() {
    check(|| {
        let files = MemoryFs::default();
        let db = open(&files);
        let acknowledged = Arc::new(AtomicU64::new(0));
        let threads: Vec<_> = (0..2u8)
            .map(|n| {
                let (db, acknowledged) = (db.clone(), acknowledged.clone());
                thread::spawn(move || {
                    for _ in 0..2 {
                        let ts = db.write_now(&[n], Some(b"value")).unwrap();
                        db.wait_durable(ts).unwrap();
                        acknowledged.fetch_max(ts.0, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        for seed in 0..2 {
            let promised = acknowledged.load(Ordering::SeqCst);
            let image = files.crash_image(seed);
            let published = db.shared.oracle.published();
            let env = Env::with_files(Arc::new(image));
            let lsm = Lsm::open(env, Path::new(DIR), &options()).unwrap();
            let survived = lsm.last_timestamp();
            assert!(promised <= survived.0, "{promised} was acknowledged, {survived:?} survived");
            assert!(survived.0 <= published.0 + 1, "nobody wrote {survived:?}");
            // Each commit wrote one version; none is missing in between.
            let versions = lsm.scan_since(&KeyRange::all(), Timestamp(0)).unwrap();
            let newest = versions.map(|version| version.unwrap().1).max().unwrap_or_default();
            assert_eq!(newest, survived);
        }
        threads.into_iter().for_each(|it| it.join().unwrap());
    });
}

#[test]
fn callbacks_come_once_and_after_the_sync() {
    check(|| {
        let db = open(&MemoryFs::default());
        let called = Arc::new(AtomicU64::new(0));
        let threads: Vec<_> = (0..2u8)
            .map(|n| {
                let (db, called) = (db.clone(), called.clone());
                thread::spawn(move || {
                    let ts = increment(&db, &[n]);
                    let oracle = db.shared.oracle.clone();
                    let callback = move |outcome: crate::Result<()>| {
                        outcome.unwrap();
                        assert!(oracle.durable() >= ts, "called before the sync");
                        called.fetch_add(1, Ordering::SeqCst);
                    };
                    db.on_durable(ts, Box::new(callback));
                })
            })
            .collect();
        threads.into_iter().for_each(|it| it.join().unwrap());
        db.close().unwrap();
        assert_eq!(called.load(Ordering::SeqCst), 2);
    });
}
