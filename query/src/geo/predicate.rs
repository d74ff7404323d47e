//! Topological relations of planar shapes, by OGC's nine-intersection model.

use geo::Relate;
use geo::relate::IntersectionMatrix;

use super::Geometry;
use super::bounds::Box2d;
use super::planar::without_empties;

/// A relation that SQL may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// They share a position.
    Intersects,
    /// They share none.
    Disjoint,
    /// The second lies in the first, not only on its boundary.
    Contains,
    /// The first lies in the second, not only on its boundary.
    Within,
    /// The second lies in the first.
    Covers,
    /// The first lies in the second.
    CoveredBy,
    /// They share positions of the boundaries only.
    Touches,
    /// They share some of the interior, in a lower dimension.
    Crosses,
    /// They share some of the interior, in their dimension.
    Overlaps,
    /// They are the same set of positions.
    Equals,
}

/// Whether two shapes are related so.
pub fn relates(a: &Geometry, b: &Geometry, relation: Relation) -> bool {
    let (Some(a_box), Some(b_box)) = (Box2d::around(a), Box2d::around(b)) else {
        // Nothing is apart from everything, and equal to nothing.
        return match relation {
            Relation::Disjoint => true,
            Relation::Equals => a.is_empty() && b.is_empty(),
            _ => false,
        };
    };
    let is_possible = match relation {
        Relation::Contains | Relation::Covers => a_box.contains(&b_box),
        Relation::Within | Relation::CoveredBy => b_box.contains(&a_box),
        Relation::Equals => a_box == b_box,
        _ => a_box.overlaps(&b_box),
    };
    if !is_possible {
        return relation == Relation::Disjoint;
    }
    if let (Some(a), Some(b)) = (a.as_point(), b.as_point()) {
        let is_same = a == b;
        return match relation {
            Relation::Disjoint => !is_same,
            Relation::Touches | Relation::Crosses | Relation::Overlaps => false,
            _ => is_same,
        };
    }
    relation.holds(&matrix(a, b))
}

impl Relation {
    fn holds(self, matrix: &IntersectionMatrix) -> bool {
        match self {
            Self::Intersects => matrix.is_intersects(),
            Self::Disjoint => matrix.is_disjoint(),
            Self::Contains => matrix.is_contains(),
            Self::Within => matrix.is_within(),
            Self::Covers => matrix.is_covers(),
            Self::CoveredBy => matrix.is_coveredby(),
            Self::Touches => matrix.is_touches(),
            Self::Crosses => matrix.is_crosses(),
            Self::Overlaps => matrix.is_overlaps(),
            Self::Equals => matrix.is_equal_topo(),
        }
    }
}

fn matrix(a: &Geometry, b: &Geometry) -> IntersectionMatrix {
    without_empties(&a.shape).relate(&without_empties(&b.shape))
}

/// `ST_Relate`: the nine intersections as text.
pub fn relation_matrix(a: &Geometry, b: &Geometry) -> String {
    use geo::coordinate_position::CoordPos;
    use geo::dimensions::Dimensions;
    let matrix = matrix(a, b);
    let places = [CoordPos::Inside, CoordPos::OnBoundary, CoordPos::Outside];
    let cells = places.into_iter().flat_map(|here| places.map(|there| matrix.get(here, there)));
    cells
        .map(|cell| match cell {
            Dimensions::Empty => 'F',
            Dimensions::ZeroDimensional => '0',
            Dimensions::OneDimensional => '1',
            Dimensions::TwoDimensional => '2',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_of_a_point_and_a_square() {
        let square = Geometry::parse("POLYGON((0 0,0 9,9 9,9 0,0 0))").unwrap();
        let inside = Geometry::parse("POINT(1 1)").unwrap();
        let corner = Geometry::parse("POINT(0 0)").unwrap();
        assert!(relates(&square, &inside, Relation::Contains));
        assert!(!relates(&square, &corner, Relation::Contains));
        assert!(relates(&square, &corner, Relation::Covers));
        assert!(relates(&square, &corner, Relation::Touches));
        assert!(relates(&inside, &square, Relation::Within));
        assert_eq!(relation_matrix(&inside, &square), "0FFFFF212");
    }
}
