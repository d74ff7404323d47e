//! The thread behind the derived indexes: seals deltas that are large or left alone, merges
//! segments, forgets old versions.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use ahash::HashMap;
use parking_lot::{Condvar, Mutex};

use super::registry::Registry;
use crate::error::{Error, Result};
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
    pub(crate) delta_len_max: usize,
    pub(crate) thread: Thread,
}

/// The thread, and how to reach it.
#[derive(Default)]
pub(crate) struct Thread {
    state: Mutex<State>,
    changed: Condvar,
}

/// Why the thread was woken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wake {
    Work,
    Tick,
}

#[derive(Default)]
struct State {
    handle: Option<JoinHandle<()>>,
    is_wanted: bool,
    is_stopping: bool,
}

/// How large the deltas were at the last tick, and whether they have been tended since they came
/// to be that large.
#[derive(Default)]
struct Quiet(HashMap<ObjectId, (usize, bool)>);

impl Quiet {
    /// Whether an index whose delta has `len` bytes now has just come to rest: it has not changed
    /// since the last tick, but had before.
    fn observe(&mut self, id: ObjectId, len: usize) -> bool {
        let is_same = self.0.get(&id).is_some_and(|known| known.0 == len);
        let known = self.0.insert(id, (len, is_same));
        is_same && known == Some((len, false))
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
        if self.registry.has_delta_of(self.delta_len_max.saturating_mul(BACKLOG_MAX)) {
            self.run_once();
        }
    }

    /// Passes on which old row versions and removals nobody needs any more.
    pub(crate) fn forget(&self) {
        let published = self.oracle.published();
        self.lsm.set_sealed(self.registry.sealed(published));
        let oldest = self.oracle.oldest();
        self.lsm.set_oldest_snapshot(oldest);
        self.committer.between_commits(|| self.registry.set_oldest_snapshot(oldest));
    }

    /// Seals every delta of at least `len_min` bytes, up to what is committed now.
    ///
    /// # Errors
    /// `Io`, `DiskFull`, `Corruption`, `Closed`.
    pub(crate) fn seal(&self, len_min: usize) -> Result<()> {
        let upto = self.oracle.published();
        self.durability.wait(upto)?;
        self.registry.maintain(upto, len_min)
    }

    /// Seals the deltas that have come to rest, and merges their segments.
    ///
    /// # Errors
    /// As [`Maintenance::seal`].
    fn tend_quiet(&self, quiet: &mut Quiet) -> Result<()> {
        let deltas = self.registry.all().into_iter();
        let due: Vec<ObjectId> = deltas
            .filter(|(id, index)| quiet.observe(*id, index.derived().life().delta_len()))
            .map(|(id, _)| id)
            .collect();
        if due.is_empty() {
            return Ok(());
        }
        let upto = self.oracle.published();
        self.durability.wait(upto)?;
        self.registry.maintain_quiet(&due, upto, QUIET_LEN_MIN)
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
        while let Some(wake) = self.wait() {
            self.forget();
            if self.registry.has_delta_of(self.delta_len_max) {
                self.run_once();
            }
            if wake == Wake::Tick {
                log(self.tend_quiet(&mut quiet));
            }
        }
    }

    /// Waits for work or for the next tick; `None` when there will be no more.
    fn wait(&self) -> Option<Wake> {
        let mut state = self.thread.state.lock();
        if !state.is_wanted && !state.is_stopping {
            self.thread.changed.wait_for(&mut state, TICK);
        }
        if state.is_stopping {
            return None;
        }
        let is_wanted = std::mem::take(&mut state.is_wanted);
        Some(if is_wanted { Wake::Work } else { Wake::Tick })
    }

    fn run_once(&self) {
        log(self.seal(self.delta_len_max));
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
