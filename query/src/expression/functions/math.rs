//! Mathematical functions on `double precision` and integers (Postgres manual 9.3); those on
//! `numeric` are with its arithmetic.

use rand::Rng as _;

use super::Builder;
use super::argument::arg;
use crate::error::{Error, Result, SqlState};
use crate::value::Value;

pub(super) fn register(builder: &mut Builder) {
    for (name, function) in REAL {
        // The code is chosen by name once more, because a function pointer cannot capture.
        let signature = format!("{name}(float8) -> float8");
        builder.function(&signature, *function);
    }
    builder.function("atan2(float8, float8) -> float8", |_, args| {
        Ok(Value::Float8(arg::<f64>(args, 0)?.atan2(arg(args, 1)?)))
    });
    for name in ["power", "pow"] {
        builder.function(&format!("{name}(float8, float8) -> float8"), |_, args| {
            power(arg(args, 0)?, arg(args, 1)?)
        });
    }
    builder.operator("^ (float8, float8) -> float8", |_, args| power(arg(args, 0)?, arg(args, 1)?));
    builder.operator("|/ (float8) -> float8", |_, args| square_root(arg(args, 0)?));
    builder.operator("||/ (float8) -> float8", |_, args| {
        Ok(Value::Float8(arg::<f64>(args, 0)?.cbrt()))
    });
    builder.function("pi() -> float8", |_, _| Ok(Value::Float8(std::f64::consts::PI)));
    builder
        .function("random() -> float8", |_, _| Ok(Value::Float8(rand::rng().random::<f64>())))
        .volatile();
    builder.function("gcd(int4, int4) -> int4", |_, args| {
        let divisor = gcd(arg::<i32>(args, 0)?.into(), arg::<i32>(args, 1)?.into());
        i32::try_from(divisor).map(Value::Int4).map_err(|_| out_of_range("integer"))
    });
    builder.function("gcd(int8, int8) -> int8", |_, args| {
        let divisor = gcd(arg::<i64>(args, 0)?.into(), arg::<i64>(args, 1)?.into());
        i64::try_from(divisor).map(Value::Int8).map_err(|_| out_of_range("bigint"))
    });
    builder.function("lcm(int4, int4) -> int4", |_, args| {
        let multiple = lcm(arg::<i32>(args, 0)?.into(), arg::<i32>(args, 1)?.into());
        i32::try_from(multiple).map(Value::Int4).map_err(|_| out_of_range("integer"))
    });
    builder.function("lcm(int8, int8) -> int8", |_, args| {
        let multiple = lcm(arg::<i64>(args, 0)?.into(), arg::<i64>(args, 1)?.into());
        i64::try_from(multiple).map(Value::Int8).map_err(|_| out_of_range("bigint"))
    });
    let width_bucket = "width_bucket(float8, float8, float8, int4) -> int4";
    builder.function(width_bucket, |_, args| {
        self::width_bucket(arg(args, 0)?, (arg(args, 1)?, arg(args, 2)?), arg(args, 3)?)
    });
}

macro_rules! real {
    ($($name:literal => $code:expr;)*) => {
        &[$(($name, |_, args| {
            let code: fn(f64) -> Result<f64> = $code;
            code(arg(args, 0)?).map(Value::Float8)
        })),*]
    };
}

const REAL: &[(&str, super::Eval)] = real! {
    "sqrt" => |x| checked_root(x);
    "cbrt" => |x| Ok(x.cbrt());
    "exp" => |x| check_range(x, x.exp());
    "ln" => |x| check_logarithm(x).map(f64::ln);
    "log" => |x| check_logarithm(x).map(f64::log10);
    "log10" => |x| check_logarithm(x).map(f64::log10);
    "ceil" => |x| Ok(x.ceil());
    "ceiling" => |x| Ok(x.ceil());
    "floor" => |x| Ok(x.floor());
    "round" => |x| Ok(x.round_ties_even());
    "trunc" => |x| Ok(x.trunc());
    "sign" => |x| Ok(if x > 0.0 { 1.0 } else if x < 0.0 { -1.0 } else { x });
    "degrees" => |x| Ok(x.to_degrees());
    "radians" => |x| Ok(x.to_radians());
    "sin" => |x| finite_input(x).map(f64::sin);
    "cos" => |x| finite_input(x).map(f64::cos);
    "tan" => |x| finite_input(x).map(f64::tan);
    "cot" => |x| finite_input(x).map(|x| x.tan().recip());
    "asin" => |x| unit_input(x).map(f64::asin);
    "acos" => |x| unit_input(x).map(f64::acos);
    "atan" => |x| Ok(x.atan());
    "sinh" => |x| Ok(x.sinh());
    "cosh" => |x| Ok(x.cosh());
    "tanh" => |x| Ok(x.tanh());
    "asinh" => |x| Ok(x.asinh());
    "acosh" => |x| if x < 1.0 { Err(input_out_of_range()) } else { Ok(x.acosh()) };
    "atanh" => |x| unit_input(x).map(f64::atanh);
    "sind" => |x| finite_input(x).map(|x| x.to_radians().sin());
    "cosd" => |x| finite_input(x).map(|x| x.to_radians().cos());
    "tand" => |x| finite_input(x).map(|x| x.to_radians().tan());
};

