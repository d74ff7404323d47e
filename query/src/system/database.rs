//! `pg_database`, `pg_tablespace`, `pg_stat_database`.

use super::cell::{NULL, row};
use super::reader::Reader;
use super::{BOOTSTRAP_ROLE, PG_CATALOG, SystemCatalog};
use crate::catalog::DatabaseDef;
use crate::error::Result;
use crate::expression::context::SystemFacts;
use crate::plan::Row;
use crate::value::Value;

pub(super) const CATALOGS: &[SystemCatalog] = &[
    SystemCatalog {
        oid: 1262,
        schema: PG_CATALOG,
        name: "pg_database",
        columns: "oid oid, datname name, datdba oid, encoding int4, datlocprovider \"char\", \
        datistemplate bool, datallowconn bool, datconnlimit int4, datfrozenxid oid, \
        datminmxid oid, dattablespace oid, datcollate text, datctype text, daticulocale text, \
        datcollversion text, datacl text[]",
        rows: databases,
    },
    SystemCatalog {
        oid: 1213,
        schema: PG_CATALOG,
        name: "pg_tablespace",
        columns: "oid oid, spcname name, spcowner oid, spcacl text[], spcoptions text[]",
        rows: tablespaces,
    },
    SystemCatalog {
        oid: 0,
        schema: PG_CATALOG,
        name: "pg_stat_database",
        columns: "datid oid, datname name, numbackends int4, xact_commit int8, xact_rollback int8, \
        blks_read int8, blks_hit int8, tup_returned int8, tup_fetched int8, tup_inserted int8, \
        tup_updated int8, tup_deleted int8, conflicts int8, temp_files int8, temp_bytes int8, \
        deadlocks int8, checksum_failures int8, checksum_last_failure timestamptz, \
        blk_read_time float8, blk_write_time float8, session_time float8, active_time float8, \
        idle_in_transaction_time float8, sessions int8, sessions_abandoned int8, \
        sessions_fatal int8, sessions_killed int8, stats_reset timestamptz",
        rows: activity,
    },
];

/// The encoding of all text.
pub(crate) const UTF8: i32 = 6;
/// The tablespace `pg_default`.
const DEFAULT_TABLESPACE: u32 = 1663;

/// Columns of `pg_stat_database`.
const STATISTICS_WIDTH: usize = 28;

fn databases(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let setting = |name: &str| reader.cx.services.setting(name);
    let collate = setting("lc_collate").unwrap_or_else(|| "C.UTF-8".to_owned());
    let ctype = setting("lc_ctype").unwrap_or_else(|| "C.UTF-8".to_owned());
    let row = |database: &DatabaseDef| {
        row![
            database.oid,
            &database.name,
            reader.role(&database.owner),
            UTF8,
            'c',
            false,
            true,
            -1_i32,
            0_u32,
            0_u32,
            DEFAULT_TABLESPACE,
            &collate,
            &ctype,
            NULL,
            NULL,
            NULL
        ]
    };
    Ok(reader.globals.databases.values().map(row).collect())
}

fn tablespaces(_: &Reader<'_>) -> Result<Vec<Row>> {
    let tablespace = |oid: u32, name: &str| row![oid, name, BOOTSTRAP_ROLE, NULL, NULL];
    Ok(vec![tablespace(DEFAULT_TABLESPACE, "pg_default"), tablespace(1664, "pg_global")])
}

fn activity(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let backends = reader.running(SystemFacts::Activity)?;
    let connected = |oid: u32| {
        let is_here = |row: &&Row| matches!(row.first(), Some(Value::Oid(own)) if *own == oid);
        i32::try_from(backends.iter().filter(is_here).count()).unwrap_or(i32::MAX)
    };
    // What is not counted by database is NULL, not a made-up number.
    let row = |database: &DatabaseDef| {
        let mut row = row![database.oid, &database.name, connected(database.oid)];
        row.resize(STATISTICS_WIDTH, NULL);
        row
    };
    Ok(reader.globals.databases.values().map(row).collect())
}
