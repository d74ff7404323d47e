//! Which of several functions or operators a call means (Postgres manual, 10.2 and 10.3).

use super::types::is_implicit;
use crate::expression::functions::{ParamType, common_type};
use crate::value::{Category, Type};

/// What a candidate looks like to the resolution.
#[derive(Clone, Copy)]
pub(crate) struct Signature<'a> {
    /// What it takes.
    pub params: &'a [ParamType],
    /// Whether the last parameter repeats.
    pub is_variadic: bool,
    /// How many trailing parameters may be left out.
    pub optional: usize,
}

/// A chosen candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// Its position among the candidates.
    pub index: usize,
    /// The type that each argument is converted to; `None` keeps its own (`"any"`).
    pub args: Vec<Option<Type>>,
    /// How many arguments belong to parameters of their own; the others repeat the last one.
    pub fixed: usize,
    /// Whether what repeats may be of any type: then it is not made an array.
    pub is_any: bool,
    /// What the polymorphic parameters stand for.
    pub polymorphic: Polymorphic,
}

/// What polymorphic parameters stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Polymorphic {
    /// `anyelement`, `anyarray`, `anyrange`, `anyenum`
    element: Option<Type>,
    /// `anycompatible`, `anycompatiblearray`
    compatible: Option<Type>,
}

impl Polymorphic {
    /// The type that a parameter or result stands for; `None` for `"any"`.
    pub(crate) fn apply(&self, param: &ParamType) -> Option<Type> {
        let array = |element: &Option<Type>| element.clone().map(|ty| Type::Array(Box::new(ty)));
        match param {
            ParamType::Exact(ty) => Some(ty.clone()),
            ParamType::AnyElement | ParamType::AnyNonArray | ParamType::AnyEnum => {
                self.element.clone()
            }
            ParamType::AnyArray => array(&self.element),
            ParamType::AnyRange => self.element.clone().map(|ty| Type::Range(Box::new(ty))),
            ParamType::AnyCompatible => self.compatible.clone(),
            ParamType::AnyCompatibleArray => array(&self.compatible),
            ParamType::Any => None,
        }
    }
}

/// Why nothing was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No candidate takes the arguments.
    None,
    /// Several do, equally well.
    Ambiguous,
}

/// A candidate spread out over the arguments of a call.
struct Candidate<'a> {
    index: usize,
    params: Vec<&'a ParamType>,
    fixed: usize,
    polymorphic: Polymorphic,
}

/// Chooses among candidates for a call with arguments of these types.
pub(crate) fn choose(
    signatures: &[Signature<'_>],
    args: &[Type],
    is_operator: bool,
) -> Result<Choice, Failure> {
    let spread = signatures.iter().enumerate();
    let mut candidates: Vec<Candidate<'_>> =
        spread.filter_map(|(index, signature)| spread_out(index, signature, args)).collect();
    if let Some(exact) = exact_match(&candidates, args, is_operator) {
        return Ok(finish(&candidates[exact], args));
    }
    narrow(&mut candidates, args);
    match candidates.as_slice() {
        [] => Err(Failure::None),
        [only] => Ok(finish(only, args)),
        _ => Err(Failure::Ambiguous),
    }
}

/// Lays a signature over the arguments; `None` when it does not take them.
fn spread_out<'a>(index: usize, signature: &Signature<'a>, args: &[Type]) -> Option<Candidate<'a>> {
    let declared = signature.params.len();
    let own = if signature.is_variadic { declared - 1 } else { declared };
    let fits = if signature.is_variadic {
        args.len() >= own.saturating_sub(signature.optional)
    } else {
        args.len() <= declared && args.len() + signature.optional >= declared
    };
    if !fits {
        return None;
    }
    let fixed = own.min(args.len());
    let params: Vec<&ParamType> =
        (0..args.len()).map(|position| &signature.params[position.min(declared - 1)]).collect();
    let polymorphic = stand_for(&params, args)?;
    let accepts = params.iter().zip(args).all(|(param, arg)| match polymorphic.apply(param) {
        None => true,
        Some(ty) => *arg == Type::Unknown || is_implicit(arg, &ty),
    });
    accepts.then_some(Candidate { index, params, fixed, polymorphic })
}

