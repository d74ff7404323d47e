//! How values print.

/// Settings that change how values print.
#[derive(Clone, Debug)]
pub struct OutputStyle {
    /// `TimeZone`
    pub time_zone: jiff::tz::TimeZone,
    /// `bytea_output = escape` rather than `hex`
    pub is_bytea_escape: bool,
    /// `extra_float_digits`
    pub extra_float_digits: i32,
}

impl Default for OutputStyle {
    fn default() -> Self {
        Self { time_zone: jiff::tz::TimeZone::UTC, is_bytea_escape: false, extra_float_digits: 1 }
    }
}
