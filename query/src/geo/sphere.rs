//! Geometry on the unit sphere: great-circle arcs, their closest points, points in polygons.

use geo::{Coord, LineString, Polygon};

use super::Geometry;
use super::parts::Parts;

/// A position or direction in geocentric coordinates.
pub(super) type Vector = [f64; 3];

/// Mean radius of WGS 84, (2a + b) / 3, in metres.
pub(super) const RADIUS: f64 = (2.0 * 6_378_137.0 + 6_356_752.314_245_18) / 3.0;

/// Angles below this are none: 0.6 micrometres.
const TOLERANCE: f64 = 1e-13;

/// The unit vector of a longitude and latitude in degrees.
pub(super) fn to_vector(coord: Coord<f64>) -> Vector {
    let (lon_sin, lon_cos) = coord.x.to_radians().sin_cos();
    let (lat_sin, lat_cos) = coord.y.to_radians().sin_cos();
    [lat_cos * lon_cos, lat_cos * lon_sin, lat_sin]
}

fn to_coord([x, y, z]: Vector) -> Coord<f64> {
    Coord { x: y.atan2(x).to_degrees(), y: z.atan2(x.hypot(y)).to_degrees() }
}

pub(super) fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(super) fn sum(a: Vector, b: Vector) -> Vector {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

fn difference(a: Vector, b: Vector) -> Vector {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

fn scale(a: Vector, factor: f64) -> Vector {
    a.map(|part| part * factor)
}

/// The vector product; of nearly equal unit vectors without loss, as (a - b) × (a + b) / 2.
pub(super) fn cross(a: Vector, b: Vector) -> Vector {
    let (minus, plus) = (difference(b, a), sum(b, a));
    [
        0.5 * (plus[1] * minus[2] - plus[2] * minus[1]),
        0.5 * (plus[2] * minus[0] - plus[0] * minus[2]),
        0.5 * (plus[0] * minus[1] - plus[1] * minus[0]),
    ]
}

pub(super) fn normalize(a: Vector) -> Option<Vector> {
    let length = dot(a, a).sqrt();
    (length > 1e-300).then(|| scale(a, 1.0 / length))
}

/// The angle between two unit vectors, exact for small ones.
fn angle(a: Vector, b: Vector) -> f64 {
    let apart = difference(a, b);
    let together = sum(a, b);
    2.0 * dot(apart, apart).sqrt().atan2(dot(together, together).sqrt())
}

/// The angle between two positions in degrees (the formula of Vincenty for the sphere).
pub(super) fn angle_between(from: Coord<f64>, to: Coord<f64>) -> f64 {
    let (from_sin, from_cos) = from.y.to_radians().sin_cos();
    let (to_sin, to_cos) = to.y.to_radians().sin_cos();
    let (lon_sin, lon_cos) = (to.x.to_radians() - from.x.to_radians()).sin_cos();
    let east = to_cos * lon_sin;
    let north = from_cos * to_sin - from_sin * to_cos * lon_cos;
    let along = from_sin * to_sin + from_cos * to_cos * lon_cos;
    (east * east + north * north).sqrt().atan2(along)
}

/// Distance in metres on the sphere; none from or to nothing.
pub fn sphere_distance(a: &Geometry, b: &Geometry) -> Option<f64> {
    let (from, to) = closest_pair(a, b)?;
    Some(angle_between(from, to) * RADIUS)
}

/// Whether two shapes share a position.
pub fn sphere_intersects(a: &Geometry, b: &Geometry) -> bool {
    // What PostGIS takes for zero metres.
    const METRES: f64 = 0.000_01;
    sphere_distance(a, b).is_some_and(|distance| distance <= METRES)
}

/// The closest positions of two shapes; none when one is empty.
pub(super) fn closest_pair(a: &Geometry, b: &Geometry) -> Option<(Coord<f64>, Coord<f64>)> {
    if let (Some(from), Some(to)) = (a.as_point(), b.as_point()) {
        return Some((from, to));
    }
    let (a, b) = (Parts::new(&a.shape), Parts::new(&b.shape));
    if let Some(shared) = enclosed(&a, &b).or_else(|| enclosed(&b, &a)) {
        return Some((shared, shared));
    }
    let mut best: Option<(f64, Vector, Vector)> = None;
    let (a, b) = (arcs(&a), arcs(&b));
    'all: for from in &a {
        for to in &b {
            let found = from.closest(to);
            if best.is_none_or(|best| found.0 < best.0) {
                best = Some(found);
                if found.0 == 0.0 {
                    break 'all;
                }
            }
        }
    }
    best.map(|(_, from, to)| (to_coord(from), to_coord(to)))
}

/// A position of `b` that lies inside a polygon of `a`.
fn enclosed(a: &Parts<'_>, b: &Parts<'_>) -> Option<Coord<f64>> {
    a.polygons.iter().find_map(|polygon| {
        let area = Area::new(polygon)?;
        b.samples().find(|sample| area.covers(to_vector(*sample)))
    })
}

/// A piece of a great circle; a point when both ends are the same.
#[derive(Clone, Copy)]
struct Arc {
    from: Vector,
    to: Vector,
    /// Of the plane; none for a point.
    normal: Option<Vector>,
}

impl Arc {
    fn new(from: Vector, to: Vector) -> Self {
        Self { from, to, normal: if from == to { None } else { normalize(cross(from, to)) } }
    }

    /// Whether a position on the great circle lies between the ends.
    fn spans(&self, position: Vector) -> bool {
        let middle = sum(self.from, self.to);
        dot(position, middle) >= dot(self.from, middle)
    }

    /// The closest position on the arc, and the angle to it.
    fn closest_to(&self, position: Vector) -> (f64, Vector) {
        if let Some(normal) = self.normal {
            let flat = difference(position, scale(normal, dot(position, normal)));
            if let Some(foot) = normalize(flat).filter(|foot| self.spans(*foot)) {
                let apart = angle(position, foot);
                return if apart < TOLERANCE { (0.0, position) } else { (apart, foot) };
            }
        }
        let (from, to) = (angle(position, self.from), angle(position, self.to));
        if from <= to { (from, self.from) } else { (to, self.to) }
    }

    /// The position where two arcs cross.
    fn crossing(&self, other: &Self) -> Option<Vector> {
        let line = normalize(cross(self.normal?, other.normal?))?;
        [line, scale(line, -1.0)].into_iter().find(|at| self.spans(*at) && other.spans(*at))
    }

    /// The angle between the closest positions, and those.
    fn closest(&self, other: &Self) -> (f64, Vector, Vector) {
        if let Some(shared) = self.crossing(other) {
            return (0.0, shared, shared);
        }
        let from_here = [self.from, self.to].map(|end| {
            let (apart, foot) = other.closest_to(end);
            (apart, end, foot)
        });
        let from_there = [other.from, other.to].map(|end| {
            let (apart, foot) = self.closest_to(end);
            (apart, foot, end)
        });
        let mut best = from_here[0];
        for found in [from_here[1], from_there[0], from_there[1]] {
            if found.0 < best.0 {
                best = found;
            }
        }
        best
    }
}

fn path_arcs(path: &LineString<f64>) -> impl Iterator<Item = Arc> + '_ {
    path.0.windows(2).filter_map(|edge| match edge {
        [from, to] => Some(Arc::new(to_vector(*from), to_vector(*to))),
        _ => None,
    })
}

