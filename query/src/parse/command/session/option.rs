//! `(name [value], …)`: the options of EXPLAIN, COPY, VACUUM and their kind.

use sqlparser::ast::Ident;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::words::{ident, is_open, parenthesized, value};
use super::{Parsed, stored};

/// One option.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// Its name, in lower case.
    pub name: String,
    /// The name as written.
    pub written: Ident,
    /// Its value.
    pub given: Given,
}

/// The value of an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// None.
    Nothing,
    /// A word, a string, a number.
    Text(String),
    /// `*`
    Star,
    /// Names in parentheses.
    Names(Vec<Ident>),
}

impl Choice {
    /// An option of the older syntax, which has words of its own for them.
    pub(super) fn named(name: &str, written: Ident, given: Given) -> Self {
        Self { name: name.to_owned(), written, given }
    }
}

/// The options in parentheses.
pub(super) fn options(parser: &mut Parser<'_>) -> Parsed<Vec<Choice>> {
    parenthesized(parser, option)
}

fn option(parser: &mut Parser<'_>) -> Parsed<Choice> {
    let written = ident(parser)?;
    let given = match parser.peek_token_ref().token {
        Token::Comma | Token::RParen => Given::Nothing,
        Token::Mul => {
            parser.advance_token();
            Given::Star
        }
        _ if is_open(parser) => Given::Names(parenthesized(parser, ident)?),
        _ => Given::Text(value(parser)?),
    };
    Ok(Choice { name: stored(&written), written, given })
}

/// The options in parentheses, if they come next.
pub(super) fn perhaps_options(parser: &mut Parser<'_>) -> Parsed<Vec<Choice>> {
    if is_open(parser) { options(parser) } else { Ok(Vec::new()) }
}

/// Reads these words in this order, each of which may be left out; answers those that came.
pub(super) fn words_in_order(parser: &mut Parser<'_>, words: &[&str]) -> Parsed<Vec<Choice>> {
    let mut options = Vec::new();
    for word in words {
        if super::words::is_word(parser, 0, word) {
            let written = ident(parser)?;
            options.push(Choice { name: stored(&written), written, given: Given::Nothing });
        }
    }
    Ok(options)
}
