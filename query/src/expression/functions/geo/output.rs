//! Functions that write shapes down.

use super::args::{geometry, int_or, text};
use crate::error::Result;
use crate::expression::functions::Builder;
use crate::geo::{ByteOrder, GeoJsonOptions, geohash};
use crate::value::Value;

/// Registers the family.
pub(super) fn register(builder: &mut Builder) {
    for ty in ["geometry", "geography"] {
        builder.function(&format!("st_astext({ty}, [int4]) -> text"), |_, args| {
            Ok(Value::text(geometry(args, 0)?.to_wkt(decimals(args)?)))
        });
        builder.function(&format!("st_asewkt({ty}, [int4]) -> text"), |_, args| {
            Ok(Value::text(geometry(args, 0)?.to_ewkt(decimals(args)?)))
        });
        builder.function(&format!("st_asbinary({ty}, [text]) -> bytea"), |_, args| {
            Ok(Value::Bytea(geometry(args, 0)?.to_wkb(byte_order(args)?).into()))
        });
        builder.function(&format!("st_geohash({ty}, [int4]) -> text"), |_, args| {
            let length = usize::try_from(int_or(args, 1, 0)?).unwrap_or(0);
            Ok(geohash::encode(geometry(args, 0)?, length)?.map_or(Value::Null, Value::text))
        });
    }
    builder
        .function("st_asgeojson(geometry, [int4], [int4]) -> text", |_, args| as_geojson(args, 8));
    builder
        .function("st_asgeojson(geography, [int4], [int4]) -> text", |_, args| as_geojson(args, 0));
    builder.function("st_asewkb(geometry, [text]) -> bytea", |_, args| {
        Ok(Value::Bytea(geometry(args, 0)?.to_ewkb(byte_order(args)?).into()))
    });
    builder.function("st_ashexewkb(geometry, [text]) -> text", |_, args| {
        Ok(Value::text(geometry(args, 0)?.to_hex_ewkb(byte_order(args)?)))
    });
}

/// More decimals than a number can have change nothing.
fn decimals(args: &[Value]) -> Result<Option<usize>> {
    Ok(usize::try_from(int_or(args, 1, 15)?).ok().map(|decimals| decimals.min(1000)))
}

fn byte_order(args: &[Value]) -> Result<ByteOrder> {
    if args.len() < 2 {
        return Ok(ByteOrder::Little);
    }
    let is_big = text(args, 1)?.to_ascii_uppercase().starts_with("XDR");
    Ok(if is_big { ByteOrder::Big } else { ByteOrder::Little })
}

fn as_geojson(args: &[Value], default_bits: i32) -> Result<Value> {
    let decimals = usize::try_from(int_or(args, 1, 9)?).unwrap_or(0).min(15);
    let options = GeoJsonOptions { decimals, bits: int_or(args, 2, default_bits)? };
    Ok(Value::text(geometry(args, 0)?.to_geojson(options)))
}
