//! DECLARE, FETCH, MOVE, CLOSE.

use std::sync::Arc;

use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::words::{eat, eat_one_of, expect, is_end, is_number, is_word, name, number, unexpected};
use super::{Command, Parsed, explain};
use crate::bind::{BoundStatement, FetchDirection};
use crate::parse::Syntax;

/// `DECLARE … CURSOR`
#[derive(Clone, Debug)]
pub(crate) struct Declare {
    /// Its name.
    pub name: String,
    /// `BINARY`
    pub is_binary: bool,
    /// `INSENSITIVE`
    pub is_insensitive: bool,
    /// `ASENSITIVE`
    pub is_asensitive: bool,
    /// `SCROLL`
    pub is_scroll: bool,
    /// `NO SCROLL`
    pub is_no_scroll: bool,
    /// `WITH HOLD`
    pub is_hold: bool,
    /// The query.
    pub query: Arc<Syntax>,
}

/// `DECLARE name [BINARY] [INSENSITIVE] [[NO] SCROLL] CURSOR [WITH HOLD] FOR query`
pub(super) fn declare(parser: &mut Parser<'_>) -> Parsed {
    expect(parser, &["DECLARE"])?;
    let name = name(parser)?;
    let (mut is_binary, mut is_insensitive, mut is_asensitive) = (false, false, false);
    let (mut is_scroll, mut is_no_scroll) = (false, false);
    while !eat(parser, &["CURSOR"]) {
        if eat(parser, &["NO", "SCROLL"]) {
            is_no_scroll = true;
            continue;
        }
        let words = [
            ("SCROLL", &mut is_scroll),
            ("BINARY", &mut is_binary),
            ("INSENSITIVE", &mut is_insensitive),
            ("ASENSITIVE", &mut is_asensitive),
        ];
        match words.into_iter().find(|(word, _)| is_word(parser, 0, word)) {
            Some((_, said)) => *said = true,
            None => return unexpected(parser, "CURSOR"),
        }
        parser.advance_token();
    }
    let is_hold = eat(parser, &["WITH", "HOLD"]);
    if !is_hold {
        eat(parser, &["WITHOUT", "HOLD"]);
    }
    expect(parser, &["FOR"])?;
    let query = explain::query(parser)?;
    Ok(Command::Declare(Box::new(Declare {
        name,
        is_binary,
        is_insensitive,
        is_asensitive,
        is_scroll,
        is_no_scroll,
        is_hold,
        query,
    })))
}

/// `FETCH [direction] [FROM | IN] cursor`, `MOVE …`
pub(super) fn fetch(parser: &mut Parser<'_>) -> Parsed {
    let is_move = eat(parser, &["MOVE"]);
    if !is_move {
        expect(parser, &["FETCH"])?;
    }
    // A cursor may be called as a direction is.
    let is_alone = parser.peek_nth_token_ref(1).token == Token::EOF;
    let direction = if is_alone { FetchDirection::Forward(1) } else { direction(parser)? };
    eat_one_of(parser, &["FROM", "IN"]);
    let cursor = name(parser)?;
    Ok(Command::Plain(BoundStatement::Fetch { cursor, direction, is_move }))
}

fn direction(parser: &mut Parser<'_>) -> Parsed<FetchDirection> {
    if is_number(parser) {
        return Ok(FetchDirection::Forward(count(parser)?));
    }
    Ok(if eat(parser, &["NEXT"]) {
        FetchDirection::Forward(1)
    } else if eat(parser, &["PRIOR"]) {
        FetchDirection::Forward(-1)
    } else if eat(parser, &["FIRST"]) {
        FetchDirection::Absolute(1)
    } else if eat(parser, &["LAST"]) {
        FetchDirection::Absolute(-1)
    } else if eat(parser, &["ABSOLUTE"]) {
        FetchDirection::Absolute(count(parser)?)
    } else if eat(parser, &["RELATIVE"]) {
        FetchDirection::Relative(count(parser)?)
    } else if eat(parser, &["ALL"]) {
        FetchDirection::ForwardAll
    } else if eat(parser, &["FORWARD"]) {
        forward(parser)?
    } else if eat(parser, &["BACKWARD"]) {
        backward(parser)?
    } else {
        FetchDirection::Forward(1)
    })
}

/// What follows FORWARD.
fn forward(parser: &mut Parser<'_>) -> Parsed<FetchDirection> {
    if eat(parser, &["ALL"]) {
        return Ok(FetchDirection::ForwardAll);
    }
    let count = if is_number(parser) { count(parser)? } else { 1 };
    Ok(FetchDirection::Forward(count))
}

/// What follows BACKWARD.
fn backward(parser: &mut Parser<'_>) -> Parsed<FetchDirection> {
    if eat(parser, &["ALL"]) {
        return Ok(FetchDirection::BackwardAll);
    }
    let count = if is_number(parser) { count(parser)? } else { 1 };
    Ok(FetchDirection::Forward(-count))
}

/// A number of rows, which has four bytes.
fn count(parser: &mut Parser<'_>) -> Parsed<i64> {
    let start = parser.get_current_index();
    let digits = number(parser)?;
    match digits.parse::<i32>() {
        Ok(count) => Ok(count.into()),
        Err(_) => parser.expected_at("row count", start + 1),
    }
}

/// `CLOSE name`, `CLOSE ALL`
pub(super) fn close(parser: &mut Parser<'_>) -> Parsed {
    expect(parser, &["CLOSE"])?;
    let is_all = eat(parser, &["ALL"]) && is_end(parser);
    let cursor = if is_all { None } else { Some(name(parser)?) };
    Ok(Command::Plain(BoundStatement::Close(cursor)))
}
