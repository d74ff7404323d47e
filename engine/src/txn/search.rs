//! Searching derived indexes as one transaction sees them: what the index finds at the snapshot,
//! and the transaction's own entries.
//!
//! An own entry of an earlier statement hides what the index knows of the same row: the row was
//! replaced or removed. So every visible row is a candidate once. Candidates may be too many (the
//! caller fetches each row and checks again), never too few.

use std::collections::VecDeque;
use std::sync::Arc;

use ahash::HashSet;
use bytes::Bytes;

use super::oracle::Pin;
use crate::error::Result;
use crate::index::fulltext::{self, Document, HitRow, TextQuery, matching};
use crate::index::geo::{Aabb, Hit, Nearest, Neighbor, Search};

/// An own write of an index entry: the row's key, and the entry unless it was removed.
pub(super) type OwnEntry = (Bytes, Option<Bytes>);

/// Rows whose boxes meet a window, in no order.
pub struct GeoSearch {
    own: VecDeque<Hit>,
    hidden: HashSet<Bytes>,
    found: Search,
    _pin: Arc<Pin>,
}

impl GeoSearch {
    pub(super) fn new(pin: Arc<Pin>, own: Vec<OwnEntry>, window: &Aabb, found: Search) -> Self {
        let hidden = own.iter().map(|(row_key, _)| row_key.clone()).collect();
        let own = own_boxes(own).filter(|hit| hit.bounds.intersects(window)).collect();
        Self { own, hidden, found, _pin: pin }
    }
}

impl Iterator for GeoSearch {
    type Item = Result<Hit>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(hit) = self.own.pop_front() {
            return Some(Ok(hit));
        }
        self.found.by_ref().find(|hit| match hit {
            Ok(hit) => !self.hidden.contains(&hit.row_key),
            Err(_) => true,
        })
    }
}

/// Rows by the distance of their boxes from a place, nearest first.
pub struct GeoNearest {
    own: VecDeque<Neighbor>,
    hidden: HashSet<Bytes>,
    found: Nearest,
    next_found: Option<Neighbor>,
    _pin: Arc<Pin>,
}

impl GeoNearest {
    pub(super) fn new(pin: Arc<Pin>, own: Vec<OwnEntry>, origin: &Aabb, found: Nearest) -> Self {
        let hidden = own.iter().map(|(row_key, _)| row_key.clone()).collect();
        let mut own: Vec<Neighbor> = own_boxes(own)
            .map(|Hit { row_key, bounds }| Neighbor {
                distance: bounds.distance(origin),
                row_key,
                bounds,
            })
            .collect();
        own.sort_by(|a, b| a.distance.total_cmp(&b.distance));
        Self { own: own.into(), hidden, found, next_found: None, _pin: pin }
    }
}

impl Iterator for GeoNearest {
    type Item = Result<Neighbor>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next_found.is_none() {
            let found = self.found.by_ref().find(|neighbor| match neighbor {
                Ok(neighbor) => !self.hidden.contains(&neighbor.row_key),
                Err(_) => true,
            });
            self.next_found = match found.transpose() {
                Ok(neighbor) => neighbor,
                Err(error) => return Some(Err(error)),
            };
        }
        let is_own_nearer = match (self.own.front(), &self.next_found) {
            (Some(own), Some(found)) => own.distance <= found.distance,
            (own, _) => own.is_some(),
        };
        let next = if is_own_nearer { self.own.pop_front() } else { self.next_found.take() };
        next.map(Ok)
    }
}

/// Rows whose documents match a query, in no order.
pub struct TextSearch {
    own: VecDeque<fulltext::Hit>,
    hidden: HashSet<Bytes>,
    found: fulltext::Search,
    _pin: Arc<Pin>,
}

impl TextSearch {
    pub(super) fn new(
        pin: Arc<Pin>,
        own: Vec<OwnEntry>,
        query: &TextQuery,
        found: fulltext::Search,
    ) -> Self {
        let hidden = own.iter().map(|(row_key, _)| row_key.clone()).collect();
        let own = own
            .into_iter()
            .filter_map(|(row_key, entry)| {
                let document = Document::decode(entry?)?;
                let is_found = found.is_wanted(&row_key) && matching::matches(query, &document);
                is_found.then(|| fulltext::Hit { row: row_key.into(), document })
            })
            .collect();
        Self { own, hidden, found, _pin: pin }
    }
}

impl TextSearch {
    /// The key of a hit's row.
    ///
    /// # Errors
    /// `Corruption`.
    pub fn row_key(&self, row: &HitRow) -> Result<Bytes> {
        self.found.row_key(row)
    }

    /// Whether an own entry hides what the index knows of a row.
    fn is_hidden(&self, row: &HitRow) -> Result<bool> {
        Ok(!self.hidden.is_empty() && self.hidden.contains(&self.found.row_key(row)?))
    }

