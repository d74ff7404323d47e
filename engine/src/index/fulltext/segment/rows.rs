//! The section that says which row each document of a segment belongs to.
//!
//! ```text
//!  0  u32 number of documents n
//!  4  n records of 20 bytes: u64 commit timestamp, u32 lexemes, u32 positions,
//!     u32 end of the row key among the keys
//!  …  n u32: document numbers ordered by row key, then timestamp
//!  …  the row keys
//! ```
//! Little-endian. Document `i` is tantivy's document `i`.

use std::ops::Range;

use bytes::Bytes;

use crate::encoding::Decoder;
use crate::timestamp::Timestamp;

/// The name of the section.
pub(super) const NAME: &str = "rows";

const HEADER_LEN: usize = 4;
const RECORD_LEN: usize = 20;

/// What is known of a document besides its lexemes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub key: Bytes,
    pub begin: Timestamp,
    /// Different lexemes.
    pub lexemes: u32,
    /// Positions; a lexeme without any counts as one.
    pub positions: u32,
}

/// The rows of a segment, by document number.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    bytes: Bytes,
    count: u32,
    keys_at: usize,
}

/// Encodes the section.
pub(super) fn encode(rows: &[Row]) -> Vec<u8> {
    let mut out = (rows.len() as u32).to_le_bytes().to_vec();
    let mut end = 0u32;
    for row in rows {
        end += row.key.len() as u32;
        out.extend(row.begin.0.to_le_bytes());
        for number in [row.lexemes, row.positions, end] {
            out.extend(number.to_le_bytes());
        }
    }
    let mut order: Vec<u32> = (0..rows.len() as u32).collect();
    order.sort_by_key(|doc| {
        let row = &rows[*doc as usize];
        (&row.key, row.begin)
    });
    for doc in order {
        out.extend(doc.to_le_bytes());
    }
    for row in rows {
        out.extend_from_slice(&row.key);
    }
    out
}

impl Rows {
    /// The section's rows; `None` when it is not long enough for what it says.
    pub fn new(bytes: Bytes) -> Option<Self> {
        let count = Decoder::new(&bytes).u32()?;
        let keys_at = (count as usize).checked_mul(RECORD_LEN + 4)?.checked_add(HEADER_LEN)?;
        (keys_at <= bytes.len()).then_some(Self { bytes, count, keys_at })
    }

    pub fn len(&self) -> u32 {
        self.count
    }

    fn record(&self, doc: u32) -> Decoder<'_> {
        Decoder::at(&self.bytes, HEADER_LEN + doc as usize * RECORD_LEN)
    }

    /// When the document's version of its row was committed.
    pub fn begin(&self, doc: u32) -> Option<Timestamp> {
        (doc < self.count).then(|| self.record(doc).u64().map(Timestamp))?
    }

    /// Lexemes and positions.
    pub fn size(&self, doc: u32) -> Option<(u32, u32)> {
        let mut record = self.record(doc);
        record.u64()?;
        Some((record.u32()?, record.u32()?))
    }

    fn key_end(&self, doc: u32) -> Option<usize> {
        let mut record = self.record(doc);
        record.bytes(RECORD_LEN - 4)?;
        record.u32().map(|end| end as usize)
    }

    fn key_range(&self, doc: u32) -> Option<Range<usize>> {
        if doc >= self.count {
            return None;
        }
        let start = if doc == 0 { 0 } else { self.key_end(doc - 1)? };
        let (start, end) = (self.keys_at + start, self.keys_at + self.key_end(doc)?);
        (start <= end && end <= self.bytes.len()).then_some(start..end)
    }

    /// The row key.
    pub fn key(&self, doc: u32) -> Option<&[u8]> {
        self.bytes.get(self.key_range(doc)?)
    }

    /// The row key, to keep, without a copy.
    pub fn shared_key(&self, doc: u32) -> Option<Bytes> {
        Some(self.bytes.slice(self.key_range(doc)?))
    }

    /// All of a document's row.
    pub fn row(&self, doc: u32) -> Option<Row> {
        let (lexemes, positions) = self.size(doc)?;
        Some(Row { key: self.shared_key(doc)?, begin: self.begin(doc)?, lexemes, positions })
    }

    /// The `index`th document in the order of row keys, then of timestamps, and its row key.
    pub fn ordered(&self, index: u32) -> Option<(u32, &[u8])> {
        let at = HEADER_LEN + self.count as usize * RECORD_LEN + index as usize * 4;
        let doc = Decoder::at(&self.bytes, at).u32()?;
        Some((doc, self.key(doc)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_lookup() {
        let row = |key: &'static str, begin| Row {
            key: Bytes::from_static(key.as_bytes()),
            begin: Timestamp(begin),
            lexemes: 3,
            positions: 4,
        };
        let rows = [row("b", 7), row("a", 5), row("b", 6), row("", 1)];
        let table = Rows::new(encode(&rows).into()).unwrap();
        for (doc, row) in (0..).zip(&rows) {
            assert_eq!(table.row(doc).as_ref(), Some(row));
        }
        assert_eq!(table.key(4), None);
        let order: Vec<_> = (0..4).map(|index| table.ordered(index).unwrap().0).collect();
        assert_eq!(order, [3, 1, 2, 0]);
        assert!(Rows::new(Bytes::from_static(&[9, 0, 0, 0])).is_none());
    }
}
