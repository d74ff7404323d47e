//! What every decoder promises about bytes, whoever wrote them: one check per decoder.
//!
//! A check takes any bytes and panics when a promise is broken: no decoder panics, what is decoded
//! and encoded again decodes to the same, what was encoded is read back, and what was damaged under
//! a checksum is refused. Checks put right checksums around bytes where there is one, or nothing
//! behind the checksum would be reached.
//!
//! The fuzzer (crate `fuzz`, outside the workspace) feeds them without end; the test below feeds
//! them the seeds, the corpora kept beside the fuzzer, and damaged copies of both. Compiled for
//! tests and with the feature `fuzzing` only: no part of the engine's interface.

use crate::index::{self, fulltext, geo};
use crate::lsm::{self, sstable, version, wal};

/// The checks of this crate, and what the fuzzer and its corpora call them.
pub const TARGETS: &[(&str, fn(&[u8]))] = &[
    ("batch", lsm::batch::fuzz),
    ("block", sstable::fuzzing::block),
    ("block_index", sstable::fuzzing::block_index),
    ("document", fulltext::document::fuzz),
    ("edit", version::fuzzing::edit),
    ("filter", sstable::fuzzing::filter),
    ("footer", sstable::fuzzing::footer),
    ("fulltext_segment", fulltext::fuzz_segment),
    ("geo_segment", geo::fuzz_segment),
    ("index_manifest", index::fuzz_manifest),
    ("keys", crate::keyspace::fuzz),
    ("manifest", version::fuzzing::manifest),
    ("properties", sstable::fuzzing::properties),
    ("sealed_block", sstable::fuzzing::sealed_block),
    ("wal_record", wal::fuzzing::record),
    ("wal_segment", wal::fuzzing::segment),
];

/// Damages one bit that `choice` names of `bytes[from..]`. Requires: there is such a byte.
pub(crate) fn flip(bytes: &mut [u8], from: usize, choice: u64) {
    let bits = (bytes.len() - from) as u64 * 8;
    let bit = choice % bits;
    bytes[from + (bit / 8) as usize] ^= 1 << (bit % 8);
}

/// Takes `N` bytes off the front, which say what to do with the rest; missing ones are zero.
pub(crate) fn head<const N: usize>(data: &[u8]) -> ([u8; N], &[u8]) {
    let mut head = [0; N];
    let (front, rest) = data.split_at(data.len().min(N));
    head[..front.len()].copy_from_slice(front);
    (head, rest)
}

#[cfg(test)]
pub(crate) mod exercise;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoders_keep_their_promises() {
        exercise::all(TARGETS);
    }
}
