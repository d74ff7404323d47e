//! `tables`, `views`, `sequences` and who may use them.

use super::is_view;
use super::type_facts::numeric;
use crate::catalog::definition_sql::Style;
use crate::error::Result;
use crate::plan::Row;
use crate::system::cell::{NULL, row, yes_no};
use crate::system::reader::Reader;

/// Privileges on a table, in the order in which they are listed.
const PRIVILEGES: &[&str] =
    &["INSERT", "SELECT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"];

pub(super) fn tables(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let database = reader.database();
    let row = |schema: &str, name: &str, kind: &str, is_writable: bool| {
        let writable = yes_no(is_writable);
        row![database, schema, name, kind, NULL, NULL, NULL, NULL, NULL, writable, "NO", NULL]
    };
    let tables = reader.tables().map(|table| {
        let kind = if table.is_temporary { "LOCAL TEMPORARY" } else { "BASE TABLE" };
        row(&table.schema, &table.name, kind, true)
    });
    let views = reader.views().filter(|view| view.materialized.is_none());
    let views = views.map(|view| row(&view.schema, &view.name, "VIEW", false));
    let system = crate::system::numbered().map(|(_, catalog)| {
        let kind = if catalog.is_view() { "VIEW" } else { "BASE TABLE" };
        row(crate::system::schema_name(catalog.schema), catalog.name, kind, false)
    });
    Ok(tables.chain(views).chain(system).collect())
}

pub(super) fn views(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let printer = reader.definitions(Style::Plain);
    let plain = reader.views().filter(|view| view.materialized.is_none());
    let row = |view: &std::sync::Arc<crate::catalog::ViewDef>| {
        let (database, query) = (reader.database(), printer.view_query(view));
        row![database, &view.schema, &view.name, query, "NONE", "NO", "NO", "NO", "NO", "NO"]
    };
    Ok(plain.map(row).collect())
}

pub(super) fn view_table_usage(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let database = reader.database();
    let mut rows = Vec::new();
    for view in reader.views().filter(|view| is_view(reader, view.oid)) {
        let read = view.dependencies.iter().filter_map(|oid| super::name_of(reader, *oid));
        rows.extend(read.map(|(schema, name)| {
            row![database, &view.schema, &view.name, database, schema, name]
        }));
    }
    Ok(rows)
}

/// What can be done with one column.
const COLUMN_PRIVILEGES: &[&str] = &["INSERT", "SELECT", "UPDATE", "REFERENCES"];

/// Whoever owns a table may do everything with its columns.
pub(super) fn column_privileges(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let database = reader.database();
    let mut rows = Vec::new();
    for table in reader.tables() {
        let (owner, schema, name) = (&table.owner, &table.schema, &table.name);
        for (_, column) in table.live_columns() {
            rows.extend(COLUMN_PRIVILEGES.iter().map(|privilege| {
                row![owner, owner, database, schema, name, &column.name, *privilege, "YES"]
            }));
        }
    }
    Ok(rows)
}

/// Whoever owns a table may do everything with it.
pub(super) fn privileges(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let database = reader.database();
    let tables = reader.tables().map(|table| (&table.owner, &table.schema, &table.name));
    let views = reader.views().map(|view| (&view.owner, &view.schema, &view.name));
    let mut rows = Vec::new();
    for (owner, schema, name) in tables.chain(views) {
        rows.extend(PRIVILEGES.iter().map(|privilege| {
            let with_hierarchy = yes_no(*privilege == "SELECT");
            row![owner, owner, database, schema, name, *privilege, "YES", with_hierarchy]
        }));
    }
    Ok(rows)
}

pub(super) fn sequences(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let row = |sequence: &std::sync::Arc<crate::catalog::SequenceDef>| {
        let (precision, radix, scale) = numeric(&sequence.ty);
        row![
            reader.database(),
            &sequence.schema,
            &sequence.name,
            sequence.ty.name(),
            precision,
            radix,
            scale,
            sequence.start.to_string(),
            sequence.min.to_string(),
            sequence.max.to_string(),
            sequence.increment.to_string(),
            yes_no(sequence.is_cycle)
        ]
    };
    // An identity column's sequence is part of its column.
    let is_internal = |oid: u32| {
        reader.tables().any(|table| {
            table.columns.iter().any(|column| {
                matches!(column.default, Some(crate::catalog::ColumnDefault::Identity {
                    sequence, ..
                }) if sequence == oid)
            })
        })
    };
    Ok(reader.sequences().filter(|sequence| !is_internal(sequence.oid)).map(row).collect())
}
