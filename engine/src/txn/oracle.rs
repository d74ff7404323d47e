//! Timestamps: what is committed, what is durable, and which snapshots are in use.
//!
//! ```text
//!   oldest snapshot        durable          published
//!         |                   |                 |
//!  -------+-------------------+-----------------+------> commit order
//!  row versions below that    new snapshots     logged and applied,
//!  nobody sees may go         are taken here    its locks are free
//! ```
//! Snapshots are taken at the durable timestamp, not at the published one: what a reader is shown
//! can then never be lost. (A reader that meets newer commits through a lock learns of it by
//! [`Transaction::depends_on`](super::Transaction::depends_on).)
//!
//! # Invariants
//! - O-1: durable ≤ published, and neither goes back.
//! - O-2: `oldest` is at or below every snapshot in use and every one taken later.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::timestamp::Timestamp;

/// The clock of commits.
#[derive(Debug)]
pub(crate) struct Oracle {
    published: AtomicU64,
    durable: AtomicU64,
    /// Snapshots in use, with the number of their users.
    live: Mutex<BTreeMap<Timestamp, usize>>,
}

/// A snapshot in use. Row versions that it sees are kept until it is dropped.
#[derive(Debug)]
pub(crate) struct Pin {
    oracle: Arc<Oracle>,
    ts: Timestamp,
}

impl Oracle {
    /// Starts where a recovered log ends.
    pub(crate) fn new(last: Timestamp) -> Self {
        let (published, durable) = (AtomicU64::new(last.0), AtomicU64::new(last.0));
        Self { published, durable, live: Mutex::default() }
    }

    /// The newest commit that is applied.
    pub(crate) fn published(&self) -> Timestamp {
        Timestamp(self.published.load(Ordering::Acquire))
    }

    /// The newest commit that is on disk, with all before it.
    pub(crate) fn durable(&self) -> Timestamp {
        Timestamp(self.durable.load(Ordering::Acquire))
    }

    /// Makes a commit visible. Requires: the commit mutex is held; `ts` is the next timestamp.
    pub(crate) fn publish(&self, ts: Timestamp) {
        self.published.store(ts.0, Ordering::Release);
    }

    /// Everything up to `ts` is on disk now.
    pub(crate) fn advance_durable(&self, ts: Timestamp) {
        self.durable.fetch_max(ts.0, Ordering::AcqRel);
    }

    /// Takes a snapshot of all that is durable, and at least of what was committed at `after`.
    pub(crate) fn pin(self: &Arc<Self>, after: Timestamp) -> Pin {
        let mut live = self.live.lock();
        // Read under the mutex, or O-2 would not hold.
        let ts = self.durable().max(after);
        *live.entry(ts).or_default() += 1;
        Pin { oracle: Arc::clone(self), ts }
    }

    /// No snapshot older than this is in use or will be.
    pub(crate) fn oldest(&self) -> Timestamp {
        let live = self.live.lock();
        let durable = self.durable();
        live.first_key_value().map_or(durable, |(&first, _)| first.min(durable))
    }

    /// How many snapshots are in use.
    #[cfg(test)]
    pub(crate) fn live_count(&self) -> usize {
        self.live.lock().values().sum()
    }
}

impl Pin {
    /// What it sees: every commit at or before this.
    pub(crate) fn ts(&self) -> Timestamp {
        self.ts
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut live = self.oracle.live.lock();
        if let Some(count) = live.get_mut(&self.ts) {
            *count -= 1;
            if *count == 0 {
                live.remove(&self.ts);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_snapshot_is_kept() {
        let oracle = Arc::new(Oracle::new(Timestamp(5)));
        let first = oracle.pin(Timestamp(0));
        let again = oracle.pin(Timestamp(0));
        oracle.publish(Timestamp(9));
        oracle.advance_durable(Timestamp(8));
        oracle.advance_durable(Timestamp(7));
        assert_eq!(oracle.durable(), Timestamp(8));
        let own = oracle.pin(Timestamp(9));
        assert_eq!((first.ts(), own.ts()), (Timestamp(5), Timestamp(9)));
        assert_eq!((oracle.oldest(), oracle.live_count()), (Timestamp(5), 3));
        drop(first);
        assert_eq!(oracle.oldest(), Timestamp(5));
        drop(again);
        assert_eq!(oracle.oldest(), Timestamp(8), "a later snapshot may be taken there");
    }
}
