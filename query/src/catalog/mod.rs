//! Definitions: databases, schemas, tables, indexes, sequences, types, roles.
//!
//! A [`Catalog`] is an immutable picture of one database's definitions. DDL makes a changed copy
//! inside its transaction and publishes it at commit; statements hold the one they were bound
//! against. Expressions are kept as SQL text and bound when a plan needs them.

use std::collections::BTreeMap;
use std::sync::Arc;

use cairn_engine::ObjectId;
use serde::{Deserialize, Serialize};

use crate::value::{SqlType, Type, Value};

pub use function::{FunctionDef, ParameterDef};

pub mod definition_sql;
mod function;
pub mod store;
pub mod temporary;

/// One database's definitions at one moment.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Grows with every published change, across the whole data directory.
    pub version: u64,
    /// The database's name.
    pub database: String,
    /// The database's OID.
    pub database_oid: u32,
    /// Schemas by name; `public` and `pg_catalog` are always there.
    pub schemas: BTreeMap<String, SchemaDef>,
    /// Tables by OID.
    pub tables: BTreeMap<u32, Arc<TableDef>>,
    /// Views by OID.
    pub views: BTreeMap<u32, Arc<ViewDef>>,
    /// Sequences by OID.
    pub sequences: BTreeMap<u32, Arc<SequenceDef>>,
    /// User types by OID.
    pub types: BTreeMap<u32, Arc<TypeDef>>,
    /// Users' functions by OID.
    pub functions: BTreeMap<u32, Arc<FunctionDef>>,
    /// Relations (tables, views, sequences, indexes) by schema and name.
    pub relations: BTreeMap<(String, String), Relation>,
    /// Comments by (object OID, column number; 0 is the object itself).
    pub comments: BTreeMap<(u32, i16), String>,
}

/// What a relation name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Relation {
    /// A table.
    Table(u32),
    /// A view.
    View(u32),
    /// A sequence.
    Sequence(u32),
    /// An index: its OID, its table's OID.
    Index(u32, u32),
}

/// Any definition of a database.
#[derive(Clone, Debug)]
pub enum Definition {
    /// A schema.
    Schema(SchemaDef),
    /// A table with its indexes and constraints.
    Table(Arc<TableDef>),
    /// A view.
    View(Arc<ViewDef>),
    /// A sequence.
    Sequence(Arc<SequenceDef>),
    /// A user's type.
    Type(Arc<TypeDef>),
    /// A user's function.
    Function(Arc<FunctionDef>),
}

/// What belongs to the whole data directory rather than to one database.
#[derive(Clone, Debug, Default)]
pub struct Globals {
    /// Databases by name.
    pub databases: BTreeMap<String, DatabaseDef>,
    /// Roles by name.
    pub roles: BTreeMap<String, RoleDef>,
}

/// A database.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DatabaseDef {
    /// Its OID.
    pub oid: u32,
    /// Its name.
    pub name: String,
    /// Its owner.
    pub owner: String,
}

/// A role: who may connect, and as what.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RoleDef {
    /// Its OID.
    pub oid: u32,
    /// Its name.
    pub name: String,
    /// SUPERUSER
    pub is_superuser: bool,
    /// LOGIN
    pub can_login: bool,
    /// CREATEDB
    pub can_create_databases: bool,
    /// CREATEROLE
    pub can_create_roles: bool,
    /// CONNECTION LIMIT; -1 is none.
    pub connection_limit: i32,
    /// The SCRAM-SHA-256 verifier of its password, in Postgres' form
    /// (`SCRAM-SHA-256$iterations:salt$stored key:server key`).
    pub password: Option<String>,
}

impl RoleDef {
    /// A role that may do everything and has no password.
    pub fn superuser(name: &str) -> Self {
        Self {
            oid: 10,
            name: name.to_owned(),
            is_superuser: true,
            can_login: true,
            can_create_databases: true,
            can_create_roles: true,
            connection_limit: -1,
            password: None,
        }
    }
}

