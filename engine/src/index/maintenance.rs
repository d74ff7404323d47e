//! The thread behind the derived indexes: seals deltas, merges segments, forgets old versions.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::registry::Registry;
use crate::error::{Error, Result};
use crate::lsm::Lsm;
use crate::txn::commit::Committer;
use crate::txn::durability::Durability;
use crate::txn::oracle::Oracle;

/// How often the oldest snapshot is passed on when nothing else happens: a reader that ended must
/// not keep old row versions alive on an idle database.
const TICK: Duration = Duration::from_secs(1);

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

#[derive(Default)]
struct State {
    handle: Option<JoinHandle<()>>,
    is_wanted: bool,
    is_stopping: bool,
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
        loop {
            {
                let mut state = self.thread.state.lock();
                if !state.is_wanted && !state.is_stopping {
                    self.thread.changed.wait_for(&mut state, TICK);
                }
                if state.is_stopping {
                    return;
                }
                state.is_wanted = false;
            }
            self.forget();
            if self.registry.has_delta_of(self.delta_len_max) {
                self.run_once();
            }
        }
    }

    /// One round. A failure is logged: the deltas still hold what was not sealed, and the next
    /// round tries again.
    fn run_once(&self) {
        if let Err(error) = self.seal(self.delta_len_max) {
            tracing::warn!(%error, "could not seal a derived index");
        }
    }
}
