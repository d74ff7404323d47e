//! Constants: conversions computed while binding.

use super::BindContext;
use crate::error::Result;
use crate::expression::Expr;
use crate::expression::context::{EvalContext, SlotValues};
use crate::value::{SqlType, Type, Value};

/// Converts a constant.
///
/// # Errors
/// Whatever the conversion fails with.
pub(crate) fn convert(
    ctx: &BindContext<'_>,
    value: Value,
    from: &SqlType,
    to: &SqlType,
    is_explicit: bool,
) -> Result<Expr> {
    let is_text = matches!(to.base, Type::Text | Type::Varchar | Type::Name) && to.modifier == -1;
    if is_text && from.base == Type::Unknown {
        return Ok(Expr::Const(value));
    }
    let cast = Expr::Cast {
        expr: Box::new(Expr::Const(value)),
        from: from.clone(),
        to: to.clone(),
        is_explicit,
    };
    let slots = SlotValues::default();
    let (statement, services) = (ctx.facts, ctx.services);
    // A literal that is no value of its type is an error even where it is never evaluated. Its
    // value may depend on settings (a time zone), so the conversion stays.
    cast.eval(&EvalContext { params: &[], slots: &slots, statement, services }, &[])?;
    Ok(cast)
}
