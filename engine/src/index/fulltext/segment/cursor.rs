//! Walking the postings of a query's terms through one segment, document by document.

use std::ops::Range;

use tantivy::postings::{Postings, SegmentPostings};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, TERMINATED, Term};

use super::{Segment, lexemes};
use crate::error::Result;
use crate::index::fulltext::document::{Document, DocumentBuilder};
use crate::index::fulltext::narrow::Narrowed;
use crate::index::fulltext::query::TextTerm;

/// One cursor for every term of a query.
pub(in crate::index::fulltext) struct Cursors {
    cursors: Vec<Cursor>,
    /// Positions of the current document, one lexeme after the other.
    numbers: Vec<u32>,
    /// What was found for the current document.
    found: Vec<FoundLexeme>,
    scratch: Vec<u32>,
}

/// A lexeme of the current document.
struct FoundLexeme {
    cursor: usize,
    /// Which of the cursor's lexemes.
    lexeme: usize,
    /// Where its positions are in `numbers`.
    range: Range<usize>,
}

/// The documents that have a lexeme of a term.
enum Cursor {
    /// A lexeme, read as it goes.
    One { lexeme: Box<str>, postings: Box<SegmentPostings> },
    /// All lexemes with a prefix, read beforehand.
    Many { prefixed: Prefixed, at: usize },
}

/// The postings of all lexemes with a prefix.
struct Prefixed {
    lexemes: Vec<Box<str>>,
    /// Document, lexeme, end of its positions in `numbers`; by document, then lexeme.
    postings: Vec<(u32, u32, usize, usize)>,
    numbers: Vec<u32>,
}

impl Segment {
    /// Cursors for the terms, at their first documents.
    ///
    /// # Errors
    /// `Corruption`.
    pub fn cursors(&self, terms: &[TextTerm]) -> Result<Cursors> {
        let cursors = terms.iter().map(|term| self.cursor(term)).collect::<Result<_>>()?;
        Ok(Cursors { cursors, numbers: Vec::new(), found: Vec::new(), scratch: Vec::new() })
    }

    fn cursor(&self, term: &TextTerm) -> Result<Cursor> {
        if term.is_prefix {
            return Ok(Cursor::Many { prefixed: self.prefixed(&term.lexeme)?, at: 0 });
        }
        let wanted = Term::from_field_text(lexemes::field(), &term.lexeme);
        let postings = self
            .tantivy()?
            .lexemes
            .read_postings(&wanted, IndexRecordOption::WithFreqsAndPositions)
            .map_err(|error| lexemes::read_error(&self.path, error))?;
        let postings = Box::new(postings.unwrap_or_else(SegmentPostings::empty));
        Ok(Cursor::One { lexeme: term.lexeme.clone(), postings })
    }

    fn prefixed(&self, prefix: &str) -> Result<Prefixed> {
        let index = &self.tantivy()?.lexemes;
        let read = |error| lexemes::read_error(&self.path, error);
        let mut all = Prefixed { lexemes: Vec::new(), postings: Vec::new(), numbers: Vec::new() };
        let mut terms =
            index.terms().range().ge(prefix.as_bytes()).into_stream().map_err(read)?;
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

impl Cursors {
    /// Puts the rarest first wherever all must match.
    pub fn order(&self, narrowed: &mut Narrowed) -> usize {
        match narrowed {
            Narrowed::Term(term) => self.cursors.get(*term).map_or(0, Cursor::doc_count),
            Narrowed::Any(children) => children.iter_mut().map(|child| self.order(child)).sum(),
            Narrowed::All(children) => {
                children.sort_by_cached_key(|child| self.order(&mut child.clone()));
                children.first_mut().map_or(0, |child| self.order(child))
            }
        }
    }

    /// The first document at or after `target` that may match; `None` after the last.
    pub fn next_candidate(&mut self, narrowed: &Narrowed, target: u32) -> Option<u32> {
        let doc = self.seek(narrowed, target);
        (doc < TERMINATED).then_some(doc)
    }

    fn seek(&mut self, narrowed: &Narrowed, mut target: u32) -> u32 {
        match narrowed {
            Narrowed::Term(term) => {
                self.cursors.get_mut(*term).map_or(TERMINATED, |cursor| cursor.seek(target))
            }
            Narrowed::Any(children) => {
                let docs = children.iter().map(|child| self.seek(child, target));
                docs.min().unwrap_or(TERMINATED)
            }
            Narrowed::All(children) => loop {
                let start = target;
                for child in children {
                    target = self.seek(child, target);
                    if target >= TERMINATED {
                        return TERMINATED;
                    }
                }
                // Unless the last moved past the first, all agree on it.
                if children.len() == 1 || (start == target && target < TERMINATED) {
                    return target;
                }
            },
        }
    }

    /// The document, cut down to the lexemes of the query. Documents are asked for in order.
    pub fn cut_document(&mut self, doc: u32) -> Document {
        self.collect(doc);
        self.sort_by_lexeme();
        let mut builder = DocumentBuilder::default();
        let mut last: Option<&str> = None;
        for found in &self.found {
            let text = text_of(&self.cursors, found);
            // A lexeme may satisfy two terms.
            if last == Some(text) {
                continue;
            }
            last = Some(text);
            let numbers = self.numbers.get(found.range.clone()).unwrap_or_default();
            builder.push(text, lexemes::positions(numbers));
        }
        builder.finish()
    }

    /// Gathers what every cursor has for the document.
    fn collect(&mut self, doc: u32) {
        self.numbers.clear();
        self.found.clear();
        for (index, cursor) in self.cursors.iter_mut().enumerate() {
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
        let cursors = &self.cursors;
        if !self.found.is_sorted_by_key(|found| text_of(cursors, found)) {
            self.found.sort_by(|one, other| text_of(cursors, one).cmp(text_of(cursors, other)));
        }
    }
}

fn text_of<'c>(cursors: &'c [Cursor], found: &FoundLexeme) -> &'c str {
    cursors.get(found.cursor).map_or("", |cursor| cursor.lexeme(found.lexeme))
}
