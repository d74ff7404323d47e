//! Whether everything that is derived from rows agrees with the rows, and the rows with what was
//! promised of them.
//!
//! For every table, at one moment: each row can be read and lies under its key; each index holds
//! exactly the entries that the rows imply, ordered, unique, partial, by expression, by word
//! or by place; NOT NULL, CHECK, generated columns and foreign keys hold. Full-text and geo
//! indexes are compared with their entries by [`Db::verify_indexes`](cairn_engine::Db). What is on
//! disk is checked one layer below, by [`cairn_engine::verify()`].
//!
//! # Memory
//! Nothing grows with the data: an index and the entries that rows imply are each summed up in one
//! pass ([`fingerprint`]), and only where the sums differ are entries looked up one by one.

use std::sync::Arc;

use cairn_engine::Transaction;

use crate::catalog::Catalog;
use crate::database::Database;
use crate::error::Result;
use crate::expression::EvalContext;
use crate::plan::TableWriter;

mod fingerprint;
mod index;
mod table;
#[cfg(test)]
mod tests;

/// What was looked at, and what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Tables, the hidden ones of materialized views among them.
    pub table_count: u64,
    /// Rows in them.
    pub row_count: u64,
    /// Index entries.
    pub entry_count: u64,
    /// What is not as it should be, one line each; empty when all is well.
    pub findings: Vec<String>,
}

/// One moment of a database, to look at.
pub(crate) struct Scene<'a> {
    /// The definitions.
    pub catalog: &'a Arc<Catalog>,
    /// Reads the moment.
    pub txn: &'a Transaction,
    /// What expressions may reach.
    pub eval: &'a EvalContext<'a>,
    /// Binds everything that writing a row of a table entails.
    pub writer: &'a dyn Fn(u32) -> Result<TableWriter>,
}

impl Database {
    /// Compares all databases' indexes and constraints with the rows.
    ///
    /// # Errors
    /// XX001 when definitions cannot be read, 58030. Disagreement is a finding, not an error.
    pub fn verify(&self) -> Result<Verification> {
        let mut result = Verification::default();
        for name in self.shared.catalogs.globals().databases.keys() {
            let mut session = self.operator(name)?;
            session.examine(&mut |scene| verify_database(scene, &mut result))?;
        }
        result.findings.extend(self.engine().verify_indexes()?);
        Ok(result)
    }
}

fn verify_database(scene: &Scene<'_>, result: &mut Verification) -> Result<()> {
    for table in scene.catalog.tables.values() {
        let name = crate::identifier::quote_qualified(&table.schema, &table.name);
        let place = format!("database {} table {name}", scene.catalog.database);
        result.table_count += 1;
        let mut report = Report { place, findings: &mut result.findings, count: 0 };
        match (scene.writer)(table.oid) {
            Ok(writer) => {
                let counted = table::verify(scene, &writer, &mut report)?;
                result.row_count += counted.rows;
                result.entry_count += counted.entries;
            }
            Err(error) => report.add(format_args!("definition cannot be used: {error}")),
        }
        report.finish();
    }
    Ok(())
}

/// Findings that one table may have before they are only counted.
const SHOWN_MAX: u64 = 100;

/// Where the findings of one table go.
struct Report<'a> {
    place: String,
    findings: &'a mut Vec<String>,
    count: u64,
}

impl Report<'_> {
    fn add(&mut self, what: std::fmt::Arguments<'_>) {
        self.count += 1;
        if self.count <= SHOWN_MAX {
            self.findings.push(format!("{}: {what}", self.place));
        }
    }

    fn finish(self) {
        if self.count > SHOWN_MAX {
            let more = self.count - SHOWN_MAX;
            self.findings.push(format!("{}: {more} findings more", self.place));
        }
    }
}
