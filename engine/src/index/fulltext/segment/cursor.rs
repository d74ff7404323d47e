//! Walking the postings of a query's terms through one segment, document by document.

use std::ops::Range;
use std::sync::Arc;

use tantivy::postings::{Postings, SegmentPostings};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, TERMINATED, Term};

use super::{Segment, lexemes};
use crate::error::Result;
use crate::index::fulltext::document::{Document, DocumentBuilder};
use crate::index::fulltext::narrow::Narrowed;
use crate::index::fulltext::query::TextTerm;

/// Finds candidates and reads them. Each place of the query has a cursor of its own to look ahead
/// with: one side of an OR may be far beyond what the other has found.
pub(in crate::index::fulltext) struct Cursors {
    scout: Scout,
    /// One for every term, for the current document.
    readers: Vec<Cursor>,
    /// Positions of the current document, one lexeme after the other.
    numbers: Vec<u32>,
    /// What was found for the current document.
    found: Vec<FoundLexeme>,
    scratch: Vec<u32>,
    builder: DocumentBuilder,
}

/// A lexeme of the current document.
struct FoundLexeme {
    cursor: usize,
    /// Which of the cursor's lexemes.
    lexeme: usize,
    /// Where its positions are in `numbers`.
    range: Range<usize>,
}

/// A narrowed query with its cursors.
enum Scout {
    Term(Cursor),
    All(Vec<Scout>),
    Any(Vec<Scout>),
}

/// The documents that have a lexeme of a term.
#[derive(Clone)]
enum Cursor {
    /// A lexeme, read as it goes.
    One { lexeme: Arc<str>, postings: Box<SegmentPostings> },
    /// All lexemes with a prefix, read beforehand.
    Many { prefixed: Arc<Prefixed>, at: usize },
}

/// The postings of all lexemes with a prefix.
struct Prefixed {
    lexemes: Vec<Box<str>>,
    /// Document, lexeme, end of its positions in `numbers`; by document, then lexeme.
    postings: Vec<(u32, u32, usize, usize)>,
    numbers: Vec<u32>,
}

impl Segment {
    /// Cursors for a query, at their first documents.
    ///
    /// # Errors
    /// `Corruption`.
    pub fn cursors(&self, terms: &[TextTerm], narrowed: &Narrowed) -> Result<Cursors> {
        let mut scouts = Vec::with_capacity(terms.len());
        let mut readers = Vec::with_capacity(terms.len());
        for term in terms {
            if term.is_prefix {
                let prefixed = Arc::new(self.prefixed(&term.lexeme)?);
                scouts.push(Cursor::Many { prefixed: Arc::clone(&prefixed), at: 0 });
                readers.push(Cursor::Many { prefixed, at: 0 });
            } else {
                scouts.push(self.cursor(term, IndexRecordOption::Basic)?);
                readers.push(self.cursor(term, IndexRecordOption::WithFreqsAndPositions)?);
            }
        }
        let scout = Scout::new(narrowed, &scouts);
        let (numbers, found, scratch) = (Vec::new(), Vec::new(), Vec::new());
        let builder = DocumentBuilder::default();
        Ok(Cursors { scout, readers, numbers, found, scratch, builder })
    }

    fn cursor(&self, term: &TextTerm, option: IndexRecordOption) -> Result<Cursor> {
        let wanted = Term::from_field_text(lexemes::field(), &term.lexeme);
        let postings = self
            .tantivy()?
            .lexemes
            .read_postings(&wanted, option)
            .map_err(|error| lexemes::read_error(&self.path, error))?;
        let postings = Box::new(postings.unwrap_or_else(SegmentPostings::empty));
        Ok(Cursor::One { lexeme: (*term.lexeme).into(), postings })
    }

    fn prefixed(&self, prefix: &str) -> Result<Prefixed> {
        let index = &self.tantivy()?.lexemes;
        let read = |error| lexemes::read_error(&self.path, error);
        let mut all = Prefixed { lexemes: Vec::new(), postings: Vec::new(), numbers: Vec::new() };
        let mut terms = index.terms().range().ge(prefix.as_bytes()).into_stream().map_err(read)?;
        while terms.advance() && terms.key().starts_with(prefix.as_bytes()) {
            let lexeme = all.lexemes.len() as u32;
            all.lexemes.push(String::from_utf8_lossy(terms.key()).into());
            let option = IndexRecordOption::WithFreqsAndPositions;
            let mut postings =
                index.read_postings_from_terminfo(terms.value(), option).map_err(read)?;
            while postings.doc() != TERMINATED {
                let start = all.numbers.len();
                postings.append_positions_with_offset(0, &mut all.numbers);
                all.postings.push((postings.doc(), lexeme, start, all.numbers.len()));
                postings.advance();
            }
        }
        all.postings.sort_unstable();
        Ok(all)
    }
}

