//! What the planner knows about the contents of tables: row counts, and per column the share of
//! NULLs, how many values are distinct, the most common ones and a histogram of the rest.
//!
//! Gathered from a sample of the rows by `ANALYZE` and in the background, kept in memory and in the
//! database ([`stored`]), and kept roughly true between two runs by counting what is inserted and
//! deleted.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ahash::RandomState;
use cairn_engine::{Direction, KeyRange, ObjectId, Space, Transaction, keyspace};
use parking_lot::RwLock;

use crate::catalog::TableDef;
use crate::error::Result;
use crate::execute::table::row;
use crate::value::{GroupKey, Value, compare};

pub(crate) mod stored;

/// How many rows are looked at for the distribution of values: Postgres' 300 rows per unit of its
/// default statistics target.
const SAMPLE_ROWS: usize = 30_000;

/// How many most common values and histogram bounds are kept per column.
const TARGET: usize = 100;

/// Statistics of all tables of a database.
#[derive(Debug, Default)]
pub struct Statistics {
    tables: RwLock<HashMap<ObjectId, Arc<TableStatistics>>>,
    changes: RwLock<HashMap<ObjectId, Arc<AtomicI64>>>,
}

/// Statistics of one table.
#[derive(Clone, Debug, Default)]
pub struct TableStatistics {
    /// How many rows it had.
    pub rows: f64,
    /// Bytes of an average stored row.
    pub width: f64,
    /// By position of the column.
    pub columns: Vec<ColumnStatistics>,
}

/// Statistics of one column.
#[derive(Clone, Debug, Default)]
pub struct ColumnStatistics {
    /// The share of NULLs.
    pub null_share: f64,
    /// How many distinct values there are.
    pub distinct: f64,
    /// The most common values with their shares of all rows.
    pub common: Vec<(Value, f64)>,
    /// Bounds that part the other values into equally large shares, ascending.
    pub histogram: Vec<Value>,
}

impl Statistics {
    /// What is known about the table stored under `storage`.
    pub fn table(&self, storage: ObjectId) -> Option<Arc<TableStatistics>> {
        self.tables.read().get(&storage).map(Arc::clone)
    }

    /// How many rows the table has by now, if it was ever counted.
    pub fn rows(&self, storage: ObjectId) -> Option<f64> {
        let counted = self.tables.read().get(&storage)?.rows;
        let changed = self.changes.read().get(&storage).map_or(0, |n| n.load(Ordering::Relaxed));
        Some((counted + changed as f64).max(1.0))
    }

    /// Takes rows into account that a statement inserted (or, below zero, deleted).
    pub fn note_changes(&self, storage: ObjectId, rows: i64) {
        if let Some(counter) = self.changes.read().get(&storage) {
            counter.fetch_add(rows, Ordering::Relaxed);
            return;
        }
        let mut changes = self.changes.write();
        changes.entry(storage).or_default().fetch_add(rows, Ordering::Relaxed);
    }

    /// Whether so much has changed that the table should be analyzed again (Postgres'
    /// autovacuum: 50 rows and a tenth of the table).
    pub fn is_stale(&self, storage: ObjectId) -> bool {
        let counted = self.tables.read().get(&storage).map_or(0.0, |table| table.rows);
        let changed = self.changes.read().get(&storage).map_or(0, |n| n.load(Ordering::Relaxed));
        changed.unsigned_abs() as f64 > 50.0 + counted / 10.0
    }

    /// Replaces what is known about a table.
    pub fn put(&self, storage: ObjectId, statistics: TableStatistics) {
        self.changes.write().remove(&storage);
        self.tables.write().insert(storage, Arc::new(statistics));
    }
}

/// Counts the rows of a table and samples its columns, as the transaction sees them.
///
/// # Errors
/// `Corruption`, `Io`, and what `check_cancelled` says.
pub fn analyze(
    txn: &Transaction,
    table: &TableDef,
    check_cancelled: &dyn Fn() -> Result<()>,
) -> Result<TableStatistics> {
    let range = KeyRange::prefix(&keyspace::prefix(Space::Row, table.storage()));
    let mut sample: Vec<cairn_engine::Bytes> = Vec::new();
    let (mut rows, mut bytes) = (0_usize, 0_usize);
    for entry in txn.scan(range, Direction::Forward)? {
        if rows.is_multiple_of(1024) {
            check_cancelled()?;
        }
        let (_, stored) = entry?;
        rows += 1;
        bytes += stored.len();
        // Reservoir sampling (Vitter 1985, algorithm R): every row is equally likely to stay.
        if sample.len() < SAMPLE_ROWS {
            sample.push(stored);
        } else if let Some(place) = sample.get_mut(rand::random_range(0..rows)) {
            *place = stored;
        }
    }
    let decoded = sample.iter().map(|stored| row::decode(table, stored));
    let sample = decoded.collect::<Result<Vec<_>>>()?;
    let columns = (0..table.columns.len()).map(|column| describe(column, &sample, rows)).collect();
    Ok(TableStatistics { rows: rows as f64, width: bytes as f64 / rows.max(1) as f64, columns })
}

