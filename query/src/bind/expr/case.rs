//! CASE, COALESCE, NULLIF, GREATEST, LEAST, and the clock's keywords.

use sqlparser::ast::{CaseWhen, Expr as Ast};

use super::call::Call;
use crate::bind::binder::Binder;
use crate::bind::typed::Typed;
use crate::error::{Error, Result, SqlState};
use crate::expression::{CompareOp, Expr, Extreme};
use crate::value::{SqlType, Type, Value};

impl Binder<'_> {
    /// `CASE [operand] WHEN … THEN … ELSE … END`
    pub(super) fn bind_case(
        &mut self,
        operand: Option<&Ast>,
        branches: &[CaseWhen],
        otherwise: Option<&Ast>,
    ) -> Result<Typed> {
        let operand = operand.map(|operand| self.bind_settled(operand)).transpose()?;
        let mut conditions = Vec::with_capacity(branches.len());
        // The type is decided with the ELSE first, as Postgres does.
        let mut results = vec![match otherwise {
            Some(otherwise) => self.bind_expr(otherwise)?,
            None => Typed::new(Expr::Const(Value::Null), Type::Unknown),
        }];
        for branch in branches {
            let at = self.at_expr(&branch.condition);
            conditions.push(match &operand {
                Some(operand) => {
                    let value = self.bind_expr(&branch.condition)?;
                    self.compare(CompareOp::Eq, operand.clone(), value, at)?.expr
                }
                None => self.bind_condition(&branch.condition, "CASE/WHEN")?,
            });
            results.push(self.bind_expr(&branch.result)?);
        }
        let (results, ty) = self.unify(results, "CASE")?;
        let mut results = results.into_iter().map(|result| result.expr);
        let otherwise = Box::new(results.next().unwrap_or(Expr::Const(Value::Null)));
        let branches = conditions.into_iter().zip(results).collect();
        Ok(Typed::new(Expr::Case { branches, otherwise }, ty))
    }

    /// What looks like a function call and is none; `None` when it is one.
    pub(super) fn bind_construct(&mut self, call: &Call<'_>) -> Result<Option<Typed>> {
        let typed = match call.name.as_str() {
            "coalesce" => {
                let (parts, ty) = self.bind_unified(call, "COALESCE")?;
                Typed::new(Expr::Coalesce(parts), ty)
            }
            "greatest" => {
                let (parts, ty) = self.bind_unified(call, "GREATEST")?;
                Typed::new(Expr::Extreme(parts, Extreme::Greatest), ty)
            }
            "least" => {
                let (parts, ty) = self.bind_unified(call, "LEAST")?;
                Typed::new(Expr::Extreme(parts, Extreme::Least), ty)
            }
            "nullif" => self.bind_nullif(call)?,
            "row" => {
                let parts: Vec<Ast> = call.args.iter().map(|arg| (*arg).clone()).collect();
                self.bind_row(&parts)?
            }
            "grouping" => self.bind_grouping(call)?,
            "pg_typeof" if call.args.len() == 1 => self.bind_typeof(call)?,
            name => return self.bind_clock(name, call),
        };
        Ok(Some(typed))
    }

    fn bind_unified(&mut self, call: &Call<'_>, what: &str) -> Result<(Vec<Expr>, SqlType)> {
        if call.args.is_empty() {
            return Err(Error::new(SqlState::SYNTAX_ERROR, "syntax error at or near \")\""));
        }
        let args = self.bind_args(&call.args)?;
        let (args, ty) = self.unify(args, what)?;
        Ok((args.into_iter().map(|arg| arg.expr).collect(), ty))
    }

    fn bind_nullif(&mut self, call: &Call<'_>) -> Result<Typed> {
        let [left, right] = call.args.as_slice() else {
            return Err(Error::new(SqlState::SYNTAX_ERROR, "syntax error at or near \")\""));
        };
        let left = self.bind_expr(left)?;
        let right = self.bind_expr(right)?;
        let own = left.ty.clone();
        let (left, right) = self.comparable("=", left, right, call.at)?;
        let ty = if own.base == Type::Unknown { left.ty.clone() } else { own };
        let value = Expr::NullIf(Box::new(left.expr), Box::new(right.expr));
        // The comparison may have widened the left side; its own type comes back.
        if ty.base == left.ty.base {
            return Ok(Typed::new(value, ty));
        }
        self.cast(Typed::new(value, left.ty), &ty)
    }

    /// `pg_typeof(x)` is a constant once types are known.
    fn bind_typeof(&mut self, call: &Call<'_>) -> Result<Typed> {
        let arg = self.bind_expr(call.args[0])?;
        let name = self.type_name(&arg.ty);
        self.cast(Typed::text(&name), &SqlType::new(Type::RegType))
    }

    /// `current_date` and its kind are written without parentheses.
    fn bind_clock(&mut self, name: &str, call: &Call<'_>) -> Result<Option<Typed>> {
        let ty = match name {
            "current_timestamp" => Type::TimestampTz,
            "localtimestamp" => Type::Timestamp,
            "current_date" => Type::Date,
            "current_time" => Type::TimeTz,
            "localtime" => Type::Time,
            "current_user" | "current_role" | "user" if call.args.is_empty() => {
                return self.call("current_user", Vec::new(), call.at).map(Some);
            }
            "current_catalog" => {
                return self.call("current_database", Vec::new(), call.at).map(Some);
            }
            _ => return Ok(None),
        };
        let now = self.call("now", Vec::new(), call.at)?;
        let modifier = match call.args.first() {
            None => -1,
            Some(Ast::Value(literal)) => {
                literal.to_string().parse::<i32>().unwrap_or(6).clamp(0, 6)
            }
            Some(_) => return Err(Error::new(SqlState::SYNTAX_ERROR, "syntax error in precision")),
        };
        self.cast(now, &SqlType { base: ty, modifier }).map(Some)
    }
}
