//! Reading arrays, ranges and rows: notations that hold other values.

use std::sync::Arc;

use super::array::DIMENSIONS_MAX;
use super::input::{InputContext, parse};
use super::{Array, Range, Type, Value};
use crate::error::{Error, Result, SqlState};

/// One item between delimiters: its text, and whether it was quoted (and so cannot be NULL).
type Item = (String, bool);

struct Scanner<'a> {
    rest: &'a str,
}

impl Scanner<'_> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn take(&mut self, expected: char) -> bool {
        match self.rest.strip_prefix(expected) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Reads up to one of `ends`, undoing quotes and backslashes. `None`: a quote stays open.
    fn item(&mut self, ends: &[char], is_doubled_quote: bool) -> Option<Item> {
        let mut text = String::new();
        let mut was_quoted = false;
        // Blanks behind what was quoted belong to nothing.
        let mut kept_len = 0;
        let mut is_open = false;
        let mut chars = self.rest.char_indices().peekable();
        let mut end = self.rest.len();
        while let Some((position, c)) = chars.next() {
            match c {
                '\\' => {
                    text.push(chars.next()?.1);
                    kept_len = text.len();
                }
                '"' if is_open && is_doubled_quote && chars.peek().is_some_and(|n| n.1 == '"') => {
                    chars.next();
                    text.push('"');
                }
                '"' => {
                    is_open = !is_open;
                    was_quoted = true;
                    kept_len = text.len();
                }
                c if !is_open && ends.contains(&c) => {
                    end = position;
                    break;
                }
                c => text.push(c),
            }
        }
        self.rest = &self.rest[end..];
        if was_quoted {
            let rest_len = text.get(kept_len..).map_or(0, |rest| rest.trim_end().len());
            text.truncate(kept_len + rest_len);
        }
        (!is_open).then_some((text, was_quoted))
    }
}

fn malformed(what: &str, text: &str, detail: &str) -> Error {
    let message = format!("malformed {what} literal: \"{text}\"");
    let error = Error::new(SqlState::INVALID_TEXT_REPRESENTATION, message);
    if detail.is_empty() { error } else { error.with_detail(detail) }
}

struct ArrayReader<'a> {
    text: &'a str,
    scanner: Scanner<'a>,
    element: &'a Type,
    cx: InputContext<'a>,
    /// Lengths found so far, outermost first.
    lens: Vec<Option<usize>>,
    elements: Vec<Value>,
}

/// Reads `{1,2}`, `{{1,2},{3,4}}`, `[0:1]={a,b}`.
///
/// # Errors
/// 22P02, 2202E; whatever reading the elements meets.
pub(super) fn parse_array(text: &str, element: &Type, cx: InputContext<'_>) -> Result<Value> {
    let mut scanner = Scanner { rest: text };
    scanner.skip_space();
    let declared = parse_dimensions(&mut scanner, text)?;
    scanner.skip_space();
    if scanner.peek() != Some('{') {
        let detail = "Array value must start with \"{\" or dimension information.";
        return Err(malformed("array", text, detail));
    }
    let mut reader =
        ArrayReader { text, scanner, element, cx, lens: Vec::new(), elements: Vec::new() };
    reader.dimension(0)?;
    reader.scanner.skip_space();
    if !reader.scanner.rest.is_empty() {
        return Err(malformed("array", text, "Junk after closing right brace."));
    }
    reader.finish(declared)
}

fn parse_dimensions(scanner: &mut Scanner<'_>, text: &str) -> Result<Vec<(usize, i32)>> {
    let mut dimensions = Vec::new();
    while scanner.take('[') {
        let bad = || malformed("array", text, "Missing array dimension value.");
        let end = scanner.rest.find(']').ok_or_else(bad)?;
        let (lower, upper) = match scanner.rest[..end].split_once(':') {
            Some((lower, upper)) => (lower.trim(), upper.trim()),
            None => ("1", scanner.rest[..end].trim()),
        };
        let lower: i32 = lower.parse().map_err(|_| bad())?;
        let upper: i32 = upper.parse().map_err(|_| bad())?;
        scanner.rest = &scanner.rest[end + 1..];
        let len = i64::from(upper) - i64::from(lower) + 1;
        let len = usize::try_from(len).map_err(|_| {
            Error::new(SqlState("2202E"), "upper bound cannot be less than lower bound")
        })?;
        dimensions.push((len, lower));
    }
    if !dimensions.is_empty() {
        scanner.skip_space();
        if !scanner.take('=') {
            return Err(malformed("array", text, "Missing \"=\" after array dimensions."));
        }
    }
    Ok(dimensions)
}

