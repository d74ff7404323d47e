//! Evaluating a bound expression on a row.
//!
//! SQL's logic has three values: a comparison with NULL is unknown, `AND` and `OR` know what they
//! can know. Whatever can end early does: the second argument of a decided `AND` is not evaluated,
//! so it cannot fail.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::cmp::Ordering;
use std::sync::Arc;

use smallvec::SmallVec;

use super::cast::cast;
use super::{CompareOp, EvalContext, Expr, Extreme, Quantifier, Subquery, SubqueryKind};
use crate::error::{Error, Result, SqlState};
use crate::value::{Array, Type, Value, are_equal, compare};

impl Expr {
    /// The expression's value on a row.
    ///
    /// # Errors
    /// Whatever its functions and casts meet.
    pub fn eval(&self, ctx: &EvalContext<'_>, row: &[Value]) -> Result<Value> {
        self.eval_ref(ctx, row).map(Cow::into_owned)
    }

    /// Whether a condition holds; unknown is `None`.
    ///
    /// # Errors
    /// As [`Expr::eval`].
    pub fn eval_predicate(&self, ctx: &EvalContext<'_>, row: &[Value]) -> Result<Option<bool>> {
        match self {
            Self::Compare { op, left, right } => {
                let (left, right) = (left.eval_ref(ctx, row)?, right.eval_ref(ctx, row)?);
                Ok(op.holds(&left, &right))
            }
            Self::And(list) => connect(ctx, row, list, false),
            Self::Or(list) => connect(ctx, row, list, true),
            Self::Not(inner) => Ok(inner.eval_predicate(ctx, row)?.map(|truth| !truth)),
            _ => match &*self.eval_ref(ctx, row)? {
                Value::Bool(truth) => Ok(Some(*truth)),
                Value::Null => Ok(None),
                other => Err(Error::internal(format!("a condition is {other:?}"))),
            },
        }
    }

    /// As [`Expr::eval`], borrowing what the row or the expression holds already.
    fn eval_ref<'a>(&'a self, ctx: &EvalContext<'a>, row: &'a [Value]) -> Result<Cow<'a, Value>> {
        match self {
            Self::Const(value) => Ok(Cow::Borrowed(value)),
            Self::Column(position) => row
                .get(*position)
                .map(Cow::Borrowed)
                .ok_or_else(|| Error::internal(format!("no column {position} in the row"))),
            Self::Param(position) => {
                ctx.params.get(*position).map(Cow::Borrowed).ok_or_else(|| {
                    let message = format!("there is no parameter ${}", position + 1);
                    Error::new(SqlState::UNDEFINED_PARAMETER, message)
                })
            }
            Self::Once { cell, expr } => match ctx.slots.once.get(*cell) {
                Some(cell) => once(ctx, cell, expr).map(Cow::Borrowed),
                None => expr.eval_ref(ctx, row),
            },
            _ => self.compute(ctx, row).map(Cow::Owned),
        }
    }

    fn compute(&self, ctx: &EvalContext<'_>, row: &[Value]) -> Result<Value> {
        match self {
            Self::Slot(slot) => slot_value(ctx, *slot),
            Self::Call { function, args } => call(ctx, row, function, args),
            Self::Compare { .. } | Self::And(_) | Self::Or(_) | Self::Not(_) => {
                self.eval_predicate(ctx, row).map(truth_value)
            }
            Self::IsDistinct { left, right, is_negated } => {
                let (left, right) = (left.eval_ref(ctx, row)?, right.eval_ref(ctx, row)?);
                Ok(Value::Bool(is_distinct(&left, &right) != *is_negated))
            }
            Self::IsNull(inner) => Ok(Value::Bool(is_null(&*inner.eval_ref(ctx, row)?))),
            Self::IsTruth(inner, truth) => {
                Ok(Value::Bool(inner.eval_predicate(ctx, row)? == *truth))
            }
            Self::Case { branches, otherwise } => {
                for (when, then) in branches {
                    if when.eval_predicate(ctx, row)? == Some(true) {
                        return then.eval(ctx, row);
                    }
                }
                otherwise.eval(ctx, row)
            }
            Self::Coalesce(list) => first_value(ctx, row, list),
            Self::NullIf(left, right) => {
                let (left, right) = (left.eval(ctx, row)?, right.eval_ref(ctx, row)?);
                let is_same = CompareOp::Eq.holds(&left, &right) == Some(true);
                Ok(if is_same { Value::Null } else { left })
            }
            Self::Extreme(list, wanted) => extreme(ctx, row, list, *wanted),
            Self::Cast { expr, from, to, is_explicit } => {
                let value = expr.eval(ctx, row)?;
                cast(ctx, value, from, to, *is_explicit)
            }
            Self::Checked { value, domain } => {
                let value = value.eval(ctx, row)?;
                domain.admit(ctx, &value).map(|()| value)
            }
            _ => self.compute_composite(ctx, row),
        }
    }

    /// Arrays, records and subqueries.
    fn compute_composite(&self, ctx: &EvalContext<'_>, row: &[Value]) -> Result<Value> {
        match self {
            Self::Quantified { operator, left, array, quantifier } => {
                quantified(ctx, row, operator, (left, array), *quantifier)
            }
            Self::Array { elements, element } => build_array(ctx, row, elements, element),
            Self::Subscript { array, indexes } => subscript(ctx, row, array, indexes),
            Self::Slice { array, bounds } => slice(ctx, row, array, bounds),
            Self::Record(fields) => {
                let fields: Result<Vec<Value>> =
                    fields.iter().map(|field| field.eval(ctx, row)).collect();
                Ok(Value::Record(fields?.into()))
            }
            Self::Field(record, position) => match &*record.eval_ref(ctx, row)? {
                Value::Record(fields) => Ok(fields.get(*position).cloned().unwrap_or(Value::Null)),
                Value::Null => Ok(Value::Null),
                other => Err(Error::internal(format!("a field of {other:?}"))),
            },
            Self::Subquery(subquery) => self::subquery(ctx, row, subquery),
            _ => Err(Error::internal("an expression that nobody evaluates")),
        }
    }
}

