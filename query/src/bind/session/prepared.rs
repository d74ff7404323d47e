//! PREPARE and EXECUTE.

use sqlparser::ast::{DataType, Expr as Ast};

use crate::bind::binder::Binder;
use crate::bind::scope::Clause;
use crate::bind::types::resolve_type;
use crate::bind::{BindContext, BoundStatement};
use crate::error::{Error, Result, SqlState};
use crate::parse::Statement;

/// `PREPARE`
pub(super) fn bind_prepare(
    name: &str,
    types: &[DataType],
    inner: Statement,
    ctx: BindContext<'_>,
) -> Result<BoundStatement> {
    let resolve = |ty| resolve_type(ctx.catalog, &ctx.facts.search_path, ty);
    let params = types.iter().map(resolve).collect::<Result<Vec<_>>>()?;
    let text = inner.text().to_owned();
    let statement = Box::new(inner);
    Ok(BoundStatement::Prepare { name: name.to_owned(), params, statement, text })
}

impl Binder<'_> {
    /// `EXECUTE`
    pub(super) fn bind_execute(mut self, name: &str, args: &[Ast]) -> Result<BoundStatement> {
        let (args, level) = self.in_new_level(|binder| {
            binder.level().clause = Clause::Execute;
            let bind = |arg| binder.bind_expr(arg).map(|value| (value.expr, value.ty));
            args.iter().map(bind).collect::<Result<Vec<_>>>()
        })?;
        let refused = |what: &str| Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, what));
        if !self.subplans.is_empty() {
            return refused("cannot use subquery in EXECUTE parameter");
        }
        if !level.sets.is_empty() {
            return refused("set-returning functions are not allowed in EXECUTE");
        }
        if !self.params.is_empty() {
            let message = "there is no parameter $1";
            return Err(Error::new(SqlState::UNDEFINED_PARAMETER, message));
        }
        Ok(BoundStatement::Execute { name: name.to_owned(), args })
    }
}
