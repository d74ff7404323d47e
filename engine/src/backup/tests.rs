//! Checkpoints, backups, restores and recoveries, with faults and power cuts in the middle.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::env::fault::{FaultFs, Lasting, Operation, Rule};
use crate::env::{Clock, Vfs};
use crate::error::ErrorKind;
use crate::keyspace::KeyRange;
use crate::options::Options;
use crate::testing::{DIR, Machine, Seen, churn, options, put, remove, row_key, seen};

const TARGET: &str = "/elsewhere/backups";
const ARCHIVE: &str = "/elsewhere/archive";

fn open_at(machine: &Machine, dir: &str) -> Db {
    Db::open_existing(machine.env(), Path::new(dir), options()).unwrap()
}

fn now(db: &Db) -> Seen {
    seen(db, &db.snapshot())
}

/// What a directory holds; it is checked in passing.
fn content(machine: &Machine, dir: &str) -> Seen {
    let db = open_at(machine, dir);
    let found = now(&db);
    assert!(db.verify_indexes().unwrap().is_empty());
    db.close().unwrap();
    drop(db);
    machine.verify(Path::new(dir));
    found
}

fn archiving() -> Options {
    Options { wal_archive: Some(ARCHIVE.into()), ..options() }
}

fn recover_to(machine: &Machine, until: Until, dir: &str) -> Result<Recovered> {
    let (target, archive) = (Path::new(TARGET), Path::new(ARCHIVE));
    recover(&machine.env(), target, archive, until, Path::new(dir), &options())
}

/// Operations that change the disk fail, from the `skip`th on.
fn broken(machine: &Machine, skip: u64) -> (FaultFs, Env) {
    let faults = FaultFs::new(Arc::new(machine.files.clone()));
    let mut env = machine.env();
    env.vfs = Arc::new(faults.clone());
    faults.inject(Rule {
        operation: None,
        path_contains: String::new(),
        skip,
        lasting: Lasting::Forever,
        error: io::ErrorKind::StorageFull,
    });
    (faults, env)
}

