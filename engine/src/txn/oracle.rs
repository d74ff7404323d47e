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
//! Named snapshots stand apart: they do not hold `oldest` back, so that a name kept for a month
//! keeps one row version of each key, not a month of them. Reads as of the past do: while a window
//! is kept open for them, `oldest` stays behind it.
//!
//! # Invariants
//! - O-1: durable ≤ published, and neither goes back.
//! - O-2: what anybody was told is `oldest` is at or below every snapshot in use and every one
//!   taken later, but for the named ones, which the store is told of at the same time.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::lsm::Lsm;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::timestamp::Timestamp;

/// The clock of commits.
#[derive(Debug)]
pub(crate) struct Oracle {
    published: AtomicU64,
    durable: AtomicU64,
    live: Mutex<Live>,
}

/// Snapshots in use, each with the number of its users.
type Users = BTreeMap<Timestamp, usize>;

/// What is read, or may be.
#[derive(Debug)]
struct Live {
    snapshots: Users,
    named: Users,
    /// Reads as of the past may go back to here; `MAX` when none may.
    window: Timestamp,
    /// The newest `oldest` that anybody was told: what came before may be gone.
    floor: Timestamp,
}

impl Live {
    /// The oldest snapshot but for named ones, for somebody who is told.
    fn tell_oldest(&mut self, durable: Timestamp) -> Timestamp {
        let first = self.snapshots.keys().next().copied().unwrap_or(Timestamp::MAX);
        self.floor = self.floor.max(first.min(durable).min(self.window));
        self.floor
    }

    /// The same, named ones included.
    fn tell_oldest_of_all(&mut self, durable: Timestamp) -> Timestamp {
        let oldest = self.tell_oldest(durable);
        self.named.keys().next().map_or(oldest, |&first| first.min(oldest))
    }
}

/// A snapshot in use. Row versions that it sees are kept until it is dropped.
#[derive(Debug)]
pub(crate) struct Pin {
    oracle: Arc<Oracle>,
    ts: Timestamp,
    is_named: bool,
}

