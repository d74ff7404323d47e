//! Ranges: two bounds over an ordered type.

use std::cmp::Ordering;

use super::{Type, Value, compare};
use crate::error::{Error, Result, SqlState};

/// A range over a discrete or continuous type.
#[derive(Clone, Debug)]
pub struct Range {
    /// The type of the bounds.
    pub element: Type,
    /// Whether it contains nothing; then the bounds mean nothing.
    pub is_empty: bool,
    /// The lower bound (`Null`: unbounded) and whether it lies inside.
    pub lower: (Value, bool),
    /// The upper bound (`Null`: unbounded) and whether it lies inside.
    pub upper: (Value, bool),
}

/// One end of a range, with its side.
type Bound<'a> = (&'a (Value, bool), bool);

impl Range {
    /// The range that contains nothing.
    pub fn empty(element: Type) -> Self {
        let nothing = (Value::Null, false);
        Self { element, is_empty: true, lower: nothing.clone(), upper: nothing }
    }

    /// A range in its canonical form: discrete types become `[lower, upper)`.
    ///
    /// # Errors
    /// 22000 when the lower bound is above the upper one; 22003 past the type's last value.
    pub fn new(element: Type, lower: (Value, bool), upper: (Value, bool)) -> Result<Self> {
        let lower = if lower.0.is_null() { (Value::Null, false) } else { lower };
        let upper = if upper.0.is_null() { (Value::Null, false) } else { upper };
        if !lower.0.is_null() && !upper.0.is_null() {
            match compare(&lower.0, &upper.0) {
                Ordering::Greater => {
                    let message =
                        "range lower bound must be less than or equal to range upper bound";
                    return Err(Error::new(SqlState("22000"), message));
                }
                Ordering::Equal if !(lower.1 && upper.1) => return Ok(Self::empty(element)),
                _ => {}
            }
        }
        Self { element, is_empty: false, lower, upper }.canonical()
    }

    fn canonical(mut self) -> Result<Self> {
        if !matches!(self.element, Type::Int4 | Type::Int8 | Type::Date) {
            return Ok(self);
        }
        if !self.lower.0.is_null() && !self.lower.1 {
            self.lower = (successor(&self.lower.0)?, true);
        }
        if !self.upper.0.is_null() && self.upper.1 {
            self.upper = (successor(&self.upper.0)?, false);
        }
        let has_both = !self.lower.0.is_null() && !self.upper.0.is_null();
        if has_both && compare(&self.lower.0, &self.upper.0) != Ordering::Less {
            return Ok(Self::empty(self.element));
        }
        Ok(self)
    }

    /// Whether a value lies inside.
    pub fn contains(&self, value: &Value) -> bool {
        let above = self.lower.0.is_null()
            || match compare(&self.lower.0, value) {
                Ordering::Less => true,
                Ordering::Equal => self.lower.1,
                Ordering::Greater => false,
            };
        let below = self.upper.0.is_null()
            || match compare(value, &self.upper.0) {
                Ordering::Less => true,
                Ordering::Equal => self.upper.1,
                Ordering::Greater => false,
            };
        !self.is_empty && above && below
    }

    /// Whether another range lies inside.
    pub fn contains_range(&self, other: &Self) -> bool {
        if other.is_empty {
            return true;
        }
        !self.is_empty
            && compare_bounds(self.low(), other.low()) != Ordering::Greater
            && compare_bounds(self.high(), other.high()) != Ordering::Less
    }

    /// Whether they have a value in common.
    pub fn overlaps(&self, other: &Self) -> bool {
        !self.is_empty
            && !other.is_empty
            && compare_bounds(self.low(), other.high()) != Ordering::Greater
            && compare_bounds(other.low(), self.high()) != Ordering::Greater
    }

    /// Whether it lies wholly before the other.
    pub fn is_before(&self, other: &Self) -> bool {
        let are_full = !self.is_empty && !other.is_empty;
        are_full && compare_bounds(self.high(), other.low()) == Ordering::Less
    }

    /// Whether one ends where the other begins.
    pub fn is_adjacent(&self, other: &Self) -> bool {
        let touches = |high: &(Value, bool), low: &(Value, bool)| {
            let are_bounded = !high.0.is_null() && !low.0.is_null();
            are_bounded && high.1 != low.1 && compare(&high.0, &low.0) == Ordering::Equal
        };
        !self.is_empty
            && !other.is_empty
            && (touches(&self.upper, &other.lower) || touches(&other.upper, &self.lower))
    }

    /// Whether it does not extend above the other.
    pub fn is_not_above(&self, other: &Self) -> bool {
        let are_full = !self.is_empty && !other.is_empty;
        are_full && compare_bounds(self.high(), other.high()) != Ordering::Greater
    }

    /// Whether it does not extend below the other.
    pub fn is_not_below(&self, other: &Self) -> bool {
        let are_full = !self.is_empty && !other.is_empty;
        are_full && compare_bounds(self.low(), other.low()) != Ordering::Less
    }

    /// What both contain.
    ///
    /// # Errors
    /// None in practice: the bounds come from ranges.
    pub fn intersection(&self, other: &Self) -> Result<Self> {
        if !self.overlaps(other) {
            return Ok(Self::empty(self.element.clone()));
        }
        let low =
            if compare_bounds(self.low(), other.low()) == Ordering::Less { other } else { self };
        let high =
            if compare_bounds(self.high(), other.high()) == Ordering::Less { self } else { other };
        Self::new(self.element.clone(), low.lower.clone(), high.upper.clone())
    }

