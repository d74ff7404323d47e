//! Walking over the parts of an expression.
//!
//! While a query level is bound, [`Expr::Column`] holds the number of one of the level's variables.
//! When its plan nodes are built, [`remap`] turns variables into positions of the input row.

use crate::error::{Error, Result};
use crate::expression::{Expr, SubqueryKind};

/// Hands each direct part of an expression that is over the same row to `each`. The operators of
/// quantified comparisons and the checks of domains are over rows of their own and are left out.
pub(crate) fn each_part(expr: &mut Expr, each: &mut dyn FnMut(&mut Expr)) {
    match expr {
        Expr::Const(_) | Expr::Column(_) | Expr::Param(_) | Expr::Slot(_) => {}
        Expr::Call { args, .. } => args.iter_mut().for_each(each),
        Expr::Compare { left, right, .. } | Expr::IsDistinct { left, right, .. } => {
            each(left);
            each(right);
        }
        Expr::And(parts) | Expr::Or(parts) | Expr::Coalesce(parts) | Expr::Record(parts) => {
            parts.iter_mut().for_each(each);
        }
        Expr::Extreme(parts, _) | Expr::Array { elements: parts, .. } => {
            parts.iter_mut().for_each(each);
        }
        Expr::Not(part) | Expr::IsNull(part) | Expr::IsTruth(part, _) | Expr::Field(part, _) => {
            each(part);
        }
        Expr::Case { branches, otherwise } => {
            for (condition, result) in branches {
                each(condition);
                each(result);
            }
            each(otherwise);
        }
        Expr::NullIf(left, right) => {
            each(left);
            each(right);
        }
        Expr::Cast { expr, .. } | Expr::Once { expr, .. } | Expr::Checked { value: expr, .. } => {
            each(expr);
        }
        Expr::Quantified { left, array, .. } => {
            each(left);
            each(array);
        }
        Expr::Subscript { array, indexes } => {
            each(array);
            indexes.iter_mut().for_each(each);
        }
        Expr::Slice { array, bounds } => {
            each(array);
            let ends = bounds.iter_mut().flat_map(|(from, to)| [from, to]);
            ends.flatten().for_each(each);
        }
        Expr::Subquery(subquery) => {
            subquery.arguments.iter_mut().for_each(|(_, value)| each(value));
            if let SubqueryKind::Quantified { left, .. } = &mut subquery.kind {
                left.iter_mut().for_each(each);
            }
        }
    }
}

/// Calls `each` for every variable of an expression.
pub(crate) fn each_variable(expr: &Expr, each: &mut dyn FnMut(usize)) {
    if let Expr::Column(variable) = expr {
        each(*variable);
        return;
    }
    // Walking is written once, for changing; a walk that only reads works on a copy. Expressions
    // are small, and this happens while binding only.
    let mut copy = expr.clone();
    each_part(&mut copy, &mut |part| each_variable(part, each));
}

/// Where each variable of a level stands in a row: position by variable.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    positions: Vec<Option<usize>>,
    width: usize,
}

impl Layout {
    /// A row that shows these variables, in order.
    pub(crate) fn of(variables: impl IntoIterator<Item = usize>) -> Self {
        let mut layout = Self::default();
        variables.into_iter().for_each(|variable| layout.push(variable));
        layout
    }

    /// Appends a variable to the row.
    pub(crate) fn push(&mut self, variable: usize) {
        if self.positions.len() <= variable {
            self.positions.resize(variable + 1, None);
        }
        self.positions[variable] = Some(self.width);
        self.width += 1;
    }

    /// Appends another row.
    pub(crate) fn append(&mut self, other: &Self) {
        let base = self.width;
        if self.positions.len() < other.positions.len() {
            self.positions.resize(other.positions.len(), None);
        }
        for (mine, theirs) in self.positions.iter_mut().zip(&other.positions) {
            if let Some(position) = theirs {
                *mine = Some(base + position);
            }
        }
        self.width += other.width;
    }

