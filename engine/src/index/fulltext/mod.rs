//! Full-text index over documents of lexemes with positions and weights.
//!
//! * [`Document`]: what is indexed, and its bytes in rows and index entries
//! * [`TextQuery`]: what is searched for
//! * [`matching`]: whether a document contains what a query asks
//! * [`FullTextIndex`]: the documents of many rows: a delta in memory, segments on disk
//!
//! A segment is one file: a tantivy index of the lexemes and, beside it, which rows and commits
//! its documents belong to. Each version of a row is a document of its own, with the timestamps at
//! which it begins and ends; a search takes those that its snapshot sees. The end becomes known
//! later than the document is sealed, so ends are kept in the manifest, beside the segments.

mod delta;
pub mod document;
mod index;
mod manifest;
pub mod matching;
mod narrow;
mod policy;
pub mod query;
mod search;
mod segment;
mod signature;
mod state;
#[cfg(test)]
mod tests;

pub use document::{Document, DocumentBuilder, Lexeme, Position, Positions, Weight};
pub use index::FullTextIndex;
pub(super) use index::check_files;
pub(super) use manifest::SEGMENT_EXTENSION;
pub use query::{TextQuery, TextTerm};
pub use search::{Give, Hit, Search};