    /// The smallest range that contains both.
    ///
    /// # Errors
    /// None in practice: the bounds come from ranges.
    pub fn merge(&self, other: &Self) -> Result<Self> {
        match (self.is_empty, other.is_empty) {
            (true, _) => return Ok(other.clone()),
            (_, true) => return Ok(self.clone()),
            _ => {}
        }
        let low =
            if compare_bounds(self.low(), other.low()) == Ordering::Less { self } else { other };
        let high =
            if compare_bounds(self.high(), other.high()) == Ordering::Less { other } else { self };
        Self::new(self.element.clone(), low.lower.clone(), high.upper.clone())
    }

    /// What either contains.
    ///
    /// # Errors
    /// 22000 when there is a gap between them.
    pub fn union(&self, other: &Self) -> Result<Self> {
        if self.is_empty || other.is_empty || self.overlaps(other) || self.is_adjacent(other) {
            return self.merge(other);
        }
        Err(Error::new(SqlState("22000"), "result of range union would not be contiguous"))
    }

    /// What this contains and the other does not.
    ///
    /// # Errors
    /// 22000 when that is two ranges.
    pub fn difference(&self, other: &Self) -> Result<Self> {
        if !self.overlaps(other) {
            return Ok(self.clone());
        }
        let low = compare_bounds(self.low(), other.low());
        let high = compare_bounds(self.high(), other.high());
        let flip = |bound: &(Value, bool)| (bound.0.clone(), !bound.1);
        match (low, high) {
            (Ordering::Less, Ordering::Greater) => Err(Error::new(
                SqlState("22000"),
                "result of range difference would not be contiguous",
            )),
            (Ordering::Less, _) => {
                Self::new(self.element.clone(), self.lower.clone(), flip(&other.lower))
            }
            (_, Ordering::Greater) => {
                Self::new(self.element.clone(), flip(&other.upper), self.upper.clone())
            }
            _ => Ok(Self::empty(self.element.clone())),
        }
    }

    fn low(&self) -> Bound<'_> {
        (&self.lower, true)
    }

    fn high(&self) -> Bound<'_> {
        (&self.upper, false)
    }
}

/// The next value of a discrete type.
fn successor(value: &Value) -> Result<Value> {
    let out_of_range = |name: &str| {
        Error::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, format!("{name} out of range"))
    };
    Ok(match value {
        Value::Int4(value) => {
            Value::Int4(value.checked_add(1).ok_or_else(|| out_of_range("integer"))?)
        }
        Value::Int8(value) => {
            Value::Int8(value.checked_add(1).ok_or_else(|| out_of_range("bigint"))?)
        }
        Value::Date(day) if *day != i32::MAX && *day != i32::MIN => {
            Value::Date(day.checked_add(1).ok_or_else(|| out_of_range("date"))?)
        }
        other => other.clone(),
    })
}

/// Compares ends: an unbounded end lies beyond everything; `(5` begins after `[5`, `5)` ends
/// before `5]`.
fn compare_bounds((left, is_left_low): Bound<'_>, (right, is_right_low): Bound<'_>) -> Ordering {
    let infinity = |is_low: bool| if is_low { Ordering::Less } else { Ordering::Greater };
    match (left.0.is_null(), right.0.is_null()) {
        (true, true) => return is_right_low.cmp(&is_left_low),
        (true, false) => return infinity(is_left_low),
        (false, true) => return infinity(is_right_low).reverse(),
        (false, false) => {}
    }
    let nudge = |bound: &(Value, bool), is_low: bool| match (bound.1, is_low) {
        (true, _) => 0,
        (false, true) => 1,
        (false, false) => -1,
    };
    compare(&left.0, &right.0)
        .then_with(|| nudge(left, is_left_low).cmp(&nudge(right, is_right_low)))
}

/// The order of ranges: empty first, then by lower bound, then by upper.
pub(super) fn compare_ranges(left: &Range, right: &Range) -> Ordering {
    match (left.is_empty, right.is_empty) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => compare_bounds(left.low(), right.low())
            .then_with(|| compare_bounds(left.high(), right.high())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(low: i32, high: i32) -> Range {
        Range::new(Type::Int4, (Value::Int4(low), true), (Value::Int4(high), false)).unwrap()
    }

    #[test]
    fn discrete_ranges_are_canonical() {
        let range = Range::new(Type::Int4, (Value::Int4(1), false), (Value::Int4(5), true));
        let range = range.unwrap();
        assert_eq!((range.lower.0.as_i32(), range.upper.0.as_i32()), (Some(2), Some(6)));
        assert!(
            Range::new(Type::Int4, (Value::Int4(3), false), (Value::Int4(4), false))
                .unwrap()
                .is_empty
        );
        assert!(Range::new(Type::Int4, (Value::Int4(5), true), (Value::Int4(4), true)).is_err());
    }

    #[test]
    fn set_operations() {
        assert!(range(1, 5).overlaps(&range(4, 9)) && !range(1, 5).overlaps(&range(5, 9)));
        assert!(range(1, 5).is_adjacent(&range(5, 9)));
        assert!(range(1, 9).contains_range(&range(2, 3)));
        assert_eq!(
            compare_ranges(&range(1, 5).union(&range(5, 9)).unwrap(), &range(1, 9)),
            Ordering::Equal
        );
        assert!(range(1, 9).difference(&range(3, 4)).is_err());
        assert_eq!(
            compare_ranges(&range(1, 9).intersection(&range(5, 20)).unwrap(), &range(5, 9)),
            Ordering::Equal
        );
    }
}
