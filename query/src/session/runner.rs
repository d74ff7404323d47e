//! Definitions: CREATE, ALTER, DROP and their kind, in the session's transaction.

use std::sync::Arc;

use cairn_engine::WaitPolicy;

use super::Session;
use super::overlay::Overlay;
use super::portal::{BATCH_ROWS, Run};
use super::run::{read_only, with_context};
use super::state::State;
use super::utility::{done, not_in_block};
use crate::bind::ddl::Ddl;
use crate::bind::{self, BindContext, BoundStatement};
use crate::catalog::{Catalog, TableDef};
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
        let state = &self.state;
        let (shared, txn, user) = (&state.database.shared, state.transaction(), state.user());
        let policy = WaitPolicy::Wait(state.lock_limit());
        let own = self.own_definitions();
        let mut change =
            shared.catalogs.begin_change(&txn, &state.backend.database, own, policy)?;
        let temporary = state.temporary_schema();
        let mut path: Vec<String> = state.settings.borrow().search_path(&user);
        path.push(temporary.clone());
        path.retain(|schema| change.catalog.schemas.contains_key(schema));
        let mut notices = Vec::new();
        let outcome = define::execute(
            &mut DefineContext {
                db: &shared.db,
                txn: &txn,
                store: &shared.catalogs,
                change: &mut change,
                search_path: &path,
                temporary_schema: &temporary,
                user: &user,
                policy,
                notices: &mut notices,
                runner: &InSession { state },
            },
            ddl,
        );
        state.notices.borrow_mut().extend(notices.into_iter().map(Notice::notice));
        let defined = outcome?;
        let definitions = (Arc::new(change.catalog), change.globals);
        state.block.borrow_mut().definitions = Some(definitions);
        drop(txn);
        self.state.refresh_catalog()?;
        done(CommandTag::Text(defined.tag.into()))
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

    /// Drops this session's temporary tables.
    pub(super) fn drop_temporary(&mut self) {
        let schema = self.state.temporary_schema();
        let database = &self.state.backend.database;
        let Some(catalog) = self.state.database.shared.catalogs.current(database) else { return };
        let own = catalog.tables.values().filter(|table| table.schema == schema);
        let names: Vec<String> = own
            .map(|table| format!("{}.{}", quote_identifier(&schema), quote_identifier(&table.name)))
            .collect();
        if names.is_empty() {
            return;
        }
        let dropped = self.execute(&format!("DROP TABLE {} CASCADE", names.join(", ")));
        if let Err(error) = dropped {
            tracing::warn!(%error, "temporary tables were not dropped");
        }
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
