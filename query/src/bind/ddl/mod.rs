//! Definitions as statements ask for them: what binding hands to the code that changes the catalog.
//!
//! Types are resolved and expressions are checked, but the expressions stay SQL text, which is how
//! the catalog keeps them. Names of constraints and indexes that the statement leaves out are for
//! the executor to choose, because they depend on what exists when it runs.

use std::fmt;

use super::BoundQuery;
use crate::catalog::ParameterDef;
use crate::value::SqlType;

mod table;

pub use table::{
    AlterAction, AlterTable, ColumnSpec, ColumnValue, ConstraintKind, ConstraintSpec, CreateIndex,
    CreateTable, IndexSpec, OnCommit,
};

/// A name with the schema that was written before it, if any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QualifiedName {
    /// The schema, when written.
    pub schema: Option<String>,
    /// The name.
    pub name: String,
    /// Where it stands in the statement, in characters from 1, for error reports.
    pub position: Option<usize>,
}

impl fmt::Display for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// A statement that changes definitions.
#[derive(Clone, Debug)]
pub enum Ddl {
    /// `CREATE TABLE`
    CreateTable(CreateTable),
    /// `CREATE TABLE … AS`, `SELECT … INTO`
    CreateTableAs(CreateTableAs),
    /// `CREATE INDEX`
    CreateIndex(CreateIndex),
    /// `CREATE SEQUENCE`
    CreateSequence(CreateSequence),
    /// `CREATE [OR REPLACE] VIEW`
    CreateView(CreateView),
    /// `CREATE MATERIALIZED VIEW`
    CreateMaterializedView(CreateTableAs),
    /// `REFRESH MATERIALIZED VIEW`
    RefreshMaterializedView {
        /// Which.
        name: QualifiedName,
        /// `CONCURRENTLY`
        is_concurrent: bool,
        /// `WITH NO DATA` was not said.
        with_data: bool,
    },
    /// `CREATE SCHEMA`; the statements inside it come after it, in order.
    CreateSchema {
        /// Its name.
        name: String,
        /// `IF NOT EXISTS`
        if_not_exists: bool,
        /// `AUTHORIZATION`
        owner: Option<String>,
    },
    /// `CREATE FUNCTION`
    CreateFunction(CreateFunction),
    /// `DROP FUNCTION`
    DropFunction(DropFunction),
    /// `REINDEX` of these indexes; `None` is all.
    Reindex(Option<Vec<u32>>),
    /// `CREATE TYPE`, `CREATE DOMAIN`
    CreateType {
        /// Its name.
        name: QualifiedName,
        /// What it is. Domain checks may lack a name; then it is empty.
        kind: crate::catalog::TypeKind,
    },
    /// `ALTER TYPE`
    AlterType {
        /// Which.
        name: QualifiedName,
        /// What to do.
        action: AlterType,
    },
    /// `ALTER TABLE`, also on views and sequences where Postgres allows it
    AlterTable(AlterTable),
    /// `ALTER INDEX`
    AlterIndex {
        /// Which.
        name: QualifiedName,
        /// `IF EXISTS`
        if_exists: bool,
        /// `RENAME TO`; `None` for storage options, which change nothing.
        rename: Option<String>,
    },
    /// `ALTER SEQUENCE`
    AlterSequence {
        /// Which.
        name: QualifiedName,
        /// `IF EXISTS`
        if_exists: bool,
        /// What to change.
        action: AlterSequence,
    },
    /// `ALTER SCHEMA`
    AlterSchema {
        /// Which.
        name: String,
        /// `RENAME TO`
        rename: Option<String>,
        /// `OWNER TO`
        owner: Option<String>,
    },
    /// `ALTER VIEW … RENAME/SET SCHEMA/OWNER` comes as [`Ddl::AlterTable`]; this is `DROP …`.
    Drop(Drop),
    /// `TRUNCATE`
    Truncate {
        /// Which tables.
        names: Vec<QualifiedName>,
        /// `RESTART IDENTITY`
        restart_identity: bool,
        /// `CASCADE`
        cascade: bool,
    },
    /// `CREATE DATABASE`
    CreateDatabase {
        /// Its name.
        name: String,
        /// `OWNER`
        owner: Option<String>,
        /// `TEMPLATE`
        template: Option<String>,
    },
    /// `ALTER DATABASE`
    AlterDatabase {
        /// Which.
        name: String,
        /// What to do.
        action: AlterDatabase,
    },
    /// `DROP DATABASE`
    DropDatabase {
        /// Which.
        name: String,
        /// `IF EXISTS`
        if_exists: bool,
        /// `WITH (FORCE)`
        is_forced: bool,
    },
    /// `CREATE ROLE`, `CREATE USER`
    CreateRole {
        /// Its name.
        name: String,
        /// Its options; a user may log in.
        options: RoleOptions,
    },
    /// `ALTER ROLE`, `ALTER USER`
    AlterRole {
        /// Which.
        name: String,
        /// What to do.
        action: AlterRole,
    },
    /// `DROP ROLE`, `DROP USER`
    DropRole {
        /// Which.
        names: Vec<String>,
        /// `IF EXISTS`
        if_exists: bool,
    },
    /// `GRANT … ON …`, `REVOKE … ON …`
    Grant(Grant),
    /// `GRANT role TO role`, `REVOKE role FROM role`
    GrantRole {
        /// The roles given.
        roles: Vec<String>,
        /// Who gets them.
        grantees: Vec<String>,
        /// REVOKE rather than GRANT.
        is_revoke: bool,
        /// `WITH ADMIN OPTION`, or `ADMIN OPTION FOR`
        with_admin: bool,
    },
    /// `COMMENT ON`
    Comment {
        /// The kind of object.
        kind: ObjectKind,
        /// Its name; of a column, the table's.
        name: QualifiedName,
        /// The column, constraint or trigger inside `name`.
        part: Option<String>,
        /// The text; `None` removes it.
        text: Option<String>,
    },
    /// `CREATE EXTENSION`: one of those that are built in.
    CreateExtension {
        /// Its name.
        name: String,
        /// `IF NOT EXISTS`
        if_not_exists: bool,
        /// `SCHEMA`
        schema: Option<String>,
    },
    /// `DROP EXTENSION`
    DropExtension {
        /// Which.
        names: Vec<String>,
        /// `IF EXISTS`
        if_exists: bool,
        /// `CASCADE`
        cascade: bool,
    },
}

