//! Every expression under `testdata/geo` against what PostGIS answered.
//!
//! An expression is SQL's: `name(arguments)`, `(left operator right)`, `type 'text'`, a number, a
//! text, `true` or `false`. Numbers in answers may differ in the last digits: another library
//! computed them.

use crate::error::{Error, Result, SqlState};
use crate::expression::EvalContext;
use crate::expression::functions::{Function, ParamType, Registry};
use crate::expression::testing::with_context;
use crate::geo::Geometry;
use crate::value::{Type, Value};

/// How much a number may differ, in proportion.
const TOLERANCE: f64 = 1e-10;
/// How much it may differ whatever its size: ten nanometres, or a millimetre in degrees.
const TOLERANCE_MIN: f64 = 1e-8;

struct Parser<'a> {
    rest: &'a str,
    context: &'a EvalContext<'a>,
}

type Typed = (Value, Type);

impl<'a> Parser<'a> {
    fn take(&mut self, token: &str) -> bool {
        self.rest = self.rest.trim_start();
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn until(&mut self, is_end: impl Fn(char) -> bool) -> &'a str {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(is_end).unwrap_or(self.rest.len());
        let (head, rest) = self.rest.split_at(end);
        self.rest = rest;
        head
    }

    fn expression(&mut self) -> Result<Typed> {
        if self.take("(") {
            let left = self.expression()?;
            let symbol = self.until(|c| c.is_whitespace());
            let right = self.expression()?;
            assert!(self.take(")"));
            return self.call(Registry::global().operators(symbol), symbol, vec![left, right]);
        }
        if self.take("'") {
            return Ok((Value::text(self.quoted()), Type::Text));
        }
        let word = self.until(|c| !(c.is_alphanumeric() || "_.-+".contains(c)));
        if self.take("(") {
            let mut args = Vec::new();
            while !self.take(")") {
                args.push(self.expression()?);
                self.take(",");
            }
            return self.call(Registry::global().functions(word), word, args);
        }
        if self.take("'") {
            let ty = Type::from_name(word, &[]).unwrap().unwrap().base;
            let geometry = Geometry::parse(self.quoted())?;
            let geometry = match ty {
                Type::Geography => crate::geo::to_geography(&geometry)?,
                _ => geometry,
            };
            return Ok((Value::Geometry(geometry.into()), ty));
        }
        Ok(match word {
            "true" | "false" => (Value::Bool(word == "true"), Type::Bool),
            _ => match word.parse() {
                Ok(number) => (Value::Int4(number), Type::Int4),
                Err(_) => (Value::Float8(word.parse().unwrap()), Type::Float8),
            },
        })
    }

    fn quoted(&mut self) -> &'a str {
        let (text, rest) = self.rest.split_once('\'').unwrap();
        self.rest = rest;
        text
    }

    fn call(
        &self,
        all: &[std::sync::Arc<Function>],
        name: &str,
        args: Vec<Typed>,
    ) -> Result<Typed> {
        let accepts = |param: &ParamType, ty: &Type| match param {
            ParamType::Exact(Type::Float8) if *ty == Type::Int4 => true,
            ParamType::Exact(param) => param == ty,
            _ => false,
        };
        let function = all.iter().find(|function| {
            (function.params.len() - function.optional..=function.params.len())
                .contains(&args.len())
                && function.params.iter().zip(&args).all(|(param, (_, ty))| accepts(param, ty))
        });
        let function = function.ok_or_else(|| Error::new(SqlState::UNDEFINED_FUNCTION, name))?;
        let values: Vec<Value> = args
            .iter()
            .zip(&function.params)
            .map(|((value, _), param)| match (value, param) {
                (Value::Int4(number), ParamType::Exact(Type::Float8)) => {
                    Value::Float8(f64::from(*number))
                }
                _ => value.clone(),
            })
            .collect();
        let ParamType::Exact(ty) = &function.result else { panic!("{name}") };
        if function.is_strict && values.iter().any(Value::is_null) {
            return Ok((Value::Null, ty.clone()));
        }
        Ok(((function.eval)(self.context, &values)?, ty.clone()))
    }
}

fn answer(expression: &str) -> String {
    with_context(|context| match (Parser { rest: expression, context }).expression() {
        Err(error) => format!("ERROR {:?}: {}", error.state(), error.message()),
        Ok((Value::Null, _)) => "NULL".to_owned(),
        Ok((Value::Bool(value), _)) => if value { "t" } else { "f" }.to_owned(),
        Ok((Value::Int4(value), _)) => value.to_string(),
        Ok((Value::Float8(value), _)) => value.to_string(),
        Ok((Value::Text(value), _)) => value.to_string(),
        Ok((value, _)) => panic!("{expression}: {value:?}"),
    })
}

fn agrees(found: &str, expected: &str) -> bool {
    if found == expected {
        return true;
    }
    let is_separator = |c: char| "(), \"{}[]:;".contains(c);
    let words =
        |text: &str| -> Vec<String> { text.split(is_separator).map(str::to_owned).collect() };
    let (found, expected) = (words(found), words(expected));
    found.len() == expected.len()
        && found.iter().zip(&expected).all(|(found, expected)| {
            let close = |a: f64, b: f64| {
                (a - b).abs() <= (TOLERANCE * a.abs().max(b.abs())).max(TOLERANCE_MIN)
            };
            found == expected
                || found.parse().ok().zip(expected.parse().ok()).is_some_and(|(a, b)| close(a, b))
        })
}

fn check(golden: &str) {
    let mut wrong = Vec::new();
    for line in golden.lines().filter(|line| !line.starts_with('#')) {
        let (expression, expected) = line.split_once(" => ").unwrap();
        let found = answer(expression);
        if !agrees(&found, expected) {
            wrong.push(format!("{expression}\n  expected {expected}\n  found    {found}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

macro_rules! golden {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            check(include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"), "/testdata/geo/", stringify!($name), ".txt"
            )));
        }
    )*};
}

golden! {
    accessors boxes distances functions geography geography_boxes measures notations overlays
    predicates shapes transforms
}
