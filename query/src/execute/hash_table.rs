//! The build side of a hash join: rows by key.

use super::BATCH;
use super::context::Context;
use super::grouping::{self, GroupMap};
use super::memory::row_len;
use super::operator::Operator;
use crate::error::Result;
use crate::expression::Expr;
use crate::plan::{Node, Row};
use crate::value::GroupKey;

/// Rows by the key of some expressions over them.
#[derive(Default)]
pub(crate) struct HashTable {
    rows: Vec<Row>,
    /// The next row with the same key, by row; `NONE` ends the chain.
    next: Vec<u32>,
    heads: GroupMap<u32>,
}

const NONE: u32 = u32::MAX;

impl HashTable {
    /// Reads the whole input in. Rows with a NULL key are kept (an outer join gives them back) but
    /// never found.
    pub fn build(
        operator: &mut Operator,
        input: &Node,
        keys: &[Expr],
        cx: &Context<'_>,
    ) -> Result<Self> {
        let mut table = Self::default();
        loop {
            let rows = operator.next(input, cx, BATCH)?;
            if rows.is_empty() {
                return Ok(table);
            }
            for row in rows {
                cx.check_cancelled()?;
                let key = grouping::join_key(keys, cx, &row)?;
                cx.memory().grow(row_len(&row) + key.as_ref().map_or(0, grouping::key_len))?;
                table.push(key, row);
            }
        }
    }

    fn push(&mut self, key: Option<GroupKey>, row: Row) {
        let position = u32::try_from(self.rows.len()).unwrap_or(NONE - 1);
        let next = key.and_then(|key| self.heads.insert(key, position));
        self.next.push(next.unwrap_or(NONE));
        self.rows.push(row);
    }

    /// Positions of the rows with a key.
    pub fn find<'a>(&'a self, key: &GroupKey) -> impl Iterator<Item = usize> + 'a {
        let mut at = self.heads.get(key).copied().unwrap_or(NONE);
        std::iter::from_fn(move || {
            let position = at as usize;
            at = *self.next.get(position)?;
            Some(position)
        })
    }

    /// All rows.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }
}
