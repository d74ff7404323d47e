//! A search: the delta's hits first, then segment by segment, as far as the caller reads.

use std::sync::Arc;

use bytes::Bytes;

use super::State;
use super::delta::Changes;
use super::document::Document;
use super::matching;
use super::narrow::{self, Narrowed};
use super::query::{TextQuery, TextTerm};
use super::segment::{Cursors, Segment};
use crate::error::{Error, Result};
use crate::index::RowKeySet;
use crate::index::segmented::Part;
use crate::timestamp::Timestamp;

/// Hits that are found while the delta is kept from changing, at most.
const BATCH_LEN: usize = 256;
/// Documents that are looked at meanwhile, at most.
const CANDIDATES_MAX: usize = 4096;

/// A row that matches.
#[derive(Clone, Debug)]
pub struct Hit {
    /// Which row.
    pub row: HitRow,
    /// Its document, perhaps cut down to the lexemes that the query speaks of: enough to match and
    /// to rank it, with the sizes of the whole document.
    pub document: Document,
}

/// A row as a search knows it. Its key is read when [`Search::row_key`] is asked: whoever ranks
/// thousands of rows wants the keys of a few.
#[derive(Clone, Debug)]
pub struct HitRow(Row);

#[derive(Clone, Debug)]
enum Row {
    Key(Bytes),
    Document { part: u32, doc: u32 },
}

impl From<Bytes> for HitRow {
    fn from(row_key: Bytes) -> Self {
        Self(Row::Key(row_key))
    }
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
    /// Whether every candidate matches.
    is_exact: bool,
    /// Whether nobody wants the documents.
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
    part: u32,
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
        let is_exact = narrow::is_exact(query);
        let is_blind = is_exact && !matches!(give, Give::Documents);
        let mut search = Self {
            state: Arc::clone(&state),
            query: query.clone(),
            terms,
            narrowed,
            snapshot,
            is_exact,
            is_blind,
            among: if let Give::RowKeysAmong(set) = give { Some(set) } else { None },
            ready: Vec::new(),
            next_part: 0,
            walk: None,
        };
        search.ready = search.recent(&state.delta.read());
        Some(search)
    }

    /// The hits of the delta.
    fn recent(&self, delta: &Changes) -> Vec<Hit> {
        let candidates = delta.candidates(&self.terms, &self.narrowed, self.snapshot);
        let wanted = candidates.filter(|(row_key, document)| {
            self.is_wanted(row_key) && matching::matches(&self.query, *document)
        });
        let hit = |(row_key, document): (&Bytes, &Document)| Hit {
            row: row_key.clone().into(),
            document: document.clone(),
        };
        wanted.map(hit).collect()
    }

    /// The key of a hit's row.
    ///
    /// # Errors
    /// `Corruption`.
    pub fn row_key(&self, row: &HitRow) -> Result<Bytes> {
        match &row.0 {
            Row::Key(row_key) => Ok(row_key.clone()),
            Row::Document { part, doc } => match self.state.parts.get(*part as usize) {
                Some(part) => part.segment.row_key(*doc),
                None => Err(Error::internal("a hit of another search")),
            },
        }
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
        self.walk = Some(Walk { part: self.next_part as u32, cursors, next_doc: 0 });
        self.next_part += 1;
        Ok(true)
    }

    /// Looks for one batch, perhaps in vain; `None` when the segment is through.
    fn advance(&mut self, mut walk: Walk) -> Result<Option<Walk>> {
        let state = Arc::clone(&self.state);
        let Some(part) = state.parts.get(walk.part as usize) else { return Ok(None) };
        let delta = state.delta.read();
        for _ in 0..CANDIDATES_MAX {
            if self.ready.len() == BATCH_LEN {
                break;
            }
            let candidate = walk.cursors.next_candidate(walk.next_doc);
            let Some(doc) = candidate else { return Ok(None) };
            walk.next_doc = doc + 1;
            if !self.is_visible(part, doc, &delta)? {
                continue;
            }
            let document = match self.is_blind {
                true => Document::default(),
                false => walk.cursors.cut_document(doc),
            };
            if self.is_exact || matching::matches(&self.query, &document) {
                let (lexemes, positions) = part.segment.size(doc)?;
                let document = document.cut_from(lexemes, positions);
                let row = HitRow(Row::Document { part: walk.part, doc });
                self.ready.push(Hit { row, document });
            }
        }
        Ok(Some(walk))
    }

    /// Whether the snapshot sees a document, and its row is looked for.
    fn is_visible(&self, part: &Part<Segment>, doc: u32, delta: &Changes) -> Result<bool> {
        if let Some(among) = &self.among {
            let hash = part.segment.row_hashes()?.get(doc as usize);
            if !hash.is_some_and(|hash| among.may_contain_hash(*hash)) {
                return Ok(false);
            }
        }
        if !part.is_visible(doc, part.segment.begin(doc)?, self.snapshot) {
            return Ok(false);
        }
        Ok(delta.is_empty() || !delta.is_changed(part.segment.row_key_ref(doc)?, self.snapshot))
    }
}

impl Iterator for Search {
    type Item = Result<Hit>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.fill() {
            Ok(true) => self.ready.pop().map(Ok),
            Ok(false) => None,
            Err(error) => {
                self.state.note(&error);
                // Whoever asks on finds the end.
                self.ready.clear();
                self.next_part = usize::MAX;
                self.walk = None;
                Some(Err(error))
            }
        }
    }
}
