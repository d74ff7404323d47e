//! Which literals of a statement could as well be parameters: a plan for one text then serves the
//! texts that differ in these alone.

use std::ops::ControlFlow;

use sqlparser::ast::{self, BinaryOperator, Expr, SetExpr, Visit, Visitor};
use sqlparser::tokenizer::Location;

use super::{Statement, Syntax};

impl Statement {
    /// The byte offsets of the literals that stand where a parameter takes the same type from its
    /// surroundings: beside a column in a comparison or an IN list, in the rows of an INSERT, and
    /// as the new value of a column.
    pub(crate) fn exchangeable_literals(&self) -> Vec<usize> {
        let Syntax::Sql(statement) = self.syntax.as_ref() else { return Vec::new() };
        let mut found = Found::default();
        found.written(statement);
        let _: ControlFlow<()> = statement.visit(&mut found);
        found.0.iter().filter_map(|location| self.source.offset(*location)).collect()
    }
}

/// Where they begin.
#[derive(Default)]
struct Found(Vec<Location>);

impl Found {
    fn add(&mut self, expr: &Expr) {
        if let Expr::Value(literal) = expr
            && matches!(literal.value, ast::Value::Number(..) | ast::Value::SingleQuotedString(_))
        {
            self.0.push(literal.span.start);
        }
    }

    /// New values of columns.
    fn written(&mut self, statement: &ast::Statement) {
        match statement {
            ast::Statement::Insert(insert) => {
                if let Some(source) = &insert.source
                    && let SetExpr::Values(values) = source.body.as_ref()
                {
                    values.rows.iter().flat_map(|row| row.iter()).for_each(|expr| self.add(expr));
                }
            }
            ast::Statement::Update(update) => {
                update.assignments.iter().for_each(|assignment| self.add(&assignment.value));
            }
            _ => {}
        }
    }
}

impl Visitor for Found {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::BinaryOp { left, op, right } if is_comparison(op) => {
                if is_column(left) {
                    self.add(right);
                } else if is_column(right) {
                    self.add(left);
                }
            }
            Expr::InList { expr, list, .. } if is_column(expr) => {
                list.iter().for_each(|item| self.add(item));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn is_column(expr: &Expr) -> bool {
    matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
}

fn is_comparison(op: &BinaryOperator) -> bool {
    use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq)
}

#[cfg(test)]
mod tests {
    use crate::parse::parse;

    /// The first characters of the literals that are found.
    fn found(sql: &str) -> Vec<&str> {
        let statements = parse(sql).unwrap();
        let mut offsets = statements[0].exchangeable_literals();
        offsets.sort_unstable();
        offsets.iter().map(|offset| &sql[*offset..offset + 1]).collect()
    }

    #[test]
    fn values_beside_columns_are_exchangeable_and_nothing_else() {
        assert_eq!(found("SELECT 1 FROM t WHERE a = 2 AND 'x' < t.b AND a + 3 = 4"), ["2", "'"]);
        assert_eq!(found("SELECT a FROM t WHERE a IN (5, 6) LIMIT 7"), ["5", "6"]);
        assert_eq!(found("SELECT a FROM t WHERE f(8) = a OR a = '9'::date"), Vec::<&str>::new());
        assert_eq!(
            found("INSERT INTO t VALUES (1, -2, lower('x')), (3, DEFAULT, '')"),
            ["1", "3", "'"]
        );
        assert_eq!(found("UPDATE t SET a = 1, b = b + 2 WHERE id = 3"), ["1", "3"]);
        assert_eq!(
            found("SELECT * FROM (VALUES (1)) v WHERE EXISTS (SELECT FROM t WHERE a = 2)"),
            ["2"]
        );
    }
}
