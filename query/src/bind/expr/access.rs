//! Subscripts, slices and fields: `a[1]`, `a[2:3]`, `(row).field`.

use sqlparser::ast::{AccessExpr, Expr as Ast, Subscript};

use super::strip;
use crate::bind::binder::{Binder, locate};
use crate::bind::fold;
use crate::bind::typed::Typed;
use crate::bind::types::CastContext;
use crate::error::{Error, Result, SqlState};
use crate::expression::Expr;
use crate::value::{SqlType, Type};

impl Binder<'_> {
    /// A value and what is taken out of it, step by step.
    pub(super) fn bind_access(&mut self, root: &Ast, chain: &[AccessExpr]) -> Result<Typed> {
        let mut value = self.bind_root(root, chain)?;
        let (start, mut value) = match value.take() {
            Some((used, value)) => (used, value),
            None => (0, self.bind_expr(root)?),
        };
        let mut rest = &chain[start..];
        while let Some((first, others)) = rest.split_first() {
            match first {
                AccessExpr::Dot(Ast::Identifier(name)) => {
                    self.note_field(&value, name);
                    value = self.field(value, &fold(name))?;
                    rest = others;
                }
                AccessExpr::Dot(other) => {
                    return Err(Error::unsupported(format!("access to {other}")));
                }
                AccessExpr::Subscript(_) => {
                    let count = rest
                        .iter()
                        .take_while(|step| matches!(step, AccessExpr::Subscript(_)))
                        .count();
                    let (subscripts, others) = rest.split_at(count);
                    value = self.subscripts(value, subscripts)?;
                    rest = others;
                }
            }
        }
        Ok(value)
    }

    /// `table.column[1]`: the parser takes the column for a field of `table`. Answers how many
    /// steps the column's name took.
    fn bind_root(&mut self, root: &Ast, chain: &[AccessExpr]) -> Result<Option<(usize, Typed)>> {
        let Ast::Identifier(table) = strip(root) else { return Ok(None) };
        if matches!(root, Ast::Nested(_)) {
            return Ok(None);
        }
        let Some(AccessExpr::Dot(Ast::Identifier(column))) = chain.first() else {
            return Ok(None);
        };
        let typed = self.bind_qualified(&[table.clone(), column.clone()])?;
        Ok(Some((1, typed)))
    }

    fn subscripts(&mut self, array: Typed, steps: &[AccessExpr]) -> Result<Typed> {
        let at = array.at;
        if array.ty.base == Type::Jsonb {
            return self.json_subscripts(array, steps);
        }
        let Some(element) = array.ty.base.element() else {
            let ty = self.type_name(&array.ty);
            let message =
                format!("cannot subscript type {ty} because it does not support subscripting");
            return Err(locate(Error::new(SqlState::DATATYPE_MISMATCH, message), at));
        };
        let element = element.clone();
        let subscripts: Vec<&Subscript> = steps
            .iter()
            .filter_map(|step| match step {
                AccessExpr::Subscript(subscript) => Some(subscript),
                AccessExpr::Dot(_) => None,
            })
            .collect();
        let is_slice = subscripts.iter().any(|step| matches!(step, Subscript::Slice { .. }));
        let base = Box::new(array.expr);
        if !is_slice {
            let mut indexes = Vec::with_capacity(subscripts.len());
            for subscript in subscripts {
                if let Subscript::Index { index } = subscript {
                    indexes.push(self.bind_index(index)?);
                }
            }
            let ty = SqlType { base: element, modifier: array.ty.modifier };
            return Ok(Typed::new(Expr::Subscript { array: base, indexes }, ty).at(at));
        }
        let mut bounds = Vec::with_capacity(subscripts.len());
        for subscript in subscripts {
            bounds.push(match subscript {
                // In a slice, a single number means from 1 to it.
                Subscript::Index { index } => {
                    (Some(Typed::int(1).expr), Some(self.bind_index(index)?))
                }
                Subscript::Slice { lower_bound, upper_bound, .. } => (
                    lower_bound.as_ref().map(|bound| self.bind_index(bound)).transpose()?,
                    upper_bound.as_ref().map(|bound| self.bind_index(bound)).transpose()?,
                ),
            });
        }
        // A part of a vector is an array.
        let ty = if array.ty.base.is_vector() { element.array().into() } else { array.ty };
        Ok(Typed::new(Expr::Slice { array: base, bounds }, ty).at(at))
    }

    /// `document['key'][0]`
    fn json_subscripts(&mut self, mut value: Typed, steps: &[AccessExpr]) -> Result<Typed> {
        for step in steps {
            let AccessExpr::Subscript(Subscript::Index { index }) = step else {
                let message = "jsonb subscript does not support slices";
                return Err(Error::new(SqlState::DATATYPE_MISMATCH, message));
            };
            let index = self.bind_expr(index)?;
            value = self.operator("->", Some(value), index, None)?;
        }
        Ok(value)
    }

    fn bind_index(&mut self, index: &Ast) -> Result<Expr> {
        let index = self.bind_expr(index)?;
        let (from, at) = (self.type_name(&index.ty), index.at);
        match self.try_coerce(index, &SqlType::new(Type::Int4), CastContext::Assignment)? {
            Some(index) => Ok(index.expr),
            None => {
                let message = format!("array subscript must have type integer, not {from}");
                Err(locate(Error::new(SqlState::DATATYPE_MISMATCH, message), at))
            }
        }
    }
}
