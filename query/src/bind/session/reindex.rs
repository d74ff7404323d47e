//! REINDEX: which indexes.

use sqlparser::ast::ObjectName;

use super::option;
use crate::bind::BoundStatement;
use crate::bind::binder::{Binder, locate};
use crate::bind::ddl::{Ddl, QualifiedName};
use crate::catalog::{Relation, TableDef};
use crate::error::{Error, Result, SqlState};
use crate::parse::command::session::{Choice, ReindexKind};

impl Binder<'_> {
    /// `REINDEX`
    pub(super) fn bind_reindex(
        &self,
        options: &[Choice],
        kind: ReindexKind,
        name: &ObjectName,
    ) -> Result<BoundStatement> {
        for choice in options {
            match choice.name.as_str() {
                "concurrently" | "verbose" => option::switch(choice)?,
                _ => return Err(self.unrecognized("REINDEX", choice)),
            };
        }
        let name = self.qualified(name)?;
        let indexes = match kind {
            ReindexKind::Index => Some(vec![self.named_index(&name)?]),
            ReindexKind::Table => Some(indexes(&*self.stored_table(&name)?)),
            ReindexKind::Schema => Some(self.indexes_in(&name.name)?),
            ReindexKind::Database => self.check_database(&name.name).map(|()| None)?,
        };
        Ok(BoundStatement::Define(Box::new(Ddl::Reindex(indexes))))
    }

    fn named_index(&self, name: &QualifiedName) -> Result<u32> {
        match self.find_relation(name) {
            Some(Relation::Index(index, _)) => Ok(index),
            Some(_) => {
                let message = format!("\"{}\" is not an index", name.name);
                Err(locate(Error::new(SqlState::WRONG_OBJECT_TYPE, message), name.position))
            }
            None => Err(self.no_relation(name)),
        }
    }

    fn indexes_in(&self, schema: &str) -> Result<Vec<u32>> {
        let catalog = self.ctx.catalog;
        if !catalog.schemas.contains_key(schema) {
            let message = format!("schema \"{schema}\" does not exist");
            return Err(Error::new(SqlState::INVALID_SCHEMA_NAME, message));
        }
        let tables = catalog.tables.values().filter(|table| table.schema == schema);
        Ok(tables.flat_map(|table| indexes(table)).collect())
    }

    fn check_database(&self, name: &str) -> Result<()> {
        if name == self.ctx.catalog.database {
            return Ok(());
        }
        let message = "can only reindex the currently open database";
        Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message))
    }
}

/// The indexes of a table, its primary key's too.
fn indexes(table: &TableDef) -> Vec<u32> {
    table.index_names().map(|(oid, _)| oid).collect()
}
