//! Definitions: CREATE, ALTER, DROP and their kind, in the session's transaction.

use std::collections::BTreeSet;
use std::sync::Arc;

use cairn_engine::WaitPolicy;

use super::Session;
use super::overlay::Overlay;
use super::portal::{BATCH_ROWS, Run};
use super::run::{read_only, with_context};
use super::state::State;
use super::utility::{done, not_in_block};
use crate::bind::ddl::Ddl;
use crate::bind::{self, BindContext, BoundStatement, KeptText};
use crate::catalog::{Catalog, TableDef};
use crate::define::expiration::remove_expired;
use crate::define::{self, DefineContext, Runner};
use crate::error::{Error, Result, SqlState};
use crate::execute::{ExecuteContext, Execution};
use crate::expression::context::SlotValues;
use crate::expression::{EvalContext, Expr, Registry};
use crate::identifier::quote_identifier;
use crate::optimize::{OptimizeContext, optimize};
use crate::plan::{Plan, Row, TableWriter};
use crate::result::{CommandTag, Notice};
use crate::value::{SqlType, Value};
use crate::verify::Scene;

impl Session {
    /// Carries out a definition.
    pub(super) fn define(&mut self, ddl: &Ddl) -> Result<Run> {
        if self.state.block.borrow().modes.is_read_only {
            return Err(read_only("a definition"));
        }
        if let Some(what) = alone(ddl)
            && self.state.block.borrow().is_explicit()
        {
            return Err(not_in_block(what));
        }
        self.begin_statement()?;
        let schema = self.state.temporary_schema();
        let mut tag = String::new();
        self.define_with(&schema, |cx| {
            tag = define::execute(cx, ddl)?.tag;
            Ok(())
        })?;
        done(CommandTag::Text(tag.into()))
    }

    /// Changes definitions in the transaction at hand. `temporary_schema` is where temporary
    /// relations are.
    pub(super) fn define_with(
        &mut self,
        temporary_schema: &str,
        work: impl FnOnce(&mut DefineContext<'_>) -> Result<()>,
    ) -> Result<()> {
        let state = &self.state;
        let (shared, txn, user) = (&state.database.shared, state.transaction(), state.user());
        let policy = WaitPolicy::Wait(state.lock_limit());
        let own = self.own_definitions();
        let mut change =
            shared.catalogs.begin_change(&txn, &state.backend.database, own, policy)?;
        let mut path = state.facts().search_path.to_vec();
        if !path.iter().any(|schema| schema == temporary_schema) {
            path.insert(0, temporary_schema.to_owned());
        }
        path.retain(|schema| change.catalog.schemas.contains_key(schema));
        let unchecked = state.block.borrow().deferred.changed_tables();
        let mut notices = Vec::new();
        let outcome = work(&mut DefineContext {
            db: &shared.db,
            txn: &txn,
            store: &shared.catalogs,
            change: &mut change,
            search_path: &path,
            temporary_schema,
            on_commit: &mut state.on_commit.borrow_mut(),
            unchecked: &unchecked,
            user: &user,
            policy,
            notices: &mut notices,
            runner: &InSession { state },
        });
        state.notices.borrow_mut().extend(notices.into_iter().map(Notice::notice));
        outcome?;
        if change.catalog.schemas.contains_key(temporary_schema) {
            state.has_temporary.set(true);
        }
        let definitions = (Arc::new(change.catalog), change.globals);
        state.block.borrow_mut().definitions = Some(definitions);
        drop(txn);
        self.state.refresh_catalog()
    }

    /// Removes the rows of these tables that have expired; of all when there are none.
    pub(super) fn remove_expired(&mut self, tables: &[u32]) -> Result<()> {
        let catalog = self.state.catalog.clone();
        let is_wanted = |table: &&Arc<TableDef>| {
            let is_named = tables.contains(&table.oid);
            table.expiration.is_some() && (is_named || tables.is_empty() && !table.is_temporary)
        };
        for table in catalog.tables.values().filter(is_wanted) {
            self.begin_statement()?;
            remove_expired(&InSession { state: &self.state }, &catalog, table)?;
        }
        Ok(())
    }

    /// Whether a COPY FROM STDIN takes a record per line, so that it can be ended after any line
    /// and begun again.
    pub(crate) fn copies_lines(&self, portal: &str) -> bool {
        let portal = self.portals.get(portal);
        matches!(portal.map(|portal| &portal.run), Some(Run::CopyIn(copy)) if copy.is_by_line())
    }

    /// Shows one moment of the database to `look`, in a transaction that is rolled back.
    ///
    /// # Errors
    /// 25001 inside a transaction, and what `look` answers.
    pub(crate) fn examine(&mut self, look: &mut dyn FnMut(&Scene<'_>) -> Result<()>) -> Result<()> {
        self.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")?;
        self.state.refresh_catalog()?;
        self.begin_statement()?;
        let (catalog, txn) = (self.state.catalog.clone(), self.state.transaction());
        let runner = InSession { state: &self.state };
        let writer = |oid| {
            let table = catalog.table(oid).ok_or_else(|| Error::internal("no such table"))?;
            runner.table_writer(&catalog, table)
        };
        let outcome = runner.with_eval(&mut |eval| {
            look(&Scene { catalog: &catalog, txn: &txn, eval, writer: &writer })
        });
        drop(txn);
        self.rollback();
        outcome
    }
}

/// Definitions that cannot be undone, and so cannot be part of a transaction.
fn alone(ddl: &Ddl) -> Option<&'static str> {
    match ddl {
        Ddl::CreateDatabase { .. } => Some("CREATE DATABASE"),
        Ddl::DropDatabase { .. } => Some("DROP DATABASE"),
        _ => None,
    }
}

/// Binds and runs plans on behalf of a definition.
struct InSession<'a> {
    state: &'a State,
}

