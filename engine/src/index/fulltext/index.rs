//! The index: its components, and how they come and go.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ahash::AHashMap;
use arc_swap::ArcSwap;
use bytes::Bytes;
use parking_lot::Mutex;

use super::document::Document;
use super::manifest::{Manifest, SEGMENT_EXTENSION, segment_path};
use super::narrow;
use super::policy::{self, Size};
use super::query::TextQuery;
use super::search::{Give, Search};
use super::segment::{self, Ended, Segment};
use super::signature::Signature;
use super::state::{Part, State};
use crate::env::Env;
use crate::error::{Error, Result};
use crate::index::DerivedIndex;
use crate::timestamp::Timestamp;

/// Lines that `verify` reports at most.
const REPORT_LEN_MAX: usize = 100;

/// A full-text index.
pub struct FullTextIndex {
    env: Env,
    dir: PathBuf,
    state: ArcSwap<State>,
    /// Held while the delta gains a change and while the state is replaced, so that no change
    /// goes to a delta that is about to be replaced.
    swap: Mutex<()>,
    next_id: AtomicU64,
    oldest: AtomicU64,
}

impl FullTextIndex {
    /// Opens the index in `dir`. Without a directory it is empty, at watermark 0; the first seal
    /// creates it.
    ///
    /// # Errors
    /// `Io`, `Corruption`, `Unusable` when it is from a newer format.
    pub fn open(env: &Env, dir: &Path) -> Result<Self> {
        let manifest = Manifest::load(env, dir)?;
        sweep(env, dir, &manifest)?;
        let mut parts = Vec::with_capacity(manifest.segments.len());
        for (id, ended) in manifest.segments {
            let segment = Segment::open(&*env.vfs, &segment_path(dir, id), id)?;
            parts.push(Part { segment: Arc::new(segment), ended: Arc::new(ended) });
        }
        let state = State { parts, delta: Arc::default(), watermark: manifest.watermark };
        Ok(Self {
            env: env.clone(),
            dir: dir.to_owned(),
            state: ArcSwap::from_pointee(state),
            swap: Mutex::new(()),
            next_id: AtomicU64::new(manifest.next_id),
            oldest: AtomicU64::new(0),
        })
    }

    /// Every row that the snapshot sees and that matches, once each, in no order. `None` when the
    /// query demands no word (`!a`): the index cannot help and every row has to be looked at.
    pub fn search(&self, query: &TextQuery, snapshot: Timestamp, give: Give) -> Option<Search> {
        Search::new(self.state.load_full(), query, snapshot, give)
    }

    /// About how many rows match, in some microseconds; `None` when the index cannot help.
    pub fn estimate(&self, query: &TextQuery) -> Option<usize> {
        let terms = narrow::terms(query);
        let narrowed = narrow::narrow(query, &terms)?;
        let state = self.state.load();
        let delta = state.delta.read();
        let count = |term| {
            // A damaged file is reported by the search itself.
            let parts = state.parts.iter();
            let sealed: usize = parts.map(|p| p.segment.estimate(term).unwrap_or(0)).sum();
            sealed + delta.estimate(term)
        };
        let counts: Vec<usize> = terms.iter().map(count).collect();
        Some(narrowed.estimate(&counts).min(state_len(&state) + delta.doc_count()))
    }

    /// About how many rows there are.
    pub fn row_count(&self) -> usize {
        let state = self.state.load();
        let recent = state.delta.read().doc_count();
        state_len(&state) + recent
    }

    /// How many segments there are, and their bytes.
    pub fn segments(&self) -> (usize, u64) {
        let state = self.state.load();
        let len = state.parts.iter().map(|part| part.segment.len() as u64).sum();
        (state.parts.len(), len)
    }

    fn oldest(&self) -> Timestamp {
        Timestamp(self.oldest.load(Ordering::Acquire))
    }

