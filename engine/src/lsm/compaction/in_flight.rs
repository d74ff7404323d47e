//! Compactions under way: which files and key ranges they hold, and how far they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Reason;
use super::picker::{Busy, Compaction};
use crate::lsm::version::Version;

/// All of them. Files are held from the choice until the edit that replaces them (P-1, P-2).
#[derive(Default)]
pub(crate) struct InFlight {
    busy: Busy,
    jobs: Vec<Arc<Job>>,
}

impl InFlight {
    /// What must be left alone.
    pub(crate) fn busy(&self) -> &Busy {
        &self.busy
    }

    /// What each of them does.
    pub(crate) fn jobs(&self) -> Vec<CompactionJob> {
        self.jobs.iter().map(|job| job.progress()).collect()
    }

    /// Takes hold of what a compaction needs.
    pub(super) fn begin(&mut self, compaction: Compaction, version: &Version) -> Arc<Job> {
        let job = Arc::new(Job::new(compaction, version));
        self.busy.files.extend(job.compaction.inputs.iter().map(|(_, id)| *id));
        self.busy.outputs.push(job.output.clone());
        self.jobs.push(job.clone());
        job
    }

    /// Lets go of it.
    pub(super) fn end(&mut self, job: &Arc<Job>) {
        for (_, id) in &job.compaction.inputs {
            self.busy.files.remove(id);
        }
        if let Some(at) = self.jobs.iter().position(|other| Arc::ptr_eq(other, job)) {
            self.jobs.remove(at);
            self.busy.outputs.remove(at);
        }
    }
}

/// One compaction under way.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) compaction: Compaction,
    /// The output level and the key range, both ends included.
    output: (usize, Vec<u8>, Vec<u8>),
    /// Bytes and entries of the inputs.
    pub(crate) len: u64,
    entry_count: u64,
    merged_count: AtomicU64,
}

impl Job {
    fn new(compaction: Compaction, version: &Version) -> Self {
        let inputs = compaction.inputs.iter().filter_map(|(_, id)| version.sstable(*id));
        let metas: Vec<_> = inputs.map(|sstable| sstable.meta()).collect();
        let smallest = metas.iter().map(|file| &file.properties.smallest).min();
        let largest = metas.iter().map(|file| &file.properties.largest).max();
        let bounds = (smallest.cloned().unwrap_or_default(), largest.cloned().unwrap_or_default());
        Self {
            output: (compaction.output_level, bounds.0, bounds.1),
            len: metas.iter().map(|file| file.len).sum(),
            entry_count: metas.iter().map(|file| file.properties.entry_count).sum(),
            merged_count: AtomicU64::new(0),
            compaction,
        }
    }

    /// Says how many entries of the inputs have been looked at.
    pub(super) fn advance(&self, merged_count: u64) {
        self.merged_count.store(merged_count, Ordering::Relaxed);
    }

    pub(crate) fn progress(&self) -> CompactionJob {
        let merged = u128::from(self.merged_count.load(Ordering::Relaxed).min(self.entry_count));
        let done = u128::from(self.len) * merged / u128::from(self.entry_count.max(1));
        let levels = self.compaction.inputs.iter().map(|(level, _)| *level);
        CompactionJob {
            reason: self.compaction.reason,
            from_level: levels.min().unwrap_or_default(),
            to_level: self.compaction.output_level,
            file_count: self.compaction.inputs.len(),
            len_bytes: self.len,
            done_bytes: u64::try_from(done).unwrap_or(u64::MAX),
        }
    }
}

/// What a compaction under way does, and how far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompactionJob {
    /// Why.
    pub reason: Reason,
    /// The first level that it reads.
    pub from_level: usize,
    /// The level that it writes.
    pub to_level: usize,
    /// Files that it reads.
    pub file_count: usize,
    /// Their bytes.
    pub len_bytes: u64,
    /// About how many of those bytes it has merged.
    pub done_bytes: u64,
}
