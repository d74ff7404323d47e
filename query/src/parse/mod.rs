//! Text to syntax tree.
//!
//! `sqlparser` does the bulk. What it lacks of Postgres' language is added in two places, so that
//! each deviation is written down once: [`dialect`] for syntax inside queries, [`command`] for
//! whole statements.

use std::ops::Range;
use std::sync::Arc;

use sqlparser::ast;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use crate::error::{Error, Result, SqlState};

mod column_name;
pub(crate) mod command;
mod dialect;
pub(crate) mod extension;
mod function;
mod like;
mod literal;
mod mysql;
mod reserved;
mod source;
mod table_query;

pub(crate) use column_name::{mentioned_names, mentions_column};
pub(crate) use command::Command;
pub(crate) use dialect::CairnDialect;
pub(crate) use extension::{Extensions, Override, RowLock};
pub(crate) use function::{called_names, parameter_name, parse_function};
pub(crate) use like::{Including, Like};
pub(crate) use reserved::is_reserved;
pub(crate) use source::Source;

/// Longer texts are refused, as a message of the wire protocol would be.
const MAX_LEN: usize = 1 << 30;

/// How deeply expressions and queries may nest.
const MAX_DEPTH: usize = 1000;

/// One parsed statement. It keeps its text, because error positions count from where the client's
/// text began, and because definitions are stored as text.
#[derive(Clone, Debug)]
pub struct Statement {
    pub(crate) syntax: Arc<Syntax>,
    pub(crate) source: Arc<Source>,
    pub(crate) extensions: Arc<Extensions>,
    range: Range<usize>,
}

/// What was parsed.
#[derive(Clone, Debug)]
pub(crate) enum Syntax {
    /// A statement that `sqlparser` knows.
    Sql(ast::Statement),
    /// A statement that it does not know.
    Command(Command),
}

impl Statement {
    /// Another statement in the same text: the one inside EXPLAIN or DECLARE.
    pub(crate) fn within(&self, inner: &Arc<Syntax>) -> Self {
        Self { syntax: Arc::clone(inner), ..self.clone() }
    }

    /// The statement that begins at a location inside this one and ends with it.
    pub(crate) fn within_from(&self, inner: &Arc<Syntax>, start: Location) -> Self {
        let start = self.source.offset(start).unwrap_or(self.range.start);
        Self { range: start..self.range.end, ..self.within(inner) }
    }

    /// The query, if it is one.
    pub(crate) fn query(&self) -> Option<&ast::Query> {
        match self.syntax.as_ref() {
            Syntax::Sql(ast::Statement::Query(query)) => Some(query),
            _ => None,
        }
    }

    /// The statement's text, without the semicolon.
    pub fn text(&self) -> &str {
        self.source.text.get(self.range.clone()).unwrap_or_default()
    }

    /// Where the statement stands in the text that was parsed, in bytes.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }
}

/// Parses a text that may hold several statements, separated by semicolons. Empty ones are left
/// out, so an empty text gives no statements.
///
/// # Errors
/// 42601 with the position of the first token that cannot be; 54001 when it nests too deeply.
pub fn parse(sql: &str) -> Result<Vec<Statement>> {
    if sql.len() > MAX_LEN {
        let message = format!("statement is longer than {MAX_LEN} bytes");
        return Err(Error::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message));
    }
    let source = Arc::new(Source::new(sql));
    let tokens = tokenize(&source)?;
    let mut statements = Vec::new();
    for tokens in split_tokens(tokens) {
        statements.push(parse_tokens(&source, tokens)?);
    }
    Ok(statements)
}

/// The byte ranges of the statements in a text, without semicolons and empty statements.
///
/// # Errors
/// 42601 for an unterminated string, comment or quoted name.
pub fn split(sql: &str) -> Result<Vec<Range<usize>>> {
    let source = Source::new(sql);
    let tokens = tokenize(&source)?;
    Ok(split_tokens(tokens).map(|tokens| range_of(&source, &tokens)).collect())
}

