//! The session's services with other definitions: those that a definition is about to make.

use std::sync::Arc;

use super::state::State;
use crate::bind::{self, BindContext};
use crate::catalog::{Catalog, TableDef};
use crate::error::Result;
use crate::expression::Expr;
use crate::expression::context::{
    AdvisoryKey, AdvisoryMode, Services, SlotValues, StatementFacts, SystemFacts,
};
use crate::plan::TableWriter;
use crate::value::Value;

/// See the module.
pub(super) struct Overlay<'a> {
    pub(super) state: &'a State,
    pub(super) catalog: &'a Arc<Catalog>,
}

impl Overlay<'_> {
    fn binding<'a>(&'a self, facts: &'a StatementFacts) -> BindContext<'a> {
        BindContext { catalog: self.catalog, facts, services: self, params: &[] }
    }
}

impl Services for Overlay<'_> {
    fn catalog(&self) -> &Arc<Catalog> {
        self.catalog
    }

    fn globals(&self) -> Arc<crate::catalog::Globals> {
        self.state.globals()
    }

    fn system_rows(&self, facts: SystemFacts) -> Result<Vec<crate::plan::Row>> {
        self.state.system_rows(facts)
    }

    fn row_estimate(&self, table: &crate::catalog::TableDef) -> Option<f64> {
        self.state.row_estimate(table)
    }

    fn table_writer(&self, table: &Arc<TableDef>) -> Result<TableWriter> {
        let facts = self.state.facts();
        bind::table_writer(self.binding(&facts), table)
    }

    fn column_default(&self, table: &Arc<TableDef>, column: usize) -> Result<Expr> {
        let facts = self.state.facts();
        bind::column_default(self.binding(&facts), table, column)
    }

    fn sequence_next(&self, sequence: u32) -> Result<i64> {
        self.state.sequence_next_in(self.catalog, sequence)
    }

    fn sequence_current(&self, sequence: u32) -> Result<i64> {
        self.state.sequence_current(sequence)
    }

    fn sequence_last(&self) -> Result<i64> {
        self.state.sequence_last()
    }

    fn sequence_set(&self, sequence: u32, value: i64, is_called: bool) -> Result<i64> {
        self.state.sequence_set(sequence, value, is_called)
    }

    fn setting(&self, name: &str) -> Option<String> {
        self.state.setting(name)
    }

    fn set_setting(&self, name: &str, value: &str, is_local: bool) -> Result<()> {
        self.state.set_setting(name, value, is_local)
    }

    fn run_subplan(
        &self,
        subplan: usize,
        slots: &SlotValues,
        each: &mut dyn FnMut(&[Value]) -> Result<bool>,
    ) -> Result<()> {
        self.state.run_subplan(subplan, slots, each)
    }

    fn advisory_lock(&self, key: AdvisoryKey, mode: AdvisoryMode) -> Result<bool> {
        self.state.advisory_lock(key, mode)
    }

    fn advisory_unlock(&self, key: Option<AdvisoryKey>, is_shared: bool) -> bool {
        self.state.advisory_unlock(key, is_shared)
    }

    fn check_cancelled(&self) -> Result<()> {
        self.state.check_cancelled()
    }

    fn system_call(&self, name: &str, args: &[Value]) -> Result<Value> {
        self.state.system_call(name, args)
    }
}
