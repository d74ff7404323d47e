//! Carrying out definitions: CREATE, ALTER, DROP, TRUNCATE, COMMENT and their kind.
//!
//! Everything happens in the statement's transaction: definitions are rows that it writes, and the
//! changed [`Catalog`] is published when it commits. Dropped rows and
//! index entries are only listed here; [`garbage`] forgets them once no snapshot can see them.

use std::collections::BTreeSet;
use std::sync::Arc;

use cairn_engine::{Db, LockOutcome, ObjectId, TableLockMode, Transaction, WaitPolicy};

use crate::bind::KeptText;
use crate::bind::ddl::{Ddl, OnCommit, QualifiedName};
use crate::catalog::store::{CatalogStore, Change};
use crate::catalog::{Catalog, Definition, Relation, TableDef};
use crate::error::{Error, Result, SqlState};
use crate::expression::{EvalContext, Expr};
use crate::plan::{Plan, Row, TableWriter};

mod alter_column;
mod alter_table;
mod comment;
mod constraint;
mod database;
mod drop;
pub(crate) mod expiration;
mod follow;
mod function;
pub mod garbage;
mod index;
mod name;
mod role;
mod sequence;
mod table;
pub(crate) mod temporary;
mod truncate;
mod type_def;
mod view;

/// What a definition needs around it.
pub struct DefineContext<'a> {
    /// The database engine.
    pub db: &'a Db,
    /// The transaction that the definition belongs to.
    pub txn: &'a Transaction,
    /// Where definitions live.
    pub store: &'a CatalogStore,
    /// The definitions as changed so far.
    pub change: &'a mut Change,
    /// Existing schemas to look for names in, the one to create in first.
    pub search_path: &'a [String],
    /// The schema of this session's temporary tables.
    pub temporary_schema: &'a str,
    /// What is to be done to new tables when the transaction commits.
    pub on_commit: &'a mut Vec<(u32, OnCommit)>,
    /// Tables with changes whose checks wait for the end of the transaction.
    pub unchecked: &'a BTreeSet<u32>,
    /// Who defines.
    pub user: &'a str,
    /// How long to wait for locks.
    pub policy: WaitPolicy,
    /// Things to tell the client that are not errors: what would be skipped, what goes as well.
    pub notices: &'a mut Vec<Error>,
    /// Binds and runs plans in the statement's transaction.
    pub runner: &'a dyn Runner,
}

/// Binds and runs plans on behalf of a definition.
pub trait Runner {
    /// Runs a plan and hands each row to `each`.
    ///
    /// # Errors
    /// Whatever running it meets.
    fn run(
        &self,
        catalog: &Arc<Catalog>,
        plan: Plan,
        each: &mut dyn FnMut(Row) -> Result<()>,
    ) -> Result<()>;

    /// Binds stored SQL over a table's columns.
    ///
    /// # Errors
    /// What binding meets.
    fn bind(&self, catalog: &Arc<Catalog>, table: &TableDef, sql: &str) -> Result<Expr>;

    /// Binds everything that writing a row of the table entails.
    ///
    /// # Errors
    /// What binding meets.
    fn table_writer(&self, catalog: &Arc<Catalog>, table: &Arc<TableDef>) -> Result<TableWriter>;

    /// Binds the DEFAULT of a column, cast to its type.
    ///
    /// # Errors
    /// What binding meets.
    fn bind_default(
        &self,
        catalog: &Arc<Catalog>,
        table: &TableDef,
        column: usize,
        sql: &str,
    ) -> Result<Expr>;

    /// Binds what `ALTER COLUMN … TYPE` makes of a column: `using` over the old row, or the column
    /// itself, in the new type.
    ///
    /// # Errors
    /// 42804 when there is no cast.
    fn bind_conversion(
        &self,
        catalog: &Arc<Catalog>,
        table: &TableDef,
        column: usize,
        ty: &crate::value::SqlType,
        using: Option<&str>,
    ) -> Result<Expr>;

