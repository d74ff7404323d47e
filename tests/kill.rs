//! `kill -9` at random moments of a write load, then open again and look.
//!
//! The test runs its own binary a second time as the writer: threads commit and print the number
//! of each commit once it is acknowledged. The parent kills it, opens the directory and checks
//! that every printed commit is there and that none is halved. `CAIRN_KILL_CYCLES` sets how often
//! (default 20).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cairn_engine::index::geo::Aabb;
use cairn_engine::keyspace::key as key_in;
use cairn_engine::{
    Db, Direction, Isolation, KeyRange, LockStrength, ObjectId, Options, Result, Space, WaitPolicy,
};
use rand::Rng;

const DIR: &str = "CAIRN_KILL_DIR";
const THREADS: usize = 4;
const PLACES: ObjectId = ObjectId(9);

/// Small, so that flushes and compactions are killed too.
fn options() -> Options {
    Options { memtable_len_max: 256 << 10, delta_len_max: 32 << 10, ..Options::default() }
}

fn key(side: u8, thread: usize, n: u64) -> Vec<u8> {
    format!("{}/{thread}/{n:08}", char::from(side)).into_bytes()
}

/// The writer. Does nothing unless the parent named a directory.
#[test]
fn writer() {
    let Some(dir) = std::env::var_os(DIR).map(PathBuf::from) else { return };
    let db = Db::open(&dir, options()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let db = &db;
            scope.spawn(move || {
                for n in last_of(db, thread) + 1.. {
                    commit(db, thread, n).unwrap();
                    let line = format!("acked {thread} {n}\n");
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                }
            });
        }
    });
}

fn commit(db: &Db, thread: usize, n: u64) -> Result<()> {
    let txn = db.begin(Isolation::ReadCommitted);
    txn.put(&key(b'a', thread, n), &[b'.'; 300])?;
    txn.put(&key(b'b', thread, n), &n.to_be_bytes())?;
    let place = Aabb::point([n as f64, thread as f64, 0.0]).encode();
    txn.put(&key_in(Space::Geo, PLACES, &key(b'a', thread, n)), &place)?;
    // Everybody fights for this one.
    txn.begin_statement();
    let _ = txn.lock(b"count", LockStrength::Update, WaitPolicy::Wait(None))?;
    let count = txn.get_newest(b"count")?.map_or(0, |value| number(&value));
    txn.put(b"count", &(count + 1).to_be_bytes())?;
    txn.commit().map(drop)
}

fn number(value: &[u8]) -> u64 {
    u64::from_be_bytes(value[..8].try_into().unwrap())
}

fn numbers(db: &Db, side: u8, thread: usize) -> Vec<u64> {
    let range = KeyRange::prefix(format!("{}/{thread}/", char::from(side)).as_bytes());
    let rows = db.snapshot().scan(&range, Direction::Forward).unwrap();
    rows.map(|row| {
        let key = row.unwrap().0;
        std::str::from_utf8(&key[4..]).unwrap().parse().unwrap()
    })
    .collect()
}

fn last_of(db: &Db, thread: usize) -> u64 {
    numbers(db, b'a', thread).last().copied().unwrap_or(0)
}

#[test]
fn acknowledged_commits_survive_kill() {
    let cycles = std::env::var("CAIRN_KILL_CYCLES").ok().and_then(|text| text.parse().ok());
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let mut acked = [0; THREADS];
    for cycle in 0..cycles.unwrap_or(20) {
        let life = Duration::from_millis(rand::rng().random_range(1..150));
        run_and_kill(&path, life, &mut acked);
        check(&path, acked, cycle);
    }
    assert!(acked.iter().sum::<u64>() > 0, "the writer never got to write");
}

/// Lets a writer live for a while after its first acknowledgement, kills it, and notes what it
/// acknowledged.
fn run_and_kill(dir: &Path, life: Duration, acked: &mut [u64; THREADS]) {
    let mut child = spawn(dir);
    let output = child.stdout.take().unwrap();
    let (began, begun) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut seen = [0; THREADS];
        for line in BufReader::new(output).lines() {
            // The last line may be cut: what was not printed whole was not acknowledged.
            let Ok(line) = line else { break };
            let mut words = line.split(' ');
            if words.next() != Some("acked") {
                continue;
            }
            let numbers: Vec<u64> = words.filter_map(|word| word.parse().ok()).collect();
            let &[thread, n] = numbers.as_slice() else { continue };
            seen[thread as usize] = n;
            let _ = began.send(());
        }
        seen
    });
    // A killer needs a clock: the moment is the point.
    let _ = begun.recv_timeout(Duration::from_secs(30));
    std::thread::sleep(life);
    child.kill().unwrap();
    child.wait().unwrap();
    for (known, seen) in acked.iter_mut().zip(reader.join().unwrap()) {
        *known = (*known).max(seen);
    }
}

fn spawn(dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writer", "--nocapture"])
        .env(DIR, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

fn check(dir: &Path, acked: [u64; THREADS], cycle: u64) {
    let db = Db::open(dir, options()).unwrap_or_else(|error| panic!("cycle {cycle}: {error}"));
    let mut count = 0;
    for (thread, acked) in acked.into_iter().enumerate() {
        let sides = [b'a', b'b'].map(|side| numbers(&db, side, thread));
        assert_eq!(sides[0], sides[1], "cycle {cycle}: half a commit");
        let last = sides[0].len() as u64;
        assert_eq!(sides[0], (1..=last).collect::<Vec<_>>(), "cycle {cycle}: a gap");
        assert!(last >= acked, "cycle {cycle}: lost {last}..{acked}");
        let line = Aabb { min: [0.0, thread as f64, 0.0], max: [f64::MAX, thread as f64, 0.0] };
        let txn = db.begin(Isolation::ReadCommitted);
        let places = txn.search_geo(PLACES, &line).unwrap().filter(Result::is_ok).count();
        assert_eq!(places as u64, last, "cycle {cycle}: the index and its rows disagree");
        count += last;
    }
    let stored = db.snapshot().get(b"count").unwrap().map_or(0, |value| number(&value));
    assert_eq!(stored, count, "cycle {cycle}: the counter and the rows disagree");
    assert_eq!(db.verify_indexes().unwrap(), [""; 0], "cycle {cycle}");
    db.close().unwrap();
}
