//! Calls of functions that users wrote in SQL: the text takes the place of the call.
//!
//! A text that is one expression is bound in its place; any other query becomes a subquery that
//! reads the arguments as values of the row outside. Parameters are columns of a table that goes
//! by the function's name: columns that the text itself has in sight come first.

use std::sync::Arc;

use sqlparser::ast::{self, Expr as Ast, SelectItem, SetExpr};

use crate::bind::binder::Binder;
use crate::bind::ddl::CreateFunction;
use crate::bind::overload::{self, Signature};
use crate::bind::scope::{Entry, Scope, ScopeColumn};
use crate::bind::typed::Typed;
use crate::bind::types::CastContext;
use crate::catalog::{FunctionDef, ParameterDef};
use crate::error::{Error, Result, SqlState};
use crate::expression::Expr;
use crate::expression::functions::ParamType;
use crate::parse::Statement;
use crate::plan::walk;
use crate::value::{SqlType, Type, Value};

impl Binder<'_> {
    /// Calls a user's function; `None` when none of the name takes the arguments.
    ///
    /// # Errors
    /// What binding its text meets.
    pub(super) fn call_user_function(
        &mut self,
        name: &str,
        args: &[Typed],
        at: Option<usize>,
    ) -> Result<Option<Typed>> {
        let path = &self.ctx.facts.search_path;
        let functions = self.ctx.catalog.functions.values();
        let named = functions.filter(|def| def.name == name && path.contains(&def.schema));
        let candidates: Vec<Arc<FunctionDef>> = named.cloned().collect();
        let params: Vec<Vec<ParamType>> = candidates
            .iter()
            .map(|def| def.params.iter().map(|p| ParamType::Exact(p.ty.base.clone())).collect())
            .collect();
        let signatures: Vec<Signature<'_>> = candidates
            .iter()
            .zip(&params)
            .map(|(def, params)| Signature {
                params,
                is_variadic: false,
                optional: def.params.iter().filter(|param| param.default.is_some()).count(),
            })
            .collect();
        let types: Vec<Type> = args.iter().map(|arg| arg.ty.base.clone()).collect();
        let Ok(choice) = overload::choose(&signatures, &types, false) else { return Ok(None) };
        let Some(def) = candidates.get(choice.index) else { return Ok(None) };
        let args = self.user_args(def, args)?;
        if self.stored_text.as_ref().is_some_and(|text| text.is_about_names) {
            let unknown = Expr::Const(Value::Null);
            return Ok(Some(Typed::new(unknown, def.result.clone()).at(at)));
        }
        self.in_place(&Called::of(def), args).map(|typed| Some(typed.at(at)))
    }

    /// The arguments as the parameters take them, defaults included.
    fn user_args(&mut self, def: &FunctionDef, args: &[Typed]) -> Result<Vec<Typed>> {
        let mut given = args.iter();
        let mut converted = Vec::with_capacity(def.params.len());
        for param in &def.params {
            let value = match (given.next(), &param.default) {
                (Some(arg), _) => {
                    let arg = self.try_coerce(arg.clone(), &param.ty, CastContext::Implicit)?;
                    arg.ok_or_else(|| Error::internal("an argument was not converted"))?
                }
                (None, Some(sql)) => {
                    let expr = self.stored_default(sql, "parameter", &param.ty)?;
                    Typed::new(expr, param.ty.clone())
                }
                (None, None) => return Err(Error::internal("an argument is missing")),
            };
            converted.push(value);
        }
        Ok(converted)
    }

    /// Checks the text of a function that is being made.
    ///
    /// # Errors
    /// What binding it meets; 42P13 when it gives another type.
    pub(crate) fn check_function(&mut self, created: &CreateFunction) -> Result<()> {
        let nulls = created.params.iter().map(|param| {
            // A variable, so that nothing is computed beforehand.
            let name = param.name.as_deref().unwrap_or_default();
            let variable = self.level().variable(name, param.ty.clone(), None);
            Typed::new(Expr::Column(variable), param.ty.clone())
        });
        let args = nulls.collect();
        let called = Called {
            name: &created.name.name,
            params: &created.params,
            result: &created.result,
            body: &created.body,
            is_strict: created.is_strict,
        };
        self.in_place(&called, args).map(|_| ())
    }

    /// The text of a function in the place of a call.
    fn in_place(&mut self, called: &Called<'_>, args: Vec<Typed>) -> Result<Typed> {
        let statement = called.statement()?;
        let query = statement.query().ok_or_else(not_a_query)?;
        let are_null: Vec<Expr> =
            args.iter().map(|arg| Expr::IsNull(Box::new(arg.expr.clone()))).collect();
        let is_plain = !args.iter().any(|arg| walk::is_volatile(&arg.expr));
        let scope = called.scope(args);
        let (value, _) = self.with_scope(scope, |binder| {
            binder.within_function(&statement, |binder| match only_expression(query) {
                Some(expr) if is_plain => binder.bind_expr(expr),
                _ => binder.bind_first_row(query),
            })
        });
        let value = self.as_result(value?, called)?;
        if !called.is_strict || are_null.is_empty() {
            return Ok(value);
        }
        let branches = vec![(Expr::Or(are_null), Expr::Const(Value::Null))];
        let expr = Expr::Case { branches, otherwise: Box::new(value.expr) };
        Ok(Typed::new(expr, value.ty))
    }

    /// Enters a function's text: names mean what they mean there, but the row outside stays in
    /// sight, where the arguments come from.
    fn within_function<T>(
        &mut self,
        statement: &Statement,
        bind: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let levels = std::mem::take(&mut self.levels);
        let mut left = Vec::new();
        let result = self.within_stored(statement, |binder| {
            binder.levels = levels;
            let result = bind(binder);
            left = std::mem::take(&mut binder.levels);
            result
        });
        self.levels = left;
        result
    }

    /// A query as the value of its first row's only column.
    fn bind_first_row(&mut self, query: &ast::Query) -> Result<Typed> {
        let mut query = query.clone();
        if query.limit_clause.is_none() && query.fetch.is_none() {
            let one = Ast::Value(ast::Value::Number("1".to_owned(), false).into());
            query.limit_clause = Some(ast::LimitClause::LimitOffset {
                limit: Some(one),
                offset: None,
                limit_by: Vec::new(),
            });
        }
        self.bind_expr(&Ast::Subquery(Box::new(query)))
    }

    fn as_result(&mut self, value: Typed, called: &Called<'_>) -> Result<Typed> {
        let from = self.type_name(&value.ty);
        match self.try_coerce(value, called.result, CastContext::Assignment)? {
            Some(value) => Ok(Typed::new(value.expr, called.result.clone())),
            None => {
                let to = self.type_name(called.result);
                let message = format!("return type mismatch in function declared to return {to}");
                Err(Error::new(SqlState("42P13"), message)
                    .with_detail(format!("Actual return type is {from}.")))
            }
        }
    }
}

