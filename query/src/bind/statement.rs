//! What a bound statement is: one variant per thing that a session does differently.

use super::ddl::{Ddl, QualifiedName};
use crate::parse::Statement;
use crate::plan::{OutputColumn, Plan};
use crate::value::SqlType;

/// A statement with its names resolved.
#[derive(Clone, Debug)]
pub enum BoundStatement {
    /// Reads or writes rows: SELECT, VALUES, TABLE, INSERT, UPDATE, DELETE.
    Rows(Box<Plan>),
    /// EXPLAIN of another statement.
    Explain {
        /// What to show.
        options: ExplainOptions,
        /// The statement.
        inner: Box<BoundStatement>,
    },
    /// Changes definitions.
    Define(Box<Ddl>),
    /// Begins, ends or parts a transaction.
    Transaction(Transaction),
    /// `SET`
    Set(SetStatement),
    /// `RESET name`; `None` is `RESET ALL`.
    Reset(Option<String>),
    /// `SHOW name`; `all` is a name too.
    Show(String),
    /// `SET [SESSION | LOCAL] ROLE`, `SET SESSION AUTHORIZATION`; `None` is back to one's own.
    SetRole {
        /// Who.
        role: Option<String>,
        /// Until the transaction ends.
        is_local: bool,
        /// SESSION AUTHORIZATION rather than ROLE.
        is_authorization: bool,
    },
    /// `COPY`
    Copy(Box<Copy>),
    /// `PREPARE`
    Prepare {
        /// The name.
        name: String,
        /// The declared types of its parameters.
        params: Vec<SqlType>,
        /// The statement, bound when it is executed.
        statement: Box<Statement>,
        /// Its text.
        text: String,
    },
    /// `EXECUTE`
    Execute {
        /// The name.
        name: String,
        /// The arguments: expressions without columns, bound without knowing the parameters'
        /// types. Convert them with an assignment cast.
        args: Vec<(crate::expression::Expr, SqlType)>,
    },
    /// `DEALLOCATE name`; `None` is ALL.
    Deallocate(Option<String>),
    /// `DECLARE … CURSOR`
    Declare(Box<DeclareCursor>),
    /// `FETCH`, `MOVE`
    Fetch {
        /// The cursor.
        cursor: String,
        /// Which rows.
        direction: FetchDirection,
        /// MOVE rather than FETCH.
        is_move: bool,
    },
    /// `CLOSE name`; `None` is ALL.
    Close(Option<String>),
    /// `LISTEN`
    Listen(String),
    /// `UNLISTEN name`; `None` is `*`.
    Unlisten(Option<String>),
    /// `NOTIFY`
    Notify {
        /// The channel.
        channel: String,
        /// The text sent with it.
        payload: String,
    },
    /// `LOCK TABLE`
    LockTable {
        /// OIDs of the tables.
        tables: Vec<u32>,
        /// How.
        mode: TableLockMode,
        /// `NOWAIT`
        is_nowait: bool,
    },
    /// `ANALYZE`: of these tables and columns (by position); all tables when empty.
    Analyze(Vec<(u32, Vec<usize>)>),
    /// `VACUUM`
    Vacuum {
        /// OIDs of the tables; all when empty.
        tables: Vec<u32>,
        /// `ANALYZE` as well
        with_analyze: bool,
        /// `FULL`
        is_full: bool,
    },
    /// `DISCARD`
    Discard(Discard),
    /// `CHECKPOINT`
    Checkpoint,
    /// `SET CONSTRAINTS`
    SetConstraints {
        /// Which; all when empty.
        names: Vec<QualifiedName>,
        /// DEFERRED rather than IMMEDIATE.
        is_deferred: bool,
    },
    /// Nothing at all: an empty statement.
    Empty,
}

/// A query that is part of a definition or a cursor.
pub type BoundQuery = Plan;

/// Options of EXPLAIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExplainOptions {
    /// Runs the statement.
    pub is_analyze: bool,
    /// Shows output columns.
    pub is_verbose: bool,
    /// Shows estimated costs.
    pub with_costs: bool,
    /// Shows what was read.
    pub with_buffers: bool,
    /// Shows measured times.
    pub with_timing: bool,
    /// Shows planning and execution time.
    pub with_summary: bool,
    /// Shows settings that differ from the built-in ones.
    pub with_settings: bool,
    /// Shows what was logged.
    pub with_wal: bool,
    /// How it is printed.
    pub format: ExplainFormat,
}

/// How EXPLAIN prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExplainFormat {
    /// Indented text.
    #[default]
    Text,
    /// JSON
    Json,
    /// YAML
    Yaml,
    /// XML
    Xml,
}

/// Transaction control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transaction {
    /// `BEGIN`, `START TRANSACTION`
    Begin(TransactionModes),
    /// `COMMIT`, `END`
    Commit {
        /// `AND CHAIN`
        is_chain: bool,
    },
    /// `ROLLBACK`, `ABORT`
    Rollback {
        /// `AND CHAIN`
        is_chain: bool,
    },
    /// `SAVEPOINT`
    Savepoint(String),
    /// `RELEASE SAVEPOINT`
    Release(String),
    /// `ROLLBACK TO SAVEPOINT`
    RollbackTo(String),
    /// `SET TRANSACTION`
    SetModes(TransactionModes),
    /// `SET SESSION CHARACTERISTICS AS TRANSACTION`
    SetSessionModes(TransactionModes),
    /// `SET TRANSACTION SNAPSHOT`
    SetSnapshot(String),
}