fn input_out_of_range() -> Error {
    Error::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "input is out of range")
}

fn out_of_range(ty: &str) -> Error {
    Error::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, format!("{ty} out of range"))
}

fn finite_input(x: f64) -> Result<f64> {
    if x.is_infinite() { Err(input_out_of_range()) } else { Ok(x) }
}

fn unit_input(x: f64) -> Result<f64> {
    if x.is_nan() || (-1.0..=1.0).contains(&x) { Ok(x) } else { Err(input_out_of_range()) }
}

fn check_logarithm(x: f64) -> Result<f64> {
    if x == 0.0 {
        return Err(Error::new(SqlState("2201E"), "cannot take logarithm of zero"));
    }
    if x < 0.0 {
        return Err(Error::new(SqlState("2201E"), "cannot take logarithm of a negative number"));
    }
    Ok(x)
}

fn checked_root(x: f64) -> Result<f64> {
    if x < 0.0 {
        let message = "cannot take square root of a negative number";
        return Err(Error::new(SqlState("2201F"), message));
    }
    Ok(x.sqrt())
}

fn square_root(x: f64) -> Result<Value> {
    checked_root(x).map(Value::Float8)
}

/// Finite input that gives an infinite or vanishing result is out of range.
fn check_range(input: f64, result: f64) -> Result<f64> {
    if result.is_infinite() && input.is_finite() {
        let message = "value out of range: overflow";
        return Err(Error::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message));
    }
    if result == 0.0 && input.is_finite() && input != 0.0 {
        let message = "value out of range: underflow";
        return Err(Error::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message));
    }
    Ok(result)
}

fn power(base: f64, exponent: f64) -> Result<Value> {
    if base == 0.0 && exponent < 0.0 {
        let message = "zero raised to a negative power is undefined";
        return Err(Error::new(SqlState("2201F"), message));
    }
    if base < 0.0 && exponent.fract() != 0.0 && exponent.is_finite() {
        let message = "a negative number raised to a non-integer power yields a complex result";
        return Err(Error::new(SqlState("2201F"), message));
    }
    let result = base.powf(exponent);
    if result.is_infinite() && base.is_finite() && exponent.is_finite() {
        let message = "value out of range: overflow";
        return Err(Error::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message));
    }
    Ok(Value::Float8(result))
}

fn gcd(a: i128, b: i128) -> i128 {
    let (mut a, mut b) = (a.abs(), b.abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn lcm(a: i128, b: i128) -> i128 {
    if a == 0 || b == 0 { 0 } else { (a / gcd(a, b) * b).abs() }
}

fn width_bucket(value: f64, (low, high): (f64, f64), count: i32) -> Result<Value> {
    let bad = |message: &str| Err(Error::new(SqlState("2201G"), message));
    if count <= 0 {
        return bad("count must be greater than zero");
    }
    if !low.is_finite() || !high.is_finite() {
        return bad("lower and upper bounds must be finite");
    }
    if low == high {
        return bad("lower bound cannot equal upper bound");
    }
    let share = (value - low) / (high - low);
    let bucket = if share < 0.0 {
        0
    } else if share >= 1.0 {
        return count.checked_add(1).map(Value::Int4).ok_or_else(|| out_of_range("integer"));
    } else {
        #[expect(clippy::cast_possible_truncation, reason = "between 0 and count")]
        let bucket = (share * f64::from(count)).floor() as i32;
        bucket + 1
    };
    Ok(Value::Int4(bucket))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divisors_and_multiples() {
        assert_eq!(gcd(1071, -462), 21);
        assert_eq!(lcm(1071, 462), 23562);
        assert_eq!(gcd(i128::from(i64::MIN), 0), -i128::from(i64::MIN));
    }

    #[test]
    fn results_out_of_range_are_errors() {
        assert!(power(10.0, 400.0).is_err());
        assert!(power(-8.0, 0.5).is_err());
        assert!(checked_root(-1.0).is_err());
        assert!(check_logarithm(0.0).is_err());
    }
}
