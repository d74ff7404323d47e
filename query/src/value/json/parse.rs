//! Reading JSON text (RFC 8259), with Postgres' errors.

use std::sync::Arc;

use super::Jsonb;
use crate::error::{Error, Result, SqlState};

/// How deeply documents may nest.
const DEPTH_MAX: usize = 512;

/// Reads a document into normal form.
///
/// # Errors
/// 22P02
pub fn parse(text: &str) -> Result<Jsonb> {
    let mut parser = Parser { text, position: 0 };
    let document = parser.value(0)?;
    parser.end()?;
    Ok(document)
}

/// Checks that a text is JSON without building the document.
///
/// # Errors
/// 22P02
pub fn validate(text: &str) -> Result<()> {
    parse(text).map(drop)
}

struct Parser<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Parser<'a> {
    fn error(&self, detail: String) -> Error {
        let message = "invalid input syntax for type json";
        Error::new(SqlState::INVALID_TEXT_REPRESENTATION, message).with_detail(detail)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.position += 1;
        }
    }

    /// The token at the position, for errors.
    fn token(&self) -> &'a str {
        let rest = self.text.get(self.position..).unwrap_or("");
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || !c.is_ascii();
        let len = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let len = if len == 0 { rest.chars().next().map_or(0, char::len_utf8) } else { len };
        &rest[..len]
    }

    fn expected(&self, what: &str) -> Error {
        if self.position >= self.text.len() {
            return self.error("The input string ended unexpectedly.".to_owned());
        }
        let token = self.token();
        let is_word = token.starts_with(|c: char| c.is_alphabetic() || !c.is_ascii());
        if is_word && !matches!(token, "true" | "false" | "null") {
            return self.invalid_token();
        }
        self.error(format!("Expected {what}, but found \"{token}\"."))
    }

    fn invalid_token(&self) -> Error {
        if self.position >= self.text.len() {
            return self.error("The input string ended unexpectedly.".to_owned());
        }
        self.error(format!("Token \"{}\" is invalid.", self.token()))
    }

    fn end(&mut self) -> Result<()> {
        self.skip_space();
        if self.position < self.text.len() { Err(self.expected("end of input")) } else { Ok(()) }
    }

    fn value(&mut self, depth: usize) -> Result<Jsonb> {
        if depth > DEPTH_MAX {
            return Err(Error::new(SqlState::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"));
        }
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Jsonb::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Jsonb::Bool(true)),
            Some(b'f') => self.word("false", Jsonb::Bool(false)),
            Some(b'n') => self.word("null", Jsonb::Null),
            Some(b'}' | b']' | b',' | b':') => Err(self.expected("JSON value")),
            _ => Err(self.invalid_token()),
        }
    }

    fn word(&mut self, word: &str, value: Jsonb) -> Result<Jsonb> {
        if self.token() != word {
            return Err(self.invalid_token());
        }
        self.position += word.len();
        Ok(value)
    }

    fn object(&mut self, depth: usize) -> Result<Jsonb> {
        self.position += 1;
        let mut pairs: Vec<(Arc<str>, Jsonb)> = Vec::new();
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.position += 1;
            return Ok(Jsonb::Object(pairs));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                let what = if pairs.is_empty() { "string or \"}\"" } else { "string" };
                return Err(self.expected(what));
            }
            let key = self.string()?;
            self.skip_space();
            if self.peek() != Some(b':') {
                return Err(self.expected("\":\""));
            }
            self.position += 1;
            pairs.push((key, self.value(depth + 1)?));
            self.skip_space();
            match self.peek() {
                Some(b',') => self.position += 1,
                Some(b'}') => break,
                _ => return Err(self.expected("\",\" or \"}\"")),
            }
        }
        self.position += 1;
        Ok(Jsonb::object(pairs))
    }

    fn array(&mut self, depth: usize) -> Result<Jsonb> {
        self.position += 1;
        let mut elements = Vec::new();
        self.skip_space();
        if self.peek() == Some(b']') {
            self.position += 1;
            return Ok(Jsonb::Array(elements));
        }
        loop {
            elements.push(self.value(depth + 1)?);
            self.skip_space();
            match self.peek() {
                Some(b',') => self.position += 1,
                Some(b']') => break,
                _ => return Err(self.expected("\",\" or \"]\"")),
            }
        }
        self.position += 1;
        Ok(Jsonb::Array(elements))
    }

    fn digits(&mut self) -> usize {
        let start = self.position;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.position += 1;
        }
        self.position - start
    }

    fn number(&mut self) -> Result<Jsonb> {
        let start = self.position;
        if self.peek() == Some(b'-') {
            self.position += 1;
        }
        let leading = self.peek();
        let whole = self.digits();
        let mut is_valid = whole > 0 && (leading != Some(b'0') || whole == 1);
        if self.peek() == Some(b'.') {
            self.position += 1;
            is_valid &= self.digits() > 0;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.position += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.position += 1;
            }
            is_valid &= self.digits() > 0;
        }
        is_valid &= !self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_valid {
            let rest = &self.text[start..];
            let len = rest.find([' ', ',', ']', '}', '\n', '\t', '\r', ':']).unwrap_or(rest.len());
            return Err(self.error(format!("Token \"{}\" is invalid.", &rest[..len])));
        }
        self.text[start..self.position].parse().map(Jsonb::Number)
    }

    fn string(&mut self) -> Result<Arc<str>> {
        self.position += 1;
        let start = self.position;
        let mut built: Option<String> = None;
        let mut copied = start;
        loop {
            match self.peek() {
                None => {
                    let token = &self.text[start - 1..];
                    return Err(self.error(format!("Token \"{token}\" is invalid.")));
                }
                Some(b'"') => break,
                Some(b'\\') => {
                    let text = built.get_or_insert_default();
                    text.push_str(&self.text[copied..self.position]);
                    let c = self.escape()?;
                    built.get_or_insert_default().push(c);
                    copied = self.position;
                }
                Some(byte) if byte < 0x20 => {
                    let detail = format!("Character with value 0x{byte:02x} must be escaped.");
                    return Err(self.error(detail));
                }
                Some(_) => self.position += 1,
            }
        }
        let tail = &self.text[copied..self.position];
        self.position += 1;
        Ok(match built {
            None => tail.into(),
            Some(mut text) => {
                text.push_str(tail);
                text.into()
            }
        })
    }

    fn escape(&mut self) -> Result<char> {
        self.position += 1;
        let Some(c) = self.text[self.position..].chars().next() else {
            return Err(self.invalid_token());
        };
        self.position += c.len_utf8();
        Ok(match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.unicode_escape(),
            c => return Err(self.error(format!("Escape sequence \"\\{c}\" is invalid."))),
        })
    }

    fn hex(&mut self) -> Result<u32> {
        let digits = self.text.get(self.position..self.position + 4);
        let valid = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let value =
            valid.and_then(|digits| u32::from_str_radix(digits, 16).ok()).ok_or_else(|| {
                self.error("\"\\u\" must be followed by four hexadecimal digits.".to_owned())
            })?;
        self.position += 4;
        Ok(value)
    }

    fn unicode_escape(&mut self) -> Result<char> {
        let first = self.hex()?;
        let code = match first {
            0 => {
                let message = "unsupported Unicode escape sequence";
                return Err(Error::new(SqlState("22P05"), message)
                    .with_detail("\\u0000 cannot be converted to text."));
            }
            0xD800..=0xDBFF => {
                let low_first =
                    || "Unicode high surrogate must not follow a high surrogate.".to_owned();
                if self.text.get(self.position..self.position + 2) != Some("\\u") {
                    let detail = "Unicode low surrogate must follow a high surrogate.";
                    return Err(self.error(detail.to_owned()));
                }
                self.position += 2;
                match self.hex()? {
                    low @ 0xDC00..=0xDFFF => 0x10000 + ((first - 0xD800) << 10) + (low - 0xDC00),
                    _ => return Err(self.error(low_first())),
                }
            }
            code => code,
        };
        char::from_u32(code).ok_or_else(|| {
            self.error("Unicode low surrogate must follow a high surrogate.".to_owned())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_read() {
        for (text, shown) in [
            (r#" {"a" : [1, 2.50, -3e2], "b":null} "#, r#"{"a": [1, 2.50, -300], "b": null}"#),
            (r#""\u00e9\n\ud83d\ude00""#, "\"é\\n😀\""),
            ("[]", "[]"),
            ("true", "true"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in
            ["", "{", "[1,]", "{\"a\"}", "01", "1.", "nul", "\"a", "\"\\x\"", "[1] 2", "'a'"]
        {
            let error = parse(text).unwrap_err();
            assert_eq!(error.state(), SqlState::INVALID_TEXT_REPRESENTATION, "{text}");
        }
        let deep = "[".repeat(100_000);
        assert!(parse(&deep).is_err());
    }
}
