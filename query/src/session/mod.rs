//! Sessions: whose transaction, which settings, which statements.
//!
//! A session is a plain value without threads or sockets. The server drives it message by message
//! ([`Session::parse`], [`Session::bind`], [`Session::advance`], [`Session::sync`]); programs use
//! [`Session::query`] and [`Session::execute`].
//!
//! # Errors and transactions
//! Every error goes through [`Session::fail`], once: it puts the transaction into the state that
//! Postgres puts it in.
//!
//! # Durability
//! A commit is in the log, but perhaps not on disk, when a method returns.
//! [`Session::must_be_durable`] is the newest commit that anything shown to the client depends
//! on: whoever talks to the client waits for it first. The embedded methods wait by themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use cairn_engine::Timestamp;

use crate::database::Database;
use crate::database::backends::{Backend, BackendState};
use crate::database::notifications::Notification;
use crate::error::{Error, Result, SqlState};
use crate::result::Notice;
use crate::value::{SqlType, Value};

mod batch;
mod block;
pub(crate) mod clock;
mod codec;
mod constraints;
mod cursor;
mod deferred;
mod embedded;
mod facts;
mod maintenance;
mod overlay;
pub(crate) mod plan_cache;
mod portal;
mod prepare;
mod prepared;
mod run;
mod runner;
mod settings;
mod state;
mod system_call;
mod system_rows;
mod table_locks;
mod template;
mod temporary;
mod transaction;
mod utility;

pub use batch::Batched;
pub use block::BlockStatus;
pub use facts::Limits;
pub(crate) use portal::Running;
pub use portal::{Portal, Step};
pub use prepared::Prepared;

use block::Block;
use cursor::Cursor;
use settings::Settings;
use state::State;

/// One client's conversation with one database.
pub struct Session {
    state: State,
    statements: BTreeMap<String, Arc<Prepared>>,
    portals: BTreeMap<String, Portal>,
    cursors: BTreeMap<String, Cursor>,
    next_portal: u64,
    /// Settings as the client was last told.
    reported: Option<Settings>,
}

impl Session {
    pub(crate) fn new(database: Database, backend: Arc<Backend>, is_superuser: bool) -> Self {
        let mut settings = Settings::default();
        settings.force("session_authorization", &backend.user);
        settings.force("is_superuser", if is_superuser { "on" } else { "off" });
        Self {
            state: State::new(database, backend, settings),
            statements: BTreeMap::new(),
            portals: BTreeMap::new(),
            cursors: BTreeMap::new(),
            next_portal: 0,
            reported: None,
        }
    }

    /// What others see of this session.
    pub fn backend(&self) -> &Arc<Backend> {
        &self.state.backend
    }

    /// The database.
    pub fn database(&self) -> &Database {
        &self.state.database
    }

    /// Where it is with its transaction.
    pub fn status(&self) -> BlockStatus {
        self.state.block.borrow().status
    }

    /// The newest commit that anything shown to the client depends on. Nothing may leave the
    /// process before it is durable.
    pub fn must_be_durable(&self) -> Timestamp {
        let read = self.state.block.borrow().depends_on();
        self.state.must_be_durable.get().max(read)
    }

    /// Gives a setting the value that the session begins with.
    ///
    /// # Errors
    /// 42704, 22023.
    pub fn set_at_startup(&mut self, name: &str, value: &str) -> Result<()> {
        self.state.settings.borrow_mut().set_at_startup(name, value)?;
        self.note_application_name();
        Ok(())
    }

    /// The value of a setting.
    pub fn setting(&self, name: &str) -> Option<Arc<str>> {
        self.state.settings.borrow().get(name)
    }

    /// The limits that settings put to statements and to the session.
    pub fn limits(&self) -> Limits {
        self.state.limits()
    }

    /// How values print in this session.
    pub fn output_style(&self) -> crate::value::OutputStyle {
        self.state.facts().output
    }

