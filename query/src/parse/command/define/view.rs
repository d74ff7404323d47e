//! What a query defines: views, materialized views, CREATE TABLE … AS.

use sqlparser::ast::{Ident, ObjectName, Query};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::words::{self, TextSpan};
use crate::bind::ddl::OnCommit;

/// Such a statement.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// `CREATE VIEW`
    View {
        /// What is defined.
        head: Head,
        /// `OR REPLACE`
        or_replace: bool,
        /// The query.
        query: WrittenQuery,
    },
    /// `CREATE MATERIALIZED VIEW`
    MaterializedView {
        /// What is defined.
        head: Head,
        /// The query.
        query: WrittenQuery,
        /// `WITH NO DATA` was not said.
        with_data: bool,
    },
    /// `REFRESH MATERIALIZED VIEW`
    Refresh {
        /// Which.
        name: ObjectName,
        /// `CONCURRENTLY`
        is_concurrent: bool,
        /// `WITH NO DATA` was not said.
        with_data: bool,
    },
    /// `CREATE TABLE … AS`
    TableAs {
        /// What is defined.
        head: Head,
        /// The query.
        query: WrittenQuery,
        /// `WITH NO DATA` was not said.
        with_data: bool,
    },
    /// What there is in Postgres but not here.
    Unsupported(&'static str),
}

/// The relation that is defined.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    /// Its name.
    pub name: ObjectName,
    /// `IF NOT EXISTS`
    pub if_not_exists: bool,
    /// `TEMPORARY`
    pub is_temporary: bool,
    /// `ON COMMIT`
    pub on_commit: OnCommit,
    /// Names for the first columns.
    pub columns: Vec<Ident>,
}

/// A query and where it was written.
#[derive(Clone, Debug)]
pub(crate) struct WrittenQuery {
    /// The query.
    pub query: Box<Query>,
    /// Its place in the text.
    pub span: TextSpan,
}

/// Parses the statement if it is one of these; otherwise nothing was consumed.
pub(super) fn parse(parser: &mut Parser<'_>) -> Result<Option<Command>, ParserError> {
    if parser.parse_keywords(&[Keyword::REFRESH, Keyword::MATERIALIZED, Keyword::VIEW]) {
        return refresh(parser).map(Some);
    }
    if parser.parse_keywords(&[Keyword::CREATE, Keyword::MATERIALIZED, Keyword::VIEW]) {
        let (head, query) = (head(parser, false)?, query(parser)?);
        let with_data = with_data(parser)?;
        return Ok(Some(Command::MaterializedView { head, query, with_data }));
    }
    if let Some((is_recursive, or_replace, is_temporary)) = parser.maybe_parse(view_words)? {
        let view = view(parser, or_replace, is_temporary)?;
        let is_recursive = is_recursive.then_some(Command::Unsupported("CREATE RECURSIVE VIEW"));
        return Ok(Some(is_recursive.unwrap_or(view)));
    }
    if let Some(head) = parser.maybe_parse(table_head)? {
        let query = query(parser)?;
        let with_data = with_data(parser)?;
        return Ok(Some(Command::TableAs { head, query, with_data }));
    }
    Ok(None)
}

fn refresh(parser: &mut Parser<'_>) -> Result<Command, ParserError> {
    let is_concurrent = parser.parse_keyword(Keyword::CONCURRENTLY);
    let name = parser.parse_object_name(false)?;
    let with_data = with_data(parser)?;
    Ok(Command::Refresh { name, is_concurrent, with_data })
}

/// The words up to VIEW: (`RECURSIVE`, `OR REPLACE`, `TEMPORARY`).
fn view_words(parser: &mut Parser<'_>) -> Result<(bool, bool, bool), ParserError> {
    parser.expect_keyword(Keyword::CREATE)?;
    let or_replace = parser.parse_keywords(&[Keyword::OR, Keyword::REPLACE]);
    let is_temporary = temporary(parser);
    let is_recursive = parser.parse_keyword(Keyword::RECURSIVE);
    parser.expect_keyword(Keyword::VIEW)?;
    Ok((is_recursive, or_replace, is_temporary))
}

