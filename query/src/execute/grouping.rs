//! Keys for hashing: rows that SQL calls equal are one key. NULL equals NULL here, as in GROUP BY
//! and DISTINCT.

use std::collections::{HashMap, HashSet};

use super::context::Context;
use super::memory::row_len;
use crate::error::Result;
use crate::expression::Expr;
use crate::value::{GroupKey, Value};

/// A map by group.
pub(crate) type GroupMap<T> = HashMap<GroupKey, T, ahash::RandomState>;

/// A set of groups.
pub(crate) type GroupSet = HashSet<GroupKey, ahash::RandomState>;

/// The key of a whole row.
pub(crate) fn key_of(values: &[Value]) -> GroupKey {
    GroupKey(values.into())
}

/// Roughly how many bytes a key occupies in a map or set.
pub(crate) fn key_len(key: &GroupKey) -> usize {
    row_len(&key.0) + 16
}

/// The key of a row by some expressions; `None` when one of them is NULL (joins never match it).
pub(crate) fn join_key(
    exprs: &[Expr],
    cx: &Context<'_>,
    row: &[Value],
) -> Result<Option<GroupKey>> {
    let mut values = Vec::with_capacity(exprs.len());
    for expr in exprs {
        let value = expr.eval(&cx.eval, row)?;
        if value.is_null() {
            return Ok(None);
        }
        values.push(value);
    }
    Ok(Some(GroupKey(values.into_boxed_slice())))
}
