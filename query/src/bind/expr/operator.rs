//! Operators.

use sqlparser::ast::{BinaryOperator, Expr as Ast, Spanned, UnaryOperator};

use super::compare::operator_missing;
use crate::bind::binder::{Binder, locate};
use crate::bind::overload::{self, Failure, Signature};
use crate::bind::registry;
use crate::bind::typed::Typed;
use crate::error::{Error, Result, SqlState};
use crate::expression::{CompareOp, Expr};
use crate::value::Type;

impl Binder<'_> {
    /// A binary operator. Chains of AND and OR, and the left spines of other chains, are as long
    /// as the client likes: the former are walked in a loop.
    pub(super) fn bind_binary(
        &mut self,
        whole: &Ast,
        left: &Ast,
        op: &BinaryOperator,
        right: &Ast,
    ) -> Result<Typed> {
        match op {
            BinaryOperator::And => self.bind_chain(whole, &BinaryOperator::And, "AND"),
            BinaryOperator::Or => self.bind_chain(whole, &BinaryOperator::Or, "OR"),
            BinaryOperator::Overlaps => self.bind_overlaps(left, right),
            _ => {
                let at = self.operator_at(left, right);
                let (symbol, is_negated) = binary_symbol(op);
                if let Some(op) = compare_op(&symbol) {
                    return self.bind_compare(op, left, right, at);
                }
                let left = self.bind_expr(left)?;
                let right = self.bind_expr(right)?;
                let result = self.operator(&symbol, Some(left), right, at)?;
                Ok(if is_negated { negate(result) } else { result })
            }
        }
    }

    /// `a AND b AND c`: operands from left to right.
    fn bind_chain(&mut self, whole: &Ast, op: &BinaryOperator, name: &str) -> Result<Typed> {
        let mut operands = Vec::new();
        let mut rest = whole;
        while let Ast::BinaryOp { left, op: other, right } = rest
            && other == op
        {
            operands.push(right.as_ref());
            rest = left;
        }
        operands.push(rest);
        let parts = operands.into_iter().rev().map(|operand| self.bind_condition(operand, name));
        let parts = parts.collect::<Result<Vec<_>>>()?;
        Ok(Typed::bool(match op {
            BinaryOperator::And => Expr::And(parts),
            _ => Expr::Or(parts),
        }))
    }

    /// A prefix operator.
    pub(super) fn bind_unary(&mut self, op: UnaryOperator, operand: &Ast) -> Result<Typed> {
        if op == UnaryOperator::Not {
            let operand = self.bind_condition(operand, "NOT")?;
            return Ok(Typed::bool(Expr::Not(Box::new(operand))));
        }
        if let (UnaryOperator::Minus, Ast::Value(literal)) = (op, operand)
            && let sqlparser::ast::Value::Number(digits, _) = &literal.value
        {
            let at = self.at_span(literal.span).map(|at| at - 1);
            return Ok(super::literal::number(&format!("-{digits}"))?.at(at));
        }
        let symbol = match op {
            UnaryOperator::Plus => "+",
            UnaryOperator::Minus => "-",
            UnaryOperator::BitwiseNot => "~",
            UnaryOperator::PGSquareRoot => "|/",
            UnaryOperator::PGCubeRoot => "||/",
            UnaryOperator::PGAbs => "@",
            UnaryOperator::DoubleAt => "@@",
            UnaryOperator::BangNot => "!",
            UnaryOperator::PGPrefixFactorial => "!!",
            other => return Err(Error::unsupported(format!("operator {other}"))),
        };
        let at = self.before_operand(operand, symbol);
        let operand = self.bind_expr(operand)?;
        self.operator(symbol, None, operand, at)
    }

    /// An operator over bound operands.
    pub(crate) fn operator(
        &mut self,
        symbol: &str,
        left: Option<Typed>,
        right: Typed,
        at: Option<usize>,
    ) -> Result<Typed> {
        let candidates = registry::operators(symbol);
        let operands: Vec<Typed> = left.into_iter().chain([right]).collect();
        let types: Vec<Type> = operands.iter().map(|operand| operand.ty.base.clone()).collect();
        let signatures: Vec<Signature<'_>> = candidates
            .iter()
            .map(|function| Signature { params: &function.params, is_variadic: false, optional: 0 })
            .collect();
        match overload::choose(&signatures, &types, true) {
            Ok(choice) => {
                let function = &candidates[choice.index];
                let (args, _) = self.convert_args(operands, &choice, false)?;
                let result = choice.polymorphic.apply(&function.result).unwrap_or(Type::Text);
                let call = Expr::Call { function: std::sync::Arc::clone(function), args };
                Ok(Typed::new(call, result).at(at))
            }
            Err(Failure::None) => {
                let types: Vec<String> = operands.iter().map(|o| self.type_name(&o.ty)).collect();
                Err(operator_missing(symbol, &types, at))
            }
            Err(Failure::Ambiguous) => {
                let types: Vec<String> = operands.iter().map(|o| self.type_name(&o.ty)).collect();
                let operands = match types.as_slice() {
                    [operand] => format!("{symbol} {operand}"),
                    _ => types.join(&format!(" {symbol} ")),
                };
                let message = format!("operator is not unique: {operands}");
                let error = Error::new(SqlState::AMBIGUOUS_FUNCTION, message).with_hint(
                    "Could not choose a best candidate operator. \
                     You might need to add explicit type casts.",
                );
                Err(locate(error, at))
            }
        }
    }

    /// The error of an operator that does not exist.
    pub(super) fn no_operator(
        &self,
        symbol: &str,
        left: Option<&Typed>,
        right: Option<&Typed>,
        at: Option<usize>,
    ) -> Error {
        let types: Vec<String> =
            left.into_iter().chain(right).map(|operand| self.type_name(&operand.ty)).collect();
        operator_missing(symbol, &types, at)
    }

    /// Where the operator between two operands stands: the first token after the left one that is
    /// no parenthesis. The syntax tree does not keep it.
    pub(crate) fn operator_at(&self, left: &Ast, _right: &Ast) -> Option<usize> {
        let source = self.source.as_ref()?;
        let start = source.offset(left.span().end)?;
        let mut rest = source.text.get(start..)?;
        let mut offset = start;
        loop {
            let skipped = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r', ')']).len();
            offset += skipped;
            rest = rest.get(skipped..)?;
            let comment = if rest.starts_with("--") {
                rest.find('\n')?
            } else if rest.starts_with("/*") {
                rest.find("*/")? + 2
            } else {
                break;
            };
            offset += comment;
            rest = rest.get(comment..)?;
        }
        Some(source.position_of_offset(offset))
    }

    /// Where a prefix operator stands.
    fn before_operand(&self, operand: &Ast, symbol: &str) -> Option<usize> {
        let source = self.source.as_ref()?;
        let end = source.offset(operand.span().start)?;
        let offset = source.text.get(..end)?.rfind(symbol)?;
        Some(source.position_of_offset(offset))
    }

    /// `(start, end) OVERLAPS (start, end)`
    fn bind_overlaps(&mut self, left: &Ast, right: &Ast) -> Result<Typed> {
        let (Some(left), Some(right)) =
            (super::compare::strip_row(left), super::compare::strip_row(right))
        else {
            return Err(Error::unsupported("OVERLAPS of anything but two pairs"));
        };
        let mut args = self.bind_parts(left)?;
        args.extend(self.bind_parts(right)?);
        self.call("overlaps", args, None)
    }
}

