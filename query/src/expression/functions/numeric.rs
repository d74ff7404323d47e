//! Arithmetic operators on all numbers, and functions on `numeric` (Postgres manual 9.3).
//!
//! Operators on mixed types are few: binding casts the narrower side.

use super::Builder;
use super::argument::{arg, optional};
use crate::error::{Error, Result, SqlState};
use crate::value::Value;
use crate::value::numeric::{Digits, Numeric};

pub(super) fn register(builder: &mut Builder) {
    register_integers(builder);
    register_bits(builder);
    register_floats(builder);
    register_numeric_operators(builder);
    register_numeric_functions(builder);
}

fn out_of_range(type_name: &str) -> Error {
    let message = format!("{type_name} out of range");
    Error::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message)
}

fn division_by_zero() -> Error {
    Error::new(SqlState::DIVISION_BY_ZERO, "division by zero")
}

/// The operators of one integer type, with its overflow error.
macro_rules! integer_operators {
    ($builder:ident, $ty:ty, $name:literal, $long:literal, $value:path) => {{
        fn checked(result: Option<$ty>) -> Result<Value> {
            result.map($value).ok_or_else(|| out_of_range($long))
        }
        fn divide(left: $ty, right: $ty) -> Result<Value> {
            if right == 0 { Err(division_by_zero()) } else { checked(left.checked_div(right)) }
        }
        fn remainder(left: $ty, right: $ty) -> Result<Value> {
            // The smallest number by -1 leaves nothing, though the quotient does not fit.
            if right == 0 { Err(division_by_zero()) } else { Ok($value(left.wrapping_rem(right))) }
        }
        const PAIR: &str = concat!("(", $name, ", ", $name, ") -> ", $name);
        const ONE: &str = concat!("(", $name, ") -> ", $name);
        $builder.operator(&format!("+ {PAIR}"), |_, args| {
            checked(arg::<$ty>(args, 0)?.checked_add(arg(args, 1)?))
        });
        $builder.operator(&format!("- {PAIR}"), |_, args| {
            checked(arg::<$ty>(args, 0)?.checked_sub(arg(args, 1)?))
        });
        $builder.operator(&format!("* {PAIR}"), |_, args| {
            checked(arg::<$ty>(args, 0)?.checked_mul(arg(args, 1)?))
        });
        $builder.operator(&format!("/ {PAIR}"), |_, args| divide(arg(args, 0)?, arg(args, 1)?));
        $builder.operator(&format!("% {PAIR}"), |_, args| remainder(arg(args, 0)?, arg(args, 1)?));
        $builder.function(&format!("mod{PAIR}"), |_, args| remainder(arg(args, 0)?, arg(args, 1)?));
        $builder
            .operator(&format!("- {ONE}"), |_, args| checked(arg::<$ty>(args, 0)?.checked_neg()));
        $builder.operator(&format!("+ {ONE}"), |_, args| Ok($value(arg(args, 0)?)));
        $builder
            .operator(&format!("@ {ONE}"), |_, args| checked(arg::<$ty>(args, 0)?.checked_abs()));
        $builder
            .function(&format!("abs{ONE}"), |_, args| checked(arg::<$ty>(args, 0)?.checked_abs()));
    }};
}

fn register_integers(builder: &mut Builder) {
    integer_operators!(builder, i16, "int2", "smallint", Value::Int2);
    integer_operators!(builder, i32, "int4", "integer", Value::Int4);
    integer_operators!(builder, i64, "int8", "bigint", Value::Int8);
}

/// The bit operators of one integer type. Shifts take the distance modulo the width, as C does.
macro_rules! bit_operators {
    ($builder:ident, $ty:ty, $name:literal, $value:path) => {{
        const PAIR: &str = concat!("(", $name, ", ", $name, ") -> ", $name);
        const SHIFT: &str = concat!("(", $name, ", int4) -> ", $name);
        const ONE: &str = concat!("(", $name, ") -> ", $name);
        $builder.operator(&format!("& {PAIR}"), |_, args| {
            Ok($value(arg::<$ty>(args, 0)? & arg::<$ty>(args, 1)?))
        });
        $builder.operator(&format!("| {PAIR}"), |_, args| {
            Ok($value(arg::<$ty>(args, 0)? | arg::<$ty>(args, 1)?))
        });
        $builder.operator(&format!("# {PAIR}"), |_, args| {
            Ok($value(arg::<$ty>(args, 0)? ^ arg::<$ty>(args, 1)?))
        });
        $builder.operator(&format!("~ {ONE}"), |_, args| Ok($value(!arg::<$ty>(args, 0)?)));
        $builder.operator(&format!("<< {SHIFT}"), |_, args| {
            Ok($value(arg::<$ty>(args, 0)?.wrapping_shl(arg::<i32>(args, 1)?.cast_unsigned())))
        });
        $builder.operator(&format!(">> {SHIFT}"), |_, args| {
            Ok($value(arg::<$ty>(args, 0)?.wrapping_shr(arg::<i32>(args, 1)?.cast_unsigned())))
        });
    }};
}

