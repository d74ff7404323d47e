//! Boxes: planar ones, and geocentric ones around shapes on the sphere.
//!
//! PostGIS compares shapes (`&&`, `~`, `@`, …) by boxes that it keeps as 32-bit floats, rounded
//! outward; so do we, that the same pairs overlap.

use geo::{Coord, LineString};

use super::parts::Parts;
use super::sphere::{Vector, cross, dot, normalize, sum, to_vector};
use super::{Geometry, write_number};

/// A planar box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Box2d {
    /// The lower left corner.
    pub min: [f64; 2],
    /// The upper right corner.
    pub max: [f64; 2],
}

/// A box in geocentric coordinates on the unit sphere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeocentricBox {
    /// The smallest corner.
    pub min: [f64; 3],
    /// The largest corner.
    pub max: [f64; 3],
}

impl Box2d {
    /// The box around a shape; none around an empty one.
    pub fn around(geometry: &Geometry) -> Option<Self> {
        let mut coords = geometry.coords();
        let first = coords.next()?;
        let mut bounds = Self { min: [first.x, first.y], max: [first.x, first.y] };
        coords.for_each(|coord| bounds.extend(coord));
        Some(bounds)
    }

    fn extend(&mut self, coord: Coord<f64>) {
        for (axis, value) in [coord.x, coord.y].into_iter().enumerate() {
            self.min[axis] = self.min[axis].min(value);
            self.max[axis] = self.max[axis].max(value);
        }
    }

    /// The box around both.
    #[must_use]
    pub fn merged(&self, other: &Self) -> Self {
        let mut bounds = *self;
        for [x, y] in [other.min, other.max] {
            bounds.extend(Coord { x, y });
        }
        bounds
    }

    /// The box with its sides moved outward.
    #[must_use]
    pub fn expanded(&self, x: f64, y: f64) -> Self {
        Self { min: [self.min[0] - x, self.min[1] - y], max: [self.max[0] + x, self.max[1] + y] }
    }

    /// The box as PostGIS' indexes and operators see it.
    #[must_use]
    pub fn as_stored(&self) -> Self {
        Self { min: self.min.map(float_below), max: self.max.map(float_above) }
    }

    /// Whether they share a position.
    pub fn overlaps(&self, other: &Self) -> bool {
        (0..2).all(|axis| self.min[axis] <= other.max[axis] && other.min[axis] <= self.max[axis])
    }

    /// Whether the other lies inside.
    pub fn contains(&self, other: &Self) -> bool {
        (0..2).all(|axis| self.min[axis] <= other.min[axis] && other.max[axis] <= self.max[axis])
    }

    /// How far apart they are.
    pub fn distance(&self, other: &Self) -> f64 {
        let gap = |axis: usize| {
            (other.min[axis] - self.max[axis]).max(self.min[axis] - other.max[axis]).max(0.0)
        };
        let (x, y) = (gap(0), gap(1));
        (x * x + y * y).sqrt()
    }

    /// As `box2d` prints.
    pub fn to_text(&self) -> String {
        let mut out = String::from("BOX(");
        for (index, value) in [self.min, self.max].as_flattened().iter().enumerate() {
            out.push_str(["", " ", ",", " "][index]);
            write_number(&mut out, *value, 15);
        }
        out.push(')');
        out
    }

    /// As `box3d` prints.
    pub fn to_text_3d(&self) -> String {
        let mut out = String::from("BOX3D(");
        for (corner, separator) in [(self.min, ","), (self.max, ")")] {
            for value in corner {
                write_number(&mut out, value, 15);
                out.push(' ');
            }
            out.push('0');
            out.push_str(separator);
        }
        out
    }

    /// Reads `BOX(xmin ymin,xmax ymax)` or, with zero or any heights, `BOX3D(…)`.
    pub fn parse(text: &str) -> Option<Self> {
        let upper = text.trim().to_ascii_uppercase();
        let (body, width) = match upper.strip_prefix("BOX3D(") {
            Some(body) => (body, 3),
            None => (upper.strip_prefix("BOX(")?, 2),
        };
        let (low, high) = body.strip_suffix(')')?.split_once(',')?;
        let corner = |text: &str| {
            let numbers: Option<Vec<f64>> =
                text.split_whitespace().map(|number| number.parse().ok()).collect();
            match numbers?.as_slice() {
                [x, y] => Some([*x, *y]),
                [x, y, _] if width == 3 => Some([*x, *y]),
                _ => None,
            }
        };
        let (low, high) = (corner(low)?, corner(high)?);
        Some(Self { min: low, max: low }.merged(&Self { min: high, max: high }))
    }
}

fn float_below(value: f64) -> f64 {
    let float = value as f32;
    let float = if f64::from(float) > value { float.next_down() } else { float };
    f64::from(float.clamp(f32::MIN, f32::MAX))
}

fn float_above(value: f64) -> f64 {
    let float = value as f32;
    let float = if f64::from(float) < value { float.next_up() } else { float };
    f64::from(float.clamp(f32::MIN, f32::MAX))
}

