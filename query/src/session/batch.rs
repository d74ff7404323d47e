//! Simple queries: a text that may hold several statements.
//!
//! The statements of one text without BEGIN and COMMIT are one transaction. (Postgres manual,
//! "Multiple Statements in a Simple Query".)

use std::sync::Arc;

use super::block::BlockStatus;
use super::prepared::Prepared;
use super::{Session, portal::Portal};
use crate::error::Result;
use crate::parse::{self, Statement};
use crate::value::Value;

/// One statement of a text.
pub enum Batched {
    /// It, or one that differs in literals, was run before: this is its plan, and the literals.
    Cached(Arc<Prepared>, Vec<Value>),
    /// It was parsed.
    Parsed(Statement),
}

impl Session {
    /// Takes a text apart. No statements: the text is empty.
    ///
    /// # Errors
    /// 42601: then nothing of the text runs.
    pub fn batch(&mut self, sql: &str) -> Result<Vec<Batched>> {
        self.portals.remove("");
        self.state.refresh_catalog()?;
        let text = without_end(sql);
        if let Some(cached) = self.cached(text) {
            return Ok(vec![Batched::Cached(cached, Vec::new())]);
        }
        if let Some((general, values)) = self.templated(text) {
            return Ok(vec![Batched::Cached(general, values)]);
        }
        Ok(parse::parse(sql)?.into_iter().map(Batched::Parsed).collect())
    }

    /// Opens one statement of a text as the unnamed portal.
    ///
    /// # Errors
    /// What binding meets; 25P02.
    pub fn open(&mut self, sql: &str, statement: &Batched) -> Result<Arc<Prepared>> {
        self.state.refresh_catalog()?;
        let (prepared, params) = match statement {
            Batched::Cached(prepared, params) => (prepared.clone(), params.clone()),
            Batched::Parsed(statement) => {
                let text = statement.text();
                let prepared = self.prepare_statement(text, Some(statement), &[])?;
                if text == without_end(sql) {
                    self.learn(text, statement, &prepared);
                }
                (prepared, Vec::new())
            }
        };
        self.check_not_failed(&prepared)?;
        if prepared.params.len() == params.len() {
            self.next_portal += 1;
            let portal = Portal::new(prepared.clone(), params, self.next_portal);
            self.portals.insert(String::new(), portal);
            return Ok(prepared);
        }
        let message = "there is no parameter $1";
        Err(crate::error::Error::new(crate::error::SqlState::UNDEFINED_PARAMETER, message))
    }

    /// Ends one statement of a text. What it did is committed with the last one.
    ///
    /// # Errors
    /// 40001 and what committing meets.
    pub fn finish(&mut self, is_last: bool) -> Result<()> {
        self.portals.remove("");
        if is_last && self.status() == BlockStatus::Implicit {
            return self.commit();
        }
        Ok(())
    }
}

/// A text without the semicolon at its end: what its only statement is kept by.
fn without_end(sql: &str) -> &str {
    sql.trim_end_matches(|c: char| c == ';' || c.is_ascii_whitespace())
}
