//! Reviews: a few businesses have many.

use std::fmt::Write;

use super::super::{Dataset, Draw, words};
use super::{Source, Table, moment, tag};

/// `reviews`.
pub const TABLE: Table = Table {
    name: "reviews",
    copy: "COPY reviews (id, business_id, user_id, rating, body, helpful, created_at) FROM STDIN",
    count: Dataset::reviews,
    write,
};

/// What a business' reviews add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rating {
    /// Of all ratings.
    pub sum: u64,
    /// How many there are.
    pub count: u32,
}

impl Source {
    /// The rating of a business, counted from 0.
    pub fn rating(&self, business: u64) -> Rating {
        let position = usize::try_from(business).unwrap_or(usize::MAX);
        self.ratings.get(position).copied().unwrap_or_default()
    }
}

/// The ratings of all businesses.
pub(super) fn ratings(dataset: &Dataset) -> Vec<Rating> {
    let count = usize::try_from(dataset.businesses()).unwrap_or(0);
    let mut ratings = vec![Rating::default(); count];
    for row in 0..dataset.reviews() {
        let (business, rating) = begin(dataset, row, &mut draw(dataset, row));
        if let Some(total) = ratings.get_mut(usize::try_from(business).unwrap_or(usize::MAX)) {
            total.sum += rating;
            total.count += 1;
        }
    }
    ratings
}

fn draw(dataset: &Dataset, row: u64) -> Draw {
    Draw::new(dataset.seed, tag::REVIEW, row)
}

/// The first draws of a review: its business and its rating. Every other review is of any
/// business, so that all have some.
fn begin(dataset: &Dataset, row: u64, draw: &mut Draw) -> (u64, u64) {
    let count = dataset.businesses();
    let business = if row.is_multiple_of(2) { draw.below(count) } else { draw.skewed_below(count) };
    (business, 5 - draw.skewed_below(5))
}

fn write(source: &Source, row: u64, out: &mut String) {
    let mut draw = draw(&source.dataset, row);
    let (business, rating) = begin(&source.dataset, row, &mut draw);
    let body = (draw.pick(&words::PRAISE), draw.pick(&words::PRAISE));
    let (helpful, created) = (draw.skewed_below(50), moment(&mut draw));
    let (id, business) = (row + 1, business + 1);
    // Writing to a string cannot fail. Every review is by another user: no pair comes twice.
    let _ = writeln!(
        out,
        "{id}\t{business}\t{id}\t{rating}\t{}, {}\t{helpful}\t{created}",
        body.0, body.1
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn businesses_carry_what_their_reviews_add_up_to() {
        let source = Source::new(Dataset::new(0.001, 3).unwrap());
        let mut lines = String::new();
        (0..source.dataset.reviews()).for_each(|row| write(&source, row, &mut lines));
        let of_second = |line: &&str| line.split('\t').nth(1) == Some("2");
        let ratings = lines.lines().filter(of_second).map(|line| line.split('\t').nth(3).unwrap());
        let sum: u64 = ratings.map(|rating| rating.parse::<u64>().unwrap()).sum();
        assert!(sum > 0);
        assert_eq!(source.rating(1).sum, sum);
        assert_eq!(source.rating(u64::MAX), Rating::default());
    }
}
