//! The thread behind the derived indexes: seals deltas that are large or left alone, merges
//! segments, builds damaged indexes anew, forgets old versions.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ahash::HashMap;
use parking_lot::{Condvar, Mutex};

use super::registry::Registry;
use crate::error::{Error, Result};
use crate::history::History;
use crate::keyspace::ObjectId;
use crate::lsm::Lsm;
use crate::txn::commit::Committer;
use crate::txn::durability::Durability;
use crate::txn::oracle::Oracle;

/// How often the oldest snapshot is passed on when nothing else happens: a reader that ended must
/// not keep old row versions alive on an idle database.
const TICK: Duration = Duration::from_secs(1);

/// A delta of at least so many bytes that did not grow for a tick is sealed: searches find what is
/// in segments faster. 64 KiB: smaller ones cost them next to nothing.
const QUIET_LEN_MIN: usize = 64 << 10;

/// Deltas may grow to this many times the length at which they are sealed before commits help.
const BACKLOG_MAX: usize = 4;

/// Background work on derived indexes.
pub(crate) struct Maintenance {
    pub(crate) registry: Arc<Registry>,
    pub(crate) lsm: Arc<Lsm>,
    pub(crate) oracle: Arc<Oracle>,
    pub(crate) committer: Arc<Committer>,
    pub(crate) durability: Arc<Durability>,
    pub(crate) history: Arc<History>,
    pub(crate) delta_len_max: usize,
    pub(crate) thread: Thread,
}

/// The thread, and how to reach it.
#[derive(Default)]
pub(crate) struct Thread {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    handle: Option<JoinHandle<()>>,
    is_wanted: bool,
    is_stopping: bool,
    /// Whether the last round failed: commits do not wait for one that fails again.
    has_failed: bool,
}

/// How large the deltas were at the last tick, and whether they have been tended since they came
/// to be that large.
#[derive(Default)]
struct Quiet(HashMap<ObjectId, (usize, bool)>);

impl Quiet {
    /// The indexes that have just come to rest, of all there are with the bytes of their deltas:
    /// those that have not changed since the last tick, but had before.
    fn observe(&mut self, deltas: impl Iterator<Item = (ObjectId, usize)>) -> Vec<ObjectId> {
        let mut due = Vec::new();
        let mut seen = HashMap::default();
        for (id, len) in deltas {
            let before = self.0.get(&id);
            if before == Some(&(len, false)) {
                due.push(id);
            }
            seen.insert(id, (len, before.is_some_and(|before| before.0 == len)));
        }
        self.0 = seen;
        due
    }
}

impl Maintenance {
    /// Starts the thread.
    ///
    /// # Errors
    /// `Io` when the system gives no thread.
    pub(crate) fn start(self: &Arc<Self>) -> Result<()> {
        let maintenance = Arc::clone(self);
        let builder = std::thread::Builder::new().name("cairn-index".into());
        let handle = builder
            .spawn(move || maintenance.run())
            .map_err(|error| Error::io("start a thread for", "cairn-index".as_ref(), error))?;
        self.thread.state.lock().handle = Some(handle);
        Ok(())
    }

    /// After a commit changed derived indexes: has the deltas sealed when they are large, and
    /// helps when they grow faster than the thread can seal them.
    pub(crate) fn after_commit(&self) {
        if !self.registry.has_delta_of(self.delta_len_max) {
            return;
        }
        self.thread.state.lock().is_wanted = true;
        self.thread.changed.notify_one();
        let backlog = self.delta_len_max.saturating_mul(BACKLOG_MAX);
        let can_help = !self.thread.state.lock().has_failed;
        if can_help && self.registry.has_delta_of(backlog) {
            self.run_once();
        }
    }

    /// Passes on which old row versions and removals nobody needs any more.
    pub(crate) fn forget(&self) {
        let published = self.oracle.published();
        self.lsm.set_sealed(self.registry.sealed(published));
        self.history.advance(&self.lsm, &self.oracle);
        self.oracle.pass_on(&self.lsm);
        let oldest = self.oracle.oldest();
        self.committer.between_commits(|| self.registry.set_oldest_snapshot(oldest));
    }

