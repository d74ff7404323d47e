//! The index against a model: random changes, seals, merges, reopenings and snapshots, compared
//! with brute force.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::{Aabb, GeoIndex, check_files};
use crate::env::fault::{FaultFs, Lasting, Operation, Rule};
use crate::env::{Env, MemoryFs};
use crate::error::ErrorKind;
use crate::index::DerivedIndex;
use crate::timestamp::Timestamp;

const DIR: &str = "/data/geo";

/// Every change ever made: row, commit, box.
#[derive(Default)]
struct Model {
    changes: BTreeMap<(Bytes, u64), Option<Aabb>>,
    last: u64,
}

impl Model {
    fn at(&self, snapshot: u64) -> BTreeMap<Bytes, Aabb> {
        let mut rows = BTreeMap::new();
        for ((key, ts), bounds) in &self.changes {
            if *ts <= snapshot {
                match bounds {
                    Some(bounds) => rows.insert(key.clone(), *bounds),
                    None => rows.remove(key),
                };
            }
        }
        rows
    }

    fn commit(&mut self, index: &GeoIndex, random: &mut StdRng) {
        self.last += 1;
        for _ in 0..random.random_range(1..20) {
            let key = Bytes::from(format!("row {}", random.random_range(0..200)));
            let bounds = random.random_bool(0.85).then(|| random_box(random));
            if self.changes.insert((key.clone(), self.last), bounds).is_some() {
                // One change per row and commit, as the transaction layer gives them.
                self.changes.insert((key.clone(), self.last), bounds);
            }
            let entry = bounds.map(|bounds| bounds.encode());
            index.apply(Timestamp(self.last), &key, entry.as_ref());
        }
    }

    /// What a crash does: the delta is gone, and the transaction layer applies what is newer than
    /// the watermark again.
    fn reopen(&self, env: &Env) -> GeoIndex {
        let index = GeoIndex::open(env, Path::new(DIR)).unwrap();
        let mut changes: Vec<_> = self.changes.iter().collect();
        changes.sort_by_key(|((_, ts), _)| *ts);
        for ((key, ts), bounds) in changes {
            let entry = bounds.map(|bounds| bounds.encode());
            index.apply(Timestamp(*ts), key, entry.as_ref());
        }
        index
    }

    fn check(&self, index: &GeoIndex, snapshot: u64, random: &mut StdRng) {
        let rows = self.at(snapshot);
        let window = random_box(random);
        let mut expected: Vec<Bytes> = rows
            .iter()
            .filter(|(_, bounds)| bounds.intersects(&window))
            .map(|(key, _)| key.clone())
            .collect();
        let hits = index.search(&window, Timestamp(snapshot));
        let mut found: Vec<Bytes> = hits.map(|hit| hit.unwrap().row_key).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected);

        let origin = Aabb::point(std::array::from_fn(|_| random.random_range(0.0..100.0)));
        let mut expected: Vec<f64> = rows.values().map(|bounds| origin.distance(bounds)).collect();
        expected.sort_by(f64::total_cmp);
        let limit = random.random_range(1..250);
        let neighbors: Vec<_> =
            index.nearest(&origin, Timestamp(snapshot)).take(limit).map(Result::unwrap).collect();
        expected.truncate(limit);
        let distances: Vec<f64> = neighbors.iter().map(|neighbor| neighbor.distance).collect();
        assert_eq!(distances, expected);
        for neighbor in neighbors {
            assert_eq!(rows.get(&neighbor.row_key), Some(&neighbor.bounds));
        }
    }
}

fn random_box(random: &mut StdRng) -> Aabb {
    // Whole numbers, so that distances are often equal.
    let min: [f64; 3] = std::array::from_fn(|_| f64::from(random.random_range(0..100)));
    if random.random_bool(0.5) {
        return Aabb::point(min);
    }
    Aabb { min, max: min.map(|value| value + f64::from(random.random_range(0..40))) }
}

#[test]
fn agrees_with_the_model() {
    for seed in 0..12 {
        let mut random = StdRng::seed_from_u64(seed);
        let env = Env::memory();
        env.vfs.create_dir_all(Path::new("/data")).unwrap();
        let mut model = Model::default();
        let mut index = GeoIndex::open(&env, Path::new(DIR)).unwrap();
        let mut oldest = 0;
        for _ in 0..150 {
            match random.random_range(0..10) {
                0..5 => model.commit(&index, &mut random),
                5 => index.life().seal(Timestamp(random.random_range(0..=model.last))).unwrap(),
                6 => drop(index.life().merge(random.random()).unwrap()),
                7 => {
                    oldest = random.random_range(oldest..=model.last);
                    index.life().set_oldest_snapshot(Timestamp(oldest));
                }
                8 if random.random_bool(0.2) => {
                    index = model.reopen(&env);
                    index.life().set_oldest_snapshot(Timestamp(oldest));
                }
                _ => {
                    let snapshot = random.random_range(oldest..=model.last);
                    model.check(&index, snapshot, &mut random);
                }
            }
        }
        index.life().seal(Timestamp(model.last)).unwrap();
        let index = model.reopen(&env);
        let rows = model.at(model.last);
        let mut entries = rows.iter().map(|(key, bounds)| Ok((key.clone(), bounds.encode())));
        let report = index.verify(Timestamp(model.last), &mut entries).unwrap();
        assert_eq!(report, Vec::<String>::new());
    }
}