    /// Settings that the client is to be told of: those that changed since the last call, at first
    /// all.
    pub fn take_parameter_changes(&mut self) -> Vec<(&'static str, Arc<str>)> {
        let settings = self.state.settings.borrow();
        if self.reported.as_ref().is_some_and(|reported| settings.is_same(reported)) {
            return Vec::new();
        }
        let reported = settings::DEFINITIONS.iter().filter(|known| known.is_reported);
        let changed = reported.filter_map(|known| {
            let value = settings.get(known.name)?;
            let old = self.reported.as_ref().and_then(|reported| reported.get(known.name));
            (old.as_ref() != Some(&value)).then_some((known.name, value))
        });
        let changed = changed.collect();
        self.reported = Some(settings.clone());
        drop(settings);
        self.note_application_name();
        changed
    }

    /// Notices since the last call.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(self.state.notices.get_mut())
    }

    /// Whether there are notifications to deliver.
    pub fn has_notifications(&self) -> bool {
        !self.state.inbox.is_empty()
    }

    /// Notifications since the last call; none inside a transaction.
    pub fn take_notifications(&mut self) -> Vec<Notification> {
        if self.status() == BlockStatus::Idle { self.state.inbox.take() } else { Vec::new() }
    }

    /// Begins the work of one message from the client: its clocks and its place in
    /// `pg_stat_activity`.
    pub fn begin_message(&mut self, text: &Arc<str>) {
        self.state.start_clock();
        self.state.backend.clear_interrupt();
        let now = self.state.statement_time.get();
        self.state.backend.update(|activity| {
            activity.state = BackendState::Active;
            activity.query = text.clone();
            activity.query_start = Some(now);
            activity.state_change = now;
        });
    }

    /// Ends it: the session waits for the client.
    pub fn end_message(&mut self) {
        let (state, began_at) = {
            let block = self.state.block.borrow();
            match block.status {
                BlockStatus::Idle => (BackendState::Idle, None),
                BlockStatus::Failed => {
                    (BackendState::IdleInFailedTransaction, Some(block.began_at))
                }
                _ => (BackendState::IdleInTransaction, Some(block.began_at)),
            }
        };
        self.state.backend.update(|activity| {
            activity.state = state;
            activity.transaction_start = began_at;
        });
        if let Some(txn) = &self.state.block.borrow().txn
            && self.portals.is_empty()
            && self.cursors.is_empty()
        {
            txn.end_statement();
        }
    }

    /// Makes a prepared statement; the empty name is free to be used again.
    ///
    /// # Errors
    /// 42P05, and what parsing and binding meet.
    pub fn parse(&mut self, name: &str, sql: &str, types: &[Option<SqlType>]) -> Result<()> {
        if name.is_empty() {
            self.statements.remove("");
        } else if self.statements.contains_key(name) {
            let message = format!("prepared statement \"{name}\" already exists");
            return Err(Error::new(SqlState::DUPLICATE_PREPARED_STATEMENT, message));
        }
        let prepared = self.prepare(sql, types)?;
        self.statements.insert(name.to_owned(), prepared);
        Ok(())
    }

    /// A prepared statement by name, made anew if definitions have changed.
    ///
    /// # Errors
    /// 26000, and what binding meets.
    pub fn statement(&mut self, name: &str) -> Result<Arc<Prepared>> {
        let Some(prepared) = self.statements.get(name).cloned() else {
            let message = if name.is_empty() {
                "unnamed prepared statement does not exist".to_owned()
            } else {
                format!("prepared statement \"{name}\" does not exist")
            };
            return Err(Error::new(SqlState::INVALID_SQL_STATEMENT_NAME, message));
        };
        let current = self.refresh(&prepared)?;
        if !Arc::ptr_eq(&current, &prepared) {
            self.statements.insert(name.to_owned(), current.clone());
        }
        Ok(current)
    }

    /// Drops a prepared statement; one that does not exist is no error.
    pub fn close_statement(&mut self, name: &str) {
        self.statements.remove(name);
    }

    /// Makes a portal of a prepared statement and its parameters; the empty name is free to be
    /// used again.
    ///
    /// # Errors
    /// 42P03, 08P01 for a wrong number of parameters, 25P02.
    pub fn bind(
        &mut self,
        name: &str,
        prepared: Arc<Prepared>,
        params: Vec<Value>,
        formats: Vec<i16>,
    ) -> Result<()> {
        if params.len() != prepared.params.len() {
            let message = format!(
                "bind message supplies {} parameters, but prepared statement \"\" requires {}",
                params.len(),
                prepared.params.len()
            );
            return Err(Error::new(SqlState::PROTOCOL_VIOLATION, message));
        }
        self.check_not_failed(&prepared)?;
        if !name.is_empty() && self.portals.contains_key(name) {
            let message = format!("cursor \"{name}\" already exists");
            return Err(Error::new(SqlState::DUPLICATE_CURSOR, message));
        }
        self.next_portal += 1;
        let mut portal = Portal::new(prepared, params, self.next_portal);
        portal.formats = formats;
        self.portals.insert(name.to_owned(), portal);
        Ok(())
    }

    /// A portal by name.
    ///
    /// # Errors
    /// 34000
    pub fn portal(&self, name: &str) -> Result<&Portal> {
        self.portals.get(name).ok_or_else(|| missing_portal(name))
    }

    /// Drops a portal; one that does not exist is no error.
    pub fn close_portal(&mut self, name: &str) {
        self.portals.remove(name);
    }

    /// Lets a portal wait for the client to ask again.
    pub fn suspend(&mut self, name: &str) {
        if let Some(portal) = self.portals.get_mut(name) {
            portal.round = 0;
        }
    }

    /// Ends a round of the extended protocol: what it did without BEGIN is committed.
    ///
    /// # Errors
    /// 40001 and what committing meets.
    pub fn sync(&mut self) -> Result<()> {
        if self.status() == BlockStatus::Implicit { self.commit() } else { Ok(()) }
    }

    /// Takes note of an error: the transaction fails. Answers the error as the client is to see
    /// it.
    pub fn fail(&mut self, error: Error) -> Error {
        let error = self.state.explain(error);
        match self.status() {
            BlockStatus::Idle | BlockStatus::Failed => {}
            BlockStatus::Implicit => self.rollback(),
            BlockStatus::Explicit => {
                self.state.depend_on(self.must_be_durable());
                self.portals.clear();
                self.cursors.retain(|_, cursor| cursor.is_held());
                self.state.block.borrow_mut().fail();
            }
        }
        error
    }

    fn check_not_failed(&self, prepared: &Prepared) -> Result<()> {
        if self.status() == BlockStatus::Failed && !prepared.is_transaction_exit() {
            return Err(in_failed_transaction());
        }
        Ok(())
    }

    fn note_application_name(&self) {
        let name = self.state.settings.borrow().get("application_name").unwrap_or_default();
        self.state.backend.update(|activity| activity.application_name = name);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.portals.clear();
        self.cursors.clear();
        *self.state.block.get_mut() = Block::default();
        if self.state.has_temporary.get()
            && let Err(error) = self.drop_temporary_schema(&self.state.temporary_schema())
        {
            tracing::warn!(%error, "temporary relations are dropped at the next start");
        }
        let shared = &self.state.database.shared;
        shared.notifications.unlisten(None, &self.state.backend);
        shared.db.unlock_session_all(self.state.backend.lock_owner);
        shared.backends.remove(self.state.backend.process_id);
    }
}

fn in_failed_transaction() -> Error {
    let message = "current transaction is aborted, commands ignored until end of transaction block";
    Error::new(SqlState::IN_FAILED_SQL_TRANSACTION, message)
}

fn missing_portal(name: &str) -> Error {
    Error::new(SqlState::INVALID_CURSOR_NAME, format!("portal \"{name}\" does not exist"))
}
