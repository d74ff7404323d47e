//! The CSV format: fields between commas, in quotes when they hold something special.

use super::format::Format;
use crate::error::{Error, Result, SqlState};

/// A field of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// What it says.
    pub(super) text: Vec<u8>,
    /// Whether any of it stood in quotes: then it is not NULL.
    pub(super) is_quoted: bool,
}

/// Where the search for the end of a record has come to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Search {
    at: usize,
    is_quoted: bool,
    is_escaped: bool,
}

/// The length of the first record in `data` and of its end, if it is whole. Newlines inside
/// quotes belong to the record.
pub(super) fn record_len(
    data: &[u8],
    search: &mut Search,
    format: &Format,
) -> Option<(usize, usize)> {
    for (offset, &byte) in data.get(search.at..).unwrap_or_default().iter().enumerate() {
        if search.is_escaped {
            search.is_escaped = false;
        } else if search.is_quoted && byte == format.escape && format.escape != format.quote {
            search.is_escaped = true;
        } else if byte == format.quote {
            search.is_quoted = !search.is_quoted;
        } else if byte == b'\n' && !search.is_quoted {
            let end = search.at + offset;
            *search = Search::default();
            let has_return = end > 0 && data.get(end - 1) == Some(&b'\r');
            return Some(if has_return { (end - 1, 2) } else { (end, 1) });
        }
    }
    search.at = data.len();
    None
}

/// The fields of a record.
///
/// # Errors
/// 22P04 for a quote without its end.
pub(super) fn split(record: &[u8], format: &Format) -> Result<Vec<Field>> {
    let mut fields = Vec::new();
    let mut field = Field { text: Vec::new(), is_quoted: false };
    let mut in_quotes = false;
    let mut bytes = record.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if in_quotes {
            let next_is_special =
                bytes.peek().is_some_and(|&next| next == format.quote || next == format.escape);
            if byte == format.escape && next_is_special {
                field.text.extend(bytes.next());
            } else if byte == format.quote {
                in_quotes = false;
            } else {
                field.text.push(byte);
            }
        } else if byte == format.quote {
            in_quotes = true;
            field.is_quoted = true;
        } else if byte == format.delimiter {
            let next = Field { text: Vec::new(), is_quoted: false };
            fields.push(std::mem::replace(&mut field, next));
        } else {
            field.text.push(byte);
        }
    }
    if in_quotes {
        return Err(Error::new(SqlState::BAD_COPY_FILE_FORMAT, "unterminated CSV quoted field"));
    }
    fields.push(field);
    Ok(fields)
}

/// Writes one field, in quotes when it must be.
pub(super) fn write_field(
    field: &str,
    format: &Format,
    is_forced: bool,
    is_alone: bool,
    out: &mut Vec<u8>,
) {
    let is_special = |byte: u8| {
        byte == format.delimiter || byte == format.quote || byte == b'\n' || byte == b'\r'
    };
    let needs_quotes = is_forced
        || field == format.null
        || (is_alone && field == "\\.")
        || field.bytes().any(is_special);
    if !needs_quotes {
        out.extend_from_slice(field.as_bytes());
        return;
    }
    out.push(format.quote);
    for byte in field.bytes() {
        if byte == format.quote || byte == format.escape {
            out.push(format.escape);
        }
        out.push(byte);
    }
    out.push(format.quote);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bind::{CopyFormat, CopyOptions};

    fn format(escape: Option<char>) -> Format {
        Format::new(&CopyOptions {
            format: CopyFormat::Csv,
            delimiter: None,
            null: None,
            has_header: false,
            header_match: false,
            quote: None,
            escape,
            force_quote: Vec::new(),
            force_not_null: Vec::new(),
            force_null: Vec::new(),
        })
        .unwrap()
    }

    fn texts(record: &str, escape: Option<char>) -> Vec<(String, bool)> {
        let fields = split(record.as_bytes(), &format(escape)).unwrap();
        let text = |field: Field| (String::from_utf8(field.text).unwrap(), field.is_quoted);
        fields.into_iter().map(text).collect()
    }

    #[test]
    fn fields() {
        assert_eq!(
            texts("a,,\"\"", None),
            [("a".into(), false), (String::new(), false), (String::new(), true)]
        );
        assert_eq!(texts("\"a \"\"b\"\", c\"", None), [("a \"b\", c".into(), true)]);
        assert_eq!(texts("\"a \\\"b\\\\\"", Some('\\')), [("a \"b\\".into(), true)]);
        assert!(split(b"\"a", &format(None)).is_err());
    }

    #[test]
    fn records_span_lines() {
        let mut search = Search::default();
        let format = format(None);
        assert_eq!(record_len(b"\"a\n", &mut search, &format), None);
        assert_eq!(record_len(b"\"a\nb\",c\r\nd", &mut search, &format), Some((7, 2)));
        assert_eq!(record_len(b"d\n", &mut search, &format), Some((1, 1)));
    }

    #[test]
    fn written_fields_read_back() {
        let format = format(None);
        for text in ["plain", "a,b", "say \"x\"", "two\nlines", ""] {
            let mut out = Vec::new();
            write_field(text, &format, false, false, &mut out);
            let fields = split(&out, &format).unwrap();
            assert_eq!(fields[0].text, text.as_bytes());
            assert_eq!(fields[0].is_quoted, text != "plain", "{text}");
        }
    }
}
