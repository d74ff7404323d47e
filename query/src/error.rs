//! Errors that a client sees: SQLSTATE, message, and where Postgres gives them detail, hint,
//! position and the names of what was violated.

use std::fmt;

use cairn_engine::ErrorKind;

/// The result of everything that a statement may fail in.
pub type Result<T> = std::result::Result<T, Error>;

/// A five-character error code of the SQL standard and Postgres (manual, appendix A).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SqlState(pub &'static str);

/// An error as Postgres would report it.
#[derive(Clone, Debug)]
pub struct Error(Box<Detail>);

/// The fields of an error report.
#[derive(Clone, Debug, Default)]
pub struct Detail {
    /// The error code.
    pub state: SqlState,
    /// The primary message, in Postgres' words.
    pub message: String,
    /// The `DETAIL` line.
    pub detail: Option<String>,
    /// The `HINT` line.
    pub hint: Option<String>,
    /// Characters from the start of the statement, from 1.
    pub position: Option<usize>,
    /// The `CONTEXT` line: where in the data of a COPY.
    pub context: Option<String>,
    /// The schema of the table at fault.
    pub schema: Option<String>,
    /// The table at fault.
    pub table: Option<String>,
    /// The column at fault.
    pub column: Option<String>,
    /// The violated constraint.
    pub constraint: Option<String>,
}

