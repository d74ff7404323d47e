//! The rows of one table, each against its key, its constraints and its index entries.

use cairn_engine::{Direction, KeyRange, Space, keyspace};

use super::fingerprint::Fingerprint;
use super::{Report, Scene, index};
use crate::catalog::{RowKeyDef, TableDef};
use crate::error::Result;
use crate::execute::table::expiry::is_expired;
use crate::execute::table::foreign_key::{StoredKey, as_referenced, stored_key};
use crate::execute::table::row;
use crate::expression::{Expr, Volatility};
use crate::plan::{ForeignKeyCheck, Row, TableWriter};
use crate::value::Value;

/// What a table has.
#[derive(Clone, Copy, Default)]
pub(super) struct Counted {
    pub rows: u64,
    pub entries: u64,
}

/// Checks a table.
///
/// # Errors
/// 58030 and XX001 of the store itself.
pub(super) fn verify(
    scene: &Scene<'_>,
    writer: &TableWriter,
    report: &mut Report<'_>,
) -> Result<Counted> {
    let mut counted = Counted::default();
    let mut implied = vec![Fingerprint::default(); writer.indexes.len()];
    let mut is_whole = true;
    for_each_row(scene, &writer.table, &mut |row_key, row| {
        counted.rows += 1;
        let outcome =
            row.and_then(|row| verify_row(scene, writer, row_key, &row, report, &mut implied));
        if let Err(error) = outcome {
            is_whole = false;
            report.add(format_args!("row {}: {error}", hex(row_key)));
        }
        Ok(())
    })?;
    for part in writer.indexes.iter().filter(|part| part.index.is_unique) {
        if !part.index.is_exclusive() {
            index::find_duplicates(scene, writer, part, report)?;
        }
    }
    for (position, implied) in implied.iter().enumerate() {
        let stored = index::fingerprint(scene, writer, position)?;
        counted.entries += stored.count;
        // Rows that cannot be read imply nobody knows what.
        if stored != *implied && is_whole {
            index::pinpoint(scene, writer, position, report)?;
        }
    }
    Ok(counted)
}

/// Hands every row, or why it cannot be read, to `each` with its key.
pub(super) fn for_each_row(
    scene: &Scene<'_>,
    table: &TableDef,
    each: &mut dyn FnMut(&[u8], Result<Row>) -> Result<()>,
) -> Result<()> {
    let range = KeyRange::prefix(&keyspace::prefix(Space::Row, table.storage()));
    for entry in scene.txn.scan(range, Direction::Forward)? {
        let (key, stored) = entry?;
        let row_key = key.get(keyspace::PREFIX_LEN..).unwrap_or_default();
        each(row_key, row::decode(table, &stored))?;
    }
    Ok(())
}

fn verify_row(
    scene: &Scene<'_>,
    writer: &TableWriter,
    row_key: &[u8],
    row: &Row,
    report: &mut Report<'_>,
    implied: &mut [Fingerprint],
) -> Result<()> {
    let table = &writer.table;
    if row::moved_key(table, row)?.is_some_and(|own| own != row_key) {
        let shown = describe(table, row_key, row);
        report.add(format_args!("row {shown}: it is stored under another row's key"));
    }
    for entry in writer.entries(scene.eval, row_key, row)? {
        if let Some(sum) = implied.get_mut(entry.index) {
            sum.add(&entry.key, &entry.value);
        }
    }
    // Nobody sees it: what it promised was for those who did.
    if is_expired(table, row, scene.eval.statement.transaction_time) {
        return Ok(());
    }
    verify_columns(scene, writer, row_key, row, report)?;
    for check in &writer.references {
        if !is_present(scene, check, row)? {
            let (shown, name) = (describe(table, row_key, row), &check.key.name);
            report.add(format_args!("row {shown}: foreign key {name} refers to no row"));
        }
    }
    Ok(())
}

