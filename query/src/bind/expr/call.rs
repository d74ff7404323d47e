//! Function calls.

use std::sync::Arc;

use sqlparser::ast::{
    self, DuplicateTreatment, Expr as Ast, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArguments, OrderByExpr,
};

use super::{named, no_function};
use crate::bind::binder::{Binder, locate};
use crate::bind::fold;
use crate::bind::overload::{self, Choice, Failure, Signature};
use crate::bind::registry;
use crate::bind::scope::{Clause, SetCall};
use crate::bind::typed::Typed;
use crate::bind::types::{CastContext, cast_context};
use crate::error::{Error, Result, SqlState};
use crate::expression::functions::ParamType;
use crate::expression::{Expr, SetFunction};
use crate::value::shape::Shape;
use crate::value::{SqlType, Type, Value};

/// A call's parts, sorted out.
pub(super) struct Call<'a> {
    /// The function's name, folded.
    pub name: String,
    /// Where it stands.
    pub at: Option<usize>,
    /// The arguments.
    pub args: Vec<&'a Ast>,
    /// `count(*)`
    pub is_star: bool,
    /// `VARIADIC array`
    pub is_spread: bool,
    /// `DISTINCT`
    pub is_distinct: bool,
    /// `ORDER BY` inside the parentheses
    pub order: &'a [OrderByExpr],
    /// `WITHIN GROUP (ORDER BY …)`
    pub within_group: &'a [OrderByExpr],
    /// `FILTER (WHERE …)`
    pub filter: Option<&'a Ast>,
    /// `OVER`
    pub over: Option<&'a ast::WindowType>,
}

