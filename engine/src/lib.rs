//! The storage engine: ordered keys, transactions, full-text and geo indexes, on one log-structured
//! merge tree.
//!
//! Layers, nearest the caller first; each calls only downward:
//! [`db`] → [`txn`] → [`index`] (derived indexes) → [`lsm`] → [`mod@env`].
//!
//! # The life of a write
//! 1. [`Transaction::put`] keeps it in the transaction's write set; nobody else sees it.
//! 2. [`Transaction::commit`] turns the write set into a [`lsm::Batch`] and gives it the next
//!    [`Timestamp`], in commit order.
//! 3. [`lsm::Lsm::append`] copies the batch into the buffer of the write-ahead log
//!    ([`lsm::wal::writer`]) and applies it to the memtable ([`lsm::memtable`]). Derived indexes get
//!    it at the same time ([`index`]). Locks are free from here on.
//! 4. [`lsm::Lsm::sync`] makes it durable, together with everything that gathered meanwhile; then
//!    the commit is acknowledged.
//! 5. A full memtable is sealed, with its own WAL segment, and flushed to a level-0 sstable
//!    ([`lsm::flush`]). One edit of the manifest ([`lsm::version::manifest`]) names the sstable and
//!    retires the segment.
//! 6. Compaction merges the sstable downward: [`lsm::compaction::picker`] says which files,
//!    [`lsm::compaction::retention`] which row versions may go, [`lsm::compaction::job`] does it.
//!
//! # The life of a read
//! 1. [`Db::begin`] or [`Db::snapshot`] takes a timestamp; it sees the commits up to there.
//! 2. [`Transaction::get`] looks in its own write set, then calls [`lsm::Lsm::get`].
//! 3. One pointer load gives the memtables and the [`lsm::version`], the immutable set of live
//!    files; no lock is taken.
//! 4. The memtables are asked, newest first; then the sstables of level 0, newest first; then the
//!    one sstable of each level whose key range fits. The first answer is the newest version.
//! 5. In an sstable ([`lsm::sstable::reader`]) the Bloom filter answers most misses; the block index,
//!    searched in the file's mapping, names one block; the block comes from the block cache
//!    ([`lsm::block_cache`]) or is checked and decompressed; the value returned is a slice of it.
//! 6. A scan merges all of these sources ([`lsm::merge`]) and yields, for each key, the newest
//!    version that its snapshot sees ([`lsm::scan`]).
//!
//! What opening a database does is told in [`mod@recovery`] and, for the files, in
//! [`lsm::recovery`].
//!
//! # Example
//! ```
//! # fn main() -> cairn_engine::Result<()> {
//! use cairn_engine::{Db, Options};
//! let db = Db::in_memory(Options::default())?;
//! let txn = db.begin(Default::default());
//! txn.put(b"greeting", b"hello")?;
//! txn.commit()?;
//! assert_eq!(db.begin(Default::default()).get(b"greeting")?.as_deref(), Some(&b"hello"[..]));
//! # Ok(())
//! # }
//! ```

#![allow(
    rustdoc::private_intra_doc_links,
    reason = "the tour above is for those who read the code, where private modules are visible"
)]

pub mod backup;
#[cfg(test)]
mod damage;
pub mod db;
pub mod encoding;
pub mod env;
pub mod error;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod history;
pub mod index;
pub mod inspect;
pub mod keyspace;
pub mod lsm;
#[cfg(all(test, feature = "shuttle"))]
mod models;
pub mod options;
mod recovery;
pub mod repair;
#[cfg(test)]
mod simulation;
pub mod snapshots;
pub mod stats;
mod sync;
#[cfg(test)]
mod testing;
pub mod timestamp;
pub mod txn;
pub mod verify;

pub use bytes::Bytes;
pub use db::Db;
pub use env::Env;
pub use error::{Error, ErrorKind, Result};
pub use keyspace::{Direction, KeyRange, ObjectId, Space};
pub use lsm::FORMAT_VERSION;
pub use lsm::compaction::Style as CompactionStyle;
pub use options::Options;
pub use repair::repair;
pub use snapshots::NamedSnapshot;
pub use stats::DbStats;
pub use timestamp::Timestamp;
pub use txn::{
    Isolation, LockOutcome, LockOwner, LockStrength, Savepoint, Scan, Snapshot, TableLockMode,
    Transaction, WaitPolicy,
};
pub use verify::verify;
