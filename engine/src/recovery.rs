//! What opening a database does, in order.
//!
//! 1. The store: lock, manifest, sstables, then the WAL ([`crate::lsm`]).
//! 2. A sync: what the WAL of a killed process left in the page cache must be on disk before a
//!    reader is shown it, or a power cut could take back what was seen.
//! 3. The oracle starts at the newest commit found; that is also the oldest snapshot, but for
//!    those with a name ([`crate::snapshots`]) and the past that is kept ([`crate::history`]).
//! 4. The derived indexes: their segments, then what snapshots see of the entries newer than their
//!    watermarks ([`crate::index::registry`]).
//!
//! Row locks and transactions that had not committed leave nothing behind to be undone.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::backup::Backups;
use crate::db::{Db, Shared};
use crate::env::Env;
use crate::error::Result;
use crate::history::History;
use crate::index::maintenance::{Maintenance, Thread};
use crate::index::registry::Registry;
use crate::lsm::Lsm;
use crate::options::Options;
use crate::snapshots::Names;
use crate::txn::blocking::BlockingHook;
use crate::txn::commit::Committer;
use crate::txn::durability::Durability;
use crate::txn::lock::LockTable;
use crate::txn::oracle::Oracle;

/// Opens the database in `dir`.
pub(crate) fn open(env: &Env, dir: &Path, options: Options) -> Result<Db> {
    let lsm = Lsm::open(env.clone(), dir, &options)?;
    let backups = Backups::open(env, dir)?;
    let last = lsm.sync()?.max(lsm.last_timestamp());
    let oracle = Arc::new(Oracle::new(last, lsm.history_start()));
    let names = Names::recover(&lsm, &oracle)?;
    let history = Arc::new(History::open(env.clock.clone(), &lsm, &options)?);
    history.advance(&lsm, &oracle);
    oracle.pass_on(&lsm);
    let indexes = Arc::new(Registry::recover(env, dir, &lsm)?);
    let blocking = Arc::new(BlockingHook::default());
    let committer =
        Arc::new(Committer::new(lsm.clone(), oracle.clone(), indexes.clone(), history.clone()));
    let durability = Arc::new(Durability::new(lsm.clone(), oracle.clone(), blocking.clone()));
    let maintenance = Arc::new(Maintenance {
        registry: indexes.clone(),
        lsm: lsm.clone(),
        oracle: oracle.clone(),
        committer: committer.clone(),
        durability: durability.clone(),
        history: history.clone(),
        delta_len_max: options.delta_len_max,
        thread: Thread::default(),
    });
    if options.background_thread_count > 0 {
        maintenance.start()?;
    }
    let locks = LockTable::new(blocking.clone());
    let next_id = AtomicU64::new(1);
    let shared = Shared {
        options,
        lsm,
        oracle,
        locks,
        committer,
        durability,
        indexes,
        maintenance,
        blocking,
        history,
        names,
        backups,
        next_id,
    };
    Ok(Db { shared: Arc::new(shared) })
}