impl Oracle {
    /// Starts where a recovered log ends. Row versions from `history` on are all there.
    pub(crate) fn new(last: Timestamp, history: Timestamp) -> Self {
        let (published, durable) = (AtomicU64::new(last.0), AtomicU64::new(last.0));
        let (snapshots, named) = (Users::new(), Users::new());
        let live = Live { snapshots, named, window: Timestamp::MAX, floor: history };
        Self { published, durable, live: Mutex::new(live) }
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

    /// Everything up to `ts` is on disk now. A commit that is in the log and not yet published is
    /// not counted (O-1): a snapshot there would see half of it. Its own wait will count it.
    pub(crate) fn advance_durable(&self, ts: Timestamp) {
        self.durable.fetch_max(ts.min(self.published()).0, Ordering::AcqRel);
    }

    /// Takes a snapshot of all that is durable, and at least of what was committed at `after`.
    pub(crate) fn pin(self: &Arc<Self>, after: Timestamp) -> Pin {
        let mut live = self.live.lock();
        // Read under the mutex, or O-2 would not hold.
        let ts = self.durable().max(after);
        *live.snapshots.entry(ts).or_default() += 1;
        Pin { oracle: Arc::clone(self), ts, is_named: false }
    }

    /// Takes a snapshot of the past; `Err` says from where to where that is possible.
    pub(crate) fn pin_at(
        self: &Arc<Self>,
        ts: Timestamp,
    ) -> Result<Pin, RangeInclusive<Timestamp>> {
        let mut live = self.live.lock();
        let readable = live.floor..=self.durable();
        if !readable.contains(&ts) {
            return Err(readable);
        }
        *live.snapshots.entry(ts).or_default() += 1;
        Ok(Pin { oracle: Arc::clone(self), ts, is_named: false })
    }

    /// Takes a snapshot of all that is durable, to be given a name.
    pub(crate) fn pin_named(self: &Arc<Self>) -> Pin {
        let mut live = self.live.lock();
        let ts = self.durable();
        *live.named.entry(ts).or_default() += 1;
        Pin { oracle: Arc::clone(self), ts, is_named: true }
    }

    /// Takes up a named snapshot of an earlier run. Requires: nothing was passed on yet.
    pub(crate) fn pin_stored(self: &Arc<Self>, ts: Timestamp) -> Pin {
        *self.live.lock().named.entry(ts).or_default() += 1;
        Pin { oracle: Arc::clone(self), ts, is_named: true }
    }

    /// No snapshot older than this is in use or will be, named ones included.
    pub(crate) fn oldest(&self) -> Timestamp {
        let mut live = self.live.lock();
        live.tell_oldest_of_all(self.durable())
    }

    /// Tells the store which snapshots there are.
    pub(crate) fn pass_on(&self, lsm: &Lsm) {
        // Under the mutex, or a snapshot could be taken between the look and the word (O-2).
        let mut live = self.live.lock();
        let oldest = live.tell_oldest(self.durable());
        if live.named.is_empty() {
            lsm.set_named_snapshots(&[]);
        } else {
            lsm.set_named_snapshots(&live.named.keys().copied().collect::<Vec<_>>());
        }
        lsm.set_oldest_snapshot(oldest);
    }

    /// Where reads as of the past begin.
    pub(crate) fn floor(&self) -> Timestamp {
        self.live.lock().floor
    }

    /// Keeps what reads as of `window` or later see; what is gone already stays gone.
    pub(crate) fn keep_from(&self, window: Timestamp) {
        self.live.lock().window = window;
    }

    /// How many snapshots are in use.
    pub(crate) fn live_count(&self) -> usize {
        self.live.lock().snapshots.values().sum()
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
        let users = if self.is_named { &mut live.named } else { &mut live.snapshots };
        if let Some(count) = users.get_mut(&self.ts) {
            *count -= 1;
            if *count == 0 {
                users.remove(&self.ts);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{Env, Options};

    #[test]
    fn the_oldest_snapshot_is_kept() {
        let oracle = Arc::new(Oracle::new(Timestamp(5), Timestamp(5)));
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

    #[test]
    fn what_is_not_published_is_not_durable() {
        let oracle = Arc::new(Oracle::new(Timestamp(5), Timestamp(5)));
        oracle.advance_durable(Timestamp(6));
        assert_eq!((oracle.durable(), oracle.pin(Timestamp(0)).ts()), (Timestamp(5), Timestamp(5)));
        oracle.publish(Timestamp(6));
        oracle.advance_durable(Timestamp(6));
        assert_eq!(oracle.durable(), Timestamp(6));
    }

    #[test]
    fn names_do_not_hold_back_the_oldest_snapshot() {
        let lsm = Lsm::open(Env::memory(), Path::new("/db"), &Options::default()).unwrap();
        let oracle = Arc::new(Oracle::new(Timestamp(5), Timestamp(3)));
        let named = oracle.pin_named();
        oracle.publish(Timestamp(9));
        oracle.advance_durable(Timestamp(9));
        oracle.pass_on(&lsm);
        assert_eq!((oracle.floor(), oracle.oldest()), (Timestamp(9), Timestamp(5)));
        assert_eq!(lsm.oldest_snapshot(), Timestamp(9), "a read without a snapshot looks here");
        drop(named);
        assert_eq!(oracle.oldest(), Timestamp(9));
    }

    #[test]
    fn the_past_is_readable_as_far_as_it_is_kept() {
        let lsm = Lsm::open(Env::memory(), Path::new("/db"), &Options::default()).unwrap();
        let oracle = Arc::new(Oracle::new(Timestamp(20), Timestamp(10)));
        oracle.keep_from(Timestamp(12));
        oracle.pass_on(&lsm);
        let readable = Timestamp(12)..=Timestamp(20);
        assert_eq!(oracle.pin_at(Timestamp(11)).err(), Some(readable.clone()));
        assert_eq!(oracle.pin_at(Timestamp(21)).err(), Some(readable));
        let pin = oracle.pin_at(Timestamp(12)).unwrap();
        oracle.keep_from(Timestamp(18));
        oracle.pass_on(&lsm);
        assert_eq!(oracle.floor(), Timestamp(12), "its reader is not done");
        drop(pin);
        oracle.pass_on(&lsm);
        assert_eq!(oracle.floor(), Timestamp(18));
    }
}
