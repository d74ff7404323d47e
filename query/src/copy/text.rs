//! The text format: one line per row, columns between tabs, backslashes for what is special.

use super::format::Format;

/// The length of the first line in `data` and of its end, if it is whole. A backslash takes the
/// next byte with it, even a newline.
pub(super) fn line_len(data: &[u8], searched: &mut usize) -> Option<(usize, usize)> {
    let mut at = *searched;
    while let Some(found) = data.get(at..).and_then(|rest| memchr2(b'\\', b'\n', rest)) {
        at += found;
        if data.get(at) == Some(&b'\\') {
            if at + 1 >= data.len() {
                break;
            }
            at += 2;
            continue;
        }
        *searched = 0;
        let has_return = at > 0 && data.get(at - 1) == Some(&b'\r');
        return Some(if has_return { (at - 1, 2) } else { (at, 1) });
    }
    *searched = at.min(data.len());
    None
}

fn memchr2(a: u8, b: u8, data: &[u8]) -> Option<usize> {
    data.iter().position(|&byte| byte == a || byte == b)
}

/// The fields of a line; `None` is NULL.
pub(super) fn split(line: &[u8], format: &Format) -> Vec<Option<Vec<u8>>> {
    let mut fields = Vec::new();
    let mut start = 0;
    let mut at = 0;
    loop {
        match line.get(at) {
            Some(b'\\') => at += 2,
            Some(&byte) if byte != format.delimiter => at += 1,
            end => {
                let raw = line.get(start..at.min(line.len())).unwrap_or_default();
                let is_null = raw == format.null.as_bytes();
                fields.push((!is_null).then(|| unescape(raw)));
                if end.is_none() {
                    return fields;
                }
                at += 1;
                start = at;
            }
        }
    }
}

fn unescape(raw: &[u8]) -> Vec<u8> {
    let mut field = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            field.push(byte);
            continue;
        }
        let Some(escaped) = bytes.next() else {
            field.push(b'\\');
            break;
        };
        field.push(match escaped {
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 0x0b,
            b'0'..=b'7' => {
                let mut value = escaped - b'0';
                for _ in 0..2 {
                    let Some(digit) = bytes.next_if(|byte| (b'0'..=b'7').contains(byte)) else {
                        break;
                    };
                    value = value.wrapping_mul(8).wrapping_add(digit - b'0');
                }
                value
            }
            b'x' => hex(&mut bytes).unwrap_or(b'x'),
            other => other,
        });
    }
    field
}

fn hex(bytes: &mut std::iter::Peekable<impl Iterator<Item = u8>>) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let first = digit(bytes.next_if(u8::is_ascii_hexdigit)?)?;
    match bytes.next_if(u8::is_ascii_hexdigit).and_then(digit) {
        Some(second) => Some(first * 16 + second),
        None => Some(first),
    }
}

/// Writes one field.
pub(super) fn write_field(field: &str, format: &Format, out: &mut Vec<u8>) {
    for &byte in field.as_bytes() {
        let escaped = match byte {
            b'\\' => b'\\',
            0x08 => b'b',
            0x0c => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x0b => b'v',
            byte if byte == format.delimiter => byte,
            byte => {
                out.push(byte);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', escaped]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bind::{CopyFormat, CopyOptions};

    fn format() -> Format {
        Format::new(&CopyOptions {
            format: CopyFormat::Text,
            delimiter: None,
            null: None,
            has_header: false,
            header_match: false,
            quote: None,
            escape: None,
            force_quote: Vec::new(),
            force_not_null: Vec::new(),
            force_null: Vec::new(),
        })
        .unwrap()
    }

    #[test]
    fn fields() {
        let split = |line: &str| split(line.as_bytes(), &format());
        assert_eq!(split("a\tb"), [Some(b"a".to_vec()), Some(b"b".to_vec())]);
        assert_eq!(split("\\N\t"), [None, Some(Vec::new())]);
        assert_eq!(split("a\\tb\\\\\\x41\\101"), [Some(b"a\tb\\AA".to_vec())]);
        assert_eq!(split("a\\"), [Some(b"a\\".to_vec())]);
    }

    #[test]
    fn lines() {
        let mut searched = 0;
        assert_eq!(line_len(b"ab\ncd", &mut searched), Some((2, 1)));
        assert_eq!(line_len(b"ab\r\ncd", &mut searched), Some((2, 2)));
        assert_eq!(line_len(b"a\\\nb\n", &mut searched), Some((4, 1)));
        assert_eq!(line_len(b"ab\\", &mut searched), None);
        assert_eq!(searched, 2);
        assert_eq!(line_len(b"ab\\n\n", &mut searched), Some((4, 1)));
    }

    #[test]
    fn round_trip() {
        let mut out = Vec::new();
        write_field("a\tb\\c\nd\re", &format(), &mut out);
        assert_eq!(split(&out, &format()), [Some(b"a\tb\\c\nd\re".to_vec())]);
    }
}
