//! Frames of window functions: which rows of its partition a row sees.

use std::ops::Range;

use super::context::Context;
use super::window::{integer, is_peer};
use crate::error::{Error, Result, SqlState};
use crate::plan::{FrameBound, FrameExclusion, FrameUnit, SortKey, WindowExpr};
use crate::value::Value;

/// The rows of a partition in groups of equal order values.
pub(crate) struct Peers {
    /// Where each group begins, and at the end where the partition ends.
    starts: Vec<usize>,
    /// The group of each row.
    groups: Vec<usize>,
}

impl Peers {
    pub fn new<'a>(keys: &[SortKey], rows: impl Iterator<Item = &'a [Value]>) -> Self {
        let (mut starts, mut groups) = (Vec::new(), Vec::new());
        let mut last: Option<&[Value]> = None;
        for (position, row) in rows.enumerate() {
            if !last.is_some_and(|last| is_peer(keys, last, row)) {
                starts.push(position);
            }
            groups.push(starts.len() - 1);
            last = Some(row);
        }
        starts.push(groups.len());
        Self { starts, groups }
    }

    /// The number of a row's group.
    pub fn group_of(&self, row: usize) -> usize {
        self.groups.get(row).copied().unwrap_or(0)
    }

    /// The rows that are peers of a row, itself included.
    pub fn range_of(&self, row: usize) -> Range<usize> {
        let group = self.group_of(row);
        self.start_of(group)..self.start_of(group + 1)
    }

    fn start_of(&self, group: usize) -> usize {
        self.starts.get(group).or(self.starts.last()).copied().unwrap_or(0)
    }
}

/// The frames of one partition's rows.
pub(crate) struct Frames<'a> {
    window: &'a WindowExpr,
    order: Vec<&'a [Value]>,
    peers: &'a Peers,
    start: Option<Value>,
    end: Option<Value>,
}

/// The frame of one row: a range of positions without those excluded.
pub(crate) struct Frame {
    pub range: Range<usize>,
    pub excluded: Range<usize>,
    /// A row inside `excluded` that stays.
    kept: Option<usize>,
}

impl Frame {
    pub fn excludes(&self, position: usize) -> bool {
        self.excluded.contains(&position) && self.kept != Some(position)
    }
}

impl<'a> Frames<'a> {
    /// Offsets hold no columns: they are evaluated once per partition.
    pub fn new(
        window: &'a WindowExpr,
        order: impl Iterator<Item = &'a [Value]>,
        peers: &'a Peers,
        cx: &Context<'_>,
    ) -> Result<Self> {
        let start = offset(&window.frame.start, "starting", cx)?;
        let end = offset(&window.frame.end, "ending", cx)?;
        Ok(Self { window, order: order.collect(), peers, start, end })
    }

    /// The frame of a row.
    pub fn of(&self, row: usize) -> Result<Frame> {
        let frame = &self.window.frame;
        let start = self.edge(&frame.start, self.start.as_ref(), row, true)?;
        let end = self.edge(&frame.end, self.end.as_ref(), row, false)?;
        let (excluded, kept) = match frame.exclusion {
            FrameExclusion::NoOthers => (0..0, None),
            FrameExclusion::CurrentRow => (row..row + 1, None),
            FrameExclusion::Group => (self.peers.range_of(row), None),
            FrameExclusion::Ties => (self.peers.range_of(row), Some(row)),
        };
        Ok(Frame { range: start..end.max(start), excluded, kept })
    }