#[test]
fn a_checkpoint_under_load_is_complete_and_needs_no_rebuild() {
    let machine = Machine::default();
    let db = machine.open(Options { background_thread_count: 2, ..options() });
    churn(&db, 2);
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for writer in 0..2_u32 {
            let (db, is_done) = (&db, &is_done);
            scope.spawn(move || {
                for round in 0.. {
                    if is_done.load(Ordering::Relaxed) {
                        break;
                    }
                    put(db, 100 + writer, &format!("round {round}"));
                    put(db, round % 50, "others");
                    remove(db, (round + 7) % 50);
                }
            });
        }
        for copy in 0..8 {
            let marked = put(&db, 1000 + copy, "before the checkpoint");
            let dir = format!("/copy{copy}");
            db.checkpoint(Path::new(&dir)).unwrap();
            let machine = machine.after_power_cut(u64::from(copy));
            let has_log = |name: &String| matches!(FileName::parse(name), Some(FileName::Wal(_)));
            assert!(!machine.files.list(Path::new(&dir)).unwrap().iter().any(has_log));
            let copied = open_at(&machine, &dir);
            assert!(copied.durable_timestamp() >= marked);
            assert!(copied.snapshot().get(&row_key(1000 + copy)).unwrap().is_some());
            let index = copied.geo_index(crate::testing::INDEX).unwrap();
            assert!(index.segments().0 > 0, "segments came along");
            drop(copied);
            let (rows, found) = content(&machine, &dir);
            assert_eq!(rows.len(), found.len(), "every row is in the index");
        }
        is_done.store(true, Ordering::Relaxed);
    });
    let error = db.checkpoint(Path::new("/copy1")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[test]
fn a_checkpoint_that_fails_leaves_nothing_that_opens() {
    let machine = Machine::default();
    let wanted = {
        let db = machine.open(options());
        churn(&db, 1);
        now(&db)
    };
    let mut failures = 0;
    for skip in 0.. {
        let image = Machine { files: machine.files.kill_image(), clock: machine.clock.clone() };
        let (faults, env) = broken(&image, u64::MAX);
        let db = Db::open_existing(env, Path::new(DIR), options()).unwrap();
        put(&db, 1, "in memory");
        faults.heal();
        let rule = Rule {
            operation: None,
            path_contains: String::new(),
            skip,
            lasting: Lasting::Forever,
            error: io::ErrorKind::StorageFull,
        };
        faults.inject(rule);
        let made = db.checkpoint(Path::new("/copy"));
        let image = image.after_power_cut(skip);
        let copy = Db::open_existing(image.env(), Path::new("/copy"), options());
        if made.is_ok() {
            assert_eq!(now(&copy.unwrap()).0.len(), wanted.0.len().max(1));
            break;
        }
        failures += 1;
        // Only the last sync may fail after everything was in place.
        if let Ok(copy) = copy {
            assert_eq!(now(&copy).0.len(), wanted.0.len().max(1), "whole or not at all");
        }
        drop(db);
        content(&image, DIR);
    }
    assert!(failures > 10, "{failures}");
}

#[test]
fn generations_share_files_and_each_restores_its_own() {
    let machine = Machine::default();
    let (env, target) = (machine.env(), Path::new(TARGET));
    // Without compactions, which rewrite files.
    let db = machine.open(Options { level0_compaction_count: 30, ..options() });
    let mut wanted = Vec::new();
    for row in 0..100 {
        put(&db, 1000 + row, &format!("a row that stays {row}"));
    }
    for round in 0..3 {
        (0..20).for_each(|row| {
            put(&db, row, &format!("generation {round}"));
        });
        remove(&db, round);
        machine.clock.advance(Duration::from_secs(60));
        let report = db.backup(target).unwrap();
        assert_eq!(report.backup.id, u64::from(round) + 1);
        assert_eq!(report.backup.timestamp, db.durable_timestamp());
        assert_eq!(report.backup.created, machine.clock.unix_time());
        let again = db.backup(target).unwrap();
        assert!(again.copied_file_count <= 3, "manifest, CURRENT: {again:?}");
        remove_backup(&env, target, again.backup.id).unwrap();
        if round > 0 {
            assert!(report.copied_file_count < report.backup.file_count, "{report:?}");
        }
        wanted.push(now(&db));
    }
    assert!(!machine.files.exists(&Path::new(DIR).join(STAGING)).unwrap());
    let machine = machine.after_power_cut(3);
    let env = machine.env();
    let ids: Vec<_> = backups(&env, target).unwrap().iter().map(|backup| backup.id).collect();
    assert_eq!(ids, [1, 2, 3]);
    assert_eq!(verify_backups(&env, target).unwrap(), []);
    let check = |id: u64, dir: &str| {
        restore(&env, target, Some(id), Path::new(dir)).unwrap();
        let machine = machine.after_power_cut(id);
        assert_eq!(content(&machine, dir), wanted[id as usize - 1]);
    };
    (1..=3).for_each(|id| check(id, &format!("/restored{id}")));
    let files = |env: &Env| env.vfs.list(&target.join("files")).unwrap().len();
    let before = files(&env);
    remove_backup(&env, target, 1).unwrap();
    assert!(files(&env) < before, "what only it named is gone");
    (2..=3).for_each(|id| check(id, &format!("/again{id}")));
    let newest = restore(&env, target, None, Path::new("/newest")).unwrap();
    assert_eq!(newest.id, 3);
    for refused in [
        restore(&env, target, Some(1), Path::new("/one")).map(drop),
        restore(&env, target, None, Path::new("/newest")).map(drop),
        remove_backup(&env, target, 1),
        db.backup(Path::new(DIR)).map(drop),
    ] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Invalid);
    }
    let held = Target::open(&env, target).unwrap();
    assert_eq!(remove_backup(&env, target, 2).unwrap_err().kind(), ErrorKind::Unusable);
    drop(held);
}

