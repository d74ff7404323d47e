//! From "in the log" to "on disk": group commit for those who wait and for those who are called.
//!
//! # Early lock release
//! A transaction's locks are free as soon as its commit is in the log's order, before the sync:
//! a hot row then changes hands at memory speed, and one sync covers many commits. (DeWitt et al.,
//! "Implementation Techniques for Main Memory Database Systems", 1984; Johnson et al., "Aether",
//! 2010.) It is safe because the log is a prefix after a crash: whoever built on a commit that was
//! lost is lost with it. Only the outside world must not hear of either too early, so an
//! acknowledgement, and everything shown to a client, waits here first.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::blocking::BlockingHook;
use super::oracle::Oracle;
use crate::error::{Error, Result};
use crate::lsm::Lsm;
use crate::sync::thread::{self, JoinHandle};
use crate::sync::{Condvar, Mutex, MutexGuard};
use crate::timestamp::Timestamp;

/// Called once with the outcome.
pub type DurableCallback = Box<dyn FnOnce(Result<()>) + Send>;

/// Syncs the log for whoever needs it.
pub(crate) struct Durability {
    lsm: Arc<Lsm>,
    oracle: Arc<Oracle>,
    blocking: Arc<BlockingHook>,
    pending: Mutex<Pending>,
    arrived: Condvar,
    is_syncing: Mutex<bool>,
    synced: Condvar,
}

#[derive(Default)]
struct Pending {
    callbacks: BTreeMap<Timestamp, Vec<DurableCallback>>,
    thread: Option<JoinHandle<()>>,
    is_stopping: bool,
}

impl Durability {
    pub(crate) fn new(lsm: Arc<Lsm>, oracle: Arc<Oracle>, blocking: Arc<BlockingHook>) -> Self {
        Self {
            lsm,
            oracle,
            blocking,
            pending: Mutex::default(),
            arrived: Condvar::new(),
            is_syncing: Mutex::default(),
            synced: Condvar::new(),
        }
    }

    /// Blocks until every commit at or before `ts` is on disk.
    ///
    /// # Errors
    /// `Io`, `DiskFull` from the sync that failed, `Closed` from every later one.
    pub(crate) fn wait(&self, ts: Timestamp) -> Result<()> {
        let mut result = Ok(());
        if self.oracle.durable() < ts {
            self.blocking.run(&mut || result = self.sync_up_to(ts));
        }
        result
    }

    /// Calls `callback` as soon as every commit at or before `ts` is on disk: at once on this
    /// thread when it is already, else from the sync thread.
    pub(crate) fn on_durable(self: &Arc<Self>, ts: Timestamp, callback: DurableCallback) {
        if self.oracle.durable() >= ts {
            return callback(Ok(()));
        }
        let mut pending = self.pending.lock();
        if pending.is_stopping {
            drop(pending);
            return callback(Err(Error::closed("the database is closed")));
        }
        pending.callbacks.entry(ts).or_default().push(callback);
        if pending.thread.is_none() {
            let durability = Arc::clone(self);
            let builder = thread::Builder::new().name("cairn-sync".into());
            match builder.spawn(move || durability.run()) {
                Ok(thread) => pending.thread = Some(thread),
                // No thread to be had: this one does the work.
                Err(_) => {
                    drop(pending);
                    return self.sync_and_call();
                }
            }
        }
        self.arrived.notify_one();
    }

    /// Serves the callbacks that are left, then ends the sync thread.
    pub(crate) fn stop(&self) {
        let thread = {
            let mut pending = self.pending.lock();
            pending.is_stopping = true;
            pending.thread.take()
        };
        self.arrived.notify_all();
        // The last owner of a database may be one of its own callbacks; that thread ends by itself.
        if let Some(thread) = thread.filter(|it| it.thread().id() != thread::current().id()) {
            let _ = thread.join();
        }
    }

    fn run(&self) {
        loop {
            let mut pending = self.pending.lock();
            while pending.callbacks.is_empty() {
                if pending.is_stopping {
                    return;
                }
                self.arrived.wait(&mut pending);
            }
            drop(pending);
            self.sync_and_call();
        }
    }

    fn sync_and_call(&self) {
        let last = self.oracle.published();
        let result = self.sync_up_to(last);
        let callbacks = {
            let mut pending = self.pending.lock();
            // After a failure nobody is left waiting: no later sync can succeed.
            let durable = if result.is_ok() { self.oracle.durable() } else { Timestamp::MAX };
            match durable.0.checked_add(1) {
                Some(next) => {
                    let later = pending.callbacks.split_off(&Timestamp(next));
                    std::mem::replace(&mut pending.callbacks, later)
                }
                None => std::mem::take(&mut pending.callbacks),
            }
        };
        for callback in callbacks.into_values().flatten() {
            callback(result.clone());
        }
    }

    /// Group commit: one thread syncs for everybody who came before it began; whoever comes
    /// meanwhile waits for its end and then either has what it wanted or syncs for the next group.
    fn sync_up_to(&self, ts: Timestamp) -> Result<()> {
        let mut is_syncing = self.is_syncing.lock();
        while self.oracle.durable() < ts {
            if *is_syncing {
                self.synced.wait(&mut is_syncing);
                continue;
            }
            *is_syncing = true;
            let result = MutexGuard::unlocked(&mut is_syncing, || self.lsm.sync());
            *is_syncing = false;
            if let Ok(durable) = result {
                self.oracle.advance_durable(durable);
                self.oracle.pass_on(&self.lsm);
            }
            // After a failure the others try for themselves and learn why it cannot succeed.
            self.synced.notify_all();
            result?;
        }
        Ok(())
    }
}