impl CompareOp {
    /// Whether the comparison holds; unknown when a side is NULL.
    pub fn holds(self, left: &Value, right: &Value) -> Option<bool> {
        if left.is_null() || right.is_null() {
            return None;
        }
        if let (Value::Record(left), Value::Record(right)) = (left, right) {
            return self.holds_rows(left, right);
        }
        Some(self.accepts(compare(left, right)))
    }

    /// Row-wise comparison: the first fields that differ decide, an unknown before them makes the
    /// whole unknown (Postgres manual 9.24.5).
    fn holds_rows(self, left: &[Value], right: &[Value]) -> Option<bool> {
        let mut is_unknown = false;
        for (left, right) in left.iter().zip(right) {
            if left.is_null() || right.is_null() {
                if !matches!(self, Self::Eq | Self::Ne) {
                    return None;
                }
                is_unknown = true;
                continue;
            }
            let order = compare(left, right);
            if order != Ordering::Equal {
                return Some(self.accepts(order));
            }
        }
        if is_unknown { None } else { Some(self.accepts(left.len().cmp(&right.len()))) }
    }

    fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::Eq => order.is_eq(),
            Self::Ne => order.is_ne(),
            Self::Lt => order.is_lt(),
            Self::Le => order.is_le(),
            Self::Gt => order.is_gt(),
            Self::Ge => order.is_ge(),
        }
    }
}

fn truth_value(truth: Option<bool>) -> Value {
    truth.map_or(Value::Null, Value::Bool)
}

/// AND (`decisive` false) or OR (`decisive` true).
fn connect(
    ctx: &EvalContext<'_>,
    row: &[Value],
    list: &[Expr],
    decisive: bool,
) -> Result<Option<bool>> {
    let mut result = Some(!decisive);
    for expr in list {
        match expr.eval_predicate(ctx, row)? {
            Some(truth) if truth == decisive => return Ok(Some(decisive)),
            Some(_) => {}
            None => result = None,
        }
    }
    Ok(result)
}

/// The value that a cell keeps, computed if this is the first time.
fn once<'a>(ctx: &EvalContext<'a>, cell: &'a OnceCell<Value>, expr: &Expr) -> Result<&'a Value> {
    if let Some(value) = cell.get() {
        return Ok(value);
    }
    let value = expr.eval(ctx, &[])?;
    Ok(cell.get_or_init(|| value))
}

fn slot_value(ctx: &EvalContext<'_>, slot: usize) -> Result<Value> {
    let slots = ctx.slots.passed.borrow();
    slots.get(slot).cloned().ok_or_else(|| Error::internal(format!("no slot {slot}")))
}

fn call(
    ctx: &EvalContext<'_>,
    row: &[Value],
    function: &super::Function,
    args: &[Expr],
) -> Result<Value> {
    let mut values: SmallVec<[Value; 4]> = SmallVec::with_capacity(args.len());
    for arg in args {
        let value = arg.eval(ctx, row)?;
        if function.is_strict && value.is_null() {
            return Ok(Value::Null);
        }
        values.push(value);
    }
    (function.eval)(ctx, &values)
}

