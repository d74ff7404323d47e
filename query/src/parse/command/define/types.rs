//! CREATE TYPE, ALTER TYPE, CREATE DOMAIN, ALTER DOMAIN.

use sqlparser::ast::{DataType, Expr, Ident, ObjectName};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::words::{self, TextSpan};

/// Such a statement.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// `CREATE TYPE … AS ENUM`
    Enum {
        /// Its name.
        name: ObjectName,
        /// In order.
        labels: Vec<String>,
    },
    /// `CREATE TYPE … AS (…)`
    Composite {
        /// Its name.
        name: ObjectName,
        /// In order.
        fields: Vec<(Ident, DataType)>,
    },
    /// `CREATE DOMAIN`
    Domain(Domain),
    /// `ALTER TYPE`, `ALTER DOMAIN`
    Alter {
        /// Which.
        name: ObjectName,
        /// What to do.
        action: Action,
    },
    /// What there is in Postgres but not here.
    Unsupported(&'static str),
}

/// `CREATE DOMAIN`
#[derive(Clone, Debug)]
pub(crate) struct Domain {
    /// Its name.
    pub name: ObjectName,
    /// The type underneath.
    pub base: DataType,
    /// NOT NULL
    pub is_not_null: bool,
    /// DEFAULT
    pub default: Option<(Expr, TextSpan)>,
    /// CHECKs, with their names when written.
    pub checks: Vec<(Option<Ident>, Expr, TextSpan)>,
}

/// What ALTER TYPE does.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// `RENAME TO`
    Rename(Ident),
    /// `ADD VALUE`
    AddValue {
        /// The label.
        label: String,
        /// `IF NOT EXISTS`
        if_not_exists: bool,
        /// Before (`true`) or after a label.
        neighbour: Option<(bool, String)>,
    },
    /// `RENAME VALUE`
    RenameValue {
        /// The label.
        from: String,
        /// Its new text.
        to: String,
    },
    /// `SET SCHEMA`
    SetSchema(Ident),
    /// `OWNER TO`
    Owner(Ident),
}

/// Parses the statement if it is one of these; otherwise nothing was consumed.
pub(super) fn parse(parser: &mut Parser<'_>) -> Result<Option<Command>, ParserError> {
    if parser.parse_keywords(&[Keyword::CREATE, Keyword::TYPE]) {
        return create(parser).map(Some);
    }
    if parser.parse_keywords(&[Keyword::CREATE, Keyword::DOMAIN]) {
        return domain(parser).map(|domain| Some(Command::Domain(domain)));
    }
    if parser.parse_keywords(&[Keyword::ALTER, Keyword::TYPE]) {
        return alter(parser, "ALTER TYPE of a composite type's attributes").map(Some);
    }
    if parser.parse_keywords(&[Keyword::ALTER, Keyword::DOMAIN]) {
        return alter(parser, "ALTER DOMAIN of constraints and defaults").map(Some);
    }
    Ok(None)
}

fn create(parser: &mut Parser<'_>) -> Result<Command, ParserError> {
    let name = parser.parse_object_name(false)?;
    if !parser.parse_keyword(Keyword::AS) {
        let _ = words::skip_parentheses(parser)?;
        return Ok(Command::Unsupported("CREATE TYPE of a base type"));
    }
    if words::word(parser, "RANGE") {
        let _ = words::skip_parentheses(parser)?;
        return Ok(Command::Unsupported("CREATE TYPE AS RANGE"));
    }
    if parser.parse_keyword(Keyword::ENUM) {
        parser.expect_token(&Token::LParen)?;
        let labels = parser.parse_comma_separated0(words::string, Token::RParen)?;
        parser.expect_token(&Token::RParen)?;
        return Ok(Command::Enum { name, labels });
    }
    parser.expect_token(&Token::LParen)?;
    let fields = parser.parse_comma_separated0(field, Token::RParen)?;
    parser.expect_token(&Token::RParen)?;
    Ok(Command::Composite { name, fields })
}

fn field(parser: &mut Parser<'_>) -> Result<(Ident, DataType), ParserError> {
    let field = (parser.parse_identifier()?, parser.parse_data_type()?);
    skip_collation(parser)?;
    Ok(field)
}

