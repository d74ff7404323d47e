//! The index: postings in each component, searched one after the other.

use std::path::Path;

use ahash::AHashMap;
use bytes::Bytes;

use super::delta::Delta;
use super::document::Document;
use super::narrow;
use super::query::{TextQuery, TextTerm};
use super::search::{Give, Search};
use super::segment::Segment;
use super::signature::Signature;
use crate::env::Env;
use crate::error::Result;
use crate::index::segmented::{self, Checked, Segment as _, Segmented};
use crate::index::{DerivedIndex, Entries, Life};
use crate::timestamp::Timestamp;

/// Lines that `verify` reports at most.
const REPORT_LEN_MAX: usize = 100;

/// A full-text index.
pub struct FullTextIndex {
    inner: Segmented<Segment, Delta>,
}

impl FullTextIndex {
    /// Opens the index in `dir`. Without a directory it is empty, at watermark 0; the first seal
    /// creates it.
    ///
    /// # Errors
    /// `Io`, `Corruption`, `Unusable` when it is from a newer format.
    pub fn open(env: &Env, dir: &Path) -> Result<Self> {
        Ok(Self { inner: Segmented::open(env, dir)? })
    }

    /// Every row that the snapshot sees and that matches, once each, in no order. `None` when the
    /// query demands no word (`!a`): the index cannot help and every row has to be looked at.
    pub fn search(&self, query: &TextQuery, snapshot: Timestamp, give: Give) -> Option<Search> {
        Search::new(self.inner.state(), query, snapshot, give)
    }

    /// About how many rows match, in some microseconds; `None` when the index cannot help.
    pub fn estimate(&self, query: &TextQuery) -> Option<usize> {
        let terms = narrow::terms(query);
        let narrowed = narrow::narrow(query, &terms)?;
        let state = self.inner.state();
        let sealed = |term: &TextTerm| -> usize {
            // A damaged file is reported by the search itself.
            state.parts.iter().map(|part| part.segment.estimate(term).unwrap_or(0)).sum()
        };
        // Before the delta is looked into: a segment may have to be read first.
        let mut counts: Vec<usize> = terms.iter().map(sealed).collect();
        let delta = state.delta.read();
        counts.iter_mut().zip(&terms).for_each(|(count, term)| *count += delta.estimate(term));
        Some(narrowed.estimate(&counts).min(state.item_count() + delta.doc_count()))
    }

    /// About how many rows there are.
    pub fn row_count(&self) -> usize {
        let state = self.inner.state();
        let recent = state.delta.read().doc_count();
        state.item_count() + recent
    }

    /// How many segments there are, and their bytes.
    pub fn segments(&self) -> (usize, u64) {
        self.inner.segments()
    }

    /// What a search sees: the signature of every row's document.
    fn signatures(
        &self,
        snapshot: Timestamp,
        report: &mut Vec<String>,
    ) -> Result<AHashMap<Bytes, Signature>> {
        let state = self.inner.state();
        let mut indexed = AHashMap::new();
        let mut add = |key: Bytes, signature: Signature| {
            if indexed.insert(key.clone(), signature).is_some() {
                report.push(format!("row is indexed twice key={key:?}"));
            }
        };
        for part in &state.parts {
            for (doc, signature) in (0u32..).zip(part.segment.signatures()?) {
                let key = part.segment.row_key(doc)?;
                let is_visible = part.is_visible(doc, part.segment.begin(doc)?, snapshot);
                if is_visible && !state.delta.read().is_changed(&key, snapshot) {
                    add(key, signature);
                }
            }
        }
        for (key, document) in state.delta.read().visible(snapshot) {
            add(key.clone(), Signature::of(document));
        }
        Ok(indexed)
    }
}

/// Whether the index in `dir` is of this kind.
///
/// # Errors
/// `Io`.
pub(in crate::index) fn is_here(env: &Env, dir: &Path) -> Result<bool> {
    segmented::is_kind(env, dir, Segment::KIND)
}

/// See [`segmented::check_files`].
///
/// # Errors
/// As there.
pub(in crate::index) fn check_files(env: &Env, dir: &Path) -> Result<Checked> {
    segmented::check_files::<Segment>(env, dir)
}

/// A document that cannot be decoded is none.
fn decode(entry: Option<&Bytes>) -> Option<Document> {
    entry.and_then(|entry| Document::decode(entry.clone()))
}

impl DerivedIndex for FullTextIndex {
    fn apply(&self, ts: Timestamp, row_key: &[u8], entry: Option<&Bytes>) {
        // Decoded before the lock.
        let (row_key, document) = (Bytes::copy_from_slice(row_key), decode(entry));
        self.inner.apply(ts, |delta| delta.apply(ts, row_key, document));
    }

    fn verify(
        &self,
        snapshot: Timestamp,
        entries: &mut dyn Iterator<Item = Result<(Bytes, Bytes)>>,
    ) -> Result<Vec<String>> {
        let mut report = self.inner.damages();
        if !report.is_empty() {
            report.truncate(REPORT_LEN_MAX);
            return Ok(report);
        }
        let mut indexed = self.signatures(snapshot, &mut report)?;
        for entry in entries {
            let (key, entry) = entry?;
            let found = indexed.remove(&key);
            match (Document::decode(entry), found) {
                (None, _) => report.push(format!("stored entry is no document key={key:?}")),
                (Some(_), None) => report.push(format!("row is not in the index key={key:?}")),
                (Some(document), Some(found)) if Signature::of(&document) != found => {
                    report.push(format!("row has another document in the index key={key:?}"));
                }
                _ => {}
            }
        }
        report.extend(indexed.keys().map(|key| format!("row is only in the index key={key:?}")));
        report.truncate(REPORT_LEN_MAX);
        Ok(report)
    }

    fn rebuild(&self, upto: Timestamp, entries: Entries<'_>) -> Result<()> {
        self.inner.rebuild(upto, entries, |delta, ts, row_key, entry| {
            delta.apply(ts, Bytes::copy_from_slice(row_key), decode(entry));
        })
    }

    fn life(&self) -> &dyn Life {
        &self.inner
    }
}
