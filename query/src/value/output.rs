//! Values as text, as Postgres' output functions print them.

use std::fmt::Write;

use super::datetime::format;
use super::{Array, OutputStyle, Range, Type, Value, opaque};
use crate::catalog::Catalog;
use crate::catalog::temporary::is_temporary;

/// The text of a value; of NULL, nothing. Names of catalog objects (`regclass`) print as numbers
/// when the style has no catalog.
pub fn to_text(value: &Value, ty: &Type, style: &OutputStyle) -> String {
    to_text_in(value, ty, style, style.catalog.as_deref())
}

/// As [`to_text`], with a catalog that knows the names of objects and the fields of rows.
pub fn to_text_in(
    value: &Value,
    ty: &Type,
    style: &OutputStyle,
    catalog: Option<&Catalog>,
) -> String {
    match value {
        Value::Text(text) | Value::Padded(text) => text.to_string(),
        _ => {
            let mut out = String::new();
            Printer { style, catalog }.write(&mut out, value, ty);
            out
        }
    }
}

/// Appends the text of a value to `out`.
pub fn write_text(out: &mut String, value: &Value, ty: &Type, style: &OutputStyle) {
    Printer { style, catalog: style.catalog.as_deref() }.write(out, value, ty);
}

struct Printer<'a> {
    style: &'a OutputStyle,
    catalog: Option<&'a Catalog>,
}

impl Printer<'_> {
    fn write(&self, out: &mut String, value: &Value, ty: &Type) {
        // Writing to a string cannot fail.
        let _ = match value {
            Value::Null => return,
            Value::Bool(value) => write!(out, "{}", if *value { 't' } else { 'f' }),
            Value::Int2(value) => write!(out, "{value}"),
            Value::Int4(value) => write!(out, "{value}"),
            Value::Int8(value) => write!(out, "{value}"),
            Value::Oid(oid) => return out.push_str(&self.object_name(*oid, ty)),
            Value::Float4(value) => return write_f32(out, *value, self.style),
            Value::Float8(value) => return write_f64(out, *value, self.style),
            Value::Numeric(number) => write!(out, "{number}"),
            Value::Text(text) | Value::Padded(text) => return out.push_str(text),
            Value::Enum(label) => return out.push_str(&label.label),
            Value::Bytea(bytes) => return self.write_bytes(out, bytes),
            Value::Date(days) => return format::write_date(out, *days),
            Value::Time(micros) => return format::write_time(out, *micros),
            Value::TimeTz(micros, west) => return format::write_timetz(out, *micros, *west),
            Value::Timestamp(micros) => return format::write_timestamp(out, *micros, ' '),
            Value::TimestampTz(micros) => {
                return format::write_timestamptz(out, *micros, &self.style.time_zone, ' ');
            }
            Value::Interval(interval) => return format::write_interval(out, interval),
            Value::Uuid(bytes) => return write_uuid(out, bytes),
            Value::Jsonb(document) => write!(out, "{document}"),
            Value::Array(array) => return self.write_array(out, array, ty),
            Value::Range(range) => return self.write_range(out, range),
            Value::Record(fields) => return self.write_record(out, fields, ty),
            Value::RowKey(key) => return self.write_bytes(out, key),
            Value::TsVector(_) | Value::TsQuery(_) | Value::Geometry(_) | Value::Box(_) => {
                return opaque::write(out, value, ty);
            }
        };
    }

    fn write_bytes(&self, out: &mut String, bytes: &[u8]) {
        if self.style.is_bytea_escape {
            return out.push_str(&escape_bytes(bytes));
        }
        out.push_str("\\x");
        write_hex(out, bytes);
    }

    /// `1 2`
    fn write_vector(&self, out: &mut String, array: &Array, element: &Type) {
        for (position, value) in array.elements.iter().enumerate() {
            if position > 0 {
                out.push(' ');
            }
            self.write(out, value, element);
        }
    }

    fn write_array(&self, out: &mut String, array: &Array, ty: &Type) {
        if let (true, Some(element)) = (ty.is_vector(), ty.element()) {
            return self.write_vector(out, array, element);
        }
        if array.elements.is_empty() {
            return out.push_str("{}");
        }
        if array.dimensions.iter().any(|(_, lower)| *lower != 1) {
            for (len, lower) in &array.dimensions {
                let _ = write!(out, "[{lower}:{}]", i64::from(*lower) + *len as i64 - 1);
            }
            out.push('=');
        }
        let element = ty.element().unwrap_or(&array.element);
        let mut elements = array.elements.iter();
        self.write_dimension(out, &array.dimensions, &mut elements, element);
    }

    fn write_dimension<'v>(
        &self,
        out: &mut String,
        dimensions: &[(usize, i32)],
        elements: &mut impl Iterator<Item = &'v Value>,
        ty: &Type,
    ) {
        let Some(((len, _), inner)) = dimensions.split_first() else {
            match elements.next() {
                None | Some(Value::Null) => out.push_str("NULL"),
                Some(value) => {
                    let mut text = String::new();
                    self.write(&mut text, value, ty);
                    push_array_element(out, &text, delimiter(ty));
                }
            }
            return;
        };
        out.push('{');
        for position in 0..*len {
            if position > 0 {
                out.push(delimiter(ty));
            }
            self.write_dimension(out, inner, elements, ty);
        }
        out.push('}');
    }

    fn write_range(&self, out: &mut String, range: &Range) {
        if range.is_empty {
            return out.push_str("empty");
        }
        out.push(if range.lower.1 { '[' } else { '(' });
        self.write_bound(out, &range.lower.0, &range.element);
        out.push(',');
        self.write_bound(out, &range.upper.0, &range.element);
        out.push(if range.upper.1 { ']' } else { ')' });
    }

    fn write_bound(&self, out: &mut String, bound: &Value, ty: &Type) {
        let mut text = String::new();
        self.write(&mut text, bound, ty);
        push_record_field(out, &text, !bound.is_null());
    }

    fn write_record(&self, out: &mut String, fields: &[Value], ty: &Type) {
        let types = self.field_types(ty);
        out.push('(');
        for (position, field) in fields.iter().enumerate() {
            if position > 0 {
                out.push(',');
            }
            let mut text = String::new();
            match types.get(position) {
                Some(ty) => self.write(&mut text, field, ty),
                None => self.write(&mut text, field, &field.natural_type()),
            }
            push_record_field(out, &text, !field.is_null());
        }
        out.push(')');
    }

    fn field_types(&self, ty: &Type) -> Vec<Type> {
        let Type::Row(oid) = ty else { return Vec::new() };
        let fields = self.catalog.and_then(|catalog| catalog.row_fields(*oid));
        fields.unwrap_or_default().into_iter().map(|(_, ty)| ty.base).collect()
    }

    /// How an OID prints: the name of its object, when the type says what it is and the catalog
    /// knows it.
    fn object_name(&self, oid: u32, ty: &Type) -> String {
        let name = match ty {
            Type::RegClass | Type::RegProc | Type::RegType | Type::RegConfig if oid == 0 => {
                Some("-".to_owned())
            }
            Type::RegType => Some(self.type_name(oid)),
            Type::RegClass => self.catalog.and_then(|catalog| relation_name(catalog, oid)),
            Type::RegProc => {
                let mut functions = crate::system::listed().iter();
                functions.find(|function| function.oid == oid).map(|found| found.name.to_owned())
            }
            Type::RegNamespace => self.catalog.and_then(|catalog| {
                let mut schemas = catalog.schemas.values();
                schemas.find(|schema| schema.oid == oid).map(|schema| schema.name.clone())
            }),
            _ => None,
        };
        name.unwrap_or_else(|| oid.to_string())
    }

    fn type_name(&self, oid: u32) -> String {
        if let Some(ty) = Type::from_oid(oid) {
            // Without its length it is `character` here.
            return ty.name().replace("bpchar", "character");
        }
        let types = self.catalog.into_iter().flat_map(|catalog| catalog.types.values());
        let name = types.into_iter().find_map(|ty| match oid {
            _ if ty.oid == oid => Some(ty.name.clone()),
            _ if ty.array_oid == oid => Some(format!("{}[]", ty.name)),
            _ => None,
        });
        name.unwrap_or_else(|| oid.to_string())
    }
}

