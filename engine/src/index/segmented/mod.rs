//! What the derived indexes share: a small log-structured index around a kind of segment and a
//! kind of delta.
//!
//! - the delta holds recent commits, in memory;
//! - a [segment](Segment) is an immutable file of items, each one version of a row;
//! - the [`manifest`] names the segments, oldest first, says which of their items have ended,
//!   and up to which commit they are complete.
//!
//! # Visibility
//! An item begins with the commit that wrote it, which its segment knows, and ends with the next
//! change of its row. That comes later than the segment is written, so ends are kept beside the
//! segments: whoever seals a delta looks up the rows that it changes in the older segments, and
//! a search looks up nothing. What the delta changes is not among the ends yet: a search asks it.
//! So a snapshot finds a row once.
//!
//! A search reads one immutable [`State`] and never holds a lock while it is not running:
//! commits wait for no reader.

mod files;
mod index;
mod manifest;
mod part;
mod policy;

pub(super) use files::{Checked, check_files, is_kind, remove_dir};
pub(super) use index::{Delta, Segmented, State};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use manifest::fuzz as fuzz_manifest;
pub(super) use manifest::{Ended, Kind};
pub(super) use part::{Built, Part, Segment};
