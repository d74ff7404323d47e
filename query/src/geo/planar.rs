//! Plane geometry: distance, length, area, and shapes made from one shape.

use geo::{Area, Centroid, ConvexHull, Coord, LineString, MultiPoint, Polygon, Simplify};
use geo::{MultiLineString, MultiPolygon, Validation};

use super::parts::Parts;
use super::{Geometry, Kind, collection, shape_kind};

/// A pair of positions, and how far apart they are.
#[derive(Clone, Copy)]
struct Gap {
    distance: f64,
    from: Coord<f64>,
    to: Coord<f64>,
}

impl Gap {
    fn between(from: Coord<f64>, to: Coord<f64>) -> Self {
        let (x, y) = (to.x - from.x, to.y - from.y);
        Self { distance: (x * x + y * y).sqrt(), from, to }
    }

    fn reversed(self) -> Self {
        Self { from: self.to, to: self.from, ..self }
    }

    fn nearer(self, other: Self) -> Self {
        if other.distance < self.distance { other } else { self }
    }

    /// From a position to a segment.
    fn to_segment(from: Coord<f64>, [start, end]: [Coord<f64>; 2]) -> Self {
        let along = end - start;
        let length = along.x * along.x + along.y * along.y;
        let offset = from - start;
        let share = (offset.x * along.x + offset.y * along.y) / length;
        // Also when the segment is a point and the share is NaN.
        if share.is_nan() || share <= 0.0 {
            return Self::between(from, start);
        }
        if share >= 1.0 {
            return Self::between(from, end);
        }
        let side = -offset.y * along.x + offset.x * along.y;
        let to = if side == 0.0 { from } else { start + along * share };
        Self { distance: side.abs() / length * length.sqrt(), from, to }
    }

    fn between_segments(a: [Coord<f64>; 2], b: [Coord<f64>; 2]) -> Self {
        if let Some(shared) = crossing(a, b) {
            return Self::between(shared, shared);
        }
        let [a0, a1] = a.map(|end| Self::to_segment(end, b));
        let [b0, b1] = b.map(|end| Self::to_segment(end, a).reversed());
        a0.nearer(a1).nearer(b0).nearer(b1)
    }
}

/// Where two segments cross properly.
fn crossing([a0, a1]: [Coord<f64>; 2], [b0, b1]: [Coord<f64>; 2]) -> Option<Coord<f64>> {
    let (a, b) = (a1 - a0, b1 - b0);
    let area = a.x * b.y - a.y * b.x;
    if area == 0.0 {
        return None;
    }
    let gap = b0 - a0;
    let along_a = (gap.x * b.y - gap.y * b.x) / area;
    let along_b = (gap.x * a.y - gap.y * a.x) / area;
    let is_inside = (0.0..=1.0).contains(&along_a) && (0.0..=1.0).contains(&along_b);
    is_inside.then(|| a0 + a * along_a)
}

fn closest(a: &Geometry, b: &Geometry) -> Option<Gap> {
    if let (Some(from), Some(to)) = (a.as_point(), b.as_point()) {
        return Some(Gap::between(from, to));
    }
    let (a, b) = (Parts::new(&a.shape), Parts::new(&b.shape));
    if let Some(shared) = enclosed(&a, &b).or_else(|| enclosed(&b, &a)) {
        return Some(Gap::between(shared, shared));
    }
    let (a, b) = (segments(&a), segments(&b));
    let mut best: Option<Gap> = None;
    for from in &a {
        for to in &b {
            let found = Gap::between_segments(*from, *to);
            best = Some(best.map_or(found, |best| best.nearer(found)));
            if found.distance == 0.0 {
                return best;
            }
        }
    }
    best
}

fn enclosed(a: &Parts<'_>, b: &Parts<'_>) -> Option<Coord<f64>> {
    use geo::Intersects;
    a.polygons.iter().find_map(|polygon| b.samples().find(|sample| polygon.intersects(sample)))
}

fn segments(parts: &Parts<'_>) -> Vec<[Coord<f64>; 2]> {
    let points = parts.points.iter().map(|point| [*point, *point]);
    let lines = parts.paths().flat_map(|path| path.lines().map(|line| [line.start, line.end]));
    points.chain(lines).collect()
}

/// `ST_Distance` of geometries; none from or to nothing.
pub fn planar_distance(a: &Geometry, b: &Geometry) -> Option<f64> {
    Some(closest(a, b)?.distance)
}

/// `ST_ClosestPoint`: the position of `a` closest to `b`.
pub fn closest_point(a: &Geometry, b: &Geometry) -> Option<Geometry> {
    Some(Geometry::new(a.srid, geo::Point(closest(a, b)?.from)))
}

/// `ST_ShortestLine`: from `a` to `b`.
pub fn shortest_line(a: &Geometry, b: &Geometry) -> Option<Geometry> {
    let gap = closest(a, b)?;
    Some(Geometry::new(a.srid, LineString::new(vec![gap.from, gap.to])))
}