impl GeocentricBox {
    /// The box around a shape whose edges are great circles; none around an empty one.
    pub fn around(geometry: &Geometry) -> Option<Self> {
        if let Some(point) = geometry.as_point() {
            return Some(Self::at(to_vector(point)));
        }
        let parts = Parts::new(&geometry.shape);
        let points = parts.points.iter().map(|point| Self::at(to_vector(*point)));
        let lines = parts.lines.iter().filter_map(|line| Self::around_path(line));
        let polygons = parts.polygons.iter().filter_map(|polygon| {
            let rings = std::iter::once(polygon.exterior()).chain(polygon.interiors());
            let bounds = rings.filter_map(Self::around_path).reduce(Self::merged)?;
            Some(bounds.with_enclosed_poles())
        });
        points.chain(lines).chain(polygons).reduce(Self::merged)
    }

    fn at(position: Vector) -> Self {
        Self { min: position, max: position }
    }

    fn around_path(path: &LineString<f64>) -> Option<Self> {
        let vectors: Vec<Vector> = path.0.iter().map(|coord| to_vector(*coord)).collect();
        let first = Self::at(*vectors.first()?);
        let edges = vectors.windows(2).filter_map(|edge| match edge {
            [from, to] => Some(Self::around_edge(*from, *to)),
            _ => None,
        });
        Some(edges.fold(first, Self::merged))
    }

    /// An arc bulges beyond its ends where its great circle has an extreme of an axis.
    fn around_edge(from: Vector, to: Vector) -> Self {
        let mut bounds = Self::at(from).merged(Self::at(to));
        if dot(from, to) <= -1.0 + 1e-15 {
            // Opposite ends: the arc may run anywhere.
            return Self { min: [-1.0; 3], max: [1.0; 3] };
        }
        let middle = sum(from, to);
        let reach = dot(from, middle);
        let Some(normal) = normalize(cross(from, to)) else { return bounds };
        for axis in 0..3 {
            let mut extreme = normal.map(|part| -part * normal[axis]);
            extreme[axis] += 1.0;
            let Some(extreme) = normalize(extreme) else { continue };
            for extreme in [extreme, extreme.map(|part| -part)] {
                if dot(extreme, middle) > reach {
                    bounds = bounds.merged(Self::at(extreme));
                }
            }
        }
        bounds
    }

    /// A ring around an axis encloses the sphere's point on it: when the box straddles zero in two
    /// directions, it is stretched to the pole of the third on its side (PostGIS' rule, which
    /// may stretch too far and never too little for polygons below a hemisphere).
    fn with_enclosed_poles(mut self) -> Self {
        let straddles =
            |bounds: &Self, axis: usize| bounds.min[axis] < 0.0 && bounds.max[axis] > 0.0;
        for (axis, others) in [(2, [0, 1]), (1, [0, 2]), (0, [1, 2])] {
            if others.into_iter().all(|other| straddles(&self, other)) {
                if self.max[axis] >= 0.0 {
                    self.max[axis] = 1.0;
                }
                if self.min[axis] <= 0.0 {
                    self.min[axis] = -1.0;
                }
            }
        }
        self
    }

    fn merged(self, other: Self) -> Self {
        Self {
            min: std::array::from_fn(|axis| self.min[axis].min(other.min[axis])),
            max: std::array::from_fn(|axis| self.max[axis].max(other.max[axis])),
        }
    }

    /// The box as PostGIS' indexes and operators see it.
    #[must_use]
    pub fn as_stored(&self) -> Self {
        Self { min: self.min.map(float_below), max: self.max.map(float_above) }
    }

    /// Whether they share a position.
    pub fn overlaps(&self, other: &Self) -> bool {
        (0..3).all(|axis| self.min[axis] <= other.max[axis] && other.min[axis] <= self.max[axis])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_reads() {
        let bounds = Box2d { min: [0.5, 1.0], max: [2.0, 1e20] };
        assert_eq!(bounds.to_text(), "BOX(0.5 1,2 1e+20)");
        assert_eq!(bounds.to_text_3d(), "BOX3D(0.5 1 0,2 1e+20 0)");
        assert_eq!(Box2d::parse(&bounds.to_text()), Some(bounds));
        assert_eq!(Box2d::parse(&bounds.to_text_3d()), Some(bounds));
        assert_eq!(Box2d::parse("BOX(1)"), None);
    }

    #[test]
    fn arcs_bulge_and_poles_are_enclosed() {
        let around = |text: &str| GeocentricBox::around(&Geometry::parse(text).unwrap()).unwrap();
        let arc = around("LINESTRING(-60 60,60 60)");
        assert!(arc.max[2] > 60f64.to_radians().sin() + 0.01);
        let cap = around("POLYGON((0 80,120 80,240 80,0 80))");
        assert_eq!(cap.max[2], 1.0);
        let outside = around("POINT(5 40)");
        assert!(!cap.overlaps(&outside));
    }
}
