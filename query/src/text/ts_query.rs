//! `tsquery`: text form, operations.

use std::fmt;
use std::str::FromStr;

use cairn_engine::index::fulltext::{TextQuery, TextTerm, Weight, matching};

use super::query_builder::{Operator, QueryBuilder};
use super::query_parser;
use super::vector::{TsVector, write_quoted};
use crate::error::{Error, Result, SqlState};

/// The greatest distance of a phrase operator.
pub(super) const DISTANCE_MAX: u32 = 16384;

/// A boolean query over lexemes; `None` is the empty query, which matches nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TsQuery(Option<TextQuery>);

impl TsQuery {
    /// A query of the engine.
    pub fn new(query: Option<TextQuery>) -> Self {
        Self(query)
    }

    /// What is asked; `None`: nothing.
    pub fn root(&self) -> Option<&TextQuery> {
        self.0.as_ref()
    }

    /// `vector @@ query`
    pub fn matches(&self, vector: &TsVector) -> bool {
        self.0.as_ref().is_some_and(|query| matching::matches(query, vector.document()))
    }

    /// `a && b`
    ///
    /// # Errors
    /// 54001 when the result nests too deeply; so do all operations here.
    pub fn and(&self, other: &Self) -> Result<Self> {
        self.combine(other, Operator::And)
    }

    /// `a || b`
    ///
    /// # Errors
    /// 54001.
    pub fn or(&self, other: &Self) -> Result<Self> {
        self.combine(other, Operator::Or)
    }

    /// `a <-> b`, `tsquery_phrase(a, b, distance)`
    ///
    /// # Errors
    /// 22023 when the distance is out of range; 54001.
    pub fn followed_by(&self, other: &Self, distance: i64) -> Result<Self> {
        match u16::try_from(distance) {
            Ok(distance) if u32::from(distance) <= DISTANCE_MAX => {
                self.combine(other, Operator::Phrase(distance))
            }
            _ => Err(distance_error()),
        }
    }

    /// `!! a`
    ///
    /// # Errors
    /// 54001.
    pub fn negated(&self) -> Result<Self> {
        let Some(query) = &self.0 else { return Ok(Self(None)) };
        let mut builder = QueryBuilder::default();
        builder.query(query.clone());
        builder.apply(Operator::Not)?;
        Ok(Self(builder.finish()))
    }

    fn combine(&self, other: &Self, operator: Operator) -> Result<Self> {
        let (left, right) = match (&self.0, &other.0) {
            (Some(left), Some(right)) => (left, right),
            (None, _) => return Ok(other.clone()),
            (_, None) => return Ok(self.clone()),
        };
        let mut builder = QueryBuilder::default();
        builder.query(left.clone());
        builder.query(right.clone());
        builder.apply(operator)?;
        Ok(Self(builder.finish()))
    }

    /// `numnode`: lexemes and operators.
    pub fn node_count(&self) -> usize {
        fn count(query: &TextQuery) -> usize {
            match query {
                TextQuery::Term(_) => 1,
                TextQuery::Not(child) => 1 + count(child),
                TextQuery::And(left, right)
                | TextQuery::Or(left, right)
                | TextQuery::Phrase(left, right, _) => 1 + count(left) + count(right),
            }
        }
        self.0.as_ref().map_or(0, count)
    }

    /// `querytree`: what an index can be asked, `T` when nothing.
    pub fn indexable(&self) -> String {
        match &self.0 {
            None => String::new(),
            Some(query) => match without_not(query) {
                Some(query) => Self(Some(query)).to_string(),
                None => "T".to_owned(),
            },
        }
    }

    /// Whether every lexeme of `other` is one of this query's (`@>`).
    pub fn contains(&self, other: &Self) -> bool {
        let lexemes = |query: &Self| -> Vec<Box<str>> {
            let terms = query.0.as_ref().map_or(Vec::new(), TextQuery::terms);
            terms.into_iter().map(|term| term.lexeme.clone()).collect()
        };
        let own = lexemes(self);
        lexemes(other).iter().all(|lexeme| own.contains(lexeme))
    }
}

/// 22023
pub(super) fn distance_error() -> Error {
    let message = format!(
        "distance in phrase operator must be an integer value between zero and {DISTANCE_MAX} \
         inclusive"
    );
    Error::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

/// The query without its negations; `None` when nothing is left that narrows the search.
fn without_not(query: &TextQuery) -> Option<TextQuery> {
    match query {
        TextQuery::Term(_) => Some(query.clone()),
        TextQuery::Not(_) => None,
        TextQuery::Or(left, right) => {
            let (left, right) = (without_not(left)?, without_not(right)?);
            Some(TextQuery::Or(Box::new(left), Box::new(right)))
        }
        TextQuery::And(left, right) | TextQuery::Phrase(left, right, _) => {
            match (without_not(left), without_not(right)) {
                (Some(left), Some(right)) => {
                    let (left, right) = (Box::new(left), Box::new(right));
                    Some(match query {
                        TextQuery::Phrase(_, _, distance) => {
                            TextQuery::Phrase(left, right, *distance)
                        }
                        _ => TextQuery::And(left, right),
                    })
                }
                (left, right) => left.or(right),
            }
        }
    }
}

impl FromStr for TsQuery {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        query_parser::parse_literal(text)
    }
}

impl fmt::Display for TsQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |query| write_query(f, query, 0, false))
    }
}

fn priority(query: &TextQuery) -> u8 {
    match query {
        TextQuery::Or(..) => 1,
        TextQuery::And(..) => 2,
        TextQuery::Phrase(..) => 3,
        TextQuery::Not(_) => 4,
        TextQuery::Term(_) => 5,
    }
}

/// Writes a query in the parentheses that its parent's priority asks for. Phrases do not
/// associate: a phrase on the right of a phrase has them always.
fn write_query(
    f: &mut fmt::Formatter<'_>,
    query: &TextQuery,
    parent: u8,
    is_right_of_phrase: bool,
) -> fmt::Result {
    let own = priority(query);
    let is_phrase = matches!(query, TextQuery::Phrase(..));
    let is_wrapped = own < parent || (is_phrase && own == parent && is_right_of_phrase);
    if is_wrapped {
        f.write_str("( ")?;
    }
    match query {
        TextQuery::Term(term) => write_term(f, term)?,
        TextQuery::Not(child) => {
            f.write_str("!")?;
            write_query(f, child, own, false)?;
        }
        TextQuery::And(left, right)
        | TextQuery::Or(left, right)
        | TextQuery::Phrase(left, right, _) => {
            write_query(f, left, own, false)?;
            match query {
                TextQuery::And(..) => f.write_str(" & ")?,
                TextQuery::Phrase(_, _, 1) => f.write_str(" <-> ")?,
                TextQuery::Phrase(_, _, distance) => write!(f, " <{distance}> ")?,
                _ => f.write_str(" | ")?,
            }
            write_query(f, right, own, is_phrase)?;
        }
    }
    if is_wrapped { f.write_str(" )") } else { Ok(()) }
}

fn write_term(f: &mut fmt::Formatter<'_>, term: &TextTerm) -> fmt::Result {
    write_quoted(f, &term.lexeme)?;
    if term.is_prefix || term.weights != 0 {
        f.write_str(":")?;
    }
    if term.is_prefix {
        f.write_str("*")?;
    }
    for weight in [Weight::A, Weight::B, Weight::C, Weight::D] {
        if term.weights & (1 << weight as u8) != 0 {
            write!(f, "{}", weight.letter())?;
        }
    }
    Ok(())
}
