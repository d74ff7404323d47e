//! Joins by equality, through a hash table of the right side.

use std::collections::VecDeque;

use super::context::Context;
use super::grouping;
use super::hash_table::HashTable;
use super::operator::Operator;
use crate::error::{Error, Result};
use crate::plan::{Join, JoinKind, JoinMethod, Row};
use crate::value::Value;

/// See [`JoinMethod::Hash`].
pub(crate) struct HashJoin {
    left: Operator,
    right: Operator,
    table: Option<HashTable>,
    /// Right rows that had a pair, when right rows without one are wanted.
    paired: Vec<bool>,
    left_rows: std::vec::IntoIter<Row>,
    out: VecDeque<Row>,
    phase: Phase,
}

#[derive(PartialEq, Eq)]
enum Phase {
    /// Left rows come.
    Probing,
    /// Right rows without a pair from this position on.
    Unpaired(usize),
}

impl HashJoin {
    pub fn new(join: &Join) -> Self {
        Self {
            left: Operator::new(&join.left),
            right: Operator::new(&join.right),
            table: None,
            paired: Vec::new(),
            left_rows: Vec::new().into_iter(),
            out: VecDeque::new(),
            phase: Phase::Probing,
        }
    }

    pub fn next(&mut self, join: &Join, cx: &Context<'_>, max: usize) -> Result<Vec<Row>> {
        let JoinMethod::Hash { left, right } = &join.method else {
            return Err(Error::internal("operator and plan node differ"));
        };
        if self.table.is_none() {
            let table = HashTable::build(&mut self.right, &join.right, right, cx)?;
            if keeps_right(join.kind) {
                self.paired = vec![false; table.rows().len()];
            }
            self.table = Some(table);
        }
        while self.out.len() < max {
            cx.check_cancelled()?;
            if let Phase::Unpaired(from) = self.phase {
                if !self.give_unpaired(join, from) {
                    break;
                }
                continue;
            }
            match self.left_rows.next() {
                Some(row) => self.probe(join, left, row, cx)?,
                None => {
                    self.left_rows = self.left.next(&join.left, cx, max)?.into_iter();
                    if self.left_rows.len() == 0 {
                        self.phase = Phase::Unpaired(0);
                    }
                }
            }
        }
        let len = self.out.len().min(max);
        Ok(self.out.drain(..len).collect())
    }

    /// Puts out what one left row gives.
    fn probe(
        &mut self,
        join: &Join,
        keys: &[crate::expression::Expr],
        row: Row,
        cx: &Context<'_>,
    ) -> Result<()> {
        let Some(table) = &self.table else { return Ok(()) };
        let mut is_paired = false;
        if let Some(key) = grouping::join_key(keys, cx, &row)? {
            for position in table.find(&key) {
                cx.check_cancelled()?;
                let Some(right) = table.rows().get(position) else { continue };
                let pair = concat(&row, right);
                if !pair_holds(join, &pair, cx)? {
                    continue;
                }
                is_paired = true;
                if let Some(paired) = self.paired.get_mut(position) {
                    *paired = true;
                }
                match join.kind {
                    JoinKind::Semi | JoinKind::Anti => break,
                    _ => self.out.push_back(pair),
                }
            }
        }
        if let Some(row) = alone(join, row, is_paired) {
            self.out.push_back(row);
        }
        Ok(())
    }

    /// Puts out one right row that found no pair; answers whether there was one.
    fn give_unpaired(&mut self, join: &Join, from: usize) -> bool {
        let unpaired = self.paired.get(from..).and_then(|rest| rest.iter().position(|p| !p));
        let Some(position) = unpaired.map(|offset| from + offset) else { return false };
        self.phase = Phase::Unpaired(position + 1);
        if let Some(row) = self.table.as_ref().and_then(|table| table.rows().get(position)) {
            self.out.push_back(pad_left(join, row));
        }
        true
    }
}

/// Whether right rows without a pair are wanted.
pub(crate) fn keeps_right(kind: JoinKind) -> bool {
    matches!(kind, JoinKind::Right | JoinKind::Full)
}

/// A left and a right row side by side.
pub(crate) fn concat(left: &[Value], right: &[Value]) -> Row {
    let mut row = Vec::with_capacity(left.len() + right.len());
    row.extend_from_slice(left);
    row.extend_from_slice(right);
    row
}

/// Whether the join's condition holds for a pair; one for which it does not is counted.
pub(crate) fn pair_holds(join: &Join, pair: &[Value], cx: &Context<'_>) -> Result<bool> {
    let Some(condition) = &join.condition else { return Ok(true) };
    let holds = cx.holds(condition, pair)?;
    cx.count_removed(|removed| removed.join += u64::from(!holds));
    Ok(holds)
}

/// What a left row gives besides its pairs: itself in a semi or anti join, itself and NULLs in an
/// outer join.
pub(crate) fn alone(join: &Join, mut row: Row, is_paired: bool) -> Option<Row> {
    match (join.kind, is_paired) {
        (JoinKind::Semi, true) | (JoinKind::Anti, false) => Some(row),
        (JoinKind::Left | JoinKind::Full, false) => {
            row.resize(join.left_width + join.right_width, Value::Null);
            Some(row)
        }
        _ => None,
    }
}

/// A right row after NULLs for the left side.
pub(crate) fn pad_left(join: &Join, right: &[Value]) -> Row {
    let mut row = vec![Value::Null; join.left_width];
    row.extend_from_slice(right);
    row
}
