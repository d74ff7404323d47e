//! One index against the rows of its table.

use cairn_engine::{Direction, KeyRange, keyspace};

use super::fingerprint::Fingerprint;
use super::table::{describe, for_each_row, hex};
use super::{Report, Scene};
use crate::catalog::{IndexDef, IndexMethod};
use crate::define::garbage::space;
use crate::error::Result;
use crate::execute::table::expiry::is_expired;
use crate::execute::table::lock::row_address;
use crate::execute::table::referential_action::entry_row_key;
use crate::execute::table::{Entry, row};
use crate::plan::{IndexWriter, TableWriter};
use crate::value::Value;

/// The fingerprint of what is stored.
///
/// # Errors
/// 58030, XX001.
pub(super) fn fingerprint(
    scene: &Scene<'_>,
    writer: &TableWriter,
    position: usize,
) -> Result<Fingerprint> {
    let mut sum = Fingerprint::default();
    if let Some(part) = writer.indexes.get(position) {
        for entry in scene.txn.scan(range(&part.index), Direction::Forward)? {
            let (key, value) = entry?;
            sum.add(&key, &value);
        }
    }
    Ok(sum)
}

/// Names the entries that are missing and those that are too many.
///
/// # Errors
/// 58030, XX001.
pub(super) fn pinpoint(
    scene: &Scene<'_>,
    writer: &TableWriter,
    position: usize,
    report: &mut Report<'_>,
) -> Result<()> {
    let Some(part) = writer.indexes.get(position) else { return Ok(()) };
    let before = report.count;
    find_missing(scene, writer, part, report)?;
    find_strays(scene, writer, part, report)?;
    if report.count == before {
        let name = &part.index.name;
        report.add(format_args!("index {name}: it does not hold what the rows imply"));
    }
    Ok(())
}

/// Names the rows that share a key of an index that is not exclusive, which all must have given up
/// by the end of their transactions.
///
/// # Errors
/// 58030, XX001.
pub(super) fn find_duplicates(
    scene: &Scene<'_>,
    writer: &TableWriter,
    part: &IndexWriter,
    report: &mut Report<'_>,
) -> Result<()> {
    let (table, name) = (&writer.table, &part.index.name);
    let now = scene.eval.statement.transaction_time;
    // What the entries of the last live row's key begin with.
    let mut before = Vec::new();
    for entry in scene.txn.scan(range(&part.index), Direction::Forward)? {
        let (key, row_key) = entry?;
        let shared = key.get(..key.len().saturating_sub(row_key.len())).unwrap_or_default();
        if shared == before || table.expiration.is_some() {
            let stored = scene.txn.get(&row_address(table, &row_key))?;
            let row = stored.map(|stored| row::decode(table, &stored)).transpose()?;
            let Some(row) = row.filter(|row| !is_expired(table, row, now)) else { continue };
            // Keys with a NULL are not equal.
            let is_key = |own: &Entry| own.is_unique_later;
            if shared == before && implied(scene, part, &row_key, &row)?.iter().any(is_key) {
                let shown = describe(table, &row_key, &row);
                report.add(format_args!("index {name}: row {shown} has another row's key"));
            }
        }
        before.clear();
        before.extend_from_slice(shared);
    }
    Ok(())
}

fn find_missing(
    scene: &Scene<'_>,
    writer: &TableWriter,
    part: &IndexWriter,
    report: &mut Report<'_>,
) -> Result<()> {
    let (table, name) = (&writer.table, &part.index.name);
    for_each_row(scene, table, &mut |row_key, row| {
        let row = row?;
        for entry in implied(scene, part, row_key, &row)? {
            let shown = || describe(table, row_key, &row);
            match scene.txn.get(&entry.key)? {
                None => report.add(format_args!("index {name}: no entry for row {}", shown())),
                Some(value) if value[..] != entry.value[..] => report
                    .add(format_args!("index {name}: the entry of row {} is another's", shown())),
                Some(_) => {}
            }
        }
        Ok(())
    })
}

fn find_strays(
    scene: &Scene<'_>,
    writer: &TableWriter,
    part: &IndexWriter,
    report: &mut Report<'_>,
) -> Result<()> {
    let (table, name) = (&writer.table, &part.index.name);
    for entry in scene.txn.scan(range(&part.index), Direction::Forward)? {
        let (key, value) = entry?;
        let row_key = match row_key_of(&part.index, &key, value.clone()) {
            Ok(row_key) => row_key,
            Err(error) => {
                report.add(format_args!("index {name}: entry {}: {error}", hex(&key)));
                continue;
            }
        };
        let Some(stored) = scene.txn.get(&row_address(table, &row_key))? else {
            report.add(format_args!("index {name}: entry {} has no row", hex(&key)));
            continue;
        };
        let row = row::decode(table, &stored)?;
        let is_implied = |own: &Entry| own.key[..] == key[..] && own.value[..] == value[..];
        if !implied(scene, part, &row_key, &row)?.iter().any(is_implied) {
            let shown = describe(table, &row_key, &row);
            report.add(format_args!(
                "index {name}: entry {} is not what row {shown} implies",
                hex(&key)
            ));
        }
    }
    Ok(())
}

fn implied(
    scene: &Scene<'_>,
    part: &IndexWriter,
    row_key: &[u8],
    row: &[Value],
) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    part.push_entries(scene.eval, 0, row_key, row, &mut entries)?;
    Ok(entries)
}

fn row_key_of(
    index: &IndexDef,
    key: &cairn_engine::Bytes,
    value: cairn_engine::Bytes,
) -> Result<cairn_engine::Bytes> {
    match index.method {
        IndexMethod::FullText | IndexMethod::Geo => Ok(key.slice(keyspace::PREFIX_LEN..)),
        IndexMethod::Ordered | IndexMethod::Inverted => entry_row_key(index, key, value),
    }
}

fn range(index: &IndexDef) -> KeyRange {
    KeyRange::prefix(&keyspace::prefix(space(index.method), index.storage()))
}
