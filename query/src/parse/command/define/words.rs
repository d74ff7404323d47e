//! Pieces that the grammars of definitions share.

use sqlparser::ast::Ident;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Span, Token};

/// Where something stands in the text that was parsed.
pub(crate) type TextSpan = Span;

/// Takes an unquoted word, in any case, if it is next.
pub(super) fn word(parser: &mut Parser<'_>, word: &str) -> bool {
    let is_next = match &parser.peek_token_ref().token {
        Token::Word(next) => next.quote_style.is_none() && next.value.eq_ignore_ascii_case(word),
        _ => false,
    };
    if is_next {
        parser.advance_token();
    }
    is_next
}

/// Takes unquoted words, if all of them come next.
pub(super) fn all_words(parser: &mut Parser<'_>, words: &[&str]) -> bool {
    let are_next = words.iter().enumerate().all(|(ahead, word)| {
        matches!(&parser.peek_nth_token_ref(ahead).token, Token::Word(next)
            if next.quote_style.is_none() && next.value.eq_ignore_ascii_case(word))
    });
    if are_next {
        words.iter().for_each(|_| parser.advance_token());
    }
    are_next
}

/// A string literal of any kind.
pub(super) fn string(parser: &mut Parser<'_>) -> Result<String, ParserError> {
    let text = match &parser.peek_token_ref().token {
        Token::SingleQuotedString(text)
        | Token::EscapedStringLiteral(text)
        | Token::UnicodeStringLiteral(text) => text.clone(),
        Token::DollarQuotedString(text) => text.value.clone(),
        _ => return parser.expected_ref("a string", parser.peek_token_ref()),
    };
    parser.advance_token();
    Ok(text)
}

/// A number with its sign, as written.
pub(super) fn number(parser: &mut Parser<'_>) -> Result<String, ParserError> {
    let sign = if parser.consume_token(&Token::Minus) { "-" } else { "" };
    if sign.is_empty() {
        let _ = parser.consume_token(&Token::Plus);
    }
    let Token::Number(digits, _) = &parser.peek_token_ref().token else {
        return parser.expected_ref("a number", parser.peek_token_ref());
    };
    let number = format!("{sign}{digits}");
    parser.advance_token();
    Ok(number)
}

/// `IF NOT EXISTS`
pub(super) fn if_not_exists(parser: &mut Parser<'_>) -> bool {
    parser.parse_keywords(&[Keyword::IF, Keyword::NOT, Keyword::EXISTS])
}

/// `IF EXISTS`
pub(super) fn if_exists(parser: &mut Parser<'_>) -> bool {
    parser.parse_keywords(&[Keyword::IF, Keyword::EXISTS])
}

/// `[CASCADE | RESTRICT]`: whether the first.
pub(super) fn cascade(parser: &mut Parser<'_>) -> bool {
    parser.parse_one_of_keywords(&[Keyword::CASCADE, Keyword::RESTRICT]) == Some(Keyword::CASCADE)
}

/// Names between commas.
pub(super) fn names(parser: &mut Parser<'_>) -> Result<Vec<Ident>, ParserError> {
    parser.parse_comma_separated(Parser::parse_identifier)
}

/// Names between commas and parentheses.
pub(super) fn names_in_parentheses(parser: &mut Parser<'_>) -> Result<Vec<Ident>, ParserError> {
    parser.expect_token(&Token::LParen)?;
    let names = names(parser)?;
    parser.expect_token(&Token::RParen)?;
    Ok(names)
}

/// Whether parentheses come next; skips what they hold.
pub(super) fn skip_parentheses(parser: &mut Parser<'_>) -> Result<bool, ParserError> {
    if !parser.consume_token(&Token::LParen) {
        return Ok(false);
    }
    let mut depth = 1_usize;
    while depth > 0 {
        match parser.peek_token_ref().token {
            Token::LParen => depth += 1,
            Token::RParen => depth -= 1,
            Token::EOF => return parser.expected_ref(")", parser.peek_token_ref()),
            _ => {}
        }
        parser.advance_token();
    }
    Ok(true)
}

/// Parses something and says where it stood.
pub(super) fn spanned<T>(
    parser: &mut Parser<'_>,
    parse: impl FnOnce(&mut Parser<'_>) -> Result<T, ParserError>,
) -> Result<(T, TextSpan), ParserError> {
    let start: Location = parser.peek_token_ref().span.start;
    let parsed = parse(parser)?;
    let end = parser.get_current_token().span.end;
    Ok((parsed, Span::new(start, end)))
}

/// `name {TO | =} {value | 'value'} [, …]`, behind the word SET.
pub(super) fn setting(parser: &mut Parser<'_>) -> Result<Setting, ParserError> {
    let name = parser.parse_object_name(false)?.to_string();
    if !parser.parse_keyword(Keyword::TO) {
        parser.expect_token(&Token::Eq)?;
    }
    if parser.parse_keyword(Keyword::DEFAULT) {
        return Ok(Setting { name, values: None });
    }
    let values = parser.parse_comma_separated(value)?;
    Ok(Setting { name, values: Some(values) })
}

/// `{name | ALL}`, behind the word RESET.
pub(super) fn reset(parser: &mut Parser<'_>) -> Result<Setting, ParserError> {
    let name = parser.parse_object_name(false)?.to_string();
    Ok(Setting { name, values: None })
}

/// A word, a number or a string, as text.
pub(super) fn value(parser: &mut Parser<'_>) -> Result<String, ParserError> {
    match &parser.peek_token_ref().token {
        Token::Word(word) => {
            let value = match word.quote_style {
                Some(_) => word.value.clone(),
                None => word.value.to_lowercase(),
            };
            parser.advance_token();
            Ok(value)
        }
        Token::Number(..) | Token::Minus | Token::Plus => number(parser),
        _ => string(parser),
    }
}

/// A setting of a role or a database.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// Which.
    pub name: String,
    /// Its values; `None` is DEFAULT.
    pub values: Option<Vec<String>>,
}
