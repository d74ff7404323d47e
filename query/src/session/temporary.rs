//! A session's temporary relations: what a commit does to them, and dropping them.

use super::Session;
use super::block::BlockStatus;
use crate::bind::ddl::OnCommit;
use crate::define::temporary;
use crate::error::Result;

impl Session {
    /// Does what was to be done to temporary tables at the end of the transaction.
    pub(super) fn finish_temporary(&mut self) -> Result<()> {
        if self.state.on_commit.get_mut().is_empty() || !self.state.has_written() {
            return Ok(());
        }
        self.state.refresh_catalog()?;
        let catalog = self.state.catalog.clone();
        let known = self.state.on_commit.get_mut();
        // What was dropped, or undone, is forgotten.
        known.retain(|(table, _)| catalog.table(*table).is_some());
        let due: Vec<(u32, OnCommit)> = known.clone();
        if due.is_empty() {
            return Ok(());
        }
        self.define_with(&self.state.temporary_schema(), |cx| temporary::end_transaction(cx, &due))
    }

    /// Drops everything in this session's schema, in the transaction at hand.
    pub(super) fn discard_temporary(&mut self) -> Result<()> {
        let schema = self.state.temporary_schema();
        if !self.state.catalog.schemas.contains_key(&schema) {
            return Ok(());
        }
        self.define_with(&schema, temporary::drop_all)
    }

    /// Drops a schema of temporary relations with all that is in it, when the session that made
    /// it is over.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) fn drop_temporary_schema(&mut self, schema: &str) -> Result<()> {
        self.state.refresh_catalog()?;
        if !self.state.catalog.schemas.contains_key(schema) {
            return Ok(());
        }
        self.state.start_clock();
        self.state.begin(BlockStatus::Implicit);
        let dropped = self.define_with(schema, temporary::drop_all);
        match dropped.and_then(|()| self.commit()) {
            Ok(()) => Ok(()),
            Err(error) => {
                self.rollback();
                Err(error)
            }
        }
    }
}
