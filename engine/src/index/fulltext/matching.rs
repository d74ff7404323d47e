//! Whether a document contains what a query asks, as Postgres' `@@` decides.
//!
//! Boolean operators ask whether a lexeme occurs; inside a phrase the question becomes *where*
//! each side may be, so phrases are evaluated over sets of places. NOT inside a phrase makes such
//! a set inverted: everywhere but there. Where a document does not say where its lexemes are, the
//! answer is "maybe", which a phrase takes for no and which NOT leaves as it is.

use super::document::{Document, Lexeme};
use super::query::{TextQuery, TextTerm};

/// Where something may match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nowhere.
    Nowhere,
    /// Somewhere, but places are unknown.
    Somewhere,
    /// At these places.
    At(Places),
}

/// A set of places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// The last position of each match, ascending.
    pub places: Vec<u32>,
    /// Whether the set is everything but these.
    pub is_inverted: bool,
    /// How many positions before the last one a match reaches.
    pub width: u32,
}

/// Something that a query's terms can be looked up in.
pub trait Evidence {
    /// Whether the term occurs.
    fn occurs(&self, term: &TextTerm) -> bool;
    /// Where it occurs.
    fn places(&self, term: &TextTerm) -> Found;
}

/// Whether `evidence` satisfies `query`.
pub fn matches(query: &TextQuery, evidence: &impl Evidence) -> bool {
    match query {
        TextQuery::Term(term) => evidence.occurs(term),
        TextQuery::Not(child) => !matches(child, evidence),
        TextQuery::And(left, right) => matches(left, evidence) && matches(right, evidence),
        TextQuery::Or(left, right) => matches(left, evidence) || matches(right, evidence),
        TextQuery::Phrase(..) => matches!(places(query, evidence), Found::At(_)),
    }
}

fn places(query: &TextQuery, evidence: &impl Evidence) -> Found {
    match query {
        TextQuery::Term(term) => evidence.places(term),
        TextQuery::Not(child) => invert(places(child, evidence)),
        TextQuery::Or(left, right) => either(places(left, evidence), places(right, evidence)),
        TextQuery::And(left, right) => {
            both(places(left, evidence), || places(right, evidence), None)
        }
        TextQuery::Phrase(left, right, distance) => {
            let distance = Some(u32::from(*distance));
            both(places(left, evidence), || places(right, evidence), distance)
        }
    }
}

fn invert(found: Found) -> Found {
    match found {
        Found::Nowhere => Found::At(Places { is_inverted: true, ..Places::default() }),
        Found::Somewhere => Found::Somewhere,
        Found::At(set) if set.is_inverted && set.places.is_empty() => Found::Nowhere,
        Found::At(set) => Found::At(Places { is_inverted: !set.is_inverted, ..set }),
    }
}

/// Places where both match: at the same place, or the right one `distance` after the left.
fn both(left: Found, right: impl FnOnce() -> Found, distance: Option<u32>) -> Found {
    if left == Found::Nowhere {
        return Found::Nowhere;
    }
    let (left, right) = match (left, right()) {
        (_, Found::Nowhere) => return Found::Nowhere,
        (Found::At(left), Found::At(right)) => (left, right),
        _ => return Found::Somewhere,
    };
    let (width, shifts) = match distance {
        Some(distance) => (distance + left.width + right.width, (distance + right.width, 0)),
        None => align(&left, &right),
    };
    let is_inverted = left.is_inverted && right.is_inverted;
    let keep = match (left.is_inverted, right.is_inverted) {
        (true, true) => Keep::ANY,
        (true, false) => Keep::RIGHT,
        (false, true) => Keep::LEFT,
        (false, false) => Keep::BOTH,
    };
    found(Places { places: merge(&left, &right, shifts, keep), is_inverted, width })
}

