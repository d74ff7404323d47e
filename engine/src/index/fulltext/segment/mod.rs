//! A segment: an immutable file with the postings of many documents and the rows they belong to.
//!
//! Opening reads the table of sections only. The first search or seal checks the checksum of every section
//! and lets tantivy read its part, so tantivy never meets damaged bytes.

mod build;
mod cursor;
mod directory;
mod lexemes;
mod pack;
mod rows;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use bytes::Bytes;
use tantivy::postings::Postings;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, Index, InvertedIndexReader, SegmentReader, TERMINATED};

pub(super) use build::build;
pub(super) use cursor::Cursors;
use directory::MemoryDirectory;
use pack::Section;
use rows::Rows;

use super::query::TextTerm;
use super::signature::Signature;
use crate::env::Vfs;
use crate::error::{Error, Result};
use crate::index::row_keys::row_hash;
use crate::index::segmented::{self, Built, Kind, Part, Segment as _};
use crate::timestamp::Timestamp;

/// Lexemes that an estimate of a prefix looks at.
const ESTIMATED_LEXEMES_MAX: usize = 256;

/// An open segment file.
pub(super) struct Segment {
    path: PathBuf,
    len: usize,
    fingerprint: u32,
    sections: Vec<Section>,
    doc_count: u32,
    content: OnceLock<Result<Content>>,
}

/// A segment whose bytes have been checked.
struct Content {
    rows: Rows,
    tantivy: Tantivy,
    /// Every document's [`row_hash`].
    row_hashes: Vec<u32>,
}

/// The part of a segment that tantivy reads.
pub(super) struct Tantivy {
    index: Index,
    segment: tantivy::Segment,
    lexemes: std::sync::Arc<InvertedIndexReader>,
}

impl Tantivy {
    fn segment(&self) -> tantivy::Segment {
        self.segment.clone()
    }
}

impl segmented::Segment for Segment {
    const KIND: Kind = Kind {
        name: "full-text",
        magic: b"CAIRNFTM",
        format_version: pack::FORMAT_VERSION,
        extension: "fts",
    };

    fn open(vfs: &dyn Vfs, path: &Path) -> Result<Self> {
        let file = vfs.map(path).map_err(|error| Error::unreadable(path, error))?;
        let sections = pack::unpack(path, &file)?;
        let rows = sections.iter().find(|section| section.name == rows::NAME);
        let rows = rows.and_then(|section| Rows::new(section.bytes.clone()));
        let rows = rows.ok_or_else(|| Error::corruption(path, 0, "a list of rows", "none"))?;
        Ok(Self {
            path: path.to_owned(),
            len: file.len(),
            fingerprint: pack::fingerprint(&file),
            sections,
            doc_count: rows.len(),
            content: OnceLock::new(),
        })
    }

    fn len(&self) -> usize {
        self.len
    }

    fn item_count(&self) -> u32 {
        self.doc_count
    }

    fn fingerprint(&self) -> u32 {
        self.fingerprint
    }

    fn ordered(&self, index: u32) -> Result<(u32, &[u8])> {
        self.rows()?.ordered(index).ok_or_else(|| self.rows_damaged())
    }

    /// Checks the checksum of every section.
    fn check(&self) -> Result<()> {
        self.sections.iter().try_for_each(|section| pack::check(&self.path, section))
    }

    fn merge(parts: &[Part<Self>], oldest: Timestamp) -> Result<Option<Built>> {
        build::merge(parts, oldest)
    }
}

impl Segment {
    fn content(&self) -> Result<&Content> {
        self.content.get_or_init(|| self.load()).as_ref().map_err(Clone::clone)
    }

    fn load(&self) -> Result<Content> {
        self.check()?;
        let read = |error: tantivy::TantivyError| lexemes::read_error(&self.path, error);
        let mut rows = None;
        let mut files = Vec::new();
        for section in &self.sections {
            if section.name == rows::NAME {
                rows = Rows::new(section.bytes.clone());
            } else {
                files.push((section.name.clone(), section.bytes.clone()));
            }
        }
        let index = Index::open(MemoryDirectory::new(files)).map_err(read)?;
        let segment = index.searchable_segments().map_err(read)?.pop();
        let segment = segment.ok_or_else(|| lexemes::read_error(&self.path, "no segment"))?;
        let reader = SegmentReader::open(&segment).map_err(read)?;
        let lexemes = reader.inverted_index(lexemes::field()).map_err(read)?;
        if reader.max_doc() != self.doc_count {
            return Err(lexemes::read_error(&self.path, "another number of documents"));
        }
        let tantivy = Tantivy { index, segment, lexemes };
        let rows = rows.ok_or_else(|| self.rows_damaged())?;
        let hashes = (0..self.doc_count).map(|doc| rows.key(doc).map(row_hash));
        let row_hashes = hashes.collect::<Option<_>>().ok_or_else(|| self.rows_damaged())?;
        Ok(Content { rows, tantivy, row_hashes })
    }

