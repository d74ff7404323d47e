//! What is written: rows of a few tables, each with a place, some with a document.
//!
//! A row's index entries follow from its value, so that whoever knows the rows knows what the
//! indexes must find.

use std::collections::BTreeMap;

use crate::index::fulltext::DocumentBuilder;
use crate::index::geo::Aabb;
use crate::keyspace::{KeyRange, ObjectId, Space, key, prefix};

/// Index numbers begin here; the tables' are smaller.
const PLACES: u32 = 1 << 20;
const TEXTS: u32 = 2 << 20;
/// One table in so many has documents: they cost more than all the rest.
const TEXT_INTERVAL: u32 = 16;

/// Number of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Table(pub u32);

/// A key written and its new value; `None` removes it.
pub(super) type Write = (Vec<u8>, Option<Vec<u8>>);

impl Table {
    pub fn row_key(self, row: u8) -> Vec<u8> {
        key(Space::Row, ObjectId(self.0), &[row])
    }

    pub fn rows(self) -> KeyRange {
        KeyRange::prefix(&prefix(Space::Row, ObjectId(self.0)))
    }

    pub fn places(self) -> ObjectId {
        ObjectId(PLACES + self.0)
    }

    fn texts(self) -> Option<ObjectId> {
        self.0.is_multiple_of(TEXT_INTERVAL).then_some(ObjectId(TEXTS + self.0))
    }

    /// Everything that belongs to the table: rows first.
    pub fn ranges(self) -> Vec<KeyRange> {
        let places = KeyRange::prefix(&prefix(Space::Geo, self.places()));
        let texts = self.texts().map(|texts| KeyRange::prefix(&prefix(Space::Text, texts)));
        [self.rows(), places].into_iter().chain(texts).collect()
    }

    /// What is written when a row gets a value, the row itself first.
    pub fn writes(self, row: u8, value: Option<&[u8]>) -> Vec<Write> {
        let place = value.map(|value| place(value).encode().to_vec());
        let mut writes = vec![
            (self.row_key(row), value.map(<[u8]>::to_vec)),
            (key(Space::Geo, self.places(), &[row]), place),
        ];
        if let Some(texts) = self.texts() {
            let document = value.map(|value| {
                let mut document = DocumentBuilder::default();
                document.push(&format!("word{}", value.first().unwrap_or(&0) % 7), []);
                document.finish().encoded().to_vec()
            });
            writes.push((key(Space::Text, texts, &[row]), document));
        }
        writes
    }
}

/// Where a row with this value is.
pub(super) fn place(value: &[u8]) -> Aabb {
    Aabb::point([f64::from(value.first().copied().unwrap_or(0)), value.len() as f64, 0.0])
}

/// The rows of a table, of rows of all, that lie in a window: sorted row keys as an index has them.
pub(super) fn inside(
    table: Table,
    rows: &BTreeMap<Vec<u8>, Vec<u8>>,
    window: &Aabb,
) -> Vec<Vec<u8>> {
    let prefix = prefix(Space::Row, ObjectId(table.0));
    let own = rows.iter().filter(|(key, _)| key.starts_with(&prefix));
    let near = own.filter(|(_, value)| place(value).intersects(window));
    near.map(|(key, _)| key[prefix.len()..].to_vec()).collect()
}
