//! What a query demands of the lexemes alone: where to look for candidates.
//!
//! Weights, places and negations are left to [`super::matching`]; what is left never misses a
//! match.

use super::query::{TextQuery, TextTerm};

/// A query reduced to which terms must occur. Terms are positions in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Narrowed {
    Term(usize),
    All(Vec<Narrowed>),
    Any(Vec<Narrowed>),
}

/// The distinct terms of a query in byte order, weights aside: what the index is asked.
pub(super) fn terms(query: &TextQuery) -> Vec<TextTerm> {
    let mut terms: Vec<TextTerm> =
        query.terms().into_iter().map(|term| TextTerm { weights: 0, ..term.clone() }).collect();
    terms.sort_by(|one, other| (&one.lexeme, one.is_prefix).cmp(&(&other.lexeme, other.is_prefix)));
    terms.dedup();
    terms
}

/// Whether the narrowed query says all that the query says: every candidate matches.
pub(super) fn is_exact(query: &TextQuery) -> bool {
    match query {
        TextQuery::Term(term) => term.weights == 0,
        TextQuery::And(left, right) | TextQuery::Or(left, right) => {
            is_exact(left) && is_exact(right)
        }
        TextQuery::Not(_) | TextQuery::Phrase(..) => false,
    }
}

/// What of a query narrows the search; `None` when nothing does and every row may match.
pub(super) fn narrow(query: &TextQuery, terms: &[TextTerm]) -> Option<Narrowed> {
    match query {
        TextQuery::Term(term) => {
            let is_same = |listed: &TextTerm| {
                listed.lexeme == term.lexeme && listed.is_prefix == term.is_prefix
            };
            terms.iter().position(is_same).map(Narrowed::Term)
        }
        TextQuery::Not(_) => None,
        TextQuery::Or(left, right) => {
            let (left, right) = (narrow(left, terms)?, narrow(right, terms)?);
            let mut all = Vec::new();
            for side in [left, right] {
                match side {
                    Narrowed::Any(children) => all.extend(children),
                    side => all.push(side),
                }
            }
            Some(Narrowed::Any(all))
        }
        TextQuery::And(left, right) | TextQuery::Phrase(left, right, _) => {
            let mut all = Vec::new();
            for side in [narrow(left, terms), narrow(right, terms)].into_iter().flatten() {
                match side {
                    Narrowed::All(children) => all.extend(children),
                    side => all.push(side),
                }
            }
            if all.len() > 1 { Some(Narrowed::All(all)) } else { all.pop() }
        }
    }
}

impl Narrowed {
    /// About how many documents are candidates, given how many have each term.
    pub fn estimate(&self, counts: &[usize]) -> usize {
        match self {
            Self::Term(term) => counts.get(*term).copied().unwrap_or(0),
            Self::All(children) => {
                children.iter().map(|child| child.estimate(counts)).min().unwrap_or(0)
            }
            Self::Any(children) => children.iter().map(|child| child.estimate(counts)).sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(lexeme: &str) -> Box<TextQuery> {
        Box::new(TextQuery::Term(TextTerm::new(lexeme)))
    }

    #[test]
    fn negations_do_not_narrow() {
        let not = Box::new(TextQuery::Not(term("a")));
        let terms = [TextTerm::new("a"), TextTerm::new("b")];
        assert_eq!(narrow(&not, &terms), None);
        let and = TextQuery::And(not.clone(), term("b"));
        assert_eq!(narrow(&and, &terms), Some(Narrowed::Term(1)));
        assert_eq!(narrow(&TextQuery::Or(not, term("b")), &terms), None);
    }

    #[test]
    fn weights_places_and_negations_need_the_document() {
        let and = |left, right| TextQuery::And(left, right);
        assert!(is_exact(&and(term("a"), Box::new(TextQuery::Or(term("b"), term("c"))))));
        let heavy = TextQuery::Term(TextTerm { weights: 8, ..TextTerm::new("a") });
        assert!(!is_exact(&and(term("a"), Box::new(heavy))));
        assert!(!is_exact(&and(term("a"), Box::new(TextQuery::Not(term("b"))))));
        assert!(!is_exact(&TextQuery::Phrase(term("a"), term("b"), 1)));
    }

    #[test]
    fn conjunctions_take_the_rarest() {
        let query = TextQuery::Phrase(term("a"), Box::new(TextQuery::And(term("b"), term("a"))), 1);
        let terms = terms(&query);
        assert_eq!(terms.len(), 2);
        assert_eq!(narrow(&query, &terms).unwrap().estimate(&[5, 3]), 3);
    }
}
