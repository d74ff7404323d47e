//! PostGIS' catalogs: `geometry_columns`, `geography_columns`, `spatial_ref_sys`.

use super::cell::row;
use super::reader::Reader;
use super::{PUBLIC, SystemCatalog};
use crate::error::Result;
use crate::geo::{WEB_MERCATOR, WGS84, format_modifier};
use crate::plan::Row;
use crate::value::{SqlType, Type};

pub(super) const CATALOGS: &[SystemCatalog] = &[
    SystemCatalog {
        oid: 0,
        schema: PUBLIC,
        name: "geometry_columns",
        columns: "f_table_catalog varchar, f_table_schema name, f_table_name name, \
        f_geometry_column name, coord_dimension int4, srid int4, type varchar",
        rows: |reader| Ok(columns(reader, &Type::Geometry)),
    },
    SystemCatalog {
        oid: 0,
        schema: PUBLIC,
        name: "geography_columns",
        columns: "f_table_catalog name, f_table_schema name, f_table_name name, f_geography_column name, \
        coord_dimension int4, srid int4, type text",
        rows: |reader| Ok(columns(reader, &Type::Geography)),
    },
    SystemCatalog {
        oid: 0,
        schema: PUBLIC,
        name: "spatial_ref_sys",
        columns: "srid int4, auth_name varchar, auth_srid int4, srtext varchar, proj4text varchar",
        rows: systems,
    },
];

fn columns(reader: &Reader<'_>, wanted: &Type) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut push = |schema: &str, relation: &str, name: &str, ty: &SqlType| {
        if ty.base == *wanted {
            let (kind, srid) = kind_and_srid(ty);
            let (kind, dimensions) = shape(&kind, wanted);
            rows.push(row![reader.database(), schema, relation, name, dimensions, srid, kind]);
        }
    };
    for table in reader.tables() {
        for (_, column) in table.live_columns() {
            push(&table.schema, &table.name, &column.name, &column.ty);
        }
    }
    for view in reader.views() {
        view.columns.iter().for_each(|(name, ty)| push(&view.schema, &view.name, name, ty));
    }
    rows
}

/// The kind and reference system that a column's modifier asks for.
fn kind_and_srid(ty: &SqlType) -> (String, i32) {
    let text = if ty.modifier < 0 { String::new() } else { format_modifier(ty.modifier) };
    let inner = text.trim_start_matches('(').trim_end_matches(')');
    let (kind, srid) = inner.split_once(',').unwrap_or((inner, "0"));
    let kind = if kind.is_empty() { "Geometry" } else { kind };
    (kind.to_owned(), srid.parse().unwrap_or(0))
}

/// `geometry_columns` shouts the kind and leaves the Z out of it; `geography_columns` does not.
fn shape(kind: &str, ty: &Type) -> (String, i32) {
    let (plain, dimensions) = match kind {
        kind if kind.ends_with("ZM") => (kind.trim_end_matches("ZM"), 4),
        kind if kind.ends_with('Z') => (kind.trim_end_matches('Z'), 3),
        kind if kind.ends_with('M') => (kind, 3),
        kind => (kind, 2),
    };
    match ty {
        Type::Geometry => (plain.to_uppercase(), dimensions),
        _ => (kind.to_owned(), dimensions),
    }
}

/// The reference systems that coordinates can be transformed between.
fn systems(_: &Reader<'_>) -> Result<Vec<Row>> {
    let degrees = "GEOGCS[\"WGS 84\",DATUM[\"WGS_1984\",SPHEROID[\"WGS 84\",6378137,\
                   298.257223563]],PRIMEM[\"Greenwich\",0],UNIT[\"degree\",0.0174532925199433],\
                   AUTHORITY[\"EPSG\",\"4326\"]]";
    let metres = format!(
        "PROJCS[\"WGS 84 / Pseudo-Mercator\",{degrees},PROJECTION[\"Mercator_1SP\"],\
         UNIT[\"metre\",1],AUTHORITY[\"EPSG\",\"3857\"]]"
    );
    Ok(vec![
        row![WEB_MERCATOR, "EPSG", WEB_MERCATOR, metres, "+proj=webmerc +datum=WGS84 +units=m"],
        row![WGS84, "EPSG", WGS84, degrees, "+proj=longlat +datum=WGS84 +no_defs"],
    ])
}