/// The length of the lines in a shape.
pub fn length(geometry: &Geometry) -> f64 {
    Parts::new(&geometry.shape).lines.iter().map(|line| path_length(line)).sum()
}

/// The length of the polygons' rings.
pub fn perimeter(geometry: &Geometry) -> f64 {
    Parts::new(&geometry.shape).rings().map(path_length).sum()
}

fn path_length(path: &LineString<f64>) -> f64 {
    path.lines().map(|line| Gap::between(line.start, line.end).distance).sum()
}

/// The area of the polygons in a shape.
pub fn area(geometry: &Geometry) -> f64 {
    Parts::new(&geometry.shape).polygons.iter().map(|polygon| polygon.unsigned_area()).sum()
}

/// The centre of gravity; of nothing, an empty point.
pub fn centroid(geometry: &Geometry) -> Geometry {
    match without_empties(&geometry.shape).centroid() {
        Some(point) => Geometry::new(geometry.srid, point),
        None => Geometry::empty(geometry.srid, Kind::Point),
    }
}

/// The smallest convex shape around a shape.
pub fn convex_hull(geometry: &Geometry) -> Geometry {
    if geometry.is_empty() {
        return geometry.clone();
    }
    let points: MultiPoint<f64> = geometry.coords().map(geo::Point).collect();
    let hull = points.convex_hull();
    let mut ring = hull.exterior().0.clone();
    ring.dedup();
    let shape: geo::Geometry<f64> = match ring.as_slice() {
        [point] => geo::Point(*point).into(),
        _ if hull.unsigned_area() == 0.0 => hull_line(geometry).into(),
        _ => Polygon::new(clockwise_from_lowest(ring), Vec::new()).into(),
    };
    Geometry::new(geometry.srid, shape)
}

/// The segment that positions on one line span; two positions keep their order.
fn hull_line(geometry: &Geometry) -> LineString<f64> {
    let mut coords: Vec<Coord<f64>> = Vec::new();
    for coord in geometry.coords() {
        if coords.len() < 3 && !coords.contains(&coord) {
            coords.push(coord);
        }
    }
    if coords.len() > 2 {
        let order = |a: &Coord<f64>, b: &Coord<f64>| a.y.total_cmp(&b.y).then(a.x.total_cmp(&b.x));
        let (low, high) = (geometry.coords().min_by(order), geometry.coords().max_by(order));
        coords = low.into_iter().chain(high).collect();
    }
    LineString::new(coords)
}

/// The order in which GEOS gives the vertices of a hull.
fn clockwise_from_lowest(mut ring: Vec<Coord<f64>>) -> LineString<f64> {
    ring.pop();
    ring.reverse();
    let order = |a: &Coord<f64>, b: &Coord<f64>| a.y.total_cmp(&b.y).then(a.x.total_cmp(&b.x));
    let lowest = (0..ring.len()).min_by(|a, b| order(&ring[*a], &ring[*b])).unwrap_or(0);
    ring.rotate_left(lowest);
    let mut line = LineString::new(ring);
    line.close();
    line
}

/// Whether the shape obeys OGC's rules (rings that do not cross, and so on).
pub fn is_valid(geometry: &Geometry) -> bool {
    without_empties(&geometry.shape).is_valid()
}

/// `ST_Simplify`: fewer vertices, none farther than `tolerance` from the path (Douglas and
/// Peucker). None when nothing of it is left.
pub fn simplify(geometry: &Geometry, tolerance: f64) -> Option<Geometry> {
    let shape: geo::Geometry<f64> = match &geometry.shape {
        geo::Geometry::LineString(line) => line.simplify(tolerance).into(),
        geo::Geometry::MultiLineString(lines) => lines.simplify(tolerance).into(),
        geo::Geometry::Polygon(polygon) => simplified(polygon, tolerance)?.into(),
        geo::Geometry::MultiPolygon(many) => {
            let left: Vec<_> =
                many.0.iter().filter_map(|polygon| simplified(polygon, tolerance)).collect();
            if left.is_empty() {
                return None;
            }
            MultiPolygon::new(left).into()
        }
        shape => shape.clone(),
    };
    Some(Geometry::new(geometry.srid, shape))
}

fn simplified(polygon: &Polygon<f64>, tolerance: f64) -> Option<Polygon<f64>> {
    // As lines: rings of `geo` would keep four positions whatever the tolerance.
    let simple =
        |ring: &LineString<f64>| Some(ring.simplify(tolerance)).filter(|ring| ring.0.len() >= 4);
    let interiors = polygon.interiors().iter().filter_map(simple).collect();
    Some(Polygon::new(simple(polygon.exterior())?, interiors))
}