fn is_distinct(left: &Value, right: &Value) -> bool {
    match (left.is_null(), right.is_null()) {
        (true, true) => false,
        (false, false) => !are_equal(left, right),
        _ => true,
    }
}

/// A record is NULL when all its fields are.
fn is_null(value: &Value) -> bool {
    match value {
        Value::Record(fields) => fields.iter().all(Value::is_null),
        value => value.is_null(),
    }
}

fn first_value(ctx: &EvalContext<'_>, row: &[Value], list: &[Expr]) -> Result<Value> {
    for expr in list {
        let value = expr.eval(ctx, row)?;
        if !value.is_null() {
            return Ok(value);
        }
    }
    Ok(Value::Null)
}

fn extreme(ctx: &EvalContext<'_>, row: &[Value], list: &[Expr], wanted: Extreme) -> Result<Value> {
    let mut best = Value::Null;
    for expr in list {
        let value = expr.eval(ctx, row)?;
        if value.is_null() {
            continue;
        }
        let is_better = best.is_null()
            || match wanted {
                Extreme::Greatest => compare(&value, &best).is_gt(),
                Extreme::Least => compare(&value, &best).is_lt(),
            };
        if is_better {
            best = value;
        }
    }
    Ok(best)
}

/// `left op ANY (array)` and `ALL`. The operator's row is the left side and one element.
fn quantified(
    ctx: &EvalContext<'_>,
    row: &[Value],
    operator: &Expr,
    (left, array): (&Expr, &Expr),
    quantifier: Quantifier,
) -> Result<Value> {
    let array = array.eval_ref(ctx, row)?;
    let Value::Array(array) = &*array else { return Ok(Value::Null) };
    let mut pair = [left.eval(ctx, row)?, Value::Null];
    let decisive = quantifier == Quantifier::Any;
    let mut result = Some(!decisive);
    for element in &array.elements {
        if let Some(place) = pair.last_mut() {
            place.clone_from(element);
        }
        match operator.eval_predicate(ctx, &pair)? {
            Some(truth) if truth == decisive => return Ok(Value::Bool(decisive)),
            Some(_) => {}
            None => result = None,
        }
    }
    Ok(truth_value(result))
}

/// `ARRAY[…]`; arrays as elements make one dimension more.
fn build_array(
    ctx: &EvalContext<'_>,
    row: &[Value],
    elements: &[Expr],
    element: &Type,
) -> Result<Value> {
    let values: Result<Vec<Value>> = elements.iter().map(|expr| expr.eval(ctx, row)).collect();
    let values = values?;
    let is_nested = values.iter().any(|value| matches!(value, Value::Array(_)));
    if !is_nested {
        return Ok(Value::Array(Arc::new(Array::new(element.clone(), values))));
    }
    let mismatch = || {
        let message =
            "multidimensional arrays must have array expressions with matching dimensions";
        Error::new(SqlState("2202E"), message)
    };
    let mut inner: Option<Vec<(usize, i32)>> = None;
    let mut all = Vec::new();
    let count = values.len();
    let mut leaf = element.clone();
    for value in values {
        let Value::Array(part) = value else { return Err(mismatch()) };
        if inner.get_or_insert_with(|| part.dimensions.clone()) != &part.dimensions {
            return Err(mismatch());
        }
        leaf = part.element.clone();
        all.extend(part.elements.iter().cloned());
    }
    let mut dimensions = vec![(count, 1)];
    dimensions.extend(inner.unwrap_or_default());
    if all.is_empty() {
        dimensions.clear();
    }
    Ok(Value::Array(Arc::new(Array { element: leaf, dimensions, elements: all })))
}

fn subscript(
    ctx: &EvalContext<'_>,
    row: &[Value],
    array: &Expr,
    indexes: &[Expr],
) -> Result<Value> {
    let array = array.eval_ref(ctx, row)?;
    let Value::Array(array) = &*array else { return Ok(Value::Null) };
    let mut at = Vec::with_capacity(indexes.len());
    for index in indexes {
        match index.eval(ctx, row)? {
            Value::Int4(index) => at.push(index),
            _ => return Ok(Value::Null),
        }
    }
    Ok(array.get(&at).cloned().unwrap_or(Value::Null))
}