impl Cursor {
    /// The first document at or after `target`.
    fn seek(&mut self, target: u32) -> u32 {
        match self {
            Self::One { postings, .. } if postings.doc() >= target => postings.doc(),
            Self::One { postings, .. } => postings.seek(target),
            Self::Many { prefixed, at } => {
                let rest = prefixed.postings.get(*at..).unwrap_or_default();
                *at += rest.partition_point(|posting| posting.0 < target);
                prefixed.postings.get(*at).map_or(TERMINATED, |posting| posting.0)
            }
        }
    }

    fn doc_count(&self) -> usize {
        match self {
            Self::One { postings, .. } => postings.doc_freq() as usize,
            Self::Many { prefixed, .. } => prefixed.postings.len(),
        }
    }

    fn lexeme(&self, index: usize) -> &str {
        match self {
            Self::One { lexeme, .. } => lexeme,
            Self::Many { prefixed, .. } => prefixed.lexemes.get(index).map_or("", |text| text),
        }
    }
}

impl Scout {
    fn new(narrowed: &Narrowed, cursors: &[Cursor]) -> Self {
        let all = |children: &[Narrowed]| -> Vec<Self> {
            children.iter().map(|child| Self::new(child, cursors)).collect()
        };
        match narrowed {
            Narrowed::Term(term) => match cursors.get(*term) {
                Some(cursor) => Self::Term(cursor.clone()),
                None => Self::Any(Vec::new()),
            },
            Narrowed::Any(children) => Self::Any(all(children)),
            Narrowed::All(children) => {
                let mut children = all(children);
                // The rarest leads.
                children.sort_by_key(Self::doc_count);
                Self::All(children)
            }
        }
    }

    fn doc_count(&self) -> usize {
        match self {
            Self::Term(cursor) => cursor.doc_count(),
            Self::Any(children) => children.iter().map(Self::doc_count).sum(),
            Self::All(children) => children.iter().map(Self::doc_count).min().unwrap_or(0),
        }
    }

    fn seek(&mut self, mut target: u32) -> u32 {
        match self {
            Self::Term(cursor) => cursor.seek(target),
            Self::Any(children) => {
                let docs = children.iter_mut().map(|child| child.seek(target));
                docs.min().unwrap_or(TERMINATED)
            }
            Self::All(children) => loop {
                let start = target;
                for child in &mut *children {
                    target = child.seek(target);
                    if target >= TERMINATED {
                        return TERMINATED;
                    }
                }
                if start == target {
                    // Nobody had to move on: all are there.
                    return target;
                }
            },
        }
    }
}

impl Cursors {
    /// The first document at or after `target` that may match; `None` after the last. Targets do
    /// not descend.
    pub fn next_candidate(&mut self, target: u32) -> Option<u32> {
        let doc = self.scout.seek(target);
        (doc < TERMINATED).then_some(doc)
    }

    /// The document, cut down to the lexemes of the query. Documents are asked for in order.
    pub fn cut_document(&mut self, doc: u32) -> Document {
        self.collect(doc);
        self.sort_by_lexeme();
        let mut last: Option<&str> = None;
        for found in &self.found {
            let text = text_of(&self.readers, found);
            // A lexeme may satisfy two terms.
            if last == Some(text) {
                continue;
            }
            last = Some(text);
            let numbers = self.numbers.get(found.range.clone()).unwrap_or_default();
            self.builder.push(text, lexemes::positions(numbers));
        }
        self.builder.finish()
    }

    /// Gathers what every cursor has for the document.
    fn collect(&mut self, doc: u32) {
        self.numbers.clear();
        self.found.clear();
        for (index, cursor) in self.readers.iter_mut().enumerate() {
            if cursor.seek(doc) != doc {
                continue;
            }
            let mut add = |lexeme: usize, positions: &[u32]| {
                let start = self.numbers.len();
                self.numbers.extend_from_slice(positions);
                let range = start..self.numbers.len();
                self.found.push(FoundLexeme { cursor: index, lexeme, range });
            };
            match cursor {
                Cursor::One { postings, .. } => {
                    postings.positions(&mut self.scratch);
                    add(0, &self.scratch);
                }
                Cursor::Many { prefixed, at } => {
                    let rest = prefixed.postings.get(*at..).unwrap_or_default();
                    for (_, lexeme, start, end) in rest.iter().take_while(|p| p.0 == doc) {
                        let numbers = prefixed.numbers.get(*start..*end).unwrap_or_default();
                        add(*lexeme as usize, numbers);
                    }
                }
            }
        }
    }

    /// Terms are in byte order, so only prefixes can bring disorder.
    fn sort_by_lexeme(&mut self) {
        let cursors = &self.readers;
        if !self.found.is_sorted_by_key(|found| text_of(cursors, found)) {
            self.found.sort_by(|one, other| text_of(cursors, one).cmp(text_of(cursors, other)));
        }
    }
}

fn text_of<'c>(cursors: &'c [Cursor], found: &FoundLexeme) -> &'c str {
    cursors.get(found.cursor).map_or("", |cursor| cursor.lexeme(found.lexeme))
}
