//! Queries: WITH, set operations, VALUES, and what ORDER BY and LIMIT do to them.

use sqlparser::ast::{
    self, Expr as Ast, LimitClause, OrderByExpr, OrderByKind, SetExpr, SetOperator, SetQuantifier,
};

use super::binder::{Binder, locate};
use super::expr::strip;
use super::fold;
use super::scope::{Clause, Level};
use super::typed::Typed;
use super::types::CastContext;
use crate::error::{Error, Result, SqlState};
use crate::expression::Expr;
use crate::plan::{Node, OutputColumn, SetOperation, SortKey};
use crate::value::{SqlType, Type, Value};

/// A bound query: its node and what its columns are.
#[derive(Clone, Debug)]
pub(crate) struct BoundNode {
    /// The rows.
    pub node: Node,
    /// The columns.
    pub columns: Vec<OutputColumn>,
    /// The fields of columns that are records, by position.
    pub records: Vec<(usize, Vec<(String, SqlType)>)>,
}

/// What becomes of output columns whose type nothing in the query decides.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outputs<'a> {
    /// They are text.
    Settle,
    /// They stay unknown: the caller decides.
    Keep,
    /// They take these types, as on assignment.
    Expect(&'a [SqlType]),
}

/// LIMIT, OFFSET and FETCH.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bounds {
    /// At most so many rows.
    pub limit: Option<Expr>,
    /// After so many.
    pub offset: Option<Expr>,
    /// `WITH TIES`
    pub with_ties: bool,
}

impl Bounds {
    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.limit.is_none() && self.offset.is_none()
    }

    /// How many rows of a sorted input are wanted at most, when that is a plain number.
    pub(crate) fn wanted(&self) -> Option<Expr> {
        match (&self.limit, &self.offset) {
            _ if self.with_ties => None,
            (Some(limit), None) => Some(limit.clone()),
            (Some(Expr::Const(Value::Int8(limit))), Some(Expr::Const(Value::Int8(offset)))) => {
                Some(Expr::Const(Value::Int8(limit.checked_add(*offset)?)))
            }
            _ => None,
        }
    }

    /// Puts the bounds on top of a node.
    pub(crate) fn apply(self, input: Node, keys: Option<Vec<SortKey>>) -> Node {
        if self.is_empty() {
            return input;
        }
        let ties = if self.with_ties { keys } else { None };
        Node::Limit { input: Box::new(input), limit: self.limit, offset: self.offset, ties }
    }
}

