//! Building a segment: versions ordered so that neighbours share nodes, then packed.
//!
//! The order comes from splitting along the longest side at the middle, again and again, at
//! multiples of what whole subtrees hold (top-down bulk loading: T. Lee and S. Lee, OMT, 2003).

use ahash::AHashMap;
use bytes::Bytes;

use super::Version;
use super::layout::{
    BOX_LEN, CHECKSUMS_CRC_AT, CHUNK_LEN, ENTRY_COUNT_AT, FORMAT_VERSION, HEADER_CRC_AT,
    INNER_CAPACITY, KEYS_LEN_AT, LEAF_CAPACITY, MAGIC, level_counts,
};
use crate::encoding::checksum::checksum;
use crate::encoding::put_bytes;
use crate::index::geo::Aabb;
use crate::index::segmented::{Built, Ended};
use crate::timestamp::Timestamp;

/// A segment of these versions; `None` without any.
pub(in crate::index::geo) fn build(mut versions: Vec<Version>) -> Option<Built> {
    if versions.is_empty() {
        return None;
    }
    order(&mut versions);
    let mut keys = Keys::default();
    let mut out = vec![0; CHUNK_LEN];
    let mut bounds = write_leaves(&mut out, &versions, &mut keys);
    for _ in level_counts(versions.len()).iter().skip(1) {
        bounds = write_inner(&mut out, &bounds);
    }
    write_order(&mut out, &versions);
    out.extend(&keys.bytes);
    pad(&mut out);
    Some(Built { bytes: finish(out, versions.len(), keys.bytes.len()), ended: ended(&versions) })
}

/// Which versions have ended.
fn ended(versions: &[Version]) -> Ended {
    let ended = (0u32..).zip(versions).filter(|(_, version)| version.end < Timestamp::MAX);
    ended.map(|(item, version)| (item, version.end)).collect()
}

/// Each key once, however many versions it has.
#[derive(Default)]
struct Keys {
    bytes: Vec<u8>,
    places: AHashMap<Bytes, u64>,
}

impl Keys {
    fn place(&mut self, key: &Bytes) -> u64 {
        if let Some(place) = self.places.get(key) {
            return *place;
        }
        let place = self.bytes.len() as u64;
        put_bytes(&mut self.bytes, key);
        self.places.insert(key.clone(), place);
        place
    }
}

fn center(version: &Version, axis: usize) -> f64 {
    version.bounds.min[axis] / 2.0 + version.bounds.max[axis] / 2.0
}

fn order(versions: &mut [Version]) {
    if versions.len() <= LEAF_CAPACITY {
        return;
    }
    let mut unit = LEAF_CAPACITY;
    while unit * INNER_CAPACITY < versions.len() {
        unit *= INNER_CAPACITY;
    }
    let axis = longest_axis(versions);
    let middle = (versions.len().div_ceil(unit) / 2).max(1) * unit;
    versions.select_nth_unstable_by(middle, |a, b| center(a, axis).total_cmp(&center(b, axis)));
    let (low, high) = versions.split_at_mut(middle);
    order(low);
    order(high);
}

fn longest_axis(versions: &[Version]) -> usize {
    let mut low = [f64::INFINITY; 3];
    let mut high = [f64::NEG_INFINITY; 3];
    for version in versions {
        for axis in 0..3 {
            low[axis] = low[axis].min(center(version, axis));
            high[axis] = high[axis].max(center(version, axis));
        }
    }
    let extent = |axis: &usize| high[*axis] - low[*axis];
    (0..3).max_by(|a, b| extent(a).total_cmp(&extent(b))).unwrap_or(0)
}

fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(CHUNK_LEN), 0);
}

fn around<'a>(boxes: impl Iterator<Item = &'a Aabb>) -> Aabb {
    let empty = Aabb { min: [f64::INFINITY; 3], max: [f64::NEG_INFINITY; 3] };
    boxes.fold(empty, |all, one| all.merged(one))
}

fn write_leaves(out: &mut Vec<u8>, versions: &[Version], keys: &mut Keys) -> Vec<Aabb> {
    let mut bounds = Vec::with_capacity(versions.len().div_ceil(LEAF_CAPACITY));
    for leaf in versions.chunks(LEAF_CAPACITY) {
        for version in leaf {
            let corners = [version.bounds.min, version.bounds.max];
            corners.as_flattened().iter().for_each(|value| out.extend(value.to_le_bytes()));
            out.extend(version.begin.0.to_le_bytes());
            out.extend(keys.place(&version.key).to_le_bytes());
        }
        pad(out);
        bounds.push(around(leaf.iter().map(|version| &version.bounds)));
    }
    bounds
}

fn write_order(out: &mut Vec<u8>, versions: &[Version]) {
    let mut keyed: Vec<_> =
        (0u32..).zip(versions).map(|(item, version)| (&version.key, version.begin, item)).collect();
    keyed.sort_unstable();
    keyed.iter().for_each(|(_, _, item)| out.extend(item.to_le_bytes()));
}

fn write_inner(out: &mut Vec<u8>, children: &[Aabb]) -> Vec<Aabb> {
    let mut bounds = Vec::with_capacity(children.len().div_ceil(INNER_CAPACITY));
    for node in children.chunks(INNER_CAPACITY) {
        for child in node {
            let start = out.len();
            child.min.iter().for_each(|value| out.extend(below(*value).to_le_bytes()));
            child.max.iter().for_each(|value| out.extend(above(*value).to_le_bytes()));
            debug_assert_eq!(out.len() - start, BOX_LEN);
        }
        pad(out);
        bounds.push(around(node.iter()));
    }
    bounds
}

/// The largest 32-bit float that is not above.
fn below(value: f64) -> f32 {
    let float = value as f32;
    if f64::from(float) > value { float.next_down() } else { float }
}

/// The smallest 32-bit float that is not below.
fn above(value: f64) -> f32 {
    let float = value as f32;
    if f64::from(float) < value { float.next_up() } else { float }
}

fn put(out: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = out.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

/// Writes the checksums and the header.
fn finish(mut out: Vec<u8>, entries: usize, keys_len: usize) -> Vec<u8> {
    let chunks = out.chunks(CHUNK_LEN).skip(1);
    let checksums: Vec<u8> = chunks.flat_map(|chunk| checksum(&[chunk]).to_le_bytes()).collect();
    put(&mut out, 0, MAGIC);
    put(&mut out, 8, &FORMAT_VERSION.to_le_bytes());
    put(&mut out, ENTRY_COUNT_AT, &(entries as u64).to_le_bytes());
    put(&mut out, KEYS_LEN_AT, &(keys_len as u64).to_le_bytes());
    put(&mut out, CHECKSUMS_CRC_AT, &checksum(&[&checksums]).to_le_bytes());
    let header = checksum(&[out.get(..HEADER_CRC_AT).unwrap_or_default()]);
    put(&mut out, HEADER_CRC_AT, &header.to_le_bytes());
    out.extend(checksums);
    out
}
