//! Statements that are no plans: SET, SHOW, PREPARE, cursors, COPY, NOTIFY, …

use std::collections::VecDeque;
use std::sync::Arc;

use super::block::ListenChange;
use super::portal::{BATCH_ROWS, Portal, Run, Step};
use super::prepare::missing_statement;
use super::prepared::Prepared;
use super::run::{read_only, with_context};
use super::settings::SettingScope;
use super::{Session, system_call};
use crate::bind::{
    BoundStatement, Copy, CopySource, CopyTarget, Discard, SetStatement, TableLockMode,
};
use crate::copy::{CopyColumn, CopyIn, CopyInput, CopyOut};
use crate::error::{Error, Result, SqlState};
use crate::execute::Execution;
use crate::expression::context::{Services, SlotValues};
use crate::expression::{EvalContext, Expr};
use crate::plan::Row;
use crate::result::CommandTag;
use crate::value::{SqlType, Value};

impl Session {
    pub(super) fn run_utility(
        &mut self,
        bound: &Arc<BoundStatement>,
        portal: &mut Portal,
    ) -> Result<Run> {
        match &**bound {
            BoundStatement::Transaction(control) => done(self.control_transaction(control)?),
            BoundStatement::Define(ddl) => self.define(ddl),
            BoundStatement::Explain { options, inner } => {
                let params = std::mem::take(&mut portal.params);
                self.explain(*options, inner, params)
            }
            BoundStatement::Execute { name, args } => self.execute_prepared(name, args, portal),
            BoundStatement::Declare(declare) => {
                let params = std::mem::take(&mut portal.params);
                self.declare(declare, params)?;
                done("DECLARE CURSOR")
            }
            BoundStatement::Fetch { cursor, direction, is_move } => {
                let rows = self.fetch(cursor, *direction)?;
                let count = rows.len() as u64;
                if *is_move {
                    return done(CommandTag::Rows("MOVE", count));
                }
                Ok(Run::Buffered { rows: rows.into(), tag: CommandTag::Rows("FETCH", count) })
            }
            BoundStatement::Copy(copy) => self.begin_copy(copy),
            BoundStatement::Show(name) => {
                Ok(Run::Buffered { rows: self.show(name)?.into(), tag: "SHOW".into() })
            }
            other => done(self.run_simple_utility(other)?),
        }
    }

    fn run_simple_utility(&mut self, bound: &BoundStatement) -> Result<CommandTag> {
        match bound {
            BoundStatement::Set(set) => self.set(set),
            BoundStatement::Reset(name) => self.reset(name.as_deref()),
            BoundStatement::SetRole { role, is_local, is_authorization } => {
                self.set_role(role.as_deref(), *is_local, *is_authorization)
            }
            BoundStatement::Prepare { name, params, statement, text } => {
                if self.statements.contains_key(name) {
                    let message = format!("prepared statement \"{name}\" already exists");
                    return Err(Error::new(SqlState::DUPLICATE_PREPARED_STATEMENT, message));
                }
                let types: Vec<Option<SqlType>> = params.iter().cloned().map(Some).collect();
                let prepared = self.prepare_statement(text, Some(statement), &types)?;
                self.statements.insert(name.clone(), prepared);
                Ok("PREPARE".into())
            }
            BoundStatement::Deallocate(Some(name)) => match self.statements.remove(name) {
                Some(_) => Ok("DEALLOCATE".into()),
                None => Err(missing_statement(name)),
            },
            BoundStatement::Deallocate(None) => {
                self.statements.clear();
                Ok("DEALLOCATE ALL".into())
            }
            BoundStatement::Close(name) => {
                self.close_cursor(name.as_deref())?;
                Ok(if name.is_some() { "CLOSE CURSOR" } else { "CLOSE CURSOR ALL" }.into())
            }
            BoundStatement::Listen(channel) => {
                let change = ListenChange::Listen(channel.clone());
                self.state.block.borrow_mut().listens.push(change);
                Ok("LISTEN".into())
            }
            BoundStatement::Unlisten(channel) => {
                let change = ListenChange::Unlisten(channel.clone());
                self.state.block.borrow_mut().listens.push(change);
                Ok("UNLISTEN".into())
            }
            BoundStatement::Notify { channel, payload } => {
                system_call::notify(&self.state, channel, payload)?;
                Ok("NOTIFY".into())
            }
            BoundStatement::LockTable { tables, mode, is_nowait } => {
                self.lock_tables(tables, *mode, *is_nowait)
            }
            BoundStatement::Discard(what) => self.discard(*what),
            BoundStatement::SetConstraints { names, is_deferred } => {
                self.set_constraints(names, *is_deferred)
            }
            other => self.run_maintenance(other),
        }
    }

