//! The time of day as SQL counts it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds from the Unix epoch to 2000-01-01 00:00 UTC, where Postgres' clock begins.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// Microseconds since 2000-01-01 UTC.
pub(crate) fn now() -> i64 {
    let micros = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |us| -us),
    };
    micros.saturating_sub(EPOCH_MICROS)
}
