//! Transactions against each other, at the level of the whole engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use super::*;
use crate::db::Db;
use crate::error::ErrorKind;
use crate::keyspace::KeyRange;
use crate::options::{KEY_LEN_MAX, Options, VALUE_LEN_MAX};

const WAIT: WaitPolicy = WaitPolicy::Wait(None);

fn db() -> Db {
    Db::in_memory(Options::default()).unwrap()
}

fn put(db: &Db, rows: &[(&str, &str)]) {
    let txn = db.begin(Isolation::ReadCommitted);
    for (key, value) in rows {
        txn.put(key.as_bytes(), value.as_bytes()).unwrap();
    }
    txn.commit().unwrap();
}

fn get(txn: &Transaction, key: &str) -> Option<String> {
    let value = txn.get(key.as_bytes()).unwrap()?;
    Some(String::from_utf8(value.to_vec()).unwrap())
}

fn keys(scan: Scan) -> Vec<String> {
    scan.map(|row| String::from_utf8(row.unwrap().0.to_vec()).unwrap()).collect()
}

#[test]
fn statements_see_what_was_written_before_them() {
    let db = db();
    put(&db, &[("a", "0")]);
    let txn = db.begin(Isolation::ReadCommitted);
    txn.put(b"a", b"1").unwrap();
    assert_eq!(get(&txn, "a").as_deref(), Some("0"));
    assert_eq!(txn.get_newest(b"a").unwrap().as_deref(), Some(&b"1"[..]));
    txn.begin_statement();
    assert_eq!(get(&txn, "a").as_deref(), Some("1"));
    txn.delete(b"a").unwrap();
    txn.begin_statement();
    assert_eq!(get(&txn, "a"), None);
    txn.rollback();
    assert_eq!(get(&db.begin(Isolation::ReadCommitted), "a").as_deref(), Some("0"));
}

