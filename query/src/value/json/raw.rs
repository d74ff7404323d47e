//! `json` keeps its text: finding the parts of a document without changing them.

use crate::error::Result;

/// The members of an object, keys unescaped, in their order; `None` when it is no object.
///
/// # Errors
/// 22P02 when a key cannot be read.
pub fn members(text: &str) -> Result<Option<Vec<(String, &str)>>> {
    let Some(body) = inside(text, '{', '}') else { return Ok(None) };
    let mut found = Vec::new();
    for item in split(body, b',') {
        let parts = split(item, b':');
        let [key, _, ..] = parts.as_slice() else { continue };
        let value = item[key.len() + 1..].trim();
        let key = super::parse(key.trim())?.to_text().unwrap_or_default();
        found.push((key, value));
    }
    Ok(Some(found))
}

/// The elements of an array; `None` when it is no array.
pub fn elements(text: &str) -> Option<Vec<&str>> {
    let body = inside(text, '[', ']')?;
    Some(split(body, b',').into_iter().map(str::trim).collect())
}

fn inside(text: &str, open: char, close: char) -> Option<&str> {
    text.trim().strip_prefix(open)?.strip_suffix(close)
}

/// Splits at a delimiter that is neither quoted nor nested; nothing but space is no item.
fn split(text: &str, delimiter: u8) -> Vec<&str> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    let (mut depth, mut is_quoted, mut is_escaped, mut start) = (0_usize, false, false, 0);
    let mut items = Vec::new();
    for (position, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            byte if byte == delimiter && depth == 0 => {
                items.push(&text[start..position]);
                start = position + 1;
            }
            _ => {}
        }
    }
    items.push(&text[start..]);
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_keep_their_text() {
        let text = r#" { "a" : {"b":1,"c":[2,3]} , "x\"y":"p,q" } "#;
        let members = members(text).unwrap().unwrap();
        assert_eq!(members[0], ("a".to_owned(), r#"{"b":1,"c":[2,3]}"#));
        assert_eq!(members[1], ("x\"y".to_owned(), r#""p,q""#));
        assert_eq!(elements("[1, [2,3] ,\"]\"]").unwrap(), ["1", "[2,3]", "\"]\""]);
        assert!(elements("[]").unwrap().is_empty());
        assert!(elements("{}").is_none());
    }
}
