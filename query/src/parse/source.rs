//! A statement's text, and where in it things stand.
//!
//! The tokenizer counts lines and columns; Postgres reports characters from the start of the text
//! that the client sent. A [`Source`] converts one into the other.

use std::sync::Arc;

use sqlparser::tokenizer::{Location, Span};

/// The text that a client sent, with its line starts.
#[derive(Debug)]
pub struct Source {
    /// The whole text; it may hold several statements.
    pub text: Arc<str>,
    /// For each line, its byte offset and how many characters precede it.
    lines: Vec<(usize, usize)>,
}

impl Source {
    /// Takes a text in.
    pub fn new(text: &str) -> Self {
        let mut lines = vec![(0, 0)];
        let mut characters = 0;
        for (offset, character) in text.char_indices() {
            characters += 1;
            if character == '\n' {
                lines.push((offset + 1, characters));
            }
        }
        Self { text: text.into(), lines }
    }

    /// Characters from the start of the text, from 1; `None` for the empty location.
    pub fn position(&self, location: Location) -> Option<usize> {
        let (_, before) = self.lines.get(usize::try_from(location.line).ok()?.checked_sub(1)?)?;
        Some(before + usize::try_from(location.column).ok()?)
    }

    /// The byte offset of a location; `None` for the empty one.
    pub fn offset(&self, location: Location) -> Option<usize> {
        let (start, _) = self.lines.get(usize::try_from(location.line).ok()?.checked_sub(1)?)?;
        let column = usize::try_from(location.column).ok()?.checked_sub(1)?;
        let rest = self.text.get(*start..)?;
        match rest.char_indices().nth(column) {
            Some((offset, _)) => Some(start + offset),
            None => Some(self.text.len()),
        }
    }

    /// Characters from the start of the text, from 1, of a byte offset.
    pub fn position_of_offset(&self, offset: usize) -> usize {
        let line = self.lines.partition_point(|(start, _)| *start <= offset).saturating_sub(1);
        let (start, before) = self.lines.get(line).copied().unwrap_or((0, 0));
        let part = self.text.get(start..offset).unwrap_or_default();
        before + part.chars().count() + 1
    }

    /// The text of a span; empty for the empty one.
    pub fn slice(&self, span: Span) -> &str {
        let range = self.offset(span.start).zip(self.offset(span.end));
        range.and_then(|(start, end)| self.text.get(start..end)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_characters_not_bytes() {
        let source = Source::new("select 'ä',\n b");
        assert_eq!(source.position(Location { line: 2, column: 2 }), Some(14));
        let offset = source.offset(Location { line: 2, column: 2 }).unwrap();
        assert_eq!(&source.text[offset..], "b");
        assert_eq!(source.position_of_offset(offset), 14);
    }

    #[test]
    fn the_empty_location_has_no_position() {
        assert_eq!(Source::new("x").position(Location { line: 0, column: 0 }), None);
    }
}