/// See [`Ddl::CreateFunction`].
#[derive(Clone, Debug)]
pub struct CreateFunction {
    /// Its name.
    pub name: QualifiedName,
    /// `OR REPLACE`
    pub or_replace: bool,
    /// What it takes.
    pub params: Vec<ParameterDef>,
    /// What it returns.
    pub result: SqlType,
    /// Its text, which was checked.
    pub body: String,
    /// `i`, `s` or `v`.
    pub volatility: char,
    /// `STRICT`
    pub is_strict: bool,
}

/// See [`Ddl::DropFunction`].
#[derive(Clone, Debug)]
pub struct DropFunction {
    /// Which, with the types of their parameters where these are said.
    pub functions: Vec<(QualifiedName, Option<Vec<SqlType>>)>,
    /// `IF EXISTS`
    pub if_exists: bool,
}

/// See [`Ddl::CreateTableAs`].
#[derive(Clone, Debug)]
pub struct CreateTableAs {
    /// The name. A temporary table has no schema.
    pub name: QualifiedName,
    /// `IF NOT EXISTS`
    pub if_not_exists: bool,
    /// `TEMPORARY`
    pub is_temporary: bool,
    /// Column names and types, renamed as the statement says.
    pub columns: Vec<(String, SqlType)>,
    /// The query.
    pub query: Box<BoundQuery>,
    /// The query's text, for a view.
    pub text: String,
    /// OIDs of the tables and views that the text names.
    pub dependencies: Vec<u32>,
    /// `ON COMMIT` of a temporary table.
    pub on_commit: OnCommit,
    /// `WITH NO DATA` was not said.
    pub with_data: bool,
}

/// See [`Ddl::CreateView`].
#[derive(Clone, Debug)]
pub struct CreateView {
    /// Its name.
    pub name: QualifiedName,
    /// `OR REPLACE`
    pub or_replace: bool,
    /// Whether it is temporary: said, or because it reads what is.
    pub is_temporary: bool,
    /// `TEMPORARY`
    pub says_temporary: bool,
    /// Column names and types, renamed as the statement says.
    pub columns: Vec<(String, SqlType)>,
    /// The query's text.
    pub text: String,
    /// OIDs of the tables and views that it reads.
    pub dependencies: Vec<u32>,
}

/// See [`Ddl::CreateSequence`].
#[derive(Clone, Debug)]
pub struct CreateSequence {
    /// Its name.
    pub name: QualifiedName,
    /// `IF NOT EXISTS`
    pub if_not_exists: bool,
    /// `TEMPORARY`
    pub is_temporary: bool,
    /// Its options.
    pub options: SequenceOptions,
}

/// Options of a sequence; what was not said is `None`.
#[derive(Clone, Debug, Default)]
pub struct SequenceOptions {
    /// `SEQUENCE NAME` of an identity column
    pub name: Option<QualifiedName>,
    /// `AS type`
    pub ty: Option<SqlType>,
    /// `START WITH`
    pub start: Option<i64>,
    /// `RESTART [WITH]`: `Some(None)` begins at the start value again.
    pub restart: Option<Option<i64>>,
    /// `INCREMENT BY`
    pub increment: Option<i64>,
    /// `MINVALUE`; `Some(None)` is `NO MINVALUE`.
    pub min: Option<Option<i64>>,
    /// `MAXVALUE`; `Some(None)` is `NO MAXVALUE`.
    pub max: Option<Option<i64>>,
    /// `CACHE`
    pub cache: Option<i64>,
    /// `[NO] CYCLE`
    pub is_cycle: Option<bool>,
    /// `OWNED BY`: table and column; `Some(None)` is `OWNED BY NONE`.
    pub owned_by: Option<Option<(QualifiedName, String)>>,
}

