//! What a search reads: one consistent set of components.

use std::sync::Arc;

use super::delta::Delta;
use super::segment::Segment;
use crate::error::Result;
use crate::timestamp::Timestamp;

/// Segments, oldest first, and the delta after them. Never changes but for what the delta gains,
/// which no snapshot taken before can see.
pub(super) struct State {
    pub segments: Vec<Arc<Segment>>,
    pub delta: Arc<Delta>,
    pub watermark: Timestamp,
}

impl State {
    /// Whether a component after segment `index` knows a change of the row that the snapshot sees.
    pub fn is_superseded(&self, index: usize, key: &[u8], snapshot: Timestamp) -> Result<bool> {
        if self.delta.read().is_changed(key, snapshot) {
            return Ok(true);
        }
        for newer in self.segments.iter().skip(index + 1) {
            if newer.first_change(key)?.is_some_and(|first| first <= snapshot) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
