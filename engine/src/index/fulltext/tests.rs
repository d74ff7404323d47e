//! The index against a model: random documents, changes, seals, merges, reopenings and snapshots.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::env::{Env, MemoryFs};
use crate::error::Result;
use crate::index::{DerivedIndex, RowKeySet};
use crate::timestamp::Timestamp;

const DIR: &str = "/data/index-7";
const WORDS: [&str; 12] = ["a", "ab", "abc", "b", "ba", "c", "ca", "cab", "d", "e", "zebra", "éa"];

/// Every row's documents, by commit.
type Model = BTreeMap<Bytes, BTreeMap<u64, Option<Document>>>;

fn random_document(rng: &mut StdRng) -> Document {
    let mut builder = DocumentBuilder::default();
    for word in WORDS {
        if rng.random_bool(0.3) {
            let count = rng.random_range(0..4);
            let mut places: Vec<u32> = (0..count).map(|_| rng.random_range(1..9)).collect();
            places.sort_unstable();
            places.dedup();
            let weighted = |place| Position::new(place, Weight::from_bits(rng.random()));
            builder.push(word, places.into_iter().map(weighted).collect::<Vec<_>>());
        }
    }
    builder.finish()
}

fn random_query(rng: &mut StdRng, depth: u32) -> TextQuery {
    if depth == 0 || rng.random_bool(0.3) {
        let lexeme = WORDS[rng.random_range(0..WORDS.len())].into();
        let weights = if rng.random_bool(0.2) { rng.random_range(1..16) } else { 0 };
        return TextQuery::Term(TextTerm { lexeme, is_prefix: rng.random_bool(0.3), weights });
    }
    let mut child = || Box::new(random_query(rng, depth - 1));
    let (left, right) = (child(), child());
    match rng.random_range(0..6) {
        0 | 1 => TextQuery::And(left, right),
        2 | 3 => TextQuery::Or(left, right),
        4 => TextQuery::Not(left),
        _ => TextQuery::Phrase(left, right, rng.random_range(0..3)),
    }
}

fn visible(model: &Model, snapshot: u64) -> impl Iterator<Item = (&Bytes, &Document)> {
    model.iter().filter_map(move |(key, versions)| {
        let (_, document) = versions.range(..=snapshot).next_back()?;
        Some((key, document.as_ref()?))
    })
}

/// What a search finds: row keys and documents.
fn all(mut search: Search) -> Vec<(Bytes, Document)> {
    let hits: Vec<Hit> = search.by_ref().collect::<Result<_>>().unwrap();
    hits.into_iter().map(|hit| (search.row_key(&hit.row).unwrap(), hit.document)).collect()
}

/// A search among every second row finds these.
fn check_search_among(
    index: &FullTextIndex,
    query: &TextQuery,
    snapshot: u64,
    expected: &[&Bytes],
) {
    let mut among = RowKeySet::default();
    let wanted: Vec<&Bytes> = expected.iter().step_by(2).copied().collect();
    wanted.iter().for_each(|key| among.insert(key));
    let search = index.search(query, Timestamp(snapshot), Give::RowKeysAmong(among)).unwrap();
    let hits = all(search);
    let mut found: Vec<&Bytes> = hits.iter().map(|(row_key, _)| row_key).collect();
    found.sort();
    assert_eq!(found, wanted, "{query:?} at {snapshot}");
}

fn check_search(index: &FullTextIndex, model: &Model, query: &TextQuery, snapshot: u64) {
    let Some(search) = index.search(query, Timestamp(snapshot), Give::Documents) else { return };
    let hits = all(search);
    let mut found: Vec<&Bytes> = hits.iter().map(|(row_key, _)| row_key).collect();
    found.sort();
    let expected: Vec<&Bytes> = visible(model, snapshot)
        .filter(|(_, document)| matching::matches(query, *document))
        .map(|(key, _)| key)
        .collect();
    assert_eq!(found, expected, "{query:?} at {snapshot}");
    check_search_among(index, query, snapshot, &expected);
    for (row_key, document) in &hits {
        let (_, whole) = visible(model, snapshot).find(|(key, _)| *key == row_key).unwrap();
        assert_eq!(document.whole_len(), whole.len());
        assert_eq!(document.whole_position_count(), whole.whole_position_count());
        for term in query.terms() {
            let positions = |document: &Document| -> Vec<(String, Vec<Position>)> {
                let lexemes = document.iter().filter(|lexeme| term.covers(lexeme.text));
                lexemes.map(|l| (l.text.to_owned(), l.positions.iter().collect())).collect()
            };
            assert_eq!(positions(document), positions(whole), "{query:?}");
        }
    }
}

fn check_verify(index: &FullTextIndex, model: &Model, now: u64) {
    let entries: Vec<_> = visible(model, now)
        .map(|(key, document)| Ok((key.clone(), document.encoded().clone())))
        .collect();
    let report = index.verify(Timestamp(now), &mut entries.into_iter()).unwrap();
    assert_eq!(report, Vec::<String>::new());
}

struct Run {
    env: Env,
    index: FullTextIndex,
    model: Model,
    now: u64,
    oldest: u64,
}

