//! Functions and operators on arrays (Postgres manual 9.19).

use super::argument::{arg, optional};
use super::{Builder, RowSet};
use crate::error::{Error, Result, SqlState};
use crate::expression::EvalContext;
use crate::value::output::to_text;
use crate::value::{Array, Type, Value, are_equal};

pub(super) fn register(builder: &mut Builder) {
    register_shape(builder);
    register_building(builder);
    register_sets(builder);
    register_text(builder);
}

fn register_shape(builder: &mut Builder) {
    // What `SET a[1] = …` calls; the name is out of the reach of SQL as people write it.
    builder
        .function("with element(anyarray, anyelement, VARIADIC int4) -> anyarray", |_, args| {
            with_element(args)
        })
        .nullable()
        .typed();
    builder.function("array_ndims(anyarray) -> int4", |_, args| {
        let dimensions = arg::<&Array>(args, 0)?.dimensions.len();
        if dimensions == 0 { Ok(Value::Null) } else { super::string::count(dimensions) }
    });
    builder.function("array_length(anyarray, int4) -> int4", |_, args| {
        dimension(args, |(len, _)| super::string::count(len))
    });
    builder.function("array_lower(anyarray, int4) -> int4", |_, args| {
        dimension(args, |(_, lower)| Ok(Value::Int4(lower)))
    });
    builder.function("array_upper(anyarray, int4) -> int4", |_, args| {
        dimension(args, |(len, lower)| {
            let len = i32::try_from(len).unwrap_or(i32::MAX);
            Ok(Value::Int4(lower.saturating_add(len) - 1))
        })
    });
    builder.function("cardinality(anyarray) -> int4", |_, args| {
        super::string::count(arg::<&Array>(args, 0)?.elements.len())
    });
    builder.function("array_dims(anyarray) -> text", |_, args| {
        let array: &Array = arg(args, 0)?;
        if array.dimensions.is_empty() {
            return Ok(Value::Null);
        }
        let one = |(len, lower): &(usize, i32)| {
            format!("[{lower}:{}]", i64::from(*lower) + i64::try_from(*len).unwrap_or(0) - 1)
        };
        Ok(Value::text(array.dimensions.iter().map(one).collect::<String>()))
    });
}

fn dimension(args: &[Value], show: fn((usize, i32)) -> Result<Value>) -> Result<Value> {
    let array: &Array = arg(args, 0)?;
    let at = usize::try_from(arg::<i32>(args, 1)?).ok().and_then(|at| at.checked_sub(1));
    match at.and_then(|at| array.dimensions.get(at)) {
        Some(dimension) => show(*dimension),
        None => Ok(Value::Null),
    }
}

/// 134,217,727 elements: what an array may have, as in Postgres.
const ELEMENT_COUNT_MAX: i64 = 134_217_727;

/// An array with one element put in place; one of one dimension grows so that it has the place.
fn with_element(args: &[Value]) -> Result<Value> {
    let [array, value, indexes, shapes] = args else {
        return Err(Error::internal("an element without its place"));
    };
    let mut at = Vec::new();
    for index in as_array(Some(indexes)).map(|array| array.elements.as_slice()).unwrap_or_default()
    {
        let Value::Int4(index) = index else {
            let message = "array subscript in assignment must not be null";
            return Err(Error::new(SqlState("22004"), message));
        };
        at.push(*index);
    }
    let mut array = match as_array(Some(array)).filter(|array| !array.dimensions.is_empty()) {
        Some(array) => array.clone(),
        None => {
            let shape = crate::value::shape::read(shapes).into_iter().next();
            let element = shape.and_then(|shape| shape.ty.element().cloned()).unwrap_or(Type::Text);
            let dimensions = at.iter().map(|index| (1, *index)).collect();
            return Ok(Value::Array(
                Array { element, dimensions, elements: vec![value.clone()] }.into(),
            ));
        }
    };
    if array.dimensions.len() != at.len() {
        return Err(Error::new(SqlState("2202E"), "wrong number of array subscripts"));
    }
    if let ([dimension], [index]) = (array.dimensions.as_mut_slice(), at.as_slice()) {
        grow(dimension, &mut array.elements, *index)?;
    }
    let mut place = 0_usize;
    for ((len, lower), index) in array.dimensions.iter().zip(&at) {
        let offset = usize::try_from(i64::from(*index) - i64::from(*lower)).ok();
        let offset = offset.filter(|offset| offset < len);
        let offset =
            offset.ok_or_else(|| Error::new(SqlState("2202E"), "array subscript out of range"))?;
        place = place * len + offset;
    }
    if let Some(element) = array.elements.get_mut(place) {
        element.clone_from(value);
    }
    Ok(Value::Array(array.into()))
}

