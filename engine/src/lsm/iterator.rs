//! The iterator over row versions that every sorted source signs.
//!
//! A cursor walks one way for its whole life. Forward it meets user keys ascending and, within
//! one, versions newest first; in reverse exactly the opposite order.

use bytes::Bytes;

use crate::error::Result;
use crate::timestamp::Timestamp;

/// Where a walk begins.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start<'a> {
    /// At the first entry in walking order.
    Beginning,
    /// Forward: at the first entry whose key is at or after this one. In reverse: at the first
    /// entry, in walking order, whose key is before this one.
    Bound(&'a [u8]),
}

/// A position in a sorted source.
pub(crate) trait Cursor {
    /// Moves to `start`.
    fn seek(&mut self, start: Start<'_>) -> Result<()>;

    /// Moves on by one entry. Requires: [`Cursor::key`] is some.
    fn advance(&mut self) -> Result<()>;

    /// The user key here; `None` behind the last entry and before the first seek.
    fn key(&self) -> Option<&[u8]>;

    /// The timestamp here. Meaningless when [`Cursor::key`] is `None`.
    fn ts(&self) -> Timestamp;

    /// The value here; `None` is a tombstone.
    fn value(&self) -> Option<Bytes>;

    /// Whether the entry here is a tombstone.
    fn is_tombstone(&self) -> bool;
}
