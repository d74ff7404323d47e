//! Databases, schemas, extensions.

use sqlparser::ast::Ident;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::words::{self, Setting};

/// Such a statement.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// `CREATE DATABASE`
    Create {
        /// Its name.
        name: Ident,
        /// (`owner`, `app`), in order of writing; no value is DEFAULT.
        options: Vec<(Ident, Option<String>)>,
    },
    /// `ALTER DATABASE`
    Alter {
        /// Which.
        name: Ident,
        /// What to do.
        action: Action,
    },
    /// `DROP DATABASE`
    Drop {
        /// Which.
        name: Ident,
        /// `IF EXISTS`
        if_exists: bool,
        /// `WITH (FORCE)`
        is_forced: bool,
    },
    /// `CREATE SCHEMA`
    CreateSchema {
        /// Its name; the owner's when `None`.
        name: Option<Ident>,
        /// `IF NOT EXISTS`
        if_not_exists: bool,
        /// `AUTHORIZATION`
        owner: Option<Ident>,
    },
    /// `ALTER SCHEMA`
    AlterSchema {
        /// Which.
        name: Ident,
        /// `RENAME TO` (true) or `OWNER TO`, and the name behind it.
        change: (bool, Ident),
    },
    /// `CREATE EXTENSION`
    CreateExtension {
        /// Its name.
        name: Ident,
        /// `IF NOT EXISTS`
        if_not_exists: bool,
        /// `SCHEMA`
        schema: Option<Ident>,
    },
    /// `DROP EXTENSION`
    DropExtension {
        /// Which.
        names: Vec<Ident>,
        /// `IF EXISTS`
        if_exists: bool,
        /// `CASCADE`
        cascade: bool,
    },
    /// `ALTER EXTENSION`
    AlterExtension,
}

/// What ALTER DATABASE does.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// `RENAME TO`
    Rename(Ident),
    /// `OWNER TO`
    Owner(Ident),
    /// `SET`, `RESET`
    Set(Setting),
    /// Something about connections or storage.
    Other,
}

/// Parses the statement if it is one of these; otherwise nothing was consumed.
pub(super) fn parse(parser: &mut Parser<'_>) -> Result<Option<Command>, ParserError> {
    let verbs = [Keyword::CREATE, Keyword::ALTER, Keyword::DROP];
    let kinds = [Keyword::DATABASE, Keyword::SCHEMA, Keyword::EXTENSION];
    let pairs = verbs.iter().flat_map(|verb| kinds.iter().map(|kind| (*verb, *kind)));
    for (verb, kind) in pairs.filter(|pair| *pair != (Keyword::DROP, Keyword::SCHEMA)) {
        if parser.parse_keywords(&[verb, kind]) {
            return one(parser, verb, kind).map(Some);
        }
    }
    Ok(None)
}

fn one(parser: &mut Parser<'_>, verb: Keyword, kind: Keyword) -> Result<Command, ParserError> {
    match (verb, kind) {
        (Keyword::CREATE, Keyword::DATABASE) => create(parser),
        (Keyword::ALTER, Keyword::DATABASE) => alter(parser),
        (Keyword::DROP, Keyword::DATABASE) => drop(parser),
        (Keyword::CREATE, Keyword::SCHEMA) => create_schema(parser),
        (Keyword::ALTER, Keyword::SCHEMA) => alter_schema(parser),
        (Keyword::CREATE, _) => create_extension(parser),
        (Keyword::DROP, _) => drop_extension(parser),
        _ => {
            let _ = parser.parse_identifier()?;
            while parser.peek_token_ref().token != Token::EOF {
                parser.advance_token();
            }
            Ok(Command::AlterExtension)
        }
    }
}

fn create(parser: &mut Parser<'_>) -> Result<Command, ParserError> {
    let name = parser.parse_identifier()?;
    let _ = parser.parse_keyword(Keyword::WITH);
    let mut options = Vec::new();
    while parser.peek_token_ref().token != Token::EOF {
        options.push(option(parser)?);
    }
    Ok(Command::Create { name, options })
}

