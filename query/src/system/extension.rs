//! `pg_extension` and `pg_available_extensions`: what is built in here and an extension in
//! Postgres. It is always there, whether or not CREATE EXTENSION was said.

use super::cell::{NULL, row};
use super::reader::Reader;
use super::{BOOTSTRAP_ROLE, PG_CATALOG, PUBLIC, SystemCatalog};
use crate::error::Result;
use crate::plan::Row;

pub(super) const CATALOGS: &[SystemCatalog] = &[
    SystemCatalog {
        oid: OID,
        schema: PG_CATALOG,
        name: "pg_extension",
        columns: "oid oid, extname name, extowner oid, extnamespace oid, extrelocatable bool, \
        extversion text, extconfig oid[], extcondition text[]",
        rows: installed,
    },
    SystemCatalog {
        oid: 0,
        schema: PG_CATALOG,
        name: "pg_available_extensions",
        columns: "name name, default_version text, installed_version text, comment text",
        rows: available,
    },
];

/// The OID of `pg_extension`.
const OID: u32 = 3079;

/// OID, name, version, description.
const EXTENSIONS: &[(u32, &str, &str, &str)] = &[
    (16_386, "pg_trgm", "1.6", "text similarity measurement and index searching based on trigrams"),
    (16_387, "postgis", "3.3.2", "PostGIS geometry and geography spatial types and functions"),
];

fn installed(_: &Reader<'_>) -> Result<Vec<Row>> {
    let row = |(oid, name, version, _): &(u32, &str, &str, &str)| {
        row![*oid, *name, BOOTSTRAP_ROLE, PUBLIC, false, *version, NULL, NULL]
    };
    Ok(EXTENSIONS.iter().map(row).collect())
}

fn available(_: &Reader<'_>) -> Result<Vec<Row>> {
    let row =
        |(_, name, version, text): &(u32, &str, &str, &str)| row![*name, *version, *version, *text];
    Ok(EXTENSIONS.iter().map(row).collect())
}

/// Their rows in `pg_description`.
pub(super) fn descriptions() -> impl Iterator<Item = Row> {
    EXTENSIONS.iter().map(|(oid, _, _, text)| row![*oid, OID, 0_i32, *text])
}
