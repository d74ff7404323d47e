//! Text search configurations: which dictionary reads which kind of token.

use super::dictionary::{Dictionary, LANGUAGES, Language};
use super::parser::{Parser, TokenKind};
use crate::error::{Error, Result, SqlState};
use cairn_engine::index::fulltext::document::LEXEME_LEN_MAX;

/// The OID of the first configuration, `simple`.
const FIRST_OID: u32 = 3748;

/// A text search configuration.
#[derive(Clone, Copy, Debug)]
pub struct TextConfig {
    /// Its name.
    pub name: &'static str,
    /// For words of ASCII letters.
    ascii: Dictionary,
    /// For words with other letters.
    words: Dictionary,
}

/// A word of a text: its lexeme and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The lexeme.
    pub lexeme: String,
    /// Words counted from 1, stop words included.
    pub place: u32,
}

impl TextConfig {
    /// `simple`: lower case and nothing else.
    pub const SIMPLE: Self =
        Self { name: "simple", ascii: Dictionary::Simple, words: Dictionary::Simple };

    /// The configuration of that name, with or without its schema.
    ///
    /// # Errors
    /// 42704 when there is none.
    pub fn named(name: &str) -> Result<Self> {
        let bare = name.trim();
        let bare = bare.strip_prefix("pg_catalog.").unwrap_or(bare).trim_matches('"');
        Self::find(&bare.to_ascii_lowercase()).ok_or_else(|| {
            let message = format!("text search configuration \"{name}\" does not exist");
            Error::new(SqlState::UNDEFINED_OBJECT, message)
        })
    }

    fn find(name: &str) -> Option<Self> {
        if name == "simple" {
            return Some(Self::SIMPLE);
        }
        let language = Language::named(name)?;
        let words = Dictionary::Stem(language);
        // Languages of other scripts read Latin words as English.
        let ascii = match Language::named("english") {
            Some(english) if name == "russian" => Dictionary::Stem(english),
            _ => words,
        };
        Some(Self { name: language.name, ascii, words })
    }

    /// The names of all configurations.
    pub fn names() -> impl Iterator<Item = &'static str> {
        std::iter::once("simple").chain(LANGUAGES.iter().map(|language| language.name))
    }

    /// The names of all configurations with their OIDs.
    pub fn numbered() -> impl Iterator<Item = (u32, &'static str)> {
        (FIRST_OID..).zip(Self::names())
    }

    /// The dictionary for a kind of token; `None`: such tokens are not indexed.
    pub fn dictionary(&self, kind: TokenKind) -> Option<Dictionary> {
        use TokenKind as T;
        match kind {
            T::AsciiWord | T::HyphenatedAsciiWord | T::HyphenatedAsciiPart => Some(self.ascii),
            T::Word | T::HyphenatedWord | T::HyphenatedPart => Some(self.words),
            T::Blank | T::Tag | T::Protocol | T::Entity => None,
            _ => Some(Dictionary::Simple),
        }
    }

    /// The words of a text, stop words left out but counted, places from `last_place` + 1.
    /// Returns them and the last place used.
    pub fn words(&self, text: &str, last_place: u32) -> (Vec<Word>, u32) {
        let mut place = last_place;
        let mut words = Vec::new();
        for token in Parser::new(text) {
            // What is too long to be a lexeme does not count.
            let Some(dictionary) = self.dictionary(token.kind) else { continue };
            if token.text.len() > LEXEME_LEN_MAX {
                continue;
            }
            place += 1;
            let lexeme = dictionary.lexeme(token.text);
            if let Some(lexeme) = lexeme.filter(|lexeme| lexeme.len() <= LEXEME_LEN_MAX) {
                words.push(Word { lexeme, place });
            }
        }
        (words, place)
    }
}
