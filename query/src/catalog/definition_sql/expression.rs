//! Expressions as `pg_get_expr` prints them: every operator and cast that was resolved is shown.

use std::sync::Arc;

use super::{DefinitionSql, Style};
use crate::catalog::TableDef;
use crate::expression::functions::ParamType;
use crate::expression::{Expr, Extreme, Function, Quantifier};
use crate::identifier::{plain_literal, quote_identifier};
use crate::plan::deparse::symbol;
use crate::value::{OutputStyle, SqlType, Type, Value, output};

/// How tightly a printed expression holds together, loosest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Grip {
    Or,
    And,
    Not,
    Comparison,
    Operator,
    Sum,
    Product,
    Cast,
    Atom,
}

/// A printed expression.
pub(super) struct Printed {
    pub(super) text: String,
    /// It needs no parentheses as a key of an index.
    pub(super) is_call: bool,
    grip: Grip,
}

/// Prints an expression over a table's columns; `None` for what has no such form.
pub(super) fn print(
    definitions: &DefinitionSql<'_>,
    table: &Arc<TableDef>,
    expr: &Expr,
) -> Option<Printed> {
    Printer { definitions, table }.print(expr)
}

/// As [`print()`], for an expression whose type is known: a string says which kind it is of.
pub(super) fn print_typed(
    definitions: &DefinitionSql<'_>,
    table: &Arc<TableDef>,
    (expr, ty): &(Expr, SqlType),
) -> Option<Printed> {
    match (expr, &ty.base) {
        (Expr::Const(Value::Text(text)), Type::Varchar | Type::Name) => {
            Some(atom(format!("{}::{}", plain_literal(text), definitions.type_name(ty))))
        }
        _ => print(definitions, table, expr),
    }
}

struct Printer<'a> {
    definitions: &'a DefinitionSql<'a>,
    table: &'a Arc<TableDef>,
}

fn atom(text: String) -> Printed {
    Printed { text, is_call: false, grip: Grip::Atom }
}