    /// The next hit's row key.
    ///
    /// # Errors
    /// `Corruption`.
    pub fn next_row_key(&mut self) -> Result<Option<Bytes>> {
        let hit = self.next().transpose()?;
        hit.map(|hit| self.row_key(&hit.row)).transpose()
    }
}

impl Iterator for TextSearch {
    type Item = Result<fulltext::Hit>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(hit) = self.own.pop_front() {
            return Some(Ok(hit));
        }
        loop {
            let hit = match self.found.next()? {
                Ok(hit) => hit,
                Err(error) => return Some(Err(error)),
            };
            match self.is_hidden(&hit.row) {
                Ok(true) => {}
                Ok(false) => return Some(Ok(hit)),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// The own boxes that can be read. Others were never indexed either.
fn own_boxes(own: Vec<OwnEntry>) -> impl Iterator<Item = Hit> {
    own.into_iter().filter_map(|(row_key, entry)| {
        let bounds = Aabb::decode(&entry?)?;
        Some(Hit { row_key, bounds })
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::Isolation::{ReadCommitted, RepeatableRead};
    use crate::db::Db;
    use crate::env::{Env, MemoryFs};
    use crate::index::RowKeySet;
    use crate::keyspace::{KeyRange, ObjectId, Space, key, prefix};
    use crate::options::Options;
    use crate::txn::Transaction;

    const INDEX: ObjectId = ObjectId(7);

    fn open(files: &MemoryFs) -> Db {
        let env = Env::with_files(Arc::new(files.clone()));
        let options = Options { delta_len_max: 1 << 10, ..Options::default() };
        Db::open_in(env, Path::new("/db"), options).unwrap()
    }

    fn place(txn: &Transaction, row: &str, x: f64) {
        let entry = Aabb::point([x, 0.0, 0.0]).encode();
        txn.put(&key(Space::Geo, INDEX, row.as_bytes()), &entry).unwrap();
    }

    fn remove(txn: &Transaction, row: &str) {
        txn.delete(&key(Space::Geo, INDEX, row.as_bytes())).unwrap();
    }

    fn window(from: f64, to: f64) -> Aabb {
        Aabb { min: [from, 0.0, 0.0], max: [to, 0.0, 0.0] }
    }

    fn text(row_key: &Bytes) -> String {
        String::from_utf8(row_key.to_vec()).unwrap()
    }

    /// What lies between 0 and 10, by name; checked against the walk outward from 0.
    fn found(txn: &Transaction) -> Vec<String> {
        let hits = txn.search_geo(INDEX, &window(0.0, 10.0)).unwrap();
        let mut rows: Vec<String> = hits.map(|hit| text(&hit.unwrap().row_key)).collect();
        rows.sort_unstable();
        let neighbors = txn.nearest_geo(INDEX, &Aabb::point([0.0; 3])).unwrap();
        let neighbors: Vec<Neighbor> = neighbors.map(|neighbor| neighbor.unwrap()).collect();
        assert!(neighbors.is_sorted_by(|a, b| a.distance <= b.distance));
        let mut near: Vec<String> = neighbors
            .iter()
            .filter(|neighbor| neighbor.distance <= 10.0)
            .map(|neighbor| text(&neighbor.row_key))
            .collect();
        near.sort_unstable();
        assert_eq!(rows, near);
        rows
    }

    #[test]
    fn search_is_transactional() {
        let db = open(&MemoryFs::default());
        let txn = db.begin(ReadCommitted);
        place(&txn, "a", 1.0);
        place(&txn, "b", 2.0);
        txn.begin_statement();
        assert_eq!(found(&txn), ["a", "b"], "its own rows before it commits");
        assert!(found(&db.begin(ReadCommitted)).is_empty());
        txn.commit().unwrap();
        assert_eq!(found(&db.begin(ReadCommitted)), ["a", "b"], "others at once");

        let old = db.begin(RepeatableRead);
        assert_eq!(found(&old), ["a", "b"]);
        let txn = db.begin(ReadCommitted);
        remove(&txn, "a");
        place(&txn, "b", 99.0);
        place(&txn, "c", 3.0);
        txn.begin_statement();
        assert_eq!(found(&txn), ["c"], "its own removals and moves hide the old entries");
        txn.commit().unwrap();
        db.flush().unwrap();
        assert_eq!(found(&old), ["a", "b"], "an old snapshot searches its own past");
        assert_eq!(found(&db.begin(ReadCommitted)), ["c"]);

        let txn = db.begin(ReadCommitted);
        place(&txn, "d", 4.0);
        txn.rollback();
        assert_eq!(found(&db.begin(ReadCommitted)), ["c"], "nobody after a rollback");
        assert!(db.verify_indexes().unwrap().is_empty());
    }

    #[test]
    fn indexes_are_recovered_copied_and_dropped() {
        let files = MemoryFs::default();
        let db = open(&files);
        for n in 0..100 {
            let txn = db.begin(ReadCommitted);
            place(&txn, &format!("{n:02}"), f64::from(n % 20));
            txn.commit().unwrap();
            if n == 60 {
                db.flush().unwrap();
            }
        }
        let before = found(&db.begin(ReadCommitted));
        assert_eq!(before.len(), 55);
        db.checkpoint(Path::new("/copy")).unwrap();
        let killed = open(&files.kill_image());
        assert_eq!(found(&killed.begin(ReadCommitted)), before);
        assert!(killed.verify_indexes().unwrap().is_empty());

        let env = Env::with_files(Arc::new(files.clone()));
        let copy = Db::open_in(env, Path::new("/copy"), Options::default()).unwrap();
        assert_eq!(found(&copy.begin(ReadCommitted)), before);

        db.drop_range(&KeyRange::prefix(&prefix(Space::Geo, INDEX))).unwrap();
        assert!(found(&db.begin(ReadCommitted)).is_empty());
        db.close().unwrap();
        db.close().unwrap();
        drop(db);
        assert!(found(&open(&files).begin(ReadCommitted)).is_empty());
    }

    #[test]
    fn a_bulk_load_is_found() {
        let db = open(&MemoryFs::default());
        let entries = (0..500_u32).map(|n| {
            let entry = Aabb::point([f64::from(n), 0.0, 0.0]).encode();
            Ok((key(Space::Geo, INDEX, &n.to_be_bytes()), entry))
        });
        db.ingest(entries).unwrap();
        let txn = db.begin(ReadCommitted);
        assert_eq!(txn.search_geo(INDEX, &window(0.0, 10.0)).unwrap().count(), 11);
        txn.put(b"after", b"1").unwrap();
        txn.commit().unwrap();
        assert!(db.verify_indexes().unwrap().is_empty());
    }

    fn describe(txn: &Transaction, row: &str, lexemes: &[&str]) {
        let mut builder = fulltext::DocumentBuilder::default();
        lexemes.iter().for_each(|lexeme| builder.push(lexeme, []));
        let entry = builder.finish().encoded().clone();
        txn.put(&key(Space::Text, INDEX, row.as_bytes()), &entry).unwrap();
    }

    fn with_word(txn: &Transaction, word: &str) -> Vec<String> {
        let query = TextQuery::Term(fulltext::TextTerm::new(word));
        let found = |give| {
            let mut hits = txn.search_text(INDEX, &query, give).unwrap().unwrap();
            let mut rows = Vec::new();
            while let Some(row_key) = hits.next_row_key().unwrap() {
                rows.push(text(&row_key));
            }
            rows.sort_unstable();
            rows
        };
        let rows = found(fulltext::Give::Documents);
        assert_eq!(rows, found(fulltext::Give::RowKeys));
        let mut among = RowKeySet::default();
        rows.iter().skip(1).for_each(|row| among.insert(row.as_bytes()));
        among.insert(b"not found");
        assert_eq!(found(fulltext::Give::RowKeysAmong(among)), rows[rows.len().min(1)..]);
        rows
    }

    #[test]
    fn words_are_found_transactionally() {
        let files = MemoryFs::default();
        let db = open(&files);
        let txn = db.begin(ReadCommitted);
        describe(&txn, "a", &["cat", "dog"]);
        describe(&txn, "b", &["cat"]);
        txn.begin_statement();
        assert_eq!(with_word(&txn, "cat"), ["a", "b"], "its own rows before it commits");
        assert!(with_word(&db.begin(ReadCommitted), "cat").is_empty());
        txn.commit().unwrap();

        let old = db.begin(RepeatableRead);
        assert_eq!(with_word(&old, "cat"), ["a", "b"]);
        let txn = db.begin(ReadCommitted);
        txn.delete(&key(Space::Text, INDEX, b"a")).unwrap();
        describe(&txn, "b", &["bird"]);
        txn.begin_statement();
        assert!(with_word(&txn, "cat").is_empty(), "its own removals hide the old entries");
        txn.commit().unwrap();
        db.flush().unwrap();
        assert_eq!(with_word(&old, "cat"), ["a", "b"], "an old snapshot searches its own past");
        assert_eq!(with_word(&db.begin(ReadCommitted), "bird"), ["b"]);
        assert!(db.verify_indexes().unwrap().is_empty());
        drop(old);
        let killed = open(&files.kill_image());
        assert_eq!(with_word(&killed.begin(ReadCommitted), "bird"), ["b"]);
        assert!(killed.verify_indexes().unwrap().is_empty());
    }
}
