//! What users do, as the demo counts it.

/// One thing that a user does; [`Client::run`](super::Client::run) does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A short code becomes its URL: one row by a unique key.
    Redirect,
    /// The same as a text with the code in it, nothing prepared.
    RedirectText,
    /// A URL gets its code: an id from the sequence, then one row.
    Shorten,
    /// A click is counted: one row is updated.
    Click,
    /// A seat is held, then reserved and booked in one transaction.
    Booking,
    /// Businesses in a radius, by a word and a price, ranked.
    Search,
    /// The ten nearest businesses.
    Nearest,
    /// The ten businesses whose text fits a word best.
    Rank,
    /// Every user counts a click on the same row.
    HotRow,
}

/// Operations that belong together.
pub struct Workload {
    /// What they are about.
    pub name: &'static str,
    /// Which they are.
    pub operations: &'static [Operation],
}

/// The three workloads of the demo.
pub const WORKLOADS: [Workload; 3] = [
    Workload {
        name: "URL shortener",
        operations: &[Operation::Redirect, Operation::Shorten, Operation::Click],
    },
    Workload { name: "seat booking", operations: &[Operation::Booking] },
    Workload {
        name: "business search",
        operations: &[Operation::Search, Operation::Nearest, Operation::Rank],
    },
];

impl Operation {
    /// All, in the order of the comparison's table.
    pub const ALL: [Self; 9] = [
        Self::Redirect,
        Self::RedirectText,
        Self::Shorten,
        Self::Click,
        Self::Booking,
        Self::Search,
        Self::Nearest,
        Self::Rank,
        Self::HotRow,
    ];

    /// What it is called in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Redirect => "redirect",
            Self::RedirectText => "redirect, plain text",
            Self::Shorten => "shorten",
            Self::Click => "click",
            Self::Booking => "booking",
            Self::Search => "radius + words + filter",
            Self::Nearest => "nearest 10",
            Self::Rank => "top 10 by text rank",
            Self::HotRow => "one hot row",
        }
    }
}
