//! Window function calls, named windows and frames.

use std::sync::Arc;

use sqlparser::ast::{self, Ident, NamedWindowExpr, WindowFrameUnits, WindowType};

use super::call::Call;
use crate::bind::binder::{Binder, locate};
use crate::bind::fold;
use crate::bind::overload::{self, Signature};
use crate::bind::registry;
use crate::bind::scope::{Clause, WindowCall};
use crate::bind::typed::Typed;
use crate::bind::types::CastContext;
use crate::error::{Error, Result, SqlState};
use crate::expression::Expr;
use crate::plan::{
    Frame, FrameBound, FrameExclusion, FrameUnit, SortKey, WindowExpr, WindowFunction,
};
use crate::value::{SqlType, Type};

/// What OVER says, with named windows resolved.
struct Definition {
    partition: Vec<Expr>,
    order: Vec<(SortKey, SqlType)>,
    frame: Frame,
}

/// The window functions that are no aggregates.
pub(super) fn window_function(name: &str) -> Option<WindowFunction> {
    Some(match name {
        "row_number" => WindowFunction::RowNumber,
        "rank" => WindowFunction::Rank,
        "dense_rank" => WindowFunction::DenseRank,
        "percent_rank" => WindowFunction::PercentRank,
        "cume_dist" => WindowFunction::CumeDist,
        "ntile" => WindowFunction::Ntile,
        "lag" => WindowFunction::Lag,
        "lead" => WindowFunction::Lead,
        "first_value" => WindowFunction::FirstValue,
        "last_value" => WindowFunction::LastValue,
        "nth_value" => WindowFunction::NthValue,
        _ => return None,
    })
}

