//! Statistical aggregates (Postgres manual 9.21): variance, correlation, percentiles, mode.
//!
//! Variances of floats follow Youngs and Cramer, as Postgres does; those of integers and `numeric`
//! are exact.

use super::argument::arg;
use super::{Accumulator, Builder};
use crate::error::{Error, Result, SqlState};
use crate::expression::EvalContext;
use crate::value::numeric::Numeric;
use crate::value::{Array, Type, Value, are_equal};

pub(super) fn register(builder: &mut Builder) {
    for ty in ["int2", "int4", "int8", "numeric"] {
        builder.aggregate(&format!("var_pop({ty}) -> numeric"), |_| Exact::start(false, false));
        builder.aggregate(&format!("stddev_pop({ty}) -> numeric"), |_| Exact::start(false, true));
        for name in ["var_samp", "variance"] {
            builder.aggregate(&format!("{name}({ty}) -> numeric"), |_| Exact::start(true, false));
        }
        for name in ["stddev_samp", "stddev"] {
            builder.aggregate(&format!("{name}({ty}) -> numeric"), |_| Exact::start(true, true));
        }
    }
    for ty in ["float4", "float8"] {
        builder.aggregate(&format!("var_pop({ty}) -> float8"), |_| Pairs::start(Pairs::var_pop));
        builder
            .aggregate(&format!("stddev_pop({ty}) -> float8"), |_| Pairs::start(Pairs::stddev_pop));
        for name in ["var_samp", "variance"] {
            builder
                .aggregate(&format!("{name}({ty}) -> float8"), |_| Pairs::start(Pairs::var_samp));
        }
        for name in ["stddev_samp", "stddev"] {
            builder.aggregate(&format!("{name}({ty}) -> float8"), |_| {
                Pairs::start(Pairs::stddev_samp)
            });
        }
    }
    builder.aggregate("corr(float8, float8) -> float8", |_| Pairs::start(Pairs::correlation));
    builder.aggregate("covar_pop(float8, float8) -> float8", |_| Pairs::start(Pairs::covar_pop));
    builder.aggregate("covar_samp(float8, float8) -> float8", |_| Pairs::start(Pairs::covar_samp));
    builder.aggregate("regr_slope(float8, float8) -> float8", |_| Pairs::start(Pairs::slope));
    builder
        .aggregate("regr_intercept(float8, float8) -> float8", |_| Pairs::start(Pairs::intercept));
    builder.aggregate("regr_r2(float8, float8) -> float8", |_| Pairs::start(Pairs::r2));
    builder.aggregate("regr_avgx(float8, float8) -> float8", |_| Pairs::start(Pairs::mean_x));
    builder.aggregate("regr_avgy(float8, float8) -> float8", |_| Pairs::start(Pairs::mean_y));
    builder.aggregate("regr_count(float8, float8) -> int8", |_| Pairs::start(Pairs::pair_count));
    register_ordered(builder);
}

fn register_ordered(builder: &mut Builder) {
    let ordered: [(&str, fn(&[Type]) -> Box<dyn Accumulator>); 5] = [
        ("percentile_cont(float8, float8) -> float8", |_| Ordered::start(continuous)),
        ("percentile_cont(float8[], float8) -> float8[]", |_| Ordered::start(continuous)),
        ("percentile_disc(float8, anyelement) -> anyelement", |_| Ordered::start(discrete)),
        ("percentile_disc(float8[], anyelement) -> anyarray", |_| Ordered::start(discrete)),
        ("mode(anyelement) -> anyelement", |_| Ordered::start(mode)),
    ];
    for (signature, start) in ordered {
        builder.aggregate(signature, start).is_ordered_set = true;
    }
}

/// Exact sums of integers and `numeric`.
struct Exact {
    is_sample: bool,
    is_root: bool,
    count: i64,
    sum: Numeric,
    squares: Numeric,
}

impl Exact {
    fn start(is_sample: bool, is_root: bool) -> Box<dyn Accumulator> {
        let (sum, squares) = (Numeric::ZERO, Numeric::ZERO);
        Box::new(Self { is_sample, is_root, count: 0, sum, squares })
    }
}

