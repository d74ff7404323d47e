//! `pg_depend`: what goes with what. Sequences and their columns, indexes and constraints and
//! their tables, views and what they read.

use super::cell::row;
use super::reader::{Reader, number};
use super::{PG_CATALOG, SystemCatalog, attribute, class, constraint, rewrite};
use crate::catalog::definition_sql::{self, AnyIndex, constraint::constraints};
use crate::catalog::{ColumnDefault, TableDef};
use crate::error::Result;
use crate::plan::Row;

pub(super) const CATALOGS: &[SystemCatalog] = &[SystemCatalog {
    oid: 2608,
    schema: PG_CATALOG,
    name: "pg_depend",
    columns: "classid oid, objid oid, objsubid int4, refclassid oid, refobjid oid, refobjsubid int4, \
        deptype \"char\"",
    rows: dependencies,
}];

/// One object, or a column of it: catalog, OID, column.
type Object = (u32, u32, i16);

fn depend(object: Object, on: Object, kind: char) -> Row {
    let (class, oid, column) = object;
    let (on_class, on_oid, on_column) = on;
    row![class, oid, i32::from(column), on_class, on_oid, i32::from(on_column), kind]
}

fn dependencies(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for table in reader.tables() {
        of_sequences(reader, table, &mut rows);
        of_indexes(table, &mut rows);
        of_constraints(table, &mut rows);
        of_defaults(table, &mut rows);
    }
    for view in reader.views() {
        let rule = (rewrite::RULES_OID, rewrite::rule_oid(view.oid), 0);
        rows.push(depend(rule, (class::OID, view.oid, 0), 'i'));
        let read = view.dependencies.iter();
        rows.extend(read.map(|oid| depend(rule, (class::OID, *oid, 0), 'n')));
    }
    Ok(rows)
}

/// A sequence goes with its column: `i` when it makes the column's identity, `a` for `serial`.
fn of_sequences(reader: &Reader<'_>, table: &TableDef, rows: &mut Vec<Row>) {
    let catalog = reader.catalog();
    for (position, column) in table.live_columns() {
        let of = (class::OID, table.oid, number(position));
        if let Some(ColumnDefault::Identity { sequence, .. }) = column.default {
            rows.push(depend((class::OID, sequence, 0), of, 'i'));
            continue;
        }
        let owned = catalog.sequences.values();
        let owned = owned.filter(|sequence| sequence.owned_by == Some((table.oid, position)));
        rows.extend(owned.map(|sequence| depend((class::OID, sequence.oid, 0), of, 'a')));
    }
}

fn of_indexes(table: &TableDef, rows: &mut Vec<Row>) {
    for index in definition_sql::indexes(table) {
        let object = (class::OID, index.oid(), 0);
        let is_plain = matches!(&index, AnyIndex::Kept(kept) if kept.constraint.is_none());
        if !is_plain {
            rows.push(depend(object, (constraint::OID, index.oid(), 0), 'i'));
            continue;
        }
        let columns = constraint::key_columns(&index);
        rows.extend(
            columns
                .into_iter()
                .map(|position| depend(object, (class::OID, table.oid, number(position)), 'a')),
        );
    }
}

fn of_constraints(table: &TableDef, rows: &mut Vec<Row>) {
    for each in constraints(table) {
        let object = (constraint::OID, each.oid(), 0);
        rows.push(depend(object, (class::OID, table.oid, 0), 'a'));
    }
    let keys = table.foreign_keys.iter();
    rows.extend(keys.map(|key| {
        depend((constraint::OID, key.oid, 0), (class::OID, key.referenced_table, 0), 'n')
    }));
}

fn of_defaults(table: &TableDef, rows: &mut Vec<Row>) {
    for (position, column) in table.live_columns() {
        let has_row = matches!(
            column.default,
            Some(ColumnDefault::Expression(_) | ColumnDefault::Generated(_))
        );
        if has_row {
            let object = (attribute::DEFAULTS_OID, attribute::default_oid(table, position), 0);
            rows.push(depend(object, (class::OID, table.oid, number(position)), 'a'));
        }
    }
}
