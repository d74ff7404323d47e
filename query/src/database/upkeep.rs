//! Work that nobody asks for: statistics of tables that have changed, and the space of objects
//! that were dropped.
//!
//! One thread for each open database. It owns parts of the database, never the database itself, so
//! that closing does not wait on it for longer than it takes to look at a flag.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use cairn_engine::{Db, Isolation};
use parking_lot::{Condvar, Mutex};

use crate::catalog::TableDef;
use crate::catalog::store::CatalogStore;
use crate::define::garbage;
use crate::error::{Error, Result, SqlState};
use crate::session::plan_cache::PlanCache;
use crate::statistics::{self, stored};

/// How often it looks. A table that was just filled is planned by guesses for so long.
const INTERVAL: Duration = Duration::from_secs(2);

/// What it works with.
#[derive(Clone)]
pub(crate) struct Parts {
    pub db: Db,
    pub catalogs: Arc<CatalogStore>,
    pub execution: Arc<crate::execute::Shared>,
    pub plans: Arc<PlanCache>,
}

/// The thread.
pub(crate) struct Upkeep {
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Stop {
    is_asked: AtomicBool,
    lock: Mutex<()>,
    asked: Condvar,
}

impl Upkeep {
    /// Starts it.
    ///
    /// # Errors
    /// 58030 when the system gives no thread.
    pub(crate) fn start(parts: Parts) -> Result<Self> {
        let stop = Arc::new(Stop::default());
        let own = Arc::clone(&stop);
        let run = move || {
            while own.wait() {
                if let Err(error) = pass(&parts, &own.is_asked) {
                    tracing::warn!(%error, "upkeep is put off");
                }
            }
        };
        let thread = std::thread::Builder::new().name("cairn-upkeep".to_owned()).spawn(run);
        let thread = thread.map_err(|error| {
            Error::new(SqlState::IO_ERROR, format!("could not start a thread: {error}"))
        })?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        self.stop.ask();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("upkeep has failed");
        }
    }
}

impl Stop {
    fn ask(&self) {
        let _guard = self.lock.lock();
        self.is_asked.store(true, Ordering::Release);
        self.asked.notify_all();
    }

    /// Waits for the next pass; false at the end.
    fn wait(&self) -> bool {
        let mut guard = self.lock.lock();
        if !self.is_asked.load(Ordering::Acquire) {
            self.asked.wait_for(&mut guard, INTERVAL);
        }
        !self.is_asked.load(Ordering::Acquire)
    }
}

/// Does what there is to do now.
fn pass(parts: &Parts, is_stopped: &AtomicBool) -> Result<()> {
    for table in stale_tables(parts) {
        if is_stopped.load(Ordering::Acquire) {
            return Ok(());
        }
        analyze(parts, &table, is_stopped)?;
    }
    garbage::collect(&parts.db)?;
    Ok(())
}

fn stale_tables(parts: &Parts) -> Vec<Arc<TableDef>> {
    let globals = parts.catalogs.globals();
    let catalogs = globals.databases.values();
    let catalogs = catalogs.filter_map(|database| parts.catalogs.current(&database.name));
    let statistics = &parts.execution.statistics;
    catalogs
        .flat_map(|catalog| catalog.tables.values().cloned().collect::<Vec<_>>())
        .filter(|table| statistics.is_stale(table.storage()))
        .collect()
}

fn analyze(parts: &Parts, table: &Arc<TableDef>, is_stopped: &AtomicBool) -> Result<()> {
    let txn = parts.db.begin(Isolation::ReadCommitted);
    let check = || match is_stopped.load(Ordering::Acquire) {
        true => Err(Error::new(SqlState::ADMIN_SHUTDOWN, "the database is being closed")),
        false => Ok(()),
    };
    let found = match statistics::analyze(&txn, table, &check) {
        Ok(found) => found,
        Err(_) if is_stopped.load(Ordering::Acquire) => return Ok(()),
        Err(error) => return Err(error),
    };
    stored::store(&parts.db, table.storage(), Some(&found))?;
    parts.execution.statistics.put(table.storage(), found);
    // Plans were chosen by the old figures.
    parts.plans.clear();
    Ok(())
}

/// Loads the statistics of tables that exist, and forgets those of others.
///
/// # Errors
/// The engine's.
pub(crate) fn load_statistics(parts: &Parts) -> Result<()> {
    let globals = parts.catalogs.globals();
    let catalogs = globals.databases.values();
    let catalogs = catalogs.filter_map(|database| parts.catalogs.current(&database.name));
    let storages: std::collections::HashSet<u32> = catalogs
        .flat_map(|catalog| catalog.tables.values().map(|t| t.storage).collect::<Vec<_>>())
        .collect();
    for (storage, found) in stored::load(&parts.db)? {
        match storages.contains(&storage.0) {
            true => parts.execution.statistics.put(storage, found),
            false => stored::store(&parts.db, storage, None)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::Database;

    use super::*;

    #[test]
    fn a_filled_table_is_analyzed_and_a_dropped_one_is_forgotten() {
        let database = Database::in_memory().unwrap();
        let mut session = database.connect("cairn", "cairn").unwrap();
        session.execute("CREATE TABLE t (n int PRIMARY KEY)").unwrap();
        session.execute("INSERT INTO t SELECT generate_series(1, 500)").unwrap();
        let parts = database.shared.parts();
        let catalog = parts.catalogs.current("cairn").unwrap();
        let table = catalog.tables.values().find(|table| table.name == "t").unwrap().clone();
        pass(&parts, &AtomicBool::new(false)).unwrap();
        let rows = parts.execution.statistics.rows(table.storage());
        assert_eq!(rows, Some(500.0));
        assert_eq!(stored::load(&parts.db).unwrap().len(), 1);

        session.execute("DROP TABLE t").unwrap();
        drop(session);
        pass(&parts, &AtomicBool::new(false)).unwrap();
        load_statistics(&parts).unwrap();
        assert!(stored::load(&parts.db).unwrap().is_empty());
        let range = cairn_engine::keyspace::prefix(cairn_engine::Space::Row, table.storage());
        let range = cairn_engine::KeyRange::prefix(&range);
        let rows = parts.db.snapshot().scan(&range, cairn_engine::Direction::Forward).unwrap();
        assert_eq!(rows.count(), 0);
    }
}
