//! `ts_rank`: how well a vector answers a query, by how often and how close its lexemes occur.
//!
//! The formulas are those of Postgres (manual, section 12.3.3, and Bartunov and Sigaev's papers):
//! a query whose top is AND or a phrase rewards lexemes that stand close to each other, any other
//! one adds up the weights of the occurrences. Numbers are `real` where Postgres has `real`, so
//! that the results are the same to the last digit.

use cairn_engine::index::fulltext::{Document, Lexeme, Position, TextQuery, TextTerm, Weight};

use super::{TsQuery, TsVector};

/// The weights of D, C, B and A when the query does not give any.
pub const WEIGHTS: [f32; 4] = [0.1, 0.2, 0.4, 1.0];

/// ζ(2), the limit of Σ 1/n².
const ZETA_2: f64 = 1.64493406685;

/// Where a lexeme counts as standing that does not say where it is.
const UNKNOWN_PLACE: u32 = 16383;

/// How long documents are punished: the bits of the `normalization` argument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Normalization(pub i32);

impl Normalization {
    /// Divide by 1 + the logarithm of the length.
    pub const LOG_LENGTH: i32 = 1;
    /// Divide by the length.
    pub const LENGTH: i32 = 2;
    /// Divide by the mean harmonic distance between extents (`ts_rank_cd` only).
    pub const EXTENT_DISTANCE: i32 = 4;
    /// Divide by the number of different lexemes.
    pub const UNIQUE: i32 = 8;
    /// Divide by 1 + the logarithm of that number.
    pub const LOG_UNIQUE: i32 = 16;
    /// rank / (rank + 1)
    pub const SELF: i32 = 32;

    pub(super) fn has(self, bit: i32) -> bool {
        self.0 & bit != 0
    }
}

/// `ts_rank(weights, vector, query, normalization)`
pub fn rank(
    weights: &[f32; 4],
    vector: &TsVector,
    query: &TsQuery,
    normalization: Normalization,
) -> f32 {
    let document = vector.document();
    let Some(root) = query.root().filter(|_| !document.is_empty()) else { return 0.0 };
    let mut rank = match root {
        // Without a list: one word is what is mostly searched for, in thousands of documents.
        TextQuery::Term(term) => rank_by_frequency(weights, document, &[term]),
        _ => {
            let terms = distinct_terms(root);
            let is_close = matches!(root, TextQuery::And(..) | TextQuery::Phrase(..));
            match is_close && terms.len() > 1 {
                true => rank_by_closeness(weights, document, &terms),
                false => rank_by_frequency(weights, document, &terms),
            }
        }
    };
    if rank < 0.0 {
        rank = 1e-20;
    }
    normalize(rank, document, normalization)
}

fn normalize(mut rank: f32, document: &Document, normalization: Normalization) -> f32 {
    let length = || document.whole_position_count();
    let unique = || document.whole_len();
    if normalization.has(Normalization::LOG_LENGTH) {
        rank = (f64::from(rank) / (((length() + 1) as f64).ln() / 2f64.ln())) as f32;
    }
    if normalization.has(Normalization::LENGTH) && length() > 0 {
        rank /= length() as f32;
    }
    if normalization.has(Normalization::UNIQUE) {
        rank /= unique() as f32;
    }
    if normalization.has(Normalization::LOG_UNIQUE) {
        rank = (f64::from(rank) / (((unique() + 1) as f64).ln() / 2f64.ln())) as f32;
    }
    if normalization.has(Normalization::SELF) {
        rank /= rank + 1.0;
    }
    rank
}

/// The terms in byte order, each lexeme once.
fn distinct_terms(query: &TextQuery) -> Vec<&TextTerm> {
    let mut terms = query.terms();
    terms.sort_by(|one, other| one.lexeme.cmp(&other.lexeme));
    terms.dedup_by(|one, other| one.lexeme == other.lexeme);
    terms
}

/// Calls `each` with the lexemes that satisfy a term, weights aside.
pub(super) fn for_each_lexeme<'d>(
    document: &'d Document,
    term: &'d TextTerm,
    mut each: impl FnMut(Lexeme<'d>),
) {
    if term.is_prefix {
        document.with_prefix(&term.lexeme).for_each(each);
    } else if let Some(lexeme) = document.find(&term.lexeme) {
        each(lexeme);
    }
}

/// The positions of a lexeme, or where it counts as standing.
pub(super) fn positions_of(lexeme: Lexeme<'_>) -> impl Iterator<Item = Position> + '_ {
    let unknown = lexeme.positions.is_empty();
    let unknown = unknown.then(|| Position::new(UNKNOWN_PLACE, Weight::D));
    lexeme.positions.iter().chain(unknown)
}

fn weight_of(weights: &[f32; 4], position: Position) -> f32 {
    weights[position.weight() as usize & 3]
}

/// Σ over terms of Σ weight/n², the heaviest occurrence first.
fn rank_by_frequency(weights: &[f32; 4], document: &Document, terms: &[&TextTerm]) -> f32 {
    let mut rank = 0f32;
    for term in terms {
        for_each_lexeme(document, term, |lexeme| {
            let mut sum = 0f32;
            let mut heaviest = (-1f32, 0f32);
            for (index, position) in positions_of(lexeme).enumerate() {
                let square = ((index + 1) * (index + 1)) as f32;
                let weight = weight_of(weights, position);
                sum += weight / square;
                if weight > heaviest.0 {
                    heaviest = (weight, square);
                }
            }
            let (weight, square) = heaviest;
            let score = f64::from(weight + sum - weight / square) / ZETA_2;
            rank = (f64::from(rank) + score) as f32;
        });
    }
    if terms.is_empty() { rank } else { rank / terms.len() as f32 }
}

/// 1 - Π (1 - closeness) over all pairs of occurrences of different terms; negative without one.
fn rank_by_closeness(weights: &[f32; 4], document: &Document, terms: &[&TextTerm]) -> f32 {
    let mut rank = -1f32;
    // What the terms before have, as Postgres sees it: the last lexeme of each term.
    let mut seen: Vec<(Vec<Position>, bool)> = Vec::with_capacity(terms.len());
    for term in terms {
        let mut own: Option<(Vec<Position>, bool)> = None;
        for_each_lexeme(document, term, |lexeme| {
            let is_unknown = lexeme.positions.is_empty();
            let positions: Vec<Position> = positions_of(lexeme).collect();
            for (others, others_unknown) in &seen {
                let is_loose = is_unknown || *others_unknown;
                for position in &positions {
                    for other in others {
                        if let Some(close) = closeness(weights, *position, *other, is_loose) {
                            rank = if rank < 0.0 {
                                close
                            } else {
                                (1.0 - (1.0 - f64::from(rank)) * (1.0 - f64::from(close))) as f32
                            };
                        }
                    }
                }
            }
            own = Some((positions, is_unknown));
        });
        seen.extend(own);
    }
    rank
}

fn closeness(weights: &[f32; 4], one: Position, other: Position, is_loose: bool) -> Option<f32> {
    let distance = one.place().abs_diff(other.place());
    if distance == 0 && !is_loose {
        return None;
    }
    let distance = if distance == 0 { 16384 } else { u32::from(distance) };
    let product = weight_of(weights, one) * weight_of(weights, other) * proximity(distance);
    Some(f64::from(product).sqrt() as f32)
}

/// How much a distance in words counts.
fn proximity(distance: u32) -> f32 {
    if distance > 100 {
        return 1e-30;
    }
    (1.0 / (1.005 + 0.05 * (f64::from(distance as f32) / 1.5 - 2.0).exp())) as f32
}
