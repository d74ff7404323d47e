//! The table locks that statements take by themselves: they keep writes and definitions apart.
//!
//! A definition that changes how a table is kept reads the rows of one moment and writes what they
//! imply: an index' entries, the rows themselves anew. What another transaction has written but not
//! committed by then would be missed for ever. So a write locks its tables until its transaction
//! ends, and a definition waits for the writes under way.
//!
//! # Invariant
//! T-1: a statement writes under the definitions that are current while it holds its table locks.
//! It looks again once it has them, and what it waited for is published by then.
//!
//! Statements that only read lock nothing: a snapshot keeps the rows that it may see, under the
//! definitions that it was bound against.

use std::sync::Arc;

use cairn_engine::{LockOutcome, ObjectId, TableLockMode, WaitPolicy};

use super::Session;
use super::prepared::{Body, Prepared};
use crate::catalog::{Catalog, ReferentialAction, TableDef};
use crate::error::{Error, Result, SqlState};
use crate::plan::{Node, Plan, TableWriter};

/// Tables by OID, and how they are locked.
type Locks = Vec<(u32, TableLockMode)>;

impl Session {
    /// Locks the tables that a statement writes; answers the statement as the definitions have it
    /// that hold from then on.
    ///
    /// # Errors
    /// 40P01, 55P03, 57014, and what binding anew meets.
    pub(super) fn with_tables_locked(
        &mut self,
        mut prepared: Arc<Prepared>,
    ) -> Result<Arc<Prepared>> {
        while let Body::Rows(plan) = &prepared.body
            && self.lock_written(plan)?
        {
            let current = self.refresh(&prepared)?;
            if Arc::ptr_eq(&current, &prepared) {
                break;
            }
            prepared = current;
        }
        Ok(prepared)
    }

    /// Locks the tables that a plan writes, which cannot be bound anew.
    ///
    /// # Errors
    /// 40001 when a definition has changed meanwhile; as [`Self::with_tables_locked`].
    pub(super) fn lock_tables_of(&mut self, plan: &Plan) -> Result<()> {
        let before = Arc::clone(&self.state.catalog);
        if !self.lock_written(plan)? {
            return Ok(());
        }
        self.state.refresh_catalog()?;
        if Arc::ptr_eq(&before, &self.state.catalog) {
            return Ok(());
        }
        let message = "could not serialize access due to a concurrent definition";
        Err(Error::new(SqlState::SERIALIZATION_FAILURE, message))
    }

    /// Whether there was something to lock.
    fn lock_written(&self, plan: &Plan) -> Result<bool> {
        let locks = locks_of(plan, &self.state.catalog);
        if locks.is_empty() {
            return Ok(false);
        }
        let (txn, policy) = (self.state.transaction(), WaitPolicy::Wait(self.state.lock_limit()));
        for (table, mode) in locks {
            if txn.lock_table(ObjectId(table), mode, policy)? == LockOutcome::WouldBlock {
                let message = "canceling statement due to lock timeout";
                return Err(Error::new(SqlState::LOCK_NOT_AVAILABLE, message));
            }
        }
        self.state.database.shared.catalogs.wait_settled();
        Ok(true)
    }
}

fn locks_of(plan: &Plan, catalog: &Catalog) -> Locks {
    let mut locks = Locks::new();
    let written = plan.ctes.iter().filter(|cte| cte.is_modifying).map(|cte| &cte.node);
    written.chain([&plan.root]).for_each(|node| push_node(node, catalog, &mut locks));
    locks
}

fn push_node(node: &Node, catalog: &Catalog, locks: &mut Locks) {
    match node {
        Node::Insert(insert) => push_writer(&insert.writer, catalog, locks),
        Node::Update(update) => push_writer(&update.writer, catalog, locks),
        Node::Delete(delete) => push_writer(&delete.writer, catalog, locks),
        Node::Lock(lock) => {
            for target in &lock.targets {
                push(&target.table, TableLockMode::RowShare, locks);
            }
        }
        Node::Project { input, .. } | Node::Limit { input, .. } | Node::Sort { input, .. } => {
            push_node(input, catalog, locks);
        }
        _ => {}
    }
}

/// The table that is written, and those that its foreign keys look at or write.
fn push_writer(writer: &TableWriter, catalog: &Catalog, locks: &mut Locks) {
    push(&writer.table, TableLockMode::RowExclusive, locks);
    for check in &writer.references {
        push(&check.referenced, TableLockMode::RowShare, locks);
    }
    if !writer.referenced_by.is_empty() {
        push_referring(writer.table.oid, catalog, locks);
    }
}

/// The tables that refer to one: they are looked at, or follow, and so on.
fn push_referring(table: u32, catalog: &Catalog, locks: &mut Locks) {
    for key in catalog.references_to(table) {
        let Some(referring) = catalog.table(key.table) else { continue };
        let only_looks =
            |action| matches!(action, ReferentialAction::NoAction | ReferentialAction::Restrict);
        if only_looks(key.on_delete) && only_looks(key.on_update) {
            push(referring, TableLockMode::RowShare, locks);
        } else if push(referring, TableLockMode::RowExclusive, locks) {
            for own in &referring.foreign_keys {
                if let Some(other) = catalog.table(own.referenced_table) {
                    push(other, TableLockMode::RowShare, locks);
                }
            }
            push_referring(referring.oid, catalog, locks);
        }
    }
}

/// Whether it is new. Nobody else has temporary tables of this session.
fn push(table: &TableDef, mode: TableLockMode, locks: &mut Locks) -> bool {
    let lock = (table.oid, mode);
    let is_new = !table.is_temporary && !locks.contains(&lock);
    if is_new {
        locks.push(lock);
    }
    is_new
}
