//! LISTEN, UNLISTEN, NOTIFY.

use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::words::{expect, name, string};
use super::{Command, Parsed};
use crate::bind::BoundStatement;

/// `LISTEN`
pub(super) fn listen(parser: &mut Parser<'_>) -> Parsed {
    expect(parser, &["LISTEN"])?;
    Ok(Command::Plain(BoundStatement::Listen(name(parser)?)))
}

/// `UNLISTEN name`, `UNLISTEN *`
pub(super) fn unlisten(parser: &mut Parser<'_>) -> Parsed {
    expect(parser, &["UNLISTEN"])?;
    let is_all = parser.consume_token(&Token::Mul);
    let channel = if is_all { None } else { Some(name(parser)?) };
    Ok(Command::Plain(BoundStatement::Unlisten(channel)))
}

/// `NOTIFY name [, 'payload']`
pub(super) fn notify(parser: &mut Parser<'_>) -> Parsed {
    expect(parser, &["NOTIFY"])?;
    let channel = name(parser)?;
    let has_payload = parser.consume_token(&Token::Comma);
    let payload = if has_payload { string(parser)? } else { String::new() };
    Ok(Command::Plain(BoundStatement::Notify { channel, payload }))
}
