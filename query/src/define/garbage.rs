//! Rows and index entries that no definition names any more, and when they may be forgotten.
//!
//! DROP and TRUNCATE list the storage that they cut loose in the same transaction, so the list is
//! as durable as they are. A snapshot taken before may still read it; once the oldest snapshot is
//! past the commit, the engine drops the whole key range at no cost per row.
//!
//! # Key
//! `0x01 'x' space u8 object u32`, value empty.

use cairn_engine::{Db, Direction, Isolation, KeyRange, ObjectId, Space, Transaction, keyspace};

use crate::catalog::{IndexDef, IndexMethod, TableDef};
use crate::error::Result;

/// Lists the rows of a table and the entries of all its indexes.
///
/// # Errors
/// The engine's.
pub(super) fn discard_table(txn: &Transaction, table: &TableDef) -> Result<()> {
    discard(txn, Space::Row, table.storage())?;
    table.indexes.iter().try_for_each(|index| discard_index(txn, index))
}

/// Lists the entries of an index.
///
/// # Errors
/// The engine's.
pub(super) fn discard_index(txn: &Transaction, index: &IndexDef) -> Result<()> {
    discard(txn, space(index.method), index.storage())
}

/// Where an index of this method keeps its entries.
pub fn space(method: IndexMethod) -> Space {
    match method {
        IndexMethod::Ordered | IndexMethod::Inverted => Space::Ordered,
        IndexMethod::FullText => Space::Text,
        IndexMethod::Geo => Space::Geo,
    }
}

fn discard(txn: &Transaction, space: Space, object: ObjectId) -> Result<()> {
    let [a, b, c, d] = object.0.to_be_bytes();
    txn.put(&[Space::Meta as u8, b'x', space as u8, a, b, c, d], &[])?;
    Ok(())
}

/// Forgets what no snapshot can see any more. Called after a commit that dropped something, and
/// when the database is opened. Answers how many objects are left for later.
///
/// # Errors
/// The engine's.
pub fn collect(db: &Db) -> Result<usize> {
    let txn = db.begin(Isolation::ReadCommitted);
    let oldest = db.oldest_snapshot();
    let mut left = 0;
    for entry in txn.scan(KeyRange::prefix(&[Space::Meta as u8, b'x']), Direction::Forward)? {
        let (key, _) = entry?;
        let Some(&[space, a, b, c, d]) = key.get(2..) else { continue };
        if !txn.committed_before(&key, oldest)? {
            left += 1;
            continue;
        }
        let object = ObjectId(u32::from_be_bytes([a, b, c, d]));
        let spaces = [Space::Row, Space::Ordered, Space::Text, Space::Geo];
        if let Some(space) = spaces.into_iter().find(|known| *known as u8 == space) {
            db.drop_range(&KeyRange::prefix(&keyspace::prefix(space, object)))?;
        }
        txn.delete(&key)?;
    }
    txn.commit_logged()?;
    Ok(left)
}
