//! Scalar expressions.

pub(crate) use compare::{has_equality, has_order};

mod access;
mod aggregate;
mod call;
mod case;
mod compare;
mod literal;
mod named;
mod operator;
mod special;
mod subquery;
mod user_function;
mod window;

use std::sync::Arc;

use sqlparser::ast::{self, CastKind, Expr as Ast};

use super::binder::{Binder, locate};
use super::typed::Typed;
use super::types::{domain_of, resolve_type};
use crate::error::{Error, Result, SqlState};
use crate::expression::Expr;
use crate::value::{SqlType, Type};

/// Stack left below which binding moves to a new segment, and how large that is.
const RED_ZONE: usize = 128 << 10;
const SEGMENT: usize = 2 << 20;

impl Binder<'_> {
    /// Binds an expression; literals and parameters that nothing decides stay unknown.
    pub(crate) fn bind_expr(&mut self, expr: &Ast) -> Result<Typed> {
        stacker::maybe_grow(RED_ZONE, SEGMENT, || {
            let at = self.at_expr(expr);
            let bound = self.bind_any(expr).map_err(|error| locate(error, at))?;
            Ok(Typed { at: bound.at.or(at), ..bound })
        })
    }

    /// Binds an expression whose type must be known: unknown is text.
    pub(crate) fn bind_settled(&mut self, expr: &Ast) -> Result<Typed> {
        let bound = self.bind_expr(expr)?;
        self.settle(bound)
    }

    /// Binds a condition.
    pub(crate) fn bind_condition(&mut self, expr: &Ast, what: &str) -> Result<Expr> {
        let bound = self.bind_expr(expr)?;
        self.coerce_bool(bound, what)
    }

    /// The type that syntax names.
    pub(crate) fn resolve_type(&self, ty: &ast::DataType) -> Result<SqlType> {
        resolve_type(self.ctx.catalog, &self.ctx.facts.search_path, ty)
    }

    fn bind_any(&mut self, expr: &Ast) -> Result<Typed> {
        match expr {
            Ast::Identifier(name) => self.bind_name(name),
            Ast::CompoundIdentifier(parts) => self.bind_qualified(parts),
            Ast::Value(value) => self.bind_literal(value),
            Ast::Nested(inner) => self.bind_expr(inner),
            Ast::BinaryOp { left, op, right } => self.bind_binary(expr, left, op, right),
            Ast::UnaryOp { op, expr: operand } => self.bind_unary(*op, operand),
            Ast::Cast { kind, expr, data_type, .. } => self.bind_cast(kind, expr, data_type),
            Ast::TypedString(literal) => self.bind_typed_literal(literal),
            Ast::Interval(interval) => self.bind_interval(interval),
            Ast::Function(call) => self.bind_call(call),
            Ast::Case { operand, conditions, else_result, .. } => {
                self.bind_case(operand.as_deref(), conditions, else_result.as_deref())
            }
            Ast::Subquery(_) | Ast::Exists { .. } | Ast::InSubquery { .. } => {
                self.bind_subquery(expr)
            }
            Ast::InList { expr: value, list, negated } => self.bind_in_list(value, list, *negated),
            Ast::AnyOp { left, compare_op, right, .. } => {
                self.bind_quantified(left, compare_op, right, true)
            }
            Ast::AllOp { left, compare_op, right } => {
                self.bind_quantified(left, compare_op, right, false)
            }
            Ast::Tuple(parts) => self.bind_row(parts),
            Ast::Array(array) => self.bind_array(&array.elem),
            Ast::CompoundFieldAccess { root, access_chain } => self.bind_access(root, access_chain),
            _ => self.bind_test(expr),
        }
    }

    /// Tests: `IS …`, BETWEEN, LIKE.
    fn bind_test(&mut self, expr: &Ast) -> Result<Typed> {
        match expr {
            Ast::IsNull(value) => self.bind_is_null(value, false),
            Ast::IsNotNull(value) => self.bind_is_null(value, true),
            Ast::IsTrue(value) => self.bind_is_truth(value, Some(true), false, "IS TRUE"),
            Ast::IsNotTrue(value) => self.bind_is_truth(value, Some(true), true, "IS NOT TRUE"),
            Ast::IsFalse(value) => self.bind_is_truth(value, Some(false), false, "IS FALSE"),
            Ast::IsNotFalse(value) => self.bind_is_truth(value, Some(false), true, "IS NOT FALSE"),
            Ast::IsUnknown(value) => self.bind_is_truth(value, None, false, "IS UNKNOWN"),
            Ast::IsNotUnknown(value) => self.bind_is_truth(value, None, true, "IS NOT UNKNOWN"),
            Ast::IsDistinctFrom(left, right) => self.bind_is_distinct(left, right, false),
            Ast::IsNotDistinctFrom(left, right) => self.bind_is_distinct(left, right, true),
            Ast::Between { expr, negated, low, high } => {
                self.bind_between(expr, *negated, low, high)
            }
            _ => self.bind_special(expr),
        }
    }

    fn bind_cast(&mut self, kind: &CastKind, expr: &Ast, ty: &ast::DataType) -> Result<Typed> {
        if !matches!(kind, CastKind::Cast | CastKind::DoubleColon) {
            return Err(Error::unsupported("TRY_CAST"));
        }
        let to = self.resolve_type(ty)?;
        self.note_type(ty);
        // `ARRAY[]::int[]`: the cast decides the elements' type.
        let inner = strip(expr);
        if let (Ast::Array(array), Type::Array(element)) = (inner, &to.base)
            && array.elem.is_empty()
        {
            let element = element.as_ref().clone();
            return Ok(Typed::new(Expr::Array { elements: Vec::new(), element }, to));
        }
        let value = self.bind_expr(expr)?;
        let value = self.cast(value, &to)?;
        let catalog = Arc::clone(self.ctx.catalog);
        match domain_of(&catalog, &self.ctx.facts.search_path, ty) {
            Some(domain) => self.checked_by(domain, value),
            None => Ok(value),
        }
    }
}

/// An expression without the parentheses around it.
pub(crate) fn strip(expr: &Ast) -> &Ast {
    match expr {
        Ast::Nested(inner) => strip(inner),
        other => other,
    }
}

/// A call that does not exist.
pub(crate) fn no_function(name: &str, types: &[String], at: Option<usize>) -> Error {
    let message = format!("function {name}({}) does not exist", types.join(", "));
    let error = Error::new(SqlState::UNDEFINED_FUNCTION, message).with_hint(
        "No function matches the given name and argument types. \
         You might need to add explicit type casts.",
    );
    locate(error, at)
}
