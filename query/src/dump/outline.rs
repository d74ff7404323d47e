//! The order of a dump: what comes before the rows, whose rows, and what comes after.
//!
//! Within each part the order depends on nothing but definitions, so that a database that was
//! loaded from a dump dumps the same: by schema and name, or as [`super::order`] has it where one
//! definition may need another.

use std::sync::Arc;

use super::order::{Item, ordered};
use super::relations::{Relations, statement};
use crate::catalog::definition_sql::DefinitionSql;
use crate::catalog::definition_sql::constraint::{AnyConstraint, constraints};
use crate::catalog::definition_sql::{AnyIndex, indexes};
use crate::catalog::{Catalog, TableDef};
use crate::database::Database;
use crate::error::Result;
use crate::identifier::{quote_identifier, quote_literal, quote_qualified};

/// Schemas that every database has.
const BUILT_IN: [&str; 3] = ["pg_catalog", "public", "information_schema"];

/// What a session that loads is set to, as by `pg_dump`.
const SETTINGS: &str = "--\n-- Cairn database dump\n--\n\n\
    SET statement_timeout = 0;\n\
    SET lock_timeout = 0;\n\
    SET client_encoding = 'UTF8';\n\
    SET standard_conforming_strings = on;\n";

/// The parts of a dump, apart from the rows.
#[derive(Default)]
pub(super) struct Outline {
    /// Statements before the rows.
    pub before: Vec<String>,
    /// What follows COPY for each table with rows to copy: its name and its columns.
    pub tables: Vec<String>,
    /// Statements after the rows.
    pub after: Vec<String>,
}

impl Outline {
    /// Lays out a database.
    ///
    /// # Errors
    /// The engine's, of the state of sequences.
    pub fn new(
        database: &Database,
        catalog: &Catalog,
        definitions: &DefinitionSql<'_>,
    ) -> Result<Self> {
        let relations = Relations::new(catalog);
        let mut outline = Self::default();
        let items = ordered(catalog, &relations);
        outline.define(catalog, definitions, &relations, &items);
        outline.tables =
            relations.tables.iter().filter_map(|table| relations.copied(table)).collect();
        outline.set_sequences(database, &relations)?;
        outline.complete(definitions, &relations);
        outline.fill(catalog, definitions, &relations, &items);
        outline.after.extend(super::relations::comments(catalog, &relations));
        outline.begin(catalog);
        Ok(outline)
    }

    /// Schemas, sequences; types, functions, tables and views.
    fn define(
        &mut self,
        catalog: &Catalog,
        definitions: &DefinitionSql<'_>,
        relations: &Relations<'_>,
        items: &[Item<'_>],
    ) {
        let own = catalog.schemas.keys().filter(|name| is_own(name));
        let schemas = own.map(|name| format!("CREATE SCHEMA {}", quote_identifier(name)));
        let free = relations.sequences.iter().filter(|sequence| !relations.is_identity(sequence));
        let sequences = free.map(|sequence| definitions.create_sequence(sequence));
        self.before.extend(schemas.chain(sequences).map(statement));
        for item in items {
            self.make(definitions, relations, *item);
        }
        let owned = relations.sequences.iter().filter(|sequence| !relations.is_identity(sequence));
        self.before.extend(owned.filter_map(|own| relations.owner(own)).map(statement));
    }

    fn make(&mut self, definitions: &DefinitionSql<'_>, relations: &Relations<'_>, item: Item<'_>) {
        let text = match item {
            Item::Type(def) => definitions.create_type(def),
            Item::Function(def) => definitions.create_function(def),
            Item::View(view) => definitions.create_view(view),
            Item::Table(table) => {
                // What rows are stored by is chosen when the table is made.
                let is_row_key = |constraint: &AnyConstraint<'_>| {
                    matches!(constraint, AnyConstraint::Key(AnyIndex::RowKey(..)))
                };
                self.before.push(statement(definitions.create_table(table, &is_row_key)));
                return self.before.extend(relations.identities(definitions, table).map(statement));
            }
        };
        self.before.push(statement(text));
    }

    fn set_sequences(&mut self, database: &Database, relations: &Relations<'_>) -> Result<()> {
        let shared = &database.shared;
        for sequence in &relations.sequences {
            let at = shared.sequences.position(&shared.db, sequence)?;
            let name = quote_literal(&quote_qualified(&sequence.schema, &sequence.name));
            let (value, is_called) = (at.value, at.is_called);
            let text = format!("SELECT pg_catalog.setval({name}, {value}, {is_called})");
            self.after.push(statement(text));
        }
        Ok(())
    }

