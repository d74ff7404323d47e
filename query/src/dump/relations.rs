//! The relations of a database that a dump shows, and what it says of each beside its definition.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::catalog::definition_sql::DefinitionSql;
use crate::catalog::{
    Catalog, ColumnDefault, IndexConstraint, RowKeyDef, SequenceDef, TableDef, TypeKind,
};
use crate::identifier::{quote_identifier, quote_literal, quote_qualified};

/// Tables and sequences by schema and name.
pub(super) struct Relations<'a> {
    catalog: &'a Catalog,
    pub tables: Vec<&'a Arc<TableDef>>,
    pub sequences: Vec<&'a Arc<SequenceDef>>,
    /// The tables that keep the rows of materialized views, by the views' names.
    pub kept: Vec<&'a Arc<TableDef>>,
    /// OIDs of the sequences of identity columns.
    identities: BTreeSet<u32>,
}

impl<'a> Relations<'a> {
    /// Leaves out what is temporary and the hidden tables of materialized views.
    pub fn new(catalog: &'a Catalog) -> Self {
        let is_shown = |schema: &str| !schema.starts_with("pg_");
        let tables = catalog.tables.values();
        let mut tables: Vec<_> =
            tables.filter(|table| !table.is_temporary && is_shown(&table.schema)).collect();
        tables.sort_by(|a, b| (&a.schema, &a.name).cmp(&(&b.schema, &b.name)));
        let sequences = catalog.sequences.values();
        let mut sequences: Vec<_> = sequences.filter(|own| is_shown(&own.schema)).collect();
        sequences.sort_by(|a, b| (&a.schema, &a.name).cmp(&(&b.schema, &b.name)));
        let kept = catalog.views.values().filter_map(|view| catalog.table(view.materialized?));
        let mut kept: Vec<_> = kept.collect();
        kept.sort_by_key(|table| catalog.known_name(table));
        let columns = tables.iter().flat_map(|table| &table.columns);
        let identities = columns.filter_map(|column| match &column.default {
            Some(ColumnDefault::Identity { sequence, .. }) => Some(*sequence),
            _ => None,
        });
        Self { catalog, identities: identities.collect(), tables, sequences, kept }
    }

    pub fn is_identity(&self, sequence: &SequenceDef) -> bool {
        self.identities.contains(&sequence.oid)
    }

    /// The statements that make columns of a table identity columns.
    pub fn identities(
        &self,
        definitions: &DefinitionSql<'_>,
        table: &TableDef,
    ) -> impl Iterator<Item = String> {
        let name = quote_qualified(&table.schema, &table.name);
        table.live_columns().filter_map(move |(_, column)| {
            let Some(ColumnDefault::Identity { sequence, is_always }) = &column.default else {
                return None;
            };
            let options = definitions.identity_options(self.catalog.sequences.get(sequence)?);
            let when = if *is_always { "ALWAYS" } else { "BY DEFAULT" };
            let column = quote_identifier(&column.name);
            Some(format!(
                "ALTER TABLE {name} ALTER COLUMN {column} ADD GENERATED {when} AS IDENTITY \
                 (\n{options}\n)"
            ))
        })
    }

    /// The statement that says which column a sequence goes with.
    pub fn owner(&self, sequence: &SequenceDef) -> Option<String> {
        let (table, position) = sequence.owned_by?;
        let table = self.catalog.table(table)?;
        let column = quote_identifier(&table.columns.get(position)?.name);
        let name = quote_qualified(&sequence.schema, &sequence.name);
        let table = quote_qualified(&table.schema, &table.name);
        Some(format!("ALTER SEQUENCE {name} OWNED BY {table}.{column}"))
    }

    /// What COPY names: a table and those of its columns that are not computed.
    pub fn copied(&self, table: &TableDef) -> Option<String> {
        let stored = table
            .live_columns()
            .filter(|(_, column)| !matches!(column.default, Some(ColumnDefault::Generated(_))));
        let columns: Vec<_> = stored.map(|(_, column)| quote_identifier(&column.name)).collect();
        let name = quote_qualified(&table.schema, &table.name);
        (!columns.is_empty()).then(|| format!("{name} ({})", columns.join(", ")))
    }
}

