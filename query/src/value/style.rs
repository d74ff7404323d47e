//! How values print.

use std::sync::Arc;

use crate::catalog::Catalog;

/// Settings that change how values print.
#[derive(Clone, Debug)]
pub struct OutputStyle {
    /// `TimeZone`
    pub time_zone: jiff::tz::TimeZone,
    /// `bytea_output = escape` rather than `hex`
    pub is_bytea_escape: bool,
    /// `extra_float_digits`
    pub extra_float_digits: i32,
    /// Knows the names behind `regclass` and its kind; without it they print as numbers.
    pub catalog: Option<Arc<Catalog>>,
}

impl Default for OutputStyle {
    fn default() -> Self {
        Self {
            time_zone: jiff::tz::TimeZone::UTC,
            is_bytea_escape: false,
            extra_float_digits: 1,
            catalog: None,
        }
    }
}