impl Binder<'_> {
    /// Binds in a level of its own, inside the present one.
    pub(crate) fn in_new_level<T>(
        &mut self,
        bind: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<(T, Level)> {
        self.levels.push(Level::new());
        let result = bind(self);
        let level = self.levels.pop().unwrap_or_else(Level::new);
        Ok((result?, level))
    }

    /// Binds in a level of its own whose rows are made where the present level's are: what comes
    /// from further out comes through the present level's slots.
    pub(crate) fn in_inline_level<T>(
        &mut self,
        bind: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<(T, Level)> {
        self.in_new_level(|binder| {
            binder.level().is_inline = true;
            bind(binder)
        })
    }

    /// A query whose undecided columns are text, or take the expected types.
    pub(crate) fn bind_query(
        &mut self,
        query: &ast::Query,
        expected: Option<&[SqlType]>,
    ) -> Result<BoundNode> {
        self.bind_query_as(query, expected.map_or(Outputs::Settle, Outputs::Expect))
    }

    /// A query.
    pub(crate) fn bind_query_as(
        &mut self,
        query: &ast::Query,
        outputs: Outputs<'_>,
    ) -> Result<BoundNode> {
        stacker::maybe_grow(128 << 10, 2 << 20, || {
            let visible = self.visible_ctes.len();
            let result = match &query.with {
                None => self.bind_body(query, outputs),
                Some(with) => {
                    self.bind_with(with, query).and_then(|()| self.bind_body(query, outputs))
                }
            };
            self.visible_ctes.truncate(visible);
            result
        })
    }

    fn bind_body(&mut self, query: &ast::Query, outputs: Outputs<'_>) -> Result<BoundNode> {
        match query.body.as_ref() {
            SetExpr::Select(select) => self.bind_select(select, query, outputs),
            body => {
                let bound = self.bind_set_expr(body, outputs)?;
                self.bind_tail(bound, query)
            }
        }
    }

    /// A part of a set operation, VALUES, or a statement that returns rows.
    fn bind_set_expr(&mut self, body: &SetExpr, outputs: Outputs<'_>) -> Result<BoundNode> {
        match body {
            SetExpr::Select(select) => {
                let query = bare_query(SetExpr::Select(select.clone()));
                self.bind_query_as(&query, outputs)
            }
            SetExpr::Query(query) => {
                self.in_inline_level(|binder| binder.bind_query_as(query, outputs)).map(|(b, _)| b)
            }
            SetExpr::SetOperation { left, op, set_quantifier, right } => {
                self.bind_set_operation(left, *op, *set_quantifier, right, outputs)
            }
            SetExpr::Values(values) => self.bind_values(values, outputs),
            SetExpr::Table(table) => {
                let query = table_query(table)?;
                self.bind_query_as(&query, outputs)
            }
            SetExpr::Insert(statement)
            | SetExpr::Update(statement)
            | SetExpr::Delete(statement) => self.bind_modification(statement),
            SetExpr::Merge(_) => Err(Error::unsupported("MERGE")),
        }
    }

    fn bind_set_operation(
        &mut self,
        left: &SetExpr,
        op: SetOperator,
        quantifier: SetQuantifier,
        right: &SetExpr,
        outputs: Outputs<'_>,
    ) -> Result<BoundNode> {
        let op = match op {
            SetOperator::Union => SetOperation::Union,
            SetOperator::Intersect => SetOperation::Intersect,
            SetOperator::Except | SetOperator::Minus => SetOperation::Except,
        };
        let name = match op {
            SetOperation::Union => "UNION",
            SetOperation::Intersect => "INTERSECT",
            SetOperation::Except => "EXCEPT",
        };
        let keep = if matches!(outputs, Outputs::Expect(_)) { outputs } else { Outputs::Keep };
        let (left, _) = self.in_inline_level(|binder| binder.bind_set_expr(left, keep))?;
        let (right, _) = self.in_inline_level(|binder| binder.bind_set_expr(right, keep))?;
        if left.columns.len() != right.columns.len() {
            let message = format!("each {name} query must have the same number of columns");
            return Err(Error::new(SqlState::SYNTAX_ERROR, message));
        }
        let mut columns = Vec::with_capacity(left.columns.len());
        for (mine, theirs) in left.columns.iter().zip(&right.columns) {
            let ty = match (&mine.ty.base, &theirs.ty.base, outputs) {
                (Type::Unknown, Type::Unknown, Outputs::Keep) => SqlType::new(Type::Unknown),
                _ => {
                    let sides = [&mine.ty, &theirs.ty];
                    let sides = sides.map(|ty| Typed::new(Expr::Const(Value::Null), ty.clone()));
                    self.common(&sides, name)?
                }
            };
            columns.push(OutputColumn { name: mine.name.clone(), ty, origin: None });
        }
        let left = Box::new(self.convert_columns(left, &columns)?);
        let right = Box::new(self.convert_columns(right, &columns)?);
        let is_all = quantifier == SetQuantifier::All;
        let node = Node::SetOperation { op, is_all, left, right };
        Ok(BoundNode { node, columns, records: Vec::new() })
    }

    /// Converts a query's columns to other types: in its own projection where their type was
    /// undecided, in one on top otherwise.
    pub(crate) fn convert_columns(
        &mut self,
        bound: BoundNode,
        to: &[OutputColumn],
    ) -> Result<Node> {
        let mut node = bound.node;
        let mut exprs = Vec::with_capacity(to.len());
        let mut is_changed = false;
        for (index, (from, to)) in bound.columns.iter().zip(to).enumerate() {
            if from.ty.base == to.ty.base || to.ty.base == Type::Unknown {
                exprs.push(Expr::Column(index));
                continue;
            }
            if from.ty.base == Type::Unknown
                && let Some(expr) = literal_column(&mut node, index)
            {
                let literal = Typed::new(expr.clone(), Type::Unknown);
                let decided = self.try_coerce(literal, &to.ty, CastContext::Implicit)?;
                if let (Some(decided), Some(expr)) = (decided, literal_column(&mut node, index)) {
                    *expr = decided.expr;
                }
                exprs.push(Expr::Column(index));
                continue;
            }
            is_changed = true;
            let column = Typed::new(Expr::Column(index), from.ty.clone());
            exprs.push(self.unify_one(column, &SqlType::new(to.ty.base.clone()), "UNION")?.expr);
        }
        Ok(if is_changed { Node::Project { input: Box::new(node), exprs } } else { node })
    }

    /// `VALUES (…), (…)`
    pub(crate) fn bind_values(
        &mut self,
        values: &ast::Values,
        outputs: Outputs<'_>,
    ) -> Result<BoundNode> {
        let width = values.rows.first().map_or(0, |row| row.content.len());
        let mut columns: Vec<Vec<Typed>> = (0..width).map(|_| Vec::new()).collect();
        for row in &values.rows {
            if row.content.len() != width {
                let message = "VALUES lists must all be the same length";
                let at = row.content.first().and_then(|first| self.at_expr(first));
                return Err(locate(Error::new(SqlState::SYNTAX_ERROR, message), at));
            }
            for (value, column) in row.content.iter().zip(&mut columns) {
                let value = self.within(Clause::Values, |binder| binder.bind_expr(value))?;
                column.push(value);
            }
        }
        let mut rows: Vec<Vec<Expr>> =
            values.rows.iter().map(|_| Vec::with_capacity(width)).collect();
        let mut described = Vec::with_capacity(width);
        for (index, column) in columns.into_iter().enumerate() {
            let (exprs, ty) = self.unify_values(column, index, outputs)?;
            for (row, expr) in rows.iter_mut().zip(exprs) {
                row.push(expr);
            }
            let name = format!("column{}", index + 1);
            described.push(OutputColumn { name, ty, origin: None });
        }
        Ok(BoundNode { node: Node::Values { rows }, columns: described, records: Vec::new() })
    }

    fn unify_values(
        &mut self,
        column: Vec<Typed>,
        index: usize,
        outputs: Outputs<'_>,
    ) -> Result<(Vec<Expr>, SqlType)> {
        let is_unknown = column.iter().all(Typed::is_unknown);
        let exprs = |column: Vec<Typed>| column.into_iter().map(|value| value.expr).collect();
        match outputs {
            Outputs::Keep if is_unknown => Ok((exprs(column), SqlType::new(Type::Unknown))),
            Outputs::Expect(types) if is_unknown && index < types.len() => {
                let to = types[index].clone();
                let column = column.into_iter().map(|value| {
                    let decided = self.try_coerce(value, &to, CastContext::Assignment)?;
                    decided.ok_or_else(|| Error::internal("a literal takes any type"))
                });
                Ok((exprs(column.collect::<Result<Vec<_>>>()?), to))
            }
            _ => {
                let (column, ty) = self.unify(column, "VALUES")?;
                Ok((exprs(column), ty))
            }
        }
    }

    /// ORDER BY and LIMIT of what is no SELECT: they see output columns only.
    fn bind_tail(&mut self, bound: BoundNode, query: &ast::Query) -> Result<BoundNode> {
        if !query.locks.is_empty() {
            let message = "FOR UPDATE is not allowed with UNION/INTERSECT/EXCEPT";
            return Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message));
        }
        let bounds = self.bind_bounds(query)?;
        let items = order_items(query)?;
        let mut keys = Vec::with_capacity(items.len());
        for item in items {
            let position = self.output_position(&item.expr, &bound.columns)?;
            let column = Typed::new(Expr::Column(position), bound.columns[position].ty.clone());
            keys.push(self.sort_key(column, item)?);
        }
        let mut node = bound.node;
        if !keys.is_empty() {
            let (keys, limit) = (keys.clone(), bounds.wanted());
            node = Node::Sort { input: Box::new(node), keys, limit };
        }
        Ok(BoundNode { node: bounds.apply(node, Some(keys)), ..bound })
    }

    /// The output column that an ORDER BY item of a set operation means.
    fn output_position(&self, expr: &Ast, columns: &[OutputColumn]) -> Result<usize> {
        let at = self.at_expr(expr);
        if let Some(position) = self.position_of(expr, columns.len(), "ORDER BY")? {
            return Ok(position);
        }
        if let Ast::Identifier(name) = expr {
            let folded = fold(name);
            if let Some(position) = columns.iter().position(|column| column.name == folded) {
                return Ok(position);
            }
            let message = format!("column \"{folded}\" does not exist");
            return Err(locate(Error::new(SqlState::UNDEFINED_COLUMN, message), at));
        }
        let error = Error::new(
            SqlState::FEATURE_NOT_SUPPORTED,
            "invalid UNION/INTERSECT/EXCEPT ORDER BY clause",
        )
        .with_detail("Only result column names can be used, not expressions or functions.")
        .with_hint(
            "Add the expression/function to every SELECT, \
             or move the UNION into a FROM clause.",
        );
        Err(locate(error, at))
    }

    /// The output column that a number in ORDER BY, GROUP BY or DISTINCT ON counts to.
    pub(crate) fn position_of(
        &self,
        expr: &Ast,
        width: usize,
        clause: &str,
    ) -> Result<Option<usize>> {
        let Ast::Value(literal) = strip(expr) else { return Ok(None) };
        let at = self.at_span(literal.span);
        let ast::Value::Number(digits, _) = &literal.value else {
            if matches!(literal.value, ast::Value::Placeholder(_)) {
                return Ok(None);
            }
            let message = format!("non-integer constant in {clause}");
            return Err(locate(Error::new(SqlState::SYNTAX_ERROR, message), at));
        };
        let Ok(number) = digits.parse::<usize>() else {
            let message = format!("non-integer constant in {clause}");
            return Err(locate(Error::new(SqlState::SYNTAX_ERROR, message), at));
        };
        if number == 0 || number > width {
            let message = format!("{clause} position {number} is not in select list");
            return Err(locate(Error::new(SqlState::INVALID_COLUMN_REFERENCE, message), at));
        }
        Ok(Some(number - 1))
    }

    /// One key of an order.
    pub(crate) fn sort_key(&mut self, value: Typed, item: &OrderByExpr) -> Result<SortKey> {
        if !super::expr::has_order(&value.ty.base) {
            let ty = self.type_name(&value.ty);
            let message = format!("could not identify an ordering operator for type {ty}");
            let error = Error::new(SqlState::UNDEFINED_FUNCTION, message)
                .with_hint("Use an explicit ordering operator or modify the query.");
            return Err(locate(error, value.at));
        }
        let is_descending = match &item.options.sort {
            None | Some(ast::OrderBySort::Asc) => false,
            Some(ast::OrderBySort::Desc) => true,
            Some(ast::OrderBySort::Using(operator)) => match operator.to_string().as_str() {
                "<" => false,
                ">" => true,
                other => return Err(Error::unsupported(format!("ORDER BY USING {other}"))),
            },
        };
        let nulls_first = item.options.nulls_first.unwrap_or(is_descending);
        Ok(SortKey { expr: value.expr, is_descending, nulls_first })
    }

    /// LIMIT, OFFSET, FETCH.
    pub(crate) fn bind_bounds(&mut self, query: &ast::Query) -> Result<Bounds> {
        let mut bounds = Bounds::default();
        let (limit, offset) = match &query.limit_clause {
            None => (None, None),
            Some(LimitClause::LimitOffset { limit, offset, .. }) => {
                (limit.as_ref(), offset.as_ref().map(|offset| &offset.value))
            }
            Some(LimitClause::OffsetCommaLimit { .. }) => {
                let message = "LIMIT #,# syntax is not supported";
                return Err(Error::new(SqlState::SYNTAX_ERROR, message)
                    .with_hint("Use separate LIMIT and OFFSET clauses."));
            }
        };
        if let Some(limit) = limit {
            bounds.limit = self.bind_count(limit, "LIMIT")?;
        }
        if let Some(offset) = offset {
            bounds.offset = self.bind_count(offset, "OFFSET")?;
        }
        if let Some(fetch) = &query.fetch {
            if fetch.percent {
                return Err(Error::unsupported("FETCH … PERCENT"));
            }
            bounds.with_ties = fetch.with_ties;
            bounds.limit = match &fetch.quantity {
                None => Some(Expr::Const(Value::Int8(1))),
                Some(count) => self.bind_count(count, "FETCH FIRST")?,
            };
        }
        if bounds.with_ties && order_items(query)?.is_empty() {
            let message = "WITH TIES cannot be specified without ORDER BY clause";
            return Err(Error::new(SqlState::SYNTAX_ERROR, message));
        }
        Ok(bounds)
    }

    /// A number of rows; NULL is none.
    fn bind_count(&mut self, count: &Ast, what: &str) -> Result<Option<Expr>> {
        let scope = std::mem::take(&mut self.level().scope);
        let bound = self.within(Clause::Limit, |binder| binder.bind_expr(count));
        self.level().scope = scope;
        let bound = bound.map_err(|error| match error.state() {
            SqlState::UNDEFINED_COLUMN => {
                let message = format!("argument of {what} must not contain variables");
                let at = error.fields().position;
                locate(Error::new(SqlState::INVALID_COLUMN_REFERENCE, message), at)
            }
            _ => error,
        })?;
        let count = self.coerce_to(bound, &Type::Int8, what)?;
        Ok(match count.expr {
            Expr::Const(Value::Null) => None,
            Expr::Const(Value::Int4(count)) => Some(Expr::Const(Value::Int8(count.into()))),
            Expr::Cast { expr, .. } if matches!(*expr, Expr::Const(Value::Int4(_))) => {
                match *expr {
                    Expr::Const(Value::Int4(count)) => Some(Expr::Const(Value::Int8(count.into()))),
                    other => Some(other),
                }
            }
            expr => Some(expr),
        })
    }
}

