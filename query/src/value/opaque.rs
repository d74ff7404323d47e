//! Values whose insides belong to other rooms: shapes, `tsvector`, `tsquery`.
//!
//! Here they are the bytes that their rooms make of them.

use std::cmp::Ordering;

use super::Value;

/// The stored form of such a value; empty for others.
pub(super) fn bytes(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    encode(value, &mut out);
    out
}

/// Appends the stored form.
pub(super) fn encode(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Geometry(geometry) => out.extend(format!("{geometry:?}").bytes()),
        Value::TsVector(vector) => out.extend_from_slice(vector.encoded()),
        Value::TsQuery(query) => out.extend_from_slice(query.to_string().as_bytes()),
        _ => {}
    }
}

/// The order of stored forms.
pub(super) fn compare(left: &Value, right: &Value) -> Ordering {
    bytes(left).cmp(&bytes(right))
}

/// Roughly how many bytes it occupies.
pub(super) fn memory_len(value: &Value) -> usize {
    32 + bytes(value).len()
}

/// The modifier of `geometry(…)` and `geography(…)`.
pub(super) fn parse_modifier(_args: &[&str], _is_geography: bool) -> crate::error::Result<i32> {
    Err(crate::error::Error::unsupported("a modifier of a spatial type"))
}

/// How such a modifier prints.
pub(super) fn format_modifier(modifier: i32) -> String {
    if modifier < 0 { String::new() } else { format!("({modifier})") }
}
