//! `key_column_usage`, `constraint_column_usage`, `constraint_table_usage`.

use crate::catalog::TableDef;
use crate::catalog::definition_sql::constraint::{AnyConstraint, constraints};
use crate::error::Result;
use crate::plan::Row;
use crate::system::cell::row;
use crate::system::constraint::{checked_columns, find_key, key_columns};
use crate::system::reader::Reader;

/// A number counted from 1, as the standard counts.
fn ordinal(position: usize) -> i32 {
    i32::try_from(position + 1).unwrap_or(i32::MAX)
}

pub(super) fn keys(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let database = reader.database();
    let mut rows = Vec::new();
    for table in reader.tables() {
        for constraint in constraints(table) {
            let columns = match &constraint {
                AnyConstraint::Check(_) => continue,
                AnyConstraint::ForeignKey(key) => key.columns.clone(),
                AnyConstraint::Key(index) => key_columns(index),
            };
            for (at, position) in columns.iter().enumerate() {
                let Some(column) = table.columns.get(*position) else { continue };
                let referenced = position_in_unique(reader, &constraint, at);
                rows.push(row![
                    database,
                    &table.schema,
                    constraint.name(),
                    database,
                    &table.schema,
                    &table.name,
                    &column.name,
                    ordinal(at),
                    referenced.map(ordinal)
                ]);
            }
        }
    }
    Ok(rows)
}

/// Where the column that a foreign key's column refers to stands in its unique key.
fn position_in_unique(
    reader: &Reader<'_>,
    constraint: &AnyConstraint<'_>,
    at: usize,
) -> Option<usize> {
    let AnyConstraint::ForeignKey(key) = constraint else { return None };
    let referenced = reader.catalog().table(key.referenced_table)?;
    let unique = key_columns(&find_key(referenced, &key.referenced_columns)?);
    let column = key.referenced_columns.get(at)?;
    unique.iter().position(|own| own == column)
}

/// The table and columns that a constraint is about; of a foreign key, those referred to.
fn used<'a>(
    reader: &Reader<'a>,
    table: &'a TableDef,
    constraint: &AnyConstraint<'_>,
) -> Option<(&'a TableDef, Vec<usize>)> {
    Some(match constraint {
        AnyConstraint::Check(check) => (table, checked_columns(table, &check.expression)),
        AnyConstraint::ForeignKey(key) => {
            let referenced = reader.catalog().table(key.referenced_table)?;
            (referenced, key.referenced_columns.clone())
        }
        AnyConstraint::Key(index) => (table, key_columns(index)),
    })
}

pub(super) fn constrained_columns(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let database = reader.database();
    let mut rows = Vec::new();
    for table in reader.tables() {
        for constraint in constraints(table) {
            let Some((of, columns)) = used(reader, table, &constraint) else { continue };
            let columns = columns.iter().filter_map(|position| of.columns.get(*position));
            rows.extend(columns.map(|column| {
                row![
                    database,
                    &of.schema,
                    &of.name,
                    &column.name,
                    database,
                    &table.schema,
                    constraint.name()
                ]
            }));
        }
    }
    Ok(rows)
}

pub(super) fn constrained_tables(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let database = reader.database();
    let mut rows = Vec::new();
    for table in reader.tables() {
        for constraint in constraints(table) {
            let Some((of, _)) = used(reader, table, &constraint) else { continue };
            if constraint.letter() != 'c' {
                let name = constraint.name();
                rows.push(row![database, &of.schema, &of.name, database, &table.schema, name]);
            }
        }
    }
    Ok(rows)
}
