//! Cutting a script into statements and COPY data, a line at a time.
//!
//! A semicolon ends a statement unless it stands in a string, a quoted name, a comment or dollar
//! quotes. After a COPY FROM STDIN lines are data, up to `\.`. (Postgres manual, "psql" and "COPY".)

use std::io::BufRead;

use crate::error::{Error, Result, SqlState};

/// Bytes that one line or one statement may have: as much as a text of the wire protocol.
const LEN_MAX: usize = 1 << 30;

/// A script in the course of being read.
pub(super) struct Script<R> {
    input: R,
    /// The line at hand, its end included.
    line: Vec<u8>,
    /// How much of it has been taken.
    at: usize,
    number: u64,
}

/// One statement, without its semicolon.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub text: String,
    /// The line that it begins in.
    pub line: u64,
}

/// What the scanner is in the middle of.
#[derive(PartialEq, Eq)]
enum Within {
    Code,
    /// `'…'`; in `E'…'` a backslash takes the next byte with it.
    Literal {
        has_escapes: bool,
    },
    Name,
    LineComment,
    /// How many are open: they nest.
    BlockComment(u32),
    /// `$tag$ … $tag$`: the delimiter.
    Dollars(Vec<u8>),
}

impl Statement {
    /// The line of an error in it.
    pub fn line_of(&self, error: &Error) -> u64 {
        let position = error.fields().position.unwrap_or(1);
        let before = self.text.chars().take(position.saturating_sub(1));
        self.line + before.filter(|c| *c == '\n').count() as u64
    }
}

impl<R: BufRead> Script<R> {
    pub fn new(input: R) -> Self {
        Self { input, line: Vec::new(), at: 0, number: 0 }
    }

    /// The number of the line at hand, from 1.
    pub fn line(&self) -> u64 {
        self.number
    }

    /// Reads the next line; whether there is one.
    fn advance(&mut self) -> Result<bool> {
        self.line.clear();
        self.at = 0;
        let read =
            std::io::Read::take(&mut self.input, LEN_MAX as u64).read_until(b'\n', &mut self.line);
        let len = read.map_err(|error| {
            Error::new(SqlState::IO_ERROR, format!("could not read the script: {error}"))
        })?;
        if len == LEN_MAX {
            return Err(too_long("line"));
        }
        self.number += u64::from(len > 0);
        Ok(len > 0)
    }

    /// The next line of COPY data, with its end; `None` at `\.` or the end of the script.
    ///
    /// # Errors
    /// 58030, 54000.
    pub fn next_data(&mut self) -> Result<Option<&[u8]>> {
        if !self.advance()? {
            return Ok(None);
        }
        self.at = self.line.len();
        let is_end = self.line.trim_ascii_end() == b"\\.";
        Ok((!is_end).then_some(&self.line))
    }

    /// The next statement; `None` at the end of the script.
    ///
    /// # Errors
    /// 58030, 54000, 22021, 42601 for what psql alone understands and for what is not terminated.
    pub fn next_statement(&mut self) -> Result<Option<Statement>> {
        let (mut text, mut line) = (Vec::new(), 0);
        let mut within = Within::Code;
        loop {
            if self.at >= self.line.len() && !self.advance()? {
                return self.last_statement(text, line, &within);
            }
            if text.is_empty() && within == Within::Code && self.skip_meta_command()? {
                continue;
            }
            let is_end = self.scan(&mut within, &mut text, &mut line);
            if text.len() > LEN_MAX {
                return Err(too_long("statement"));
            }
            if is_end && !text.is_empty() {
                return self.statement(text, line).map(Some);
            }
        }
    }

    fn last_statement(
        &self,
        text: Vec<u8>,
        line: u64,
        within: &Within,
    ) -> Result<Option<Statement>> {
        let what = match within {
            Within::Code | Within::LineComment => None,
            Within::Literal { .. } => Some("quoted string"),
            Within::Name => Some("quoted identifier"),
            Within::BlockComment(_) => Some("/* comment"),
            Within::Dollars(_) => Some("dollar-quoted string"),
        };
        if let Some(what) = what {
            return Err(Error::new(SqlState::SYNTAX_ERROR, format!("unterminated {what}")));
        }
        if text.is_empty() { Ok(None) } else { self.statement(text, line).map(Some) }
    }

