//! Writers, readers and background threads at once, on real files.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::*;

const ACCOUNT_COUNT: u64 = 200;
const COMMIT_COUNT: u64 = 6_000;

fn options() -> Options {
    Options {
        memtable_len_max: 64 << 10,
        sstable_len_max: 16 << 10,
        block_len: 512,
        level_base_len_max: 32 << 10,
        level_len_multiplier: 4,
        level0_slowdown_count: 6,
        wal_allocation_len: 64 << 10,
        background_thread_count: 3,
        ..Options::default()
    }
}

fn account(n: u64) -> Vec<u8> {
    format!("account{n:04}").into_bytes()
}

fn number(value: &[u8]) -> u64 {
    u64::from_le_bytes(value.try_into().unwrap())
}

/// Moves one unit between two accounts in each commit, so that every snapshot has the same sum.
fn transfer(lsm: &Lsm, published: &AtomicU64, is_done: &AtomicBool) {
    let mut balances = vec![1_000_000_u64; ACCOUNT_COUNT as usize];
    let mut setup = Batch::new();
    (0..ACCOUNT_COUNT).for_each(|n| setup.put(&account(n), &1_000_000_u64.to_le_bytes()));
    lsm.append(Timestamp(1), &setup).unwrap();
    published.store(1, Ordering::Release);
    for ts in 2..=COMMIT_COUNT {
        let (from, to) = (ts * 7 % ACCOUNT_COUNT, (ts * 13 + 5) % ACCOUNT_COUNT);
        balances[from as usize] -= 1;
        balances[to as usize] += 1;
        let mut batch = Batch::new();
        for n in [from, to] {
            batch.put(&account(n), &balances[n as usize].to_le_bytes());
        }
        lsm.append(Timestamp(ts), &batch).unwrap();
        published.store(ts, Ordering::Release);
        if ts % 100 == 0 {
            lsm.sync().unwrap();
        }
    }
    is_done.store(true, Ordering::Release);
}

/// Sums all accounts as of snapshots; what it may still read is announced in `pinned`.
fn audit(lsm: &Lsm, published: &AtomicU64, pinned: &AtomicU64, is_done: &AtomicBool) -> u64 {
    let mut count = 0;
    while !is_done.load(Ordering::Acquire) {
        let ts = published.load(Ordering::Acquire);
        if ts == 0 {
            std::thread::yield_now();
            continue;
        }
        let direction = if count % 2 == 0 { Direction::Forward } else { Direction::Reverse };
        let scan = lsm.scan(&KeyRange::all(), Timestamp(ts), direction).unwrap();
        let rows: Vec<_> = scan.map(|row| row.unwrap()).collect();
        assert_eq!(rows.len() as u64, ACCOUNT_COUNT, "at {ts}");
        let sum: u64 = rows.iter().map(|(_, _, value)| number(value)).sum();
        assert_eq!(sum, ACCOUNT_COUNT * 1_000_000, "at {ts}");
        let (key, version, value) = &rows[count as usize % rows.len()];
        let found = lsm.get(key, Timestamp(ts)).unwrap();
        assert_eq!(found, Some((*version, Some(value.clone()))), "at {ts}");
        // One reader, so its snapshot is the oldest.
        pinned.store(ts, Ordering::Release);
        lsm.set_oldest_snapshot(Timestamp(ts));
        count += 1;
    }
    count
}

#[test]
fn snapshots_stay_consistent_under_flushes_and_compactions() {
    stays_consistent(&options());
}

#[test]
fn snapshots_stay_consistent_while_runs_are_folded() {
    stays_consistent(&Options { compaction_style: compaction::Style::Tiered, ..options() });
}

fn stays_consistent(options: &Options) {
    let dir = tempfile::tempdir().unwrap();
    let lsm = Lsm::open(Env::os(), dir.path(), options).unwrap();
    let (published, pinned) = (AtomicU64::new(0), AtomicU64::new(0));
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| transfer(&lsm, &published, &is_done));
        let audits = scope.spawn(|| audit(&lsm, &published, &pinned, &is_done));
        assert!(audits.join().unwrap() > 0);
    });
    let report = lsm.compact_range(&KeyRange::all(), &CompactionControl::default()).unwrap();
    assert!(report.entry_count_after <= report.entry_count_before);
    let stats = lsm.stats();
    assert!(stats.flush_count > 3 && stats.compaction_count() > 0, "{stats:?}");
    assert!(stats.wal_sync_count >= COMMIT_COUNT / 100);
    lsm.close().unwrap();
    drop(lsm);
    let verification = verify(&Env::os(), dir.path()).unwrap();
    assert_eq!(verification.findings, []);
    let lsm = Lsm::open(Env::os(), dir.path(), options).unwrap();
    assert_eq!(lsm.last_timestamp(), Timestamp(COMMIT_COUNT));
}

#[test]
fn one_process_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let lsm = Lsm::open(Env::os(), dir.path(), &options()).unwrap();
    let again = Lsm::open(Env::os(), dir.path(), &options()).err().unwrap();
    assert_eq!(again.kind(), crate::ErrorKind::Unusable);
    assert!(again.message().contains("in use"), "{again}");
    assert_eq!(verify(&Env::os(), dir.path()).unwrap_err().kind(), crate::ErrorKind::Unusable);
    lsm.close().unwrap();
    assert!(Lsm::open(Env::os(), dir.path(), &options()).is_ok());
}

#[test]
fn foreign_directories_are_left_alone() {
    let env = Env::memory();
    let dir = Path::new("/home");
    env.vfs.create_dir_all(dir).unwrap();
    env.vfs.create(&dir.join("letter.txt")).unwrap();
    let error = Lsm::open(env.clone(), dir, &options()).err().unwrap();
    assert_eq!(error.kind(), crate::ErrorKind::Unusable);
    assert_eq!(env.vfs.list(dir).unwrap(), ["letter.txt"]);
    assert_eq!(verify(&env, dir).unwrap_err().kind(), crate::ErrorKind::Unusable);
}

#[test]
fn every_corrupt_byte_of_an_sstable_is_found() {
    let files = crate::env::MemoryFs::default();
    let env = Env::with_files(Arc::new(files.clone()));
    let dir = Path::new("/db");
    let lsm = Lsm::open(env.clone(), dir, &options()).unwrap();
    let mut batch = Batch::new();
    (0..40).for_each(|n| batch.put(&account(n), b"value"));
    lsm.append(Timestamp(1), &batch).unwrap();
    lsm.compact_range(&KeyRange::all(), &CompactionControl::default()).unwrap();
    lsm.close().unwrap();
    drop(lsm);
    let name = env.vfs.list(dir).unwrap().into_iter().find(|name| name.ends_with(".sst")).unwrap();
    let path = dir.join(name);
    for at in 0..env.vfs.map(&path).unwrap().len() {
        files.corrupt(&path, at, 0x20);
        let findings = verify(&env, dir).unwrap().findings;
        assert!(findings.iter().any(|finding| finding.file == path), "byte {at}");
        files.corrupt(&path, at, 0x20);
    }
    assert_eq!(verify(&env, dir).unwrap().findings, []);
}
