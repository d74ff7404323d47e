//! What INSERT, UPDATE and DELETE share: their target, RETURNING, and WITH before them.

use std::sync::Arc;

use sqlparser::ast::{self, SelectItem, Statement};

use super::binder::{Binder, locate};
use super::ddl::QualifiedName;
use super::query::{BoundNode, Outputs};
use super::scope::{Clause, Scope};
use super::select::Target;
use super::walk::{Layout, remap};
use crate::catalog::TableDef;
use crate::error::{Error, Result, SqlState};
use crate::expression::Expr;
use crate::plan::{Node, OutputColumn};

impl Binder<'_> {
    /// INSERT, UPDATE or DELETE.
    pub(crate) fn bind_modification(&mut self, statement: &Statement) -> Result<BoundNode> {
        self.volatile += 1;
        match statement {
            Statement::Insert(insert) => self.bind_insert(insert),
            Statement::Update(update) => self.bind_update(update),
            Statement::Delete(delete) => self.bind_delete(delete),
            other => Err(Error::unsupported(format!("statement {other}"))),
        }
    }

    /// The table that is written.
    ///
    /// # Errors
    /// 42P01; 42809 and 55000 for what is no table.
    pub(crate) fn target_table(&self, name: &QualifiedName, verb: &str) -> Result<Arc<TableDef>> {
        use crate::catalog::Relation;
        match self.find_relation(name) {
            Some(Relation::Table(oid)) => self.table_of(oid),
            Some(Relation::View(oid)) => {
                let is_materialized = self
                    .ctx
                    .catalog
                    .views
                    .get(&oid)
                    .is_some_and(|view| view.materialized.is_some());
                let error = if is_materialized {
                    let message = format!("cannot change materialized view \"{}\"", name.name);
                    Error::new(SqlState::WRONG_OBJECT_TYPE, message)
                } else {
                    let message = format!("cannot {verb} view \"{}\"", name.name);
                    Error::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message)
                        .with_detail("Views that are written through are not supported.")
                };
                Err(locate(error, name.position))
            }
            Some(_) => {
                let message = format!("cannot change relation \"{}\"", name.name);
                Err(locate(Error::new(SqlState::WRONG_OBJECT_TYPE, message), name.position))
            }
            None => Err(self.no_relation(name)),
        }
    }

    /// The column of a table that a name in a SET or column list means.
    pub(crate) fn target_column(&self, table: &TableDef, name: &ast::ObjectName) -> Result<usize> {
        let ident = name.0.last().and_then(|part| part.as_ident());
        let Some(ident) = ident else { return Err(Error::unsupported("this column name")) };
        let folded = super::fold(ident);
        table.column(&folded).ok_or_else(|| {
            let message =
                format!("column \"{folded}\" of relation \"{}\" does not exist", table.name);
            locate(Error::new(SqlState::UNDEFINED_COLUMN, message), self.at_name(ident))
        })
    }

    /// RETURNING over variables; `None` when there is none.
    pub(crate) fn bind_returning(
        &mut self,
        items: Option<&Vec<SelectItem>>,
        scope: Scope,
    ) -> Result<Option<Vec<Target>>> {
        let Some(items) = items else { return Ok(None) };
        let (targets, _) = self.with_scope(scope, |binder| {
            binder.within(Clause::Returning, |binder| binder.bind_targets(items, Outputs::Settle))
        });
        let targets = targets?;
        if !self.level().sets.is_empty() {
            let message = "set-returning functions are not allowed in RETURNING";
            return Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message));
        }
        Ok(Some(targets))
    }

    /// RETURNING over a row, and the columns of the result.
    pub(crate) fn finish_returning(
        &mut self,
        targets: Option<Vec<Target>>,
        layout: &Layout,
    ) -> Result<(Option<Vec<Expr>>, Vec<OutputColumn>)> {
        let Some(targets) = targets else { return Ok((None, Vec::new())) };
        let mut exprs = Vec::with_capacity(targets.len());
        let mut columns = Vec::with_capacity(targets.len());
        for target in targets {
            let origin = self.level().origin(&target.value.expr);
            columns.push(OutputColumn { name: target.name, ty: target.value.ty, origin });
            let mut expr = target.value.expr;
            remap(&mut expr, layout)?;
            exprs.push(expr);
        }
        Ok((Some(exprs), columns))
    }

    /// A finished modification.
    pub(crate) fn modified(node: Node, columns: Vec<OutputColumn>) -> BoundNode {
        BoundNode { node, columns, records: Vec::new() }
    }
}
