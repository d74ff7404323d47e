//! Writing rows: what an INSERT, an UPDATE or a DELETE does, and what that entails.

use std::sync::Arc;

use super::Node;
use crate::catalog::{Catalog, IndexDef, TableDef};
use crate::expression::{DomainChecks, Expr};

/// Everything that writing a row of a table entails, bound over the table's columns.
#[derive(Clone, Debug)]
pub struct TableWriter {
    /// The table.
    pub table: Arc<TableDef>,
    /// Generated columns and their expressions.
    pub generated: Vec<(usize, Expr)>,
    /// CHECK constraints by name.
    pub checks: Vec<(String, Expr)>,
    /// What the domains of columns ask of them, by column.
    pub domains: Vec<(usize, Arc<DomainChecks>)>,
    /// The indexes to keep in step.
    pub indexes: Vec<IndexWriter>,
    /// Foreign keys of this table.
    pub references: Vec<ForeignKeyCheck>,
    /// Foreign keys of other tables that refer to this one.
    pub referenced_by: Vec<ForeignKeyCheck>,
}

/// One index of a table that is written.
#[derive(Clone, Debug)]
pub struct IndexWriter {
    /// The index.
    pub index: Arc<IndexDef>,
    /// Its key expressions.
    pub keys: Vec<Expr>,
    /// The condition of a partial index.
    pub predicate: Option<Expr>,
}

/// A foreign key with both tables at hand.
#[derive(Clone, Debug)]
pub struct ForeignKeyCheck {
    /// The definition.
    pub key: Arc<crate::catalog::ForeignKeyDef>,
    /// The table that refers.
    pub referencing: Arc<TableDef>,
    /// The table referred to.
    pub referenced: Arc<TableDef>,
}

impl ForeignKeyCheck {
    /// The same foreign key as a catalog has it; `None` when it is gone.
    pub fn in_catalog(&self, catalog: &Catalog) -> Option<Self> {
        let referencing = Arc::clone(catalog.table(self.key.table)?);
        let key = referencing.foreign_keys.iter().find(|key| key.oid == self.key.oid)?;
        let (key, referenced) = (Arc::clone(key), catalog.table(key.referenced_table)?);
        Some(Self { key, referenced: Arc::clone(referenced), referencing })
    }
}

/// See [`super::Node::Insert`].
#[derive(Clone, Debug)]
pub struct Insert {
    /// How to write.
    pub writer: TableWriter,
    /// The rows: one output column for each table column, defaults filled in; generated ones are
    /// computed on top.
    pub input: Node,
    /// ON CONFLICT.
    pub conflict: Option<Conflict>,
    /// RETURNING, over the new row's table columns.
    pub returning: Option<Vec<Expr>>,
}

/// ON CONFLICT.
#[derive(Clone, Debug)]
pub struct Conflict {
    /// The unique index that decides: positions in [`TableWriter::indexes`], or the table's own
    /// key. Empty: any.
    pub arbiters: Vec<Arbiter>,
    /// DO NOTHING or DO UPDATE.
    pub action: ConflictAction,
}

/// A unique key that can be in conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arbiter {
    /// The key that the table is stored by.
    RowKey,
    /// An index, by position in [`TableWriter::indexes`].
    Index(usize),
}

/// What ON CONFLICT does.
#[derive(Clone, Debug)]
pub enum ConflictAction {
    /// DO NOTHING
    Nothing,
    /// DO UPDATE: expressions over the existing row's columns, then the proposed row's.
    Update {
        /// New values by column.
        assignments: Vec<(usize, Expr)>,
        /// The WHERE.
        filter: Option<Expr>,
    },
}

/// See [`super::Node::Update`].
#[derive(Clone, Debug)]
pub struct Update {
    /// How to write.
    pub writer: TableWriter,
    /// The rows to change: all table columns first, then the row key, then what FROM gave.
    pub input: Node,
    /// New values by column, over the input row.
    pub assignments: Vec<(usize, Expr)>,
    /// Conditions over the input row, checked again when a row was re-read after a lock wait.
    pub recheck: Option<Expr>,
    /// RETURNING, over the new row's table columns, the row key, and what FROM gave.
    pub returning: Option<Vec<Expr>>,
}

/// See [`super::Node::Delete`].
#[derive(Clone, Debug)]
pub struct Delete {
    /// How to write.
    pub writer: TableWriter,
    /// The rows to delete, as in [`Update::input`] (FROM is USING here).
    pub input: Node,
    /// As in [`Update::recheck`].
    pub recheck: Option<Expr>,
    /// RETURNING, over the input row.
    pub returning: Option<Vec<Expr>>,
}
