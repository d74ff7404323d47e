//! What a domain asks of a value: wherever a value becomes one of it, in a cast or in a column.

use super::{EvalContext, Expr};
use crate::error::{Error, Result, SqlState};
use crate::value::Value;

/// The demands of a domain.
#[derive(Clone, Debug)]
pub struct DomainChecks {
    /// The domain's OID.
    pub oid: u32,
    /// Its name.
    pub name: String,
    /// NOT NULL
    pub is_not_null: bool,
    /// CHECK constraints by name, in the order of their names; column 0 of their one-column input
    /// is the value.
    pub checks: Vec<(String, Expr)>,
}

impl DomainChecks {
    /// Fails when a value is none of the domain's.
    ///
    /// # Errors
    /// 23502, 23514, and what the conditions meet.
    pub fn admit(&self, ctx: &EvalContext<'_>, value: &Value) -> Result<()> {
        if self.is_not_null && value.is_null() {
            let message = format!("domain {} does not allow null values", self.name);
            return Err(Error::new(SqlState::NOT_NULL_VIOLATION, message));
        }
        for (name, check) in &self.checks {
            // A CHECK fails only when it is false; unknown passes.
            if check.eval_predicate(ctx, std::slice::from_ref(value))? == Some(false) {
                return Err(self.violation(name));
            }
        }
        Ok(())
    }

    fn violation(&self, constraint: &str) -> Error {
        let domain = &self.name;
        let message =
            format!("value for domain {domain} violates check constraint \"{constraint}\"");
        Error::new(SqlState::CHECK_VIOLATION, message).on_constraint(constraint)
    }
}