    fn set(&mut self, set: &SetStatement) -> Result<CommandTag> {
        let scope = if set.is_local { SettingScope::Local } else { SettingScope::Session };
        if set.is_local && !self.state.block.borrow().is_explicit() {
            let message = "SET LOCAL can only be used in transaction blocks";
            self.state.warn(SqlState::NO_ACTIVE_SQL_TRANSACTION, message);
        }
        match &set.value {
            None => self.state.settings.borrow_mut().reset(&set.name, scope)?,
            Some(value) => self.change_setting(&set.name, value, scope)?,
        }
        Ok("SET".into())
    }

    fn change_setting(&mut self, name: &str, value: &str, scope: SettingScope) -> Result<()> {
        use super::block::isolation_by_name;
        use crate::bind::TransactionModes;
        let mut modes = TransactionModes::default();
        match name {
            "transaction_isolation" => modes.isolation = Some(isolation_by_name(value)),
            "transaction_read_only" => {
                modes.is_read_only = super::settings::truth(value);
            }
            _ => {
                self.state.settings.borrow_mut().set(name, value, scope)?;
                return Ok(());
            }
        }
        self.state.block.borrow_mut().set_modes(modes)
    }

    fn reset(&mut self, name: Option<&str>) -> Result<CommandTag> {
        let mut settings = self.state.settings.borrow_mut();
        match name {
            Some("session_authorization") => {
                settings.reset("role", SettingScope::Session)?;
                settings.reset("session_authorization", SettingScope::Session)?;
            }
            Some(name) => settings.reset(name, SettingScope::Session)?,
            None => settings.reset_all(),
        }
        Ok("RESET".into())
    }

    fn set_role(
        &mut self,
        role: Option<&str>,
        is_local: bool,
        is_authorization: bool,
    ) -> Result<CommandTag> {
        let scope = if is_local { SettingScope::Local } else { SettingScope::Session };
        let own = self.state.backend.user.clone();
        let role = role.unwrap_or("none");
        let globals = self.state.globals();
        if role != "none" {
            let Some(def) = globals.roles.get(role) else {
                let message = format!("role \"{role}\" does not exist");
                return Err(Error::new(SqlState::INVALID_PARAMETER_VALUE, message));
            };
            let is_superuser = globals.roles.get(&*own).is_some_and(|own| own.is_superuser);
            if def.name != *own && !is_superuser {
                let what = if is_authorization { "session authorization" } else { "role" };
                let message = format!("permission denied to set {what} \"{role}\"");
                return Err(Error::new(SqlState::INSUFFICIENT_PRIVILEGE, message));
            }
        }
        let mut settings = self.state.settings.borrow_mut();
        if !is_authorization {
            settings.set("role", role, scope)?;
        } else {
            // Whoever becomes another user has no role of the old one's.
            settings.set("role", "none", scope)?;
            let name = if role == "none" { &*own } else { role };
            settings.authorize(name, scope);
        }
        Ok("SET".into())
    }

    /// What SHOW answers.
    pub(super) fn show(&self, name: &str) -> Result<Vec<Row>> {
        if name == "all" {
            let settings = self.state.settings.borrow();
            let row = |(known, value): (&super::settings::Definition, Arc<str>)| {
                vec![Value::text(known.name), Value::Text(value), Value::text("")]
            };
            return Ok(settings.all().into_iter().map(row).collect());
        }
        let value = match self.state.setting(name) {
            Some(value) => value,
            None => return Err(super::settings::unrecognized(name)),
        };
        Ok(vec![vec![Value::text(value)]])
    }

    fn execute_prepared(
        &mut self,
        name: &str,
        args: &[(Expr, SqlType)],
        portal: &mut Portal,
    ) -> Result<Run> {
        let (prepared, params) = self.arguments(name, args)?;
        let mut inner = Portal::new(prepared, params, portal.number);
        // What runs is the inner statement: its rows and its tag are the outcome.
        match self.advance_portal(&mut inner, 1)? {
            Step::Rows(rows) => self.buffer_rest(inner, rows),
            Step::Complete(tag) => done(tag),
            Step::Empty => done(""),
            Step::CopyIn { .. } | Step::CopyOut { .. } => Ok(inner.run),
        }
    }

    /// A prepared statement and the values of its parameters.
    pub(super) fn arguments(
        &mut self,
        name: &str,
        args: &[(Expr, SqlType)],
    ) -> Result<(Arc<Prepared>, Vec<Value>)> {
        if !self.statements.contains_key(name) {
            return Err(missing_statement(name));
        }
        let prepared = self.statement(name)?;
        if args.len() != prepared.params.len() {
            let message = format!("wrong number of parameters for prepared statement \"{name}\"");
            let detail =
                format!("Expected {} parameters but got {}.", prepared.params.len(), args.len());
            return Err(Error::new(SqlState::SYNTAX_ERROR, message).with_detail(detail));
        }
        let mut params = Vec::with_capacity(args.len());
        for ((expr, from), to) in args.iter().zip(prepared.params.iter()) {
            let cast = Expr::Cast {
                expr: Box::new(expr.clone()),
                from: from.clone(),
                to: to.clone(),
                is_explicit: false,
            };
            params.push(self.evaluate(&cast)?);
        }
        Ok((prepared, params))
    }

