//! The block cache, shared by readers of several files.
//!
//! # Invariants
//! - What it answers for a place is what was put there.
//! - It never holds more bytes than it may.

use std::sync::Arc;

use bytes::Bytes;
use shuttle::thread;

use super::check;
use crate::env::FileId;
use crate::lsm::block_cache::BlockCache;

const LEN_MAX: usize = 1 << 10;

fn block(file: u64, offset: u64) -> Bytes {
    vec![(file * 16 + offset) as u8; 200].into()
}

#[test]
fn a_place_has_its_own_block() {
    check(|| {
        let cache = Arc::new(BlockCache::new(LEN_MAX));
        let threads: Vec<_> = (0..3u64)
            .map(|n| {
                let cache = cache.clone();
                thread::spawn(move || {
                    for offset in 0..3 {
                        let (file, offset) = ((n + offset) % 2, offset);
                        match cache.get(FileId(file), offset) {
                            Some(found) => assert_eq!(found, block(file, offset)),
                            None => cache.insert(FileId(file), offset, block(file, offset)),
                        }
                        assert!(cache.len_bytes() <= LEN_MAX as u64);
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|it| it.join().unwrap());
    });
}
