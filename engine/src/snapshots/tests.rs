//! Named snapshots and reads as of the past, with crashes, compactions and derived indexes.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::env::Clock;
use crate::error::ErrorKind;
use crate::options::Options;
use crate::testing::{DIR, Machine, churn, options, put, remove, row_key, seen};

#[test]
fn names_outlive_compactions_crashes_and_restarts() {
    let machine = Machine::default();
    let db = machine.open(options());
    churn(&db, 2);
    put(&db, 500, "only here");
    let first = db.create_snapshot("first").unwrap();
    let wanted = seen(&db, &db.snapshot());
    churn(&db, 4);
    remove(&db, 500);
    let second = db.create_snapshot("second").unwrap();
    let wanted_second = seen(&db, &db.snapshot());
    churn(&db, 4);
    let wanted_now = seen(&db, &db.snapshot());
    let check = |db: &Db| {
        assert_eq!(seen(db, &db.open_snapshot("first").unwrap()), wanted);
        assert_eq!(seen(db, &db.open_snapshot("second").unwrap()), wanted_second);
        assert_eq!(seen(db, &db.snapshot()), wanted_now);
        assert_eq!(db.snapshots(), [first.clone(), second.clone()]);
        assert!(db.oldest_snapshot() <= first.timestamp);
        assert!(db.verify_indexes().unwrap().is_empty());
    };
    check(&db);
    for seed in 0..8 {
        let machine = machine.after_power_cut(seed);
        let db = machine.open(options());
        check(&db);
        db.compact(&KeyRange::all()).unwrap();
        check(&db);
        db.close().unwrap();
        drop(db);
        machine.verify(Path::new(DIR));
        check(&machine.open(options()));
    }
}

#[test]
fn what_an_index_had_not_sealed_is_found_at_a_name_after_a_crash() {
    let machine = Machine::default();
    let options = || Options { memtable_len_max: 8 << 20, ..options() };
    let db = machine.open(options());
    put(&db, 1, "before");
    put(&db, 2, "gone later");
    db.create_snapshot("then").unwrap();
    let wanted = seen(&db, &db.snapshot());
    put(&db, 1, "after");
    remove(&db, 2);
    let machine = Machine { files: machine.files.kill_image(), clock: machine.clock };
    let db = machine.open(options());
    assert_eq!(seen(&db, &db.open_snapshot("then").unwrap()), wanted);
    assert_eq!(wanted.1.len(), 2);
}

#[test]
fn a_dropped_name_lets_go_and_its_readers_read_on() {
    let machine = Machine::default();
    let db = machine.open(options());
    churn(&db, 2);
    let live = |db: &Db| {
        db.compact(&KeyRange::all()).unwrap();
        db.stats().lsm.levels.iter().map(|level| level.entry_count).sum::<u64>()
    };
    let without = live(&db);
    db.create_snapshot("old").unwrap();
    let wanted = seen(&db, &db.snapshot());
    churn(&db, 3);
    assert!(live(&db) > without + 10, "two versions of each row");
    let reader = db.open_snapshot("old").unwrap();
    db.drop_snapshot("old").unwrap();
    assert_eq!(db.drop_snapshot("old").unwrap_err().kind(), ErrorKind::Invalid);
    churn(&db, 1);
    assert_eq!(seen(&db, &reader), wanted);
    drop(reader);
    churn(&db, 1);
    assert_eq!(live(&db), without);
    assert!(machine.after_power_cut(1).open(options()).snapshots().is_empty());
}

#[test]
fn a_counter_keeps_one_version_for_each_name() {
    let db = Machine::default().open(options());
    for name in ["a", "b", "c"] {
        for n in 0..300 {
            put(&db, 1, &n.to_string());
        }
        db.create_snapshot(name).unwrap();
    }
    for n in 0..300 {
        put(&db, 1, &n.to_string());
    }
    db.compact(&KeyRange::all()).unwrap();
    let versions = db.measure(&KeyRange::prefix(&row_key(1))).unwrap();
    let held: u64 = db.stats().lsm.levels.iter().map(|level| level.entry_count).sum();
    // One row and one index entry: the newest and one for each name; and the names.
    assert!(held <= 2 * 5 + 3, "{held} {versions:?}");
}