fn temporary(parser: &mut Parser<'_>) -> bool {
    let _ = parser.parse_one_of_keywords(&[Keyword::LOCAL, Keyword::GLOBAL]);
    parser.parse_one_of_keywords(&[Keyword::TEMP, Keyword::TEMPORARY]).is_some()
}

fn view(
    parser: &mut Parser<'_>,
    or_replace: bool,
    is_temporary: bool,
) -> Result<Command, ParserError> {
    let (head, query) = (head(parser, is_temporary)?, query(parser)?);
    if parser.parse_keyword(Keyword::WITH) {
        let _ = parser.parse_one_of_keywords(&[Keyword::CASCADED, Keyword::LOCAL]);
        parser.expect_keywords(&[Keyword::CHECK, Keyword::OPTION])?;
        return Ok(Command::Unsupported("WITH CHECK OPTION"));
    }
    Ok(Command::View { head, or_replace, query })
}

/// `[GLOBAL | LOCAL] [TEMPORARY | UNLOGGED] TABLE … AS`; fails when it is another CREATE.
fn table_head(parser: &mut Parser<'_>) -> Result<Head, ParserError> {
    parser.expect_keyword(Keyword::CREATE)?;
    let is_temporary = temporary(parser);
    let _ = parser.parse_keyword(Keyword::UNLOGGED);
    parser.expect_keyword(Keyword::TABLE)?;
    head(parser, is_temporary)
}

/// From the name to AS. How the rows would be stored is read over.
fn head(parser: &mut Parser<'_>, is_temporary: bool) -> Result<Head, ParserError> {
    let if_not_exists = words::if_not_exists(parser);
    let name = parser.parse_object_name(false)?;
    let columns = match parser.peek_token_ref().token {
        Token::LParen => words::names_in_parentheses(parser)?,
        _ => Vec::new(),
    };
    if parser.parse_keyword(Keyword::USING) {
        let _ = parser.parse_identifier()?;
    }
    if parser.parse_keyword(Keyword::WITH) && !words::skip_parentheses(parser)? {
        return parser.expected_ref("(", parser.peek_token_ref());
    }
    if parser.parse_keyword(Keyword::WITHOUT) && !words::word(parser, "OIDS") {
        return parser.expected_ref("OIDS", parser.peek_token_ref());
    }
    let on_commit = on_commit(parser)?;
    if parser.parse_keyword(Keyword::TABLESPACE) {
        let _ = parser.parse_identifier()?;
    }
    parser.expect_keyword(Keyword::AS)?;
    Ok(Head { name, if_not_exists, is_temporary, on_commit, columns })
}

fn on_commit(parser: &mut Parser<'_>) -> Result<OnCommit, ParserError> {
    if !parser.parse_keywords(&[Keyword::ON, Keyword::COMMIT]) {
        return Ok(OnCommit::PreserveRows);
    }
    if parser.parse_keyword(Keyword::DROP) {
        return Ok(OnCommit::Drop);
    }
    let action = match parser.expect_one_of_keywords(&[Keyword::PRESERVE, Keyword::DELETE])? {
        Keyword::DELETE => OnCommit::DeleteRows,
        _ => OnCommit::PreserveRows,
    };
    parser.expect_keyword(Keyword::ROWS)?;
    Ok(action)
}

fn query(parser: &mut Parser<'_>) -> Result<WrittenQuery, ParserError> {
    let (query, span) = words::spanned(parser, |parser| parser.parse_query())?;
    Ok(WrittenQuery { query, span })
}

fn with_data(parser: &mut Parser<'_>) -> Result<bool, ParserError> {
    if !parser.parse_keyword(Keyword::WITH) {
        return Ok(true);
    }
    let is_empty = parser.parse_keyword(Keyword::NO);
    parser.expect_keyword(Keyword::DATA)?;
    Ok(!is_empty)
}
