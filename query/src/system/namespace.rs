//! `pg_namespace`: schemas.

use super::cell::{NULL, row};
use super::reader::Reader;
use super::{PG_CATALOG, SystemCatalog};
use crate::error::Result;
use crate::plan::Row;

pub(super) const CATALOGS: &[SystemCatalog] = &[SystemCatalog {
    oid: 2615,
    schema: PG_CATALOG,
    name: "pg_namespace",
    columns: "oid oid, nspname name, nspowner oid, nspacl text[]",
    rows: namespaces,
}];

fn namespaces(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let schemas = reader.catalog().schemas.values();
    let row = |schema: &crate::catalog::SchemaDef| {
        row![schema.oid, &schema.name, reader.role(&schema.owner), NULL]
    };
    Ok(schemas.map(row).collect())
}