impl InSession<'_> {
    fn with_binding<T>(
        &self,
        catalog: &Arc<Catalog>,
        work: impl FnOnce(BindContext<'_>) -> Result<T>,
    ) -> Result<T> {
        let services = Overlay { state: self.state, catalog };
        let facts = self.state.facts();
        work(BindContext { catalog, facts: &facts, services: &services, params: &[] })
    }

    fn bind_typed(
        &self,
        catalog: &Arc<Catalog>,
        table: &TableDef,
        sql: &str,
        ty: Option<&SqlType>,
    ) -> Result<Expr> {
        let table = Arc::new(table.clone());
        let bind = |cx: BindContext<'_>| bind::bind_table_expression(cx, &table, sql, ty);
        self.with_binding(catalog, bind).map(|(expr, _)| expr)
    }
}

impl Runner for InSession<'_> {
    fn run(
        &self,
        catalog: &Arc<Catalog>,
        plan: Plan,
        each: &mut dyn FnMut(Row) -> Result<()>,
    ) -> Result<()> {
        let services = Overlay { state: self.state, catalog };
        let facts = self.state.facts();
        let shared = &self.state.database.shared.execution;
        let statistics = &shared.statistics;
        let cx = OptimizeContext { statistics, facts: &facts, services: &services };
        let mut execution = Execution::new(Arc::new(optimize(plan, &cx)));
        // What the definition has written so far is there for the plan.
        self.state.transaction().begin_statement();
        with_context(self.state, &facts, &[], |lent| {
            let cx = ExecuteContext { services: &services, ..*lent };
            loop {
                let rows = execution.next_batch(&cx, BATCH_ROWS)?;
                if rows.is_empty() {
                    return Ok(());
                }
                rows.into_iter().try_for_each(&mut *each)?;
            }
        })
    }

    fn bind(&self, catalog: &Arc<Catalog>, table: &TableDef, sql: &str) -> Result<Expr> {
        self.bind_typed(catalog, table, sql, None)
    }

    fn table_writer(&self, catalog: &Arc<Catalog>, table: &Arc<TableDef>) -> Result<TableWriter> {
        self.with_binding(catalog, |cx| bind::table_writer(cx, table))
    }

    fn bind_default(
        &self,
        catalog: &Arc<Catalog>,
        table: &TableDef,
        column: usize,
        sql: &str,
    ) -> Result<Expr> {
        let ty = table.columns.get(column).map(|column| column.ty.clone());
        self.bind_typed(catalog, table, sql, ty.as_ref())
    }

    fn bind_conversion(
        &self,
        catalog: &Arc<Catalog>,
        table: &TableDef,
        column: usize,
        ty: &SqlType,
        using: Option<&str>,
    ) -> Result<Expr> {
        let name = table.columns.get(column).map_or("", |column| column.name.as_str());
        let quoted = quote_identifier(name);
        self.bind_typed(catalog, table, using.unwrap_or(&quoted), Some(ty)).map_err(|error| {
            if error.state() != SqlState::DATATYPE_MISMATCH {
                return error;
            }
            let (what, ty) =
                (if using.is_some() { "result of USING clause for " } else { "" }, ty.name());
            let message =
                format!("{what}column \"{name}\" cannot be cast automatically to type {ty}");
            let hint = format!("You might need to specify \"USING {name}::{ty}\".");
            Error::new(SqlState::DATATYPE_MISMATCH, message).with_hint(hint)
        })
    }

    fn bind_query(&self, catalog: &Arc<Catalog>, sql: &str) -> Result<Plan> {
        let statements = crate::parse::parse(sql)?;
        let [statement] = statements.as_slice() else {
            return Err(Error::internal("a stored query is not one statement"));
        };
        match self.with_binding(catalog, |cx| bind::bind(statement, cx))? {
            BoundStatement::Rows(plan) => Ok(*plan),
            _ => Err(Error::internal("a stored query is no query")),
        }
    }

    fn follow(
        &self,
        before: &Arc<Catalog>,
        text: KeptText<'_>,
        after: &Arc<Catalog>,
    ) -> Result<String> {
        self.with_binding(before, |cx| bind::follow(cx, text, after))
    }

    fn columns_read(&self, catalog: &Arc<Catalog>, sql: &str) -> Result<BTreeSet<(u32, usize)>> {
        self.with_binding(catalog, |cx| bind::columns_read(cx, sql))
    }

    fn next_value(&self, sequence: u32) -> Result<Expr> {
        let function = Registry::global().functions("nextval").first().cloned();
        let function = function.ok_or_else(|| Error::internal("no function nextval"))?;
        Ok(Expr::Call { function, args: vec![Expr::Const(Value::Oid(sequence))] })
    }

    fn restart_sequence(&self, sequence: u32, value: i64) -> Result<()> {
        let shared = &self.state.database.shared;
        shared.sequences.restart(&shared.db, sequence, value)
    }

    fn with_eval(&self, f: &mut dyn FnMut(&EvalContext<'_>) -> Result<()>) -> Result<()> {
        let (facts, slots) = (self.state.facts(), SlotValues::default());
        f(&EvalContext { params: &[], slots: &slots, statement: &facts, services: self.state })
    }
}
