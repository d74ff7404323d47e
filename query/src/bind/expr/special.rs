//! Calls with a syntax of their own: EXTRACT, POSITION, SUBSTRING, TRIM, LIKE, AT TIME ZONE …

use sqlparser::ast::{CeilFloorKind, DateTimeField, Expr as Ast, TrimWhereField};

use super::operator::negate;
use crate::bind::binder::Binder;
use crate::bind::typed::Typed;
use crate::error::{Error, Result, SqlState};
use crate::expression::Expr;

impl Binder<'_> {
    /// What has a syntax of its own.
    pub(super) fn bind_special(&mut self, expr: &Ast) -> Result<Typed> {
        match expr {
            Ast::Like { negated, expr, pattern, escape_char, any: false } => {
                self.bind_like("~~", expr, pattern, escape_char.as_deref(), *negated)
            }
            Ast::ILike { negated, expr, pattern, escape_char, any: false } => {
                self.bind_like("~~*", expr, pattern, escape_char.as_deref(), *negated)
            }
            Ast::SimilarTo { negated, expr, pattern, escape_char } => {
                self.bind_similar(expr, pattern, escape_char.as_deref(), *negated)
            }
            Ast::AtTimeZone { timestamp, time_zone } => {
                let args = vec![self.bind_expr(time_zone)?, self.bind_expr(timestamp)?];
                self.call("timezone", args, None)
            }
            Ast::Extract { field, expr, .. } => {
                let args = vec![Self::text_arg(&field_name(field)), self.bind_expr(expr)?];
                self.call("extract", args, None)
            }
            Ast::Ceil { expr, field } => self.bind_round("ceil", expr, field),
            Ast::Floor { expr, field } => self.bind_round("floor", expr, field),
            Ast::Position { expr, r#in } => {
                let args = vec![self.bind_expr(r#in)?, self.bind_expr(expr)?];
                self.call("position", args, None)
            }
            Ast::Collate { expr, .. } => self.bind_expr(expr),
            _ => self.bind_string_special(expr),
        }
    }

    fn bind_string_special(&mut self, expr: &Ast) -> Result<Typed> {
        match expr {
            Ast::Substring { expr, substring_from, substring_for, .. } => {
                self.bind_substring(expr, substring_from.as_deref(), substring_for.as_deref())
            }
            Ast::Trim { trim_where, trim_what, expr, trim_characters } => {
                let name = match trim_where {
                    Some(TrimWhereField::Leading) => "ltrim",
                    Some(TrimWhereField::Trailing) => "rtrim",
                    _ => "btrim",
                };
                let mut args = vec![self.bind_expr(expr)?];
                if let Some(what) = trim_what {
                    args.push(self.bind_expr(what)?);
                }
                for what in trim_characters.iter().flatten() {
                    args.push(self.bind_expr(what)?);
                }
                self.call(name, args, None)
            }
            Ast::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
                let mut args = vec![
                    self.bind_expr(expr)?,
                    self.bind_expr(overlay_what)?,
                    self.bind_expr(overlay_from)?,
                ];
                if let Some(count) = overlay_for {
                    args.push(self.bind_expr(count)?);
                }
                self.call("overlay", args, None)
            }
            Ast::Named { expr, .. } => self.bind_expr(expr),
            Ast::Wildcard(_) | Ast::QualifiedWildcard(..) => {
                Err(Error::new(SqlState::SYNTAX_ERROR, "syntax error at or near \"*\""))
            }
            Ast::GroupingSets(_) | Ast::Cube(_) | Ast::Rollup(_) => {
                let message = "grouping sets are only allowed in GROUP BY";
                Err(Error::new(SqlState::SYNTAX_ERROR, message))
            }
            other => Err(Error::unsupported(format!("expression {other}"))),
        }
    }

    fn bind_substring(
        &mut self,
        expr: &Ast,
        from: Option<&Ast>,
        count: Option<&Ast>,
    ) -> Result<Typed> {
        let mut args = vec![self.bind_expr(expr)?];
        match from {
            Some(from) => args.push(self.bind_expr(from)?),
            None => args.push(Typed::int(1)),
        }
        if let Some(count) = count {
            args.push(self.bind_expr(count)?);
        }
        self.call("substring", args, None)
    }

    fn bind_like(
        &mut self,
        symbol: &str,
        value: &Ast,
        pattern: &Ast,
        escape: Option<&Ast>,
        is_negated: bool,
    ) -> Result<Typed> {
        let at = self.operator_at(value, pattern);
        let value = self.bind_expr(value)?;
        let mut pattern = self.bind_expr(pattern)?;
        if let Some(escape) = escape {
            let escape = self.bind_expr(escape)?;
            pattern = self.call("like_escape", vec![pattern, escape], at)?;
        }
        let result = self.operator(symbol, Some(value), pattern, at)?;
        Ok(if is_negated { negate(result) } else { result })
    }

    /// `SIMILAR TO` matches the pattern rewritten as a regular expression.
    fn bind_similar(
        &mut self,
        value: &Ast,
        pattern: &Ast,
        escape: Option<&Ast>,
        is_negated: bool,
    ) -> Result<Typed> {
        let at = self.operator_at(value, pattern);
        let value = self.bind_expr(value)?;
        let mut args = vec![self.bind_expr(pattern)?];
        if let Some(escape) = escape {
            args.push(self.bind_expr(escape)?);
        }
        let pattern = self.call("similar_to_escape", args, at)?;
        let result = self.operator("~", Some(value), pattern, at)?;
        Ok(if is_negated { negate(result) } else { result })
    }

    fn bind_round(&mut self, name: &str, expr: &Ast, field: &CeilFloorKind) -> Result<Typed> {
        let is_plain = matches!(field, CeilFloorKind::DateTimeField(DateTimeField::NoDateTime));
        if !is_plain {
            return Err(Error::unsupported(format!("{name} with a field")));
        }
        let arg = self.bind_expr(expr)?;
        self.call(name, vec![arg], None)
    }

    /// `IS [NOT] NULL`; of a row, whether all its fields are, or none is.
    pub(super) fn bind_is_null(&mut self, value: &Ast, is_negated: bool) -> Result<Typed> {
        let value = self.bind_settled(value)?;
        if let (Expr::Record(parts), true) = (&value.expr, is_negated) {
            let parts = parts.iter().map(|part| not(Expr::IsNull(Box::new(part.clone()))));
            return Ok(Typed::bool(Expr::And(parts.collect())));
        }
        let test = Expr::IsNull(Box::new(value.expr));
        Ok(Typed::bool(if is_negated { not(test) } else { test }))
    }

    /// `IS [NOT] TRUE | FALSE | UNKNOWN`
    pub(super) fn bind_is_truth(
        &mut self,
        value: &Ast,
        truth: Option<bool>,
        is_negated: bool,
        what: &str,
    ) -> Result<Typed> {
        let value = self.bind_condition(value, what)?;
        let test = Expr::IsTruth(Box::new(value), truth);
        Ok(Typed::bool(if is_negated { not(test) } else { test }))
    }
}

fn not(condition: Expr) -> Expr {
    Expr::Not(Box::new(condition))
}

/// The name of a field for `extract`.
fn field_name(field: &DateTimeField) -> String {
    match field {
        DateTimeField::Custom(name) => name.value.to_lowercase(),
        other => other.to_string().trim_matches('\'').to_lowercase(),
    }
}
