//! COMMENT ON.

use sqlparser::ast::{Ident, ObjectName};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::words;

/// Such a statement.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    /// The kind of object, in capitals.
    pub kind: String,
    /// Which; of a constraint or trigger, its table.
    pub name: ObjectName,
    /// The constraint or trigger.
    pub part: Option<Ident>,
    /// The text; `None` removes it.
    pub text: Option<String>,
}

/// Kinds of two or three words; all others have one.
const LONG_KINDS: [&[&str]; 8] = [
    &["ACCESS", "METHOD"],
    &["EVENT", "TRIGGER"],
    &["FOREIGN", "DATA", "WRAPPER"],
    &["FOREIGN", "TABLE"],
    &["LARGE", "OBJECT"],
    &["MATERIALIZED", "VIEW"],
    &["PROCEDURAL", "LANGUAGE"],
    &["OPERATOR", "CLASS"],
];

/// Kinds that belong to a table: `name ON table`.
const PARTS: [&str; 4] = ["CONSTRAINT", "TRIGGER", "RULE", "POLICY"];

/// Parses the statement if it is one of these; otherwise nothing was consumed.
pub(super) fn parse(parser: &mut Parser<'_>) -> Result<Option<Command>, ParserError> {
    if !parser.parse_keywords(&[Keyword::COMMENT, Keyword::ON]) {
        return Ok(None);
    }
    let kind = match LONG_KINDS.iter().find(|kind| words::all_words(parser, kind)) {
        Some(kind) => kind.join(" "),
        None => parser.parse_identifier()?.value.to_uppercase(),
    };
    let mut part = None;
    if PARTS.contains(&kind.as_str()) {
        part = Some(parser.parse_identifier()?);
        parser.expect_keyword(Keyword::ON)?;
        let _ = parser.parse_keyword(Keyword::DOMAIN);
    }
    let name = parser.parse_object_name(false)?;
    skip_to_is(parser)?;
    let text = match parser.parse_keyword(Keyword::NULL) {
        true => None,
        false => Some(words::string(parser)?),
    };
    Ok(Some(Command { kind, name, part, text }))
}

/// What stands between a name and IS: a function's arguments, an operator class' method.
fn skip_to_is(parser: &mut Parser<'_>) -> Result<(), ParserError> {
    let _ = words::skip_parentheses(parser)?;
    if parser.parse_keyword(Keyword::USING) {
        let _ = parser.parse_identifier()?;
    }
    if parser.peek_token_ref().token == Token::EOF {
        return parser.expected_ref("IS", parser.peek_token_ref());
    }
    parser.expect_keyword_is(Keyword::IS)
}
