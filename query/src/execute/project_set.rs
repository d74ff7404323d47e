//! Set-returning functions in a select list.

use super::context::Context;
use super::operator::Operator;
use crate::error::Result;
use crate::expression::functions::RowSet;
use crate::expression::{Expr, SetFunction};
use crate::plan::{Node, Row, SetExpr};
use crate::value::Value;

/// See [`Node::ProjectSet`].
pub(crate) struct ProjectSet {
    input: Operator,
    rows: std::vec::IntoIter<Row>,
    current: Option<Vec<Column>>,
}

/// One output column of the input row at hand.
enum Column {
    Scalar(Value),
    /// The set; `None` when it has ended.
    Set {
        rows: Option<RowSet>,
        is_record: bool,
    },
}

impl ProjectSet {
    pub fn new(input: &Node) -> Self {
        Self { input: Operator::new(input), rows: Vec::new().into_iter(), current: None }
    }

    pub fn next(
        &mut self,
        input: &Node,
        exprs: &[SetExpr],
        cx: &Context<'_>,
        max: usize,
    ) -> Result<Vec<Row>> {
        let mut out = Vec::new();
        while out.len() < max {
            cx.check_cancelled()?;
            if let Some(columns) = &mut self.current {
                match next_row(columns)? {
                    Some(row) => out.push(row),
                    None => self.current = None,
                }
                continue;
            }
            let Some(row) = self.rows.next() else {
                self.rows = self.input.next(input, cx, max)?.into_iter();
                if self.rows.len() == 0 {
                    break;
                }
                continue;
            };
            self.current = Some(open(exprs, cx, &row)?);
        }
        Ok(out)
    }
}

fn open(exprs: &[SetExpr], cx: &Context<'_>, row: &[Value]) -> Result<Vec<Column>> {
    exprs
        .iter()
        .map(|expr| {
            Ok(match expr {
                SetExpr::Scalar(expr) => Column::Scalar(expr.eval(&cx.eval, row)?),
                SetExpr::Set(function, args) => Column::Set {
                    rows: Some(call(function, args, cx, row)?),
                    is_record: function.columns.len() > 1,
                },
            })
        })
        .collect()
}

/// Calls a set-returning function for one input row.
pub(crate) fn call(
    function: &SetFunction,
    args: &[Expr],
    cx: &Context<'_>,
    row: &[Value],
) -> Result<RowSet> {
    let args = cx.eval_all(args, row)?;
    if function.is_strict && args.iter().any(Value::is_null) {
        return Ok(Box::new(std::iter::empty()));
    }
    (function.eval)(&cx.eval, &args)
}

/// The next output row; `None` when every set has ended.
fn next_row(columns: &mut [Column]) -> Result<Option<Row>> {
    let mut is_live = false;
    let mut row = Vec::with_capacity(columns.len());
    for column in columns {
        row.push(match column {
            Column::Scalar(value) => value.clone(),
            Column::Set { rows, is_record } => match rows.as_mut().and_then(Iterator::next) {
                Some(values) => {
                    is_live = true;
                    let values = values?;
                    match *is_record {
                        true => Value::Record(values.into()),
                        false => values.into_iter().next().unwrap_or(Value::Null),
                    }
                }
                None => {
                    *rows = None;
                    Value::Null
                }
            },
        });
    }
    Ok(is_live.then_some(row))
}