impl RoleDef {
    /// Whether only the passwords differ.
    pub fn is_same_but_password(&self, other: &Self) -> bool {
        self.is_superuser == other.is_superuser
            && self.can_login == other.can_login
            && self.can_create_databases == other.can_create_databases
            && self.can_create_roles == other.can_create_roles
            && self.connection_limit == other.connection_limit
    }
}

/// A schema.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SchemaDef {
    /// Its OID.
    pub oid: u32,
    /// Its name.
    pub name: String,
    /// Its owner.
    pub owner: String,
}

/// A table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TableDef {
    /// Its OID; also the object under which its rows are stored.
    pub oid: u32,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Its owner.
    pub owner: String,
    /// Its columns by attribute number (position 0 is attribute 1). Dropped ones keep their place.
    pub columns: Vec<ColumnDef>,
    /// What rows are stored by.
    pub row_key: RowKeyDef,
    /// Its indexes, the primary key's index among them unless it is the row key.
    pub indexes: Vec<Arc<IndexDef>>,
    /// Its CHECK constraints.
    pub checks: Vec<CheckDef>,
    /// Its foreign keys.
    pub foreign_keys: Vec<Arc<ForeignKeyDef>>,
    /// Temporary tables belong to one session and are not logged as the database's.
    pub is_temporary: bool,
    /// Changes when rows must be read anew: grows by TRUNCATE and rewriting ALTERs. Rows are
    /// stored under this object, which starts out as the table's OID.
    pub storage: u32,
    /// The column that says when a row expires.
    #[serde(default)]
    pub expiration: Option<usize>,
}

/// The storage parameter that names [`TableDef::expiration`].
pub const EXPIRATION_PARAMETER: &str = "ttl_expiration_column";

/// What a table's rows are stored by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RowKeyDef {
    /// The primary key's columns, in order, and the constraint's name and OID (its index has no
    /// storage of its own).
    PrimaryKey {
        /// Positions in [`TableDef::columns`].
        columns: Vec<usize>,
        /// The constraint's and index' name.
        name: String,
        /// The index' OID.
        oid: u32,
    },
    /// A number that grows with each insert.
    Hidden,
}

/// A column.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ColumnDef {
    /// Its name.
    pub name: String,
    /// Its type; under a domain, the domain's base type.
    pub ty: SqlType,
    /// The OID of the domain that was named as its type.
    #[serde(default)]
    pub domain: Option<u32>,
    /// NOT NULL
    pub is_not_null: bool,
    /// What an INSERT without it writes.
    pub default: Option<ColumnDefault>,
    /// What rows that were stored before the column came show, encoded as in a row.
    pub missing: Option<Vec<u8>>,
    /// Whether it was dropped.
    pub is_dropped: bool,
}

/// Where a column's value comes from when the statement gives none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ColumnDefault {
    /// `DEFAULT expression`; `serial` is one with a sequence that the column owns.
    Expression(String),
    /// `GENERATED … AS IDENTITY`: the sequence, and whether it is ALWAYS.
    Identity {
        /// The sequence's OID.
        sequence: u32,
        /// ALWAYS rather than BY DEFAULT.
        is_always: bool,
    },
    /// `GENERATED ALWAYS AS (expression) STORED`
    Generated(String),
}

/// An index.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IndexDef {
    /// Its OID.
    pub oid: u32,
    /// Its name.
    pub name: String,
    /// Its table's OID.
    pub table: u32,
    /// How it is kept.
    pub method: IndexMethod,
    /// What is indexed, in order.
    pub keys: Vec<IndexKey>,
    /// Columns of `INCLUDE`.
    pub included: Vec<usize>,
    /// Whether entries are unique (NULLs apart).
    pub is_unique: bool,
    /// `NULLS NOT DISTINCT`
    pub nulls_not_distinct: bool,
    /// The constraint that it serves.
    pub constraint: Option<IndexConstraint>,
    /// The condition of a partial index, as SQL.
    pub predicate: Option<String>,
    /// The method's name as the user wrote it (`hash`, `brin` are kept as ordered indexes).
    pub declared_method: String,
    /// DEFERRABLE: keys may be taken twice until the end of the statement.
    #[serde(default)]
    pub is_deferrable: bool,
    /// INITIALLY DEFERRED: until the end of the transaction.
    #[serde(default)]
    pub is_deferred: bool,
    /// The object under which its entries are stored; starts out as the OID, changes when the
    /// table is truncated or written anew.
    pub storage: u32,
}

