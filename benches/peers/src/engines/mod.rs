//! What the phases ask of an engine, and who answers.

mod cairn;
mod fjall;
mod lmdb;
mod redb;
mod rocksdb;
mod sqlite;

use std::path::Path;

/// Whatever went wrong.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
pub type Result<T> = std::result::Result<T, Error>;

/// Writes that are committed together; no value is a removal.
pub type Writes = [(Vec<u8>, Option<Vec<u8>>)];

/// An open database with one table.
pub trait Engine: Sync {
    /// One thread's way in.
    fn session(&self) -> Result<Box<dyn Session + '_>>;

    /// Loads records that come sorted, by the best way that the engine has for it; durable on
    /// return.
    fn load_sorted(&self, records: &mut dyn Iterator<Item = (Vec<u8>, Vec<u8>)>) -> Result<()>;

    /// Makes all writes durable and waits until the engine has nothing left to do.
    fn settle(&self) -> Result<()>;
}

/// What one thread does.
pub trait Session {
    /// Shows the value of a key; false when there is none.
    fn get(&mut self, key: &[u8], show: &mut dyn FnMut(&[u8])) -> Result<bool>;

    /// Shows up to `limit` records from `start` on, in either direction; how many there were.
    fn scan(
        &mut self,
        start: &[u8],
        direction: Direction,
        limit: usize,
        show: &mut dyn FnMut(&[u8], &[u8]),
    ) -> Result<usize>;

    /// Commits. Unless durable, the commit may wait for its disk.
    fn commit(&mut self, writes: &Writes, is_durable: bool) -> Result<()>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Reverse,
}

/// An engine by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    Cairn,
    Rocksdb,
    Fjall,
    Lmdb,
    Redb,
    Sqlite,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Cairn => "cairn",
            Self::Rocksdb => "rocksdb",
            Self::Fjall => "fjall",
            Self::Lmdb => "lmdb",
            Self::Redb => "redb",
            Self::Sqlite => "sqlite",
        }
    }

    /// Opens a database in `dir`, creating it when absent, with `cache_len` bytes of cache.
    pub fn open(self, dir: &Path, cache_len: usize) -> Result<Box<dyn Engine>> {
        std::fs::create_dir_all(dir)?;
        Ok(match self {
            Self::Cairn => Box::new(cairn::Cairn::open(dir, cache_len)?),
            Self::Rocksdb => Box::new(rocksdb::Rocks::open(dir, cache_len)?),
            Self::Fjall => Box::new(fjall::Fjall::open(dir, cache_len)?),
            Self::Lmdb => Box::new(lmdb::Lmdb::open(dir)?),
            Self::Redb => Box::new(redb::Redb::open(dir, cache_len)?),
            Self::Sqlite => Box::new(sqlite::Sqlite::open(dir, cache_len)?),
        })
    }
}
