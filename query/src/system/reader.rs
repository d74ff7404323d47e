//! What the rows of system catalogs are made from.

use std::sync::Arc;

use super::{BOOTSTRAP_ROLE, INFORMATION_SCHEMA, PG_CATALOG, PUBLIC};
use crate::bind::BindContext;
use crate::catalog::definition_sql::{DefinitionSql, Style};
use crate::catalog::{Catalog, Globals, SequenceDef, TableDef, TypeDef, ViewDef};
use crate::error::Result;
use crate::expression::EvalContext;
use crate::expression::context::SystemFacts;
use crate::plan::Row;
use crate::value::{Type, Value};

/// The definitions and the running system, as the statement sees them.
pub(crate) struct Reader<'a> {
    pub(crate) cx: &'a EvalContext<'a>,
    pub(crate) globals: Arc<Globals>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(cx: &'a EvalContext<'a>) -> Self {
        Self { cx, globals: cx.services.globals() }
    }

    /// The database's definitions.
    pub(crate) fn catalog(&self) -> &'a Arc<Catalog> {
        self.cx.services.catalog()
    }

    /// The database's name.
    pub(super) fn database(&self) -> &str {
        &self.catalog().database
    }

    /// What prints definitions.
    pub(crate) fn definitions(&self, style: Style) -> DefinitionSql<'a> {
        DefinitionSql::new(bind_context(self.cx), style)
    }

    /// Rows about the running system.
    pub(super) fn running(&self, facts: SystemFacts) -> Result<Vec<Row>> {
        self.cx.services.system_rows(facts)
    }

    /// Tables that users made; those behind materialized views are not shown.
    pub(super) fn tables(&self) -> impl Iterator<Item = &'a Arc<TableDef>> {
        self.catalog().tables.values().filter(|table| table.schema != "pg_toast")
    }

    /// What may have indexes: tables and what keeps the rows of materialized views, each with the
    /// OID that it is known by.
    pub(super) fn indexed(&self) -> impl Iterator<Item = (u32, &'a Arc<TableDef>)> {
        let catalog = self.catalog();
        let kept = catalog
            .views
            .values()
            .filter_map(|view| Some((view.oid, catalog.table(view.materialized?)?)));
        self.tables().map(|table| (table.oid, table)).chain(kept)
    }

    /// Views and materialized views.
    pub(super) fn views(&self) -> impl Iterator<Item = &'a Arc<ViewDef>> {
        self.catalog().views.values()
    }

    /// Sequences.
    pub(super) fn sequences(&self) -> impl Iterator<Item = &'a Arc<SequenceDef>> {
        self.catalog().sequences.values()
    }

    /// Types that users made.
    pub(super) fn types(&self) -> impl Iterator<Item = &'a Arc<TypeDef>> {
        self.catalog().types.values()
    }

    /// The OID of a role; of one that is gone, the bootstrap superuser's.
    pub(super) fn role(&self, name: &str) -> u32 {
        self.globals.roles.get(name).map_or(BOOTSTRAP_ROLE, |role| role.oid)
    }

    /// The name of a role by its OID.
    pub(super) fn role_name(&self, oid: u32) -> Option<&str> {
        let mut roles = self.globals.roles.values();
        roles.find(|role| role.oid == oid).map(|role| role.name.as_str())
    }

    /// The OID of a schema.
    pub(super) fn schema(&self, name: &str) -> u32 {
        match name {
            "pg_catalog" => PG_CATALOG,
            "public" => PUBLIC,
            "information_schema" => INFORMATION_SCHEMA,
            name => self.catalog().schemas.get(name).map_or(0, |schema| schema.oid),
        }
    }

    /// How many rows a table is thought to have; -1 when nobody counted.
    pub(super) fn row_estimate(&self, table: &TableDef) -> f32 {
        #[expect(clippy::cast_possible_truncation, reason = "an estimate")]
        self.cx.services.row_estimate(table).map_or(-1.0, |rows| rows as f32)
    }
}

/// Binding on behalf of an expression that is being evaluated.
pub(crate) fn bind_context<'a>(cx: &'a EvalContext<'_>) -> BindContext<'a> {
    BindContext {
        catalog: cx.services.catalog(),
        facts: cx.statement,
        services: cx.services,
        params: &[],
    }
}

/// An array of attribute numbers counted from 1.
pub(super) fn numbers(positions: &[usize]) -> Value {
    Value::array(Type::Int2, positions.iter().map(|at| Value::Int2(number(*at))).collect())
}

/// The attribute number of a position.
pub(super) fn number(position: usize) -> i16 {
    super::cell::small(position + 1)
}
