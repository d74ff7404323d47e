//! ON CONFLICT.

use std::sync::Arc;

use sqlparser::ast::{self, ConflictTarget, Expr as Ast, OnConflict, OnConflictAction};

use super::binder::{Binder, locate};
use super::scope::Clause;
use super::walk::{Layout, is_same, remap};
use crate::catalog::{IndexConstraint, RowKeyDef, TableDef};
use crate::error::{Error, Result, SqlState};
use crate::expression::Expr;
use crate::plan::{Arbiter, Conflict, ConflictAction, IndexWriter, TableWriter};

impl Binder<'_> {
    /// `ON CONFLICT …`
    pub(crate) fn bind_conflict(
        &mut self,
        clause: &OnConflict,
        table: &Arc<TableDef>,
        alias: &str,
        writer: &TableWriter,
    ) -> Result<Conflict> {
        let arbiters = match &clause.conflict_target {
            None => Vec::new(),
            Some(ConflictTarget::OnConstraint(name)) => {
                let name = self.qualified(name)?;
                vec![self.constraint_arbiter(&name.name, table, writer)?]
            }
            Some(ConflictTarget::Columns(columns)) => {
                let inference = self.extensions.conflict(columns).cloned();
                let (elements, predicate) = match inference {
                    Some(inference) => (inference.elements, inference.predicate),
                    None => (columns.iter().cloned().map(Ast::Identifier).collect(), None),
                };
                self.infer_arbiters(&elements, predicate.as_ref(), table, writer)?
            }
        };
        refuse_deferrable(&arbiters, table, writer)?;
        let action = match &clause.action {
            OnConflictAction::DoNothing => ConflictAction::Nothing,
            OnConflictAction::DoUpdate(update) => {
                if arbiters.is_empty() {
                    let message =
                        "ON CONFLICT DO UPDATE requires inference specification or constraint name";
                    return Err(Error::new(SqlState::SYNTAX_ERROR, message)
                        .with_hint("For example, ON CONFLICT (column_name)."));
                }
                self.bind_do_update(update, table, alias)?
            }
        };
        Ok(Conflict { arbiters, action })
    }

    fn constraint_arbiter(
        &self,
        name: &str,
        table: &TableDef,
        writer: &TableWriter,
    ) -> Result<Arbiter> {
        if matches!(&table.row_key, RowKeyDef::PrimaryKey { name: key, .. } if key == name) {
            return Ok(Arbiter::RowKey);
        }
        let is_named = |index: &IndexWriter| index.index.name == name && index.index.is_unique;
        match writer.indexes.iter().position(is_named) {
            Some(position) if writer.indexes[position].index.constraint.is_some() => {
                Ok(Arbiter::Index(position))
            }
            _ => {
                let message =
                    format!("constraint \"{name}\" for table \"{}\" does not exist", table.name);
                Err(Error::new(SqlState::UNDEFINED_OBJECT, message))
            }
        }
    }

    /// The unique indexes whose keys are exactly these.
    fn infer_arbiters(
        &mut self,
        elements: &[Ast],
        predicate: Option<&Ast>,
        table: &Arc<TableDef>,
        writer: &TableWriter,
    ) -> Result<Vec<Arbiter>> {
        let (scope, variables) = self.table_row(table, &table.name.clone());
        let layout = Layout::of(variables);
        let (bound, _) = self.with_scope(scope, |binder| {
            binder.within(Clause::IndexExpression, |binder| {
                let keys = elements.iter().map(|element| Ok(binder.bind_settled(element)?.expr));
                let keys = keys.collect::<Result<Vec<_>>>()?;
                let predicate = predicate.map(|part| binder.bind_condition(part, "WHERE"));
                Ok((keys, predicate.transpose()?))
            })
        });
        let (mut keys, mut predicate) = bound?;
        keys.iter_mut().chain(&mut predicate).try_for_each(|expr| remap(expr, &layout))?;
        let mut arbiters = Vec::new();
        if let RowKeyDef::PrimaryKey { columns, .. } = &table.row_key {
            let own: Vec<Expr> = columns.iter().map(|column| Expr::Column(*column)).collect();
            if is_same_set(&own, &keys) {
                arbiters.push(Arbiter::RowKey);
            }
        }
        for (position, index) in writer.indexes.iter().enumerate() {
            let is_plain =
                index.index.is_unique && index.index.constraint != Some(IndexConstraint::Exclusion);
            if is_plain && is_same_set(&index.keys, &keys) && covers(index, predicate.as_ref()) {
                arbiters.push(Arbiter::Index(position));
            }
        }
        if arbiters.is_empty() {
            let message =
                "there is no unique or exclusion constraint matching the ON CONFLICT specification";
            return Err(Error::new(SqlState::INVALID_COLUMN_REFERENCE, message));
        }
        Ok(arbiters)
    }

    /// `DO UPDATE SET … WHERE …`: over the existing row, then the proposed one.
    fn bind_do_update(
        &mut self,
        update: &ast::DoUpdate,
        table: &Arc<TableDef>,
        alias: &str,
    ) -> Result<ConflictAction> {
        let (mut scope, mut variables) = self.table_row(table, alias);
        let (mut excluded, proposed) = self.table_row(table, "excluded");
        // Unqualified names mean the existing row.
        excluded.columns.clear();
        scope.append(excluded);
        variables.extend(proposed);
        let layout = Layout::of(variables);
        let (bound, _) = self.with_scope(scope, |binder| {
            let assignments = binder.within(Clause::Assignment, |binder| {
                binder.bind_assignments(&update.assignments, table)
            })?;
            let filter = update.selection.as_ref().map(|filter| {
                binder.within(Clause::Where, |binder| binder.bind_condition(filter, "WHERE"))
            });
            Ok((assignments, filter.transpose()?))
        });
        let (mut assignments, mut filter) = bound?;
        let values = assignments.iter_mut().map(|(_, value)| value);
        values.chain(&mut filter).try_for_each(|expr| remap(expr, &layout))?;
        Ok(ConflictAction::Update { assignments, filter })
    }

    /// The error of a column that is given twice.
    pub(crate) fn assigned_twice(&self, name: &str, at: Option<usize>) -> Error {
        let message = format!("multiple assignments to same column \"{name}\"");
        locate(Error::new(SqlState::SYNTAX_ERROR, message), at)
    }
}