/// `ST_SnapToGrid`: every position moved to the nearest crossing of the grid; repeated positions
/// and what collapses are dropped. None when nothing is left of a point's parent shape.
pub fn snap_to_grid(geometry: &Geometry, size: [f64; 2], origin: [f64; 2]) -> Geometry {
    let snap = |value: f64, axis: usize| {
        let (size, origin) = (size[axis], origin[axis]);
        if size > 0.0 { ((value - origin) / size).round_ties_even() * size + origin } else { value }
    };
    let snapped = geometry.map_coords(|coord| Coord { x: snap(coord.x, 0), y: snap(coord.y, 1) });
    let shape = match snapped.shape {
        geo::Geometry::LineString(line) => {
            deduplicated(line, 2).unwrap_or_else(|| LineString::new(Vec::new())).into()
        }
        geo::Geometry::MultiLineString(many) => {
            let lines = many.0.into_iter().filter_map(|line| deduplicated(line, 2));
            MultiLineString::new(lines.collect()).into()
        }
        geo::Geometry::Polygon(polygon) => {
            snapped_polygon(polygon).unwrap_or_else(Polygon::empty).into()
        }
        geo::Geometry::MultiPolygon(many) => {
            MultiPolygon::new(many.0.into_iter().filter_map(snapped_polygon).collect()).into()
        }
        shape => shape,
    };
    Geometry::new(geometry.srid, shape)
}

fn deduplicated(mut line: LineString<f64>, len_min: usize) -> Option<LineString<f64>> {
    line.0.dedup();
    (line.0.len() >= len_min).then_some(line)
}

fn snapped_polygon(polygon: Polygon<f64>) -> Option<Polygon<f64>> {
    let (exterior, interiors) = polygon.into_inner();
    let exterior = deduplicated(exterior, 4)?;
    let interiors = interiors.into_iter().filter_map(|ring| deduplicated(ring, 4));
    Some(Polygon::new(exterior, interiors.collect()))
}

/// `ST_Collect`: the shapes as one collection, of their kind when they share a simple one.
pub fn collect(srid: i32, shapes: Vec<geo::Geometry<f64>>) -> Geometry {
    let mut kinds: Vec<Kind> = shapes.iter().map(shape_kind).collect();
    kinds.dedup();
    let shape: geo::Geometry<f64> = match kinds.as_slice() {
        [Kind::Point] => {
            let points = shapes.into_iter().filter_map(|shape| geo::Point::try_from(shape).ok());
            MultiPoint::new(points.collect()).into()
        }
        [Kind::LineString] => {
            let lines = shapes.into_iter().filter_map(|shape| LineString::try_from(shape).ok());
            MultiLineString::new(lines.collect()).into()
        }
        [Kind::Polygon] => {
            let areas = shapes.into_iter().filter_map(|shape| Polygon::try_from(shape).ok());
            MultiPolygon::new(areas.collect()).into()
        }
        _ => collection(shapes),
    };
    Geometry::new(srid, shape)
}

/// The shape without its empty members, whose coordinates would poison the mathematics.
pub(super) fn without_empties(shape: &geo::Geometry<f64>) -> geo::Geometry<f64> {
    match shape {
        geo::Geometry::Point(point) if super::is_empty_point(point) => {
            Kind::GeometryCollection.empty()
        }
        geo::Geometry::MultiPoint(many) => {
            let points = many.0.iter().filter(|point| !super::is_empty_point(point));
            MultiPoint::new(points.copied().collect()).into()
        }
        geo::Geometry::GeometryCollection(many) => {
            let parts = many.0.iter().filter(|part| !super::is_shape_empty(part));
            collection(parts.map(without_empties).collect())
        }
        shape => shape.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Geometry {
        Geometry::parse(text).unwrap()
    }

    #[test]
    fn distances() {
        for (a, b, distance) in [
            ("POINT(0 0)", "POINT(3 4)", 5.0),
            ("POINT(0 1)", "LINESTRING(-1 0,1 0)", 1.0),
            ("LINESTRING(0 -1,0 1)", "LINESTRING(-1 0,1 0)", 0.0),
            ("POINT(1 1)", "POLYGON((0 0,0 9,9 9,9 0,0 0))", 0.0),
            ("POINT(5 5)", "POLYGON((0 0,0 9,9 9,9 0,0 0),(3 3,3 6,6 6,6 3,3 3))", 1.0),
            ("MULTIPOINT(9 9,EMPTY)", "LINESTRING(9 8,9 8)", 1.0),
        ] {
            assert_eq!(planar_distance(&parse(a), &parse(b)), Some(distance));
            assert_eq!(planar_distance(&parse(b), &parse(a)), Some(distance));
        }
        assert_eq!(planar_distance(&parse("POINT EMPTY"), &parse("POINT(1 1)")), None);
    }

    #[test]
    fn hulls() {
        let hull = |text: &str| convex_hull(&parse(text)).to_wkt(None);
        assert_eq!(hull("MULTIPOINT(0 0,1 1,0 1,1 0)"), "POLYGON((0 0,0 1,1 1,1 0,0 0))");
        assert_eq!(hull("MULTIPOINT(0 0,1 1,2 2)"), "LINESTRING(0 0,2 2)");
        assert_eq!(hull("POINT(1 1)"), "POINT(1 1)");
    }
}
