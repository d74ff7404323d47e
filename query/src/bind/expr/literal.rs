//! Literals: numbers, strings, parameters, `DATE '…'`, INTERVAL, arrays and rows.

use std::str::FromStr;

use sqlparser::ast::{self, DateTimeField, Expr as Ast, IntervalFields};

use crate::bind::binder::{Binder, locate};
use crate::bind::typed::Typed;
use crate::error::{Error, Result, SqlState};
use crate::expression::Expr;
use crate::value::numeric::Numeric;
use crate::value::{SqlType, Type, Value};

/// The largest number of parameters, as in the protocol.
const MAX_PARAMS: usize = 65_535;

impl Binder<'_> {
    /// A literal or parameter.
    pub(super) fn bind_literal(&mut self, literal: &ast::ValueWithSpan) -> Result<Typed> {
        let at = self.at_span(literal.span);
        let unknown = |text: &str| Typed::new(Expr::Const(Value::text(text)), Type::Unknown);
        let typed = match &literal.value {
            ast::Value::Number(digits, _) => number(digits)?,
            ast::Value::Boolean(truth) => Typed::bool(Expr::Const(Value::Bool(*truth))),
            ast::Value::Null => Typed::new(Expr::Const(Value::Null), Type::Unknown),
            ast::Value::Placeholder(name) => self.bind_param(name, at)?,
            ast::Value::SingleQuotedString(text)
            | ast::Value::EscapedStringLiteral(text)
            | ast::Value::UnicodeStringLiteral(text)
            | ast::Value::NationalStringLiteral(text) => unknown(text),
            ast::Value::DollarQuotedString(text) => unknown(&text.value),
            other => return Err(locate(Error::unsupported(format!("literal {other}")), at)),
        };
        Ok(typed.at(at))
    }

    /// `$1`
    fn bind_param(&mut self, name: &str, at: Option<usize>) -> Result<Typed> {
        let number = name.strip_prefix('$').and_then(|digits| digits.parse::<usize>().ok());
        let Some(index) = number.and_then(|number| number.checked_sub(1)) else {
            let message = format!("there is no parameter {name}");
            return Err(locate(Error::new(SqlState::UNDEFINED_PARAMETER, message), at));
        };
        if index >= MAX_PARAMS {
            let message = format!("there is no parameter {name}");
            return Err(locate(Error::new(SqlState::UNDEFINED_PARAMETER, message), at));
        }
        if self.params.len() <= index {
            self.params.resize(index + 1, None);
        }
        let ty = self.params[index].clone().unwrap_or(SqlType::new(Type::Unknown));
        Ok(Typed::new(Expr::Param(index), ty))
    }

    /// `DATE '2024-01-01'`
    pub(super) fn bind_typed_literal(&mut self, literal: &ast::TypedString) -> Result<Typed> {
        let to = self.resolve_type(&literal.data_type)?;
        self.note_type(&literal.data_type);
        let value = self.bind_literal(&literal.value)?;
        self.cast(value, &to)
    }

    /// `INTERVAL '1' DAY`, `INTERVAL '1 day'`
    pub(super) fn bind_interval(&mut self, interval: &ast::Interval) -> Result<Typed> {
        let value = self.bind_expr(&interval.value)?;
        let fields = match (&interval.leading_field, &interval.last_field) {
            (None, _) => None,
            (Some(leading), last) => {
                Some(interval_fields(leading, last.as_ref()).ok_or_else(|| {
                    let message = format!("syntax error at or near \"{leading}\"");
                    Error::new(SqlState::SYNTAX_ERROR, message)
                })?)
            }
        };
        let precision = interval.fractional_seconds_precision.or(interval.leading_precision);
        let to = self.resolve_type(&ast::DataType::Interval { fields, precision })?;
        self.cast(value, &to)
    }

    /// `ARRAY[…]`; inner arrays make dimensions.
    pub(super) fn bind_array(&mut self, elements: &[Ast]) -> Result<Typed> {
        if elements.is_empty() {
            let message = "cannot determine type of empty array";
            return Err(Error::new(SqlState::INDETERMINATE_DATATYPE, message).with_hint(
                "Explicitly cast to the desired type, for example ARRAY[]::integer[].",
            ));
        }
        let bound = elements.iter().map(|element| self.bind_element(element));
        let bound = bound.collect::<Result<Vec<_>>>()?;
        let (bound, ty) = self.unify(bound, "ARRAY")?;
        let elements = bound.into_iter().map(|element| element.expr).collect();
        // The type of `ARRAY[ARRAY[1]]` is `int[]`, its elements' type `int`.
        let element = match &ty.base {
            Type::Array(inner) => inner.as_ref().clone(),
            other => other.clone(),
        };
        let ty = Type::Array(Box::new(element.clone()));
        Ok(Typed::new(Expr::Array { elements, element }, ty))
    }

    /// An element of an array: `[1, 2]` inside `ARRAY[…]` is an array too.
    fn bind_element(&mut self, element: &Ast) -> Result<Typed> {
        match element {
            Ast::Array(inner) => self.bind_array(&inner.elem),
            other => self.bind_expr(other),
        }
    }

    /// `ROW(…)`, `(a, b)`
    pub(super) fn bind_row(&mut self, parts: &[Ast]) -> Result<Typed> {
        let mut exprs = Vec::with_capacity(parts.len());
        let mut fields = Vec::with_capacity(parts.len());
        for (index, part) in parts.iter().enumerate() {
            let part = self.bind_settled(part)?;
            fields.push((format!("f{}", index + 1), part.ty));
            exprs.push(part.expr);
        }
        let row = Typed::new(Expr::Record(exprs), Type::Record);
        Ok(Typed { fields: Some(fields), ..row })
    }
}

/// A number: the smallest of integer, bigint and numeric that holds it.
pub(crate) fn number(digits: &str) -> Result<Typed> {
    let digits = digits.replace('_', "");
    if let Ok(small) = digits.parse::<i32>() {
        return Ok(Typed::int(small));
    }
    if let Ok(large) = digits.parse::<i64>() {
        return Ok(Typed::new(Expr::Const(Value::Int8(large)), Type::Int8));
    }
    let value = Value::numeric(Numeric::from_str(&digits)?);
    Ok(Typed::new(Expr::Const(value), Type::Numeric))
}

fn interval_fields(
    leading: &DateTimeField,
    last: Option<&DateTimeField>,
) -> Option<IntervalFields> {
    use DateTimeField::{Day, Hour, Minute, Month, Second, Year};
    Some(match (leading, last) {
        (Year, None) => IntervalFields::Year,
        (Month, None) => IntervalFields::Month,
        (Day, None) => IntervalFields::Day,
        (Hour, None) => IntervalFields::Hour,
        (Minute, None) => IntervalFields::Minute,
        (Second, None) => IntervalFields::Second,
        (Year, Some(Month)) => IntervalFields::YearToMonth,
        (Day, Some(Hour)) => IntervalFields::DayToHour,
        (Day, Some(Minute)) => IntervalFields::DayToMinute,
        (Day, Some(Second)) => IntervalFields::DayToSecond,
        (Hour, Some(Minute)) => IntervalFields::HourToMinute,
        (Hour, Some(Second)) => IntervalFields::HourToSecond,
        (Minute, Some(Second)) => IntervalFields::MinuteToSecond,
        _ => return None,
    })
}
