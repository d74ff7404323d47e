//! Locks, atomics and threads of what many threads share.
//!
//! They are parking_lot's and the standard library's. With the feature `shuttle`, which only the
//! models ask for, each is one whose every step a scheduler chooses: a model then
//! runs the code itself under thousands of interleavings, and a failing one can be repeated.

#[cfg(not(feature = "shuttle"))]
mod real {
    pub(crate) use std::sync::atomic;
    pub(crate) use std::thread;

    pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};
}

#[cfg(not(feature = "shuttle"))]
pub(crate) use real::*;

#[cfg(feature = "shuttle")]
mod scheduled;

#[cfg(feature = "shuttle")]
pub(crate) use scheduled::*;
