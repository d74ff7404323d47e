//! The index itself: its state, and how seals and merges replace it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use bytes::Bytes;
use parking_lot::Mutex;

use super::files::Files;
use super::part::{Built, Part, Segment};
use super::policy::{self, Size};
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::index::{Entries, Health, Life};
use crate::timestamp::Timestamp;

/// Bytes of entries, as a delta counts them, that become one segment when an index is built anew.
/// 8 MiB: as many as a delta gathers by default.
const REBUILT_LEN: usize = 8 << 20;

/// Recent commits, in memory, shared by the committing thread and by searches.
pub(in crate::index) trait Delta: Default + Send + Sync {
    /// Roughly how many bytes it occupies.
    fn len(&self) -> usize;

    /// The rows that changed up to `upto`, each once, and when they did first.
    fn first_changes(&self, upto: Timestamp) -> Vec<(Bytes, Timestamp)>;

    /// A segment of everything up to `upto`, except what ended at or before `oldest`; `None` when
    /// that is nothing.
    ///
    /// # Errors
    /// `Internal`.
    fn build(&self, upto: Timestamp, oldest: Timestamp) -> Result<Option<Built>>;

    /// A delta of the changes after `upto`. Takes time for those only: commits wait meanwhile.
    fn rest(&self, upto: Timestamp) -> Self;
}

/// What a search reads: one consistent set of components. Never changes but for what the delta
/// gains, which no snapshot taken before can see.
pub(in crate::index) struct State<S, D> {
    /// Oldest first; the delta comes after them.
    pub parts: Vec<Part<S>>,
    pub delta: Arc<D>,
    pub watermark: Timestamp,
    /// Of these parts: whoever meets damage in them says so here.
    health: Arc<Mutex<Health>>,
}

/// A log-structured index.
pub(in crate::index) struct Segmented<S, D> {
    files: Files,
    state: ArcSwap<State<S, D>>,
    /// Held while the delta gains a change and while the state is replaced, so that no change
    /// goes to a delta that is about to be replaced.
    swap: Mutex<()>,
    oldest: AtomicU64,
}

impl<S: Segment, D: Delta> Segmented<S, D> {
    /// Opens the index in `dir`. Without a directory it is empty, at watermark 0; the first seal
    /// creates it.
    ///
    /// # Errors
    /// `Io`, `Corruption`, `Unusable` when it is from a newer format.
    pub fn open(env: &Env, dir: &Path) -> Result<Self> {
        let (files, parts, watermark) = Files::open(env, dir)?;
        let (delta, health) = (Arc::default(), Arc::default());
        let state = State { parts, delta, watermark, health };
        let (swap, oldest) = (Mutex::default(), AtomicU64::new(0));
        Ok(Self { files, state: ArcSwap::from_pointee(state), swap, oldest })
    }

    /// What a search reads.
    pub fn state(&self) -> Arc<State<S, D>> {
        self.state.load_full()
    }

    /// How many segments there are, and their bytes.
    pub fn segments(&self) -> (usize, u64) {
        let state = self.state.load();
        let len = state.parts.iter().map(|part| part.segment.len() as u64).sum();
        (state.parts.len(), len)
    }

    /// Hands the delta to `change`, unless what happened at `ts` is in a segment already.
    pub fn apply(&self, ts: Timestamp, change: impl FnOnce(&D)) {
        let _guard = self.swap.lock();
        let state = self.state.load();
        if ts > state.watermark {
            change(&state.delta);
        }
    }

    fn oldest(&self) -> Timestamp {
        Timestamp(self.oldest.load(Ordering::Acquire))
    }

    /// Puts other parts in place; `upto`: the delta gives up its changes up to there.
    fn replace(&self, parts: Vec<Part<S>>, upto: Option<Timestamp>, health: Arc<Mutex<Health>>) {
        let _guard = self.swap.lock();
        let before = self.state.load();
        let (delta, watermark) = match upto {
            Some(upto) => (Arc::new(before.delta.rest(upto)), upto),
            None => (Arc::clone(&before.delta), before.watermark),
        };
        self.state.store(Arc::new(State { parts, delta, watermark, health }));
    }

    /// Puts new segments in the place of all there are, built from the entries up to `upto`: each
    /// row's versions, newest first, that a snapshot may see. `apply` has a delta take one in.
    /// Searches and commits go on meanwhile; newer changes stay in the delta.
    ///
    /// # Errors
    /// Those of `entries`, `Io`, `DiskFull`; the index is as it was.
    pub fn rebuild(
        &self,
        upto: Timestamp,
        entries: Entries<'_>,
        apply: impl Fn(&D, Timestamp, &[u8], Option<&Bytes>),
    ) -> Result<()> {
        self.files.create_dir()?;
        let mut parts = Vec::new();
        let built = self.build_parts(upto, entries, apply, &mut parts);
        built
            .and_then(|()| self.files.set_live(&parts, &parts, upto))
            .inspect_err(|_| self.files.discard(&parts))?;
        self.replace(parts, Some(upto), Arc::default());
        Ok(())
    }

