//! SQL from a file into a database: what `cairn dump` and `pg_dump` write, and any other script of
//! statements and COPY data.
//!
//! The script is read as psql reads it: statement by statement, each its own transaction unless
//! the script says BEGIN. Rows of COPY are committed in pieces, so that neither a statement nor a
//! table has to fit in memory. The first error ends it; what was committed before stays, so a
//! restore that failed is begun again in a new directory or database.
//!
//! What names roles that do not exist here (`ALTER … OWNER TO`, `GRANT`) is left out and listed:
//! a dump from elsewhere has its own.

use std::io::BufRead;
use std::sync::Arc;

use crate::database::Database;
use crate::error::{Error, Result, SqlState};
use crate::identifier::quote_identifier;
use crate::session::{BlockStatus, Session, Step};
use script::{Script, Statement};

mod script;
#[cfg(test)]
mod tests;

/// Bytes of COPY data that are committed at once. 16 MiB: an uncommitted write set of a few times
/// that much, and few enough commits not to notice.
const PIECE_LEN: usize = 16 << 20;
/// Rows of a query in the script that are fetched at once, to be forgotten.
const BATCH_ROWS: usize = 1024;

/// What a restore did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Statements that ran.
    pub statement_count: u64,
    /// Rows that COPY brought in.
    pub row_count: u64,
    /// Statements that were left out: their line, and why.
    pub skipped: Vec<(u64, String)>,
}

/// Why a restore ended early, and where in the script.
#[derive(Clone, Debug)]
pub struct RestoreError {
    /// The line, from 1.
    pub line: u64,
    /// What happened.
    pub error: Error,
}

impl Database {
    /// Runs a script in a database, which is created when absent. Everything is on disk on return.
    ///
    /// # Errors
    /// What the statement at the line named met.
    pub fn restore(
        &self,
        database: &str,
        input: impl BufRead,
    ) -> std::result::Result<Restored, RestoreError> {
        let at_start = |error| RestoreError { line: 0, error };
        self.create_if_absent(database).map_err(at_start)?;
        let session = self.operator(database).map_err(at_start)?;
        let mut run = Run { session, script: Script::new(input), done: Restored::default() };
        let outcome = run.all();
        let durable = self.engine().wait_durable(run.session.must_be_durable());
        outcome.and_then(|()| durable.map_err(|error| run.here(error.into())))?;
        Ok(run.done)
    }

    fn create_if_absent(&self, database: &str) -> Result<()> {
        let globals = self.shared.catalogs.globals();
        if globals.databases.contains_key(database) {
            return Ok(());
        }
        let Some(other) = globals.databases.keys().next() else {
            return Err(Error::internal("a data directory without databases"));
        };
        let create = format!("CREATE DATABASE {}", quote_identifier(database));
        self.operator(other)?.execute(&create).map(drop)
    }
}

/// A script in the course of running.
struct Run<R> {
    session: Session,
    script: Script<R>,
    done: Restored,
}

impl<R: BufRead> Run<R> {
    fn all(&mut self) -> std::result::Result<(), RestoreError> {
        while let Some(statement) = self.script.next_statement().map_err(|e| self.here(e))? {
            let text: Arc<str> = Arc::from(statement.text.as_str());
            self.session.begin_message(&text);
            let outcome = self.run(&text, &statement);
            // Nobody reads them.
            self.session.take_notices();
            if let Err(RestoreError { line, error }) = outcome {
                let error = self.session.fail(error);
                self.session.end_message();
                if !is_about_missing_role(&error, &text) {
                    return Err(RestoreError { line, error });
                }
                self.done.skipped.push((statement.line, error.message().to_owned()));
                continue;
            }
            self.session.end_message();
            self.done.statement_count += 1;
        }
        Ok(())
    }

    fn here(&self, error: Error) -> RestoreError {
        RestoreError { line: self.script.line(), error }
    }

    fn run(
        &mut self,
        text: &Arc<str>,
        statement: &Statement,
    ) -> std::result::Result<(), RestoreError> {
        let located = |error: Error| RestoreError { line: statement.line_of(&error), error };
        let mut is_copying = self.open(text).map_err(located)?;
        let is_in_pieces = is_copying && self.may_pause();
        let mut pending = 0;
        while is_copying {
            let data = match self.script.next_data() {
                Ok(Some(data)) => data,
                Ok(None) => break,
                Err(error) => return Err(self.here(error)),
            };
            pending += data.len();
            let outcome = self.session.copy_in("", data);
            outcome.map_err(|error| self.here(error))?;
            if is_in_pieces && pending >= PIECE_LEN {
                self.end_copy().map_err(|error| self.here(error))?;
                is_copying = self.open(text).map_err(located)?;
                pending = 0;
            }
        }
        if is_copying {
            return self.end_copy().map_err(|error| self.here(error));
        }
        self.session.finish(true).map_err(located)
    }

    /// Begins a statement and runs it to its end, unless it waits for COPY data.
    fn open(&mut self, text: &Arc<str>) -> Result<bool> {
        for statement in &self.session.batch(text)? {
            self.session.open(text, statement)?;
            loop {
                match self.session.advance("", BATCH_ROWS)? {
                    Step::Rows(_) => {}
                    Step::Complete(_) | Step::Empty => break,
                    Step::CopyIn { .. } => return Ok(true),
                    Step::CopyOut { .. } => {
                        return Err(Error::unsupported("COPY TO STDOUT in a script"));
                    }
                }
            }
        }
        Ok(false)
    }

    fn end_copy(&mut self) -> Result<()> {
        let tag = self.session.copy_in_done("")?;
        self.done.row_count += tag.rows();
        self.session.finish(true)
    }

    /// Whether the rows so far may be committed and the same COPY begun again for the rest.
    fn may_pause(&self) -> bool {
        self.session.status() == BlockStatus::Implicit && self.session.copies_lines("")
    }
}

/// Whether a statement failed only because a dump from elsewhere names its own roles.
fn is_about_missing_role(error: &Error, text: &str) -> bool {
    let word = text.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
    let names_roles = match word.as_str() {
        "GRANT" | "REVOKE" => true,
        "ALTER" => text.to_ascii_uppercase().contains(" OWNER TO "),
        _ => false,
    };
    let is_missing =
        error.state() == SqlState::UNDEFINED_OBJECT && error.message().starts_with("role ");
    // Rights on objects do not exist here.
    names_roles && (is_missing || error.state() == SqlState::FEATURE_NOT_SUPPORTED)
}
