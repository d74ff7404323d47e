//! `information_schema.columns`

use std::sync::Arc;

use super::type_facts::{data_type, datetime_precision, lengths, numeric};
use crate::catalog::definition_sql::{DefinitionSql, Style};
use crate::catalog::{ColumnDefault, SequenceDef, TableDef, TypeKind};
use crate::error::Result;
use crate::plan::Row;
use crate::system::cell::{NULL, row, yes_no};
use crate::system::reader::Reader;
use crate::value::{SqlType, Type, Value};

/// What differs between one column and the next.
struct Column<'a> {
    schema: &'a str,
    relation: &'a str,
    name: &'a str,
    position: usize,
    ty: &'a SqlType,
    default: Option<String>,
    generation: Option<String>,
    is_not_null: bool,
    identity: Option<(&'a SequenceDef, bool)>,
    is_updatable: bool,
}

pub(super) fn columns(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let definitions = reader.definitions(Style::Plain);
    let mut rows = Vec::new();
    for table in reader.tables() {
        for (position, _) in table.live_columns() {
            if let Some(column) = table_column(reader, &definitions, table, position) {
                rows.push(column.row(reader, &definitions));
            }
        }
    }
    for view in reader.views().filter(|view| view.materialized.is_none()) {
        for (position, (name, ty)) in view.columns.iter().enumerate() {
            let column = plain((&view.schema, &view.name), name, position, ty);
            rows.push(column.row(reader, &definitions));
        }
    }
    for (_, catalog) in crate::system::numbered() {
        let schema = crate::system::schema_name(catalog.schema);
        for (position, (name, ty)) in catalog.columns().iter().enumerate() {
            let column = plain((schema, catalog.name), name, position, ty);
            rows.push(column.row(reader, &definitions));
        }
    }
    Ok(rows)
}

fn plain<'a>(
    (schema, relation): (&'a str, &'a str),
    name: &'a str,
    position: usize,
    ty: &'a SqlType,
) -> Column<'a> {
    Column {
        schema,
        relation,
        name,
        position,
        ty,
        default: None,
        generation: None,
        is_not_null: false,
        identity: None,
        is_updatable: false,
    }
}

fn table_column<'a>(
    reader: &Reader<'a>,
    definitions: &DefinitionSql<'_>,
    table: &'a Arc<TableDef>,
    position: usize,
) -> Option<Column<'a>> {
    let def = table.columns.get(position)?;
    let text = definitions.column_default(table, position);
    let is_generated = matches!(def.default, Some(ColumnDefault::Generated(_)));
    let (default, generation) = if is_generated { (None, text) } else { (text, None) };
    let identity = match def.default {
        Some(ColumnDefault::Identity { sequence, is_always }) => {
            reader.catalog().sequences.get(&sequence).map(|sequence| (&**sequence, is_always))
        }
        _ => None,
    };
    Some(Column {
        default,
        generation,
        is_not_null: def.is_not_null,
        identity,
        is_updatable: true,
        ..plain((&table.schema, &table.name), &def.name, position, &def.ty)
    })
}

impl Column<'_> {
    fn row(self, reader: &Reader<'_>, definitions: &DefinitionSql<'_>) -> Row {
        let database = reader.database();
        let position = i32::try_from(self.position + 1).unwrap_or(i32::MAX);
        let (characters, bytes) = lengths(self.ty);
        let (precision, radix, scale) = numeric(self.ty);
        let (type_schema, type_name) = internal_name(reader, &self.ty.base);
        let mut row = row![
            database,
            self.schema,
            self.relation,
            self.name,
            position,
            self.default,
            yes_no(!self.is_not_null),
            data_type(definitions, self.ty),
            characters,
            bytes,
            precision,
            radix,
            scale,
            datetime_precision(self.ty),
            NULL,
            NULL,
            NULL,
            NULL,
            NULL,
            NULL,
            NULL,
            NULL,
            NULL,
            NULL,
            NULL,
            database,
            type_schema,
            type_name,
            NULL,
            NULL,
            NULL,
            NULL,
            position.to_string(),
            "NO"
        ];
        row.extend(identity(self.identity));
        let is_generated = if self.generation.is_some() { "ALWAYS" } else { "NEVER" };
        row.extend(row![is_generated, self.generation, yes_no(self.is_updatable)]);
        row
    }
}

fn identity(identity: Option<(&SequenceDef, bool)>) -> Row {
    let Some((sequence, is_always)) = identity else {
        return row!["NO", NULL, NULL, NULL, NULL, NULL, "NO"];
    };
    row![
        "YES",
        if is_always { "ALWAYS" } else { "BY DEFAULT" },
        sequence.start.to_string(),
        sequence.increment.to_string(),
        sequence.max.to_string(),
        sequence.min.to_string(),
        yes_no(sequence.is_cycle),
    ]
}

/// The schema and name of a type in `pg_type`.
pub(super) fn internal_name(reader: &Reader<'_>, ty: &Type) -> (Value, String) {
    match ty {
        Type::Array(element) => {
            let (schema, name) = internal_name(reader, element);
            (schema, format!("_{name}"))
        }
        Type::Enum(oid) => match reader.catalog().types.get(oid) {
            Some(def) if matches!(def.kind, TypeKind::Enum(_)) => {
                (Value::text(def.schema.as_str()), def.name.clone())
            }
            _ => (NULL, ty.internal_name()),
        },
        Type::Row(oid) => match reader.catalog().row_type_name(*oid) {
            Some((schema, name)) => (Value::text(schema), name.to_owned()),
            None => (NULL, ty.internal_name()),
        },
        ty => {
            let schema = crate::system::schema_name(crate::system::type_schema(ty));
            (Value::text(schema), ty.internal_name())
        }
    }
}
