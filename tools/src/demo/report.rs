//! What was measured, as lines for people.

use std::time::Duration;

use super::{Measured, Operation};

/// The line above the lines.
pub(super) fn header() -> String {
    format!(
        "{:<26}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}",
        "operation", "count", "per sec", "p50 ms", "p95 ms", "p99 ms", "max ms"
    )
}

/// One operation.
pub(super) fn line(operation: Operation, measured: &Measured) -> String {
    let ms = |share| milliseconds(measured.latency(share));
    format!(
        "{:<26}{:>10}{:>10.0}{:>10}{:>10}{:>10}{:>10}",
        operation.name(),
        measured.count(),
        measured.per_second(),
        ms(0.5),
        ms(0.95),
        ms(0.99),
        ms(1.0)
    )
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1e3)
}
