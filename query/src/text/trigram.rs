//! Trigrams: three characters in a row of a word, as `pg_trgm` takes them.
//!
//! A word is a run of letters and digits, in lower case, with two blanks before it and one behind.
//! Two texts are as similar as the trigrams that they share are many among all that they have.

use std::collections::BTreeSet;

/// Three characters.
pub type Trigram = [char; 3];

/// The trigrams of a text as they follow each other, and whether each begins or ends a word.
struct Sequence {
    trigrams: Vec<Trigram>,
    begins: Vec<bool>,
    ends: Vec<bool>,
}

impl Sequence {
    fn of(text: &str) -> Self {
        let mut all = Self { trigrams: Vec::new(), begins: Vec::new(), ends: Vec::new() };
        let lower = text.to_lowercase();
        let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        for word in words {
            let padded: Vec<char> = "  ".chars().chain(word.chars()).chain([' ']).collect();
            let count = padded.len() - 2;
            for (at, window) in padded.windows(3).enumerate() {
                all.trigrams.push([window[0], window[1], window[2]]);
                all.begins.push(at == 0);
                all.ends.push(at + 1 == count);
            }
        }
        all
    }
}

/// The distinct trigrams of a text, sorted.
pub fn trigrams(text: &str) -> BTreeSet<Trigram> {
    Sequence::of(text).trigrams.into_iter().collect()
}

/// The trigrams that every text matching a LIKE pattern has: those of its fixed parts.
pub fn required_by_like(pattern: &str) -> BTreeSet<Trigram> {
    let mut found = BTreeSet::new();
    for word in pattern_words(pattern) {
        found.extend(word.windows(3).map(|window| [window[0], window[1], window[2]]));
    }
    found
}

/// Runs of letters and digits in a pattern, with blanks where a word surely begins or ends.
fn pattern_words(pattern: &str) -> Vec<Vec<char>> {
    let mut words = Vec::new();
    let mut word: Vec<char> = Vec::new();
    let mut is_open = false;
    let mut chars = pattern.chars();
    loop {
        let (c, is_wild) = match chars.next() {
            Some('%' | '_') => (None, true),
            Some('\\') => (chars.next(), false),
            other => (other, false),
        };
        match c.filter(|c| c.is_alphanumeric()) {
            Some(c) => {
                if word.is_empty() && !is_open {
                    word.extend([' ', ' ']);
                }
                word.extend(c.to_lowercase());
                is_open = false;
            }
            None => {
                if !word.is_empty() && !is_wild {
                    word.push(' ');
                }
                words.push(std::mem::take(&mut word));
                is_open = is_wild;
                if c.is_none() && !is_wild {
                    return words;
                }
            }
        }
    }
}

/// How similar two texts are, from 0 to 1.
pub fn similarity(left: &str, right: &str) -> f32 {
    let (left, right) = (trigrams(left), trigrams(right));
    share(left.intersection(&right).count(), left.len(), right.len())
}

fn share(common: usize, left: usize, right: usize) -> f32 {
    let all = left + right - common;
    if all == 0 { 0.0 } else { common as f32 / all as f32 }
}

/// How similar a text is to the most similar run of trigrams in another. A strict run begins and
/// ends with words.
pub fn word_similarity(words: &str, text: &str, is_strict: bool) -> f32 {
    let sought = trigrams(words);
    let text = Sequence::of(text);
    let mut search = Search::new(&sought, &text, is_strict);
    (0..text.trigrams.len()).map(|at| search.step(at)).fold(0.0, f32::max)
}

/// A run of trigrams that grows at its end and is cut at its start where that makes it better.
struct Search<'a> {
    sought_count: usize,
    text: &'a Sequence,
    is_strict: bool,
    /// Each trigram of the text as a number, equal ones by the same.
    numbers: Vec<usize>,
    /// By number: whether the trigram is sought.
    is_sought: Vec<bool>,
    /// By number: where it was last seen in the run.
    last: Vec<Option<usize>>,
    start: Option<usize>,
    distinct: usize,
    common: usize,
}

impl<'a> Search<'a> {
    fn new(sought: &BTreeSet<Trigram>, text: &'a Sequence, is_strict: bool) -> Self {
        let distinct: BTreeSet<Trigram> = text.trigrams.iter().copied().collect();
        let known: Vec<Trigram> = distinct.into_iter().collect();
        let number = |trigram| known.binary_search(trigram).unwrap_or(0);
        Self {
            sought_count: sought.len(),
            text,
            is_strict,
            numbers: text.trigrams.iter().map(number).collect(),
            is_sought: known.iter().map(|trigram| sought.contains(trigram)).collect(),
            last: vec![None; known.len()],
            start: is_strict.then_some(0),
            distinct: 0,
            common: 0,
        }
    }

    /// Takes the next trigram into the run; answers how similar the best run that ends with it is.
    fn step(&mut self, at: usize) -> f32 {
        let number = self.numbers[at];
        let is_sought = self.is_sought[number];
        if self.start.is_some() || is_sought {
            if self.last[number].is_none() {
                self.distinct += 1;
                self.common += usize::from(is_sought);
            }
            self.last[number] = Some(at);
        }
        let may_end = if self.is_strict { self.text.ends[at] } else { is_sought };
        if may_end { self.cut(at) } else { 0.0 }
    }

    /// Moves the start of the run that ends here to where it is most similar.
    fn cut(&mut self, end: usize) -> f32 {
        let before = *self.start.get_or_insert_with(|| {
            self.distinct = 1;
            end
        });
        let mut best = share(self.common, self.sought_count, self.distinct);
        let (mut distinct, mut common, mut start) = (self.distinct, self.common, before);
        for at in before..=end {
            if !self.is_strict || self.text.begins[at] {
                let here = share(common, self.sought_count, distinct);
                if here > best {
                    (best, start) = (here, at);
                    (self.distinct, self.common) = (distinct, common);
                }
            }
            let number = self.numbers[at];
            if self.last[number] == Some(at) {
                distinct -= 1;
                common -= usize::from(self.is_sought[number]);
            }
        }
        for at in before..start {
            let number = self.numbers[at];
            if self.last[number] == Some(at) {
                self.last[number] = None;
            }
        }
        self.start = Some(start);
        best
    }
}

/// The trigrams as `show_trgm` prints them.
pub fn shown(text: &str) -> Vec<String> {
    trigrams(text).iter().map(|trigram| trigram.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similarity_is_as_in_postgres() {
        assert_eq!(shown("cat"), ["  c", " ca", "at ", "cat"]);
        assert_eq!(similarity("word", "two words"), 0.363_636_37);
        assert_eq!(similarity("", "x"), 0.0);
        assert_eq!(word_similarity("word", "two words", false), 0.8);
        assert_eq!(word_similarity("word", "two words", true), 0.571_428_6);
        assert_eq!(word_similarity("ipone", "iPhone 15 Pro", false), 0.444_444_45);
    }

    #[test]
    fn patterns_need_the_trigrams_of_their_fixed_parts() {
        let needed = |pattern| -> Vec<String> {
            required_by_like(pattern).iter().map(|trigram| trigram.iter().collect()).collect()
        };
        assert_eq!(needed("%abcd%"), ["abc", "bcd"]);
        assert_eq!(needed("ab%"), ["  a", " ab"]);
        assert_eq!(needed("%ab"), ["ab "]);
        assert_eq!(needed("x"), ["  x", " x "]);
        assert_eq!(needed("a_b-c\\%%"), ["  a", "  c", " c "]);
        assert_eq!(needed("%_"), Vec::<String>::new());
    }
}