    /// Writes a segment file and makes it and its name durable.
    fn write_segment(&self, bytes: &[u8], ended: Ended) -> Result<Part> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let path = segment_path(&self.dir, id);
        let vfs = &*self.env.vfs;
        let file = vfs.create(&path).map_err(|error| Error::io("create", &path, error))?;
        file.write_at(0, bytes).map_err(|error| Error::io("write", &path, error))?;
        file.sync().map_err(|error| Error::io("sync", &path, error))?;
        drop(file);
        vfs.sync_dir(&self.dir).map_err(|error| Error::io("sync directory", &self.dir, error))?;
        let segment = Arc::new(Segment::open(vfs, &path, id)?);
        Ok(Part { segment, ended: Arc::new(ended) })
    }

    fn create_dir(&self) -> Result<()> {
        let vfs = &*self.env.vfs;
        vfs.create_dir_all(&self.dir).map_err(|error| Error::io("create", &self.dir, error))?;
        let parent = self.dir.parent().unwrap_or(Path::new("."));
        vfs.sync_dir(parent).map_err(|error| Error::io("sync directory", parent, error))
    }

    fn manifest(&self, parts: &[Part], watermark: Timestamp) -> Manifest {
        let next_id = self.next_id.load(Ordering::Relaxed);
        let named = |part: &Part| (part.segment.id, Ended::clone(&part.ended));
        Manifest { watermark, next_id, segments: parts.iter().map(named).collect() }
    }

    /// Puts another set of segments in place; `upto`: the delta gives up its changes up to there.
    fn replace(&self, parts: Vec<Part>, upto: Option<Timestamp>) {
        let _guard = self.swap.lock();
        let before = self.state.load();
        let state = match upto {
            Some(watermark) => {
                State { parts, delta: Arc::new(before.delta.rest(watermark)), watermark }
            }
            None => State { parts, delta: Arc::clone(&before.delta), watermark: before.watermark },
        };
        self.state.store(Arc::new(state));
    }

    /// What a search sees: the signature of every row's document.
    fn signatures(
        &self,
        snapshot: Timestamp,
        report: &mut Vec<String>,
    ) -> Result<AHashMap<Bytes, Signature>> {
        let state = self.state.load_full();
        let delta = state.delta.read();
        let mut indexed = AHashMap::new();
        let mut add = |key: Bytes, signature: Signature| {
            if indexed.insert(key.clone(), signature).is_some() {
                report.push(format!("row is indexed twice key={key:?}"));
            }
        };
        for part in &state.parts {
            for (doc, signature) in (0u32..).zip(part.segment.signatures()?) {
                let key = part.segment.row_key(doc)?;
                let is_visible = part.segment.begin(doc)? <= snapshot
                    && part.end(doc) > snapshot
                    && !delta.is_changed(&key, snapshot);
                if is_visible {
                    add(key, signature);
                }
            }
        }
        for (key, document) in delta.visible(snapshot) {
            add(key.clone(), Signature::of(document));
        }
        Ok(indexed)
    }
}

fn state_len(state: &State) -> usize {
    state.parts.iter().map(|part| part.segment.doc_count() as usize - part.ended.len()).sum()
}

/// `parts` with the ends that these changes bring about.
fn ended_by(parts: &[Part], changes: &[(Bytes, Timestamp)]) -> Result<Vec<Part>> {
    let mut after = Vec::with_capacity(parts.len());
    for part in parts {
        let mut ended = Ended::clone(&part.ended);
        for (row_key, end) in changes {
            for doc in part.segment.docs_of(row_key)? {
                ended.entry(doc).or_insert(*end);
            }
        }
        let ended =
            if ended.len() == part.ended.len() { part.ended.clone() } else { Arc::new(ended) };
        after.push(Part { segment: Arc::clone(&part.segment), ended });
    }
    Ok(after)
}

fn size_of(part: &Part, oldest: Timestamp) -> Size {
    let droppable = part.ended.values().filter(|end| **end <= oldest).count() as u32;
    Size { len: part.segment.len(), docs: part.segment.doc_count(), droppable }
}

/// Reads the manifest of `dir` and every segment that it names from end to end; `Ok` counts the
/// segments that are good.
pub(in crate::index) fn check_files(env: &Env, dir: &Path) -> Vec<Result<usize>> {
    let segments = match Manifest::load(env, dir) {
        Ok(manifest) => manifest.segments,
        Err(error) => return vec![Err(error)],
    };
    let check = |(id, _): &(u64, Ended)| {
        Segment::open(&*env.vfs, &segment_path(dir, *id), *id)?.check().map(|()| 1)
    };
    segments.iter().map(check).collect()
}

