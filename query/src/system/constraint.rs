//! `pg_constraint`: keys, checks, foreign keys.

use super::cell::{NULL, row};
use super::reader::{Reader, numbers};
use super::{PG_CATALOG, SystemCatalog};
use crate::catalog::definition_sql::AnyIndex;
use crate::catalog::definition_sql::constraint::{AnyConstraint, constraints};
use crate::catalog::{ForeignKeyDef, ReferentialAction, TableDef, TypeKind};
use crate::error::Result;
use crate::plan::Row;
use crate::value::Value;

pub(super) const CATALOGS: &[SystemCatalog] = &[SystemCatalog {
    oid: OID,
    schema: PG_CATALOG,
    name: "pg_constraint",
    columns: "oid oid, conname name, connamespace oid, contype \"char\", condeferrable bool, \
        condeferred bool, convalidated bool, conrelid oid, contypid oid, conindid oid, \
        conparentid oid, confrelid oid, confupdtype \"char\", confdeltype \"char\", \
        confmatchtype \"char\", conislocal bool, coninhcount int4, connoinherit bool, \
        conkey int2[], confkey int2[], conpfeqop oid[], conppeqop oid[], conffeqop oid[], \
        confdelsetcols int2[], conexclop oid[], conbin text",
    rows: all,
}];

/// The OID of `pg_constraint`.
pub(super) const OID: u32 = 2606;

/// What differs between one constraint and the next.
struct Entry<'a> {
    oid: u32,
    name: &'a str,
    schema: u32,
    kind: char,
    is_deferrable: bool,
    is_deferred: bool,
    table: u32,
    domain: u32,
    index: u32,
    referenced: u32,
    actions: (char, char),
    match_kind: char,
    columns: Value,
    referenced_columns: Value,
    condition: Option<&'a String>,
}

impl Entry<'_> {
    fn row(self) -> Row {
        let no_inherit = matches!(self.kind, 'p' | 'u' | 'f' | 'x');
        let (on_update, on_delete) = self.actions;
        row![
            self.oid,
            self.name,
            self.schema,
            self.kind,
            self.is_deferrable,
            self.is_deferred,
            true,
            self.table,
            self.domain,
            self.index,
            0_u32,
            self.referenced,
            on_update,
            on_delete,
            self.match_kind,
            true,
            0_i32,
            no_inherit,
            self.columns,
            self.referenced_columns,
            NULL,
            NULL,
            NULL,
            NULL,
            NULL,
            self.condition
        ]
    }
}

fn all(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for table in reader.tables() {
        let schema = reader.schema(&table.schema);
        rows.extend(constraints(table).map(|constraint| entry(reader, table, &constraint, schema)));
    }
    for def in reader.types() {
        let TypeKind::Domain { checks, .. } = &def.kind else { continue };
        for (position, (name, condition)) in checks.iter().enumerate() {
            let schema = reader.schema(&def.schema);
            let oid = def.oid.wrapping_mul(64).wrapping_add(u32::try_from(position).unwrap_or(0));
            let condition = Some(condition);
            let plain = Entry { oid, name, schema, ..plain('c') };
            rows.push(Entry { domain: def.oid, condition, ..plain }.row());
        }
    }
    Ok(rows)
}

fn plain<'a>(kind: char) -> Entry<'a> {
    Entry {
        oid: 0,
        name: "",
        schema: 0,
        kind,
        is_deferrable: false,
        is_deferred: false,
        table: 0,
        domain: 0,
        index: 0,
        referenced: 0,
        actions: (' ', ' '),
        match_kind: ' ',
        columns: NULL,
        referenced_columns: NULL,
        condition: None,
    }
}

fn entry(
    reader: &Reader<'_>,
    table: &TableDef,
    constraint: &AnyConstraint<'_>,
    schema: u32,
) -> Row {
    let (oid, name) = (constraint.oid(), constraint.name());
    let deferral = constraint.deferral();
    let plain = Entry {
        oid,
        name,
        schema,
        table: table.oid,
        is_deferrable: deferral.is_some_and(|deferral| deferral.is_deferrable),
        is_deferred: deferral.is_some_and(|deferral| deferral.is_deferred),
        ..plain(constraint.letter())
    };
    match constraint {
        AnyConstraint::Check(check) => {
            let columns = checked_columns(table, &check.expression);
            let columns = numbers(&columns);
            Entry { columns, condition: Some(&check.expression), ..plain }.row()
        }
        AnyConstraint::ForeignKey(key) => Entry {
            index: referenced_index(reader, key),
            referenced: key.referenced_table,
            actions: (action(key.on_update), action(key.on_delete)),
            match_kind: 's',
            columns: numbers(&key.columns),
            referenced_columns: numbers(&key.referenced_columns),
            ..plain
        }
        .row(),
        AnyConstraint::Key(index) => {
            Entry { index: oid, columns: numbers(&key_columns(index)), ..plain }.row()
        }
    }
}

/// The columns that an index is over.
pub(super) fn key_columns(index: &AnyIndex<'_>) -> Vec<usize> {
    match index {
        AnyIndex::RowKey(_, _, columns) => columns.to_vec(),
        AnyIndex::Kept(index) => index.keys.iter().filter_map(|key| key.column).collect(),
    }
}

/// The columns that a condition mentions.
pub(super) fn checked_columns(table: &TableDef, sql: &str) -> Vec<usize> {
    let columns = table.live_columns();
    let mentioned = columns.filter(|(_, column)| crate::parse::mentions_column(sql, &column.name));
    mentioned.map(|(position, _)| position).collect()
}

/// The unique index behind a reference.
pub(super) fn referenced_index(reader: &Reader<'_>, key: &ForeignKeyDef) -> u32 {
    let table = reader.catalog().table(key.referenced_table);
    table.map_or(0, |table| find_key(table, &key.referenced_columns).map_or(0, |key| key.oid()))
}

/// The unique index of a table over exactly these columns.
pub(super) fn find_key<'a>(table: &'a TableDef, columns: &[usize]) -> Option<AnyIndex<'a>> {
    crate::catalog::definition_sql::indexes(table).find(|index| {
        let is_unique = match index {
            AnyIndex::RowKey(..) => true,
            AnyIndex::Kept(index) => index.is_exclusive() && index.predicate.is_none(),
        };
        let own = key_columns(index);
        is_unique && own.len() == columns.len() && own.iter().all(|at| columns.contains(at))
    })
}

fn action(action: ReferentialAction) -> char {
    match action {
        ReferentialAction::NoAction => 'a',
        ReferentialAction::Restrict => 'r',
        ReferentialAction::Cascade => 'c',
        ReferentialAction::SetNull => 'n',
        ReferentialAction::SetDefault => 'd',
    }
}