/// Puts NULLs at an end of the elements until there is a place for the subscript.
fn grow(dimension: &mut (usize, i32), elements: &mut Vec<Value>, index: i32) -> Result<()> {
    let (len, lower) = (i64::try_from(dimension.0).unwrap_or(i64::MAX), i64::from(dimension.1));
    let index = i64::from(index);
    let before = (lower - index).max(0);
    let behind = (index - (lower + len - 1)).max(0);
    if len + before + behind > ELEMENT_COUNT_MAX {
        let message = format!("array size exceeds the maximum allowed ({ELEMENT_COUNT_MAX})");
        return Err(Error::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message));
    }
    let nulls = |count: i64| (0..count).map(|_| Value::Null);
    elements.splice(0..0, nulls(before));
    elements.extend(nulls(behind));
    dimension.0 = elements.len();
    dimension.1 = i32::try_from(lower - before).unwrap_or(i32::MIN);
    Ok(())
}

fn register_building(builder: &mut Builder) {
    let append = |_: &EvalContext<'_>, args: &[Value]| append(args.first(), args.get(1));
    let prepend = |_: &EvalContext<'_>, args: &[Value]| prepend(args.first(), args.get(1));
    let concatenate = |_: &EvalContext<'_>, args: &[Value]| concatenate(args.first(), args.get(1));
    builder
        .function("array_append(anycompatiblearray, anycompatible) -> anycompatiblearray", append)
        .nullable();
    builder
        .operator("|| (anycompatiblearray, anycompatible) -> anycompatiblearray", append)
        .nullable();
    builder
        .function("array_prepend(anycompatible, anycompatiblearray) -> anycompatiblearray", prepend)
        .nullable();
    builder
        .operator("|| (anycompatible, anycompatiblearray) -> anycompatiblearray", prepend)
        .nullable();
    let both = "(anycompatiblearray, anycompatiblearray) -> anycompatiblearray";
    builder.function(&format!("array_cat{both}"), concatenate).nullable();
    builder.operator(&format!("|| {both}"), concatenate).nullable();
    let pair = "(anycompatiblearray, anycompatible)";
    let remove = format!("array_remove{pair} -> anycompatiblearray");
    builder.function(&remove, |_, args| remove_all(args)).nullable();
    let replace =
        "array_replace(anycompatiblearray, anycompatible, anycompatible) -> anycompatiblearray";
    builder.function(replace, |_, args| replace_all(args)).nullable();
    let position = "array_position(anycompatiblearray, anycompatible, [int4]) -> int4";
    builder.function(position, |_, args| self::position(args)).nullable();
    let positions = format!("array_positions{pair} -> int4[]");
    builder.function(&positions, |_, args| self::positions(args)).nullable();
    builder
        .function("array_fill(anyelement, int4[], [int4[]]) -> anyarray", |_, args| fill(args))
        .nullable();
    builder.function("trim_array(anyarray, int4) -> anyarray", |_, args| {
        let (array, count): (&Array, i32) = (arg(args, 0)?, arg(args, 1)?);
        let keep = usize::try_from(count).ok().and_then(|n| array.elements.len().checked_sub(n));
        let keep = keep.ok_or_else(|| {
            let message = format!(
                "number of elements to trim must be between 0 and {}",
                array.elements.len()
            );
            Error::new(SqlState("2202E"), message)
        })?;
        Ok(one_dimensional(array, array.elements.iter().take(keep).cloned().collect()))
    });
}

