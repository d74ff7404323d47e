//! Casts: which exist, in which contexts, and what they do to a value.

mod matrix;

pub use matrix::{CastContext, CastMethod, find_cast};
