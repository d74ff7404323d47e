//! Printing JSON as `jsonb` does, and as `jsonb_pretty` does.

use std::fmt::{self, Write};

use super::Jsonb;

/// Writes a string with its quotes, escaped as Postgres does.
///
/// # Errors
/// None of its own: those of the writer.
pub fn escape(out: &mut impl Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    let mut copied = 0;
    for (position, byte) in text.bytes().enumerate() {
        let short = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0C => "\\f",
            0..=0x1F => "",
            _ => continue,
        };
        out.write_str(&text[copied..position])?;
        if short.is_empty() {
            write!(out, "\\u{byte:04x}")?;
        } else {
            out.write_str(short)?;
        }
        copied = position + 1;
    }
    out.write_str(&text[copied..])?;
    out.write_char('"')
}

impl fmt::Display for Jsonb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::String(text) => escape(f, text),
            Self::Array(elements) => {
                f.write_char('[')?;
                for (position, element) in elements.iter().enumerate() {
                    f.write_str(if position == 0 { "" } else { ", " })?;
                    write!(f, "{element}")?;
                }
                f.write_char(']')
            }
            Self::Object(pairs) => {
                f.write_char('{')?;
                for (position, (key, value)) in pairs.iter().enumerate() {
                    f.write_str(if position == 0 { "" } else { ", " })?;
                    escape(f, key)?;
                    write!(f, ": {value}")?;
                }
                f.write_char('}')
            }
        }
    }
}

/// As `jsonb_pretty`: four spaces per level.
pub fn pretty(document: &Jsonb) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_pretty(&mut out, document, 0);
    out
}

fn write_pretty(out: &mut String, document: &Jsonb, depth: usize) -> fmt::Result {
    let (open, close, len) = match document {
        Jsonb::Array(elements) => ('[', ']', elements.len()),
        Jsonb::Object(pairs) => ('{', '}', pairs.len()),
        scalar => return write!(out, "{scalar}"),
    };
    out.push(open);
    for position in 0..len {
        out.push_str(if position == 0 { "\n" } else { ",\n" });
        out.push_str(&" ".repeat(4 * (depth + 1)));
        match document {
            Jsonb::Object(pairs) => {
                escape(out, &pairs[position].0)?;
                out.push_str(": ");
                write_pretty(out, &pairs[position].1, depth + 1)?;
            }
            Jsonb::Array(elements) => write_pretty(out, &elements[position], depth + 1)?,
            _ => {}
        }
    }
    out.push('\n');
    out.push_str(&" ".repeat(4 * depth));
    out.push(close);
    Ok(())
}
