//! Bound expressions: what binding leaves of a scalar expression, and how a row answers it.
//!
//! Names are gone, overloads are chosen, casts are explicit: evaluating needs no catalog.

use std::sync::Arc;

use crate::value::{SqlType, Value};

pub mod cast;
pub mod context;
mod domain;
pub mod eval;
pub mod functions;
#[cfg(test)]
pub(crate) mod testing;

pub use context::EvalContext;
pub use domain::DomainChecks;
pub use functions::{Accumulator, AggregateFunction, Function, Registry, SetFunction, Volatility};

/// A typed, bound expression over one input row.
#[derive(Clone, Debug)]
pub enum Expr {
    /// A constant.
    Const(Value),
    /// A column of the input row.
    Column(usize),
    /// A statement parameter: `$1` is 0.
    Param(usize),
    /// A value that an enclosing plan node put into the slot before this plan ran: correlated
    /// subqueries, LATERAL and index nested loops all pass rows inward this way.
    Slot(usize),
    /// An expression without columns, slots, subqueries and volatile functions: of one value for
    /// all rows of an execution, so computed when first asked for and kept.
    Once {
        /// Where the value is kept; see [`context::SlotValues`].
        cell: usize,
        /// The expression.
        expr: Box<Expr>,
    },
    /// A function or operator call.
    Call {
        /// Which.
        function: Arc<Function>,
        /// Its arguments, casts applied, variadic ones packed.
        args: Vec<Expr>,
    },
    /// An order or equality comparison of two values of one type; a call in disguise, kept apart
    /// because the planner looks for it and it is evaluated most.
    Compare {
        /// The operator.
        op: CompareOp,
        /// Left side.
        left: Box<Expr>,
        /// Right side, of the same type.
        right: Box<Expr>,
    },
    /// `IS [NOT] DISTINCT FROM`
    IsDistinct {
        /// Left side.
        left: Box<Expr>,
        /// Right side.
        right: Box<Expr>,
        /// Whether NOT was said.
        is_negated: bool,
    },
    /// Three-valued AND.
    And(Vec<Expr>),
    /// Three-valued OR.
    Or(Vec<Expr>),
    /// Three-valued NOT.
    Not(Box<Expr>),
    /// `IS NULL`; of a record: whether all fields are.
    IsNull(Box<Expr>),
    /// `IS TRUE` (`Some(true)`), `IS FALSE`, `IS UNKNOWN` (`None`).
    IsTruth(Box<Expr>, Option<bool>),
    /// `CASE WHEN … THEN … ELSE … END`; the form with an operand is bound to comparisons.
    Case {
        /// Conditions and results.
        branches: Vec<(Expr, Expr)>,
        /// The ELSE.
        otherwise: Box<Expr>,
    },
    /// `COALESCE`
    Coalesce(Vec<Expr>),
    /// `NULLIF`: comparison of both, and the value
    NullIf(Box<Expr>, Box<Expr>),
    /// `GREATEST` (true) and `LEAST`
    Extreme(Vec<Expr>, Extreme),
    /// A cast that can change or refuse the value: type conversion, length and precision.
    Cast {
        /// What.
        expr: Box<Expr>,
        /// From which type.
        from: SqlType,
        /// Into which.
        to: SqlType,
        /// Whether the SQL said so: explicit casts truncate where assignments fail.
        is_explicit: bool,
    },
    /// A cast to a domain: the value, when the domain admits it.
    Checked {
        /// The value, of the type under the domain.
        value: Box<Expr>,
        /// What the domain asks of it, over a row of its own.
        domain: Arc<DomainChecks>,
    },
    /// `x op ANY (array)` and `x op ALL (array)`; `IN (list)` is `= ANY` of an array.
    Quantified {
        /// The element-wise operator: column 0 of its two-column input is the left side, column 1
        /// an element.
        operator: Box<Expr>,
        /// The left side.
        left: Box<Expr>,
        /// The array.
        array: Box<Expr>,
        /// ANY or ALL.
        quantifier: Quantifier,
    },
    /// `ARRAY[…]`
    Array {
        /// The elements.
        elements: Vec<Expr>,
        /// Their type.
        element: crate::value::Type,
    },
    /// `array[i][j]`
    Subscript {
        /// The array.
        array: Box<Expr>,
        /// One index per dimension.
        indexes: Vec<Expr>,
    },
    /// `array[from:to]`
    Slice {
        /// The array.
        array: Box<Expr>,
        /// From and to of each dimension.
        bounds: Vec<(Option<Expr>, Option<Expr>)>,
    },
    /// `ROW(…)`
    Record(Vec<Expr>),
    /// `(record).field`, by position
    Field(Box<Expr>, usize),
    /// A subquery.
    Subquery(Box<Subquery>),
}

/// A subquery inside an expression.
#[derive(Clone, Debug)]
pub struct Subquery {
    /// What is asked of it.
    pub kind: SubqueryKind,
    /// Its position in [`crate::plan::Plan::subplans`].
    pub subplan: usize,
    /// Values of the outer row that it reads, and the slots they go to. Empty: it is independent
    /// of the row and runs at most once per statement.
    pub arguments: Vec<(usize, Expr)>,
}

/// What is asked of a subquery.
#[derive(Clone, Debug)]
pub enum SubqueryKind {
    /// Its only value; NULL without a row, an error (21000) with two rows.
    Scalar,
    /// Its row's values, as a record.
    Row,
    /// `EXISTS`
    Exists,
    /// `ARRAY(SELECT …)`, with the element type
    Array(crate::value::Type),
    /// `x op ANY (SELECT …)`, `IN`, `op ALL`
    Quantified {
        /// As in [`Expr::Quantified`]: columns `0..n` are the left side, `n..2n` a row.
        operator: Expr,
        /// The left side, `n` wide.
        left: Vec<Expr>,
        /// ANY or ALL.
        quantifier: Quantifier,
    },
}

/// Comparison operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CompareOp {
    /// `=`
    Eq,
    /// `<>`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

/// How many elements must satisfy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// One suffices.
    Any,
    /// Every one.
    All,
}

/// Which end is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extreme {
    /// `GREATEST`
    Greatest,
    /// `LEAST`
    Least,
}