#[test]
fn names_are_checked_and_limited() {
    let db = Machine::default().open(options());
    for bad in ["", &"x".repeat(SNAPSHOT_NAME_LEN_MAX + 1)] {
        assert!(db.create_snapshot(bad).is_err());
    }
    for n in 0..SNAPSHOT_COUNT_MAX {
        db.create_snapshot(&format!("s{n}")).unwrap();
    }
    let error = db.create_snapshot("one more").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(error.message().contains("named snapshots"), "{error}");
    assert_eq!(db.create_snapshot("s1").unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(db.open_snapshot("s").unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(db.snapshots().len(), SNAPSHOT_COUNT_MAX);
}

#[test]
fn a_power_cut_leaves_a_name_whole_or_not_at_all() {
    let machine = Machine::default();
    let db = machine.open(options());
    let mut states = Vec::new();
    for round in 0..12_u32 {
        churn(&db, 1);
        // Not waited for: the cut comes before anything makes it durable.
        put(&db, round, "marked");
        let name = format!("n{round}");
        let at = db.create_snapshot(&name).unwrap();
        let wanted = seen(&db, &db.snapshot());
        states.push((name, at, wanted));
        if round % 3 == 2 {
            let (name, ..) = states.remove(0);
            db.drop_snapshot(&name).unwrap();
        }
        let image = machine.after_power_cut(u64::from(round));
        let db = image.open(options());
        assert_eq!(db.snapshots().len(), states.len());
        for (name, at, wanted) in &states {
            let snapshot = db.open_snapshot(name).unwrap();
            assert_eq!(snapshot.timestamp(), at.timestamp);
            assert_eq!(seen(&db, &snapshot), *wanted, "{name} after round {round}");
        }
    }
}

#[test]
fn a_name_is_steady_while_others_write_and_compact() {
    let db = Db::in_memory(Options { background_thread_count: 2, ..options() }).unwrap();
    churn(&db, 2);
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                churn(&db, 1);
            }
        });
        for round in 0..6 {
            let name = format!("n{round}");
            db.create_snapshot(&name).unwrap();
            let wanted = seen(&db, &db.open_snapshot(&name).unwrap());
            db.compact(&KeyRange::all()).unwrap();
            for _ in 0..3 {
                assert_eq!(seen(&db, &db.open_snapshot(&name).unwrap()), wanted);
            }
            db.drop_snapshot(&name).unwrap();
        }
        is_done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn the_past_is_read_inside_the_window_and_refused_outside() {
    let machine = Machine::default();
    machine.clock.advance(Duration::from_secs(1_000_000));
    let keeping = || Options { history_retention: Duration::from_secs(60), ..options() };
    let mut db = machine.open(keeping());
    // Ten seconds for each round.
    let mut rounds = Vec::new();
    for round in 0..12_u32 {
        let ts = put(&db, 1, &format!("round {round}"));
        put(&db, round, "another row");
        remove(&db, round / 2);
        rounds.push((ts, machine.clock.unix_time(), round));
        machine.clock.advance(Duration::from_secs(10));
        if round % 4 == 3 {
            db.compact(&KeyRange::all()).unwrap();
        }
        if round == 6 {
            db.close().unwrap();
            drop(db);
            db = machine.open(keeping());
        }
    }
    db.compact(&KeyRange::all()).unwrap();
    for (first, time, round) in rounds {
        let by_commit = db.snapshot_at(first);
        let by_time = db.snapshot_at_time(time + Duration::from_secs(5));
        if round < 6 {
            for refused in [by_commit, by_time] {
                let error = refused.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Invalid, "round {round}");
                assert!(error.message().contains("cannot be read"), "{error}");
            }
            continue;
        }
        if round == 6 {
            continue; // its commits share one mark, and the window begins among them
        }
        let wanted = format!("round {round}");
        assert_eq!(by_commit.unwrap().get(&row_key(1)).unwrap().unwrap(), wanted);
        assert_eq!(by_time.unwrap().get(&row_key(1)).unwrap().unwrap(), wanted);
    }
    let future = machine.clock.unix_time() + Duration::from_secs(1);
    assert!(db.snapshot_at_time(future).unwrap_err().message().contains("not come yet"));
    assert!(db.snapshot_at(Timestamp(db.durable_timestamp().0 + 1)).is_err());
    assert_eq!(db.snapshot_at(db.durable_timestamp()).unwrap().timestamp(), db.durable_timestamp());
}

#[test]
fn what_was_compacted_before_the_window_was_opened_is_refused() {
    let machine = Machine::default();
    machine.clock.advance(Duration::from_secs(1_000_000));
    let db = machine.open(options());
    let early = put(&db, 1, "early");
    churn(&db, 3);
    let from = db.durable_timestamp();
    db.close().unwrap();
    drop(db);
    let keeping = Options { history_retention: Duration::from_secs(3600), ..options() };
    let db = machine.open(keeping);
    assert_eq!(db.snapshot_at(early).unwrap_err().kind(), ErrorKind::Invalid);
    let wanted = seen(&db, &db.snapshot_at(from).unwrap());
    churn(&db, 3);
    assert_eq!(seen(&db, &db.snapshot_at(from).unwrap()), wanted);
    // A clock that goes back marks nothing, and nothing is misread.
    let loaded = db.ingest([Ok((row_key(900), b"loaded".to_vec()))].into_iter()).unwrap();
    machine.clock.advance(Duration::from_secs(5));
    put(&db, 1, "late");
    let before_late = machine.clock.unix_time() - Duration::from_secs(1);
    assert_eq!(db.snapshot_at_time(before_late).unwrap().timestamp(), loaded);
}
