//! From bounds on key columns to a range of stored keys.

use cairn_engine::keyspace::successor;
use cairn_engine::{KeyRange, ObjectId, Space, keyspace};

use super::super::context::Context;
use super::entry::key_order;
use crate::catalog::{IndexDef, RowKeyDef, TableDef};
use crate::error::Result;
use crate::expression::Expr;
use crate::plan::KeyBounds;
use crate::value::{Value, key};

/// Where an ordered scan goes: an index, or the key that the table is stored by.
#[derive(Clone, Copy)]
pub(crate) struct KeySpace<'a> {
    pub table: &'a TableDef,
    pub index: Option<&'a IndexDef>,
}

/// Keys to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The one stored key that can satisfy the bounds.
    Point(Vec<u8>),
    /// All keys in a range.
    Range(KeyRange),
}

impl KeySpace<'_> {
    /// How many columns the key has.
    pub fn width(&self) -> usize {
        match (self.index, &self.table.row_key) {
            (Some(index), _) => index.keys.len(),
            (None, RowKeyDef::PrimaryKey { columns, .. }) => columns.len(),
            (None, RowKeyDef::Hidden) => 0,
        }
    }

    /// The prefix of all keys.
    pub fn prefix(&self) -> [u8; keyspace::PREFIX_LEN] {
        match self.index {
            Some(index) => keyspace::prefix(Space::Ordered, index.storage()),
            None => keyspace::prefix(Space::Row, self.table.storage()),
        }
    }

    fn order(&self, column: usize) -> key::Order {
        self.index.and_then(|index| index.keys.get(column)).map_or_else(key::Order::default, key_order)
    }

    fn is_unique(&self) -> bool {
        self.index.is_none_or(|index| index.is_unique)
    }

    /// The keys that can satisfy `bounds`; `None` when nothing can, because a bound is NULL.
    pub fn target(&self, bounds: &KeyBounds, cx: &Context<'_>) -> Result<Option<Target>> {
        let mut prefix = Vec::with_capacity(32);
        prefix.extend_from_slice(&self.prefix());
        for (column, expr) in bounds.equal.iter().enumerate() {
            let value = expr.eval(&cx.eval, &[])?;
            if value.is_null() {
                return Ok(None);
            }
            key::encode(&mut prefix, &value, self.order(column))?;
        }
        let column = bounds.equal.len();
        if bounds.lower.is_none() && bounds.upper.is_none() {
            let is_point = column > 0 && column == self.width() && self.is_unique();
            let target = if is_point { Target::Point(prefix) } else { Target::Range(KeyRange::prefix(&prefix)) };
            return Ok(Some(target));
        }
        let Some(lower) = bound(bounds.lower.as_ref(), cx)? else { return Ok(None) };
        let Some(upper) = bound(bounds.upper.as_ref(), cx)? else { return Ok(None) };
        range(&prefix, self.order(column), lower, upper).map(Target::Range).map(Some)
    }
}

/// One end of a range: its value and whether it lies inside.
type End = Option<(Value, bool)>;

/// The outer `None`: the bound is NULL, so nothing compares with it.
fn bound(bound: Option<&(Expr, bool)>, cx: &Context<'_>) -> Result<Option<End>> {
    let Some((expr, is_inclusive)) = bound else { return Ok(Some(None)) };
    let value = expr.eval(&cx.eval, &[])?;
    Ok(if value.is_null() { None } else { Some(Some((value, *is_inclusive))) })
}

/// The keys after `prefix` whose next column lies between two ends and is not NULL.
fn range(prefix: &[u8], order: key::Order, lower: End, upper: End) -> Result<KeyRange> {
    let (first, last) = if order.is_descending { (upper, lower) } else { (lower, upper) };
    let encode = |value: &Value| -> Result<Vec<u8>> {
        let mut bytes = prefix.to_vec();
        key::encode(&mut bytes, value, order)?;
        Ok(bytes)
    };
    let start = match &first {
        Some((value, true)) => encode(value)?,
        Some((value, false)) => after(&encode(value)?),
        None if order.nulls_first => after(&encode(&Value::Null)?),
        None => prefix.to_vec(),
    };
    let end = match &last {
        Some((value, true)) => successor(&encode(value)?),
        Some((value, false)) => Some(encode(value)?),
        None if order.nulls_first => successor(prefix),
        None => Some(encode(&Value::Null)?),
    };
    let end = end.map(|end| end.max(start.clone()));
    Ok(KeyRange { start, end })
}

/// The first key that does not begin with `prefix`. Every key begins with a space's byte, which is
/// never the last one.
fn after(prefix: &[u8]) -> Vec<u8> {
    successor(prefix).unwrap_or_else(|| prefix.to_vec())
}
