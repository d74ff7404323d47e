//! Casts to domains: what they demand of a value. Columns are checked where rows are written.

use super::binder::Binder;
use super::scope::{Clause, Scope, ScopeColumn};
use super::typed::Typed;
use crate::catalog::{TypeDef, TypeKind};
use crate::error::Result;
use crate::expression::Expr;
use crate::value::{Type, Value};

impl Binder<'_> {
    /// The demands of a domain on a value; NOT NULL has no name.
    fn domain_conditions(
        &mut self,
        domain: &TypeDef,
        value: &Typed,
    ) -> Result<Vec<(Option<String>, Expr)>> {
        let TypeKind::Domain { is_not_null, checks, .. } = &domain.kind else {
            return Ok(Vec::new());
        };
        let mut bound = Vec::new();
        if *is_not_null {
            let is_null = Expr::IsNull(Box::new(value.expr.clone()));
            bound.push((None, Expr::Not(Box::new(is_null))));
        }
        for (name, sql) in checks {
            bound.push((Some(name.clone()), self.domain_condition(sql, value)?));
        }
        Ok(bound)
    }

    /// A condition over VALUE.
    fn domain_condition(&mut self, sql: &str, value: &Typed) -> Result<Expr> {
        let (statement, parsed) = crate::parse::parse_expression(sql)?;
        let name = "value".to_owned();
        let column = ScopeColumn { name, expr: value.expr.clone(), ty: value.ty.clone() };
        let scope = Scope { columns: vec![column], entries: Vec::new() };
        self.within_stored(&statement, |binder| {
            let (bound, _) = binder.with_scope(scope, |binder| {
                binder.within(Clause::Check, |binder| binder.bind_condition(&parsed, "CHECK"))
            });
            bound
        })
    }

    /// A value cast to a domain: it is handed on when the demands are met.
    ///
    /// # Errors
    /// What binding the conditions meets.
    pub(crate) fn checked_by(&mut self, domain: &TypeDef, value: Typed) -> Result<Typed> {
        let checks = self.domain_conditions(domain, &value)?;
        let Typed { expr, ty, at, fields } = value;
        let mut branches = Vec::with_capacity(checks.len());
        for (constraint, condition) in checks {
            let name = Typed::new(Expr::Const(Value::text(domain.name.as_str())), Type::Text);
            let constraint = constraint.map_or(Value::Null, Value::text);
            let constraint = Typed::new(Expr::Const(constraint), Type::Text);
            let shape = Typed::new(Expr::Const(Value::Null), ty.clone());
            let refusal = self.call("refused by domain", vec![shape, name, constraint], at)?;
            branches.push((Expr::IsTruth(Box::new(condition), Some(false)), refusal.expr));
        }
        if branches.is_empty() {
            return Ok(Typed { expr, ty, at, fields });
        }
        Ok(Typed { expr: Expr::Case { branches, otherwise: Box::new(expr) }, ty, at, fields })
    }
}
