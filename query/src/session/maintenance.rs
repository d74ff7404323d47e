//! EXPLAIN, and statements that look after the database: ANALYZE, VACUUM, REINDEX, CHECKPOINT.

use std::sync::Arc;
use std::time::Instant;

use super::Session;
use super::portal::{BATCH_ROWS, Run};
use super::run::with_context;
use super::utility::not_in_block;
use crate::bind::{BoundStatement, ExplainOptions};
use crate::catalog::TableDef;
use crate::error::{Error, Result};
use crate::execute::Execution;
use crate::expression::context::Services;
use crate::plan::explain::{Times, explain};
use crate::plan::{Plan, Row, params};
use crate::result::CommandTag;
use crate::statistics;
use crate::value::Value;

impl Session {
    pub(super) fn run_maintenance(&mut self, bound: &BoundStatement) -> Result<CommandTag> {
        match bound {
            BoundStatement::Analyze(tables) => {
                let tables: Vec<u32> = tables.iter().map(|(table, _)| *table).collect();
                self.analyze(&tables)?;
                Ok("ANALYZE".into())
            }
            BoundStatement::Vacuum { tables, with_analyze, .. } => {
                if self.state.block.borrow().is_explicit() {
                    return Err(not_in_block("VACUUM"));
                }
                // Old row versions go when files are compacted, without being asked.
                self.remove_expired(tables)?;
                if *with_analyze {
                    self.analyze(tables)?;
                }
                Ok("VACUUM".into())
            }
            BoundStatement::Checkpoint => {
                self.state.database.shared.db.wait_durable(self.must_be_durable())?;
                Ok("CHECKPOINT".into())
            }
            _ => Err(Error::internal("a statement went the wrong way")),
        }
    }

    /// Takes the statistics of these tables; of all when there are none.
    fn analyze(&mut self, tables: &[u32]) -> Result<()> {
        self.begin_statement()?;
        let state = &self.state;
        let txn = state.transaction();
        let all = state.catalog.tables.values();
        let wanted: Vec<&Arc<TableDef>> =
            all.filter(|table| tables.is_empty() || tables.contains(&table.oid)).collect();
        for table in wanted {
            let found = statistics::analyze(&txn, table, &|| state.check_cancelled())?;
            let shared = &state.database.shared;
            statistics::stored::store(&shared.db, table.storage(), Some(&found))?;
            shared.execution.statistics.put(table.storage(), found);
        }
        // Plans were chosen by the old figures.
        state.database.shared.plans.clear();
        Ok(())
    }

    pub(super) fn explain(
        &mut self,
        options: ExplainOptions,
        inner: &BoundStatement,
        params: Vec<Value>,
    ) -> Result<Run> {
        let began = Instant::now();
        let (plan, params) = match inner {
            BoundStatement::Rows(plan) => (self.optimized((**plan).clone()), params),
            BoundStatement::Declare(declare) => (self.optimized((*declare.plan).clone()), params),
            BoundStatement::Execute { name, args } => {
                let (prepared, values) = self.arguments(name, args)?;
                let plan = prepared.plan();
                let plan = plan.ok_or_else(|| Error::unsupported("EXPLAIN of this statement"))?;
                (Arc::new(params::substituted(plan, &values)), values)
            }
            _ => return Err(Error::unsupported("EXPLAIN of this statement")),
        };
        let mut times = Times { planning: began.elapsed(), execution: None };
        let execution = match options.is_analyze {
            true => {
                let began = Instant::now();
                let execution = self.run_timed(&plan, &params)?;
                times.execution = Some(began.elapsed());
                Some(execution)
            }
            false => None,
        };
        let statistics = &self.state.database.shared.execution.statistics;
        let lines = explain(&plan, statistics, &options, execution.as_ref(), times);
        let rows: Vec<Row> = lines.into_iter().map(|line| vec![Value::text(line)]).collect();
        Ok(Run::Buffered { rows: rows.into(), tag: "EXPLAIN".into() })
    }

    fn run_timed(&mut self, plan: &Arc<Plan>, params: &[Value]) -> Result<Execution> {
        self.check_read_only(plan)?;
        self.lock_tables_of(plan)?;
        self.begin_statement()?;
        let facts = self.state.facts();
        let mut execution = Execution::timed(plan.clone());
        with_context(&self.state, &facts, params, |cx| {
            while !execution.next_batch(cx, BATCH_ROWS)?.is_empty() {}
            Ok(())
        })?;
        Ok(execution)
    }
}
