//! Casts: which exist, in which contexts, and what they do to a value.

mod apply;
mod length;
mod matrix;
mod number;

pub use apply::cast;
pub use length::apply_modifier;
pub use matrix::{CastContext, CastMethod, find_cast};