    /// A segment for every [`REBUILT_LEN`] bytes of entries: the rows of each are its own.
    fn build_parts(
        &self,
        upto: Timestamp,
        entries: Entries<'_>,
        apply: impl Fn(&D, Timestamp, &[u8], Option<&Bytes>),
        parts: &mut Vec<Part<S>>,
    ) -> Result<()> {
        let (mut delta, mut row, mut versions) = (D::default(), Bytes::new(), Vec::new());
        let take = |delta: &D, row: &[u8], versions: &mut Vec<(Timestamp, Option<Bytes>)>| {
            while let Some((ts, entry)) = versions.pop() {
                apply(delta, ts, row, entry.as_ref());
            }
        };
        for entry in entries {
            let (row_key, ts, entry) = entry?;
            if row_key != row {
                take(&delta, &row, &mut versions);
                row = row_key;
                if delta.len() >= REBUILT_LEN {
                    self.write_part(&std::mem::take(&mut delta), upto, parts)?;
                }
            }
            if ts <= upto {
                versions.push((ts, entry));
            }
        }
        take(&delta, &row, &mut versions);
        self.write_part(&delta, upto, parts)
    }

    fn write_part(&self, delta: &D, upto: Timestamp, parts: &mut Vec<Part<S>>) -> Result<()> {
        let built = delta.build(upto, self.oldest())?;
        parts.extend(built.map(|built| self.files.write(built)).transpose()?);
        Ok(())
    }

    /// Reads every segment from end to end; one line for each that is damaged.
    pub fn damages(&self) -> Vec<String> {
        let state = self.state.load_full();
        let checks = state.parts.iter().map(|part| part.segment.check());
        checks.filter_map(Result::err).map(|error| error.message().to_owned()).collect()
    }
}

impl<S: Segment, D: Delta> Life for Segmented<S, D> {
    fn watermark(&self) -> Timestamp {
        self.state.load().watermark
    }

    fn delta_len(&self) -> usize {
        self.state.load().delta.len()
    }

    fn set_oldest_snapshot(&self, ts: Timestamp) {
        self.oldest.fetch_max(ts.0, Ordering::AcqRel);
    }

    fn seal(&self, upto: Timestamp) -> Result<()> {
        let before = self.state.load_full();
        if upto <= before.watermark {
            return Ok(());
        }
        let mut changes = before.delta.first_changes(upto);
        let mut parts = before.parts.clone();
        if !changes.is_empty() {
            changes.sort_unstable();
            self.files.create_dir()?;
            for part in &mut parts {
                *part = part.ended_by(&changes)?;
            }
            let built = before.delta.build(upto, self.oldest())?;
            let new = built.map(|built| self.files.write(built)).transpose()?;
            parts.extend(new.clone());
            self.files.set_live(&parts, new.as_slice(), upto)?;
        }
        self.replace(parts, Some(upto), Arc::clone(&before.health));
        Ok(())
    }

    fn merge(&self, is_quiet: bool) -> Result<bool> {
        let before = self.state.load_full();
        let oldest = self.oldest();
        let sizes: Vec<Size> = before.parts.iter().map(|part| size_of(part, oldest)).collect();
        let Some(run) = policy::choose(&sizes, is_quiet) else { return Ok(false) };
        let old = before.parts.get(run.clone()).unwrap_or_default();
        let merged = S::merge(old, oldest)?.map(|built| self.files.write(built)).transpose()?;
        let mut parts = before.parts.clone();
        parts.splice(run, merged.clone());
        self.files.set_live(&parts, merged.as_slice(), before.watermark)?;
        self.replace(parts, None, Arc::clone(&before.health));
        Ok(true)
    }

    fn health(&self) -> Health {
        *self.state.load().health.lock()
    }

    fn note_damage(&self, error: &Error) {
        self.state.load().note(error);
    }

    fn give_up(&self) {
        *self.state.load().health.lock() = Health::Lost;
    }

    fn checkpoint(&self, dir: &Path) -> Result<()> {
        let state = self.state.load_full();
        self.files.link(&state.parts, state.watermark, dir)
    }
}

impl<S, D> State<S, D> {
    /// Whoever gets an error out of a segment says so here: when it is damage, the index will be
    /// built anew. Logged once.
    pub fn note(&self, error: &Error) {
        let mut health = self.health.lock();
        if error.kind() == ErrorKind::Corruption && *health == Health::Sound {
            *health = Health::Damaged;
            tracing::error!(%error, "an index is damaged; it is being built anew from its entries");
        }
    }
}

impl<S: Segment, D> State<S, D> {
    /// How many items segments hold that have not ended.
    pub fn item_count(&self) -> usize {
        let live =
            |part: &Part<S>| (part.segment.item_count() as usize).saturating_sub(part.ended.len());
        self.parts.iter().map(live).sum()
    }
}

fn size_of<S: Segment>(part: &Part<S>, oldest: Timestamp) -> Size {
    let droppable = part.ended.values().filter(|end| **end <= oldest).count() as u32;
    Size { len: part.segment.len(), items: part.segment.item_count(), droppable }
}