fn register_bits(builder: &mut Builder) {
    bit_operators!(builder, i16, "int2", Value::Int2);
    bit_operators!(builder, i32, "int4", Value::Int4);
    bit_operators!(builder, i64, "int8", Value::Int8);
}

/// An infinity that no operand brought along is an overflow, a zero an underflow.
fn check_f64(result: f64, operands: [f64; 2], may_be_zero: bool) -> Result<f64> {
    let fault = if result.is_infinite() && !operands.iter().any(|value| value.is_infinite()) {
        "value out of range: overflow"
    } else if result == 0.0 && !may_be_zero {
        "value out of range: underflow"
    } else {
        return Ok(result);
    };
    Err(Error::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, fault))
}

fn float_product(left: f64, right: f64) -> Result<f64> {
    check_f64(left * right, [left, right], left == 0.0 || right == 0.0)
}

fn float_quotient(left: f64, right: f64) -> Result<f64> {
    if right == 0.0 && !left.is_nan() {
        return Err(division_by_zero());
    }
    check_f64(left / right, [left, right], left == 0.0 || right.is_infinite())
}

fn float_sum(left: f64, right: f64) -> Result<f64> {
    check_f64(left + right, [left, right], true)
}

fn float_difference(left: f64, right: f64) -> Result<f64> {
    check_f64(left - right, [left, right], true)
}

/// Either float as a double.
fn real(args: &[Value], at: usize) -> Result<f64> {
    args.get(at)
        .and_then(Value::as_f64)
        .ok_or_else(|| Error::internal(format!("argument {at} is {:?}", args.get(at))))
}

/// A double as `real`, when it fits.
fn single(result: f64, args: &[Value]) -> Result<Value> {
    let operands = [real(args, 0)?, real(args, 1)?];
    let narrow = result as f32;
    check_f64(f64::from(narrow), operands, result == 0.0)?;
    Ok(Value::Float4(narrow))
}

macro_rules! float_operators {
    ($builder:ident, $($symbol:literal $code:ident),*) => {$(
        $builder.operator(concat!($symbol, " (float4, float4) -> float4"), |_, args| {
            single($code(real(args, 0)?, real(args, 1)?)?, args)
        });
        for operands in ["float8, float8", "float4, float8", "float8, float4"] {
            $builder.operator(&format!("{} ({operands}) -> float8", $symbol), |_, args| {
                $code(real(args, 0)?, real(args, 1)?).map(Value::Float8)
            });
        }
    )*};
}

fn register_floats(builder: &mut Builder) {
    float_operators!(builder,
        "+" float_sum, "-" float_difference, "*" float_product, "/" float_quotient);
    builder.operator("- (float8) -> float8", |_, args| Ok(Value::Float8(-arg::<f64>(args, 0)?)));
    builder.operator("+ (float8) -> float8", |_, args| Ok(Value::Float8(arg(args, 0)?)));
    builder.operator("- (float4) -> float4", |_, args| Ok(Value::Float4(-arg::<f32>(args, 0)?)));
    builder.operator("+ (float4) -> float4", |_, args| Ok(Value::Float4(arg(args, 0)?)));
    builder
        .function("abs(float4) -> float4", |_, args| Ok(Value::Float4(arg::<f32>(args, 0)?.abs())));
    builder
        .function("abs(float8) -> float8", |_, args| Ok(Value::Float8(arg::<f64>(args, 0)?.abs())));
    builder
        .operator("@ (float8) -> float8", |_, args| Ok(Value::Float8(arg::<f64>(args, 0)?.abs())));
}

macro_rules! numeric_pairs {
    ($builder:ident, $($signature:literal $method:ident),*) => {$(
        $builder.operator(concat!($signature, " (numeric, numeric) -> numeric"), |_, args| {
            arg::<&Numeric>(args, 0)?.$method(arg(args, 1)?).map(Value::numeric)
        });
    )*};
}

fn register_numeric_operators(builder: &mut Builder) {
    numeric_pairs!(builder, "+" add, "-" sub, "*" mul, "/" div, "%" rem, "^" power);
    builder.operator("- (numeric) -> numeric", |_, args| {
        Ok(Value::numeric(arg::<&Numeric>(args, 0)?.neg()))
    });
    builder.operator("+ (numeric) -> numeric", |_, args| {
        Ok(Value::numeric(arg::<&Numeric>(args, 0)?.clone()))
    });
    builder.operator("@ (numeric) -> numeric", |_, args| {
        Ok(Value::numeric(arg::<&Numeric>(args, 0)?.abs()))
    });
}