/// The name of a relation, with its schema when that is not `public` or `pg_catalog`.
pub fn relation_name(catalog: &Catalog, oid: u32) -> Option<String> {
    let (schema, name) = catalog.relation_name(oid).or_else(|| {
        let system = crate::system::by_oid(oid)?;
        Some((crate::system::schema_name(system.schema), system.name))
    })?;
    let name = quote_name(name);
    Some(match schema {
        "public" | "pg_catalog" => name,
        schema if is_temporary(schema) => name,
        schema => format!("{}.{name}", quote_name(schema)),
    })
}

/// A name in quotes when it needs them.
fn quote_name(name: &str) -> String {
    let is_plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty();
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// Boxes contain commas, so their arrays are separated by semicolons in Postgres; PostGIS' are not.
fn delimiter(_element: &Type) -> char {
    ','
}

fn push_array_element(out: &mut String, text: &str, delimiter: char) {
    let is_special = |c: char| {
        c == delimiter
            || matches!(c, '{' | '}' | '"' | '\\')
            || c.is_ascii_whitespace()
            || c == '\u{b}'
    };
    if !text.is_empty() && !text.contains(is_special) && !text.eq_ignore_ascii_case("null") {
        return out.push_str(text);
    }
    out.push('"');
    for c in text.chars() {
        if c == '"' || c == '\\' {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

fn push_record_field(out: &mut String, text: &str, is_present: bool) {
    let is_special = |c: char| {
        matches!(c, '(' | ')' | '[' | ']' | ',' | '"' | '\\')
            || c.is_ascii_whitespace()
            || c == '\u{b}'
    };
    let needs_quotes = (is_present && text.is_empty()) || text.contains(is_special);
    if !needs_quotes {
        return out.push_str(text);
    }
    out.push('"');
    for c in text.chars() {
        if c == '"' || c == '\\' {
            out.push(c);
        }
        out.push(c);
    }
    out.push('"');
}

/// Writes bytes as lower-case hexadecimal digits.
pub fn write_hex(out: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

/// `bytea` in the traditional notation: bytes that do not print as `\ooo`.
pub fn escape_bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'\\' => out.push_str("\\\\"),
            0x20..=0x7E => out.push(char::from(*byte)),
            _ => {
                let _ = write!(out, "\\{byte:03o}");
            }
        }
    }
    out
}

fn write_uuid(out: &mut String, bytes: &[u8; 16]) {
    for (position, byte) in bytes.iter().enumerate() {
        if matches!(position, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        write_hex(out, &[*byte]);
    }
}

/// Writes a `double precision`: the fewest digits that give it back.
pub fn write_f64(out: &mut String, value: f64, style: &OutputStyle) {
    if write_special(out, value) {
        return;
    }
    if style.extra_float_digits > 0 {
        return write_shortest(out, &format!("{value:e}"), 15);
    }
    let significant = (15 + style.extra_float_digits).max(1) as usize;
    write_rounded(out, &format!("{value:.*e}", significant - 1), significant as i32);
}

/// Writes a `real`: the fewest digits that give it back.
pub fn write_f32(out: &mut String, value: f32, style: &OutputStyle) {
    if write_special(out, f64::from(value)) {
        return;
    }
    if style.extra_float_digits > 0 {
        return write_shortest(out, &format!("{value:e}"), 6);
    }
    let significant = (6 + style.extra_float_digits).max(1) as usize;
    write_rounded(out, &format!("{value:.*e}", significant - 1), significant as i32);
}

fn write_special(out: &mut String, value: f64) -> bool {
    let text = match value {
        _ if value.is_nan() => "NaN",
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ => return false,
    };
    out.push_str(text);
    true
}

/// As C's `%g`: zeros at the end of the digits are dropped.
fn write_rounded(out: &mut String, scientific: &str, threshold: i32) {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let mantissa = match mantissa.contains('.') {
        true => mantissa.trim_end_matches('0').trim_end_matches('.'),
        false => mantissa,
    };
    write_shortest(out, &format!("{mantissa}e{exponent}"), threshold);
}

/// Turns `d.ddde±x` into what Postgres prints: plain between 1e-4 and 10^threshold.
fn write_shortest(out: &mut String, scientific: &str, threshold: i32) {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => ("-", mantissa),
        None => ("", mantissa),
    };
    out.push_str(sign);
    if exponent < -4 || exponent >= threshold {
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(out, "{mantissa}e{sign}{:02}", exponent.abs());
        return;
    }
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    if exponent < 0 {
        out.push_str("0.");
        out.extend(std::iter::repeat_n('0', (-exponent - 1) as usize));
        return out.push_str(&digits);
    }
    let whole = exponent as usize + 1;
    match digits.split_at_checked(whole) {
        Some((whole, "")) => out.push_str(whole),
        Some((whole, fraction)) => {
            let _ = write!(out, "{whole}.{fraction}");
        }
        None => {
            out.push_str(&digits);
            out.extend(std::iter::repeat_n('0', whole - digits.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &Value) -> String {
        to_text(value, &value.natural_type(), &OutputStyle::default())
    }

    #[test]
    fn floats_are_shortest() {
        for (value, shown) in [
            (1e20, "1e+20"),
            (1e15, "1e+15"),
            (123_456_789_012_345.0, "123456789012345"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (0.1 + 0.2, "0.30000000000000004"),
            (-1.5, "-1.5"),
            (1e300, "1e+300"),
            (100.0, "100"),
            (-0.0, "-0"),
        ] {
            assert_eq!(text(&Value::Float8(value)), shown);
        }
        assert_eq!(text(&Value::Float4(1.1)), "1.1");
        assert_eq!(text(&Value::Float4(1_234_567.0)), "1.234567e+06");
        let style = OutputStyle { extra_float_digits: 0, ..OutputStyle::default() };
        assert_eq!(to_text(&Value::Float8(0.1 + 0.2), &Type::Float8, &style), "0.3");
    }

    #[test]
    fn arrays_quote_what_needs_it() {
        let texts = ["a", "b c", "", "null", "x\"y", "1,2"];
        let values = texts.iter().map(|t| Value::text(*t)).chain([Value::Null]).collect();
        let array = Value::array(Type::Text, values);
        assert_eq!(text(&array), r#"{a,"b c","","null","x\"y","1,2",NULL}"#);
    }

    #[test]
    fn records_quote_what_needs_it() {
        let fields = [Value::Int4(1), Value::Null, Value::text(""), Value::text("a,\"b")];
        assert_eq!(text(&Value::Record(fields.into())), r#"(1,,"","a,""b")"#);
    }

    #[test]
    fn bytes_are_hexadecimal_or_escaped() {
        assert_eq!(text(&Value::bytea([1_u8, 0xAB].as_slice())), "\\x01ab");
        assert_eq!(escape_bytes(b"a\\\x01"), "a\\\\\\001");
    }
}
