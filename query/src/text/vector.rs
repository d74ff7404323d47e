//! `tsvector`: text form, construction, operations.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use cairn_engine::Bytes;
use cairn_engine::index::fulltext::document::{LEXEME_LEN_MAX, PLACE_MAX, POSITIONS_MAX};
use cairn_engine::index::fulltext::{Document, DocumentBuilder, Lexeme, Position, Weight};

use super::config::TextConfig;
use super::reader::{Dialect, LexemeReader};
use crate::error::{Error, Result, SqlState};

/// Bytes that the lexemes of a vector may have together (Postgres' limit).
const VECTOR_LEN_MAX: usize = 1 << 20;

/// A sorted list of lexemes with positions and weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TsVector(Document);

impl From<Document> for TsVector {
    fn from(document: Document) -> Self {
        Self(document)
    }
}

impl TsVector {
    /// The document.
    pub fn document(&self) -> &Document {
        &self.0
    }

    /// Its bytes, as rows and indexes keep them.
    pub fn encoded(&self) -> &Bytes {
        self.0.encoded()
    }

    /// From its bytes; `None` when they are no vector.
    pub fn decode(bytes: Bytes) -> Option<Self> {
        Document::decode(bytes).map(Self)
    }

    /// `to_tsvector`
    ///
    /// # Errors
    /// 54000 when the text has too many different words.
    pub fn of_text(config: TextConfig, text: &str) -> Result<Self> {
        let mut entries = Entries::default();
        entries.add_words(config, text, 0);
        entries.build()
    }

    /// `to_tsvector` of several texts: their words are one position apart from each other.
    ///
    /// # Errors
    /// 54000.
    pub fn of_texts<'t>(
        config: TextConfig,
        texts: impl IntoIterator<Item = &'t str>,
    ) -> Result<Self> {
        let mut entries = Entries::default();
        let mut last_place = 0;
        for text in texts {
            let end = entries.add_words(config, text, last_place);
            last_place = if end > last_place { end + 1 } else { last_place };
        }
        entries.build()
    }

    /// A vector of lexemes without positions.
    ///
    /// # Errors
    /// 54000.
    pub fn of_lexemes<'t>(lexemes: impl IntoIterator<Item = &'t str>) -> Result<Self> {
        let mut entries = Entries::default();
        for lexeme in lexemes {
            entries.add(lexeme.to_owned(), []);
        }
        entries.build()
    }

    /// `a || b`: positions of `b` follow those of `a`.
    ///
    /// # Errors
    /// 54000.
    pub fn concat(&self, other: &Self) -> Result<Self> {
        let shift = u32::from(self.0.last_place());
        let mut builder = DocumentBuilder::default();
        let mut lefts = self.0.iter().peekable();
        let mut rights = other.0.iter().peekable();
        loop {
            let order = match (lefts.peek(), rights.peek()) {
                (None, None) => break,
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some(left), Some(right)) => left.text.cmp(right.text),
            };
            let left = if order.is_le() { lefts.next() } else { None };
            let right = if order.is_ge() { rights.next() } else { None };
            let Some(text) = left.or(right).map(|lexeme| lexeme.text) else { break };
            let mut positions: Vec<_> = left.map_or(Vec::new(), |l| l.positions.iter().collect());
            append_shifted(&mut positions, right, shift);
            builder.push(text, positions);
        }
        finish(builder)
    }

    /// `setweight`, of all lexemes or of those in `only`.
    #[must_use]
    pub fn with_weight(&self, weight: Weight, only: Option<&[&str]>) -> Self {
        self.rebuild(|lexeme, positions| {
            if only.is_none_or(|only| only.contains(&lexeme.text)) {
                for position in positions.iter_mut() {
                    *position = Position::new(u32::from(position.place()), weight);
                }
            }
            true
        })
    }

    /// `strip`: without positions.
    #[must_use]
    pub fn stripped(&self) -> Self {
        self.rebuild(|_, positions| {
            positions.clear();
            true
        })
    }

    /// `ts_delete`
    #[must_use]
    pub fn without(&self, lexemes: &[&str]) -> Self {
        self.rebuild(|lexeme, _| !lexemes.contains(&lexeme.text))
    }

    /// `ts_filter`: only positions of these weights.
    #[must_use]
    pub fn filtered(&self, weights: &[Weight]) -> Self {
        self.rebuild(|_, positions| {
            positions.retain(|position| weights.contains(&position.weight()));
            !positions.is_empty()
        })
    }

    fn rebuild(&self, mut keep: impl FnMut(&Lexeme<'_>, &mut Vec<Position>) -> bool) -> Self {
        let mut builder = DocumentBuilder::default();
        for lexeme in self.0.iter() {
            let mut positions = lexeme.positions.iter().collect();
            if keep(&lexeme, &mut positions) {
                builder.push(lexeme.text, positions);
            }
        }
        Self(builder.finish())
    }
}