/// `name [=] value`; CONNECTION LIMIT is the one name of two words.
fn option(parser: &mut Parser<'_>) -> Result<(Ident, Option<String>), ParserError> {
    let name = parser.parse_identifier()?;
    if name.value.eq_ignore_ascii_case("connection") {
        parser.expect_keyword(Keyword::LIMIT)?;
    }
    let _ = parser.consume_token(&Token::Eq);
    let value = match parser.parse_keyword(Keyword::DEFAULT) {
        true => None,
        false => Some(words::value(parser)?),
    };
    Ok((name, value))
}

fn alter(parser: &mut Parser<'_>) -> Result<Command, ParserError> {
    let name = parser.parse_identifier()?;
    let action = if parser.parse_keywords(&[Keyword::RENAME, Keyword::TO]) {
        Action::Rename(parser.parse_identifier()?)
    } else if parser.parse_keywords(&[Keyword::OWNER, Keyword::TO]) {
        Action::Owner(parser.parse_identifier()?)
    } else if parser.parse_keywords(&[Keyword::SET, Keyword::TABLESPACE]) {
        let _ = parser.parse_identifier()?;
        Action::Other
    } else if parser.parse_keyword(Keyword::SET) {
        Action::Set(words::setting(parser)?)
    } else if parser.parse_keyword(Keyword::RESET) {
        Action::Set(Setting { name: parser.parse_object_name(false)?.to_string(), values: None })
    } else {
        let _ = parser.parse_keyword(Keyword::WITH);
        let _ = option(parser)?;
        Action::Other
    };
    Ok(Command::Alter { name, action })
}

fn drop(parser: &mut Parser<'_>) -> Result<Command, ParserError> {
    let if_exists = words::if_exists(parser);
    let name = parser.parse_identifier()?;
    let is_written = parser.parse_keyword(Keyword::WITH);
    let is_forced = parser.consume_token(&Token::LParen);
    if is_forced {
        let _ = parser.parse_comma_separated(|parser| parser.expect_keyword(Keyword::FORCE))?;
        parser.expect_token(&Token::RParen)?;
    } else if is_written {
        return parser.expected_ref("(", parser.peek_token_ref());
    }
    Ok(Command::Drop { name, if_exists, is_forced })
}

fn create_schema(parser: &mut Parser<'_>) -> Result<Command, ParserError> {
    let if_not_exists = words::if_not_exists(parser);
    let name = match parser.peek_keyword(Keyword::AUTHORIZATION) {
        true => None,
        false => Some(parser.parse_identifier()?),
    };
    let owner = match parser.parse_keyword(Keyword::AUTHORIZATION) {
        true => Some(parser.parse_identifier()?),
        false => None,
    };
    Ok(Command::CreateSchema { name, if_not_exists, owner })
}

fn alter_schema(parser: &mut Parser<'_>) -> Result<Command, ParserError> {
    let name = parser.parse_identifier()?;
    let is_rename = parser.expect_one_of_keywords(&[Keyword::RENAME, Keyword::OWNER])?;
    parser.expect_keyword(Keyword::TO)?;
    let change = (is_rename == Keyword::RENAME, parser.parse_identifier()?);
    Ok(Command::AlterSchema { name, change })
}

fn create_extension(parser: &mut Parser<'_>) -> Result<Command, ParserError> {
    let if_not_exists = words::if_not_exists(parser);
    let name = parser.parse_identifier()?;
    let _ = parser.parse_keyword(Keyword::WITH);
    let mut schema = None;
    loop {
        if parser.parse_keyword(Keyword::SCHEMA) {
            schema = Some(parser.parse_identifier()?);
        } else if parser.parse_keyword(Keyword::VERSION) {
            let _ = words::value(parser)?;
        } else if !parser.parse_keyword(Keyword::CASCADE) {
            return Ok(Command::CreateExtension { name, if_not_exists, schema });
        }
    }
}

fn drop_extension(parser: &mut Parser<'_>) -> Result<Command, ParserError> {
    let if_exists = words::if_exists(parser);
    let names = words::names(parser)?;
    let cascade = words::cascade(parser);
    Ok(Command::DropExtension { names, if_exists, cascade })
}
