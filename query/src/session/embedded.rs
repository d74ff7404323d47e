//! SQL in process: one call per statement, errors handled, commits on disk on return.

use std::sync::Arc;

use super::batch::Batched;
use super::portal::BATCH_ROWS;
use super::{Session, Step};
use crate::bind::BindContext;
use crate::catalog::Catalog;
use crate::catalog::definition_sql::DefinitionSql;
use crate::error::{Error, Result};
use crate::plan::Row;
use crate::result::CommandTag;
use crate::value::Value;

impl Session {
    /// Runs one statement with parameters and answers its rows.
    ///
    /// # Errors
    /// Whatever the statement meets; an open transaction has failed then.
    pub fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>> {
        self.begin_message(&Arc::from(sql));
        let result = self.query_prepared(sql, params);
        self.settle(result)
    }

    /// Runs any number of statements without parameters; answers the tag of the last one.
    ///
    /// # Errors
    /// Whatever a statement meets; those before it are undone unless they were committed.
    pub fn execute(&mut self, sql: &str) -> Result<CommandTag> {
        self.begin_message(&Arc::from(sql));
        let result = self.execute_batch(sql);
        self.settle(result)
    }

    /// Lends `work` this database's definitions as the next statement would see them, and what
    /// prints them as SQL with every name in full.
    ///
    /// # Errors
    /// 3D000 when the database is gone.
    pub fn with_definitions<T>(
        &mut self,
        work: impl FnOnce(&Arc<Catalog>, &DefinitionSql<'_>) -> T,
    ) -> Result<T> {
        self.state.refresh_catalog()?;
        let (state, facts) = (&self.state, self.state.facts());
        let catalog = &state.catalog;
        let ctx = BindContext { catalog, facts: &facts, services: state, params: &[] };
        Ok(work(catalog, &DefinitionSql::qualified(ctx)))
    }

    fn query_prepared(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>> {
        let prepared = self.prepare(sql, &[])?;
        self.close_portal("");
        self.bind("", prepared, params.to_vec(), Vec::new())?;
        let mut all = Vec::new();
        self.drain(&mut |mut rows| all.append(&mut rows))?;
        self.close_portal("");
        self.sync()?;
        Ok(all)
    }

    fn execute_batch(&mut self, sql: &str) -> Result<CommandTag> {
        let statements: Vec<Batched> = self.batch(sql)?;
        let mut tag = CommandTag::from("");
        let count = statements.len();
        for (position, statement) in statements.iter().enumerate() {
            self.open(sql, statement)?;
            tag = self.drain(&mut |_| ())?;
            self.finish(position + 1 == count)?;
        }
        Ok(tag)
    }

    /// Runs the unnamed portal to its end.
    fn drain(&mut self, each: &mut dyn FnMut(Vec<Row>)) -> Result<CommandTag> {
        loop {
            match self.advance("", BATCH_ROWS)? {
                Step::Rows(rows) => each(rows),
                Step::Complete(tag) => return Ok(tag),
                Step::Empty => return Ok(CommandTag::from("")),
                Step::CopyIn { .. } | Step::CopyOut { .. } => {
                    return Err(Error::unsupported("COPY through this call"));
                }
            }
        }
    }

    /// Ends a call: waits for the disk, or notes the error.
    fn settle<T>(&mut self, result: Result<T>) -> Result<T> {
        let result = result.map_err(|error| self.fail(error));
        let durable = self.state.database.shared.db.wait_durable(self.must_be_durable());
        self.end_message();
        durable?;
        result
    }
}
