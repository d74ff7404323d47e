//! Expressions as SQL, in the form in which Postgres' EXPLAIN prints them.

use crate::expression::{CompareOp, Expr, Extreme, Function, Quantifier, SubqueryKind};
use crate::identifier::quote_identifier;
use crate::plan::SortKey;
use crate::value::{OutputStyle, SqlType, Type, Value, output};

/// What the columns and slots of an expression are called.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// By column of the input row.
    pub columns: Vec<String>,
    /// What fills each slot, where it is known.
    pub slots: Vec<(usize, String)>,
}

/// An expression as SQL; operators are in parentheses.
pub fn expr(expr: &Expr, names: &Names) -> String {
    match expr {
        Expr::Const(value) => constant(value),
        Expr::Column(column) => {
            names.columns.get(*column).cloned().unwrap_or_else(|| format!("column{}", column + 1))
        }
        Expr::Param(param) => format!("${}", param + 1),
        Expr::Slot(slot) => {
            let known = names.slots.iter().rev().find(|(other, _)| other == slot);
            known.map_or_else(|| format!("${slot}"), |(_, name)| name.clone())
        }
        Expr::Once { expr, .. } => self::expr(expr, names),
        Expr::Call { function, args } => call(function, args, names),
        Expr::Compare { op, left, right } => {
            format!("({} {} {})", self::expr(left, names), symbol(*op), self::expr(right, names))
        }
        Expr::IsDistinct { left, right, is_negated } => {
            let not = if *is_negated { " NOT" } else { "" };
            let (left, right) = (self::expr(left, names), self::expr(right, names));
            format!("({left} IS{not} DISTINCT FROM {right})")
        }
        Expr::And(parts) => format!("({})", list(parts, " AND ", names)),
        Expr::Or(parts) => format!("({})", list(parts, " OR ", names)),
        Expr::Not(inner) => match &**inner {
            Expr::IsNull(inner) => format!("({} IS NOT NULL)", self::expr(inner, names)),
            inner => format!("(NOT {})", self::expr(inner, names)),
        },
        Expr::IsNull(inner) => format!("({} IS NULL)", self::expr(inner, names)),
        Expr::IsTruth(inner, truth) => {
            let truth = match truth {
                Some(true) => "TRUE",
                Some(false) => "FALSE",
                None => "UNKNOWN",
            };
            format!("({} IS {truth})", self::expr(inner, names))
        }
        other => rest(other, names),
    }
}

/// The less frequent kinds.
fn rest(expr: &Expr, names: &Names) -> String {
    let text = |expr: &Expr| self::expr(expr, names);
    match expr {
        Expr::Case { branches, otherwise } => {
            let mut out = "CASE".to_owned();
            for (when, then) in branches {
                out.push_str(&format!(" WHEN {} THEN {}", text(when), text(then)));
            }
            format!("{out} ELSE {} END", text(otherwise))
        }
        Expr::Coalesce(parts) => format!("COALESCE({})", list(parts, ", ", names)),
        Expr::NullIf(left, right) => format!("NULLIF({}, {})", text(left), text(right)),
        Expr::Extreme(parts, which) => {
            let name = if *which == Extreme::Greatest { "GREATEST" } else { "LEAST" };
            format!("{name}({})", list(parts, ", ", names))
        }
        Expr::Cast { expr: inner, to, .. } => match &**inner {
            Expr::Const(Value::Null) => format!("NULL::{}", to.name()),
            inner => format!("({})::{}", text(inner), to.name()),
        },
        Expr::Checked { value, domain } => {
            format!("({})::{}", text(value), quote_identifier(&domain.name))
        }
        Expr::Quantified { operator, left, array, quantifier } => {
            let word = quantifier_word(*quantifier);
            format!("({} {} {word} ({}))", text(left), operator_symbol(operator), text(array))
        }
        Expr::Array { elements, .. } => format!("ARRAY[{}]", list(elements, ", ", names)),
        Expr::Subscript { array, indexes } => {
            let indexes = indexes.iter().map(|index| format!("[{}]", text(index)));
            format!("{}{}", text(array), indexes.collect::<String>())
        }
        Expr::Slice { array, bounds } => {
            let bound = |bound: &Option<Expr>| bound.as_ref().map(text).unwrap_or_default();
            let bounds = bounds.iter().map(|(from, to)| format!("[{}:{}]", bound(from), bound(to)));
            format!("{}{}", text(array), bounds.collect::<String>())
        }
        Expr::Record(fields) => format!("ROW({})", list(fields, ", ", names)),
        Expr::Field(record, field) => format!("({}).f{}", text(record), field + 1),
        Expr::Subquery(subquery) => {
            let number = subquery.subplan + 1;
            match &subquery.kind {
                SubqueryKind::Quantified { quantifier: Quantifier::Any, .. }
                    if subquery.arguments.is_empty() =>
                {
                    format!("(hashed SubPlan {number})")
                }
                _ if subquery.arguments.is_empty() => format!("$InitPlan {number}"),
                _ => format!("(SubPlan {number})"),
            }
        }
        _ => String::new(),
    }
}

