//! The default text search parser: cuts text into words, numbers, addresses and the rest.
//!
//! Boundaries and kinds agree with Postgres' default parser (manual, section 12.5). It is a state
//! machine with a stack: where a character could begin a longer token (`foo.` a host, `foo-` a
//! hyphenated word), the machine saves where it is and tries; when the attempt fails it goes back
//! and takes the next rule. Three files: `class` (questions about the next character), `rules`
//! (the states), `machine` (what the rules do).

mod class;
mod machine;
mod rules;

pub use machine::{Parser, Token};

/// What a token is. The numbers are those of `ts_token_type()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TokenKind {
    /// Word, all ASCII
    AsciiWord = 1,
    /// Word, all letters
    Word = 2,
    /// Word, letters and digits
    NumWord = 3,
    /// Email address
    Email = 4,
    /// URL
    Url = 5,
    /// Host
    Host = 6,
    /// Scientific notation
    ScientificFloat = 7,
    /// Version number
    Version = 8,
    /// Hyphenated word part, letters and digits
    HyphenatedNumPart = 9,
    /// Hyphenated word part, all letters
    HyphenatedPart = 10,
    /// Hyphenated word part, all ASCII
    HyphenatedAsciiPart = 11,
    /// Space symbols
    Blank = 12,
    /// XML tag
    Tag = 13,
    /// Protocol head
    Protocol = 14,
    /// Hyphenated word, letters and digits
    HyphenatedNumWord = 15,
    /// Hyphenated word, all ASCII
    HyphenatedAsciiWord = 16,
    /// Hyphenated word, all letters
    HyphenatedWord = 17,
    /// URL path
    UrlPath = 18,
    /// File or path name
    File = 19,
    /// Decimal notation
    Float = 20,
    /// Signed integer
    SignedInt = 21,
    /// Unsigned integer
    UnsignedInt = 22,
    /// XML entity
    Entity = 23,
}

impl TokenKind {
    /// Every kind with its alias and description, in Postgres' order.
    pub const ALL: [(Self, &'static str, &'static str); 23] = [
        (Self::AsciiWord, "asciiword", "Word, all ASCII"),
        (Self::Word, "word", "Word, all letters"),
        (Self::NumWord, "numword", "Word, letters and digits"),
        (Self::Email, "email", "Email address"),
        (Self::Url, "url", "URL"),
        (Self::Host, "host", "Host"),
        (Self::ScientificFloat, "sfloat", "Scientific notation"),
        (Self::Version, "version", "Version number"),
        (Self::HyphenatedNumPart, "hword_numpart", "Hyphenated word part, letters and digits"),
        (Self::HyphenatedPart, "hword_part", "Hyphenated word part, all letters"),
        (Self::HyphenatedAsciiPart, "hword_asciipart", "Hyphenated word part, all ASCII"),
        (Self::Blank, "blank", "Space symbols"),
        (Self::Tag, "tag", "XML tag"),
        (Self::Protocol, "protocol", "Protocol head"),
        (Self::HyphenatedNumWord, "numhword", "Hyphenated word, letters and digits"),
        (Self::HyphenatedAsciiWord, "asciihword", "Hyphenated word, all ASCII"),
        (Self::HyphenatedWord, "hword", "Hyphenated word, all letters"),
        (Self::UrlPath, "url_path", "URL path"),
        (Self::File, "file", "File or path name"),
        (Self::Float, "float", "Decimal notation"),
        (Self::SignedInt, "int", "Signed integer"),
        (Self::UnsignedInt, "uint", "Unsigned integer"),
        (Self::Entity, "entity", "XML entity"),
    ];

    /// Its alias: `asciiword`.
    pub fn alias(self) -> &'static str {
        Self::ALL[self as usize - 1].1
    }

    /// Whether it is a word with its hyphens, whose parts follow as tokens of their own.
    pub fn is_compound(self) -> bool {
        matches!(self, Self::HyphenatedNumWord | Self::HyphenatedAsciiWord | Self::HyphenatedWord)
    }
}
