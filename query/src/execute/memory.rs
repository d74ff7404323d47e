//! How much memory the operators of one execution hold.

use std::cell::Cell;

use crate::error::{Error, Result, SqlState};
use crate::value::Value;

/// The smallest budget an execution is given, whatever `work_mem` says: operators that cannot
/// spill (hash tables, sorts) may hold this much.
const MIN_LIMIT: usize = 512 << 20;

/// A counter with a limit.
#[derive(Debug)]
pub(crate) struct Memory {
    used: Cell<usize>,
    limit: Cell<usize>,
}

impl Default for Memory {
    fn default() -> Self {
        Self { used: Cell::new(0), limit: Cell::new(MIN_LIMIT) }
    }
}

impl Memory {
    pub fn set_limit(&self, work_mem: usize) {
        self.limit.set(work_mem.max(MIN_LIMIT));
    }

    /// Accounts for `bytes` more.
    pub fn grow(&self, bytes: usize) -> Result<()> {
        let used = self.used.get().saturating_add(bytes);
        self.used.set(used);
        if used > self.limit.get() {
            return Err(out_of_memory(bytes, self.limit.get()));
        }
        Ok(())
    }
}

fn out_of_memory(bytes: usize, limit: usize) -> Error {
    Error::new(SqlState::OUT_OF_MEMORY, "out of memory").with_detail(format!(
        "Failed on request of size {bytes}: the statement may hold {limit} bytes."
    ))
}

/// Roughly how many bytes a row occupies.
pub(crate) fn row_len(row: &[Value]) -> usize {
    24 + row.iter().map(Value::memory_len).sum::<usize>()
}