fn one_dimensional(like: &Array, elements: Vec<Value>) -> Value {
    Value::Array(Array::new(like.element.clone(), elements).into())
}

fn as_array(value: Option<&Value>) -> Option<&Array> {
    match value {
        Some(Value::Array(array)) => Some(array),
        _ => None,
    }
}

fn wrong_dimensions() -> Error {
    Error::new(SqlState("22000"), "argument must be empty or one-dimensional array")
}

fn append(array: Option<&Value>, element: Option<&Value>) -> Result<Value> {
    let element = element.cloned().unwrap_or(Value::Null);
    let Some(array) = as_array(array) else { return Ok(single(element)) };
    if array.dimensions.len() > 1 {
        return Err(wrong_dimensions());
    }
    let mut appended = array.clone();
    appended.elements.push(element);
    appended.dimensions = match array.dimensions.first() {
        Some((len, lower)) => vec![(len + 1, *lower)],
        None => vec![(1, 1)],
    };
    Ok(Value::Array(appended.into()))
}

fn prepend(element: Option<&Value>, array: Option<&Value>) -> Result<Value> {
    let element = element.cloned().unwrap_or(Value::Null);
    let Some(array) = as_array(array) else { return Ok(single(element)) };
    if array.dimensions.len() > 1 {
        return Err(wrong_dimensions());
    }
    let elements = std::iter::once(element).chain(array.elements.iter().cloned());
    let mut prepended = Array::new(array.element.clone(), elements.collect());
    if let (Some(new), Some(old)) = (prepended.dimensions.first_mut(), array.dimensions.first()) {
        new.1 = old.1;
    }
    Ok(Value::Array(prepended.into()))
}

fn single(element: Value) -> Value {
    let ty = element.natural_type();
    Value::Array(Array::new(ty, vec![element]).into())
}

fn concatenate(left: Option<&Value>, right: Option<&Value>) -> Result<Value> {
    let (left, right) = match (as_array(left), as_array(right)) {
        (None, None) => return Ok(Value::Null),
        (Some(only), None) | (None, Some(only)) => {
            return Ok(Value::Array(only.clone().into()));
        }
        (Some(left), Some(right)) => (left, right),
    };
    if left.elements.is_empty() || right.elements.is_empty() {
        let other = if left.elements.is_empty() { right } else { left };
        return Ok(Value::Array(other.clone().into()));
    }
    let elements: Vec<Value> = left.elements.iter().chain(&right.elements).cloned().collect();
    let (a, b) = (&left.dimensions, &right.dimensions);
    let inner = |dimensions: &[(usize, i32)]| -> Vec<usize> {
        dimensions.iter().skip(1).map(|(len, _)| *len).collect()
    };
    let lens = |dimensions: &[(usize, i32)]| -> Vec<usize> {
        dimensions.iter().map(|(len, _)| *len).collect()
    };
    let outer = |dimensions: &[(usize, i32)]| dimensions.first().map_or(0, |(len, _)| *len);
    let mut dimensions;
    if a.len() == b.len() && inner(a) == inner(b) {
        dimensions = a.clone();
        if let Some(first) = dimensions.first_mut() {
            first.0 += outer(b);
        }
    } else if a.len() == b.len() + 1 && inner(a) == lens(b) {
        dimensions = a.clone();
        if let Some(first) = dimensions.first_mut() {
            first.0 += 1;
        }
    } else if b.len() == a.len() + 1 && inner(b) == lens(a) {
        dimensions = b.clone();
        if let Some(first) = dimensions.first_mut() {
            first.0 += 1;
        }
    } else {
        return Err(Error::new(SqlState("2202E"), "cannot concatenate incompatible arrays"));
    }
    Ok(Value::Array(Array { element: left.element.clone(), dimensions, elements }.into()))
}

/// Equality in which NULL equals NULL, as searching in arrays has it.
fn is_same(left: &Value, right: &Value) -> bool {
    match (left.is_null(), right.is_null()) {
        (true, true) => true,
        (false, false) => are_equal(left, right),
        _ => false,
    }
}

