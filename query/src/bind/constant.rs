//! Constants: conversions checked while binding.

use super::BindContext;
use crate::error::Result;
use crate::expression::Expr;
use crate::expression::context::{EvalContext, SlotValues};
use crate::value::{SqlType, Type, Value};

/// A constant in another type. Its value may depend on settings (a time zone), so the conversion
/// stays.
pub(crate) fn converted(value: Value, from: SqlType, to: SqlType, is_explicit: bool) -> Expr {
    let expr = Expr::Const(value);
    if is_text(&from, &to) {
        return expr;
    }
    Expr::Cast { expr: Box::new(expr), from, to, is_explicit }
}

/// A literal that is no value of its type is an error even where it is never evaluated.
///
/// # Errors
/// Whatever the conversion fails with.
pub(crate) fn check(
    ctx: &BindContext<'_>,
    value: Value,
    from: &SqlType,
    to: &SqlType,
    is_explicit: bool,
) -> Result<()> {
    if is_text(from, to) {
        return Ok(());
    }
    let cast = converted(value, from.clone(), to.clone(), is_explicit);
    let slots = SlotValues::default();
    let (statement, services) = (ctx.facts, ctx.services);
    cast.eval(&EvalContext { params: &[], slots: &slots, statement, services }, &[]).map(|_| ())
}

/// Whether a literal is a value of the type as it stands.
fn is_text(from: &SqlType, to: &SqlType) -> bool {
    let is_text = matches!(to.base, Type::Text | Type::Varchar | Type::Name) && to.modifier == -1;
    is_text && from.base == Type::Unknown
}