    /// Binds a query.
    ///
    /// # Errors
    /// What binding meets.
    fn bind_query(&self, catalog: &Arc<Catalog>, sql: &str) -> Result<Plan>;

    /// A text, bound in the catalog `before`, with what it names under its names in `after`.
    ///
    /// # Errors
    /// What binding meets.
    fn follow(
        &self,
        before: &Arc<Catalog>,
        text: KeptText<'_>,
        after: &Arc<Catalog>,
    ) -> Result<String>;

    /// The columns that a view's query names: the relation and the position there.
    ///
    /// # Errors
    /// What binding meets.
    fn columns_read(&self, catalog: &Arc<Catalog>, sql: &str) -> Result<BTreeSet<(u32, usize)>>;

    /// `nextval` of a sequence, as an expression.
    ///
    /// # Errors
    /// What binding meets.
    fn next_value(&self, sequence: u32) -> Result<Expr>;

    /// Sets a sequence so that `value` comes next.
    ///
    /// # Errors
    /// The engine's.
    fn restart_sequence(&self, sequence: u32, value: i64) -> Result<()>;

    /// Binds and runs a query, as [`Runner::run`].
    ///
    /// # Errors
    /// Whatever binding and running meet.
    fn query(
        &self,
        catalog: &Arc<Catalog>,
        sql: &str,
        each: &mut dyn FnMut(Row) -> Result<()>,
    ) -> Result<()> {
        let plan = self.bind_query(catalog, sql)?;
        self.run(catalog, plan, each)
    }

    /// Lends the surroundings of an evaluation in the statement's transaction.
    ///
    /// # Errors
    /// What `f` answers.
    fn with_eval(&self, f: &mut dyn FnMut(&EvalContext<'_>) -> Result<()>) -> Result<()>;

    /// Evaluates an expression over a row.
    ///
    /// # Errors
    /// What evaluating meets.
    fn eval(&self, expr: &Expr, row: &[crate::value::Value]) -> Result<crate::value::Value> {
        let mut value = crate::value::Value::Null;
        self.with_eval(&mut |cx| {
            value = expr.eval(cx, row)?;
            Ok(())
        })?;
        Ok(value)
    }
}

/// What a definition did: its command tag, and how many rows a query in it made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defined {
    /// The command tag, such as `CREATE TABLE` or `SELECT 5`.
    pub tag: String,
}

impl Defined {
    fn new(tag: &str) -> Result<Self> {
        Ok(Self { tag: tag.to_owned() })
    }
}

/// Carries out one definition.
///
/// # Errors
/// As Postgres has them: 42P07, 42P01, 2BP01 and many more.
pub fn execute(cx: &mut DefineContext<'_>, ddl: &Ddl) -> Result<Defined> {
    match ddl {
        Ddl::CreateTable(create) => table::create(cx, create),
        Ddl::CreateTableAs(create) => table::create_as(cx, create),
        Ddl::CreateIndex(create) => index::create(cx, create),
        Ddl::AlterTable(alter) => alter_table::alter(cx, alter),
        Ddl::Truncate { names, restart_identity, cascade } => {
            truncate::truncate(cx, names, *restart_identity, *cascade)
        }
        Ddl::Drop(drop) => drop::drop(cx, drop),
        Ddl::CreateSequence(create) => sequence::create(cx, create),
        Ddl::AlterSequence { name, if_exists, action } => {
            sequence::alter(cx, name, *if_exists, action)
        }
        Ddl::CreateFunction(create) => function::create(cx, create),
        Ddl::DropFunction(drop) => function::drop(cx, drop),
        Ddl::Reindex(indexes) => index::rebuild(cx, indexes.as_deref()),
        Ddl::AlterIndex { name, if_exists, rename } => {
            index::alter(cx, name, *if_exists, rename.as_deref())
        }
        Ddl::Comment { kind, name, part, text } => {
            comment::comment(cx, *kind, name, part.as_deref(), text.clone())
        }
        _ => execute_rare(cx, ddl),
    }
}

fn execute_rare(cx: &mut DefineContext<'_>, ddl: &Ddl) -> Result<Defined> {
    match ddl {
        Ddl::CreateView(create) => view::create(cx, create),
        Ddl::CreateMaterializedView(create) => view::create_materialized(cx, create),
        Ddl::RefreshMaterializedView { name, with_data, .. } => view::refresh(cx, name, *with_data),
        Ddl::CreateSchema { name, if_not_exists, owner } => {
            database::create_schema(cx, name, *if_not_exists, owner.as_deref())
        }
        Ddl::AlterSchema { name, rename, owner } => {
            database::alter_schema(cx, name, rename.as_deref(), owner.as_deref())
        }
        Ddl::CreateType { name, kind } => type_def::create(cx, name, kind),
        Ddl::AlterType { name, action } => type_def::alter(cx, name, action),
        Ddl::CreateDatabase { name, owner, template } => {
            database::create(cx, name, owner.as_deref(), template.as_deref())
        }
        Ddl::AlterDatabase { name, action } => database::alter(cx, name, action),
        Ddl::DropDatabase { name, if_exists, .. } => database::drop(cx, name, *if_exists),
        Ddl::CreateRole { name, options } => role::create(cx, name, options),
        Ddl::AlterRole { name, action } => role::alter(cx, name, action),
        Ddl::DropRole { names, if_exists } => role::drop(cx, names, *if_exists),
        Ddl::Grant(grant) => role::grant(cx, grant),
        Ddl::GrantRole { roles, grantees, is_revoke, .. } => {
            role::grant_role(cx, roles, grantees, *is_revoke)
        }
        Ddl::CreateExtension { name, if_not_exists, .. } => {
            database::create_extension(cx, name, *if_not_exists)
        }
        Ddl::DropExtension { names, if_exists, .. } => {
            database::drop_extension(cx, names, *if_exists)
        }
        _ => Err(Error::internal("a definition went the wrong way")),
    }
}

impl DefineContext<'_> {
    /// The relation of a name.
    fn resolve(&self, name: &QualifiedName) -> Option<Relation> {
        self.change.catalog.resolve(name.schema.as_deref(), &name.name, self.search_path)
    }

