//! R-tree index over bounding boxes: finds rows by place.
//!
//! A small [log-structured index](super::segmented) of its own:
//!
//! - the [`delta`](mod@delta) is an `rstar` tree of recent commits, in memory;
//! - a [`segment`] is a packed R-tree in a file, read in place.

mod aabb;
mod delta;
mod index;
mod nearest;
mod search;
mod segment;

pub use aabb::Aabb;
pub use index::GeoIndex;
pub(super) use index::check_files;
pub use nearest::{Nearest, Neighbor};
pub use search::{Hit, Search};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use segment::fuzz as fuzz_segment;

/// What a search reads.
type State = super::segmented::State<segment::Segment, delta::Delta>;

#[cfg(test)]
mod tests;
