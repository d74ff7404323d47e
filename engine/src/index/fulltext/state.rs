//! What a search reads: one consistent set of components.

use std::sync::Arc;

use super::delta::Delta;
use super::segment::{Ended, Segment};
use crate::timestamp::Timestamp;

/// A segment, and when its documents ended. Segments never change; what ended does.
#[derive(Clone)]
pub(super) struct Part {
    pub segment: Arc<Segment>,
    pub ended: Arc<Ended>,
}

/// Segments, oldest first, and the delta after them. Never changes but for what the delta gains,
/// which no snapshot taken before can see.
pub(super) struct State {
    pub parts: Vec<Part>,
    pub delta: Arc<Delta>,
    pub watermark: Timestamp,
}

impl Part {
    /// When a document ended; [`Timestamp::MAX`] when no segment knows of an end.
    pub fn end(&self, doc: u32) -> Timestamp {
        if self.ended.is_empty() {
            return Timestamp::MAX;
        }
        self.ended.get(&doc).copied().unwrap_or(Timestamp::MAX)
    }
}
