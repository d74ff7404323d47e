//! One waiting request: where a thread sleeps until it is granted, cancelled or out of time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::LockOwner;
use super::entry::LockScope;
use super::mode::LockMode;
use crate::sync::{Condvar, Mutex};

/// How often a sleeper looks at its cancel flag although nobody woke it: a flag that is set
/// without [`super::LockTable::wake`] is still noticed within this time.
const CANCEL_POLL: Duration = Duration::from_millis(100);

/// A request in a queue.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) owner: LockOwner,
    pub(super) mode: LockMode,
    pub(super) scope: LockScope,
    pub(super) began: Instant,
    granted: Mutex<Option<Grant>>,
    changed: Condvar,
}

/// What the waiter was given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grant {
    /// Whether the owner had no hold of this scope before.
    pub(super) is_new: bool,
}

/// Why a sleep ended.
#[derive(Debug)]
pub(super) enum Wakeup {
    Granted(Grant),
    TimedOut,
    Cancelled,
}

impl Waiter {
    pub(super) fn new(owner: LockOwner, mode: LockMode, scope: LockScope) -> Self {
        let (granted, changed) = (Mutex::new(None), Condvar::new());
        Self { owner, mode, scope, began: Instant::now(), granted, changed }
    }

    /// Whether this request, being ahead, stands in the way of that one.
    pub(super) fn blocks(&self, owner: LockOwner, mode: LockMode) -> bool {
        self.owner != owner && mode.conflicts().intersects(self.mode.set())
    }

    /// Ends the wait.
    pub(super) fn grant(&self, is_new: bool) {
        *self.granted.lock() = Some(Grant { is_new });
        self.changed.notify_all();
    }

    /// Makes the sleeper look at its cancel flag.
    pub(super) fn wake(&self) {
        // The mutex orders this after a sleeper's check of its flag: no wakeup falls in between.
        drop(self.granted.lock());
        self.changed.notify_all();
    }

    #[cfg(test)]
    pub(super) fn is_granted(&self) -> bool {
        self.granted.lock().is_some()
    }

    /// The grant, if there is one by now.
    pub(super) fn granted(&self) -> Option<Grant> {
        *self.granted.lock()
    }

    /// Sleeps until something happens.
    pub(super) fn sleep(&self, limit: Option<Duration>, cancel: Option<&AtomicBool>) -> Wakeup {
        let deadline = limit.map(|limit| self.began + limit);
        let mut granted = self.granted.lock();
        loop {
            if let Some(grant) = *granted {
                return Wakeup::Granted(grant);
            }
            if cancel.is_some_and(|flag| flag.load(Ordering::Acquire)) {
                return Wakeup::Cancelled;
            }
            let now = Instant::now();
            if deadline.is_some_and(|deadline| now >= deadline) {
                return Wakeup::TimedOut;
            }
            let poll = cancel.map(|_| now + CANCEL_POLL);
            match deadline.into_iter().chain(poll).min() {
                Some(until) => drop(self.changed.wait_until(&mut granted, until)),
                None => self.changed.wait(&mut granted),
            }
        }
    }
}
