//! Telling the surrounding runtime that a thread is about to block.
//!
//! The engine waits on condition variables and on the disk. A server that runs many sessions on a
//! few threads must know beforehand, so that it can put another thread in the place of this one
//! (tokio's `block_in_place`).

use std::sync::OnceLock;

/// Runs the given closure, somewhere where blocking does no harm.
pub type RunBlocking = fn(&mut dyn FnMut());

/// The hook, once it is set.
#[derive(Default)]
pub(crate) struct BlockingHook(OnceLock<RunBlocking>);

impl BlockingHook {
    /// Sets the hook. The first one stays.
    pub(crate) fn set(&self, hook: RunBlocking) {
        let _ = self.0.set(hook);
    }

    /// Runs something that may block.
    pub(crate) fn run(&self, work: &mut dyn FnMut()) {
        match self.0.get() {
            Some(hook) => hook(work),
            None => work(),
        }
    }
}
