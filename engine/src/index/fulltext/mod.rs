//! Full-text index over documents of lexemes with positions and weights.
//!
//! * [`Document`]: what is indexed, and its bytes in rows and index entries
//! * [`TextQuery`]: what is searched for
//! * [`matching`]: whether a document contains what a query asks
//! * [`FullTextIndex`]: the documents of many rows: a delta in memory, segments on disk
//!
//! It is a small [log-structured index](super::segmented). A segment is one file: a tantivy index
//! of the lexemes and, beside it, which rows and commits its documents belong to. Each version of a
//! row is a document of its own.

mod delta;
pub mod document;
mod index;
pub mod matching;
mod narrow;
pub mod query;
mod search;
mod segment;
mod signature;
#[cfg(test)]
mod tests;

pub use document::{Document, DocumentBuilder, Lexeme, Position, Positions, Weight};
pub use index::FullTextIndex;
pub(super) use index::{check_files, is_here};
pub use query::{TextQuery, TextTerm};
pub use search::{Give, Hit, HitRow, Search};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use segment::fuzz as fuzz_segment;

/// What a search reads.
type State = super::segmented::State<segment::Segment, delta::Delta>;
