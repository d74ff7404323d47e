//! The scheduler's locks with the interface of parking_lot's, as far as it is used here.
//!
//! Time does not pass in a model: a wait with a limit lasts until it is notified.

use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use shuttle::sync;
pub(crate) use shuttle::sync::atomic;
pub(crate) use shuttle::thread;

const OPEN: &str = "a guard is open but for a moment inside its own methods";
const POISONED: &str = "a model ends with its first panic";

#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(sync::Mutex<T>);

#[derive(Debug)]
pub(crate) struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    inner: Option<sync::MutexGuard<'a, T>>,
}

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard { mutex: self, inner: Some(self.0.lock().expect(POISONED)) }
    }
}

impl<T> MutexGuard<'_, T> {
    /// Runs something with the mutex unlocked.
    pub(crate) fn unlocked<R>(guard: &mut Self, work: impl FnOnce() -> R) -> R {
        guard.inner = None;
        let result = work();
        guard.inner = Some(guard.mutex.0.lock().expect(POISONED));
        result
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.inner.as_ref().expect(OPEN)
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.inner.as_mut().expect(OPEN)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Condvar(sync::Condvar);

impl Condvar {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }

    pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        guard.inner = guard.inner.take().map(|inner| self.0.wait(inner).expect(POISONED));
    }

    pub(crate) fn wait_for<T>(&self, guard: &mut MutexGuard<'_, T>, _limit: Duration) {
        self.wait(guard);
    }

    pub(crate) fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, _deadline: Instant) {
        self.wait(guard);
    }
}
