//! From text to a [`Prepared`] statement: plan cache, parse, bind, optimize.

use std::sync::Arc;

use super::block::BlockStatus;
use super::prepared::{Body, Prepared};
use super::{Session, in_failed_transaction};
use crate::bind::{self, BindContext, BoundStatement};
use crate::error::{Error, Result, SqlState};
use crate::optimize::{OptimizeContext, optimize};
use crate::parse::{self, Statement};
use crate::plan::{OutputColumn, Plan};
use crate::value::{SqlType, Type};

impl Session {
    /// Prepares one statement. `types` are the parameters' types as far as the client says.
    ///
    /// # Errors
    /// 42601 and what binding meets; 25P02 in a failed transaction.
    pub fn prepare(&mut self, sql: &str, types: &[Option<SqlType>]) -> Result<Arc<Prepared>> {
        self.state.refresh_catalog()?;
        if types.is_empty()
            && let Some(cached) = self.cached(sql)
        {
            return Ok(cached);
        }
        let mut statements = parse::parse(sql)?.into_iter();
        let first = statements.next();
        if statements.next().is_some() {
            let message = "cannot insert multiple commands into a prepared statement";
            return Err(Error::new(SqlState::SYNTAX_ERROR, message));
        }
        self.prepare_statement(sql, first.as_ref(), types)
    }

    /// A statement of this very text that is still good.
    pub(super) fn cached(&self, sql: &str) -> Option<Arc<Prepared>> {
        if self.status() == BlockStatus::Failed {
            return None;
        }
        let (state, environment) = (&self.state, self.state.environment());
        let cached =
            state.database.shared.plans.get(state.backend.database_oid, environment, sql)?;
        Arc::ptr_eq(&cached.catalog, &state.catalog).then_some(cached)
    }

    /// Prepares a parsed statement (`None` is the empty one).
    pub(super) fn prepare_statement(
        &mut self,
        text: &str,
        statement: Option<&Statement>,
        types: &[Option<SqlType>],
    ) -> Result<Arc<Prepared>> {
        let prepared = self.bound(text, statement, types);
        if self.status() == BlockStatus::Failed {
            // Whatever else is wrong with the statement, this comes first.
            return prepared
                .ok()
                .filter(|prepared| prepared.is_transaction_exit())
                .ok_or_else(in_failed_transaction);
        }
        let prepared = prepared?;
        if types.is_empty() && prepared.plan().is_some() && self.is_cacheable() {
            self.state.database.shared.plans.insert(self.state.backend.database_oid, &prepared);
        }
        Ok(prepared)
    }

    /// Binds and plans a statement.
    pub(super) fn bound(
        &self,
        text: &str,
        statement: Option<&Statement>,
        types: &[Option<SqlType>],
    ) -> Result<Arc<Prepared>> {
        let facts = self.state.facts();
        let bound = match statement {
            None => BoundStatement::Empty,
            Some(statement) => bind::bind(
                statement,
                BindContext {
                    catalog: &self.state.catalog,
                    facts: &facts,
                    services: &self.state,
                    params: types,
                },
            )?,
        };
        self.wrap(text, bound, types)
    }

    /// Uncommitted definitions are nobody else's business.
    pub(super) fn is_cacheable(&self) -> bool {
        self.state.block.borrow().definitions.is_none()
    }

    fn wrap(
        &self,
        text: &str,
        bound: BoundStatement,
        types: &[Option<SqlType>],
    ) -> Result<Arc<Prepared>> {
        let columns = self.columns_of(&bound)?;
        let is_binary = match &bound {
            BoundStatement::Fetch { cursor, .. } => self.cursor(cursor)?.is_binary(),
            _ => false,
        };
        let (body, params) = match bound {
            BoundStatement::Rows(plan) => {
                let plan = self.optimized(*plan);
                let params = plan.params.clone();
                (Body::Rows(plan), params)
            }
            bound => {
                let params = params_of(&bound).to_vec();
                (Body::Utility(Arc::new(bound)), params)
            }
        };
        Ok(Arc::new(Prepared {
            text: Arc::from(text),
            columns: columns.into(),
            params: params.into(),
            is_binary,
            body,
            catalog: self.state.catalog.clone(),
            environment: self.state.environment(),
            declared: types.into(),
        }))
    }

    /// The plan as it is run.
    pub(super) fn optimized(&self, plan: Plan) -> Arc<Plan> {
        let facts = self.state.facts();
        let context = OptimizeContext {
            statistics: &self.state.database.shared.execution.statistics,
            facts: &facts,
            services: &self.state,
        };
        Arc::new(optimize(plan, &context))
    }

    /// The same statement, bound anew if something that it was bound against has changed.
    ///
    /// # Errors
    /// 0A000 when its columns are others now, and what binding meets.
    pub(super) fn refresh(&mut self, prepared: &Arc<Prepared>) -> Result<Arc<Prepared>> {
        if prepared.is_transaction_control() {
            return Ok(prepared.clone());
        }
        self.state.refresh_catalog()?;
        let is_current = Arc::ptr_eq(&prepared.catalog, &self.state.catalog)
            && prepared.environment == self.state.environment();
        // What is not a plan may depend on cursors and prepared statements: these are looked at
        // when it runs.
        if is_current || self.status() == BlockStatus::Failed {
            return Ok(prepared.clone());
        }
        let renewed = self.prepare(&prepared.text.clone(), &prepared.declared.clone())?;
        let types = |columns: &[OutputColumn]| -> Vec<SqlType> {
            columns.iter().map(|column| column.ty.clone()).collect()
        };
        if types(&renewed.columns) != types(&prepared.columns) {
            let message = "cached plan must not change result type";
            return Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message));
        }
        Ok(renewed)
    }

    /// The columns that a statement's rows will have.
    fn columns_of(&self, bound: &BoundStatement) -> Result<Vec<OutputColumn>> {
        Ok(match bound {
            BoundStatement::Rows(plan) => plan.columns.clone(),
            BoundStatement::Explain { options, .. } => {
                let ty = match options.format {
                    bind::ExplainFormat::Json => Type::Json,
                    _ => Type::Text,
                };
                vec![column("QUERY PLAN", ty)]
            }
            BoundStatement::Show(name) if name == "all" => vec![
                column("name", Type::Text),
                column("setting", Type::Text),
                column("description", Type::Text),
            ],
            BoundStatement::Show(name) => {
                let shown = super::settings::definition(name).map_or(&**name, |known| known.name);
                vec![column(shown, Type::Text)]
            }
            BoundStatement::Fetch { cursor, is_move: false, .. } => {
                self.cursor(cursor)?.columns().to_vec()
            }
            BoundStatement::Execute { name, .. } => match self.statements.get(name) {
                Some(prepared) => prepared.columns.to_vec(),
                None => return Err(missing_statement(name)),
            },
            _ => Vec::new(),
        })
    }
}

fn column(name: &str, ty: Type) -> OutputColumn {
    OutputColumn { name: name.to_owned(), ty: SqlType::new(ty), origin: None }
}

/// The parameters of statements that carry a plan.
fn params_of(bound: &BoundStatement) -> &[SqlType] {
    match bound {
        BoundStatement::Rows(plan) => &plan.params,
        BoundStatement::Declare(declare) => &declare.plan.params,
        BoundStatement::Explain { inner, .. } => params_of(inner),
        _ => &[],
    }
}

pub(super) fn missing_statement(name: &str) -> Error {
    let message = format!("prepared statement \"{name}\" does not exist");
    Error::new(SqlState::INVALID_SQL_STATEMENT_NAME, message)
}
