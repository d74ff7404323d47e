//! Statistics in the database, so that the first statement after opening is planned as the last
//! one before closing was.
//!
//! They are derived data: what cannot be read is forgotten and gathered again.
//!
//! # Layout
//! Key: `0x01 'a' storage u32` (big-endian). Value: one stored row ([`crate::value::row`]) of
//!
//! | columns | what |
//! | --- | --- |
//! | 1 | rows of the table |
//! | 1 | bytes of an average row |
//! | per column 4 | share of NULLs, distinct values, how many common values, how many bounds |
//! | then 2 per common value | the value, its share |
//! | then 1 per bound | the value |

use cairn_engine::{Db, Direction, Isolation, KeyRange, ObjectId, Space};

use super::{ColumnStatistics, TableStatistics};
use crate::error::Result;
use crate::value::Value;
use crate::value::row::{self, RowReader};

/// Beyond this many bytes the values are left out: a table of large values.
const LEN_MAX: usize = 1 << 20;

const PREFIX: [u8; 2] = [Space::Meta as u8, b'a'];

fn key(storage: ObjectId) -> Vec<u8> {
    [&PREFIX[..], &storage.0.to_be_bytes()].concat()
}

/// Keeps the statistics of a table; `None` forgets them.
///
/// # Errors
/// The engine's.
pub(crate) fn store(
    db: &Db,
    storage: ObjectId,
    statistics: Option<&TableStatistics>,
) -> Result<()> {
    let bytes = statistics.map(encode).transpose()?;
    let written = db.write_now(&key(storage), bytes.as_deref())?;
    Ok(db.wait_durable(written)?)
}

/// All statistics that can be read.
///
/// # Errors
/// The engine's.
pub(crate) fn load(db: &Db) -> Result<Vec<(ObjectId, TableStatistics)>> {
    let txn = db.begin(Isolation::ReadCommitted);
    let mut all = Vec::new();
    for entry in txn.scan(KeyRange::prefix(&PREFIX), Direction::Forward)? {
        let (key, value) = entry?;
        let Some(Ok(storage)) = key.get(PREFIX.len()..).map(<[u8; 4]>::try_from) else { continue };
        if let Some(statistics) = decode(&value) {
            all.push((ObjectId(u32::from_be_bytes(storage)), statistics));
        }
    }
    Ok(all)
}

fn encode(statistics: &TableStatistics) -> Result<Vec<u8>> {
    let bytes = row::encode(&flatten(statistics))?;
    if bytes.len() <= LEN_MAX {
        return Ok(bytes);
    }
    let mut short = statistics.clone();
    for column in &mut short.columns {
        column.common.clear();
        column.histogram.clear();
    }
    row::encode(&flatten(&short))
}

fn flatten(statistics: &TableStatistics) -> Vec<Value> {
    let mut values = vec![Value::Float8(statistics.rows), Value::Float8(statistics.width)];
    for column in &statistics.columns {
        values.push(Value::Float8(column.null_share));
        values.push(Value::Float8(column.distinct));
        values.push(Value::Int8(column.common.len() as i64));
        values.push(Value::Int8(column.histogram.len() as i64));
        for (value, share) in &column.common {
            values.push(value.clone());
            values.push(Value::Float8(*share));
        }
        values.extend(column.histogram.iter().cloned());
    }
    values
}

/// Reads values one after the other.
struct Values<'a> {
    row: RowReader<'a>,
    at: usize,
}

impl Values<'_> {
    fn next(&mut self) -> Option<Value> {
        self.at += 1;
        self.row.column(self.at - 1).ok().flatten()
    }

    fn number(&mut self) -> Option<f64> {
        match self.next()? {
            Value::Float8(number) => Some(number),
            _ => None,
        }
    }

    fn count(&mut self) -> Option<usize> {
        match self.next()? {
            Value::Int8(count) => usize::try_from(count).ok().filter(|n| *n <= self.row.len()),
            _ => None,
        }
    }

    fn column(&mut self) -> Option<ColumnStatistics> {
        let (null_share, distinct) = (self.number()?, self.number()?);
        let (common, bounds) = (self.count()?, self.count()?);
        let common = (0..common).map(|_| Some((self.next()?, self.number()?)));
        let common = common.collect::<Option<Vec<_>>>()?;
        let histogram = (0..bounds).map(|_| self.next()).collect::<Option<Vec<_>>>()?;
        Some(ColumnStatistics { null_share, distinct, common, histogram })
    }
}

fn decode(bytes: &[u8]) -> Option<TableStatistics> {
    let mut values = Values { row: RowReader::new(bytes).ok()?, at: 0 };
    let (rows, width) = (values.number()?, values.number()?);
    let mut columns = Vec::new();
    while values.at < values.row.len() {
        columns.push(values.column()?);
    }
    Some(TableStatistics { rows, width, columns })
}

/// Checks the decoder; see [`crate::fuzzing`].
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    let Some(statistics) = decode(data) else { return };
    let stored = encode(&statistics).expect("it was no larger before");
    let again = decode(&stored).expect("it was stored");
    assert_eq!(encode(&again).expect("as before"), stored);
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_engine::Options;

    fn example() -> TableStatistics {
        let column = ColumnStatistics {
            null_share: 0.25,
            distinct: 7.0,
            common: vec![(Value::text("a"), 0.5)],
            histogram: vec![Value::text("b"), Value::text("z")],
        };
        let empty = ColumnStatistics::default();
        TableStatistics { rows: 1234.0, width: 56.5, columns: vec![column, empty] }
    }

    #[test]
    fn what_is_stored_is_loaded() {
        let db = Db::in_memory(Options::default()).unwrap();
        store(&db, ObjectId(9), Some(&example())).unwrap();
        store(&db, ObjectId(10), Some(&example())).unwrap();
        store(&db, ObjectId(10), None).unwrap();
        let loaded = load(&db).unwrap();
        assert_eq!(loaded.len(), 1);
        assert_eq!(loaded[0].0, ObjectId(9));
        assert_eq!(format!("{:?}", loaded[0].1), format!("{:?}", example()));
    }

    #[test]
    fn damaged_statistics_are_forgotten() {
        let bytes = encode(&example()).unwrap();
        for len in 0..bytes.len() {
            let _ = decode(&bytes[..len]);
        }
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0xff;
            let _ = decode(&damaged);
        }
    }
}
