//! The delta: the index of recent commits, in memory.
//!
//! It keeps the changes in commit order; everything else (postings, the newest version of each
//! row) is derived from them.

use std::collections::BTreeMap;
use std::ops::Bound;

use ahash::AHashMap;
use bytes::Bytes;
use parking_lot::{RwLock, RwLockReadGuard};

use super::document::Document;
use super::narrow::Narrowed;
use super::query::TextTerm;
use super::segment::build;
use crate::error::Result;
use crate::index::segmented::{self, Built};
use crate::timestamp::Timestamp;

/// Bytes that one posting, row or change costs besides its contents, roughly.
const OVERHEAD: usize = 64;

/// Recent changes and what they mean for a search.
#[derive(Default)]
pub(super) struct Delta(RwLock<Changes>);

/// The contents of a delta.
#[derive(Default)]
pub(super) struct Changes {
    log: Vec<Change>,
    rows: AHashMap<Bytes, RowState>,
    postings: BTreeMap<Box<str>, Vec<u32>>,
    len: usize,
}

/// One row got another document, or none.
struct Change {
    row_key: Bytes,
    begin: Timestamp,
    /// When the next change of the row followed.
    end: Timestamp,
    document: Option<Document>,
}

struct RowState {
    first_change: Timestamp,
    last: usize,
}

/// A version of a row on its way into a segment.
pub(super) struct Sealed {
    pub row_key: Bytes,
    pub begin: Timestamp,
    /// [`Timestamp::MAX`] when it has not ended.
    pub end: Timestamp,
    pub document: Document,
}

impl Delta {
    pub fn read(&self) -> RwLockReadGuard<'_, Changes> {
        self.0.read()
    }

    /// Takes a change in. Requires: timestamps do not descend.
    pub fn apply(&self, ts: Timestamp, row_key: Bytes, document: Option<Document>) {
        self.0.write().push(ts, row_key, document);
    }
}

impl segmented::Delta for Delta {
    fn len(&self) -> usize {
        self.read().len
    }

    fn first_changes(&self, upto: Timestamp) -> Vec<(Bytes, Timestamp)> {
        let changes = self.read();
        let rows = changes.rows.iter().filter(|(_, row)| row.first_change <= upto);
        rows.map(|(key, row)| (key.clone(), row.first_change)).collect()
    }

    fn build(&self, upto: Timestamp, oldest: Timestamp) -> Result<Option<Built>> {
        let versions = self.read().sealed(upto, oldest);
        build(&versions)
    }

    fn rest(&self, upto: Timestamp) -> Self {
        let (old, mut rest) = (self.read(), Changes::default());
        let newer = old.log.partition_point(|change| change.begin <= upto);
        for change in old.log.iter().skip(newer) {
            rest.push(change.begin, change.row_key.clone(), change.document.clone());
        }
        Self(RwLock::new(rest))
    }
}

impl Changes {
    fn push(&mut self, ts: Timestamp, row_key: Bytes, document: Option<Document>) {
        let index = self.log.len();
        self.len += row_key.len() + OVERHEAD;
        for lexeme in document.iter().flat_map(Document::iter) {
            self.len += lexeme.text.len() + lexeme.positions.len() * 2 + size_of::<u32>();
            match self.postings.get_mut(lexeme.text) {
                Some(postings) => postings.push(index as u32),
                None => {
                    self.len += lexeme.text.len() + OVERHEAD;
                    self.postings.insert(lexeme.text.into(), vec![index as u32]);
                }
            }
        }
        let row = self.rows.entry(row_key.clone());
        let row = row.or_insert(RowState { first_change: ts, last: index });
        if row.last != index {
            if let Some(previous) = self.log.get_mut(row.last) {
                previous.end = ts;
            }
            row.last = index;
        }
        self.log.push(Change { row_key, begin: ts, end: Timestamp::MAX, document });
    }

    /// Whether nothing happened.
    pub fn is_empty(&self) -> bool {
        self.log.is_empty()
    }

    /// How many documents there are, ended ones included.
    pub fn doc_count(&self) -> usize {
        self.log.len()
    }