fn arcs(parts: &Parts<'_>) -> Vec<Arc> {
    let points = parts.points.iter().map(|point| {
        let at = to_vector(*point);
        Arc::new(at, at)
    });
    points.chain(parts.paths().flat_map(path_arcs)).collect()
}

/// A polygon prepared for questions about points: a cap around it, and a position outside.
struct Area {
    center: Vector,
    /// Cosine of the angle from the centre to the farthest vertex.
    reach: f64,
    outside: Vector,
    arcs: Vec<Arc>,
}

impl Area {
    fn new(polygon: &Polygon<f64>) -> Option<Self> {
        let rings = std::iter::once(polygon.exterior()).chain(polygon.interiors());
        let arcs: Vec<Arc> = rings.flat_map(path_arcs).collect();
        let total = arcs.iter().fold([0.0; 3], |total, arc| sum(total, arc.from));
        let center = normalize(total)?;
        let reach = arcs.iter().map(|arc| dot(arc.from, center)).fold(1.0, f64::min);
        // A cap below a hemisphere is convex: all arcs between its positions stay inside.
        let outside = if reach > 0.0 {
            let radius = (reach.min(1.0).acos() * 1.01 + 1e-6).min(3.0);
            let (sin, cos) = radius.sin_cos();
            sum(scale(center, cos), scale(across(center), sin))
        } else {
            scale(center, -1.0)
        };
        Some(Self { center, reach, outside, arcs })
    }

    /// Whether a position lies inside or on the boundary: a stab to the outside crosses the
    /// boundary an odd number of times.
    fn covers(&self, position: Vector) -> bool {
        if self.reach > 0.0 && dot(position, self.center) < self.reach - 1e-9 {
            return false;
        }
        if self.arcs.iter().any(|arc| arc.closest_to(position).0 < TOLERANCE) {
            return true;
        }
        let stab = Arc::new(position, self.outside);
        let Some(plane) = stab.normal else { return false };
        let crossings = self.arcs.iter().filter(|arc| {
            let is_straddling = (dot(plane, arc.from) >= 0.0) != (dot(plane, arc.to) >= 0.0);
            is_straddling && stab.crosses_at_line_of(arc)
        });
        crossings.count() % 2 == 1
    }
}

