//! ANALYZE, VACUUM, LOCK: which tables and columns.

use std::sync::Arc;

use sqlparser::ast::ObjectName;

use super::option;
use crate::bind::binder::Binder;
use crate::bind::ddl::QualifiedName;
use crate::bind::{BoundStatement, TableLockMode};
use crate::catalog::{Relation, TableDef};
use crate::error::{Error, Result, SqlState};
use crate::parse::command::session::{Choice, Target};

/// Options of VACUUM that change nothing: how old row versions go is decided elsewhere.
const WITHOUT_EFFECT: &[&str] =
    &["verbose", "freeze", "disable_page_skipping", "skip_locked", "process_toast", "truncate"];

impl Binder<'_> {
    /// `LOCK TABLE`
    pub(super) fn bind_lock(
        &self,
        tables: &[ObjectName],
        mode: TableLockMode,
        is_nowait: bool,
    ) -> Result<BoundStatement> {
        let oid = |name| Ok(self.named_table(&self.qualified(name)?)?.oid);
        let tables = tables.iter().map(oid).collect::<Result<Vec<_>>>()?;
        Ok(BoundStatement::LockTable { tables, mode, is_nowait })
    }

    /// `ANALYZE`
    pub(super) fn bind_analyze(
        &self,
        options: &[Choice],
        targets: &[Target],
    ) -> Result<BoundStatement> {
        for choice in options {
            match choice.name.as_str() {
                "verbose" | "skip_locked" => option::switch(choice)?,
                _ => return Err(self.unrecognized("ANALYZE", choice)),
            };
        }
        let targets = targets.iter().map(|target| self.maintained(target));
        Ok(BoundStatement::Analyze(targets.collect::<Result<_>>()?))
    }

    /// `VACUUM`
    pub(super) fn bind_vacuum(
        &self,
        options: &[Choice],
        targets: &[Target],
    ) -> Result<BoundStatement> {
        let (mut with_analyze, mut is_full) = (false, false);
        for choice in options {
            match choice.name.as_str() {
                "analyze" | "analyse" => with_analyze = option::switch(choice)?,
                "full" => is_full = option::switch(choice)?,
                "index_cleanup" | "parallel" => {
                    option::text(choice)?;
                }
                name if WITHOUT_EFFECT.contains(&name) => {
                    option::switch(choice)?;
                }
                _ => return Err(self.unrecognized("VACUUM", choice)),
            }
        }
        if !with_analyze && targets.iter().any(|target| !target.columns.is_empty()) {
            let message = "ANALYZE option must be specified when a column list is provided";
            return Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message));
        }
        let tables = targets.iter().map(|target| Ok(self.maintained(target)?.0));
        let tables = tables.collect::<Result<_>>()?;
        Ok(BoundStatement::Vacuum { tables, with_analyze, is_full })
    }

    /// A table to look after, and the positions of its columns that were listed.
    fn maintained(&self, target: &Target) -> Result<(u32, Vec<usize>)> {
        let table = self.stored_table(&self.qualified(&target.table)?)?;
        let mut columns = Vec::with_capacity(target.columns.len());
        for name in &target.columns {
            let position = self.target_column(&table, &ObjectName::from(name.clone()))?;
            if columns.contains(&position) {
                let (column, table) = (&table.columns[position].name, &table.name);
                let message =
                    format!("column \"{column}\" of relation \"{table}\" appears more than once");
                return Err(Error::new(SqlState::DUPLICATE_COLUMN, message));
            }
            columns.push(position);
        }
        Ok((table.oid, columns))
    }

    /// The table of a name; a materialized view's is the one that keeps its rows.
    pub(super) fn stored_table(&self, name: &QualifiedName) -> Result<Arc<TableDef>> {
        let Some(Relation::View(oid)) = self.find_relation(name) else {
            return self.named_table(name);
        };
        let view = self.ctx.catalog.views.get(&oid);
        match view.and_then(|view| view.materialized) {
            Some(table) => self.table_of(table),
            None => self.named_table(name),
        }
    }

    pub(super) fn unrecognized(&self, command: &str, choice: &Choice) -> Error {
        option::unrecognized(self.at_name(&choice.written), command, choice)
    }
}
