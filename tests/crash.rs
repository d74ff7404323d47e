//! Power cuts, simulated: what a database that was cut off holds when it is opened again.
//!
//! Files live in memory and know what was synced. At a random moment a picture is taken of what a
//! power cut would leave (unsynced sectors and names lost in any combination), and the picture is
//! opened as a database. Every seed is one history; a failure names its seed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cairn_engine::env::{Env, MemoryFs};
use cairn_engine::index::geo::Aabb;
use cairn_engine::keyspace::key;
use cairn_engine::{
    Db, Direction, Isolation, KeyRange, ObjectId, Options, Result, Space, Timestamp, Transaction,
};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const LAST: &[u8] = b"last";
const PLACES: ObjectId = ObjectId(9);

/// Small, so that a short history goes through every kind of file.
fn options() -> Options {
    Options {
        memtable_len_max: 16 << 10,
        wal_allocation_len: 32 << 10,
        delta_len_max: 2 << 10,
        ..Options::default()
    }
}

fn open(files: &MemoryFs) -> Result<Db> {
    Db::open_in(Env::with_files(Arc::new(files.clone())), Path::new("/db"), options())
}

fn row_key(n: u64) -> Vec<u8> {
    format!("row/{n:08}").into_bytes()
}

fn place_key(n: u64) -> Vec<u8> {
    key(Space::Geo, PLACES, &n.to_be_bytes())
}

/// Writes row `n` and its place, removes row `n - 50`, and says in `last` that it did both.
fn write(txn: &Transaction, n: u64, padding: usize) -> Result<()> {
    let mut value = n.to_be_bytes().to_vec();
    value.resize(8 + padding, b'.');
    txn.put(&row_key(n), &value)?;
    txn.put(&place_key(n), &Aabb::point([n as f64, 0.0, 0.0]).encode())?;
    txn.put(LAST, &n.to_be_bytes())?;
    if let Some(old) = n.checked_sub(50) {
        txn.delete(&row_key(old))?;
        txn.delete(&place_key(old))?;
    }
    Ok(())
}

/// The number in `last`, after checking that it agrees with the rows.
fn check(db: &Db) -> u64 {
    let snapshot = db.snapshot();
    let last = snapshot.get(LAST).unwrap().map_or(0, |value| number(&value));
    let range = KeyRange::prefix(b"row/");
    let rows: Vec<u64> = snapshot
        .scan(&range, Direction::Forward)
        .unwrap()
        .map(|row| number(&row.unwrap().1))
        .collect();
    let expected: Vec<u64> = (last.saturating_sub(49).max(1)..=last).collect();
    assert_eq!(rows, expected, "half a commit");
    assert_eq!(db.verify_indexes().unwrap(), [""; 0]);
    let txn = db.begin(Isolation::ReadCommitted);
    let everywhere = Aabb { min: [f64::MIN; 3], max: [f64::MAX; 3] };
    let hits = txn.search_geo(PLACES, &everywhere).unwrap();
    let mut places: Vec<u64> = hits.map(|hit| number(&hit.unwrap().row_key)).collect();
    places.sort_unstable();
    assert_eq!(places, expected, "the index and its rows disagree");
    last
}

fn number(value: &[u8]) -> u64 {
    u64::from_be_bytes(value[..8].try_into().unwrap())
}

/// One history with several cuts: each life goes on where the last cut left it.
fn history(seed: u64) {
    // Shown when something fails.
    println!("seed {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let mut files = MemoryFs::default();
    let mut acked = 0;
    for life in 0..4 {
        let db = open(&files).unwrap_or_else(|error| panic!("seed {seed} life {life}: {error}"));
        let found = check(&db);
        assert!(found >= acked, "seed {seed} life {life}: lost {found}..{acked}");
        let mut n = found;
        acked = found;
        for _ in 0..rng.random_range(1..150) {
            n += 1;
            let txn = db.begin(Isolation::ReadCommitted);
            write(&txn, n, rng.random_range(0..600)).unwrap();
            let ts = txn.commit_logged().unwrap();
            match rng.random_range(0..20) {
                0 => db.flush().unwrap(),
                1..=8 => {}
                _ => {
                    db.wait_durable(ts).unwrap();
                    acked = n;
                }
            }
        }
        if rng.random_bool(0.2) {
            db.close().unwrap();
            acked = n;
        }
        // Most lives end in a power cut; some end in a kill, and what that left unsynced is still
        // at the mercy of the next cut.
        let image = match rng.random_bool(0.3) {
            true => files.kill_image(),
            false => files.crash_image(rng.random()),
        };
        drop(db);
        files = image;
    }
}

#[test]
fn acknowledged_commits_survive_and_none_is_halved() {
    let seeds = std::env::var("CAIRN_CRASH_SEEDS").ok().and_then(|text| text.parse().ok());
    for seed in 0..seeds.unwrap_or(100) {
        history(seed);
    }
}

/// Cuts while four threads write, and while flushes and compactions run behind them.
#[test]
fn cuts_under_concurrent_load() {
    const THREADS: usize = 4;
    for seed in 0..8 {
        let files = MemoryFs::default();
        let db = open(&files).unwrap();
        let acked: [AtomicU64; THREADS] = Default::default();
        let (image, acked_then) = std::thread::scope(|scope| {
            for (thread, acked) in acked.iter().enumerate() {
                let db = &db;
                scope.spawn(move || {
                    for n in 1..=200 {
                        commit_pair(db, thread, n).unwrap();
                        acked.store(n, Ordering::SeqCst);
                    }
                });
            }
            let busy = 60 + seed * 10;
            while acked.iter().map(|it| it.load(Ordering::SeqCst)).sum::<u64>() < busy {
                std::thread::yield_now();
            }
            // Read before the cut: what is acknowledged now must be in the picture.
            let acked_then = acked.each_ref().map(|it| it.load(Ordering::SeqCst));
            (files.crash_image(seed), acked_then)
        });
        let after = open(&image).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        for (thread, acked) in acked_then.into_iter().enumerate() {
            check_pairs(&after, thread, acked);
        }
    }
}

fn pair_key(side: u8, thread: usize, n: u64) -> Vec<u8> {
    format!("{}/{thread}/{n:08}", char::from(side)).into_bytes()
}

fn commit_pair(db: &Db, thread: usize, n: u64) -> Result<Timestamp> {
    let txn = db.begin(Isolation::ReadCommitted);
    txn.put(&pair_key(b'a', thread, n), &[b'.'; 200])?;
    txn.put(&pair_key(b'b', thread, n), &n.to_be_bytes())?;
    txn.commit()
}

fn check_pairs(db: &Db, thread: usize, acked: u64) {
    let snapshot = db.snapshot();
    let mut is_over = false;
    for n in 1..=200 {
        let sides =
            [b'a', b'b'].map(|side| snapshot.get(&pair_key(side, thread, n)).unwrap().is_some());
        assert!(sides[0] == sides[1], "half a commit: thread {thread} number {n}");
        assert!(sides[0] || n > acked, "lost: thread {thread} number {n}");
        assert!(!(sides[0] && is_over), "a later commit without an earlier one: {thread} {n}");
        is_over |= !sides[0];
    }
}
