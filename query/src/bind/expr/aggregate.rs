//! Aggregate calls.

use std::ops::ControlFlow;
use std::sync::Arc;

use sqlparser::ast::{Expr as Ast, OrderByExpr, visit_expressions};

use super::call::Call;
use crate::bind::binder::{Binder, locate};
use crate::bind::fold;
use crate::bind::overload::{self, Choice, Signature};
use crate::bind::registry;
use crate::bind::scope::Clause;
use crate::bind::typed::Typed;
use crate::error::{Error, Result, SqlState};
use crate::expression::{AggregateFunction, Expr};
use crate::plan::{AggregateExpr, SortKey};
use crate::value::{SqlType, Type};

impl Binder<'_> {
    /// `sum(x)`, `count(DISTINCT x) FILTER (WHERE y)`, `percentile_cont(0.5) WITHIN GROUP (…)`
    pub(super) fn bind_aggregate(&mut self, call: &Call<'_>) -> Result<Typed> {
        let depth = self.aggregate_depth(call);
        if depth + 1 >= self.levels.len() {
            return self.bind_own_aggregate(call);
        }
        // It belongs to a query outside, whose groups it is computed over.
        let inner = self.levels.split_off(depth + 1);
        let outer = self.bind_own_aggregate(call);
        self.levels.extend(inner);
        let outer = outer?;
        Ok(Typed { expr: self.pass_inward(depth, outer.expr.clone()), ..outer })
    }

    /// The level of an aggregate: the innermost one that its arguments name a column of.
    fn aggregate_depth(&self, call: &Call<'_>) -> usize {
        let innermost = self.levels.len().saturating_sub(1);
        let (mut depth, mut has_query) = (None, false);
        let arguments = call.args.iter().copied();
        for argument in arguments.chain(call.filter).chain(call.order.iter().map(|key| &key.expr)) {
            let _ = visit_expressions(argument, |part| {
                has_query |=
                    matches!(part, Ast::Subquery(_) | Ast::Exists { .. } | Ast::InSubquery { .. });
                depth = depth.max(self.depth_of(part));
                ControlFlow::<()>::Continue(())
            });
        }
        if has_query { innermost } else { depth.unwrap_or(innermost) }
    }

    /// The level whose column a name is.
    fn depth_of(&self, name: &Ast) -> Option<usize> {
        match name {
            Ast::Identifier(name) => {
                let folded = fold(name);
                self.levels.iter().rposition(|level| {
                    let scope = &level.scope;
                    scope.columns.iter().any(|column| column.name == folded)
                        || scope.entries.iter().any(|entry| entry.name == folded)
                })
            }
            Ast::CompoundIdentifier(parts) => {
                let folded: Vec<String> = parts.iter().map(fold).collect();
                let (schema, table) = match folded.as_slice() {
                    [table, _] => (None, table),
                    [.., schema, table, _] => (Some(schema.as_str()), table),
                    _ => return None,
                };
                self.find_entry(schema, table).map(|(depth, _)| depth)
            }
            _ => None,
        }
    }

    fn bind_own_aggregate(&mut self, call: &Call<'_>) -> Result<Typed> {
        self.refuse_nested_aggregate(call)?;
        let clause = self.level().clause;
        if !matches!(clause, Clause::Target | Clause::Having | Clause::OrderBy | Clause::Window) {
            let place = clause.name();
            let message = format!("aggregate functions are not allowed in {place}");
            return Err(Error::new(SqlState::GROUPING_ERROR, message));
        }
        let (args, order, filter) = self.within(Clause::Aggregate, |binder| {
            let args = binder.bind_args(&call.args)?;
            let order = match call.within_group {
                [] => binder.bind_order(call.order)?,
                within => binder.bind_order(within)?,
            };
            Ok((args, order, None::<Expr>))
        })?;
        let filter = match call.filter {
            None => filter,
            Some(condition) => Some(
                self.within(Clause::Filter, |binder| binder.bind_condition(condition, "FILTER"))?,
            ),
        };
        let (function, choice, args) = self.resolve_aggregate(call, args, &order)?;
        let result = self.result_type(&function, &choice, call);
        let (order, arg_types, args) = self.aggregate_order(&function, &choice, args, order)?;
        let mut order: Vec<SortKey> = order.into_iter().map(|(key, _)| key).collect();
        if call.is_distinct && order.is_empty() && collects(&call.name) {
            // Distinct values come in their order.
            order.extend(args.iter().cloned().map(ascending));
        }
        let aggregate = AggregateExpr {
            function: Arc::clone(&function),
            args,
            arg_types,
            is_distinct: call.is_distinct,
            order,
            filter,
        };
        Ok(self.level().aggregate(&function, result, aggregate))
    }

    fn refuse_nested_aggregate(&mut self, call: &Call<'_>) -> Result<()> {
        match self.level().clause {
            Clause::Aggregate => {
                let message = "aggregate function calls cannot be nested";
                Err(locate(Error::new(SqlState::GROUPING_ERROR, message), call.at))
            }
            _ => Ok(()),
        }
    }

    /// Chooses the aggregate. The keys of WITHIN GROUP count as arguments behind the others.
    fn resolve_aggregate(
        &mut self,
        call: &Call<'_>,
        args: Vec<Typed>,
        order: &[(SortKey, SqlType)],
    ) -> Result<(Arc<AggregateFunction>, Choice, Vec<Typed>)> {
        let candidates = registry::aggregates(&call.name);
        let mut types: Vec<Type> = args.iter().map(|arg| arg.ty.base.clone()).collect();
        if !call.within_group.is_empty() {
            types.extend(order.iter().map(|(_, ty)| ty.base.clone()));
        }
        let signatures: Vec<Signature<'_>> = candidates
            .iter()
            .map(|function| Signature {
                params: &function.params,
                is_variadic: function.is_variadic,
                optional: 0,
            })
            .collect();
        let choice = match overload::choose(&signatures, &types, false) {
            Ok(choice) => choice,
            Err(_) if args.is_empty() && !call.is_star && call.within_group.is_empty() => {
                let name = &call.name;
                let message =
                    format!("{name}(*) must be used to call a parameterless aggregate function");
                return Err(Error::new(SqlState::WRONG_OBJECT_TYPE, message));
            }
            Err(failure) => return Err(self.call_failed(&call.name, &args, failure, call.at)),
        };
        let function = Arc::clone(&candidates[choice.index]);
        if args.is_empty() && !call.is_star && !function.is_ordered_set {
            let name = &call.name;
            let message =
                format!("{name}(*) must be used to call a parameterless aggregate function");
            return Err(Error::new(SqlState::WRONG_OBJECT_TYPE, message));
        }
        if function.is_ordered_set && call.within_group.is_empty() {
            let message =
                format!("WITHIN GROUP is required for ordered-set aggregate {}", call.name);
            return Err(Error::new(SqlState::WRONG_OBJECT_TYPE, message));
        }
        Ok((function, choice, args))
    }

    fn result_type(
        &self,
        function: &AggregateFunction,
        choice: &Choice,
        _call: &Call<'_>,
    ) -> SqlType {
        SqlType::new(choice.polymorphic.apply(&function.result).unwrap_or(Type::Text))
    }

    /// Converts the arguments; of an ordered-set aggregate, the keys too.
    #[expect(clippy::type_complexity, reason = "three parts of one call")]
    fn aggregate_order(
        &mut self,
        function: &AggregateFunction,
        choice: &Choice,
        args: Vec<Typed>,
        order: Vec<(SortKey, SqlType)>,
    ) -> Result<(Vec<(SortKey, SqlType)>, Vec<Type>, Vec<Expr>)> {
        let direct = args.len();
        let mut all = args;
        if function.is_ordered_set {
            let keys = order.iter().map(|(key, ty)| Typed::new(key.expr.clone(), ty.clone()));
            all.extend(keys);
        }
        let (mut exprs, types) = self.convert_args(all, choice, function.is_variadic)?;
        if !function.is_ordered_set {
            return Ok((order, types, exprs));
        }
        let converted = exprs.split_off(direct.min(exprs.len()));
        let order =
            order.into_iter().zip(converted).map(|((key, ty), expr)| (SortKey { expr, ..key }, ty));
        Ok((order.collect(), types, exprs))
    }

    /// ORDER BY inside a call or window: expressions, never positions or output names.
    pub(crate) fn bind_order(&mut self, order: &[OrderByExpr]) -> Result<Vec<(SortKey, SqlType)>> {
        let keys = order.iter().map(|item| {
            let value = self.bind_settled(&item.expr)?;
            let ty = value.ty.clone();
            Ok((self.sort_key(value, item)?, ty))
        });
        keys.collect()
    }

    /// `GROUPING(a, b)`
    pub(super) fn bind_grouping(&mut self, call: &Call<'_>) -> Result<Typed> {
        let args = self.bind_args(&call.args)?;
        let args = args.into_iter().map(|arg| arg.expr).collect();
        let level = self.level();
        let variable = level.variable("grouping", SqlType::new(Type::Int4), None);
        level.groupings.push((variable, args));
        Ok(Typed::new(Expr::Column(variable), Type::Int4))
    }
}

/// Whether the order of the values can be seen in the result.
fn collects(aggregate: &str) -> bool {
    matches!(aggregate, "array_agg" | "string_agg" | "json_agg" | "jsonb_agg")
}

fn ascending(expr: Expr) -> SortKey {
    SortKey { expr, is_descending: false, nulls_first: false }
}
