//! Tables as statements define and change them: columns, constraints, indexes.

use super::{ObjectKind, QualifiedName, SequenceOptions};
use crate::catalog::{IndexKey, IndexMethod, ReferentialAction};
use crate::value::SqlType;

/// See [`super::Ddl::CreateTable`].
#[derive(Clone, Debug)]
pub struct CreateTable {
    /// Its name. A temporary table has no schema.
    pub name: QualifiedName,
    /// `IF NOT EXISTS`
    pub if_not_exists: bool,
    /// `TEMPORARY`
    pub is_temporary: bool,
    /// `ON COMMIT` of a temporary table.
    pub on_commit: OnCommit,
    /// Its columns, those of `LIKE` and `INHERITS`-free ones in order of writing.
    pub columns: Vec<ColumnSpec>,
    /// Its constraints, those written behind a column too, in order of writing.
    pub constraints: Vec<ConstraintSpec>,
    /// Further indexes: `LIKE … INCLUDING INDEXES` and MySQL's `INDEX (…)`.
    pub indexes: Vec<IndexSpec>,
    /// Storage parameters: (`fillfactor`, `70`).
    pub options: Vec<(String, String)>,
}

/// What becomes of a temporary table's rows at commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnCommit {
    /// They stay.
    #[default]
    PreserveRows,
    /// They go.
    DeleteRows,
    /// The table goes.
    Drop,
}

/// A column to be made.
#[derive(Clone, Debug)]
pub struct ColumnSpec {
    /// Its name.
    pub name: String,
    /// Its type; a domain's base type.
    pub ty: SqlType,
    /// The OID of the domain.
    pub domain: Option<u32>,
    /// NOT NULL, said or implied (`serial`, identity; PRIMARY KEY is in the constraints).
    pub is_not_null: bool,
    /// Where its value comes from.
    pub value: Option<ColumnValue>,
}

/// Where a new column's values come from when a statement gives none.
#[derive(Clone, Debug)]
pub enum ColumnValue {
    /// `DEFAULT expression`, already checked against the column's type
    Expression(String),
    /// `serial`, `bigserial`, `smallserial`: `nextval` of a new sequence that the column owns
    Serial,
    /// `GENERATED … AS IDENTITY`, and MySQL's `AUTO_INCREMENT`
    Identity {
        /// ALWAYS rather than BY DEFAULT.
        is_always: bool,
        /// Of the sequence to be made.
        options: SequenceOptions,
    },
    /// `GENERATED ALWAYS AS (expression) STORED`
    Generated(String),
}

/// A constraint to be made.
#[derive(Clone, Debug)]
pub struct ConstraintSpec {
    /// Its name, when written.
    pub name: Option<String>,
    /// What it demands.
    pub kind: ConstraintKind,
    /// `DEFERRABLE`
    pub is_deferrable: bool,
    /// `INITIALLY DEFERRED`
    pub is_deferred: bool,
    /// `NOT VALID`
    pub is_not_valid: bool,
}

/// What a constraint demands.
#[derive(Clone, Debug)]
pub enum ConstraintKind {
    /// `CHECK`
    Check {
        /// The condition, checked to be boolean.
        expression: String,
        /// The column that the condition is about when it is about one: for the name.
        column: Option<String>,
    },
    /// `UNIQUE`
    Unique {
        /// The columns.
        columns: Vec<String>,
        /// `INCLUDE`
        included: Vec<String>,
        /// `NULLS NOT DISTINCT`
        nulls_not_distinct: bool,
    },
    /// `PRIMARY KEY`
    PrimaryKey {
        /// The columns.
        columns: Vec<String>,
        /// `INCLUDE`
        included: Vec<String>,
    },
    /// `UNIQUE USING INDEX`, `PRIMARY KEY USING INDEX`
    UsingIndex {
        /// The index that becomes the constraint's.
        index: String,
        /// PRIMARY KEY rather than UNIQUE.
        is_primary: bool,
    },
    /// `FOREIGN KEY`, `REFERENCES`
    ForeignKey {
        /// The referring columns.
        columns: Vec<String>,
        /// The table referred to; may be the one that is being made.
        table: QualifiedName,
        /// The columns referred to; empty is its primary key.
        referenced_columns: Vec<String>,
        /// `ON DELETE`
        on_delete: ReferentialAction,
        /// `ON UPDATE`
        on_update: ReferentialAction,
    },
    /// `EXCLUDE USING`
    Exclude {
        /// The index to be made.
        index: IndexSpec,
        /// One operator per key.
        operators: Vec<String>,
    },
}