    /// How many columns the row has.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Where a variable stands.
    pub(crate) fn position(&self, variable: usize) -> Option<usize> {
        self.positions.get(variable).copied().flatten()
    }
}

/// Turns the variables of an expression into positions of a row.
///
/// # Errors
/// XX000 when the row does not show a variable: a bug in binding.
pub(crate) fn remap(expr: &mut Expr, layout: &Layout) -> Result<()> {
    if let Expr::Column(variable) = expr {
        let position = layout.position(*variable);
        *variable = position
            .ok_or_else(|| Error::internal(format!("variable {variable} is not in the row")))?;
        return Ok(());
    }
    let mut result = Ok(());
    each_part(expr, &mut |part| {
        if result.is_ok() {
            result = remap(part, layout);
        }
    });
    result
}

/// Replaces parts from the outside inwards: where `replace` gives an expression, it takes the
/// part's place.
pub(crate) fn replace(expr: &mut Expr, replace_part: &mut dyn FnMut(&Expr) -> Option<Expr>) {
    if let Some(other) = replace_part(expr) {
        *expr = other;
        return;
    }
    each_part(expr, &mut |part| replace(part, replace_part));
}

/// Whether two expressions compute the same from the same row.
pub(crate) fn is_same(left: &Expr, right: &Expr) -> bool {
    match (left, right) {
        (Expr::Call { function: left, .. }, Expr::Call { function: right, .. })
            if !std::sync::Arc::ptr_eq(left, right) =>
        {
            false
        }
        (Expr::Subquery(_), _) | (_, Expr::Subquery(_)) => false,
        _ => is_same_shape(left, right),
    }
}

/// Compares the heads by their printed form without parts, then the parts.
fn is_same_shape(left: &Expr, right: &Expr) -> bool {
    let (mut left, mut right) = (left.clone(), right.clone());
    let (mut left_parts, mut right_parts) = (Vec::new(), Vec::new());
    let hole = || Expr::Record(Vec::new());
    each_part(&mut left, &mut |part| left_parts.push(std::mem::replace(part, hole())));
    each_part(&mut right, &mut |part| right_parts.push(std::mem::replace(part, hole())));
    left_parts.len() == right_parts.len()
        && format!("{left:?}") == format!("{right:?}")
        && left_parts.iter().zip(&right_parts).all(|(left, right)| is_same(left, right))
}

/// Splits a condition into what AND connects.
pub(crate) fn conjuncts(condition: Expr, into: &mut Vec<Expr>) {
    match condition {
        Expr::And(parts) => parts.into_iter().for_each(|part| conjuncts(part, into)),
        other => into.push(other),
    }
}

/// Connects conditions with AND; none of them is no condition.
pub(crate) fn conjunction(mut parts: Vec<Expr>) -> Option<Expr> {
    match parts.len() {
        0 => None,
        1 => parts.pop(),
        _ => Some(Expr::And(parts)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::CompareOp;
    use crate::value::Value;

    fn compare(left: Expr, right: Expr) -> Expr {
        Expr::Compare { op: CompareOp::Eq, left: Box::new(left), right: Box::new(right) }
    }

    #[test]
    fn remaps_variables_to_positions() {
        let layout = Layout::of([7, 3]);
        let mut expr = compare(Expr::Column(3), Expr::Column(7));
        remap(&mut expr, &layout).unwrap();
        assert!(is_same(&expr, &compare(Expr::Column(1), Expr::Column(0))));
        assert!(remap(&mut Expr::Column(4), &layout).is_err());
    }

    #[test]
    fn tells_expressions_apart() {
        let one = || Expr::Const(Value::Int4(1));
        assert!(is_same(&compare(Expr::Column(1), one()), &compare(Expr::Column(1), one())));
        assert!(!is_same(&compare(Expr::Column(1), one()), &compare(Expr::Column(2), one())));
        assert!(!is_same(&one(), &Expr::Const(Value::Int8(1))));
    }
}
