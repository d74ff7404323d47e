//! A simulated machine with a database on it, for tests of what outlives a process.

use std::path::Path;
use std::sync::Arc;

use crate::db::Db;
use crate::env::clock::ManualClock;
use crate::env::{Env, MemoryFs};
use crate::index::geo::Aabb;
use crate::keyspace::{self, Direction, KeyRange, ObjectId, Space};
use crate::options::Options;
use crate::timestamp::Timestamp;
use crate::txn::{Isolation, Snapshot};

pub(crate) const DIR: &str = "/db";
pub(crate) const INDEX: ObjectId = ObjectId(7);

/// A machine whose power can fail and whose clock stands still.
#[derive(Clone, Default)]
pub(crate) struct Machine {
    pub(crate) files: MemoryFs,
    pub(crate) clock: Arc<ManualClock>,
}

impl Machine {
    pub(crate) fn env(&self) -> Env {
        let clock = self.clock.clone();
        Env { clock, ..Env::with_files(Arc::new(self.files.clone())) }
    }

    pub(crate) fn open(&self, options: Options) -> Db {
        Db::open_in(self.env(), Path::new(DIR), options).unwrap()
    }

    pub(crate) fn after_power_cut(&self, seed: u64) -> Self {
        Self { files: self.files.crash_image(seed), clock: self.clock.clone() }
    }

    pub(crate) fn verify(&self, dir: &Path) {
        assert_eq!(crate::verify(&self.env(), dir).unwrap().findings, []);
    }
}

/// Small files, so that much happens to them; no threads, so that it is the same each time.
pub(crate) fn options() -> Options {
    Options {
        memtable_len_max: 8 << 10,
        sstable_len_max: 4 << 10,
        block_len: 512,
        level_base_len_max: 8 << 10,
        level0_compaction_count: 2,
        background_thread_count: 0,
        ..Options::default()
    }
}

pub(crate) fn put(db: &Db, row: u32, value: &str) -> Timestamp {
    let txn = db.begin(Isolation::ReadCommitted);
    let place = Aabb::point([f64::from(row), value.len() as f64, 0.0]).encode();
    txn.put(&keyspace::key(Space::Geo, INDEX, &row.to_be_bytes()), &place).unwrap();
    txn.put(&row_key(row), value.as_bytes()).unwrap();
    txn.commit().unwrap()
}

pub(crate) fn row_key(row: u32) -> Vec<u8> {
    keyspace::key(Space::Row, ObjectId(1), &row.to_be_bytes())
}

pub(crate) fn remove(db: &Db, row: u32) {
    let txn = db.begin(Isolation::ReadCommitted);
    txn.delete(&keyspace::key(Space::Geo, INDEX, &row.to_be_bytes())).unwrap();
    txn.delete(&row_key(row)).unwrap();
    txn.commit().unwrap();
}

/// Rows with their values, and the rows that an index finds.
pub(crate) type Seen = (Vec<(Vec<u8>, String)>, Vec<Vec<u8>>);

/// What a snapshot sees: rows with their values, and the rows that the index finds.
pub(crate) fn seen(db: &Db, snapshot: &Snapshot) -> Seen {
    let range = KeyRange::prefix(&keyspace::prefix(Space::Row, ObjectId(1)));
    let rows = snapshot.scan(&range, Direction::Forward).unwrap().map(|row| {
        let (key, value) = row.unwrap();
        (key.to_vec(), String::from_utf8(value.to_vec()).unwrap())
    });
    let rows: Vec<_> = rows.collect();
    let txn = db.begin_at(snapshot);
    let everywhere = Aabb { min: [-1.0; 3], max: [1e9; 3] };
    let found = txn.search_geo(INDEX, &everywhere).unwrap();
    let candidates = found.map(|hit| hit.unwrap().row_key.to_vec());
    let mut found: Vec<_> = candidates
        .filter(|row| txn.get(&keyspace::key(Space::Row, ObjectId(1), row)).unwrap().is_some())
        .collect();
    found.sort();
    found.dedup();
    (rows, found)
}

/// Overwrites rows, removes some, and has everything compacted.
pub(crate) fn churn(db: &Db, rounds: u32) {
    for round in 0..rounds {
        for row in 0..20 {
            put(db, row, &format!("round {round} {}", "x".repeat(round as usize % 7)));
        }
        (0..20).step_by(3).for_each(|row| remove(db, row));
    }
    db.flush().unwrap();
    db.compact(&KeyRange::all()).unwrap();
}
