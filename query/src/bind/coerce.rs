//! Conversions: of literals when context decides their type, implicit, on assignment, explicit.

use std::cmp::Ordering;

use super::binder::{Binder, locate};
use super::scope::Clause;
use super::typed::Typed;
use super::types::{CastContext, cast_context};
use crate::error::{Error, Result, SqlState};
use crate::expression::Expr;
use crate::expression::cast::{CastMethod, find_cast};
use crate::expression::functions::common_type;
use crate::value::{SqlType, Type, Value};

impl Binder<'_> {
    /// Converts to a type if the context allows it; `None` when it does not.
    ///
    /// # Errors
    /// What a literal that is no value of the type gives.
    pub(crate) fn try_coerce(
        &mut self,
        value: Typed,
        to: &SqlType,
        context: CastContext,
    ) -> Result<Option<Typed>> {
        if value.is_unknown() {
            return self.decide(value, to, context).map(Some);
        }
        match cast_context(&value.ty.base, &to.base) {
            Some(needed) if needed <= context => self.convert(value, to, context).map(Some),
            _ => Ok(None),
        }
    }

    /// Converts by itself, or fails with the words of a wrong argument.
    ///
    /// # Errors
    /// 42804.
    pub(crate) fn coerce_to(&mut self, value: Typed, to: &Type, what: &str) -> Result<Typed> {
        let (from, at) = (self.type_name(&value.ty), value.at);
        match self.try_coerce(value, &SqlType::new(to.clone()), CastContext::Assignment)? {
            Some(value) => Ok(value),
            None => {
                let to = self.names().of(to);
                let message = format!("argument of {what} must be type {to}, not type {from}");
                Err(locate(Error::new(SqlState::DATATYPE_MISMATCH, message), at))
            }
        }
    }

    /// A condition.
    ///
    /// # Errors
    /// 42804 when it is not boolean.
    pub(crate) fn coerce_bool(&mut self, value: Typed, what: &str) -> Result<Expr> {
        if !value.is_unknown() && value.ty.base != Type::Bool {
            let from = self.type_name(&value.ty);
            let message = format!("argument of {what} must be type boolean, not type {from}");
            return Err(locate(Error::new(SqlState::DATATYPE_MISMATCH, message), value.at));
        }
        Ok(self.coerce_to(value, &Type::Bool, what)?.expr)
    }

    /// `CAST(value AS to)`
    ///
    /// # Errors
    /// 42846 when there is no such cast.
    pub(crate) fn cast(&mut self, value: Typed, to: &SqlType) -> Result<Typed> {
        let (from, at) = (self.type_name(&value.ty), value.at);
        match self.try_coerce(value, to, CastContext::Explicit)? {
            Some(value) => Ok(value),
            None => {
                let message = format!("cannot cast type {from} to {}", self.type_name(to));
                Err(locate(Error::new(SqlState::CANNOT_COERCE, message), at))
            }
        }
    }

    /// What is written to a column.
    ///
    /// # Errors
    /// 42804 when it cannot be.
    pub(crate) fn assign(&mut self, value: Typed, column: &str, to: &SqlType) -> Result<Expr> {
        let (from, at) = (self.type_name(&value.ty), value.at);
        match self.try_coerce(value, to, CastContext::Assignment)? {
            Some(value) => Ok(value.expr),
            None => {
                let to = self.type_name(to);
                let what = if self.is_in(Clause::Default) { "default " } else { "" };
                let message = format!(
                    "column \"{column}\" is of type {to} but {what}expression is of type {from}"
                );
                let error = Error::new(SqlState::DATATYPE_MISMATCH, message)
                    .with_hint("You will need to rewrite or cast the expression.");
                Err(locate(error, at))
            }
        }
    }

    /// Gives a literal or parameter the type that its context asks for.
    fn decide(&mut self, value: Typed, to: &SqlType, context: CastContext) -> Result<Typed> {
        let at = value.at;
        let done = |expr| Ok(Typed { expr, ty: to.clone(), at, fields: None });
        match value.expr {
            Expr::Const(Value::Null) => done(Expr::Const(Value::Null)),
            Expr::Param(param) => {
                self.decide_param(param, to).map_err(|error| locate(error, at))?;
                let ty = SqlType::new(to.base.clone());
                self.convert(Typed { expr: Expr::Param(param), ty, at, fields: None }, to, context)
            }
            expr => {
                if let (Expr::Const(Value::Text(text)), Type::RegClass) = (&expr, &to.base) {
                    self.note_literal(text, at);
                }
                let cast = Expr::Cast {
                    expr: Box::new(expr),
                    from: SqlType::new(Type::Unknown),
                    to: to.clone(),
                    is_explicit: context == CastContext::Explicit,
                };
                done(self.fold(cast).map_err(|error| locate(error, at))?)
            }
        }
    }

    /// Converts what may be converted.
    fn convert(&mut self, value: Typed, to: &SqlType, context: CastContext) -> Result<Typed> {
        let at = value.at;
        if let (Type::Record, Type::Row(oid)) = (&value.ty.base, &to.base) {
            return self.convert_record(value, *oid, context);
        }
        let is_resized = to.modifier != -1 && value.ty.modifier != to.modifier;
        let fields = if matches!(to.base, Type::Record) { value.fields.clone() } else { None };
        if !is_resized && is_relabelled(&value.ty.base, &to.base) {
            return Ok(Typed { ty: to.clone(), ..value });
        }
        if value.ty.base == to.base && !is_resized {
            return Ok(value);
        }
        let cast = Expr::Cast {
            expr: Box::new(value.expr),
            from: value.ty,
            to: to.clone(),
            is_explicit: context == CastContext::Explicit,
        };
        let expr = self.fold(cast).map_err(|error| locate(error, at))?;
        Ok(Typed { expr, ty: to.clone(), at, fields })
    }

    /// `ROW(…)` as a row of a named type: field by field.
    fn convert_record(&mut self, value: Typed, oid: u32, context: CastContext) -> Result<Typed> {
        let ty = SqlType::new(Type::Row(oid));
        let wanted = self.ctx.catalog.row_fields(oid).unwrap_or_default();
        let cannot = |binder: &Self, detail: &str| {
            let message = format!("cannot cast type record to {}", binder.type_name(&ty));
            let error = Error::new(SqlState::CANNOT_COERCE, message);
            let error = if detail.is_empty() { error } else { error.with_detail(detail) };
            locate(error, value.at)
        };
        let (Expr::Record(parts), Some(given)) = (&value.expr, &value.fields) else {
            return Err(cannot(self, ""));
        };
        match parts.len().cmp(&wanted.len()) {
            Ordering::Less => return Err(cannot(self, "Input has too few columns.")),
            Ordering::Greater => return Err(cannot(self, "Input has too many columns.")),
            Ordering::Equal => {}
        }
        let mut made = Vec::with_capacity(parts.len());
        for ((part, (_, from)), (_, to)) in parts.iter().zip(given).zip(&wanted) {
            // A literal in a row was taken as text for want of better.
            let is_literal = matches!(part, Expr::Const(Value::Text(_) | Value::Null));
            let from = if is_literal { SqlType::new(Type::Unknown) } else { from.clone() };
            let part = Typed::new(part.clone(), from).at(value.at);
            let part = self.try_coerce(part, to, context)?;
            made.push(part.ok_or_else(|| cannot(self, ""))?.expr);
        }
        let (expr, fields) = (Expr::Record(made), Some(wanted));
        Ok(Typed { expr, ty, at: value.at, fields })
    }

    /// Makes several values one type: for CASE, COALESCE, ARRAY, VALUES, UNION.
    ///
    /// # Errors
    /// 42804 when they have none in common.
    pub(crate) fn unify(
        &mut self,
        values: Vec<Typed>,
        what: &str,
    ) -> Result<(Vec<Typed>, SqlType)> {
        let to = self.common(&values, what)?;
        let values = values.into_iter().map(|value| self.unify_one(value, &to, what));
        Ok((values.collect::<Result<Vec<_>>>()?, to))
    }

    /// The type that several values become; a modifier stays when all of them have it.
    ///
    /// # Errors
    /// 42804 when they have none in common.
    pub(crate) fn common(&mut self, values: &[Typed], what: &str) -> Result<SqlType> {
        let mut types = Vec::new();
        for value in values {
            types.push(value.ty.base.clone());
            if common_type(&types).is_none() {
                let known = types.iter().find(|ty| **ty != Type::Unknown);
                let first = known.map(|ty| self.names().of(ty)).unwrap_or_default();
                let second = self.type_name(&value.ty);
                let message = format!("{what} types {first} and {second} cannot be matched");
                return Err(locate(Error::new(SqlState::DATATYPE_MISMATCH, message), value.at));
            }
        }
        let base = common_type(&types).unwrap_or(Type::Text);
        let mut modifiers =
            values.iter().map(|value| if value.ty.base == base { value.ty.modifier } else { -1 });
        let first = modifiers.next().unwrap_or(-1);
        let modifier = if modifiers.all(|modifier| modifier == first) { first } else { -1 };
        Ok(SqlType { base, modifier })
    }

    /// Converts one of several values to their common type.
    ///
    /// # Errors
    /// 42846 when only that one cannot be converted.
    pub(crate) fn unify_one(&mut self, value: Typed, to: &SqlType, what: &str) -> Result<Typed> {
        let (from, at) = (self.type_name(&value.ty), value.at);
        let to_plain = SqlType::new(to.base.clone());
        match self.try_coerce(value, &to_plain, CastContext::Implicit)? {
            Some(value) => Ok(value),
            None => {
                let to = self.type_name(to);
                let message = format!("{what} could not convert type {from} to {to}");
                Err(locate(Error::new(SqlState::CANNOT_COERCE, message), at))
            }
        }
    }

    /// A value whose type nothing decided is text.
    ///
    /// # Errors
    /// None in practice.
    pub(crate) fn settle(&mut self, value: Typed) -> Result<Typed> {
        if !value.is_unknown() {
            return Ok(value);
        }
        self.decide(value, &SqlType::new(Type::Text), CastContext::Implicit)
    }

    /// Computes a conversion of a constant now, so that a literal that is no value of its type
    /// fails with its position.
    ///
    /// # Errors
    /// Whatever the conversion fails with.
    pub(crate) fn fold(&self, cast: Expr) -> Result<Expr> {
        let Expr::Cast { expr, from, to, is_explicit } = cast else { return Ok(cast) };
        let Expr::Const(value) = *expr else {
            return Ok(Expr::Cast { expr, from, to, is_explicit });
        };
        if value.is_null() {
            return Ok(Expr::Const(Value::Null));
        }
        // Whether a default fits is seen when it is written.
        let is_default = self.is_in(Clause::Default);
        if is_default && from.base != Type::Unknown {
            let expr = Box::new(Expr::Const(value));
            return Ok(Expr::Cast { expr, from, to, is_explicit });
        }
        let checked = if is_default { SqlType::new(to.base.clone()) } else { to.clone() };
        super::constant::check(&self.ctx, value.clone(), &from, &checked, is_explicit)?;
        Ok(super::constant::converted(value, from, to, is_explicit))
    }
}

/// Whether values of one type are values of the other as they stand.
fn is_relabelled(from: &Type, to: &Type) -> bool {
    find_cast(from, to, CastContext::Explicit) == Some(CastMethod::Relabel)
}