#[test]
fn a_running_search_outlives_seals_and_merges() {
    let mut random = StdRng::seed_from_u64(1);
    let env = Env::memory();
    env.vfs.create_dir_all(Path::new("/data")).unwrap();
    let index = GeoIndex::open(&env, Path::new(DIR)).unwrap();
    let mut model = Model::default();
    for _ in 0..20 {
        model.commit(&index, &mut random);
    }
    let snapshot = model.last;
    let origin = Aabb::point([50.0; 3]);
    let mut found = 0;
    for neighbor in index.nearest(&origin, Timestamp(snapshot)) {
        neighbor.unwrap();
        found += 1;
        model.commit(&index, &mut random);
        index.life().seal(Timestamp(model.last)).unwrap();
        index.life().merge(false).unwrap();
    }
    assert_eq!(found, model.at(snapshot).len());
}

#[test]
fn a_checkpoint_opens_and_verify_finds_what_is_wrong() {
    let env = Env::memory();
    env.vfs.create_dir_all(Path::new("/data")).unwrap();
    let index = GeoIndex::open(&env, Path::new(DIR)).unwrap();
    let here = Aabb::point([1.0; 3]);
    index.apply(Timestamp(1), b"a", Some(&here.encode()));
    index.apply(Timestamp(1), b"b", Some(&Bytes::from_static(b"nonsense")));
    index.life().seal(Timestamp(1)).unwrap();
    index.life().checkpoint(Path::new("/data/copy")).unwrap();
    let copy = GeoIndex::open(&env, Path::new("/data/copy")).unwrap();
    assert_eq!(copy.life().watermark(), Timestamp(1));
    assert_eq!(copy.search(&here, Timestamp(1)).count(), 1);
    assert_eq!(copy.estimate(&here), 1);
    let stored = [(b"a", Aabb::point([2.0; 3])), (b"c", here)];
    let mut entries =
        stored.map(|(key, bounds)| Ok((Bytes::from_static(key), bounds.encode()))).into_iter();
    let report = copy.verify(Timestamp(1), &mut entries).unwrap();
    assert_eq!(report.len(), 2, "{report:?}");
}

/// The segment files in the directory.
fn segment_files(env: &Env) -> Vec<String> {
    let mut names = env.vfs.list(Path::new(DIR)).unwrap_or_default();
    names.retain(|name| name.ends_with(".geo"));
    names.sort();
    names
}

/// Four seals and what merges come of them, with a fault; how often it fired. `is_clean`: even at
/// once nothing is left of what failed.
fn seal_with_a_fault(operation: Option<Operation>, skip: u64, is_clean: bool) -> u64 {
    let faults = FaultFs::new(Arc::new(MemoryFs::default()));
    let env = Env::with_files(Arc::new(faults.clone()));
    env.vfs.create_dir_all(Path::new("/data")).unwrap();
    let index = GeoIndex::open(&env, Path::new(DIR)).unwrap();
    let error = std::io::ErrorKind::StorageFull;
    let path_contains = DIR.to_owned();
    faults.inject(Rule { operation, path_contains, skip, lasting: Lasting::Once, error });
    for ts in 1..=5 {
        index.apply(Timestamp(ts), &[ts as u8], Some(&Aabb::point([ts as f64; 3]).encode()));
        let sealed = index.life().seal(Timestamp(ts));
        let merged = sealed.and_then(|()| index.life().merge(false));
        if ts == 5 || is_clean {
            let left = segment_files(&env);
            GeoIndex::open(&env, Path::new(DIR)).unwrap();
            assert_eq!(segment_files(&env), left, "nothing is swept after {merged:?}");
        }
    }
    index.life().seal(Timestamp(5)).unwrap();
    let everywhere = Aabb { min: [0.0; 3], max: [9.0; 3] };
    assert_eq!(index.search(&everywhere, Timestamp(5)).count(), 5);
    faults.fired_count()
}

#[test]
fn a_failed_seal_or_merge_leaves_nothing_behind() {
    for (operation, is_clean) in
        [(Some(Operation::Create), true), (Some(Operation::Write), true), (None, false)]
    {
        let count =
            (0..).take_while(|skip| seal_with_a_fault(operation, *skip, is_clean) > 0).count();
        assert!(count >= 5, "{operation:?} failed {count} times");
    }
}

#[test]
fn ends_that_a_segment_cannot_have_are_damage() {
    let env = Env::memory();
    env.vfs.create_dir_all(Path::new("/data")).unwrap();
    let index = GeoIndex::open(&env, Path::new(DIR)).unwrap();
    for (ts, rows) in [(1, 0..9), (2, 0..8), (3, 9..10)] {
        for row in rows {
            index.apply(Timestamp(ts), &[row], Some(&Aabb::point([1.0; 3]).encode()));
        }
        index.life().seal(Timestamp(ts)).unwrap();
    }
    let names = segment_files(&env);
    let path = |name: &String| Path::new(DIR).join(name);
    env.vfs.remove(&path(&names[0])).unwrap();
    env.vfs.hard_link(&path(&names[2]), &path(&names[0])).unwrap();
    let error = GeoIndex::open(&env, Path::new(DIR)).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Corruption, "{error}");
    assert_eq!(check_files(&env, Path::new(DIR)).unwrap().damages.len(), 1);
}
