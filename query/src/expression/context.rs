//! What evaluating an expression may reach.

use std::cell::{OnceCell, RefCell};
use std::sync::Arc;

use crate::error::Result;
use crate::value::Value;

/// The surroundings of an evaluation: parameters, slots, clocks and settings of the statement.
pub struct EvalContext<'a> {
    /// Statement parameters.
    pub params: &'a [Value],
    /// Values passed inward by enclosing plan nodes.
    pub slots: &'a SlotValues,
    /// Facts that hold for the whole statement.
    pub statement: &'a StatementFacts,
    /// The rest of the database, for the functions that need it.
    pub services: &'a dyn Services,
}

/// What an execution remembers between the rows that its expressions are evaluated on.
#[derive(Debug, Default)]
pub struct SlotValues {
    /// See [`crate::expression::Expr::Slot`].
    pub passed: RefCell<Vec<Value>>,
    /// See [`crate::expression::Expr::Once`]. A cell that is not there keeps nothing: its
    /// expression is computed each time.
    pub once: Vec<OnceCell<Value>>,
}

impl SlotValues {
    /// Room for so many values of each kind.
    pub fn new(slots: usize, once: usize) -> Self {
        let passed = RefCell::new(vec![Value::Null; slots]);
        Self { passed, once: vec![OnceCell::new(); once] }
    }
}

/// Facts that hold for the whole statement.
#[derive(Clone, Debug)]
pub struct StatementFacts {
    /// `now()`: microseconds since 2000-01-01 UTC when the transaction began.
    pub transaction_time: i64,
    /// `statement_timestamp()`: when the client's message came.
    pub statement_time: i64,
    /// The session's time zone.
    pub time_zone: jiff::tz::TimeZone,
    /// `current_user`
    pub user: Arc<str>,
    /// `current_database()`
    pub database: Arc<str>,
    /// `search_path`, first schema first
    pub search_path: Arc<[String]>,
    /// `default_text_search_config`
    pub text_config: Arc<str>,
    /// `extra_float_digits`, `bytea_output`, `IntervalStyle`, `DateStyle`: how values print.
    pub output: crate::value::OutputStyle,
    /// `pg_backend_pid()`
    pub process_id: i32,
}

