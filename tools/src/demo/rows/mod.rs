//! Rows as lines of COPY's text format: one table per file.
//!
//! A line follows from the data set and the row's number alone. Times are fixed moments, so that
//! the same seed is the same bytes on every day.

pub mod business;
pub mod review;
pub mod seat;
pub mod url;

use super::Dataset;

/// What tells the draws of one table from those of another.
mod tag {
    pub(super) const URL: u64 = 1;
    pub(super) const BUSINESS: u64 = 2;
    pub(super) const REVIEW: u64 = 3;
}

/// A table of the data set.
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The statement that takes its lines.
    pub copy: &'static str,
    /// How many rows it has.
    pub count: fn(&Dataset) -> u64,
    /// Appends the line of a row; rows are counted from 0.
    pub write: fn(&Source, u64, &mut String),
}

/// The tables in the order in which they can be loaded.
pub const TABLES: [Table; 5] =
    [url::TABLE, seat::EVENTS, seat::TABLE, business::TABLE, review::TABLE];

/// What lines are made from.
pub struct Source {
    /// Which data set.
    pub dataset: Dataset,
    ratings: Vec<review::Rating>,
}

impl Source {
    /// Adds up the ratings of all reviews, which the businesses carry.
    pub fn new(dataset: Dataset) -> Self {
        Self { dataset, ratings: review::ratings(&dataset) }
    }
}

/// A day of the year 2025 and a time of day, drawn.
fn moment(draw: &mut super::Draw) -> String {
    let (month, day) = (1 + draw.below(12), 1 + draw.below(28));
    let second = draw.below(86_400);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("2025-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}+00")
}
