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

#[cfg(test)]
mod tests {
    use crate::Database;

    fn temporary_schemas(database: &Database) -> usize {
        let catalog = database.shared.catalogs.current("cairn").unwrap();
        catalog.schemas.keys().filter(|name| name.starts_with("pg_temp_")).count()
    }

    #[test]
    fn temporary_relations_go_with_their_session() {
        let database = Database::in_memory().unwrap();
        let mut session = database.session();
        session
            .execute(
                "CREATE TEMP TABLE t (id serial, a int); CREATE TEMP VIEW v AS SELECT a FROM t;
                 CREATE TEMP SEQUENCE s",
            )
            .unwrap();
        session.execute("BEGIN; INSERT INTO t (a) VALUES (1)").unwrap();
        assert_eq!(temporary_schemas(&database), 1);
        drop(session);
        assert_eq!(temporary_schemas(&database), 0);
        let left = "SELECT 1 FROM pg_class WHERE relname IN ('t', 'v', 's', 't_id_seq')";
        assert!(database.session().query(left, &[]).unwrap().is_empty());
    }

    #[test]
    fn relations_of_sessions_that_were_cut_off_go_at_the_next_start() {
        let database = Database::in_memory().unwrap();
        let mut session = database.session();
        session.execute("CREATE TEMP TABLE t (a int); INSERT INTO t VALUES (1)").unwrap();
        std::mem::forget(session);
        assert_eq!(temporary_schemas(&database), 1);
        database.drop_leftovers().unwrap();
        assert_eq!(temporary_schemas(&database), 0);
    }

    #[test]
    fn rows_go_at_commit_but_not_those_of_tables_that_were_undone() {
        let database = Database::in_memory().unwrap();
        let mut session = database.session();
        session.execute("CREATE TEMP TABLE t (a int) ON COMMIT DELETE ROWS").unwrap();
        session.execute("BEGIN; CREATE TEMP TABLE u (a int) ON COMMIT DROP; ROLLBACK").unwrap();
        session.execute("CREATE TEMP TABLE u (a int); INSERT INTO u VALUES (1)").unwrap();
        session.execute("INSERT INTO t VALUES (1)").unwrap();
        assert!(session.query("SELECT a FROM t", &[]).unwrap().is_empty());
        assert_eq!(session.query("SELECT a FROM u", &[]).unwrap().len(), 1);
    }
}
