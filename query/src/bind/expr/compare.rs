//! Comparisons of two values: converted to one type, then compared by order or equality.

use sqlparser::ast::Expr as Ast;

use super::strip;
use crate::bind::binder::{Binder, locate};
use crate::bind::typed::Typed;
use crate::bind::types::{CastContext, is_implicit};
use crate::error::{Error, Result, SqlState};
use crate::expression::functions::common_type;
use crate::expression::{CompareOp, Expr};
use crate::value::{Category, SqlType, Type, Value};

/// How an operator is written.
pub(super) fn symbol(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Eq => "=",
        CompareOp::Ne => "<>",
        CompareOp::Lt => "<",
        CompareOp::Le => "<=",
        CompareOp::Gt => ">",
        CompareOp::Ge => ">=",
    }
}

impl Binder<'_> {
    /// A comparison in syntax: of values, or of rows.
    pub(super) fn bind_compare(
        &mut self,
        op: CompareOp,
        left: &Ast,
        right: &Ast,
        at: Option<usize>,
    ) -> Result<Typed> {
        match (strip_row(left), strip_row(right)) {
            (Some(left), Some(right)) => self.bind_compare_rows(op, left, right, at),
            (Some(left), None) if matches!(strip(right), Ast::Subquery(_)) => {
                self.bind_compare_row_subquery(op, left, right, at)
            }
            _ => {
                let are_rows = is_row_call(left) && is_row_call(right);
                let left = self.bind_expr(left)?;
                let right = self.bind_expr(right)?;
                let width = |row: &Typed| row.fields.as_ref().map_or(0, Vec::len);
                if are_rows && width(&left) != width(&right) {
                    return Err(unequal_rows(at));
                }
                self.compare(op, left, right, at)
            }
        }
    }

    /// Compares two bound values.
    pub(crate) fn compare(
        &mut self,
        op: CompareOp,
        left: Typed,
        right: Typed,
        at: Option<usize>,
    ) -> Result<Typed> {
        let (left, right) = self.comparable(symbol(op), left, right, at)?;
        let (left, right) = (Box::new(left.expr), Box::new(right.expr));
        Ok(Typed::bool(Expr::Compare { op, left, right }).at(at))
    }

    /// Converts both sides of a comparison to one type.
    ///
    /// # Errors
    /// 42883 when they cannot be compared.
    pub(super) fn comparable(
        &mut self,
        symbol: &str,
        left: Typed,
        right: Typed,
        at: Option<usize>,
    ) -> Result<(Typed, Typed)> {
        let ty = match comparison_type(&left.ty.base, &right.ty.base) {
            Some(ty) if has_order(&ty) || (matches!(symbol, "=" | "<>") && has_equality(&ty)) => ty,
            _ => return Err(self.no_operator(symbol, Some(&left), Some(&right), at)),
        };
        let ty = narrow_literal(&ty, &left, &right);
        let to = SqlType::new(ty);
        let names = [self.type_name(&left.ty), self.type_name(&right.ty)];
        let mut convert = |side: Typed| {
            let side = self.try_coerce(side, &to, CastContext::Assignment)?;
            side.ok_or_else(|| operator_missing(symbol, &names, at))
        };
        Ok((convert(left)?, convert(right)?))
    }

    /// `(a, b) = (c, d)`; an order is the order of the first difference.
    fn bind_compare_rows(
        &mut self,
        op: CompareOp,
        left: &[Ast],
        right: &[Ast],
        at: Option<usize>,
    ) -> Result<Typed> {
        let left = self.bind_parts(left)?;
        let right = self.bind_parts(right)?;
        self.compare_rows(op, left, right, at)
    }

    /// Each of several expressions.
    pub(super) fn bind_parts(&mut self, parts: &[Ast]) -> Result<Vec<Typed>> {
        parts.iter().map(|part| self.bind_expr(part)).collect()
    }

    /// Compares rows part by part.
    ///
    /// # Errors
    /// 42601 when one is longer.
    pub(super) fn compare_rows(
        &mut self,
        op: CompareOp,
        left: Vec<Typed>,
        right: Vec<Typed>,
        at: Option<usize>,
    ) -> Result<Typed> {
        if left.len() != right.len() {
            return Err(unequal_rows(at));
        }
        let pairs: Vec<(Typed, Typed)> = left.into_iter().zip(right).collect();
        match op {
            CompareOp::Eq | CompareOp::Ne => {
                let parts = pairs
                    .into_iter()
                    .map(|(left, right)| Ok(self.compare(op, left, right, at)?.expr))
                    .collect::<Result<Vec<_>>>()?;
                let all = if op == CompareOp::Eq { Expr::And(parts) } else { Expr::Or(parts) };
                Ok(Typed::bool(all).at(at))
            }
            _ => self.order_rows(op, pairs, at),
        }
    }

    /// `(a, b) < (c, d)`: `a < c OR (a = c AND b < d)`, from the last pair outwards.
    fn order_rows(
        &mut self,
        op: CompareOp,
        pairs: Vec<(Typed, Typed)>,
        at: Option<usize>,
    ) -> Result<Typed> {
        let strict = match op {
            CompareOp::Le => CompareOp::Lt,
            CompareOp::Ge => CompareOp::Gt,
            other => other,
        };
        let mut result: Option<Expr> = None;
        for (left, right) in pairs.into_iter().rev() {
            let (left, right) = self.comparable(symbol(op), left, right, at)?;
            let compare = |op| Expr::Compare {
                op,
                left: Box::new(left.expr.clone()),
                right: Box::new(right.expr.clone()),
            };
            result = Some(match result {
                None => compare(op),
                Some(rest) => {
                    let tie = Expr::And(vec![compare(CompareOp::Eq), rest]);
                    Expr::Or(vec![compare(strict), tie])
                }
            });
        }
        let result = result.unwrap_or(Expr::Const(Value::Bool(true)));
        Ok(Typed::bool(result).at(at))
    }

    /// `IS [NOT] DISTINCT FROM`
    pub(super) fn bind_is_distinct(
        &mut self,
        left: &Ast,
        right: &Ast,
        is_negated: bool,
    ) -> Result<Typed> {
        let at = self.operator_at(left, right);
        if let (Some(left), Some(right)) = (strip_row(left), strip_row(right)) {
            let (left, right) = (self.bind_parts(left)?, self.bind_parts(right)?);
            let pairs = left.into_iter().zip(right);
            let parts = pairs.map(|(left, right)| self.distinct(left, right, is_negated, at));
            let parts = parts.collect::<Result<Vec<_>>>()?;
            let whole = if is_negated { Expr::And(parts) } else { Expr::Or(parts) };
            return Ok(Typed::bool(whole));
        }
        let left = self.bind_expr(left)?;
        let right = self.bind_expr(right)?;
        Ok(Typed::bool(self.distinct(left, right, is_negated, at)?))
    }

    fn distinct(
        &mut self,
        left: Typed,
        right: Typed,
        is_negated: bool,
        at: Option<usize>,
    ) -> Result<Expr> {
        let (left, right) = self.comparable("=", left, right, at)?;
        let (left, right) = (Box::new(left.expr), Box::new(right.expr));
        Ok(Expr::IsDistinct { left, right, is_negated })
    }

    /// `a BETWEEN b AND c`, also SYMMETRIC, which the parser marks.
    pub(super) fn bind_between(
        &mut self,
        value: &Ast,
        is_negated: bool,
        low: &Ast,
        high: &Ast,
    ) -> Result<Typed> {
        let at = self.operator_at(value, low);
        let (at_least, at_most) = (
            self.bind_compare(CompareOp::Ge, value, low, at)?.expr,
            self.bind_compare(CompareOp::Le, value, high, at)?.expr,
        );
        let between = Expr::And(vec![at_least, at_most]);
        Ok(Typed::bool(if is_negated { Expr::Not(Box::new(between)) } else { between }))
    }

    /// `a IN (b, c)`: `a = ANY (ARRAY[b, c])` when the elements have one type.
    pub(super) fn bind_in_list(
        &mut self,
        value: &Ast,
        list: &[Ast],
        is_negated: bool,
    ) -> Result<Typed> {
        let at = list.first().and_then(|first| self.operator_at(value, first));
        let symbol = if is_negated { "<>" } else { "=" };
        let found = match strip_row(value) {
            Some(_) => {
                let parts = list
                    .iter()
                    .map(|item| Ok(self.bind_compare(CompareOp::Eq, value, item, at)?.expr))
                    .collect::<Result<Vec<_>>>()?;
                Expr::Or(parts)
            }
            None => {
                let value = self.bind_expr(value)?;
                let list = self.bind_parts(list)?;
                self.in_list(symbol, value, list, at)?
            }
        };
        Ok(Typed::bool(if is_negated { Expr::Not(Box::new(found)) } else { found }))
    }

    fn in_list(
        &mut self,
        symbol: &str,
        value: Typed,
        mut list: Vec<Typed>,
        at: Option<usize>,
    ) -> Result<Expr> {
        if let [only] = list.as_mut_slice() {
            let only = std::mem::replace(only, Typed::int(0));
            let (left, right) = self.comparable(symbol, value, only, at)?;
            let (left, right) = (Box::new(left.expr), Box::new(right.expr));
            return Ok(Expr::Compare { op: CompareOp::Eq, left, right });
        }
        let mut ty = value.ty.base.clone();
        for item in &list {
            ty = match comparison_type(&ty, &item.ty.base) {
                Some(ty) if has_equality(&ty) => ty,
                _ => return Err(self.no_operator(symbol, Some(&value), Some(item), at)),
            };
        }
        let own = value.ty.base.clone();
        if list.iter().all(|item| item.is_unknown() || narrow_literal(&ty, &value, item) == own) {
            ty = own;
        }
        if ty == Type::Unknown {
            ty = Type::Text;
        }
        let to = SqlType::new(ty.clone());
        let names = [self.type_name(&value.ty), self.type_name(&to)];
        let mut convert = |side: Typed| {
            let side = self.try_coerce(side, &to, CastContext::Assignment)?;
            side.map(|side| side.expr).ok_or_else(|| operator_missing(symbol, &names, at))
        };
        let left = Box::new(convert(value)?);
        let elements = list.into_iter().map(convert).collect::<Result<Vec<_>>>()?;
        let array = Box::new(Expr::Array { elements, element: ty });
        let operator = Box::new(Expr::Compare {
            op: CompareOp::Eq,
            left: Box::new(Expr::Column(0)),
            right: Box::new(Expr::Column(1)),
        });
        let quantifier = crate::expression::Quantifier::Any;
        Ok(Expr::Quantified { operator, left, array, quantifier })
    }
}

