//! The index: an R-tree in each component, searched together.

use std::path::Path;

use ahash::AHashMap;
use bytes::Bytes;

use super::Aabb;
use super::delta::Delta;
use super::nearest::Nearest;
use super::search::{self, Search};
use super::segment::Segment;
use crate::env::Env;
use crate::error::Result;
use crate::index::segmented::{self, Checked, Segmented};
use crate::index::{DerivedIndex, Entries, Life};
use crate::timestamp::Timestamp;

/// Lines that `verify` reports at most.
const REPORT_LEN_MAX: usize = 100;

/// An R-tree index.
pub struct GeoIndex {
    inner: Segmented<Segment, Delta>,
}

impl GeoIndex {
    /// Opens the index in `dir`. Without a directory it is empty, at watermark 0; the first seal
    /// creates it.
    ///
    /// # Errors
    /// `Io`, `Corruption`, `Unusable` when it is from a newer format.
    pub fn open(env: &Env, dir: &Path) -> Result<Self> {
        Ok(Self { inner: Segmented::open(env, dir)? })
    }

    /// Every row that the snapshot sees and whose box meets `window`, once each, in no order.
    pub fn search(&self, window: &Aabb, snapshot: Timestamp) -> Search {
        Search::new(self.inner.state(), *window, snapshot)
    }

    /// Every row that the snapshot sees, once each, by the distance of its box from `origin`.
    pub fn nearest(&self, origin: &Aabb, snapshot: Timestamp) -> Nearest {
        Nearest::new(self.inner.state(), *origin, snapshot)
    }

    /// About how many rows [`GeoIndex::search`] would find, in some microseconds.
    pub fn estimate(&self, window: &Aabb) -> usize {
        // A damaged file is reported by the search itself.
        search::estimate(&self.inner.state(), window).unwrap_or(0)
    }

    /// About how many rows there are.
    pub fn row_count(&self) -> usize {
        let state = self.inner.state();
        let recent = state.delta.read().item_count();
        state.item_count() + recent
    }

    /// How many segments there are, and their bytes.
    pub fn segments(&self) -> (usize, u64) {
        self.inner.segments()
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

/// See [`segmented::check_files`].
///
/// # Errors
/// As there.
pub(in crate::index) fn check_files(env: &Env, dir: &Path) -> Result<Checked> {
    segmented::check_files::<Segment>(env, dir)
}

impl DerivedIndex for GeoIndex {
    fn apply(&self, ts: Timestamp, row_key: &[u8], entry: Option<&Bytes>) {
        let bounds = entry.and_then(|entry| Aabb::decode(entry));
        self.inner.apply(ts, |delta| delta.apply(ts, row_key, bounds));
    }

    fn verify(
        &self,
        snapshot: Timestamp,
        entries: &mut dyn Iterator<Item = Result<(Bytes, Bytes)>>,
    ) -> Result<Vec<String>> {
        let mut report = self.inner.damages();
        if report.is_empty() {
            self.compare(snapshot, entries, &mut report)?;
        }
        report.truncate(REPORT_LEN_MAX);
        Ok(report)
    }

    fn rebuild(&self, upto: Timestamp, entries: Entries<'_>) -> Result<()> {
        self.inner.rebuild(upto, entries, |delta, ts, row_key, entry| {
            delta.apply(ts, row_key, entry.and_then(|entry| Aabb::decode(entry)));
        })
    }

    fn life(&self) -> &dyn Life {
        &self.inner
    }
}
