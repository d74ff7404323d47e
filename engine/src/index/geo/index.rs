//! The index: its components, and how they come and go.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ahash::AHashMap;
use arc_swap::ArcSwap;
use bytes::Bytes;
use parking_lot::Mutex;

use super::Aabb;
use super::delta::Delta;
use super::manifest::{Manifest, segment_path};
use super::nearest::Nearest;
use super::policy;
use super::search::{self, Search};
use super::segment::{Change, Segment, Version, build};
use super::state::State;
use crate::env::Env;
use crate::error::{Error, Result};
use crate::index::DerivedIndex;
use crate::timestamp::Timestamp;

/// Lines that `verify` reports at most.
const REPORT_LEN_MAX: usize = 100;

/// An R-tree index.
pub struct GeoIndex {
    env: Env,
    dir: PathBuf,
    state: ArcSwap<State>,
    /// Held while the delta gains a change and while the state is replaced, so that no change
    /// goes to a delta that is about to be replaced.
    swap: Mutex<()>,
    next_id: AtomicU64,
    oldest: AtomicU64,
}

impl GeoIndex {
    /// Opens the index in `dir`. Without a directory it is empty, at watermark 0; the first seal
    /// creates it.
    ///
    /// # Errors
    /// `Io`, `Corruption`, `Unusable` when it is from a newer format.
    pub fn open(env: Env, dir: &Path) -> Result<Self> {
        let manifest = Manifest::load(&env, dir)?;
        let open = |id: &u64| Segment::open(&*env.vfs, &segment_path(dir, *id), *id).map(Arc::new);
        let segments = manifest.segments.iter().map(open).collect::<Result<Vec<_>>>()?;
        sweep(&env, dir, &manifest)?;
        let watermark = manifest.watermark;
        let state = State { segments, delta: Arc::default(), watermark };
        Ok(Self {
            env,
            dir: dir.to_owned(),
            state: ArcSwap::from_pointee(state),
            swap: Mutex::new(()),
            next_id: AtomicU64::new(manifest.next_id),
            oldest: AtomicU64::new(0),
        })
    }

    /// Every row that the snapshot sees and whose box meets `window`, once each, in no order.
    pub fn search(&self, window: &Aabb, snapshot: Timestamp) -> Search {
        Search::new(self.state.load_full(), *window, snapshot)
    }

    /// Every row that the snapshot sees, once each, by the distance of its box from `origin`.
    pub fn nearest(&self, origin: &Aabb, snapshot: Timestamp) -> Nearest {
        Nearest::new(self.state.load_full(), *origin, snapshot)
    }

    /// About how many rows [`GeoIndex::search`] would find, in some microseconds.
    pub fn estimate(&self, window: &Aabb) -> usize {
        // A damaged file is reported by the search itself.
        search::estimate(&self.state.load(), window).unwrap_or(0)
    }

    /// About how many rows there are.
    pub fn row_count(&self) -> usize {
        let state = self.state.load();
        let sealed: usize = state.segments.iter().map(|segment| segment.entry_count()).sum();
        sealed + state.delta.read().item_count()
    }

    /// How many segments there are, and their bytes.
    pub fn segments(&self) -> (usize, u64) {
        let state = self.state.load();
        let len = state.segments.iter().map(|segment| segment.len() as u64).sum();
        (state.segments.len(), len)
    }

    fn oldest(&self) -> Timestamp {
        Timestamp(self.oldest.load(Ordering::Acquire))
    }

    /// Writes a segment file and makes it and its name durable.
    fn write_segment(&self, versions: Vec<Version>, changes: Vec<Change>) -> Result<Segment> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let path = segment_path(&self.dir, id);
        let vfs = &*self.env.vfs;
        let bytes = build(versions, changes);
        let file = vfs.create(&path).map_err(|error| Error::io("create", &path, error))?;
        file.write_at(0, &bytes).map_err(|error| Error::io("write", &path, error))?;
        file.sync().map_err(|error| Error::io("sync", &path, error))?;
        drop(file);
        vfs.sync_dir(&self.dir).map_err(|error| Error::io("sync directory", &self.dir, error))?;
        Segment::open(vfs, &path, id)
    }

    fn create_dir(&self) -> Result<()> {
        let vfs = &*self.env.vfs;
        vfs.create_dir_all(&self.dir).map_err(|error| Error::io("create", &self.dir, error))?;
        let parent = self.dir.parent().unwrap_or(Path::new("."));
        vfs.sync_dir(parent).map_err(|error| Error::io("sync directory", parent, error))
    }

    fn manifest(&self, segments: &[Arc<Segment>], watermark: Timestamp) -> Manifest {
        Manifest {
            watermark,
            next_id: self.next_id.load(Ordering::Relaxed),
            segments: segments.iter().map(|segment| segment.id).collect(),
        }
    }

    /// What one segment in place of `run` holds. `is_oldest`: no component is older.
    fn merged(&self, run: &[Arc<Segment>], is_oldest: bool) -> Result<(Vec<Version>, Vec<Change>)> {
        let oldest = self.oldest();
        let mut versions = Vec::new();
        let mut first_changes: AHashMap<Bytes, Timestamp> = AHashMap::new();
        for (index, segment) in run.iter().enumerate() {
            let (older, changes) = segment.contents()?;
            for mut version in older {
                for newer in run.iter().skip(index + 1) {
                    if version.end < Timestamp::MAX {
                        break;
                    }
                    version.end = newer.first_change(&version.key)?.unwrap_or(Timestamp::MAX);
                }
                if version.end > oldest {
                    versions.push(version);
                }
            }
            if !is_oldest {
                for change in changes {
                    first_changes.entry(change.key).or_insert(change.first);
                }
            }
        }
        let changes = first_changes.into_iter().map(|(key, first)| Change { key, first });
        Ok((versions, changes.collect()))
    }

    /// Compares what a search sees with what should be seen; says where they differ.
    fn compare(
        &self,
        snapshot: Timestamp,
        entries: &mut dyn Iterator<Item = Result<(Bytes, Bytes)>>,
        report: &mut Vec<String>,
    ) -> Result<()> {
        let everywhere = Aabb { min: [f64::NEG_INFINITY; 3], max: [f64::INFINITY; 3] };
        let mut indexed: AHashMap<Bytes, Aabb> = AHashMap::new();
        for hit in self.search(&everywhere, snapshot) {
            let hit = hit?;
            if indexed.insert(hit.row_key.clone(), hit.bounds).is_some() {
                report.push(format!("row found twice key={:?}", hit.row_key));
            }
        }
        for entry in entries {
            let (key, entry) = entry?;
            let Some(stored) = Aabb::decode(&entry) else {
                report.push(format!("stored entry is no box key={key:?}"));
                continue;
            };
            match indexed.remove(&key) {
                None => report.push(format!("row is not in the index key={key:?}")),
                Some(found) if found != stored => report.push(format!(
                    "row has another box in the index key={key:?} stored={stored:?} found={found:?}"
                )),
                Some(_) => {}
            }
        }
        report.extend(indexed.keys().map(|key| format!("row is only in the index key={key:?}")));
        Ok(())
    }
}

