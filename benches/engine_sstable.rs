//! Sstables: point reads with a warm and with no block cache, misses, scans.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use cairn_engine::env::Env;
use cairn_engine::lsm::Lsm;
use cairn_engine::{Direction, KeyRange, Options, Timestamp};
use criterion::{Criterion, criterion_group, criterion_main};

/// Keys in the sstables: about 60 MB before compression.
const KEY_COUNT: u64 = 500_000;

fn key(n: u64) -> [u8; 16] {
    let mut key = *b"row:0000........";
    key[8..].copy_from_slice(&n.to_be_bytes());
    key
}

/// A value that compresses about as well as a row does.
fn value(n: u64) -> Vec<u8> {
    format!(
        "{{\"id\":{n},\"name\":\"business {}\",\"city\":\"city {}\",\"stars\":{}}}",
        n * 31,
        n % 50,
        n % 5
    )
    .into_bytes()
}

/// Even keys only, so that odd ones are absent.
fn filled(block_cache_len_max: usize) -> Arc<Lsm> {
    let options = Options { block_cache_len_max, ..Options::default() };
    let lsm = Lsm::open(Env::memory(), Path::new("/db"), &options).expect("opens");
    let rows = (0..KEY_COUNT).map(|n| Ok((key(n * 2), value(n))));
    lsm.ingest(Timestamp(1), rows).expect("loads");
    lsm
}

fn get(c: &mut Criterion) {
    let mut n = 0;
    let mut next = move || {
        n = (n + 7919) % KEY_COUNT;
        n * 2
    };
    let warm = filled(1 << 30);
    for n in 0..KEY_COUNT {
        warm.get(&key(n * 2), Timestamp::MAX).expect("reads");
    }
    c.bench_function("sstable/get_hit", |b| {
        b.iter(|| warm.get(black_box(&key(next())), Timestamp::MAX).expect("reads"));
    });
    c.bench_function("sstable/get_miss", |b| {
        b.iter(|| warm.get(black_box(&key(next() + 1)), Timestamp::MAX).expect("reads"));
    });
    c.bench_function("sstable/scan_100", |b| {
        b.iter(|| {
            let range = KeyRange { start: key(next()).to_vec(), end: None };
            let scan = warm.scan(&range, Timestamp::MAX, Direction::Forward).expect("scans");
            scan.take(100).map(|row| row.expect("reads").2.len()).sum::<usize>()
        });
    });
    // Without a cache every read checks and decompresses its block: the difference to a hit is
    // what decoding a block costs.
    let cold = filled(0);
    c.bench_function("sstable/get_and_decode_block", |b| {
        b.iter(|| cold.get(black_box(&key(next())), Timestamp::MAX).expect("reads"));
    });
}

criterion_group!(benches, get);
criterion_main!(benches);