/// NOT NULL, CHECK, and what generated columns hold.
fn verify_columns(
    scene: &Scene<'_>,
    writer: &TableWriter,
    row_key: &[u8],
    row: &Row,
    report: &mut Report<'_>,
) -> Result<()> {
    let table = &writer.table;
    for (position, column) in table.live_columns() {
        if column.is_not_null && row.get(position).is_none_or(Value::is_null) {
            let (shown, name) = (describe(table, row_key, row), &column.name);
            report.add(format_args!("row {shown}: column {name} is NULL and must not be"));
        }
    }
    for (position, expr) in &writer.generated {
        let stored = row.get(*position).map(crate::value::row::encode_value);
        let implied = crate::value::row::encode_value(&expr.eval(scene.eval, row)?);
        if stored.as_ref() != Some(&implied) {
            let name = table.columns.get(*position).map_or("", |column| &column.name);
            let shown = describe(table, row_key, row);
            report.add(format_args!("row {shown}: generated column {name} has another value"));
        }
    }
    let promised = table.checks.iter().zip(&writer.checks).filter(|(def, _)| !def.is_not_valid);
    for (_, (name, expr)) in promised.filter(|(_, (_, expr))| is_lasting(expr)) {
        if matches!(expr.eval(scene.eval, row)?, Value::Bool(false)) {
            let shown = describe(table, row_key, row);
            report.add(format_args!("row {shown}: CHECK {name} does not hold"));
        }
    }
    for (column, domain) in &writer.domains {
        let value = row.get(*column).unwrap_or(&Value::Null);
        let mut is_broken = domain.is_not_null && value.is_null();
        for (_, expr) in domain.checks.iter().filter(|(_, expr)| is_lasting(expr)) {
            let one = std::slice::from_ref(value);
            is_broken |= expr.eval_predicate(scene.eval, one)? == Some(false);
        }
        if is_broken {
            let (shown, name) = (describe(table, row_key, row), &domain.name);
            report.add(format_args!("row {shown}: not a value of domain {name}"));
        }
    }
    Ok(())
}

/// Whether what held once holds for good: a CHECK may ask for the time, and fail later.
fn is_lasting(expr: &Expr) -> bool {
    !crate::plan::walk::any(
        expr,
        &mut |expr| matches!(expr, Expr::Call { function, .. } if function.volatility != Volatility::Immutable),
    )
}

/// Whether the row that a foreign key refers to is there.
fn is_present(scene: &Scene<'_>, check: &ForeignKeyCheck, row: &[Value]) -> Result<bool> {
    let key = check.key.columns.iter().map(|&column| row.get(column).cloned());
    let key = key.map(|value| value.unwrap_or(Value::Null)).collect::<Vec<_>>();
    if key.iter().any(Value::is_null) || check.key.is_not_valid {
        return Ok(true);
    }
    let Some(key) = as_referenced(check, &key, scene.eval) else { return Ok(false) };
    let (StoredKey::Row(place) | StoredKey::Entry(place)) = stored_key(check, &key)?;
    Ok(scene.txn.get(&place)?.is_some())
}

/// How a finding names a row: by its primary key, or its number.
pub(super) fn describe(table: &TableDef, row_key: &[u8], row: &[Value]) -> String {
    let RowKeyDef::PrimaryKey { columns, .. } = &table.row_key else {
        let number = row_key.try_into().map(u64::from_be_bytes);
        return number.map_or_else(|_| hex(row_key), |number| format!("number {number}"));
    };
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for &position in columns {
        let Some(column) = table.columns.get(position) else { continue };
        names.push(column.name.clone());
        values.push(row.get(position).map_or_else(String::new, |value| {
            crate::value::output::to_text(
                value,
                &column.ty.base,
                &crate::value::OutputStyle::default(),
            )
        }));
    }
    format!("({})=({})", names.join(", "), values.join(", "))
}

/// Bytes for people: what is left to name a row by when it cannot be read.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::from("0x");
    crate::value::output::write_hex(&mut text, bytes);
    text
}
