//! Type modifiers: `geometry(Point,4326)`.
//!
//! PostGIS packs them as `0x00SSSSSK`: reference system (sign-extended 21 bits), kind × 4, and bits
//! for Z (2) and M (1), which Cairn refuses.

use std::borrow::Cow;

use super::{Geometry, Kind, WGS84, z_or_m};
use crate::error::{Error, Result, SqlState};

/// Encodes the modifier of a type name: `["Point", "4326"]`.
///
/// # Errors
/// 22023 as PostGIS; 0A000 for Z and M.
pub fn parse_modifier(args: &[&str], is_geography: bool) -> Result<i32> {
    let invalid = |message: String| Error::new(SqlState::INVALID_PARAMETER_VALUE, message);
    let mut modifier = 0;
    if is_geography {
        modifier |= WGS84 << 8;
    }
    if let Some(name) = args.first() {
        modifier |= (kind_number(name)? << 2).cast_signed();
    }
    if let Some(srid) = args.get(1) {
        let srid = srid.trim().parse::<i32>().map_err(|_| {
            let message = format!("invalid input syntax for type integer: \"{srid}\"");
            Error::new(SqlState::INVALID_TEXT_REPRESENTATION, message)
        })?;
        let srid = super::clamp_srid(srid);
        if is_geography && srid != WGS84 {
            return Err(super::srid::not_lon_lat());
        }
        modifier = modifier & 0xff | srid << 8;
    }
    if args.len() > 2 {
        return Err(invalid("type modifier must have at most two elements".into()));
    }
    Ok(modifier)
}

fn kind_number(name: &str) -> Result<u32> {
    let upper = name.trim().to_ascii_uppercase();
    for (number, kind) in std::iter::once((0, "GEOMETRY".to_owned()))
        .chain(Kind::ALL.map(|kind| (kind as u32, kind.name().to_ascii_uppercase())))
    {
        match upper.strip_prefix(&kind).map(str::trim_start) {
            Some("") => return Ok(number),
            Some("Z" | "M" | "ZM") => return Err(z_or_m()),
            _ => {}
        }
    }
    let message = format!("Invalid geometry type modifier: {name}");
    Err(Error::new(SqlState::INVALID_PARAMETER_VALUE, message))
}

fn modifier_kind(modifier: i32) -> Option<Kind> {
    Kind::from_number((modifier.cast_unsigned() & 0xfc) >> 2)
}

fn modifier_srid(modifier: i32) -> i32 {
    // The sign bit of the reference system is bit 28.
    ((modifier & 0x0fff_ff00) - (modifier & 0x1000_0000)) >> 8
}

/// Writes the modifier as it stands after the type's name, `(Point,4326)`; nothing when there is
/// none.
pub fn format_modifier(modifier: i32) -> String {
    let srid = modifier_srid(modifier);
    match modifier_kind(modifier) {
        _ if modifier < 0 => String::new(),
        None if srid == 0 => String::new(),
        None => format!("(Geometry,{srid})"),
        Some(kind) if srid == 0 => format!("({})", kind.name()),
        Some(kind) => format!("({},{srid})", kind.name()),
    }
}

/// Checks a value against its column's modifier and gives it the column's reference system when
/// it has none.
///
/// # Errors
/// 22023 as PostGIS.
pub fn apply_modifier(geometry: &Geometry, modifier: i32) -> Result<Cow<'_, Geometry>> {
    if modifier < 0 {
        return Ok(Cow::Borrowed(geometry));
    }
    let mut result = Cow::Borrowed(geometry);
    let srid = modifier_srid(modifier);
    if srid > 0 && geometry.srid == 0 {
        result.to_mut().srid = srid;
    } else if srid > 0 && geometry.srid != srid {
        let message =
            format!("Geometry SRID ({}) does not match column SRID ({srid})", geometry.srid);
        return Err(Error::new(SqlState::INVALID_PARAMETER_VALUE, message));
    }
    let kind = geometry.kind();
    match modifier_kind(modifier) {
        // WKB has no empty point of its own everywhere: old writers send an empty multipoint.
        Some(Kind::Point) if kind == Kind::MultiPoint && geometry.is_empty() => {
            result.to_mut().shape = Kind::Point.empty();
        }
        Some(Kind::GeometryCollection) if kind.is_multi() => {}
        Some(wanted) if wanted != kind => {
            let (kind, wanted) = (kind.name(), wanted.name());
            let message = format!("Geometry type ({kind}) does not match column type ({wanted})");
            return Err(Error::new(SqlState::INVALID_PARAMETER_VALUE, message));
        }
        _ => {}
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packs_as_postgis() {
        assert_eq!(parse_modifier(&["point", "4326"], false).unwrap(), 1_107_460);
        assert_eq!(parse_modifier(&["Polygon"], true).unwrap(), 1_107_468);
        assert_eq!(parse_modifier(&["point"], false).unwrap(), 4);
        assert_eq!(format_modifier(1_107_460), "(Point,4326)");
        assert_eq!(format_modifier(4), "(Point)");
        assert_eq!(format_modifier(4326 << 8), "(Geometry,4326)");
        assert_eq!(format_modifier(-1), "");
        assert_eq!(
            parse_modifier(&["foo"], false).unwrap_err().message(),
            "Invalid geometry type modifier: foo"
        );
    }

    #[test]
    fn checks_as_postgis() {
        let line = Geometry::parse("LINESTRING(1 2,3 4)").unwrap();
        let error = apply_modifier(&line, 1_107_460).unwrap_err();
        assert_eq!(
            error.message(),
            "Geometry type (LineString) does not match column type (Point)"
        );
        let point = Geometry::parse("SRID=3857;POINT(1 2)").unwrap();
        let error = apply_modifier(&point, 1_107_460).unwrap_err();
        assert_eq!(error.message(), "Geometry SRID (3857) does not match column SRID (4326)");
        assert_eq!(error.state(), SqlState::INVALID_PARAMETER_VALUE);
        let point = Geometry::parse("POINT(1 2)").unwrap();
        assert_eq!(apply_modifier(&point, 1_107_460).unwrap().srid, 4326);
    }
}