    /// The table of a name.
    fn table(&self, name: &QualifiedName) -> Result<Arc<TableDef>> {
        match self.resolve(name) {
            Some(Relation::Table(oid)) => self.table_by_oid(oid),
            Some(_) => Err(not_a(name, "table")),
            None => Err(missing_relation(name)),
        }
    }

    /// What kind of relation it is, with its article.
    fn kind_of(&self, relation: Relation) -> (&'static str, &'static str) {
        match relation {
            Relation::Table(_) => ("a", "table"),
            Relation::View(oid) => {
                let view = self.change.catalog.views.get(&oid);
                let is_materialized = view.is_some_and(|view| view.materialized.is_some());
                ("a", if is_materialized { "materialized view" } else { "view" })
            }
            Relation::Index(..) => ("an", "index"),
            Relation::Sequence(_) => ("a", "sequence"),
        }
    }

    fn table_by_oid(&self, oid: u32) -> Result<Arc<TableDef>> {
        let table = self.change.catalog.table(oid).cloned();
        table.ok_or_else(|| Error::internal("a table without a definition"))
    }

    /// The schema in which a new object of this name is made.
    fn creation_schema(&self, name: &QualifiedName) -> Result<String> {
        let schema = match &name.schema {
            Some(schema) => schema.clone(),
            None => {
                let may_have = |s: &&String| *s != "pg_catalog" && *s != self.temporary_schema;
                self.search_path.iter().find(may_have).cloned().ok_or_else(|| {
                    Error::new(
                        SqlState::INVALID_SCHEMA_NAME,
                        "no schema has been selected to create in",
                    )
                })?
            }
        };
        if !self.change.catalog.schemas.contains_key(&schema) {
            return Err(database::missing_schema(&schema));
        }
        if schema == "pg_catalog" || schema == "information_schema" {
            return Err(Error::new(
                SqlState::INSUFFICIENT_PRIVILEGE,
                format!("permission denied for schema {schema}"),
            ));
        }
        Ok(schema)
    }