impl IndexDef {
    /// The object that entries are stored under.
    pub fn storage(&self) -> ObjectId {
        ObjectId(self.storage)
    }

    /// Whether no two rows ever have one key, not even until a statement ends.
    pub fn is_exclusive(&self) -> bool {
        self.is_unique && !self.is_deferrable
    }

    /// When its constraint is checked.
    pub fn deferral(&self) -> Deferral {
        let (is_deferrable, is_deferred) = (self.is_deferrable, self.is_deferred);
        Deferral { constraint: self.oid, is_deferrable, is_deferred }
    }

    /// Whether it indexes a column, by itself or in an expression or condition.
    pub fn mentions(&self, position: usize, name: &str) -> bool {
        let in_sql = |sql: &String| crate::parse::mentions_column(sql, name);
        self.included.contains(&position)
            || self.predicate.as_ref().is_some_and(in_sql)
            || self.keys.iter().any(|key| {
                key.column == Some(position) || key.expression.as_ref().is_some_and(in_sql)
            })
    }
}

/// Which constraint an index serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IndexConstraint {
    /// PRIMARY KEY
    PrimaryKey,
    /// UNIQUE
    Unique,
    /// EXCLUDE
    Exclusion,
}

/// How an index is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IndexMethod {
    /// Ordered entries: btree, hash, brin.
    Ordered,
    /// Words: gin over a `tsvector`.
    FullText,
    /// Boxes: gist over `geometry` or `geography`.
    Geo,
    /// An inverted index over array elements, jsonb keys and values, or trigrams: gin.
    Inverted,
}

/// One key of an index.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IndexKey {
    /// A column's position, when it is a plain column.
    pub column: Option<usize>,
    /// The expression as SQL, when it is not.
    pub expression: Option<String>,
    /// Its type.
    pub ty: SqlType,
    /// Largest first.
    pub is_descending: bool,
    /// NULLs before everything else.
    pub nulls_first: bool,
    /// The operator class, as written (`gin_trgm_ops`, `jsonb_path_ops`).
    pub operator_class: Option<String>,
}

/// A CHECK constraint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckDef {
    /// Its OID.
    pub oid: u32,
    /// Its name.
    pub name: String,
    /// Its condition, as SQL.
    pub expression: String,
    /// NOT VALID: rows that were there before it need not satisfy it.
    #[serde(default)]
    pub is_not_valid: bool,
}

/// A foreign key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ForeignKeyDef {
    /// Its OID.
    pub oid: u32,
    /// Its name.
    pub name: String,
    /// The referring table's OID.
    pub table: u32,
    /// The referring columns.
    pub columns: Vec<usize>,
    /// The table referred to.
    pub referenced_table: u32,
    /// The columns referred to, in the same order.
    pub referenced_columns: Vec<usize>,
    /// ON DELETE
    pub on_delete: ReferentialAction,
    /// ON UPDATE
    pub on_update: ReferentialAction,
    /// DEFERRABLE
    pub is_deferrable: bool,
    /// INITIALLY DEFERRED
    pub is_deferred: bool,
    /// NOT VALID: rows that were there before it need not satisfy it.
    #[serde(default)]
    pub is_not_valid: bool,
}

impl ForeignKeyDef {
    /// When it is checked.
    pub fn deferral(&self) -> Deferral {
        let (is_deferrable, is_deferred) = (self.is_deferrable, self.is_deferred);
        Deferral { constraint: self.oid, is_deferrable, is_deferred }
    }
}

/// When a constraint is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deferral {
    /// The constraint's OID.
    pub constraint: u32,
    /// DEFERRABLE
    pub is_deferrable: bool,
    /// INITIALLY DEFERRED
    pub is_deferred: bool,
}

