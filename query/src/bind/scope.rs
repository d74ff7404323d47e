//! What names mean at one place of a statement.

use std::sync::Arc;

use sqlparser::ast::Ident;

use super::typed::Typed;
use crate::catalog::TableDef;
use crate::expression::{AggregateFunction, Expr};
use crate::plan::{AggregateExpr, WindowExpr};
use crate::value::SqlType;

/// A variable of a query level: a column of something in FROM, or what an aggregate, window or
/// set-returning function computes.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    /// Its name, for error messages.
    pub name: String,
    /// Its type.
    pub ty: SqlType,
    /// The table column that it shows unchanged: (table OID, attribute number).
    pub origin: Option<(u32, i16)>,
    /// Whether anything refers to it.
    pub is_used: bool,
    /// The fields of a record.
    pub fields: Option<Vec<(String, SqlType)>>,
}

/// A column that a name can mean.
#[derive(Clone, Debug)]
pub(crate) struct ScopeColumn {
    /// Its name.
    pub name: String,
    /// The expression: a variable, or both sides of a FULL JOIN USING merged.
    pub expr: Expr,
    /// Its type.
    pub ty: SqlType,
}

/// One thing in FROM, by the name it goes by.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Its alias, or its name.
    pub name: String,
    /// Its schema, when it is a table without an alias.
    pub schema: Option<String>,
    /// Its columns.
    pub columns: Vec<ScopeColumn>,
    /// Columns that only a name finds, never `*`: `tableoid`.
    pub hidden: Vec<ScopeColumn>,
    /// The table, when it is one.
    pub table: Option<Arc<TableDef>>,
    /// The variable with the row's key, when it is a table.
    pub row_key: Option<usize>,
    /// A function that returns one value: its name as a column means that value.
    pub is_scalar: bool,
    /// The relation that it is, as noted of a text that is to be kept.
    pub noted: Option<usize>,
}

impl Entry {
    /// Rows that are no table's.
    pub fn new(name: String, columns: Vec<ScopeColumn>) -> Self {
        let (hidden, row_key) = (Vec::new(), None);
        let (schema, table, noted) = (None, None, None);
        Self { name, schema, columns, hidden, table, row_key, is_scalar: false, noted }
    }
}

/// The names that a clause sees.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    /// What `*` and unqualified names see; JOIN USING merges columns.
    pub columns: Vec<ScopeColumn>,
    /// What qualified names see.
    pub entries: Vec<Entry>,
}

impl Scope {
    /// The scope of one entry.
    pub(crate) fn of(entry: Entry) -> Self {
        Self { columns: entry.columns.clone(), entries: vec![entry] }
    }

    /// Puts another scope to the right.
    pub(crate) fn append(&mut self, other: Self) {
        self.columns.extend(other.columns);
        self.entries.extend(other.entries);
    }
}

/// A clause, for what is allowed in it and how errors call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clause {
    /// The select list, HAVING of a grouped query and ORDER BY.
    Target,
    /// WHERE
    Where,
    /// HAVING
    Having,
    /// JOIN … ON
    JoinOn,
    /// FROM: arguments of functions
    From,
    /// GROUP BY
    GroupBy,
    /// ORDER BY
    OrderBy,
    /// LIMIT and OFFSET
    Limit,
    /// RETURNING
    Returning,
    /// VALUES
    Values,
    /// UPDATE … SET
    Assignment,
    /// Inside an aggregate's arguments.
    Aggregate,
    /// FILTER
    Filter,
    /// Inside a window function's arguments or definition.
    Window,
    /// DEFAULT
    Default,
    /// CHECK
    Check,
    /// GENERATED
    Generated,
    /// An index' expressions
    IndexExpression,
    /// An index' condition
    IndexPredicate,
    /// EXECUTE's arguments
    Execute,
    /// COPY FROM … WHERE
    CopyWhere,
}

impl Clause {
    /// What error messages call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Target => "SELECT",
            Self::Where => "WHERE",
            Self::Having => "HAVING",
            Self::JoinOn => "JOIN conditions",
            Self::From => "functions in FROM",
            Self::GroupBy => "GROUP BY",
            Self::OrderBy => "ORDER BY",
            Self::Limit => "LIMIT",
            Self::Returning => "RETURNING",
            Self::Values => "VALUES",
            Self::Assignment => "UPDATE",
            Self::Aggregate => "aggregate function calls",
            Self::Filter => "FILTER",
            Self::Window => "window definitions",
            Self::Default => "DEFAULT expressions",
            Self::Check => "check constraints",
            Self::Generated => "column generation expressions",
            Self::IndexExpression => "index expressions",
            Self::IndexPredicate => "index predicates",
            Self::Execute => "EXECUTE parameters",
            Self::CopyWhere => "COPY FROM WHERE conditions",
        }
    }
}

