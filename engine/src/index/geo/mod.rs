//! R-tree index over bounding boxes.

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