/// Places where one of them matches; the narrower is aligned to the end of the wider.
fn either(left: Found, right: Found) -> Found {
    let (left, right) = match (left, right) {
        (Found::Nowhere, Found::Nowhere) => return Found::Nowhere,
        (Found::Somewhere, _) | (_, Found::Somewhere) => return Found::Somewhere,
        (left, right) => (set_of(left), set_of(right)),
    };
    let (width, shifts) = align(&left, &right);
    let is_inverted = left.is_inverted || right.is_inverted;
    // By De Morgan: what an inverted union leaves out is an intersection.
    let keep = match (left.is_inverted, right.is_inverted) {
        (true, true) => Keep::BOTH,
        (true, false) => Keep::LEFT,
        (false, true) => Keep::RIGHT,
        (false, false) => Keep::ANY,
    };
    found(Places { places: merge(&left, &right, shifts, keep), is_inverted, width })
}

fn set_of(found: Found) -> Places {
    match found {
        Found::At(set) => set,
        Found::Nowhere | Found::Somewhere => Places::default(),
    }
}

fn found(set: Places) -> Found {
    if set.places.is_empty() && !set.is_inverted { Found::Nowhere } else { Found::At(set) }
}

fn align(left: &Places, right: &Places) -> (u32, (u32, u32)) {
    let width = left.width.max(right.width);
    (width, (width - left.width, width - right.width))
}

/// Which places a merge of two sets keeps.
#[derive(Clone, Copy)]
struct Keep {
    left_only: bool,
    right_only: bool,
    both: bool,
}

impl Keep {
    const ANY: Self = Self { left_only: true, right_only: true, both: true };
    const LEFT: Self = Self { left_only: true, right_only: false, both: false };
    const RIGHT: Self = Self { left_only: false, right_only: true, both: false };
    const BOTH: Self = Self { left_only: false, right_only: false, both: true };
}

fn merge(left: &Places, right: &Places, shifts: (u32, u32), keep: Keep) -> Vec<u32> {
    let mut lefts = left.places.iter().map(|place| place + shifts.0).peekable();
    let mut rights = right.places.iter().map(|place| place + shifts.1).peekable();
    let mut merged = Vec::new();
    loop {
        let next_left = lefts.peek().copied();
        let next_right = rights.peek().copied();
        let (place, is_left, is_right) = match (next_left, next_right) {
            (Some(left), Some(right)) => (left.min(right), left <= right, right <= left),
            (Some(left), None) => (left, true, false),
            (None, Some(right)) => (right, false, true),
            (None, None) => return merged,
        };
        let is_kept = match (is_left, is_right) {
            (true, true) => keep.both,
            (true, false) => keep.left_only,
            _ => keep.right_only,
        };
        if is_kept {
            merged.push(place);
        }
        lefts.next_if(|_| is_left);
        rights.next_if(|_| is_right);
    }
}

impl Evidence for Document {
    fn occurs(&self, term: &TextTerm) -> bool {
        if term.is_prefix {
            self.with_prefix(&term.lexeme).any(|lexeme| is_weight_accepted(term, lexeme))
        } else {
            self.find(&term.lexeme).is_some_and(|lexeme| is_weight_accepted(term, lexeme))
        }
    }

    fn places(&self, term: &TextTerm) -> Found {
        let mut places = Vec::new();
        let mut add = |lexeme: Lexeme<'_>| {
            let accepted = lexeme.positions.iter().filter(|p| term.accepts(p.weight() as u8));
            places.extend(accepted.map(|position| u32::from(position.place())));
            !lexeme.positions.is_empty()
        };
        let all_placed = if term.is_prefix {
            let placed = self.with_prefix(&term.lexeme).all(&mut add);
            places.sort_unstable();
            places.dedup();
            placed
        } else {
            self.find(&term.lexeme).is_none_or(add)
        };
        if all_placed { found(Places { places, ..Places::default() }) } else { Found::Somewhere }
    }
}

/// A lexeme without positions has no weights either; Postgres lets it satisfy any.
fn is_weight_accepted(term: &TextTerm, lexeme: Lexeme<'_>) -> bool {
    term.weights == 0
        || lexeme.positions.is_empty()
        || lexeme.positions.iter().any(|position| term.accepts(position.weight() as u8))
}