    fn buffer_rest(&mut self, mut inner: Portal, first: Vec<Row>) -> Result<Run> {
        let mut rows: VecDeque<Row> = first.into();
        loop {
            match self.advance_portal(&mut inner, BATCH_ROWS)? {
                Step::Rows(more) => rows.extend(more),
                Step::Complete(tag) => return Ok(Run::Buffered { rows, tag }),
                _ => return Err(Error::internal("a statement changed its kind")),
            }
        }
    }

    /// Evaluates an expression without columns.
    fn evaluate(&self, expr: &Expr) -> Result<Value> {
        let facts = self.state.facts();
        let slots = SlotValues::default();
        let context =
            EvalContext { params: &[], slots: &slots, statement: &facts, services: &self.state };
        expr.eval(&context, &[])
    }

    fn lock_tables(
        &mut self,
        tables: &[u32],
        mode: TableLockMode,
        is_nowait: bool,
    ) -> Result<CommandTag> {
        if !self.state.block.borrow().is_explicit() {
            let message = "LOCK TABLE can only be used in transaction blocks";
            return Err(Error::new(SqlState::NO_ACTIVE_SQL_TRANSACTION, message));
        }
        let policy = if is_nowait {
            cairn_engine::WaitPolicy::NoWait
        } else {
            cairn_engine::WaitPolicy::Wait(self.state.lock_limit())
        };
        let txn = self.state.transaction();
        for table in tables {
            let object = cairn_engine::ObjectId(*table);
            let outcome = txn.lock_table(object, engine_mode(mode), policy)?;
            if outcome == cairn_engine::LockOutcome::WouldBlock {
                let name = self.state.catalog.table(*table).map_or("", |table| &table.name);
                let message = format!("could not obtain lock on relation \"{name}\"");
                return Err(Error::new(SqlState::LOCK_NOT_AVAILABLE, message));
            }
        }
        Ok("LOCK TABLE".into())
    }

    fn discard(&mut self, what: Discard) -> Result<CommandTag> {
        match what {
            Discard::All => {
                if self.state.block.borrow().is_explicit() {
                    return Err(not_in_block("DISCARD ALL"));
                }
                self.cursors.clear();
                self.statements.clear();
                self.reset(Some("session_authorization"))?;
                self.state.settings.borrow_mut().reset_all();
                let hub = &self.state.database.shared.notifications;
                hub.unlisten(None, &self.state.backend);
                self.state.advisory_unlock(None, false);
                self.state.forget_sequences();
                self.discard_temporary()?;
                Ok("DISCARD ALL".into())
            }
            Discard::Plans => {
                self.state.database.shared.plans.clear();
                Ok("DISCARD PLANS".into())
            }
            Discard::Sequences => {
                self.state.forget_sequences();
                Ok("DISCARD SEQUENCES".into())
            }
            Discard::Temporary => {
                self.discard_temporary()?;
                Ok("DISCARD TEMP".into())
            }
        }
    }

    fn begin_copy(&mut self, copy: &Copy) -> Result<Run> {
        match &copy.target {
            CopyTarget::Client => {}
            CopyTarget::File(_) | CopyTarget::Program(_) => {
                let hint = "Use COPY ... FROM STDIN or COPY ... TO STDOUT; psql's \\copy does so.";
                return Err(Error::unsupported("COPY with files of the server").with_hint(hint));
            }
        }
        let plan = match &copy.source {
            CopySource::Query(plan) => plan,
            CopySource::Table { plan, .. } => plan,
        };
        let plan = self.optimized((**plan).clone());
        if !copy.is_from {
            let columns = plan.columns.clone();
            let running = self.begin_rows(plan, Vec::new())?;
            let copy = CopyOut::new(running, columns, &copy.options)?;
            return Ok(Run::CopyOut(Box::new(copy)));
        }
        let CopySource::Table { table, columns, filter, .. } = &copy.source else {
            return Err(Error::internal("COPY FROM a query"));
        };
        if self.state.block.borrow().modes.is_read_only {
            return Err(read_only("COPY FROM"));
        }
        let def = self.state.catalog.table(*table).cloned();
        let def = def.ok_or_else(|| Error::internal("COPY FROM an unknown table"))?;
        let column = |position: &usize| {
            let column = def.columns.get(*position)?;
            Some(CopyColumn { name: column.name.clone(), ty: column.ty.clone() })
        };
        self.lock_tables_of(&plan)?;
        self.begin_statement()?;
        let copy = CopyIn::new(CopyInput {
            table: def.name.clone(),
            columns: columns.iter().filter_map(column).collect(),
            options: copy.options.clone(),
            plan,
            filter: filter.clone(),
            facts: self.state.facts(),
        })?;
        Ok(Run::CopyIn(Box::new(copy)))
    }

