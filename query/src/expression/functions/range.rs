//! Range constructors, operators and functions (Postgres manual 9.20).

use std::sync::Arc;

use super::Builder;
use super::argument::{arg, optional};
use crate::error::{Error, Result, SqlState};
use crate::value::{Range, Type, Value};

pub(super) fn register(builder: &mut Builder) {
    register_constructors(builder);
    register_tests(builder);
    builder.function("lower(anyrange) -> anyelement", |_, args| {
        Ok(arg::<&Range>(args, 0)?.lower.0.clone())
    });
    builder.function("upper(anyrange) -> anyelement", |_, args| {
        Ok(arg::<&Range>(args, 0)?.upper.0.clone())
    });
    builder.operator("+ (anyrange, anyrange) -> anyrange", |_, args| {
        arg::<&Range>(args, 0)?.union(arg(args, 1)?).map(value)
    });
    builder.operator("- (anyrange, anyrange) -> anyrange", |_, args| {
        arg::<&Range>(args, 0)?.difference(arg(args, 1)?).map(value)
    });
    builder.operator("* (anyrange, anyrange) -> anyrange", |_, args| {
        arg::<&Range>(args, 0)?.intersection(arg(args, 1)?).map(value)
    });
    builder.function("range_merge(anyrange, anyrange) -> anyrange", |_, args| {
        arg::<&Range>(args, 0)?.merge(arg(args, 1)?).map(value)
    });
}

fn value(range: Range) -> Value {
    Value::Range(Arc::new(range))
}

/// Constructors take NULL bounds as unbounded, so they are not strict.
macro_rules! constructors {
    ($builder:ident, $($name:literal $element:literal $ty:path),*) => {$(
        const SIGNATURE: &str =
            concat!($name, "(", $element, ", ", $element, ", [text]) -> ", $name);
        $builder.function(SIGNATURE, |_, args| construct($ty, args)).nullable();
    )*};
}

fn register_constructors(builder: &mut Builder) {
    {
        constructors!(builder, "int4range" "int4" Type::Int4);
    }
    {
        constructors!(builder, "int8range" "int8" Type::Int8);
    }
    {
        constructors!(builder, "numrange" "numeric" Type::Numeric);
    }
    {
        constructors!(builder, "daterange" "date" Type::Date);
    }
    {
        constructors!(builder, "tsrange" "timestamp" Type::Timestamp);
    }
    {
        constructors!(builder, "tstzrange" "timestamptz" Type::TimestampTz);
    }
}

fn construct(element: Type, args: &[Value]) -> Result<Value> {
    let (lower, upper): (&Value, &Value) = (arg(args, 0)?, arg(args, 1)?);
    if matches!(args.get(2), Some(Value::Null)) {
        let message = "range constructor flags argument must not be null";
        return Err(Error::new(SqlState("22000"), message));
    }
    let flags = optional::<&str>(args, 2)?.unwrap_or("[)");
    let (is_lower_inside, is_upper_inside) = match flags {
        "[)" => (true, false),
        "[]" => (true, true),
        "()" => (false, false),
        "(]" => (false, true),
        _ => {
            return Err(Error::new(SqlState::SYNTAX_ERROR, "invalid range bound flags")
                .with_hint("Valid values are \"[]\", \"[)\", \"(]\", and \"()\"."));
        }
    };
    let lower = (lower.clone(), is_lower_inside);
    Range::new(element, lower, (upper.clone(), is_upper_inside)).map(value)
}

/// Predicates of two ranges.
macro_rules! predicates {
    ($builder:ident, $($symbol:literal $code:expr),*) => {$(
        $builder.operator(concat!($symbol, " (anyrange, anyrange) -> bool"), |_, args| {
            let code: fn(&Range, &Range) -> bool = $code;
            Ok(Value::Bool(code(arg(args, 0)?, arg(args, 1)?)))
        });
    )*};
}

/// Predicates of one range.
macro_rules! properties {
    ($builder:ident, $($name:literal $code:expr),*) => {$(
        $builder.function(concat!($name, "(anyrange) -> bool"), |_, args| {
            let code: fn(&Range) -> bool = $code;
            Ok(Value::Bool(code(arg(args, 0)?)))
        });
    )*};
}

fn register_tests(builder: &mut Builder) {
    predicates!(builder,
        "@>" Range::contains_range,
        "<@" |left, right| right.contains_range(left),
        "&&" Range::overlaps,
        "<<" Range::is_before,
        ">>" |left, right| right.is_before(left),
        "&<" Range::is_not_above,
        "&>" Range::is_not_below,
        "-|-" Range::is_adjacent);
    properties!(
        builder,
        "isempty" | range | range.is_empty,
        "lower_inc" | range | range.lower.1,
        "upper_inc" | range | range.upper.1,
        "lower_inf" | range | !range.is_empty && range.lower.0.is_null(),
        "upper_inf" | range | !range.is_empty && range.upper.0.is_null()
    );
    builder.operator("@> (anyrange, anyelement) -> bool", |_, args| {
        Ok(Value::Bool(arg::<&Range>(args, 0)?.contains(arg(args, 1)?)))
    });
    builder.operator("<@ (anyelement, anyrange) -> bool", |_, args| {
        Ok(Value::Bool(arg::<&Range>(args, 1)?.contains(arg(args, 0)?)))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constructors_know_their_flags() {
        let args = [Value::Int4(1), Value::Int4(5), Value::text("[]")];
        let Value::Range(range) = construct(Type::Int4, &args).unwrap() else { panic!("no range") };
        assert!(range.contains(&Value::Int4(5)) && !range.contains(&Value::Int4(6)));
        let args = [Value::Int4(1), Value::Null, Value::text("x")];
        assert_eq!(construct(Type::Int4, &args).unwrap_err().state().0, "42601");
    }
}