    fn statement(&self, text: Vec<u8>, line: u64) -> Result<Statement> {
        let text = String::from_utf8(text).map_err(|_| {
            let message = "invalid byte sequence for encoding \"UTF8\"";
            Error::new(SqlState::CHARACTER_NOT_IN_REPERTOIRE, message)
        })?;
        Ok(Statement { text: text.trim_end().to_owned(), line })
    }

    /// Passes over a line that speaks to psql: dumps may begin and end with `\restrict`.
    fn skip_meta_command(&mut self) -> Result<bool> {
        let rest = self.line.get(self.at..).unwrap_or_default();
        if rest.trim_ascii_start().first() != Some(&b'\\') {
            return Ok(false);
        }
        let shown = String::from_utf8_lossy(rest);
        let command = shown.split_whitespace().next().unwrap_or_default();
        if !matches!(command, "\\restrict" | "\\unrestrict") {
            let message = format!("psql's {command} is not supported");
            return Err(Error::new(SqlState::SYNTAX_ERROR, message));
        }
        self.at = self.line.len();
        Ok(true)
    }

    /// Takes bytes of the line over into the statement; whether a semicolon ended it. What comes
    /// before a statement, space and comments, is left out.
    fn scan(&mut self, within: &mut Within, text: &mut Vec<u8>, line: &mut u64) -> bool {
        while let Some(&byte) = self.line.get(self.at) {
            if *within == Within::Code && byte == b';' {
                self.at += 1;
                return true;
            }
            let len = step(within, &self.line, self.at, text.last().copied());
            let taken = self.line.get(self.at..self.at + len).unwrap_or_default();
            self.at += len;
            let is_comment = matches!(within, Within::LineComment | Within::BlockComment(_))
                || taken.ends_with(b"*/");
            if text.is_empty() && (is_comment || taken.trim_ascii().is_empty()) {
                end_line_comment(within, taken);
                continue;
            }
            if text.is_empty() {
                *line = self.number;
            }
            text.extend_from_slice(taken);
            end_line_comment(within, taken);
        }
        false
    }
}

fn end_line_comment(within: &mut Within, taken: &[u8]) {
    if *within == Within::LineComment && taken.ends_with(b"\n") {
        *within = Within::Code;
    }
}

/// How many bytes belong together at `at`, and what the scanner is within after them.
fn step(within: &mut Within, line: &[u8], at: usize, previous: Option<u8>) -> usize {
    let rest = line.get(at..).unwrap_or_default();
    match within {
        Within::Code => return step_code(within, line, at, previous),
        Within::Literal { has_escapes: true } if rest.first() == Some(&b'\\') => {
            return rest.len().min(2);
        }
        Within::Literal { .. } if rest.first() == Some(&b'\'') => *within = Within::Code,
        Within::Name if rest.first() == Some(&b'"') => *within = Within::Code,
        Within::LineComment => return rest.len(),
        Within::BlockComment(depth) => {
            if rest.starts_with(b"/*") {
                *depth += 1;
                return 2;
            }
            if rest.starts_with(b"*/") {
                *depth -= 1;
                if *depth == 0 {
                    *within = Within::Code;
                }
                return 2;
            }
        }
        Within::Dollars(delimiter) if rest.starts_with(delimiter) => {
            let len = delimiter.len();
            *within = Within::Code;
            return len;
        }
        _ => {}
    }
    1
}

