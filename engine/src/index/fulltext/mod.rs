//! Full-text index over documents of lexemes with positions and weights.

/// What a document must contain. The engine's form of a `tsquery`.
#[derive(Clone, Debug, PartialEq)]
pub enum TextQuery {
    /// One lexeme.
    Term {
        /// The lexeme, exactly as indexed.
        lexeme: String,
        /// Whether longer lexemes that begin with it match too.
        is_prefix: bool,
        /// Bit `n` set: weight `n` (0 = D … 3 = A) matches; 0 means any weight.
        weights: u8,
    },
    /// Both.
    And(Box<TextQuery>, Box<TextQuery>),
    /// Either.
    Or(Box<TextQuery>, Box<TextQuery>),
    /// Everything but.
    Not(Box<TextQuery>),
    /// The right follows the left at exactly this distance in positions.
    Phrase(Box<TextQuery>, Box<TextQuery>, u16),
}
