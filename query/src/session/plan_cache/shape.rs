//! Texts without their literals: what texts that a program makes from one pattern have in common.
//!
//! The scanner knows as much of the lexical structure as it takes to find literals, and gives up
//! on everything unusual: then the text is parsed as it is.

use std::borrow::Cow;
use std::ops::Range;

/// Longer texts, and texts with more literals, are bulk loads.
const LITERALS_MAX: usize = 64;

/// What a literal is; its number is the character that stands for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LiteralKind {
    /// `12`
    Integer = 1,
    /// `1.2`
    Decimal = 2,
    /// `'text'`
    Text = 3,
}

/// A literal in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Literal {
    /// What it is.
    pub(crate) kind: LiteralKind,
    /// Where it stands, quotes included, in bytes.
    pub(crate) range: Range<usize>,
}

impl Literal {
    /// Its value as a parameter in text form.
    pub(crate) fn value<'a>(&self, sql: &'a str) -> Cow<'a, str> {
        let written = sql.get(self.range.clone()).unwrap_or_default();
        match self.kind {
            LiteralKind::Integer | LiteralKind::Decimal => Cow::Borrowed(written),
            LiteralKind::Text => {
                let inner = written.get(1..written.len() - 1).unwrap_or_default();
                if inner.contains('\'') {
                    Cow::Owned(inner.replace("''", "'"))
                } else {
                    Cow::Borrowed(inner)
                }
            }
        }
    }
}

/// A text with its literals taken out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// The text with one character in place of each literal.
    pub(crate) text: String,
    /// The literals, in order.
    pub(crate) literals: Vec<Literal>,
}

impl Shape {
    /// Takes the literals out of a text of one statement. `None` when there are none, and for
    /// texts with comments, parameters, dollar quotes, escapes or several statements.
    pub(crate) fn of(sql: &str) -> Option<Self> {
        let mut shape = Self { text: String::with_capacity(sql.len()), literals: Vec::new() };
        let bytes = sql.as_bytes();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let end = match byte {
                b'\'' => shape.push(LiteralKind::Text, at..quoted_end(bytes, at)?)?,
                b'0'..=b'9' => {
                    let (kind, end) = number_end(bytes, at)?;
                    shape.push(kind, at..end)?
                }
                b';' => {
                    let is_last = bytes.get(at..)?.iter().all(|b| b" \t\r\n;".contains(b));
                    if !is_last {
                        return None;
                    }
                    break;
                }
                _ => {
                    let end = other_end(bytes, at)?;
                    shape.text.push_str(sql.get(at..end)?);
                    end
                }
            };
            at = end;
        }
        (!shape.literals.is_empty()).then_some(shape)
    }

    fn push(&mut self, kind: LiteralKind, range: Range<usize>) -> Option<usize> {
        let end = range.end;
        self.text.push(char::from(kind as u8));
        self.literals.push(Literal { kind, range });
        (self.literals.len() <= LITERALS_MAX).then_some(end)
    }
}

/// The end of a piece that holds no literal: a word, a quoted name, or one character.
fn other_end(bytes: &[u8], at: usize) -> Option<usize> {
    let (byte, next) = (*bytes.get(at)?, bytes.get(at + 1).copied());
    match byte {
        b'"' => quoted_end(bytes, at),
        b'$' | 0..=8 => None,
        b'-' if next == Some(b'-') => None,
        b'/' if next == Some(b'*') => None,
        b'.' if next.is_some_and(|next| next.is_ascii_digit()) => None,
        _ if is_word(byte) => {
            let end = word_end(bytes, at);
            // E'…', U&"…" and the like.
            let follows = bytes.get(end).copied();
            (!matches!(follows, Some(b'\'' | b'&'))).then_some(end)
        }
        _ => Some(at + 1),
    }
}

/// The end of a string or name that begins with a quote: behind the next quote that is not
/// doubled.
fn quoted_end(bytes: &[u8], start: usize) -> Option<usize> {
    let quote = *bytes.get(start)?;
    let mut at = start + 1;
    loop {
        match *bytes.get(at)? {
            b'\\' | 0 => return None,
            byte if byte == quote => {
                if bytes.get(at + 1) != Some(&quote) {
                    return Some(at + 1);
                }
                at += 2;
            }
            _ => at += 1,
        }
    }
}

/// What number begins here, and its end.
fn number_end(bytes: &[u8], start: usize) -> Option<(LiteralKind, usize)> {
    let digits = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let (mut kind, mut end) = (LiteralKind::Integer, digits(start));
    if bytes.get(end) == Some(&b'.') {
        (kind, end) = (LiteralKind::Decimal, digits(end + 1));
    }
    match bytes.get(end).copied() {
        Some(b'.') => None,
        Some(byte) if is_word(byte) => None,
        _ => Some((kind, end)),
    }
}

fn word_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| is_word(**byte)).count()
}

/// What names and keywords are made of; everything beyond ASCII is.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals(sql: &str) -> Option<Vec<(LiteralKind, String)>> {
        let shape = Shape::of(sql)?;
        let value = |literal: &Literal| (literal.kind, literal.value(sql).into_owned());
        Some(shape.literals.iter().map(value).collect())
    }

    #[test]
    fn literals_are_found() {
        use LiteralKind::{Decimal, Integer, Text};
        let sql = "SELECT c1, \"a'2\" FROM t WHERE a = 'it''s' AND b IN (12, 3.50)\n;  ";
        let expected = [(Text, "it's"), (Integer, "12"), (Decimal, "3.50")];
        let expected = expected.map(|(kind, value)| (kind, value.to_owned()));
        assert_eq!(literals(sql), Some(expected.to_vec()));
        let other = Shape::of("SELECT c1, \"a'2\" FROM t WHERE a = '' AND b IN (7, 0.1)\n");
        assert_eq!(other.unwrap().text, Shape::of(sql).unwrap().text);
        let number = Shape::of("SELECT c1, \"a'2\" FROM t WHERE a = 1 AND b IN (7, 0.1)\n");
        assert_ne!(number.unwrap().text, Shape::of(sql).unwrap().text, "of another kind");
    }

    #[test]
    fn what_is_unusual_has_no_shape() {
        for sql in [
            "SELECT a FROM t",
            "SELECT 1; SELECT 2",
            "SELECT 1 -- one",
            "SELECT 1 /* one */",
            "SELECT 1 + $1",
            "SELECT 1, $$x$$",
            "SELECT E'a', 1",
            "SELECT U&'a', 1",
            "SELECT 'a\\b', 1",
            "SELECT 1e5",
            "SELECT 1, .5",
            "SELECT 1abc",
            "SELECT 1, 'open",
            "SELECT 1, \u{1}",
        ] {
            assert_eq!(Shape::of(sql), None, "{sql}");
        }
        let many = format!("SELECT a IN ({})", "1,".repeat(LITERALS_MAX + 1));
        assert_eq!(Shape::of(&many), None);
    }

    #[test]
    fn any_bytes_are_taken() {
        for sql in ["'", "\"", "1", "1.", "é'é'", "é1", "'é''", "\u{0}1"] {
            let _ = Shape::of(sql);
        }
    }
}