impl Arc {
    /// For an arc whose ends lie on both sides of this one's plane: whether it meets that plane
    /// within this arc. The half-open choice of sides counts a shared vertex once.
    fn crosses_at_line_of(&self, other: &Self) -> bool {
        let (Some(here), Some(there)) = (self.normal, other.normal) else { return false };
        let Some(line) = normalize(cross(here, there)) else { return false };
        // Of the two opposite positions on both circles, the other arc runs through the nearer.
        let at = if dot(line, sum(other.from, other.to)) >= 0.0 { line } else { scale(line, -1.0) };
        self.spans(at)
    }
}

/// Some unit vector at a right angle.
fn across(a: Vector) -> Vector {
    let axis = if a[2].abs() < 0.9 { [0.0, 0.0, 1.0] } else { [1.0, 0.0, 0.0] };
    normalize(cross(a, axis)).unwrap_or([0.0, 1.0, 0.0])
}

/// `ST_Covers` of geographies: every position of `b` lies in `a`.
pub fn sphere_covers(a: &Geometry, b: &Geometry) -> bool {
    if a.is_empty() || b.is_empty() {
        return false;
    }
    let (a, b) = (Parts::new(&a.shape), Parts::new(&b.shape));
    let areas: Vec<Area> = a.polygons.iter().filter_map(|polygon| Area::new(polygon)).collect();
    let a_arcs = arcs(&a);
    let covers_position = |position: Vector| {
        areas.iter().any(|area| area.covers(position))
            || a_arcs.iter().any(|arc| arc.closest_to(position).0 < TOLERANCE)
    };
    let points = b.points.iter().all(|point| covers_position(to_vector(*point)));
    points
        && b.paths().flat_map(path_arcs).all(|arc| {
            // An arc leaves a polygon where it crosses a boundary properly.
            let leaves = areas.iter().flat_map(|area| &area.arcs).any(|edge| {
                edge.crossing(&arc).is_some_and(|at| {
                    [arc.from, arc.to, edge.from, edge.to]
                        .into_iter()
                        .all(|end| angle(at, end) > TOLERANCE)
                })
            });
            let middle = normalize(sum(arc.from, arc.to)).unwrap_or(arc.from);
            !leaves && [arc.from, arc.to, middle].into_iter().all(&covers_position)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distance(a: &str, b: &str) -> f64 {
        sphere_distance(&Geometry::parse(a).unwrap(), &Geometry::parse(b).unwrap()).unwrap()
    }

    #[test]
    fn distances_on_the_sphere() {
        let degree = RADIUS.to_radians();
        assert!((distance("POINT(0 0)", "POINT(0 1)") - degree).abs() < 1e-6);
        assert!((distance("LINESTRING(-10 0,10 0)", "POINT(3 1)") - degree).abs() < 1e-6);
        assert_eq!(distance("LINESTRING(-10 0,10 0)", "LINESTRING(3 1,3 -1)"), 0.0);
        assert_eq!(distance("POLYGON((0 0,0 9,9 9,9 0,0 0))", "POINT(3 1)"), 0.0);
        // Over the pole, and over the date line.
        assert!((distance("POINT(0 89)", "POINT(180 89)") - 2.0 * degree).abs() < 1e-6);
        assert!((distance("LINESTRING(179 0,-179 0)", "POINT(180 1)") - degree).abs() < 1e-6);
    }

    #[test]
    fn points_in_polygons() {
        let covers = |polygon: &str, point: &str| {
            sphere_covers(&Geometry::parse(polygon).unwrap(), &Geometry::parse(point).unwrap())
        };
        let cap = "POLYGON((0 80,120 80,240 80,0 80))";
        assert!(covers(cap, "POINT(17 90)"));
        assert!(!covers(cap, "POINT(17 -90)"));
        let holed = "POLYGON((0 0,0 9,9 9,9 0,0 0),(3 3,3 6,6 6,6 3,3 3))";
        assert!(covers(holed, "POINT(1 1)"));
        assert!(!covers(holed, "POINT(4 4)"));
        assert!(covers(holed, "POINT(3 3)"));
        assert!(covers(holed, "POINT(0 0)"));
        assert!(covers(holed, "LINESTRING(1 1,1 8)"));
        assert!(!covers(holed, "LINESTRING(1 1,8 8)"));
    }
}
