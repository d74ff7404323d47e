//! What a session knows, apart from its statements and portals: settings, transaction, clocks.
//! Statements reach it through [`Services`].

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ahash::AHashMap;
use cairn_engine::{LockOutcome, LockStrength, Timestamp, Transaction, WaitPolicy};

use super::block::{Block, BlockStatus, engine_isolation};
use super::clock;
use super::facts::{Defaults, Facts, Identity, Limits};
use super::settings::{SettingScope, Settings};
use crate::bind::ddl::OnCommit;
use crate::bind::{self, BindContext};
use crate::catalog::{Catalog, Deferral, Globals, SequenceDef, TableDef, temporary};
use crate::database::Database;
use crate::database::backends::Backend;
use crate::database::notifications::Inbox;
use crate::database::sequences::Position;
use crate::error::{Error, Result, SqlState};
use crate::execute::Event;
use crate::expression::Expr;
use crate::expression::context::{
    AdvisoryKey, AdvisoryMode, IndexSearch, Services, SlotValues, StatementFacts, SystemFacts,
};
use crate::plan::TableWriter;
use crate::result::Notice;
use crate::value::Value;

/// See the module.
pub(crate) struct State {
    pub(super) database: Database,
    pub(super) backend: Arc<Backend>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) settings: RefCell<Settings>,
    facts: RefCell<Facts>,
    /// The definitions of the statement at hand.
    pub(super) catalog: Arc<Catalog>,
    pub(super) block: RefCell<Block>,
    pub(super) notices: RefCell<Vec<Notice>>,
    sequences: RefCell<UsedSequences>,
    /// Whether there is, or was, something in the schema of temporary relations.
    pub(super) has_temporary: Cell<bool>,
    /// What is to be done to temporary tables at each commit.
    pub(super) on_commit: RefCell<Vec<(u32, OnCommit)>>,
    /// When the statement at hand must be done.
    deadline: Cell<Option<Instant>>,
    pub(super) statement_time: Cell<i64>,
    /// The newest commit that something shown to the client depends on.
    pub(super) must_be_durable: Cell<Timestamp>,
    /// This session's newest commit: its next transaction must see it.
    pub(super) last_commit: Cell<Timestamp>,
}

/// Numbers that this session took from sequences.
#[derive(Default)]
struct UsedSequences {
    current: AHashMap<u32, i64>,
    last: Option<u32>,
}

impl State {
    pub(super) fn new(database: Database, backend: Arc<Backend>, settings: Settings) -> Self {
        let identity = Identity::of(&backend, false);
        let facts = RefCell::new(Facts::new(&settings, &identity));
        Self {
            database,
            backend,
            inbox: Arc::default(),
            settings: RefCell::new(settings),
            facts,
            catalog: Arc::default(),
            block: RefCell::default(),
            notices: RefCell::default(),
            sequences: RefCell::default(),
            has_temporary: Cell::new(false),
            on_commit: RefCell::default(),
            deadline: Cell::new(None),
            statement_time: Cell::new(clock::now()),
            must_be_durable: Cell::new(Timestamp::default()),
            last_commit: Cell::new(Timestamp::default()),
        }
    }

    /// The facts of the statement at hand.
    pub(super) fn facts(&self) -> StatementFacts {
        self.refresh_facts();
        let block = self.block.borrow();
        let began_at = match block.status {
            BlockStatus::Idle => self.statement_time.get(),
            _ => block.began_at,
        };
        let mut facts = self.facts.borrow().at(began_at, self.statement_time.get());
        facts.output.catalog = Some(Arc::clone(&self.catalog));
        facts
    }

    /// Stands for everything that binding depends on besides the definitions.
    pub(super) fn environment(&self) -> u64 {
        self.refresh_facts();
        self.facts.borrow().environment()
    }

    fn defaults(&self) -> Defaults {
        self.refresh_facts();
        self.facts.borrow().defaults()
    }

    /// The limits that settings put to statements and to the session.
    pub(super) fn limits(&self) -> Limits {
        self.defaults().limits
    }

    fn refresh_facts(&self) {
        let settings = self.settings.borrow();
        let has_temporary = self.has_temporary.get();
        if !self.facts.borrow().is_current(&settings, has_temporary) {
            let identity = Identity::of(&self.backend, has_temporary);
            *self.facts.borrow_mut() = Facts::new(&settings, &identity);
        }
    }