/// The parts of a row in syntax.
pub(super) fn strip_row(expr: &Ast) -> Option<&[Ast]> {
    match strip(expr) {
        Ast::Tuple(parts) => Some(parts),
        _ => None,
    }
}

/// `ROW (…)`
fn is_row_call(expr: &Ast) -> bool {
    matches!(strip(expr), Ast::Function(call) if call.name.to_string().eq_ignore_ascii_case("row"))
}

fn unequal_rows(at: Option<usize>) -> Error {
    let message = "unequal number of entries in row expressions";
    locate(Error::new(SqlState::SYNTAX_ERROR, message), at)
}

/// An operator that does not exist.
pub(super) fn operator_missing(symbol: &str, types: &[String], at: Option<usize>) -> Error {
    let operands = match types {
        [operand] => format!("{symbol} {operand}"),
        _ => types.join(&format!(" {symbol} ")),
    };
    let hint = match types {
        [_] => {
            "No operator matches the given name and argument type. \
             You might need to add an explicit type cast."
        }
        _ => {
            "No operator matches the given name and argument types. \
             You might need to add explicit type casts."
        }
    };
    let message = format!("operator does not exist: {operands}");
    locate(Error::new(SqlState::UNDEFINED_FUNCTION, message).with_hint(hint), at)
}

