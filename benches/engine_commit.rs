//! What a commit costs with 1, 8 and 32 threads, and what a begun transaction with one read costs.

use std::time::{Duration, Instant};

use cairn_engine::{Db, Isolation, Options};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn open() -> (tempfile::TempDir, Db) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let db = Db::open(dir.path(), Options::default()).expect("a new database");
    (dir, db)
}

/// Time for `count` commits that `threads` threads share.
fn commits(db: &Db, threads: u64, count: u64) -> Duration {
    let began = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                for n in (thread..count).step_by(threads as usize) {
                    let txn = db.begin(Isolation::ReadCommitted);
                    txn.put(&n.to_be_bytes(), &[7; 100]).expect("a small write");
                    txn.commit().expect("a commit");
                }
            });
        }
    });
    began.elapsed()
}

fn commit(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("commit");
    group.throughput(Throughput::Elements(1)).sample_size(10);
    for threads in [1, 8, 32] {
        let (_dir, db) = open();
        group.bench_function(format!("{threads} threads"), |bencher| {
            bencher.iter_custom(|count| commits(&db, threads, count));
        });
    }
    group.finish();
}

fn read(criterion: &mut Criterion) {
    let (_dir, db) = open();
    let txn = db.begin(Isolation::ReadCommitted);
    for n in 0..100_000_u64 {
        txn.put(&n.to_be_bytes(), &[7; 100]).expect("a small write");
    }
    txn.commit().expect("a commit");
    let mut n = 0_u64;
    let mut next = move || {
        n = (n + 61_803) % 100_000;
        n.to_be_bytes()
    };
    criterion.bench_function("begin, get, drop", |bencher| {
        bencher.iter(|| db.begin(Isolation::ReadCommitted).get(&next()).expect("a read"));
    });
    let txn = db.begin(Isolation::ReadCommitted);
    criterion.bench_function("get", |bencher| {
        bencher.iter(|| txn.get(&next()).expect("a read"));
    });
}

criterion_group!(benches, commit, read);
criterion_main!(benches);
