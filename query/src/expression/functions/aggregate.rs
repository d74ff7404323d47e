//! Aggregates (Postgres manual 9.21): counts, sums, extremes, collections, booleans.

use std::sync::Arc;

use super::argument::arg;
use super::{Accumulator, Builder};
use crate::error::{Error, Result, SqlState};
use crate::expression::EvalContext;
use crate::value::numeric::Numeric;
use crate::value::{Array, Type, Value, compare};

pub(super) fn register(builder: &mut Builder) {
    builder.aggregate("count() -> int8", |_| Box::new(Count(0)));
    builder.aggregate("count(any) -> int8", |_| Box::new(Count(0)));
    for (signature, start) in SUMS {
        builder.aggregate(signature, *start);
    }
    builder.aggregate("min(anyelement) -> anyelement", |_| Extreme::start(|order| order.is_lt()));
    builder.aggregate("max(anyelement) -> anyelement", |_| Extreme::start(|order| order.is_gt()));
    for name in ["bool_and", "every"] {
        builder.aggregate(&format!("{name}(bool) -> bool"), |_| Fold::start(fold_and));
    }
    builder.aggregate("bool_or(bool) -> bool", |_| Fold::start(fold_or));
    for ty in ["int2", "int4", "int8"] {
        builder.aggregate(&format!("bit_and({ty}) -> {ty}"), |_| Fold::start(bit_and));
        builder.aggregate(&format!("bit_or({ty}) -> {ty}"), |_| Fold::start(bit_or));
        builder.aggregate(&format!("bit_xor({ty}) -> {ty}"), |_| Fold::start(bit_xor));
    }
    builder.aggregate("string_agg(text, text) -> text", |_| Box::new(Join::default())).is_strict =
        false;
    let collect = builder.aggregate("array_agg(anynonarray) -> anyarray", |types| {
        let element = types.first().cloned().unwrap_or(Type::Text);
        Box::new(Collect { element, elements: Vec::new(), len: 0 })
    });
    collect.is_strict = false;
}

type Start = fn(&[Type]) -> Box<dyn Accumulator>;

const SUMS: &[(&str, Start)] = &[
    ("sum(int2) -> int8", |_| Box::new(IntegerSum::new(Wanted::BigSum))),
    ("sum(int4) -> int8", |_| Box::new(IntegerSum::new(Wanted::BigSum))),
    ("sum(int8) -> numeric", |_| Box::new(IntegerSum::new(Wanted::NumericSum))),
    ("avg(int2) -> numeric", |_| Box::new(IntegerSum::new(Wanted::Mean))),
    ("avg(int4) -> numeric", |_| Box::new(IntegerSum::new(Wanted::Mean))),
    ("avg(int8) -> numeric", |_| Box::new(IntegerSum::new(Wanted::Mean))),
    ("sum(numeric) -> numeric", |_| Box::new(NumericSum::new(false))),
    ("avg(numeric) -> numeric", |_| Box::new(NumericSum::new(true))),
    ("sum(float4) -> float4", |_| Box::new(FloatSum::new(Type::Float4, false))),
    ("sum(float8) -> float8", |_| Box::new(FloatSum::new(Type::Float8, false))),
    ("avg(float4) -> float8", |_| Box::new(FloatSum::new(Type::Float8, true))),
    ("avg(float8) -> float8", |_| Box::new(FloatSum::new(Type::Float8, true))),
    ("sum(interval) -> interval", |_| Box::new(IntervalSum::new(false))),
    ("avg(interval) -> interval", |_| Box::new(IntervalSum::new(true))),
];

struct Count(i64);

impl Accumulator for Count {
    fn add(&mut self, _: &EvalContext<'_>, _: &[Value]) -> Result<()> {
        self.0 += 1;
        Ok(())
    }

    fn finish(&mut self, _: &EvalContext<'_>) -> Result<Value> {
        Ok(Value::Int8(self.0))
    }
}

/// What is wanted of a sum of integers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    BigSum,
    NumericSum,
    Mean,
}

/// The sum of integers of any width. 2^63 rows of 2^63 fit.
struct IntegerSum {
    wanted: Wanted,
    sum: i128,
    count: i64,
}

