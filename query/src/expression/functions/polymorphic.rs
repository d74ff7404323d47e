//! Polymorphic signatures: what `anyelement`, `anyarray`, `anycompatible` stand for in a call.
//!
//! Postgres' manual, 38.2.5 (polymorphic types) and 10.5 (common types).

use super::ParamType;
use crate::expression::cast::{CastContext, find_cast};
use crate::value::{Category, Type};

/// A signature with the types of one call filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The type that each argument must have, variadic ones spread out.
    pub params: Vec<Type>,
    /// What the call returns.
    pub result: Type,
}

/// The parameter that an argument goes to: variadic parameters repeat.
fn param_at(params: &[ParamType], is_variadic: bool, position: usize) -> Option<&ParamType> {
    match params.get(position) {
        None if is_variadic => params.last(),
        param => param,
    }
}

/// Fills the types of a call into a signature; `None` when they contradict each other. Whether
/// arguments of [`ParamType::Exact`] can become their parameters is not looked at.
pub fn instantiate(
    params: &[ParamType],
    is_variadic: bool,
    result: &ParamType,
    args: &[Type],
) -> Option<Instance> {
    let mut element: Option<Type> = None;
    let mut compatible: Vec<Type> = Vec::new();
    for (position, arg) in args.iter().enumerate() {
        if *arg == Type::Unknown {
            continue;
        }
        let bound = match param_at(params, is_variadic, position)? {
            ParamType::AnyElement => arg.clone(),
            ParamType::AnyNonArray => match arg {
                arg if arg.element().is_some() => return None,
                _ => arg.clone(),
            },
            ParamType::AnyArray => arg.element()?.clone(),
            ParamType::AnyRange => match arg {
                Type::Range(of) => (**of).clone(),
                _ => return None,
            },
            ParamType::AnyEnum => match arg {
                Type::Enum(_) => arg.clone(),
                _ => return None,
            },
            ParamType::AnyCompatible => {
                compatible.push(arg.clone());
                continue;
            }
            ParamType::AnyCompatibleArray => {
                compatible.push(arg.element()?.clone());
                continue;
            }
            ParamType::Exact(_) | ParamType::Any => continue,
        };
        match &element {
            None => element = Some(bound),
            Some(element) if *element == bound => {}
            Some(_) => return None,
        }
    }
    let compatible = if compatible.is_empty() { None } else { Some(common_type(&compatible)?) };
    let binding = Binding { element, compatible };
    let filled = args
        .iter()
        .enumerate()
        .map(|(position, arg)| binding.fill(param_at(params, is_variadic, position)?, Some(arg)));
    Some(Instance { params: filled.collect::<Option<_>>()?, result: binding.fill(result, None)? })
}

struct Binding {
    element: Option<Type>,
    compatible: Option<Type>,
}

impl Binding {
    /// The type of a parameter; the result (without argument) must follow from the others.
    fn fill(&self, param: &ParamType, arg: Option<&Type>) -> Option<Type> {
        // Arguments that are all of unknown type are taken as text.
        let element = || self.element.clone().unwrap_or(Type::Text);
        let compatible = || self.compatible.clone().unwrap_or(Type::Text);
        Some(match param {
            ParamType::Exact(ty) => ty.clone(),
            ParamType::AnyElement | ParamType::AnyNonArray => element(),
            ParamType::AnyEnum => self.element.clone()?,
            ParamType::AnyArray => element().array(),
            ParamType::AnyRange => Type::Range(Box::new(self.element.clone()?)),
            ParamType::AnyCompatible => compatible(),
            ParamType::AnyCompatibleArray => compatible().array(),
            ParamType::Any => arg.cloned().unwrap_or(Type::Text),
        })
    }
}

/// The type that all of these become in UNION, CASE, ARRAY and their like; `None` when there is
/// none.
pub fn common_type(types: &[Type]) -> Option<Type> {
    let known: Vec<&Type> = types.iter().filter(|ty| **ty != Type::Unknown).collect();
    let Some(first) = known.first() else { return Some(Type::Text) };
    if known.iter().all(|ty| ty == first) {
        return Some((*first).clone());
    }
    let mut candidate = (*first).clone();
    for ty in &known[1..] {
        if **ty == candidate {
            continue;
        }
        if ty.category() != candidate.category() && candidate.category() != Category::Unknown {
            return None;
        }
        let becomes = |from: &Type, to: &Type| find_cast(from, to, CastContext::Implicit).is_some();
        if !candidate.is_preferred() && becomes(&candidate, ty) && !becomes(ty, &candidate) {
            candidate = (*ty).clone();
        }
    }
    let all = known
        .iter()
        .all(|ty| **ty == candidate || find_cast(ty, &candidate, CastContext::Implicit).is_some());
    all.then_some(candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_and_arrays_agree() {
        let params = [ParamType::AnyArray, ParamType::AnyElement];
        let ints = Type::Int4.array();
        let args = [ints.clone(), Type::Int4];
        let call = instantiate(&params, false, &ParamType::AnyArray, &args).unwrap();
        assert_eq!(call.result, ints);
        let args = [ints.clone(), Type::Text];
        assert!(instantiate(&params, false, &ParamType::AnyArray, &args).is_none());
        let args = [ints, Type::Unknown];
        let call = instantiate(&params, false, &ParamType::AnyArray, &args).unwrap();
        assert_eq!(call.params[1], Type::Int4);
    }

    #[test]
    fn compatible_arguments_find_a_common_type() {
        let params = [ParamType::AnyCompatibleArray, ParamType::AnyCompatible];
        let args = [Type::Int4.array(), Type::Numeric];
        let result = ParamType::AnyCompatibleArray;
        let call = instantiate(&params, false, &result, &args).unwrap();
        assert_eq!(call.params, [Type::Numeric.array(), Type::Numeric]);
    }

    #[test]
    fn common_types_are_postgres() {
        assert_eq!(common_type(&[Type::Int4, Type::Int8]), Some(Type::Int8));
        assert_eq!(common_type(&[Type::Numeric, Type::Int4]), Some(Type::Numeric));
        assert_eq!(common_type(&[Type::Unknown, Type::Unknown]), Some(Type::Text));
        assert_eq!(common_type(&[Type::Date, Type::TimestampTz]), Some(Type::TimestampTz));
        assert_eq!(common_type(&[Type::Varchar, Type::Text]), Some(Type::Varchar));
        assert_eq!(common_type(&[Type::Int4, Type::Text]), None);
    }
}
