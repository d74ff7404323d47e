//! `pg_ts_config`, `pg_ts_dict` and `pg_ts_parser`: what texts are taken apart with.

use super::cell::{NULL, row};
use super::reader::Reader;
use super::{BOOTSTRAP_ROLE, PG_CATALOG, SystemCatalog};
use crate::error::Result;
use crate::plan::Row;
use crate::text::TextConfig;

pub(super) const CATALOGS: &[SystemCatalog] = &[
    SystemCatalog {
        oid: 3602,
        schema: PG_CATALOG,
        name: "pg_ts_config",
        columns: "oid oid, cfgname name, cfgnamespace oid, cfgowner oid, cfgparser oid",
        rows: configurations,
    },
    SystemCatalog {
        oid: 3600,
        schema: PG_CATALOG,
        name: "pg_ts_dict",
        columns: "oid oid, dictname name, dictnamespace oid, dictowner oid, dicttemplate oid, \
        dictinitoption text",
        rows: dictionaries,
    },
    SystemCatalog {
        oid: 3601,
        schema: PG_CATALOG,
        name: "pg_ts_parser",
        columns: "oid oid, prsname name, prsnamespace oid, prsstart oid, prstoken oid, \
        prsend oid, prsheadline oid, prslextype oid",
        rows: parsers,
    },
];

/// The one parser.
const PARSER: u32 = 3722;

fn configurations(_: &Reader<'_>) -> Result<Vec<Row>> {
    let numbered = TextConfig::numbered();
    Ok(numbered.map(|(oid, name)| row![oid, name, PG_CATALOG, BOOTSTRAP_ROLE, PARSER]).collect())
}

/// Every configuration has a dictionary of its own.
fn dictionaries(_: &Reader<'_>) -> Result<Vec<Row>> {
    let dictionary = |(oid, name): (u32, &str)| {
        let name = if name == "simple" { name.to_owned() } else { format!("{name}_stem") };
        row![oid, name, PG_CATALOG, BOOTSTRAP_ROLE, 0_u32, NULL]
    };
    Ok(TextConfig::numbered().map(dictionary).collect())
}

fn parsers(_: &Reader<'_>) -> Result<Vec<Row>> {
    Ok(vec![row![PARSER, "default", PG_CATALOG, 0_u32, 0_u32, 0_u32, 0_u32, 0_u32]])
}
