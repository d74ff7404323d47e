//! What a document must contain: a boolean expression over lexemes.

use super::narrow;

/// What a document must contain. The engine's form of a `tsquery`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TextQuery {
    /// One lexeme.
    Term(TextTerm),
    /// Both.
    And(Box<TextQuery>, Box<TextQuery>),
    /// Either.
    Or(Box<TextQuery>, Box<TextQuery>),
    /// Everything but.
    Not(Box<TextQuery>),
    /// The right follows the left at exactly this distance in positions.
    Phrase(Box<TextQuery>, Box<TextQuery>, u16),
}

/// One lexeme of a query.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TextTerm {
    /// The lexeme, exactly as indexed.
    pub lexeme: Box<str>,
    /// Whether longer lexemes that begin with it match too.
    pub is_prefix: bool,
    /// Bit `n` set: weight `n` (0 = D … 3 = A) matches; 0 means any weight.
    pub weights: u8,
}

impl TextTerm {
    /// A term that any weight satisfies.
    pub fn new(lexeme: impl Into<Box<str>>) -> Self {
        Self { lexeme: lexeme.into(), is_prefix: false, weights: 0 }
    }

    /// Whether a position of this weight (0 = D … 3 = A) satisfies the term.
    pub fn accepts(&self, weight: u8) -> bool {
        self.weights == 0 || self.weights & (1 << weight) != 0
    }

    /// Whether a lexeme satisfies the term, weights aside.
    pub fn covers(&self, lexeme: &str) -> bool {
        if self.is_prefix { lexeme.starts_with(&*self.lexeme) } else { *lexeme == *self.lexeme }
    }
}

impl TextQuery {
    /// Whether the rows that match must have a word, so that an index finds them all; `!a` and
    /// `a | !b` demand none.
    pub fn demands_words(&self) -> bool {
        narrow::narrow(self, &narrow::terms(self)).is_some()
    }

    /// The terms, from left to right, repetitions included.
    pub fn terms(&self) -> Vec<&TextTerm> {
        let mut terms = Vec::new();
        self.collect_terms(&mut terms);
        terms
    }

    fn collect_terms<'q>(&'q self, terms: &mut Vec<&'q TextTerm>) {
        match self {
            Self::Term(term) => terms.push(term),
            Self::Not(child) => child.collect_terms(terms),
            Self::And(left, right) | Self::Or(left, right) | Self::Phrase(left, right, _) => {
                left.collect_terms(terms);
                right.collect_terms(terms);
            }
        }
    }
}