/// A search in an index, for the planner to ask about.
#[derive(Clone, Copy, Debug)]
pub enum IndexSearch<'a> {
    /// Words.
    Text(cairn_engine::ObjectId, &'a cairn_engine::index::fulltext::TextQuery),
    /// A window.
    Geo(cairn_engine::ObjectId, &'a cairn_engine::index::geo::Aabb),
    /// Entries of an ordered index that begin like this.
    Entries(&'a [u8]),
}

/// What functions may ask of the session and the executor.
pub trait Services {
    /// `nextval`
    ///
    /// # Errors
    /// 42P01 when there is no such sequence, 2200H when it is exhausted.
    fn sequence_next(&self, sequence: u32) -> Result<i64>;
    /// `currval`
    ///
    /// # Errors
    /// 55000 when this session has not called `nextval`.
    fn sequence_current(&self, sequence: u32) -> Result<i64>;
    /// `lastval`
    ///
    /// # Errors
    /// 55000.
    fn sequence_last(&self) -> Result<i64>;
    /// `setval`
    ///
    /// # Errors
    /// 22003 out of bounds.
    fn sequence_set(&self, sequence: u32, value: i64, is_called: bool) -> Result<i64>;
    /// The catalog this statement was bound against.
    fn catalog(&self) -> &Arc<crate::catalog::Catalog>;
    /// The value of a setting, as `SHOW` prints it.
    fn setting(&self, name: &str) -> Option<String>;
    /// Changes a setting (`set_config`).
    ///
    /// # Errors
    /// 42704, 22023.
    fn set_setting(&self, name: &str, value: &str, is_local: bool) -> Result<()>;
    /// Runs a subplan of the current statement and hands each row to `each` until it answers
    /// `false`.
    ///
    /// # Errors
    /// Whatever running it meets.
    fn run_subplan(
        &self,
        subplan: usize,
        slots: &SlotValues,
        each: &mut dyn FnMut(&[Value]) -> Result<bool>,
    ) -> Result<()>;
    /// What writing a row of a table entails, bound over the table's columns: for referential
    /// actions, and for the planner to recognise index expressions.
    ///
    /// # Errors
    /// What binding meets.
    fn table_writer(
        &self,
        table: &Arc<crate::catalog::TableDef>,
    ) -> Result<crate::plan::TableWriter> {
        let message = format!("no binder at hand for table \"{}\"", table.name);
        Err(crate::error::Error::internal(message))
    }
    /// The DEFAULT of a column, bound and cast to its type.
    ///
    /// # Errors
    /// What binding meets.
    fn column_default(
        &self,
        table: &Arc<crate::catalog::TableDef>,
        column: usize,
    ) -> Result<crate::expression::Expr> {
        let message = format!("no binder at hand for column {column} of table \"{}\"", table.name);
        Err(crate::error::Error::internal(message))
    }
    /// About how many rows a search in an index finds, if the index can tell: for the planner.
    fn index_hits(&self, _search: &IndexSearch<'_>) -> Option<f64> {
        None
    }
    /// Whether a constraint is checked at the end of the transaction.
    fn is_deferred(&self, _constraint: crate::catalog::Deferral) -> bool {
        false
    }
    /// Leaves a check to the end of the transaction.
    ///
    /// # Errors
    /// 53200 when too many wait.
    fn defer(&self, _event: crate::execute::Event) -> Result<()> {
        Ok(())
    }
    /// Takes an advisory lock; answers whether it was granted.
    ///
    /// # Errors
    /// 40P01, 55P03, 57014.
    fn advisory_lock(&self, key: AdvisoryKey, mode: AdvisoryMode) -> Result<bool>;
    /// Gives a session-level advisory lock back; answers whether it was held.
    fn advisory_unlock(&self, key: Option<AdvisoryKey>, is_shared: bool) -> bool;
    /// Databases and roles.
    fn globals(&self) -> Arc<crate::catalog::Globals> {
        Arc::default()
    }
    /// Rows of a catalog that shows what the system is doing.
    ///
    /// # Errors
    /// 0A000 where no system is running.
    fn system_rows(&self, facts: SystemFacts) -> Result<Vec<crate::plan::Row>> {
        let message = format!("nothing runs here that could answer about {facts:?}");
        Err(crate::error::Error::unsupported(message))
    }
    /// How many rows a table is thought to have, if anybody ever counted.
    fn row_estimate(&self, _table: &crate::catalog::TableDef) -> Option<f64> {
        None
    }
    /// Fails with 57014 when the statement was cancelled or ran out of time. Long loops call it.
    ///
    /// # Errors
    /// 57014.
    fn check_cancelled(&self) -> Result<()>;
    /// Anything else about the running system, by name: `pg_table_size`, `pg_current_xact_id`,
    /// `pg_cancel_backend`, `pg_notify` … with evaluated arguments.
    ///
    /// # Errors
    /// 0A000 for what does not exist.
    fn system_call(&self, name: &str, args: &[Value]) -> Result<Value>;
}

/// What the running system can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemFacts {
    /// Who is connected: `pg_stat_activity`.
    Activity,
    /// Who holds and wants which lock: `pg_locks`.
    Locks,
    /// Every setting: `pg_settings`.
    Settings,
}

/// The two key spaces of advisory locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AdvisoryKey {
    /// `pg_advisory_lock(bigint)`
    Long(i64),
    /// `pg_advisory_lock(int, int)`
    Pair(i32, i32),
}

/// How an advisory lock is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdvisoryMode {
    /// Until the transaction ends, rather than the session.
    pub is_transactional: bool,
    /// Others may share it.
    pub is_shared: bool,
    /// Answer false rather than wait.
    pub is_try: bool,
}