#[test]
fn snapshots_follow_the_isolation_level() {
    let db = db();
    put(&db, &[("a", "0")]);
    let committed = db.begin(Isolation::ReadCommitted);
    let repeatable = db.begin(Isolation::RepeatableRead);
    let late = db.begin(Isolation::RepeatableRead);
    let held = db.snapshot();
    assert_eq!(get(&committed, "a"), get(&repeatable, "a"));
    put(&db, &[("a", "1")]);
    assert_eq!(get(&committed, "a").as_deref(), Some("0"), "the same statement");
    committed.begin_statement();
    repeatable.begin_statement();
    assert_eq!(get(&committed, "a").as_deref(), Some("1"));
    assert_eq!(get(&repeatable, "a").as_deref(), Some("0"));
    assert_eq!(get(&late, "a").as_deref(), Some("1"), "its first statement begins now");
    assert_eq!(held.get(b"a").unwrap().as_deref(), Some(&b"0"[..]));
    assert!(repeatable.is_changed_since_snapshot(b"a").unwrap());
    let error = repeatable.update(b"a", Some(b"2")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

#[test]
fn scans_merge_own_writes_both_ways() {
    let db = db();
    put(&db, &[("a", "0"), ("c", "0"), ("e", "0"), ("g", "0")]);
    let txn = db.begin(Isolation::ReadCommitted);
    for (key, value) in [("b", Some("1")), ("c", None), ("e", Some("1")), ("h", Some("1"))] {
        match value {
            Some(value) => txn.put(key.as_bytes(), value.as_bytes()).unwrap(),
            None => txn.delete(key.as_bytes()).unwrap(),
        }
    }
    txn.begin_statement();
    let open = txn.scan(KeyRange::all(), Direction::Forward).unwrap();
    txn.put(b"d", b"2").unwrap();
    assert_eq!(keys(open), ["a", "b", "e", "g", "h"], "writes of its own statement do not show");
    txn.begin_statement();
    let reverse = keys(txn.scan(KeyRange::all(), Direction::Reverse).unwrap());
    assert_eq!(reverse, ["h", "g", "e", "d", "b", "a"]);
    let bounded = KeyRange { start: b"b".to_vec(), end: Some(b"g".to_vec()) };
    assert_eq!(keys(txn.scan(bounded, Direction::Reverse).unwrap()), ["e", "d", "b"]);
}

#[test]
fn long_own_ranges_are_fetched_piece_by_piece() {
    let db = db();
    let txn = db.begin(Isolation::ReadCommitted);
    let rows: Vec<String> = (0..1000).map(|n| format!("{n:04}")).collect();
    rows.iter().for_each(|key| txn.put(key.as_bytes(), b"").unwrap());
    txn.begin_statement();
    assert_eq!(keys(txn.scan(KeyRange::all(), Direction::Forward).unwrap()), rows);
    let mut reverse = keys(txn.scan(KeyRange::all(), Direction::Reverse).unwrap());
    reverse.reverse();
    assert_eq!(reverse, rows);
}

#[test]
fn savepoints_take_writes_back() {
    let db = db();
    let txn = db.begin(Isolation::ReadCommitted);
    txn.put(b"a", b"1").unwrap();
    let savepoint = txn.savepoint();
    txn.put(b"a", b"2").unwrap();
    txn.put(b"b", b"2").unwrap();
    txn.rollback_to(savepoint);
    txn.commit().unwrap();
    let after = db.begin(Isolation::ReadCommitted);
    assert_eq!((get(&after, "a").as_deref(), get(&after, "b")), (Some("1"), None));
}

#[test]
fn write_skew_is_refused_by_serializable_only() {
    for isolation in [Isolation::RepeatableRead, Isolation::Serializable] {
        let db = db();
        put(&db, &[("x", "1"), ("y", "1")]);
        let (one, two) = (db.begin(isolation), db.begin(isolation));
        for (txn, writes) in [(&one, "x"), (&two, "y")] {
            assert_eq!(keys(txn.scan(KeyRange::all(), Direction::Forward).unwrap()).len(), 2);
            txn.update(writes.as_bytes(), Some(b"0")).unwrap();
        }
        one.commit().unwrap();
        let second = two.commit().map_err(|error| error.kind());
        let is_serializable = isolation == Isolation::Serializable;
        assert_eq!(second.is_err(), is_serializable, "{second:?}");
    }
}

#[test]
fn serializable_sees_phantoms_but_not_in_what_it_did_not_read() {
    let db = db();
    put(&db, &[("a", "1"), ("c", "1"), ("e", "1")]);
    let begin = || {
        let txn = db.begin(Isolation::Serializable);
        let mut scan = txn.scan(KeyRange::all(), Direction::Forward).unwrap();
        assert_eq!(&scan.next().unwrap().unwrap().0[..], b"a");
        assert_eq!(&scan.next().unwrap().unwrap().0[..], b"c");
        drop(scan);
        txn.put(b"z", b"1").unwrap();
        txn
    };
    let (disturbed, calm) = (begin(), begin());
    put(&db, &[("d", "1")]);
    calm.commit().unwrap();
    put(&db, &[("b", "1")]);
    let error = disturbed.commit().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let reader = db.begin(Isolation::Serializable);
    assert_eq!(get(&reader, "a").as_deref(), Some("1"));
    put(&db, &[("a", "2")]);
    reader.commit().unwrap();
}

#[test]
fn a_serializable_transaction_that_writes_blindly_commits() {
    let db = db();
    let txn = db.begin(Isolation::Serializable);
    txn.put(b"a", b"1").unwrap();
    put(&db, &[("a", "0")]);
    txn.commit().unwrap();
    assert_eq!(get(&db.begin(Isolation::ReadCommitted), "a").as_deref(), Some("1"));
}

/// Fifty clients, twenty seats, everybody tries all of them: twenty bookings, each seat once.
#[test]
fn fifty_clients_book_twenty_seats() {
    const SEATS: usize = 20;
    let db = db();
    let seats: Vec<String> = (0..SEATS).map(|seat| format!("seat{seat:02}")).collect();
    let free: Vec<(&str, &str)> = seats.iter().map(|seat| (seat.as_str(), "free")).collect();
    put(&db, &free);
    let booked = AtomicUsize::new(0);
    thread::scope(|scope| {
        for client in 0..50_usize {
            let (db, seats, booked) = (&db, &seats, &booked);
            scope.spawn(move || {
                for seat in seats.iter().cycle().skip(client % SEATS).take(SEATS) {
                    let txn = db.begin(Isolation::ReadCommitted);
                    let _ = txn.lock(seat.as_bytes(), LockStrength::Update, WAIT).unwrap();
                    if txn.get_newest(seat.as_bytes()).unwrap().as_deref() != Some(b"free") {
                        continue;
                    }
                    txn.put(seat.as_bytes(), client.to_string().as_bytes()).unwrap();
                    txn.commit().unwrap();
                    booked.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(booked.into_inner(), SEATS);
    assert!(db.locks().is_empty());
}

/// Workers take the first row that nobody has locked: each gets another one.
#[test]
fn skip_locked_hands_out_every_row_once() {
    let db = db();
    let jobs: Vec<String> = (0..40).map(|job| format!("{job:02}")).collect();
    put(&db, &jobs.iter().map(|job| (job.as_str(), "")).collect::<Vec<_>>());
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..8 {
            let (db, sender) = (&db, sender.clone());
            scope.spawn(move || {
                while let Some(job) = take_one(db) {
                    sender.send(job).unwrap();
                }
            });
        }
    });
    drop(sender);
    let mut taken: Vec<String> = receiver.iter().collect();
    taken.sort_unstable();
    assert_eq!(taken, jobs);
}

fn take_one(db: &Db) -> Option<String> {
    let txn = db.begin(Isolation::ReadCommitted);
    for row in txn.scan(KeyRange::all(), Direction::Forward).unwrap() {
        let (key, _) = row.unwrap();
        let outcome = txn.lock(&key, LockStrength::Update, WaitPolicy::NoWait).unwrap();
        if outcome == LockOutcome::WouldBlock || txn.get_newest(&key).unwrap().is_none() {
            continue;
        }
        txn.delete(&key).unwrap();
        txn.commit().unwrap();
        return Some(String::from_utf8(key.to_vec()).unwrap());
    }
    // Rows that others hold may come back only by a rollback, which nobody does here.
    None
}

#[test]
fn counters_lose_no_update() {
    let db = db();
    put(&db, &[("n", "0")]);
    thread::scope(|scope| {
        for _ in 0..8 {
            let db = &db;
            scope.spawn(move || {
                for _ in 0..100 {
                    let txn = db.begin(Isolation::ReadCommitted);
                    let _ = txn.lock(b"n", LockStrength::NoKeyUpdate, WAIT).unwrap();
                    let value = txn.get_newest(b"n").unwrap().unwrap();
                    let n: u32 = std::str::from_utf8(&value).unwrap().parse().unwrap();
                    txn.put(b"n", (n + 1).to_string().as_bytes()).unwrap();
                    let ts = txn.commit_logged().unwrap();
                    db.wait_durable(ts).unwrap();
                }
            });
        }
    });
    assert_eq!(get(&db.begin(Isolation::ReadCommitted), "n").as_deref(), Some("800"));
}

#[test]
fn retries_of_conflicts_come_to_an_end() {
    let db = db();
    put(&db, &[("n", "0")]);
    thread::scope(|scope| {
        for _ in 0..4 {
            let db = &db;
            scope.spawn(move || {
                for _ in 0..50 {
                    while increment(db, Isolation::Serializable).is_err() {}
                }
            });
        }
    });
    assert_eq!(get(&db.begin(Isolation::ReadCommitted), "n").as_deref(), Some("200"));
}

fn increment(db: &Db, isolation: Isolation) -> crate::Result<()> {
    let txn = db.begin(isolation);
    let value = txn.get(b"n")?.unwrap();
    let n: u32 = std::str::from_utf8(&value).unwrap().parse().unwrap();
    txn.update(b"n", Some((n + 1).to_string().as_bytes()))?;
    txn.commit().map(drop)
}

#[test]
fn a_session_sees_its_own_logged_commits() {
    let db = db();
    let txn = db.begin(Isolation::ReadCommitted);
    txn.put(b"a", b"1").unwrap();
    let ts = txn.commit_logged().unwrap();
    let next = db.begin_after(Isolation::ReadCommitted, ts);
    assert_eq!(get(&next, "a").as_deref(), Some("1"));
    assert!(next.depends_on() == ts || db.durable_timestamp() >= ts);
    let (sender, receiver) = mpsc::channel();
    db.on_durable(ts, Box::new(move |result| sender.send(result).unwrap()));
    receiver.recv().unwrap().unwrap();
    assert!(db.durable_timestamp() >= ts);
}

#[test]
fn write_now_survives_a_rollback() {
    let db = db();
    let txn = db.begin(Isolation::ReadCommitted);
    db.write_now(b"sequence", Some(b"7")).unwrap();
    txn.put(b"a", b"1").unwrap();
    txn.rollback();
    let last = db.write_now(b"other", None).unwrap();
    db.wait_durable(last).unwrap();
    assert_eq!(get(&db.begin(Isolation::ReadCommitted), "sequence").as_deref(), Some("7"));
}

#[test]
fn limits_name_themselves() {
    let db = Db::in_memory(Options { transaction_len_max: 1000, ..Options::default() }).unwrap();
    let txn = db.begin(Isolation::ReadCommitted);
    let errors = [
        txn.put(&vec![0; KEY_LEN_MAX + 1], b"").unwrap_err(),
        txn.put(b"k", &vec![0; VALUE_LEN_MAX + 1]).unwrap_err(),
        txn.put(b"k", &[0; 2000]).unwrap_err(),
        db.write_now(&vec![0; KEY_LEN_MAX + 1], None).unwrap_err(),
    ];
    assert!(errors.iter().all(|error| error.kind() == ErrorKind::Limit));
    txn.put(b"k", b"v").unwrap();
    txn.commit().unwrap();
}

#[test]
fn a_load_obeys_the_limits_of_a_write() {
    let db = db();
    for (key_len, value_len) in [(KEY_LEN_MAX + 1, 0), (1, VALUE_LEN_MAX + 1)] {
        let entries = [(vec![0; 1], vec![0; 1]), (vec![1; key_len], vec![0; value_len])];
        let error = db.ingest(entries.into_iter().map(Ok)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
    }
    let snapshot = db.snapshot();
    assert_eq!(snapshot.scan(&KeyRange::all(), Direction::Forward).unwrap().count(), 0);
    db.ingest([Ok((vec![1; KEY_LEN_MAX], b"longest"))].into_iter()).unwrap();
}

#[test]
fn a_session_and_its_transaction_do_not_block_each_other() {
    let db = db();
    let session = db.new_lock_owner();
    let exclusive = LockStrength::Update;
    let outcome = db.lock_session(session, b"job", exclusive, WaitPolicy::NoWait, None).unwrap();
    assert_eq!(outcome, LockOutcome::Granted);
    let mut txn = db.begin(Isolation::ReadCommitted);
    txn.set_lock_owner(session);
    let own = txn.lock_advisory(b"job", exclusive, WaitPolicy::NoWait).unwrap();
    let other = db.begin(Isolation::ReadCommitted);
    let foreign = other.lock_advisory(b"job", exclusive, WaitPolicy::NoWait).unwrap();
    assert_eq!((own, foreign), (LockOutcome::Granted, LockOutcome::WouldBlock));
    drop(txn);
    assert!(db.unlock_session(session, b"job", exclusive));
    assert!(!db.unlock_session(session, b"job", exclusive));
    let foreign = other.lock_advisory(b"job", exclusive, WaitPolicy::NoWait).unwrap();
    assert_eq!(foreign, LockOutcome::Granted);
    drop(other);
    assert!(Arc::strong_count(&db.shared) == 1 && db.locks().is_empty());
}

#[test]
fn reads_without_a_snapshot_never_go_back() {
    let options = Options { memtable_len_max: 4 << 10, block_len: 256, ..Options::default() };
    let db = Db::in_memory(options).unwrap();
    let turns = 3_000_u64;
    put(&db, &[("counter", "0")]);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut last = 0;
                while last < turns {
                    let value = db.get(b"counter").unwrap().expect("it was always there");
                    let now = std::str::from_utf8(&value).unwrap().parse().unwrap();
                    assert!(last <= now, "{now} after {last}");
                    last = now;
                }
            });
        }
        for turn in 1..=turns {
            put(&db, &[("counter", &turn.to_string())]);
        }
    });
    db.settle().unwrap();
    assert_eq!(db.get(b"counter").unwrap().as_deref(), Some(turns.to_string().as_bytes()));
    assert_eq!(db.get(b"count").unwrap(), None);
}
