//! The write-ahead log: appending one commit, and making it durable.

use std::hint::black_box;
use std::path::Path;

use cairn_engine::env::Env;
use cairn_engine::lsm::{Batch, Lsm};
use cairn_engine::{Options, Timestamp};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn batch() -> Batch {
    let mut batch = Batch::new();
    batch.put(b"one key of some length", &[7; 100]);
    batch
}

/// Appends to the log's buffer and the memtable: what a commit costs before its sync.
fn append(c: &mut Criterion) {
    let lsm = Lsm::open(Env::memory(), Path::new("/db"), &Options::default()).expect("opens");
    let batch = batch();
    let mut ts = 0;
    let mut group = c.benchmark_group("wal");
    group.throughput(Throughput::Bytes(batch.len_bytes() as u64));
    group.bench_function("append_100_bytes", |b| {
        b.iter(|| {
            ts += 1;
            // No snapshot is held: the memtable keeps two versions, so that the log is measured.
            lsm.set_oldest_snapshot(Timestamp(ts - 1));
            lsm.append(Timestamp(ts), black_box(&batch)).expect("appends");
        });
    });
    group.finish();
}

/// Appends and syncs on the real disk: the price of one durable commit by itself.
fn append_and_sync(c: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a directory");
    let lsm = Lsm::open(Env::os(), dir.path(), &Options::default()).expect("opens");
    let batch = batch();
    let mut ts = 0;
    c.bench_function("wal/append_and_sync", |b| {
        b.iter(|| {
            ts += 1;
            lsm.set_oldest_snapshot(Timestamp(ts - 1));
            lsm.append(Timestamp(ts), black_box(&batch)).expect("appends");
            lsm.sync().expect("syncs")
        });
    });
}

criterion_group!(benches, append, append_and_sync);
criterion_main!(benches);
