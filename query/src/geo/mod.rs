//! PostGIS' types and functions: `geometry`, `geography`, `ST_*`.

/// A shape with its spatial reference.
#[derive(Clone, Debug)]
pub struct Geometry {
    /// The spatial reference system's identifier; 0 is none.
    pub srid: i32,
    /// The shape.
    pub shape: geo::Geometry<f64>,
}
