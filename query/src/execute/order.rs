//! Comparing rows by sort keys.

use std::cmp::Ordering;

use super::context::Context;
use crate::error::Result;
use crate::plan::SortKey;
use crate::value::{Value, compare as compare_values};

/// The values that `keys` give for a row.
pub(crate) fn key_values(keys: &[SortKey], cx: &Context<'_>, row: &[Value]) -> Result<Vec<Value>> {
    keys.iter().map(|key| key.expr.eval(&cx.eval, row)).collect()
}

/// Compares two rows by the values of their sort keys.
pub(crate) fn compare(keys: &[SortKey], left: &[Value], right: &[Value]) -> Ordering {
    let pairs = keys.iter().zip(left.iter().zip(right));
    pairs.fold(Ordering::Equal, |order, (key, (left, right))| {
        order.then_with(|| compare_one(key, left, right))
    })
}

fn compare_one(key: &SortKey, left: &Value, right: &Value) -> Ordering {
    match (left.is_null(), right.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) if key.nulls_first => Ordering::Less,
        (true, false) => Ordering::Greater,
        (false, true) if key.nulls_first => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) if key.is_descending => compare_values(right, left),
        (false, false) => compare_values(left, right),
    }
}