#[test]
fn a_backup_cut_short_leaves_the_earlier_generations_whole() {
    let machine = Machine::default();
    let target = Path::new(TARGET);
    let first = {
        let db = machine.open(options());
        churn(&db, 1);
        db.backup(target).unwrap();
        let first = now(&db);
        churn(&db, 1);
        put(&db, 77, "only in the second");
        first
    };
    let mut failures = 0;
    for skip in (0..).step_by(3) {
        let image = Machine { files: machine.files.kill_image(), clock: machine.clock.clone() };
        let db = image.open(options());
        db.flush().unwrap();
        let (faults, env) = broken(&image, skip);
        // The same machine, whose disk fails from now on.
        drop(db);
        faults.heal();
        let db = Db::open_existing(env, Path::new(DIR), options()).unwrap();
        faults.inject(Rule {
            operation: None,
            path_contains: String::new(),
            skip,
            lasting: Lasting::Forever,
            error: io::ErrorKind::Other,
        });
        let made = db.backup(target);
        let image = image.after_power_cut(skip);
        let env = image.env();
        assert_eq!(verify_backups(&env, target).unwrap(), [], "after {skip} operations");
        restore(&env, target, Some(1), Path::new("/first")).unwrap();
        assert_eq!(content(&image, "/first"), first);
        let found = backups(&env, target).unwrap();
        if made.is_ok() {
            assert_eq!(found.len(), 2);
            break;
        }
        failures += 1;
        drop(db);
        let db = image.open(options());
        assert!(!image.files.exists(&Path::new(DIR).join(STAGING)).unwrap());
        let wanted = now(&db);
        let report = db.backup(target).unwrap();
        restore(&env, target, Some(report.backup.id), Path::new("/next")).unwrap();
        assert_eq!(content(&image, "/next"), wanted);
    }
    assert!(failures > 10, "{failures}");
}

#[test]
fn a_damaged_copy_is_found_and_not_restored() {
    let machine = Machine::default();
    let (env, target) = (machine.env(), Path::new(TARGET));
    let db = machine.open(options());
    churn(&db, 1);
    db.backup(target).unwrap();
    let files = target.join("files");
    for name in env.vfs.list(&files).unwrap() {
        let path = files.join(name);
        let middle = env.vfs.map(&path).unwrap().len() / 2;
        machine.files.corrupt(&path, middle, 0x20);
        let findings = verify_backups(&env, target).unwrap();
        assert_eq!(findings.iter().map(|found| &found.file).collect::<Vec<_>>(), [&path]);
        let error = restore(&env, target, None, Path::new("/new")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corruption);
        assert_eq!(error.place().unwrap().file, path);
        assert!(!env.vfs.exists(Path::new("/new")).unwrap());
        machine.files.corrupt(&path, middle, 0x20);
    }
}

/// Commits with a second between each, backups on the way; what there was after each commit.
struct Past {
    machine: Machine,
    states: Vec<(Timestamp, Duration, Seen)>,
    backups: Vec<Timestamp>,
}

impl Past {
    fn new() -> Self {
        let machine = Machine::default();
        machine.clock.advance(Duration::from_secs(1_000_000));
        let mut past = Self { machine, states: Vec::new(), backups: Vec::new() };
        let mut db = past.machine.open(archiving());
        for step in 0..90_u32 {
            match step {
                10 | 50 => {
                    past.backups.push(db.backup(Path::new(TARGET)).unwrap().backup.timestamp);
                }
                30 => drop(db.create_snapshot("kept").unwrap()),
                40 => {
                    db.drop_range(&KeyRange { start: row_key(500), end: Some(row_key(600)) })
                        .unwrap();
                }
                60 => {
                    db.close().unwrap();
                    drop(db);
                    db = past.machine.open(archiving());
                }
                _ => {}
            }
            let ts = match step % 4 {
                3 => {
                    remove(&db, step / 2 % 20);
                    db.durable_timestamp()
                }
                2 if step < 40 => put(&db, 500 + step, "in the range that is dropped"),
                _ => put(&db, step % 20, &format!("step {step} {}", "x".repeat(200))),
            };
            let time = past.machine.clock.unix_time();
            past.states.push((ts, time, now(&db)));
            past.machine.clock.advance(Duration::from_secs(1));
            if step % 8 == 0 {
                db.flush().unwrap();
            }
        }
        db.close().unwrap();
        past
    }
}

