//! `table_constraints`, `referential_constraints`, `check_constraints`.

use std::sync::Arc;

use crate::catalog::definition_sql::constraint::{AnyConstraint, action_words, constraints};
use crate::catalog::definition_sql::{AnyIndex, Style};
use crate::catalog::{ForeignKeyDef, TableDef};
use crate::error::Result;
use crate::plan::Row;
use crate::system::cell::{NULL, row, yes_no};
use crate::system::constraint::find_key;
use crate::system::reader::Reader;

pub(super) fn tables(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let database = reader.database();
    let mut rows = Vec::new();
    for table in reader.tables() {
        rows.extend(constraints(table).map(|constraint| {
            let deferral = constraint.deferral();
            row![
                database,
                &table.schema,
                constraint.name(),
                database,
                &table.schema,
                &table.name,
                kind(&constraint),
                yes_no(deferral.is_some_and(|deferral| deferral.is_deferrable)),
                yes_no(deferral.is_some_and(|deferral| deferral.is_deferred)),
                "YES",
                nulls_distinct(&constraint)
            ]
        }));
        rows.extend(not_nulls(reader, table).map(|(name, _)| {
            row![
                database,
                &table.schema,
                name,
                database,
                &table.schema,
                &table.name,
                "CHECK",
                "NO",
                "NO",
                "YES",
                NULL
            ]
        }));
    }
    Ok(rows)
}

fn kind(constraint: &AnyConstraint<'_>) -> &'static str {
    match constraint.letter() {
        'p' => "PRIMARY KEY",
        'u' => "UNIQUE",
        'f' => "FOREIGN KEY",
        'x' => "EXCLUDE",
        _ => "CHECK",
    }
}

fn nulls_distinct(constraint: &AnyConstraint<'_>) -> Option<&'static str> {
    match constraint {
        AnyConstraint::Key(AnyIndex::Kept(index)) if constraint.letter() == 'u' => {
            Some(yes_no(!index.nulls_not_distinct))
        }
        _ => None,
    }
}

/// NOT NULL counts as a check in the standard; the name is the one that Postgres makes up.
fn not_nulls<'a>(
    reader: &Reader<'_>,
    table: &'a TableDef,
) -> impl Iterator<Item = (String, String)> + 'a {
    let schema = reader.schema(&table.schema);
    let required = table.live_columns().filter(|(_, column)| column.is_not_null);
    required.map(move |(position, column)| {
        let name = format!("{schema}_{}_{}_not_null", table.oid, position + 1);
        (name, format!("{} IS NOT NULL", column.name))
    })
}

pub(super) fn references(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let database = reader.database();
    let row = |(table, key): (&Arc<TableDef>, &Arc<ForeignKeyDef>)| {
        let referenced = reader.catalog().table(key.referenced_table)?;
        let unique = find_key(referenced, &key.referenced_columns)?;
        let (on_update, on_delete) = (action_words(key.on_update), action_words(key.on_delete));
        Some(row![
            database,
            &table.schema,
            &key.name,
            database,
            &referenced.schema,
            unique.name(),
            "NONE",
            on_update,
            on_delete
        ])
    };
    let tables = reader.tables();
    let keys = tables.flat_map(|table| table.foreign_keys.iter().map(move |key| (table, key)));
    Ok(keys.filter_map(row).collect())
}

pub(super) fn checks(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let database = reader.database();
    let printer = reader.definitions(Style::Plain);
    let mut rows = Vec::new();
    for table in reader.tables() {
        rows.extend(table.checks.iter().map(|check| {
            let text = format!("({})", printer.expression(table, &check.expression));
            row![database, &table.schema, &check.name, text]
        }));
        let not_nulls = not_nulls(reader, table);
        rows.extend(not_nulls.map(|(name, text)| row![database, &table.schema, name, text]));
    }
    Ok(rows)
}