fn step_code(within: &mut Within, line: &[u8], at: usize, previous: Option<u8>) -> usize {
    let rest = line.get(at..).unwrap_or_default();
    let follows_word = previous.is_some_and(is_word);
    match rest {
        [b'\'', ..] => *within = Within::Literal { has_escapes: is_escape_string(line, at) },
        [b'"', ..] => *within = Within::Name,
        [b'-', b'-', ..] => {
            *within = Within::LineComment;
            return rest.len();
        }
        [b'/', b'*', ..] => {
            *within = Within::BlockComment(1);
            return 2;
        }
        [b'$', tail @ ..] if !follows_word => {
            let tag_len = tail.iter().take_while(|&&byte| is_word(byte) && byte != b'$').count();
            let is_tag =
                tail.get(tag_len) == Some(&b'$') && !tail.first().is_some_and(u8::is_ascii_digit);
            if is_tag {
                let delimiter = rest.get(..tag_len + 2).unwrap_or_default().to_vec();
                *within = Within::Dollars(delimiter);
                return tag_len + 2;
            }
        }
        _ => {}
    }
    1
}

/// Whether the quote at `at` opens an `E'…'`.
fn is_escape_string(line: &[u8], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).and_then(|at| line.get(at));
    matches!(before(1), Some(b'e' | b'E')) && !before(2).is_some_and(|&byte| is_word(byte))
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii()
}

fn too_long(what: &str) -> Error {
    let message = format!("a {what} of a script is limited to {LEN_MAX} bytes");
    Error::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(script: &str) -> Vec<(u64, String)> {
        let mut script = Script::new(script.as_bytes());
        let mut all = Vec::new();
        while let Some(statement) = script.next_statement().unwrap() {
            all.push((statement.line, statement.text));
        }
        all
    }

    #[test]
    fn semicolons_inside_do_not_end() {
        let script = "-- a; comment\n/* another; /* nested; */ */ SELECT ';', E'\\';', \"a;b\";\n\
                      \nSELECT $$;$$, $x$;$$;$x$ -- ; here\n, 2 ; SELECT a$1;\n;;\nSELECT 'it''s;'";
        let expected = [
            (2, "SELECT ';', E'\\';', \"a;b\""),
            (4, "SELECT $$;$$, $x$;$$;$x$ -- ; here\n, 2"),
            (5, "SELECT a$1"),
            (7, "SELECT 'it''s;'"),
        ];
        let expected = expected.map(|(line, text)| (line, text.to_owned()));
        assert_eq!(cut(script), expected);
        assert!(cut(" \n-- nothing\n").is_empty());
    }

    #[test]
    fn data_ends_at_its_mark() {
        let mut script = Script::new(&b"COPY t FROM stdin;\n1\n\\N\n\\.\nSELECT 1;\n"[..]);
        assert_eq!(script.next_statement().unwrap().unwrap().text, "COPY t FROM stdin");
        assert_eq!(script.next_data().unwrap(), Some(&b"1\n"[..]));
        assert_eq!(script.next_data().unwrap(), Some(&b"\\N\n"[..]));
        assert_eq!(script.next_data().unwrap(), None);
        assert_eq!(script.next_statement().unwrap().unwrap().line, 5);
    }

    #[test]
    fn what_is_for_psql_alone() {
        assert_eq!(cut("\\restrict abc\nSELECT 1;\n\\unrestrict abc\n").len(), 1);
        let mut script = Script::new(&b"\n\\connect other\n"[..]);
        let error = script.next_statement().unwrap_err();
        assert_eq!((error.state(), script.line()), (SqlState::SYNTAX_ERROR, 2));
    }

    #[test]
    fn what_is_not_terminated_is_an_error() {
        for script in ["SELECT 'a", "SELECT \"a", "SELECT $$a", "/* a", "SELECT 1 /* a"] {
            let mut script = Script::new(script.as_bytes());
            assert_eq!(script.next_statement().unwrap_err().state(), SqlState::SYNTAX_ERROR);
        }
        let mut script = Script::new(&b"SELECT '\xff';"[..]);
        let error = script.next_statement().unwrap_err();
        assert_eq!(error.state(), SqlState::CHARACTER_NOT_IN_REPERTOIRE);
    }
}
