//! What a failing disk does to a store: it stays readable, nothing acknowledged is lost, and it
//! works again after reopening. How a whole database goes on without: [`crate::simulation`].

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::ErrorKind;
use crate::env::MemoryFs;
use crate::env::fault::{FaultFs, Lasting, Operation, Rule};

const DIR: &str = "/db";

fn options() -> Options {
    Options {
        memtable_len_max: 2 << 10,
        sstable_len_max: 2 << 10,
        block_len: 256,
        level_base_len_max: 4 << 10,
        level_len_multiplier: 3,
        background_thread_count: 0,
        wal_allocation_len: 1 << 10,
        ..Options::default()
    }
}

fn rule(operation: Option<Operation>, skip: u64, lasting: Lasting, error: io::ErrorKind) -> Rule {
    Rule { operation, path_contains: String::new(), skip, lasting, error }
}

/// Writes until something fails; returns what was acknowledged and what was attempted.
fn write(lsm: &Lsm) -> (BTreeMap<Vec<u8>, u64>, u64) {
    let mut durable = BTreeMap::new();
    let mut attempted = lsm.last_timestamp().0;
    for n in 0..120_u64 {
        let ts = lsm.last_timestamp().0 + 1;
        let key = format!("key{:02}", n % 50).into_bytes();
        let mut batch = Batch::new();
        batch.put(&key, format!("value {ts} {}", "x".repeat(40)).as_bytes());
        attempted = ts;
        lsm.set_oldest_snapshot(Timestamp(ts - 1));
        if lsm.append(Timestamp(ts), &batch).is_err() || lsm.sync().is_err() {
            break;
        }
        durable.insert(key, ts);
        if n % 40 == 39
            && lsm.compact_range(&KeyRange::all(), &CompactionControl::default()).is_err()
        {
            break;
        }
    }
    (durable, attempted)
}

/// Every acknowledged commit can be read, in its newest version or one attempted after it.
fn check(lsm: &Lsm, durable: &BTreeMap<Vec<u8>, u64>, attempted: u64, when: &str) {
    for (key, ts) in durable {
        let (found, value) = lsm.get(key, Timestamp::MAX).unwrap().expect(when);
        assert!(found.0 == *ts || found.0 == attempted, "{when}: found {} for {ts}", found.0);
        assert!(value.unwrap().starts_with(format!("value {} ", found.0).as_bytes()));
    }
    let scan = lsm.scan(&KeyRange::all(), Timestamp::MAX, Direction::Forward).unwrap();
    assert!(scan.map(Result::unwrap).count() >= durable.len(), "{when}");
}

/// One run in which the `skip`-th operation fails; false when no operation did.
fn run(operation: Option<Operation>, skip: u64, lasting: Lasting, error: io::ErrorKind) -> bool {
    let memory = MemoryFs::default();
    let faults = FaultFs::new(Arc::new(memory.clone()));
    let env = Env::with_files(Arc::new(faults.clone()));
    let when = format!("{operation:?} skip {skip} {lasting:?} {error:?}");
    let (mut durable, mut attempted) = (BTreeMap::new(), 0);
    faults.inject(rule(operation, skip, lasting, error));
    match Lsm::open(env.clone(), Path::new(DIR), &options()) {
        Ok(lsm) => {
            (durable, attempted) = write(&lsm);
            check(&lsm, &durable, attempted, &when);
            // Closing may fail, but must not hang or lose anything.
            let _ = lsm.close();
        }
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::Io | ErrorKind::DiskFull), "{when}: {error}");
        }
    }
    faults.heal();
    let image = Env::with_files(Arc::new(memory.crash_image(skip)));
    for env in [env, image] {
        let lsm = Lsm::open(env.clone(), Path::new(DIR), &options()).expect(&when);
        check(&lsm, &durable, attempted, &when);
        let more = write(&lsm).0;
        assert!(more.len() == 50, "{when}: the disk works again");
        lsm.close().unwrap();
        assert_eq!(verify(&env, Path::new(DIR)).unwrap().findings, [], "{when}");
    }
    faults.fired_count() > 0
}