impl Binder<'_> {
    /// A call in syntax.
    pub(super) fn bind_call(&mut self, function: &ast::Function) -> Result<Typed> {
        if let Some(query) = super::subquery::array_query(function) {
            return self.bind_array_subquery(query);
        }
        let call = self.sort_out(function)?;
        let at = call.at;
        self.bind_sorted(&call).map_err(|error| locate(error, at)).map(|typed| typed.at(at))
    }

    fn bind_sorted(&mut self, call: &Call<'_>) -> Result<Typed> {
        if let Some(typed) = self.bind_construct(call)? {
            return Ok(typed);
        }
        if call.over.is_some() {
            return self.bind_window_call(call);
        }
        if is_aggregate(&call.name, call.args.len()) {
            return self.bind_aggregate(call);
        }
        if super::window::window_function(&call.name).is_some() {
            let message = format!("window function {} requires an OVER clause", call.name);
            return Err(Error::new(SqlState::WRONG_OBJECT_TYPE, message));
        }
        self.refuse_aggregate_syntax(call)?;
        let args = self.bind_args(&call.args)?;
        if !registry::sets(&call.name).is_empty() {
            return self.bind_set_call(call, args);
        }
        self.call_spread(&call.name, args, call.is_spread, call.at)
    }

    /// What only aggregates may have.
    fn refuse_aggregate_syntax(&self, call: &Call<'_>) -> Result<()> {
        let exists = !registry::functions(&call.name).is_empty();
        let what = if call.is_distinct {
            "DISTINCT"
        } else if !call.order.is_empty() {
            "ORDER BY"
        } else if call.filter.is_some() {
            "FILTER"
        } else if !call.within_group.is_empty() {
            "WITHIN GROUP"
        } else {
            return if call.is_star && exists { Err(star_misused(&call.name)) } else { Ok(()) };
        };
        if !exists {
            return Ok(());
        }
        let message = format!("{what} specified, but {} is not an aggregate function", call.name);
        Err(Error::new(SqlState::WRONG_OBJECT_TYPE, message))
    }

    /// Takes the syntax of a call apart.
    fn sort_out<'s>(&self, function: &'s ast::Function) -> Result<Call<'s>> {
        let idents: Vec<&ast::Ident> =
            function.name.0.iter().filter_map(|p| p.as_ident()).collect();
        let at = idents.first().and_then(|ident| self.at_name(ident));
        let name = idents.last().map(|ident| fold(ident)).unwrap_or_default();
        if let [.., schema, _] = idents.as_slice() {
            self.check_schema(&fold(schema)).map_err(|error| locate(error, at))?;
        }
        let mut call = Call {
            name,
            at,
            args: Vec::new(),
            is_star: false,
            is_spread: false,
            is_distinct: false,
            order: &[],
            within_group: &function.within_group,
            filter: function.filter.as_deref(),
            over: function.over.as_ref(),
        };
        match &function.args {
            FunctionArguments::None => {}
            FunctionArguments::Subquery(_) => {
                return Err(Error::unsupported("a query as argument"));
            }
            FunctionArguments::List(list) => self.sort_args(list, &mut call)?,
        }
        Ok(call)
    }

    fn check_schema(&self, schema: &str) -> Result<()> {
        let is_built_in = matches!(schema, "pg_catalog" | "information_schema");
        if is_built_in || self.ctx.catalog.schemas.contains_key(schema) {
            return Ok(());
        }
        let message = format!("schema \"{schema}\" does not exist");
        Err(Error::new(SqlState::INVALID_SCHEMA_NAME, message))
    }

    fn sort_args<'s>(
        &self,
        list: &'s ast::FunctionArgumentList,
        call: &mut Call<'s>,
    ) -> Result<()> {
        call.is_distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
        for clause in &list.clauses {
            match clause {
                FunctionArgumentClause::OrderBy(order) => call.order = order,
                other => return Err(Error::unsupported(format!("{other} in a call"))),
            }
        }
        if list.args.iter().any(|arg| !matches!(arg, FunctionArg::Unnamed(_))) {
            call.args = named::in_order(&call.name, &list.args)?;
            return Ok(());
        }
        for arg in &list.args {
            let (FunctionArg::Unnamed(value)
            | FunctionArg::Named { arg: value, .. }
            | FunctionArg::ExprNamed { arg: value, .. }) = arg;
            match value {
                FunctionArgExpr::Expr(Ast::Prefixed { prefix, value })
                    if prefix.value.eq_ignore_ascii_case("variadic") =>
                {
                    call.is_spread = true;
                    call.args.push(value);
                }
                FunctionArgExpr::Expr(value) => call.args.push(value),
                FunctionArgExpr::Wildcard => call.is_star = true,
                other => return Err(Error::unsupported(format!("argument {other}"))),
            }
        }
        Ok(())
    }

    /// Binds arguments one by one.
    pub(super) fn bind_args(&mut self, args: &[&Ast]) -> Result<Vec<Typed>> {
        args.iter().map(|arg| self.bind_expr(arg)).collect()
    }

    /// Calls a function by name.
    ///
    /// # Errors
    /// 42883, 42725.
    pub(crate) fn call(
        &mut self,
        name: &str,
        args: Vec<Typed>,
        at: Option<usize>,
    ) -> Result<Typed> {
        self.call_spread(name, args, false, at)
    }

    fn call_spread(
        &mut self,
        name: &str,
        args: Vec<Typed>,
        is_spread: bool,
        at: Option<usize>,
    ) -> Result<Typed> {
        let candidates = registry::functions(name);
        let types: Vec<Type> = args.iter().map(|arg| arg.ty.base.clone()).collect();
        let array_params: Vec<Vec<ParamType>> = candidates
            .iter()
            .map(|function| if is_spread { spread_params(&function.params) } else { Vec::new() })
            .collect();
        let signatures: Vec<Signature<'_>> = candidates
            .iter()
            .zip(&array_params)
            .map(|(function, spread)| Signature {
                params: if is_spread { spread } else { &function.params },
                is_variadic: function.is_variadic && !is_spread,
                optional: function.optional,
            })
            .collect();
        match overload::choose(&signatures, &types, false) {
            Ok(choice) => {
                let function = &candidates[choice.index];
                let is_packed = function.is_variadic && !is_spread;
                let shapes = function.takes_types.then(|| describe_args(&args));
                let (mut args, _) = self.convert_args(args, &choice, is_packed)?;
                args.extend(shapes.map(Expr::Const));
                let result = choice.polymorphic.apply(&function.result).unwrap_or(Type::Text);
                let call = Expr::Call { function: Arc::clone(function), args };
                Ok(Typed::new(call, result).at(at))
            }
            Err(failure) => match self.call_user_function(name, &args, at)? {
                Some(typed) => Ok(typed),
                None => self.call_as_cast(name, args, failure, at),
            },
        }
    }

    /// A call of a type's name with one argument is a cast: `int4(x)`.
    fn call_as_cast(
        &mut self,
        name: &str,
        mut args: Vec<Typed>,
        failure: Failure,
        at: Option<usize>,
    ) -> Result<Typed> {
        if let [arg] = args.as_mut_slice() {
            let ty = ast::DataType::Custom(ast::ObjectName::from(vec![name.into()]), Vec::new());
            if let Ok(ty) = self.resolve_type(&ty)
                && !matches!(ty.base, Type::Row(_) | Type::Record)
                && cast_context(&arg.ty.base, &ty.base).is_some()
            {
                let arg = std::mem::replace(arg, Typed::int(0));
                return self.cast(arg, &ty);
            }
            if arg.fields.is_some() || matches!(arg.ty.base, Type::Row(_)) {
                let row = std::mem::replace(arg, Typed::int(0));
                if let Ok(field) = self.field(row.clone(), name) {
                    return Ok(field);
                }
                *arg = row;
            }
        }
        Err(self.call_failed(name, &args, failure, at))
    }

    /// The error of a call that means nothing or too much.
    pub(super) fn call_failed(
        &self,
        name: &str,
        args: &[Typed],
        failure: Failure,
        at: Option<usize>,
    ) -> Error {
        let types: Vec<String> = args.iter().map(|arg| self.type_name(&arg.ty)).collect();
        if failure == Failure::None {
            return no_function(name, &types, at);
        }
        let message = format!("function {name}({}) is not unique", types.join(", "));
        let error = Error::new(SqlState::AMBIGUOUS_FUNCTION, message).with_hint(
            "Could not choose a best candidate function. \
             You might need to add explicit type casts.",
        );
        locate(error, at)
    }

    /// Converts arguments as a choice says. Repeated ones are packed into an array, unless they
    /// may be of any type.
    pub(super) fn convert_args(
        &mut self,
        args: Vec<Typed>,
        choice: &Choice,
        is_packed: bool,
    ) -> Result<(Vec<Expr>, Vec<Type>)> {
        let mut exprs = Vec::with_capacity(args.len());
        let mut types = Vec::with_capacity(args.len());
        for (arg, to) in args.into_iter().zip(&choice.args) {
            let ty = to.clone().unwrap_or_else(|| arg.ty.base.clone());
            let from = self.type_name(&arg.ty);
            let arg = self.try_coerce(arg, &SqlType::new(ty.clone()), CastContext::Implicit)?;
            let arg = arg.ok_or_else(|| {
                Error::internal(format!("an argument of type {from} was not converted"))
            })?;
            exprs.push(arg.expr);
            types.push(ty);
        }
        if is_packed && !choice.is_any {
            let elements = exprs.split_off(choice.fixed);
            let repeated = types.split_off(choice.fixed);
            let element = repeated.into_iter().next().unwrap_or(Type::Text);
            types.push(Type::Array(Box::new(element.clone())));
            exprs.push(Expr::Array { elements, element });
        }
        Ok((exprs, types))
    }

    /// A set-returning function where one value is expected.
    fn bind_set_call(&mut self, call: &Call<'_>, args: Vec<Typed>) -> Result<Typed> {
        let clause = self.level().clause;
        if !matches!(clause, Clause::Target | Clause::OrderBy | Clause::GroupBy | Clause::Returning)
        {
            let place = clause.name();
            let message = format!("set-returning functions are not allowed in {place}");
            return Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message));
        }
        let (function, args, columns) = self.resolve_set(&call.name, args, call.at)?;
        let ty = match columns.as_slice() {
            [(_, ty)] => ty.clone(),
            _ => SqlType::new(Type::Record),
        };
        let variable = self.level().variable(&call.name, ty.clone(), None);
        self.level().mark_used(&Expr::Column(variable));
        self.level().sets.push(SetCall { variable, function, args });
        let fields = (columns.len() > 1).then_some(columns);
        Ok(Typed { fields, ..Typed::new(Expr::Column(variable), ty) })
    }

    /// Chooses a set-returning function: it, its arguments, its columns.
    ///
    /// # Errors
    /// 42883, 42725.
    #[expect(clippy::type_complexity, reason = "three parts of one choice")]
    pub(crate) fn resolve_set(
        &mut self,
        name: &str,
        args: Vec<Typed>,
        at: Option<usize>,
    ) -> Result<(Arc<SetFunction>, Vec<Expr>, Vec<(String, SqlType)>)> {
        let candidates = registry::sets(name);
        let types: Vec<Type> = args.iter().map(|arg| arg.ty.base.clone()).collect();
        let signatures: Vec<Signature<'_>> = candidates
            .iter()
            .map(|function| Signature {
                params: &function.params,
                is_variadic: function.is_variadic,
                optional: function.optional,
            })
            .collect();
        let choice = match overload::choose(&signatures, &types, false) {
            Ok(choice) => choice,
            Err(failure) => return Err(self.call_failed(name, &args, failure, at)),
        };
        let function = Arc::clone(&candidates[choice.index]);
        let (args, _) = self.convert_args(args, &choice, function.is_variadic)?;
        let columns = function.columns.iter().map(|(column, ty)| {
            let ty = choice.polymorphic.apply(ty).unwrap_or(Type::Text);
            (column.as_deref().unwrap_or(name).to_owned(), SqlType::new(ty))
        });
        let columns = columns.collect();
        Ok((function, args, columns))
    }

    /// A text argument that special syntax stands for.
    pub(super) fn text_arg(text: &str) -> Typed {
        Typed::new(Expr::Const(Value::text(text)), Type::Text)
    }
}