/// Adds the positions of the right side, as far as there is room for them.
fn append_shifted(positions: &mut Vec<Position>, right: Option<Lexeme<'_>>, shift: u32) {
    for position in right.iter().flat_map(|lexeme| lexeme.positions.iter()) {
        let is_full = positions.last().is_some_and(|last| last.place() == PLACE_MAX);
        if is_full || positions.len() >= POSITIONS_MAX {
            break;
        }
        positions.push(Position::new(u32::from(position.place()) + shift, position.weight()));
    }
}

fn finish(mut builder: DocumentBuilder) -> Result<TsVector> {
    if builder.records_len() > VECTOR_LEN_MAX {
        let message = format!(
            "string is too long for tsvector ({} bytes, max {VECTOR_LEN_MAX} bytes)",
            builder.records_len()
        );
        return Err(Error::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message));
    }
    Ok(TsVector(builder.finish()))
}

/// Lexemes on their way into a vector, in any order.
#[derive(Default)]
struct Entries(BTreeMap<String, Vec<Position>>);

impl Entries {
    fn add(&mut self, lexeme: String, positions: impl IntoIterator<Item = Position>) {
        self.0.entry(lexeme).or_default().extend(positions);
    }

    /// Adds the words of a text; returns the last place used.
    fn add_words(&mut self, config: TextConfig, text: &str, last_place: u32) -> u32 {
        let (words, end) = config.words(text, last_place);
        for word in words {
            self.add(word.lexeme, [Position::new(word.place, Weight::D)]);
        }
        end
    }

    fn build(self) -> Result<TsVector> {
        let mut builder = DocumentBuilder::default();
        for (lexeme, mut positions) in self.0 {
            positions
                .sort_by_key(|position| (position.place(), std::cmp::Reverse(position.weight())));
            positions.dedup_by_key(|position| position.place());
            positions.truncate(POSITIONS_MAX - 1);
            builder.push(&lexeme, positions);
        }
        finish(builder)
    }
}

impl FromStr for TsVector {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut reader = LexemeReader::new(text, Dialect::Vector);
        let mut entries = Entries::default();
        while let Some(lexeme) = reader.lexeme()? {
            if lexeme.len() > LEXEME_LEN_MAX {
                let message = format!(
                    "word is too long ({} bytes, max {LEXEME_LEN_MAX} bytes)",
                    lexeme.len()
                );
                return Err(Error::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message));
            }
            let positions = reader.positions()?;
            entries.add(lexeme, positions);
        }
        entries.build()
    }
}

impl fmt::Display for TsVector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, lexeme) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            write_quoted(f, lexeme.text)?;
            for (index, position) in lexeme.positions.iter().enumerate() {
                f.write_str(if index == 0 { ":" } else { "," })?;
                write!(f, "{}", position.place())?;
                if position.weight() != Weight::D {
                    write!(f, "{}", position.weight().letter())?;
                }
            }
        }
        Ok(())
    }
}

/// A lexeme in quotes, quotes and backslashes doubled.
pub(super) fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("'")?;
    for c in text.chars() {
        if matches!(c, '\'' | '\\') {
            write!(f, "{c}")?;
        }
        write!(f, "{c}")?;
    }
    f.write_str("'")
}