    /// Who acts: the role that was set, or who connected.
    pub(super) fn user(&self) -> Arc<str> {
        self.refresh_facts();
        self.facts.borrow().at(0, 0).user
    }

    /// Takes the definitions that the next statement is to see.
    pub(super) fn refresh_catalog(&mut self) -> Result<()> {
        let own = self.block.get_mut().definitions.as_ref().map(|(catalog, _)| catalog.clone());
        let name = &self.backend.database;
        let current = own.or_else(|| self.database.shared.catalogs.current(name));
        self.catalog = current.ok_or_else(|| {
            let message = format!("database \"{name}\" does not exist");
            Error::new(SqlState::INVALID_CATALOG_NAME, message)
        })?;
        Ok(())
    }

    /// Databases and roles as this transaction sees them.
    pub(super) fn globals(&self) -> Arc<Globals> {
        let block = self.block.borrow();
        match &block.definitions {
            Some((_, globals)) => globals.clone(),
            None => self.database.shared.catalogs.globals(),
        }
    }

    /// Makes sure that there is a transaction; `status` is what a new one is.
    pub(super) fn begin(&self, status: BlockStatus) {
        let mut block = self.block.borrow_mut();
        if block.status != BlockStatus::Idle {
            return;
        }
        *block = Block {
            status,
            modes: self.defaults().modes,
            began_at: self.statement_time.get(),
            settings: self.settings.borrow().clone(),
            ..Block::default()
        };
    }

    /// The engine's transaction, begun if need be.
    pub(super) fn transaction(&self) -> Arc<Transaction> {
        let mut block = self.block.borrow_mut();
        if let Some(txn) = &block.txn {
            return txn.clone();
        }
        let db = &self.database.shared.db;
        let isolation = engine_isolation(block.modes.isolation);
        let mut txn = db.begin_after(isolation, self.last_commit.get());
        txn.set_lock_owner(self.backend.lock_owner);
        txn.set_cancel(self.backend.cancel_flag());
        let txn = Arc::new(txn);
        block.txn = Some(txn.clone());
        block.has_run = true;
        txn
    }

    /// Notes that what the client is shown depends on a commit.
    pub(super) fn depend_on(&self, ts: Timestamp) {
        self.must_be_durable.set(self.must_be_durable.get().max(ts));
    }

    /// Begins the clock of a statement that the client sent.
    pub(super) fn start_clock(&self) {
        self.statement_time.set(clock::now());
        let limit = self.limits().statement_timeout;
        self.deadline.set(limit.map(|limit| Instant::now() + limit));
    }

    /// How long a lock may be waited for: `lock_timeout`, and no longer than the statement may
    /// run.
    pub(super) fn lock_limit(&self) -> Option<Duration> {
        let limit = self.limits().lock_timeout;
        let left = self.deadline.get().map(|at| at.saturating_duration_since(Instant::now()));
        match (limit, left) {
            (Some(limit), Some(left)) => Some(limit.min(left)),
            (limit, left) => limit.or(left),
        }
    }

    /// Gives an error of a wait the cause that only the session knows.
    pub(super) fn explain(&self, error: Error) -> Error {
        match error.state() {
            SqlState::QUERY_CANCELED => self.check_cancelled().err().unwrap_or(error),
            SqlState::LOCK_NOT_AVAILABLE if self.is_late() => timed_out(),
            SqlState::LOCK_NOT_AVAILABLE if error.message().starts_with("lock") => {
                Error::new(SqlState::LOCK_NOT_AVAILABLE, "canceling statement due to lock timeout")
            }
            _ => error,
        }
    }

    fn is_late(&self) -> bool {
        self.deadline.get().is_some_and(|deadline| Instant::now() >= deadline)
    }

    pub(super) fn notice(&self, notice: Notice) {
        self.notices.borrow_mut().push(notice);
    }

    pub(super) fn warn(&self, state: SqlState, message: impl Into<String>) {
        self.notice(Notice::warning(state, message));
    }

    fn sequence(&self, oid: u32) -> Result<&Arc<SequenceDef>> {
        sequence_in(&self.catalog, oid)
    }

