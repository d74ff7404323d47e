//! Seeded simulation: random operations and power cuts against a model.
//!
//! Every seed drives a store on simulated files with tiny limits, so that flushes and compactions
//! happen all the time, and without threads, so that a seed always does the same. After each
//! power cut the store must hold a prefix of the commits that includes every synced one, whole.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::compaction::Style;
use super::*;
use crate::env::MemoryFs;

type Commit = (u64, Vec<(Vec<u8>, Option<Vec<u8>>)>);

/// What the store should hold: all commits, in order.
#[derive(Default)]
struct Model {
    commits: Vec<Commit>,
}

impl Model {
    /// Keys and values as of a timestamp.
    fn at(&self, ts: u64) -> BTreeMap<Vec<u8>, (u64, Vec<u8>)> {
        let mut rows = BTreeMap::new();
        for (commit_ts, operations) in self.commits.iter().filter(|(at, _)| *at <= ts) {
            for (key, value) in operations {
                match value {
                    Some(value) => rows.insert(key.clone(), (*commit_ts, value.clone())),
                    None => rows.remove(key),
                };
            }
        }
        rows
    }
}

struct Simulation {
    seed: u64,
    style: Style,
    rng: StdRng,
    files: MemoryFs,
    lsm: Arc<Lsm>,
    model: Model,
    /// Commits up to here were acknowledged as durable.
    durable: u64,
    oldest: u64,
}

fn options() -> Options {
    Options {
        memtable_len_max: 6 << 10,
        block_len: 256,
        sstable_len_max: 2 << 10,
        block_cache_len_max: 8 << 10,
        level_base_len_max: 6 << 10,
        level_len_multiplier: 3,
        background_thread_count: 0,
        wal_allocation_len: 4 << 10,
        ..Options::default()
    }
}

fn open(files: &MemoryFs, style: Style) -> Arc<Lsm> {
    let env = Env::with_files(Arc::new(files.clone()));
    let options = Options { compaction_style: style, ..options() };
    Lsm::open(env, Path::new("/db"), &options).unwrap()
}

