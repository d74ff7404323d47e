//! `pg_attribute` and `pg_attrdef`: columns and their defaults.

use super::cell::{NULL, row, small};
use super::reader::Reader;
use super::types::{alignment, collation, is_by_value, storage};
use super::{PG_CATALOG, SystemCatalog};
use crate::catalog::definition_sql::{self, AnyIndex};
use crate::catalog::{ColumnDef, ColumnDefault, IndexKey, TableDef, TypeKind};
use crate::error::Result;
use crate::plan::Row;
use crate::value::{SqlType, Type};

pub(super) const CATALOGS: &[SystemCatalog] = &[
    SystemCatalog {
        oid: 1249,
        schema: PG_CATALOG,
        name: "pg_attribute",
        columns: "attrelid oid, attname name, atttypid oid, attstattarget int4, attlen int2, attnum int2, \
        attndims int4, attcacheoff int4, atttypmod int4, attbyval bool, attalign \"char\", \
        attstorage \"char\", attcompression \"char\", attnotnull bool, atthasdef bool, \
        atthasmissing bool, attidentity \"char\", attgenerated \"char\", attisdropped bool, \
        attislocal bool, attinhcount int4, attcollation oid, attacl text[], attoptions text[], \
        attfdwoptions text[], attmissingval text",
        rows: attributes,
    },
    SystemCatalog {
        oid: DEFAULTS_OID,
        schema: PG_CATALOG,
        name: "pg_attrdef",
        columns: "oid oid, adrelid oid, adnum int2, adbin text",
        rows: defaults,
    },
];

/// The OID of `pg_attrdef`.
pub(super) const DEFAULTS_OID: u32 = 2604;

/// What differs between one column and the next.
struct Attribute<'a> {
    relation: u32,
    name: &'a str,
    ty: &'a SqlType,
    number: i16,
    is_not_null: bool,
    has_default: bool,
    identity: &'static str,
    generated: &'static str,
    is_dropped: bool,
}

impl<'a> Attribute<'a> {
    fn new(relation: u32, (name, ty): (&'a str, &'a SqlType), position: usize) -> Self {
        Self {
            relation,
            name,
            ty,
            number: small(position + 1),
            is_not_null: false,
            has_default: false,
            identity: "",
            generated: "",
            is_dropped: false,
        }
    }

    fn of_column(relation: u32, column: &'a ColumnDef, position: usize) -> Self {
        let (identity, generated) = match &column.default {
            Some(ColumnDefault::Identity { is_always: true, .. }) => ("a", ""),
            Some(ColumnDefault::Identity { .. }) => ("d", ""),
            Some(ColumnDefault::Generated(_)) => ("", "s"),
            _ => ("", ""),
        };
        Self {
            is_not_null: column.is_not_null,
            has_default: column.default.is_some() && identity.is_empty(),
            identity,
            generated,
            is_dropped: column.is_dropped,
            ..Self::new(relation, (&column.name, &column.ty), position)
        }
    }

    fn row(self) -> Row {
        let base = &self.ty.base;
        let dimensions = i32::from(base.element().is_some());
        let oid = if self.is_dropped { 0 } else { base.oid() };
        row![
            self.relation,
            self.name,
            oid,
            -1_i32,
            base.len(),
            self.number,
            dimensions,
            -1_i32,
            self.ty.modifier,
            is_by_value(base),
            alignment(base),
            storage(base),
            "",
            self.is_not_null,
            self.has_default,
            false,
            self.identity,
            self.generated,
            self.is_dropped,
            true,
            0_i32,
            collation(base),
            NULL,
            NULL,
            NULL,
            NULL
        ]
    }
}

fn attributes(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for table in reader.tables() {
        let columns = table.columns.iter().enumerate();
        rows.extend(columns.map(|(position, column)| {
            let name = format!("........pg.dropped.{}........", position + 1);
            let mut attribute = Attribute::of_column(table.oid, column, position);
            if column.is_dropped {
                attribute.name = &name;
            }
            attribute.row()
        }));
    }
    for (_, table) in reader.indexed() {
        for index in definition_sql::indexes(table) {
            index_attributes(table, &index, &mut rows);
        }
    }
    for view in reader.views() {
        push_columns(view.oid, &view.columns, &mut rows);
    }
    for sequence in reader.sequences() {
        push_columns(sequence.oid, &sequence_columns(), &mut rows);
    }
    for def in reader.types() {
        if let TypeKind::Composite(fields) = &def.kind {
            push_columns(def.oid, fields, &mut rows);
        }
    }
    for (oid, catalog) in super::numbered() {
        push_columns(oid, &catalog.columns(), &mut rows);
    }
    Ok(rows)
}

fn push_columns(relation: u32, columns: &[(String, SqlType)], rows: &mut Vec<Row>) {
    let columns = columns.iter().enumerate();
    rows.extend(
        columns.map(|(position, (name, ty))| Attribute::new(relation, (name, ty), position).row()),
    );
}

/// What a sequence shows when it is selected from.
fn sequence_columns() -> Vec<(String, SqlType)> {
    let columns = [("last_value", Type::Int8), ("log_cnt", Type::Int8), ("is_called", Type::Bool)];
    columns.map(|(name, ty)| (name.to_owned(), SqlType::new(ty))).to_vec()
}

fn index_attributes(table: &TableDef, index: &AnyIndex<'_>, rows: &mut Vec<Row>) {
    let mut push = |name: &str, ty: &SqlType, at: usize| {
        rows.push(Attribute::new(index.oid(), (name, ty), at).row());
    };
    let plain = |position: &usize| table.columns.get(*position);
    match index {
        AnyIndex::RowKey(_, _, columns) => {
            for (at, column) in columns.iter().filter_map(plain).enumerate() {
                push(&column.name, &column.ty, at);
            }
        }
        AnyIndex::Kept(kept) => {
            for (at, key) in kept.keys.iter().enumerate() {
                push(&key_name(table, key), &key.ty, at);
            }
            for (at, column) in kept.included.iter().filter_map(plain).enumerate() {
                push(&column.name, &column.ty, kept.keys.len() + at);
            }
        }
    }
}

/// A key's column, or the name of the function that it calls.
fn key_name(table: &TableDef, key: &IndexKey) -> String {
    let column = key.column.and_then(|position| table.columns.get(position));
    if let Some(column) = column {
        return column.name.clone();
    }
    let sql = key.expression.as_deref().unwrap_or_default();
    let call = sql.split_once('(').map(|(name, _)| name.trim());
    let is_name =
        |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    call.filter(is_name).unwrap_or("expr").to_lowercase()
}

fn defaults(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let printer = reader.definitions(definition_sql::Style::Plain);
    for table in reader.tables() {
        for (position, column) in table.live_columns() {
            let text = match &column.default {
                Some(ColumnDefault::Expression(sql)) => printer.typed_literal(sql, &column.ty),
                Some(ColumnDefault::Generated(sql)) => sql.clone(),
                _ => continue,
            };
            rows.push(row![default_oid(table, position), table.oid, small(position + 1), text]);
        }
    }
    Ok(rows)
}

/// Defaults have no OID of their own; this one is theirs alone among defaults.
pub(super) fn default_oid(table: &TableDef, position: usize) -> u32 {
    let position = u32::try_from(position).unwrap_or_default();
    table.oid.wrapping_mul(2_048).wrapping_add(position + 1)
}