    /// Fails with 42P07 when the relation exists; with `if_not_exists`, notes that and answers
    /// `true`.
    fn exists_already(&mut self, schema: &str, name: &str, if_not_exists: bool) -> Result<bool> {
        match self.check_free(schema, name) {
            Ok(()) => Ok(false),
            Err(error) if !if_not_exists => Err(error),
            Err(error) => {
                self.notice(error.state(), format!("{}, skipping", error.message()));
                Ok(true)
            }
        }
    }

    /// Whether a new relation may have this name.
    fn check_free(&self, schema: &str, name: &str) -> Result<()> {
        let key = (schema.to_owned(), name.to_owned());
        if !self.change.catalog.relations.contains_key(&key) {
            return Ok(());
        }
        let message = format!("relation \"{name}\" already exists");
        Err(Error::new(SqlState::DUPLICATE_TABLE, message))
    }

    fn notice(&mut self, state: SqlState, message: String) {
        self.notices.push(Error::new(state, message));
    }

    fn put(&mut self, definition: Definition) -> Result<()> {
        self.change.put(self.txn, definition)
    }

    fn put_table(&mut self, table: TableDef) -> Result<Arc<TableDef>> {
        let table = Arc::new(table);
        self.put(Definition::Table(table.clone()))?;
        Ok(table)
    }

    /// The catalog as changed so far, for binding and running.
    fn catalog(&self) -> Arc<Catalog> {
        Arc::new(self.change.catalog.clone())
    }

    /// Locks a table until the transaction ends, alone: waits for the writes under way, and keeps
    /// others out.
    fn lock_table(&self, table: u32) -> Result<()> {
        self.lock_table_in(table, TableLockMode::AccessExclusive)
    }

    /// Locks a table until the transaction ends.
    fn lock_table_in(&self, table: u32, mode: TableLockMode) -> Result<()> {
        match self.txn.lock_table(ObjectId(table), mode, self.policy)? {
            LockOutcome::Granted => Ok(()),
            LockOutcome::WouldBlock => {
                let message = "canceling statement due to lock timeout";
                Err(Error::new(SqlState::LOCK_NOT_AVAILABLE, message))
            }
        }
    }

    /// Fails with 55006 when changes of a table are still to be checked: a definition that changes
    /// with them pending could take away what the checks look at.
    fn check_settled(&self, table: &TableDef, command: &str) -> Result<()> {
        if !self.unchecked.contains(&table.oid) {
            return Ok(());
        }
        let message =
            format!("cannot {command} \"{}\" because it has pending trigger events", table.name);
        Err(Error::new(SqlState::OBJECT_IN_USE, message))
    }

    /// Removes the rows of a table that have expired.
    fn remove_expired(&self, table: &TableDef) -> Result<()> {
        expiration::remove_expired(self.runner, &self.change.catalog, table)
    }

    /// Fails with 42501 unless the user owns the object or is a superuser.
    fn check_owner(&self, owner: &str, what: &str, name: &str) -> Result<()> {
        let role = self.change.globals.roles.get(self.user);
        if owner == self.user || role.is_some_and(|role| role.is_superuser) {
            return Ok(());
        }
        Err(Error::new(SqlState::INSUFFICIENT_PRIVILEGE, format!("must be owner of {what} {name}")))
    }
}

fn missing_relation(name: &QualifiedName) -> Error {
    let error =
        Error::new(SqlState::UNDEFINED_TABLE, format!("relation \"{name}\" does not exist"));
    match name.position {
        Some(position) => error.at(position),
        None => error,
    }
}

fn not_a(name: &QualifiedName, what: &str) -> Error {
    let article = if what.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    Error::new(SqlState::WRONG_OBJECT_TYPE, format!("\"{}\" is not {article} {what}", name.name))
}

fn missing_column(column: &str, table: &str) -> Error {
    Error::new(
        SqlState::UNDEFINED_COLUMN,
        format!("column \"{column}\" of relation \"{table}\" does not exist"),
    )
}