impl Accumulator for Exact {
    fn add(&mut self, _: &EvalContext<'_>, args: &[Value]) -> Result<()> {
        let number = match args.first() {
            Some(Value::Numeric(number)) => Numeric::clone(number),
            Some(value) => {
                Numeric::from(value.as_i64().ok_or_else(|| Error::internal("not a number"))?)
            }
            None => return Err(Error::internal("no argument")),
        };
        self.count += 1;
        self.squares = self.squares.add(&number.mul(&number)?)?;
        self.sum = self.sum.add(&number)?;
        Ok(())
    }

    fn finish(&mut self, _: &EvalContext<'_>) -> Result<Value> {
        if self.count <= i64::from(self.is_sample) {
            return Ok(Value::Null);
        }
        let count = Numeric::from(self.count);
        let spread = count.mul(&self.squares)?.sub(&self.sum.mul(&self.sum)?)?;
        if spread.signum() <= 0 {
            return Ok(Value::numeric(Numeric::ZERO));
        }
        let divisor = count.mul(&Numeric::from(self.count - i64::from(self.is_sample)))?;
        let variance = spread.div(&divisor)?;
        Ok(Value::numeric(if self.is_root { variance.sqrt()? } else { variance }))
    }
}

/// Sums over pairs (y, x); one-argument aggregates have y only.
struct Pairs {
    result: fn(&Self) -> Option<Value>,
    count: f64,
    mean: [f64; 2],
    squares: [f64; 2],
    product: f64,
}

impl Pairs {
    fn start(result: fn(&Self) -> Option<Value>) -> Box<dyn Accumulator> {
        Box::new(Self { result, count: 0.0, mean: [0.0; 2], squares: [0.0; 2], product: 0.0 })
    }

    fn float(condition: bool, value: f64) -> Option<Value> {
        condition.then_some(Value::Float8(value))
    }

    fn var_pop(&self) -> Option<Value> {
        Self::float(self.count > 0.0, self.squares[0] / self.count)
    }

    fn var_samp(&self) -> Option<Value> {
        Self::float(self.count > 1.0, self.squares[0] / (self.count - 1.0))
    }

    fn stddev_pop(&self) -> Option<Value> {
        Self::float(self.count > 0.0, (self.squares[0] / self.count).sqrt())
    }

    fn stddev_samp(&self) -> Option<Value> {
        Self::float(self.count > 1.0, (self.squares[0] / (self.count - 1.0)).sqrt())
    }

    fn covar_pop(&self) -> Option<Value> {
        Self::float(self.count > 0.0, self.product / self.count)
    }

    fn covar_samp(&self) -> Option<Value> {
        Self::float(self.count > 1.0, self.product / (self.count - 1.0))
    }

    fn correlation(&self) -> Option<Value> {
        let [y, x] = self.squares;
        Self::float(self.count > 0.0 && y != 0.0 && x != 0.0, self.product / (y * x).sqrt())
    }

    fn slope(&self) -> Option<Value> {
        let [_, x] = self.squares;
        Self::float(self.count > 0.0 && x != 0.0, self.product / x)
    }

    fn intercept(&self) -> Option<Value> {
        let [_, x] = self.squares;
        let value = self.mean[0] - self.mean[1] * self.product / x;
        Self::float(self.count > 0.0 && x != 0.0, value)
    }

    fn r2(&self) -> Option<Value> {
        let [y, x] = self.squares;
        if self.count == 0.0 || x == 0.0 {
            return None;
        }
        Some(Value::Float8(if y == 0.0 { 1.0 } else { self.product * self.product / (y * x) }))
    }

    fn mean_y(&self) -> Option<Value> {
        Self::float(self.count > 0.0, self.mean[0])
    }

    fn mean_x(&self) -> Option<Value> {
        Self::float(self.count > 0.0, self.mean[1])
    }

    fn pair_count(&self) -> Option<Value> {
        #[expect(clippy::cast_possible_truncation, reason = "a count of rows")]
        let count = self.count as i64;
        Some(Value::Int8(count))
    }
}