impl ArrayReader<'_> {
    fn ragged(&self) -> Error {
        let detail = "Multidimensional arrays must have sub-arrays with matching dimensions.";
        malformed("array", self.text, detail)
    }

    fn unexpected(&self) -> Error {
        match self.scanner.peek() {
            None => malformed("array", self.text, "Unexpected end of input."),
            Some(c) => malformed("array", self.text, &format!("Unexpected \"{c}\" character.")),
        }
    }

    fn dimension(&mut self, depth: usize) -> Result<()> {
        if depth >= DIMENSIONS_MAX {
            let message = format!(
                "number of array dimensions ({}) exceeds the maximum allowed ({DIMENSIONS_MAX})",
                depth + 1
            );
            return Err(Error::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message));
        }
        self.scanner.take('{');
        if self.lens.len() == depth {
            if !self.elements.is_empty() {
                return Err(self.ragged());
            }
            self.lens.push(None);
        }
        let mut len = 0;
        self.scanner.skip_space();
        if !self.scanner.take('}') {
            loop {
                self.scanner.skip_space();
                self.member(depth)?;
                len += 1;
                self.scanner.skip_space();
                if self.scanner.take('}') {
                    break;
                }
                if !self.scanner.take(',') {
                    return Err(self.unexpected());
                }
            }
        }
        match self.lens.get_mut(depth) {
            Some(known @ None) => *known = Some(len),
            Some(Some(known)) if *known == len => {}
            _ => return Err(self.ragged()),
        }
        Ok(())
    }

    fn member(&mut self, depth: usize) -> Result<()> {
        if self.scanner.peek() == Some('{') {
            return self.dimension(depth + 1);
        }
        if self.lens.len() > depth + 1 {
            return Err(self.ragged());
        }
        if matches!(self.scanner.peek(), None | Some(',' | '}')) {
            return Err(self.unexpected());
        }
        let item = self.scanner.item(&[',', '}', '{'], false);
        let (text, was_quoted) =
            item.ok_or_else(|| malformed("array", self.text, "Unexpected end of input."))?;
        let text = if was_quoted { text.as_str() } else { text.trim_end() };
        let value = if !was_quoted && text.eq_ignore_ascii_case("null") {
            Value::Null
        } else {
            parse(text, self.element, self.cx)?
        };
        self.elements.push(value);
        Ok(())
    }

    fn finish(self, declared: Vec<(usize, i32)>) -> Result<Value> {
        let lens: Vec<usize> = self.lens.iter().map(|len| len.unwrap_or(0)).collect();
        let element = self.element.clone();
        if self.elements.is_empty() {
            return Ok(Value::Array(Arc::new(Array::empty(element))));
        }
        let dimensions = if declared.is_empty() {
            lens.iter().map(|len| (*len, 1)).collect()
        } else if declared.iter().map(|dimension| dimension.0).eq(lens.iter().copied()) {
            declared
        } else {
            let detail = "Specified array dimensions do not match array contents.";
            return Err(malformed("array", self.text, detail));
        };
        Ok(Value::Array(Arc::new(Array { element, dimensions, elements: self.elements })))
    }
}

/// Reads `[1,5)`, `(,"x y"]`, `empty`.
///
/// # Errors
/// 22P02; whatever reading the bounds meets.
pub(super) fn parse_range(text: &str, element: &Type, cx: InputContext<'_>) -> Result<Value> {
    let trimmed = text.trim();
    if trimmed.eq_ignore_ascii_case("empty") {
        return Ok(Value::Range(Arc::new(Range::empty(element.clone()))));
    }
    let mut scanner = Scanner { rest: trimmed };
    let is_lower_inside = scanner.take('[');
    if !is_lower_inside && !scanner.take('(') {
        return Err(malformed("range", text, "Missing left parenthesis or bracket."));
    }
    let unexpected = || malformed("range", text, "Unexpected end of input.");
    let lower = scanner.item(&[',', ')', ']'], true).ok_or_else(unexpected)?;
    if !scanner.take(',') {
        return Err(malformed("range", text, "Missing comma after lower bound."));
    }
    let upper = scanner.item(&[',', ')', ']'], true).ok_or_else(unexpected)?;
    let is_upper_inside = scanner.take(']');
    if !is_upper_inside && !scanner.take(')') {
        let detail = match scanner.peek() {
            Some(',') => "Too many commas.",
            _ => "Unexpected end of input.",
        };
        return Err(malformed("range", text, detail));
    }
    if !scanner.rest.is_empty() {
        let detail = "Junk after right parenthesis or bracket.";
        return Err(malformed("range", text, detail));
    }
    let bound = |(text, was_quoted): Item| match text.as_str() {
        "" if !was_quoted => Ok(Value::Null),
        text => parse(text, element, cx),
    };
    let lower = (bound(lower)?, is_lower_inside);
    let upper = (bound(upper)?, is_upper_inside);
    Ok(Value::Range(Arc::new(Range::new(element.clone(), lower, upper)?)))
}

