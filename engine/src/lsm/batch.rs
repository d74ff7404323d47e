//! Batch: the atomic unit of writing, and its bytes in the WAL.
//!
//! # Layout
//! ```text
//! len  field
//!   4  operation count   u32
//!   then for each operation
//!   1  kind              0 = delete, 1 = put; stored, never renumber
//!   n  key               length-prefixed
//!   n  value             length-prefixed; puts only
//! ```
//! Integers are little-endian, lengths are variable-length integers. The WAL record around a batch
//! carries its checksum. When one key appears twice, the later operation wins.

use std::ops::Range;

use crate::encoding::{Decoder, put_bytes};
use crate::error::Result;
use crate::options::{BATCH_LEN_MAX, check_entry, check_limit};

const COUNT_LEN: usize = 4;
const DELETE: u8 = 0;
const PUT: u8 = 1;

/// Writes that become visible and durable together.
#[derive(Clone, Debug)]
pub struct Batch {
    bytes: Vec<u8>,
    count: u32,
    key_len_max: usize,
    value_len_max: usize,
}

impl Default for Batch {
    fn default() -> Self {
        Self { bytes: vec![0; COUNT_LEN], count: 0, key_len_max: 0, value_len_max: 0 }
    }
}

impl Batch {
    /// A batch without operations.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a write.
    pub fn put(&mut self, key: &[u8], value: &[u8]) {
        self.begin(PUT, key);
        put_bytes(&mut self.bytes, value);
        self.value_len_max = self.value_len_max.max(value.len());
    }

    /// Adds a removal.
    pub fn delete(&mut self, key: &[u8]) {
        self.begin(DELETE, key);
    }

    fn begin(&mut self, kind: u8, key: &[u8]) {
        self.count += 1;
        let count = self.count.to_le_bytes();
        self.bytes[..COUNT_LEN].copy_from_slice(&count);
        self.bytes.push(kind);
        put_bytes(&mut self.bytes, key);
        self.key_len_max = self.key_len_max.max(key.len());
    }

    /// Operations inside.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there are no operations.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes that it takes in the WAL.
    pub fn len_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Keys and values in the order added; `None` as a value is a removal.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        let operations = operations(&self.bytes).into_iter().flatten();
        operations.flatten().map(|Operation { key, value }| {
            (&self.bytes[key], value.map(|value| &self.bytes[value]))
        })
    }

    /// Checks the hard limits of keys, values and batches.
    ///
    /// # Errors
    /// `Limit`.
    pub(crate) fn check_limits(&self) -> Result<()> {
        check_entry(self.key_len_max, self.value_len_max)?;
        check_limit("batch length", BATCH_LEN_MAX, self.bytes.len())
    }

    /// The encoded form.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Where one operation's key and value lie in the encoded batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    pub(crate) key: Range<usize>,
    /// `None` removes the key.
    pub(crate) value: Option<Range<usize>>,
}

/// Reads an encoded batch; `None` when its beginning is malformed, `None` as an item when the
/// rest is. The iterator ends after the stated number of operations or the first bad one.
pub(crate) fn operations(
    bytes: &[u8],
) -> Option<impl Iterator<Item = Option<Operation>> + use<'_>> {
    let mut decoder = Decoder::new(bytes);
    let count = decoder.u32()?;
    let mut left = count;
    let mut is_bad = false;
    Some(std::iter::from_fn(move || {
        if left == 0 || is_bad {
            return None;
        }
        left -= 1;
        let operation = read_operation(&mut decoder);
        is_bad = operation.is_none() || (left == 0 && !decoder.is_empty());
        Some(operation.filter(|_| !is_bad))
    }))
}

fn read_operation(decoder: &mut Decoder<'_>) -> Option<Operation> {
    let kind = decoder.u8()?;
    let key = read_range(decoder)?;
    let value = match kind {
        DELETE => None,
        PUT => Some(read_range(decoder)?),
        _ => return None,
    };
    Some(Operation { key, value })
}

fn read_range(decoder: &mut Decoder<'_>) -> Option<Range<usize>> {
    let len = decoder.length_prefixed()?.len();
    Some(decoder.offset() - len..decoder.offset())
}

/// Checks the decoder; see [`crate::fuzzing`].
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    let Some(found) = operations(data) else { return };
    let mut batch = Batch::new();
    for operation in found {
        let Some(Operation { key, value }) = operation else { return };
        match value {
            Some(value) => batch.put(&data[key], &data[value]),
            None => batch.delete(&data[key]),
        }
    }
    let stated: Vec<Operation> = operations(data).into_iter().flatten().flatten().collect();
    let stated = stated.iter().map(|operation| {
        (&data[operation.key.clone()], operation.value.clone().map(|value| &data[value]))
    });
    assert!(batch.iter().eq(stated));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Batch {
        let mut batch = Batch::new();
        batch.put(b"a", b"1");
        batch.delete(b"b");
        batch.put(b"", &[9; 300]);
        batch
    }

    #[test]
    fn operations_come_back_in_order() {
        let batch = example();
        let operations: Vec<_> = batch.iter().collect();
        let long = [9; 300];
        assert_eq!(
            operations,
            [(&b"a"[..], Some(&b"1"[..])), (b"b", None), (b"", Some(&long[..]))]
        );
        assert_eq!(batch.len(), 3);
    }

    #[test]
    fn bytes_are_as_documented() {
        let mut batch = Batch::new();
        batch.put(b"k", b"v");
        batch.delete(b"d");
        assert_eq!(batch.as_bytes(), b"\x02\0\0\0\x01\x01k\x01v\x00\x01d");
    }

    #[test]
    fn a_batch_is_limited_as_a_whole() {
        let whole = Batch { bytes: vec![0; BATCH_LEN_MAX], ..Batch::default() };
        assert!(whole.check_limits().is_ok());
        let larger = Batch { bytes: vec![0; BATCH_LEN_MAX + 1], ..Batch::default() };
        let error = larger.check_limits().unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Limit);
        assert!(error.message().contains("batch length"), "{error}");
    }

    #[test]
    fn truncated_batches_are_refused() {
        let batch = example();
        for end in 0..batch.len_bytes() {
            let read = operations(&batch.as_bytes()[..end]);
            let is_whole = read.is_some_and(|mut read| read.all(|operation| operation.is_some()));
            assert!(!is_whole, "cut at {end}");
        }
    }

    #[test]
    fn trailing_bytes_are_refused() {
        let mut bytes = example().as_bytes().to_vec();
        bytes.push(0);
        assert!(operations(&bytes).unwrap().any(|operation| operation.is_none()));
    }
}