impl Accumulator for Pairs {
    fn add(&mut self, _: &EvalContext<'_>, args: &[Value]) -> Result<()> {
        let number = |at: usize| args.get(at).and_then(Value::as_f64);
        let y = number(0).ok_or_else(|| Error::internal("not a number"))?;
        let x = number(1).unwrap_or(0.0);
        self.count += 1.0;
        let before = [y - self.mean[0], x - self.mean[1]];
        self.mean[0] += before[0] / self.count;
        self.mean[1] += before[1] / self.count;
        self.squares[0] += before[0] * (y - self.mean[0]);
        self.squares[1] += before[1] * (x - self.mean[1]);
        self.product += before[0] * (x - self.mean[1]);
        Ok(())
    }

    fn finish(&mut self, _: &EvalContext<'_>) -> Result<Value> {
        Ok((self.result)(self).unwrap_or(Value::Null))
    }
}

/// An ordered-set aggregate: rows come in order, the last argument is the ordered value, the one
/// before the wanted fraction.
struct Ordered {
    result: fn(&[Value], f64) -> Option<Value>,
    fraction: Value,
    values: Vec<Value>,
    len: usize,
}

impl Ordered {
    fn start(result: fn(&[Value], f64) -> Option<Value>) -> Box<dyn Accumulator> {
        Box::new(Self { result, fraction: Value::Float8(0.0), values: Vec::new(), len: 0 })
    }

    fn at(&self, fraction: f64) -> Result<Value> {
        if !(0.0..=1.0).contains(&fraction) {
            let message = format!("percentile value {fraction} is not between 0 and 1");
            return Err(Error::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message));
        }
        Ok((self.result)(&self.values, fraction).unwrap_or(Value::Null))
    }
}

impl Accumulator for Ordered {
    fn add(&mut self, _: &EvalContext<'_>, args: &[Value]) -> Result<()> {
        if let [fraction, _] = args {
            self.fraction = fraction.clone();
        }
        let value: &Value = arg(args, args.len().saturating_sub(1))?;
        self.len += value.memory_len();
        self.values.push(value.clone());
        Ok(())
    }

    fn finish(&mut self, _: &EvalContext<'_>) -> Result<Value> {
        match &self.fraction {
            Value::Array(fractions) => {
                let all = fractions.elements.iter();
                let all: Result<Vec<Value>> = all
                    .map(|one| one.as_f64().map_or(Ok(Value::Null), |one| self.at(one)))
                    .collect();
                let all = all?;
                let element = all.first().map_or(Type::Float8, Value::natural_type);
                Ok(Value::Array(Array::new(element, all).into()))
            }
            fraction => fraction.as_f64().map_or(Ok(Value::Null), |fraction| self.at(fraction)),
        }
    }

    fn memory_len(&self) -> usize {
        64 + self.len
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "positions in a list that fits in memory"
)]
fn continuous(values: &[Value], fraction: f64) -> Option<Value> {
    let position = fraction * (values.len().checked_sub(1)? as f64);
    let (low, high) = (position.floor() as usize, position.ceil() as usize);
    let (low_value, high_value) = (values.get(low)?.as_f64()?, values.get(high)?.as_f64()?);
    if low == high {
        return Some(Value::Float8(low_value));
    }
    Some(Value::Float8(low_value + (position - low as f64) * (high_value - low_value)))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "positions in a list that fits in memory"
)]
fn discrete(values: &[Value], fraction: f64) -> Option<Value> {
    let position = (fraction * values.len() as f64).ceil().max(1.0) as usize;
    values.get(position - 1).cloned()
}

/// The most frequent value; of equally frequent ones the first.
fn mode(values: &[Value], _: f64) -> Option<Value> {
    let mut best: Option<(&Value, usize)> = None;
    for group in values.chunk_by(are_equal) {
        if best.is_none_or(|(_, count)| group.len() > count) {
            best = group.first().map(|value| (value, group.len()));
        }
    }
    best.map(|(value, _)| value.clone())
}
