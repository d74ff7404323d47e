//! An event and its seats, all still to be had.

use std::fmt::Write;

use super::super::{Dataset, FIRST_EVENT};
use super::{Source, Table};

/// Seats in one section.
const SECTION_SEATS: u64 = 1_000;

/// `events`.
pub const EVENTS: Table = Table {
    name: "events",
    copy: "COPY events (event_id, name, venue, starts_at) FROM STDIN",
    count: |_| 1,
    write: |_, _, out| {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{FIRST_EVENT}\tThe Big Show\tArena\t2040-06-01 20:00:00+00");
    },
};

/// `seats`.
pub const TABLE: Table = Table {
    name: "seats",
    copy: "COPY seats (event_id, seat_id, section, price) FROM STDIN",
    count: Dataset::seats,
    write,
};

fn write(_: &Source, row: u64, out: &mut String) {
    let (seat, section) = (row + 1, row / SECTION_SEATS);
    let price = 150u64.saturating_sub(2 * section).max(25);
    let _ = writeln!(out, "{FIRST_EVENT}\t{seat}\tS{section:02}\t{price}.00");
}
