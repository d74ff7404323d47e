//! Constraints that are checked when the transaction ends, and SET CONSTRAINTS.

use super::Session;
use super::run::with_context;
use crate::bind::ddl::QualifiedName;
use crate::catalog::TableDef;
use crate::error::{Result, SqlState};
use crate::execute::{self, Event};
use crate::result::CommandTag;

impl Session {
    /// `SET CONSTRAINTS`; no names are all.
    pub(super) fn set_constraints(
        &mut self,
        names: &[QualifiedName],
        is_deferred: bool,
    ) -> Result<CommandTag> {
        if !self.state.block.borrow().is_explicit() {
            let message = "SET CONSTRAINTS can only be used in transaction blocks";
            self.state.warn(SqlState::NO_ACTIVE_SQL_TRANSACTION, message);
            return Ok("SET CONSTRAINTS".into());
        }
        let named: Vec<u32> = names.iter().flat_map(|name| self.deferrable(name)).collect();
        let modes = &mut self.state.block.get_mut().constraint_modes;
        if names.is_empty() {
            modes.all = Some(is_deferred);
            modes.named.clear();
        }
        modes.named.extend(named.into_iter().map(|oid| (oid, is_deferred)));
        self.settle_constraints(false)?;
        Ok("SET CONSTRAINTS".into())
    }

    /// The constraints of a name that can wait.
    fn deferrable(&self, name: &QualifiedName) -> Vec<u32> {
        let facts = self.state.facts();
        let is_in_sight = |table: &TableDef| match &name.schema {
            Some(schema) => table.schema == *schema,
            None => facts.search_path.contains(&table.schema),
        };
        let tables = self.state.catalog.tables.values().filter(|table| is_in_sight(table));
        tables.filter_map(|table| table.deferrable(&name.name)).collect()
    }

    /// Checks what has waited: all of it at the end of the transaction, otherwise what need not
    /// wait any more. A check looks at the tables as they are now; one whose constraint is gone
    /// has nothing to look at.
    ///
    /// # Errors
    /// 23503, 23505.
    pub(super) fn settle_constraints(&mut self, is_end: bool) -> Result<()> {
        if self.state.block.get_mut().deferred.pending().next().is_none() {
            return Ok(());
        }
        self.state.refresh_catalog()?;
        self.begin_statement()?;
        let due: Vec<Event> = {
            let block = self.state.block.borrow();
            let is_due = |event: &&Event| is_end || !block.is_deferred(event.deferral());
            let pending = block.deferred.pending().filter(is_due);
            pending.filter_map(|event| event.in_catalog(&self.state.catalog)).collect()
        };
        let facts = self.state.facts();
        with_context(&self.state, &facts, &[], |cx| execute::settle_deferred(&due, cx))?;
        let mut deferred = std::mem::take(&mut self.state.block.get_mut().deferred);
        let block = self.state.block.borrow();
        deferred.note_made(|event| is_end || !block.is_deferred(event.deferral()));
        drop(block);
        self.state.block.get_mut().deferred = deferred;
        Ok(())
    }
}