impl Binder<'_> {
    /// `f(…) OVER (…)`
    pub(super) fn bind_window_call(&mut self, call: &Call<'_>) -> Result<Typed> {
        let clause = self.level().clause;
        if !matches!(clause, Clause::Target | Clause::OrderBy) {
            let place = clause.name();
            let message = match clause {
                Clause::Window => "window function calls cannot be nested".to_owned(),
                _ => format!("window functions are not allowed in {place}"),
            };
            return Err(locate(Error::new(SqlState::WINDOWING_ERROR, message), call.at));
        }
        let Some(over) = call.over else { return Err(Error::internal("no OVER")) };
        let (definition, args, filter) = self.within(Clause::Window, |binder| {
            let definition = binder.bind_window(over)?;
            let args = binder.bind_args(&call.args)?;
            let filter = call.filter.map(|filter| binder.bind_condition(filter, "FILTER"));
            Ok((definition, args, filter.transpose()?))
        })?;
        if call.is_distinct {
            return Err(Error::unsupported("DISTINCT for window functions"));
        }
        let (function, args, arg_types, result) = self.resolve_window(call, args)?;
        let window = WindowExpr {
            function,
            args,
            arg_types,
            filter,
            partition: definition.partition,
            order: definition.order.into_iter().map(|(key, _)| key).collect(),
            frame: definition.frame,
        };
        let level = self.level();
        let variable = level.variable(&call.name, result.clone(), None);
        level.windows.push(WindowCall { variable, window });
        Ok(Typed::new(Expr::Column(variable), result))
    }

    fn resolve_window(
        &mut self,
        call: &Call<'_>,
        args: Vec<Typed>,
    ) -> Result<(WindowFunction, Vec<Expr>, Vec<Type>, SqlType)> {
        if let Some(function) = window_function(&call.name) {
            return self.resolve_plain_window(call, function, args);
        }
        let candidates = registry::aggregates(&call.name);
        if candidates.is_empty() {
            if registry::functions(&call.name).is_empty() {
                return Err(self.call_failed(&call.name, &args, overload::Failure::None, call.at));
            }
            let message = format!(
                "OVER specified, but {} is not a window function nor an aggregate function",
                call.name
            );
            return Err(Error::new(SqlState::WRONG_OBJECT_TYPE, message));
        }
        let types: Vec<Type> = args.iter().map(|arg| arg.ty.base.clone()).collect();
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
            Err(failure) => return Err(self.call_failed(&call.name, &args, failure, call.at)),
        };
        let function = Arc::clone(&candidates[choice.index]);
        let result = choice.polymorphic.apply(&function.result).unwrap_or(Type::Text);
        let (args, types) = self.convert_args(args, &choice, function.is_variadic)?;
        Ok((WindowFunction::Aggregate(function), args, types, SqlType::new(result)))
    }

    fn resolve_plain_window(
        &mut self,
        call: &Call<'_>,
        function: WindowFunction,
        args: Vec<Typed>,
    ) -> Result<(WindowFunction, Vec<Expr>, Vec<Type>, SqlType)> {
        use WindowFunction::{FirstValue, Lag, LastValue, Lead, NthValue, Ntile};
        let (least, most) = match function {
            Ntile | FirstValue | LastValue => (1, 1),
            NthValue => (2, 2),
            Lag | Lead => (1, 3),
            _ => (0, 0),
        };
        if args.len() < least || args.len() > most {
            return Err(self.call_failed(&call.name, &args, overload::Failure::None, call.at));
        }
        let result = match function {
            Ntile => Type::Int4,
            WindowFunction::PercentRank | WindowFunction::CumeDist => Type::Float8,
            Lag | Lead | FirstValue | LastValue | NthValue => Type::Unknown,
            _ => Type::Int8,
        };
        let mut values = args.into_iter();
        let mut converted = Vec::new();
        let mut result = SqlType::new(result);
        if result.base == Type::Unknown
            && let Some(value) = values.next()
        {
            let mut value = self.settle(value)?;
            let rest: Vec<Typed> = values.collect();
            // The default of lag and lead has the value's type, or both a common one.
            let mut rest = rest.into_iter();
            let offset = rest.next();
            if let Some(default) = rest.next() {
                let (mut pair, _) = self.unify(vec![value, default], &call.name)?;
                let default = pair.pop();
                value = pair.pop().unwrap_or_else(|| Typed::int(0));
                result = value.ty.clone();
                converted.push(value);
                converted.extend(self.integer_arg(offset)?);
                converted.extend(default);
            } else {
                result = value.ty.clone();
                converted.push(value);
                converted.extend(self.integer_arg(offset)?);
            }
        } else {
            let count = values.next();
            converted.extend(self.integer_arg(count)?);
        }
        let types = converted.iter().map(|arg| arg.ty.base.clone()).collect();
        let args = converted.into_iter().map(|arg| arg.expr).collect();
        Ok((function, args, types, result))
    }

    fn integer_arg(&mut self, arg: Option<Typed>) -> Result<Option<Typed>> {
        let Some(arg) = arg else { return Ok(None) };
        let (from, at) = (self.type_name(&arg.ty), arg.at);
        let arg = self.try_coerce(arg, &SqlType::new(Type::Int4), CastContext::Implicit)?;
        let missing = || super::no_function("lag", &[from], at);
        arg.map(Some).ok_or_else(missing)
    }

    /// What OVER says.
    fn bind_window(&mut self, over: &WindowType) -> Result<Definition> {
        match over {
            WindowType::NamedWindow(name) => {
                let spec = self.named_window(name, 0)?;
                self.bind_window_spec(&spec)
            }
            WindowType::WindowSpec(spec) => {
                let spec = self.merge_window(spec, 0)?;
                self.bind_window_spec(&spec)
            }
        }
    }

    /// A definition of the WINDOW clause.
    fn named_window(&mut self, name: &Ident, depth: usize) -> Result<ast::WindowSpec> {
        let folded = fold(name);
        let at = self.at_name(name);
        let windows = &self.level().named_windows;
        let found = windows.iter().find(|(other, _)| fold(other) == folded);
        let missing = || {
            let message = format!("window \"{folded}\" does not exist");
            locate(Error::new(SqlState::UNDEFINED_OBJECT, message), at)
        };
        let found = found.map(|(_, window)| window.clone()).ok_or_else(missing)?;
        if depth > 100 {
            return Err(missing());
        }
        match found {
            NamedWindowExpr::NamedWindow(other) => self.named_window(&other, depth + 1),
            NamedWindowExpr::WindowSpec(spec) => self.merge_window(&spec, depth + 1),
        }
    }

    /// Copies what the window that a definition begins with says.
    fn merge_window(&mut self, spec: &ast::WindowSpec, depth: usize) -> Result<ast::WindowSpec> {
        let Some(name) = &spec.window_name else { return Ok(spec.clone()) };
        let base = self.named_window(name, depth)?;
        let folded = fold(name);
        let refuse = |what: &str| {
            let message = format!("cannot override {what} of window \"{folded}\"");
            Err(Error::new(SqlState::WINDOWING_ERROR, message))
        };
        if !spec.partition_by.is_empty() {
            return refuse("PARTITION BY clause");
        }
        if !spec.order_by.is_empty() && !base.order_by.is_empty() {
            return refuse("ORDER BY clause");
        }
        let order_by = if base.order_by.is_empty() { spec.order_by.clone() } else { base.order_by };
        let window_frame = spec.window_frame.clone();
        Ok(ast::WindowSpec {
            window_name: None,
            partition_by: base.partition_by,
            order_by,
            window_frame,
        })
    }

    fn bind_window_spec(&mut self, spec: &ast::WindowSpec) -> Result<Definition> {
        let partition = spec.partition_by.iter().map(|part| Ok(self.bind_settled(part)?.expr));
        let partition = partition.collect::<Result<Vec<_>>>()?;
        let order = self.bind_order(&spec.order_by)?;
        let frame = match &spec.window_frame {
            None => Frame {
                unit: FrameUnit::Range,
                start: FrameBound::UnboundedPreceding,
                end: FrameBound::CurrentRow,
                exclusion: FrameExclusion::NoOthers,
            },
            Some(frame) => self.bind_frame(frame, &order)?,
        };
        Ok(Definition { partition, order, frame })
    }

    fn bind_frame(
        &mut self,
        frame: &ast::WindowFrame,
        order: &[(SortKey, SqlType)],
    ) -> Result<Frame> {
        let unit = match frame.units {
            WindowFrameUnits::Rows => FrameUnit::Rows,
            WindowFrameUnits::Range => FrameUnit::Range,
            WindowFrameUnits::Groups => FrameUnit::Groups,
        };
        let start = self.bind_bound(&frame.start_bound, unit, order)?;
        let end = match &frame.end_bound {
            None => FrameBound::CurrentRow,
            Some(bound) => self.bind_bound(bound, unit, order)?,
        };
        let refuse = |message: &str| Err(Error::new(SqlState::WINDOWING_ERROR, message));
        match (&start, &end) {
            (FrameBound::UnboundedFollowing, _) => {
                refuse("frame start cannot be UNBOUNDED FOLLOWING")
            }
            (_, FrameBound::UnboundedPreceding) => {
                refuse("frame end cannot be UNBOUNDED PRECEDING")
            }
            (FrameBound::CurrentRow, FrameBound::Preceding(_)) => {
                refuse("frame starting from current row cannot have preceding rows")
            }
            (FrameBound::Following(_), FrameBound::Preceding(_) | FrameBound::CurrentRow) => {
                refuse("frame starting from following row cannot have preceding rows")
            }
            _ => Ok(Frame { unit, start, end, exclusion: FrameExclusion::NoOthers }),
        }
    }

    fn bind_bound(
        &mut self,
        bound: &ast::WindowFrameBound,
        unit: FrameUnit,
        order: &[(SortKey, SqlType)],
    ) -> Result<FrameBound> {
        use sqlparser::ast::WindowFrameBound::{CurrentRow, Following, Preceding};
        let (offset, make): (_, fn(Expr) -> FrameBound) = match bound {
            CurrentRow => return Ok(FrameBound::CurrentRow),
            Preceding(None) => return Ok(FrameBound::UnboundedPreceding),
            Following(None) => return Ok(FrameBound::UnboundedFollowing),
            Preceding(Some(offset)) => (offset, FrameBound::Preceding),
            Following(Some(offset)) => (offset, FrameBound::Following),
        };
        let offset = self.bind_expr(offset)?;
        let ty = match (unit, order) {
            (FrameUnit::Rows | FrameUnit::Groups, _) => Type::Int8,
            (FrameUnit::Range, [(_, ty)]) => match &ty.base {
                Type::Date | Type::Timestamp | Type::TimestampTz | Type::Time => Type::Interval,
                other => other.clone(),
            },
            (FrameUnit::Range, _) => {
                let message =
                    "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column";
                return Err(Error::new(SqlState::WINDOWING_ERROR, message));
            }
        };
        let what = match unit {
            FrameUnit::Rows => "ROWS",
            FrameUnit::Range => "RANGE",
            FrameUnit::Groups => "GROUPS",
        };
        Ok(make(self.coerce_to(offset, &ty, what)?.expr))
    }
}
