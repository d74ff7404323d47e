//! From bounds on key columns to a range of stored keys.

use cairn_engine::keyspace::successor;
use cairn_engine::{KeyRange, Space, keyspace};

use super::super::context::Context;
use super::entry::key_order;
use crate::catalog::{IndexDef, IndexMethod, RowKeyDef, TableDef};
use crate::error::Result;
use crate::expression::Expr;
use crate::plan::KeyBounds;
use crate::value::{Type, Value, key};

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
        self.index
            .and_then(|index| index.keys.get(column))
            .map_or_else(key::Order::default, key_order)
    }

    fn is_unique(&self) -> bool {
        self.index.is_none_or(|index| index.is_exclusive())
    }

    /// The keys that can satisfy `bounds`: several when a column may be any of some values, none
    /// when a bound is NULL.
    pub fn targets(&self, bounds: &KeyBounds, cx: &Context<'_>) -> Result<Vec<Target>> {
        let mut prefixes = vec![self.prefix().to_vec()];
        for (column, expr) in bounds.equal.iter().enumerate() {
            let value = expr.eval(&cx.eval, &[])?;
            if bounds.any_of.contains(&column) {
                let Value::Array(array) = &value else { return Ok(Vec::new()) };
                let mut longer = Vec::with_capacity(prefixes.len() * array.elements.len());
                for prefix in &prefixes {
                    for element in &array.elements {
                        longer.extend(self.extended(prefix.clone(), column, element)?);
                    }
                }
                prefixes = longer;
            } else {
                for prefix in &mut prefixes {
                    match self.extended(std::mem::take(prefix), column, &value)? {
                        Some(longer) => *prefix = longer,
                        None => return Ok(Vec::new()),
                    }
                }
            }
        }
        self.ranges(bounds, prefixes, cx)
    }

    /// What the bounds on the column after the equal ones leave of each prefix.
    fn ranges(
        &self,
        bounds: &KeyBounds,
        prefixes: Vec<Vec<u8>>,
        cx: &Context<'_>,
    ) -> Result<Vec<Target>> {
        let column = bounds.equal.len();
        if bounds.lower.is_none() && bounds.upper.is_none() {
            let is_point = column > 0 && column == self.width() && self.is_unique();
            let target = |prefix: Vec<u8>| match is_point {
                true => Target::Point(prefix),
                false => Target::Range(KeyRange::prefix(&prefix)),
            };
            return Ok(prefixes.into_iter().map(target).collect());
        }
        let lower = self.end(column, bounds.lower.as_ref(), true, cx)?;
        let upper = self.end(column, bounds.upper.as_ref(), false, cx)?;
        let (Some(lower), Some(upper)) = (lower, upper) else { return Ok(Vec::new()) };
        let order = self.order(column);
        let range = |prefix: &Vec<u8>| range(prefix, order, &lower, &upper).map(Target::Range);
        prefixes.iter().map(range).collect()
    }

    /// A prefix with one more column; `None` when no stored key can have the value.
    fn extended(
        &self,
        mut prefix: Vec<u8>,
        column: usize,
        value: &Value,
    ) -> Result<Option<Vec<u8>>> {
        match self.fit(column, value) {
            Fit::Value(value) if !value.is_null() => {
                key::encode(&mut prefix, &value, self.order(column))?;
                Ok(Some(prefix))
            }
            _ => Ok(None),
        }
    }

    /// One end of a range. The outer `None`: nothing lies within.
    fn end(
        &self,
        column: usize,
        bound: Option<&(Expr, bool)>,
        is_lower: bool,
        cx: &Context<'_>,
    ) -> Result<Option<End>> {
        let Some((expr, is_inclusive)) = bound else { return Ok(Some(None)) };
        Ok(match self.fit(column, &expr.eval(&cx.eval, &[])?) {
            Fit::Value(value) if value.is_null() => None,
            Fit::Value(value) => Some(Some((value, *is_inclusive))),
            // Beyond the column's type on the side that the range is open to: no bound at all.
            Fit::Below => is_lower.then_some(None),
            Fit::Above => (!is_lower).then_some(None),
        })
    }

    /// A bound as a value of the key column's type: `int_column = 5::bigint` binds a wider value.
    fn fit(&self, column: usize, value: &Value) -> Fit {
        let is_inverted = self.index.is_some_and(|index| index.method == IndexMethod::Inverted);
        let number = match value {
            // Elements are stored as they are asked for.
            _ if is_inverted => return Fit::Value(value.clone()),
            Value::Int2(_) | Value::Int4(_) | Value::Int8(_) => value.as_i64().unwrap_or(0),
            _ => return Fit::Value(value.clone()),
        };
        let narrowed = match self.column_type(column) {
            Some(Type::Int2) => i16::try_from(number).ok().map(Value::Int2),
            Some(Type::Int4) => i32::try_from(number).ok().map(Value::Int4),
            Some(Type::Int8) => Some(Value::Int8(number)),
            _ => Some(value.clone()),
        };
        narrowed.map_or(if number < 0 { Fit::Below } else { Fit::Above }, Fit::Value)
    }

    fn column_type(&self, column: usize) -> Option<&Type> {
        match (self.index, &self.table.row_key) {
            (Some(index), _) => Some(&index.keys.get(column)?.ty.base),
            (None, RowKeyDef::PrimaryKey { columns, .. }) => {
                Some(&self.table.columns.get(*columns.get(column)?)?.ty.base)
            }
            (None, RowKeyDef::Hidden) => None,
        }
    }
}

/// A bound seen from a narrower type.
enum Fit {
    Value(Value),
    Below,
    Above,
}

/// One end of a range: its value and whether it lies inside.
type End = Option<(Value, bool)>;

/// The keys after `prefix` whose next column lies between two ends and is not NULL.
fn range(prefix: &[u8], order: key::Order, lower: &End, upper: &End) -> Result<KeyRange> {
    let (first, last) = if order.is_descending { (upper, lower) } else { (lower, upper) };
    let encode = |value: &Value| -> Result<Vec<u8>> {
        let mut bytes = prefix.to_vec();
        key::encode(&mut bytes, value, order)?;
        Ok(bytes)
    };
    let start = match first {
        Some((value, true)) => encode(value)?,
        Some((value, false)) => after(&encode(value)?),
        None if order.nulls_first => after(&encode(&Value::Null)?),
        None => prefix.to_vec(),
    };
    let end = match last {
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
