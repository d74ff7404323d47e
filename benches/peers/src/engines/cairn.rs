//! Cairn's engine API. A commit that need not be durable at once is synced in the background
//! before long, as everything that follows it; until then only its own session reads it.

use std::path::Path;

use cairn_engine::{Db, Isolation, KeyRange, Options, Timestamp, Transaction};

use super::{Direction, Engine, Result, Session, Writes};

/// Commits between two syncs that nobody waits for.
const COMMITS_PER_SYNC: u64 = 1024;

pub struct Cairn(Db);

impl Cairn {
    pub fn open(dir: &Path, cache_len: usize) -> Result<Self> {
        let options = Options { block_cache_len_max: cache_len, ..Options::default() };
        Ok(Self(Db::open(dir, options)?))
    }
}

impl Engine for Cairn {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(CairnSession { db: &self.0, commit_count: 0, last: Timestamp::default() }))
    }

    fn load_sorted(&self, records: &mut dyn Iterator<Item = (Vec<u8>, Vec<u8>)>) -> Result<()> {
        self.0.ingest(records.map(Ok))?;
        Ok(())
    }

    fn settle(&self) -> Result<()> {
        self.0.settle()?;
        Ok(())
    }
}

struct CairnSession<'a> {
    db: &'a Db,
    commit_count: u64,
    /// Its own last commit.
    last: Timestamp,
}

impl CairnSession<'_> {
    /// A reader that sees the session's own commits.
    fn reader(&self) -> Transaction {
        self.db.begin_after(Isolation::ReadCommitted, self.last)
    }
}

impl Session for CairnSession<'_> {
    fn get(&mut self, key: &[u8], show: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let is_durable = self.last <= self.db.durable_timestamp();
        let value = if is_durable { self.db.get(key)? } else { self.reader().get(key)? };
        Ok(value.inspect(|value| show(value)).is_some())
    }

    fn scan(
        &mut self,
        start: &[u8],
        direction: Direction,
        limit: usize,
        show: &mut dyn FnMut(&[u8], &[u8]),
    ) -> Result<usize> {
        let (range, direction) = match direction {
            Direction::Forward => {
                let range = KeyRange { start: start.to_vec(), end: None };
                (range, cairn_engine::Direction::Forward)
            }
            Direction::Reverse => {
                let range = KeyRange { start: Vec::new(), end: Some(start.to_vec()) };
                (range, cairn_engine::Direction::Reverse)
            }
        };
        let mut count = 0;
        for row in self.reader().scan(range, direction)?.take(limit) {
            let (key, value) = row?;
            show(&key, &value);
            count += 1;
        }
        Ok(count)
    }

    fn commit(&mut self, writes: &Writes, is_durable: bool) -> Result<()> {
        let txn = self.db.begin(Isolation::ReadCommitted);
        for (key, value) in writes {
            match value {
                Some(value) => txn.put(key, value)?,
                None => txn.delete(key)?,
            }
        }
        if is_durable {
            txn.commit()?;
            return Ok(());
        }
        let ts = txn.commit_logged()?;
        self.last = ts;
        self.commit_count += 1;
        if self.commit_count.is_multiple_of(COMMITS_PER_SYNC) {
            self.db.on_durable(ts, Box::new(drop));
        }
        Ok(())
    }
}