/// What becomes of referring rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReferentialAction {
    /// Fail, at the end of the statement or transaction.
    NoAction,
    /// Fail.
    Restrict,
    /// Follow.
    Cascade,
    /// Become NULL.
    SetNull,
    /// Become the default.
    SetDefault,
}

/// A view.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ViewDef {
    /// Its OID.
    pub oid: u32,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Its owner.
    pub owner: String,
    /// Its columns.
    pub columns: Vec<(String, SqlType)>,
    /// Its query, as SQL.
    pub query: String,
    /// A materialized view keeps its rows in this table.
    pub materialized: Option<u32>,
    /// OIDs of the tables and views that it reads.
    pub dependencies: Vec<u32>,
}

/// A sequence.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SequenceDef {
    /// Its OID.
    pub oid: u32,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Its owner.
    pub owner: String,
    /// The type of its numbers.
    pub ty: SqlType,
    /// The first number.
    pub start: i64,
    /// The step.
    pub increment: i64,
    /// The smallest number.
    pub min: i64,
    /// The largest number.
    pub max: i64,
    /// How many a session takes at once.
    pub cache: i64,
    /// Whether it begins again at the end.
    pub is_cycle: bool,
    /// The column that owns it: (table OID, position).
    pub owned_by: Option<(u32, usize)>,
}

/// A type that a user made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TypeDef {
    /// Its OID.
    pub oid: u32,
    /// Its array type's OID.
    pub array_oid: u32,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Its owner.
    pub owner: String,
    /// What it is.
    pub kind: TypeKind,
    /// Of an enum: where each label stands in the order, once one came between others; until then
    /// they stand evenly apart.
    #[serde(default)]
    pub places: Vec<u32>,
}

impl TypeDef {
    /// The labels of an enum with their places, in order.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = (u32, &str)> {
        let labels = match &self.kind {
            TypeKind::Enum(labels) => labels.as_slice(),
            _ => &[],
        };
        labels.iter().enumerate().map(|(at, label)| (self.place(at), label.as_str()))
    }

    fn place(&self, at: usize) -> u32 {
        let even = || u32::try_from(at + 1).unwrap_or(u32::MAX).saturating_mul(PLACE_STEP);
        self.places.get(at).copied().unwrap_or_else(even)
    }

    /// A place for a label that comes to stand before the one at a position; `None` when there is
    /// no room.
    pub fn place_before(&self, at: usize) -> Option<u32> {
        let TypeKind::Enum(labels) = &self.kind else { return None };
        let below = at.checked_sub(1).map_or(0, |last| self.place(last));
        let above = if at < labels.len() {
            self.place(at)
        } else {
            below.saturating_add(PLACE_STEP).saturating_add(PLACE_STEP)
        };
        let middle = below + (above - below) / 2;
        (middle != below).then_some(middle)
    }
}

/// How far apart labels of an enum stand, so that others find room between them.
const PLACE_STEP: u32 = 1 << 16;

/// What a user's type is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum TypeKind {
    /// An enum: its labels in order.
    Enum(Vec<String>),
    /// A domain over a type: (base, NOT NULL, default, checks).
    Domain {
        /// The type underneath.
        base: SqlType,
        /// NOT NULL
        is_not_null: bool,
        /// DEFAULT, as SQL
        default: Option<String>,
        /// CHECKs by name, as SQL over `VALUE`.
        checks: Vec<(String, String)>,
    },
    /// A composite type: its fields.
    Composite(Vec<(String, SqlType)>),
}

impl TableDef {
    /// The object that rows are stored under.
    pub fn storage(&self) -> ObjectId {
        ObjectId(self.storage)
    }

    /// Positions of the columns that were not dropped.
    pub fn live_columns(&self) -> impl Iterator<Item = (usize, &ColumnDef)> {
        self.columns.iter().enumerate().filter(|(_, column)| !column.is_dropped)
    }

