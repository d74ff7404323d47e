//! FOR UPDATE and its kind.

use std::sync::Arc;

use cairn_engine::LockStrength;
use sqlparser::ast::{self, LockType, NonBlock};

use super::binder::{Binder, locate};
use super::fold;
use super::from::FromTree;
use super::select::Parts;
use super::walk::{Layout, conjunction, conjuncts, remap};
use crate::catalog::TableDef;
use crate::error::{Error, Result, SqlState};
use crate::expression::Expr;
use crate::parse::RowLock;
use crate::plan::{Lock, LockTarget, LockWait, Node, ScanColumn};

/// A table to lock rows of, over variables.
pub(crate) struct Target {
    table: Arc<TableDef>,
    strength: LockStrength,
    wait: LockWait,
    row_key: usize,
    columns: Vec<(usize, usize)>,
}

impl Binder<'_> {
    /// What the locking clauses of a query lock.
    pub(crate) fn bind_locks(&mut self, query: &ast::Query, parts: &Parts) -> Result<Vec<Target>> {
        let mut targets: Vec<Target> = Vec::new();
        for clause in &query.locks {
            let (strength, names) = self.lock_clause(clause)?;
            self.refuse_locks(strength, parts)?;
            let wait = match clause.nonblock {
                None => LockWait::Block,
                Some(NonBlock::Nowait) => LockWait::NoWait,
                Some(NonBlock::SkipLocked) => LockWait::SkipLocked,
            };
            let mut scans = Vec::new();
            if let Some(from) = &parts.from {
                collect(from, &mut scans);
            }
            for (name, at) in &names {
                if !self.level().scope.entries.iter().any(|entry| entry.name == *name) {
                    let message = format!(
                        "relation \"{name}\" in {} clause not found in FROM clause",
                        words(strength)
                    );
                    return Err(locate(Error::new(SqlState::UNDEFINED_TABLE, message), *at));
                }
            }
            for (alias, table, columns) in scans {
                if !names.is_empty() && !names.iter().any(|(name, _)| *name == alias) {
                    continue;
                }
                self.add_lock(&mut targets, table, &columns, strength, wait);
            }
        }
        if !targets.is_empty() {
            self.volatile += 1;
        }
        Ok(targets)
    }

    fn add_lock(
        &mut self,
        targets: &mut Vec<Target>,
        table: Arc<TableDef>,
        columns: &[(ScanColumn, usize)],
        strength: LockStrength,
        wait: LockWait,
    ) {
        let key = columns.iter().find(|(column, _)| *column == ScanColumn::RowKey);
        let Some((_, row_key)) = key else { return };
        self.level().mark_used(&Expr::Column(*row_key));
        let shown = columns.iter().filter_map(|(column, variable)| match column {
            ScanColumn::Column(position) => Some((*variable, *position)),
            _ => None,
        });
        let shown = shown.collect();
        // Two clauses on one table: the stronger lock, the more impatient wait.
        if let Some(known) = targets.iter_mut().find(|target| target.row_key == *row_key) {
            known.strength = known.strength.max(strength);
            known.wait = impatient(known.wait, wait);
            return;
        }
        targets.push(Target { table, strength, wait, row_key: *row_key, columns: shown });
    }

    /// The strength of a clause and the tables after OF.
    #[expect(clippy::type_complexity, reason = "a strength and names with their positions")]
    fn lock_clause(
        &self,
        clause: &ast::LockClause,
    ) -> Result<(LockStrength, Vec<(String, Option<usize>)>)> {
        if let Some(lock) = clause.of.as_ref().and_then(|of| self.extensions.lock(of)) {
            let strength = match lock.strength {
                RowLock::Update => LockStrength::Update,
                RowLock::NoKeyUpdate => LockStrength::NoKeyUpdate,
                RowLock::Share => LockStrength::Share,
                RowLock::KeyShare => LockStrength::KeyShare,
            };
            let names = lock.tables.iter().map(|name| (fold(name), self.at_name(name)));
            return Ok((strength, names.collect()));
        }
        let strength = match clause.lock_type {
            LockType::Update => LockStrength::Update,
            LockType::Share => LockStrength::Share,
        };
        let names = match &clause.of {
            None => Vec::new(),
            Some(name) => {
                let name = self.qualified(name)?;
                vec![(name.name, name.position)]
            }
        };
        Ok((strength, names))
    }

    fn refuse_locks(&mut self, strength: LockStrength, parts: &Parts) -> Result<()> {
        let level = self.level();
        let what = if parts.distinct.is_some() {
            "DISTINCT clause"
        } else if parts.grouping.as_ref().is_some_and(|grouping| !grouping.groups.is_empty()) {
            "GROUP BY clause"
        } else if parts.having.is_some() {
            "HAVING clause"
        } else if !level.aggregates.is_empty() {
            "aggregate functions"
        } else if !level.windows.is_empty() {
            "window functions"
        } else if !level.sets.is_empty() {
            "set-returning functions in the target list"
        } else {
            return Ok(());
        };
        let message = format!("{} is not allowed with {what}", words(strength));
        Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message))
    }

    /// Puts the locks on top of a node.
    pub(crate) fn build_lock(
        &mut self,
        input: Node,
        layout: &Layout,
        targets: Vec<Target>,
        conditions: Vec<Expr>,
    ) -> Result<Node> {
        if targets.is_empty() {
            return Ok(input);
        }
        let place = |variable: usize| {
            let position = layout.position(variable);
            position.ok_or_else(|| Error::internal("a locked row's key is not in the row"))
        };
        let targets = targets.into_iter().map(|target| {
            let shown = target.columns.into_iter();
            let columns = shown
                .filter_map(|(variable, column)| Some((layout.position(variable)?, column)))
                .collect();
            Ok(LockTarget {
                table: target.table,
                strength: target.strength,
                wait: target.wait,
                row_key: place(target.row_key)?,
                columns,
            })
        });
        let targets = targets.collect::<Result<Vec<_>>>()?;
        let recheck = recheck(conditions, layout)?;
        Ok(Node::Lock(Box::new(Lock { input, targets, recheck })))
    }
}