macro_rules! states {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        impl SqlState { $($(#[$doc])* pub const $name: Self = Self($code);)* }
    };
}

states! {
    /// No error at all: notices.
    SUCCESSFUL_COMPLETION = "00000";
    /// A warning without a code of its own.
    WARNING = "01000";
    /// More or fewer bind parameters than the statement has, or malformed messages.
    PROTOCOL_VIOLATION = "08P01";
    /// A feature that Cairn does not have.
    FEATURE_NOT_SUPPORTED = "0A000";
    /// A row-returning subquery returned more than one row, or a row was touched twice.
    CARDINALITY_VIOLATION = "21000";
    /// A string does not fit its column.
    STRING_DATA_RIGHT_TRUNCATION = "22001";
    /// A number does not fit its type.
    NUMERIC_VALUE_OUT_OF_RANGE = "22003";
    /// A date or time has an impossible syntax.
    INVALID_DATETIME_FORMAT = "22007";
    /// A date or time is out of range.
    DATETIME_FIELD_OVERFLOW = "22008";
    /// Division by zero.
    DIVISION_BY_ZERO = "22012";
    /// A parameter has a value that its function refuses.
    INVALID_PARAMETER_VALUE = "22023";
    /// NULL inside an argument that must not have any.
    NULL_VALUE_NOT_ALLOWED = "22004";
    /// A character string that must not be empty.
    ZERO_LENGTH_CHARACTER_STRING = "2200F";
    /// An array with the wrong number of dimensions or elements.
    ARRAY_SUBSCRIPT_ERROR = "2202E";
    /// Bytes that are not UTF-8.
    CHARACTER_NOT_IN_REPERTOIRE = "22021";
    /// A text that is no value of its type.
    INVALID_TEXT_REPRESENTATION = "22P02";
    /// A binary parameter that is no value of its type.
    INVALID_BINARY_REPRESENTATION = "22P03";
    /// COPY data that cannot be read.
    BAD_COPY_FILE_FORMAT = "22P04";
    /// NULL in a NOT NULL column.
    NOT_NULL_VIOLATION = "23502";
    /// A foreign key without its row.
    FOREIGN_KEY_VIOLATION = "23503";
    /// A duplicate key.
    UNIQUE_VIOLATION = "23505";
    /// A CHECK that is false.
    CHECK_VIOLATION = "23514";
    /// Two rows that an exclusion constraint keeps apart.
    EXCLUSION_VIOLATION = "23P01";
    /// A cursor that does not exist.
    INVALID_CURSOR_NAME = "34000";
    /// A statement in a failed transaction.
    IN_FAILED_SQL_TRANSACTION = "25P02";
    /// BEGIN inside a transaction.
    ACTIVE_SQL_TRANSACTION = "25001";
    /// COMMIT outside one.
    NO_ACTIVE_SQL_TRANSACTION = "25P01";
    /// A write in a read-only transaction.
    READ_ONLY_SQL_TRANSACTION = "25006";
    /// A prepared statement that does not exist.
    INVALID_SQL_STATEMENT_NAME = "26000";
    /// A password that is wrong.
    INVALID_PASSWORD = "28P01";
    /// A user that may not connect.
    INVALID_AUTHORIZATION = "28000";
    /// An object that others depend on.
    DEPENDENT_OBJECTS_STILL_EXIST = "2BP01";
    /// A savepoint that does not exist.
    INVALID_SAVEPOINT = "3B001";
    /// A database that does not exist.
    INVALID_CATALOG_NAME = "3D000";
    /// A schema that does not exist.
    INVALID_SCHEMA_NAME = "3F000";
    /// A serialization failure.
    SERIALIZATION_FAILURE = "40001";
    /// A deadlock.
    DEADLOCK_DETECTED = "40P01";
    /// A name that cannot be one.
    INVALID_NAME = "42602";
    /// A syntax error.
    SYNTAX_ERROR = "42601";
    /// Missing rights.
    INSUFFICIENT_PRIVILEGE = "42501";
    /// A type that cannot become the other.
    CANNOT_COERCE = "42846";
    /// A column outside GROUP BY.
    GROUPING_ERROR = "42803";
    /// A window function in the wrong place.
    WINDOWING_ERROR = "42P20";
    /// Recursion in the wrong place.
    INVALID_RECURSION = "42P19";
    /// A foreign key that refers to no unique key.
    INVALID_FOREIGN_KEY = "42830";
    /// Rights that do not exist for the kind of object.
    INVALID_GRANT_OPERATION = "0LP01";
    /// A generated column that is written.
    GENERATED_ALWAYS = "428C9";
    /// The wrong kind of object.
    WRONG_OBJECT_TYPE = "42809";
    /// A column that does not exist.
    UNDEFINED_COLUMN = "42703";
    /// A function or operator that does not exist.
    UNDEFINED_FUNCTION = "42883";
    /// A table that does not exist.
    UNDEFINED_TABLE = "42P01";
    /// A parameter that does not exist.
    UNDEFINED_PARAMETER = "42P02";
    /// Any other object that does not exist.
    UNDEFINED_OBJECT = "42704";
    /// A column that is there already.
    DUPLICATE_COLUMN = "42701";
    /// A cursor that is there already.
    DUPLICATE_CURSOR = "42P03";
    /// A database that is there already.
    DUPLICATE_DATABASE = "42P04";
    /// A prepared statement that is there already.
    DUPLICATE_PREPARED_STATEMENT = "42P05";
    /// A schema that is there already.
    DUPLICATE_SCHEMA = "42P06";
    /// A table that is there already.
    DUPLICATE_TABLE = "42P07";
    /// Any other object that is there already.
    DUPLICATE_OBJECT = "42710";
    /// A table name that is used twice.
    DUPLICATE_ALIAS = "42712";
    /// A column name that could mean two.
    AMBIGUOUS_COLUMN = "42702";
    /// A call that could mean two functions.
    AMBIGUOUS_FUNCTION = "42725";
    /// A parameter that would need two types.
    AMBIGUOUS_PARAMETER = "42P08";
    /// Types that do not go together.
    DATATYPE_MISMATCH = "42804";
    /// A parameter whose type cannot be told.
    INDETERMINATE_DATATYPE = "42P18";
    /// A FROM entry out of reach.
    INVALID_COLUMN_REFERENCE = "42P10";
    /// A cursor cannot be declared in this way.
    INVALID_CURSOR_DEFINITION = "42P11";
    /// A wrong column definition.
    INVALID_COLUMN_DEFINITION = "42611";
    /// A wrong table definition.
    INVALID_TABLE_DEFINITION = "42P16";
    /// A wrong object definition.
    INVALID_OBJECT_DEFINITION = "42P17";
    /// A name that is reserved.
    RESERVED_NAME = "42939";
    /// A statement without a place in Postgres' grammar that parses all the same.
    SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION = "42000";
    /// Out of memory.
    OUT_OF_MEMORY = "53200";
    /// Out of disk.
    DISK_FULL = "53100";
    /// Too many clients.
    TOO_MANY_CONNECTIONS = "53300";
    /// A configured limit was reached.
    CONFIGURATION_LIMIT_EXCEEDED = "53400";
    /// A hard limit was reached.
    PROGRAM_LIMIT_EXCEEDED = "54000";
    /// An expression nests too deeply.
    STATEMENT_TOO_COMPLEX = "54001";
    /// A sequence or object is not in the state that it must be in.
    OBJECT_NOT_IN_PREREQUISITE_STATE = "55000";
    /// The object is in use.
    OBJECT_IN_USE = "55006";
    /// A lock that would not be granted.
    LOCK_NOT_AVAILABLE = "55P03";
    /// The client cancelled.
    QUERY_CANCELED = "57014";
    /// The server shuts down.
    ADMIN_SHUTDOWN = "57P01";
    /// The server starts.
    CANNOT_CONNECT_NOW = "57P03";
    /// A setting that does not exist.
    UNDEFINED_SETTING = "42704";
    /// The file system failed.
    IO_ERROR = "58030";
    /// Our bug.
    INTERNAL_ERROR = "XX000";
    /// Stored bytes are wrong.
    DATA_CORRUPTED = "XX001";
}

impl Default for SqlState {
    fn default() -> Self {
        Self::INTERNAL_ERROR
    }
}

impl fmt::Debug for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error {
    /// An error with a code and a message, without a full stop, in Postgres' words.
    pub fn new(state: SqlState, message: impl Into<String>) -> Self {
        Self(Box::new(Detail { state, message: message.into(), ..Detail::default() }))
    }

    /// A feature that is not there.
    pub fn unsupported(what: impl fmt::Display) -> Self {
        Self::new(SqlState::FEATURE_NOT_SUPPORTED, format!("{what} is not supported"))
    }

    /// Our bug.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(SqlState::INTERNAL_ERROR, message)
    }

    /// Adds the `DETAIL` line.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds the `HINT` line.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds the position: characters from the start of the statement, from 1.
    #[must_use]
    pub fn at(mut self, position: usize) -> Self {
        self.0.position.get_or_insert(position);
        self
    }

    /// Adds the `CONTEXT` line.
    #[must_use]
    pub fn with_context(mut self, context: impl Into<String>) -> Self {
        self.0.context = Some(context.into());
        self
    }

    /// Names the table at fault.
    #[must_use]
    pub fn on_table(mut self, schema: impl Into<String>, table: impl Into<String>) -> Self {
        self.0.schema = Some(schema.into());
        self.0.table = Some(table.into());
        self
    }

    /// Names the column at fault.
    #[must_use]
    pub fn on_column(mut self, column: impl Into<String>) -> Self {
        self.0.column = Some(column.into());
        self
    }

    /// Names the violated constraint.
    #[must_use]
    pub fn on_constraint(mut self, constraint: impl Into<String>) -> Self {
        self.0.constraint = Some(constraint.into());
        self
    }

    /// The code.
    pub fn state(&self) -> SqlState {
        self.0.state
    }

    /// The primary message.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// All fields.
    pub fn fields(&self) -> &Detail {
        &self.0
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.state.0, self.0.message)
    }
}

impl std::error::Error for Error {}

impl From<cairn_engine::Error> for Error {
    fn from(error: cairn_engine::Error) -> Self {
        let state = match error.kind() {
            ErrorKind::Conflict => SqlState::SERIALIZATION_FAILURE,
            ErrorKind::Deadlock => SqlState::DEADLOCK_DETECTED,
            ErrorKind::LockNotAvailable => SqlState::LOCK_NOT_AVAILABLE,
            ErrorKind::Cancelled => SqlState::QUERY_CANCELED,
            ErrorKind::Invalid => SqlState::INVALID_PARAMETER_VALUE,
            ErrorKind::Limit => SqlState::PROGRAM_LIMIT_EXCEEDED,
            ErrorKind::Io => SqlState::IO_ERROR,
            ErrorKind::DiskFull => SqlState::DISK_FULL,
            ErrorKind::Corruption => SqlState::DATA_CORRUPTED,
            ErrorKind::Closed => SqlState::ADMIN_SHUTDOWN,
            _ => SqlState::INTERNAL_ERROR,
        };
        Self::new(state, error.message())
    }
}
