//! The index against a model: random changes, seals, merges, reopenings and snapshots, compared
//! with brute force.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::{Aabb, GeoIndex};
use crate::env::Env;
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