/// What polymorphic parameters stand for, given the arguments; `None` when these do not agree.
fn stand_for(params: &[&ParamType], args: &[Type]) -> Option<Polymorphic> {
    let mut element: Option<Type> = None;
    let mut compatible: Vec<Type> = Vec::new();
    let mut is_polymorphic = (false, false);
    for (param, arg) in params.iter().zip(args) {
        let part = match param {
            ParamType::Exact(_) | ParamType::Any => continue,
            ParamType::AnyElement | ParamType::AnyCompatible => Some(arg.clone()),
            ParamType::AnyNonArray => match arg {
                // Two unknown sides are both text.
                Type::Unknown => return None,
                arg if arg.element().is_some() => return None,
                _ => Some(arg.clone()),
            },
            ParamType::AnyEnum => match arg {
                Type::Enum(_) | Type::Unknown => Some(arg.clone()),
                _ => return None,
            },
            ParamType::AnyArray | ParamType::AnyCompatibleArray => match arg {
                Type::Unknown => Some(Type::Unknown),
                arg => Some(arg.element()?.clone()),
            },
            ParamType::AnyRange => match arg {
                Type::Range(element) => Some(element.as_ref().clone()),
                Type::Unknown => Some(Type::Unknown),
                _ => return None,
            },
        };
        let is_compatible =
            matches!(param, ParamType::AnyCompatible | ParamType::AnyCompatibleArray);
        let part = part.unwrap_or(Type::Unknown);
        if is_compatible {
            is_polymorphic.1 = true;
            compatible.push(part);
            continue;
        }
        is_polymorphic.0 = true;
        match &element {
            _ if part == Type::Unknown => {}
            None => element = Some(part),
            Some(known) if *known == part => {}
            Some(_) => return None,
        }
    }
    let compatible = if is_polymorphic.1 { Some(common_type(&compatible)?) } else { None };
    let element = if is_polymorphic.0 { Some(element.unwrap_or(Type::Text)) } else { None };
    Some(Polymorphic { element, compatible })
}

/// A candidate that takes exactly these types. Of an operator with one unknown side, both sides
/// are first taken to be of the known side's type.
fn exact_match(candidates: &[Candidate<'_>], args: &[Type], is_operator: bool) -> Option<usize> {
    let find = |args: &[Type]| {
        candidates.iter().position(|candidate| {
            let pairs = candidate.params.iter().zip(args);
            candidate.fixed == args.len()
                && pairs
                    .into_iter()
                    .all(|(param, arg)| matches!(param, ParamType::Exact(ty) if ty == arg))
        })
    };
    if let Some(exact) = find(args) {
        return Some(exact);
    }
    match args {
        [Type::Unknown, known] | [known, Type::Unknown]
            if is_operator && *known != Type::Unknown =>
        {
            find(&[known.clone(), known.clone()])
        }
        _ => None,
    }
}

/// Drops the candidates that fit less well, step by step.
fn narrow(candidates: &mut Vec<Candidate<'_>>, args: &[Type]) {
    if candidates.len() <= 1 {
        return;
    }
    keep_best(candidates, |candidate| {
        let pairs = candidate.params.iter().zip(args);
        pairs.filter(|(param, arg)| matches!(param, ParamType::Exact(ty) if ty == *arg)).count()
    });
    if candidates.len() <= 1 {
        return;
    }
    keep_best(candidates, |candidate| {
        let pairs = candidate.params.iter().zip(args);
        let known = pairs.filter(|(_, arg)| **arg != Type::Unknown);
        let good = known.filter(|(param, arg)| match param {
            ParamType::Exact(ty) => {
                ty == *arg || (ty.is_preferred() && ty.category() == arg.category())
            }
            _ => false,
        });
        good.count()
    });
    if candidates.len() > 1 && args.contains(&Type::Unknown) {
        narrow_unknown(candidates, args);
    }
}

/// Keeps the candidates of the highest score.
fn keep_best(candidates: &mut Vec<Candidate<'_>>, score: impl Fn(&Candidate<'_>) -> usize) {
    let best = candidates.iter().map(&score).max().unwrap_or(0);
    candidates.retain(|candidate| score(candidate) == best);
}