/// The type in which two types are compared.
fn comparison_type(left: &Type, right: &Type) -> Option<Type> {
    if left == right {
        return Some(if *left == Type::Unknown { Type::Text } else { left.clone() });
    }
    match (left, right) {
        (Type::Unknown, other) | (other, Type::Unknown) => Some(other.clone()),
        (Type::Float4, other) | (other, Type::Float4) if other.category() == Category::Numeric => {
            Some(Type::Float8)
        }
        // An OID is compared with what names one, and with integers.
        (left, right) if is_oid(left) && is_oid(right) => Some(Type::Oid),
        (oid, Type::Int2 | Type::Int4 | Type::Int8)
        | (Type::Int2 | Type::Int4 | Type::Int8, oid)
            if is_oid(oid) =>
        {
            Some(Type::Oid)
        }
        (Type::Bpchar, Type::Text) | (Type::Text, Type::Bpchar) => Some(Type::Text),
        (Type::Row(_) | Type::Record, Type::Row(_) | Type::Record) => Some(Type::Record),
        (Type::Char, other) | (other, Type::Char) if other.is_string() => Some(Type::Text),
        (left, right) if left.is_string() && right.is_string() => {
            let is_bpchar = *left == Type::Bpchar || *right == Type::Bpchar;
            Some(if is_bpchar { Type::Bpchar } else { Type::Text })
        }
        (Type::Array(left), Type::Array(right)) => {
            let is_text = left.is_string() && right.is_string();
            is_text.then(|| Type::Array(Box::new(Type::Text)))
        }
        (left, right) if left.category() == right.category() => {
            let ty = common_type(&[left.clone(), right.clone()])?;
            let fits = |from: &Type| is_implicit(from, &ty);
            (fits(left) && fits(right)).then_some(ty)
        }
        (left, right) => {
            let implicit = |from: &Type, to: &Type| is_implicit(from, to) && !to.is_string();
            if implicit(left, right) {
                return Some(right.clone());
            }
            implicit(right, left).then(|| left.clone())
        }
    }
}

