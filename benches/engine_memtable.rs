//! The memtable: inserting, reading and scanning recent writes.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use cairn_engine::env::Env;
use cairn_engine::lsm::{Batch, Lsm};
use cairn_engine::{Direction, KeyRange, Options, Timestamp};
use criterion::{Criterion, criterion_group, criterion_main};

/// Keys in the memtable that is read.
const KEY_COUNT: u64 = 200_000;

/// A memtable that is never flushed.
fn options() -> Options {
    Options { memtable_len_max: 8 << 30, ..Options::default() }
}

/// Spreads numbers over the key space, so that neighbours in time are not neighbours in order.
fn key(n: u64) -> [u8; 16] {
    let spread = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut key = *b"row:0000........";
    key[8..].copy_from_slice(&spread.to_be_bytes());
    key
}

fn filled() -> Arc<Lsm> {
    let lsm = Lsm::open(Env::memory(), Path::new("/db"), &options()).expect("opens");
    for first in (0..KEY_COUNT).step_by(1000) {
        let mut batch = Batch::new();
        (first..first + 1000).for_each(|n| batch.put(&key(n), &[7; 100]));
        lsm.append(Timestamp(first + 1), &batch).expect("appends");
    }
    lsm
}

/// One insert of a new key into a growing memtable, batch and log included.
fn insert(c: &mut Criterion) {
    let lsm = Lsm::open(Env::memory(), Path::new("/db"), &options()).expect("opens");
    let mut n = 0;
    c.bench_function("memtable/insert", |b| {
        b.iter(|| {
            n += 1;
            let mut batch = Batch::new();
            batch.put(&key(n), &[7; 100]);
            lsm.append(Timestamp(n), black_box(&batch)).expect("appends");
        });
    });
}

fn read(c: &mut Criterion) {
    let lsm = filled();
    let mut n = 0;
    c.bench_function("memtable/get_hit", |b| {
        b.iter(|| {
            n = (n + 7919) % KEY_COUNT;
            lsm.get(black_box(&key(n)), Timestamp::MAX).expect("reads")
        });
    });
    c.bench_function("memtable/get_miss", |b| {
        b.iter(|| {
            n = (n + 7919) % KEY_COUNT;
            lsm.get(black_box(&key(KEY_COUNT + n)), Timestamp::MAX).expect("reads")
        });
    });
    c.bench_function("memtable/scan_100", |b| {
        b.iter(|| {
            n = (n + 7919) % KEY_COUNT;
            let range = KeyRange { start: key(n).to_vec(), end: None };
            let scan = lsm.scan(&range, Timestamp::MAX, Direction::Forward).expect("scans");
            scan.take(100).map(|row| row.expect("reads").2.len()).sum::<usize>()
        });
    });
}

criterion_group!(benches, insert, read);
criterion_main!(benches);
