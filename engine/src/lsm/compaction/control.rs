//! Following, stopping and pausing compactions.
//!
//! # While compaction is paused
//! No merge begins, and those under way stand still where they are. Flushes go on, and level 0 does
//! not hold writers up however many files it has, since nobody could make them fewer: writers wait
//! for nothing that a pause prevents. Reads get dearer with every flush, so a pause should be short.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::in_flight::{CompactionJob, Job};
use crate::error::{Error, Result};
use crate::lsm::store::Store;
use crate::sync::Mutex;

/// Follows a manual compaction from another thread, and stops it.
#[derive(Debug, Default)]
pub struct CompactionControl {
    is_cancelled: AtomicBool,
    done_len: AtomicU64,
    total_len: AtomicU64,
    job: Mutex<Option<Arc<Job>>>,
}

/// How far a manual compaction is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompactionProgress {
    /// Bytes of sstables merged.
    pub done_bytes: u64,
    /// Bytes to be merged in all, as far as is known: files are met on the way, and some need only
    /// be moved.
    pub total_bytes: u64,
    /// What is being merged now.
    pub job: Option<CompactionJob>,
}

impl CompactionControl {
    /// Makes the compaction end soon with `Cancelled`. What it merged so far stays merged.
    pub fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// How far it is.
    pub fn progress(&self) -> CompactionProgress {
        let job = self.job.lock().as_ref().map(|job| job.progress());
        let done = self.done_len.load(Ordering::Relaxed) + job.map_or(0, |job| job.done_bytes);
        let total = self.total_len.load(Ordering::Relaxed);
        CompactionProgress { done_bytes: done.min(total), total_bytes: total, job }
    }

    /// # Errors
    /// `Cancelled`.
    pub(super) fn check(&self) -> Result<()> {
        if self.is_cancelled.load(Ordering::Relaxed) {
            return Err(Error::cancelled("the compaction was cancelled"));
        }
        Ok(())
    }

    /// Says how many bytes are left, those of `job` among them, which begins.
    pub(super) fn begin(&self, remaining: u64, job: Option<Arc<Job>>) {
        let done = self.done_len.load(Ordering::Relaxed);
        self.total_len.store(done + remaining, Ordering::Relaxed);
        *self.job.lock() = job;
    }

    /// Says that the current job ended.
    pub(super) fn end(&self) {
        let mut current = self.job.lock();
        let len = current.take().map_or(0, |job| job.len);
        self.done_len.fetch_add(len, Ordering::Relaxed);
        self.total_len.fetch_max(self.done_len.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

/// Holds all compaction still until it is dropped. Several may be held at once.
pub struct CompactionPause {
    store: Arc<Store>,
}

impl CompactionPause {
    pub(in crate::lsm) fn new(store: Arc<Store>) -> Self {
        store.pauses.fetch_add(1, Ordering::AcqRel);
        // Whoever waits for level 0 need not wait any more.
        store.background.wake_waiting();
        Self { store }
    }
}

impl Drop for CompactionPause {
    fn drop(&mut self) {
        self.store.pauses.fetch_sub(1, Ordering::AcqRel);
        {
            let _in_flight = self.store.compactions.lock();
            self.store.compaction_ended.notify_all();
        }
        self.store.background.call();
    }
}

impl std::fmt::Debug for CompactionPause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CompactionPause").finish_non_exhaustive()
    }
}
