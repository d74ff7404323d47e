//! Segments: immutable packed R-trees, one file each, read in place.

mod build;
mod layout;
mod read;

pub(super) use build::build;
pub(super) use read::Segment;

use bytes::Bytes;

use super::Aabb;
use crate::timestamp::Timestamp;

/// One version of a row's box.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub key: Bytes,
    pub bounds: Aabb,
    /// The commit that it began with.
    pub start: Timestamp,
    /// The commit that ended it, as far as this component knows.
    pub end: Timestamp,
}

/// The first change of a row in a component: it ends what older components know of the row.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub key: Bytes,
    pub first: Timestamp,
}
