//! The storage engine: ordered keys, transactions, full-text and geo indexes, on one log-structured
//! merge tree.
//!
//! Layers, nearest the caller first; each calls only downward:
//! [`db`] → [`txn`] → [`index`] (derived indexes) → `lsm` → `env`.
//!
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

pub mod db;
pub mod encoding;
pub mod env;
pub mod error;
pub mod index;
pub mod keyspace;
pub mod lsm;
pub mod options;
mod recovery;
pub mod timestamp;
pub mod txn;

pub use bytes::Bytes;
pub use db::Db;
pub use env::Env;
pub use error::{Error, ErrorKind, Result};
pub use keyspace::{Direction, KeyRange, ObjectId, Space};
pub use options::Options;
pub use timestamp::Timestamp;
pub use txn::{
    Isolation, LockOutcome, LockOwner, LockStrength, Savepoint, Scan, Snapshot, TableLockMode,
    Transaction, WaitPolicy,
};