/// A function that is called, or checked.
struct Called<'a> {
    name: &'a str,
    params: &'a [ParameterDef],
    result: &'a SqlType,
    body: &'a str,
    is_strict: bool,
}

impl<'a> Called<'a> {
    fn of(def: &'a FunctionDef) -> Self {
        Self {
            name: &def.name,
            params: &def.params,
            result: &def.result,
            body: &def.body,
            is_strict: def.is_strict,
        }
    }

    /// The one statement of the text; `$1` is the name of a parameter there.
    fn statement(&self) -> Result<Statement> {
        let mut statements = crate::parse::parse_function(self.body)?;
        match (statements.pop(), statements.is_empty()) {
            (Some(statement), true) => Ok(statement),
            (Some(_), false) => Err(Error::unsupported("a function of several statements")),
            (None, _) => Err(not_a_query()),
        }
    }

    /// The arguments by the names of the parameters, and by their numbers.
    fn scope(&self, args: Vec<Typed>) -> Scope {
        let mut columns = Vec::new();
        for (at, (param, arg)) in self.params.iter().zip(args).enumerate() {
            let column =
                |name: String| ScopeColumn { name, expr: arg.expr.clone(), ty: arg.ty.clone() };
            columns.extend(param.name.clone().map(column));
            columns.push(column(crate::parse::parameter_name(at + 1)));
        }
        Scope::of(Entry::new(self.name.to_owned(), columns))
    }
}

fn not_a_query() -> Error {
    Error::unsupported("a function whose text is no query")
}

/// The expression that a query is, when it is `SELECT expression` and nothing more.
fn only_expression(query: &ast::Query) -> Option<&Ast> {
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    let is_bare = query.with.is_none()
        && query.order_by.is_none()
        && query.limit_clause.is_none()
        && query.fetch.is_none()
        && select.from.is_empty()
        && select.selection.is_none()
        && select.having.is_none()
        && select.distinct.is_none()
        && matches!(&select.group_by, ast::GroupByExpr::Expressions(keys, _) if keys.is_empty());
    match (is_bare, select.projection.as_slice()) {
        (true, [SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }]) => {
            (!calls_aggregate(expr)).then_some(expr)
        }
        _ => None,
    }
}

/// Whether there may be an aggregate or a set in an expression: then it needs a query of its own.
fn calls_aggregate(expr: &Ast) -> bool {
    let text = expr.to_string();
    let registry = crate::expression::Registry::global();
    crate::parse::called_names(&text).iter().any(|name| {
        !registry.aggregates(name).is_empty() || !registry.set_functions(name).is_empty()
    }) || text.to_ascii_uppercase().contains(" OVER ")
}
