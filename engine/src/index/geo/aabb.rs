//! Boxes, and how they are stored as entries.
//!
//! ```text
//! 24 bytes   a point: x, y, z as little-endian f64
//! 48 bytes   a box: the smallest corner, then the largest
//! ```

use bytes::Bytes;

/// An axis-aligned box in three dimensions.
///
/// Planar geometries use x and y with z = 0; geographies use geocentric coordinates on the unit
/// sphere, so that neither the date line nor the poles are special.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Aabb {
    /// The smallest corner.
    pub min: [f64; 3],
    /// The largest corner.
    pub max: [f64; 3],
}

const CORNER_LEN: usize = 24;

impl Aabb {
    /// A box without extent.
    pub fn point(at: [f64; 3]) -> Self {
        Self { min: at, max: at }
    }

    /// Whether it has no extent: then it is the exact position.
    pub fn is_point(&self) -> bool {
        self.min == self.max
    }

    /// Whether the corners are numbers in order.
    pub fn is_valid(&self) -> bool {
        (0..3).all(|axis| self.min[axis] <= self.max[axis])
    }

    /// Whether they share a position.
    #[inline]
    pub fn intersects(&self, other: &Self) -> bool {
        (0..3).all(|axis| self.min[axis] <= other.max[axis] && other.min[axis] <= self.max[axis])
    }

    /// Whether the other lies inside.
    pub fn contains(&self, other: &Self) -> bool {
        (0..3).all(|axis| self.min[axis] <= other.min[axis] && other.max[axis] <= self.max[axis])
    }

    /// The box around both.
    #[must_use]
    pub fn merged(&self, other: &Self) -> Self {
        Self {
            min: std::array::from_fn(|axis| self.min[axis].min(other.min[axis])),
            max: std::array::from_fn(|axis| self.max[axis].max(other.max[axis])),
        }
    }

    /// The straight distance between the closest positions of both.
    #[inline]
    pub fn distance(&self, other: &Self) -> f64 {
        let mut sum = 0.0;
        for axis in 0..3 {
            let gap = (other.min[axis] - self.max[axis]).max(self.min[axis] - other.max[axis]);
            sum += gap.max(0.0) * gap.max(0.0);
        }
        sum.sqrt()
    }

    /// The stored form.
    pub fn encode(&self) -> Bytes {
        let mut out = Vec::with_capacity(2 * CORNER_LEN);
        self.min.iter().for_each(|value| out.extend(value.to_le_bytes()));
        if !self.is_point() {
            self.max.iter().for_each(|value| out.extend(value.to_le_bytes()));
        }
        out.into()
    }

    /// Reads the stored form; `None` when it is none.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bounds = match bytes.len() {
            CORNER_LEN => Self::point(corner(bytes)?),
            _ => {
                let (min, max) = bytes.split_at_checked(CORNER_LEN)?;
                Self { min: corner(min)?, max: corner(max)? }
            }
        };
        bounds.is_valid().then_some(bounds)
    }
}

fn corner(bytes: &[u8]) -> Option<[f64; 3]> {
    let (values, []) = bytes.as_chunks::<8>() else { return None };
    let [x, y, z] = values else { return None };
    Some([x, y, z].map(|value| f64::from_le_bytes(*value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_round_trip() {
        let bounds = Aabb { min: [0.0, -1.5, 2.0], max: [1.0, 1e300, 2.0] };
        for bounds in [bounds, Aabb::point([1.0, 2.0, 3.0])] {
            let bytes = bounds.encode();
            assert_eq!(Aabb::decode(&bytes), Some(bounds));
            for end in 0..bytes.len() {
                assert_ne!(Aabb::decode(&bytes[..end]), Some(bounds));
            }
        }
        assert_eq!(Aabb::decode(&Aabb::point([f64::NAN; 3]).encode()), None);
        assert_eq!(Aabb::decode(&Aabb { min: [1.0; 3], max: [0.0; 3] }.encode()), None);
        assert_eq!(Aabb::decode(&[0; 49]), None);
    }

    #[test]
    fn distances() {
        let unit = Aabb { min: [0.0; 3], max: [1.0; 3] };
        assert_eq!(unit.distance(&Aabb::point([0.5; 3])), 0.0);
        assert_eq!(unit.distance(&Aabb::point([4.0, 5.0, 0.0])), 5.0);
    }
}
