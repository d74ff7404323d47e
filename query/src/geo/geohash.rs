//! Geohashes: positions as text whose prefixes are boxes (G. Niemeyer, 2008).

use geo::Coord;

use super::{Box2d, Geometry};
use crate::error::{Error, Result};

const ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
const LEN_MAX: usize = 20;
const WORLD: Box2d = Box2d { min: [-180.0, -90.0], max: [180.0, 90.0] };

/// `ST_GeoHash`: of a point 20 characters unless fewer are asked for; of anything else, as many as
/// the smallest box around it shares.
///
/// # Errors
/// XX000 for coordinates that are not degrees.
pub fn encode(geometry: &Geometry, length: usize) -> Result<Option<String>> {
    let Some(bounds) = Box2d::around(geometry) else { return Ok(None) };
    if !WORLD.contains(&bounds) {
        let Box2d { min, max } = bounds;
        return Err(Error::internal(format!(
            "Geohash requires inputs in decimal degrees, got ({} {}, {} {}).",
            min[0], min[1], max[0], max[1]
        )));
    }
    let center = Coord {
        x: bounds.min[0] + (bounds.max[0] - bounds.min[0]) / 2.0,
        y: bounds.min[1] + (bounds.max[1] - bounds.min[1]) / 2.0,
    };
    let length = if length > 0 { length } else { shared_len(&bounds) };
    Ok(Some(encode_point(center, length)))
}

/// How many characters all positions of the box share.
fn shared_len(bounds: &Box2d) -> usize {
    if bounds.min == bounds.max {
        return LEN_MAX;
    }
    let mut cell = WORLD;
    let mut bits = 0;
    loop {
        for axis in [0, 1] {
            let half = (cell.max[axis] - cell.min[axis]) / 2.0;
            if bounds.min[axis] > cell.min[axis] + half {
                cell.min[axis] += half;
            } else if bounds.max[axis] < cell.max[axis] - half {
                cell.max[axis] -= half;
            } else {
                return bits / 5;
            }
            bits += 1;
            if bits >= 5 * LEN_MAX {
                return LEN_MAX;
            }
        }
    }
}

fn encode_point(at: Coord<f64>, length: usize) -> String {
    let mut cell = WORLD;
    let mut axis = 0;
    let mut hash = String::with_capacity(length);
    for _ in 0..length {
        let mut index = 0;
        for _ in 0..5 {
            let middle = f64::midpoint(cell.min[axis], cell.max[axis]);
            let is_upper = [at.x, at.y][axis] >= middle;
            index = index << 1 | usize::from(is_upper);
            if is_upper {
                cell.min[axis] = middle;
            } else {
                cell.max[axis] = middle;
            }
            axis = 1 - axis;
        }
        hash.push(char::from(ALPHABET[index]));
    }
    hash
}

/// The box of the first `length` characters of a geohash; of all when none is given.
///
/// # Errors
/// XX000 for a character that is none of its alphabet.
pub fn decode(hash: &str, length: Option<usize>) -> Result<Box2d> {
    let mut cell = WORLD;
    let mut axis = 0;
    for character in hash.chars().take(length.unwrap_or(usize::MAX)) {
        let lower = character.to_ascii_lowercase();
        let index = ALPHABET.iter().position(|known| char::from(*known) == lower);
        let index = index.ok_or_else(|| {
            let message = format!("decode_geohash_bbox: Invalid character '{character}'");
            Error::internal(message)
        })?;
        for bit in (0..5).rev() {
            let middle = f64::midpoint(cell.min[axis], cell.max[axis]);
            if index >> bit & 1 == 1 {
                cell.min[axis] = middle;
            } else {
                cell.max[axis] = middle;
            }
            axis = 1 - axis;
        }
    }
    Ok(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_postgis() {
        let hash = |text: &str, length| encode(&Geometry::parse(text).unwrap(), length).unwrap();
        assert_eq!(hash("POINT(2.35 48.85)", 0).as_deref(), Some("u09tvkz5yup084hw99k7"));
        assert_eq!(hash("POINT(2.35 48.85)", 6).as_deref(), Some("u09tvk"));
        assert_eq!(hash("LINESTRING(2.35 48.85,2.36 48.86)", 0).as_deref(), Some("u09tv"));
        assert_eq!(hash("LINESTRING(-10 -10,10 10)", 0).as_deref(), Some(""));
        assert_eq!(hash("POINT EMPTY", 0), None);
        let cell = decode("U09TVN", None).unwrap();
        assert_eq!(cell.min, [2.3291015625, 48.856_201_171_875]);
        assert!(decode("a", None).is_err());
    }
}
