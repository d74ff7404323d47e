//! Reads lexemes with their quotes and escapes, as `tsvector` and `tsquery` text has them.

use crate::error::{Error, Result, SqlState};
use cairn_engine::index::fulltext::{Position, Weight};

/// Whose text it is; that decides what ends a lexeme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `tsvector`: `word:1A,2`
    Vector,
    /// `tsquery`: operators end a word.
    Query,
    /// `websearch_to_tsquery`: operators end a word, and neither quotes nor escapes are special.
    Web,
}

/// A place in the text.
pub(super) struct LexemeReader<'t> {
    text: &'t str,
    at: usize,
    dialect: Dialect,
}

impl<'t> LexemeReader<'t> {
    pub(super) fn new(text: &'t str, dialect: Dialect) -> Self {
        Self { text, at: 0, dialect }
    }

    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn bump(&mut self) {
        self.at += self.peek().map_or(0, char::len_utf8);
    }

    pub(super) fn skip(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.text.len());
    }

    /// Takes the character if it is next.
    pub(super) fn take(&mut self, wanted: char) -> bool {
        let is_next = self.peek() == Some(wanted);
        if is_next {
            self.bump();
        }
        is_next
    }

    pub(super) fn skip_space(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.bump();
        }
    }

    /// 42601 with the whole text.
    pub(super) fn syntax_error(&self) -> Error {
        let kind = if self.dialect == Dialect::Vector { "tsvector" } else { "tsquery" };
        let message = format!("syntax error in {kind}: \"{}\"", self.text);
        Error::new(SqlState::SYNTAX_ERROR, message)
    }

    fn error(&self, what: &str) -> Error {
        Error::new(SqlState::SYNTAX_ERROR, format!("{what}: \"{}\"", self.text))
    }

    /// The next lexeme; `None` at the end of the text.
    pub(super) fn lexeme(&mut self) -> Result<Option<String>> {
        self.skip_space();
        let Some(first) = self.peek() else { return Ok(None) };
        if first == '\'' && self.dialect != Dialect::Web {
            self.bump();
            return self.quoted().map(Some);
        }
        if self.ends_word(first) || first == ':' {
            return Err(self.syntax_error());
        }
        let mut lexeme = String::new();
        while let Some(c) = self.peek() {
            if c == ':' || self.ends_word(c) {
                break;
            }
            self.bump();
            lexeme.push(if c == '\\' && self.dialect != Dialect::Web {
                self.escaped()?
            } else {
                c
            });
        }
        Ok(Some(lexeme))
    }

    fn quoted(&mut self) -> Result<String> {
        let mut lexeme = String::new();
        while let Some(c) = self.peek() {
            self.bump();
            match c {
                '\'' if !self.take('\'') => {
                    return if lexeme.is_empty() { Err(self.syntax_error()) } else { Ok(lexeme) };
                }
                '\\' => lexeme.push(self.escaped()?),
                c => lexeme.push(c),
            }
        }
        Err(self.syntax_error())
    }

    fn escaped(&mut self) -> Result<char> {
        let c = self.peek().ok_or_else(|| self.error("there is no escaped character"))?;
        self.bump();
        Ok(c)
    }

    fn ends_word(&self, c: char) -> bool {
        match self.dialect {
            Dialect::Vector => is_space(c),
            Dialect::Query => is_space(c) || is_operator(c),
            Dialect::Web => is_space(c) || is_operator(c) || c == '"',
        }
    }

    /// What follows a lexeme of a `tsvector`: `:1A,2*`, or nothing.
    pub(super) fn positions(&mut self) -> Result<Vec<Position>> {
        let mut positions = Vec::new();
        if self.take(':') {
            loop {
                positions.push(self.position()?);
                if !self.take(',') {
                    break;
                }
            }
        }
        match self.peek() {
            Some(c) if !positions.is_empty() && !is_space(c) => Err(self.syntax_error()),
            _ => Ok(positions),
        }
    }

    fn position(&mut self) -> Result<Position> {
        let place = self.digits().ok_or_else(|| self.syntax_error())?;
        if place == 0 {
            return Err(self.error("wrong position info in tsvector"));
        }
        let weight = match self.peek() {
            Some('*') => Some(Weight::A),
            Some(c) => Weight::from_letter(c),
            None => None,
        };
        if weight.is_some() {
            self.bump();
        }
        Ok(Position::new(place, weight.unwrap_or_default()))
    }

    /// A number, as large as it may be.
    pub(super) fn digits(&mut self) -> Option<u32> {
        let rest = self.rest();
        let len = rest.bytes().take_while(u8::is_ascii_digit).count();
        let digits = rest.get(..len).filter(|digits| !digits.is_empty())?;
        self.skip(len);
        Some(digits.parse().unwrap_or(u32::MAX))
    }
}

pub(super) fn is_space(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\u{b}' || (!c.is_ascii() && c.is_whitespace())
}

pub(super) fn is_operator(c: char) -> bool {
    matches!(c, '!' | '&' | '|' | '(' | ')' | '<')
}