    /// Where a bound lies: the first row inside for a start, the first row after for an end.
    fn edge(
        &self,
        bound: &FrameBound,
        offset: Option<&Value>,
        row: usize,
        is_start: bool,
    ) -> Result<usize> {
        let len = self.order.len();
        let is_preceding = match bound {
            FrameBound::UnboundedPreceding => return Ok(0),
            FrameBound::UnboundedFollowing => return Ok(len),
            FrameBound::CurrentRow => {
                let here = match self.window.frame.unit {
                    FrameUnit::Rows => row..row + 1,
                    FrameUnit::Range | FrameUnit::Groups => self.peers.range_of(row),
                };
                return Ok(if is_start { here.start } else { here.end });
            }
            FrameBound::Preceding(_) => true,
            FrameBound::Following(_) => false,
        };
        let offset = offset.unwrap_or(&Value::Null);
        let count =
            || usize::try_from(integer(offset)?.unwrap_or(0)).map_err(|_| negative("starting"));
        let moved = |from: usize, by: usize| match is_preceding {
            true => from.checked_sub(by),
            false => Some(from.saturating_add(by)),
        };
        match self.window.frame.unit {
            FrameUnit::Rows => {
                let edge = moved(row + usize::from(!is_start), count()?);
                Ok(edge.unwrap_or(0).min(len))
            }
            FrameUnit::Groups => {
                let group = moved(self.peers.group_of(row) + usize::from(!is_start), count()?);
                Ok(group.map_or(0, |group| self.peers.start_of(group)))
            }
            FrameUnit::Range => self.range_edge(row, offset, is_preceding, is_start),
        }
    }

    /// `RANGE n PRECEDING`: by the distance of the only order value.
    fn range_edge(
        &self,
        row: usize,
        offset: &Value,
        is_preceding: bool,
        is_start: bool,
    ) -> Result<usize> {
        let key = self.window.order.first();
        let value = self.order.get(row).and_then(|order| order.first());
        let (Some(key), Some(value)) = (key, value) else {
            return Err(Error::internal("RANGE with an offset needs one ORDER BY column"));
        };
        if value.is_null() {
            let peers = self.peers.range_of(row);
            return Ok(if is_start { peers.start } else { peers.end });
        }
        let limit = shift(value, offset, is_preceding == key.is_descending)?;
        let limit = [limit];
        let before = |order: &&[Value]| {
            let order = super::order::compare(std::slice::from_ref(key), order, &limit);
            if is_start { order.is_lt() } else { order.is_le() }
        };
        Ok(self.order.partition_point(before))
    }
}

fn offset(bound: &FrameBound, which: &str, cx: &Context<'_>) -> Result<Option<Value>> {
    let (FrameBound::Preceding(expr) | FrameBound::Following(expr)) = bound else {
        return Ok(None);
    };
    match expr.eval(&cx.eval, &[])? {
        Value::Null => {
            let message = format!("frame {which} offset must not be null");
            Err(Error::new(SqlState("22004"), message))
        }
        value if is_negative(&value) => Err(negative(which)),
        value => Ok(Some(value)),
    }
}

fn is_negative(value: &Value) -> bool {
    match value {
        Value::Int2(n) => *n < 0,
        Value::Int4(n) => *n < 0,
        Value::Int8(n) => *n < 0,
        Value::Float8(n) => *n < 0.0,
        _ => false,
    }
}

fn negative(which: &str) -> Error {
    let state = SqlState("22013");
    Error::new(state, format!("frame {which} offset must not be negative"))
}

/// A value moved by an offset, to either side.
fn shift(value: &Value, offset: &Value, is_plus: bool) -> Result<Value> {
    let moved = |value: i64| {
        let offset = integer(offset)?.unwrap_or(0);
        let moved = if is_plus { value.checked_add(offset) } else { value.checked_sub(offset) };
        // A bound beyond the type's range lies beyond all rows.
        Ok::<i64, Error>(moved.unwrap_or(if is_plus { i64::MAX } else { i64::MIN }))
    };
    let narrow =
        |moved: i64| i32::try_from(moved).unwrap_or(if is_plus { i32::MAX } else { i32::MIN });
    Ok(match (value, offset) {
        (Value::Int2(n), _) => {
            let moved = moved(i64::from(*n))?;
            Value::Int2(i16::try_from(moved).unwrap_or(if is_plus { i16::MAX } else { i16::MIN }))
        }
        (Value::Int4(n), _) => Value::Int4(narrow(moved(i64::from(*n))?)),
        (Value::Int8(n), _) => Value::Int8(moved(*n)?),
        (Value::Float8(n), Value::Float8(by)) => {
            Value::Float8(if is_plus { n + by } else { n - by })
        }
        _ => return Err(Error::unsupported("RANGE with an offset over this type")),
    })
}
