//! Transactions with Postgres' semantics: snapshots, row locks, savepoints.
//!
//! A transaction reads its own writes and a snapshot; its writes stay in its write set until
//! commit, so abort costs nothing. Writes carry the number of the statement that made them
//! ([`Transaction::begin_statement`]): reads see the writes of earlier statements only, so an
//! `UPDATE` never meets a row that it has just written.
//!
//! # Locking
//! A writer locks a key before it writes it and holds the lock until the commit is in the log.
//! After a lock was granted, [`Transaction::get_newest`] shows what the previous holder left.
//!
//! # Durability
//! A commit is applied, and its locks are free, before it is on disk. Nothing that depends on a
//! commit that is not yet durable may leave the process: snapshots are taken at the durable
//! timestamp, and [`Transaction::depends_on`] tells what else was seen.
//!
//! # Files
//! [`transaction`] is the caller's view; [`write_set`], [`read_set`] and [`scan`] are its parts;
//! [`oracle`] knows the timestamps, [`lock`] who waits for whom, [`commit`] the order of commits,
//! [`durability`] what is on disk.

pub(crate) mod blocking;
pub(crate) mod commit;
pub(crate) mod durability;
pub mod lock;
pub(crate) mod oracle;
pub(crate) mod read_set;
pub mod scan;
pub mod search;
pub mod snapshot;
mod state;
pub mod transaction;
pub(crate) mod write_set;

#[cfg(test)]
mod tests;

pub use crate::keyspace::Direction;
pub use crate::timestamp::Timestamp;
pub use blocking::RunBlocking;
pub use durability::DurableCallback;
pub use lock::{
    LockInfo, LockMode, LockOutcome, LockOwner, LockScope, LockSpace, LockStrength, TableLockMode,
    WaitPolicy,
};
pub use scan::Scan;
pub use snapshot::Snapshot;
pub use transaction::{Savepoint, Transaction};

/// What a transaction sees of others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// Each statement sees what was committed when it began.
    #[default]
    ReadCommitted,
    /// All statements see what was committed when the first one began; writing a row that changed
    /// since is a conflict.
    RepeatableRead,
    /// As if transactions ran one after the other.
    Serializable,
}