/// Reads the manifest of `dir` and every segment that it names from end to end; `Ok` counts the
/// segments that are good.
pub(in crate::index) fn check_files(env: &Env, dir: &Path) -> Vec<Result<usize>> {
    let segments = match Manifest::load(env, dir) {
        Ok(manifest) => manifest.segments,
        Err(error) => return vec![Err(error)],
    };
    let check =
        |id: &u64| Segment::open(&*env.vfs, &segment_path(dir, *id), *id)?.check().map(|()| 1);
    segments.iter().map(check).collect()
}

/// Removes what a crash left behind: segments that the manifest does not name, half-written files.
fn sweep(env: &Env, dir: &Path, manifest: &Manifest) -> Result<()> {
    let exists = env.vfs.exists(dir).map_err(|error| Error::io("look for", dir, error))?;
    if !exists {
        return Ok(());
    }
    let live: Vec<PathBuf> = manifest.segments.iter().map(|id| segment_path(dir, *id)).collect();
    let names = env.vfs.list(dir).map_err(|error| Error::io("list", dir, error))?;
    for path in names.into_iter().map(|name| dir.join(name)) {
        let is_ours = path.extension().is_some_and(|ending| ending == "geo" || ending == "tmp");
        if is_ours && !live.contains(&path) {
            env.vfs.remove(&path).map_err(|error| Error::io("remove", &path, error))?;
        }
    }
    Ok(())
}

impl DerivedIndex for GeoIndex {
    fn apply(&self, ts: Timestamp, row_key: &[u8], entry: Option<&Bytes>) {
        let _guard = self.swap.lock();
        let state = self.state.load();
        if ts > state.watermark {
            state.delta.apply(ts, row_key, entry.and_then(|entry| Aabb::decode(entry)));
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
        let (versions, mut changes) = before.delta.read().sealed(upto, self.oldest());
        let mut segments = before.segments.clone();
        if segments.is_empty() {
            // Nothing is older that the changes could end.
            changes.clear();
        }
        if !versions.is_empty() || !changes.is_empty() {
            self.create_dir()?;
            segments.push(Arc::new(self.write_segment(versions, changes)?));
            self.manifest(&segments, upto).store(&self.env, &self.dir)?;
        }
        let _guard = self.swap.lock();
        let delta: Delta = before.delta.read().rest(upto);
        self.state.store(Arc::new(State { segments, delta: Arc::new(delta), watermark: upto }));
        Ok(())
    }

    fn merge(&self) -> Result<bool> {
        let before = self.state.load_full();
        let sizes: Vec<usize> = before.segments.iter().map(|segment| segment.len()).collect();
        let Some(run) = policy::choose(&sizes) else { return Ok(false) };
        let old = before.segments.get(run.clone()).unwrap_or_default();
        let (versions, changes) = self.merged(old, run.start == 0)?;
        let mut segments = before.segments.clone();
        let merged = self.write_segment(versions, changes)?;
        segments.splice(run.clone(), [Arc::new(merged)]);
        self.manifest(&segments, before.watermark).store(&self.env, &self.dir)?;
        {
            let _guard = self.swap.lock();
            let State { delta, watermark, .. } = &**self.state.load();
            let state = State { segments, delta: delta.clone(), watermark: *watermark };
            self.state.store(Arc::new(state));
        }
        for segment in old {
            // Searches that still read it have it mapped; a name that stays is swept on open.
            let _ = self.env.vfs.remove(&segment_path(&self.dir, segment.id));
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
        for segment in &state.segments {
            let (from, to) = (segment_path(&self.dir, segment.id), segment_path(dir, segment.id));
            vfs.hard_link(&from, &to).map_err(|error| Error::io("link", &to, error))?;
        }
        self.manifest(&state.segments, state.watermark).store(&self.env, dir)
    }

    fn verify(
        &self,
        snapshot: Timestamp,
        entries: &mut dyn Iterator<Item = Result<(Bytes, Bytes)>>,
    ) -> Result<Vec<String>> {
        let mut report = Vec::new();
        for segment in &self.state.load().segments {
            report.extend(segment.check().err().map(|error| error.message().to_owned()));
        }
        if report.is_empty() {
            self.compare(snapshot, entries, &mut report)?;
        }
        report.truncate(REPORT_LEN_MAX);
        Ok(report)
    }
}
