//! What the executor asks when it searches a geo index: boxes to search and bounds to order by.
//!
//! Geometries are indexed by their planar box (z = 0), geographies by their geocentric box on the
//! unit sphere. Boxes handed to a search may be too large, distances handed to an ordering too
//! small; never the other way round.

use cairn_engine::index::geo::Aabb;

use super::sphere::RADIUS;
use super::{Box2d, GeocentricBox, Geometry, planar_distance, sphere_distance};

/// The smallest radius of curvature of WGS 84, a²… b²/a, in metres: no angle on the sphere takes
/// fewer metres per radian on the spheroid.
const METRES_PER_RADIAN_MIN: f64 = 6_335_439.0;

/// What PostGIS' 32-bit boxes may add on the unit sphere, and rounding.
const SPHERE_SLACK: f64 = 2.5e-7;

/// The box that a value is indexed under; none for nothing, which no search finds.
pub fn index_box(geometry: &Geometry, is_geography: bool) -> Option<Aabb> {
    let bounds = if is_geography {
        let bounds = GeocentricBox::around(geometry)?;
        Aabb { min: bounds.min, max: bounds.max }
    } else {
        let Box2d { min: [xmin, ymin], max: [xmax, ymax] } = Box2d::around(geometry)?;
        Aabb { min: [xmin, ymin, 0.0], max: [xmax, ymax, 0.0] }
    };
    let is_ordered = (0..3).all(|axis| bounds.min[axis] <= bounds.max[axis]);
    is_ordered.then_some(bounds)
}

/// A box that meets the indexed box of everything whose box overlaps this value's (`&&`) or, with
/// a distance, that lies within it: metres for a geography, units for a geometry. None when
/// nothing can.
pub fn search_box(geometry: &Geometry, is_geography: bool, distance: Option<f64>) -> Option<Aabb> {
    let bounds = index_box(geometry, is_geography)?;
    let distance = distance.unwrap_or(0.0);
    if distance.is_nan() {
        return None;
    }
    let distance = distance.max(0.0);
    let margins = if is_geography {
        // An axis differs by no more than the chord, the chord by no more than the arc.
        [distance / METRES_PER_RADIAN_MIN * 1.000_001 + SPHERE_SLACK; 3]
    } else {
        // A 32-bit float is off by at most 2⁻²³ of its value, on either side.
        std::array::from_fn(|axis| {
            let largest = bounds.min[axis].abs().max(bounds.max[axis].abs()) + distance;
            distance * 1.000_001 + largest * 3e-7 + f64::from(f32::MIN_POSITIVE)
        })
    };
    Some(Aabb {
        min: std::array::from_fn(|axis| bounds.min[axis] - margins[axis]),
        max: std::array::from_fn(|axis| bounds.max[axis] + margins[axis]),
    })
}

/// A distance (`<->`) that nothing inside `candidate` can fall short of, from anything inside
/// `origin`. Both are boxes of [`index_box`] or contain such.
pub fn distance_lower_bound(origin: &Aabb, candidate: &Aabb, is_geography: bool) -> f64 {
    let squares = (0..3).map(|axis| {
        let gap =
            (candidate.min[axis] - origin.max[axis]).max(origin.min[axis] - candidate.max[axis]);
        gap.max(0.0) * gap.max(0.0)
    });
    let straight = squares.sum::<f64>().sqrt();
    if is_geography {
        // Unit vectors are exact to some 2⁻⁵², about a nanometre on the Earth.
        let chord = (straight - 1e-15).clamp(0.0, 2.0);
        2.0 * (chord / 2.0).asin() * RADIUS * (1.0 - 1e-12)
    } else {
        straight * (1.0 - 1e-12)
    }
}

/// The operator `<->`: planar, or in metres on the sphere. None from or to nothing.
pub fn distance(a: &Geometry, b: &Geometry, is_geography: bool) -> Option<f64> {
    if is_geography { sphere_distance(a, b) } else { planar_distance(a, b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::{Spheroid, WGS84};
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    fn meets(a: &Aabb, b: &Aabb) -> bool {
        (0..3).all(|axis| a.min[axis] <= b.max[axis] && b.min[axis] <= a.max[axis])
    }

    #[test]
    fn bounds_are_safe_on_the_sphere() {
        let mut random = StdRng::seed_from_u64(7);
        for round in 0..20_000 {
            let spread = [180.0, 1.0, 0.001][round % 3];
            let (x, y) = (random.random_range(-180.0..180.0), random.random_range(-90.0..90.0f64));
            let a = Geometry::point(WGS84, x, y);
            let x = x + random.random_range(-spread..spread);
            let y = (y + random.random_range(-spread..spread)).clamp(-90.0, 90.0);
            let b = Geometry::point(WGS84, x, y);
            let (a_box, b_box) = (index_box(&a, true).unwrap(), index_box(&b, true).unwrap());
            assert!(distance_lower_bound(&a_box, &b_box, true) <= distance(&a, &b, true).unwrap());
            let metres = Spheroid::Wgs84.distance(&a, &b).unwrap();
            assert!(meets(&search_box(&a, true, Some(metres)).unwrap(), &b_box));
        }
    }

    #[test]
    fn bounds_are_safe_in_the_plane() {
        let mut random = StdRng::seed_from_u64(8);
        for _ in 0..10_000 {
            let mut point = || {
                Geometry::point(0, random.random_range(-1e6..1e6), random.random_range(-10.0..10.0))
            };
            let (a, b) = (point(), point());
            let (a_box, b_box) = (index_box(&a, false).unwrap(), index_box(&b, false).unwrap());
            let apart = distance(&a, &b, false).unwrap();
            assert!(distance_lower_bound(&a_box, &b_box, false) <= apart);
            assert!(meets(&search_box(&a, false, Some(apart)).unwrap(), &b_box));
        }
        assert!(index_box(&Geometry::parse("POINT EMPTY").unwrap(), false).is_none());
    }
}