/// The distribution of one column in a sample of a table of `rows` rows.
fn describe(column: usize, sample: &[Vec<Value>], rows: usize) -> ColumnStatistics {
    let values = sample.iter().filter_map(|row| row.get(column));
    let values = values.filter(|value| !value.is_null()).cloned().collect::<Vec<_>>();
    let size = sample.len().max(1) as f64;
    let mut counts: HashMap<GroupKey, usize, RandomState> = HashMap::default();
    for value in &values {
        *counts.entry(GroupKey([value.clone()].into())).or_default() += 1;
    }
    let once = counts.values().filter(|&&count| count == 1).count() as f64;
    let distinct = estimate_distinct(counts.len() as f64, once, values.len() as f64, rows as f64);
    let mut common: Vec<(Value, usize)> = counts
        .into_iter()
        .filter(|(_, count)| *count > 1)
        .filter_map(|(key, count)| Some((key.0.first()?.clone(), count)))
        .collect();
    common.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    // Values are common when they are more frequent than the average.
    let average = values.len() as f64 / distinct.max(1.0);
    common.retain(|(_, count)| *count as f64 > average * 1.25);
    common.truncate(TARGET);
    let histogram = histogram(values, &common);
    let common = common.into_iter().map(|(value, count)| (value, count as f64 / size)).collect();
    let nulls = sample.iter().filter(|row| row.get(column).is_none_or(Value::is_null)).count();
    ColumnStatistics { null_share: nulls as f64 / size, distinct, common, histogram }
}

/// The estimator of Haas and Stokes (1998), as in Postgres: `n d / (n - f1 + f1 n / N)`.
fn estimate_distinct(seen: f64, once: f64, sampled: f64, rows: f64) -> f64 {
    if sampled == 0.0 {
        return 0.0;
    }
    let rows = rows.max(sampled);
    let divisor = sampled - once + once * sampled / rows;
    if divisor <= 0.0 { rows } else { (sampled * seen / divisor).clamp(seen, rows) }
}

fn histogram(mut values: Vec<Value>, common: &[(Value, usize)]) -> Vec<Value> {
    values.retain(|value| !common.iter().any(|(other, _)| compare(value, other).is_eq()));
    values.sort_by(compare);
    let bounds = TARGET.min(values.len());
    if bounds < 2 {
        return Vec::new();
    }
    let last = values.len() - 1;
    (0..bounds).filter_map(|bound| values.get(bound * last / (bounds - 1)).cloned()).collect()
}

impl ColumnStatistics {
    /// The share of rows whose value equals `value`; the average when it is not known.
    pub fn equal_share(&self, value: Option<&Value>) -> f64 {
        let known = value.and_then(|value| {
            self.common.iter().find(|(common, _)| compare(common, value).is_eq())
        });
        if let Some((_, share)) = known {
            return *share;
        }
        let common: f64 = self.common.iter().map(|(_, share)| share).sum();
        let rest = (1.0 - common - self.null_share).max(0.0);
        rest / (self.distinct - self.common.len() as f64).max(1.0)
    }

    /// The share of rows whose value is below `value`.
    pub fn less_share(&self, value: &Value) -> Option<f64> {
        let common: f64 = self.common.iter().map(|(_, share)| share).sum();
        let below = self.common.iter().filter(|(common, _)| compare(common, value).is_lt());
        let below: f64 = below.map(|(_, share)| share).sum();
        if self.histogram.len() < 2 {
            return (!self.common.is_empty()).then_some(below);
        }
        let position = self.histogram.partition_point(|bound| compare(bound, value).is_lt());
        let within = position as f64 / self.histogram.len() as f64;
        Some(below + within * (1.0 - common - self.null_share).max(0.0))
    }
}