/// `COLLATE name`: there is one collation.
fn skip_collation(parser: &mut Parser<'_>) -> Result<(), ParserError> {
    if parser.parse_keyword(Keyword::COLLATE) {
        let _ = parser.parse_object_name(false)?;
    }
    Ok(())
}

fn domain(parser: &mut Parser<'_>) -> Result<Domain, ParserError> {
    let name = parser.parse_object_name(false)?;
    let _ = parser.parse_keyword(Keyword::AS);
    let base = parser.parse_data_type()?;
    let mut domain = Domain { name, base, is_not_null: false, default: None, checks: Vec::new() };
    while parser.peek_token_ref().token != Token::EOF {
        domain_clause(parser, &mut domain)?;
    }
    Ok(domain)
}

fn domain_clause(parser: &mut Parser<'_>, domain: &mut Domain) -> Result<(), ParserError> {
    skip_collation(parser)?;
    let name = match parser.parse_keyword(Keyword::CONSTRAINT) {
        true => Some(parser.parse_identifier()?),
        false => None,
    };
    if parser.parse_keywords(&[Keyword::NOT, Keyword::NULL]) {
        domain.is_not_null = true;
    } else if parser.parse_keyword(Keyword::NULL) {
        domain.is_not_null = false;
    } else if parser.parse_keyword(Keyword::DEFAULT) {
        domain.default = Some(words::spanned(parser, |parser| parser.parse_expr())?);
    } else if parser.parse_keyword(Keyword::CHECK) {
        parser.expect_token(&Token::LParen)?;
        let (check, span) = words::spanned(parser, |parser| parser.parse_expr())?;
        parser.expect_token(&Token::RParen)?;
        domain.checks.push((name, check, span));
    } else if parser.peek_token_ref().token != Token::EOF {
        return parser.expected_ref("a constraint of the domain", parser.peek_token_ref());
    }
    Ok(())
}

fn alter(parser: &mut Parser<'_>, other: &'static str) -> Result<Command, ParserError> {
    let name = parser.parse_object_name(false)?;
    let action = if parser.parse_keywords(&[Keyword::RENAME, Keyword::TO]) {
        Action::Rename(parser.parse_identifier()?)
    } else if parser.parse_keywords(&[Keyword::SET, Keyword::SCHEMA]) {
        Action::SetSchema(parser.parse_identifier()?)
    } else if parser.parse_keywords(&[Keyword::OWNER, Keyword::TO]) {
        Action::Owner(parser.parse_identifier()?)
    } else if parser.parse_keywords(&[Keyword::ADD, Keyword::VALUE]) {
        add_value(parser)?
    } else if parser.parse_keywords(&[Keyword::RENAME, Keyword::VALUE]) {
        let from = words::string(parser)?;
        parser.expect_keyword(Keyword::TO)?;
        Action::RenameValue { from, to: words::string(parser)? }
    } else {
        return attributes(parser, other);
    };
    Ok(Command::Alter { name, action })
}

fn add_value(parser: &mut Parser<'_>) -> Result<Action, ParserError> {
    let if_not_exists = words::if_not_exists(parser);
    let label = words::string(parser)?;
    let neighbour = match parser.parse_one_of_keywords(&[Keyword::BEFORE, Keyword::AFTER]) {
        Some(side) => Some((side == Keyword::BEFORE, words::string(parser)?)),
        None => None,
    };
    Ok(Action::AddValue { label, if_not_exists, neighbour })
}

/// What is left of ALTER TYPE and ALTER DOMAIN, known by its first word.
fn attributes(parser: &mut Parser<'_>, other: &'static str) -> Result<Command, ParserError> {
    let verbs = [
        Keyword::ADD,
        Keyword::ALTER,
        Keyword::DROP,
        Keyword::RENAME,
        Keyword::SET,
        Keyword::VALIDATE,
    ];
    if parser.parse_one_of_keywords(&verbs).is_none() {
        return parser.expected_ref("an action", parser.peek_token_ref());
    }
    while parser.peek_token_ref().token != Token::EOF {
        parser.advance_token();
    }
    Ok(Command::Unsupported(other))
}
