//! CREATE SEQUENCE, ALTER SEQUENCE.

use sqlparser::ast::{DataType, Ident, ObjectName};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};

use super::words;

/// Such a statement.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// `CREATE SEQUENCE`
    Create {
        /// Its name.
        name: ObjectName,
        /// `IF NOT EXISTS`
        if_not_exists: bool,
        /// `TEMPORARY`
        is_temporary: bool,
        /// In order of writing.
        options: Vec<SequenceOption>,
    },
    /// `ALTER SEQUENCE`
    Alter {
        /// Which.
        name: ObjectName,
        /// `IF EXISTS`
        if_exists: bool,
        /// What to change.
        action: Action,
    },
}

/// What ALTER SEQUENCE does.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// Changes options.
    Options(Vec<SequenceOption>),
    /// `RENAME TO`
    Rename(Ident),
    /// `SET SCHEMA`
    SetSchema(Ident),
    /// `OWNER TO`
    Owner(Ident),
    /// `SET LOGGED`, `SET UNLOGGED`: nothing here.
    Accepted,
}

/// One option; numbers are as written.
#[derive(Clone, Debug)]
pub(crate) enum SequenceOption {
    /// `AS`
    Type(DataType),
    /// `INCREMENT [BY]`
    Increment(String),
    /// `MINVALUE`, `NO MINVALUE`
    Min(Option<String>),
    /// `MAXVALUE`, `NO MAXVALUE`
    Max(Option<String>),
    /// `START [WITH]`
    Start(String),
    /// `RESTART [[WITH] value]`
    Restart(Option<String>),
    /// `CACHE`
    Cache(String),
    /// `CYCLE`, `NO CYCLE`
    Cycle(bool),
    /// `OWNED BY table.column`, `OWNED BY NONE`
    OwnedBy(ObjectName),
    /// `SEQUENCE NAME` of an identity column
    Name(ObjectName),
}

/// Parses the statement if it is one of these; otherwise nothing was consumed.
pub(super) fn parse(parser: &mut Parser<'_>) -> Result<Option<Command>, ParserError> {
    const CREATE: &[(bool, &[Keyword])] = &[
        (false, &[Keyword::CREATE, Keyword::SEQUENCE]),
        (false, &[Keyword::CREATE, Keyword::UNLOGGED, Keyword::SEQUENCE]),
        (true, &[Keyword::CREATE, Keyword::TEMP, Keyword::SEQUENCE]),
        (true, &[Keyword::CREATE, Keyword::TEMPORARY, Keyword::SEQUENCE]),
        (true, &[Keyword::CREATE, Keyword::LOCAL, Keyword::TEMP, Keyword::SEQUENCE]),
        (true, &[Keyword::CREATE, Keyword::LOCAL, Keyword::TEMPORARY, Keyword::SEQUENCE]),
    ];
    if let Some((is_temporary, _)) = CREATE.iter().find(|(_, words)| parser.parse_keywords(words)) {
        let if_not_exists = words::if_not_exists(parser);
        let name = parser.parse_object_name(false)?;
        let options = options(parser)?;
        let is_temporary = *is_temporary;
        return Ok(Some(Command::Create { name, if_not_exists, is_temporary, options }));
    }
    if parser.parse_keywords(&[Keyword::ALTER, Keyword::SEQUENCE]) {
        let if_exists = words::if_exists(parser);
        let name = parser.parse_object_name(false)?;
        let action = action(parser)?;
        return Ok(Some(Command::Alter { name, if_exists, action }));
    }
    Ok(None)
}

fn action(parser: &mut Parser<'_>) -> Result<Action, ParserError> {
    if parser.parse_keywords(&[Keyword::RENAME, Keyword::TO]) {
        return parser.parse_identifier().map(Action::Rename);
    }
    if parser.parse_keywords(&[Keyword::SET, Keyword::SCHEMA]) {
        return parser.parse_identifier().map(Action::SetSchema);
    }
    if parser.parse_keywords(&[Keyword::OWNER, Keyword::TO]) {
        return parser.parse_identifier().map(Action::Owner);
    }
    if parser.parse_keywords(&[Keyword::SET, Keyword::LOGGED])
        || parser.parse_keywords(&[Keyword::SET, Keyword::UNLOGGED])
    {
        return Ok(Action::Accepted);
    }
    let options = options(parser)?;
    if options.is_empty() {
        return parser.expected_ref("an option of the sequence", parser.peek_token_ref());
    }
    Ok(Action::Options(options))
}

/// Options up to what is none.
pub(crate) fn options(parser: &mut Parser<'_>) -> Result<Vec<SequenceOption>, ParserError> {
    let mut options = Vec::new();
    while let Some(option) = option(parser)? {
        options.push(option);
    }
    Ok(options)
}

/// The next option, if there is one.
pub(super) fn option(parser: &mut Parser<'_>) -> Result<Option<SequenceOption>, ParserError> {
    let no = [Keyword::MINVALUE, Keyword::MAXVALUE, Keyword::CYCLE];
    if let Some(word) = no.iter().find(|word| parser.parse_keywords(&[Keyword::NO, **word])) {
        return Ok(Some(match word {
            Keyword::MINVALUE => SequenceOption::Min(None),
            Keyword::MAXVALUE => SequenceOption::Max(None),
            _ => SequenceOption::Cycle(false),
        }));
    }
    if parser.parse_keywords(&[Keyword::OWNED, Keyword::BY]) {
        return parser.parse_object_name(false).map(|name| Some(SequenceOption::OwnedBy(name)));
    }
    if parser.parse_keywords(&[Keyword::SEQUENCE, Keyword::NAME]) {
        return parser.parse_object_name(false).map(|name| Some(SequenceOption::Name(name)));
    }
    let words = [
        Keyword::AS,
        Keyword::INCREMENT,
        Keyword::MINVALUE,
        Keyword::MAXVALUE,
        Keyword::START,
        Keyword::RESTART,
        Keyword::CACHE,
        Keyword::CYCLE,
    ];
    let Some(word) = parser.parse_one_of_keywords(&words) else { return Ok(None) };
    option_value(parser, word).map(Some)
}

fn option_value(parser: &mut Parser<'_>, word: Keyword) -> Result<SequenceOption, ParserError> {
    Ok(match word {
        Keyword::AS => SequenceOption::Type(parser.parse_data_type()?),
        Keyword::INCREMENT => {
            let _ = parser.parse_keyword(Keyword::BY);
            SequenceOption::Increment(words::number(parser)?)
        }
        Keyword::MINVALUE => SequenceOption::Min(Some(words::number(parser)?)),
        Keyword::MAXVALUE => SequenceOption::Max(Some(words::number(parser)?)),
        Keyword::START => {
            let _ = parser.parse_keyword(Keyword::WITH);
            SequenceOption::Start(words::number(parser)?)
        }
        Keyword::RESTART => {
            let is_given = parser.parse_keyword(Keyword::WITH);
            let number = parser.maybe_parse(words::number)?;
            if is_given && number.is_none() {
                return parser.expected_ref("a number", parser.peek_token_ref());
            }
            SequenceOption::Restart(number)
        }
        Keyword::CACHE => SequenceOption::Cache(words::number(parser)?),
        _ => SequenceOption::Cycle(true),
    })
}