/// Removes what a crash left behind: segments that the manifest does not name, half-written files.
fn sweep(env: &Env, dir: &Path, manifest: &Manifest) -> Result<()> {
    let exists = env.vfs.exists(dir).map_err(|error| Error::io("look for", dir, error))?;
    if !exists {
        return Ok(());
    }
    let live: Vec<PathBuf> =
        manifest.segments.iter().map(|(id, _)| segment_path(dir, *id)).collect();
    let names = env.vfs.list(dir).map_err(|error| Error::io("list", dir, error))?;
    for path in names.into_iter().map(|name| dir.join(name)) {
        let is_ours =
            path.extension().is_some_and(|ending| ending == SEGMENT_EXTENSION || ending == "tmp");
        if is_ours && !live.contains(&path) {
            env.vfs.remove(&path).map_err(|error| Error::io("remove", &path, error))?;
        }
    }
    Ok(())
}

impl DerivedIndex for FullTextIndex {
    fn apply(&self, ts: Timestamp, row_key: &[u8], entry: Option<&Bytes>) {
        // Decoded before the lock; a document that cannot be decoded is none.
        let document = entry.and_then(|entry| Document::decode(entry.clone()));
        let row_key = Bytes::copy_from_slice(row_key);
        let _guard = self.swap.lock();
        let state = self.state.load();
        if ts > state.watermark {
            state.delta.apply(ts, row_key, document);
        }
    }

    fn watermark(&self) -> Timestamp {
        self.state.load().watermark
    }

    fn delta_len(&self) -> usize {
        self.state.load().delta.read().len()
    }

    fn seal(&self, upto: Timestamp) -> Result<()> {
        let before = self.state.load_full();
        if upto <= before.watermark {
            return Ok(());
        }
        let (versions, changes) = {
            let delta = before.delta.read();
            (delta.sealed(upto, self.oldest()), delta.first_changes(upto))
        };
        let mut parts = before.parts.clone();
        if !changes.is_empty() {
            self.create_dir()?;
            parts = ended_by(&parts, &changes)?;
            if !versions.is_empty() {
                let (bytes, ended) = segment::build(&versions)?;
                parts.push(self.write_segment(&bytes, ended)?);
            }
            self.manifest(&parts, upto).store(&self.env, &self.dir)?;
        }
        self.replace(parts, Some(upto));
        Ok(())
    }

    fn merge(&self) -> Result<bool> {
        let before = self.state.load_full();
        let oldest = self.oldest();
        let sizes: Vec<Size> = before.parts.iter().map(|part| size_of(part, oldest)).collect();
        let Some(run) = policy::choose(&sizes) else { return Ok(false) };
        let old = before.parts.get(run.clone()).unwrap_or_default();
        let inputs: Vec<_> = old.iter().map(|part| (&*part.segment, &*part.ended)).collect();
        let merged = match segment::merge(&inputs, oldest)? {
            Some((bytes, ended)) => Some(self.write_segment(&bytes, ended)?),
            None => None,
        };
        let mut parts = before.parts.clone();
        parts.splice(run.clone(), merged);
        self.manifest(&parts, before.watermark).store(&self.env, &self.dir)?;
        self.replace(parts, None);
        for part in old {
            // Searches that still read it have it mapped; a name that stays is swept on open.
            let _ = self.env.vfs.remove(&segment_path(&self.dir, part.segment.id));
        }
        Ok(true)
    }

    fn set_oldest_snapshot(&self, ts: Timestamp) {
        self.oldest.fetch_max(ts.0, Ordering::AcqRel);
    }

    fn checkpoint(&self, dir: &Path) -> Result<()> {
        let vfs = &*self.env.vfs;
        let state = self.state.load_full();
        vfs.create_dir_all(dir).map_err(|error| Error::io("create", dir, error))?;
        for part in &state.parts {
            let id = part.segment.id;
            let (from, to) = (segment_path(&self.dir, id), segment_path(dir, id));
            vfs.hard_link(&from, &to).map_err(|error| Error::io("link", &to, error))?;
        }
        self.manifest(&state.parts, state.watermark).store(&self.env, dir)
    }

    fn verify(
        &self,
        snapshot: Timestamp,
        entries: &mut dyn Iterator<Item = Result<(Bytes, Bytes)>>,
    ) -> Result<Vec<String>> {
        let mut report = Vec::new();
        for part in &self.state.load().parts {
            report.extend(part.segment.check().err().map(|error| error.message().to_owned()));
        }
        if !report.is_empty() {
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
}
