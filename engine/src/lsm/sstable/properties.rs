//! What an sstable says about itself; kept in the file and in the manifest.
//!
//! # Layout
//! ```text
//! entries, tombstones, keys, first timestamp, last timestamp, key bytes, value bytes   varints
//! smallest key, largest key                                                            length-prefixed
//! ```
//! In a file it is a sealed block; in the manifest it is part of an edit. Both carry the checksum.

use crate::encoding::{Decoder, put_bytes, put_varint};
use crate::timestamp::Timestamp;

/// Counts and bounds of an sstable's content (S-2: exactly those of its content).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    /// Row versions, tombstones included.
    pub entry_count: u64,
    /// Tombstones.
    pub tombstone_count: u64,
    /// Distinct user keys.
    pub key_count: u64,
    /// The oldest timestamp.
    pub first_ts: Timestamp,
    /// The newest timestamp.
    pub last_ts: Timestamp,
    /// Bytes of all user keys, one per entry.
    pub key_len: u64,
    /// Bytes of all values.
    pub value_len: u64,
    /// The smallest user key.
    pub smallest: Vec<u8>,
    /// The largest user key.
    pub largest: Vec<u8>,
}

impl Properties {
    /// Takes one more entry into account. Requires: entries come in order.
    pub(crate) fn add(&mut self, key: &[u8], ts: Timestamp, value: Option<&[u8]>) {
        if self.entry_count == 0 {
            self.smallest = key.to_vec();
            self.first_ts = ts;
        }
        if self.entry_count == 0 || self.largest != key {
            self.key_count += 1;
            self.largest.clear();
            self.largest.extend_from_slice(key);
        }
        self.first_ts = self.first_ts.min(ts);
        self.last_ts = self.last_ts.max(ts);
        self.entry_count += 1;
        self.key_len += key.len() as u64;
        match value {
            Some(value) => self.value_len += value.len() as u64,
            None => self.tombstone_count += 1,
        }
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        for number in [
            self.entry_count,
            self.tombstone_count,
            self.key_count,
            self.first_ts.0,
            self.last_ts.0,
            self.key_len,
            self.value_len,
        ] {
            put_varint(out, number);
        }
        put_bytes(out, &self.smallest);
        put_bytes(out, &self.largest);
    }

    pub(crate) fn decode(decoder: &mut Decoder<'_>) -> Option<Self> {
        Some(Self {
            entry_count: decoder.varint()?,
            tombstone_count: decoder.varint()?,
            key_count: decoder.varint()?,
            first_ts: Timestamp(decoder.varint()?),
            last_ts: Timestamp(decoder.varint()?),
            key_len: decoder.varint()?,
            value_len: decoder.varint()?,
            smallest: decoder.length_prefixed()?.to_vec(),
            largest: decoder.length_prefixed()?.to_vec(),
        })
    }

    /// Whether `key` lies between the smallest and the largest key.
    pub(crate) fn spans(&self, key: &[u8]) -> bool {
        self.smallest.as_slice() <= key && key <= self.largest.as_slice()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_round_trip() {
        let mut properties = Properties::default();
        properties.add(b"a", Timestamp(9), Some(b"xyz"));
        properties.add(b"a", Timestamp(3), None);
        properties.add(b"bb", Timestamp(5), Some(b""));
        assert_eq!((properties.entry_count, properties.key_count), (3, 2));
        assert_eq!((properties.first_ts, properties.last_ts), (Timestamp(3), Timestamp(9)));
        assert_eq!((properties.key_len, properties.value_len), (4, 3));
        let mut bytes = Vec::new();
        properties.encode(&mut bytes);
        assert_eq!(Properties::decode(&mut Decoder::new(&bytes)), Some(properties));
        for end in 0..bytes.len() {
            assert_eq!(Properties::decode(&mut Decoder::new(&bytes[..end])), None);
        }
    }
}
