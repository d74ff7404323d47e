//! What the store counts while it works.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::ReasonStats;
use crate::lsm::compaction::Reason;

/// Counts since opening.
#[derive(Debug, Default)]
pub(in crate::lsm) struct Counters {
    pub(in crate::lsm) user_len: AtomicU64,
    pub(in crate::lsm) flush_len: AtomicU64,
    pub(in crate::lsm) flush_count: AtomicU64,
    pub(in crate::lsm) ingest_len: AtomicU64,
    pub(in crate::lsm) compactions: ByReason,
    pub(in crate::lsm) slowdowns: Waits,
    pub(in crate::lsm) stalls: Waits,
}

/// Waits: how many, how long in all, and the longest.
#[derive(Debug, Default)]
pub(in crate::lsm) struct Waits {
    count: AtomicU64,
    micros: AtomicU64,
    longest_micros: AtomicU64,
}

impl Waits {
    pub(in crate::lsm) fn add(&self, took: Duration) {
        let micros = micros(took);
        self.count.fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
        self.longest_micros.fetch_max(micros, Ordering::Relaxed);
    }

    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    pub(super) fn total(&self) -> Duration {
        Duration::from_micros(self.micros.load(Ordering::Relaxed))
    }

    pub(super) fn longest(&self) -> Duration {
        Duration::from_micros(self.longest_micros.load(Ordering::Relaxed))
    }
}

/// Compactions by their reason.
#[derive(Debug, Default)]
pub(in crate::lsm) struct ByReason([PerReason; Reason::ALL.len()]);

#[derive(Debug, Default)]
struct PerReason {
    merge_count: AtomicU64,
    move_count: AtomicU64,
    read_len: AtomicU64,
    written_len: AtomicU64,
    moved_len: AtomicU64,
    micros: AtomicU64,
}

impl ByReason {
    fn of(&self, reason: Reason) -> &PerReason {
        &self.0[reason as usize]
    }

    pub(in crate::lsm) fn add_merge(
        &self,
        reason: Reason,
        read: u64,
        written: u64,
        took: Duration,
    ) {
        let counts = self.of(reason);
        counts.merge_count.fetch_add(1, Ordering::Relaxed);
        counts.read_len.fetch_add(read, Ordering::Relaxed);
        counts.written_len.fetch_add(written, Ordering::Relaxed);
        counts.micros.fetch_add(micros(took), Ordering::Relaxed);
    }

    pub(in crate::lsm) fn add_move(&self, reason: Reason, len: u64) {
        let counts = self.of(reason);
        counts.move_count.fetch_add(1, Ordering::Relaxed);
        counts.moved_len.fetch_add(len, Ordering::Relaxed);
    }

    pub(super) fn stats(&self) -> Vec<ReasonStats> {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let stats = |reason| {
            let counts = self.of(reason);
            ReasonStats {
                reason,
                merge_count: read(&counts.merge_count),
                move_count: read(&counts.move_count),
                len_read: read(&counts.read_len),
                len_written: read(&counts.written_len),
                len_moved: read(&counts.moved_len),
                time: Duration::from_micros(read(&counts.micros)),
            }
        };
        Reason::ALL.into_iter().map(stats).collect()
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_in_the_order_of_their_codes() {
        for (code, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, code);
        }
    }
}