/// Cuts a text into tokens.
///
/// # Errors
/// 42601 for a quote or a comment without an end.
pub(crate) fn tokenize(source: &Source) -> Result<Vec<TokenWithSpan>> {
    let mut tokenizer = Tokenizer::new(&CairnDialect, &source.text);
    tokenizer.tokenize_with_location().map_err(|error| {
        let near = source.offset(error.location).and_then(|offset| source.text.get(offset..));
        let what = match error.message.as_str() {
            message if message.contains("comment") => "unterminated /* comment",
            message if message.contains('"') => "unterminated quoted identifier",
            message if message.contains("dollar") => "unterminated dollar-quoted string",
            _ => "unterminated quoted string",
        };
        let message = format!("{what} at or near \"{}\"", near.unwrap_or_default());
        located(Error::new(SqlState::SYNTAX_ERROR, message), source.position(error.location))
    })
}

/// The tokens of each statement: cut at semicolons, white space at both ends removed.
fn split_tokens(tokens: Vec<TokenWithSpan>) -> impl Iterator<Item = Vec<TokenWithSpan>> {
    let mut statements = vec![Vec::new()];
    for token in tokens {
        match token.token {
            Token::EOF => {}
            Token::SemiColon => statements.push(Vec::new()),
            Token::Whitespace(_) if statements.last().is_some_and(Vec::is_empty) => {}
            _ => {
                if let Some(statement) = statements.last_mut() {
                    statement.push(token);
                }
            }
        }
    }
    statements.into_iter().filter_map(|mut tokens| {
        let is_space = |token: &TokenWithSpan| matches!(token.token, Token::Whitespace(_));
        while tokens.last().is_some_and(is_space) {
            tokens.pop();
        }
        (!tokens.is_empty()).then_some(tokens)
    })
}

/// The byte range that tokens take in their text.
fn range_of(source: &Source, tokens: &[TokenWithSpan]) -> Range<usize> {
    let start = tokens.first().and_then(|token| source.offset(token.span.start));
    let end = tokens.last().and_then(|token| source.offset(token.span.end));
    start.unwrap_or(0)..end.unwrap_or(source.text.len())
}

/// Parses the tokens of one statement.
fn parse_tokens(source: &Arc<Source>, tokens: Vec<TokenWithSpan>) -> Result<Statement> {
    let range = range_of(source, &tokens);
    let (tokens, extensions) = extension::extract(table_query::spell_out(without_space(tokens)))
        .map_err(|error| syntax_error(source, &error))?;
    let mut parser = parser(tokens);
    let parsed = parse_syntax(&mut parser).and_then(|syntax| match parser.peek_token_ref().token {
        Token::EOF => Ok(syntax),
        _ => parser.expected_ref("end of statement", parser.peek_token_ref()),
    });
    match parsed {
        Ok(syntax) => Ok(Statement {
            syntax: Arc::new(syntax),
            source: Arc::clone(source),
            extensions: Arc::new(extensions),
            range,
        }),
        Err(error) => Err(syntax_error(source, &error)),
    }
}

/// A statement of either kind, up to where it ends.
fn parse_syntax(parser: &mut Parser<'_>) -> std::result::Result<Syntax, ParserError> {
    match command::parse(parser)? {
        Some(command) => Ok(Syntax::Command(command)),
        None => parser.parse_statement().map(Syntax::Sql),
    }
}

/// What stands around an expression when it is read.
const BEFORE_EXPRESSION: &str = "SELECT (";
const BEHIND_EXPRESSION: &str = ")";

/// Where the expression stands in what [`parse_expression`] read.
pub(crate) fn expression_range(source: &Source) -> Range<usize> {
    BEFORE_EXPRESSION.len()..source.text.len().saturating_sub(BEHIND_EXPRESSION.len())
}

/// Parses one scalar expression: the catalog keeps them as text. The statement stands for its
/// surroundings.
///
/// # Errors
/// 42601.
pub(crate) fn parse_expression(sql: &str) -> Result<(Statement, ast::Expr)> {
    let mut statements = parse(&format!("{BEFORE_EXPRESSION}{sql}{BEHIND_EXPRESSION}"))?;
    let statement = statements.pop().filter(|_| statements.is_empty());
    let query = statement.as_ref().and_then(Statement::query);
    let parsed = query.and_then(|query| match query.body.as_ref() {
        ast::SetExpr::Select(select) => match select.projection.as_slice() {
            [ast::SelectItem::UnnamedExpr(expr)] => Some(expr.clone()),
            _ => None,
        },
        _ => None,
    });
    match (statement, parsed) {
        (Some(statement), Some(expr)) => Ok((statement, expr)),
        _ => Err(Error::new(SqlState::SYNTAX_ERROR, format!("\"{sql}\" is no expression"))),
    }
}

