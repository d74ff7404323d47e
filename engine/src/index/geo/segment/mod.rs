//! Segments: immutable packed R-trees, one file each, read in place.

mod build;
mod layout;
mod read;

pub(super) use build::build;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use read::fuzz;
pub(super) use read::{Entry, Segment};

use bytes::Bytes;

use super::Aabb;
use crate::timestamp::Timestamp;

/// One version of a row's box.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub key: Bytes,
    pub bounds: Aabb,
    /// The commit that it began with.
    pub begin: Timestamp,
    /// The commit that ended it; [`Timestamp::MAX`] when it has not ended.
    pub end: Timestamp,
}