    /// Indexes and the constraints that need rows, or other tables.
    fn complete(&mut self, definitions: &DefinitionSql<'_>, relations: &Relations<'_>) {
        let mut keys = Vec::new();
        let mut references = Vec::new();
        for table in &relations.tables {
            let name = quote_qualified(&table.schema, &table.name);
            let add = |constraint: &AnyConstraint<'_>| {
                let own = quote_identifier(constraint.name());
                let text = definitions.constraint(table, constraint);
                statement(format!("ALTER TABLE ONLY {name}\n    ADD CONSTRAINT {own} {text}"))
            };
            keys.extend(plain_indexes(definitions, table, &table.schema));
            for constraint in constraints(table) {
                let text = (table.schema.clone(), constraint.name().to_owned(), add(&constraint));
                match constraint {
                    AnyConstraint::Key(AnyIndex::Kept(_)) => keys.push(text),
                    AnyConstraint::ForeignKey(_) => references.push(text),
                    AnyConstraint::Check(check) if check.is_not_valid => references.push(text),
                    _ => {}
                }
            }
        }
        self.complete_with(keys);
        self.complete_with(references);
    }

    fn complete_with(&mut self, mut texts: Vec<(String, String, String)>) {
        texts.sort();
        self.after.extend(texts.into_iter().map(|(_, _, text)| text));
    }

    /// The indexes and rows of materialized views.
    fn fill(
        &mut self,
        catalog: &Catalog,
        definitions: &DefinitionSql<'_>,
        relations: &Relations<'_>,
        items: &[Item<'_>],
    ) {
        let indexes = relations
            .kept
            .iter()
            .flat_map(|table| plain_indexes(definitions, table, catalog.known_name(table).0));
        self.complete_with(indexes.collect());
        self.after.extend(items.iter().filter_map(|item| {
            let Item::View(view) = item else { return None };
            let name = quote_qualified(&view.schema, &view.name);
            let is_kept = view.materialized.is_some();
            is_kept.then(|| statement(format!("REFRESH MATERIALIZED VIEW {name}")))
        }));
    }

    /// Settings and extensions. Views are kept as they were written, so the path leads to every
    /// schema that they may have been written for.
    fn begin(&mut self, catalog: &Catalog) {
        let own = catalog.schemas.keys().filter(|name| is_own(name));
        let path =
            std::iter::once("public".to_owned()).chain(own.map(|name| quote_identifier(name)));
        let path = quote_literal(&path.collect::<Vec<_>>().join(", "));
        let path = format!("SELECT pg_catalog.set_config('search_path', {path}, false);\n\n\n");
        let mut first = vec![SETTINGS.to_owned(), path];
        first.extend(self.extensions());
        self.before.splice(0..0, first);
    }

    /// The extensions that Postgres needs for what stands here; Cairn has them built in.
    fn extensions(&self) -> impl Iterator<Item = String> {
        let uses = |words: &[&str]| {
            let mut all = self.before.iter().chain(&self.after);
            all.any(|text| words.iter().any(|word| text.to_lowercase().contains(word)))
        };
        let postgis = uses(&["geography", "geometry", "st_"]).then_some("postgis");
        let trigrams = uses(&["_trgm_ops", "similarity("]).then_some("pg_trgm");
        let make =
            |name| statement(format!("CREATE EXTENSION IF NOT EXISTS {name} WITH SCHEMA public"));
        [trigrams, postgis].into_iter().flatten().map(make)
    }
}

/// The indexes of a table that no constraint made: schema, name, statement.
fn plain_indexes(
    definitions: &DefinitionSql<'_>,
    table: &Arc<TableDef>,
    schema: &str,
) -> impl Iterator<Item = (String, String, String)> {
    let is_plain =
        |index: &AnyIndex<'_>| matches!(index, AnyIndex::Kept(kept) if kept.constraint.is_none());
    indexes(table).filter(is_plain).map(|index| {
        let text = statement(definitions.create_index(table, &index));
        (schema.to_owned(), index.name().to_owned(), text)
    })
}

fn is_own(schema: &str) -> bool {
    !BUILT_IN.contains(&schema) && !schema.starts_with("pg_")
}