#[test]
fn a_full_disk_at_every_call_site() {
    for operation in [Operation::Create, Operation::Write, Operation::Allocate] {
        for lasting in [Lasting::Once, Lasting::Forever] {
            let fired = (0..400)
                .take_while(|&skip| run(Some(operation), skip, lasting, io::ErrorKind::StorageFull))
                .count();
            assert!((1..400).contains(&fired), "{operation:?}: {fired} call sites");
        }
    }
}

#[test]
fn a_dying_disk_at_every_call_site() {
    for operation in [Operation::Sync, Operation::SyncDir, Operation::Rename, Operation::Remove] {
        let fired = (0..400)
            .take_while(|&skip| run(Some(operation), skip, Lasting::Forever, io::ErrorKind::Other))
            .count();
        assert!((1..400).contains(&fired), "{operation:?}: {fired} call sites");
    }
}

#[test]
fn a_failed_sync_closes_the_store_for_writes() {
    let faults = FaultFs::new(Arc::new(MemoryFs::default()));
    let env = Env::with_files(Arc::new(faults.clone()));
    let lsm = Lsm::open(env, Path::new(DIR), &options()).unwrap();
    let mut batch = Batch::new();
    batch.put(b"key", b"value");
    lsm.append(Timestamp(1), &batch).unwrap();
    faults.inject(rule(Some(Operation::Sync), 0, Lasting::Once, io::ErrorKind::Other));
    assert_eq!(lsm.sync().unwrap_err().kind(), ErrorKind::Io);
    // The disk works again, but nobody knows what it has.
    assert_eq!(lsm.sync().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(lsm.append(Timestamp(2), &batch).unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(lsm.durable_timestamp(), Timestamp(0));
    assert!(lsm.get(b"key", Timestamp::MAX).unwrap().is_some());
}

fn put(lsm: &Lsm, ts: u64) -> crate::Result<()> {
    let mut batch = Batch::new();
    batch.put(format!("key{ts}").as_bytes(), &[b'x'; 300]);
    lsm.append(Timestamp(ts), &batch)
}

#[test]
fn a_closed_store_writes_nothing() {
    let faults = FaultFs::new(Arc::new(MemoryFs::default()));
    let env = Env::with_files(Arc::new(faults.clone()));
    let lsm = Lsm::open(env, Path::new(DIR), &options()).unwrap();
    put(&lsm, 1).unwrap();
    let write = lsm.store.write.lock();
    lsm.store.seal_active().unwrap();
    drop(write);
    lsm.store.wal.poison();
    let operation = Some(Operation::Create);
    faults.inject(rule(operation, 0, Lasting::Forever, io::ErrorKind::StorageFull));
    assert_eq!(lsm.store.flush_oldest().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(faults.fired_count(), 0);
}

#[test]
fn workers_rest_between_their_attempts() {
    let faults = FaultFs::new(Arc::new(MemoryFs::default()));
    let env = Env::with_files(Arc::new(faults.clone()));
    let options = Options { background_thread_count: 2, ..options() };
    let lsm = Lsm::open(env.clone(), Path::new(DIR), &options).unwrap();
    faults.inject(Rule {
        path_contains: ".sst".to_owned(),
        ..rule(Some(Operation::Create), 0, Lasting::Forever, io::ErrorKind::StorageFull)
    });
    // One memtable is full and cannot be flushed; the worker that compacts has nothing to do.
    (1..10).for_each(|ts| put(&lsm, ts).unwrap());
    while faults.fired_count() == 0 {
        env.clock.sleep(std::time::Duration::from_millis(1));
    }
    let before = lsm.store.round_count();
    env.clock.sleep(std::time::Duration::from_millis(250));
    let rounds = lsm.store.round_count() - before;
    assert!(rounds < 20, "{rounds} rounds");
    faults.heal();
    lsm.flush().unwrap();
    lsm.close().unwrap();
    assert_eq!(verify(&env, Path::new(DIR)).unwrap().findings, []);
}