/// NOT of a condition.
pub(super) fn negate(condition: Typed) -> Typed {
    Typed { expr: Expr::Not(Box::new(condition.expr)), ..condition }
}

/// The comparison that a symbol is.
pub(super) fn compare_op(symbol: &str) -> Option<CompareOp> {
    Some(match symbol {
        "=" => CompareOp::Eq,
        "<>" | "!=" => CompareOp::Ne,
        "<" => CompareOp::Lt,
        "<=" => CompareOp::Le,
        ">" => CompareOp::Gt,
        ">=" => CompareOp::Ge,
        _ => return None,
    })
}

/// An operator's symbol; `!~~` and its kind are their positive forms, negated.
pub(super) fn binary_symbol(op: &BinaryOperator) -> (String, bool) {
    let symbol = match op {
        BinaryOperator::PGNotLikeMatch => return ("~~".to_owned(), true),
        BinaryOperator::PGNotILikeMatch => return ("~~*".to_owned(), true),
        BinaryOperator::PGRegexNotMatch => return ("~".to_owned(), true),
        BinaryOperator::PGRegexNotIMatch => return ("~*".to_owned(), true),
        BinaryOperator::NotEq => "<>".to_owned(),
        BinaryOperator::PGCustomBinaryOperator(parts) => parts.last().cloned().unwrap_or_default(),
        BinaryOperator::Custom(symbol) => symbol.clone(),
        other => other.to_string(),
    };
    (symbol, false)
}