/// What ALTER SEQUENCE does.
#[derive(Clone, Debug)]
pub enum AlterSequence {
    /// Changes options.
    Options(SequenceOptions),
    /// `RENAME TO`
    Rename(String),
    /// `SET SCHEMA`
    SetSchema(String),
    /// `OWNER TO`
    Owner(String),
}

/// What ALTER TYPE does.
#[derive(Clone, Debug)]
pub enum AlterType {
    /// `RENAME TO`
    Rename(String),
    /// `ADD VALUE`
    AddValue {
        /// The label.
        label: String,
        /// `IF NOT EXISTS`
        if_not_exists: bool,
        /// Where: before (`true`) or after a label; at the end when `None`.
        neighbour: Option<(bool, String)>,
    },
    /// `RENAME VALUE`
    RenameValue {
        /// The label.
        from: String,
        /// Its new text.
        to: String,
    },
    /// `SET SCHEMA`
    SetSchema(String),
    /// `OWNER TO`
    Owner(String),
}

/// Kinds of objects that statements name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// A table.
    Table,
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
    /// An index.
    Index,
    /// A sequence.
    Sequence,
    /// A schema.
    Schema,
    /// A type.
    Type,
    /// A domain.
    Domain,
    /// A column.
    Column,
    /// A constraint of a table.
    Constraint,
    /// A database.
    Database,
    /// A role.
    Role,
    /// An extension.
    Extension,
    /// A function.
    Function,
}

/// `DROP TABLE`, `DROP VIEW` and their kind.
#[derive(Clone, Debug)]
pub struct Drop {
    /// The kind of object; a mismatch is 42809.
    pub kind: ObjectKind,
    /// Which.
    pub names: Vec<QualifiedName>,
    /// `IF EXISTS`
    pub if_exists: bool,
    /// `CASCADE`
    pub cascade: bool,
    /// `CONCURRENTLY`
    pub is_concurrent: bool,
}

/// What ALTER DATABASE does.
#[derive(Clone, Debug)]
pub enum AlterDatabase {
    /// `RENAME TO`
    Rename(String),
    /// `OWNER TO`
    Owner(String),
    /// `SET name = value`
    Set(super::SetStatement),
}

/// Options of a role; what was not said is `None`.
#[derive(Clone, Debug, Default)]
pub struct RoleOptions {
    /// `[NO]SUPERUSER`
    pub is_superuser: Option<bool>,
    /// `[NO]CREATEDB`
    pub can_create_databases: Option<bool>,
    /// `[NO]CREATEROLE`
    pub can_create_roles: Option<bool>,
    /// `[NO]LOGIN`
    pub can_login: Option<bool>,
    /// `[NO]INHERIT`
    pub inherits: Option<bool>,
    /// `[NO]REPLICATION`
    pub can_replicate: Option<bool>,
    /// `[NO]BYPASSRLS`
    pub bypasses_row_security: Option<bool>,
    /// `PASSWORD`; `Some(None)` is `PASSWORD NULL`.
    pub password: Option<Option<String>>,
    /// `CONNECTION LIMIT`
    pub connection_limit: Option<i32>,
    /// `VALID UNTIL`, as written
    pub valid_until: Option<String>,
    /// `IN ROLE`
    pub in_roles: Vec<String>,
    /// `ROLE`
    pub members: Vec<String>,
}

/// What ALTER ROLE does.
#[derive(Clone, Debug)]
pub enum AlterRole {
    /// Changes options.
    Options(RoleOptions),
    /// `RENAME TO`
    Rename(String),
    /// `[IN DATABASE d] SET name = value`
    Set {
        /// The database that it is for; all when `None`.
        database: Option<String>,
        /// The setting.
        setting: super::SetStatement,
    },
}

/// GRANT and REVOKE of rights on objects.
#[derive(Clone, Debug)]
pub struct Grant {
    /// REVOKE rather than GRANT.
    pub is_revoke: bool,
    /// The rights in capitals, with the columns that they are limited to; empty is ALL.
    pub privileges: Vec<(String, Vec<String>)>,
    /// The kind of object.
    pub kind: ObjectKind,
    /// `ALL … IN SCHEMA`: `objects` are schemas then.
    pub is_all_in_schema: bool,
    /// The objects.
    pub objects: Vec<QualifiedName>,
    /// Who; `public` is everybody.
    pub grantees: Vec<String>,
    /// `WITH GRANT OPTION`, or `GRANT OPTION FOR`
    pub with_grant_option: bool,
    /// `CASCADE`
    pub cascade: bool,
}