#[test]
fn any_moment_after_a_backup_comes_back() {
    let past = Past::new();
    let machine = &past.machine;
    for (step, (ts, time, wanted)) in past.states.iter().enumerate().skip(11).step_by(6) {
        let dir = format!("/by-commit-{step}");
        let recovered = recover_to(machine, Until::Timestamp(*ts), &dir).unwrap();
        assert_eq!(recovered.timestamp, *ts);
        assert_eq!(recovered.time, Some(*time));
        let newest = past.backups.iter().rev().find(|backup| **backup <= *ts);
        assert_eq!(Some(&recovered.backup.timestamp), newest, "the newest before it");
        assert_eq!(content(machine, &dir), *wanted, "step {step}");

        if *ts == past.states[89].0 {
            continue; // nothing was made later, so the archive ends before any later time
        }
        let dir = format!("/by-time-{step}");
        let until = Until::Time(*time + Duration::from_millis(500));
        assert_eq!(recover_to(machine, until, &dir).unwrap().timestamp, *ts);
        assert_eq!(content(machine, &dir), *wanted, "step {step} by time");
    }
    let (last, _, wanted) = past.states.last().unwrap();
    let recovered = recover_to(machine, Until::Latest, "/latest").unwrap();
    assert_eq!(recovered.timestamp, *last);
    assert_eq!(content(machine, "/latest"), *wanted);
    let db = open_at(machine, "/latest");
    let kept = seen(&db, &db.open_snapshot("kept").unwrap());
    // What was dropped since is not seen at a name either.
    let without_dropped = |mut seen: Seen| {
        seen.0.retain(|(key, _)| *key < row_key(500) || *key >= row_key(600));
        seen.0
    };
    assert_eq!(without_dropped(kept), without_dropped(past.states[29].2.clone()));
    assert!(!machine.files.exists(Path::new("/latest.partial")).unwrap());
}

#[test]
fn what_cannot_be_recovered_says_why() {
    let past = Past::new();
    let machine = &past.machine;
    let (first, (last, time, _)) = (past.states[3].0, past.states.last().unwrap());
    for (until, why) in [
        (Until::Timestamp(first), "every backup was made after"),
        (Until::Timestamp(Timestamp(last.0 + 1)), "the archive ends before that moment"),
        (Until::Time(*time + Duration::from_secs(9)), "the archive ends before that moment"),
    ] {
        let error = recover_to(machine, until, "/no").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.message().contains(why), "{error}");
        assert!(!machine.files.exists(Path::new("/no")).unwrap());
        assert!(!machine.files.exists(Path::new("/no.partial")).unwrap());
    }

    let segments = machine.files.list(Path::new(ARCHIVE)).unwrap();
    let lost = Path::new(ARCHIVE).join(&segments[segments.len() - 3]);
    let flipped = Path::new(ARCHIVE).join(&segments[segments.len() - 2]);
    machine.files.corrupt(&flipped, 80, 0x04);
    let error = recover_to(machine, Until::Latest, "/no").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corruption);
    assert_eq!(error.place().unwrap().file, flipped);
    machine.files.corrupt(&flipped, 80, 0x04);
    machine.files.remove(&lost).unwrap();
    let error = recover_to(machine, Until::Latest, "/no").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unusable);
    let message = error.message();
    assert!(message.contains("commits are missing") && message.contains("first="), "{message}");
    assert!(message.contains(&segments[segments.len() - 2]), "{message}");
}

#[test]
fn a_bulk_load_is_a_gap_until_the_next_backup() {
    let machine = Machine::default();
    let db = machine.open(archiving());
    put(&db, 1, "one");
    db.backup(Path::new(TARGET)).unwrap();
    put(&db, 2, "two");
    let loaded = db.ingest([Ok((row_key(9), b"loaded"))].into_iter()).unwrap();
    put(&db, 3, "three");
    db.flush().unwrap();
    let error = recover_to(&machine, Until::Latest, "/no").unwrap_err();
    assert!(error.message().contains("bulk load"), "{error}");
    assert!(error.message().contains(&format!("first={}", loaded.0)), "{error}");
    let before = Until::Timestamp(Timestamp(loaded.0 - 1));
    recover_to(&machine, before, "/before").unwrap();
    db.backup(Path::new(TARGET)).unwrap();
    put(&db, 4, "four");
    db.flush().unwrap();
    recover_to(&machine, Until::Latest, "/after").unwrap();
    assert_eq!(content(&machine, "/after"), now(&db));
}