impl Printer<'_> {
    fn print(&self, expr: &Expr) -> Option<Printed> {
        Some(match expr {
            Expr::Const(value) => self.constant(value)?,
            Expr::Column(position) => {
                atom(quote_identifier(&self.table.columns.get(*position)?.name))
            }
            Expr::Call { function, args } => self.call(function, args)?,
            Expr::Compare { op, left, right } => {
                let sides = (self.operand(left)?, self.operand(right)?);
                self.binary(symbol(*op), sides, Grip::Comparison)
            }
            Expr::IsDistinct { left, right, is_negated } => {
                let words = if *is_negated { "IS NOT DISTINCT FROM" } else { "IS DISTINCT FROM" };
                let sides = (self.operand(left)?, self.operand(right)?);
                self.binary(words, sides, Grip::Comparison)
            }
            Expr::And(parts) => self.chain(parts, " AND ", Grip::And)?,
            Expr::Or(parts) => self.chain(parts, " OR ", Grip::Or)?,
            Expr::Not(inner) => match &**inner {
                Expr::IsNull(inner) => self.postfix(inner, "IS NOT NULL")?,
                inner => {
                    let inner = self.within(self.print(inner)?, Grip::Not);
                    self.operation(format!("NOT {inner}"), Grip::Not)
                }
            },
            Expr::IsNull(inner) => self.postfix(inner, "IS NULL")?,
            Expr::IsTruth(inner, truth) => self.postfix(
                inner,
                match truth {
                    Some(true) => "IS TRUE",
                    Some(false) => "IS FALSE",
                    None => "IS UNKNOWN",
                },
            )?,
            other => self.rest(other)?,
        })
    }

    /// The less frequent kinds.
    fn rest(&self, expr: &Expr) -> Option<Printed> {
        let call = |name: &str, parts: &[&Expr]| {
            let parts = parts.iter().map(|part| Some(self.print(part)?.text));
            let parts = parts.collect::<Option<Vec<_>>>()?.join(", ");
            Some(Printed { is_call: true, ..atom(format!("{name}({parts})")) })
        };
        Some(match expr {
            Expr::Coalesce(parts) => call("COALESCE", &parts.iter().collect::<Vec<_>>())?,
            Expr::NullIf(left, right) => call("NULLIF", &[left, right])?,
            Expr::Extreme(parts, which) => {
                let name = if *which == Extreme::Greatest { "GREATEST" } else { "LEAST" };
                call(name, &parts.iter().collect::<Vec<_>>())?
            }
            Expr::Case { branches, otherwise } => self.case(branches, otherwise)?,
            Expr::Cast { expr, to, .. } => self.cast(expr, to)?,
            Expr::Checked { value, domain } => {
                self.cast_text(self.print(value)?, &self.definitions.user_type_name(domain.oid))
            }
            Expr::Array { elements, .. } => atom(self.array(elements)?),
            Expr::Quantified { operator, left, array, quantifier } => {
                let symbol = match &**operator {
                    Expr::Compare { op, .. } => symbol(*op).to_owned(),
                    Expr::Call { function, .. } => function.name.to_string(),
                    _ => return None,
                };
                let word = if *quantifier == Quantifier::Any { "ANY" } else { "ALL" };
                let left = self.within(self.operand(left)?, Grip::Operator);
                let array = self.print(array)?.text;
                self.operation(format!("{left} {symbol} {word} ({array})"), Grip::Comparison)
            }
            _ => return None,
        })
    }

    fn case(&self, branches: &[(Expr, Expr)], otherwise: &Expr) -> Option<Printed> {
        let mut text = "CASE".to_owned();
        for (when, then) in branches {
            let (when, then) = (self.print(when)?.text, self.print(then)?.text);
            text.push_str(&format!("\n    WHEN {when} THEN {then}"));
        }
        let otherwise = match otherwise {
            Expr::Const(Value::Null) => "NULL".to_owned(),
            otherwise => self.print(otherwise)?.text,
        };
        Some(Printed { is_call: true, ..atom(format!("{text}\n    ELSE {otherwise}\nEND")) })
    }

    fn cast(&self, inner: &Expr, to: &SqlType) -> Option<Printed> {
        let name = self.definitions.type_name(to);
        if let (Expr::Const(Value::Text(relation)), Type::RegClass) = (inner, &to.base)
            && let Some(relation) = self.definitions.named_relation(relation)
        {
            return Some(atom(format!("{}::{name}", plain_literal(&relation))));
        }
        match inner {
            Expr::Const(Value::Null) => return Some(atom(format!("NULL::{name}"))),
            // A literal is read as that type: a cast from text to it may not be immutable.
            Expr::Const(Value::Text(text)) => {
                return Some(atom(format!("{}::{name}", plain_literal(text))));
            }
            _ => {}
        }
        Some(self.cast_text(self.print(inner)?, &name))
    }

    fn cast_text(&self, inner: Printed, name: &str) -> Printed {
        let is_bare = self.definitions.style == Style::Pretty && inner.grip >= Grip::Cast;
        let inner = inner.text;
        let text = if is_bare { format!("{inner}::{name}") } else { format!("({inner})::{name}") };
        Printed { text, is_call: false, grip: Grip::Cast }
    }

    /// An argument of an operator. `varchar` has none of its own: it is taken as `text`.
    fn operand(&self, expr: &Expr) -> Option<Printed> {
        let printed = self.print(expr)?;
        let Expr::Column(position) = expr else { return Some(printed) };
        let is_varchar = self.table.columns.get(*position)?.ty.base == Type::Varchar;
        Some(if is_varchar { self.cast_text(printed, "text") } else { printed })
    }

    fn call(&self, function: &Function, args: &[Expr]) -> Option<Printed> {
        let is_operator = !function.name.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        let mut printed = Vec::with_capacity(args.len());
        for (position, arg) in args.iter().enumerate() {
            let takes_text = function.params.get(position) == Some(&ParamType::Exact(Type::Text));
            printed.push(if takes_text { self.operand(arg)? } else { self.print(arg)? });
        }
        let grip = grip_of(&function.name);
        if !is_operator {
            let texts: Vec<String> = printed.into_iter().map(|part| part.text).collect();
            let text = format!("{}({})", quote_identifier(&function.name), texts.join(", "));
            return Some(Printed { is_call: true, ..atom(text) });
        }
        let mut printed = printed.into_iter();
        match (printed.next(), printed.next()) {
            (Some(left), Some(right)) => Some(self.binary(&function.name, (left, right), grip)),
            (Some(only), None) => {
                let only = self.within(only, Grip::Cast);
                Some(self.operation(format!("{} {only}", function.name), grip))
            }
            _ => None,
        }
    }

    fn chain(&self, parts: &[Expr], word: &str, grip: Grip) -> Option<Printed> {
        let part = |part: &Expr| {
            let printed = self.print(part)?;
            let is_plain = printed.grip > grip || self.definitions.style == Style::Plain;
            Some(if is_plain { printed.text } else { format!("({})", printed.text) })
        };
        let parts = parts.iter().map(part).collect::<Option<Vec<_>>>()?;
        Some(self.operation(parts.join(word), grip))
    }

    fn postfix(&self, inner: &Expr, words: &str) -> Option<Printed> {
        let inner = self.within(self.print(inner)?, Grip::Comparison);
        Some(self.operation(format!("{inner} {words}"), Grip::Comparison))
    }

    fn binary(&self, symbol: &str, (left, right): (Printed, Printed), grip: Grip) -> Printed {
        // Operators of one kind associate to the left.
        let left = if left.grip == grip && grip >= Grip::Sum {
            left.text
        } else {
            self.within(left, grip)
        };
        let right = self.within(right, grip);
        self.operation(format!("{left} {symbol} {right}"), grip)
    }

    /// Plain style puts every operation in parentheses.
    fn operation(&self, text: String, grip: Grip) -> Printed {
        match self.definitions.style {
            Style::Plain => atom(format!("({text})")),
            Style::Pretty => Printed { text, is_call: false, grip },
        }
    }

    /// A part of an operation: in parentheses unless it holds together more tightly.
    fn within(&self, part: Printed, grip: Grip) -> String {
        if part.grip > grip { part.text } else { format!("({})", part.text) }
    }

    fn array(&self, elements: &[Expr]) -> Option<String> {
        let elements = elements.iter().map(|element| Some(self.print(element)?.text));
        Some(format!("ARRAY[{}]", elements.collect::<Option<Vec<_>>>()?.join(", ")))
    }

    /// A literal. What an integer literal became by itself shows the cast that made it so.
    fn constant(&self, value: &Value) -> Option<Printed> {
        if let Value::Array(array) = value
            && array.dimensions.len() == 1
        {
            let elements = array.elements.iter().map(|element| Some(self.constant(element)?.text));
            let elements = elements.collect::<Option<Vec<_>>>()?.join(", ");
            return Some(atom(format!("ARRAY[{elements}]")));
        }
        let ty = value.natural_type();
        let text = output::to_text(value, &ty, &OutputStyle::default());
        Some(match value {
            Value::Null => atom("NULL".to_owned()),
            Value::Bool(truth) => atom(truth.to_string()),
            Value::Int2(_) | Value::Int4(_) | Value::Int8(_) => number(&text, &ty.name()),
            Value::Numeric(_) | Value::Float8(_) if text.bytes().all(|b| b.is_ascii_digit()) => {
                self.cast_text(atom(text), &ty.name())
            }
            Value::Numeric(_) => number(&text, "numeric"),
            // Their type is lost: an OID may stand for any kind of object.
            Value::Oid(_) | Value::Enum(_) | Value::Record(_) | Value::RowKey(_) => return None,
            Value::Geometry(_) | Value::Box(_) => return None,
            _ => atom(format!("{}::{}", plain_literal(&text), ty.name())),
        })
    }
}

/// A number; a negative one is quoted, so that the sign cannot be taken for an operator.
fn number(text: &str, ty: &str) -> Printed {
    atom(if text.starts_with('-') { format!("'{text}'::{ty}") } else { text.to_owned() })
}

fn grip_of(symbol: &str) -> Grip {
    match symbol {
        "+" | "-" => Grip::Sum,
        "*" | "/" | "%" => Grip::Product,
        "=" | "<" | ">" | "<=" | ">=" | "<>" => Grip::Comparison,
        _ => Grip::Operator,
    }
}