    fn rows_damaged(&self) -> Error {
        Error::corruption(&self.path, 0, "a list of rows", "something else")
    }

    fn rows(&self) -> Result<&Rows> {
        Ok(&self.content()?.rows)
    }

    fn tantivy(&self) -> Result<&Tantivy> {
        Ok(&self.content()?.tantivy)
    }

    /// When a document's version of its row was committed.
    ///
    /// # Errors
    /// `Corruption`.
    pub fn begin(&self, doc: u32) -> Result<Timestamp> {
        self.rows()?.begin(doc).ok_or_else(|| self.rows_damaged())
    }

    /// The row that a document belongs to.
    ///
    /// # Errors
    /// `Corruption`.
    pub fn row_key(&self, doc: u32) -> Result<Bytes> {
        self.rows()?.shared_key(doc).ok_or_else(|| self.rows_damaged())
    }

    /// As [`Segment::row_key`], to look at.
    ///
    /// # Errors
    /// `Corruption`.
    pub fn row_key_ref(&self, doc: u32) -> Result<&[u8]> {
        self.rows()?.key(doc).ok_or_else(|| self.rows_damaged())
    }

    /// The [`row_hash`] of every document's row.
    ///
    /// # Errors
    /// `Corruption`.
    pub fn row_hashes(&self) -> Result<&[u32]> {
        Ok(&self.content()?.row_hashes)
    }

    /// Lexemes and positions of a document.
    ///
    /// # Errors
    /// `Corruption`.
    pub fn size(&self, doc: u32) -> Result<(u32, u32)> {
        self.rows()?.size(doc).ok_or_else(|| self.rows_damaged())
    }

    /// About how many documents satisfy a term.
    ///
    /// # Errors
    /// `Corruption`.
    pub fn estimate(&self, term: &TextTerm) -> Result<usize> {
        let lexemes = &self.tantivy()?.lexemes;
        let read = |error| lexemes::read_error(&self.path, error);
        if !term.is_prefix {
            let term = tantivy::Term::from_field_text(lexemes::field(), &term.lexeme);
            return Ok(lexemes.doc_freq(&term).map_err(read)? as usize);
        }
        let mut total = 0;
        let range = lexemes.terms().range().ge(term.lexeme.as_bytes());
        let mut terms = range.into_stream().map_err(read)?;
        for _ in 0..ESTIMATED_LEXEMES_MAX {
            if !terms.advance() || !terms.key().starts_with(term.lexeme.as_bytes()) {
                break;
            }
            total += terms.value().doc_freq as usize;
        }
        Ok(total.min(self.doc_count as usize))
    }

    /// A signature of every document: what they are made of, in few bytes. For `verify`.
    ///
    /// # Errors
    /// `Corruption`.
    pub fn signatures(&self) -> Result<Vec<Signature>> {
        let lexemes = &self.tantivy()?.lexemes;
        let read = |error| lexemes::read_error(&self.path, error);
        let mut signatures = vec![Signature::default(); self.doc_count as usize];
        let mut terms = lexemes.terms().stream().map_err(read)?;
        let mut numbers = Vec::new();
        while terms.advance() {
            let option = IndexRecordOption::WithFreqsAndPositions;
            let mut postings =
                lexemes.read_postings_from_terminfo(terms.value(), option).map_err(read)?;
            let text = String::from_utf8_lossy(terms.key()).into_owned();
            while postings.doc() != TERMINATED {
                postings.positions(&mut numbers);
                if let Some(signature) = signatures.get_mut(postings.doc() as usize) {
                    signature.add(&text, lexemes::positions(&numbers));
                }
                postings.advance();
            }
        }
        Ok(signatures)
    }
}

/// Checks the decoders of the file and of its rows; see [`crate::fuzzing`]. What tantivy reads is
/// behind checksums and not tried here.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    let path = Path::new("/1.fts");
    for bytes in [Bytes::copy_from_slice(data), pack::framed(data).into()] {
        for section in pack::unpack(path, &bytes).unwrap_or_default() {
            let _ = pack::check(path, &section);
        }
    }
    let Some(rows) = Rows::new(Bytes::copy_from_slice(data)) else { return };
    for doc in 0..rows.len() {
        let _ = (rows.row(doc), rows.begin(doc), rows.size(doc), rows.key(doc), rows.ordered(doc));
    }
    if let Some(all) = (0..rows.len()).map(|doc| rows.row(doc)).collect::<Option<Vec<_>>>() {
        let again = Rows::new(rows::encode(&all).into()).expect("it was encoded");
        assert!((0..).zip(all).all(|(doc, row)| again.row(doc) == Some(row)));
    }
}

impl std::fmt::Debug for Tantivy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.index.fmt(f)
    }
}