/// An aggregate call, and the variable that stands for its result.
#[derive(Clone, Debug)]
pub(crate) struct AggregateCall {
    pub variable: usize,
    pub aggregate: AggregateExpr,
}

/// A window function call, and the variable that stands for its result.
#[derive(Clone, Debug)]
pub(crate) struct WindowCall {
    pub variable: usize,
    pub window: WindowExpr,
}

/// A set-returning function in the select list, and the variable that stands for its result.
#[derive(Clone, Debug)]
pub(crate) struct SetCall {
    pub variable: usize,
    pub function: Arc<crate::expression::SetFunction>,
    pub args: Vec<Expr>,
}

/// One query level: a SELECT, an UPDATE, the arguments of a lateral function …
#[derive(Clone, Debug)]
pub(crate) struct Level {
    /// Its variables.
    pub variables: Vec<Variable>,
    /// What names mean at present.
    pub scope: Scope,
    /// The clause being bound.
    pub clause: Clause,
    /// Values of the level outside that this one reads, and the slots they come in.
    pub arguments: Vec<(usize, Expr)>,
    /// Whether its rows are made where the outer level's are: then values from further out need
    /// no slots of its own.
    pub is_inline: bool,
    /// The conditions of its inner joins: checked again when a row was re-read under a lock.
    pub conditions: Vec<Expr>,
    /// Where each variable was first named outside of aggregates, for error positions.
    pub mentions: Vec<(usize, usize)>,
    /// Its aggregate calls.
    pub aggregates: Vec<AggregateCall>,
    /// Its `GROUPING(…)` calls: variable, arguments.
    pub groupings: Vec<(usize, Vec<Expr>)>,
    /// Its window function calls.
    pub windows: Vec<WindowCall>,
    /// Its set-returning functions in the select list.
    pub sets: Vec<SetCall>,
    /// The definitions of its WINDOW clause.
    pub named_windows: Vec<(Ident, sqlparser::ast::NamedWindowExpr)>,
}

impl Level {
    /// An empty level.
    pub(crate) fn new() -> Self {
        Self {
            variables: Vec::new(),
            scope: Scope::default(),
            clause: Clause::Target,
            arguments: Vec::new(),
            is_inline: false,
            conditions: Vec::new(),
            mentions: Vec::new(),
            aggregates: Vec::new(),
            groupings: Vec::new(),
            windows: Vec::new(),
            sets: Vec::new(),
            named_windows: Vec::new(),
        }
    }

    /// Makes a variable.
    pub(crate) fn variable(
        &mut self,
        name: &str,
        ty: SqlType,
        origin: Option<(u32, i16)>,
    ) -> usize {
        let name = name.to_owned();
        self.variables.push(Variable { name, ty, origin, is_used: false, fields: None });
        self.variables.len() - 1
    }

    /// Notes that an expression's variables are needed.
    pub(crate) fn mark_used(&mut self, expr: &Expr) {
        super::walk::each_variable(expr, &mut |variable| {
            if let Some(variable) = self.variables.get_mut(variable) {
                variable.is_used = true;
            }
        });
    }

    /// The table column that an expression is, unchanged.
    pub(crate) fn origin(&self, expr: &Expr) -> Option<(u32, i16)> {
        match expr {
            Expr::Column(variable) => self.variables.get(*variable)?.origin,
            _ => None,
        }
    }

    /// Makes the aggregate call's variable and expression.
    pub(crate) fn aggregate(
        &mut self,
        function: &Arc<AggregateFunction>,
        ty: SqlType,
        aggregate: AggregateExpr,
    ) -> Typed {
        let same = self.aggregates.iter().find(|call| {
            let other = &call.aggregate;
            Arc::ptr_eq(&other.function, function)
                && other.is_distinct == aggregate.is_distinct
                && other.order.is_empty()
                && aggregate.order.is_empty()
                && other.filter.is_none()
                && aggregate.filter.is_none()
                && other.args.len() == aggregate.args.len()
                && other
                    .args
                    .iter()
                    .zip(&aggregate.args)
                    .all(|(left, right)| super::walk::is_same(left, right))
        });
        let variable = match same {
            Some(call) => call.variable,
            None => {
                let variable = self.variable(&function.name, ty.clone(), None);
                self.aggregates.push(AggregateCall { variable, aggregate });
                variable
            }
        };
        Typed::new(Expr::Column(variable), ty)
    }
}
