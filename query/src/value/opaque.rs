//! Values whose insides belong to other rooms: shapes, `tsvector`, `tsquery`.
//!
//! Here they are the bytes that their rooms make of them.

use std::cmp::Ordering;
use std::sync::Arc;

use cairn_engine::Bytes;

use super::Value;
use crate::geo::Geometry;
use crate::text::{TsQuery, TsVector};

/// The stored form of such a value; empty for others.
pub(super) fn bytes(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    encode(value, &mut out);
    out
}

/// Appends the stored form.
pub(super) fn encode(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Geometry(geometry) => geometry.encode(out),
        Value::TsVector(vector) => out.extend_from_slice(vector.encoded()),
        Value::TsQuery(query) => out.extend_from_slice(query.to_string().as_bytes()),
        _ => {}
    }
}

/// The shape of a stored form.
pub(super) fn geometry(bytes: &[u8]) -> Option<Value> {
    Geometry::decode(bytes).ok().map(|geometry| Value::Geometry(Arc::new(geometry)))
}

/// The `tsvector` of a stored form.
pub(super) fn ts_vector(bytes: Bytes) -> Option<Value> {
    TsVector::decode(bytes).map(|vector| Value::TsVector(Arc::new(vector)))
}

/// The `tsquery` of a stored form.
pub(super) fn ts_query(bytes: &[u8]) -> Option<Value> {
    let query: TsQuery = std::str::from_utf8(bytes).ok()?.parse().ok()?;
    Some(Value::TsQuery(Arc::new(query)))
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