fn slice(
    ctx: &EvalContext<'_>,
    row: &[Value],
    array: &Expr,
    bounds: &[(Option<Expr>, Option<Expr>)],
) -> Result<Value> {
    let array = array.eval_ref(ctx, row)?;
    let Value::Array(array) = &*array else { return Ok(Value::Null) };
    let bound = |expr: &Option<Expr>| -> Result<Option<Option<i32>>> {
        match expr.as_ref().map(|expr| expr.eval(ctx, row)).transpose()? {
            None => Ok(Some(None)),
            Some(Value::Int4(at)) => Ok(Some(Some(at))),
            Some(_) => Ok(None),
        }
    };
    let mut read = Vec::with_capacity(bounds.len());
    for (from, to) in bounds {
        let (Some(from), Some(to)) = (bound(from)?, bound(to)?) else { return Ok(Value::Null) };
        read.push((from, to));
    }
    Ok(Value::Array(Arc::new(array.slice(&read))))
}

fn subquery(ctx: &EvalContext<'_>, row: &[Value], subquery: &Subquery) -> Result<Value> {
    for (slot, argument) in &subquery.arguments {
        let value = argument.eval(ctx, row)?;
        let mut slots = ctx.slots.passed.borrow_mut();
        if slots.len() <= *slot {
            slots.resize(slot + 1, Value::Null);
        }
        if let Some(place) = slots.get_mut(*slot) {
            *place = value;
        }
    }
    match &subquery.kind {
        SubqueryKind::Exists => {
            let mut exists = false;
            ctx.services.run_subplan(subquery.subplan, ctx.slots, &mut |_| {
                exists = true;
                Ok(false)
            })?;
            Ok(Value::Bool(exists))
        }
        SubqueryKind::Scalar => {
            let row = single_row(ctx, subquery)?;
            Ok(row.and_then(|row| row.into_iter().next()).unwrap_or(Value::Null))
        }
        SubqueryKind::Row => {
            Ok(single_row(ctx, subquery)?.map_or(Value::Null, |row| Value::Record(row.into())))
        }
        SubqueryKind::Array(element) => {
            let mut elements = Vec::new();
            ctx.services.run_subplan(subquery.subplan, ctx.slots, &mut |row| {
                elements.push(row.first().cloned().unwrap_or(Value::Null));
                Ok(true)
            })?;
            Ok(Value::Array(Arc::new(Array::new(element.clone(), elements))))
        }
        SubqueryKind::Quantified { operator, left, quantifier } => {
            quantified_subquery(ctx, row, subquery.subplan, (operator, left), *quantifier)
        }
    }
}

fn single_row(ctx: &EvalContext<'_>, subquery: &Subquery) -> Result<Option<Vec<Value>>> {
    let mut found: Option<Vec<Value>> = None;
    ctx.services.run_subplan(subquery.subplan, ctx.slots, &mut |row| {
        if found.replace(row.to_vec()).is_some() {
            return Err(Error::new(
                SqlState::CARDINALITY_VIOLATION,
                "more than one row returned by a subquery used as an expression",
            ));
        }
        Ok(true)
    })?;
    Ok(found)
}

fn quantified_subquery(
    ctx: &EvalContext<'_>,
    row: &[Value],
    subplan: usize,
    (operator, left): (&Expr, &[Expr]),
    quantifier: Quantifier,
) -> Result<Value> {
    let mut both: Vec<Value> = Vec::with_capacity(left.len() * 2);
    for expr in left {
        both.push(expr.eval(ctx, row)?);
    }
    let decisive = quantifier == Quantifier::Any;
    let mut result = Some(!decisive);
    ctx.services.run_subplan(subplan, ctx.slots, &mut |row| {
        both.truncate(left.len());
        both.extend_from_slice(row);
        match operator.eval_predicate(ctx, &both)? {
            Some(truth) if truth == decisive => {
                result = Some(decisive);
                return Ok(false);
            }
            Some(_) => {}
            None => result = None,
        }
        Ok(true)
    })?;
    Ok(truth_value(result))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::context::SlotValues;
    use crate::expression::testing::with_context;

    #[test]
    fn a_cell_keeps_the_first_value_and_no_error() {
        let once = Expr::Once { cell: 0, expr: Box::new(Expr::Param(0)) };
        with_context(|empty| {
            let eval = |params: &[Value], slots: &SlotValues| {
                let cx = EvalContext { params, slots, ..*empty };
                once.eval(&cx, &[])
            };
            let slots = SlotValues::new(0, 1);
            assert!(eval(&[], &slots).is_err(), "there is no parameter yet");
            assert!(matches!(eval(&[Value::Int4(1)], &slots), Ok(Value::Int4(1))));
            assert!(matches!(eval(&[Value::Int4(2)], &slots), Ok(Value::Int4(1))), "it stays");
            let no_cells = SlotValues::default();
            for n in [1, 2] {
                let value = eval(&[Value::Int4(n)], &no_cells).unwrap();
                assert!(matches!(value, Value::Int4(m) if m == n), "nothing keeps it");
            }
        });
    }
}