/// Whether a call is of an aggregate: a function of the same name with so many parameters, which
/// no aggregate has, comes first.
fn is_aggregate(name: &str, count: usize) -> bool {
    let aggregates = registry::aggregates(name);
    let takes = |len: usize, is_variadic: bool| len == count || is_variadic;
    let fits = aggregates.iter().any(|own| takes(own.params.len(), own.is_variadic));
    let function =
        registry::functions(name).iter().any(|own| takes(own.params.len(), own.is_variadic));
    !aggregates.is_empty() && (fits || !function)
}

/// The error of `f(*)`.
fn star_misused(name: &str) -> Error {
    let message = format!("{name}(*) specified, but {name} is not an aggregate function");
    Error::new(SqlState::WRONG_OBJECT_TYPE, message)
}

/// Parameters of a variadic function when the call gives the array itself.
fn spread_params(params: &[ParamType]) -> Vec<ParamType> {
    let mut params = params.to_vec();
    if let Some(last) = params.last_mut() {
        let array = match &*last {
            ParamType::Exact(ty) => ParamType::Exact(ty.clone().array()),
            ParamType::AnyElement => ParamType::AnyArray,
            ParamType::AnyCompatible => ParamType::AnyCompatibleArray,
            other => other.clone(),
        };
        *last = array;
    }
    params
}

/// The types of arguments as a value, for functions that ask for them.
fn describe_args(args: &[Typed]) -> crate::value::Value {
    let shape = |arg: &Typed| {
        let fields = arg.fields.as_ref().map(|fields| {
            fields.iter().map(|(name, ty)| (name.clone(), Shape::from(ty.base.clone()))).collect()
        });
        Shape { ty: arg.ty.base.clone(), fields }
    };
    let shapes: Vec<Shape> = args.iter().map(shape).collect();
    crate::value::shape::describe(&shapes)
}