/// Reads `(1,"a b",)` as a row of a table or composite type.
///
/// # Errors
/// 22P02; whatever reading the fields meets.
pub(super) fn parse_row(text: &str, oid: u32, cx: InputContext<'_>) -> Result<Value> {
    let fields = cx.catalog.and_then(|catalog| catalog.row_fields(oid));
    let types =
        fields.ok_or_else(|| Error::internal(format!("type {oid} is not in the catalog")))?;
    let mut scanner = Scanner { rest: text.trim() };
    if !scanner.take('(') {
        return Err(malformed("record", text, "Missing left parenthesis."));
    }
    let mut fields = Vec::with_capacity(types.len());
    for (position, (_, ty)) in types.iter().enumerate() {
        if position > 0 && !scanner.take(',') {
            return Err(malformed("record", text, "Too few columns."));
        }
        let item = scanner.item(&[',', ')'], true);
        let (field, was_quoted) =
            item.ok_or_else(|| malformed("record", text, "Unexpected end of input."))?;
        let is_null = field.is_empty() && !was_quoted;
        fields.push(match is_null {
            true => Value::Null,
            false => crate::value::input::parse_as(&field, ty, cx)?,
        });
    }
    if scanner.peek() == Some(',') {
        return Err(malformed("record", text, "Too many columns."));
    }
    if !scanner.take(')') || !scanner.rest.is_empty() {
        return Err(malformed("record", text, "Junk after right parenthesis."));
    }
    Ok(Value::Record(fields.into()))
}

#[cfg(test)]
mod tests {
    use crate::expression::testing::facts;
    use crate::value::Type;
    use crate::value::input::from_text;
    use crate::value::output::to_text;

    fn read(text: &str, ty: &Type) -> String {
        let facts = facts();
        match from_text(text, &ty.clone().into(), &facts) {
            Ok(value) => to_text(&value, ty, &facts.output),
            Err(error) => error.state().0.to_owned(),
        }
    }

    #[test]
    fn arrays() {
        let texts = Type::Text.array();
        for (text, shown) in [
            ("{}", "{}"),
            ("{ a , \"b c\" , NULL }", "{a,\"b c\",NULL}"),
            ("{{a,b},{c,d}}", "{{a,b},{c,d}}"),
            ("[0:1]={a,b}", "[0:1]={a,b}"),
            ("{\"a\\\"b\",\\{}", "{\"a\\\"b\",\"{\"}"),
            ("{{a},{b,c}}", "22P02"),
            ("{a,{b}}", "22P02"),
            ("{a", "22P02"),
            ("a}", "22P02"),
            ("{a,}", "22P02"),
            ("{a}x", "22P02"),
            ("{{},{}}", "{}"),
        ] {
            assert_eq!(read(text, &texts), shown, "{text}");
        }
        assert_eq!(read("{1,x}", &Type::Int4.array()), "22P02");
    }

    #[test]
    fn ranges() {
        let ints = Type::Range(Type::Int4.into());
        for (text, shown) in [
            ("[1,5]", "[1,6)"),
            ("(,5)", "(,5)"),
            ("empty", "empty"),
            ("[3,3)", "empty"),
            ("[5,1]", "22000"),
            ("[1;5]", "22P02"),
            ("[1,5", "22P02"),
        ] {
            assert_eq!(read(text, &ints), shown, "{text}");
        }
        let times = Type::Range(Type::Timestamp.into());
        let text = "[\"2026-01-01 00:00:00\",)";
        assert_eq!(read("[2026-01-01, )", &times), "22007");
        assert_eq!(read("[2026-01-01,)", &times), text);
    }
}
