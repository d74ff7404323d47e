//! TRUNCATE: new, empty storage for tables; the old is forgotten when no snapshot needs it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{DefineContext, Defined, garbage};
use crate::bind::ddl::QualifiedName;
use crate::catalog::TableDef;
use crate::error::{Error, Result, SqlState};

pub(super) fn truncate(
    cx: &mut DefineContext<'_>,
    names: &[QualifiedName],
    restart_identity: bool,
    cascade: bool,
) -> Result<Defined> {
    let mut tables = BTreeMap::new();
    for name in names {
        let table = cx.table(name)?;
        cx.check_owner(&table.owner, "table", &table.name)?;
        cx.check_settled(&table, "TRUNCATE")?;
        tables.insert(table.oid, table);
    }
    add_referring(cx, &mut tables, cascade)?;
    for table in tables.values() {
        cx.lock_table(table.oid)?;
        empty(cx, table)?;
        if restart_identity {
            restart_sequences(cx, table.oid)?;
        }
    }
    Defined::new("TRUNCATE TABLE")
}

/// Tables that refer to the ones truncated: truncated too with CASCADE, else in the way.
fn add_referring(
    cx: &mut DefineContext<'_>,
    tables: &mut BTreeMap<u32, Arc<TableDef>>,
    cascade: bool,
) -> Result<()> {
    let mut left: Vec<u32> = tables.keys().copied().collect();
    while let Some(oid) = left.pop() {
        let referring: Vec<u32> =
            cx.change.catalog.references_to(oid).map(|key| key.table).collect();
        for other in referring {
            if tables.contains_key(&other) {
                continue;
            }
            let (table, other) = (cx.table_by_oid(oid)?, cx.table_by_oid(other)?);
            if !cascade {
                return Err(referenced(&table.name, &other.name));
            }
            let message = format!("truncate cascades to table \"{}\"", other.name);
            cx.notice(SqlState::SUCCESSFUL_COMPLETION, message);
            cx.check_settled(&other, "TRUNCATE")?;
            left.push(other.oid);
            tables.insert(other.oid, other);
        }
    }
    Ok(())
}

fn referenced(table: &str, other: &str) -> Error {
    Error::new(
        SqlState::FEATURE_NOT_SUPPORTED,
        "cannot truncate a table referenced in a foreign key constraint",
    )
    .with_detail(format!("Table \"{other}\" references \"{table}\"."))
    .with_hint(format!("Truncate table \"{other}\" at the same time, or use TRUNCATE ... CASCADE."))
}

/// Gives a table new, empty storage.
pub(super) fn empty(cx: &mut DefineContext<'_>, table: &TableDef) -> Result<Arc<TableDef>> {
    garbage::discard_table(cx.txn, table)?;
    let mut changed = table.clone();
    renew_storage(cx, &mut changed)?;
    cx.put_table(changed)
}

/// New storage for a table and its indexes, which are empty then.
pub(super) fn renew_storage(cx: &DefineContext<'_>, table: &mut TableDef) -> Result<()> {
    table.storage = cx.store.next_object_id()?;
    for index in &mut table.indexes {
        Arc::make_mut(index).storage = cx.store.next_object_id()?;
    }
    Ok(())
}

fn restart_sequences(cx: &DefineContext<'_>, table: u32) -> Result<()> {
    let sequences = cx.change.catalog.sequences.values();
    sequences
        .filter(|sequence| sequence.owned_by.is_some_and(|(owner, _)| owner == table))
        .try_for_each(|sequence| cx.runner.restart_sequence(sequence.oid, sequence.start))
}