/// Functions of one `numeric` that cannot fail.
macro_rules! numeric_total {
    ($builder:ident, $($name:literal $code:expr),*) => {$(
        $builder.function(concat!($name, "(numeric) -> numeric"), |_, args| {
            let code: fn(&Numeric) -> Numeric = $code;
            Ok(Value::numeric(code(arg(args, 0)?)))
        });
    )*};
}

fn register_numeric_functions(builder: &mut Builder) {
    numeric_total!(builder, "abs" Numeric::abs, "ceil" Numeric::ceil, "ceiling" Numeric::ceil,
        "floor" Numeric::floor, "trim_scale" Numeric::trim_scale, "sign" sign,
        "round" |number| number.round(0), "trunc" |number| number.trunc(0));
    for name in ["sqrt", "exp", "ln"] {
        let code: super::Eval = match name {
            "sqrt" => |_, args| arg::<&Numeric>(args, 0)?.sqrt().map(Value::numeric),
            "exp" => |_, args| arg::<&Numeric>(args, 0)?.exp().map(Value::numeric),
            _ => |_, args| arg::<&Numeric>(args, 0)?.ln().map(Value::numeric),
        };
        builder.function(&format!("{name}(numeric) -> numeric"), code);
    }
    for name in ["log", "log10"] {
        builder.function(&format!("{name}(numeric) -> numeric"), |_, args| {
            arg::<&Numeric>(args, 0)?.log(&Numeric::from(10_i64)).map(Value::numeric)
        });
    }
    builder.function("log(numeric, numeric) -> numeric", |_, args| {
        arg::<&Numeric>(args, 1)?.log(arg(args, 0)?).map(Value::numeric)
    });
    for name in ["power", "pow"] {
        builder.function(&format!("{name}(numeric, numeric) -> numeric"), |_, args| {
            arg::<&Numeric>(args, 0)?.power(arg(args, 1)?).map(Value::numeric)
        });
    }
    builder.function("mod(numeric, numeric) -> numeric", |_, args| {
        arg::<&Numeric>(args, 0)?.rem(arg(args, 1)?).map(Value::numeric)
    });
    builder.function("div(numeric, numeric) -> numeric", |_, args| {
        arg::<&Numeric>(args, 0)?.div_trunc(arg(args, 1)?).map(Value::numeric)
    });
    builder.function("round(numeric, int4) -> numeric", |_, args| {
        Ok(Value::numeric(arg::<&Numeric>(args, 0)?.round(arg(args, 1)?)))
    });
    builder.function("trunc(numeric, int4) -> numeric", |_, args| {
        Ok(Value::numeric(arg::<&Numeric>(args, 0)?.trunc(arg(args, 1)?)))
    });
    builder.function("scale(numeric) -> int4", |_, args| scale(arg(args, 0)?, false));
    builder.function("min_scale(numeric) -> int4", |_, args| scale(arg(args, 0)?, true));
    builder.function("gcd(numeric, numeric) -> numeric", |_, args| {
        greatest_divisor(arg(args, 0)?, arg(args, 1)?).map(Value::numeric)
    });
    builder.function("lcm(numeric, numeric) -> numeric", |_, args| {
        least_multiple(arg(args, 0)?, arg(args, 1)?).map(Value::numeric)
    });
    builder.function("factorial(int8) -> numeric", |cx, args| {
        factorial(arg(args, 0)?, || cx.services.check_cancelled())
    });
    builder.function("width_bucket(numeric, numeric, numeric, int4) -> int4", |_, args| {
        width_bucket(arg(args, 0)?, arg(args, 1)?, arg(args, 2)?, optional(args, 3)?.unwrap_or(0))
    });
}

fn sign(number: &Numeric) -> Numeric {
    match number {
        Numeric::NaN => Numeric::NaN,
        number => Numeric::from(i64::from(number.signum())),
    }
}

fn scale(number: &Numeric, is_trimmed: bool) -> Result<Value> {
    Ok(match number {
        Numeric::Finite(_) if is_trimmed => Value::Int4(number.trim_scale().scale() as i32),
        Numeric::Finite(_) => Value::Int4(number.scale() as i32),
        _ => Value::Null,
    })
}

fn greatest_divisor(left: &Numeric, right: &Numeric) -> Result<Numeric> {
    if !matches!((left, right), (Numeric::Finite(_), Numeric::Finite(_))) {
        return Ok(Numeric::NaN);
    }
    let scale = left.scale().max(right.scale()) as i32;
    let (mut larger, mut smaller) = (left.abs(), right.abs());
    while !smaller.is_zero() {
        let rest = larger.rem(&smaller)?;
        larger = std::mem::replace(&mut smaller, rest);
    }
    Ok(larger.round(scale))
}