/// The statements that comment on everything that has a comment.
pub(super) fn comments(catalog: &Catalog, relations: &Relations<'_>) -> Vec<String> {
    let mut all = Vec::new();
    for ((oid, column), text) in &catalog.comments {
        if let Some(object) = commented(catalog, relations, *oid, *column) {
            let text = quote_literal(text);
            all.push(statement(format!("COMMENT ON {object} IS {text}")));
        }
    }
    all.sort();
    all
}

/// How COMMENT names an object, or one of its columns.
fn commented(
    catalog: &Catalog,
    relations: &Relations<'_>,
    oid: u32,
    column: i16,
) -> Option<String> {
    if let Some(table) = relations.tables.iter().find(|table| table.oid == oid) {
        let name = quote_qualified(&table.schema, &table.name);
        let position = usize::try_from(column).ok()?.checked_sub(1);
        return match position {
            None => Some(format!("TABLE {name}")),
            Some(position) => {
                let column = quote_identifier(&table.columns.get(position)?.name);
                Some(format!("COLUMN {name}.{column}"))
            }
        };
    }
    if let Some(view) = catalog.views.get(&oid) {
        let name = quote_qualified(&view.schema, &view.name);
        let word = if view.materialized.is_some() { "MATERIALIZED VIEW" } else { "VIEW" };
        return match usize::try_from(column).ok()?.checked_sub(1) {
            None => Some(format!("{word} {name}")),
            Some(position) => {
                Some(format!("COLUMN {name}.{}", quote_identifier(&view.columns.get(position)?.0)))
            }
        };
    }
    if let Some(sequence) = relations.sequences.iter().find(|own| own.oid == oid) {
        return Some(format!("SEQUENCE {}", quote_qualified(&sequence.schema, &sequence.name)));
    }
    if let Some(def) = catalog.types.get(&oid) {
        let is_domain = matches!(def.kind, TypeKind::Domain { .. });
        let word = if is_domain { "DOMAIN" } else { "TYPE" };
        return Some(format!("{word} {}", quote_qualified(&def.schema, &def.name)));
    }
    if let Some(schema) = catalog.schemas.values().find(|schema| schema.oid == oid) {
        return Some(format!("SCHEMA {}", quote_identifier(&schema.name)));
    }
    let mut tables = relations.tables.iter().chain(&relations.kept);
    tables.find_map(|table| commented_part(catalog, table, oid))
}

/// An index or a constraint of a table.
fn commented_part(catalog: &Catalog, table: &TableDef, oid: u32) -> Option<String> {
    let plain = table.indexes.iter().find(|index| index.oid == oid);
    if let Some(index) = plain.filter(|index| index.constraint.is_none()) {
        let schema = catalog.known_name(table).0;
        return Some(format!("INDEX {}", quote_qualified(schema, &index.name)));
    }
    let key = plain.filter(|index| {
        index.constraint.is_some_and(|constraint| constraint != IndexConstraint::Exclusion)
    });
    let key = key.map(|index| index.name.as_str());
    let row_key = match &table.row_key {
        RowKeyDef::PrimaryKey { name, oid: own, .. } if *own == oid => Some(name.as_str()),
        _ => None,
    };
    let check = table.checks.iter().find(|check| check.oid == oid);
    let foreign = table.foreign_keys.iter().find(|key| key.oid == oid);
    let name = key
        .or(row_key)
        .or(check.map(|check| check.name.as_str()))
        .or(foreign.map(|key| key.name.as_str()))?;
    let table = quote_qualified(&table.schema, &table.name);
    Some(format!("CONSTRAINT {} ON {table}", quote_identifier(name)))
}

/// A statement as it stands in the dump.
pub(super) fn statement(text: String) -> String {
    format!("{text};\n\n\n")
}
