//! A search: the delta's hits first, then segment by segment, as far as the caller reads.

use std::sync::Arc;

use bytes::Bytes;

use super::document::Document;
use super::matching;
use super::narrow::{self, Narrowed};
use super::query::{TextQuery, TextTerm};
use super::segment::Cursors;
use super::state::State;
use crate::error::Result;
use crate::index::RowKeySet;
use crate::timestamp::Timestamp;

/// Hits that are found while the delta is kept from changing.
const BATCH_LEN: usize = 256;

/// A row that matches.
#[derive(Clone, Debug)]
pub struct Hit {
    /// Its key.
    pub row_key: Bytes,
    /// Its document, perhaps cut down to the lexemes that the query speaks of: enough to match and
    /// to rank it, with the sizes of the whole document.
    pub document: Document,
}

/// What a search is to give of each row that matches.
#[derive(Clone, Debug)]
pub enum Give {
    /// Its key and its document.
    Documents,
    /// Its key; the document may be empty, which saves reading places.
    RowKeys,
    /// The same, of the rows that are in the set.
    RowKeysAmong(RowKeySet),
}

/// The hits of a query at a snapshot: each row once, in no order.
pub struct Search {
    state: Arc<State>,
    query: TextQuery,
    terms: Vec<TextTerm>,
    narrowed: Narrowed,
    snapshot: Timestamp,
    /// Whether every candidate matches and nobody wants its document.
    is_blind: bool,
    /// Other rows are not wanted.
    among: Option<RowKeySet>,
    /// Found and not handed out yet, last first.
    ready: Vec<Hit>,
    /// The next segment to search.
    next_part: usize,
    walk: Option<Walk>,
}

/// A walk through one segment.
struct Walk {
    part: usize,
    cursors: Cursors,
    next_doc: u32,
}

impl Search {
    /// `None` when the query excludes words without demanding any: then every row may match.
    pub(super) fn new(
        state: Arc<State>,
        query: &TextQuery,
        snapshot: Timestamp,
        give: Give,
    ) -> Option<Self> {
        let terms = narrow::terms(query);
        let narrowed = narrow::narrow(query, &terms)?;
        let recent = state.delta.read().search(query, &terms, &narrowed, snapshot);
        let is_blind = !matches!(give, Give::Documents) && narrow::is_exact(query);
        let mut search = Self {
            state,
            query: query.clone(),
            terms,
            narrowed,
            snapshot,
            is_blind,
            among: if let Give::RowKeysAmong(set) = give { Some(set) } else { None },
            ready: Vec::new(),
            next_part: 0,
            walk: None,
        };
        search.ready = recent.into_iter().filter(|hit| search.is_wanted(&hit.row_key)).collect();
        Some(search)
    }

    /// Whether a row is one of those that are looked for.
    pub fn is_wanted(&self, row_key: &[u8]) -> bool {
        self.among.as_ref().is_none_or(|set| set.may_contain(row_key))
    }

    /// Searches on until there are hits; false when nothing is left.
    fn fill(&mut self) -> Result<bool> {
        while self.ready.is_empty() {
            let Some(walk) = self.walk.take() else {
                if !self.enter_next_part()? {
                    return Ok(false);
                }
                continue;
            };
            self.walk = self.advance(walk)?;
        }
        Ok(true)
    }

    fn enter_next_part(&mut self) -> Result<bool> {
        let Some(part) = self.state.parts.get(self.next_part) else { return Ok(false) };
        let cursors = part.segment.cursors(&self.terms, &self.narrowed)?;
        self.walk = Some(Walk { part: self.next_part, cursors, next_doc: 0 });
        self.next_part += 1;
        Ok(true)
    }

    /// Finds one batch; `None` when the segment is through.
    fn advance(&mut self, mut walk: Walk) -> Result<Option<Walk>> {
        let state = Arc::clone(&self.state);
        let Some(part) = state.parts.get(walk.part) else { return Ok(None) };
        let delta = state.delta.read();
        while self.ready.len() < BATCH_LEN {
            let candidate = walk.cursors.next_candidate(walk.next_doc);
            let Some(doc) = candidate else { return Ok(None) };
            walk.next_doc = doc + 1;
            if self.among.is_some() && !self.is_wanted(part.segment.row_key_ref(doc)?) {
                continue;
            }
            let begin = part.segment.begin(doc)?;
            if begin > self.snapshot || part.end(doc) <= self.snapshot {
                continue;
            }
            let document = match self.is_blind {
                true => Document::default(),
                false => walk.cursors.cut_document(doc),
            };
            if !self.is_blind && !matching::matches(&self.query, &document) {
                continue;
            }
            let row_key = part.segment.row_key(doc)?;
            if !delta.is_empty() && delta.is_changed(&row_key, self.snapshot) {
                continue;
            }
            let (lexemes, positions) = part.segment.size(doc)?;
            let document = document.cut_from(lexemes, positions);
            self.ready.push(Hit { row_key, document });
        }
        Ok(Some(walk))
    }
}

impl Iterator for Search {
    type Item = Result<Hit>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.fill() {
            Ok(true) => self.ready.pop().map(Ok),
            Ok(false) => None,
            Err(error) => {
                // Whoever asks on finds the end.
                self.next_part = usize::MAX;
                self.walk = None;
                Some(Err(error))
            }
        }
    }
}