    /// The position of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.live_columns().find(|(_, column)| column.name == name).map(|(position, _)| position)
    }

    /// The primary key's index OID and columns.
    pub fn primary_key(&self) -> Option<(u32, Vec<usize>)> {
        if let RowKeyDef::PrimaryKey { columns, oid, .. } = &self.row_key {
            return Some((*oid, columns.clone()));
        }
        let is_primary =
            |index: &&Arc<IndexDef>| index.constraint == Some(IndexConstraint::PrimaryKey);
        let index = self.indexes.iter().find(is_primary)?;
        Some((index.oid, index.keys.iter().filter_map(|key| key.column).collect()))
    }

    /// The storage parameter that is set, as `pg_class.reloptions` has it: its name and value.
    pub fn storage_parameter(&self) -> Option<(&'static str, &str)> {
        let column = self.columns.get(self.expiration?)?;
        Some((EXPIRATION_PARAMETER, &column.name))
    }

    /// The condition under which a row has not expired, as SQL over the table's columns; `None`
    /// when rows do not expire.
    pub fn live_condition(&self) -> Option<String> {
        let column = self.columns.get(self.expiration?)?;
        let name = crate::identifier::quote_identifier(&column.name);
        // What has no time zone is in UTC, so that all sessions agree.
        let now = match column.ty.base {
            Type::TimestampTz => "pg_catalog.now()",
            _ => "pg_catalog.timezone('UTC', pg_catalog.now())",
        };
        Some(format!("{name} IS NULL OR {name} > {now}"))
    }

    /// Whether the unique key of an OID is checked at once.
    pub fn is_exclusive(&self, key: u32) -> bool {
        let is_later = |index: &Arc<IndexDef>| index.oid == key && !index.is_exclusive();
        !self.indexes.iter().any(is_later)
    }

    /// Whether a set of columns is unique at any time by a primary key, a UNIQUE constraint or a
    /// whole unique index.
    pub fn is_unique_key(&self, columns: &[usize]) -> bool {
        let is_same = |key: &[usize]| {
            key.len() == columns.len() && key.iter().all(|position| columns.contains(position))
        };
        let is_unique = |index: &Arc<IndexDef>| {
            let key: Option<Vec<usize>> = index.keys.iter().map(|key| key.column).collect();
            index.is_exclusive()
                && index.predicate.is_none()
                && key.is_some_and(|key| is_same(&key))
        };
        matches!(&self.row_key, RowKeyDef::PrimaryKey { columns, .. } if is_same(columns))
            || self.indexes.iter().any(is_unique)
    }

    /// The OID of the constraint of a name, if it is DEFERRABLE.
    pub fn deferrable(&self, name: &str) -> Option<u32> {
        let keys = self.foreign_keys.iter().map(|key| (&key.name, key.deferral()));
        let indexes = self.indexes.iter().map(|index| (&index.name, index.deferral()));
        let mut all = keys.chain(indexes).filter(|(_, deferral)| deferral.is_deferrable);
        all.find(|(own, _)| *own == name).map(|(_, deferral)| deferral.constraint)
    }

    /// Constraints that are about columns: primary and unique keys, foreign keys.
    pub fn constraint_names(&self) -> impl Iterator<Item = (&str, Vec<usize>)> {
        let own = match &self.row_key {
            RowKeyDef::PrimaryKey { name, columns, .. } => Some((name.as_str(), columns.clone())),
            RowKeyDef::Hidden => None,
        };
        let indexes = self.indexes.iter().filter(|index| index.constraint.is_some());
        let keys = indexes.map(|index| {
            let columns = index.keys.iter().filter_map(|key| key.column).collect();
            (index.name.as_str(), columns)
        });
        let foreign = self.foreign_keys.iter().map(|key| (key.name.as_str(), key.columns.clone()));
        own.into_iter().chain(keys).chain(foreign)
    }

    /// Whether it has a constraint of this name.
    pub fn has_constraint(&self, name: &str) -> bool {
        self.constraint_oid(name).is_some()
    }

    /// The OID of a constraint; of a key, its index'.
    pub fn constraint_oid(&self, name: &str) -> Option<u32> {
        let checks = self.checks.iter().map(|check| (check.oid, check.name.as_str()));
        let foreign = self.foreign_keys.iter().map(|key| (key.oid, key.name.as_str()));
        let mut all = self.index_names().chain(checks).chain(foreign);
        all.find(|(_, own)| *own == name).map(|(oid, _)| oid)
    }

    /// The OIDs and names of all its indexes, the row key's among them.
    pub fn index_names(&self) -> impl Iterator<Item = (u32, &str)> {
        let own = match &self.row_key {
            RowKeyDef::PrimaryKey { name, oid, .. } => Some((*oid, name.as_str())),
            RowKeyDef::Hidden => None,
        };
        own.into_iter().chain(self.indexes.iter().map(|index| (index.oid, index.name.as_str())))
    }

    /// A row that has every column NULL.
    pub fn null_row(&self) -> Vec<Value> {
        vec![Value::Null; self.columns.len()]
    }
}

