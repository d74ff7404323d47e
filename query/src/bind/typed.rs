//! A bound expression with what binding still needs to know of it.

use crate::expression::Expr;
use crate::value::{SqlType, Type, Value};

/// An expression, its type and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Typed {
    /// The expression.
    pub expr: Expr,
    /// Its type; [`Type::Unknown`] for literals and parameters that context has not decided yet.
    pub ty: SqlType,
    /// Its position in the client's text, in characters from 1.
    pub at: Option<usize>,
    /// The names of a row's fields, when it is one.
    pub fields: Option<Vec<(String, SqlType)>>,
}

impl Typed {
    /// An expression without a position.
    pub(crate) fn new(expr: Expr, ty: impl Into<SqlType>) -> Self {
        Self { expr, ty: ty.into(), at: None, fields: None }
    }

    /// A boolean.
    pub(crate) fn bool(expr: Expr) -> Self {
        Self::new(expr, Type::Bool)
    }

    /// A text constant.
    pub(crate) fn text(text: &str) -> Self {
        Self::new(Expr::Const(Value::text(text)), Type::Text)
    }

    /// An integer constant.
    pub(crate) fn int(number: i32) -> Self {
        Self::new(Expr::Const(Value::Int4(number)), Type::Int4)
    }

    /// The same, at a position.
    pub(crate) fn at(mut self, position: Option<usize>) -> Self {
        self.at = position;
        self
    }

    /// Whether context decides its type.
    pub(crate) fn is_unknown(&self) -> bool {
        self.ty.base == Type::Unknown
    }
}
