//! `pg_description` and `pg_shdescription`: what COMMENT ON said.

use super::cell::row;
use super::reader::Reader;
use super::{PG_CATALOG, SystemCatalog};
use crate::error::Result;
use crate::plan::Row;

pub(super) const CATALOGS: &[SystemCatalog] = &[SystemCatalog {
    oid: 2609,
    schema: PG_CATALOG,
    name: "pg_description",
    columns: "objoid oid, classoid oid, objsubid int4, description text",
    rows: descriptions,
}];

/// The OID of `pg_namespace`.
const NAMESPACES: u32 = 2615;

fn descriptions(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let comments = reader.catalog().comments.iter();
    let row = |((oid, column), text): (&(u32, i16), &String)| {
        row![*oid, class_of(reader, *oid), i32::from(*column), text]
    };
    let own = comments.map(row);
    Ok(own.chain(super::extension::descriptions()).collect())
}

/// The catalog that an object is a row of.
fn class_of(reader: &Reader<'_>, oid: u32) -> u32 {
    let catalog = reader.catalog();
    if catalog.types.contains_key(&oid) {
        super::types::OID
    } else if catalog.schemas.values().any(|schema| schema.oid == oid) {
        NAMESPACES
    } else if catalog.tables.values().any(|table| is_constraint(table, oid)) {
        super::constraint::OID
    } else {
        super::class::OID
    }
}

fn is_constraint(table: &crate::catalog::TableDef, oid: u32) -> bool {
    table.checks.iter().any(|check| check.oid == oid)
        || table.foreign_keys.iter().any(|key| key.oid == oid)
}
