//! The geo index: nearest rows and windows over 200,000 points, sealed and in the delta, and what
//! a commit pays.

use std::hint::black_box;
use std::path::Path;

use cairn_engine::index::DerivedIndex;
use cairn_engine::index::geo::{Aabb, GeoIndex};
use cairn_engine::{Env, Timestamp};
use criterion::{Criterion, criterion_group, criterion_main};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const POINTS: u64 = 200_000;
/// Five kilometres on the unit sphere.
const RADIUS: f64 = 5_000.0 / 6_371_008.771;

/// A random place in a country of ten degrees by ten.
fn place(random: &mut StdRng) -> Aabb {
    let (lon, lat) = (random.random_range(0.0..10f64), random.random_range(45.0..55f64));
    let (lon_sin, lon_cos) = lon.to_radians().sin_cos();
    let (lat_sin, lat_cos) = lat.to_radians().sin_cos();
    Aabb::point([lat_cos * lon_cos, lat_cos * lon_sin, lat_sin])
}

fn filled(is_sealed: bool) -> GeoIndex {
    let env = Env::memory();
    env.vfs.create_dir_all(Path::new("/data")).expect("memory files do not fail");
    let index = GeoIndex::open(&env, Path::new("/data/geo")).expect("an empty index opens");
    let mut random = StdRng::seed_from_u64(1);
    for row in 1..=POINTS {
        let entry = place(&mut random).encode();
        index.apply(Timestamp(row), &row.to_be_bytes(), Some(&entry));
    }
    if is_sealed {
        index.life().seal(Timestamp(POINTS)).expect("memory files do not fail");
    }
    index
}

fn searches(criterion: &mut Criterion) {
    for (name, is_sealed) in [("segment", true), ("delta", false)] {
        let index = filled(is_sealed);
        let mut random = StdRng::seed_from_u64(2);
        criterion.bench_function(&format!("{name}/nearest 10"), |bencher| {
            bencher.iter(|| {
                let origin = place(&mut random);
                black_box(index.nearest(&origin, Timestamp::MAX).take(10).count())
            });
        });
        criterion.bench_function(&format!("{name}/radius 5 km"), |bencher| {
            bencher.iter(|| {
                let center = place(&mut random);
                let window = Aabb {
                    min: center.min.map(|value| value - RADIUS),
                    max: center.max.map(|value| value + RADIUS),
                };
                black_box(index.search(&window, Timestamp::MAX).count())
            });
        });
    }
}

fn changes(criterion: &mut Criterion) {
    let index = filled(true);
    let mut random = StdRng::seed_from_u64(3);
    let mut ts = POINTS;
    criterion.bench_function("apply", |bencher| {
        bencher.iter(|| {
            ts += 1;
            let entry = place(&mut random).encode();
            let row = random.random_range(0..POINTS);
            index.apply(Timestamp(ts), &row.to_be_bytes(), Some(&entry));
        });
    });
}

criterion_group!(benches, searches, changes);
criterion_main!(benches);
