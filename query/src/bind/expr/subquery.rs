//! Subqueries in expressions, and `ANY`/`ALL` of arrays.

use sqlparser::ast::{self, BinaryOperator, Expr as Ast};

use super::compare::strip_row;
use super::operator::{binary_symbol, compare_op};
use super::strip;
use crate::bind::binder::{Binder, locate};
use crate::bind::query::BoundNode;
use crate::bind::typed::Typed;
use crate::error::{Error, Result, SqlState};
use crate::expression::{CompareOp, Expr, Quantifier, Subquery, SubqueryKind};
use crate::plan::Node;
use crate::value::{SqlType, Type};

impl Binder<'_> {
    /// `(SELECT …)`, `EXISTS`, `IN (SELECT …)`
    pub(super) fn bind_subquery(&mut self, expr: &Ast) -> Result<Typed> {
        match expr {
            Ast::Subquery(query) => self.bind_scalar_subquery(query),
            Ast::Exists { subquery, negated } => {
                let (inner, arguments) = self.bind_inner(subquery)?;
                let exists = self.subquery(SubqueryKind::Exists, inner.node, arguments);
                Ok(Typed::bool(if *negated { Expr::Not(Box::new(exists)) } else { exists }))
            }
            Ast::InSubquery { expr, subquery, negated } => {
                let at = self.operator_at(expr, expr);
                let any = Quantifier::Any;
                let found = self.bind_quantified_query(expr, "=", subquery, any, at)?;
                Ok(Typed::bool(if *negated { Expr::Not(Box::new(found)) } else { found }))
            }
            other => Err(Error::internal(format!("{other} is no subquery"))),
        }
    }

    /// Binds a query inside an expression: its node, and what it reads of the row outside.
    fn bind_inner(&mut self, query: &ast::Query) -> Result<(BoundNode, Vec<(usize, Expr)>)> {
        let (bound, level) = self.in_new_level(|binder| binder.bind_query(query, None))?;
        Ok((bound, level.arguments))
    }

    fn subquery(&mut self, kind: SubqueryKind, node: Node, arguments: Vec<(usize, Expr)>) -> Expr {
        self.subplans.push(node);
        let subplan = self.subplans.len() - 1;
        Expr::Subquery(Box::new(Subquery { kind, subplan, arguments }))
    }

    fn bind_scalar_subquery(&mut self, query: &ast::Query) -> Result<Typed> {
        let (inner, arguments) = self.bind_inner(query)?;
        match inner.columns.as_slice() {
            [column] => {
                let ty = column.ty.clone();
                let expr = self.subquery(SubqueryKind::Scalar, inner.node, arguments);
                Ok(Typed::new(expr, ty))
            }
            _ => Err(one_column()),
        }
    }

    /// `(SELECT a, b …)` as a row: for `SET (a, b) = (SELECT …)` and row comparisons.
    pub(crate) fn bind_row_subquery(&mut self, query: &ast::Query) -> Result<Typed> {
        let (inner, arguments) = self.bind_inner(query)?;
        let fields: Vec<(String, SqlType)> =
            inner.columns.iter().map(|c| (c.name.clone(), c.ty.clone())).collect();
        let expr = self.subquery(SubqueryKind::Row, inner.node, arguments);
        Ok(Typed { fields: Some(fields), ..Typed::new(expr, Type::Record) })
    }

    /// `ARRAY(SELECT …)`
    pub(super) fn bind_array_subquery(&mut self, query: &ast::Query) -> Result<Typed> {
        let (inner, arguments) = self.bind_inner(query)?;
        let [column] = inner.columns.as_slice() else { return Err(one_column()) };
        let element = match &column.ty.base {
            Type::Array(inner) => inner.as_ref().clone(),
            other => other.clone(),
        };
        let kind = SubqueryKind::Array(element.clone());
        let expr = self.subquery(kind, inner.node, arguments);
        Ok(Typed::new(expr, Type::Array(Box::new(element))))
    }

    /// `(a, b) = (SELECT c, d …)`
    pub(super) fn bind_compare_row_subquery(
        &mut self,
        op: CompareOp,
        left: &[Ast],
        right: &Ast,
        at: Option<usize>,
    ) -> Result<Typed> {
        let Ast::Subquery(query) = strip(right) else {
            return Err(Error::internal("the right side is no subquery"));
        };
        let left = self.bind_parts(left)?;
        let row = self.bind_row_subquery(query)?;
        let fields = row.fields.clone().unwrap_or_default();
        if fields.len() != left.len() {
            return Err(wrong_width(left.len() > fields.len()));
        }
        let parts = fields
            .into_iter()
            .enumerate()
            .map(|(index, (_, ty))| Typed::new(Expr::Field(Box::new(row.expr.clone()), index), ty));
        let parts = parts.collect();
        self.compare_rows(op, left, parts, at)
    }

    /// `a op ANY (…)`, `a op ALL (…)`: of an array or a query.
    pub(super) fn bind_quantified(
        &mut self,
        left: &Ast,
        op: &BinaryOperator,
        right: &Ast,
        is_any: bool,
    ) -> Result<Typed> {
        let quantifier = if is_any { Quantifier::Any } else { Quantifier::All };
        let at = self.operator_at(left, right);
        let (symbol, is_negated) = binary_symbol(op);
        if let Ast::Subquery(query) = strip(right) {
            let found = self.bind_quantified_query(left, &symbol, query, quantifier, at)?;
            return Ok(Typed::bool(found));
        }
        let left = self.bind_expr(left)?;
        let array = self.bind_expr(right)?;
        let (left, operator, array) = self.quantified_array(&symbol, left, array, at)?;
        let operator = if is_negated { Expr::Not(Box::new(operator)) } else { operator };
        let (operator, left, array) = (Box::new(operator), Box::new(left), Box::new(array));
        Ok(Typed::bool(Expr::Quantified { operator, left, array, quantifier }))
    }

    /// The left side, the operator over (left, element), and the array.
    fn quantified_array(
        &mut self,
        symbol: &str,
        left: Typed,
        array: Typed,
        at: Option<usize>,
    ) -> Result<(Expr, Expr, Expr)> {
        let (element, array) = match &array.ty.base {
            ty if let Some(element) = ty.element() => (element.clone(), array),
            Type::Unknown => {
                let element = if left.is_unknown() { Type::Text } else { left.ty.base.clone() };
                let to = Type::Array(Box::new(element.clone()));
                (element, self.coerce_to(array, &to, "ANY")?)
            }
            _ => {
                let message = "op ANY/ALL (array) requires array on right side";
                return Err(locate(Error::new(SqlState::WRONG_OBJECT_TYPE, message), at));
            }
        };
        let left_at = left.at;
        let right_side = Typed::new(Expr::Column(1), element.clone());
        // Literals take the element's type; then the operator is bound over two columns.
        let left = if left.is_unknown() { self.coerce_to(left, &element, "ANY")? } else { left };
        let left_side = Typed { at: left_at, ..Typed::new(Expr::Column(0), left.ty.clone()) };
        let bound = match compare_op(symbol) {
            Some(op) => {
                let (l, r) = self.comparable(symbol, left_side, right_side, at)?;
                let (l, r) = (Box::new(l.expr), Box::new(r.expr));
                Typed::bool(Expr::Compare { op, left: l, right: r })
            }
            None => self.operator(symbol, Some(left_side), right_side, at)?,
        };
        if bound.ty.base != Type::Bool {
            let message = "op ANY/ALL (array) requires operator to yield boolean";
            return Err(locate(Error::new(SqlState::WRONG_OBJECT_TYPE, message), at));
        }
        Ok((left.expr, bound.expr, array.expr))
    }

    /// `a op ANY (SELECT …)`, also of rows.
    fn bind_quantified_query(
        &mut self,
        left: &Ast,
        op_symbol: &str,
        query: &ast::Query,
        quantifier: Quantifier,
        at: Option<usize>,
    ) -> Result<Expr> {
        let left = match strip_row(left) {
            Some(parts) => self.bind_parts(parts)?,
            None => vec![self.bind_expr(left)?],
        };
        let (inner, arguments) = self.bind_inner(query)?;
        if inner.columns.len() != left.len() {
            return Err(locate(wrong_width(left.len() > inner.columns.len()), at));
        }
        let width = left.len();
        let mut operators = Vec::with_capacity(width);
        let mut values = Vec::with_capacity(width);
        for (index, (left, column)) in left.into_iter().zip(&inner.columns).enumerate() {
            let left =
                if left.is_unknown() { self.coerce_to(left, &column.ty.base, "IN")? } else { left };
            let mine = Typed::new(Expr::Column(index), left.ty.clone());
            let theirs = Typed::new(Expr::Column(width + index), column.ty.clone());
            operators.push(match compare_op(op_symbol) {
                Some(op) => self.compare(op, mine, theirs, at)?.expr,
                None => self.operator(op_symbol, Some(mine), theirs, at)?.expr,
            });
            values.push(left.expr);
        }
        let operator = match (operators.len(), op_symbol) {
            (1, _) => operators.swap_remove(0),
            (_, "=") => Expr::And(operators),
            (_, "<>") => Expr::Or(operators),
            _ => return Err(Error::unsupported(format!("{op_symbol} ANY/ALL of rows"))),
        };
        let kind = SubqueryKind::Quantified { operator, left: values, quantifier };
        Ok(self.subquery(kind, inner.node, arguments))
    }
}

/// The query of `ARRAY(SELECT …)`: the parser gives it as a call with a query as argument.
pub(super) fn array_query(call: &ast::Function) -> Option<&ast::Query> {
    match &call.args {
        ast::FunctionArguments::Subquery(query)
            if call.name.to_string().eq_ignore_ascii_case("array") =>
        {
            Some(query)
        }
        _ => None,
    }
}

/// The error of a subquery with several columns where one is wanted.
fn one_column() -> Error {
    Error::new(SqlState::SYNTAX_ERROR, "subquery must return only one column")
}

/// The error of a subquery that is not as wide as what it is compared with.
fn wrong_width(has_few: bool) -> Error {
    let message =
        if has_few { "subquery has too few columns" } else { "subquery has too many columns" };
    Error::new(SqlState::SYNTAX_ERROR, message)
}