fn parser(tokens: Vec<TokenWithSpan>) -> Parser<'static> {
    Parser::new(&CairnDialect).with_recursion_limit(MAX_DEPTH).with_tokens_with_locations(tokens)
}

/// Drops white space and comments: the parser would step over them again and again.
fn without_space(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let is_kept = |token: &TokenWithSpan| !matches!(token.token, Token::Whitespace(_));
    tokens.into_iter().filter(is_kept).map(plain).collect()
}

/// TOP is a name here like any other, whatever it is elsewhere.
fn plain(mut token: TokenWithSpan) -> TokenWithSpan {
    if let Token::Word(word) = &mut token.token
        && word.keyword == Keyword::TOP
    {
        word.keyword = Keyword::NoKeyword;
    }
    token
}

/// Puts a parser's error in Postgres' words.
fn syntax_error(source: &Source, error: &ParserError) -> Error {
    let message = match error {
        ParserError::RecursionLimitExceeded => {
            return Error::new(SqlState::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded");
        }
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => message,
    };
    let Some(location) = location_of(message) else {
        let end = source.text.chars().count() + 1;
        return Error::new(SqlState::SYNTAX_ERROR, "syntax error at end of input").at(end);
    };
    let near = source.offset(location).map(|offset| token_at(source, offset)).unwrap_or_default();
    let message = match near {
        "" => "syntax error at end of input".to_owned(),
        near => format!("syntax error at or near \"{near}\""),
    };
    located(Error::new(SqlState::SYNTAX_ERROR, message), source.position(location))
}

/// The location at the end of a parser's message: `… at Line: 1, Column: 8`.
fn location_of(message: &str) -> Option<Location> {
    let (_, rest) = message.rsplit_once("at Line: ")?;
    let (line, column) = rest.split_once(", Column: ")?;
    Some(Location { line: line.parse().ok()?, column: column.trim().parse().ok()? })
}

/// The token that begins at a byte offset, as written.
fn token_at(source: &Source, offset: usize) -> &str {
    let rest = source.text.get(offset..).unwrap_or_default();
    let tokens = Tokenizer::new(&CairnDialect, rest).tokenize_with_location();
    let Some(first) = tokens.ok().and_then(|tokens| tokens.into_iter().next()) else {
        return rest;
    };
    let end = Source::new(rest).offset(first.span.end).unwrap_or(rest.len());
    rest.get(..end).unwrap_or(rest)
}

/// Adds a position when there is one.
fn located(error: Error, position: Option<usize>) -> Error {
    match position {
        Some(position) => error.at(position),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(sql: &str) -> (String, Option<usize>) {
        let error = parse(sql).unwrap_err();
        assert_eq!(error.state(), SqlState::SYNTAX_ERROR);
        (error.message().to_owned(), error.fields().position)
    }

    #[test]
    fn splits_at_semicolons_outside_of_quotes() {
        let sql = " select ';' ; ; select $$;$$ -- ;\n; /* ; */";
        let texts: Vec<&str> = split(sql).unwrap().into_iter().map(|range| &sql[range]).collect();
        assert_eq!(texts, ["select ';'", "select $$;$$"]);
    }

    #[test]
    fn errors_point_at_the_token() {
        let near = |word: &str| format!("syntax error at or near \"{word}\"");
        assert_eq!(error("selec 1"), (near("selec"), Some(1)));
        assert_eq!(error("select 1;\nselect * fro t"), (near("fro"), Some(20)));
        assert_eq!(error("select (1"), ("syntax error at end of input".to_owned(), Some(10)));
    }

    #[test]
    fn top_is_a_name() {
        let statements = parse("select top from t; select distinct top top from t top").unwrap();
        assert_eq!(statements.len(), 2);
    }

    #[test]
    fn positions_count_from_the_start_of_the_text() {
        let statements = parse("select 1; select 2").unwrap();
        assert_eq!(statements[1].text(), "select 2");
        assert_eq!(statements[1].range(), 10..18);
    }
}