    /// Whether the row changed at or before the snapshot.
    pub fn is_changed(&self, row_key: &[u8], snapshot: Timestamp) -> bool {
        self.rows.get(row_key).is_some_and(|row| row.first_change <= snapshot)
    }

    /// The documents that a segment of everything up to `upto` must have, by row; what ended at or
    /// before `oldest` is left out.
    fn sealed(&self, upto: Timestamp, oldest: Timestamp) -> Vec<Sealed> {
        let mut sealed = Vec::new();
        for change in self.log.iter().filter(|change| change.begin <= upto) {
            let Some(document) = &change.document else { continue };
            // A later end is found in the delta that stays.
            let end = if change.end <= upto { change.end } else { Timestamp::MAX };
            if end > oldest && end > change.begin {
                sealed.push(Sealed {
                    row_key: change.row_key.clone(),
                    begin: change.begin,
                    end,
                    document: document.clone(),
                });
            }
        }
        sealed.sort_by(|one, other| (&one.row_key, one.begin).cmp(&(&other.row_key, other.begin)));
        sealed
    }

    /// What may match, of what is visible at the snapshot.
    pub fn candidates(
        &self,
        terms: &[TextTerm],
        narrowed: &Narrowed,
        snapshot: Timestamp,
    ) -> impl Iterator<Item = (&Bytes, &Document)> {
        let found = self.having(terms, narrowed).into_iter();
        let changes = found.filter_map(|index| self.log.get(index as usize));
        visible(changes, snapshot)
    }

    /// Every document that is visible at the snapshot.
    pub fn visible(&self, snapshot: Timestamp) -> impl Iterator<Item = (&Bytes, &Document)> {
        visible(self.log.iter(), snapshot)
    }

    /// The changes that have what is demanded.
    fn having(&self, terms: &[TextTerm], narrowed: &Narrowed) -> Vec<u32> {
        match narrowed {
            Narrowed::Term(term) => {
                terms.get(*term).map_or(Vec::new(), |term| self.postings_of(term))
            }
            Narrowed::Any(children) => {
                union(children.iter().map(|child| self.having(terms, child)))
            }
            Narrowed::All(children) => {
                let mut sets: Vec<_> =
                    children.iter().map(|child| self.having(terms, child)).collect();
                sets.sort_by_key(Vec::len);
                let mut sets = sets.into_iter();
                let mut common = sets.next().unwrap_or_default();
                for set in sets {
                    common.retain(|doc| set.binary_search(doc).is_ok());
                }
                common
            }
        }
    }

    fn postings_of(&self, term: &TextTerm) -> Vec<u32> {
        if term.is_prefix {
            return union(self.with_prefix(&term.lexeme).cloned());
        }
        self.postings.get(&term.lexeme).cloned().unwrap_or_default()
    }

    fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a Vec<u32>> + 'a {
        let from = (Bound::Included(prefix), Bound::Unbounded);
        let lexemes = self.postings.range::<str, _>(from);
        lexemes.take_while(move |(text, _)| text.starts_with(prefix)).map(|(_, docs)| docs)
    }

    /// About how many documents satisfy a term.
    pub fn estimate(&self, term: &TextTerm) -> usize {
        if term.is_prefix {
            return self.with_prefix(&term.lexeme).map(Vec::len).sum();
        }
        self.postings.get(&term.lexeme).map_or(0, Vec::len)
    }
}

/// The rows and documents among the changes that a snapshot sees.
fn visible<'a>(
    changes: impl Iterator<Item = &'a Change>,
    snapshot: Timestamp,
) -> impl Iterator<Item = (&'a Bytes, &'a Document)> {
    let visible = changes.filter(move |change| change.begin <= snapshot && snapshot < change.end);
    visible.filter_map(|change| Some((&change.row_key, change.document.as_ref()?)))
}

fn union(sets: impl Iterator<Item = Vec<u32>>) -> Vec<u32> {
    let mut all: Vec<u32> = sets.flatten().collect();
    all.sort_unstable();
    all.dedup();
    all
}