/// Whether two lists of keys have the same members.
/// Fails when a key decides that may be taken twice for a while; without arbiters, any may.
fn refuse_deferrable(arbiters: &[Arbiter], table: &TableDef, writer: &TableWriter) -> Result<()> {
    let decides = |at: usize| arbiters.is_empty() || arbiters.contains(&Arbiter::Index(at));
    let mut indexes = writer.indexes.iter().enumerate();
    let found = indexes.find(|(at, own)| own.index.is_deferrable && decides(*at));
    let Some((_, found)) = found else { return Ok(()) };
    let message = "ON CONFLICT does not support deferrable unique constraints/exclusion \
                   constraints as arbiters";
    Err(Error::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message)
        .on_table(&table.schema, &table.name)
        .on_constraint(&found.index.name))
}

fn is_same_set(left: &[Expr], right: &[Expr]) -> bool {
    let all_in = |some: &[Expr], other: &[Expr]| {
        some.iter().all(|key| other.iter().any(|candidate| is_same(candidate, key)))
    };
    all_in(left, right) && all_in(right, left)
}

/// Whether an index decides for the rows that the predicate describes: it is not partial, or its
/// own predicate's parts are all among the given one's.
fn covers(index: &IndexWriter, predicate: Option<&Expr>) -> bool {
    let Some(own) = &index.predicate else { return true };
    let Some(given) = predicate else { return false };
    let (mut own_parts, mut given_parts) = (Vec::new(), Vec::new());
    super::walk::conjuncts(own.clone(), &mut own_parts);
    super::walk::conjuncts(given.clone(), &mut given_parts);
    own_parts.iter().all(|part| given_parts.iter().any(|other| is_same(part, other)))
}