fn is_oid(ty: &Type) -> bool {
    use Type::{Oid, RegClass, RegConfig, RegNamespace, RegProc, RegType};
    matches!(ty, Oid | RegClass | RegType | RegProc | RegNamespace | RegConfig)
}

/// An integer column is compared with an integer literal in the column's own type when the literal
/// fits, so that an index on the column serves.
fn narrow_literal(ty: &Type, left: &Typed, right: &Typed) -> Type {
    let literal = |side: &Typed| match side.expr {
        Expr::Const(Value::Int2(value)) => Some(i64::from(value)),
        Expr::Const(Value::Int4(value)) => Some(i64::from(value)),
        Expr::Const(Value::Int8(value)) => Some(value),
        _ => None,
    };
    let fits = |value: i64, ty: &Type| match ty {
        Type::Int2 => i16::try_from(value).is_ok(),
        Type::Int4 => i32::try_from(value).is_ok(),
        _ => false,
    };
    match (literal(left), literal(right)) {
        (None, Some(value)) if fits(value, &left.ty.base) => left.ty.base.clone(),
        (Some(value), None) if fits(value, &right.ty.base) => right.ty.base.clone(),
        _ => ty.clone(),
    }
}

/// Whether values of a type are equal or not.
pub(crate) fn has_equality(ty: &Type) -> bool {
    match ty {
        Type::Json | Type::JsonPath | Type::Void | Type::Box3d => false,
        Type::Array(element) => has_equality(element),
        _ => true,
    }
}

/// Whether values of a type have an order.
pub(crate) fn has_order(ty: &Type) -> bool {
    ty.is_orderable()
}
