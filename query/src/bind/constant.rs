//! Constants: conversions computed while binding.

use super::BindContext;
use crate::error::Result;
use crate::expression::Expr;
use crate::value::{SqlType, Type, Value};

/// Converts a constant.
///
/// # Errors
/// Whatever the conversion fails with.
pub(crate) fn convert(
    _ctx: &BindContext<'_>,
    value: Value,
    from: &SqlType,
    to: &SqlType,
    is_explicit: bool,
) -> Result<Expr> {
    let is_text = matches!(to.base, Type::Text | Type::Varchar | Type::Name) && to.modifier == -1;
    if is_text && from.base == Type::Unknown {
        return Ok(Expr::Const(value));
    }
    Ok(Expr::Cast {
        expr: Box::new(Expr::Const(value)),
        from: from.clone(),
        to: to.clone(),
        is_explicit,
    })
}