/// Sort keys as EXPLAIN prints them: `a, b DESC NULLS LAST`.
pub fn sort_keys(keys: &[SortKey], names: &Names) -> String {
    let key = |key: &SortKey| {
        let mut text = top(&key.expr, names);
        if key.is_descending {
            text.push_str(" DESC");
        }
        if key.nulls_first != key.is_descending {
            text.push_str(if key.nulls_first { " NULLS FIRST" } else { " NULLS LAST" });
        }
        text
    };
    keys.iter().map(key).collect::<Vec<_>>().join(", ")
}

/// An expression in a list of keys: anything but a column is in parentheses.
pub fn top(expr: &Expr, names: &Names) -> String {
    let text = self::expr(expr, names);
    let is_name = matches!(expr, Expr::Column(_)) && !text.ends_with(')');
    if is_name || text.starts_with('(') { text } else { format!("({text})") }
}

fn list(parts: &[Expr], separator: &str, names: &Names) -> String {
    parts.iter().map(|part| expr(part, names)).collect::<Vec<_>>().join(separator)
}

fn call(function: &Function, args: &[Expr], names: &Names) -> String {
    let is_operator = !function.name.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    match (is_operator, args) {
        (true, [left, right]) => {
            format!("({} {} {})", expr(left, names), function.name, expr(right, names))
        }
        (true, [only]) => format!("({} {})", function.name, expr(only, names)),
        _ => format!("{}({})", function.name, list(args, ", ", names)),
    }
}

/// The symbol of a comparison.
pub fn symbol(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Eq => "=",
        CompareOp::Ne => "<>",
        CompareOp::Lt => "<",
        CompareOp::Le => "<=",
        CompareOp::Gt => ">",
        CompareOp::Ge => ">=",
    }
}

fn operator_symbol(operator: &Expr) -> String {
    match operator {
        Expr::Compare { op, .. } => symbol(*op).to_owned(),
        Expr::Call { function, .. } => function.name.to_string(),
        Expr::Not(inner) => format!("!{}", operator_symbol(inner)),
        _ => "=".to_owned(),
    }
}

fn quantifier_word(quantifier: Quantifier) -> &'static str {
    match quantifier {
        Quantifier::Any => "ANY",
        Quantifier::All => "ALL",
    }
}

/// A literal: numbers and truths bare, the rest quoted with its type.
fn constant(value: &Value) -> String {
    let (text, ty) = match value {
        Value::Null => return "NULL".to_owned(),
        Value::Bool(truth) => return truth.to_string(),
        Value::Int2(n) => return format!("'{n}'::smallint"),
        Value::Int4(n) if *n >= 0 => return n.to_string(),
        Value::Array(array) => {
            let ty = array.sql_type();
            (output::to_text(value, &ty, &OutputStyle::default()), ty)
        }
        other => {
            let ty = other.natural_type();
            (output::to_text(other, &ty, &OutputStyle::default()), ty)
        }
    };
    let is_bare = matches!(ty, Type::Numeric) && text.starts_with(|c: char| c.is_ascii_digit());
    let name = SqlType::new(ty).name();
    if is_bare { text } else { format!("'{}'::{name}", text.replace('\'', "''")) }
}
