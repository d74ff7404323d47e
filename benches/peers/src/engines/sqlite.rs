//! SQLite with its write-ahead log, one table without row ids, statements prepared once.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension};

use super::{Direction, Engine, Result, Session, Writes};

/// How long a writer waits for its turn.
const BUSY_TIMEOUT: Duration = Duration::from_secs(60);

pub struct Sqlite {
    path: PathBuf,
    cache_len: usize,
}

impl Sqlite {
    pub fn open(dir: &Path, cache_len: usize) -> Result<Self> {
        let sqlite = Self { path: dir.join("sqlite"), cache_len };
        let connection = sqlite.connect()?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS records (k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID",
        )?;
        Ok(sqlite)
    }

    fn connect(&self) -> Result<Connection> {
        let connection = Connection::open(&self.path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "cache_size", -i64::try_from(self.cache_len >> 10)?)?;
        Ok(connection)
    }
}

const PUT: &str = "INSERT OR REPLACE INTO records VALUES (?1, ?2)";
const DELETE: &str = "DELETE FROM records WHERE k = ?1";
const GET: &str = "SELECT v FROM records WHERE k = ?1";
const FORWARD: &str = "SELECT k, v FROM records WHERE k >= ?1 ORDER BY k LIMIT ?2";
const REVERSE: &str = "SELECT k, v FROM records WHERE k < ?1 ORDER BY k DESC LIMIT ?2";

impl Engine for Sqlite {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(SqliteSession { connection: self.connect()?, is_durable: None }))
    }

    fn load_sorted(&self, records: &mut dyn Iterator<Item = (Vec<u8>, Vec<u8>)>) -> Result<()> {
        let connection = self.connect()?;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut put = connection.prepare(PUT)?;
        for (key, value) in records {
            put.execute((key, value))?;
        }
        connection.execute_batch("COMMIT")?;
        self.settle()
    }

    fn settle(&self) -> Result<()> {
        self.connect()?.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))?;
        Ok(())
    }
}

struct SqliteSession {
    connection: Connection,
    is_durable: Option<bool>,
}

impl Session for SqliteSession {
    fn get(&mut self, key: &[u8], show: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let mut get = self.connection.prepare_cached(GET)?;
        let found = get.query_row((key,), |row| {
            show(row.get_ref(0)?.as_blob()?);
            Ok(())
        });
        Ok(found.optional()?.is_some())
    }

    fn scan(
        &mut self,
        start: &[u8],
        direction: Direction,
        limit: usize,
        show: &mut dyn FnMut(&[u8], &[u8]),
    ) -> Result<usize> {
        let text = match direction {
            Direction::Forward => FORWARD,
            Direction::Reverse => REVERSE,
        };
        let mut scan = self.connection.prepare_cached(text)?;
        let mut rows = scan.query((start, i64::try_from(limit).unwrap_or(i64::MAX)))?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            show(row.get_ref(0)?.as_blob()?, row.get_ref(1)?.as_blob()?);
            count += 1;
        }
        Ok(count)
    }

    fn commit(&mut self, writes: &Writes, is_durable: bool) -> Result<()> {
        if self.is_durable != Some(is_durable) {
            let level = if is_durable { "full" } else { "normal" };
            self.connection.pragma_update(None, "synchronous", level)?;
            self.is_durable = Some(is_durable);
        }
        let txn = self.connection.unchecked_transaction()?;
        for (key, value) in writes {
            match value {
                Some(value) => drop(txn.prepare_cached(PUT)?.execute((key, value))?),
                None => drop(txn.prepare_cached(DELETE)?.execute((key,))?),
            }
        }
        txn.commit()?;
        Ok(())
    }
}