fn remove_all(args: &[Value]) -> Result<Value> {
    let Some(array) = as_array(args.first()) else { return Ok(Value::Null) };
    if array.dimensions.len() > 1 {
        let message = "removing elements from multidimensional arrays is not supported";
        return Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message));
    }
    let out = args.get(1).unwrap_or(&Value::Null);
    let kept = array.elements.iter().filter(|element| !is_same(element, out)).cloned();
    Ok(one_dimensional(array, kept.collect()))
}

fn replace_all(args: &[Value]) -> Result<Value> {
    let (Some(array), [_, from, to]) = (as_array(args.first()), args) else {
        return Ok(Value::Null);
    };
    let mut replaced = array.clone();
    for element in replaced.elements.iter_mut().filter(|element| is_same(element, from)) {
        element.clone_from(to);
    }
    Ok(Value::Array(replaced.into()))
}

/// The subscripts at which an element stands.
fn found(args: &[Value]) -> Result<Option<Vec<i32>>> {
    let Some(array) = as_array(args.first()) else { return Ok(None) };
    if array.dimensions.len() > 1 {
        let message = "searching for elements in multidimensional arrays is not supported";
        return Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message));
    }
    let sought = args.get(1).unwrap_or(&Value::Null);
    let lower = array.dimensions.first().map_or(1, |(_, lower)| *lower);
    let at = (lower..).zip(&array.elements);
    Ok(Some(at.filter(|(_, element)| is_same(element, sought)).map(|(at, _)| at).collect()))
}

fn position(args: &[Value]) -> Result<Value> {
    let start = optional::<i32>(args, 2)?.unwrap_or(i32::MIN);
    let first = found(args)?.and_then(|all| all.into_iter().find(|at| *at >= start));
    Ok(first.map_or(Value::Null, Value::Int4))
}

fn positions(args: &[Value]) -> Result<Value> {
    let Some(all) = found(args)? else { return Ok(Value::Null) };
    let elements = all.into_iter().map(Value::Int4).collect();
    Ok(Value::Array(Array::new(Type::Int4, elements).into()))
}

/// 1,000,000 elements: what `array_fill` makes at most.
const FILL_COUNT_MAX: usize = 1_000_000;

fn fill(args: &[Value]) -> Result<Value> {
    let element = args.first().cloned().unwrap_or(Value::Null);
    let Some(lens) = as_array(args.get(1)) else {
        let message = "dimension array or low bound array cannot be null";
        return Err(Error::new(SqlState("22004"), message));
    };
    let lowers = as_array(args.get(2));
    let mut dimensions = Vec::new();
    for (at, len) in lens.elements.iter().enumerate() {
        let Value::Int4(len) = len else {
            return Err(Error::new(SqlState("22004"), "dimension values cannot be null"));
        };
        let lower = match lowers.and_then(|lowers| lowers.elements.get(at)) {
            Some(Value::Int4(lower)) => *lower,
            _ => 1,
        };
        let len = usize::try_from(*len)
            .map_err(|_| Error::new(SqlState("2202E"), "array size exceeds the maximum allowed"))?;
        dimensions.push((len, lower));
    }
    let count = dimensions.iter().fold(1usize, |count, (len, _)| count.saturating_mul(*len));
    if count > FILL_COUNT_MAX {
        let message = format!("array size exceeds the maximum allowed ({FILL_COUNT_MAX})");
        return Err(Error::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message));
    }
    let ty = element.natural_type();
    if count == 0 || dimensions.is_empty() {
        return Ok(Value::Array(Array::new(ty, Vec::new()).into()));
    }
    Ok(Value::Array(Array { element: ty, dimensions, elements: vec![element; count] }.into()))
}

