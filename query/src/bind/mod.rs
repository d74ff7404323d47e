//! Syntax tree to plan: names become positions, every expression gets a type.

use std::sync::Arc;

use crate::catalog::Catalog;
use crate::expression::context::{Services, StatementFacts};
use crate::value::SqlType;

pub mod ddl;
mod statement;

pub use statement::{
    BoundQuery, BoundStatement, Copy, CopyFormat, CopyOptions, CopySource, CopyTarget,
    DeclareCursor, Discard, ExplainFormat, ExplainOptions, FetchDirection, IsolationLevel,
    SetStatement, TableLockMode, Transaction, TransactionModes,
};

/// What binding knows of the session.
#[derive(Clone, Copy)]
pub struct BindContext<'a> {
    /// The definitions that names are looked up in.
    pub catalog: &'a Arc<Catalog>,
    /// The search path, the user, the time zone: literals are converted while binding.
    pub facts: &'a StatementFacts,
    /// For converting literals such as `'seats'::regclass`.
    pub services: &'a dyn Services,
    /// The types of `$1`, `$2`, … that the client declared; `None` or missing ones are inferred.
    pub params: &'a [Option<SqlType>],
}
