//! Manual compaction and pauses on a whole store.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::{CompactionControl, Style};
use crate::env::{Env, FileId};
use crate::error::ErrorKind;
use crate::keyspace::{Direction, KeyRange};
use crate::lsm::{Batch, Lsm, verify};
use crate::options::Options;
use crate::timestamp::Timestamp;

const KEY_COUNT: u64 = 2_000;

fn options(background_thread_count: usize) -> Options {
    Options {
        memtable_len_max: 16 << 10,
        sstable_len_max: 8 << 10,
        block_len: 512,
        level_base_len_max: 32 << 10,
        level0_slowdown_count: 3,
        level0_stop_count: 6,
        wal_allocation_len: 64 << 10,
        background_thread_count,
        ..Options::default()
    }
}

fn open(options: &Options) -> (Env, Arc<Lsm>) {
    let env = Env::memory();
    let lsm = Lsm::open(env.clone(), Path::new("/db"), options).unwrap();
    (env, lsm)
}

fn key(n: u64) -> Vec<u8> {
    format!("key{n:06}").into_bytes()
}

/// Writes every key once more, in an order of its own.
fn write_round(lsm: &Lsm) {
    for n in 0..KEY_COUNT {
        let ts = Timestamp(lsm.last_timestamp().0 + 1);
        let mut batch = Batch::new();
        batch.put(&key(n * 7919 % KEY_COUNT), format!("{} {}", ts.0, "x".repeat(40)).as_bytes());
        lsm.append(ts, &batch).unwrap();
    }
    lsm.set_oldest_snapshot(lsm.last_timestamp());
}

fn finish(env: &Env, lsm: Arc<Lsm>) {
    let scan = lsm.scan(&KeyRange::all(), Timestamp::MAX, Direction::Forward).unwrap();
    assert_eq!(scan.map(Result::unwrap).count() as u64, KEY_COUNT);
    lsm.close().unwrap();
    drop(lsm);
    assert_eq!(verify(env, Path::new("/db")).unwrap().findings, []);
}

#[test]
fn writers_go_on_while_compaction_is_paused() {
    for thread_count in 0..3 {
        let (env, lsm) = open(&options(thread_count));
        let outer = lsm.pause_compaction();
        let inner = lsm.pause_compaction();
        write_round(&lsm);
        drop(inner);
        write_round(&lsm);
        lsm.flush().unwrap();
        let stats = lsm.stats();
        assert!(stats.is_paused && stats.levels[0].file_count > 6, "{stats}");
        assert_eq!((stats.compaction_count(), stats.slowdowns.count), (0, 0), "{stats}");
        drop(outer);
        write_round(&lsm);
        lsm.compact_range(&KeyRange::all(), &CompactionControl::default()).unwrap();
        let stats = lsm.stats();
        assert!(!stats.is_paused && stats.levels[0].file_count == 0, "{stats}");
        finish(&env, lsm);
    }
}

#[test]
fn a_pause_lets_go_of_writers_who_wait_already() {
    let options = Options { compaction_bytes_per_second: 1, ..options(2) };
    let (env, lsm) = open(&options);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| (0..4).for_each(|_| write_round(&lsm)));
        while lsm.stats().levels[0].file_count < 6 {
            std::thread::yield_now();
        }
        let _pause = lsm.pause_compaction();
        writer.join().unwrap();
        // Nor does a pause hold up who closes: the merge under way is given up.
        lsm.close().unwrap();
    });
    drop(lsm);
    assert_eq!(verify(&env, Path::new("/db")).unwrap().findings, []);
}

#[test]
fn a_manual_compaction_can_be_followed_and_cancelled() {
    // Without threads, which might have left it nothing to do.
    let (env, lsm) = open(&options(0));
    (0..3).for_each(|_| write_round(&lsm));
    let control = CompactionControl::default();
    std::thread::scope(|scope| {
        let pause = lsm.pause_compaction();
        let compaction = scope.spawn(|| lsm.compact_range(&KeyRange::all(), &control));
        control.cancel();
        assert_eq!(compaction.join().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
        drop(pause);
    });
    let control = CompactionControl::default();
    let report = lsm.compact_range(&KeyRange::all(), &control).unwrap();
    assert!(report.entry_count_after == KEY_COUNT, "{report:?}");
    let progress = control.progress();
    assert!(progress.done_bytes > 0 && progress.done_bytes == progress.total_bytes);
    assert_eq!(progress.job, None);
    finish(&env, lsm);
}

#[test]
fn only_what_overlaps_is_merged() {
    for style in [Style::Levelled, Style::Tiered] {
        let (env, lsm) = open(&Options { compaction_style: style, ..options(0) });
        (0..3).for_each(|_| write_round(&lsm));
        lsm.compact_range(&KeyRange::all(), &CompactionControl::default()).unwrap();
        let files = || -> BTreeSet<(Vec<u8>, FileId)> {
            let state = lsm.store.state.load();
            let files = state.version.shape().files();
            files.map(|(_, file)| (file.properties.smallest.clone(), file.id)).collect()
        };
        let before = files();
        let mut batch = Batch::new();
        (500..520).for_each(|n| batch.put(&key(n), b"new"));
        lsm.append(Timestamp(lsm.last_timestamp().0 + 1), &batch).unwrap();
        lsm.set_oldest_snapshot(lsm.last_timestamp());
        let range = KeyRange { start: key(510), end: Some(key(511)) };
        let report = lsm.compact_range(&range, &CompactionControl::default()).unwrap();
        let kept = files().intersection(&before).count();
        assert!(kept + 2 >= before.len() && kept < before.len(), "{kept} of {}", before.len());
        assert!(report.file_count_after <= 2, "{report:?}");
        finish(&env, lsm);
    }
}

#[test]
fn commits_and_other_compactions_find_their_place_in_a_manual_one() {
    for style in [Style::Levelled, Style::Tiered] {
        let (env, lsm) = open(&Options { compaction_style: style, ..options(3) });
        write_round(&lsm);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..4 {
                        lsm.compact_range(&KeyRange::all(), &CompactionControl::default()).unwrap();
                    }
                });
            }
            (0..4).for_each(|_| write_round(&lsm));
        });
        finish(&env, lsm);
    }
}
