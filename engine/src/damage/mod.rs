//! Damaged databases: a small one with every kind of file, and ways to hurt it.

mod matrix;
mod rebuild;
mod repair;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::env::MemoryFs;
use crate::error::{ErrorKind, Result};
use crate::index::fulltext::{DocumentBuilder, Give, TextQuery, TextTerm};
use crate::index::geo::Aabb;
use crate::keyspace::{KeyRange, key};
use crate::{Db, Direction, Env, Isolation, ObjectId, Options, Space, Transaction, verify};

const DIR: &str = "/db";
const TEXT: ObjectId = ObjectId(2);
const GEO: ObjectId = ObjectId(3);
/// Another index of each kind, so that files can be swapped between indexes.
const OTHERS: [ObjectId; 2] = [ObjectId(4), ObjectId(5)];

/// Everything that a reader can see.
#[derive(Clone, Debug, Default, PartialEq)]
struct Answers {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    found: [Vec<Vec<u8>>; 4],
}

/// What a directory holds, and what it answered after each commit.
struct World {
    files: MemoryFs,
    history: Vec<Answers>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Closed,
    Killed,
}

#[derive(Clone, Debug)]
enum Damage {
    Flip(usize, u8),
    Cut(usize),
    Extend(Vec<u8>),
    Gone,
    Swap(PathBuf),
    Old(Vec<u8>),
}

fn options() -> Options {
    Options {
        background_thread_count: 0,
        block_len: 256,
        wal_allocation_len: 1 << 10,
        ..Options::default()
    }
}

fn open(files: &MemoryFs) -> Result<Db> {
    Db::open_in(Env::with_files(Arc::new(files.clone())), Path::new(DIR), options())
}

fn put(txn: &Transaction, n: u32, version: u32) {
    let row = n.to_be_bytes();
    let value = format!("row {n} in version {version}");
    txn.put(&key(Space::Row, ObjectId(1), &row), value.as_bytes()).unwrap();
    let place = Aabb::point([f64::from(n), f64::from(version), 0.0]).encode();
    let mut document = DocumentBuilder::default();
    document.push("every", []);
    document.push(&format!("version{version}"), []);
    let document = document.finish().encoded().clone();
    for (text, geo) in [(TEXT, GEO), (OTHERS[0], OTHERS[1])] {
        txn.put(&key(Space::Text, text, &row), &document).unwrap();
        txn.put(&key(Space::Geo, geo, &row), &place).unwrap();
    }
}

fn remove(txn: &Transaction, n: u32) {
    let row = n.to_be_bytes();
    for (space, id) in [
        (Space::Row, ObjectId(1)),
        (Space::Text, TEXT),
        (Space::Geo, GEO),
        (Space::Text, OTHERS[0]),
        (Space::Geo, OTHERS[1]),
    ] {
        txn.delete(&key(space, id, &row)).unwrap();
    }
}

fn answers(db: &Db) -> Result<Answers> {
    answers_of(&db.begin(Isolation::RepeatableRead))
}

fn answers_of(txn: &Transaction) -> Result<Answers> {
    let mut answers = Answers::default();
    for entry in txn.scan(KeyRange::prefix(&[Space::Row as u8]), Direction::Forward)? {
        let (key, value) = entry?;
        // A point read must agree.
        assert_eq!(txn.get(&key)?.as_ref(), Some(&value));
        answers.rows.insert(key.to_vec(), value.to_vec());
    }
    let query = TextQuery::Term(TextTerm::new("every"));
    let everywhere = Aabb { min: [f64::NEG_INFINITY; 3], max: [f64::INFINITY; 3] };
    let [a, b, c, d] = &mut answers.found;
    for (id, found) in [(TEXT, a), (OTHERS[0], b)] {
        if let Some(mut search) = txn.search_text(id, &query, Give::RowKeys)? {
            while let Some(row) = search.next_row_key()? {
                found.push(row.to_vec());
            }
        }
        found.sort();
    }
    for (id, found) in [(GEO, c), (OTHERS[1], d)] {
        for hit in txn.search_geo(id, &everywhere)? {
            found.push(hit?.row_key.to_vec());
        }
        found.sort();
    }
    Ok(answers)
}

impl World {
    /// Several sstables, a log of two segments, two or three segments in each of four indexes.
    fn new(end: End) -> (Self, Vec<MemoryFs>) {
        let files = MemoryFs::default();
        let mut older = Vec::new();
        let mut history = vec![Answers::default()];
        let mut commit = |db: &Db, write: &dyn Fn(&Transaction)| {
            let txn = db.begin(Isolation::ReadCommitted);
            write(&txn);
            txn.commit().unwrap();
            history.push(answers(db).unwrap());
        };
        let db = open(&files).unwrap();
        commit(&db, &|txn| (0..24).for_each(|n| put(txn, n, 1)));
        db.flush().unwrap();
        older.push(files.kill_image());
        commit(&db, &|txn| (0..8).for_each(|n| put(txn, n, 2)));
        commit(&db, &|txn| (8..12).for_each(|n| remove(txn, n)));
        older.push(files.kill_image());
        db.flush().unwrap();
        commit(&db, &|txn| put(txn, 100, 3));
        older.push(files.kill_image());
        let files = files.kill_image();
        db.close().unwrap();
        let db = open(&files).unwrap();
        for n in 101..104 {
            commit(&db, &|txn| put(txn, n, 4));
        }
        let files = match end {
            End::Closed => files,
            End::Killed => files.kill_image(),
        };
        db.close().unwrap();
        (Self { files, history }, older)
    }

    /// A copy of the files with damage in one of them.
    fn damaged(&self, path: &Path, damage: &Damage) -> MemoryFs {
        let files = self.files.kill_image();
        let env = Env::with_files(Arc::new(files.clone()));
        let write = |path: &Path, bytes: &[u8]| {
            env.vfs.create(path).unwrap().write_at(0, bytes).unwrap();
        };
        let whole = || env.vfs.map(path).unwrap().to_vec();
        match damage {
            Damage::Flip(at, mask) => files.corrupt(path, *at, *mask),
            Damage::Cut(len) => write(path, &whole()[..*len]),
            Damage::Extend(more) => write(path, &[whole(), more.clone()].concat()),
            Damage::Gone => env.vfs.remove(path).unwrap(),
            Damage::Swap(other) => {
                let (one, two) = (whole(), env.vfs.map(other).unwrap().to_vec());
                write(path, &two);
                write(other, &one);
            }
            Damage::Old(bytes) => write(path, bytes),
        }
        files
    }
}

/// Every file below the directory.
fn files_of(files: &MemoryFs) -> Vec<PathBuf> {
    let env = Env::with_files(Arc::new(files.clone()));
    let found = crate::inspect::files(&env, Path::new(DIR)).unwrap();
    found.into_iter().map(|file| Path::new(DIR).join(file.path)).collect()
}

fn bytes_of(files: &MemoryFs, path: &Path) -> Option<Vec<u8>> {
    let env = Env::with_files(Arc::new(files.clone()));
    env.vfs.map(path).ok().map(|bytes| bytes.to_vec())
}

fn kind(path: &Path) -> &str {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap();
    match path.extension().and_then(|ending| ending.to_str()) {
        Some(ending) => ending,
        None if name == "MANIFEST" => "index manifest",
        None => name.split('-').next().unwrap(),
    }
}

/// Where the last byte that is not zero ends.
fn used_len(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1)
}