fn verify_clean(files: &MemoryFs, seed: u64) {
    let env = Env::with_files(Arc::new(files.clone()));
    match verify(&env, Path::new("/db")) {
        Ok(verification) => assert_eq!(verification.findings, [], "seed {seed}"),
        // The power went before there was anything.
        Err(error) => assert_eq!(error.kind(), crate::ErrorKind::Unusable, "seed {seed}"),
    }
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let files = MemoryFs::default();
        let style = if seed.is_multiple_of(2) { Style::Levelled } else { Style::Tiered };
        let lsm = open(&files, style);
        let rng = StdRng::seed_from_u64(seed);
        Self { seed, style, rng, files, lsm, model: Model::default(), durable: 0, oldest: 0 }
    }

    fn last(&self) -> u64 {
        self.model.commits.last().map_or(0, |(ts, _)| *ts)
    }

    fn key(&mut self) -> Vec<u8> {
        format!("k{:03}", self.rng.random_range(0..120u32)).into_bytes()
    }

    fn commit(&mut self) {
        let ts = self.lsm.last_timestamp().0 + self.rng.random_range(1..3u64);
        let mut batch = Batch::new();
        let mut operations = Vec::new();
        for _ in 0..self.rng.random_range(1..6) {
            let key = self.key();
            if self.rng.random_bool(0.3) {
                batch.delete(&key);
                operations.push((key, None));
            } else {
                let len = self.rng.random_range(0..90);
                let value = vec![self.rng.random::<u8>(); len];
                batch.put(&key, &value);
                operations.push((key, Some(value)));
            }
        }
        self.lsm.append(Timestamp(ts), &batch).unwrap();
        self.model.commits.push((ts, operations));
    }

    fn step(&mut self) {
        match self.rng.random_range(0..100) {
            0..70 => self.commit(),
            70..85 => {
                assert!(self.lsm.sync().unwrap().0 >= self.last());
                self.durable = self.last();
            }
            85..88 => {
                self.lsm.flush().unwrap();
                self.durable = self.last();
            }
            88..92 => {
                self.oldest = self.rng.random_range(self.oldest..=self.last());
                self.lsm.set_oldest_snapshot(Timestamp(self.oldest));
            }
            92..95 => self.check_some(),
            95 => self.kill(),
            96 => self.reshape(),
            97 => {
                self.lsm.close().unwrap();
                verify_clean(&self.files, self.seed);
                self.change_style();
                self.lsm = open(&self.files, self.style);
                self.durable = self.last();
            }
            _ => self.cut_power(),
        }
    }

    /// Now and then the other style goes on with what the one left.
    fn change_style(&mut self) {
        if self.rng.random_bool(0.2) {
            self.style = match self.style {
                Style::Levelled => Style::Tiered,
                Style::Tiered => Style::Levelled,
            };
        }
    }

    /// The rarer ways of changing files.
    fn reshape(&mut self) {
        match self.rng.random_range(0..4) {
            0 => drop(
                self.lsm.compact_range(&KeyRange::all(), &CompactionControl::default()).unwrap(),
            ),
            1 => self.ingest(),
            2 => self.drop_range(),
            _ => self.check_checkpoint(),
        }
    }

    fn ingest(&mut self) {
        let ts = self.lsm.last_timestamp().0 + 1;
        let count = self.rng.random_range(0..60);
        let rows: BTreeMap<_, _> =
            (0..count).map(|n| (self.key(), format!("ingested {n}").into_bytes())).collect();
        self.lsm.ingest(Timestamp(ts), rows.iter().map(Ok)).unwrap();
        let operations = rows.into_iter().map(|(key, value)| (key, Some(value))).collect();
        self.model.commits.push((ts, operations));
        self.durable = ts;
    }

    fn drop_range(&mut self) {
        let (start, end) = (self.key(), self.key());
        let range = KeyRange { start, end: Some(end) };
        self.lsm.drop_range(&range).unwrap();
        for (_, operations) in &mut self.model.commits {
            operations.retain(|(key, _)| !range.contains(key));
        }
        self.durable = self.last();
    }

    fn check_checkpoint(&mut self) {
        let copy = format!("/copy{}", self.rng.random::<u64>());
        let copy = Path::new(&copy);
        self.lsm.checkpoint(copy, &|| Ok(())).unwrap();
        self.durable = self.last();
        let image = self.files.crash_image(self.rng.random());
        let env = Env::with_files(Arc::new(image));
        assert_eq!(verify(&env, copy).unwrap().findings, []);
        let lsm = Lsm::open(env, copy, &options()).unwrap();
        let ts = self.last().max(self.oldest);
        let rows = lsm.scan(&KeyRange::all(), Timestamp(ts), Direction::Forward).unwrap();
        let rows: Vec<_> = rows.map(|row| row.unwrap().0.to_vec()).collect();
        let wanted: Vec<_> = self.model.at(ts).into_keys().collect();
        assert_eq!(rows, wanted, "seed {} checkpoint", self.seed);
    }

    /// Ends the process: everything appended and written survives, if the power does.
    fn kill(&mut self) {
        self.files = self.files.kill_image();
        self.reopen();
    }

    fn cut_power(&mut self) {
        let seed = self.rng.random();
        let image = self.files.crash_image(seed);
        self.files = image;
        self.reopen();
    }

    fn reopen(&mut self) {
        verify_clean(&self.files, self.seed);
        self.lsm = open(&self.files, self.style);
        let recovered = self.lsm.last_timestamp().0;
        assert!(recovered >= self.durable, "seed {}: lost a durable commit", self.seed);
        self.model.commits.retain(|(ts, _)| *ts <= recovered);
        self.durable = self.last();
        // The oldest snapshot may have been at a commit that did not survive.
        self.oldest = self.oldest.min(self.last());
        self.check_all();
    }

    fn check_some(&mut self) {
        let ts = self.rng.random_range(self.oldest..=self.last().max(self.oldest));
        let key = self.key();
        let wanted = self.model.at(ts).get(&key).cloned();
        let found = self.lsm.get(&key, Timestamp(ts)).unwrap();
        let found = found.and_then(|(ts, value)| Some((ts.0, value?.to_vec())));
        assert_eq!(found, wanted, "seed {} key {key:?} ts {ts}", self.seed);
        let (from, to) = (self.key(), self.key());
        self.check_range(KeyRange { start: from, end: Some(to) }, ts);
    }

    fn check_all(&mut self) {
        let ts = self.last().max(self.oldest);
        self.check_range(KeyRange::all(), ts);
        self.check_changes();
    }

    fn check_range(&mut self, range: KeyRange, ts: u64) {
        let rows = self.model.at(ts).into_iter();
        let mut wanted: Vec<_> = rows.filter(|(key, _)| range.contains(key)).collect();
        for direction in [Direction::Forward, Direction::Reverse] {
            let mut scan = self.lsm.scan(&range, Timestamp(ts), direction).unwrap();
            let collect = |scan: &mut LsmScan| -> Vec<_> {
                scan.map(Result::unwrap)
                    .map(|(k, ts, v)| (k.to_vec(), (ts.0, v.to_vec())))
                    .collect()
            };
            assert_eq!(collect(&mut scan), wanted, "seed {} {direction:?}", self.seed);
            if !wanted.is_empty() {
                let at = self.rng.random_range(0..wanted.len());
                scan.seek(&wanted[at].0).unwrap();
                assert_eq!(collect(&mut scan), wanted[at..], "seed {} seek", self.seed);
            }
            wanted.reverse();
        }
    }

    /// What changed since a timestamp, tombstones of the kept history included.
    fn check_changes(&mut self) {
        let since = self.rng.random_range(self.oldest..=self.last().max(self.oldest));
        let mut wanted = BTreeMap::new();
        for (ts, operations) in self.model.commits.iter().filter(|(ts, _)| *ts > since) {
            for (key, value) in operations {
                wanted.insert(key.clone(), (*ts, value.clone()));
            }
        }
        let found = self.lsm.scan_since(&KeyRange::all(), Timestamp(since)).unwrap();
        let mut newest = BTreeMap::new();
        for (key, ts, value) in found.map(Result::unwrap) {
            let version = (ts.0, value.map(|value| value.to_vec()));
            newest.entry(key.to_vec()).or_insert(version);
        }
        assert_eq!(newest, wanted, "seed {} since {since}", self.seed);
    }
}

#[test]
fn random_operations_and_power_cuts() {
    let seeds = std::env::var("CAIRN_SIMULATION_SEEDS").ok().and_then(|text| text.parse().ok());
    for seed in 0..seeds.unwrap_or(40) {
        let mut simulation = Simulation::new(seed);
        for _ in 0..400 {
            simulation.step();
        }
        simulation.check_all();
    }
}