#[test]
fn segments_wait_for_an_archive_that_fails() {
    let machine = Machine::default();
    let faults = FaultFs::new(Arc::new(machine.files.clone()));
    let mut env = machine.env();
    env.vfs = Arc::new(faults.clone());
    let options = || Options { unarchived_segment_count_max: 5, ..archiving() };
    let db = Db::open_in(env.clone(), Path::new(DIR), options()).unwrap();
    put(&db, 1, "one");
    db.backup(Path::new(TARGET)).unwrap();
    faults.inject(Rule {
        operation: Some(Operation::Write),
        path_contains: ARCHIVE.to_owned(),
        skip: 0,
        lasting: Lasting::Forever,
        error: io::ErrorKind::StorageFull,
    });
    let write = |db: &Db, n: u32| -> Result<Timestamp> {
        let txn = db.begin(crate::Isolation::ReadCommitted);
        txn.put(&row_key(n % 50), &[7; 500])?;
        txn.commit()
    };
    let refused = (0..2000).find_map(|n| write(&db, n).err()).expect("refused at the bound");
    assert_eq!(refused.kind(), ErrorKind::Limit);
    assert!(refused.message().contains("not archived"), "{refused}");
    let is_segment = |name: &String| matches!(FileName::parse(name), Some(FileName::Wal(_)));
    let segments = |dir: &str| {
        let names = machine.files.list(Path::new(dir)).unwrap();
        names.iter().filter(|name| is_segment(name)).count()
    };
    assert!(segments(DIR) >= 5, "they stay");
    let wanted = now(&db);
    // A restart with the archive still failing loses none.
    drop(db);
    let db = Db::open_in(env, Path::new(DIR), options()).unwrap();
    assert_eq!(now(&db), wanted);
    assert!(segments(DIR) >= 5, "they stay");
    faults.heal();
    for n in 0..40 {
        write(&db, n).unwrap();
    }
    db.close().unwrap();
    let wanted = now(&db);
    drop(db);
    recover_to(&machine, Until::Latest, "/all").unwrap();
    assert_eq!(content(&machine, "/all"), wanted);
    assert!(segments(DIR) <= 2, "those that are archived go");

    // Another past must not be mixed with this one.
    let other = Machine { clock: machine.clock.clone(), files: machine.files.kill_image() };
    other.files.remove_dir_all(Path::new(DIR)).unwrap();
    let options = Options { unarchived_segment_count_max: 2, ..archiving() };
    let db = other.open(options);
    let refused = (0..2000).find_map(|n| write(&db, n).err()).expect("refused at the bound");
    assert_eq!(refused.kind(), ErrorKind::Limit);
}

#[test]
fn two_pasts_in_one_archive_are_told_apart() {
    let machine = Machine::default();
    let db = machine.open(archiving());
    put(&db, 1, "one");
    db.backup(Path::new(TARGET)).unwrap();
    let two = put(&db, 2, "two");
    put(&db, 3, "three");
    db.close().unwrap();
    recover_to(&machine, Until::Timestamp(two), "/back").unwrap();
    // Each opening takes new file numbers, until they are beyond those of the archive.
    (0..10).for_each(|_| open_at(&machine, "/back").close().unwrap());
    let db = Db::open_existing(machine.env(), Path::new("/back"), archiving()).unwrap();
    put(&db, 3, "another three");
    db.close().unwrap();
    let error = recover_to(&machine, Until::Latest, "/no").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unusable);
    assert!(error.message().contains("two pasts"), "{error}");
    // A backup of the second past goes on with that one.
    db.close().unwrap();
    drop(db);
    let db = Db::open_existing(machine.env(), Path::new("/back"), archiving()).unwrap();
    db.backup(Path::new(TARGET)).unwrap();
    put(&db, 4, "four");
    db.close().unwrap();
    recover_to(&machine, Until::Latest, "/on").unwrap();
    assert_eq!(content(&machine, "/on"), now(&db));
}

#[test]
fn an_archive_survives_power_cuts() {
    let machine = Machine::default();
    let mut machine = machine.after_power_cut(0);
    let db = machine.open(archiving());
    put(&db, 1, "one");
    db.backup(Path::new(TARGET)).unwrap();
    drop(db);
    for seed in 0..12 {
        let db = machine.open(archiving());
        for n in 0..25 {
            put(&db, n, &format!("seed {seed} {}", "y".repeat(300)));
        }
        machine = machine.after_power_cut(seed);
    }
    let db = machine.open(archiving());
    let wanted = now(&db);
    db.close().unwrap();
    recover_to(&machine, Until::Latest, "/all").unwrap();
    assert_eq!(content(&machine, "/all"), wanted);
}