/// Decides by what the candidates take where the arguments are unknown.
fn narrow_unknown(candidates: &mut Vec<Candidate<'_>>, args: &[Type]) {
    let mut is_decided = true;
    for (position, arg) in args.iter().enumerate() {
        if *arg != Type::Unknown {
            continue;
        }
        let types: Vec<Type> = candidates
            .iter()
            .filter_map(|candidate| candidate.polymorphic.apply(candidate.params[position]))
            .collect();
        let mut categories = types.iter().map(Type::category);
        let first = categories.next();
        let wanted = if types.iter().any(|ty| ty.category() == Category::String) {
            Some(Category::String)
        } else if categories.all(|other| Some(other) == first) {
            first
        } else {
            None
        };
        let Some(wanted) = wanted else {
            is_decided = false;
            break;
        };
        let has_preferred = types.iter().any(|ty| ty.category() == wanted && ty.is_preferred());
        candidates.retain(|candidate| {
            let ty = candidate.polymorphic.apply(candidate.params[position]);
            ty.is_none_or(|ty| ty.category() == wanted && (!has_preferred || ty.is_preferred()))
        });
    }
    if is_decided && candidates.len() <= 1 {
        return;
    }
    let known: Vec<&Type> = args.iter().filter(|arg| **arg != Type::Unknown).collect();
    let Some(first) = known.first().filter(|first| known.iter().all(|ty| ty == *first)) else {
        return;
    };
    let fits = |candidate: &Candidate<'_>| {
        let mut params = candidate.params.iter().zip(args);
        params.all(|(param, arg)| {
            *arg != Type::Unknown
                || candidate.polymorphic.apply(param).is_none_or(|ty| is_implicit(first, &ty))
        })
    };
    if candidates.iter().filter(|candidate| fits(candidate)).count() == 1 {
        candidates.retain(fits);
    }
}

fn finish(candidate: &Candidate<'_>, args: &[Type]) -> Choice {
    let pairs = candidate.params.iter().zip(args);
    let types = pairs.map(|(param, arg)| match candidate.polymorphic.apply(param) {
        None if *arg == Type::Unknown => Some(Type::Text),
        ty => ty,
    });
    Choice {
        index: candidate.index,
        args: types.collect(),
        fixed: candidate.fixed,
        is_any: matches!(candidate.params.last(), Some(ParamType::Any)),
        polymorphic: candidate.polymorphic.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pick(signatures: &[&[Type]], args: &[Type], is_operator: bool) -> Result<usize, Failure> {
        let params: Vec<Vec<ParamType>> = signatures
            .iter()
            .map(|types| types.iter().cloned().map(ParamType::Exact).collect())
            .collect();
        let signatures: Vec<Signature<'_>> = params
            .iter()
            .map(|params| Signature { params, is_variadic: false, optional: 0 })
            .collect();
        choose(&signatures, args, is_operator).map(|choice| choice.index)
    }

    #[test]
    fn numbers_choose_the_nearest_operator() {
        use Type::{Float8, Int4, Int8, Numeric};
        let plus: &[&[Type]] =
            &[&[Int4, Int4], &[Int8, Int8], &[Numeric, Numeric], &[Float8, Float8]];
        assert_eq!(pick(plus, &[Int4, Int4], true), Ok(0));
        assert_eq!(pick(plus, &[Int4, Type::Unknown], true), Ok(0));
        assert_eq!(pick(plus, &[Int4, Numeric], true), Ok(2));
        assert_eq!(pick(plus, &[Type::Int2, Type::Int2], true), Ok(3));
        assert_eq!(pick(plus, &[Int4, Type::Text], true), Err(Failure::None));
    }

    #[test]
    fn unknown_prefers_strings() {
        use Type::{Bytea, Text, Unknown};
        assert_eq!(pick(&[&[Bytea], &[Text]], &[Unknown], false), Ok(1));
        assert_eq!(pick(&[&[Type::Int4], &[Type::Float8]], &[Unknown], false), Ok(1));
        let mixed: &[&[Type]] = &[&[Type::Int4], &[Type::Date]];
        assert_eq!(pick(mixed, &[Unknown], false), Err(Failure::Ambiguous));
    }

    #[test]
    fn polymorphic_parameters_follow_the_arguments() {
        let params = [ParamType::AnyArray, ParamType::AnyElement];
        let signatures = [Signature { params: &params, is_variadic: false, optional: 0 }];
        let array = Type::Array(Box::new(Type::Int4));
        let choice = choose(&signatures, &[array.clone(), Type::Unknown], false).unwrap();
        assert_eq!(choice.args, [Some(array.clone()), Some(Type::Int4)]);
        assert_eq!(choose(&signatures, &[array, Type::Text], false), Err(Failure::None));
    }
}