impl Run {
    fn new() -> Self {
        let env = Env::memory();
        let index = FullTextIndex::open(&env, Path::new(DIR)).unwrap();
        Self { env, index, model: Model::new(), now: 0, oldest: 0 }
    }

    fn change(&mut self, rng: &mut StdRng) {
        self.now += 1;
        for _ in 0..rng.random_range(1..4) {
            let key = Bytes::from(format!("row{}", rng.random_range(0..40)));
            let document = rng.random_bool(0.8).then(|| random_document(rng));
            let versions = self.model.entry(key.clone()).or_default();
            if versions.contains_key(&self.now) {
                continue;
            }
            versions.insert(self.now, document.clone());
            let entry = document.map(|document| document.encoded().clone());
            self.index.apply(Timestamp(self.now), &key, entry.as_ref());
        }
    }

    /// Closes the index and opens it again, as after a crash: only rows know what the delta knew.
    fn reopen(&mut self) {
        self.index = FullTextIndex::open(&self.env, Path::new(DIR)).unwrap();
        let watermark = self.index.life().watermark().0;
        let mut entries = Vec::new();
        for (key, versions) in &self.model {
            entries.extend(versions.range(watermark + 1..).map(|(ts, doc)| (*ts, key, doc)));
        }
        entries.sort_by_key(|(ts, key, _)| (*ts, *key));
        for (ts, key, document) in entries {
            let entry = document.as_ref().map(|document| document.encoded().clone());
            self.index.apply(Timestamp(ts), key, entry.as_ref());
        }
        self.index.life().set_oldest_snapshot(Timestamp(self.oldest));
    }

    fn step(&mut self, rng: &mut StdRng) {
        match rng.random_range(0..100) {
            0..70 => self.change(rng),
            70..78 => {
                let upto = rng.random_range(self.oldest..=self.now);
                self.index.life().seal(Timestamp(upto)).unwrap();
            }
            78..86 => drop(self.index.life().merge(false).unwrap()),
            86..90 => {
                self.oldest = rng.random_range(self.oldest..=self.now);
                self.index.life().set_oldest_snapshot(Timestamp(self.oldest));
            }
            90..93 => self.reopen(),
            93..95 => check_verify(&self.index, &self.model, self.now),
            _ => {
                let query = random_query(rng, 3);
                let snapshot = rng.random_range(self.oldest..=self.now);
                check_search(&self.index, &self.model, &query, snapshot);
                check_search(&self.index, &self.model, &query, self.now);
            }
        }
    }
}

#[test]
fn agrees_with_a_model() {
    for seed in 0..12 {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut run = Run::new();
        for _ in 0..600 {
            run.step(&mut rng);
        }
        while run.index.life().merge(false).unwrap() {}
        check_verify(&run.index, &run.model, run.now);
    }
}

#[test]
fn a_checkpoint_is_an_index_of_its_own() {
    let mut rng = StdRng::seed_from_u64(5);
    let mut run = Run::new();
    (0..50).for_each(|_| run.change(&mut rng));
    run.index.life().seal(Timestamp(run.now)).unwrap();
    run.index.life().checkpoint(Path::new("/copy/index-7")).unwrap();
    let copy = FullTextIndex::open(&run.env, Path::new("/copy/index-7")).unwrap();
    check_verify(&copy, &run.model, run.now);
}

#[test]
fn damage_is_reported_and_never_searched() {
    let files = std::sync::Arc::new(MemoryFs::default());
    let env = Env::with_files(files.clone());
    let index = FullTextIndex::open(&env, Path::new(DIR)).unwrap();
    let mut rng = StdRng::seed_from_u64(1);
    for ts in 1..40 {
        let entry = random_document(&mut rng).encoded().clone();
        index.apply(Timestamp(ts), format!("{ts}").as_bytes(), Some(&entry));
    }
    index.life().seal(Timestamp(40)).unwrap();
    let path = Path::new(DIR).join("000001.fts");
    let len = env.vfs.map(&path).unwrap().len();
    let query = random_query(&mut rng, 0);
    for offset in (0..len).step_by(7) {
        files.corrupt(&path, offset, 0x20);
        if let Ok(damaged) = FullTextIndex::open(&env, Path::new(DIR)) {
            let mut search = damaged.search(&query, Timestamp(40), Give::Documents).unwrap();
            assert!(search.any(|hit| hit.is_err()), "offset {offset}");
            let report = damaged.verify(Timestamp(40), &mut std::iter::empty()).unwrap();
            assert!(!report.is_empty());
        }
        files.corrupt(&path, offset, 0x20);
    }
}

#[test]
fn estimates_are_document_counts() {
    let mut rng = StdRng::seed_from_u64(9);
    let mut run = Run::new();
    (0..60).for_each(|_| run.change(&mut rng));
    let term = |lexeme: &str| TextQuery::Term(TextTerm::new(lexeme));
    let before = run.index.estimate(&term("abc")).unwrap();
    run.index.life().seal(Timestamp(run.now)).unwrap();
    assert!(before > 0 && run.index.estimate(&term("abc")).unwrap() > 0);
    assert_eq!(run.index.estimate(&term("nothing")), Some(0));
    assert_eq!(run.index.estimate(&TextQuery::Not(Box::new(term("a")))), None);
}
