//! Puts a query together in postfix order, and takes stop words out of it again.
//!
//! A stop word in a query matches anything, so its operator goes with it. Inside a phrase it still
//! takes up a position: the distances that it accounted for are handed to the phrase operators
//! around it.

use cairn_engine::index::fulltext::{TextQuery, TextTerm};

use crate::error::{Error, Result, SqlState};

/// How deep a query may nest. Evaluation recurses.
const DEPTH_MAX: u32 = 2000;

/// What joins operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Not,
    And,
    Or,
    Phrase(u16),
}

impl Operator {
    /// Binds tighter the higher it is.
    pub(super) fn priority(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Phrase(_) => 3,
            Self::Not => 4,
        }
    }
}

/// An operand: a query, or nothing where only stop words were.
#[derive(Default)]
struct Operand {
    query: Option<TextQuery>,
    /// Positions that removed stop words took up on its left and right edge.
    left_gap: u32,
    right_gap: u32,
    depth: u32,
}

/// Operands that wait for their operators.
#[derive(Default)]
pub(super) struct QueryBuilder {
    operands: Vec<Operand>,
}

impl QueryBuilder {
    pub(super) fn term(&mut self, term: TextTerm) {
        self.query(TextQuery::Term(term));
    }

    pub(super) fn query(&mut self, query: TextQuery) {
        let depth = depth(&query);
        self.operands.push(Operand { query: Some(query), depth, ..Operand::default() });
    }

    pub(super) fn stop_word(&mut self) {
        self.operands.push(Operand::default());
    }

    /// Whether no operand was pushed.
    pub(super) fn is_empty(&self) -> bool {
        self.operands.is_empty()
    }

    /// Applies an operator to the last one or two operands.
    pub(super) fn apply(&mut self, operator: Operator) -> Result<()> {
        let right = self.operands.pop().unwrap_or_default();
        let operand = match operator {
            Operator::Not => Operand {
                query: right.query.map(|query| TextQuery::Not(Box::new(query))),
                depth: right.depth + 1,
                ..right
            },
            operator => join(operator, self.operands.pop().unwrap_or_default(), right),
        };
        if operand.depth > DEPTH_MAX {
            let message = "stack depth limit exceeded";
            return Err(Error::new(SqlState::STATEMENT_TOO_COMPLEX, message));
        }
        self.operands.push(operand);
        Ok(())
    }

    /// The query; `None` when nothing but stop words was in it.
    pub(super) fn finish(mut self) -> Option<TextQuery> {
        self.operands.pop().and_then(|operand| operand.query)
    }
}

fn depth(query: &TextQuery) -> u32 {
    match query {
        TextQuery::Term(_) => 1,
        TextQuery::Not(child) => 1 + depth(child),
        TextQuery::And(left, right)
        | TextQuery::Or(left, right)
        | TextQuery::Phrase(left, right, _) => 1 + depth(left).max(depth(right)),
    }
}

fn join(operator: Operator, left: Operand, right: Operand) -> Operand {
    let distance = match operator {
        Operator::Phrase(distance) => Some(u32::from(distance)),
        _ => None,
    };
    match (left.query, right.query) {
        (None, None) => {
            let gap = match distance {
                Some(distance) => left.left_gap + distance + right.left_gap,
                None => left.left_gap.max(right.left_gap),
            };
            Operand { left_gap: gap, right_gap: gap, ..Operand::default() }
        }
        (None, query) => Operand {
            query,
            left_gap: right.left_gap + distance.map_or(0, |distance| left.left_gap + distance),
            right_gap: right.right_gap,
            depth: right.depth,
        },
        (query, None) => Operand {
            query,
            left_gap: left.left_gap,
            right_gap: left.right_gap + distance.map_or(0, |distance| distance + right.right_gap),
            depth: left.depth,
        },
        (Some(one), Some(other)) => {
            let (one, other) = (Box::new(one), Box::new(other));
            let depth = 1 + left.depth.max(right.depth);
            let Some(distance) = distance else {
                let query = match operator {
                    Operator::Or => TextQuery::Or(one, other),
                    _ => TextQuery::And(one, other),
                };
                return Operand { query: Some(query), depth, ..Operand::default() };
            };
            let distance = distance + left.right_gap + right.left_gap;
            let distance = u16::try_from(distance).unwrap_or(u16::MAX);
            Operand {
                query: Some(TextQuery::Phrase(one, other, distance)),
                left_gap: left.left_gap,
                right_gap: right.right_gap,
                depth,
            }
        }
    }
}
