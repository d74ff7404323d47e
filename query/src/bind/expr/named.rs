//! Arguments by name: `make_interval(days => 10)`.
//!
//! Only functions all of whose parameters may be left out have names here.

use std::sync::LazyLock;

use sqlparser::ast::{Expr as Ast, FunctionArg, FunctionArgExpr, Ident, Value as Literal};

use crate::error::{Error, Result, SqlState};

/// What a parameter that is not given is.
static ABSENT: LazyLock<Ast> =
    LazyLock::new(|| Ast::Value(Literal::Number("0".to_owned(), false).into()));

/// The names of a function's parameters, in order.
fn names(function: &str) -> &'static [&'static str] {
    match function {
        "make_interval" => &["years", "months", "weeks", "days", "hours", "mins", "secs"],
        _ => &[],
    }
}

/// The arguments of a call in the order of the parameters.
///
/// # Errors
/// 42883 for a name that the function does not know, 42601 for one that comes twice or before an
/// argument without a name.
pub(super) fn in_order<'s>(function: &str, args: &'s [FunctionArg]) -> Result<Vec<&'s Ast>> {
    let names = names(function);
    let mut placed: Vec<Option<&Ast>> = vec![None; names.len()];
    let mut is_named = false;
    for (position, arg) in args.iter().enumerate() {
        let (at, value) = match arg {
            FunctionArg::Unnamed(value) if is_named => {
                let message = "positional argument cannot follow named argument";
                return Err(Error::new(SqlState::SYNTAX_ERROR, format!("{message}: {value}")));
            }
            FunctionArg::Unnamed(value) => (position, value),
            FunctionArg::Named { name, arg, .. } => {
                is_named = true;
                (place_of(function, names, name)?, arg)
            }
            FunctionArg::ExprNamed { name: Ast::Identifier(name), arg, .. } => {
                is_named = true;
                (place_of(function, names, name)?, arg)
            }
            FunctionArg::ExprNamed { name, .. } => {
                return Err(unknown(function, &name.to_string()));
            }
        };
        let place = placed.get_mut(at).ok_or_else(|| unknown(function, "?"))?;
        let FunctionArgExpr::Expr(value) = value else {
            return Err(Error::unsupported(format!("argument {value}")));
        };
        if place.replace(value).is_some() {
            let name = names.get(at).copied().unwrap_or_default();
            let message = format!("argument name \"{name}\" used more than once");
            return Err(Error::new(SqlState::SYNTAX_ERROR, message));
        }
    }
    Ok(placed.into_iter().map(|place| place.unwrap_or(&ABSENT)).collect())
}

fn place_of(function: &str, names: &[&str], name: &Ident) -> Result<usize> {
    let name = crate::bind::fold(name);
    let at = names.iter().position(|known| **known == *name);
    at.ok_or_else(|| unknown(function, &name))
}

fn unknown(function: &str, name: &str) -> Error {
    let message = format!("function {function} has no parameter named \"{name}\"");
    Error::new(SqlState::UNDEFINED_FUNCTION, message)
}
