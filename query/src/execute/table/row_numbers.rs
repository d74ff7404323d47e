//! Row numbers: the keys of rows whose table has no primary key.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cairn_engine::{Direction, KeyRange, ObjectId, Space, Transaction, keyspace};
use parking_lot::RwLock;

use crate::error::{Error, Result};

/// The next row number of each table, shared by all transactions of a database. A number is never
/// given twice, so rows that concurrent transactions insert never meet.
#[derive(Debug, Default)]
pub struct RowNumbers {
    next: RwLock<HashMap<ObjectId, Arc<AtomicU64>>>,
}

impl RowNumbers {
    /// A number that no row of the table has.
    ///
    /// # Errors
    /// `Corruption` when the last row has no number for a key.
    pub fn take(&self, txn: &Transaction, storage: ObjectId) -> Result<u64> {
        let known = self.next.read().get(&storage).map(Arc::clone);
        let counter = match known {
            Some(counter) => counter,
            None => self.start(txn, storage)?,
        };
        Ok(counter.fetch_add(1, Ordering::Relaxed))
    }

    /// Begins after the last stored row. Rows that a snapshot does not show were written through
    /// this counter, which then exists already.
    fn start(&self, txn: &Transaction, storage: ObjectId) -> Result<Arc<AtomicU64>> {
        let mut next = self.next.write();
        if let Some(counter) = next.get(&storage) {
            return Ok(Arc::clone(counter));
        }
        let rows = KeyRange::prefix(&keyspace::prefix(Space::Row, storage));
        let last = txn.scan(rows, Direction::Reverse)?.next().transpose()?;
        let first = match last {
            Some((key, _)) => number(&key)?.saturating_add(1),
            None => 1,
        };
        let counter = Arc::new(AtomicU64::new(first));
        next.insert(storage, Arc::clone(&counter));
        Ok(counter)
    }
}

fn number(key: &[u8]) -> Result<u64> {
    let row_key = key.get(keyspace::PREFIX_LEN..).and_then(|key| key.try_into().ok());
    let row_key = row_key.ok_or_else(|| Error::internal("a row number is not eight bytes"))?;
    Ok(u64::from_be_bytes(row_key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_engine::{Db, Isolation, Options};

    #[test]
    fn numbers_begin_after_the_last_row() {
        let db = Db::in_memory(Options::default()).unwrap();
        let txn = db.begin(Isolation::default());
        let key = keyspace::key(Space::Row, ObjectId(7), &41_u64.to_be_bytes());
        txn.put(&key, b"row").unwrap();
        txn.begin_statement();
        let numbers = RowNumbers::default();
        assert_eq!(numbers.take(&txn, ObjectId(7)).unwrap(), 42);
        assert_eq!(numbers.take(&txn, ObjectId(7)).unwrap(), 43);
        assert_eq!(numbers.take(&txn, ObjectId(8)).unwrap(), 1);
    }
}
