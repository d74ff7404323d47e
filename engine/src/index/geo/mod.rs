//! R-tree index over bounding boxes: finds rows by place.
//!
//! A small log-structured index of its own (see [`crate::index::derived`] for its life):
//!
//! - the [`delta`](mod@delta) is an `rstar` tree of recent commits, in memory;
//! - a [`segment`] is a packed R-tree in a file, read in place;
//! - the [`manifest`](mod@manifest) names the segments, oldest first, and the watermark.
//!
//! Components are ordered by time and do not overlap in it. A version of a row's box is visible
//! to a snapshot when it began at or before it, had not ended in its own component, and no newer
//! component knows a change of that row at or before the snapshot. So a row key is found at most
//! once, segments never change, and what no snapshot can see goes away when segments are merged.
//!
//! A search reads one immutable [`state`](mod@state) and never holds a lock while it is not
//! running: `apply` waits for no reader.

mod aabb;
mod delta;
mod index;
mod manifest;
mod nearest;
mod policy;
mod search;
mod segment;
mod state;

pub use aabb::Aabb;
pub use index::GeoIndex;
pub(super) use index::check_files;
pub use nearest::{Nearest, Neighbor};
pub use search::{Hit, Search};

#[cfg(test)]
mod tests;
