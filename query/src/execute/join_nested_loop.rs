//! Joins that go through the right side once per left row.

use super::context::Context;
use super::cte;
use super::join_hash::{alone, concat, keeps_right, pad_left, pair_holds};
use super::memory::row_len;
use super::operator::Operator;
use crate::error::Result;
use crate::plan::{Join, JoinKind, JoinMethod, Row};

/// See [`JoinMethod::NestedLoop`].
pub(crate) struct NestedLoop {
    left: Operator,
    left_rows: std::vec::IntoIter<Row>,
    current: Option<Current>,
    right: Right,
    /// Right rows that had a pair, when right rows without one are wanted.
    paired: Vec<bool>,
    /// Where giving right rows without a pair has come to, once the left side has ended.
    unpaired: Option<usize>,
}

/// The left row at hand.
struct Current {
    row: Row,
    is_paired: bool,
    /// How many right rows it has met.
    position: usize,
}

/// The right side.
enum Right {
    /// Its rows are the same for each left row and are kept.
    Kept { operator: Operator, rows: Vec<Row>, is_complete: bool },
    /// It reads the left row through slots and runs anew for each.
    Anew { operator: Operator, rows: std::vec::IntoIter<Row> },
}

impl NestedLoop {
    pub fn new(join: &Join) -> Self {
        debug_assert!(matches!(join.method, JoinMethod::NestedLoop), "a nested loop");
        let operator = Operator::new(&join.right);
        Self {
            left: Operator::new(&join.left),
            left_rows: Vec::new().into_iter(),
            current: None,
            right: match join.arguments.is_empty() {
                true => Right::Kept { operator, rows: Vec::new(), is_complete: false },
                false => Right::Anew { operator, rows: Vec::new().into_iter() },
            },
            paired: Vec::new(),
            unpaired: None,
        }
    }

    pub fn next(&mut self, join: &Join, cx: &Context<'_>, max: usize) -> Result<Vec<Row>> {
        let mut out = Vec::new();
        while out.len() < max {
            cx.check_cancelled()?;
            if self.current.is_some() {
                self.step(join, cx, max, &mut out)?;
                continue;
            }
            if let Some(from) = self.unpaired {
                if !self.give_unpaired(join, from, &mut out) {
                    break;
                }
                continue;
            }
            match self.left_rows.next() {
                Some(row) => self.begin(join, row, cx)?,
                None => {
                    self.left_rows = self.left.next(&join.left, cx, max)?.into_iter();
                    if self.left_rows.len() == 0 {
                        self.finish_right(join, cx)?;
                        self.unpaired = Some(0);
                    }
                }
            }
        }
        Ok(out)
    }

    /// Turns to a left row.
    fn begin(&mut self, join: &Join, row: Row, cx: &Context<'_>) -> Result<()> {
        if let Right::Anew { operator, rows } = &mut self.right {
            let mut values = Vec::with_capacity(join.arguments.len());
            for (slot, argument) in &join.arguments {
                values.push((*slot, argument.eval(&cx.eval, &row)?));
            }
            cx.set_slots(values)?;
            cte::forget_dependent(cx);
            *operator = Operator::new(&join.right);
            *rows = Vec::new().into_iter();
        }
        self.current = Some(Current { row, is_paired: false, position: 0 });
        Ok(())
    }

    /// Pairs the left row at hand with the next right row.
    fn step(
        &mut self,
        join: &Join,
        cx: &Context<'_>,
        max: usize,
        out: &mut Vec<Row>,
    ) -> Result<()> {
        let Some(current) = &mut self.current else { return Ok(()) };
        // A semi or anti join needs one right row at a time; others as many as are asked for.
        let wanted = if matches!(join.kind, JoinKind::Semi | JoinKind::Anti) { 1 } else { max };
        let pair = self.right.next(join, current, cx, wanted)?;
        let Some(pair) = pair else {
            let ended = self.current.take();
            out.extend(ended.and_then(|ended| alone(join, ended.row, ended.is_paired)));
            return Ok(());
        };
        if !pair_holds(join, &pair, cx)? {
            return Ok(());
        }
        current.is_paired = true;
        if keeps_right(join.kind) {
            let position = current.position - 1;
            self.paired.resize(self.paired.len().max(position + 1), false);
            if let Some(paired) = self.paired.get_mut(position) {
                *paired = true;
            }
        }
        if matches!(join.kind, JoinKind::Semi | JoinKind::Anti) {
            let ended = self.current.take();
            out.extend(ended.and_then(|ended| alone(join, ended.row, true)));
        } else {
            out.push(pair);
        }
        Ok(())
    }

    /// Reads the right side to its end when rows without a pair are wanted.
    fn finish_right(&mut self, join: &Join, cx: &Context<'_>) -> Result<()> {
        let Right::Kept { operator, rows, is_complete } = &mut self.right else { return Ok(()) };
        if keeps_right(join.kind) {
            if !*is_complete {
                rows.append(&mut operator.all(&join.right, cx)?);
                *is_complete = true;
            }
            self.paired.resize(rows.len(), false);
        }
        Ok(())
    }

    /// Puts out one right row that found no pair; answers whether there was one.
    fn give_unpaired(&mut self, join: &Join, from: usize, out: &mut Vec<Row>) -> bool {
        let Right::Kept { rows, .. } = &self.right else { return false };
        let unpaired = self.paired.get(from..).and_then(|rest| rest.iter().position(|p| !p));
        let Some(position) = unpaired.map(|offset| from + offset) else { return false };
        self.unpaired = Some(position + 1);
        out.extend(rows.get(position).map(|row| pad_left(join, row)));
        true
    }
}

impl Right {
    /// The left row with the next right row; `None` when the right side has ended.
    fn next(
        &mut self,
        join: &Join,
        current: &mut Current,
        cx: &Context<'_>,
        max: usize,
    ) -> Result<Option<Row>> {
        let pair = match self {
            Self::Anew { operator, rows } => {
                if rows.len() == 0 {
                    *rows = operator.next(&join.right, cx, max)?.into_iter();
                }
                rows.next().map(|right| concat(&current.row, &right))
            }
            Self::Kept { operator, rows, is_complete } => {
                if current.position >= rows.len() && !*is_complete {
                    let mut more = operator.next(&join.right, cx, super::BATCH)?;
                    *is_complete = more.is_empty();
                    cx.memory().grow(more.iter().map(|row| row_len(row)).sum())?;
                    rows.append(&mut more);
                }
                rows.get(current.position).map(|right| concat(&current.row, right))
            }
        };
        current.position += 1;
        Ok(pair)
    }
}