/// Modes of a transaction; what was not said is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransactionModes {
    /// `ISOLATION LEVEL`
    pub isolation: Option<IsolationLevel>,
    /// `READ ONLY`
    pub is_read_only: Option<bool>,
    /// `DEFERRABLE`
    pub is_deferrable: Option<bool>,
}

/// Isolation levels as SQL names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IsolationLevel {
    /// Runs as READ COMMITTED.
    ReadUncommitted,
    /// Each statement sees what was committed before it.
    ReadCommitted,
    /// One snapshot.
    RepeatableRead,
    /// As if one after the other.
    Serializable,
}

/// `SET name = value`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetStatement {
    /// The setting, in lower case.
    pub name: String,
    /// The values, joined by `, ` when there are several; `None` is DEFAULT.
    pub value: Option<String>,
    /// The values one by one, for list settings such as `search_path`.
    pub values: Vec<String>,
    /// Until the transaction ends.
    pub is_local: bool,
}

/// `COPY`
#[derive(Clone, Debug)]
pub struct Copy {
    /// What is copied.
    pub source: CopySource,
    /// Where from or to.
    pub target: CopyTarget,
    /// FROM rather than TO.
    pub is_from: bool,
    /// How.
    pub options: CopyOptions,
}

/// What COPY copies.
#[derive(Clone, Debug)]
pub enum CopySource {
    /// Columns of a table.
    Table {
        /// Its OID.
        table: u32,
        /// Positions of the columns.
        columns: Vec<usize>,
        /// COPY FROM: an INSERT whose only row is the parameters, one per column in order, each
        /// already of the column's type. COPY TO: the SELECT of the columns.
        plan: Box<Plan>,
        /// COPY FROM … WHERE, over the parameters of `plan` in the same order as columns.
        filter: Option<crate::expression::Expr>,
    },
    /// A query's rows.
    Query(Box<Plan>),
}

/// Where COPY reads from or writes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopyTarget {
    /// `STDIN` or `STDOUT`
    Client,
    /// A file of the server.
    File(String),
    /// A program of the server.
    Program(String),
}

/// Options of COPY.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyOptions {
    /// The format.
    pub format: CopyFormat,
    /// `DELIMITER`; the format's own when `None`.
    pub delimiter: Option<char>,
    /// `NULL`; the format's own when `None`.
    pub null: Option<String>,
    /// `HEADER`
    pub has_header: bool,
    /// `HEADER MATCH`
    pub header_match: bool,
    /// `QUOTE`
    pub quote: Option<char>,
    /// `ESCAPE`
    pub escape: Option<char>,
    /// `FORCE_QUOTE`: columns; `*` is one entry of that name.
    pub force_quote: Vec<String>,
    /// `FORCE_NOT_NULL`
    pub force_not_null: Vec<String>,
    /// `FORCE_NULL`
    pub force_null: Vec<String>,
}

/// The formats of COPY.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CopyFormat {
    /// Tab-separated.
    #[default]
    Text,
    /// Comma-separated.
    Csv,
    /// Postgres' binary format.
    Binary,
}

/// `DECLARE … CURSOR`
#[derive(Clone, Debug)]
pub struct DeclareCursor {
    /// Its name.
    pub name: String,
    /// `WITH HOLD`
    pub is_hold: bool,
    /// `BINARY`
    pub is_binary: bool,
    /// `SCROLL` (true), `NO SCROLL` (false)
    pub scroll: Option<bool>,
    /// The query.
    pub plan: Box<BoundQuery>,
    /// Its columns.
    pub columns: Vec<OutputColumn>,
}

/// Which rows FETCH takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchDirection {
    /// So many forward; negative is backward, 0 is the current row again.
    Forward(i64),
    /// All that follow.
    ForwardAll,
    /// All that precede, last first.
    BackwardAll,
    /// The row of this number; negative counts from the end.
    Absolute(i64),
    /// So many rows further.
    Relative(i64),
}

/// The modes of LOCK TABLE, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TableLockMode {
    /// `ACCESS SHARE`
    AccessShare,
    /// `ROW SHARE`
    RowShare,
    /// `ROW EXCLUSIVE`
    RowExclusive,
    /// `SHARE UPDATE EXCLUSIVE`
    ShareUpdateExclusive,
    /// `SHARE`
    Share,
    /// `SHARE ROW EXCLUSIVE`
    ShareRowExclusive,
    /// `EXCLUSIVE`
    Exclusive,
    /// `ACCESS EXCLUSIVE`
    AccessExclusive,
}

/// What DISCARD throws away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discard {
    /// Everything of the session.
    All,
    /// Cached plans.
    Plans,
    /// Cached sequence numbers.
    Sequences,
    /// Temporary tables.
    Temporary,
}
