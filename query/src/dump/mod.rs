//! A database as SQL: what `cairn dump` writes.
//!
//! Postgres 15 with PostGIS loads it, and so does [`Database::restore`], to a database whose dump
//! is the same to the last byte. In order: settings and extensions; schemas and sequences; types,
//! functions, tables with the primary keys that rows are stored by, and views, each behind what it
//! needs; rows, as COPY; where sequences stand; indexes, keys and foreign keys; rows of
//! materialized views; comments. One moment is shown, and rows stream.
//!
//! Roles, owners and privileges are left out, as by `pg_dump --no-owner --no-privileges`: they
//! belong to the data directory and not to one database.

use std::io::Write;

use crate::database::Database;
use crate::error::{Error, Result, SqlState};
use crate::session::{Session, Step};
use outline::Outline;

mod order;
mod outline;
mod relations;
#[cfg(test)]
mod tests;

/// What the session that reads is set to: what it prints must not depend on where it runs.
const SETTINGS: &str = "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, MDY'; \
     SET IntervalStyle = 'postgres'; SET extra_float_digits = 3; SET bytea_output = 'hex'";
/// Rows that COPY makes at once.
const BATCH_ROWS: usize = 1024;

impl Database {
    /// Writes a database as SQL.
    ///
    /// # Errors
    /// 3D000 when there is no such database, 58030 when `out` takes nothing more, and what reading
    /// meets.
    pub fn dump(&self, database: &str, out: &mut dyn Write) -> Result<()> {
        let mut session = self.operator(database)?;
        session.execute(SETTINGS)?;
        session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
        // The first statement takes the snapshot; definitions are read after it.
        session.query("SELECT 1", &[])?;
        let outline = session
            .with_definitions(|catalog, definitions| Outline::new(self, catalog, definitions))??;
        outline.before.iter().try_for_each(|text| write(out, text))?;
        for table in &outline.tables {
            write(out, &format!("COPY {table} FROM stdin;\n"))?;
            copy(&mut session, table, out)?;
            write(out, "\\.\n\n\n")?;
        }
        outline.after.iter().try_for_each(|text| write(out, text))?;
        out.flush().map_err(unwritable)
    }
}

/// Writes the rows of a table; `table` is its name and its columns.
fn copy(session: &mut Session, table: &str, out: &mut dyn Write) -> Result<()> {
    let sql = format!("COPY {table} TO STDOUT");
    for statement in &session.batch(&sql)? {
        session.open(&sql, statement)?;
    }
    let Step::CopyOut { .. } = session.advance("", BATCH_ROWS)? else {
        return Err(Error::internal("COPY TO gives no rows"));
    };
    let mut lines = Vec::new();
    loop {
        let tag = session.copy_out("", &mut lines)?;
        lines.drain(..).try_for_each(|line| out.write_all(&line).map_err(unwritable))?;
        if tag.is_some() {
            return session.finish(true);
        }
    }
}

fn write(out: &mut dyn Write, text: &str) -> Result<()> {
    out.write_all(text.as_bytes()).map_err(unwritable)
}

fn unwritable(error: std::io::Error) -> Error {
    Error::new(SqlState::IO_ERROR, format!("could not write the dump: {error}"))
}
