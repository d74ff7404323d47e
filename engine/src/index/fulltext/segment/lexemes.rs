//! How documents become tantivy's: one field of tokens that are lexemes already.
//!
//! A position with its weight is one number, the place above the weight, so that both stay in
//! order; a lexeme without positions has the one number that no position has.

use std::path::Path;

use tantivy::schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::store::Compressor;
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{IndexSettings, TantivyDocument};

use crate::error::Error;
use crate::index::fulltext::document::{Document, PLACE_MAX, Position, Weight};

/// Stands for a lexeme without positions.
const NO_POSITION: u32 = (PLACE_MAX as u32 + 1) << 2;

/// The only field.
pub(super) fn field() -> Field {
    Field::from_field_id(0)
}

pub(super) fn schema() -> Schema {
    let indexing = TextFieldIndexing::default()
        .set_tokenizer("raw")
        .set_fieldnorms(false)
        .set_index_option(IndexRecordOption::WithFreqsAndPositions);
    let mut schema = Schema::builder();
    schema.add_text_field("lexemes", TextOptions::default().set_indexing_options(indexing));
    schema.build()
}

pub(super) fn settings() -> IndexSettings {
    IndexSettings {
        docstore_compression: Compressor::None,
        docstore_compress_dedicated_thread: false,
        ..IndexSettings::default()
    }
}

/// The document as tantivy indexes it.
pub(super) fn to_tantivy(document: &Document) -> TantivyDocument {
    let mut tokens = Vec::with_capacity(document.whole_position_count());
    for lexeme in document.iter() {
        let mut add = |position: u32| {
            tokens.push(Token {
                position: position as usize,
                text: lexeme.text.to_owned(),
                ..Token::default()
            });
        };
        lexeme.positions.iter().map(number).for_each(&mut add);
        if lexeme.positions.is_empty() {
            add(NO_POSITION);
        }
    }
    let mut document = TantivyDocument::new();
    let text = String::new();
    document.add_pre_tokenized_text(field(), PreTokenizedString { text, tokens });
    document
}

fn number(position: Position) -> u32 {
    u32::from(position.place()) << 2 | position.weight() as u32
}

/// The positions of a lexeme, from tantivy's.
pub(super) fn positions(numbers: &[u32]) -> impl Iterator<Item = Position> + '_ {
    let real = numbers.iter().filter(|number| **number < NO_POSITION);
    real.map(|number| Position::new(number >> 2, Weight::from_bits((number & 3) as u8)))
}

/// What tantivy reports about a segment that it reads.
pub(super) fn read_error(path: &Path, error: impl std::fmt::Display) -> Error {
    Error::corruption(path, 0, "a readable full-text segment", error)
}

/// What tantivy reports about a segment that it builds in memory.
pub(super) fn build_error(error: impl std::fmt::Display) -> Error {
    Error::internal(format!("could not build a full-text segment cause={error}"))
}