/// An index to be made, on a table given elsewhere.
#[derive(Clone, Debug)]
pub struct IndexSpec {
    /// Its name, when written.
    pub name: Option<String>,
    /// How it is kept.
    pub method: IndexMethod,
    /// The method as written; `btree` when none was.
    pub declared_method: String,
    /// Its keys; expressions are checked.
    pub keys: Vec<IndexKey>,
    /// What each key contributes to a name chosen by the system: the column's name, a function's
    /// name, or `expr`.
    pub key_names: Vec<String>,
    /// `INCLUDE`: positions in the table's columns.
    pub included: Vec<usize>,
    /// `UNIQUE`
    pub is_unique: bool,
    /// `NULLS NOT DISTINCT`
    pub nulls_not_distinct: bool,
    /// The condition of a partial index.
    pub predicate: Option<String>,
}

/// See [`super::Ddl::CreateIndex`].
#[derive(Clone, Debug)]
pub struct CreateIndex {
    /// The table's OID.
    pub table: u32,
    /// The index.
    pub index: IndexSpec,
    /// `IF NOT EXISTS`
    pub if_not_exists: bool,
    /// `CONCURRENTLY`
    pub is_concurrent: bool,
}

/// See [`super::Ddl::AlterTable`].
#[derive(Clone, Debug)]
pub struct AlterTable {
    /// Which relation.
    pub name: QualifiedName,
    /// The word after ALTER: table, view, materialized view.
    pub kind: ObjectKind,
    /// `IF EXISTS`
    pub if_exists: bool,
    /// What to do, in order.
    pub actions: Vec<AlterAction>,
}

/// One action of ALTER TABLE.
#[derive(Clone, Debug)]
pub enum AlterAction {
    /// `ADD COLUMN`
    AddColumn {
        /// The column.
        column: ColumnSpec,
        /// The constraints written behind it.
        constraints: Vec<ConstraintSpec>,
        /// `IF NOT EXISTS`
        if_not_exists: bool,
    },
    /// `DROP COLUMN`
    DropColumn {
        /// Which.
        name: String,
        /// `IF EXISTS`
        if_exists: bool,
        /// `CASCADE`
        cascade: bool,
    },
    /// `RENAME COLUMN`
    RenameColumn {
        /// Which.
        from: String,
        /// Its new name.
        to: String,
    },
    /// `RENAME TO`
    Rename(String),
    /// `SET SCHEMA`
    SetSchema(String),
    /// `OWNER TO`
    Owner(String),
    /// `RENAME CONSTRAINT`
    RenameConstraint {
        /// Which.
        from: String,
        /// Its new name.
        to: String,
    },
    /// `ADD CONSTRAINT`
    AddConstraint(ConstraintSpec),
    /// `ADD INDEX` as MySQL has it
    AddIndex(IndexSpec),
    /// `VALIDATE CONSTRAINT`
    ValidateConstraint(String),
    /// `ALTER CONSTRAINT`
    AlterConstraint {
        /// Which.
        name: String,
        /// `DEFERRABLE`
        is_deferrable: bool,
        /// `INITIALLY DEFERRED`
        is_deferred: bool,
    },
    /// `DROP CONSTRAINT`
    DropConstraint {
        /// Which.
        name: String,
        /// `IF EXISTS`
        if_exists: bool,
        /// `CASCADE`
        cascade: bool,
    },
    /// `ALTER COLUMN … SET DEFAULT`
    SetDefault {
        /// Which column.
        column: String,
        /// The expression, checked.
        expression: String,
    },
    /// `ALTER COLUMN … DROP DEFAULT`
    DropDefault(String),
    /// `ALTER COLUMN … SET NOT NULL`
    SetNotNull(String),
    /// `ALTER COLUMN … DROP NOT NULL`
    DropNotNull(String),
    /// `ALTER COLUMN … TYPE`
    SetType {
        /// Which column.
        column: String,
        /// The new type.
        ty: SqlType,
        /// The OID of the domain, when one was named.
        domain: Option<u32>,
        /// `USING`, as SQL over the old row with the new type; without one, the assignment cast.
        using: Option<String>,
    },
    /// `ALTER COLUMN … ADD GENERATED … AS IDENTITY`
    AddIdentity {
        /// Which column.
        column: String,
        /// ALWAYS rather than BY DEFAULT.
        is_always: bool,
        /// Of the sequence to be made.
        options: SequenceOptions,
    },
    /// `ALTER COLUMN … SET GENERATED`, `RESTART`, `SET INCREMENT BY` …
    SetIdentity {
        /// Which column.
        column: String,
        /// `SET GENERATED ALWAYS` (true) or `BY DEFAULT`.
        is_always: Option<bool>,
        /// What changes in its sequence.
        options: SequenceOptions,
    },
    /// `ALTER COLUMN … DROP IDENTITY`
    DropIdentity {
        /// Which column.
        column: String,
        /// `IF EXISTS`
        if_exists: bool,
    },
    /// `ALTER COLUMN … DROP EXPRESSION`
    DropExpression {
        /// Which column.
        column: String,
        /// `IF EXISTS`
        if_exists: bool,
    },
    /// `SET (…)`, `RESET (…)`: storage parameters; a value of `None` is reset.
    SetOptions(Vec<(String, Option<String>)>),
    /// Something about storage, triggers or replication that changes nothing here.
    Accepted,
}