    /// `nextval` of a sequence that these definitions have.
    pub(super) fn sequence_next_in(&self, catalog: &Catalog, sequence: u32) -> Result<i64> {
        self.check_may_write("nextval()")?;
        let def = sequence_in(catalog, sequence)?;
        let value = self.database.shared.sequences.next(&self.database.shared.db, def)?;
        let mut used = self.sequences.borrow_mut();
        used.current.insert(sequence, value);
        used.last = Some(sequence);
        Ok(value)
    }

    /// The schema of this session's temporary tables.
    pub(super) fn temporary_schema(&self) -> String {
        temporary::schema(self.backend.process_id)
    }

    /// Whether the transaction has written anything.
    pub(super) fn has_written(&self) -> bool {
        self.block.borrow().txn.as_ref().is_some_and(|txn| txn.has_writes())
    }

    fn check_may_write(&self, what: &str) -> Result<()> {
        if self.block.borrow().modes.is_read_only {
            let message = format!("cannot execute {what} in a read-only transaction");
            return Err(Error::new(SqlState::READ_ONLY_SQL_TRANSACTION, message));
        }
        Ok(())
    }

    /// Forgets numbers taken from sequences (`DISCARD SEQUENCES`).
    pub(super) fn forget_sequences(&self) {
        *self.sequences.borrow_mut() = UsedSequences::default();
    }

    fn advisory_key(&self, key: AdvisoryKey) -> Vec<u8> {
        let mut bytes = self.backend.database_oid.to_be_bytes().to_vec();
        match key {
            AdvisoryKey::Long(key) => {
                bytes.push(1);
                bytes.extend_from_slice(&key.to_be_bytes());
            }
            AdvisoryKey::Pair(class, key) => {
                bytes.push(2);
                bytes.extend_from_slice(&class.to_be_bytes());
                bytes.extend_from_slice(&key.to_be_bytes());
            }
        }
        bytes
    }
}

fn sequence_in(catalog: &Catalog, oid: u32) -> Result<&Arc<SequenceDef>> {
    catalog.sequences.get(&oid).ok_or_else(|| {
        let message = format!("could not open relation with OID {oid}");
        Error::new(SqlState::UNDEFINED_TABLE, message)
    })
}

/// 57014 of `statement_timeout`.
pub(super) fn timed_out() -> Error {
    Error::new(SqlState::QUERY_CANCELED, "canceling statement due to statement timeout")
}

fn strength(is_shared: bool) -> LockStrength {
    if is_shared { LockStrength::Share } else { LockStrength::Update }
}

impl State {
    /// Binds something that the catalog keeps as text.
    fn with_binding<T>(&self, work: impl FnOnce(BindContext<'_>) -> Result<T>) -> Result<T> {
        let facts = self.facts();
        work(BindContext { catalog: &self.catalog, facts: &facts, services: self, params: &[] })
    }
}

/// How many entries begin like this; no more than `ENTRIES_MAX` are counted.
fn count_entries(db: &cairn_engine::Db, prefix: &[u8]) -> Option<usize> {
    /// Some hundred microseconds' worth.
    const ENTRIES_MAX: usize = 1000;
    let txn = db.begin(cairn_engine::Isolation::ReadCommitted);
    let range = cairn_engine::KeyRange::prefix(prefix);
    let entries = txn.scan(range, cairn_engine::Direction::Forward).ok()?;
    Some(entries.take(ENTRIES_MAX).count())
}

impl Services for State {
    fn table_writer(&self, table: &Arc<TableDef>) -> Result<TableWriter> {
        self.with_binding(|cx| bind::table_writer(cx, table))
    }

    fn column_default(&self, table: &Arc<TableDef>, column: usize) -> Result<Expr> {
        self.with_binding(|cx| bind::column_default(cx, table, column))
    }

    fn index_hits(&self, search: &IndexSearch<'_>) -> Option<f64> {
        let db = &self.database.shared.db;
        let hits = match search {
            IndexSearch::Text(index, query) => db.text_index(*index).ok()?.estimate(query)?,
            IndexSearch::Geo(index, window) => db.geo_index(*index).ok()?.estimate(window),
            IndexSearch::Entries(prefix) => count_entries(db, prefix)?,
        };
        Some(hits as f64)
    }

    fn is_deferred(&self, constraint: Deferral) -> bool {
        self.block.borrow().is_deferred(constraint)
    }

    fn defer(&self, event: Event) -> Result<()> {
        let work_mem = self.limits().work_mem;
        self.block.borrow_mut().deferred.push(event, work_mem)
    }

