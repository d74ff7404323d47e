//! Building the registry out of signatures.
//!
//! ```text
//! substr(text, int4, [int4]) -> text        brackets: may be left out
//! concat(VARIADIC any) -> text              repeats
//! || (anyarray, anyelement) -> anyarray     an operator
//! - (int4) -> int4                          a prefix operator
//! each(jsonb) -> (key text, value text)     columns of a set-returning function
//! ```

use std::collections::HashMap;
use std::sync::Arc;

use super::{
    Accumulator, AggregateFunction, Eval, Function, ParamType, Registry, RowSet, SetFunction,
    Volatility,
};
use crate::error::Result;
use crate::expression::EvalContext;
use crate::value::{Type, Value};

/// Collects functions; [`Builder::finish`] makes the registry.
#[derive(Default)]
pub struct Builder {
    functions: Vec<Function>,
    operators: Vec<Function>,
    aggregates: Vec<AggregateFunction>,
    set_functions: Vec<SetFunction>,
}

/// A parsed signature.
struct Signature {
    name: Arc<str>,
    params: Vec<ParamType>,
    is_variadic: bool,
    optional: usize,
    columns: Vec<(Option<Arc<str>>, ParamType)>,
}

/// The code of a set-returning function.
pub type SetEval = fn(&EvalContext<'_>, &[Value]) -> Result<RowSet>;

impl Builder {
    /// Adds a function. It is strict and immutable unless told otherwise.
    pub fn function(&mut self, signature: &str, eval: Eval) -> &mut Function {
        push_function(&mut self.functions, signature, eval)
    }

    /// Adds an operator. It is strict and immutable unless told otherwise.
    pub fn operator(&mut self, signature: &str, eval: Eval) -> &mut Function {
        push_function(&mut self.operators, signature, eval)
    }

    /// Adds an aggregate. It skips rows with NULL arguments unless told otherwise.
    pub fn aggregate(
        &mut self,
        signature: &str,
        start: fn(&[Type]) -> Box<dyn Accumulator>,
    ) -> &mut AggregateFunction {
        let mut parsed = parse(signature);
        let result = parsed.columns.pop().map_or(ParamType::Any, |column| column.1);
        let aggregate = AggregateFunction {
            name: parsed.name,
            params: parsed.params,
            is_variadic: parsed.is_variadic,
            result,
            is_strict: true,
            is_ordered_set: false,
            start,
        };
        push(&mut self.aggregates, aggregate)
    }

    /// Adds a set-returning function. It is strict unless told otherwise.
    pub fn set_function(&mut self, signature: &str, eval: SetEval) -> &mut SetFunction {
        let parsed = parse(signature);
        let function = SetFunction {
            name: parsed.name,
            params: parsed.params,
            is_variadic: parsed.is_variadic,
            optional: parsed.optional,
            columns: parsed.columns,
            is_strict: true,
            eval,
        };
        push(&mut self.set_functions, function)
    }

    /// The registry.
    pub fn finish(self) -> Registry {
        Registry {
            functions: by_name(self.functions, |function| &function.name),
            operators: by_name(self.operators, |function| &function.name),
            aggregates: by_name(self.aggregates, |function| &function.name),
            set_functions: by_name(self.set_functions, |function| &function.name),
        }
    }
}

fn push<T>(list: &mut Vec<T>, item: T) -> &mut T {
    list.push(item);
    let last = list.len() - 1;
    &mut list[last]
}

fn push_function<'a>(list: &'a mut Vec<Function>, signature: &str, eval: Eval) -> &'a mut Function {
    let mut parsed = parse(signature);
    let result = parsed.columns.pop().map_or(ParamType::Any, |column| column.1);
    let function = Function {
        name: parsed.name,
        params: parsed.params,
        is_variadic: parsed.is_variadic,
        optional: parsed.optional,
        result,
        is_strict: true,
        takes_types: false,
        volatility: Volatility::Immutable,
        eval,
    };
    push(list, function)
}

fn by_name<T>(list: Vec<T>, name: fn(&T) -> &Arc<str>) -> HashMap<Arc<str>, Vec<Arc<T>>> {
    let mut map: HashMap<Arc<str>, Vec<Arc<T>>> = HashMap::new();
    for item in list {
        map.entry(name(&item).clone()).or_default().push(Arc::new(item));
    }
    map
}

/// Signatures are part of the program: a wrong one is found by the first test that runs.
fn parse(signature: &str) -> Signature {
    parse_checked(signature).unwrap_or_else(|| panic!("malformed signature: {signature}"))
}

fn parse_checked(signature: &str) -> Option<Signature> {
    let (head, result) = signature.rsplit_once(" -> ")?;
    let open = head.find('(')?;
    let name = head[..open].trim();
    let params = head[open + 1..].trim().strip_suffix(')')?;
    let mut parsed = Signature {
        name: name.into(),
        params: Vec::new(),
        is_variadic: false,
        optional: 0,
        columns: Vec::new(),
    };
    for param in params.split(',').map(str::trim).filter(|param| !param.is_empty()) {
        let (param, is_optional) = match param.strip_prefix('[') {
            // `[]` closes a type, `]` the optional part around it.
            Some(param) => (param.strip_suffix(']')?, true),
            None => (param, false),
        };
        let (param, is_variadic) = match param.strip_prefix("VARIADIC ") {
            Some(param) => (param, true),
            None => (param, false),
        };
        parsed.optional += usize::from(is_optional);
        parsed.is_variadic |= is_variadic;
        parsed.params.push(param_type(param)?);
    }
    parsed.columns = parse_columns(result)?;
    Some(parsed)
}

fn parse_columns(result: &str) -> Option<Vec<(Option<Arc<str>>, ParamType)>> {
    let Some(list) = result.strip_prefix('(').and_then(|list| list.strip_suffix(')')) else {
        return Some(vec![(None, param_type(result)?)]);
    };
    let column = |column: &str| {
        let (name, ty) = column.trim().split_once(' ')?;
        Some((Some(Arc::from(name)), param_type(ty)?))
    };
    list.split(',').map(column).collect()
}

fn param_type(name: &str) -> Option<ParamType> {
    Some(match name {
        "any" => ParamType::Any,
        "anyelement" => ParamType::AnyElement,
        "anynonarray" => ParamType::AnyNonArray,
        "anyarray" => ParamType::AnyArray,
        "anyrange" => ParamType::AnyRange,
        "anyenum" => ParamType::AnyEnum,
        "anycompatible" => ParamType::AnyCompatible,
        "anycompatiblearray" => ParamType::AnyCompatibleArray,
        "\"char\"" => ParamType::Exact(Type::Char),
        name => ParamType::Exact(Type::from_name(name, &[]).ok()??.base),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_read() {
        let parsed = parse("substr(text, int4, [int4]) -> text");
        assert_eq!((&*parsed.name, parsed.params.len(), parsed.optional), ("substr", 3, 1));
        let parsed = parse("|| (anyarray, anyelement) -> anyarray");
        assert_eq!((&*parsed.name, &parsed.params[0]), ("||", &ParamType::AnyArray));
        let parsed = parse("each(jsonb) -> (key text, value text)");
        assert_eq!(parsed.columns.len(), 2);
        assert!(parse("concat(VARIADIC any) -> text").is_variadic);
        assert_eq!(parse("f([int4[]]) -> void").params.len(), 1);
        assert!(parse_checked("nonsense").is_none());
    }
}
