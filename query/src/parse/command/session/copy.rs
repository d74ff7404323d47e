//! COPY, with its options in parentheses or in the older form.

use std::sync::Arc;

use sqlparser::ast::{Expr, Ident, ObjectName};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::option::{Choice, Given, options};
use super::words::{
    eat, eat_one_of, expect, expect_token, ident, is_open, is_word, list, parenthesized, qualified,
    string, unexpected,
};
use super::{Command, Parsed, explain};
use crate::bind::CopyTarget;
use crate::parse::Syntax;

/// `COPY`
#[derive(Clone, Debug)]
pub(crate) struct Copy {
    /// What is copied.
    pub object: CopyObject,
    /// FROM rather than TO.
    pub is_from: bool,
    /// Where from or to.
    pub target: CopyTarget,
    /// How.
    pub options: Vec<Choice>,
    /// `WHERE`
    pub filter: Option<Expr>,
}

/// What is copied.
#[derive(Clone, Debug)]
pub(crate) enum CopyObject {
    /// A table.
    Table {
        /// Its name.
        name: ObjectName,
        /// Which columns; all when empty.
        columns: Vec<Ident>,
    },
    /// What a statement gives.
    Query(Arc<Syntax>),
}

/// `COPY`
pub(super) fn copy(parser: &mut Parser<'_>) -> Parsed {
    expect(parser, &["COPY"])?;
    let mut options = Vec::new();
    if is_word(parser, 0, "BINARY") && matches!(parser.peek_nth_token_ref(1).token, Token::Word(_))
    {
        let written = ident(parser)?;
        options.push(Choice::named("format", written, Given::Text("binary".to_owned())));
    }
    let object = object(parser)?;
    let is_from = eat(parser, &["FROM"]);
    if !is_from {
        expect(parser, &["TO"])?;
    } else if matches!(object, CopyObject::Query(_)) {
        parser.prev_token();
        return unexpected(parser, "TO");
    }
    let target = target(parser)?;
    tail(parser, &mut options)?;
    let filter = match is_from && eat(parser, &["WHERE"]) {
        true => Some(parser.parse_expr()?),
        false => None,
    };
    Ok(Command::Copy(Box::new(Copy { object, is_from, target, options, filter })))
}

fn object(parser: &mut Parser<'_>) -> Parsed<CopyObject> {
    if parser.consume_token(&Token::LParen) {
        let query = explain::rows(parser)?;
        expect_token(parser, &Token::RParen)?;
        return Ok(CopyObject::Query(query));
    }
    let name = qualified(parser)?;
    let columns = if is_open(parser) { parenthesized(parser, ident)? } else { Vec::new() };
    Ok(CopyObject::Table { name, columns })
}

fn target(parser: &mut Parser<'_>) -> Parsed<CopyTarget> {
    if eat_one_of(parser, &["STDIN", "STDOUT"]) {
        return Ok(CopyTarget::Client);
    }
    if eat(parser, &["PROGRAM"]) {
        return Ok(CopyTarget::Program(string(parser)?));
    }
    string(parser).map(CopyTarget::File)
}

fn tail(parser: &mut Parser<'_>, found: &mut Vec<Choice>) -> Parsed<()> {
    if is_word(parser, 0, "DELIMITERS") || is_word(parser, 1, "DELIMITERS") {
        eat(parser, &["USING"]);
        let written = ident(parser)?;
        found.push(Choice::named("delimiter", written, Given::Text(string(parser)?)));
    }
    eat(parser, &["WITH"]);
    if is_open(parser) {
        found.extend(options(parser)?);
        return Ok(());
    }
    while let Some(option) = older(parser)? {
        found.push(option);
    }
    Ok(())
}

/// An option of the older form, if one comes next.
fn older(parser: &mut Parser<'_>) -> Parsed<Option<Choice>> {
    let texts = ["DELIMITER", "NULL", "QUOTE", "ESCAPE", "ENCODING"];
    let Token::Word(word) = &parser.peek_token_ref().token else { return Ok(None) };
    let word = word.value.to_ascii_uppercase();
    let option = match word.as_str() {
        "BINARY" | "CSV" => {
            let format = word.to_ascii_lowercase();
            Choice::named("format", ident(parser)?, Given::Text(format))
        }
        "FREEZE" | "HEADER" => {
            Choice::named(&word.to_ascii_lowercase(), ident(parser)?, Given::Nothing)
        }
        "FORCE" => forced(parser)?,
        _ if texts.contains(&word.as_str()) => {
            let written = ident(parser)?;
            eat(parser, &["AS"]);
            let given = Given::Text(string(parser)?);
            Choice::named(&word.to_ascii_lowercase(), written, given)
        }
        _ => return Ok(None),
    };
    Ok(Some(option))
}

/// `FORCE QUOTE`, `FORCE NOT NULL`, `FORCE NULL`
fn forced(parser: &mut Parser<'_>) -> Parsed<Choice> {
    let written = ident(parser)?;
    let name = if eat(parser, &["QUOTE"]) {
        "force_quote"
    } else if eat(parser, &["NOT", "NULL"]) {
        "force_not_null"
    } else if eat(parser, &["NULL"]) {
        "force_null"
    } else {
        return unexpected(parser, "QUOTE");
    };
    let is_all = name == "force_quote" && parser.consume_token(&Token::Mul);
    let given = if is_all { Given::Star } else { Given::Names(list(parser, ident)?) };
    Ok(Choice::named(name, written, given))
}