/// Conditions over variables as one over a row.
pub(crate) fn recheck(conditions: Vec<Expr>, layout: &Layout) -> Result<Option<Expr>> {
    let mut parts = Vec::new();
    conditions.into_iter().for_each(|condition| conjuncts(condition, &mut parts));
    parts.iter_mut().try_for_each(|part| remap(part, layout))?;
    Ok(conjunction(parts))
}

/// NOWAIT before SKIP LOCKED before waiting.
fn impatient(left: LockWait, right: LockWait) -> LockWait {
    match (left, right) {
        (LockWait::NoWait, _) | (_, LockWait::NoWait) => LockWait::NoWait,
        (LockWait::SkipLocked, _) | (_, LockWait::SkipLocked) => LockWait::SkipLocked,
        _ => LockWait::Block,
    }
}

/// How SQL writes a strength.
fn words(strength: LockStrength) -> &'static str {
    match strength {
        LockStrength::Update => "FOR UPDATE",
        LockStrength::NoKeyUpdate => "FOR NO KEY UPDATE",
        LockStrength::Share => "FOR SHARE",
        LockStrength::KeyShare => "FOR KEY SHARE",
    }
}

/// The tables of FROM: alias, table, variables.
#[expect(clippy::type_complexity, reason = "a list of scans")]
fn collect(tree: &FromTree, into: &mut Vec<(String, Arc<TableDef>, Vec<(ScanColumn, usize)>)>) {
    match tree {
        FromTree::Rows { .. } => {}
        FromTree::Join(join) => {
            collect(&join.left, into);
            collect(&join.right, into);
        }
        FromTree::Scan { table, alias, columns, .. } => {
            into.push((alias.clone(), Arc::clone(table), columns.clone()));
        }
    }
}
