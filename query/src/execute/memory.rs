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

    /// Accounts for `bytes` given back.
    pub fn shrink(&self, bytes: usize) {
        self.used.set(self.used.get().saturating_sub(bytes));
    }
}

fn out_of_memory(bytes: usize, limit: usize) -> Error {
    Error::new(SqlState::OUT_OF_MEMORY, "out of memory").with_detail(format!(
        "Failed on request of size {bytes}: the statement may hold {limit} bytes."
    ))
}

/// Roughly how many bytes a row occupies.
pub(crate) fn row_len(row: &[Value]) -> usize {
    24 + row.iter().map(value_len).sum::<usize>()
}

fn value_len(value: &Value) -> usize {
    let heap = match value {
        Value::Text(text) => text.len() + 16,
        Value::Bytea(bytes) => bytes.len() + 16,
        Value::RowKey(bytes) => bytes.len() + 32,
        Value::Array(array) => 64 + array.elements.iter().map(value_len).sum::<usize>(),
        Value::Record(fields) => 16 + fields.iter().map(value_len).sum::<usize>(),
        Value::Null
        | Value::Bool(_)
        | Value::Int2(_)
        | Value::Int4(_)
        | Value::Int8(_)
        | Value::Oid(_)
        | Value::Float4(_)
        | Value::Float8(_)
        | Value::Date(_)
        | Value::Time(_)
        | Value::TimeTz(..)
        | Value::Timestamp(_)
        | Value::TimestampTz(_) => 0,
        Value::Interval(_) | Value::Uuid(_) => 32,
        _ => 256,
    };
    size_of::<Value>() + heap
}
