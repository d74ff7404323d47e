//! The views that list relations by name: `pg_tables`, `pg_indexes`, `pg_views`, `pg_matviews`,
//! and what is counted about them: `pg_stat_user_tables`.

use super::cell::{NULL, row};
use super::reader::Reader;
use super::{PG_CATALOG, SystemCatalog};
use crate::catalog::ViewDef;
use crate::catalog::definition_sql::{self, Style};
use crate::error::Result;
use crate::plan::Row;

pub(super) const CATALOGS: &[SystemCatalog] = &[
    SystemCatalog {
        oid: 0,
        schema: PG_CATALOG,
        name: "pg_tables",
        columns: "schemaname name, tablename name, tableowner name, tablespace name, hasindexes bool, \
        hasrules bool, hastriggers bool, rowsecurity bool",
        rows: tables,
    },
    SystemCatalog {
        oid: 0,
        schema: PG_CATALOG,
        name: "pg_indexes",
        columns: "schemaname name, tablename name, indexname name, tablespace name, indexdef text",
        rows: indexes,
    },
    SystemCatalog {
        oid: 0,
        schema: PG_CATALOG,
        name: "pg_views",
        columns: "schemaname name, viewname name, viewowner name, definition text",
        rows: views,
    },
    SystemCatalog {
        oid: 0,
        schema: PG_CATALOG,
        name: "pg_matviews",
        columns: "schemaname name, matviewname name, matviewowner name, tablespace name, hasindexes bool, \
        ispopulated bool, definition text",
        rows: materialized_views,
    },
    SystemCatalog {
        oid: 0,
        schema: PG_CATALOG,
        name: "pg_stat_user_tables",
        columns: "relid oid, schemaname name, relname name, seq_scan int8, seq_tup_read int8, \
        idx_scan int8, idx_tup_fetch int8, n_tup_ins int8, n_tup_upd int8, n_tup_del int8, \
        n_tup_hot_upd int8, n_live_tup int8, n_dead_tup int8, n_mod_since_analyze int8, \
        n_ins_since_vacuum int8, last_vacuum timestamptz, last_autovacuum timestamptz, \
        last_analyze timestamptz, last_autoanalyze timestamptz, vacuum_count int8, \
        autovacuum_count int8, analyze_count int8, autoanalyze_count int8",
        rows: counted_tables,
    },
];

/// The position of `n_live_tup` in `pg_stat_user_tables`, which has eleven columns after it.
const LIVE_ROWS_AT: usize = 11;

fn tables(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let own = reader.tables().map(|table| {
        let has_indexes = definition_sql::indexes(table).next().is_some();
        let has_triggers = !table.foreign_keys.is_empty()
            || reader.catalog().references_to(table.oid).next().is_some();
        row![
            &table.schema,
            &table.name,
            &table.owner,
            NULL,
            has_indexes,
            false,
            has_triggers,
            false
        ]
    });
    let system = super::numbered().filter(|(_, catalog)| !catalog.is_view()).map(|(_, catalog)| {
        let schema = super::schema_name(catalog.schema);
        let owner = reader.role_name(super::BOOTSTRAP_ROLE);
        row![schema, catalog.name, owner, NULL, false, false, false, false]
    });
    Ok(own.chain(system).collect())
}

fn indexes(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let printer = reader.definitions(Style::Plain);
    let mut rows = Vec::new();
    for (_, table) in reader.indexed() {
        let (schema, name) = reader.catalog().known_name(table);
        rows.extend(definition_sql::indexes(table).map(|index| {
            let text = printer.create_index(table, &index);
            row![schema, name, index.name(), NULL, text]
        }));
    }
    Ok(rows)
}

fn views(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let printer = reader.definitions(Style::Plain);
    let plain = reader.views().filter(|view| view.materialized.is_none());
    let row = |view: &std::sync::Arc<ViewDef>| {
        row![&view.schema, &view.name, &view.owner, printer.view_query(view)]
    };
    Ok(plain.map(row).collect())
}

fn materialized_views(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let printer = reader.definitions(Style::Plain);
    let stored = reader.views().filter_map(|view| {
        let table = reader.catalog().table(view.materialized?)?;
        let has_indexes = definition_sql::indexes(table).next().is_some();
        let query = printer.view_query(view);
        Some(row![&view.schema, &view.name, &view.owner, NULL, has_indexes, true, query])
    });
    Ok(stored.collect())
}

fn counted_tables(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let row = |table: &std::sync::Arc<crate::catalog::TableDef>| {
        #[expect(clippy::cast_possible_truncation, reason = "an estimate of a count")]
        let rows = reader.cx.services.row_estimate(table).map_or(0, |rows| rows as i64);
        // Reads and writes are not counted by table: NULL, not a made-up number.
        let mut row = row![table.oid, &table.schema, &table.name];
        row.resize(LIVE_ROWS_AT, NULL);
        row.push(crate::value::Value::Int8(rows));
        row.resize(LIVE_ROWS_AT + 12, NULL);
        row
    };
    Ok(reader.tables().map(row).collect())
}
