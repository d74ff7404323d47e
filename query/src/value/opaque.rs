//! Values whose insides belong to other rooms: shapes, boxes, `tsvector`, `tsquery`.
//!
//! Here they are the bytes and texts that their rooms make of them.

use std::cmp::Ordering;
use std::sync::Arc;

use cairn_engine::Bytes;

use super::{Type, Value};
use crate::error::{Error, Result};
use crate::geo::{Box2d, ByteOrder, Geometry};
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
    match value {
        Value::Geometry(geometry) => geometry.memory_len(),
        other => 32 + bytes(other).len(),
    }
}

/// Writes the text form.
pub(super) fn write(out: &mut String, value: &Value, ty: &Type) {
    match value {
        Value::Geometry(geometry) => out.push_str(&geometry.to_hex_ewkb(ByteOrder::Little)),
        Value::TsVector(vector) => out.push_str(&vector.to_string()),
        Value::TsQuery(query) => out.push_str(&query.to_string()),
        Value::Box(corners) if *ty == Type::Box3d => out.push_str(&box_of(corners).to_text_3d()),
        Value::Box(corners) => out.push_str(&box_of(corners).to_text()),
        _ => {}
    }
}

fn box_of(corners: &[f64; 6]) -> Box2d {
    Box2d { min: [corners[0], corners[1]], max: [corners[3], corners[4]] }
}

/// Reads the text form.
///
/// # Errors
/// XX000 and 22P02 as PostGIS.
pub(super) fn parse(text: &str, ty: &Type) -> Result<Value> {
    Ok(match ty {
        Type::Geometry => Value::Geometry(Arc::new(Geometry::parse(text)?)),
        Type::Geography => {
            let geometry = Geometry::parse(text)?;
            Value::Geometry(Arc::new(crate::geo::to_geography(&geometry)?))
        }
        Type::TsVector => Value::TsVector(Arc::new(text.parse()?)),
        Type::TsQuery => Value::TsQuery(Arc::new(text.parse()?)),
        Type::Box2d | Type::Box3d => {
            let parsed = Box2d::parse(text).ok_or_else(|| {
                Error::internal(format!("{} parser - doesn't start with BOX(", ty.name()))
            })?;
            let ([x1, y1], [x2, y2]) = (parsed.min, parsed.max);
            Value::Box(Arc::new([x1, y1, 0.0, x2, y2, 0.0]))
        }
        _ => return Err(Error::internal(format!("{} is not read here", ty.name()))),
    })
}
