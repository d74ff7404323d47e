//! redb: a copy-on-write B-tree in Rust.

use std::path::Path;

use redb::{Database, Durability, ReadableDatabase, TableDefinition};

use super::{Direction, Engine, Result, Session, Writes};

const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("records");

pub struct Redb(Database);

impl Redb {
    pub fn open(dir: &Path, cache_len: usize) -> Result<Self> {
        let db = Database::builder().set_cache_size(cache_len).create(dir.join("redb"))?;
        let txn = db.begin_write()?;
        txn.open_table(TABLE)?;
        txn.commit()?;
        Ok(Self(db))
    }
}

impl Engine for Redb {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(RedbSession(&self.0)))
    }

    fn load_sorted(&self, records: &mut dyn Iterator<Item = (Vec<u8>, Vec<u8>)>) -> Result<()> {
        let txn = self.0.begin_write()?;
        let mut table = txn.open_table(TABLE)?;
        for (key, value) in records {
            table.insert(key.as_slice(), value.as_slice())?;
        }
        drop(table);
        txn.commit()?;
        Ok(())
    }

    fn settle(&self) -> Result<()> {
        // An empty durable commit takes everything before it to the disk.
        self.0.begin_write()?.commit()?;
        Ok(())
    }
}

struct RedbSession<'a>(&'a Database);

impl Session for RedbSession<'_> {
    fn get(&mut self, key: &[u8], show: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let table = self.0.begin_read()?.open_table(TABLE)?;
        let value = table.get(key)?;
        Ok(value.inspect(|value| show(value.value())).is_some())
    }

    fn scan(
        &mut self,
        start: &[u8],
        direction: Direction,
        limit: usize,
        show: &mut dyn FnMut(&[u8], &[u8]),
    ) -> Result<usize> {
        let table = self.0.begin_read()?.open_table(TABLE)?;
        let mut rows = match direction {
            Direction::Forward => table.range(start..)?,
            Direction::Reverse => table.range(..start)?,
        };
        let mut count = 0;
        while count < limit {
            let row = match direction {
                Direction::Forward => rows.next(),
                Direction::Reverse => rows.next_back(),
            };
            let Some(row) = row else { break };
            let (key, value) = row?;
            show(key.value(), value.value());
            count += 1;
        }
        Ok(count)
    }

    fn commit(&mut self, writes: &Writes, is_durable: bool) -> Result<()> {
        let mut txn = self.0.begin_write()?;
        txn.set_durability(if is_durable { Durability::Immediate } else { Durability::None })?;
        let mut table = txn.open_table(TABLE)?;
        for (key, value) in writes {
            match value {
                Some(value) => drop(table.insert(key.as_slice(), value.as_slice())?),
                None => drop(table.remove(key.as_slice())?),
            }
        }
        drop(table);
        txn.commit()?;
        Ok(())
    }
}
