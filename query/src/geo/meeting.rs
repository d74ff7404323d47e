//! Where the lines of two shapes meet: crossings, touches and shared stretches.

use geo::algorithm::line_intersection::{LineIntersection, line_intersection};
use geo::{BoundingRect, Intersects, Line, LineString, Point};

/// What lines have in common.
#[derive(Default)]
pub(super) struct Meeting {
    /// Single positions.
    pub points: Vec<Point<f64>>,
    /// Shared stretches.
    pub stretches: Vec<Line<f64>>,
}

impl Meeting {
    /// Compares every segment of one side with every one of the other.
    pub fn new(a: &[&LineString<f64>], b: &[&LineString<f64>]) -> Self {
        let mut meeting = Self::default();
        for (a, b) in a.iter().flat_map(|a| b.iter().map(move |b| (a, b))) {
            let (Some(a_box), Some(b_box)) = (a.bounding_rect(), b.bounding_rect()) else {
                continue;
            };
            if a_box.intersects(&b_box) {
                meeting.add(a, b);
            }
        }
        meeting.stretches.retain(|stretch| stretch.start != stretch.end);
        meeting
    }

    fn add(&mut self, a: &LineString<f64>, b: &LineString<f64>) {
        for (from, to) in a.lines().flat_map(|from| b.lines().map(move |to| (from, to))) {
            match line_intersection(from, to) {
                Some(LineIntersection::SinglePoint { intersection, .. }) => {
                    self.points.push(Point(intersection));
                }
                Some(LineIntersection::Collinear { intersection }) => {
                    self.stretches.push(along(intersection, from));
                }
                None => {}
            }
        }
    }
}

/// The stretch in the direction of the line that it is part of.
fn along(stretch: Line<f64>, line: Line<f64>) -> Line<f64> {
    let (a, b) = (stretch.delta(), line.delta());
    if a.x * b.x + a.y * b.y < 0.0 { Line::new(stretch.end, stretch.start) } else { stretch }
}
