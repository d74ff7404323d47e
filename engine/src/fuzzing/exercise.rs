//! Runs decoders' checks over the fuzzer's corpora and over damaged copies of them: what a test can
//! do in a moment. Shared by the crates that have decoders.

use std::path::Path;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Damaged copies tried per decoder.
const ROUND_COUNT: usize = 400;

/// Runs every check over its corpus, `fuzz/corpus/NAME`.
///
/// # Panics
/// When a decoder breaks its promise; the message has the bytes.
pub(crate) fn all(targets: &[(&str, fn(&[u8]))]) {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    for (name, check) in targets {
        let files = std::fs::read_dir(corpora.join(name)).unwrap();
        let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        paths.sort_unstable();
        assert!(!paths.is_empty(), "no corpus of {name}");
        one(name, *check, paths.iter().map(|path| std::fs::read(path).unwrap()).collect());
    }
}

fn one(name: &str, check: fn(&[u8]), mut inputs: Vec<Vec<u8>>) {
    let mut rng = StdRng::seed_from_u64(1);
    for len in [0, 1, 7, 60, 300, 2100] {
        inputs.push((0..len).map(|_| rng.random()).collect());
        inputs.push(vec![0; len]);
    }
    let damaged: Vec<Vec<u8>> = (0..ROUND_COUNT)
        .map(|_| damage(inputs[rng.random_range(0..inputs.len())].clone(), &mut rng))
        .collect();
    for input in inputs.iter().chain(&damaged) {
        let outcome = std::panic::catch_unwind(|| check(input));
        assert!(outcome.is_ok(), "{name} broke its promise on {input:02x?}");
    }
}

fn damage(mut bytes: Vec<u8>, rng: &mut StdRng) -> Vec<u8> {
    for _ in 0..rng.random_range(1..5) {
        let at = rng.random_range(0..=bytes.len());
        match rng.random_range(0..4) {
            0 if at < bytes.len() => bytes[at] ^= 1 << rng.random_range(0..8),
            1 if at < bytes.len() => bytes[at] = rng.random(),
            2 => bytes.truncate(at),
            _ => bytes.insert(at, rng.random()),
        }
    }
    bytes
}
