//! CREATE, ALTER and DROP of ROLE, USER and GROUP.

use sqlparser::ast::Ident;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::words::{self, Setting};

/// Such a statement.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// `CREATE ROLE`
    Create {
        /// Its name.
        name: Ident,
        /// USER rather than ROLE or GROUP: it may log in.
        is_user: bool,
        /// In order of writing.
        options: Vec<RoleOption>,
    },
    /// `ALTER ROLE`
    Alter {
        /// Which; `ALL` is a name too.
        name: Ident,
        /// What to do.
        action: Action,
    },
    /// `ALTER GROUP … ADD USER`, `ALTER GROUP … DROP USER`
    AlterGroup {
        /// Which.
        name: Ident,
        /// DROP rather than ADD.
        is_drop: bool,
        /// Who.
        members: Vec<Ident>,
    },
    /// `DROP ROLE`
    Drop {
        /// Which.
        names: Vec<Ident>,
        /// `IF EXISTS`
        if_exists: bool,
    },
}

/// What ALTER ROLE does.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// Changes options.
    Options(Vec<RoleOption>),
    /// `RENAME TO`
    Rename(Ident),
    /// `[IN DATABASE …] SET …`, `RESET …`
    Set {
        /// The database that it is for.
        database: Option<Ident>,
        /// What is set.
        setting: Setting,
    },
}

/// One option.
#[derive(Clone, Debug)]
pub(crate) enum RoleOption {
    /// `LOGIN`, `NOLOGIN`, … as written
    Flag(Ident),
    /// `PASSWORD`
    Password(Option<String>),
    /// `CONNECTION LIMIT`, as written
    ConnectionLimit(String),
    /// `VALID UNTIL`
    ValidUntil(String),
    /// `IN ROLE`, `IN GROUP`
    In(Vec<Ident>),
    /// `ROLE`, `USER`
    Members(Vec<Ident>),
    /// `ADMIN`
    Admins,
    /// `SYSID`
    SystemId,
}

/// Parses the statement if it is one of these; otherwise nothing was consumed.
pub(super) fn parse(parser: &mut Parser<'_>) -> Result<Option<Command>, ParserError> {
    for kind in [Keyword::ROLE, Keyword::USER, Keyword::GROUP] {
        if parser.parse_keywords(&[Keyword::CREATE, kind]) {
            let name = parser.parse_identifier()?;
            let options = options(parser)?;
            let is_user = kind == Keyword::USER;
            return Ok(Some(Command::Create { name, is_user, options }));
        }
        if parser.parse_keywords(&[Keyword::ALTER, kind]) {
            return alter(parser).map(Some);
        }
        if parser.parse_keywords(&[Keyword::DROP, kind]) {
            let if_exists = words::if_exists(parser);
            let names = words::names(parser)?;
            return Ok(Some(Command::Drop { names, if_exists }));
        }
    }
    Ok(None)
}

fn alter(parser: &mut Parser<'_>) -> Result<Command, ParserError> {
    let name = parser.parse_identifier()?;
    if parser.parse_keywords(&[Keyword::RENAME, Keyword::TO]) {
        let action = Action::Rename(parser.parse_identifier()?);
        return Ok(Command::Alter { name, action });
    }
    for (verb, is_drop) in [(Keyword::ADD, false), (Keyword::DROP, true)] {
        if parser.parse_keywords(&[verb, Keyword::USER]) {
            let members = words::names(parser)?;
            return Ok(Command::AlterGroup { name, is_drop, members });
        }
    }
    let database = match parser.parse_keywords(&[Keyword::IN, Keyword::DATABASE]) {
        true => Some(parser.parse_identifier()?),
        false => None,
    };
    let action = if parser.parse_keyword(Keyword::SET) {
        Action::Set { database, setting: words::setting(parser)? }
    } else if parser.parse_keyword(Keyword::RESET) {
        Action::Set { database, setting: words::reset(parser)? }
    } else {
        Action::Options(options(parser)?)
    };
    Ok(Command::Alter { name, action })
}

fn options(parser: &mut Parser<'_>) -> Result<Vec<RoleOption>, ParserError> {
    let _ = parser.parse_keyword(Keyword::WITH);
    let mut options = Vec::new();
    while parser.peek_token_ref().token != Token::EOF {
        options.push(option(parser)?);
    }
    Ok(options)
}

fn option(parser: &mut Parser<'_>) -> Result<RoleOption, ParserError> {
    let _ = words::word(parser, "ENCRYPTED") || words::word(parser, "UNENCRYPTED");
    if words::word(parser, "PASSWORD") {
        let is_null = parser.parse_keyword(Keyword::NULL);
        let password = if is_null { None } else { Some(words::string(parser)?) };
        return Ok(RoleOption::Password(password));
    }
    if parser.parse_keywords(&[Keyword::CONNECTION, Keyword::LIMIT]) {
        return words::number(parser).map(RoleOption::ConnectionLimit);
    }
    if parser.parse_keywords(&[Keyword::VALID, Keyword::UNTIL]) {
        return words::string(parser).map(RoleOption::ValidUntil);
    }
    if parser.parse_keywords(&[Keyword::IN, Keyword::ROLE])
        || parser.parse_keywords(&[Keyword::IN, Keyword::GROUP])
    {
        return words::names(parser).map(RoleOption::In);
    }
    if parser.parse_one_of_keywords(&[Keyword::ROLE, Keyword::USER]).is_some() {
        return words::names(parser).map(RoleOption::Members);
    }
    if parser.parse_keyword(Keyword::ADMIN) {
        return words::names(parser).map(|_| RoleOption::Admins);
    }
    if words::word(parser, "SYSID") {
        let _ = words::number(parser)?;
        return Ok(RoleOption::SystemId);
    }
    parser.parse_identifier().map(RoleOption::Flag)
}
