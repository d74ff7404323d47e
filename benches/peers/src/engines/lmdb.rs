//! LMDB: a mapped B-tree. It has no cache of its own to bound; the kernel's is what it uses.

use std::ops::Bound;
use std::path::Path;
use std::sync::Mutex;

use heed::types::Bytes;
use heed::{Database, Env, EnvFlags, EnvOpenOptions, FlagSetMode, PutFlags};

use super::{Direction, Engine, Result, Session, Writes};

/// The most that the file may grow to: address space, not memory.
const MAP_LEN: usize = 64 << 30;
const READER_COUNT_MAX: u32 = 128;

pub struct Lmdb {
    env: Env,
    table: Database<Bytes, Bytes>,
    /// Whether commits sync now. Writers take turns anyway.
    is_durable: Mutex<bool>,
}

impl Lmdb {
    pub fn open(dir: &Path) -> Result<Self> {
        // SAFETY: nobody else changes the file while it is mapped.
        let env = unsafe {
            EnvOpenOptions::new()
                .map_size(MAP_LEN)
                .max_readers(READER_COUNT_MAX)
                .flags(EnvFlags::NO_READ_AHEAD)
                .open(dir)?
        };
        let mut txn = env.write_txn()?;
        let table = env.create_database(&mut txn, None)?;
        txn.commit()?;
        Ok(Self { env, table, is_durable: Mutex::new(true) })
    }
}

impl Engine for Lmdb {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(LmdbSession(self)))
    }

    fn load_sorted(&self, records: &mut dyn Iterator<Item = (Vec<u8>, Vec<u8>)>) -> Result<()> {
        let mut txn = self.env.write_txn()?;
        for (key, value) in records {
            self.table.put_with_flags(&mut txn, PutFlags::APPEND, &key, &value)?;
        }
        txn.commit()?;
        Ok(())
    }

    fn settle(&self) -> Result<()> {
        Ok(self.env.force_sync()?)
    }
}

struct LmdbSession<'a>(&'a Lmdb);

impl Session for LmdbSession<'_> {
    fn get(&mut self, key: &[u8], show: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let txn = self.0.env.read_txn()?;
        let value = self.0.table.get(&txn, key)?;
        Ok(value.inspect(|value| show(value)).is_some())
    }

    fn scan(
        &mut self,
        start: &[u8],
        direction: Direction,
        limit: usize,
        show: &mut dyn FnMut(&[u8], &[u8]),
    ) -> Result<usize> {
        let txn = self.0.env.read_txn()?;
        let table = &self.0.table;
        let mut count = 0;
        let mut show_all = |rows: &mut dyn Iterator<Item = heed::Result<(&[u8], &[u8])>>| {
            for row in rows.take(limit) {
                let (key, value) = row?;
                show(key, value);
                count += 1;
            }
            heed::Result::Ok(())
        };
        match direction {
            Direction::Forward => {
                // The empty key is no key to LMDB.
                let first =
                    if start.is_empty() { Bound::Unbounded } else { Bound::Included(start) };
                let range = (first, Bound::Unbounded);
                show_all(&mut table.range(&txn, &range)?)?;
            }
            Direction::Reverse => {
                let range = (Bound::Unbounded, Bound::Excluded(start));
                show_all(&mut table.rev_range(&txn, &range)?)?;
            }
        }
        Ok(count)
    }

    fn commit(&mut self, writes: &Writes, is_durable: bool) -> Result<()> {
        let mut current = self.0.is_durable.lock().map_err(|_| "a writer panicked")?;
        if *current != is_durable {
            let mode = if is_durable { FlagSetMode::Disable } else { FlagSetMode::Enable };
            // SAFETY: under the mutex no other thread sets flags.
            unsafe { self.0.env.set_flags(EnvFlags::NO_SYNC, mode)? };
            *current = is_durable;
        }
        let mut txn = self.0.env.write_txn()?;
        for (key, value) in writes {
            match value {
                Some(value) => self.0.table.put(&mut txn, key, value)?,
                None => drop(self.0.table.delete(&mut txn, key)?),
            }
        }
        txn.commit()?;
        Ok(())
    }
}
