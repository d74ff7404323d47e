//! What domains ask of values, bound: for casts, and for columns where rows are written.

use std::sync::Arc;

use super::binder::Binder;
use super::scope::{Clause, Scope, ScopeColumn};
use super::typed::Typed;
use super::walk::{Layout, remap};
use crate::catalog::TypeKind;
use crate::error::{Error, Result};
use crate::expression::{DomainChecks, Expr};
use crate::value::SqlType;

impl Binder<'_> {
    /// What a domain asks of its values.
    ///
    /// # Errors
    /// What binding the conditions meets.
    pub(crate) fn domain_checks(&mut self, oid: u32) -> Result<Arc<DomainChecks>> {
        let missing = || Error::internal(format!("domain {oid} is not in the catalog"));
        let def = self.ctx.catalog.types.get(&oid).cloned().ok_or_else(missing)?;
        let TypeKind::Domain { base, is_not_null, checks: conditions, .. } = &def.kind else {
            return Err(missing());
        };
        let mut checks = Vec::with_capacity(conditions.len());
        for (name, sql) in conditions {
            checks.push((name.clone(), self.domain_condition(sql, base)?));
        }
        checks.sort_by(|(left, _), (right, _)| left.cmp(right));
        let (name, is_not_null) = (def.name.clone(), *is_not_null);
        Ok(Arc::new(DomainChecks { oid, name, is_not_null, checks }))
    }

    /// A condition over VALUE, the only column of its row.
    fn domain_condition(&mut self, sql: &str, base: &SqlType) -> Result<Expr> {
        let (statement, parsed) = crate::parse::parse_expression(sql)?;
        let bound = self.within_stored(&statement, |binder| {
            binder.in_new_level(|binder| {
                let variable = binder.level().variable("value", base.clone(), None);
                let (name, expr) = ("value".to_owned(), Expr::Column(variable));
                let column = ScopeColumn { name, expr, ty: base.clone() };
                binder.level().scope = Scope { columns: vec![column], entries: Vec::new() };
                binder.level().clause = Clause::Check;
                let mut condition = binder.bind_condition(&parsed, "CHECK")?;
                remap(&mut condition, &Layout::of([variable]))?;
                Ok(condition)
            })
        });
        bound.map(|(condition, _)| condition)
    }

    /// A value cast to a domain: it is handed on when the demands are met.
    ///
    /// # Errors
    /// What binding the conditions meets.
    pub(crate) fn checked_by(&mut self, domain: u32, value: Typed) -> Result<Typed> {
        let domain = self.domain_checks(domain)?;
        if !domain.is_not_null && domain.checks.is_empty() {
            return Ok(value);
        }
        let Typed { expr, ty, at, fields } = value;
        Ok(Typed { expr: Expr::Checked { value: Box::new(expr), domain }, ty, at, fields })
    }
}
