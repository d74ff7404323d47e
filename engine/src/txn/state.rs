//! What changes while a transaction runs.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::commit::SerializableGuard;
use super::lock::HeldLock;
use super::oracle::Pin;
use super::read_set::ReadSet;
use super::write_set::{Statement, WriteSet};
use crate::timestamp::Timestamp;

/// The changing part of a transaction, under its mutex.
#[derive(Default)]
pub(super) struct State {
    /// The snapshot; taken when it is first needed.
    pub(super) pin: Option<Arc<Pin>>,
    /// Numbers the current statement.
    pub(super) statement: Statement,
    pub(super) writes: WriteSet,
    pub(super) locks: Vec<HeldLock>,
    /// The newest commit that it has read although it was not durable then.
    pub(super) depends_on: Timestamp,
    /// What it has read, if it is serializable.
    pub(super) reads: Option<ReadSet>,
    pub(super) serializable: Option<SerializableGuard>,
    pub(super) cancel: Option<Arc<AtomicBool>>,
}

impl State {
    /// Notes that it has read what was committed at `ts`.
    pub(super) fn depend_on(&mut self, ts: Timestamp, durable: Timestamp) {
        if ts > durable {
            self.depends_on = self.depends_on.max(ts);
        }
    }
}