impl IntegerSum {
    fn new(wanted: Wanted) -> Self {
        Self { wanted, sum: 0, count: 0 }
    }
}

impl Accumulator for IntegerSum {
    fn add(&mut self, _: &EvalContext<'_>, args: &[Value]) -> Result<()> {
        let value = args.first().and_then(Value::as_i64);
        self.sum += i128::from(value.ok_or_else(|| Error::internal("not an integer"))?);
        self.count += 1;
        Ok(())
    }

    fn finish(&mut self, _: &EvalContext<'_>) -> Result<Value> {
        if self.count == 0 {
            return Ok(Value::Null);
        }
        match self.wanted {
            Wanted::BigSum => i64::try_from(self.sum).map(Value::Int8).map_err(|_| {
                Error::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "bigint out of range")
            }),
            Wanted::NumericSum => Ok(Value::numeric(Numeric::from(self.sum))),
            Wanted::Mean => {
                Numeric::from(self.sum).div(&Numeric::from(self.count)).map(Value::numeric)
            }
        }
    }
}

struct NumericSum {
    is_mean: bool,
    sum: Numeric,
    count: i64,
}

impl NumericSum {
    fn new(is_mean: bool) -> Self {
        Self { is_mean, sum: Numeric::ZERO, count: 0 }
    }
}

impl Accumulator for NumericSum {
    fn add(&mut self, _: &EvalContext<'_>, args: &[Value]) -> Result<()> {
        self.sum = self.sum.add(arg::<&Numeric>(args, 0)?)?;
        self.count += 1;
        Ok(())
    }

    fn finish(&mut self, _: &EvalContext<'_>) -> Result<Value> {
        if self.count == 0 {
            return Ok(Value::Null);
        }
        if self.is_mean {
            return self.sum.div(&Numeric::from(self.count)).map(Value::numeric);
        }
        Ok(Value::numeric(self.sum.clone()))
    }

    fn memory_len(&self) -> usize {
        64 + self.sum.memory_len()
    }
}

struct FloatSum {
    result: Type,
    is_mean: bool,
    sum: f64,
    count: f64,
}

impl FloatSum {
    fn new(result: Type, is_mean: bool) -> Self {
        Self { result, is_mean, sum: 0.0, count: 0.0 }
    }
}

impl Accumulator for FloatSum {
    fn add(&mut self, _: &EvalContext<'_>, args: &[Value]) -> Result<()> {
        let value = args.first().and_then(Value::as_f64);
        let value = value.ok_or_else(|| Error::internal("not a number"))?;
        self.sum = if self.result == Type::Float4 {
            // `real` is summed in `real`, as Postgres does.
            #[expect(clippy::cast_possible_truncation, reason = "rounding to real is the point")]
            let sum = self.sum as f32 + value as f32;
            f64::from(sum)
        } else {
            self.sum + value
        };
        self.count += 1.0;
        Ok(())
    }

    fn finish(&mut self, _: &EvalContext<'_>) -> Result<Value> {
        if self.count == 0.0 {
            return Ok(Value::Null);
        }
        if self.is_mean {
            return Ok(Value::Float8(self.sum / self.count));
        }
        #[expect(clippy::cast_possible_truncation, reason = "the sum was kept in real")]
        let narrow = self.sum as f32;
        Ok(if self.result == Type::Float4 {
            Value::Float4(narrow)
        } else {
            Value::Float8(self.sum)
        })
    }
}

struct IntervalSum {
    is_mean: bool,
    sum: crate::value::datetime::Interval,
    count: i32,
}

impl IntervalSum {
    fn new(is_mean: bool) -> Self {
        Self { is_mean, sum: Default::default(), count: 0 }
    }
}

