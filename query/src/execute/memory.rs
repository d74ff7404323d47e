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
        self.used.set(grown(self.used.get(), bytes, self.limit.get())?);
        Ok(())
    }
}

/// What is used when `bytes` are added to what is held for longer than one execution.
///
/// # Errors
/// 53200 when that is more than one execution may hold.
pub(crate) fn check(used: usize, bytes: usize, work_mem: usize) -> Result<usize> {
    grown(used, bytes, work_mem.max(MIN_LIMIT))
}

fn grown(used: usize, bytes: usize, limit: usize) -> Result<usize> {
    let used = used.saturating_add(bytes);
    if used > limit { Err(out_of_memory(bytes, limit)) } else { Ok(used) }
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
