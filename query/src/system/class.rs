//! `pg_class`: tables, views, sequences, indexes, row types, and the system catalogs themselves.

use super::cell::{NULL, row, small};
use super::reader::Reader;
use super::{BOOTSTRAP_ROLE, PG_CATALOG, SystemCatalog};
use crate::catalog::definition_sql::{self, AnyIndex, index::access_method};
use crate::catalog::temporary::is_temporary;
use crate::catalog::{IndexDef, TableDef, TypeKind};
use crate::error::Result;
use crate::plan::Row;
use crate::value::{Type, Value};

pub(super) const CATALOGS: &[SystemCatalog] = &[SystemCatalog {
    oid: OID,
    schema: PG_CATALOG,
    name: "pg_class",
    columns: "oid oid, relname name, relnamespace oid, reltype oid, reloftype oid, relowner oid, \
        relam oid, relfilenode oid, reltablespace oid, relpages int4, reltuples float4, \
        relallvisible int4, reltoastrelid oid, relhasindex bool, relisshared bool, \
        relpersistence \"char\", relkind \"char\", relnatts int2, relchecks int2, relhasrules bool, \
        relhastriggers bool, relhassubclass bool, relrowsecurity bool, \
        relforcerowsecurity bool, relispopulated bool, relreplident \"char\", \
        relispartition bool, relrewrite oid, relfrozenxid oid, relminmxid oid, relacl text[], \
        reloptions text[], relpartbound text",
    rows: classes,
}];

/// The OID of `pg_class`.
pub(super) const OID: u32 = 1259;
/// The access method of tables, `heap`.
const HEAP: u32 = 2;

/// What differs between one relation and the next.
struct Class<'a> {
    oid: u32,
    name: &'a str,
    schema: u32,
    row_type: u32,
    owner: u32,
    access_method: u32,
    pages: i32,
    rows: f32,
    has_indexes: bool,
    is_temporary: bool,
    kind: char,
    columns: usize,
    checks: usize,
    has_rules: bool,
    has_triggers: bool,
    options: Value,
}

impl<'a> Class<'a> {
    fn new(oid: u32, name: &'a str, schema: u32, kind: char) -> Self {
        Self {
            oid,
            name,
            schema,
            row_type: 0,
            owner: BOOTSTRAP_ROLE,
            access_method: 0,
            pages: 0,
            rows: -1.0,
            has_indexes: false,
            is_temporary: false,
            kind,
            columns: 0,
            checks: 0,
            has_rules: false,
            has_triggers: false,
            options: Value::Null,
        }
    }

    fn row(self) -> Row {
        let persistence = if self.is_temporary { 't' } else { 'p' };
        let storage = if matches!(self.kind, 'v' | 'c') { 0 } else { self.oid };
        let identity = if matches!(self.kind, 'r' | 'm') { 'd' } else { 'n' };
        row![
            self.oid,
            self.name,
            self.schema,
            self.row_type,
            0_u32,
            self.owner,
            self.access_method,
            storage,
            0_u32,
            self.pages,
            self.rows,
            0_i32,
            0_u32,
            self.has_indexes,
            false,
            persistence,
            self.kind,
            small(self.columns),
            small(self.checks),
            self.has_rules,
            self.has_triggers,
            false,
            false,
            false,
            true,
            identity,
            false,
            0_u32,
            0_u32,
            0_u32,
            NULL,
            self.options,
            NULL
        ]
    }
}

fn classes(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for table in reader.tables() {
        rows.push(table_class(reader, table).row());
    }
    for (_, table) in reader.indexed() {
        rows.extend(definition_sql::indexes(table).map(|index| index_class(reader, table, &index)));
    }
    rows.extend(reader.views().map(|view| {
        let schema = reader.schema(&view.schema);
        let is_stored = view.materialized.is_some();
        let kind = if is_stored { 'm' } else { 'v' };
        Class {
            row_type: view.oid,
            owner: reader.role(&view.owner),
            access_method: if is_stored { HEAP } else { 0 },
            columns: view.columns.len(),
            has_rules: true,
            has_indexes: view.materialized.is_some_and(|oid| has_indexes(reader, oid)),
            is_temporary: is_temporary(&view.schema),
            ..Class::new(view.oid, &view.name, schema, kind)
        }
        .row()
    }));
    rows.extend(reader.sequences().map(|sequence| {
        let schema = reader.schema(&sequence.schema);
        let owner = reader.role(&sequence.owner);
        let class = Class::new(sequence.oid, &sequence.name, schema, 'S');
        let is_temporary = is_temporary(&sequence.schema);
        Class { owner, pages: 1, rows: 1.0, columns: 3, is_temporary, ..class }.row()
    }));
    rows.extend(composite_types(reader));
    rows.extend(system_catalogs());
    Ok(rows)
}

fn has_indexes(reader: &Reader<'_>, table: u32) -> bool {
    let table = reader.catalog().table(table);
    table.is_some_and(|table| definition_sql::indexes(table).next().is_some())
}

fn table_class<'a>(reader: &Reader<'_>, table: &'a TableDef) -> Class<'a> {
    let is_referenced = || reader.catalog().references_to(table.oid).next().is_some();
    Class {
        row_type: table.oid,
        owner: reader.role(&table.owner),
        access_method: HEAP,
        rows: reader.row_estimate(table),
        has_indexes: definition_sql::indexes(table).next().is_some(),
        is_temporary: table.is_temporary,
        columns: table.columns.len(),
        checks: table.checks.len(),
        has_triggers: !table.foreign_keys.is_empty() || is_referenced(),
        options: options(table),
        ..Class::new(table.oid, &table.name, reader.schema(&table.schema), 'r')
    }
}

fn options(table: &TableDef) -> Value {
    let text = |(name, value)| Value::text(format!("{name}={value}"));
    match table.storage_parameter() {
        Some(parameter) => Value::array(Type::Text, vec![text(parameter)]),
        None => Value::Null,
    }
}

fn index_class(reader: &Reader<'_>, table: &TableDef, index: &AnyIndex<'_>) -> Row {
    let (method, columns) = match index {
        AnyIndex::RowKey(_, _, columns) => ("btree", columns.len()),
        AnyIndex::Kept(index) => (access_method(index), attribute_count(index)),
    };
    let schema = reader.schema(reader.catalog().known_name(table).0);
    Class {
        owner: reader.role(&table.owner),
        access_method: super::index::method_oid(method),
        is_temporary: table.is_temporary,
        columns,
        ..Class::new(index.oid(), index.name(), schema, 'i')
    }
    .row()
}

fn attribute_count(index: &IndexDef) -> usize {
    index.keys.len() + index.included.len()
}

fn composite_types(reader: &Reader<'_>) -> impl Iterator<Item = Row> {
    reader.types().filter_map(|def| {
        let TypeKind::Composite(fields) = &def.kind else { return None };
        let class = Class::new(def.oid, &def.name, reader.schema(&def.schema), 'c');
        let owner = reader.role(&def.owner);
        Some(Class { row_type: def.oid, owner, columns: fields.len(), ..class }.row())
    })
}

fn system_catalogs() -> impl Iterator<Item = Row> {
    super::numbered().map(|(oid, catalog)| {
        let kind = if catalog.is_view() { 'v' } else { 'r' };
        let class = Class::new(oid, catalog.name, catalog.schema, kind);
        let access_method = if catalog.is_view() { 0 } else { HEAP };
        let columns = catalog.columns.split(", ").count();
        Class { access_method, columns, has_rules: catalog.is_view(), ..class }.row()
    })
}
