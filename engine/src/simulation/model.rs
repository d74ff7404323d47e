//! What the database should hold: every commit, in order.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::tables::{Table, Write};
use crate::keyspace::{KeyRange, Space};

/// What one commit did.
#[derive(Clone, Default)]
pub(super) struct Commit {
    pub ts: u64,
    pub writes: Vec<Write>,
    /// A snapshot that it named, and what that reads at; `None`: a name that it gave up.
    pub name: Option<(String, Option<u64>)>,
}

/// What the power cut short: it came about as a whole or not at all.
#[derive(Clone)]
pub(super) enum Unsure {
    Commit(Commit),
    Drop(KeyRange),
}

#[derive(Clone, Default)]
pub(super) struct Model {
    commits: Vec<Arc<Commit>>,
    /// Tables that are written to.
    pub tables: Vec<Table>,
    pub unsure: Option<Unsure>,
    /// Somebody was told, or may have been, that commits up to here are durable.
    pub acked: u64,
}

/// The keys that the model knows: what the application stores. Entries of derived indexes follow
/// from them.
pub(super) fn modelled() -> KeyRange {
    KeyRange { start: vec![Space::Meta as u8], end: Some(vec![Space::Text as u8]) }
}

impl Model {
    /// The newest commit.
    pub fn last(&self) -> u64 {
        self.commits.last().map_or(0, |commit| commit.ts)
    }

    pub fn push(&mut self, mut commit: Commit) {
        assert!(commit.ts > self.last(), "commits come in order");
        let modelled = modelled();
        commit.writes.retain(|(key, _)| modelled.contains(key));
        self.commits.push(Arc::new(commit));
    }

    /// Everything so far is durable.
    pub fn ack(&mut self) {
        self.acked = self.acked.max(self.last());
    }

    /// Keys and values as of a timestamp.
    pub fn at(&self, ts: u64) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let mut rows = BTreeMap::new();
        for commit in self.commits.iter().take_while(|commit| commit.ts <= ts) {
            for (key, value) in &commit.writes {
                match value {
                    Some(value) => rows.insert(key.clone(), value.clone()),
                    None => rows.remove(key),
                };
            }
        }
        rows
    }

    /// The newest commit that wrote a key.
    pub fn changed(&self, key: &[u8]) -> u64 {
        let wrote = |commit: &&Arc<Commit>| commit.writes.iter().any(|(wrote, _)| wrote == key);
        self.commits.iter().rev().find(wrote).map_or(0, |commit| commit.ts)
    }

    /// Snapshots with a name, and what they read at.
    pub fn names(&self) -> BTreeMap<String, u64> {
        let mut names = BTreeMap::new();
        for (name, ts) in self.commits.iter().filter_map(|commit| commit.name.as_ref()) {
            match ts {
                Some(ts) => names.insert(name.clone(), *ts),
                None => names.remove(name),
            };
        }
        names
    }

    /// Everything in a range is gone, for all snapshots.
    pub fn forget(&mut self, range: &KeyRange) {
        for commit in &mut self.commits {
            if commit.writes.iter().any(|(key, _)| range.contains(key)) {
                Arc::make_mut(commit).writes.retain(|(key, _)| !range.contains(key));
            }
        }
    }

    /// Only commits up to `recovered` came back. Returns what may have come back: one model, or two
    /// when something was cut short.
    pub fn recovered(mut self, recovered: u64) -> Vec<Self> {
        assert!(recovered >= self.acked, "lost {recovered}..{}", self.acked);
        // A load may have left the mark of its time and nothing else.
        let last = self.last().max(self.acked);
        self.commits.retain(|commit| commit.ts <= recovered);
        self.acked = recovered;
        let Some(unsure) = self.unsure.take() else {
            assert!(recovered <= last, "a commit that nobody made: {recovered} after {last}");
            return vec![self];
        };
        let mut with = self.clone();
        match unsure {
            Unsure::Commit(commit) if recovered > last => {
                with.push(Commit { ts: recovered, ..commit });
            }
            Unsure::Commit(_) => return vec![self],
            Unsure::Drop(range) => with.forget(&range),
        }
        vec![with, self]
    }
}
