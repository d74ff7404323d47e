//! GRANT and REVOKE, of rights on objects and of roles.

use sqlparser::ast::{Ident, ObjectName};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::words;

/// Such a statement.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    /// REVOKE rather than GRANT.
    pub is_revoke: bool,
    /// The rights or roles, each with its columns; empty is ALL.
    pub what: Vec<(Ident, Vec<Ident>)>,
    /// The objects; `None` when roles are granted.
    pub on: Option<Objects>,
    /// Who.
    pub grantees: Vec<Ident>,
    /// `WITH GRANT OPTION`, `WITH ADMIN OPTION`; `… OPTION FOR` of REVOKE
    pub with_option: bool,
    /// `CASCADE`
    pub cascade: bool,
}

/// What rights are about.
#[derive(Clone, Debug)]
pub(crate) struct Objects {
    /// The kind of object, in capitals.
    pub kind: &'static str,
    /// `ALL … IN SCHEMA`: `names` are schemas then.
    pub is_all_in_schema: bool,
    /// Which.
    pub names: Vec<ObjectName>,
}

/// The kinds by the words in front of names; a table needs none.
const KINDS: [(&[&str], &str); 14] = [
    (&["DATABASE"], "DATABASE"),
    (&["DOMAIN"], "DOMAIN"),
    (&["FOREIGN", "DATA", "WRAPPER"], "FOREIGN DATA WRAPPER"),
    (&["FOREIGN", "SERVER"], "FOREIGN SERVER"),
    (&["FUNCTION"], "FUNCTION"),
    (&["LANGUAGE"], "LANGUAGE"),
    (&["LARGE", "OBJECT"], "LARGE OBJECT"),
    (&["PROCEDURE"], "FUNCTION"),
    (&["ROUTINE"], "FUNCTION"),
    (&["SCHEMA"], "SCHEMA"),
    (&["SEQUENCE"], "SEQUENCE"),
    (&["TABLE"], "TABLE"),
    (&["TABLESPACE"], "TABLESPACE"),
    (&["TYPE"], "TYPE"),
];

/// The kinds behind ALL.
const ALL_KINDS: [(&str, &str); 5] = [
    ("TABLES", "TABLE"),
    ("SEQUENCES", "SEQUENCE"),
    ("FUNCTIONS", "FUNCTION"),
    ("PROCEDURES", "FUNCTION"),
    ("ROUTINES", "FUNCTION"),
];

/// Parses the statement if it is one of these; otherwise nothing was consumed.
pub(super) fn parse(parser: &mut Parser<'_>) -> Result<Option<Command>, ParserError> {
    let verb = parser.parse_one_of_keywords(&[Keyword::GRANT, Keyword::REVOKE]);
    let Some(verb) = verb else { return Ok(None) };
    let is_revoke = verb == Keyword::REVOKE;
    let mut with_option = is_revoke
        && (parser.parse_keywords(&[Keyword::GRANT, Keyword::OPTION, Keyword::FOR])
            || parser.parse_keywords(&[Keyword::ADMIN, Keyword::OPTION, Keyword::FOR]));
    let what = what(parser)?;
    let on = match parser.parse_keyword(Keyword::ON) {
        true => Some(objects(parser)?),
        false => None,
    };
    parser.expect_keyword(if is_revoke { Keyword::FROM } else { Keyword::TO })?;
    let grantees = parser.parse_comma_separated(grantee)?;
    if !is_revoke && parser.parse_keyword(Keyword::WITH) {
        let _ = parser.expect_one_of_keywords(&[Keyword::GRANT, Keyword::ADMIN])?;
        parser.expect_keyword(Keyword::OPTION)?;
        with_option = true;
    }
    if parser.parse_keywords(&[Keyword::GRANTED, Keyword::BY]) {
        let _ = parser.parse_identifier()?;
    }
    let cascade = is_revoke && words::cascade(parser);
    Ok(Some(Command { is_revoke, what, on, grantees, with_option, cascade }))
}

fn what(parser: &mut Parser<'_>) -> Result<Vec<(Ident, Vec<Ident>)>, ParserError> {
    if parser.parse_keyword(Keyword::ALL) {
        let _ = parser.parse_keyword(Keyword::PRIVILEGES);
        return Ok(Vec::new());
    }
    parser.parse_comma_separated(|parser| {
        let name = parser.parse_identifier()?;
        let columns = match parser.peek_token_ref().token {
            Token::LParen => words::names_in_parentheses(parser)?,
            _ => Vec::new(),
        };
        Ok((name, columns))
    })
}

/// A role; `GROUP` in front of it says nothing.
fn grantee(parser: &mut Parser<'_>) -> Result<Ident, ParserError> {
    let _ = parser.parse_keyword(Keyword::GROUP);
    parser.parse_identifier()
}

fn objects(parser: &mut Parser<'_>) -> Result<Objects, ParserError> {
    if parser.parse_keyword(Keyword::ALL) {
        return all_objects(parser);
    }
    let kind = KINDS.iter().find(|(written, _)| words::all_words(parser, written));
    let kind = kind.map_or("TABLE", |(_, kind)| *kind);
    let names = parser.parse_comma_separated(|parser| {
        if kind == "LARGE OBJECT" {
            return words::number(parser).map(|oid| ObjectName::from(vec![Ident::new(oid)]));
        }
        let name = parser.parse_object_name(false)?;
        let _ = kind == "FUNCTION" && words::skip_parentheses(parser)?;
        Ok(name)
    })?;
    Ok(Objects { kind, is_all_in_schema: false, names })
}

fn all_objects(parser: &mut Parser<'_>) -> Result<Objects, ParserError> {
    let kind = ALL_KINDS.iter().find(|(written, _)| words::word(parser, written));
    let Some((_, kind)) = kind else {
        return parser.expected_ref("TABLES, SEQUENCES or FUNCTIONS", parser.peek_token_ref());
    };
    parser.expect_keywords(&[Keyword::IN, Keyword::SCHEMA])?;
    let names = parser.parse_comma_separated(|parser| parser.parse_object_name(false))?;
    Ok(Objects { kind, is_all_in_schema: true, names })
}
