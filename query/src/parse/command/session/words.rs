//! Reading tokens one by one.
//!
//! Words are compared as text: not all of Postgres' are keywords of `sqlparser`.

use sqlparser::ast::{Ident, ObjectName};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::{Parsed, stored};

/// Whether the token so far ahead is this word, unquoted.
pub(super) fn is_word(parser: &Parser<'_>, ahead: usize, word: &str) -> bool {
    matches!(&parser.peek_nth_token_ref(ahead).token, Token::Word(found)
        if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word))
}

/// Whether the next token is one of these words.
pub(super) fn is_one_of(parser: &Parser<'_>, words: &[&str]) -> bool {
    words.iter().any(|word| is_word(parser, 0, word))
}

/// Reads these words if they come next, all of them.
pub(super) fn eat(parser: &mut Parser<'_>, words: &[&str]) -> bool {
    let is_next = words.iter().enumerate().all(|(ahead, word)| is_word(parser, ahead, word));
    if is_next {
        words.iter().for_each(|_| parser.advance_token());
    }
    is_next
}

/// Reads one of these words if it comes next.
pub(super) fn eat_one_of(parser: &mut Parser<'_>, words: &[&str]) -> bool {
    words.iter().any(|word| eat(parser, &[word]))
}

/// Reads these words.
pub(super) fn expect(parser: &mut Parser<'_>, words: &[&str]) -> Parsed<()> {
    for word in words {
        if !eat(parser, &[word]) {
            return unexpected(parser, word);
        }
    }
    Ok(())
}

/// Reads this token.
pub(super) fn expect_token(parser: &mut Parser<'_>, token: &Token) -> Parsed<()> {
    if parser.consume_token(token) { Ok(()) } else { unexpected(parser, &token.to_string()) }
}

/// The error of a next token that cannot be.
pub(super) fn unexpected<T>(parser: &Parser<'_>, wanted: &str) -> Parsed<T> {
    parser.expected_ref(wanted, parser.peek_token_ref())
}

/// Whether the statement ends here.
pub(super) fn is_end(parser: &Parser<'_>) -> bool {
    parser.peek_token_ref().token == Token::EOF
}

/// Whether a string comes next.
pub(super) fn is_string(parser: &Parser<'_>) -> bool {
    text_of(&parser.peek_token_ref().token).is_some()
}

/// A string literal.
pub(super) fn string(parser: &mut Parser<'_>) -> Parsed<String> {
    match text_of(&parser.peek_token_ref().token) {
        Some(text) => {
            parser.advance_token();
            Ok(text)
        }
        None => unexpected(parser, "string"),
    }
}

fn text_of(token: &Token) -> Option<String> {
    match token {
        Token::SingleQuotedString(text)
        | Token::EscapedStringLiteral(text)
        | Token::UnicodeStringLiteral(text) => Some(text.clone()),
        Token::DollarQuotedString(text) => Some(text.value.clone()),
        _ => None,
    }
}

/// A name.
pub(super) fn ident(parser: &mut Parser<'_>) -> Parsed<Ident> {
    let token = parser.peek_token_ref();
    match &token.token {
        Token::Word(word) => {
            let ident = word.clone().into_ident(token.span);
            parser.advance_token();
            Ok(ident)
        }
        _ => unexpected(parser, "name"),
    }
}

/// A name as it is stored.
pub(super) fn name(parser: &mut Parser<'_>) -> Parsed<String> {
    ident(parser).map(|name| stored(&name))
}

/// A name, perhaps with a schema.
pub(super) fn qualified(parser: &mut Parser<'_>) -> Parsed<ObjectName> {
    let mut parts = vec![ident(parser)?];
    while parser.consume_token(&Token::Period) {
        parts.push(ident(parser)?);
    }
    Ok(ObjectName::from(parts))
}

/// A number with its sign, as text.
pub(super) fn number(parser: &mut Parser<'_>) -> Parsed<String> {
    let sign = if parser.consume_token(&Token::Minus) { "-" } else { "" };
    if sign.is_empty() {
        let _ = parser.consume_token(&Token::Plus);
    }
    match &parser.peek_token_ref().token {
        Token::Number(digits, _) => {
            let number = format!("{sign}{digits}");
            parser.advance_token();
            Ok(number)
        }
        _ => unexpected(parser, "number"),
    }
}

/// Whether a number comes next.
pub(super) fn is_number(parser: &Parser<'_>) -> bool {
    matches!(parser.peek_token_ref().token, Token::Number(..) | Token::Minus | Token::Plus)
}

/// A word, a string or a number, as settings and options take it.
pub(super) fn value(parser: &mut Parser<'_>) -> Parsed<String> {
    if is_number(parser) {
        number(parser)
    } else if is_string(parser) {
        string(parser)
    } else {
        name(parser)
    }
}

/// One or more, separated by commas.
pub(super) fn list<T>(
    parser: &mut Parser<'_>,
    item: impl Fn(&mut Parser<'_>) -> Parsed<T>,
) -> Parsed<Vec<T>> {
    let mut items = vec![item(parser)?];
    while parser.consume_token(&Token::Comma) {
        items.push(item(parser)?);
    }
    Ok(items)
}

/// One or more in parentheses.
pub(super) fn parenthesized<T>(
    parser: &mut Parser<'_>,
    item: impl Fn(&mut Parser<'_>) -> Parsed<T>,
) -> Parsed<Vec<T>> {
    expect_token(parser, &Token::LParen)?;
    let items = list(parser, item)?;
    expect_token(parser, &Token::RParen)?;
    Ok(items)
}

/// Whether an opening parenthesis comes next.
pub(super) fn is_open(parser: &Parser<'_>) -> bool {
    parser.peek_token_ref().token == Token::LParen
}