impl Accumulator for IntervalSum {
    fn add(&mut self, _: &EvalContext<'_>, args: &[Value]) -> Result<()> {
        self.sum = self.sum.add(arg(args, 0)?)?;
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    fn finish(&mut self, _: &EvalContext<'_>) -> Result<Value> {
        if self.count == 0 {
            return Ok(Value::Null);
        }
        let result = if self.is_mean { self.sum.div(self.count.into())? } else { self.sum };
        Ok(Value::interval(result))
    }
}

/// The smallest or largest value.
struct Extreme {
    best: Value,
    is_better: fn(std::cmp::Ordering) -> bool,
}

impl Extreme {
    fn start(is_better: fn(std::cmp::Ordering) -> bool) -> Box<dyn Accumulator> {
        Box::new(Self { best: Value::Null, is_better })
    }
}

impl Accumulator for Extreme {
    fn add(&mut self, _: &EvalContext<'_>, args: &[Value]) -> Result<()> {
        let value: &Value = arg(args, 0)?;
        if self.best.is_null() || (self.is_better)(compare(value, &self.best)) {
            self.best = value.clone();
        }
        Ok(())
    }

    fn finish(&mut self, _: &EvalContext<'_>) -> Result<Value> {
        Ok(self.best.clone())
    }

    fn memory_len(&self) -> usize {
        64 + self.best.memory_len()
    }
}

/// Joins two values of one type into one.
type FoldStep = fn(&Value, &Value) -> Option<Value>;

/// An aggregate whose state is a value of its result.
struct Fold {
    state: Value,
    step: FoldStep,
}

impl Fold {
    fn start(step: FoldStep) -> Box<dyn Accumulator> {
        Box::new(Self { state: Value::Null, step })
    }
}

impl Accumulator for Fold {
    fn add(&mut self, _: &EvalContext<'_>, args: &[Value]) -> Result<()> {
        let value: &Value = arg(args, 0)?;
        self.state = if self.state.is_null() {
            value.clone()
        } else {
            (self.step)(&self.state, value)
                .ok_or_else(|| Error::internal("an aggregate of mixed types"))?
        };
        Ok(())
    }

    fn finish(&mut self, _: &EvalContext<'_>) -> Result<Value> {
        Ok(self.state.clone())
    }
}

fn fold_and(left: &Value, right: &Value) -> Option<Value> {
    Some(Value::Bool(left.as_bool()? && right.as_bool()?))
}

fn fold_or(left: &Value, right: &Value) -> Option<Value> {
    Some(Value::Bool(left.as_bool()? || right.as_bool()?))
}

macro_rules! bit_fold {
    ($name:ident, $op:tt) => {
        fn $name(left: &Value, right: &Value) -> Option<Value> {
            match (left, right) {
                (Value::Int2(left), Value::Int2(right)) => Some(Value::Int2(left $op right)),
                (Value::Int4(left), Value::Int4(right)) => Some(Value::Int4(left $op right)),
                (Value::Int8(left), Value::Int8(right)) => Some(Value::Int8(left $op right)),
                _ => None,
            }
        }
    };
}

bit_fold!(bit_and, &);
bit_fold!(bit_or, |);
bit_fold!(bit_xor, ^);

/// `string_agg`: NULL values are left out, a NULL separator is an empty one.
#[derive(Default)]
struct Join {
    text: Option<String>,
}

impl Accumulator for Join {
    fn add(&mut self, _: &EvalContext<'_>, args: &[Value]) -> Result<()> {
        let Some(value) = args.first().and_then(Value::as_str) else { return Ok(()) };
        match &mut self.text {
            None => self.text = Some(value.to_owned()),
            Some(text) => {
                text.push_str(args.get(1).and_then(Value::as_str).unwrap_or_default());
                text.push_str(value);
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &EvalContext<'_>) -> Result<Value> {
        Ok(self.text.as_deref().map_or(Value::Null, Value::text))
    }

    fn memory_len(&self) -> usize {
        64 + self.text.as_ref().map_or(0, String::len)
    }
}

struct Collect {
    element: Type,
    elements: Vec<Value>,
    len: usize,
}

impl Accumulator for Collect {
    fn add(&mut self, _: &EvalContext<'_>, args: &[Value]) -> Result<()> {
        let value: &Value = arg(args, 0)?;
        self.len += value.memory_len();
        self.elements.push(value.clone());
        Ok(())
    }

    fn finish(&mut self, _: &EvalContext<'_>) -> Result<Value> {
        if self.elements.is_empty() {
            return Ok(Value::Null);
        }
        let elements = self.elements.clone();
        Ok(Value::Array(Arc::new(Array::new(self.element.clone(), elements))))
    }

    fn memory_len(&self) -> usize {
        64 + self.len
    }
}
