//! A reader's handle: one moment of the database, for as long as it is held.

use std::sync::Arc;

use bytes::Bytes;

use super::oracle::Pin;
use super::scan::Scan;
use crate::db::Db;
use crate::error::Result;
use crate::keyspace::{Direction, KeyRange};
use crate::timestamp::Timestamp;

/// One moment of the database. Cheap to take and to clone; row versions that it sees are kept
/// until its last clone is dropped.
#[derive(Clone)]
pub struct Snapshot {
    db: Db,
    pin: Arc<Pin>,
}

impl Snapshot {
    pub(crate) fn new(db: Db, pin: Arc<Pin>) -> Self {
        Self { db, pin }
    }

    pub(crate) fn pin(&self) -> &Arc<Pin> {
        &self.pin
    }

    /// Every commit at or before this is seen.
    pub fn timestamp(&self) -> Timestamp {
        self.pin.ts()
    }

    /// Reads a key.
    ///
    /// # Errors
    /// `Corruption`, `Io`.
    pub fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        let version = self.db.shared.lsm.get(key, self.pin.ts())?;
        Ok(version.and_then(|(_, value)| value))
    }

    /// Iterates a key range.
    ///
    /// # Errors
    /// `Corruption`, `Io`.
    pub fn scan(&self, range: &KeyRange, direction: Direction) -> Result<Scan> {
        Scan::committed(&self.db.shared.lsm, Arc::clone(&self.pin), range, direction)
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Snapshot").field(&self.pin.ts()).finish()
    }
}