/// The items of ORDER BY.
pub(crate) fn order_items(query: &ast::Query) -> Result<&[OrderByExpr]> {
    match query.order_by.as_ref().map(|order| &order.kind) {
        None => Ok(&[]),
        Some(OrderByKind::Expressions(items)) => Ok(items),
        Some(OrderByKind::All(_)) => {
            Err(Error::new(SqlState::SYNTAX_ERROR, "syntax error at or near \"ALL\""))
        }
    }
}

/// A query that is only a body.
pub(crate) fn bare_query(body: SetExpr) -> ast::Query {
    ast::Query {
        with: None,
        body: Box::new(body),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    }
}

/// `TABLE name` is `SELECT * FROM name`.
fn table_query(table: &ast::Table) -> Result<ast::Query> {
    let quote = |name: &String| format!("\"{}\"", name.replace('"', "\"\""));
    let parts = table.schema_name.iter().chain(&table.table_name);
    let name: Vec<String> = parts.map(quote).collect();
    let sql = format!("SELECT * FROM {}", name.join("."));
    let statement = crate::parse::parse(&sql)?.pop();
    let query = statement.as_ref().and_then(crate::parse::Statement::query);
    query.cloned().ok_or_else(|| Error::internal("TABLE did not parse"))
}

/// The expression of an output column, when it is a literal or parameter in the node itself.
fn literal_column(node: &mut Node, index: usize) -> Option<&mut Expr> {
    match node {
        Node::Project { exprs, .. } => {
            let expr = exprs.get_mut(index)?;
            matches!(expr, Expr::Const(_) | Expr::Param(_)).then_some(expr)
        }
        Node::Values { rows } => match rows.as_mut_slice() {
            [row] => {
                let expr = row.get_mut(index)?;
                matches!(expr, Expr::Const(_) | Expr::Param(_)).then_some(expr)
            }
            _ => None,
        },
        Node::Limit { input, .. } => literal_column(input, index),
        _ => None,
    }
}