fn register_sets(builder: &mut Builder) {
    builder.operator("@> (anyarray, anyarray) -> bool", |_, args| {
        Ok(Value::Bool(contains(arg(args, 0)?, arg(args, 1)?)))
    });
    builder.operator("<@ (anyarray, anyarray) -> bool", |_, args| {
        Ok(Value::Bool(contains(arg(args, 1)?, arg(args, 0)?)))
    });
    builder.operator("&& (anyarray, anyarray) -> bool", |_, args| {
        let (left, right): (&Array, &Array) = (arg(args, 0)?, arg(args, 1)?);
        let is_in = |element: &Value| {
            !element.is_null() && right.elements.iter().any(|other| are_equal_set(element, other))
        };
        Ok(Value::Bool(left.elements.iter().any(is_in)))
    });
    builder.set_function("unnest(anyarray) -> anyelement", |_, args| {
        let array: &Array = arg(args, 0)?;
        let elements = array.elements.clone();
        Ok(Box::new(elements.into_iter().map(|element| Ok(vec![element]))) as RowSet)
    });
    // What drivers number the columns of a key with.
    builder.set_function("_pg_expandarray(anyarray) -> (x anyelement, n int4)", |_, args| {
        let array: &Array = arg(args, 0)?;
        let elements = array.elements.clone().into_iter().zip(1_i32..);
        let row = |(element, number)| Ok(vec![element, Value::Int4(number)]);
        Ok(Box::new(elements.map(row)) as RowSet)
    });
    builder.set_function("generate_subscripts(anyarray, int4, [bool]) -> int4", |_, args| {
        let array: &Array = arg(args, 0)?;
        let at = usize::try_from(arg::<i32>(args, 1)?).ok().and_then(|at| at.checked_sub(1));
        let Some((len, lower)) = at.and_then(|at| array.dimensions.get(at)).copied() else {
            return Ok(Box::new(std::iter::empty()) as RowSet);
        };
        let mut subscripts: Vec<i32> = (lower..).take(len).collect();
        if optional(args, 2)?.unwrap_or(false) {
            subscripts.reverse();
        }
        Ok(Box::new(subscripts.into_iter().map(|at| Ok(vec![Value::Int4(at)]))))
    });
}

fn are_equal_set(left: &Value, right: &Value) -> bool {
    !left.is_null() && !right.is_null() && are_equal(left, right)
}

fn contains(whole: &Array, part: &Array) -> bool {
    let is_in = |element: &Value| whole.elements.iter().any(|own| are_equal_set(own, element));
    part.elements.iter().all(is_in)
}

fn register_text(builder: &mut Builder) {
    builder
        .function("array_to_string(anyarray, text, [text]) -> text", |ctx, args| {
            let (Some(array), Some(separator)) =
                (as_array(args.first()), optional::<&str>(args, 1)?)
            else {
                return Ok(Value::Null);
            };
            let null: Option<&str> = optional(args, 2)?;
            let shown = array.elements.iter().filter_map(|element| match element {
                Value::Null => null.map(str::to_owned),
                element => Some(to_text(element, &array.element, &ctx.statement.output)),
            });
            Ok(Value::text(shown.collect::<Vec<_>>().join(separator)))
        })
        .stable()
        .nullable();
    builder
        .function("string_to_array(text, text, [text]) -> text[]", |_, args| {
            Ok(match string_parts(args)? {
                Some(parts) => Value::Array(Array::new(Type::Text, parts).into()),
                None => Value::Null,
            })
        })
        .nullable();
    builder
        .set_function("string_to_table(text, text, [text]) -> text", |_, args| {
            let parts = string_parts(args)?.unwrap_or_default();
            Ok(Box::new(parts.into_iter().map(|part| Ok(vec![part]))) as RowSet)
        })
        .nullable();
}

fn string_parts(args: &[Value]) -> Result<Option<Vec<Value>>> {
    let Some(text) = optional::<&str>(args, 0)? else { return Ok(None) };
    let null: Option<&str> = optional(args, 2)?;
    let part = |part: &str| if Some(part) == null { Value::Null } else { Value::text(part) };
    Ok(Some(match optional::<&str>(args, 1)? {
        _ if text.is_empty() => Vec::new(),
        None => text.chars().map(|c| part(c.encode_utf8(&mut [0; 4]))).collect(),
        Some("") => vec![part(text)],
        Some(separator) => text.split(separator).map(part).collect(),
    }))
}