    /// Takes in bytes of a COPY FROM STDIN.
    ///
    /// # Errors
    /// 22P04, and what inserting a row meets.
    pub fn copy_in(&mut self, portal: &str, data: &[u8]) -> Result<()> {
        self.with_copy_in(portal, |session, copy| {
            copy.push(data);
            session.insert_copied(copy, false)
        })
    }

    /// Ends a COPY FROM STDIN.
    ///
    /// # Errors
    /// As [`Session::copy_in`].
    pub fn copy_in_done(&mut self, portal: &str) -> Result<CommandTag> {
        let rows = self.with_copy_in(portal, |session, copy| {
            session.insert_copied(copy, true)?;
            Ok(copy.rows)
        })?;
        if let Some(portal) = self.portals.get_mut(portal) {
            portal.run = Run::Done;
        }
        Ok(CommandTag::Rows("COPY", rows))
    }

    fn with_copy_in<T>(
        &mut self,
        name: &str,
        work: impl FnOnce(&mut Self, &mut CopyIn) -> Result<T>,
    ) -> Result<T> {
        let missing = || super::missing_portal(name);
        let mut portal = self.portals.remove(name).ok_or_else(missing)?;
        let result = match &mut portal.run {
            Run::CopyIn(copy) => {
                let result = work(self, copy);
                result.map_err(|error| copy.locate(error))
            }
            _ => Err(missing()),
        };
        self.portals.insert(name.to_owned(), portal);
        result
    }

    fn insert_copied(&mut self, copy: &mut CopyIn, is_end: bool) -> Result<()> {
        while let Some(params) = copy.next_row(is_end)? {
            if let Some(filter) = &copy.filter {
                let slots = SlotValues::default();
                let context = EvalContext {
                    params: &params,
                    slots: &slots,
                    statement: &copy.facts,
                    services: &self.state,
                };
                if !matches!(filter.eval(&context, &[])?, Value::Bool(true)) {
                    continue;
                }
            }
            let mut execution = Execution::new(copy.plan.clone());
            with_context(&self.state, &copy.facts, &params, |cx| execution.next_batch(cx, 1))?;
            copy.rows += 1;
        }
        self.state.check_cancelled()
    }

    /// The next bytes of a COPY TO STDOUT, row by row; the tag at the end.
    ///
    /// # Errors
    /// Whatever the query meets.
    pub fn copy_out(&mut self, name: &str, out: &mut Vec<Vec<u8>>) -> Result<Option<CommandTag>> {
        let portal = self.portals.get_mut(name).ok_or_else(|| super::missing_portal(name))?;
        let Run::CopyOut(copy) = &mut portal.run else {
            return Err(super::missing_portal(name));
        };
        let mut first = Vec::new();
        copy.begin(&mut first);
        if !first.is_empty() {
            out.push(first);
        }
        let rows = copy.running.next(&self.state, BATCH_ROWS)?;
        let style = copy.running.facts.output.clone();
        for row in &rows {
            let mut line = Vec::new();
            copy.write(row, &style, &mut line)?;
            out.push(line);
        }
        if !rows.is_empty() {
            return Ok(None);
        }
        let mut last = Vec::new();
        copy.end(&mut last);
        if !last.is_empty() {
            out.push(last);
        }
        let tag = CommandTag::Rows("COPY", copy.rows);
        portal.run = Run::Done;
        Ok(Some(tag))
    }
}

/// A statement that is done and gave no rows.
pub(super) fn done(tag: impl Into<CommandTag>) -> Result<Run> {
    Ok(Run::Buffered { rows: VecDeque::new(), tag: tag.into() })
}

pub(super) fn not_in_block(what: &str) -> Error {
    let message = format!("{what} cannot run inside a transaction block");
    Error::new(SqlState::ACTIVE_SQL_TRANSACTION, message)
}

fn engine_mode(mode: TableLockMode) -> cairn_engine::TableLockMode {
    use cairn_engine::TableLockMode as Engine;
    match mode {
        TableLockMode::AccessShare => Engine::AccessShare,
        TableLockMode::RowShare => Engine::RowShare,
        TableLockMode::RowExclusive => Engine::RowExclusive,
        TableLockMode::ShareUpdateExclusive => Engine::ShareUpdateExclusive,
        TableLockMode::Share => Engine::Share,
        TableLockMode::ShareRowExclusive => Engine::ShareRowExclusive,
        TableLockMode::Exclusive => Engine::Exclusive,
        TableLockMode::AccessExclusive => Engine::AccessExclusive,
    }
}
