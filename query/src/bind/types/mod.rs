//! Types as binding sees them: their names in SQL, and which become which by themselves.

mod casts;
mod names;

pub(crate) use casts::{CastContext, cast_context, category, common_type, is_preferred};
pub(crate) use names::{Names, resolve_type};
