//! Derived indexes: structures that find rows by words or by place.
//!
//! Each is a small [log-structured index](segmented) of its own: an in-memory delta that every
//! commit updates synchronously, immutable segments on disk, and a watermark up to which segments
//! are complete.
//! Their truth are the entries in [`crate::Space::Text`] and [`crate::Space::Geo`].

pub mod derived;
pub mod fulltext;
pub mod geo;
pub(crate) mod maintenance;
pub(crate) mod registry;
mod row_keys;
mod segmented;
pub(crate) mod verify;

pub use derived::{DerivedIndex, Entries, Health, Life};
pub use row_keys::RowKeySet;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use segmented::fuzz_manifest;