    fn sequence_next(&self, sequence: u32) -> Result<i64> {
        self.sequence_next_in(&self.catalog, sequence)
    }

    fn sequence_current(&self, sequence: u32) -> Result<i64> {
        let def = self.sequence(sequence)?;
        self.sequences.borrow().current.get(&sequence).copied().ok_or_else(|| {
            let message =
                format!("currval of sequence \"{}\" is not yet defined in this session", def.name);
            Error::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message)
        })
    }

    fn sequence_last(&self) -> Result<i64> {
        let used = self.sequences.borrow();
        let value = used.last.and_then(|sequence| used.current.get(&sequence));
        value.copied().ok_or_else(|| {
            let message = "lastval is not yet defined in this session";
            Error::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message)
        })
    }

    fn sequence_set(&self, sequence: u32, value: i64, is_called: bool) -> Result<i64> {
        self.check_may_write("setval()")?;
        let def = self.sequence(sequence)?;
        let shared = &self.database.shared;
        shared.sequences.set(&shared.db, def, Position { value, is_called })?;
        if is_called {
            self.sequences.borrow_mut().current.insert(sequence, value);
        }
        Ok(value)
    }

    fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    fn globals(&self) -> Arc<Globals> {
        Self::globals(self)
    }

    fn system_rows(&self, facts: SystemFacts) -> Result<Vec<crate::plan::Row>> {
        Ok(super::system_rows::rows(self, facts))
    }

    fn row_estimate(&self, table: &crate::catalog::TableDef) -> Option<f64> {
        self.database.shared.execution.statistics.rows(table.storage())
    }

    fn setting(&self, name: &str) -> Option<String> {
        let block = self.block.borrow();
        match name.to_ascii_lowercase().as_str() {
            "transaction_isolation" if block.status != BlockStatus::Idle => {
                Some(super::block::isolation_name(block.modes.isolation).to_owned())
            }
            "transaction_read_only" if block.status != BlockStatus::Idle => {
                Some(if block.modes.is_read_only { "on" } else { "off" }.to_owned())
            }
            _ => self.settings.borrow().get(name).map(|value| value.to_string()),
        }
    }

    fn set_setting(&self, name: &str, value: &str, is_local: bool) -> Result<()> {
        let scope = if is_local { SettingScope::Local } else { SettingScope::Session };
        self.settings.borrow_mut().set(name, value, scope)?;
        Ok(())
    }

    fn run_subplan(
        &self,
        _subplan: usize,
        _slots: &SlotValues,
        _each: &mut dyn FnMut(&[Value]) -> Result<bool>,
    ) -> Result<()> {
        // The executor answers this itself; outside of it expressions have no subqueries.
        Err(Error::unsupported("a subquery here"))
    }

    fn advisory_lock(&self, key: AdvisoryKey, mode: AdvisoryMode) -> Result<bool> {
        let key = self.advisory_key(key);
        let policy =
            if mode.is_try { WaitPolicy::NoWait } else { WaitPolicy::Wait(self.lock_limit()) };
        let strength = strength(mode.is_shared);
        let outcome = if mode.is_transactional {
            self.transaction().lock_advisory(&key, strength, policy)
        } else {
            let cancel = self.backend.cancel_flag();
            let db = &self.database.shared.db;
            db.lock_session(self.backend.lock_owner, &key, strength, policy, Some(&cancel))
        };
        Ok(outcome? == LockOutcome::Granted)
    }

    fn advisory_unlock(&self, key: Option<AdvisoryKey>, is_shared: bool) -> bool {
        let db = &self.database.shared.db;
        let owner = self.backend.lock_owner;
        let Some(key) = key else {
            db.unlock_session_all(owner);
            return true;
        };
        let was_held = db.unlock_session(owner, &self.advisory_key(key), strength(is_shared));
        if !was_held {
            let kind = if is_shared { "ShareLock" } else { "ExclusiveLock" };
            self.warn(SqlState::WARNING, format!("you don't own a lock of type {kind}"));
        }
        was_held
    }

    fn check_cancelled(&self) -> Result<()> {
        self.backend.check()?;
        if self.is_late() { Err(timed_out()) } else { Ok(()) }
    }

    fn system_call(&self, name: &str, args: &[Value]) -> Result<Value> {
        super::system_call::call(self, name, args)
    }
}
