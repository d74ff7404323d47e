//! Fjall with its defaults (blocks of 4 KiB, LZ4, filters of ten bits).

use std::path::Path;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use super::{Direction, Engine, Result, Session, Writes};

pub struct Fjall {
    db: Database,
    table: Keyspace,
}

impl Fjall {
    pub fn open(dir: &Path, cache_len: usize) -> Result<Self> {
        let db = Database::builder(dir).cache_size(cache_len as u64).worker_threads(2).open()?;
        let table = db.keyspace("records", KeyspaceCreateOptions::default)?;
        Ok(Self { db, table })
    }
}

impl Engine for Fjall {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(FjallSession(self)))
    }

    fn load_sorted(&self, records: &mut dyn Iterator<Item = (Vec<u8>, Vec<u8>)>) -> Result<()> {
        let mut load = self.table.start_ingestion()?;
        for (key, value) in records {
            load.write(key, value)?;
        }
        load.finish()?;
        self.db.persist(PersistMode::SyncAll)?;
        Ok(())
    }

    fn settle(&self) -> Result<()> {
        self.db.persist(PersistMode::SyncAll)?;
        self.table.rotate_memtable_and_wait()?;
        let idle = || self.db.active_compactions() == 0 && self.db.outstanding_flushes() == 0;
        let mut calm = 0;
        while calm < 10 {
            std::thread::sleep(std::time::Duration::from_millis(50));
            calm = if idle() { calm + 1 } else { 0 };
        }
        Ok(())
    }
}

struct FjallSession<'a>(&'a Fjall);

impl Session for FjallSession<'_> {
    fn get(&mut self, key: &[u8], show: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let value = self.0.table.get(key)?;
        Ok(value.inspect(|value| show(value)).is_some())
    }

    fn scan(
        &mut self,
        start: &[u8],
        direction: Direction,
        limit: usize,
        show: &mut dyn FnMut(&[u8], &[u8]),
    ) -> Result<usize> {
        let mut count = 0;
        let mut show_all = |rows: &mut dyn Iterator<Item = fjall::Guard>| -> Result<()> {
            for row in rows.take(limit) {
                let (key, value) = row.into_inner()?;
                show(&key, &value);
                count += 1;
            }
            Ok(())
        };
        match direction {
            Direction::Forward => show_all(&mut self.0.table.range(start..))?,
            Direction::Reverse => show_all(&mut self.0.table.range(..start).rev())?,
        }
        Ok(count)
    }

    fn commit(&mut self, writes: &Writes, is_durable: bool) -> Result<()> {
        let durability = is_durable.then_some(PersistMode::SyncData);
        let mut batch = self.0.db.batch().durability(durability);
        for (key, value) in writes {
            match value {
                Some(value) => batch.insert(&self.0.table, key.as_slice(), value.as_slice()),
                None => batch.remove(&self.0.table, key.as_slice()),
            }
        }
        batch.commit()?;
        Ok(())
    }
}