    /// Seals every delta of at least `len_min` bytes, up to what is committed now.
    ///
    /// # Errors
    /// `Io`, `DiskFull`, `Corruption`, `Closed`.
    pub(crate) fn seal(&self, len_min: usize) -> Result<()> {
        let upto = self.oracle.published();
        self.durability.wait(upto)?;
        self.registry.maintain(&self.lsm, upto, len_min)
    }

    /// Seals the deltas that have come to rest, and merges their segments.
    ///
    /// # Errors
    /// As [`Maintenance::seal`].
    fn tend_quiet(&self, quiet: &mut Quiet) -> Result<()> {
        let all = self.registry.all().into_iter();
        let deltas = all.map(|(id, index)| (id, index.derived().life().delta_len()));
        let due = quiet.observe(deltas);
        if due.is_empty() {
            return Ok(());
        }
        let upto = self.oracle.published();
        let tended = self
            .durability
            .wait(upto)
            .and_then(|()| self.registry.maintain_quiet(&self.lsm, &due, upto, QUIET_LEN_MIN));
        // What failed is tried again.
        tended.inspect_err(|_| *quiet = Quiet::default())
    }

    /// Ends the thread.
    pub(crate) fn stop(&self) {
        let handle = {
            let mut state = self.thread.state.lock();
            state.is_stopping = true;
            state.handle.take()
        };
        self.thread.changed.notify_all();
        if let Some(handle) = handle {
            let _ = handle.join();
        }
    }

    fn run(&self) {
        let mut quiet = Quiet::default();
        let mut next_tick = Instant::now() + TICK;
        while self.wait(next_tick) {
            self.forget();
            if self.registry.has_delta_of(self.delta_len_max) || self.registry.has_damage() {
                self.run_once();
            }
            if Instant::now() >= next_tick {
                log(self.tend_quiet(&mut quiet));
                next_tick = Instant::now() + TICK;
            }
        }
    }

    /// Waits for work or until the next tick; false when there will be no more.
    fn wait(&self, next_tick: Instant) -> bool {
        let mut state = self.thread.state.lock();
        if !state.is_wanted && !state.is_stopping {
            self.thread.changed.wait_until(&mut state, next_tick);
        }
        state.is_wanted = false;
        !state.is_stopping
    }

    /// One round over the deltas that are too large.
    fn run_once(&self) {
        let sealed = self.seal(self.delta_len_max);
        self.thread.state.lock().has_failed = sealed.is_err();
        log(sealed);
    }
}

/// A failure is logged: the deltas still hold what was not sealed, and the next round tries again.
fn log(sealed: Result<()>) {
    if let Err(error) = sealed {
        tracing::warn!(%error, "could not seal a derived index");
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::Isolation::ReadCommitted;
    use crate::db::Db;
    use crate::env::Env;
    use crate::index::geo::Aabb;
    use crate::keyspace::{Space, key};
    use crate::options::Options;

    const INDEX: ObjectId = ObjectId(7);

    fn place(db: &Db, rows: std::ops::Range<u32>) {
        let txn = db.begin(ReadCommitted);
        for row in rows {
            let entry = Aabb::point([f64::from(row), 0.0, 0.0]).encode();
            txn.put(&key(Space::Geo, INDEX, &row.to_be_bytes()), &entry).unwrap();
        }
        txn.commit().unwrap();
    }

    #[test]
    fn a_delta_is_sealed_when_it_is_left_alone() {
        let db = Db::open_in(Env::memory(), Path::new("/db"), Options::default()).unwrap();
        let maintenance = &db.shared.maintenance;
        maintenance.stop();
        let mut quiet = Quiet::default();
        let mut delta_len = || {
            maintenance.tend_quiet(&mut quiet).unwrap();
            maintenance.registry.all().first().map(|(_, index)| index.derived().life().delta_len())
        };
        place(&db, 0..10);
        let small = delta_len();
        assert_eq!(delta_len(), small, "a small one stays");
        place(&db, 10..1000);
        assert!(delta_len() > small, "it has just grown");
        place(&db, 1000..1001);
        assert!(delta_len() > small, "and again");
        assert_eq!(delta_len(), Some(0));
        let txn = db.begin(ReadCommitted);
        let everywhere = Aabb { min: [0.0; 3], max: [1e9, 0.0, 0.0] };
        assert_eq!(txn.search_geo(INDEX, &everywhere).unwrap().count(), 1001);
        drop(txn);
        assert!(db.verify_indexes().unwrap().is_empty());
    }
}
