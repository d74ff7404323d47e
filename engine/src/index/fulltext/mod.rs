//! Full-text index over documents of lexemes with positions and weights.
//!
//! * [`Document`]: what is indexed, and its bytes in rows and index entries
//! * [`TextQuery`]: what is searched for
//! * [`matching`]: whether a document contains what a query asks

pub mod document;
pub mod matching;
pub mod query;

pub use document::{Document, DocumentBuilder, Lexeme, Position, Positions, Weight};
pub use query::{TextQuery, TextTerm};