impl Catalog {
    /// The table of an OID.
    pub fn table(&self, oid: u32) -> Option<&Arc<TableDef>> {
        self.tables.get(&oid)
    }

    /// The fields of the rows of a table or a composite type.
    pub fn row_fields(&self, oid: u32) -> Option<Vec<(String, SqlType)>> {
        if let Some(table) = self.tables.get(&oid) {
            let columns = table.live_columns();
            return Some(columns.map(|(_, own)| (own.name.clone(), own.ty.clone())).collect());
        }
        match &self.types.get(&oid)?.kind {
            TypeKind::Composite(fields) => Some(fields.clone()),
            _ => None,
        }
    }

    /// The DEFAULT of a domain.
    pub fn domain_default(&self, domain: Option<u32>) -> Option<String> {
        match &self.types.get(&domain?)?.kind {
            TypeKind::Domain { default, .. } => default.clone(),
            _ => None,
        }
    }

    /// Schema and name of the type of a row.
    pub fn row_type_name(&self, oid: u32) -> Option<(&str, &str)> {
        match self.tables.get(&oid) {
            Some(table) => Some((&table.schema, &table.name)),
            None => self.types.get(&oid).map(|def| (def.schema.as_str(), def.name.as_str())),
        }
    }

    /// What a name stands for, in a schema or along the search path.
    pub fn resolve(
        &self,
        schema: Option<&str>,
        name: &str,
        search_path: &[String],
    ) -> Option<Relation> {
        let find =
            |schema: &str| self.relations.get(&(schema.to_owned(), name.to_owned())).copied();
        match schema {
            Some(temporary::ALIAS) => {
                let own = search_path.iter().find(|schema| temporary::is_temporary(schema));
                own.and_then(|schema| find(schema))
            }
            Some(schema) => find(schema),
            None => search_path.iter().find_map(|schema| find(schema)),
        }
    }

    /// Schema and name by which a table is known: the one that keeps a materialized view's rows
    /// is known by the view's.
    pub fn known_name<'a>(&'a self, table: &'a TableDef) -> (&'a str, &'a str) {
        let mut views = self.views.values();
        match views.find(|view| view.materialized == Some(table.oid)) {
            Some(view) => (&view.schema, &view.name),
            None => (&table.schema, &table.name),
        }
    }

    /// The schema and name of a relation.
    pub fn relation_name(&self, oid: u32) -> Option<(&str, &str)> {
        if let Some(table) = self.tables.get(&oid) {
            return Some((&table.schema, &table.name));
        }
        if let Some(view) = self.views.get(&oid) {
            return Some((&view.schema, &view.name));
        }
        if let Some(sequence) = self.sequences.get(&oid) {
            return Some((&sequence.schema, &sequence.name));
        }
        self.tables.values().find_map(|table| {
            let mut indexes = table.index_names();
            let name = indexes.find(|(own, _)| *own == oid).map(|(_, name)| name)?;
            Some((self.known_name(table).0, name))
        })
    }

    /// Foreign keys of any table that refer to `table`.
    pub fn references_to(&self, table: u32) -> impl Iterator<Item = &Arc<ForeignKeyDef>> {
        let keys = self.tables.values().flat_map(|table| table.foreign_keys.iter());
        keys.filter(move |key| key.referenced_table == table)
    }
}
