//! Prepared statements: bound and planned once, run often.

use std::sync::Arc;

use crate::bind::BoundStatement;
use crate::catalog::{Catalog, RowKeyDef};
use crate::expression::{Expr, Volatility};
use crate::plan::{Command, GeoSearch, Node, OutputColumn, Plan, walk};
use crate::value::{SqlType, Value};

/// A statement that is ready to run. It never changes; when the definitions that it was bound
/// against change, the session makes another one from its text.
pub struct Prepared {
    /// Its text.
    pub text: Arc<str>,
    /// The columns of its rows; empty when it gives none.
    pub columns: Arc<[OutputColumn]>,
    /// The types of its parameters.
    pub params: Arc<[SqlType]>,
    /// Whether a plain query gets its rows in binary form: from a binary cursor.
    pub is_binary: bool,
    pub(super) body: Body,
    /// What it was bound against.
    pub(super) catalog: Arc<Catalog>,
    /// Of the settings that binding depends on; see [`super::facts`].
    pub(super) environment: u64,
    /// What the client said about the parameters' types.
    pub(super) declared: Arc<[Option<SqlType>]>,
}

/// What runs.
pub(super) enum Body {
    /// Reads or writes rows.
    Rows(Arc<Plan>),
    /// Everything else.
    Utility(Arc<BoundStatement>),
}

impl Prepared {
    /// The plan, if it reads or writes rows.
    pub fn plan(&self) -> Option<&Arc<Plan>> {
        match &self.body {
            Body::Rows(plan) => Some(plan),
            Body::Utility(_) => None,
        }
    }

    /// The statement, if it is no plan.
    #[cfg(test)]
    pub(crate) fn bound(&self) -> Option<&BoundStatement> {
        match &self.body {
            Body::Rows(_) => None,
            Body::Utility(bound) => Some(bound),
        }
    }

    /// Whether it is the empty statement.
    pub fn is_empty(&self) -> bool {
        matches!(&self.body, Body::Utility(bound) if matches!(**bound, BoundStatement::Empty))
    }

    /// Whether it is sure to be done at once, apart from waiting for locks and the disk: it looks
    /// up rows by key, or touches none.
    pub fn is_short(&self) -> bool {
        match &self.body {
            Body::Rows(plan) => {
                plan.ctes.is_empty() && plan.subplans.is_empty() && is_short(&plan.root)
            }
            Body::Utility(bound) => matches!(
                **bound,
                BoundStatement::Transaction(_)
                    | BoundStatement::Set(_)
                    | BoundStatement::Show(_)
                    | BoundStatement::Empty
            ),
        }
    }

    /// Whether it may run in a failed transaction: it ends it.
    pub(super) fn is_transaction_exit(&self) -> bool {
        use crate::bind::Transaction::{Commit, Rollback, RollbackTo};
        match &self.body {
            Body::Utility(bound) => matches!(
                **bound,
                BoundStatement::Transaction(Commit { .. } | Rollback { .. } | RollbackTo(_))
                    | BoundStatement::Empty
            ),
            Body::Rows(_) => false,
        }
    }

    /// Whether it is transaction control of any kind: it takes no snapshot and no plan.
    pub(super) fn is_transaction_control(&self) -> bool {
        matches!(&self.body, Body::Utility(bound) if matches!(
            **bound,
            BoundStatement::Transaction(_) | BoundStatement::Empty
        ))
    }
}

/// Rows of a VALUES list that are still few.
const FEW_ROWS: usize = 16;

/// Rows of a LIMIT that are still few.
const FEW_NEIGHBORS: i64 = 100;

fn is_short(node: &Node) -> bool {
    match node {
        Node::Values { rows } => rows.len() <= FEW_ROWS && rows.iter().flatten().all(is_constant),
        Node::IndexScan(scan) => {
            let columns = scan.index.as_ref().map_or_else(
                || match &scan.scan.table.row_key {
                    RowKeyDef::PrimaryKey { columns, .. } => columns.len(),
                    RowKeyDef::Hidden => 1,
                },
                |index| if index.is_unique { index.keys.len() } else { usize::MAX },
            );
            scan.bounds.len() <= FEW_ROWS
                && scan.bounds.iter().all(|bounds| bounds.equal.len() >= columns)
        }
        Node::Project { input, exprs } => is_short(input) && !exprs.iter().any(walk::is_volatile),
        Node::Filter { input, predicate } => is_short(input) && !walk::is_volatile(predicate),
        Node::Limit { input, limit, offset, .. } => {
            is_short(input)
                || is_few(limit.as_ref())
                    && offset.as_ref().is_none_or(|offset| is_few(Some(offset)))
                    && gives_neighbors(input)
        }
        Node::Lock(lock) => is_short(&lock.input),
        Node::Insert(insert) => is_short(&insert.input),
        Node::Update(update) => is_short(&update.input),
        Node::Delete(delete) => is_short(&delete.input),
        _ => false,
    }
}

fn is_few(limit: Option<&Expr>) -> bool {
    matches!(limit, Some(Expr::Const(Value::Int8(rows))) if *rows <= FEW_NEIGHBORS)
}

/// Whether each row is found by a few steps of a walk outward: no filter keeps it going.
fn gives_neighbors(node: &Node) -> bool {
    match node {
        Node::GeoScan(scan) => {
            matches!(scan.search, GeoSearch::Nearest { .. }) && scan.scan.filter.is_none()
        }
        Node::Project { input, exprs } => {
            gives_neighbors(input) && !exprs.iter().any(walk::is_volatile)
        }
        _ => false,
    }
}

/// Functions may do anything, even sleep.
fn is_constant(expr: &Expr) -> bool {
    match expr {
        Expr::Const(_) | Expr::Param(_) | Expr::Column(_) => true,
        Expr::Cast { expr, .. } => is_constant(expr),
        Expr::Call { function, args } => {
            function.volatility != Volatility::Volatile && args.iter().all(is_constant)
        }
        _ => false,
    }
}

/// The word of the command tag.
pub(super) fn command_word(command: Command) -> &'static str {
    match command {
        Command::Select => "SELECT",
        Command::Insert => "INSERT",
        Command::Update => "UPDATE",
        Command::Delete => "DELETE",
    }
}
