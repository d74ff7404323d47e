//! `ts_rank_cd`: cover density ranking (Clarke, Cormack and Tudhope, "Relevance Ranking for One to
//! Three Term Queries", 1999).
//!
//! A cover is a shortest stretch of the document that satisfies the query; the rank is the sum of
//! the covers' densities.

use cairn_engine::index::fulltext::matching::{self, Evidence, Found, Places};
use cairn_engine::index::fulltext::{Document, Position, TextQuery, TextTerm};

use super::rank::{Normalization, for_each_lexeme, positions_of};
use super::{TsQuery, TsVector};

/// `ts_rank_cd(weights, vector, query, normalization)`
pub fn rank_cover_density(
    weights: &[f32; 4],
    vector: &TsVector,
    query: &TsQuery,
    normalization: Normalization,
) -> f32 {
    let document = vector.document();
    let Some(root) = query.root() else { return 0.0 };
    let occurrences = occurrences(document, root);
    if occurrences.is_empty() {
        return 0.0;
    }
    let inverse = weights.map(|weight| 1.0 / f64::from(weight));
    let mut sums = Sums::default();
    let mut from = 0;
    while let Some(cover) = next_cover(root, &occurrences, &mut from) {
        sums.add(&cover, &occurrences, &inverse);
    }
    sums.rank(document, normalization)
}

/// One position that satisfies some terms of the query.
struct Occurrence<'q> {
    position: Position,
    /// Which lexeme of the document it is.
    lexeme: &'q str,
    terms: Vec<&'q TextTerm>,
}

impl Occurrence<'_> {
    fn place(&self) -> u32 {
        u32::from(self.position.place())
    }
}

/// All occurrences of the query's terms, by place, weight and lexeme.
fn occurrences<'q>(document: &'q Document, query: &'q TextQuery) -> Vec<Occurrence<'q>> {
    let mut found = Vec::new();
    for term in query.terms() {
        for_each_lexeme(document, term, |lexeme| {
            let accepted = positions_of(lexeme).filter(|p| term.accepts(p.weight() as u8));
            found.extend(accepted.map(|position| (position, lexeme.text, term)));
        });
    }
    found.sort_by_key(|(position, lexeme, _)| (position.place(), position.weight(), *lexeme));
    let mut occurrences: Vec<Occurrence<'q>> = Vec::with_capacity(found.len());
    for (position, lexeme, term) in found {
        match occurrences.last_mut() {
            Some(last) if last.position == position && last.lexeme == lexeme => {
                last.terms.push(term);
            }
            _ => occurrences.push(Occurrence { position, lexeme, terms: vec![term] }),
        }
    }
    occurrences
}

/// The terms met so far on a walk over the occurrences.
struct Walk<'q>(Vec<(&'q TextTerm, Vec<u32>)>);

impl<'q> Walk<'q> {
    fn take(&mut self, occurrence: &Occurrence<'q>) {
        let place = occurrence.place();
        for term in &occurrence.terms {
            match self.0.iter_mut().find(|(met, _)| met == term) {
                Some((_, places)) if places.contains(&place) => {}
                Some((_, places)) => places.push(place),
                None => self.0.push((term, vec![place])),
            }
        }
    }

    fn find(&self, term: &TextTerm) -> Option<&Vec<u32>> {
        self.0.iter().find(|(met, _)| *met == term).map(|(_, places)| places)
    }
}

impl Evidence for Walk<'_> {
    fn occurs(&self, term: &TextTerm) -> bool {
        self.find(term).is_some()
    }

    fn places(&self, term: &TextTerm) -> Found {
        let Some(places) = self.find(term) else { return Found::Nowhere };
        let mut places = places.clone();
        places.sort_unstable();
        Found::At(Places { places, ..Places::default() })
    }
}

/// A stretch of occurrences that satisfies the query; both ends belong to it.
struct Cover {
    begin: usize,
    end: usize,
}

/// The next cover at or after the occurrence `from`, which moves past its beginning.
fn next_cover(query: &TextQuery, found: &[Occurrence<'_>], from: &mut usize) -> Option<Cover> {
    loop {
        let mut walk = Walk(Vec::new());
        let end = (*from..found.len()).find(|index| {
            walk.take(&found[*index]);
            matching::matches(query, &walk)
        })?;
        // Postgres takes an occurrence at place 0 for none.
        if found[end].place() == 0 {
            return None;
        }
        let mut walk = Walk(Vec::new());
        let begin = (*from..=end).rev().find(|index| {
            walk.take(&found[*index]);
            matching::matches(query, &walk)
        });
        match begin {
            Some(begin) => {
                *from = begin + 1;
                return Some(Cover { begin, end });
            }
            None => *from += 1,
        }
    }
}

#[derive(Default)]
struct Sums {
    density: f64,
    inverse_distance: f64,
    previous_middle: f64,
    cover_count: u32,
}

impl Sums {
    fn add(&mut self, cover: &Cover, found: &[Occurrence<'_>], inverse: &[f64; 4]) {
        let inside = &found[cover.begin..=cover.end];
        let weight = |occurrence: &Occurrence<'_>| occurrence.position.weight() as usize & 3;
        let inverse_sum: f64 = inside.iter().map(|one| inverse[weight(one)]).sum();
        let strength = inside.len() as f64 / inverse_sum;
        let (first, last) = (found[cover.begin].place(), found[cover.end].place());
        let between = cover.end - cover.begin;
        // Past the last place all words stand in one: half the cover stands in for the noise.
        let noise = (last - first).checked_sub(between as u32).unwrap_or(between as u32 / 2);
        self.density += strength / f64::from(1 + noise);
        let middle = f64::from(first + last) / 2.0;
        if self.cover_count > 0 && middle > self.previous_middle {
            self.inverse_distance += 1.0 / (middle - self.previous_middle);
        }
        self.previous_middle = middle;
        self.cover_count += 1;
    }

    fn rank(&self, document: &Document, normalization: Normalization) -> f32 {
        let mut rank = self.density;
        let length = || document.whole_position_count() as f64;
        let unique = document.whole_len() as f64;
        if normalization.has(Normalization::LOG_LENGTH) {
            rank /= (length() + 1.0).ln();
        }
        if normalization.has(Normalization::LENGTH) {
            rank /= length();
        }
        if normalization.has(Normalization::EXTENT_DISTANCE) && self.inverse_distance > 0.0 {
            rank /= f64::from(self.cover_count) / self.inverse_distance;
        }
        if normalization.has(Normalization::UNIQUE) {
            rank /= unique;
        }
        if normalization.has(Normalization::LOG_UNIQUE) {
            rank /= (unique + 1.0).ln() / 2f64.ln();
        }
        if normalization.has(Normalization::SELF) {
            rank /= rank + 1.0;
        }
        rank as f32
    }
}