fn least_multiple(left: &Numeric, right: &Numeric) -> Result<Numeric> {
    let divisor = greatest_divisor(left, right)?;
    if divisor.is_zero() || left.is_zero() || right.is_zero() {
        return Ok(Numeric::ZERO.round(left.scale().max(right.scale()) as i32));
    }
    let scale = left.scale().max(right.scale()) as i32;
    Ok(left.div_trunc(&divisor)?.mul(right)?.abs().round(scale))
}

fn factorial(number: i64, check: impl Fn() -> Result<()>) -> Result<Value> {
    if number < 0 {
        let message = "factorial of a negative number is undefined";
        return Err(Error::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message));
    }
    if number > 32_177 {
        return Err(Error::new(
            SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
            "value overflows numeric format",
        ));
    }
    let mut product = Digits::Small(1);
    for factor in 2..=number {
        check()?;
        product = product.mul(&Digits::Small(i128::from(factor)));
    }
    Ok(Value::numeric(Numeric::finite(product, 0)))
}

fn width_bucket(operand: &Numeric, low: &Numeric, high: &Numeric, count: i32) -> Result<Value> {
    let invalid = |message: &str| Error::new(SqlState("2201G"), message);
    if count <= 0 {
        return Err(invalid("count must be greater than zero"));
    }
    let numbers = [operand, low, high];
    if numbers.iter().any(|number| matches!(number, Numeric::NaN)) {
        return Err(invalid("operand, lower bound, and upper bound cannot be NaN"));
    }
    if [low, high].iter().any(|number| !matches!(number, Numeric::Finite(_))) {
        return Err(invalid("lower and upper bounds must be finite"));
    }
    if low == high {
        return Err(invalid("lower bound cannot equal upper bound"));
    }
    // A falling scale is a rising one seen in the mirror.
    let is_rising = low < high;
    let (before, beyond) =
        if is_rising { (operand < low, operand >= high) } else { (operand > low, operand <= high) };
    if before {
        return Ok(Value::Int4(0));
    }
    if beyond {
        return count.checked_add(1).map(Value::Int4).ok_or_else(|| out_of_range("integer"));
    }
    let share = operand.sub(low)?.abs().mul(&Numeric::from(i64::from(count)))?;
    let bucket = share.div_trunc(&high.sub(low)?.abs())?.to_i64().unwrap_or(0) + 1;
    i32::try_from(bucket).map(Value::Int4).map_err(|_| out_of_range("integer"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::Registry;
    use crate::expression::functions::ParamType;
    use crate::expression::testing::with_context;
    use crate::value::Type;

    fn operate(symbol: &str, left: Value, right: Value) -> Result<Value> {
        let ty = |value: &Value| ParamType::Exact(value.natural_type());
        let wanted: Vec<ParamType> = vec![ty(&left), ty(&right)];
        let operators = Registry::global().operators(symbol);
        let operator = operators.iter().find(|operator| operator.params == wanted).unwrap();
        with_context(|cx| (operator.eval)(cx, &[left, right]))
    }

    #[test]
    fn integers_notice_overflow() {
        let state = |symbol, left, right| match operate(symbol, left, right) {
            Ok(value) => format!("{value:?}"),
            Err(error) => error.fields().message.clone(),
        };
        assert_eq!(state("+", Value::Int4(i32::MAX), Value::Int4(1)), "integer out of range");
        assert_eq!(state("*", Value::Int8(i64::MAX), Value::Int8(2)), "bigint out of range");
        assert_eq!(state("/", Value::Int2(i16::MIN), Value::Int2(-1)), "smallint out of range");
        assert_eq!(state("%", Value::Int4(i32::MIN), Value::Int4(-1)), "Int4(0)");
        assert_eq!(state("/", Value::Int4(1), Value::Int4(0)), "division by zero");
        assert_eq!(state("/", Value::Int4(-7), Value::Int4(2)), "Int4(-3)");
        assert_eq!(
            state("*", Value::Float8(1e308), Value::Float8(10.0)),
            "value out of range: overflow"
        );
        assert_eq!(state("<<", Value::Int4(1), Value::Int4(33)), "Int4(2)");
    }

    #[test]
    fn numerics_are_exact() {
        let number = |text: &str| Value::numeric(text.parse().unwrap());
        let sum = operate("+", number("0.1"), number("0.2")).unwrap();
        assert!(crate::value::are_equal(&sum, &number("0.3")));
        assert_eq!(sum.natural_type(), Type::Numeric);
    }
}
