//! `domains`, `domain_constraints` and `attributes`: the types that users made.

use super::columns::internal_name;
use super::type_facts::{data_type, datetime_precision, lengths, numeric};
use crate::catalog::definition_sql::Style;
use crate::catalog::{TypeDef, TypeKind};
use crate::error::Result;
use crate::plan::Row;
use crate::system::cell::{NULL, row, yes_no};
use crate::system::reader::Reader;
use crate::value::{SqlType, Value};

pub(super) fn domains(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let domain = |def: &std::sync::Arc<TypeDef>| {
        let TypeKind::Domain { base, default, .. } = &def.kind else { return None };
        let mut row = row![reader.database(), &def.schema, &def.name];
        row.extend(facts(reader, base));
        row.push(default.as_deref().map_or(NULL, Value::text));
        row.extend(type_name(reader, base));
        row.extend(row![NULL, NULL, NULL, NULL, "1"]);
        Some(row)
    };
    Ok(reader.types().filter_map(domain).collect())
}

pub(super) fn domain_constraints(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for def in reader.types() {
        let TypeKind::Domain { checks, .. } = &def.kind else { continue };
        let (database, schema) = (reader.database(), &def.schema);
        rows.extend(checks.iter().map(|(name, _)| {
            row![database, schema, name, database, schema, &def.name, "NO", "NO"]
        }));
    }
    Ok(rows)
}

pub(super) fn attributes(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for def in reader.types() {
        let TypeKind::Composite(fields) = &def.kind else { continue };
        for ((name, ty), number) in fields.iter().zip(1_i32..) {
            let database = reader.database();
            let mut row = row![database, &def.schema, &def.name, name, number, NULL, yes_no(true)];
            row.extend(facts(reader, ty));
            row.extend(type_name(reader, ty));
            row.extend(row![NULL, NULL, NULL, NULL, number.to_string(), yes_no(false)]);
            rows.push(row);
        }
    }
    Ok(rows)
}

/// From `data_type` to `interval_precision`.
fn facts(reader: &Reader<'_>, ty: &SqlType) -> Row {
    let definitions = reader.definitions(Style::Plain);
    let ((characters, bytes), (precision, radix, scale)) = (lengths(ty), numeric(ty));
    let mut row = row![data_type(&definitions, ty), characters, bytes];
    // The character set and the collation.
    row.resize(row.len() + 6, NULL);
    row.extend(row![precision, radix, scale, datetime_precision(ty), NULL, NULL]);
    row
}

fn type_name(reader: &Reader<'_>, ty: &SqlType) -> Row {
    let (schema, name) = internal_name(reader, &ty.base);
    row![reader.database(), schema, name]
}
